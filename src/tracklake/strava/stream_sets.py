"""From Strava's streams to columns of points: equal lengths, NaN where nothing was recorded. Pure.

https://developers.strava.com/docs/reference/#api-models-StreamSet
"""

import dataclasses
from typing import Any

import numpy as np

from tracklake.analysis import shape
from tracklake.analysis.columns import fitted, numbers, placed
from tracklake.errors import InvalidData
from tracklake.model import BoolArray, FloatArray, Outline, Points

KEYS = (
    "time distance latlng altitude velocity_smooth heartrate cadence watts temp moving grade_smooth"
)

_LONGEST_S = 10 * 366 * 86_400.0  # a time beyond that is none

_COLUMNS = {
    "distance": "distance_m",
    "altitude": "altitude_m",
    "velocity_smooth": "velocity_mps",
    "heartrate": "heartrate_bpm",
    "cadence": "cadence_rpm",
    "watts": "power_w",
    "temp": "temperature_c",
}


@dataclasses.dataclass(frozen=True, slots=True)
class StreamSet:
    """Points of one activity. moving, grade_pct: None where Strava sent none."""

    points: Points
    moving: BoolArray | None
    grade_pct: FloatArray | None
    channels: tuple[str, ...]

    def outline(self, sport_type: str, start_s: float) -> Outline:
        """Return the points as Strava sent them, with what is computed from them."""
        computed = shape.outline(self.points, sport_type, start_s)
        return dataclasses.replace(
            computed,
            moving=computed.moving if self.moving is None else self.moving,
            grade_pct=computed.grade_pct if self.grade_pct is None else self.grade_pct,
        )


def decode(body: Any, start_s: float) -> StreamSet:  # noqa: ANN401 any JSON
    """Read an answer, keyed by type or a list; InvalidData if it says nothing of time."""
    data = _by_type(body)
    time_s = numbers(data.get("time", []))
    time_s[np.abs(time_s) > _LONGEST_S] = np.nan
    known = np.flatnonzero(~np.isnan(time_s))
    if len(known) == 0:
        if any(data.values()):
            raise InvalidData("streams without their times", reason="no_time")
        return StreamSet(Points.empty(), None, None, ())
    _, first = np.unique(start_s + time_s[known], return_index=True)
    order = known[first]  # ascending, each moment once
    columns = {
        column: fitted(numbers(data[name]), order)
        for name, column in _COLUMNS.items()
        if name in data
    }
    if "latlng" in data:
        columns["lat"], columns["lng"] = _positions(data["latlng"], order)
    points = Points.of(len(order), timestamp_s=start_s + time_s[order], **columns)
    moving = fitted(numbers(data["moving"]), order) if "moving" in data else None
    grade = fitted(numbers(data["grade_smooth"]), order) if "grade_smooth" in data else None
    return StreamSet(
        points, None if moving is None else np.nan_to_num(moving) > 0, grade, tuple(sorted(data))
    )


def _by_type(body: Any) -> dict[str, list[Any]]:  # noqa: ANN401 any JSON
    named = body
    if isinstance(body, list):
        named = {str(one.get("type")): one for one in body if isinstance(one, dict)}
    if not isinstance(named, dict):
        raise InvalidData("streams that are no object", reason="bad_streams")
    found = {
        name: one["data"]
        for name, one in named.items()
        if isinstance(one, dict) and isinstance(one.get("data"), list) and name in KEYS.split()
    }
    if body and not found:  # a word of the service's own, say that it is being repaired
        raise InvalidData("an answer without any stream", reason="bad_streams")
    return found


def _positions(
    pairs: list[Any], order: np.ndarray[Any, np.dtype[np.intp]]
) -> tuple[FloatArray, FloatArray]:
    nowhere = (None, None)
    flat = [pair if isinstance(pair, list) and len(pair) == 2 else nowhere for pair in pairs]
    lat = fitted(numbers([pair[0] for pair in flat]), order)
    lng = fitted(numbers([pair[1] for pair in flat]), order)
    return placed(lat, lng)
