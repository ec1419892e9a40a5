"""From a course to points: how fast one moves, what the heart, legs and watch make of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tracklake.model import FloatArray, Points
from tracklake.sample.routes import SPACING_M, Course, smooth, to_degrees

Mode = Literal["foot", "hike", "ride", "swim"]

RIDER_AND_BIKE_KG = 78.0
GPS_NOISE_M = 2.2
# How much a slope of 1 changes the logarithm of the speed, and the slowest and fastest factor.
SLOPE_EFFECT = {
    "foot": (-3.2, 0.55, 1.2),
    "hike": (-2.2, 0.5, 1.12),
    "ride": (-9.0, 0.3, 1.75),
    "swim": (0.0, 1.0, 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How a course is done.

    stretches: (metres, m/s on the flat) one after the other. stops: (at metres, seconds).
    best_speed_mps: what a foot sport or swim can hold for an hour; threshold_w the same for a ride.
    """

    mode: Mode
    stretches: tuple[tuple[float, float], ...]
    step_s: int
    best_speed_mps: float
    threshold_w: float | None = None
    stops: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Points with times since the start, and when each stop and each stretch began and ended."""

    points: Points
    stops: tuple[tuple[float, float], ...]
    stretch_ends_s: tuple[float, ...]


def move(course: Course, effort: Effort, rng: np.random.Generator) -> Motion:
    """Return the points of moving along the course; timestamp_s counts from 0, whole seconds."""
    distance = course.distance_m
    speed = _speeds(course, effort, rng)
    step = np.diff(distance, prepend=0.0)
    clock = np.cumsum(step / speed)
    stops: list[tuple[float, float]] = []
    for at, seconds in effort.stops:
        vertex = int(np.searchsorted(distance, at))
        stopped = float(np.ceil(clock[vertex]))
        stops.append((stopped, stopped + round(seconds)))
        clock[vertex + 1 :] += round(seconds) + stopped - clock[vertex]
    time = _sample_times(float(clock[-1]), effort.step_s, tuple(stops))
    reached = np.cumsum([metres for metres, _ in effort.stretches])
    ends = tuple(float(end) for end in np.interp(reached, distance, clock))
    points = _points(course, effort, time, np.interp(time, clock, distance), rng)
    return Motion(points=points, stops=tuple(stops), stretch_ends_s=ends)


def still(duration_s: int, effort: FloatArray, rng: np.random.Generator, step_s: int) -> Points:
    """Return points without position or distance; effort: share of the hard hour, over time."""
    time = np.arange(0.0, duration_s, step_s)
    share = np.interp(time, np.linspace(0, duration_s, len(effort)), effort)
    return Points.of(
        len(time),
        timestamp_s=time,
        heartrate_bpm=heartrate(share, step_s, rng),
    )


def heartrate(share: FloatArray, step_s: int, rng: np.random.Generator) -> FloatArray:
    """Return beats a minute that follow the effort (1.0: what one holds for an hour) with a lag."""
    drift = np.linspace(0.0, min(0.05, len(share) * step_s / 3600 * 0.02), len(share))
    wanted = 62.0 + 108.0 * np.clip(share + drift, 0.0, 1.12)
    kernel = np.exp(-np.arange(0.0, 180.0, step_s) / 38.0)
    rested = np.concatenate([np.full(len(kernel) - 1, 84.0), wanted])
    lagged = np.convolve(rested, kernel / kernel.sum(), mode="valid")
    beats: FloatArray = np.rint(np.clip(lagged + wander(rng, len(share), 1.6, 12), 48.0, 189.0))
    return beats


def wander(rng: np.random.Generator, length: int, spread: float, reach: int) -> FloatArray:
    """Return smooth noise: of the given standard deviation, correlated over `reach` samples."""
    kernel = np.hanning(2 * reach + 3)
    white = rng.standard_normal(length + len(kernel) - 1)
    noise: FloatArray = np.convolve(white, kernel, mode="valid")
    noise *= spread / np.sqrt(np.sum(kernel**2))
    return noise


def temperature(warmth_c: float, timestamp_s: FloatArray, utc_offset_s: float) -> FloatArray:
    """Return whole degrees by the day of the year (warmest late in July) and the hour."""
    local = timestamp_s + utc_offset_s
    year = 2 * np.pi * (local / 86_400 / 365.25 - 205 / 365.25)
    hour = 2 * np.pi * (local % 86_400 / 86_400 - 15.5 / 24)
    degrees: FloatArray = np.rint(warmth_c + 7.5 * np.cos(year) + 3.5 * np.cos(hour))
    return degrees


def _speeds(course: Course, effort: Effort, rng: np.random.Generator) -> FloatArray:
    distance = course.distance_m
    ends = np.cumsum([metres for metres, _ in effort.stretches])
    stretch = np.minimum(np.searchsorted(ends, distance), len(ends) - 1)
    flat = np.array([speed for _, speed in effort.stretches])[stretch]
    effect, slowest, fastest = SLOPE_EFFECT[effort.mode]
    hill = np.clip(np.exp(effect * grade(course)), slowest, fastest)
    noise = np.exp(wander(rng, len(distance), 0.03, 30))
    corner = _corners(course) if effort.mode == "ride" else 1.0
    return np.maximum(smooth(flat * hill * noise * corner, 4), 0.4)


def grade(course: Course) -> FloatArray:
    """Return the slope (rise over run) at each vertex, over some 100 m."""
    slope = np.gradient(smooth(course.altitude_m, 10), SPACING_M)
    return np.clip(slope, -0.3, 0.3)


def _corners(course: Course) -> FloatArray:
    ahead = np.gradient(course.xy_m, axis=0)
    heading = np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 1]))
    turn = np.abs(heading - np.roll(heading, 6))
    turn[:6] = 0.0
    return smooth(1.0 - 0.55 * np.clip(turn / (np.pi / 2), 0.0, 1.0), 3)


def _sample_times(
    duration_s: float, step_s: int, stops: tuple[tuple[float, float], ...]
) -> FloatArray:
    time = np.unique(np.append(np.arange(0.0, duration_s, step_s), np.floor(duration_s)))
    for stopped, started in stops:
        time = time[(time <= stopped) | (time >= started)]
    return time


def _points(
    course: Course, effort: Effort, time: FloatArray, at_m: FloatArray, rng: np.random.Generator
) -> Points:
    count = len(time)
    xy = np.column_stack([np.interp(at_m, course.distance_m, course.xy_m[:, a]) for a in (0, 1)])
    reach = max(2, 16 // effort.step_s)
    noise = np.column_stack([wander(rng, count, GPS_NOISE_M, reach) for _ in range(2)])
    lat, lng = to_degrees(xy + noise, course.place)
    slope = np.interp(at_m, course.distance_m, grade(course))
    speed = np.gradient(at_m, time)
    watts = _watts(speed, slope, effort, rng) if effort.mode == "ride" else np.full(count, np.nan)
    share = _share(speed, slope, watts, effort)
    ground = np.interp(at_m, course.distance_m, course.altitude_m)
    ground += wander(rng, count, 0.3, 3 * reach)
    missing = np.full(count, np.nan)
    return Points.of(
        count,
        timestamp_s=time,
        lat=lat,
        lng=lng,
        altitude_m=missing if effort.mode == "swim" else ground,
        distance_m=at_m * (1.002 + 0.0015 * rng.standard_normal()),
        velocity_mps=speed,
        heartrate_bpm=heartrate(share, effort.step_s, rng),
        cadence_rpm=_cadence(speed, slope, effort.mode, rng),
        power_w=watts if effort.threshold_w else missing,
    )


def _watts(
    speed: FloatArray, slope: FloatArray, effort: Effort, rng: np.random.Generator
) -> FloatArray:
    """Return the power that rolling (0.5 %), climbing and air (CdA 0.32 m²) ask for."""
    pull = RIDER_AND_BIKE_KG * 9.81 * (slope + 0.005)
    watts = (pull + 0.5 * 1.2 * 0.32 * speed**2) * speed / 0.97
    rough = watts * (1.0 + 0.12 * rng.standard_normal(len(speed)))
    ceiling = 1.35 * (effort.threshold_w or 230.0)
    watts[:] = np.rint(np.clip(rough, 0.0, ceiling + 8.0 * rng.standard_normal(len(speed))))
    return watts


def _share(speed: FloatArray, slope: FloatArray, watts: FloatArray, effort: Effort) -> FloatArray:
    if effort.mode == "ride":
        return 0.22 + 0.78 * smooth(watts, max(1, 20 // effort.step_s)) / (
            effort.threshold_w or 230.0
        )
    uphill = 1.0 + (4.5 if effort.mode == "hike" else 3.2) * slope
    return np.clip(speed * uphill / effort.best_speed_mps, 0.1, 1.2)


def _cadence(
    speed: FloatArray, slope: FloatArray, mode: Mode, rng: np.random.Generator
) -> FloatArray:
    noise = wander(rng, len(speed), 1.2, 5)
    turns: FloatArray
    if mode == "swim":
        turns = 29.0 + noise
    elif mode == "ride":
        turns = np.where((slope < -0.035) | (speed < 1.5), 0.0, 84.0 - 250.0 * slope + 3 * noise)
    else:
        base = 58.0 + 6.0 * (speed - 1.3) if mode == "hike" else 83.0 + 4.5 * (speed - 3.0)
        turns = np.where(speed < 0.5, 0.0, base + noise)
    whole: FloatArray = np.rint(np.clip(turns, 0.0, 110.0))
    return whole
