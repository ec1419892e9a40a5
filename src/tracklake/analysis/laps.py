"""Laps as gold stores them: the device's values, and the points' where it gives none."""

from __future__ import annotations

import numpy as np

from tracklake.analysis.motion import Motion
from tracklake.analysis.outings import known
from tracklake.analysis.splits import means_between
from tracklake.analysis.totals import MOST_ASCENT_M, MOST_SPEED_MPS, average_speed
from tracklake.model import ActivityLap, FloatArray, Lap, Points


def laps(
    marked: tuple[Lap, ...], points: Points, motion: Motion, start_s: float, end_s: float
) -> tuple[ActivityLap, ...]:
    """Return the laps in order with the device's values, and the points' where it gives none."""
    ordered = sorted(marked, key=lambda lap: lap.start_s)
    ends = [*(lap.start_s for lap in ordered), end_s][1:]
    return tuple(
        _lap(index, lap, max(end, lap.start_s), points, motion, start_s)
        for index, (lap, end) in enumerate(zip(ordered, ends, strict=True), start=1)
    )


def _lap(
    index: int, lap: Lap, next_s: float, points: Points, motion: Motion, start_s: float
) -> ActivityLap:
    elapsed = known(lap.elapsed_time_s)
    if elapsed is None:
        elapsed = next_s - lap.start_s
    moments = np.array([lap.start_s, lap.start_s + elapsed])
    distance, moving, heartrate = _measured(moments, points, motion)
    told_distance, told_heartrate = known(lap.distance_m), known(lap.average_heartrate_bpm, least=1)
    distance = distance if told_distance is None else told_distance
    timer = known(lap.timer_time_s)
    timer = elapsed if timer is None else timer
    moving = timer if moving is None else min(moving, timer)
    return ActivityLap(
        lap_index=index,
        start_offset_s=lap.start_s - start_s,
        distance=distance,
        elapsed_time=elapsed,
        moving_time=moving,
        average_speed=average_speed(distance, moving, lap.average_speed_mps),
        max_speed=known(lap.max_speed_mps, MOST_SPEED_MPS),
        total_elevation_gain=known(lap.total_ascent_m, MOST_ASCENT_M),
        average_heartrate=heartrate if told_heartrate is None else told_heartrate,
        max_heartrate=known(lap.max_heartrate_bpm, least=1),
        average_cadence=known(lap.average_cadence_rpm),
        average_watts=known(lap.average_power_w),
        calories=known(lap.calories_kcal),
        lap_trigger=lap.trigger,
    )


def _measured(
    moments: FloatArray, points: Points, motion: Motion
) -> tuple[float | None, float | None, float | None]:
    """Return distance, moving time and mean heart rate between two moments, from the points."""
    stamp = points.timestamp_s
    if len(points) < 2 or moments[1] <= stamp[0] or moments[0] >= stamp[-1]:
        return None, None, None
    moving = float(np.diff(np.interp(moments, stamp, motion.moving_s))[0])
    heartrate = float(means_between(moments, stamp, points.heartrate_bpm, motion)[0])
    distance = float(np.diff(np.interp(moments, stamp, points.distance_m))[0])
    return (
        None if np.isnan(distance) else distance,
        moving,
        None if np.isnan(heartrate) else heartrate,
    )
