"""The warehouse file: how it is opened, filled from shards, checked, described by digests.

The writer's file is private; readers get a copy (publication.py). Everything in it is a function of
bronze, so a file that cannot be read is moved aside and made anew.
"""

import contextlib
import functools
import hashlib
import re
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

import duckdb

from tracklake import bronze, landing
from tracklake.errors import CheckFailed

STORAGE_VERSION = "v1.0.0"  # opens in every 1.x and 2.x client
# entity -> the variable its steps read the shards' names from, and these steps.
_STEPS = {
    "activities": ("activity_shards", ("10_", "20_", "22_")),
    "activity_details": ("detail_shards", ("24_",)),
    "activity_streams": ("stream_shards", ("25_",)),
    "activity_zones": ("zone_shards", ("26_",)),
    "activity_tombstones": ("tombstone_shards", ("27_",)),
    "original_files": ("file_shards", ("70_",)),
    "gear": ("gear_shards", ("80_",)),
}
ENTITIES = tuple(_STEPS)
_FIRST, _LAST = ("05_",), ("30_", "35_", "40_", "60_")  # what activities are made of, if any came
_OF_ACTIVITIES = ENTITIES[:5]
_COLUMNS_AS_IN = re.compile(r"^-- columns as in (\w+)$", re.MULTILINE)
COPIED_FROM_STATE = ("sync_sessions", "quarantine")


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
def gold_version() -> str:
    """Hash what shapes gold: a warehouse made by other texts is made anew from bronze."""
    digest = hashlib.sha256()
    for folder in ("schema", "compact", "gold"):
        for name, text in sql_files(folder).items():
            digest.update(f"{folder}/{name}\n{text}".encode())
    return digest.hexdigest()[:16]


def connect(path: Path, *, threads: int) -> duckdb.DuckDBPyConnection:
    """Open a writer's file; spills go beside it."""
    connection = duckdb.connect(
        str(path),
        config={
            "storage_compatibility_version": STORAGE_VERSION,
            "threads": threads,
            "temp_directory": str(path.parent / "spill"),
            "autoinstall_known_extensions": False,
        },
    )
    connection.execute("set preserve_insertion_order = false")
    # Shards are read once: keeping their bytes costs memory and, for many small files, time.
    connection.execute("set enable_external_file_cache = false")
    connection.execute("set timezone = 'UTC'")
    return connection


def create(path: Path) -> None:
    """Make an empty warehouse under a temporary name and give it its own when it is whole.

    A kill while DuckDB creates a file can leave one that never opens.
    """
    with landing.landing(path) as temporary:
        connection = connect(temporary, threads=1)
        for text in sql_files("schema").values():
            connection.execute(text)
        for text in sql_files("gold").values():
            if not _reads_files(text):
                connection.execute(text)
        _explain_columns(connection)
        connection.execute(
            "create table warehouse_version as select ? as version", [gold_version()]
        )
        connection.close()


def is_damage(error: duckdb.Error) -> bool:
    """Tell an error that means that the file itself is broken."""
    broken = (duckdb.SerializationException, duckdb.FatalException, duckdb.InternalException)
    said = str(error).lower()
    return isinstance(error, broken) or "corrupt" in said or "not a valid duckdb" in said


def is_current(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether this code made the file."""
    try:
        rows = connection.execute("select version from warehouse_version").fetchall()
    except duckdb.CatalogException:
        return False
    return rows == [(gold_version(),)]


def define_views(
    connection: duckdb.DuckDBPyConnection, stream_files: Sequence[str], track_files: Sequence[str]
) -> None:
    """Define the views over files outside the warehouse, by name, so that each is read once.

    The others never change in the life of a file; `create` defines them.
    """
    literals = {
        "$stream_files": _list_literal(stream_files),
        "$track_files": _list_literal(track_files),
    }
    for text in filter(_reads_files, sql_files("gold").values()):
        for placeholder, literal in literals.items():
            text = text.replace(placeholder, literal)
        connection.execute(text)


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


def _list_literal(names: Iterable[str]) -> str:
    return "[" + ", ".join("'" + name.replace("'", "''") + "'" for name in names) + "]"


def apply(
    connection: duckdb.DuckDBPyConnection, root: Path, shards: Sequence[tuple[str, Path, int]]
) -> int:
    """Take shards (entity, path, size) into gold in one transaction with their ledger rows.

    Which shards come together, and in what order, makes no difference to what gold says.
    """
    connection.execute("begin")
    try:
        entities = {entity for entity, _, _ in shards}
        of_activities = not entities.isdisjoint(_OF_ACTIVITIES)
        _run_steps(connection, _FIRST)
        for entity, (variable, steps) in _STEPS.items():
            paths = [str(path) for kind, path, _ in shards if kind == entity]
            if paths:
                connection.execute(f"set variable {variable} = {_list_literal(paths)}")
                _run_steps(connection, steps)
        if of_activities:
            _run_steps(connection, _LAST)
        rows = _enter(connection, root, shards)
        connection.execute("commit")
    except BaseException:  # a signal too: half a transaction must not stay open
        with contextlib.suppress(duckdb.Error):  # a failed commit has ended the transaction
            connection.execute("rollback")
        raise
    return rows


def _run_steps(connection: duckdb.DuckDBPyConnection, prefixes: tuple[str, ...]) -> None:
    for name, text in sql_files("compact").items():
        if name.startswith(prefixes):
            connection.execute(text)


def _enter(
    connection: duckdb.DuckDBPyConnection, root: Path, shards: Sequence[tuple[str, Path, int]]
) -> int:
    files = _list_literal(str(path) for _, path, _ in shards)
    counts = dict(
        connection.execute(
            f"select file_name, num_rows from parquet_file_metadata({files})"  # noqa: S608 our own names, quoted
        ).fetchall()
    )
    replaced = [
        (old.relative_to(root).as_posix(),)
        for _, path, _ in shards
        if bronze.is_rollup(path)
        for old in bronze.replaces(path)
    ]
    if replaced:
        connection.executemany("delete from shards where shard = ?", replaced)
    connection.executemany(
        "insert into shards values (?, ?, ?, ?, now())",
        [
            (path.relative_to(root).as_posix(), entity, counts[str(path)], size)
            for entity, path, size in shards
        ],
    )
    return sum(counts.values())


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
        if table in (*COPIED_FROM_STATE, "warehouse_version"):
            continue
        columns = "shard, entity, row_count" if table == "shards" else "*"
        query = (
            f"select count(*), coalesce(sum(hash(t)::hugeint), 0) % 18446744073709551557 "  # noqa: S608 our own tables
            f"from (select {columns} from {table}) as t"
        )
        ((count, value),) = connection.execute(query).fetchall()
        result[table] = (int(count), int(value))
    return result
