"""A device's own totals: what it would write for a lap and for a session over its points."""

from __future__ import annotations

import numpy as np

from tracklake.model import FloatArray, Lap, Points, Session

BODY_KG = 68.0
Stops = tuple[tuple[float, float], ...]


def lap(points: Points, stops: Stops, start_s: float, end_s: float, trigger: str) -> Lap:
    """Return the totals between two moments (UNIX seconds), pauses left out of the timer."""
    inside = points.take((points.timestamp_s >= start_s) & (points.timestamp_s <= end_s))
    paused = sum(max(0.0, min(b, end_s) - max(a, start_s)) for a, b in stops)
    timer = end_s - start_s - paused
    distance = _span(inside.distance_m)
    return Lap(
        start_s=start_s,
        elapsed_time_s=end_s - start_s,
        timer_time_s=timer,
        distance_m=distance,
        total_ascent_m=_ascent(inside.altitude_m),
        calories_kcal=_calories(inside, timer),
        average_speed_mps=distance / timer if distance and timer else None,
        max_speed_mps=_top(inside.velocity_mps),
        average_heartrate_bpm=_mean(inside.heartrate_bpm),
        max_heartrate_bpm=_top(inside.heartrate_bpm),
        average_cadence_rpm=_mean(inside.cadence_rpm[inside.cadence_rpm > 0]),
        average_power_w=_mean(inside.power_w),
        trigger=trigger,
    )


def laps(
    points: Points, stops: Stops, marks_s: list[float], end_s: float, trigger: str
) -> tuple[Lap, ...]:
    """Return the laps that end at the marks (UNIX seconds), and the last one at the end."""
    start = float(points.timestamp_s[0])
    edges = [start, *(round(mark) for mark in marks_s if start + 5 < mark < end_s - 5), end_s]
    triggers = [trigger] * (len(edges) - 2) + ["session_end"]
    return tuple(
        lap(points, stops, float(a), float(b), t)
        for a, b, t in zip(edges, edges[1:], triggers, strict=False)
    )


def distance_marks(points: Points, every_m: float | None) -> list[float]:
    """Return when each whole multiple of a distance was reached, UNIX seconds."""
    if every_m is None or np.isnan(points.distance_m).all():
        return []
    metres = np.arange(every_m, points.distance_m[-1], every_m)
    return [float(moment) for moment in np.interp(metres, points.distance_m, points.timestamp_s)]


def session(
    points: Points, stops: Stops, end_s: float, sport: str, sub_sport: str | None
) -> Session:
    """Return the totals of the whole of the points, as one session of a sport."""
    whole = lap(points, stops, float(points.timestamp_s[0]), end_s, "session_end")
    return Session(
        start_s=whole.start_s,
        elapsed_time_s=whole.elapsed_time_s,
        timer_time_s=whole.timer_time_s,
        sport=sport,
        sub_sport=sub_sport,
        distance_m=whole.distance_m,
        total_ascent_m=whole.total_ascent_m,
        calories_kcal=whole.calories_kcal,
        average_speed_mps=whole.average_speed_mps,
        max_speed_mps=whole.max_speed_mps,
        average_heartrate_bpm=whole.average_heartrate_bpm,
        max_heartrate_bpm=whole.max_heartrate_bpm,
        average_cadence_rpm=whole.average_cadence_rpm,
        average_power_w=whole.average_power_w,
        max_power_w=_top(points.power_w),
        average_temperature_c=_mean(points.temperature_c),
    )


def _known(column: FloatArray) -> FloatArray:
    known: FloatArray = column[~np.isnan(column)]
    return known


def _mean(column: FloatArray) -> float | None:
    known = _known(column)
    return round(float(known.mean()), 1) if len(known) else None


def _top(column: FloatArray) -> float | None:
    known = _known(column)
    return round(float(known.max()), 3) if len(known) else None


def _span(column: FloatArray) -> float | None:
    known = _known(column)
    return round(float(known[-1] - known[0]), 2) if len(known) else None


def _ascent(altitude_m: FloatArray) -> float | None:
    """Return the climb in whole m, steps under 2 m not counted, as barometers do."""
    known = _known(altitude_m)
    if not len(known):
        return None
    steps = np.diff(np.round(known / 2.0) * 2.0)
    return round(float(steps[steps > 0].sum()))


def _calories(points: Points, timer_s: float) -> float | None:
    """Return kcal by the mean heart rate: 4 a minute at 90, 14 a minute at 165 (a guess)."""
    beats = _mean(points.heartrate_bpm)
    if beats is None:
        return None
    return round(max(1.5, 4.0 + (beats - 90.0) * 10.0 / 75.0) * timer_s / 60.0 * BODY_KG / 70.0)
