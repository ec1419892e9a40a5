"""Pages of the list on their way to bronze: each is on disk before anything depends on it, and only
if it holds something new; what it says becomes one shard a run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tracklake import bronze, code_versions, pages, quarantine, streams
from tracklake.analysis import tracks
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash, stable_id
from tracklake.model import Outline, Points
from tracklake.session import SyncSession
from tracklake.stages import ListReport
from tracklake.upstream.listed import Listed, ListPage, Service, content_hash_of
from tracklake.upstream_index import UpstreamIndex, Wanted

_ENTITY = "activities"
_MOST_ROWS = 2000  # of one shard: memory stays small whatever the history


def index_of(session: SyncSession, source: str) -> UpstreamIndex:
    """Return what is known of the session's athlete at a source."""
    return UpstreamIndex(session.state, session.folders.bronze, session.athlete, source)


@dataclass(slots=True)
class Landing:
    """A run of list pages; the newest version of each activity that it brings waits."""

    session: SyncSession
    index: UpstreamIndex
    report: ListReport
    service: Service
    _run: pages.Run | None = None
    _waiting: dict[str, Listed] = field(default_factory=dict)
    _aside: set[str] = field(default_factory=set)
    _resting: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._aside = set(quarantine.entered(self.session, self.service.name))
        self._resting = quarantine.resting(self.session, self.service.name)

    def take(self, page: ListPage) -> None:
        """Land a page if anything in it is new."""
        listed, refused = self._read(page)
        known = self.index.known([one.source_id for one in listed])
        known |= {key: one.content_hash for key, one in self._waiting.items()}
        changed = [one for one in listed if known.get(one.source_id) != one.content_hash]
        self.report.listed += len(listed)
        fresh = [(item_id, error) for item_id, error in refused if item_id not in self._resting]
        if changed or fresh:
            self._run = self._run or self._begin()
            self._run.add(pages.Page("", 200, page.body))
        for item_id, error in fresh:
            self._set_aside(item_id, error)
        for one in changed:
            if one.source_id in known:
                self.report.changed += 1
            else:
                self.report.new += 1
            self._waiting[one.source_id] = one
        if len(self._waiting) >= _MOST_ROWS:
            self.seal()

    def _begin(self) -> pages.Run:
        began_at = self.index.moment_after(self.session.clock.now())
        return pages.Run.begin(
            self.session.folders.bronze, self.service.name, _ENTITY, self.session.athlete, began_at
        )

    def _read(self, page: ListPage) -> tuple[list[Listed], list[tuple[str, InvalidData]]]:
        listed, refused = [], []
        for item in page.items:
            item_id = self._item_id(item)
            try:
                listed.append(self.service.listed(item, self.session.athlete))
            except InvalidData as error:
                refused.append((item_id, error))
                continue
            if item_id in self._aside:
                quarantine.release(self.session.state, item_id, self.session.athlete)
                self._aside.discard(item_id)
        return listed, refused

    def _item_id(self, item: dict[str, Any]) -> str:
        """Name an item of the list for the quarantine: by its id if it has one."""
        try:
            own = self.service.identity(item)
        except InvalidData:
            return content_hash_of(item)
        return bytes_hash(f"{self.service.name} {_ENTITY} {own}".encode())

    def _set_aside(self, item_id: str, error: InvalidData, kept_at: str | None = None) -> None:
        if kept_at is None:
            assert self._run is not None  # noqa: S101 its page was just landed
            kept_at = str(self._run.folder.relative_to(self.session.folders.data))
        quarantine.set_aside(
            self.session,
            quarantine.Item(
                item_id=item_id,
                source=self.service.name,
                item=f"an activity in {self.service.title}'s list",
                reason=error.reason,
                message=str(error),
                location=kept_at,
                read_as=self._kind,
            ),
        )
        self._aside.add(item_id)
        self._resting.add(item_id)
        self.report.quarantined += 1

    @property
    def _kind(self) -> str:
        return code_versions.kind_of(self.service.name, _ENTITY)

    def read_again(self) -> None:
        """Read once more, without a call, the pages of what other code than now could not read."""
        due = quarantine.unread(self.session, self.service.name, _ENTITY)
        ids = {one.item_id for one in due}
        understood: set[str] = set()
        for location in dict.fromkeys(one.location for one in due):
            for page in pages.of_run(self.session.folders.data / location):
                items = {self._item_id(one): one for one in self.service.read_page(page.body).items}
                for item_id in ids & items.keys() - understood:
                    if self._understood(item_id, items[item_id], location):
                        understood.add(item_id)
        self.seal()
        for item_id in understood:  # landed by now
            quarantine.release(self.session.state, item_id, self.session.athlete)
            self._aside.discard(item_id)

    def _understood(self, item_id: str, item: dict[str, Any], location: str) -> bool:
        """Take an item that is readable now, if it is still unknown; else it waits again."""
        try:
            one = self.service.listed(item, self.session.athlete)
        except InvalidData as error:
            self._set_aside(item_id, error, location)
            return False
        if not self.index.known([one.source_id]):
            self._run = self._run or self._begin()
            self._waiting[one.source_id] = one
            self.report.new += 1
        return True

    def seal(self) -> None:
        """Make the run's shard, and remember what it holds."""
        if self._run is None:
            return
        run, self._run = self._run, None
        waiting, self._waiting = list(self._waiting.values()), {}
        outlines = _coarse_tracks(waiting, bronze.stamp(self.session.clock.now()))
        streams.write_part(
            *part_folders(self.session, self.service.name),
            bronze.stamp(run.began_at),
            [(key, outline) for key, outline in outlines.values()],
        )
        rows = [
            {**one.row, "stream_key": outlines[one.source_id][0], "has_track": True}
            if one.source_id in outlines
            else one.row
            for one in waiting
        ]
        self.index.take(_ENTITY, run.seal(rows))

    def restore(self, page: ListPage) -> None:
        """Land again what a landed page says of activities that are still as it says."""
        listed, _ = self._read(page)
        known = self.index.known([one.source_id for one in listed])
        for one in listed:
            if known.get(one.source_id) == one.content_hash:
                self._run = self._run or self._begin()
                self._waiting[one.source_id] = one
        if len(self._waiting) >= _MOST_ROWS:
            self.seal()

    def restore_lost(self) -> None:
        """Land again what all landed pages say, once points that are lost were made anew."""
        root, athlete = self.session.folders.bronze, self.session.athlete
        for page in pages.sound(pages.landed(root, self.service.name, _ENTITY, athlete)):
            self.restore(self.service.read_page(page.body))
        self.seal()

    def recover(self) -> bool:
        """Give shards to the runs that died before they had one; tell whether all pages were whole.

        What a damaged page told must be asked for again.
        """
        root, athlete = self.session.folders.bronze, self.session.athlete
        whole = True
        for found in pages.unsealed(root, self.service.name, _ENTITY, athlete):
            for page in found.pages():
                try:
                    listed, _ = self._read(self.service.read_page(page.body))
                except InvalidData:
                    found.damaged.append(found.run.folder)
                    continue
                self._waiting |= {one.source_id: one for one in listed}
            for path in found.damaged:
                self.session.log.error("page_damaged", path=str(path))
                whole = False
            known = self.index.known(list(self._waiting))
            self._waiting = {
                key: one for key, one in self._waiting.items() if known.get(key) != one.content_hash
            }
            self.report.new += len(self._waiting)
            self._run = found.run
            self.seal()
            self.session.log.info("run_recovered", folder=str(found.run.folder))
        return whole


