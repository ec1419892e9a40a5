"""The columns of bronze's typed shards: what compact reads, as Arrow schemas.

Every shard starts with the same five columns. Nested lists keep what belongs to one record in one
row, so that a record is applied whole or not at all.
"""

import dataclasses
import datetime as dt

import pyarrow as pa

from tracklake.identity import content_hash
from tracklake.model import Activity, ActivityLap, BestEffort, Split

FRONT = [
    pa.field("source", pa.string(), nullable=False),
    pa.field("athlete", pa.string(), nullable=False),
    pa.field("source_id", pa.string(), nullable=False),
    pa.field("ingested_at", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("content_hash", pa.string(), nullable=False),
]

_TYPES = {
    "int": pa.int64(),
    "float": pa.float64(),
    "str": pa.string(),
    "bool": pa.bool_(),
    "Literal['distance', 'power']": pa.string(),
}


def _fields(shape: type, nested: dict[str, pa.DataType] | None = None) -> list[pa.Field]:
    """Derive the columns from a dataclass of model.py, so that each is written down once."""
    fields = []
    for field in dataclasses.fields(shape):
        name = str(field.type).removesuffix(" | None").replace('"', "'")
        kind = (nested or {}).get(field.name) or _TYPES[name]
        fields.append(pa.field(field.name, kind))
    return fields


ACTIVITIES = pa.schema(
    [
        *FRONT,
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("parent_record_id", pa.int64()),
        pa.field("stream_key", pa.int64()),  # its rows in data/streams and data/tracks
        pa.field("file_sha256", pa.string()),  # the decoded file's content, unpacked
        pa.field("strava_id", pa.int64()),
        pa.field("external_id", pa.string()),
        pa.field("gear_id", pa.string()),
        pa.field("commute", pa.bool_()),
        pa.field("manual", pa.bool_()),
        pa.field("file_format", pa.string()),
        pa.field("problems", pa.list_(pa.string())),
        *_fields(
            Activity,
            {
                "laps": pa.list_(pa.struct(_fields(ActivityLap))),
                "splits_metric": pa.list_(pa.struct(_fields(Split))),
                "splits_standard": pa.list_(pa.struct(_fields(Split))),
                "best_efforts": pa.list_(pa.struct(_fields(BestEffort))),
            },
        ),
    ]
)

ORIGINAL_FILES = pa.schema(
    [
        *FRONT,  # source_id = sha256 of the file as it came
        pa.field("file_sha256", pa.string(), nullable=False),  # of its content, unpacked
        pa.field("size_bytes", pa.int64(), nullable=False),
        pa.field("file_format", pa.string()),
        pa.field("location", pa.string(), nullable=False),  # below the data folder
        pa.field("seen_as", pa.string(), nullable=False),  # path, members of archives after "!"
        pa.field("outcome", pa.string(), nullable=False),  # activity, not_activity, quarantined
        pa.field("decoder_version", pa.string(), nullable=False),
        pa.field("message", pa.string()),
    ]
)

GEAR = pa.schema(
    [
        *FRONT,
        pa.field("gear_id", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("kind", pa.string()),  # bike, shoes
        pa.field("brand", pa.string()),
        pa.field("model", pa.string()),
    ]
)

SCHEMAS = {"activities": ACTIVITIES, "original_files": ORIGINAL_FILES, "gear": GEAR}

_STAMPED = {"ingested_at", "content_hash", "stream_key"}


def row_hash(row: dict[str, object]) -> str:
    """Hash a row's content: what it says, not when it was landed."""
    return content_hash({name: value for name, value in row.items() if name not in _STAMPED})


def table(entity: str, rows: list[dict[str, object]], ingested_at: dt.datetime) -> pa.Table:
    """Make a shard's table: each row gets its stamp and the hash of its content."""
    stamped = [{**row, "ingested_at": ingested_at, "content_hash": row_hash(row)} for row in rows]
    return pa.Table.from_pylist(stamped, schema=SCHEMAS[entity])
