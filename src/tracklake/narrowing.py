"""A part of the published snapshot: one athlete's, or what may leave the house.

The part consists of views over the snapshot, attached under a name that nobody can guess, so that a
query reaches nothing else; gold's own views are defined anew over them.
"""

import contextlib
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from tracklake import landing
from tracklake.incoming import list_literal, literal

_FIRST = ("activities", "records", "activity_points")  # the others are narrowed by them
# Of tables whose rows name no athlete: whose they are.
_BELONGS = {
    "stream_facts": "stream_key in (select stream_key from activity_points)",
    "track_tiles": "track_key in (select track_key from activity_points)",
    "weather_hours": "(cell_lat, cell_lng) in (select (cell_lat, cell_lng) "
    "from {whole}.activity_cells where activity_id in (select id from activities))",
    "place_cells": "(method, lat_e3, lng_e3) in (select (method, lat_e3, lng_e3) "
    "from {whole}.activity_ends where activity_id in (select id from activities))",
}
_FOLDER = re.compile(r"/(athlete|source)=([^/]+)")
_FILES = re.compile(r"list_value\(('[^']*\.parquet'(?:, '[^']*\.parquet')*)\)")
_QUOTED = re.compile(r"'[^']*'")
_EMPTY = "/empty.parquet'"
_ALL_SOURCES_IN_ONE = ("explorer_summary",)  # rows that cannot be told apart by source


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """athlete: whose rows, None for everybody's. without: sources that none of it may come from."""

    athlete: str | None = None
    without: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is left out."""
        return self.athlete is None and not self.without

    def has(self, path: str) -> bool:
        """Tell whether a file of points or geometry, by its path, belongs to it."""
        folders = dict(found for found in _FOLDER.findall(path))
        is_theirs = self.athlete in (None, folders.get("athlete", self.athlete))
        return is_theirs and folders.get("source", "files") not in self.without


def narrow(connection: duckdb.DuckDBPyConnection, path: Path, part: Part) -> None:
    """Define the part's tables and views in an empty database, over a snapshot at `path`."""
    whole = f"whole_{secrets.token_hex(8)}"
    with _nameless(path) as place:
        connection.execute(f"attach {literal(place)} as {whole} (read_only)")
    for table, columns in _tables(connection, whole):
        conditions = _conditions(table, columns, part, whole)
        chosen = f" where {' and '.join(conditions)}" if conditions else ""
        connection.execute(f'create view "{table}" as select * from {whole}."{table}"{chosen}')  # noqa: S608 our own names
    # DuckDB 2 tells the text of a view in an old form of lambdas, and does not take it as it is.
    connection.execute("set lambda_syntax = 'ENABLE_SINGLE_ARROW'")
    views = connection.execute(
        "select sql from duckdb_views() where database_name = ? and not internal", [whole]
    ).fetchall()
    _define(connection, [_FILES.sub(partial(_narrowed, part), text) for (text,) in views])


def _narrowed(part: Part, found: re.Match[str]) -> str:
    """Name only those files of a list in a view that belong to a part; the empty one is in each."""
    kept = [quoted for quoted in _QUOTED.findall(found[1]) if part.has(quoted) or _EMPTY in quoted]
    return f"list_value({', '.join(kept)})"


@contextlib.contextmanager
def _nameless(path: Path) -> Iterator[str]:
    """Yield another name of a file, which is gone afterwards.

    DuckDB lets a query read, as bytes, every file that is attached, by the name it was attached by.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        name = landing.temporary_beside(path)
        try:
            name.hardlink_to(path)
        except OSError:  # a file system that is read-only, or knows no second names
            name = Path(elsewhere, path.name)
            shutil.copyfile(path, name)
        try:
            yield str(name)
        finally:
            name.unlink()


def _define(connection: duckdb.DuckDBPyConnection, views: list[str]) -> None:
    """Define views of which some read others: each waits for those that it names."""
    waiting: list[str] = []
    for text in views:
        try:
            connection.execute(text)
        except duckdb.CatalogException:
            if len(views) == 1:
                raise
            waiting.append(text)
    if waiting:
        _define(connection, waiting if len(waiting) < len(views) else waiting[:1])


def _tables(connection: duckdb.DuckDBPyConnection, whole: str) -> list[tuple[str, list[str]]]:
    """Return each table and its columns, those first that the others are narrowed by."""
    rows = connection.execute(
        "select c.table_name, list(c.column_name order by c.column_index) "
        "from duckdb_columns() as c inner join duckdb_tables() as t "
        "on t.database_name = c.database_name and t.table_oid = c.table_oid "
        "where c.database_name = ? group by 1 order by 1",
        [whole],
    ).fetchall()
    return sorted(rows, key=lambda row: _FIRST.index(row[0]) if row[0] in _FIRST else len(_FIRST))


def _conditions(table: str, columns: Sequence[str], part: Part, whole: str) -> list[str]:
    if table in _BELONGS:
        return [_BELONGS[table].format(whole=whole)]
    if table == "shards":
        return _of_shards(part)
    found = []
    if "athlete" in columns and part.athlete is not None:
        found.append(f"athlete = {literal(part.athlete)}")
    if part.without:
        found += _without(table, columns, list_literal(part.without))
    if not found and table not in _FIRST[:2]:
        if "activity_id" in columns:
            found.append("activity_id in (select id from activities)")
        elif "record_id" in columns:
            found.append("record_id in (select record_id from records)")
    return found


def _without(table: str, columns: Sequence[str], sources: str) -> list[str]:
    if table in _ALL_SOURCES_IN_ONE:
        return ["false"]
    if table == "activities":
        return [f"not list_has_any(sources, {sources})"]
    if table == "original_files":  # bronze/<source>/…
        return [f"split_part(location, '/', 2) not in {sources}"]
    return [f"source not in {sources}"] if "source" in columns else []


def _of_shards(part: Part) -> list[str]:
    found = [f"not starts_with(shard, {literal(source + '/')})" for source in part.without]
    if part.athlete is not None:
        found.append(f"contains(shard, {literal(f'/athlete={part.athlete}/')})")
    return found
