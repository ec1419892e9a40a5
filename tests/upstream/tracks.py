"""The made-up course of an activity: a smooth loop, repeatable from its seed, never stored."""

import dataclasses
import math
import random
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]
M_PER_DEGREE = 111_195.0
HOMES = ((41.39, 2.16), (41.98, 2.82), (42.27, 2.96), (-33.45, -70.66))  # the last for the south


@dataclasses.dataclass(frozen=True)
class Course:
    """What the points of an activity follow from."""

    seed: int
    distance_m: float
    elapsed_s: int
    moving_s: int
    points: int
    gps: bool = True
    power: bool = False
    heartrate: bool = True


def _dice(course: Course) -> random.Random:
    return random.Random(course.seed)  # noqa: S311 repeatable on purpose


def times_s(course: Course) -> Column:
    """Return seconds since the start, whole and never decreasing, with the pause in the middle."""
    moving = np.linspace(0.0, course.moving_s, course.points)
    pause_s = max(0, course.elapsed_s - course.moving_s)
    moving[course.points // 2 :] += pause_s
    return np.rint(moving)


def positions(course: Course, points: int | None = None) -> Column:
    """Return latitude and longitude: a wobbly loop that is about as long as the distance."""
    dice = _dice(course)
    latitude, longitude = dice.choice(HOMES)
    phase, wobble = dice.uniform(0, 2 * math.pi), dice.uniform(0.05, 0.25)
    turn = np.linspace(0.0, 2 * math.pi, points or course.points) + phase
    radius = course.distance_m / (2 * math.pi) / M_PER_DEGREE * (1 + wobble * np.sin(3 * turn))
    north = latitude + dice.uniform(-0.05, 0.05) + radius * np.sin(turn)
    east = longitude + radius * np.cos(turn) / math.cos(math.radians(latitude))
    line: Column = np.column_stack((north, east))
    return line.round(6)


def altitudes_m(course: Course, points: int | None = None) -> Column:
    """Return hills of some ten metres."""
    dice = _dice(course)
    base, height = dice.uniform(5, 60), dice.uniform(5, 80)
    turn = np.linspace(0.0, 2 * math.pi, points or course.points)
    hills: Column = base + height * (1 - np.cos(turn * dice.randint(1, 4))) / 2
    return hills.round(1)


def _effort(course: Course) -> Column:
    return 0.5 + 0.5 * np.sin(np.linspace(0.0, 12.0, course.points) + course.seed % 7)


def channels(course: Course) -> dict[str, list[Any]]:
    """Return every channel that such a recording has, by the names of the service."""
    share = np.linspace(0.0, 1.0, course.points)
    time, distance = times_s(course), np.round(share * course.distance_m, 1)
    altitude, effort = altitudes_m(course), _effort(course)
    pace = course.distance_m / max(1, course.moving_s)
    found: dict[str, list[Any]] = {
        "time": time.astype(int).tolist(),
        "distance": distance.tolist(),
        "altitude": altitude.tolist(),
        "velocity_smooth": np.round(pace * (0.9 + 0.2 * effort), 2).tolist(),
        "cadence": np.rint(75 + 15 * effort).astype(int).tolist(),
        "temp": np.full(course.points, 14 + course.seed % 15).tolist(),
        "moving": (np.arange(course.points) != course.points // 2).tolist(),
        "grade_smooth": _grades(distance, altitude),
    }
    if course.gps:
        found["latlng"] = positions(course).tolist()
    if course.heartrate:
        found["heartrate"] = np.rint(110 + 60 * effort).astype(int).tolist()
    if course.power:
        watts: list[int | None] = np.rint(120 + 160 * effort).astype(int).tolist()
        watts[0] = None  # the service leaves gaps as null
        found["watts"] = watts
    return found


def _grades(distance: Column, altitude: Column) -> list[float]:
    if len(distance) < 2:
        return [0.0] * len(distance)
    steps = np.maximum(np.diff(distance), 1.0)
    grades = np.append(100 * np.diff(altitude) / steps, 0.0)
    return [float(value) for value in np.round(np.clip(grades, -40, 40), 1)]


def polyline(points: Column) -> str:
    """Return Google's encoded polyline of latitudes and longitudes, 5 decimals."""
    text: list[str] = []
    last = np.zeros(2, dtype=np.int64)
    for row in np.rint(points * 1e5).astype(np.int64):
        text += [_encoded(value) for value in (row - last).tolist()]
        last = row
    return "".join(text)


def _encoded(value: int) -> str:
    rest = ~(value << 1) if value < 0 else value << 1
    text = ""
    while rest >= 0x20:
        text += chr((0x20 | (rest & 0x1F)) + 63)
        rest >>= 5
    return text + chr(rest + 63)
