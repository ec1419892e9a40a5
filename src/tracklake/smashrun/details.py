"""Details of runs on their way to bronze: the recording, laps, and splits in kilometres and miles.

Three calls a run. Each answer is a page on disk at once, so that nothing is asked twice: what a
run's calls were broken off at is gone on with by the next pull. Rows come as the entities
`activity_streams` (points, best efforts) and `activity_details` (laps, splits).
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracklake import bronze, code_versions, pages, quarantine, streams
from tracklake.analysis import shape
from tracklake.errors import InvalidData, Transient
from tracklake.identity import bytes_hash, stable_id
from tracklake.json_reader import Reader
from tracklake.json_text import parse
from tracklake.model import POINT_COLUMNS, Outline
from tracklake.pages import Page
from tracklake.session import SyncSession
from tracklake.smashrun import recordings, splits
from tracklake.smashrun.records import SOURCE, identity
from tracklake.stages import ListReport
from tracklake.upstream.breaker import Failures
from tracklake.upstream.calls import Calls
from tracklake.upstream.landings import as_fetched, has_lost_points, part_folders
from tracklake.upstream.listed import identified
from tracklake.upstream_index import UpstreamIndex, Wanted

_ENTITY = "activity_streams"
_HASH = "track_hash"
_KINDS = ("", "km", "mi")  # of answers about one run; the first is the run itself
_MOST_RUNS = 100  # of one shard: so many points are in memory at once
_TRIES = 3  # of one call in one pull


@dataclass(slots=True)
class Details:
    """What is fetched about runs, newest first. calls: made by the pull's connection."""

    session: SyncSession
    index: UpstreamIndex
    calls: Calls
    report: ListReport
    _run: pages.Run | None = None
    _came: dict[str, dict[str, Page]] = field(default_factory=dict)  # of runs not complete yet
    _streams: list[dict[str, object]] = field(default_factory=list)
    _details: list[dict[str, object]] = field(default_factory=list)
    _outlines: list[tuple[int, Outline]] = field(default_factory=list)
    _complete: int = 0
    _failures: Failures = field(init=False)

    def __post_init__(self) -> None:
        self._failures = Failures(self.calls.breaker)

    # ---- fetching

    def fetch(self) -> None:
        """Fetch what is missing; raises what Calls.get does, and SourceError if nothing comes."""
        aside = quarantine.resting(self.session, SOURCE)
        suspicion = quarantine.suspicion(self.session, SOURCE)
        missing = self.index.wanted(_ENTITY, _HASH)
        wanted = [one for one in missing if _item_id(one) not in aside]
        wanted.sort(key=lambda one: suspicion(_item_id(one)))
        self.calls.phase.expect(self.calls.phase.processed + len(wanted))
        for one in wanted:
            self._fetch_one(one)
            self.calls.phase.advance()

    def _fetch_one(self, wanted: Wanted) -> None:
        try:
            for kind in _KINDS:
                if kind not in self._came.get(wanted.source_id, {}):
                    self._ask(wanted, kind)
                if not _has_more(self._came[wanted.source_id]):
                    break
        except (Transient, InvalidData) as error:
            self._fail(wanted, error)
            return
        self._failures.clear()
        self._take(wanted, self._came.pop(wanted.source_id))
        if self._complete >= _MOST_RUNS:
            self.seal()

    def _ask(self, wanted: Wanted, kind: str) -> None:
        path = f"my/activities/{wanted.source_id}" + (f"/splits/{kind}" if kind else "")
        answer = self.calls.get(path, tries=_TRIES)
        subject = f"{wanted.source_id}_{kind}" if kind else wanted.source_id
        page = Page(subject, answer.status, answer.body)
        self._run = self._run or self._begin()
        self._run.add(page)
        self._came.setdefault(wanted.source_id, {})[kind] = page

    def _begin(self) -> pages.Run:
        began_at = self.index.moment_after(self.session.clock.now())
        root, athlete = self.session.folders.bronze, self.session.athlete
        return pages.Run.begin(root, SOURCE, _ENTITY, athlete, began_at)

    # ---- reading

    def _take(self, wanted: Wanted, came: Mapping[str, Page]) -> None:
        """Read the answers about one run; what no reader foresaw is set aside."""
        self._complete += 1
        try:
            row, outline = self._recorded(wanted, came[""])
            details = self._told(wanted, came) if came[""].status == 200 else None
        except InvalidData as error:
            self._set_aside(wanted, error.reason, str(error))
            return
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            # The pages are on disk, and must not stop this and every later pull.
            self.session.log.exception("page_unreadable", item=wanted.source_id)
            self._set_aside(wanted, "unforeseen", f"{type(error).__name__}: {error}")
            return
        self._streams.append(row)
        self._details += [details] if details else []
        self._outlines += [outline] if outline else []
        self.report.details += 1
        quarantine.release(self.session.state, _item_id(wanted), self.session.athlete)

    def _recorded(
        self, wanted: Wanted, page: Page
    ) -> tuple[dict[str, object], tuple[int, Outline] | None]:
        row = self._row(wanted, page, "none")
        row |= {"start_s": wanted.start_s, "point_count": 0, "has_track": False}
        if page.status != 200:
            return row, None
        points = recordings.points(_detail(page, wanted), wanted.start_s)
        if not len(points):
            return row, None
        outline = shape.outline(points, wanted.sport_type, wanted.start_s)
        # A key of this reading: what a killed run left of another belongs to nothing.
        key = stable_id(str(row["record_id"]), bronze.stamp(self.session.clock.now()))
        channels = [name for name in POINT_COLUMNS if not np.isnan(getattr(points, name)).all()]
        row |= {
            "outcome": "done",
            "stream_key": key,
            "point_count": len(points),
            "has_track": bool(outline.track),
            "channels": channels,
            "best_efforts": [dataclasses.asdict(effort) for effort in outline.best_efforts],
        }
        return row, (key, outline)

    def _told(self, wanted: Wanted, came: Mapping[str, Page]) -> dict[str, object]:
        detail = _detail(came[""], wanted)
        total_km = Reader(detail).number("distance")
        total_m = total_km and total_km * 1000
        return {
            **self._row(wanted, came[""], "done"),
            "laps": recordings.laps(detail, wanted.start_s),
            "splits_metric": splits.splits(_splits(came, "km"), splits.KILOMETRE_M, total_m),
            "splits_standard": splits.splits(_splits(came, "mi"), splits.MILE_M, total_m),
        }

    def _row(self, wanted: Wanted, page: Page, outcome: str) -> dict[str, object]:
        return {
            **identified(SOURCE, self.session.athlete, wanted.source_id),
            "content_hash": bytes_hash(page.body),
            "wanted_hash": wanted.wanted_hash,
            "outcome": outcome,
        }

    # ---- landing

    def seal(self) -> None:
        """Make the shards of what is complete; what is not goes over into a run of its own."""
        if self._run is None or not self._complete:
            return  # pages of a run whose calls were broken off wait where they are
        run, self._run = self._run, None
        if self._came:
            self._run = self._begin()
            for came in self._came.values():
                for page in came.values():
                    self._run.add(page)
        folders = part_folders(self.session, SOURCE)
        streams.write_part(*folders, bronze.stamp(run.began_at), self._outlines)
        root = self.session.folders.bronze
        path = bronze.land_shard(root, "activity_details", self._details, ingested_at=run.began_at)
        if path is not None:
            self.index.take("activity_details", path)
        self.index.take(_ENTITY, run.seal(self._streams))
        self._streams, self._details, self._outlines, self._complete = [], [], [], 0

    def recover(self) -> None:
        """Give shards to the runs that died before they had one; nothing is fetched again."""
        wanted = {one.source_id for one in self.index.wanted(_ENTITY, _HASH)}
        root, athlete = self.session.folders.bronze, self.session.athlete
        for found in pages.unsealed(root, SOURCE, _ENTITY, athlete):
            came: dict[str, dict[str, Page]] = {}
            for page in found.pages():
                source_id, _, kind = page.subject.partition("_")
                came.setdefault(source_id, {})[kind] = page
            for path in found.damaged:
                self.session.log.error("page_damaged", path=str(path))
            self._run = found.run
            for source_id, answers in came.items():
                version = self.index.version(source_id, _HASH, found.run.began_at)
                if _is_complete(answers):
                    self._take(version, answers)
                elif source_id in wanted and version.wanted_hash:
                    self._came.setdefault(source_id, {}).update(answers)
            self.session.log.info("run_recovered", folder=str(found.run.folder))
            self._complete = self._complete or int(not self._came)  # nothing in it: an empty shard
            self.seal()
            self._run = None  # what is asked for now lands in a run of its own

    def read_again(self) -> None:
        """Read pages in bronze once more, without a call: those that other code than now could not
        read and, where points are lost, all.
        """
        changed = [one for one in quarantine.kept(self.session, SOURCE) if one.has_changed]
        ids = {one.subject for one in changed if f"/{_ENTITY}/" in one.location}
        is_lost = has_lost_points(self.session, SOURCE)
        if not (ids or is_lost):
            return
        root, athlete = self.session.folders.bronze, self.session.athlete
        landed = pages.landed(root, SOURCE, _ENTITY, athlete)
        newest = {pages.subject(path): path for path in landed}
        for source_id in [one for one in newest if "_" not in one and (is_lost or one in ids)]:
            names = (source_id, *(f"{source_id}_{kind}" for kind in _KINDS[1:]))
            found = pages.sound(newest[name] for name in names if name in newest)
            came = {page.subject.partition("_")[2]: page for page in found}
            if _is_complete(came):
                self._run = self._run or self._begin()
                for page in came.values() if source_id in ids else ():
                    self._run.add(page)  # as if it came now
                self._take(as_fetched(self.index, _ENTITY, source_id), came)
                if self._complete >= _MOST_RUNS:
                    self.seal()
        self.seal()

    # ---- what fails

    def _fail(self, wanted: Wanted, error: Transient | InvalidData) -> None:
        """Set a run aside; raise SourceError if it is the service that fails."""
        reason = error.reason if isinstance(error, InvalidData) else "not_answered"
        self.report.quarantined += 1
        self._failures.add(self._item(wanted, reason, str(error)), error)

    def _set_aside(self, wanted: Wanted, reason: str, message: str) -> None:
        """Enter what our code could not read; its pages are in the run's folder."""
        self.report.quarantined += 1
        assert self._run is not None  # noqa: S101 its pages were just landed
        kept_at = str(self._run.folder.relative_to(self.session.folders.data))
        quarantine.set_aside(self.session, self._item(wanted, reason, message, kept_at))

    def _item(
        self, wanted: Wanted, reason: str, message: str, kept_at: str | None = None
    ) -> quarantine.Item:
        return quarantine.Item(
            item_id=_item_id(wanted),
            source=SOURCE,
            item=f"details of {SOURCE} {wanted.source_id}",
            reason=reason,
            message=message,
            location=kept_at,
            subject=wanted.source_id,
            read_as=code_versions.kind_of(SOURCE, _ENTITY) if kept_at else None,
        )


def _item_id(wanted: Wanted) -> str:
    return bytes_hash(f"{SOURCE} {_ENTITY} {wanted.source_id}".encode())


def _has_more(came: Mapping[str, Page]) -> bool:
    """Tell whether there is anything to ask for beyond what came: of a run that is there."""
    return "" in came and came[""].status == 200 and not _is_complete(came)


def _is_complete(came: Mapping[str, Page]) -> bool:
    return "" in came and (came[""].status != 200 or all(kind in came for kind in _KINDS))


def _detail(page: Page, wanted: Wanted) -> dict[str, Any]:
    found = parse(page.body)
    if not isinstance(found, dict):
        raise InvalidData("details that are no object", reason="bad_answer")
    if identity(found) != wanted.source_id:
        raise InvalidData(f"an answer about another than {wanted.source_id}", reason="other_id")
    return found


def _splits(came: Mapping[str, Page], kind: str) -> list[Any]:
    """Return the splits that came; a run that has none is answered with a status of its own."""
    page = came[kind]
    found = parse(page.body) if page.status == 200 else []
    return found if isinstance(found, list) else []
