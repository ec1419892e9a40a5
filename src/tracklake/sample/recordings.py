"""From an outing of the calendar to the recording that a watch would have made of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable

import numpy as np
import pytz

from tracklake.model import Device, Points, Recording
from tracklake.sample.effort import Effort, Motion, move, still, temperature
from tracklake.sample.kinds import RECIPES, Kind, Outing, Recipe
from tracklake.sample.laps import Stops, distance_marks, laps, session
from tracklake.sample.places import TERRAINS
from tracklake.sample.routes import Course, commute_course, course, grid_course

WATCH = Device(manufacturer="development", serial_number=20_260_501, name="Sample watch")
BIKE_COMPUTER = Device(manufacturer="development", serial_number=20_260_502, name="Sample bike")


def record(outing: Outing, seed: int) -> Recording:
    """Return the recording of an outing that is neither "manual" nor a "triathlon".

    The same seed and outing give the same recording; no other outing has a say in it.
    """
    rng = np.random.default_rng([seed, outing.day.toordinal(), int(outing.hour * 60)])
    recipe = RECIPES[outing.kind]
    moved = _INDOORS[outing.kind](outing, rng) if recipe.indoor else _outdoors(outing, rng)
    start, offset = start_of(outing)
    points, stops = at_time(moved, start, offset, TERRAINS[outing.place].warmth_c)
    if recipe.indoor:
        points = dataclasses.replace(points, temperature_c=np.full(len(points), 22.0))
    if outing.tunnel:
        points = without_sky(points, 0.55, seconds=260.0)
    end = float(points.timestamp_s[-1])
    marks = [start + mark for mark in moved.stretch_ends_s[:-1]]
    trigger = "manual" if outing.repeats[0] else "distance"
    marks = marks if outing.repeats[0] else distance_marks(points, recipe.lap_m)
    return Recording(
        format="fit",
        points=points,
        sessions=(session(points, stops, end, recipe.sport, recipe.sub_sport),),
        laps=laps(points, stops, marks, end, trigger),
        pauses=stops,
        device=BIKE_COMPUTER if recipe.mode == "ride" else WATCH,
        created_s=start,
        utc_offset_s=offset,
        name=outing.name,
    )


def start_of(outing: Outing) -> tuple[float, float]:
    """Return an outing's start in UNIX seconds and its local time minus UTC in seconds."""
    midnight = dt.datetime.combine(outing.day, dt.time())
    local = midnight + dt.timedelta(seconds=round(outing.hour * 3600))
    aware = pytz.timezone(TERRAINS[outing.place].timezone).localize(local)
    offset = aware.utcoffset()
    return aware.timestamp(), offset.total_seconds() if offset else 0.0


def at_time(
    moved: Motion, start_s: float, utc_offset_s: float, warmth_c: float
) -> tuple[Points, Stops]:
    """Return the points and the stops at UNIX seconds, with the season's temperature."""
    time = moved.points.timestamp_s + start_s
    warmth = temperature(warmth_c, time, utc_offset_s)
    points = dataclasses.replace(moved.points, timestamp_s=time, temperature_c=warmth)
    return points, tuple((start_s + a, start_s + b) for a, b in moved.stops)


def without_sky(points: Points, share: float, seconds: float) -> Points:
    """Return the points without position for some seconds, from a share of the way on."""
    begin = points.timestamp_s[int(len(points) * share)]
    hidden = (points.timestamp_s >= begin) & (points.timestamp_s < begin + seconds)
    lat, lng = points.lat.copy(), points.lng.copy()
    lat[hidden] = lng[hidden] = np.nan
    return dataclasses.replace(points, lat=lat, lng=lng)


def effort_of(outing: Outing, recipe: Recipe, stretches: tuple[tuple[float, float], ...]) -> Effort:
    """Return the effort of a recipe at an outing's form over the stretches, without stops."""
    best = 0.98 if recipe.mode == "swim" else 3.6 + 0.5 * outing.form
    best *= 0.86 if recipe.sub_sport == "trail" else 1.0
    return Effort(
        mode=recipe.mode,
        stretches=stretches,
        step_s=recipe.step_s,
        best_speed_mps=2.1 if recipe.mode == "hike" else best,
        threshold_w=215.0 + 40.0 * outing.form if recipe.power else None,
    )


def _outdoors(outing: Outing, rng: np.random.Generator) -> Motion:
    line = _course(outing, rng)
    length = float(line.distance_m[-1])
    recipe = RECIPES[outing.kind]
    effort = effort_of(outing, recipe, _stretches(outing, length, rng))
    effort = dataclasses.replace(effort, stops=_stops(outing, length, rng))
    return move(line, effort, rng)


def _course(outing: Outing, rng: np.random.Generator) -> Course:
    if outing.route in ("to_office", "to_home"):
        return commute_course(homeward=outing.route == "to_home")
    if outing.route == "grid":
        return grid_course(rng, outing.amount)
    if outing.route is None:
        raise ValueError(f"{outing.kind} needs a route")
    return course(outing.route, outing.amount)


