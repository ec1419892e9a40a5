"""Closed years in one file: many small Parquet files become one, and gold says the same.

A rollup names what it replaces in its own metadata, so that whoever finds both on disk (a kill came
between) knows which to read. The old files go when nobody needs them any more.
"""

import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tracklake import landing, parquet_seal
from tracklake.bronze import REPLACES_KEY, ROLLUP_PREFIX, is_rollup, replaces

_KEEP_OLD_S = 24 * 3600  # an open reader of yesterday's snapshot still reads the old files
_ROW_GROUP = 100_000
_SHARD_ROW_GROUP = 2_000  # many small ones are slow to read; one of a whole year, large
_SHARD_GROUP_BYTES = 4 << 20
_PIECE_ROWS = 500  # read at once
_MOST_PIECES = 32  # Arrow needs 100 kB for each, however few its rows


def roll_up_shards(folder: Path, shards: Sequence[Path]) -> Path:
    """Write one entity's shards of one closed year (all below `folder`) as one; all rows stay."""
    names = [shard.relative_to(folder).as_posix() for shard in shards]
    schema = pa.unify_schemas([pq.read_schema(shard) for shard in shards])
    schema = schema.with_metadata({REPLACES_KEY: json.dumps(names)})
    path = folder / f"{ROLLUP_PREFIX}{_hash(names)}.parquet"
    with landing.landing(path) as temporary:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for table in _groups(shards, schema):
                writer.write_table(table)
            writer.add_key_value_metadata({parquet_seal.KEY: parquet_seal.OPEN})
        parquet_seal.close(temporary)
    return path


def _groups(shards: Iterable[Path], schema: pa.Schema) -> Iterator[pa.Table]:
    """Read shards a few rows at a time, and yield what shall be one group of rows each."""
    waiting: list[pa.Table] = []
    row_count = size_bytes = 0
    for shard in shards:
        with pq.ParquetFile(shard) as file:
            for rows in file.iter_batches(_PIECE_ROWS, use_threads=False):
                waiting.append(pa.Table.from_batches([rows]).replace_schema_metadata(None))
                row_count, size_bytes = row_count + rows.num_rows, size_bytes + rows.nbytes
                if row_count >= _SHARD_ROW_GROUP or size_bytes >= _SHARD_GROUP_BYTES:
                    yield _joined(waiting, schema)
                    waiting, row_count, size_bytes = [], 0, 0
                elif len(waiting) >= _MOST_PIECES:
                    waiting = [_joined(waiting, schema)]
    if waiting:
        yield _joined(waiting, schema)


def _joined(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Put tables together in one piece; each lacks the columns it has not."""
    whole = [schema.remove_metadata().empty_table(), *tables]
    return pa.concat_tables(whole, promote_options="default").combine_chunks().cast(schema)


def roll_up_points(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    year: int,
    parts: Sequence[Path],
    order: str,
) -> Path:
    """Write the points (or tracks) that landed in a closed year as one file, sorted."""
    names = sorted(part.name for part in parts)
    path = folder / f"{ROLLUP_PREFIX}{year:04}-{_hash(names)}.parquet"
    files = "[" + ", ".join("'" + str(part).replace("'", "''") + "'" for part in parts) + "]"
    with landing.landing(path) as temporary:
        target = str(temporary).replace("'", "''")
        listing = json.dumps(names).replace("'", "''")
        connection.execute(
            f"copy (select * from read_parquet({files}, hive_partitioning = false) "  # noqa: S608 our own names, quoted
            f"order by {order}) to '{target}' "
            f"(format parquet, compression zstd, row_group_size {_ROW_GROUP}, "
            f"kv_metadata {{'{REPLACES_KEY.decode()}': '{listing}', "
            f"'{parquet_seal.KEY}': '{parquet_seal.OPEN}'}})"
        )
        parquet_seal.close(temporary)
    return path


def _hash(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]


def closed_shards(shards: Iterable[Path], this_year: int) -> dict[Path, list[Path]]:
    """Group shards by the folder of the year they landed in, where it is over and has several."""
    years: dict[Path, list[Path]] = defaultdict(list)
    for shard in shards:
        folder = shard.parent.parent
        if not is_rollup(shard) and int(folder.name) < this_year:
            years[folder].append(shard)
    return {folder: sorted(found) for folder, found in years.items() if len(found) > 1}


def closed_parts(parts: Iterable[Path], this_year: int) -> dict[int, list[Path]]:
    """Group files named by a stamp by the year they landed in, where it is over and has several."""
    years: dict[int, list[Path]] = defaultdict(list)
    for part in parts:
        if not is_rollup(part) and part.name[:4].isdigit() and int(part.name[:4]) < this_year:
            years[int(part.name[:4])].append(part)
    return {year: sorted(found) for year, found in sorted(years.items()) if len(found) > 1}


@functools.lru_cache(maxsize=4096)
def _replaces(rollup: Path) -> tuple[Path, ...]:
    """Read a rollup's names once in a process: its own name is their hash."""
    return tuple(replaces(rollup))


def live(paths: Iterable[Path]) -> list[Path]:
    """Leave out the files that a rollup among them replaces, as `bronze.live` does; keep the order.

    Compaction asks for the same files several times.
    """
    found = list(paths)
    gone = {old for path in found if is_rollup(path) for old in _replaces(path)}
    return [path for path in found if path not in gone]


def remove_replaced(paths: Iterable[Path], now_s: float, *, keep_s: float = _KEEP_OLD_S) -> int:
    """Delete files that a rollup replaced long enough ago; return how many."""
    count = 0
    for rollup in filter(is_rollup, paths):
        if now_s - rollup.stat().st_mtime < keep_s:
            continue
        for old in replaces(rollup):
            if old.exists():
                old.unlink()
                count += 1
            shard_folder = old.parent
            is_own = shard_folder != rollup.parent and shard_folder.is_dir()
            if is_own and not any(shard_folder.iterdir()):  # the pages of a run stay
                shard_folder.rmdir()
    return count
