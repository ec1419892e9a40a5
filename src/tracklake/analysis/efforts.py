"""Best efforts: the fastest over each distance, the best mean power over each duration.

Both are the same question: of a cumulative quantity that is piecewise linear in time, the best
window has one end on a recorded point, so trying every point as the start and as the end is exact.
docs/formulas.md has the rules and worked examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tracklake.model import BestEffort, FloatArray, Points

DISTANCES_M = {
    "400m": 400.0,
    "1/2 mile": 804.672,
    "1K": 1000.0,
    "1 mile": 1609.344,
    "2 mile": 3218.688,
    "5K": 5000.0,
    "10K": 10000.0,
    "15K": 15000.0,
    "10 mile": 16093.44,
    "20K": 20000.0,
    "Half-Marathon": 21097.5,
    "30K": 30000.0,
    "Marathon": 42195.0,
    "50K": 50000.0,
}
DURATIONS_S = {
    "5s": 5.0,
    "15s": 15.0,
    "30s": 30.0,
    "1min": 60.0,
    "2min": 120.0,
    "5min": 300.0,
    "10min": 600.0,
    "20min": 1200.0,
    "30min": 1800.0,
    "1h": 3600.0,
}
_MOST_CUTS = 20
_SHORTEST_M = min(DISTANCES_M.values())
NOTHING_KNOWN: Mapping[float, float] = MappingProxyType({})

Curve = tuple[FloatArray, FloatArray]  # time in s, ascending; distance in m, not descending
POWER_HOLD_S = 5.0  # a power value stands for at most this long; then the athlete did not pedal
JUMP_M = 100.0


@dataclass(frozen=True, slots=True)
class Window:
    """The best window of a curve: when it starts, and how long it lasts or how much it holds."""

    start_s: float
    length: float


def distance_efforts(
    points: Points,
    start_s: float,
    step_cap_mps: float = np.inf,
    fastest_possible: Mapping[float, float] = NOTHING_KNOWN,
) -> tuple[BestEffort, ...]:
    """Return the fastest effort over each of DISTANCES_M that the points cover.

    Time is wall clock, pauses included. A step faster than step_cap_mps counts as if made at that
    speed; if it is also longer than JUMP_M no effort may contain it. Nor may one contain a distance
    covered in less time than `fastest_possible` (metres: seconds) says.
    """
    if len(points) < 2 or np.isnan(points.distance_m[0]):
        return ()
    stamp, way = points.timestamp_s, points.distance_m
    runs = _believable_runs(stamp, way, step_cap_mps)
    for distance, seconds in fastest_possible.items():
        runs = _possible(runs, distance, seconds)
    efforts = []
    for name, distance in DISTANCES_M.items():
        windows = [fastest(*run, distance) for run in runs if run[1][0] + distance <= run[1][-1]]
        if windows:
            best = min(windows, key=lambda window: (window.length, window.start_s))
            efforts.append(_distance_effort(name, distance, best, stamp, start_s))
    return tuple(efforts)


def _believable_runs(stamp: FloatArray, way: FloatArray, cap_mps: float) -> list[Curve]:
    """Return the curves of time and distance between jumps."""
    step, most = np.diff(way), cap_mps * np.diff(stamp)
    fast = step > most
    if not np.any(fast):
        return [(stamp, way)]
    way = np.concatenate(([0.0], np.cumsum(np.minimum(step, most))))
    cuts = np.flatnonzero(fast & (step > JUMP_M)) + 1
    return [
        (part_s, part_m)
        for part_s, part_m in zip(np.split(stamp, cuts), np.split(way, cuts), strict=True)
        if part_m[-1] - part_m[0] >= _SHORTEST_M
    ]


def _possible(runs: list[Curve], distance_m: float, least_s: float) -> list[Curve]:
    """Return the curves without the stretches on which distance_m took less than least_s.

    Nothing of a recording is believed that has more than _MOST_CUTS of them (a drive, not a run).
    """
    possible, todo, cuts = [], list(runs), 0
    while todo:
        stamp, way = todo.pop()
        window = None
        if way[0] + distance_m <= way[-1]:
            window = fastest(stamp, way, distance_m)
        if window is None or window.length >= least_s:
            possible.append((stamp, way))
            continue
        cuts += 1
        if cuts > _MOST_CUTS:
            return []
        before, after = _touched(stamp, window.start_s, window.start_s + window.length)
        todo += [(stamp[: before + 1], way[: before + 1]), (stamp[after:], way[after:])]
    return possible


def fastest(timestamp_s: FloatArray, distance_m: FloatArray, target_m: float) -> Window:
    """Return the window of exactly target_m that takes the least time; the curve must hold it.

    timestamp_s ascends strictly, distance_m does not descend; both are linear between points.
    """
    reached = distance_m[0] + target_m <= distance_m  # a point can end a window
    begins = distance_m + target_m <= distance_m[-1]  # a point can start one
    starts, ends = timestamp_s[begins], timestamp_s[reached]
    # Where the athlete stands still, np.interp gives the last moment. That is right to leave by;
    # the first moment to arrive by is itself a recorded point, so it is among the ends.
    arrivals = np.interp(distance_m[begins] + target_m, distance_m, timestamp_s)
    departures = np.interp(distance_m[reached] - target_m, distance_m, timestamp_s)
    start = np.concatenate((starts, departures))
    length = np.concatenate((arrivals - starts, ends - departures))
    best = int(np.argmin(length))
    return Window(float(start[best]), float(length[best]))


def _distance_effort(
    name: str, distance_m: float, window: Window, stamp: FloatArray, start_s: float
) -> BestEffort:
    first, last = _touched(stamp, window.start_s, window.start_s + window.length)
    return BestEffort(
        kind="distance",
        name=name,
        distance_m=distance_m,
        duration_s=None,
        elapsed_time_s=round(window.length, 2),
        average_watts=None,
        start_offset_s=window.start_s - start_s,
        start_index=first,
        end_index=last,
    )


def _touched(stamp: FloatArray, begin_s: float, end_s: float) -> tuple[int, int]:
    first = int(np.searchsorted(stamp, begin_s, side="right")) - 1
    last = int(np.searchsorted(stamp, end_s, side="left"))
    return max(first, 0), min(last, len(stamp) - 1)


def power_efforts(points: Points, start_s: float) -> tuple[BestEffort, ...]:
    """Return the best mean power over each of DURATIONS_S that the recording lasts.

    A value holds until the next one, at most POWER_HOLD_S; after that it is 0 W until then.
    """
    known = ~np.isnan(points.power_w)
    if np.count_nonzero(known) < 2:
        return ()
    stamp, power = points.timestamp_s[known], points.power_w[known]
    edges, work = work_curve(stamp, power)
    efforts = []
    for name, duration in DURATIONS_S.items():
        if edges[0] + duration > edges[-1]:
            break
        window = most(edges, work, duration)
        if window.length > 0:
            first, last = _touched(points.timestamp_s, window.start_s, window.start_s + duration)
            efforts.append(
                BestEffort(
                    kind="power",
                    name=name,
                    distance_m=None,
                    duration_s=duration,
                    elapsed_time_s=duration,
                    average_watts=window.length / duration,
                    start_offset_s=window.start_s - start_s,
                    start_index=first,
                    end_index=last,
                )
            )
    return tuple(efforts)


def work_curve(stamp: FloatArray, power_w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return moments and joules done until then, linear between."""
    step_s = np.diff(stamp)
    step_s = np.append(step_s, np.median(step_s))  # the last value stands as long as most do
    held = np.minimum(step_s, POWER_HOLD_S)
    done = np.cumsum(power_w * held)
    edges = np.column_stack((stamp, stamp + held)).ravel()
    work = np.column_stack((done - power_w * held, done)).ravel()
    new = np.concatenate(([True], np.diff(edges) > 0))
    return edges[new], work[new]


def most(edges_s: FloatArray, work_j: FloatArray, duration_s: float) -> Window:
    """Return the window of duration_s in which the curve rises most; `length` is that rise."""
    starts = edges_s[edges_s + duration_s <= edges_s[-1]]
    starts = np.concatenate((starts, edges_s[edges_s - duration_s >= edges_s[0]] - duration_s))
    rise = np.interp(starts + duration_s, edges_s, work_j) - np.interp(starts, edges_s, work_j)
    best = int(np.argmax(rise))
    return Window(float(starts[best]), float(rise[best]))
