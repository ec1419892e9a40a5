"""What is made of points and geometry once and kept in gold, for models that need all of them.

Time at each heart rate and power, normalised power, tiles touched. Made here, in compaction, from
the Parquet files, and not where points are written: so what landed before there was such a thing
has it too, and nothing has to be decoded again when a rule changes. The cost follows what is new:
only keys that gold does not have yet are read, and files are searched from the newest on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from pathlib import Path

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from tracklake.analysis.explorer import exploration, touched_tiles
from tracklake.analysis.stream_facts import stream_facts
from tracklake.incoming import literal

_AT_ONCE = 100  # activities entered by one statement: its text is some MB
_POINT_COLUMNS = ["stream_key", "time_s", "heartrate_bpm", "power_w"]
_FACTS = {
    "stream_key": "BIGINT",
    "heartrate_bpm": ["INTEGER"],
    "heartrate_time_s": ["DOUBLE"],
    "sustained_heartrate_bpm": "INTEGER",
    "power_w": ["INTEGER"],
    "power_time_s": ["DOUBLE"],
    "power_recorded_s": "DOUBLE",
    "normalized_power_w": "DOUBLE",
    "best_2h_w": "DOUBLE",
    "best_3h_w": "DOUBLE",
    "best_4h_w": "DOUBLE",
}
_TILES = {"track_key": "BIGINT", "tile_x": "INTEGER", "tile_y": "INTEGER"}
_SUMMARY = {
    "athlete": "VARCHAR",
    "tile_count": "BIGINT",
    "square_side": "BIGINT",
    "square_tile_x": "INTEGER",
    "square_tile_y": "INTEGER",
    "cluster_size": "BIGINT",
    "cluster_tile_x": "INTEGER",
    "cluster_tile_y": "INTEGER",
    "tiles_hash": "UBIGINT",
}
Row = tuple[object, ...]


def bring_up(
    connection: duckdb.DuckDBPyConnection, stream_files: Sequence[str], track_files: Sequence[str]
) -> None:
    """Bring what is kept of points and geometry up to date with gold.

    The files are those that are live now. What belongs to no activity any more is removed.
    """
    connection.execute("begin")
    try:
        wanted = _missing(connection, "stream_facts", "stream_key")
        _enter(connection, "stream_facts", _FACTS, _facts(stream_files, wanted))
        wanted = _missing(connection, "track_tiles", "track_key")
        _enter(connection, "track_tiles", _TILES, _tiles(track_files, wanted))
        _explore(connection)
        connection.execute("commit")
    except BaseException:  # a signal too: half a transaction must not stay open
        connection.execute("rollback")
        raise


def _missing(connection: duckdb.DuckDBPyConnection, table: str, key: str) -> set[int]:
    """Remove rows whose activity is gone; return the keys of those that have none yet."""
    connection.execute(
        f"delete from {table} where {key} not in "  # noqa: S608 our own names
        f"(select {key} from activity_points where {key} is not null)"
    )
    rows = connection.execute(
        f"select {key} from activity_points where {key} is not null "  # noqa: S608 our own names
        f"and {key} not in (select {key} from {table})"
    )
    return {key for (key,) in rows.fetchall()}


def _enter(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, object],
    rows: Iterable[Row],
) -> None:
    """Insert rows, some at a time; as JSON, because DuckDB imports 25 MB to look at Arrow."""
    waiting = iter(rows)
    shape = orjson.dumps([columns]).decode()
    while some := list(islice(waiting, _AT_ONCE)):
        told = literal(
            orjson.dumps([dict(zip(columns, row, strict=True)) for row in some]).decode()
        )
        connection.execute(
            f"insert into {table} by name "  # noqa: S608 our own names, quoted
            f"select r.* from (select unnest(from_json({told}, {literal(shape)})) as r)"
        )


def _facts(files: Sequence[str], wanted: set[int]) -> Iterator[Row]:
    for key, points in _found(files, _POINT_COLUMNS, wanted):
        time_s, heartrate, power = (
            np.asarray(points[name].to_numpy(), dtype=np.float64) for name in _POINT_COLUMNS[1:]
        )
        facts = stream_facts(time_s, heartrate, power)
        yield (
            key,
            facts.heartrate.values,
            facts.heartrate.seconds,
            facts.sustained_heartrate_bpm,
            facts.power.values,
            facts.power.seconds,
            facts.power_recorded_s,
            facts.normalized_power_w,
            *facts.long_powers_w,
        )


def _tiles(files: Sequence[str], wanted: set[int]) -> Iterator[Row]:
    for key, tracks in _found(files, ["stream_key", "wkb"], wanted):
        touched = set()
        for line in shapely.get_parts(shapely.from_wkb(tracks["wkb"].to_pylist())):
            touched |= touched_tiles(*shapely.get_coordinates(line).T)
        for x, y in sorted(touched):
            yield key, x, y


def _found(
    files: Sequence[str], columns: list[str], wanted: set[int]
) -> Iterator[tuple[int, pa.Table]]:
    """Yield the rows of each wanted key; the newest files first, no further than needed.

    Files are sorted by key, and each key is in one of them.
    """
    left = set(wanted)
    for path in sorted(files, key=lambda name: Path(name).name, reverse=True):
        if not left:
            return
        if Path(path).exists():  # one that is lost is what a deep check reports
            for key, rows in _by_key(path, columns, left):
                left.discard(key)
                yield key, rows


def _by_key(path: str, columns: list[str], wanted: set[int]) -> Iterator[tuple[int, pa.Table]]:
    """Yield the rows of each wanted key of one file, of which one group of rows is in memory."""
    keys = np.asarray(sorted(wanted), dtype=np.int64)
    tail: list[tuple[int, pa.Table]] = []
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            if not _may_hold(file.metadata.row_group(group), keys):
                continue
            held = file.read_row_group(group, columns=["stream_key"], use_threads=False)
            if not np.isin(held["stream_key"].to_numpy(), keys).any():
                continue
            rows = file.read_row_group(group, columns=columns, use_threads=False)
            *whole, last = _split(pa.concat_tables([*(old for _, old in tail), rows]))
            tail = [last]  # it may go on in the next group
            yield from (one for one in whole if one[0] in wanted)
    yield from (one for one in tail if one[0] in wanted)


def _may_hold(group: pq.RowGroupMetaData, keys: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
    statistics = group.column(0).statistics
    if not group.num_rows or statistics is None or not statistics.has_min_max:
        return bool(group.num_rows)
    first, last = np.searchsorted(keys, [statistics.min, statistics.max])
    return bool(first < len(keys) and (last > first or keys[first] == statistics.max))


def _split(rows: pa.Table) -> list[tuple[int, pa.Table]]:
    """Return each key with its rows, in order; plain slices, as filtering loads all of Arrow."""
    keys = rows["stream_key"].to_numpy()
    edges = [0, *(np.flatnonzero(np.diff(keys)) + 1).tolist(), len(rows)]
    return [(int(keys[a]), rows.slice(a, b - a)) for a, b in pairwise(edges)]


# Of one number for each tile: hashes of two columns cancel each other out over a block of 2 × 2.
_TILES_HASH = "bit_xor(hash(tile_x::bigint * 16384 + tile_y))"


def _explore(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring each athlete's square and cluster up to date where the set of tiles is another."""
    connection.execute(
        "delete from explorer_summary as s where not exists (from "  # noqa: S608 our own text
        f"(select athlete, {_TILES_HASH} as tiles_hash from explorer_tiles "
        "group by athlete) as t where t.athlete = s.athlete and t.tiles_hash = s.tiles_hash)"
    )
    changed = connection.execute(
        f"select athlete, count(*), {_TILES_HASH} from explorer_tiles "  # noqa: S608 our own text
        "where athlete not in (select athlete from explorer_summary) group by athlete"
    ).fetchall()
    rows = [
        (athlete, count, *_explored(_visited(connection, athlete)), tiles_hash)
        for athlete, count, tiles_hash in changed
    ]
    _enter(connection, "explorer_summary", _SUMMARY, rows)


def _visited(connection: duckdb.DuckDBPyConnection, athlete: str) -> list[tuple[int, int]]:
    name = literal(athlete)
    query = f"select tile_x, tile_y from explorer_tiles where athlete = {name}"  # noqa: S608 quoted
    return connection.execute(query).fetchall()


def _explored(tiles: list[tuple[int, int]]) -> Row:
    found = exploration(tiles)
    nowhere = (None, None)
    return (
        found.square_side,
        *(found.square_at or nowhere),
        found.cluster_size,
        *(found.cluster_at or nowhere),
    )
