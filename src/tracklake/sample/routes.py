"""From waypoints to a course: a line in local metres every 5 m, with the ground's altitude."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from math import ceil, cos, radians, sin
from zlib import crc32

import numpy as np

from tracklake.model import FloatArray
from tracklake.sample.places import METRES_PER_DEGREE, TERRAINS, LatLng, Place, eixample
from tracklake.sample.ways import ROUTES, WAYS

SPACING_M = 5.0
LANE_M = 3.0  # one keeps to the right, so the way back is another line


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A line to move along: xy_m (n, 2) local metres east and north, altitude_m (n,)."""

    place: Place
    xy_m: FloatArray
    altitude_m: FloatArray

    @property
    def distance_m(self) -> FloatArray:
        """Cumulative distance of each vertex since the start."""
        return cumulative(self.xy_m)


def course(route_name: str, distance_m: float) -> Course:
    """Return the course of a named route over about this distance (whole rounds of a loop)."""
    route = ROUTES[route_name]
    line = _joined(route_name)
    length = float(cumulative(line)[-1])
    if route.shape == "back":
        line = _along(np.concatenate([line, line[-2::-1]]), _shuttle(length, distance_m))
    elif route.shape == "loop":
        line = np.concatenate([line] * max(1, round(distance_m / length)))
    else:
        line = _along(line, np.arange(0.0, distance_m, SPACING_M) % length)
    return course_of(route.place, line)


def grid_course(rng: np.random.Generator, distance_m: float) -> Course:
    """Return a round through the Eixample from home, out and back along other streets."""
    legs = max(2, round(distance_m / 1000))  # a leg is 4.5 blocks out and 3 back
    out = _staircase(rng, legs)
    return course_of("barcelona", _line([eixample(*node) for node in out], "barcelona"))


def commute_course(*, homeward: bool) -> Course:
    """Return the way between home and the office in Poblenou, other streets each direction."""
    there = ((-5, 3), (-5, 2), (11, 2), (11, -2), (16, -2), (16, -6), (22, -6))
    back = ((22, -6), (22, -5), (15, -5), (15, 0), (10, 0), (10, 1), (-4, 1), (-4, 3), (-5, 3))
    nodes = back if homeward else there
    return course_of("barcelona", _line([eixample(*node) for node in nodes], "barcelona"))


def course_of(place: Place, line: FloatArray) -> Course:
    """Return the course along a line of local metres, on the right-hand side of it."""
    line = smooth(resample(line), 3)
    xy = line + LANE_M * _right_of(line)
    return Course(place=place, xy_m=xy, altitude_m=altitude(place, xy))


def altitude(place: Place, xy_m: FloatArray) -> FloatArray:
    """Return the ground's height in m at local metres (n, 2): smooth, never below 1 m."""
    terrain = TERRAINS[place]
    bearing = radians(terrain.uphill_bearing_deg)
    inland = xy_m @ np.array([sin(bearing), cos(bearing)]) + terrain.shore_m
    height: FloatArray = terrain.floor_m + terrain.slope * np.clip(inland, 0.0, None)
    for lat, lng, rise, radius in terrain.hills:
        away = xy_m - to_metres([(lat, lng)], place)
        height = height + rise * np.exp(-np.sum(away**2, axis=1) / radius**2)
    ripple = np.sin(xy_m[:, 0] / 170.0) + np.sin(xy_m[:, 1] / 210.0 + xy_m[:, 0] / 390.0)
    above_sea: FloatArray = np.maximum(height + 0.9 * ripple, 1.0)
    return above_sea


def to_metres(points: list[LatLng], place: Place) -> FloatArray:
    """Return local metres (n, 2) of latitudes and longitudes, by an equirectangular projection."""
    lat, lng = TERRAINS[place].origin
    scale = np.array([METRES_PER_DEGREE * cos(radians(lat)), METRES_PER_DEGREE])
    metres: FloatArray = (np.array(points)[:, ::-1] - [lng, lat]) * scale
    return metres


def to_degrees(xy_m: FloatArray, place: Place) -> tuple[FloatArray, FloatArray]:
    """Return latitudes and longitudes of local metres (n, 2)."""
    lat, lng = TERRAINS[place].origin
    east = xy_m[:, 0] / (METRES_PER_DEGREE * cos(radians(lat)))
    return lat + xy_m[:, 1] / METRES_PER_DEGREE, lng + east


