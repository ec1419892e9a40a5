"""Open-Meteo's answers on their way to bronze, each with what was asked; and those a kill left."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from tracklake import pages
from tracklake.errors import InvalidData
from tracklake.session import SyncSession
from tracklake.weather import answers
from tracklake.weather.bundles import Bundle, CellDay, Span

SOURCE = "open_meteo"
ENTITY = "weather"
_MOST_ROWS = 10_000  # of one shard
_ASKED = "asked"  # the page before each answer: an answer does not say what was asked for


@dataclass(slots=True)
class Landing:
    """Answers on their way to bronze: each is a page at once, many become one shard."""

    session: SyncSession
    _run: pages.Run | None = None
    _rows: list[answers.Row] = field(default_factory=list)

    def take(
        self, bundle: Bundle, body: bytes, asked_at: dt.datetime
    ) -> list[tuple[Span, InvalidData]]:
        """Land an answer and read it; return the places of which it says nothing readable."""
        if self._run is None:
            root, athlete = self.session.folders.bronze, self.session.athlete
            self._run = pages.Run.begin(root, SOURCE, ENTITY, athlete, self.session.clock.now())
        spans = [tuple(span) for span in bundle.spans]
        asked = {"asked_at": asked_at, "service": bundle.service, "spans": spans}
        self._run.add(pages.Page(_ASKED, 200, orjson.dumps(asked)))
        self._run.add(pages.Page(bundle.service, 200, body))
        refused = self.read(bundle, body, asked_at)
        if len(self._rows) >= _MOST_ROWS:
            self.seal()
        return refused

    def read(
        self, bundle: Bundle, body: bytes, asked_at: dt.datetime
    ) -> list[tuple[Span, InvalidData]]:
        """Read a landed answer."""
        try:
            found = answers.locations(body, bundle)
        except InvalidData as error:
            return [(span, error) for span in bundle.spans]
        refused = []
        whose = {"source": SOURCE, "athlete": self.session.athlete}
        for span, given in zip(bundle.spans, found, strict=True):
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
        if run is not None:
            run.seal(rows)


def recover(session: SyncSession) -> set[CellDay]:
    """Give shards to the runs that died before they had one; return what they brought."""
    root, athlete = session.folders.bronze, session.athlete
    brought: set[CellDay] = set()
    for found in pages.unsealed(root, SOURCE, ENTITY, athlete):
        landing = Landing(session)
        landing.resume(found.run)
        for bundle, body, asked_at in _pairs(found.pages()):
            gone = {span for span, _ in landing.read(bundle, body, asked_at)}
            for span in bundle.spans:
                if span not in gone:
                    cell = (bundle.service, span.cell_lat, span.cell_lng)
                    brought |= {CellDay(*cell, day) for day in span.days()}
        for path in found.damaged:
            session.log.error("page_damaged", path=str(path))
        landing.seal()
        session.log.info("run_recovered", folder=str(found.run.folder))
    return brought


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
