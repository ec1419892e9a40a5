"""From intervals.icu's JSON to bronze's rows: the intervals of an activity. Pure."""

from typing import Any

from tracklake.errors import InvalidData
from tracklake.identity import content_hash
from tracklake.intervals.records import SOURCE
from tracklake.json_reader import Reader, sound
from tracklake.json_text import parse
from tracklake.upstream.listed import identified

ENTITY = "activity_intervals"

_SAME_NAMES = (
    *("elapsed_time", "moving_time", "distance", "average_speed", "max_speed"),
    *("average_heartrate", "max_heartrate", "average_cadence", "average_watts", "max_watts"),
    *("weighted_average_watts", "total_elevation_gain", "training_load"),
)


def row(athlete: str, source_id: str, status: int, body: bytes) -> dict[str, object]:
    """Read an answer; any but 200 says that there are none. InvalidData if it cannot be read."""
    found = identified(SOURCE, athlete, source_id)
    if status != 200:
        return {**found, "outcome": "none", "content_hash": "none", "intervals": []}
    try:
        told = sound(parse(body))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        said = f"the intervals of activity {source_id} are no object"
        raise InvalidData(said, reason="no_intervals")
    parts = enumerate(Reader(told).objects("icu_intervals"), start=1)
    return {
        **found,
        "outcome": "done",
        "content_hash": content_hash(told),
        "intervals": [_interval(number, part) for number, part in parts],
    }


def _interval(number: int, part: Reader) -> dict[str, Any]:
    return {
        "interval_index": number,
        "kind": part.text("type"),
        "label": part.text("label"),
        "group_id": part.text("group_id"),
        "start_offset_s": part.number("start_time"),
        "end_offset_s": part.number("end_time"),
        **{name: part.number(name) for name in _SAME_NAMES},
        "intensity_percent": part.number("intensity"),
        "decoupling_percent": part.number("decoupling"),
        "zone_index": part.small("zone"),
        "start_index": part.small("start_index"),
        "end_index": part.small("end_index"),
    }
