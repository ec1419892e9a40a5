"""The numbers of a whole activity: the device's where they hold, else from the points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

import numpy as np

from tracklake.analysis.motion import Motion
from tracklake.analysis.outings import known
from tracklake.model import Activity, FloatArray, Points, Session

_AGREE = 0.05  # a device's distance may differ by this share from its points' before it is an error
_COVERED = 0.9
_MOST_ELAPSED_S = 30 * 86400.0
_ELAPSED_SLACK_S = 30 * 86400.0  # a device's elapsed time cannot exceed its points' by more
MOST_ASCENT_M = 50_000.0
MOST_SPEED_MPS = 350.0


def distance_m(session: Session, points: Points) -> float | None:
    """Return the session's distance if the points agree within 5 % or have none, else theirs.

    Points that cover a part only (`cover`) are not believed against a larger total.
    """
    told = known(session.distance_m)
    if len(points) < 2 or np.isnan(points.distance_m[0]):
        return told
    measured = float(points.distance_m[-1] - points.distance_m[0])
    if told is not None and (abs(told - measured) <= _AGREE * measured or measured == 0):
        return told
    if told is not None and told > measured and not cover(session, points):
        return told
    return measured


def cover(session: Session, points: Points) -> bool:
    """Return whether the points stretch over most of the session's elapsed time."""
    if len(points) == 0:
        return False
    span = float(points.timestamp_s[-1] - points.timestamp_s[0])
    return span >= _COVERED * (known(session.elapsed_time_s, _MOST_ELAPSED_S) or 0.0)


def elapsed_s(session: Session, start_s: float, points: Points) -> float:
    """Return the session's elapsed time where it covers the points, else until the last point."""
    told = known(session.elapsed_time_s)
    if told is None:
        told = known(session.timer_time_s) or 0.0
    if len(points) == 0:
        return told
    span = float(points.timestamp_s[-1]) - start_s
    return told if span <= told <= span + _ELAPSED_SLACK_S else span


def moving_s(session: Session, points: Points, motion: Motion, elapsed: float) -> float:
    """Return the time the athlete moved: from the points, never more than the timer ran."""
    timer = known(session.timer_time_s)
    most = elapsed if timer is None else min(timer, elapsed)
    if len(points) < 2 or (timer is not None and not cover(session, points)):
        return most
    return min(float(motion.moving_s[-1]), most)


def average_speed(
    distance: float | None, moving: float, told_mps: float | None = None
) -> float | None:
    """Return metres a second over the moving time, the device's word where there is no distance."""
    if distance is not None and moving > 0:
        speed = distance / moving
        return speed if speed <= MOST_SPEED_MPS else None
    return known(told_mps, MOST_SPEED_MPS)


def ascent_m(session: Session, from_altitude: float | None) -> float | None:
    """Return the device's ascent, else the one computed from the altitude."""
    told = known(session.total_ascent_m, MOST_ASCENT_M)
    return from_altitude if told is None else told


class Sensors(TypedDict):
    """What the sensors say of an activity, named as gold's columns."""

    max_speed: float | None
    average_heartrate: float | None
    max_heartrate: float | None
    average_watts: float | None
    max_watts: float | None
    average_cadence: float | None
    average_temp: float | None
    calories: float | None


def sensors(session: Session, points: Points, motion: Motion) -> Sensors:
    """Return means and maxima: from the points, where they have none from the session."""
    pedalling = np.where(points.cadence_rpm > 0, points.cadence_rpm, np.nan)
    fastest = known(session.max_speed_mps, MOST_SPEED_MPS)
    return Sensors(
        max_speed=highest(points.velocity_mps) if fastest is None else fastest,
        average_heartrate=_mean_or(session.average_heartrate_bpm, points.heartrate_bpm, motion, 1),
        max_heartrate=_highest_or(session.max_heartrate_bpm, points.heartrate_bpm, 1),
        average_watts=_mean_or(session.average_power_w, points.power_w, motion),
        max_watts=_highest_or(session.max_power_w, points.power_w),
        average_cadence=_mean_or(session.average_cadence_rpm, pedalling, motion),
        average_temp=_mean_or(session.average_temperature_c, points.temperature_c, motion, -100),
        calories=known(session.calories_kcal),
    )


def sensors_of_legs(legs: tuple[Activity, ...]) -> Sensors:
    """Return the means over several legs, weighted by moving time, and the maxima."""

    def weighted(values: Iterable[float | None]) -> float | None:
        pairs = [
            (value, leg.moving_time)
            for value, leg in zip(values, legs, strict=True)
            if value is not None and leg.moving_time > 0
        ]
        seconds = sum(weight for _, weight in pairs)
        return sum(value * weight for value, weight in pairs) / seconds if seconds else None

    return Sensors(
        max_speed=greatest(leg.max_speed for leg in legs),
        average_heartrate=weighted(leg.average_heartrate for leg in legs),
        max_heartrate=greatest(leg.max_heartrate for leg in legs),
        average_watts=weighted(leg.average_watts for leg in legs),
        max_watts=greatest(leg.max_watts for leg in legs),
        average_cadence=weighted(leg.average_cadence for leg in legs),
        average_temp=weighted(leg.average_temp for leg in legs),
        calories=total(leg.calories for leg in legs),
    )


def mean(values: FloatArray, motion: Motion) -> float | None:
    """Return the time-weighted mean of the known values; the plain one if none has a duration."""
    here = ~np.isnan(values)
    if not np.any(here):
        return None
    sums, weights = motion.mean_terms(values)
    seconds = float(np.sum(weights))
    return float(np.sum(sums)) / seconds if seconds > 0 else float(np.mean(values[here]))


def _mean_or(
    told: float | None, values: FloatArray, motion: Motion, least: float = 0
) -> float | None:
    measured = mean(values, motion)
    return known(told, least=least) if measured is None else measured


def _highest_or(told: float | None, values: FloatArray, least: float = 0) -> float | None:
    measured = highest(values)
    return known(told, least=least) if measured is None else measured


def highest(values: FloatArray) -> float | None:
    """Return the largest known value of a column."""
    here = values[~np.isnan(values)]
    return float(here.max()) if len(here) else None


def lowest(values: FloatArray) -> float | None:
    """Return the smallest known value of a column."""
    here = values[~np.isnan(values)]
    return float(here.min()) if len(here) else None


def greatest(values: Iterable[float | None]) -> float | None:
    """Return the largest of the known values."""
    return max((value for value in values if value is not None), default=None)


def least(values: Iterable[float | None]) -> float | None:
    """Return the smallest of the known values."""
    return min((value for value in values if value is not None), default=None)


def total(values: Iterable[float | None]) -> float | None:
    """Return the sum of the known values, None if there is none."""
    told = [value for value in values if value is not None]
    return sum(told) if told else None
