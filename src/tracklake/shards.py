"""The columns of bronze's typed shards: what compact reads, as Arrow schemas.

Every shard starts with the same five columns. Nested lists keep what belongs to one record in one
row, so that a record is applied whole or not at all.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa

from tracklake import service_shards
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


def _floats(names: str) -> list[pa.Field]:
    return [pa.field(name, pa.float64()) for name in names.split()]


def _integers(names: str) -> list[pa.Field]:
    return [pa.field(name, pa.int64()) for name in names.split()]


def _strings(names: str) -> list[pa.Field]:
    return [pa.field(name, pa.string()) for name in names.split()]


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
        pa.field("visibility", pa.string()),
        pa.field("start_hidden", pa.bool_()),
        pa.field("flagged", pa.bool_()),
        *_integers("workout_type kudos_count comment_count athlete_count photo_count"),
        *_integers("achievement_count pr_count"),
        pa.field("suffer_score", pa.float64()),
        pa.field("weighted_average_watts", pa.float64()),
        pa.field("kilojoules", pa.float64()),
        pa.field("device_watts", pa.bool_()),
        pa.field("upload_id", pa.int64()),
        pa.field("facts_hash", pa.string()),  # of what the source's details depend on
        pa.field("track_hash", pa.string()),  # of what its points depend on; empty: it has none
        pa.field("is_stub", pa.bool_()),  # says only that another service has it
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
        pa.field("nickname", pa.string()),
        pa.field("distance_m", pa.float64()),
        pa.field("is_retired", pa.bool_()),
        pa.field("is_primary", pa.bool_()),
    ]
)

# What a fetch about one activity brought: `wanted_hash` says which version of the listed record it
# was fetched for, `outcome` done, all_efforts, none (the source has nothing of it) or gone.
_FETCHED = [
    *FRONT,
    pa.field("record_id", pa.int64(), nullable=False),
    pa.field("wanted_hash", pa.string(), nullable=False),
    pa.field("outcome", pa.string(), nullable=False),
]

_LAP = [
    pa.field("lap_index", pa.int64()),
    pa.field("start_s", pa.float64()),  # UNIX seconds
    *_floats("distance elapsed_time moving_time average_speed max_speed total_elevation_gain"),
    *_floats("average_heartrate max_heartrate average_cadence average_watts"),
]
_SPLIT = [
    pa.field("split_index", pa.int64()),
    *_floats("distance_m elapsed_time_seconds moving_time_seconds average_speed"),
    *_floats("elevation_difference average_heartrate"),
    pa.field("pace_zone", pa.int64()),
]
_DISTANCE_EFFORT = [
    pa.field("name", pa.string()),
    *_floats("distance_m elapsed_time moving_time start_s"),
    *_integers("start_index end_index pr_rank"),
]
_SEGMENT_EFFORT = [
    *_integers("effort_id segment_id"),
    pa.field("name", pa.string()),
    *_floats("start_s elapsed_time moving_time distance"),
    *_integers("start_index end_index"),
    *_floats("average_heartrate max_heartrate average_cadence average_watts"),
    pa.field("device_watts", pa.bool_()),
    *_integers("pr_rank kom_rank"),
    pa.field("hidden", pa.bool_()),
    *_floats("segment_distance average_grade maximum_grade elevation_high elevation_low"),
    pa.field("climb_category", pa.int64()),
    *_strings("city state country"),
]
ACTIVITY_DETAILS = pa.schema(
    [
        *_FETCHED,
        *_strings("description private_note device_name gear_id gear_name embed_token polyline"),
        *_floats("calories perceived_exertion"),
        *_integers("kudos_count comment_count photo_count"),
        pa.field("hide_from_home", pa.bool_()),
        pa.field("all_efforts", pa.bool_()),
        pa.field("available_zones", pa.list_(pa.string())),
        pa.field("laps", pa.list_(pa.struct(_LAP))),
        pa.field("splits_metric", pa.list_(pa.struct(_SPLIT))),
        pa.field("splits_standard", pa.list_(pa.struct(_SPLIT))),
        pa.field("best_efforts", pa.list_(pa.struct(_DISTANCE_EFFORT))),
        pa.field("segment_efforts", pa.list_(pa.struct(_SEGMENT_EFFORT))),
    ]
)

ACTIVITY_STREAMS = pa.schema(
    [
        *_FETCHED,
        pa.field("stream_key", pa.int64()),
        pa.field("start_s", pa.float64()),  # UNIX seconds
        pa.field("point_count", pa.int64(), nullable=False),
        pa.field("has_track", pa.bool_(), nullable=False),
        *_strings("file_sha256 summary_polyline"),  # the original they were read from, unpacked
        *_floats("start_lat start_lng end_lat end_lng"),  # where that says it was
        pa.field("channels", pa.list_(pa.string())),
        pa.field("best_efforts", pa.list_(pa.struct(_fields(BestEffort)))),
    ]
)

_DECISION = [*_strings("kind first_record second_record"), FRONT[3].with_name("decided_at")]
_ZONE = [
    pa.field("zone_type", pa.string()),
    pa.field("zone_index", pa.int32()),
    *_floats("zone_min zone_max time_s"),
    pa.field("sensor_based", pa.bool_()),
    pa.field("custom_zones", pa.bool_()),
]
ACTIVITY_ZONES = pa.schema([*_FETCHED, pa.field("zones", pa.list_(pa.struct(_ZONE)))])

ACTIVITY_TOMBSTONES = pa.schema(
    [
        *FRONT,
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)

WEATHER = pa.schema(
    [
        *FRONT,
        pa.field("service", pa.string(), nullable=False),
        *_floats("cell_lat cell_lng"),
        pa.field("hour_utc", pa.timestamp("us", tz="UTC"), nullable=False),
        *_floats("temperature_celsius feels_like_celsius humidity_percent pressure_hpa"),
        *_floats("wind_speed_ms wind_direction_degrees precipitation_mm cloud_cover_percent"),
        *_floats("visibility_meters uv_index"),
        *_integers("weather_code"),
        pa.field("is_final", pa.bool_(), nullable=False),
        pa.field("fetched_at", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)

PLACES = pa.schema(
    [
        *FRONT,  # source_id = the cell
        pa.field("method", pa.string(), nullable=False),
        pa.field("lat_e3", pa.int64(), nullable=False),
        pa.field("lng_e3", pa.int64(), nullable=False),
        *_strings("city state country country_code"),
        pa.field("distance_km", pa.float64()),
        *_strings("time_zone dataset_version"),
    ]
)

SCHEMAS = {
    "activities": ACTIVITIES,
    "activity_details": ACTIVITY_DETAILS,
    "activity_streams": ACTIVITY_STREAMS,
    "activity_zones": ACTIVITY_ZONES,
    "activity_tombstones": ACTIVITY_TOMBSTONES,
    "match_decisions": pa.schema([*FRONT, *_DECISION]),
    "activity_intervals": pa.schema([*_FETCHED, *service_shards.INTERVALS]),
    "wellness": pa.schema([*FRONT, *service_shards.WELLNESS]),
    "stats": pa.schema([*FRONT, *service_shards.STATS]),
    "original_files": ORIGINAL_FILES,
    "gear": GEAR,
    "weather": WEATHER,
    "places": PLACES,
}

_STAMPED = {"ingested_at", "content_hash", "stream_key"}


def row_hash(row: dict[str, object]) -> str:
    """Hash a row's content: what it says, not when it was landed."""
    return content_hash({name: value for name, value in row.items() if name not in _STAMPED})


