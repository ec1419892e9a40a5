"""Versions, the lock, the map tool and the snapshot."""

import sys
from collections.abc import Iterator

import duckdb

from tracklake import bronze_format, lock, reading, warehouse
from tracklake.config import Folders
from tracklake.doctor.finding import Finding
from tracklake.tiles import drawing

_NAMED_SHARDS = "select shard from shards order by shard"


def versions(folders: Folders) -> Iterator[Finding]:  # noqa: ARG001 it is the same everywhere
    """Say what runs here."""
    yield Finding("versions", True, f"Python {sys.version.split()[0]}, DuckDB {duckdb.__version__}")


def bronze_known(folders: Folders) -> Iterator[Finding]:
    """Say nothing, unless a newer Tracklake wrote bronze: StorageError says so."""
    bronze_format.expect_known(folders.bronze)
    yield from ()


def lock_holder(folders: Folders) -> Iterator[Finding]:
    """Say whether a flow is at work."""
    at_work = lock.is_held(folders.state)
    yield Finding("lock", True, "a flow is at work" if at_work else "no flow is at work")


def tippecanoe(folders: Folders) -> Iterator[Finding]:  # noqa: ARG001 it is the same everywhere
    """Say which program draws the map."""
    yield Finding("tippecanoe", True, str(drawing.tippecanoe()))


def snapshot(folders: Folders) -> Iterator[Finding]:
    """Look at the published warehouse and whether all is there that it was made from."""
    if not folders.warehouse.exists():
        yield Finding("warehouse", True, "none yet; `tracklake flow` makes it")
        return
    with reading.snapshot(folders) as connection:
        ((count,),) = connection.execute("select count(*) from activities").fetchall()
        warehouse.check(connection)
        missing = connection.execute(_NAMED_SHARDS).fetchall()
    yield Finding("warehouse", True, f"{count} rows in activities, all checks pass")
    gone = [name for (name,) in missing if not (folders.bronze / name).exists()]
    if gone:
        said = f"{len(gone)} shards that gold was made from are gone from bronze, {gone[0]} first"
        yield Finding("bronze", False, said, "restore them from a backup")
    stale = folders.warehouse.with_name(folders.warehouse.name + ".wal")
    if stale.exists():
        yield Finding(
            "warehouse",
            False,
            f"somebody opened {folders.warehouse} for writing; their changes are in {stale.name}",
            "keep tables of your own in a database of yours; the next flow moves the file aside",
        )
