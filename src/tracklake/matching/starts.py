"""Records in the order of their starts, and those that the clock says nothing of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from tracklake.matching.differences import length_s
from tracklake.matching.likeness import REACH_S, can_be_one, has_time, is_day_only
from tracklake.matching.records import Record

_CROWD = 30  # as many of one service in a quarter of an hour nobody does: a clock stood still
_QUARTER_S = 900.0


class Started(NamedTuple):
    """A record whose start means something. crowd: its service and quarter of an hour."""

    start_s: float
    record_id: int
    is_day_only: bool
    lasts_s: float
    crowd: tuple[str, float]
    record: Record


def in_time(records: Iterable[Record]) -> list[Started]:
    """Return those that have a time, in its order."""
    found = [
        Started(
            record.start_s,
            record.record_id,
            is_day_only(record),
            length_s(record),
            (record.service, record.start_s // _QUARTER_S),
            record,
        )
        for record in records
        if record.start_s is not None and has_time(record)
    ]
    return sorted(found, key=attrgetter("start_s", "record_id"))


def without_crowds(started: Sequence[Started]) -> list[Started]:
    """Leave out what starts together with too many of its service: their clock stood still.

    Holding each of thousands against each other would take for ever, and find nothing.
    """
    sizes = Counter(one.crowd for one in started)
    return [one for one in started if sizes[one.crowd] <= _CROWD]


def can_be_alike(one: Started, other: Started) -> bool:
    """Tell whether it is worth comparing two records that start within reach of each other."""
    if one.is_day_only or other.is_day_only:
        return True
    if one.start_s <= other.start_s:
        return can_be_one(other.start_s - one.start_s, one.lasts_s)
    return can_be_one(one.start_s - other.start_s, other.lasts_s)


def near_pairs(started: Sequence[Started]) -> Iterator[tuple[int, int]]:
    """Yield pairs that may be alike, the lower id first, of records in the order of time."""
    first = 0
    for at, (start_s, number, is_day, *_) in enumerate(started):
        while start_s - started[first].start_s > REACH_S:
            first += 1
        for earlier_s, other, other_is_day, lasts_s, *_ in started[first:at]:
            if is_day or other_is_day or can_be_one(start_s - earlier_s, lasts_s):
                yield (number, other) if number < other else (other, number)
