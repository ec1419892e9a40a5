"""The state database (SQLite, WAL): what a run must remember that is not a fact about activities.

Readable while a flow runs. Everything in it can be made anew from bronze or is only about runs, so
a lost state database costs time, never data.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tracklake.errors import StorageError

SCHEMA_VERSION = 5
NAME = "tracklake.sqlite"
SEAL = "tracklake.sqlite.seal"  # what it is when it is closed; see state_mending

_SQL = Path(__file__).with_name("sql")
_READING = ("select", "pragma")


class State:
    """One connection to the state database; short transactions, durable commits."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._seal = folder / SEAL
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            self._prepare()
        except sqlite3.OperationalError as error:
            raise StorageError(
                f"the state database {self.path} cannot be opened ({error}); is the disk full, or "
                "the folder read-only?"
            ) from error
        except sqlite3.DatabaseError as error:
            raise StorageError(
                f"the state database {self.path} cannot be read ({error}); it holds no activities: "
                "`tracklake flow` sets it aside and makes it anew"
            ) from error

    def _prepare(self) -> None:
        try:
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._migrate()
        except BaseException:  # a signal too: nobody else would close it
            self._connection.close()
            raise

    def _migrate(self) -> None:
        if self._version() == SCHEMA_VERSION:
            return
        with self.transaction():  # of two that come at once, one finds it done
            version = self._version()
            if version > SCHEMA_VERSION:
                raise StorageError(
                    f"{self.path} was written by a newer Tracklake (version {version} of its "
                    f"tables, this one knows {SCHEMA_VERSION}); update Tracklake"
                )
            for statement in _steps(version):
                self._connection.execute(statement)

    def _version(self) -> int:
        (version,) = self._connection.execute("pragma user_version").fetchone()
        return int(version)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all or nothing."""
        self._connection.execute("begin immediate")
        self._seal.unlink(missing_ok=True)
        try:
            yield
        except BaseException:  # a signal too: half a transaction must not stay open
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def execute(self, sql: str, parameters: Iterable[object] = ()) -> list[tuple[object, ...]]:
        """Run one statement and return its rows."""
        if not sql.lstrip().startswith(_READING):
            self._seal.unlink(missing_ok=True)
        try:
            return self._connection.execute(sql, tuple(parameters)).fetchall()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise
            raise StorageError(
                f"the state database {self.path} is damaged ({error}); it holds no activities: "
                "`tracklake flow` sets it aside and makes it anew"
            ) from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def statements_of_a_new_one() -> list[str]:
    """Return what makes the tables of a database that is empty."""
    return _steps(0)


def _steps(version: int) -> list[str]:
    """Return the statements that make the tables of a version (0: none yet) those of this one."""
    changes = [
        path.read_text()
        for number in range(version + 1, SCHEMA_VERSION + 1)
        if version and (path := _SQL / "state_changes" / f"{number}.sql").exists()
    ]
    texts = [*changes, (_SQL / "state.sql").read_text()]
    stamp = f"pragma user_version = {SCHEMA_VERSION};"
    return [*(one for text in texts for one in _statements(text)), stamp]


def _statements(text: str) -> Iterator[str]:
    """Take an SQL text apart; each statement ends with a line."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
