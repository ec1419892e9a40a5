"""Settlement, state and country of where activities start and end, kept by place.

Offline, by positions rounded to 0.001 degrees (100 m). Where NOMINATIM_URL is set, a Nominatim
server is asked besides, by cells of 0.01 degrees (1 km), once each; what it says goes first. What
is missing is for whoever calls to know (surroundings.py asks the snapshot). Nothing here is fatal.
"""

import contextlib
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from tracklake import bronze, quarantine
from tracklake.client import Answer, Ask, Client
from tracklake.clock import Clock
from tracklake.enrichments.places_pages import (
    ENTITY,
    ONLINE,
    ONLINE_VERSION,
    Cell,
    Landing,
    item,
    item_id,
    read_again,
    recover,
    row,
)
from tracklake.errors import InvalidData, SourceError, Transient
from tracklake.places import nominatim
from tracklake.session import Phase, SyncSession
from tracklake.stages import EnrichOptions, PlacesReport
from tracklake.upstream.breaker import Breaker, Failures

__all__ = ["ENTITY", "OFFLINE", "ONLINE", "ONLINE_VERSION", "Cell", "ask", "item_id", "look_up"]

NAME = "places"
OFFLINE = "geonames"  # a source in bronze, a method in gold
_MOST_ROWS = 5_000  # of one shard
_BETWEEN_CALLS_S = 1.0  # the policy of OpenStreetMap's own server: one a second at most
_TRIES = 3
_REFUSALS = {403: "it refuses to serve us", 429: "it was asked too often"}


def dataset_version() -> str:
    """Name what offline answers depend on; another version's are looked up anew."""
    from tracklake.places import dataset

    return dataset.version()


def look_up(session: SyncSession, cells: Sequence[Cell], report: PlacesReport) -> None:
    """Look cells up in what comes along, and land what it says."""
    from tracklake.places import dataset  # 2 MB, loaded when there is something to look up

    places = dataset.load()  # and given back before the warehouse needs memory
    with session.phase(NAME, len(cells)) as phase:
        for first in range(0, len(cells), _MOST_ROWS):
            some = cells[first : first + _MOST_ROWS]
            rows = [
                row(session, OFFLINE, cell, places.version)
                | places.at(cell.lat_e3 / 1000, cell.lng_e3 / 1000)._asdict()
                for cell in some
            ]
            now = session.clock.now()
            bronze.land_shard(session.folders.bronze, ENTITY, rows, ingested_at=now)
            report.looked_up += len(some)
            phase.advance(len(some))
        phase.detail = f"{len(cells):,} places looked up"


def ask(
    session: SyncSession, options: EnrichOptions, cells: Sequence[Cell], report: PlacesReport
) -> bool:
    """Ask the Nominatim server of the settings about cells; an answer is kept for good.

    Tell whether anything came of what is here already: of a run that a kill had left, or of what
    other code could not read.
    """
    brought = recover(session) | read_again(session)
    setting = session.settings.nominatim_url
    if setting is None:
        return bool(brought)
    given_up = options.everything or options.given_up
    aside = quarantine.resting(session, ONLINE, given_up=given_up)
    left = [cell for cell in cells if cell not in brought and item_id(cell) not in aside]
    report.left = len(left)
    if not left:
        return bool(brought)
    with (
        session.phase(ONLINE, len(left)) as phase,
        contextlib.closing(Client(session.clock)) as client,
    ):
        asking = _Asking(session, nominatim.url(setting), client, phase, report, options.max_calls)
        asking.run(left)
        phase.detail = report.summary()
    return bool(brought)


@dataclass(slots=True)
class Pace:
    """Lets a call through when the last one ended long enough ago."""

    clock: Clock
    between_s: float
    _ended_at: dt.datetime | None = None

    def admit(self) -> None:
        """Wait until a call may be made."""
        if self._ended_at is not None:
            passed_s = (self.clock.now() - self._ended_at).total_seconds()
            if 0 <= passed_s < self.between_s:
                self.clock.sleep(self.between_s - passed_s)
        self._ended_at = self.clock.now()

    def heed(self, _answer: Answer | None = None) -> None:
        """Note that a call ended."""
        self._ended_at = self.clock.now()


@dataclass(slots=True)
class _Asking:
    """Cells on their way."""

    session: SyncSession
    url: str
    client: Client
    phase: Phase
    report: PlacesReport
    most_calls: int | None
    _pace: Pace = field(init=False)
    _landing: Landing = field(init=False)
    _failures: Failures = field(init=False)
    _came: bool = False

    def __post_init__(self) -> None:
        self._pace = Pace(self.session.clock, _BETWEEN_CALLS_S)
        self._landing = Landing(self.session)
        self._failures = Failures(Breaker(self.session, ONLINE, "Nominatim"))

    def run(self, cells: Sequence[Cell]) -> None:
        """Ask about one after the other; whatever stops it, what came is made use of.

        Not after a signal: the pages stay, and the next run makes their shard.
        """
        for cell in cells:
            if self.most_calls is not None and self.report.calls >= self.most_calls:
                break
            try:
                self._one(cell)
            except SourceError as error:
                self.report.failed = str(error)
                self._failures.forgive()
                break
        if not self._came:  # it may be the service: what failed is due again
            self._failures.forgive()
        self._count_aside(self._failures.clear())
        self._landing.seal()

    def _one(self, cell: Cell) -> None:
        try:
            self._ask(cell)
        except InvalidData as error:
            quarantine.set_aside(self.session, item(self.session, cell, error.reason, str(error)))
            self._count_aside(1)
        except Transient as error:
            self.report.failed = f"Nominatim fails: {error}"
            failed = item(self.session, cell, "not_answered", str(error))
            self._failures.add(failed, error)

    def _ask(self, cell: Cell) -> None:
        asked = Ask(url=self.url, params=nominatim.params(*cell), tries=_TRIES)
        answer = self._failures.breaker.send(asked, self._sent)
        if (why := _REFUSALS.get(answer.status)) is not None:
            raise SourceError(f"Nominatim answers {answer.status}: {why}; asked again next time")
        if answer.status != 200:
            raise InvalidData(f"it answers {answer.status}", reason="refused")
        self.report.failed = ""
        self._came = True
        is_read = self._landing.take(cell, answer.body)
        self._count_aside(self._failures.clear() + (not is_read))
        if not is_read:
            return
        quarantine.release(self.session.state, item_id(cell), self.session.athlete)
        self.report.asked += 1
        self.report.left -= 1
        self.phase.advance()

    def _sent(self, asked: Ask) -> Answer:
        return self.client.send(asked, admit=self._admit, heed=self._pace.heed)

    def _admit(self) -> None:
        self._pace.admit()
        self.report.calls += 1
        self.phase.calls += 1

    def _count_aside(self, count: int) -> None:
        if count:
            self.report.quarantined += count
            self.report.left -= count
            self.phase.advance(errors=count)
