"""From SmashRun's splits to one row a kilometre or mile. Pure.

`distance` and `seconds` count from the start, so neighbours are subtracted; the last split may be
short. The unit of `distance` in `/splits/mi` is documented nowhere, so it is found out: the step
from split to split is one mile, whatever it is counted in.
"""

import itertools
import math
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from tracklake.json_reader import Reader

KILOMETRE_M = 1000.0
MILE_M = 1609.344
_TWO = 2
_LITTLE, _LITTLE_S = 0.01, 1.0  # of a split, and of its time: less than a last one has
_UNITS_M = (KILOMETRE_M, MILE_M, 1.0)  # in which a distance may be counted; the first is usual


class _Mark(NamedTuple):
    """How far and how long, in SmashRun's unit and s."""

    distance: float
    seconds: float
    fields: Reader


def splits(
    body: list[Any], split_m: float, total_m: float | None = None
) -> list[dict[str, object]]:
    """Return the splits of one length in bronze's columns; distances in m, times in s.

    split_m: that length; total_m: of the whole run, if known.
    """
    marks = _without_a_nothing(_marks(body), split_m, total_m)
    if not marks:
        return []
    if _ascends(marks):
        zero = _Mark(0.0, 0.0, Reader({}))
        steps = [
            _Mark(after.distance - before.distance, after.seconds - before.seconds, after.fields)
            for before, after in itertools.pairwise([zero, *marks])
        ]
    else:  # each for itself already
        steps = marks
    unit_m = _unit_m([step.distance for step in steps], split_m, total_m)
    return [_row(number, step, unit_m) for number, step in enumerate(steps, start=1)]


def _marks(body: list[Any]) -> list[_Mark]:
    found = []
    for fields in Reader({"splits": body}).objects("splits"):
        distance, seconds = fields.number("distance"), fields.number("seconds")
        if distance is not None and seconds is not None and distance > 0 and seconds > 0:
            found.append(_Mark(distance, seconds, fields))
    return found


def _without_a_nothing(marks: list[_Mark], split_m: float, total_m: float | None) -> list[_Mark]:
    """Put a last split of nothing into the one before: a run of 5.00001 km has one, rounded.

    Two splits that are alike may also be each for itself already; the run's length tells.
    """
    if len(marks) < _TWO:
        return marks
    before, last = marks[-2:]
    longer, later = last.distance - before.distance, last.seconds - before.seconds
    is_nothing = 0 <= longer <= _LITTLE * before.distance and 0 <= later <= _LITTLE_S
    if not is_nothing or (longer and later) or not _ascends(marks[:-1]):
        return marks
    if len(marks) == _TWO and total_m is not None and total_m > 1.5 * split_m:
        return marks
    return [*marks[:-2], _Mark(last.distance, last.seconds, before.fields)]


def _ascends(marks: Sequence[_Mark]) -> bool:
    pairs = itertools.pairwise(marks)
    return all(a.distance < b.distance and a.seconds < b.seconds for a, b in pairs)


def _unit_m(steps: Sequence[float], split_m: float, total_m: float | None) -> float:
    """Return what one of the distances' unit is in metres.

    All steps but the last are a whole split; of one step alone only the run's length tells.
    """
    if len(steps) > 1:
        return _nearest(statistics.median(steps[:-1]), split_m)
    return _nearest(steps[0], total_m) if total_m else _UNITS_M[0]


def _nearest(value: float, wanted_m: float) -> float:
    """Return the unit in which a value comes closest to a length, by their ratio."""
    if value <= 0:
        return _UNITS_M[0]
    return min(_UNITS_M, key=lambda unit_m: abs(math.log(value * unit_m / wanted_m)))


def _row(number: int, step: _Mark, unit_m: float) -> dict[str, object]:
    distance_m = step.distance * unit_m
    gain, loss = step.fields.number("elevationGain"), step.fields.number("elevationLoss")
    return {
        "split_index": number,
        "distance_m": round(distance_m, 3),
        "elapsed_time_seconds": step.seconds,
        "moving_time_seconds": step.seconds,
        "average_speed": distance_m / step.seconds,
        "elevation_difference": None if gain is None or loss is None else gain - abs(loss),
        "average_heartrate": step.fields.number("heartRate") or None,
    }
