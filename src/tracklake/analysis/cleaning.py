"""From the points of a file to points one can compute with; docs/formulas.md states the rules."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right

import numpy as np
import numpy.typing as npt

from tracklake.analysis.geodesy import haversine_m
from tracklake.model import POINT_COLUMNS, BoolArray, FloatArray, Points

EARLIEST_S = -2208988800.0  # 1900-01-01
LATEST_S = 4102444800.0  # 2100-01-01
CLOCK_SET_S = 662688000.0  # 1991-01-01: before it, a device counts up from 1970 or from 1989-12-31

# Outside of these, a sensor or a decoder is wrong.
_RANGES = {
    "altitude_m": (-499.0, 20000.0),  # FIT stores "nothing" as -500 m on some devices
    "distance_m": (0.0, 1e8),
    "velocity_mps": (0.0, 350.0),
    "heartrate_bpm": (1.0, 250.0),
    "cadence_rpm": (0.0, 300.0),
    "power_w": (0.0, 3000.0),
    "temperature_c": (-60.0, 70.0),
}
_NULL_ISLAND_DEG = 1e-6

IndexArray = npt.NDArray[np.intp]


def is_time(seconds: float | None) -> bool:
    """Return whether it is a moment someone can have recorded (UNIX seconds, 1900 to 2100)."""
    return seconds is not None and EARLIEST_S <= seconds <= LATEST_S


def in_time_order(points: Points) -> Points:
    """Return the points with a timestamp, strictly ascending.

    Points before the clock was set are dropped if others come after it; blocks in the wrong order
    are put in order; otherwise points that contradict the majority are dropped. Points of the same
    moment become one, with the first known value of each column.
    """
    stamp = points.timestamp_s
    known = (stamp >= EARLIEST_S) & (stamp <= LATEST_S)
    if np.any(stamp[known] >= CLOCK_SET_S):
        known &= stamp >= CLOCK_SET_S
    if not np.all(known):
        points = points.take(known)
    order = _ascending(points.timestamp_s)
    if order is not None:
        points = points.take(order)
    repeated = np.diff(points.timestamp_s) == 0
    return _merged(points, repeated) if np.any(repeated) else points


def _ascending(stamp: FloatArray) -> IndexArray | None:
    """Return the indices that bring it into ascending order, None if it is already."""
    breaks = np.flatnonzero(np.diff(stamp) < 0) + 1
    if len(breaks) == 0:
        return None
    starts = np.concatenate(([0], breaks))
    ends = np.concatenate((breaks, [len(stamp)]))
    order = np.argsort(stamp[starts], kind="stable")
    if np.all(stamp[ends[order][:-1] - 1] <= stamp[starts[order][1:]]):
        blocks = [np.arange(starts[block], ends[block], dtype=np.intp) for block in order]
        return np.concatenate(blocks)
    return _longest_ascending(stamp)


def _longest_ascending(stamp: FloatArray) -> IndexArray:
    """Return the indices of the longest ascending subsequence (patience sorting, O(n log n)).

    One wrong clock value in the middle costs one point, not all the points after it.
    """
    values = stamp.tolist()
    tails: list[float] = []  # smallest last value of an ascending subsequence of each length
    tail_index: list[int] = []
    previous = [-1] * len(values)
    for index, value in enumerate(values):
        length = bisect_right(tails, value)
        previous[index] = tail_index[length - 1] if length else -1
        tails[length : length + 1] = [value]
        tail_index[length : length + 1] = [index]
    chain = []
    index = tail_index[-1]
    while index >= 0:
        chain.append(index)
        index = previous[index]
    return np.array(chain[::-1], dtype=np.intp)


def _merged(points: Points, repeated: BoolArray) -> Points:
    """Return one point a moment: some devices write position and heart rate as two records."""
    starts = np.flatnonzero(np.concatenate(([True], ~repeated)))
    last = len(points) - 1
    index = np.arange(len(points))
    columns = {}
    for name in POINT_COLUMNS:
        column = getattr(points, name)
        first_known = np.minimum.reduceat(np.where(np.isnan(column), last + 1, index), starts)
        columns[name] = np.where(
            first_known <= last, column[np.minimum(first_known, last)], column[starts]
        )
    return Points(**columns)


def plausible(points: Points, teleport_mps: float) -> Points:
    """Return points of ascending time with NaN for every value that cannot be true.

    Positions: out of range, at (0, 0), or a single one that would need more than teleport_mps
    both to get there and to get back.
    """
    columns = {}
    for name, (low, high) in _RANGES.items():
        column = getattr(points, name)
        columns[name] = np.where((column >= low) & (column <= high), column, np.nan)
    lat, lng = points.lat, points.lng
    good = (np.abs(lat) <= 90) & (np.abs(lng) <= 180)
    good &= (np.abs(lat) > _NULL_ISLAND_DEG) | (np.abs(lng) > _NULL_ISLAND_DEG)
    at = np.flatnonzero(good)
    good[at[_spikes(points.timestamp_s[at], lat[at], lng[at], teleport_mps)]] = False
    columns["lat"] = np.where(good, lat, np.nan)
    columns["lng"] = np.where(good, lng, np.nan)
    return dataclasses.replace(points, **columns)


def _spikes(stamp: FloatArray, lat: FloatArray, lng: FloatArray, cap_mps: float) -> BoolArray:
    spike = np.zeros(len(stamp), dtype=np.bool_)
    if len(stamp) < 3:
        return spike
    fast = haversine_m(lat[:-1], lng[:-1], lat[1:], lng[1:]) > cap_mps * np.diff(stamp)
    middle = np.flatnonzero(fast[:-1] & fast[1:])
    past = haversine_m(lat[middle], lng[middle], lat[middle + 2], lng[middle + 2])
    spike[middle + 1] = past <= cap_mps * (stamp[middle + 2] - stamp[middle])
    return spike
