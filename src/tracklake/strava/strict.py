"""A DetailedActivity read strictly, from bytes to columns in one pass: a quarter of what facts.py
costs, which reads leniently what does not pass here. Nearly all that Strava sends passes. Pure.

Both give the same row for what passes: fields and their types stand here once more, so that the
parser (jiter, in pydantic-core) checks them, and makes no object of what nobody reads.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core import core_schema as schemas

from tracklake.strava.records import identified

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NUL = re.compile(rb"\\u0000")  # the only way to write it that JSON allows

_NUMBER = schemas.float_schema(strict=True, allow_inf_nan=False)
_WHOLE = schemas.int_schema(strict=True, ge=1 - 2**63, le=2**63 - 1)
_SMALL = schemas.int_schema(strict=True, ge=1 - 2**31, le=2**31 - 1)
_ID = schemas.int_schema(strict=True, ge=1, le=2**63 - 1)
_TEXT = schemas.str_schema(strict=True)
_TRUTH = schemas.bool_schema(strict=True)

Items = Sequence[dict[str, Any]]
Columns = dict[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one shape as columns, all equally long; they come out as rows when iterated."""

    columns: Columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __iter__(self) -> Iterator[dict[str, object]]:
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, values, strict=True))

    def once(self, key: str) -> "Rows":
        """Keep one row of each key, the last, and those that have one."""
        keys = self.columns[key]
        kept = {value: index for index, value in enumerate(keys) if value is not None}
        if len(kept) == len(keys):
            return self
        order = list(kept.values())
        return Rows({name: [column[i] for i in order] for name, column in self.columns.items()})


class _Shape:
    """Objects whose fields become columns: (field, type, column); other fields are passed over."""

    def __init__(self, *fields: tuple[str, CoreSchema, str]) -> None:
        kinds = {field: kind for field, kind, _ in fields}
        self.schema = _object(kinds)
        self.empty: dict[str, Any] = dict.fromkeys(kinds)
        self._names = [column for _, _, column in fields]
        self._pick = itemgetter(*kinds)

    def columns(self, items: Iterable[dict[str, Any]]) -> Columns:
        """Turn objects that were found to be of this shape into columns."""
        found = list(zip(*map(self._pick, items), strict=True))
        return dict(zip(self._names, found or [()] * len(self._names), strict=True))


def _object(kinds: dict[str, CoreSchema]) -> CoreSchema:
    """Describe an object; a field that lacks or is null will be None."""
    return schemas.typed_dict_schema(
        {
            name: schemas.typed_dict_field(
                schemas.with_default_schema(schemas.nullable_schema(kind), default=None)
            )
            for name, kind in kinds.items()
        },
        extra_behavior="ignore",
    )


def _named(names: str, kind: CoreSchema) -> Iterator[tuple[str, CoreSchema, str]]:
    """Describe fields whose columns bear their names."""
    return ((name, kind, name) for name in names.split())


_LAP = _Shape(
    ("lap_index", _SMALL, "lap_index"),
    ("start_date", _TEXT, "start_s"),
    *_named("distance elapsed_time moving_time average_speed max_speed", _NUMBER),
    *_named("total_elevation_gain average_heartrate max_heartrate average_cadence", _NUMBER),
    *_named("average_watts", _NUMBER),
)
_SPLIT = _Shape(
    ("split", _SMALL, "split_index"),
    ("distance", _NUMBER, "distance_m"),
    ("elapsed_time", _NUMBER, "elapsed_time_seconds"),
    ("moving_time", _NUMBER, "moving_time_seconds"),
    *_named("average_speed elevation_difference average_heartrate", _NUMBER),
    ("pace_zone", _SMALL, "pace_zone"),
)
_BEST_EFFORT = _Shape(
    ("name", _TEXT, "name"),
    ("distance", _NUMBER, "distance_m"),
    *_named("elapsed_time moving_time", _NUMBER),
    ("start_date", _TEXT, "start_s"),
    *_named("start_index end_index pr_rank", _SMALL),
)
_SEGMENT = _Shape(
    ("id", _WHOLE, "segment_id"),
    ("name", _TEXT, "name"),
    ("distance", _NUMBER, "segment_distance"),
    *_named("average_grade maximum_grade elevation_high elevation_low", _NUMBER),
    ("climb_category", _SMALL, "climb_category"),
    *_named("city state country", _TEXT),
)
_SEGMENT_EFFORT = _Shape(
    ("id", _WHOLE, "effort_id"),
    ("segment", _SEGMENT.schema, "segment"),
    ("name", _TEXT, "name"),
    ("start_date", _TEXT, "start_s"),
    *_named("elapsed_time moving_time distance average_heartrate max_heartrate", _NUMBER),
    *_named("average_cadence average_watts", _NUMBER),
    *_named("device_watts hidden", _TRUTH),
    *_named("start_index end_index pr_rank kom_rank", _SMALL),
)
_TOLD = {
    **dict.fromkeys(
        ("description", "private_note", "device_name", "gear_id", "embed_token"), _TEXT
    ),
    **dict.fromkeys(("calories", "perceived_exertion"), _NUMBER),
    **dict.fromkeys(("kudos_count", "comment_count"), _WHOLE),
    "hide_from_home": _TRUTH,
    "available_zones": schemas.list_schema(_TEXT, strict=True),
}
_DETAIL = SchemaValidator(
    _object(
        {
            "id": _ID,
            **_TOLD,
            "gear": _object({"name": _TEXT}),
            "map": _object({"polyline": _TEXT}),
            "photos": _object({"count": _WHOLE}),
            "laps": schemas.list_schema(_LAP.schema, strict=True),
            "splits_metric": schemas.list_schema(_SPLIT.schema, strict=True),
            "splits_standard": schemas.list_schema(_SPLIT.schema, strict=True),
            "best_efforts": schemas.list_schema(_BEST_EFFORT.schema, strict=True),
            "segment_efforts": schemas.list_schema(_SEGMENT_EFFORT.schema, strict=True),
        }
    )
)


