"""The canonical dump of gold: a SHA-256 of each table and view, whatever order their rows have.

Left out is what is about runs and not about activities: when something landed, and the names of
what each landing makes anew.
"""

import contextlib
import hashlib
from pathlib import Path

import duckdb

# Sessions are runs; the ledger names shards, of which a broken off run makes more than one.
ABOUT_RUNS = ("sync_sessions", "shards", "warehouse_version")
WHEN = (
    *("ingested_at", "first_ingested_at", "file_linked_at", "fetched_at", "gone_at", "decided_at"),
    *("attempts", "first_seen_at", "last_seen_at", "next_try_at"),
)
MADE_ANEW = ("stream_key", "track_key", "location", "session_id")
OF_ONE_TABLE = {"weather_hours": ("content_hash",)}  # it covers when that was fetched
_DECIMALS = 6  # of what a view adds up: a sum of doubles depends on the order of its rows


def dumped(place: Path) -> dict[str, str]:
    """Return a hash of each table and view of the snapshot of a place.

    Its views name files from where the flow stood.
    """
    warehouse = place / "data" / "warehouse" / "tracklake.duckdb"
    with contextlib.closing(duckdb.connect(str(warehouse), read_only=True)) as connection:
        connection.execute(f"set file_search_path = '{place}'")
        connection.execute("set timezone = 'UTC'; set threads = 1")
        return {name: _hash(connection, name, is_view) for name, is_view in _names(connection)}


def _names(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, bool]]:
    rows = connection.execute(
        "select table_name, table_type = 'VIEW' from information_schema.tables "
        "where table_schema = 'main' order by 1"
    ).fetchall()
    return [(name, is_view) for name, is_view in rows if name not in ABOUT_RUNS]


def _hash(connection: duckdb.DuckDBPyConnection, name: str, is_view: bool) -> str:
    left_out = (*WHEN, *MADE_ANEW, *OF_ONE_TABLE.get(name, ()))
    described = connection.execute(f"describe {name}").fetchall()
    kept = ", ".join(
        f'round("{column}", {_DECIMALS})' if is_view and kind == "DOUBLE" else f'"{column}"'
        for column, kind, *_ in described
        if column not in left_out
    )
    query = f"select cast(row({kept}) as varchar) as said from {name} order by 1"  # noqa: S608 its own names
    digest = hashlib.sha256(kept.encode())
    for (said,) in connection.execute(query).fetchall():
        digest.update(f"{said}\n".encode())
    return digest.hexdigest()


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Name the tables in which two dumps differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
