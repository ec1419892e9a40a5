"""Distance, velocity and moving time of cleaned points; docs/formulas.md states the rules.

Everything here expects strictly ascending timestamps and NaN (never infinity) for what is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracklake.analysis.cleaning import EARLIEST_S, LATEST_S
from tracklake.analysis.geodesy import steps_m
from tracklake.model import BoolArray, FloatArray, Points

GAP_S = 30.0  # a longer time between points is a recording gap, unless all are about as far apart
_SPARSE_GAP = 5.0  # ... times the median time between points
_PAUSE_JUMP_M = 100.0
_OFFSET_M = 100.0  # a first distance above this belongs to what came before the first point
_VELOCITY_WINDOW_S = 5.0

Pauses = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Motion:
    """What happened since the previous point; arrays of the points' length, 0 at the first.

    recorded_s: seconds in which the timer ran, 0 across a recording gap. moving: whether the
    athlete moved (the first point has what the second has).
    """

    recorded_s: FloatArray
    moving: BoolArray

    @property
    def moving_s(self) -> FloatArray:
        """Return the cumulative moving time."""
        return np.cumsum(np.where(self.moving, self.recorded_s, 0.0))

    def mean_terms(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return what each interval adds to a time-weighted mean: value times seconds, seconds.

        Each end of an interval speaks for half of it; an end without a value for none.
        """
        known = ~np.isnan(values)
        weight = np.where(known, 0.5, 0.0)
        share = weight * np.where(known, values, 0.0)
        sums, weights = np.zeros(len(values)), np.zeros(len(values))
        sums[1:] = self.recorded_s[1:] * (share[1:] + share[:-1])
        weights[1:] = self.recorded_s[1:] * (weight[1:] + weight[:-1])
        return sums, weights


def paused_s(timestamp_s: FloatArray, pauses: Pauses) -> FloatArray:
    """Return the seconds of pause before each moment; the pauses are ascending and disjoint."""
    valid = [pause for pause in pauses if pause[1] > pause[0]]
    if not valid:
        return np.zeros(len(timestamp_s))
    edges = np.maximum.accumulate(np.clip(np.array(valid).ravel(), EARLIEST_S, LATEST_S))
    lengths = edges[1::2] - edges[::2]
    after = np.cumsum(lengths)
    totals = np.column_stack((after - lengths, after)).ravel()
    before: FloatArray = np.interp(timestamp_s, edges, totals)
    return before


def cumulative_distance_m(
    points: Points, pauses: Pauses, *, teleport_mps: float, lengths: bool = False
) -> FloatArray:
    """Return the distance since the start: the device's if it has one, else along the positions.

    lengths: the device counts a pool's lengths, so between two changes it is taken as even.
    """
    device = points.distance_m
    known = np.flatnonzero(~np.isnan(device))
    located = np.flatnonzero(~np.isnan(points.lat))
    ascends = len(known) > 1 and bool(np.all(np.diff(device[known]) >= 0))
    if len(located) > 1 and not _tells_distance(device[known], len(points), ascends=ascends):
        return _along_positions(points, pauses, located, teleport_mps)
    if len(known) < 2:
        return np.full(len(points), np.nan)
    way = device[known]
    if not ascends:  # a counter that starts again: its steps forward count
        way = way[0] + np.concatenate(([0.0], np.cumsum(np.maximum(np.diff(way), 0))))
    if way[0] > _OFFSET_M:
        way = way - way[0]
    if lengths:
        changes = np.concatenate(([True], np.diff(way) > 0))
        known, way = known[changes], way[changes]
    return np.interp(points.timestamp_s, points.timestamp_s[known], way)


def _tells_distance(device: FloatArray, length: int, *, ascends: bool) -> bool:
    return ascends and 2 * len(device) >= length and bool(device[-1] > device[0])


def _along_positions(
    points: Points, pauses: Pauses, located: np.ndarray[tuple[int], np.dtype[np.intp]], cap: float
) -> FloatArray:
    stamp = points.timestamp_s[located]
    step = steps_m(points.lat[located], points.lng[located])
    teleport = step > cap * np.diff(stamp)
    carried = (np.diff(paused_s(stamp, pauses)) > 0) & (step > _PAUSE_JUMP_M)
    way = np.concatenate(([0.0], np.cumsum(np.where(teleport | carried, 0.0, step))))
    return np.interp(points.timestamp_s, stamp, way)


def velocity_mps(points: Points, distance_m: FloatArray, *, teleport_mps: float) -> FloatArray:
    """Return the device's velocity, where it has none the distance's over 5 s around the point."""
    device = points.velocity_mps
    if len(points) < 2 or np.isnan(distance_m[0]) or not np.any(np.isnan(device)):
        return device
    stamp = points.timestamp_s
    half = max(_VELOCITY_WINDOW_S / 2, float(np.median(np.diff(stamp))))
    behind = np.maximum(stamp - half, stamp[0])
    ahead = np.minimum(stamp + half, stamp[-1])
    way = np.interp(ahead, stamp, distance_m) - np.interp(behind, stamp, distance_m)
    derived = way / (ahead - behind)
    derived[derived > teleport_mps] = np.nan
    return np.where(np.isnan(device), derived, device)


def motion(points: Points, pauses: Pauses, threshold_mps: float | None) -> Motion:
    """Return when the timer ran and the athlete moved; no threshold: whoever is timed moves."""
    length = len(points)
    if length < 2:
        return Motion(np.zeros(length), np.zeros(length, dtype=np.bool_))
    step_s = np.diff(points.timestamp_s)
    running = np.maximum(step_s - np.diff(paused_s(points.timestamp_s, pauses)), 0)
    recorded = (running > 0) & (running <= gap_limit_s(step_s))
    moved = recorded
    if threshold_mps is not None:
        moved = recorded & (points.velocity_mps[1:] >= threshold_mps)
    return Motion(
        recorded_s=np.concatenate(([0.0], np.where(recorded, running, 0.0))),
        moving=np.concatenate((moved[:1], moved)),
    )


def gap_limit_s(step_s: FloatArray) -> float:
    """Return how far apart in time two points may be without a gap between them."""
    return max(GAP_S, _SPARSE_GAP * float(np.median(step_s)))
