"""The sample athlete's triathlon: five legs in one recording, as a multisport watch writes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from tracklake.model import POINT_COLUMNS, Lap, Points, Recording, Session
from tracklake.sample.effort import Effort, Motion, move
from tracklake.sample.kinds import RECIPES, Kind, Outing, Recipe
from tracklake.sample.laps import laps, session
from tracklake.sample.places import TERRAINS
from tracklake.sample.recordings import WATCH, at_time, effort_of, start_of
from tracklake.sample.routes import course

# FIT's sport and sub_sport, the kind that says how, the route and the distance in m.
_LEGS: tuple[tuple[str, str, Kind, str, float], ...] = (
    ("swimming", "open_water", "open_water", "bay", 1500.0),
    ("transition", "generic", "walk", "race_first", 150.0),
    ("cycling", "road", "ride", "race_ride", 40_000.0),
    ("transition", "generic", "walk", "race_second", 140.0),
    ("running", "generic", "half", "race_run", 10_000.0),
)


def record_triathlon(outing: Outing, seed: int) -> Recording:
    """Return the recording of a triathlon: five sessions, a lap each, distance counted through."""
    start, offset = start_of(outing)
    warmth = TERRAINS[outing.place].warmth_c
    parts: list[Points] = []
    sessions: list[Session] = []
    marks: list[Lap] = []
    clock, metres = start, 0.0
    for leg, moved in zip(_LEGS, _moved(outing, seed), strict=True):
        points, _ = at_time(moved, clock, offset, warmth)
        points = dataclasses.replace(points, distance_m=points.distance_m + metres)
        end = float(points.timestamp_s[-1])
        sessions.append(session(points, (), end, leg[0], leg[1]))
        marks.extend(laps(points, (), [], end, "session_end"))
        parts.append(points)
        clock, metres = end + 1.0, float(points.distance_m[-1])
    return Recording(
        format="fit",
        points=_chain(parts),
        sessions=tuple(sessions),
        laps=tuple(marks),
        device=WATCH,
        created_s=start,
        utc_offset_s=offset,
        name=outing.name,
    )


def _moved(outing: Outing, seed: int) -> Iterator[Motion]:
    rng = np.random.default_rng([seed, outing.day.toordinal(), 3])
    for _, _, kind, route, metres in _LEGS:
        recipe = RECIPES[kind]
        slow, fast = recipe.speeds_mps
        speed = slow + (fast - slow) * outing.form
        yield move(course(route, metres), _effort(outing, recipe, speed), rng)


def _effort(outing: Outing, recipe: Recipe, speed_mps: float) -> Effort:
    racing = dataclasses.replace(recipe, step_s=max(2, recipe.step_s - 1))
    return effort_of(outing, racing, ((1e9, speed_mps * 1.04),))


def _chain(parts: list[Points]) -> Points:
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in POINT_COLUMNS}
    return Points.of(len(columns["timestamp_s"]), **columns)
