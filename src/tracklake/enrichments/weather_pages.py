"""Open-Meteo's answers on their way to bronze, each with what was asked; those a kill left, and
those nobody could read.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tracklake import code_versions, pages, quarantine
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash
from tracklake.session import SyncSession
from tracklake.weather import answers
from tracklake.weather.bundles import Bundle, CellDay, Span

SOURCE = "open_meteo"
ENTITY = "weather"
_MOST_ROWS = 10_000  # of one shard
_ASKED = "asked"  # the page before each answer: an answer does not say what was asked for


def item_id(day: CellDay) -> str:
    """Name a day of a place for the quarantine."""
    return bytes_hash(" ".join([SOURCE, *map(str, day)]).encode())


def item(
    session: SyncSession, day: CellDay, reason: str, message: str, folder: Path | None = None
) -> quarantine.Item:
    """Say what is set aside. folder: of the run where an answer lies that cannot be read."""
    return quarantine.Item(
        item_id=item_id(day),
        source=SOURCE,
        item=f"weather at {day.cell_lat:g}, {day.cell_lng:g} on {day.day} ({day.service})",
        reason=reason,
        message=message,
        location=folder.relative_to(session.folders.data).as_posix() if folder else None,
        read_as=code_versions.kind_of(SOURCE, ENTITY) if folder else None,
    )


def days_of(span: Span, service: str) -> list[CellDay]:
    """Return the days of a span."""
    return [CellDay(service, span.cell_lat, span.cell_lng, day) for day in span.days()]


@dataclass(slots=True)
class Landing:
    """Answers on their way to bronze: each is a page at once, many become one shard.

    folder: of the run where the last answer lies.
    """

    session: SyncSession
    folder: Path | None = None
    _run: pages.Run | None = None
    _rows: list[answers.Row] = field(default_factory=list)

    def take(
        self, bundle: Bundle, body: bytes, asked_at: dt.datetime
    ) -> list[tuple[Span, InvalidData]]:
        """Land an answer and read it; return the places of which it says nothing readable."""
        self._run = self._run or self._begin()
        self.folder = self._run.folder
        spans = [tuple(span) for span in bundle.spans]
        asked = {"asked_at": asked_at, "service": bundle.service, "spans": spans}
        self._run.add(pages.Page(_ASKED, 200, orjson.dumps(asked)))
        self._run.add(pages.Page(bundle.service, 200, body))
        refused = self.read(bundle, body, asked_at)
        if len(self._rows) >= _MOST_ROWS:
            self.seal()
        return refused

    def _begin(self) -> pages.Run:
        root, athlete = self.session.folders.bronze, self.session.athlete
        return pages.Run.begin(root, SOURCE, ENTITY, athlete, self.session.clock.now())

    def read(
        self,
        bundle: Bundle,
        body: bytes,
        asked_at: dt.datetime,
        only: Collection[Span] | None = None,
    ) -> list[tuple[Span, InvalidData]]:
        """Read a landed answer, or what it says of some spans."""
        wanted = bundle.spans if only is None else only
        try:
            found = answers.locations(body, bundle)
        except InvalidData as error:
            return [(span, error) for span in wanted]
        refused = []
        whose = {"source": SOURCE, "athlete": self.session.athlete}
        for span, given in zip(bundle.spans, found, strict=True):
            if span not in wanted:
                continue
            try:
                rows = answers.rows(given, bundle.service, span, asked_at)
            except InvalidData as error:
                refused.append((span, error))
                continue
            self._rows += [whose | row for row in rows]
        return refused

    def resume(self, run: pages.Run) -> None:
        """Go on with a run that died."""
        self._run = run

    def seal(self) -> None:
        """Make the shard of what came so far."""
        run, self._run = self._run, None
        rows, self._rows = self._rows, []
        if rows and run is None:  # they were read again
            run = self._begin()
        if run is not None:
            run.seal(rows)


def recover(session: SyncSession, wanted: AbstractSet[CellDay]) -> set[CellDay]:
    """Give shards to the runs that died before they had one; return what they brought.

    What cannot be read of what is `wanted` is set aside.
    """
    root, athlete = session.folders.bronze, session.athlete
    brought: set[CellDay] = set()
    for found in pages.unsealed(root, SOURCE, ENTITY, athlete):
        landing = Landing(session)
        landing.resume(found.run)
        for bundle, body, asked_at in _pairs(found.pages()):
            gone = dict(landing.read(bundle, body, asked_at))
            for span in bundle.spans:
                days = days_of(span, bundle.service)
                if span not in gone:
                    brought |= set(days)
                    continue
                _set_aside(session, wanted & set(days), gone[span], found.run.folder)
        for path in found.damaged:
            session.log.error("page_damaged", path=str(path))
        landing.seal()
        session.log.info("run_recovered", folder=str(found.run.folder))
    return brought


def read_again(session: SyncSession) -> set[CellDay]:
    """Read, without a call, what other code than now could not read; return what it brought."""
    due: defaultdict[Path, set[str]] = defaultdict(set)
    for one in quarantine.unread(session, SOURCE, ENTITY):
        due[session.folders.data / one.location].add(one.item_id)
    landing, brought = Landing(session), set[CellDay]()
    for folder, ids in due.items():
        for bundle, body, asked_at in _pairs(pages.of_run(folder)):
            days = {
                span: [day for day in days_of(span, bundle.service) if item_id(day) in ids]
                for span in bundle.spans
            }
            spans = {span for span in bundle.spans if days[span]}
            gone = dict(landing.read(bundle, body, asked_at, spans))
            for span, error in gone.items():
                _set_aside(session, days[span], error, folder)
            brought |= {day for span in spans - gone.keys() for day in days[span]}
    landing.seal()
    for day in brought:  # landed by now
        quarantine.release(session.state, item_id(day), session.athlete)
    return brought


def _set_aside(
    session: SyncSession, days: Iterable[CellDay], error: InvalidData, folder: Path
) -> None:
    for day in sorted(days):
        quarantine.set_aside(session, item(session, day, error.reason, str(error), folder))


def _pairs(found: Iterable[pages.Page]) -> Iterator[tuple[Bundle, bytes, dt.datetime]]:
    """Yield each answer with what it was asked for; the last may have none."""
    asked: pages.Page | None = None
    for page in found:
        if page.subject == _ASKED:
            asked = page
        elif asked is not None:
            told, asked = orjson.loads(asked.body), None
            spans = tuple(
                Span(lat, lng, dt.date.fromisoformat(first), dt.date.fromisoformat(last))
                for lat, lng, first, last in told["spans"]
            )
            asked_at = dt.datetime.fromisoformat(told["asked_at"])
            yield Bundle(told["service"], spans), page.body, asked_at
