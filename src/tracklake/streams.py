"""Points and geometry outside the warehouse file: Parquet, long, one row a point or a track.

data/streams/athlete=<a>/<stamp>-<hash>.parquet and data/tracks/athlete=<a>/<stamp>-<hash>.parquet;
what services sent lies below source=<s>/ in each, so that it can be forgotten by itself. Rows are
tied to an activity by `stream_key`, which each landing of a record makes anew, so rows that a
killed or repeated run left behind belong to nothing and are never seen.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from tracklake import landing
from tracklake.model import POINT_COLUMNS, Outline, Shaped

_ROW_GROUP = 100_000
# Columns whose values repeat; trying dictionaries on the others costs a third of the writing.
_REPEATING = ("stream_key", "heartrate_bpm", "cadence_rpm", "power_w", "temperature_c", "moving")

POINTS = pa.schema(
    [
        pa.field("stream_key", pa.int64(), nullable=False),
        pa.field("point_index", pa.int32(), nullable=False),
        pa.field("time_s", pa.float64()),
        *(pa.field(name, pa.float64()) for name in POINT_COLUMNS[1:]),
        pa.field("moving", pa.bool_()),
        pa.field("grade_pct", pa.float64()),
    ]
)

TRACKS = pa.schema(
    [
        pa.field("stream_key", pa.int64(), nullable=False),
        pa.field("track_hash", pa.string(), nullable=False),
        pa.field("wkb", pa.binary(), nullable=False),  # MultiLineString, lng lat
    ]
)


def points_batch(stream_key: int, shaped: Shaped | Outline) -> pa.RecordBatch:
    """Turn one activity's points into rows; NaN becomes NULL, time counts from the start."""
    count = len(shaped.points)
    columns = [
        pa.array(np.full(count, stream_key)),
        pa.array(np.arange(count, dtype=np.int32)),
        pa.array(shaped.points.timestamp_s - shaped.start_s, from_pandas=True),
        *(pa.array(getattr(shaped.points, name), from_pandas=True) for name in POINT_COLUMNS[1:]),
        pa.array(shaped.moving),
        pa.array(shaped.grade_pct, from_pandas=True),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=POINTS)


def track_row(stream_key: int, shaped: Shaped | Outline) -> dict[str, object]:
    """Turn one activity's geometry into a row."""
    line = shapely.MultiLineString([np.asarray(segment) for segment in shaped.track])
    wkb = shapely.to_wkb(line, byte_order=1)
    return {
        "stream_key": stream_key,
        "track_hash": hashlib.sha256(wkb).hexdigest()[:16],
        "wkb": wkb,
    }


def _write(folder: Path, name: str, table: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    repeating = [name for name in _REPEATING if name in table.schema.names]
    pq.write_table(
        table, sink, compression="zstd", row_group_size=_ROW_GROUP, use_dictionary=repeating
    )
    data = sink.getvalue().to_pybytes()
    path = folder / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}.parquet"
    landing.write(path, data)
    return path.name


def write_part(
    streams: Path, tracks: Path, name: str, activities: Sequence[tuple[int, Shaped | Outline]]
) -> None:
    """Land the points and tracks of some activities as one file each; `streams` and `tracks` are an
    athlete's folders, `name` the run's stamp and part; sorted by key, so that one is found fast.
    """
    ordered = sorted(activities, key=lambda pair: pair[0])
    batches = [points_batch(key, shaped) for key, shaped in ordered if len(shaped.points)]
    if batches:
        _write(streams, name, pa.Table.from_batches(batches))
    rows = [track_row(key, shaped) for key, shaped in ordered if shaped.track]
    if rows:
        _write(tracks, name, pa.Table.from_pylist(rows, schema=TRACKS))


def parts(folder: Path) -> list[Path]:
    """List the Parquet files below a folder; hidden ones are being written, or not ours."""
    return [path for path in sorted(folder.rglob("*.parquet")) if not path.name.startswith(".")]


def ensure_readable(streams: Path, tracks: Path) -> None:
    """Land an empty file in each folder, so that the views over them always answer."""
    for folder, schema in ((streams, POINTS), (tracks, TRACKS)):
        path = folder / "empty.parquet"
        if not path.exists() or not _is_empty_one(path, schema):
            with landing.landing(path) as temporary:
                pq.write_table(schema.empty_table(), temporary)


def _is_empty_one(path: Path, schema: pa.Schema) -> bool:
    try:
        return bool(pq.read_table(path, partitioning=None).schema.equals(schema))
    except (pa.ArrowException, OSError, ValueError):
        return False
