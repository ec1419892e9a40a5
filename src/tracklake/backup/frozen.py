"""Copies that hold still: of the state database and the published warehouse, proved readable."""

import contextlib
import datetime as dt
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tracklake import landing, state, warehouse
from tracklake.backup import questions
from tracklake.backup.questions import Answers
from tracklake.config import Folders
from tracklake.errors import StorageError
from tracklake.session_states import AT_WORK_SQL

Tables = dict[str, tuple[int, int]]
Gold = tuple[Tables, Answers]

_STATE = "tracklake.sqlite"
_WAREHOUSE = "tracklake.duckdb"
_CLOSE = (
    "update sessions set finished_at = ?, state = case when exists (select 1 from phases p where "  # noqa: S608 our own names
    "p.session_id = sessions.session_id and p.errors > 0) then 'completed_with_errors' else "
    f"'completed' end where state in {AT_WORK_SQL}",
    "update phases set finished_at = ? where finished_at is null",
)


@contextlib.contextmanager
def state_copy(folders: Folders, now: dt.datetime) -> Iterator[Path]:
    """Yield a consistent copy of the state database; in it the session at work is done.

    Whoever restores it should not read that the session which made the backup was killed.
    """
    with _copy(folders, _STATE) as path:
        try:
            _copy_state(folders.state / _STATE, path, now)
        except sqlite3.Error as error:
            raise StorageError(f"the state database cannot be copied: {error}") from error
        check_state(path)
        yield path


def _copy_state(source: Path, path: Path, now: dt.datetime) -> None:
    with (
        contextlib.closing(sqlite3.connect(source, timeout=10)) as database,
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copy,
    ):
        database.backup(copy)
        copy.execute("pragma journal_mode = delete")
        for statement in _CLOSE:
            copy.execute(statement, (now.isoformat(timespec="milliseconds"),))


def check_state(path: Path) -> None:
    """Raise StorageError unless a state database is whole and one that this code understands."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as database:
            ((said,),) = database.execute("pragma quick_check").fetchall()
            ((version,),) = database.execute("pragma user_version").fetchall()
    except (sqlite3.DatabaseError, ValueError) as error:
        raise StorageError(f"the copy of the state database is damaged: {error}") from error
    if said != "ok":
        raise StorageError(f"the state database is damaged: {said}; `tracklake doctor` says more")
    if version > state.SCHEMA_VERSION:
        raise StorageError(
            f"the state database is of a newer Tracklake (version {version} of its tables, this "
            f"one knows {state.SCHEMA_VERSION}); update Tracklake"
        )


@contextlib.contextmanager
def warehouse_copy(folders: Folders) -> Iterator[tuple[Path, Gold]]:
    """Yield a copy of the published warehouse and what it holds; all of it was read."""
    with _copy(folders, _WAREHOUSE) as path:
        shutil.copyfile(folders.warehouse, path)
        yield path, gold(path)


def gold(path: Path) -> Gold:
    """Read a whole warehouse; return rows and an order-free hash of each table and some answers.

    Raises StorageError if it is damaged, CheckFailed if it contradicts itself.
    """
    try:
        with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute("set threads = 1")
            connection.execute("set memory_limit = '200MB'")
            warehouse.check(connection)
            tables = warehouse.digest(connection)
            for other in set(warehouse.tables(connection)) - set(tables):
                questions.counted(connection, f"select * from {other}")  # noqa: S608 our own names
            return tables, questions.ask(connection)
    except duckdb.Error as error:
        raise StorageError(
            f"the warehouse {path} is damaged ({str(error).splitlines()[0]}); `tracklake compact` "
            "publishes it anew"
        ) from error


def sweep(folders: Folders) -> None:
    """Remove copies that a killed backup left; others may be landing in that folder."""
    for name in (_STATE, _WAREHOUSE):
        for path in folders.state.glob(f".landing-*-{name}*"):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _copy(folders: Folders, name: str) -> Iterator[Path]:
    """Yield where a copy may lie until it is stored; it is removed, and swept if we are killed."""
    path = landing.temporary_beside(folders.state / name)
    try:
        yield path
    finally:
        for left in path.parent.glob(f"{path.name}*"):  # with what SQLite keeps beside it
            left.unlink(missing_ok=True)
