"""Nominatim's answers on their way to bronze; those a kill left, and those nobody could read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tracklake import code_versions, pages, quarantine
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash
from tracklake.places import nominatim
from tracklake.session import SyncSession

ENTITY = "places"
ONLINE = "nominatim"  # a source in bronze, a method in gold
ONLINE_VERSION = "nominatim"
_PAGES_A_SHARD = 250
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


def row(session: SyncSession, method: str, cell: Cell, version: str) -> dict[str, object]:
    """Return what a row says besides the names of a place."""
    return {
        "source": method,
        "athlete": session.athlete,
        "source_id": cell.key,
        "lat_e3": cell.lat_e3,
        "lng_e3": cell.lng_e3,
        "method": method,
        "dataset_version": version,
    }


def item_id(cell: Cell) -> str:
    """Name a cell for the quarantine."""
    return bytes_hash(f"{ONLINE} {cell.key}".encode())


def item(
    session: SyncSession, cell: Cell, reason: str, message: str, folder: Path | None = None
) -> quarantine.Item:
    """Say what is set aside. folder: of the run where an answer lies that cannot be read."""
    return quarantine.Item(
        item_id=item_id(cell),
        source=ONLINE,
        item=f"the place at {cell.lat_e3 / 1000:g}, {cell.lng_e3 / 1000:g}",
        reason=reason,
        message=message,
        location=folder.relative_to(session.folders.data).as_posix() if folder else None,
        subject=cell.key,
        read_as=code_versions.kind_of(ONLINE, ENTITY) if folder else None,
    )


@dataclass(slots=True)
class Landing:
    """Answers on their way to bronze: each is a page at once, many become one shard."""

    session: SyncSession
    run: pages.Run | None = None
    _rows: list[dict[str, object]] = field(default_factory=list)

    def take(self, cell: Cell, body: bytes) -> bool:
        """Land an answer; False where it cannot be read, and is set aside."""
        if self.run is None:
            self.run = self._begin()
        self.run.add(pages.Page(cell.key, 200, body))
        is_read = self.read(cell, body, self.run.folder)
        if self.run.count >= _PAGES_A_SHARD:
            self.seal()
        return is_read

    def read(self, cell: Cell, body: bytes, folder: Path) -> bool:
        """Read an answer that lies in a run's folder, or set it aside."""
        try:
            said = nominatim.read(body, *cell)
        except InvalidData as error:
            quarantine.set_aside(
                self.session, item(self.session, cell, error.reason, str(error), folder)
            )
            return False
        self._rows.append(row(self.session, ONLINE, cell, ONLINE_VERSION) | said)
        return True

    def _begin(self) -> pages.Run:
        root, now = self.session.folders.bronze, self.session.clock.now()
        return pages.Run.begin(root, ONLINE, ENTITY, self.session.athlete, now)

    def seal(self) -> None:
        """Make the shard of what came so far."""
        run, self.run = self.run, None
        rows, self._rows = self._rows, []
        if rows and run is None:  # they were read again
            run = self._begin()
        if run is not None:
            run.seal(rows)


def recover(session: SyncSession) -> set[Cell]:
    """Give shards to the runs that died before they had one; return what they brought."""
    brought: set[Cell] = set()
    for found in pages.unsealed(session.folders.bronze, ONLINE, ENTITY, session.athlete):
        landing = Landing(session, found.run)
        brought |= {
            cell for cell, body in _answers(found.pages())
            if landing.read(cell, body, found.run.folder)
        }  # fmt: skip
        for path in found.damaged:
            session.log.error("page_damaged", path=str(path))
        landing.seal()
        session.log.info("run_recovered", folder=str(found.run.folder))
    return brought


def read_again(session: SyncSession) -> set[Cell]:
    """Read, without a call, what other code than now could not read; return what it brought."""
    landing, brought = Landing(session), set()
    for one in quarantine.unread(session, ONLINE, ENTITY):
        folder = session.folders.data / one.location
        came = [(cell, body) for cell, body in _answers(pages.of_run(folder))
                if item_id(cell) == one.item_id]  # fmt: skip
        if came and landing.read(*came[-1], folder):
            brought.add(came[-1][0])
    landing.seal()
    for cell in brought:  # landed by now
        quarantine.release(session.state, item_id(cell), session.athlete)
    return brought


def _answers(found: Iterator[pages.Page]) -> Iterator[tuple[Cell, bytes]]:
    for page in found:
        cell = Cell.of(page.subject)
        if cell is not None:
            yield cell, page.body