def cumulative(line: FloatArray) -> FloatArray:
    """Return the distance of each vertex of a line (n, 2) since its first."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def resample(line: FloatArray) -> FloatArray:
    """Return the line with a vertex every 5 m."""
    length = cumulative(line)[-1]
    return _along(line, np.linspace(0.0, length, max(2, ceil(length / SPACING_M) + 1)))


def smooth(columns: FloatArray, reach: int) -> FloatArray:
    """Return the moving average over `reach` neighbours each side; the ends stay where they are."""
    padded = np.pad(
        columns,
        ((reach, reach), *[(0, 0)] * (columns.ndim - 1)),
        mode="reflect",
        reflect_type="odd",
    )
    sums = np.cumsum(np.concatenate([np.zeros_like(padded[:1]), padded]), axis=0)
    width = 2 * reach + 1
    averaged: FloatArray = (sums[width:] - sums[:-width]) / width
    return averaged


@cache
def _joined(route_name: str) -> FloatArray:
    route = ROUTES[route_name]
    parts = [_way(name.removeprefix("-"), route.place) for name in route.ways]
    turned = [p[::-1] if n.startswith("-") else p for n, p in zip(route.ways, parts, strict=True)]
    return np.concatenate(turned)


@cache
def _way(name: str, place: Place) -> FloatArray:
    way = WAYS[name]
    line = _line(list(way.points), place)
    if not way.winding_m:
        return line
    line = smooth(line, 8)
    along = cumulative(line)
    ends = np.clip(np.minimum(along, along[-1] - along) / way.wave_m, 0.0, 1.0)
    swing = way.winding_m * ends * _winding(along / way.wave_m, crc32(name.encode()))
    bent: FloatArray = line + swing[:, np.newaxis] * _right_of(line)
    return bent


def _winding(waves: FloatArray, seed: int) -> FloatArray:
    """Return a bend of about ±1: wide ones and narrow ones, as the ground has them."""
    rng = np.random.default_rng(seed)
    lengths = np.array([0.45, 0.8, 1.0, 1.7, 3.1])
    turns = 2 * np.pi * (waves[:, np.newaxis] / lengths + rng.random(len(lengths)))
    weights: FloatArray = lengths / np.sqrt(np.sum(lengths**2) / 2) / 1.3
    bend: FloatArray = np.sin(turns) @ weights
    return bend


def _line(points: list[LatLng], place: Place) -> FloatArray:
    return resample(to_metres(points, place))


def _along(line: FloatArray, at_m: FloatArray) -> FloatArray:
    length = cumulative(line)
    return np.column_stack([np.interp(at_m, length, line[:, axis]) for axis in (0, 1)])


def _shuttle(length_m: float, distance_m: float) -> FloatArray:
    """Return positions along an out-and-back line that fill the distance in equal rounds."""
    rounds = max(1, ceil(distance_m / 2 / length_m))
    turn = distance_m / 2 / rounds
    at = np.arange(0.0, distance_m, SPACING_M) % (2 * turn)
    return np.where(at <= turn, at, 2 * length_m - (2 * turn - at))


def _right_of(line: FloatArray) -> FloatArray:
    ahead = smooth(np.gradient(line, axis=0), 4)
    length = np.hypot(ahead[:, 0], ahead[:, 1])
    unit = ahead / np.maximum(length, 1e-9)[:, np.newaxis]
    return np.column_stack([unit[:, 1], -unit[:, 0]])


def _staircase(rng: np.random.Generator, legs: int) -> list[tuple[float, float]]:
    """Return the crossings of a round: along a street, up or down a few, along, …, and home."""
    east = bool(rng.integers(2))
    across, up = -5, 3
    nodes: list[tuple[float, float]] = [(across, up)]
    for leg in range(legs):
        across += int(rng.integers(2, 5)) * (1 if east else -1)
        across = int(np.clip(across, -14, 17))
        nodes.append((across, up))
        up = int(np.clip(up + rng.integers(1, 3) * (1 if leg % 2 else -1), 0, 8))
        nodes.append((across, up))
    home_street = 5 + int(rng.integers(0, 4))
    nodes += [(across, home_street), (-5, home_street), (-5, 3)]
    return [node for node, _ in itertools.groupby(nodes)]
