"""Reading the published snapshot: read-only, it and its streams alone, with a time limit."""

import contextlib
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tracklake import landing
from tracklake.config import Folders
from tracklake.errors import ConfigError, Error, Interrupted
from tracklake.incoming import list_literal, literal
from tracklake.narrowing import Part, narrow

_HARMLESS = {"SELECT", "EXPLAIN"}
_NAME = "tracklake"  # of the snapshot in queries
MOVED = (
    "the warehouse looks for its streams where they were when it was published; the data folder "
    "was moved, or you stand elsewhere: run `tracklake compact` from here"
)
_ANALYZE = re.compile(r"\banaly[sz]e\b", re.IGNORECASE)  # it runs what it explains


@contextlib.contextmanager
def snapshot(
    folders: Folders,
    also: Sequence[Path] = (),
    part: Part = Part(),  # noqa: B008 it cannot change
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the snapshot as everybody should who was not trusted with more.

    also: folders beside those of points and geometry that a query may reach. part: what of it can
    be seen.
    """
    if not folders.warehouse.exists():
        raise ConfigError(
            f"there is no warehouse at {folders.warehouse} yet; put activity files into "
            f"{folders.inbox} and run `tracklake flow`, or try `tracklake demo`"
        )
    try:
        connection = _opened(folders.warehouse, part)
    except duckdb.IOException as error:
        raise Error(
            f"{folders.warehouse} cannot be opened ({str(error).splitlines()[0]}); if it is "
            "damaged, `tracklake compact --rebuild` makes it anew from bronze"
        ) from error
    try:
        places = [*_places(folders, part), *also]
        allowed = list_literal(f"{place}/" for place in places)
        empty = list_literal(
            f"{place}/empty.parquet" for place in (folders.streams, folders.tracks)
        )
        connection.execute(f"set allowed_directories = {allowed}")
        connection.execute(f"set allowed_paths = {empty}")
        connection.execute("set enable_external_access = false")
        connection.execute("set timezone = 'UTC'")
        connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()


def _places(folders: Folders, part: Part) -> list[Path]:
    """Return the folders of points and geometry that a query about a part may reach."""
    both = (folders.streams, folders.tracks)
    if part.is_whole:
        return list(both)
    found = [place for root in both for place in root.glob("**/athlete=*") if place.is_dir()]
    return [place for place in found if part.has(str(place))]


def _opened(path: Path, part: Part) -> duckdb.DuckDBPyConnection:
    """Open it in an instance of DuckDB of its own.

    Of what is opened by its path, a process has one instance: whoever opened next would get its
    locked settings, and the old file as long as anybody has that open.
    """
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": str(landing.temporary_beside(path)),  # nobody else's either
        },
    )
    try:
        if part.is_whole:
            connection.execute(f"attach {literal(str(path))} as {_NAME} (read_only); use {_NAME}")
        else:
            narrow(connection, path, part)
    except duckdb.Error:
        connection.close()
        raise
    return connection


def own(connection: duckdb.DuckDBPyConnection, folders: Folders) -> Part:
    """Return which part of a snapshot is an athlete's own: all of it, where nobody else is in it.

    Who is alone may be called otherwise by now, or be the demo's, but for somebody named apart.
    """
    names = [name for (name,) in connection.execute("select athlete from athletes").fetchall()]
    whose = folders.athlete or folders.default_athlete
    alone = len(names) < 2 if whose == folders.default_athlete else names == [whose]
    return Part() if alone else Part(athlete=whose)


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns and rows of a query; `more` if the limit cut it."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    more: bool


def ask(
    connection: duckdb.DuckDBPyConnection, query: str, *, limit_s: float, most_rows: int
) -> Answer:
    """Run one SELECT (or EXPLAIN of one); ConfigError says what is wrong with any other text."""
    _refuse_what_writes(connection, query)
    timer = threading.Timer(limit_s, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        cursor = connection.execute(query)
        rows = cursor.fetchmany(most_rows + 1)
        columns = [column[0] for column in cursor.description or []]
    except duckdb.InterruptException as error:
        raise Error(f"stopped after {limit_s:g} s; --limit-s allows more") from error
    except RuntimeError as error:  # what DuckDB makes of Ctrl-C
        raise Interrupted(signal.SIGINT) from error
    except (duckdb.PermissionException, duckdb.IOException) as error:
        raise ConfigError(f"{error}\n(if this is about streams or tracks: {MOVED})") from error
    except duckdb.Error as error:
        raise ConfigError(str(error)) from error
    finally:
        timer.cancel()
    return Answer(columns, rows[:most_rows], len(rows) > most_rows)


def _refuse_what_writes(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Let only reading statements pass: COPY could write into the folders that views read."""
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise ConfigError(str(error)) from error
    if len(statements) != 1:
        raise ConfigError("one query at a time; for instance: select count(*) from activities")
    kind = statements[0].type.name
    if kind not in _HARMLESS or (kind == "EXPLAIN" and _ANALYZE.search(query)):
        raise ConfigError(
            f"only queries are answered, not {kind}; for tables of your own ATTACH the snapshot "
            "read-only in a database of yours (docs/operations.md)"
        )
