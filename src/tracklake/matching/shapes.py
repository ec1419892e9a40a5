"""Whether two coarse tracks go the same way; on a plane, which is enough for that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from tracklake.matching.records import Position

Verdict = Literal["same", "different", "unclear"]
Line = Sequence[Position]

_METRES_PER_DEGREE = 111_195.0
_SAMPLES = 12
_NEAR_M, _NEAR_SHARE = 150.0, 0.02  # of the length: a coarse line cuts corners
_MOST_NEAR, _SOME_NEAR = 0.85, 0.5
_ENDS_APART_M = 500.0  # closer than that it is a loop, which has no direction


def apart_m(first: Position, second: Position) -> float:
    """Return about how far apart two positions are."""
    east = (first[0] - second[0] + 180.0) % 360.0 - 180.0
    narrowing = math.cos(math.radians((first[1] + second[1]) / 2))
    return math.hypot(east * narrowing, first[1] - second[1]) * _METRES_PER_DEGREE


def alike(first: Line, second: Line) -> Verdict:
    """Tell whether two lines of two or more positions are one way; ends may be cut off.

    "different" also if they are walked in opposite directions.
    """
    if len(first) < 2 or len(second) < 2:
        return "unclear"
    if _is_reversed(first, second):
        return "different"
    shares = sorted((_share_near(first, second), _share_near(second, first)))
    if shares[1] < _SOME_NEAR:
        return "different"
    return "same" if shares[0] >= _SOME_NEAR and shares[1] >= _MOST_NEAR else "unclear"


def _is_reversed(first: Line, second: Line) -> bool:
    """Tell whether one begins where the other ends, and the other way round."""
    if min(apart_m(first[0], first[-1]), apart_m(second[0], second[-1])) < _ENDS_APART_M:
        return False
    along = apart_m(first[0], second[0]) + apart_m(first[-1], second[-1])
    against = apart_m(first[0], second[-1]) + apart_m(first[-1], second[0])
    return against < along / 2


def _share_near(line: Line, other: Line) -> float:
    """Return which part of a line's length lies on the other."""
    scale = math.cos(math.radians(line[0][1]))
    mine, theirs = _flat(line, line[0], scale), _flat(other, line[0], scale)
    length = sum(math.dist(a, b) for a, b in pairwise(mine))
    tolerance = max(_NEAR_M, _NEAR_SHARE * length)
    samples = _sampled(mine, length)
    near = sum(any(_distance(p, a, b) <= tolerance for a, b in pairwise(theirs)) for p in samples)
    return near / len(samples)


def _flat(line: Line, origin: Position, scale: float) -> list[Position]:
    return [
        (
            ((lng - origin[0] + 180.0) % 360.0 - 180.0) * scale * _METRES_PER_DEGREE,
            (lat - origin[1]) * _METRES_PER_DEGREE,
        )
        for lng, lat in line
    ]


def _sampled(line: Line, length: float) -> list[Position]:
    """Return points at equal distances along a line."""
    step = length / _SAMPLES
    wanted, walked = step / 2, 0.0
    found: list[Position] = []
    for a, b in pairwise(line):
        piece = math.dist(a, b)
        while piece and wanted <= walked + piece and len(found) < _SAMPLES:
            part = (wanted - walked) / piece
            found.append((a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])))
            wanted += step
        walked += piece
    return found or [line[0]]


def _distance(point: Position, a: Position, b: Position) -> float:
    """Return how far a point lies from a piece of a line."""
    east, north = b[0] - a[0], b[1] - a[1]
    square = east * east + north * north
    along = (point[0] - a[0]) * east + (point[1] - a[1]) * north
    part = min(max(along / square, 0.0), 1.0) if square else 0.0
    return math.hypot(point[0] - a[0] - part * east, point[1] - a[1] - part * north)
