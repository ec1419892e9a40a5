"""How sure it is that two records are one activity, by time, distance, duration, sport and track.

Three ways. "together": both clocks say so, for nobody does two things at once. "shifted": a clock
or a zone is wrong; then the rest must agree closely. "day": a start is hidden, or was typed in by
hand; only the day is known. What each costs is a table in docs/matching.md.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from tracklake.matching import shapes
from tracklake.matching.differences import Apart, apart_of, length_s
from tracklake.matching.records import Record

SURE = 0.8  # from here on two records are one activity
DOUBTFUL = 0.5  # from here on the athlete is asked
CLOCK_S = 900.0  # a clock may be as much off
ZONE_S = 14 * 3_600.0 + CLOCK_S  # a zone, and the clock
REACH_S = 38 * 3_600.0  # a hidden day as UTC: 24 h and 14 h of zone; nothing further is compared
# Records of one service that start further apart are two activities: the list of each is its own
# word. So a service with many at all times makes no long chains of doubts.
SAME_SERVICE_S = 120.0

_FIRST_S = 631_238_400.0  # 2 January 1990
Way = Literal["together", "shifted", "day"]

_QUARTER_S, _DAY_S = 900.0, 86_400.0
_SAME_CLOCK_S = 90.0  # what is left of a gap when the zone is taken off
_CLOSE_S, _LATE_S, _SHORT_S = 120.0, 300.0, 600.0
_TRACK_BONUS, _NEAR_BONUS, _ELSEWHERE = 0.08, 0.04, 0.3
_AT_START_M, _OTHER_START_M, _OTHER_PLACE_M = 700.0, 2_000.0, 5_000.0
_LEG_APART = 0.05  # as far as distances of a leg and of the same by itself may differ
_CERTAIN = 0.93  # tracks are not looked at above
_SPORT_COST = {"same": 0.0, "unknown": 0.04, "other": 0.12}


class Likeness(NamedTuple):
    """A confidence from 0 to 1, how it came about, and whether the tracks decided."""

    confidence: float
    way: Way
    by_track: bool = False


def likeness(a: Record, b: Record) -> Likeness | None:
    """Compare two records, either way round; None if they are not alike, or nothing can be said."""
    if a.start_s is None or b.start_s is None or not (has_time(a) and has_time(b)):
        return None
    gap_s = abs(a.start_s - b.start_s)
    if gap_s > (REACH_S if a.service != b.service else SAME_SERVICE_S):
        return None
    if (most := _most(a, b)) == 0:
        return None
    found = _by_clock(a, b, gap_s)
    if found is None or found.way != "together":
        found = _better(found, _by_day(a, b, gap_s))
    if found is None or (found.way != "together" and a.service == b.service):
        return None  # a source does not have one activity twice at different times
    found = _by_place(a, b, found)
    confidence = round(min(found.confidence, most), 4)
    if confidence < DOUBTFUL:
        return None
    return Likeness(confidence, found.way, found.by_track and confidence >= SURE)


def has_time(record: Record) -> bool:
    """Tell whether its start means anything: a clock that was never set says 1970 or 1989."""
    return not record.is_stub and record.start_s is not None and record.start_s >= _FIRST_S


def is_day_only(record: Record) -> bool:
    """Tell whether its time of day means nothing: hidden, or a round one without any place."""
    return record.start_hidden or (
        record.start is None
        and not record.line
        and record.start_s is not None
        and record.start_s % _LATE_S == 0
    )


def _most(a: Record, b: Record) -> float:
    """Return the highest confidence that wholes and legs allow between them."""
    if (a.leg_index > 0) == (b.leg_index > 0):
        return 1.0
    whole = b if a.leg_index else a
    if whole.has_legs:
        return 0.0
    return 1.0 if _is_leg_by_itself(a, b) else SURE - 0.1


def _is_leg_by_itself(a: Record, b: Record) -> bool:
    """Tell whether one is a leg that the other's service has as an activity of its own.

    Nothing but the very same will do: an outing may be little more than its longest leg.
    """
    gap_s = abs((a.start_s or 0.0) - (b.start_s or 0.0))
    apart = apart_of(a, b, gap_s, 1.0)
    near = apart.distance is None or apart.distance <= _LEG_APART
    return gap_s <= _CLOSE_S and apart.is_twin and apart.sport == "same" and near


def _better(first: Likeness | None, second: Likeness | None) -> Likeness | None:
    if first is None or second is None:
        return first or second
    return max((first, second), key=lambda one: (one.confidence, one.way))


# ---- both clocks ----


def _by_clock(a: Record, b: Record, gap_s: float) -> Likeness | None:
    if a.start_hidden or b.start_hidden:
        return None
    a_s, b_s = length_s(a), length_s(b)
    later_s = gap_s + (b_s if _starts_first(a, b) else a_s)
    earlier_s = a_s if _starts_first(a, b) else b_s
    if not can_be_one(gap_s, earlier_s):
        return None
    both_s = min(later_s, earlier_s) - gap_s
    overlap = both_s / max(later_s, earlier_s, 1.0) if both_s > 0 else 0.0
    apart = apart_of(a, b, gap_s, overlap)
    together = _together(apart, a.has_legs != b.has_legs)
    if together and together.confidence >= SURE:
        return together
    return _better(together, _shifted(a, b, apart))


def can_be_one(gap_s: float, earlier_s: float) -> bool:
    """Tell whether two starts are near enough, if the earlier record lasts that long."""
    return gap_s < earlier_s or gap_s <= CLOCK_S or (gap_s <= ZONE_S and _is_zone(gap_s))


def _starts_first(a: Record, b: Record) -> bool:
    return (a.start_s or 0.0) <= (b.start_s or 0.0)


def _together(apart: Apart, one_has_legs: bool) -> Likeness | None:
    base = _together_base(apart)
    if base is None or (one_has_legs and apart.overlap < 0.9):
        return None
    cost = _distance_cost(apart) + _SPORT_COST[apart.sport] + 0.03 * min(apart.gap_s / CLOCK_S, 1.0)
    if apart.time is not None and not apart.is_twin:
        cost += min(apart.time, 0.2) / 10
    return Likeness(base - cost, "together")


def _together_base(apart: Apart) -> float | None:
    if apart.time is None:
        return 0.88 if apart.gap_s <= _CLOSE_S and apart.distance is not None else None
    for gap_s, time, overlap, base in (
        (_CLOSE_S, 0.03, 0.4, 0.98),
        (CLOCK_S, 1.0, 0.9, 0.96),
        (CLOCK_S, 1.0, 0.75, 0.92),
        (_LATE_S, 0.05, 0.5, 0.92),
        (CLOCK_S * 4, 1.0, 0.5, 0.7),
    ):
        if apart.gap_s <= gap_s and apart.time <= time and apart.overlap >= overlap:
            return base
    return None


def _distance_cost(apart: Apart) -> float:
    if apart.distance is None:
        return 0.03
    for most, cost in ((0.05, 0.0), (0.1, 0.03), (0.25, 0.08)):
        if apart.distance <= most:
            return cost + apart.distance / 10
    if apart.sport == "same" and apart.gap_s <= _CLOSE_S and (apart.time or 0.0) <= 0.01:
        return 0.15  # a treadmill, corrected by hand
    return 0.3


# ---- a wrong clock or zone ----


def _shifted(a: Record, b: Record, apart: Apart) -> Likeness | None:
    if apart.sport == "other" or a.has_legs != b.has_legs:
        return None
    if apart.gap_s <= CLOCK_S:
        if apart.overlap < 0.1:  # one after the other, as intervals are
            return None
        base = 0.88
    elif _is_zone(apart.gap_s):
        base = 0.86 if a.zone_known and b.zone_known else 0.88
    else:
        return None
    cost = _closeness_cost(apart)
    if cost is None:
        return None
    cost += _short_cost(a, b) + _SPORT_COST[apart.sport]
    return Likeness(base - cost, "shifted")


def _is_zone(gap_s: float) -> bool:
    """Tell whether a gap is some quarters of an hour, as zones differ by."""
    left_s = (gap_s + _QUARTER_S / 2) % _QUARTER_S - _QUARTER_S / 2
    return gap_s <= ZONE_S and abs(left_s) <= _SAME_CLOCK_S


def _short_cost(a: Record, b: Record) -> float:
    """Return what it costs to be short: intervals saved one by one all have one length."""
    return 0.1 if max(length_s(a), length_s(b)) < _SHORT_S else 0.0


def _closeness_cost(apart: Apart) -> float | None:
    """Return what is missing where the clock says nothing and the lengths have to."""
    if apart.time is None:
        return None
    if apart.distance is None:
        return 0.2 if apart.is_twin else None
    for is_twin, time, distance, cost in (
        (True, 1.0, 0.02, 0.0),
        (True, 1.0, 0.05, 0.03),
        (True, 1.0, 0.08, 0.06),
        (False, 0.01, 0.01, 0.03),
        (False, 0.03, 0.03, 0.2),
    ):
        if apart.is_twin >= is_twin and apart.time <= time and apart.distance <= distance:
            return cost + apart.distance / 2 + apart.time / 2
    return None


# ---- a day ----


def _by_day(a: Record, b: Record, gap_s: float) -> Likeness | None:
    if not (is_day_only(a) or is_day_only(b)) or not _days(a) & _days(b):
        return None
    apart = apart_of(a, b, gap_s, 0.0)
    if apart.sport == "other" or a.has_legs != b.has_legs:
        return None
    cost = _day_cost(apart)
    if cost is None:
        return None
    base = 0.92 if a.start_hidden or b.start_hidden else 0.83
    return Likeness(base - cost - _short_cost(a, b) - _SPORT_COST[apart.sport], "day")


def _day_cost(apart: Apart) -> float | None:
    if apart.time is None:
        return None
    if apart.distance is None:
        return 0.1 if apart.is_twin else None
    cost = _closeness_cost(apart)
    if cost is None or cost > 0.1:
        is_close = apart.time <= 0.05 and apart.distance <= 0.05
        cost = 0.06 + (apart.time + apart.distance) / 2 if is_close else None
    return cost


def _days(record: Record) -> set[int]:
    """Return the local days that it may lie in, as days since 1970.

    A hidden start is midnight, of UTC or of the place; where the place's is unknown, both sides of
    the day count.
    """
    start_s, offset_s = record.start_s or 0.0, record.utc_offset_s
    if record.start_hidden and start_s % _DAY_S <= 1:
        return {int(start_s // _DAY_S)}
    if offset_s is None:
        return {int((start_s + shift_s) // _DAY_S) for shift_s in (-43_200.0, 0.0, 50_400.0)}
    return {int((start_s + offset_s) // _DAY_S)}


# ---- places ----


def _by_place(a: Record, b: Record, found: Likeness) -> Likeness:
    """Raise or lower a confidence by where it was, if both say so and it is not certain by time."""
    if _is_virtual(a) or _is_virtual(b):
        return found
    change = _start_change(a, b, found.way)
    if found.confidence + change < _CERTAIN or found.way != "together":
        verdict = shapes.alike(a.line, b.line)
        change = {"same": _TRACK_BONUS, "unclear": change, "different": -_ELSEWHERE}[verdict]
    confidence = found.confidence + change
    return Likeness(confidence, found.way, found.confidence < SURE <= confidence)


def _is_virtual(record: Record) -> bool:
    """Tell whether its track, if any, lies in a made-up world."""
    return (record.sport_type or "").startswith("Virtual")


def _start_change(a: Record, b: Record, way: Way) -> float:
    """Return what the starts' places say; within 2 km nothing, as privacy zones cut starts off."""
    if a.start is None or b.start is None:
        return 0.0
    apart_m = shapes.apart_m(a.start, b.start)
    if apart_m > (_OTHER_PLACE_M if way == "together" else _OTHER_START_M):
        return -_ELSEWHERE
    return _NEAR_BONUS if way != "together" and apart_m <= _AT_START_M else 0.0
