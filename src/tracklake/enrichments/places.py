"""Settlement, state and country of where activities start and end, kept by place.

Offline, by positions rounded to 0.001 degrees (100 m). Where NOMINATIM_URL is set, a Nominatim
server is asked besides, by cells of 0.01 degrees (1 km), once each; what it says goes first. What
is missing is for whoever calls to know (surroundings.py asks the snapshot). Nothing here is fatal.
"""

import contextlib
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tracklake import bronze, pages, quarantine
from tracklake.client import Answer, Ask, Client
from tracklake.clock import Clock
from tracklake.errors import InvalidData, SourceError, Transient
from tracklake.identity import bytes_hash
from tracklake.places import nominatim
from tracklake.session import Phase, SyncSession
from tracklake.stages import EnrichOptions, PlacesReport
from tracklake.upstream.breaker import Breaker

NAME = "places"
ENTITY = "places"
OFFLINE, ONLINE = "geonames", "nominatim"  # sources in bronze, methods in gold
ONLINE_VERSION = "nominatim"
_MOST_ROWS = 5_000  # of one shard
_PAGES_A_SHARD = 250
_BETWEEN_CALLS_S = 1.0  # the policy of OpenStreetMap's own server: one a second at most
_TRIES = 3
_REFUSALS = {403: "it refuses to serve us", 429: "it was asked too often"}
_SUBJECT = re.compile(r"(m?\d+)_(m?\d+)")


class Cell(NamedTuple):
    """A place, in thousandths of a degree."""

    lat_e3: int
    lng_e3: int

    @property
    def key(self) -> str:
        """Name it as files can be named."""
        return f"{self.lat_e3}_{self.lng_e3}".replace("-", "m")

    @classmethod
    def of(cls, key: str) -> "Cell | None":
        """Read a name."""
        found = _SUBJECT.fullmatch(key)
        return cls(*(int(word.replace("m", "-")) for word in found.groups())) if found else None


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
                _row(session, OFFLINE, cell, places.version)
                | places.at(cell.lat_e3 / 1000, cell.lng_e3 / 1000)._asdict()
                for cell in some
            ]
            now = session.clock.now()
            bronze.land_shard(session.folders.bronze, ENTITY, rows, ingested_at=now)
            report.looked_up += len(some)
            phase.advance(len(some))
        phase.detail = f"{len(cells):,} places looked up"


def _row(session: SyncSession, method: str, cell: Cell, version: str) -> dict[str, object]:
    return {
        "source": method,
        "athlete": session.athlete,
        "source_id": cell.key,
        "lat_e3": cell.lat_e3,
        "lng_e3": cell.lng_e3,
        "method": method,
        "dataset_version": version,
    }


def ask(
    session: SyncSession, options: EnrichOptions, cells: Sequence[Cell], report: PlacesReport
) -> bool:
    """Ask the Nominatim server of the settings about cells; an answer is kept for good.

    Tell whether a run that a kill had left got its shard.
    """
    brought = recover(session)
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


def item_id(cell: Cell) -> str:
    """Name a cell for the quarantine."""
    return bytes_hash(f"{ONLINE} {cell.key}".encode())


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
    _run: pages.Run | None = None
    _rows: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pace = Pace(self.session.clock, _BETWEEN_CALLS_S)

    def run(self, cells: Sequence[Cell]) -> None:
        """Ask about one after the other; whatever stops it, what came is made use of.

        Not after a signal: the pages stay, and the next run makes their shard.
        """
        for cell in cells:
            if self.most_calls is not None and self.report.calls >= self.most_calls:
                break
            try:
                self._one(cell)
            except InvalidData as error:
                self._refuse(cell, error)
            except Transient as error:
                self.report.failed = f"Nominatim fails: {error}"
            except SourceError as error:
                self.report.failed = str(error)
                break
        self._seal()

    def _one(self, cell: Cell) -> None:
        asked = Ask(url=self.url, params=nominatim.params(*cell), tries=_TRIES)
        answer = Breaker(self.session, ONLINE, "Nominatim").send(asked, self._sent)
        if (why := _REFUSALS.get(answer.status)) is not None:
            raise SourceError(f"Nominatim answers {answer.status}: {why}; asked again next time")
        if answer.status != 200:
            raise InvalidData(f"it answers {answer.status}", reason="refused")
        self.report.failed = ""
        said = nominatim.read(answer.body, *cell)
        if self._run is None:
            self._run = _begin(self.session)
        self._run.add(pages.Page(cell.key, 200, answer.body))
        self._rows.append(_row(self.session, ONLINE, cell, ONLINE_VERSION) | said)
        quarantine.release(self.session.state, item_id(cell), self.session.athlete)
        self.report.asked += 1
        self.report.left -= 1
        self.phase.advance()
        if len(self._rows) >= _PAGES_A_SHARD:
            self._seal()

    def _sent(self, asked: Ask) -> Answer:
        return self.client.send(asked, admit=self._admit, heed=self._pace.heed)

    def _admit(self) -> None:
        self._pace.admit()
        self.report.calls += 1
        self.phase.calls += 1

    def _refuse(self, cell: Cell, error: InvalidData) -> None:
        item = quarantine.Item(
            item_id=item_id(cell),
            source=ONLINE,
            item=f"the place at {cell.lat_e3 / 1000:g}, {cell.lng_e3 / 1000:g}",
            reason=error.reason,
            message=str(error),
        )
        quarantine.set_aside(self.session, item)
        self.report.quarantined += 1
        self.report.left -= 1
        self.phase.advance(errors=1)

    def _seal(self) -> None:
        run, self._run = self._run, None
        rows, self._rows = self._rows, []
        if run is not None:
            run.seal(rows)


def _begin(session: SyncSession) -> pages.Run:
    root = session.folders.bronze
    return pages.Run.begin(root, ONLINE, ENTITY, session.athlete, session.clock.now())


def recover(session: SyncSession) -> set[Cell]:
    """Give shards to the runs that died before they had one; return what they brought."""
    brought: set[Cell] = set()
    for found in pages.unsealed(session.folders.bronze, ONLINE, ENTITY, session.athlete):
        rows = []
        for page in found.pages():
            cell = Cell.of(page.subject)
            if cell is None:
                continue
            said = nominatim.read(page.body, *cell)  # it was read before it was landed
            rows.append(_row(session, ONLINE, cell, ONLINE_VERSION) | said)
            brought.add(cell)
        for path in found.damaged:
            session.log.error("page_damaged", path=str(path))
        found.run.seal(rows)
        session.log.info("run_recovered", folder=str(found.run.folder))
    return brought
