"""The warehouse file: how it is opened, filled from shards, checked, described by digests.

The writer's file is private; readers get a copy (publication.py). Everything in it is a function of
bronze, so a file that cannot be read is moved aside and made anew.
"""

import contextlib
import functools
import hashlib
import re
from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from operator import attrgetter
from pathlib import Path

import duckdb

from tracklake import bronze, canonical, landing
from tracklake.errors import CheckFailed
from tracklake.incoming import Batch, list_literal, literal

STORAGE_VERSION = "v1.0.0"  # opens in every client from 1.1 on
# Each column of a table that rows come to needs two blocks in memory: 120 MB for all of them with
# DuckDB's own 256 kB. Clients read other sizes since 1.1.
_BLOCK_BYTES = 65_536
_ROW_GROUP = 16_384  # what a checkpoint writes anew for a few rows more; DuckDB's own is 122,880
MEMORY_LIMIT = "100MB"  # of 300 for all: DuckDB, Arrow and Python need 150 before the first row
# entity -> the steps that take its rows in.
_STEPS = {
    "activities": ("10_", "20_", "22_"),
    "activity_details": ("24_",),
    "activity_streams": ("25_",),
    "activity_zones": ("26_",),
    "activity_tombstones": ("27_",),
    "match_decisions": ("29_",),
    "original_files": ("70_",),
    "gear": ("80_",),
    "weather": ("90_",),
    "places": ("92_",),
    "activity_intervals": ("28_",),
    "wellness": ("94_",),
    "stats": ("96_",),
}
ENTITIES = tuple(_STEPS)
_FIRST = ("05_",)
_UNSETTLED, _LAST = ("30_",), ("33_", "35_", "40_", "60_")  # if any of these came:
_OF_ACTIVITIES = ENTITIES[:6]
_COLUMNS_AS_IN = re.compile(r"^-- columns as in (\w+)$", re.MULTILINE)
COPIED_FROM_STATE = ("sync_sessions", "quarantine")
FROM_SETTINGS = "athlete_settings"
_EMPTY: dict[tuple[str, ...], bytes] = {}  # sources kept apart -> an empty warehouse, 2 MB


@functools.cache
def sql_files(folder: str) -> dict[str, str]:
    """Return the SQL texts of a folder of sql/, by name, in order."""
    place = resources.files("tracklake").joinpath("sql", folder)
    texts = {
        item.name.removesuffix(".sql"): item.read_text(encoding="utf-8")
        for item in place.iterdir()
        if item.name.endswith(".sql")
    }
    return dict(sorted(texts.items()))


@functools.cache
def gold_version(kept_apart: Sequence[str] = ()) -> str:
    """Hash what shapes gold: a warehouse made by other texts is made anew from bronze.

    kept_apart: sources that may not be combined with others.
    """
    digest = hashlib.sha256(" ".join(sorted(set(kept_apart))).encode())
    for item in _deciding():
        digest.update(item.read_bytes())
    for folder in ("schema", "compact", "gold"):
        for name, text in sql_files(folder).items():
            digest.update(f"{folder}/{name}\n{text}".encode())
    return digest.hexdigest()[:16]


def _deciding() -> list[Traversable]:
    """Return the modules that say which records are one activity."""
    package = resources.files("tracklake")
    found = [package / name for name in ("canonical.py", "canonical_rows.py", "sports.py")]
    found += (package / "matching").iterdir()
    return sorted((item for item in found if item.name.endswith(".py")), key=attrgetter("name"))


def connect(path: Path, *, threads: int) -> duckdb.DuckDBPyConnection:
    """Open a writer's file; spills go beside it.

    By ATTACH, because only that takes a size for groups of rows; the file is the same.
    """
    connection = duckdb.connect(
        config={
            "storage_compatibility_version": STORAGE_VERSION,
            "default_block_size": _BLOCK_BYTES,
            "memory_limit": MEMORY_LIMIT,
            "threads": threads,
            "temp_directory": str(path.parent / "spill"),
            "autoinstall_known_extensions": False,
        },
    )
    try:
        connection.execute(
            f"attach {literal(str(path))} as gold (row_group_size {_ROW_GROUP}); use gold"
        )
    except duckdb.Error:
        connection.close()
        raise
    connection.execute("set preserve_insertion_order = false")
    # Shards are read once: keeping their bytes costs memory and, for many small files, time.
    connection.execute("set enable_external_file_cache = false")
    connection.execute("set timezone = 'UTC'")
    return connection


def create(path: Path, kept_apart: Sequence[str] = ()) -> None:
    """Make an empty warehouse under a temporary name and give it its own when it is whole.

    A kill while DuckDB creates a file can leave one that never opens. A second one of the same
    process, as a rebuild that is verified needs, is a copy of what the first was when it was empty.
    """
    wanted = tuple(kept_apart)
    with landing.landing(path) as temporary:
        if wanted in _EMPTY:
            temporary.write_bytes(_EMPTY[wanted])
        else:
            _define(temporary, wanted)
            _EMPTY[wanted] = temporary.read_bytes()


def _define(path: Path, kept_apart: tuple[str, ...]) -> None:
    connection = connect(path, threads=1)
    connection.execute("begin")  # by itself each of a thousand comments waits for the disk
    for text in sql_files("schema").values():
        connection.execute(text)
    connection.execute(
        f"create table warehouse_version as select {literal(gold_version(kept_apart))} "
        f"as version, {list_literal(kept_apart)}::varchar[] as kept_apart"
    )
    for text in sql_files("gold").values():
        if not _reads_files(text):
            connection.execute(text)
    connection.execute("commit")
    _explain_columns(connection)
    connection.close()