def detail(body: bytes, athlete: str, *, all_efforts: bool) -> dict[str, object] | None:
    """Read what facts.detail reads, but for its hash, the lists as Rows; None if facts.py must."""
    if _NUL.search(body):
        return None
    try:
        found = _DETAIL.validate_json(body)
        return None if found["id"] is None else _row(found, athlete, all_efforts=all_efforts)
    except (ValueError, TypeError, OverflowError):  # not as usual, or a time without a zone
        return None


def _row(found: dict[str, Any], athlete: str, *, all_efforts: bool) -> dict[str, object]:
    return {
        **identified(athlete, str(found["id"])),
        "outcome": "all_efforts" if all_efforts else "done",
        "all_efforts": all_efforts,
        **{name: found[name] for name in _TOLD},
        "gear_name": (found["gear"] or {}).get("name"),
        "photo_count": (found["photos"] or {}).get("count"),
        "polyline": (found["map"] or {}).get("polyline"),
        "laps": _laps(found["laps"] or ()),
        "splits_metric": _splits(found["splits_metric"] or ()),
        "splits_standard": _splits(found["splits_standard"] or ()),
        "best_efforts": _best_efforts(found["best_efforts"] or ()),
        "segment_efforts": _segment_efforts(found["segment_efforts"] or ()),
    }


def _laps(laps: Items) -> Rows:
    columns = _LAP.columns(laps)
    columns["lap_index"] = _or_numbered(columns["lap_index"])
    columns["start_s"] = _moments(columns["start_s"])
    return Rows(columns).once("lap_index")


def _splits(splits: Items) -> Rows:
    columns = _SPLIT.columns(splits)
    columns["split_index"] = _or_numbered(columns["split_index"])
    return Rows(columns).once("split_index")


def _or_numbered(indexes: Sequence[int | None]) -> list[int]:
    return [index or number for number, index in enumerate(indexes, start=1)]


def _best_efforts(efforts: Items) -> Rows:
    columns = _BEST_EFFORT.columns(efforts)
    columns["start_s"] = _moments(columns["start_s"])
    return Rows(columns).once("name")


def _segment_efforts(efforts: Items) -> Rows:
    columns = _SEGMENT_EFFORT.columns(efforts)
    segments = _SEGMENT.columns(one or _SEGMENT.empty for one in columns.pop("segment"))
    names = zip(columns["name"], segments["name"], strict=True)
    columns = segments | columns
    columns["name"] = [own or the_segments for own, the_segments in names]
    columns["start_s"] = _moments(columns["start_s"])
    return Rows(columns).once("effort_id")


def _moments(texts: Iterable[str | None]) -> list[float | None]:
    """Read times as UNIX seconds; ValueError or TypeError for one that values.py must read."""
    return [None if text is None else _moment_s(text) for text in texts]


def _moment_s(text: str) -> float:
    if ":60" in text:
        raise ValueError(text)
    return (dt.datetime.fromisoformat(text) - _EPOCH).total_seconds()
