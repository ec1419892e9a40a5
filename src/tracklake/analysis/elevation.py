"""Altitude: smoothing, climbing, grade; docs/formulas.md states the rules and an example."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tracklake.model import FloatArray

SMOOTHING_S = 10.0  # mean over the points at most this far away in time
CLIMB_M = 3.0  # a change of direction smaller than this is noise
GRADE_WINDOW_M = 30.0
_GRADE_SHORTEST_M = 5.0
_GRADE_LIMIT_PCT = 100.0


def smoothed(timestamp_s: FloatArray, altitude_m: FloatArray) -> FloatArray:
    """Return the mean altitude within SMOOTHING_S of each moment; gaps bridged, NaN if none."""
    known = np.flatnonzero(~np.isnan(altitude_m))
    if len(known) == 0:
        return np.full(len(altitude_m), np.nan)
    stamp, level = timestamp_s[known], altitude_m[known[0]]
    total = np.concatenate(([0.0], np.cumsum(altitude_m[known] - level)))
    first = np.searchsorted(stamp, stamp - SMOOTHING_S, side="left")
    end = np.searchsorted(stamp, stamp + SMOOTHING_S, side="right")
    mean: FloatArray = level + (total[end] - total[first]) / (end - first)
    return mean if len(known) == len(altitude_m) else np.interp(timestamp_s, stamp, mean)


def gain_m(smooth_m: FloatArray) -> float | None:
    """Return the sum of all climbs of at least CLIMB_M between turns of at least CLIMB_M."""
    if len(smooth_m) == 0 or np.isnan(smooth_m[0]):
        return None
    change = np.diff(smooth_m)
    change = change[change != 0]
    turns = np.flatnonzero(np.diff(np.sign(change)) != 0)
    levels = np.cumsum(change)
    return _climbed([0.0, *levels[turns].tolist(), *levels[-1:].tolist()])


def _climbed(turns: Iterable[float]) -> float:
    """Sum the climbs between turning points (a zigzag with a dead band of CLIMB_M)."""
    gain, low, high, climbing = 0.0, 0.0, 0.0, False
    for level in turns:
        if climbing and level > high:
            high = level
        elif climbing and high - level >= CLIMB_M:
            gain, low, climbing = gain + high - low, level, False
        elif not climbing and level < low:
            low = level
        elif not climbing and level - low >= CLIMB_M:
            high, climbing = level, True
    return gain + high - low if climbing else gain


def grade_pct(distance_m: FloatArray, altitude_m: FloatArray, smooth_m: FloatArray) -> FloatArray:
    """Return rise over run in percent over GRADE_WINDOW_M around each point.

    NaN without altitude, without distance, or where less than 5 m of way are known; at most ±100.
    """
    if len(distance_m) == 0 or np.isnan(distance_m[0]) or np.isnan(smooth_m[0]):
        return np.full(len(distance_m), np.nan)
    ends = distance_m[[0, -1]]
    behind = np.clip(distance_m - GRADE_WINDOW_M / 2, *ends)
    ahead = np.clip(distance_m + GRADE_WINDOW_M / 2, *ends)
    run = ahead - behind
    rise = np.interp(ahead, distance_m, smooth_m) - np.interp(behind, distance_m, smooth_m)
    known = (run >= _GRADE_SHORTEST_M) & ~np.isnan(altitude_m)
    grade = 100 * rise / np.where(known, run, 1.0)
    return np.where(known, np.clip(grade, -_GRADE_LIMIT_PCT, _GRADE_LIMIT_PCT), np.nan)