def is_current(connection: duckdb.DuckDBPyConnection, kept_apart: Sequence[str] = ()) -> bool:
    """Tell whether this code made the file, with these sources kept apart."""
    try:
        rows = connection.execute("select version from warehouse_version").fetchall()
    except duckdb.CatalogException:
        return False
    return rows == [(gold_version(tuple(kept_apart)),)]


def define_views(
    connection: duckdb.DuckDBPyConnection, stream_files: Sequence[str], track_files: Sequence[str]
) -> None:
    """Define the views over files outside the warehouse, by name, so that each is read once.

    The others never change in the life of a file; `create` defines them.
    """
    literals = {
        "$stream_files": list_literal(stream_files),
        "$track_files": list_literal(track_files),
    }
    connection.execute("begin")  # by itself each comment on a column would wait for the disk
    for text in filter(_reads_files, sql_files("gold").values()):
        for placeholder, names in literals.items():
            text = text.replace(placeholder, names)
        connection.execute(text)
    connection.execute("commit")


def _reads_files(view: str) -> bool:
    return "_files" in view


def _explain_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the columns of views the comments of their tables' columns of the same names."""
    rows = connection.execute("select table_name, column_name, comment from duckdb_columns()")
    comments: dict[str, dict[str, str | None]] = {}
    for relation, column, comment in rows.fetchall():
        comments.setdefault(relation, {})[column] = comment
    texts = []
    for view, text in sql_files("gold").items():
        if table := _COLUMNS_AS_IN.search(text):
            for column, comment in comments[view].items():
                if comment is None and (told := comments[table[1]].get(column)):
                    quoted = told.replace("'", "''")
                    texts.append(f"comment on column {view}.{column} is '{quoted}'")
    connection.execute(f"begin; {'; '.join(texts)}; commit")


def apply(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    batch: Batch,
    session_id: str | None = None,
) -> int:
    """Take rows into gold in one transaction with the ledger rows of the shards they finish.

    Which rows come together, and in what order, makes no difference to what gold says.
    """
    connection.execute(f"set variable first_row = {batch.first_row}")
    connection.execute(f"set variable end_row = {batch.end_row}")
    if batch.is_last:
        # The file is closed soon: its commit writes the tables themselves, not a log that closing
        # would write again. Between batches the log is cheaper.
        connection.execute("set wal_autocheckpoint = '1kB'")
    connection.execute("begin")
    try:
        entities = {shard.entity for shard in batch.shards}
        _run_steps(connection, _FIRST)
        for entity, steps in _STEPS.items():
            if entity in entities:
                paths = list_literal(batch.paths(entity))
                connection.execute(f"set variable new_shards = {paths}")
                _run_steps(connection, steps)
        if not entities.isdisjoint(_OF_ACTIVITIES):
            _run_steps(connection, _UNSETTLED)
            canonical.regroup(connection)
            _run_steps(connection, _LAST)
        if batch.finishes:
            _enter(connection, root, batch, session_id)
        connection.execute("commit")
    except BaseException:  # a signal too: half a transaction must not stay open
        with contextlib.suppress(duckdb.Error):  # a failed commit has ended the transaction
            connection.execute("rollback")
        raise
    # Setting the limit, even to what it is, makes DuckDB give back what it keeps in reserve.
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    return sum(batch.row_counts) if batch.finishes else 0


def _run_steps(connection: duckdb.DuckDBPyConnection, prefixes: tuple[str, ...]) -> None:
    for name, text in sql_files("compact").items():
        if name.startswith(prefixes):
            connection.execute(text)


def _enter(
    connection: duckdb.DuckDBPyConnection, root: Path, batch: Batch, session_id: str | None
) -> None:
    replaced = [
        old.relative_to(root).as_posix()
        for shard in batch.shards
        if bronze.is_rollup(shard.path)
        for old in bronze.replaces(shard.path)
    ]
    if replaced:
        connection.execute(f"delete from shards where shard in {list_literal(replaced)}")  # noqa: S608
    whose = "null" if session_id is None else literal(session_id)
    entries = ", ".join(
        f"({literal(shard.path.relative_to(root).as_posix())}, '{shard.entity}', {row_count}, "
        f"{shard.size_bytes}, now(), {whose})"
        for shard, row_count in zip(batch.shards, batch.row_counts, strict=True)
    )
    connection.execute(f"insert into shards values {entries}")  # noqa: S608 our own names, quoted


def check(connection: duckdb.DuckDBPyConnection, *, deep: bool = False) -> None:
    """Run the checks (queries that must return no rows); raise CheckFailed naming all that do."""
    texts = sql_files("checks") | (sql_files("checks/deep") if deep else {})
    failures = []
    for name, text in texts.items():
        rows = connection.execute(f"select * from ({text}) limit 3").fetchall()  # noqa: S608 our own files
        if rows:
            reason = text.splitlines()[0].removeprefix("-- ")
            failures.append(f"{name}: {reason} For instance {rows}")
    if failures:
        raise CheckFailed("; ".join(failures))


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """List gold's tables."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where not temporary and not internal order by 1"
    ).fetchall()
    return [name for (name,) in rows]


def digest(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Return rows and an order-free hash of every table that follows from bronze alone."""
    result = {}
    for table in tables(connection):
        if table in (*COPIED_FROM_STATE, FROM_SETTINGS, "warehouse_version"):
            continue
        columns = "shard, entity, row_count" if table == "shards" else "*"
        query = (
            f"select count(*), coalesce(sum(hash(t)::hugeint), 0) % 18446744073709551557 "  # noqa: S608 our own tables
            f"from (select {columns} from {table}) as t"
        )
        ((count, value),) = connection.execute(query).fetchall()
        result[table] = (int(count), int(value))
    return result