def _stretches(
    outing: Outing, length_m: float, rng: np.random.Generator
) -> tuple[tuple[float, float], ...]:
    count, metres = outing.repeats
    easy = 2.75 + 0.3 * outing.form
    if count:
        fast = outing.speed_mps * (1.0 if metres > 700 else 1.06)
        repeats = itertools.chain.from_iterable(
            ((metres, fast * (1 + 0.012 * rng.standard_normal())), (300.0, 2.3))
            for _ in range(count)
        )
        return ((2000.0, easy), *repeats, (1e9, easy))
    day = outing.speed_mps * (1.0 + 0.02 * rng.standard_normal())
    if outing.kind == "marathon":
        # Evenly to 30 km, and then the wall, a small one.
        return ((30_000.0, day * 1.015), (1e9, day * 0.965))
    if outing.kind in ("easy", "long"):
        return ((1000.0, day * 0.94), (length_m - 1800.0, day), (1e9, day * 1.04))
    return ((1e9, day),)


# How far apart the stops with the button pressed (or pressed by the watch itself) are, and how
# long they take: m, s.
_STOPPING: dict[Kind, tuple[float, float, float]] = {
    "easy": (3500.0, 12.0, 45.0),
    "long": (6000.0, 15.0, 80.0),
    "trail": (5000.0, 20.0, 100.0),
    "commute": (900.0, 10.0, 50.0),
    "ride": (14_000.0, 15.0, 240.0),
    "gravel": (11_000.0, 20.0, 200.0),
    "mountain": (6000.0, 30.0, 150.0),
    "brevet": (29_000.0, 240.0, 900.0),
    "hike": (2600.0, 120.0, 900.0),
    "walk": (2500.0, 30.0, 240.0),
}


def _stops(outing: Outing, length_m: float, rng: np.random.Generator) -> Stops:
    if outing.kind not in _STOPPING:
        return ()
    apart, shortest, longest = _STOPPING[outing.kind]
    at = np.arange(apart * 0.6, length_m - 400.0, apart)
    at = at + rng.uniform(-0.3, 0.3, len(at)) * apart
    at = at[at < length_m - 100.0]
    return tuple((float(a), float(rng.uniform(shortest, longest))) for a in at)


def _machine(outing: Outing, rng: np.random.Generator) -> Motion:
    """Treadmill and trainer: a belt or a wheel that turns, in blocks of effort."""
    recipe = RECIPES[outing.kind]
    shape = np.array([0.6, 0.75, 0.85, 0.7, 0.9, 0.7, 0.92, 0.72, 0.9, 0.6])
    points = still(int(outing.amount), shape, rng, recipe.step_s)
    share = np.interp(np.arange(len(points)), np.linspace(0, len(points), len(shape)), shape)
    speed = np.maximum(outing.speed_mps * share / 0.8, 0.5)
    watts = np.round((215.0 + 40.0 * outing.form) * share + 6.0 * rng.standard_normal(len(points)))
    riding = recipe.mode == "ride"
    points = dataclasses.replace(
        points,
        distance_m=np.cumsum(speed) * recipe.step_s,
        velocity_mps=speed,
        cadence_rpm=np.round((88.0 if riding else 82.0) + rng.standard_normal(len(points))),
        power_w=watts if riding else points.power_w,
    )
    return Motion(points=points, stops=(), stretch_ends_s=())


def _pool(outing: Outing, rng: np.random.Generator) -> Motion:
    """Hundreds with a rest of 20 s at the wall after every fourth."""
    step = RECIPES["pool"].step_s
    hundreds = int(outing.amount / 100)
    paces = 100.0 / (outing.speed_mps * (1.0 + 0.02 * rng.standard_normal(hundreds)))
    rests = 20.0 * (np.arange(hundreds) % 4 == 3)
    away = np.cumsum(paces + rests) - paces - rests
    clock = np.column_stack([away, away + paces]).ravel()
    swum = np.column_stack([np.arange(hundreds), np.arange(1, hundreds + 1)]).ravel() * 100.0
    points = still(int(clock[-1]) + 1, np.array([0.7, 0.85, 0.9, 0.85]), rng, step)
    distance = np.interp(points.timestamp_s, clock, swum)
    points = dataclasses.replace(
        points,
        distance_m=distance,
        velocity_mps=np.gradient(distance, points.timestamp_s),
        cadence_rpm=np.round(28.0 + rng.standard_normal(len(points))),
    )
    return Motion(points=points, stops=(), stretch_ends_s=())


def _room(outing: Outing, rng: np.random.Generator) -> Motion:
    """Strength and yoga: a heart that beats, and nothing that moves."""
    sets = 0.15 if outing.kind == "yoga" else 0.4
    shape = 0.15 + sets * rng.random(24)
    points = still(int(outing.amount), shape, rng, RECIPES[outing.kind].step_s)
    return Motion(points=points, stops=(), stretch_ends_s=())


_INDOORS: dict[Kind, Callable[[Outing, np.random.Generator], Motion]] = {
    "treadmill": _machine,
    "trainer": _machine,
    "pool": _pool,
    "strength": _room,
    "yoga": _room,
}
