"""How far two records are apart in duration, distance and sport."""

from __future__ import annotations

from typing import NamedTuple

from tracklake import sports
from tracklake.matching.records import Record

_TWIN_S, _TWIN_SHARE = 3.0, 0.002  # one recording: durations agree to the second or two
_FAMILY = {name: sports.family(name) for name in sports.SPORT_TYPES}


class Apart(NamedTuple):
    """Differences: seconds, or shares of the larger; None: not comparable."""

    gap_s: float
    overlap: float
    time: float | None
    distance: float | None
    is_twin: bool
    sport: str


def apart_of(a: Record, b: Record, gap_s: float, overlap: float) -> Apart:
    """Measure what does not depend on clocks; gap_s and overlap are taken as given."""
    time, is_twin = _time_apart(a, b)
    far, near = a.distance_m or 0.0, b.distance_m or 0.0
    known = far > 0 and near > 0
    distance = abs(far - near) / max(far, near) if known else None
    return Apart(gap_s, overlap, time, distance, is_twin, _sport_apart(a, b))


def _time_apart(a: Record, b: Record) -> tuple[float | None, bool]:
    """Return the smallest difference of any two durations: sources differ in which they give."""
    least_s, longest_s = -1.0, 1.0
    for mine in (a.elapsed_s, a.moving_s):
        for other in (b.elapsed_s, b.moving_s):
            if mine and other and (least_s < 0 or abs(mine - other) < least_s):
                least_s, longest_s = abs(mine - other), max(mine, other, 1.0)
    if least_s < 0:
        return None, False
    return least_s / longest_s, least_s <= max(
        min(_TWIN_S, 0.005 * longest_s), _TWIN_SHARE * longest_s
    )


def _sport_apart(a: Record, b: Record) -> str:
    mine, other = a.sport_type or sports.UNKNOWN, b.sport_type or sports.UNKNOWN
    if mine == other:
        return "same"
    if sports.UNKNOWN in (mine, other) or a.has_legs or b.has_legs:
        return "unknown"
    family = _FAMILY.get(mine, "other")
    if family != _FAMILY.get(other, "other"):
        return "other"
    return "unknown" if family == "other" else "same"


def length_s(record: Record) -> float:
    """Return how long it lasted, 0 if unknown."""
    return max(record.elapsed_s or record.moving_s or 0.0, 0.0)
