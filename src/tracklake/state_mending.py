"""A state database that is damaged: set aside, and made anew with what can still be read of it.

SQLite keeps no sums of what it stores. So a flow notes the hash of the database when it has closed
it (the seal), and whoever writes to it takes the note away. With a seal any changed byte is found;
without one (a kill), what SQLite's own check finds.
"""

import contextlib
import datetime as dt
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tracklake import landing, state

_KEPT = ("sessions", "phases", "quarantine", "uploads", "budgets")  # the rest comes from bronze
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done. aside: where the damaged one is; rows: those of each table that were saved."""

    said: str
    aside: Path
    rows: dict[str, int] = field(default_factory=dict)

    def sentence(self) -> str:
        """Say it to a person."""
        saved = ", ".join(f"{count} {table}" for table, count in self.rows.items() if count)
        return (
            f"the state database was damaged ({self.said}) and was made anew; kept: {self.aside}. "
            f"Saved: {saved or 'nothing'}. What was known of files and records comes from bronze "
            "again; where lists were broken off was lost, so some are read again from the start"
        )


def seal(folder: Path) -> None:
    """Note what the closed database is; nothing if somebody else has it open."""
    path = folder / state.NAME
    if path.exists() and _is_closed(path):
        landing.sweep_beside(folder / state.SEAL)  # it is written when the session has ended well
        landing.write(folder / state.SEAL, _note(path).encode())


def damage(folder: Path) -> str | None:
    """Say what is wrong with the database of a state folder; None if nothing is known to be."""
    path = folder / state.NAME
    if not path.exists():
        return None
    if _is_closed(path) and _breaks_seal(path):
        return "it is not what was closed"
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as database:
            ((said,),) = database.execute("pragma integrity_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        return str(error) if error.sqlite_errorcode & 0xFF in _DAMAGE else None
    except UnicodeError as error:
        return str(error)
    return None if said == "ok" else str(said)


def mend(folder: Path, stamp: str) -> Mended | None:
    """Set a damaged database aside and put one in its place; None if it is sound.

    Whoever calls it holds the lock. The new one is whole before anything moves, and the old log is
    gone before the new one is there: it would be replayed into it.
    """
    path = folder / state.NAME
    said = damage(folder)
    if said is None:
        return None
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    with landing.landing(path) as new:
        rows = _salvage(path, new)
        with landing.landing(aside) as copy:
            shutil.copyfile(path, copy)
        (folder / state.SEAL).unlink(missing_ok=True)
        for log in ("-wal", "-shm"):
            old = path.with_name(path.name + log)
            if old.exists():
                old.rename(aside.with_name(aside.name + log))
        landing.fsync_folder(folder)
    return Mended(said, aside, rows)


def _is_closed(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return not log.exists() or not log.stat().st_size


def _note(path: Path) -> str:
    """Tie a hash to the very file: one that was put in its place has a seal of its own, or none."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    told = f"{path.stat().st_ino} {digest}"
    return f"{told} {_check(told)}"


def _check(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _breaks_seal(path: Path) -> bool:
    """Tell whether there is a seal of this file, whole itself, and the file is another now."""
    try:
        noted = (path.parent / state.SEAL).read_text(encoding="ascii")
    except (FileNotFoundError, UnicodeError):
        return False
    told, _, check = noted.rpartition(" ")
    if _check(told) != check or told.split(" ")[0] != str(path.stat().st_ino):
        return False
    return noted != _note(path)


def _salvage(damaged: Path, new: Path) -> dict[str, int]:
    """Make a new database with the rows that can be read of the damaged one."""
    with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as database:
        database.execute("begin")
        for statement in state.statements_of_a_new_one():
            database.execute(statement)
        rows = {table: _copied(damaged, database, table) for table in _KEPT}
        database.execute("commit")
    return rows


def _copied(damaged: Path, database: sqlite3.Connection, table: str) -> int:
    for order in ("", " order by rowid desc"):  # a damaged page in the middle: from both ends
        with contextlib.suppress(sqlite3.Error, UnicodeError):
            for row in _rows(damaged, table, order):
                _enter(database, table, row)
    ((count,),) = database.execute(f"select count(*) from {table}").fetchall()  # noqa: S608 our own names
    return int(count)


def _rows(damaged: Path, table: str, order: str) -> Iterator[dict[str, object]]:
    with contextlib.closing(sqlite3.connect(f"file:{damaged}?mode=ro", uri=True)) as old:
        old.row_factory = sqlite3.Row
        for row in old.execute(f"select * from {table}{order}"):  # noqa: S608 our own names
            yield dict(row)


def _enter(database: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    """Enter a row, unless it is there or cannot be right."""
    if not all(_is_moment(value) for name, value in row.items() if name.endswith("_at")):
        return
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    with contextlib.suppress(sqlite3.IntegrityError, sqlite3.OperationalError):
        database.execute(
            f"insert or ignore into {table} ({names}) values ({marks})",  # noqa: S608 our own names
            list(row.values()),
        )


def _is_moment(value: object) -> bool:
    if value is None:
        return True
    try:
        dt.datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True
