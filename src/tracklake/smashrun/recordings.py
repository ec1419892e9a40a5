"""From the recording in a run's details to columns of points, and its laps. Pure.

`recordingKeys` names the columns of `recordingValues`; their lengths may differ.
"""

from typing import Any

import numpy as np

from tracklake.analysis.columns import fitted, numbers, placed
from tracklake.json_reader import Reader
from tracklake.model import FloatArray, Points

_LONGEST_S = 10 * 366 * 86_400.0  # a time beyond that is none

# SmashRun's word, our column, and what its values are multiplied with to be in our unit.
_COLUMNS = {
    "distance": ("distance_m", 1000.0),
    "latitude": ("lat", 1.0),
    "longitude": ("lng", 1.0),
    "elevation": ("altitude_m", 1.0),
    "heartRate": ("heartrate_bpm", 1.0),
    "cadence": ("cadence_rpm", 1.0),
    "temperature": ("temperature_c", 1.0),
    "speed": ("velocity_mps", 1 / 3.6),
    "power": ("power_w", 1.0),
}
_STEPS_OF_A_LEG = 130.0  # a minute; where most values are above it, they count both feet


def points(detail: dict[str, Any], start_s: float) -> Points:
    """Return the points of a run, each moment once and ascending; none where it has no clock.

    start_s: when the run began, UNIX seconds; `clock` counts from there.
    """
    columns = _columns(detail)
    clock_s = numbers(columns.pop("clock", []))
    clock_s[np.abs(clock_s) > _LONGEST_S] = np.nan
    known = np.flatnonzero(~np.isnan(clock_s))
    _, first = np.unique(start_s + clock_s[known], return_index=True)
    order = known[first]
    found = {}
    for word, (name, factor) in _COLUMNS.items():
        if word in columns:
            found[name] = fitted(numbers(columns[word]), order) * factor
    _unplaced(found)
    if "cadence_rpm" in found:
        found["cadence_rpm"] = _of_one_leg(found["cadence_rpm"])
    if detail.get("isBadHR") in (1, True, "1", "true"):  # SmashRun knows it to be wrong
        found.pop("heartrate_bpm", None)
    return Points.of(len(order), timestamp_s=start_s + clock_s[order], **found)


def _columns(detail: dict[str, Any]) -> dict[str, list[Any]]:
    keys, values = detail.get("recordingKeys"), detail.get("recordingValues")
    if not isinstance(keys, list) or not isinstance(values, list):
        return {}
    pairs = zip(keys, values, strict=False)
    return {str(key): column for key, column in pairs if isinstance(column, list)}


def _unplaced(found: dict[str, FloatArray]) -> None:
    """Leave out positions that are half, not on Earth, or the (0, 0) of a watch without a fix."""
    if "lat" not in found or "lng" not in found:
        found.pop("lat", None)
        found.pop("lng", None)
        return
    found["lat"], found["lng"] = placed(found["lat"], found["lng"])


def _of_one_leg(cadence: FloatArray) -> FloatArray:
    moving = cadence[cadence > 0]
    if len(moving) and float(np.median(moving)) > _STEPS_OF_A_LEG:
        return cadence / 2
    return cadence


def laps(detail: dict[str, Any], start_s: float) -> list[dict[str, object]]:
    """Return the laps, of which SmashRun tells when and where each ended.

    Distances in m, times in s, start_s in UNIX seconds.
    """
    rows: list[dict[str, object]] = []
    before_s = before_m = 0.0
    for lap in Reader(detail).objects("laps"):
        end_s, end_km = lap.number("endTime"), lap.number("endDistance")
        if end_s is None or end_s <= before_s:
            continue
        end_m = before_m if end_km is None else max(end_km * 1000, before_m)
        took_s, covered_m = end_s - before_s, end_m - before_m
        rows.append(
            {
                "lap_index": len(rows) + 1,
                "start_s": start_s + before_s,
                "distance": None if end_km is None else round(covered_m, 3),
                "elapsed_time": took_s,
                "moving_time": took_s,
                "average_speed": None if end_km is None else covered_m / took_s,
            }
        )
        before_s, before_m = end_s, end_m
    return rows