def has_lost_points(session: SyncSession, source: str) -> bool:
    """Tell whether a file that the last snapshot read a source's points from is gone."""
    return has_lost(session, part_folders(session, source))


def has_lost(session: SyncSession, folders: Iterable[Path]) -> bool:
    """Tell whether a file is gone that the last snapshot read, and that lay in these folders."""
    rows = session.state.execute("select value from facts where name = 'view_files'")
    try:
        named = [Path(name) for name in orjson.loads(str(rows[0][0]))] if rows else []
    except (orjson.JSONDecodeError, TypeError):  # damaged: the compaction looks at every file
        return False
    own = set(folders)
    return any(path.parent in own and not path.exists() for path in named)


def as_fetched(index: UpstreamIndex, entity: str, source_id: str) -> Wanted:
    """Return a record in the version of which a thing was fetched: read again, it stays that."""
    rows = index.state.execute(
        "select facts_hash from upstream_facts "
        "where athlete = ? and source = ? and entity = ? and source_id = ?",
        (index.athlete, index.source, entity, source_id),
    )
    known = index.version(source_id, "track_hash")
    return known._replace(wanted_hash=str(rows[0][0])) if rows else known


def part_folders(session: SyncSession, source: str) -> tuple[Path, Path]:
    """Return where a source's points and geometry lie, apart from files', to be forgotten alone."""
    own = Path(f"source={source}", f"athlete={session.athlete}")
    return session.folders.streams / own, session.folders.tracks / own


def _coarse_tracks(listed: list[Listed], stamp: str) -> dict[str, tuple[int, Outline]]:
    """Read the list's polylines: something to see on the map until the points are fetched."""
    found = {}
    for one in listed:
        try:
            line = tracks.decode_polyline(one.polyline or "")
        except ValueError:
            continue
        if len(line) > 1:
            outline = Outline(
                start_s=one.start_s,
                points=Points.empty(),
                moving=np.empty(0, dtype=np.bool_),
                grade_pct=np.empty(0),
                track=tracks.cut_antimeridian((line,)),
            )
            found[one.source_id] = stable_id(str(one.row["record_id"]), stamp), outline
    return found
