"""Exports: tables and views of the published snapshot as Parquet, CSV or JSON lines.

Each file is written under a temporary name and takes its own when it is whole. DuckDB may reach the
points, the geometry and the target folder, nothing else.
"""

import datetime as dt
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import duckdb

from tracklake import landing, reading
from tracklake.config import Folders
from tracklake.errors import ConfigError, Interrupted, StorageError
from tracklake.incoming import literal
from tracklake.narrowing import Part

Format = Literal["parquet", "csv", "json"]
FORMATS: tuple[str, ...] = get_args(Format)
_OPTIONS = {
    "parquet": "format parquet, compression zstd",
    "csv": "format csv, header true",
    "json": "format json",
}
# Large, or of use only to Tracklake itself: exported when named.
_ONLY_BY_NAME = {
    "activity_streams", "activity_tracks", "activity_points", "stream_facts", "track_tiles",
    "records", "shards", "warehouse_version", "weather_hours",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """One file that was written."""

    table: str
    path: Path
    row_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What to export: no tables means all that are for questions."""

    format: str
    tables: Sequence[str]
    folder: Path
    overwrite: bool = False
    part: Part = Part()  # noqa: RUF009 it cannot change


def export(folders: Folders, wish: Wish) -> Iterator[Exported]:
    """Write the files one after the other, and say each when it is there.

    Raises ConfigError before anything is written if a table is not known, the format is none of
    FORMATS, or a file is there already and must not be overwritten.
    """
    if wish.format not in FORMATS:
        raise ConfigError(f"--format {wish.format} is not known; there are: {', '.join(FORMATS)}")
    if wish.folder.exists() and not wish.folder.is_dir():
        raise ConfigError(f"{wish.folder} is a file; name a folder with --to")
    with reading.snapshot(folders, also=(wish.folder,), part=wish.part) as connection:
        names = _chosen(wish.tables, _known(connection))
        files = {name: wish.folder / f"{name}.{wish.format}" for name in names}
        there = [str(path) for path in files.values() if path.exists()]
        if there and not wish.overwrite:
            raise ConfigError(
                f"there already: {', '.join(there)}; --force overwrites, --to names another folder"
            )
        for name, path in files.items():
            yield _written(connection, name, path, wish.format)


def _known(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select table_name from duckdb_tables() where not internal and not temporary "
        "and database_name = current_database() "
        "union all select view_name from duckdb_views() where not internal "
        "and database_name = current_database() order by 1"
    )
    return [name for (name,) in rows.fetchall()]


def _chosen(wanted: Sequence[str], known: list[str]) -> list[str]:
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ConfigError(
            f"no such table or view: {', '.join(unknown)}; docs/warehouse.md lists them"
        )
    usual = (name for name in known if name not in _ONLY_BY_NAME and not name.startswith("record_"))
    return list(dict.fromkeys(wanted or usual))


def _written(
    connection: duckdb.DuckDBPyConnection, name: str, path: Path, format_: str
) -> Exported:
    with landing.landing(path) as temporary:
        copy = f'copy (from "{name}") to {literal(str(temporary))} ({_OPTIONS[format_]})'
        try:
            ((row_count,),) = connection.execute(copy).fetchall()
        except RuntimeError as error:  # what DuckDB makes of Ctrl-C
            raise Interrupted(signal.SIGINT) from error
        except (duckdb.IOException, duckdb.PermissionException) as error:
            raise StorageError(
                f"{name} could not be exported: {str(error).splitlines()[0]} "
                f"(if this is about streams or tracks: {reading.MOVED})"
            ) from error
        temporary.chmod(0o600)
    return Exported(name, path, int(row_count), path.stat().st_size)


def dated_folder(folders: Folders, now: dt.datetime) -> Path:
    """Name the folder that an export goes to unless the person names one."""
    return folders.data / "exports" / f"{now:%Y-%m-%d}"