def table(entity: str, rows: list[dict[str, object]], ingested_at: dt.datetime) -> pa.Table:
    """Make a shard's table: each row gets its stamp and, unless it knows that of what was received,
    the hash of its content.

    A list of structs may come by column, in an object that has `columns`.
    """
    schema = SCHEMAS[entity]
    columns: dict[str, list[object]] = {
        name: [row.get(name) for row in rows] for name in schema.names
    }
    columns["ingested_at"] = [ingested_at] * len(rows)
    columns["content_hash"] = [row.get("content_hash") or row_hash(row) for row in rows]
    arrays = [_array(columns[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if not any(hasattr(value, "columns") for value in values):
        return pa.array(values, type=kind)
    shape = kind.value_type
    found = [_by_column(value, shape) for value in values if value]
    columns = [
        pa.array(list(chain.from_iterable([one[field.name] for one in found])), field.type)
        for field in shape
    ]
    ends = accumulate((len(value or ()) for value in values), initial=0)
    is_null = pa.array([value is None for value in values])
    structs = pa.StructArray.from_arrays(columns, fields=list(shape))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), structs, type=kind, mask=is_null)


def _by_column(rows: Any, shape: pa.DataType) -> Mapping[str, Sequence[object]]:  # noqa: ANN401 by column, or as rows
    if hasattr(rows, "columns"):
        columns: Mapping[str, Sequence[object]] = rows.columns
        return columns
    return {field.name: [row.get(field.name) for row in rows] for field in shape}
