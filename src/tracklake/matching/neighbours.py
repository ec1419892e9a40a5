"""Which records a change can concern: those that are connected with it, over any number of pairs.

Grouping these alone gives what grouping all would, if one starts from what changed as it is now and
as it was.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tracklake.matching import starts
from tracklake.matching.likeness import REACH_S, likeness
from tracklake.matching.records import Decision, Record
from tracklake.matching.starts import Started

_TOGETHER_S = 60.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fetch: records that share a key, bear a name, or start within a span (UNIX s)."""

    links: frozenset[str]
    names: frozenset[str]
    spans: tuple[tuple[float, float], ...]  # ascending, apart from each other


def neighbourhood(
    touched: Iterable[Record],
    near: Callable[[Wanted], Iterable[Record]],
    decisions: Sequence[Decision] = (),
    former: Iterable[Record] = (),
) -> list[Record]:
    """Return the touched records and all that are connected with them, by id.

    touched: what is new or changed, as it is now, and the records that a new decision names.
    near: fetches what is wanted, of one athlete, as it is now; more does no harm. It is asked once
    more for each step further away, usually two or three times. decisions: those that hold, and
    those that were taken back. former: what changed or went, as it was; not part of the answer.
    """
    partners: dict[str, set[str]] = defaultdict(set)
    for one in decisions:
        partners[one.first].add(one.second)
        partners[one.second].add(one.first)
    found = {record.record_id: record for record in touched}
    frontier = [*found.values(), *former]
    while frontier:
        fetched = {record.record_id: record for record in near(_wanted(frontier, partners))}
        fresh = [record for number, record in fetched.items() if number not in found]
        frontier = _connected(fresh, frontier, partners)
        found |= {record.record_id: record for record in frontier}
    return [found[number] for number in sorted(found)]


def _connected(
    fresh: Iterable[Record], frontier: Sequence[Record], partners: dict[str, set[str]]
) -> list[Record]:
    index = _Index(frontier)
    return [
        record
        for record in fresh
        if not partners[record.name].isdisjoint(index.names) or index.connects(record)
    ]


class _Index:
    """Records by what may connect others with them."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.names = {record.name for record in records}
        self._keys = {key for record in records for key in record.links}
        self._started = starts.in_time(records)
        self._starts_s = [one.start_s for one in self._started]
        self._crowds = {one.crowd for one in self._started}

    def connects(self, record: Record) -> bool:
        """Tell whether a record shares a key with one of them, or may be alike.

        Comparing takes long, so those that start together count as alike: one too many does no
        harm. So do those that would be a crowd.
        """
        if not self._keys.isdisjoint(record.links):
            return True
        if not (own := starts.in_time((record,))):
            return False
        mine = own[0]
        nearest = bisect_left(self._starts_s, mine.start_s - _TOGETHER_S)
        if nearest < len(self._starts_s) and self._starts_s[nearest] <= mine.start_s + _TOGETHER_S:
            return True
        return mine.crowd in self._crowds or any(
            starts.can_be_alike(mine, other) and likeness(record, other.record)
            for other in self._within_reach(mine.start_s)
        )

    def _within_reach(self, start_s: float) -> Sequence[Started]:
        first = bisect_left(self._starts_s, start_s - REACH_S)
        last = bisect_right(self._starts_s, start_s + REACH_S)
        return self._started[first:last]


def _wanted(frontier: Sequence[Record], partners: dict[str, set[str]]) -> Wanted:
    starts = sorted(
        record.start_s for record in frontier if record.start_s is not None and not record.is_stub
    )
    spans: list[tuple[float, float]] = []
    for start_s in starts:
        first_s = start_s - REACH_S
        if spans and first_s <= spans[-1][1]:
            first_s = spans.pop()[0]
        spans.append((first_s, start_s + REACH_S))
    return Wanted(
        frozenset().union(*(record.links for record in frontier)),
        frozenset().union(*(partners[record.name] for record in frontier)),
        tuple(spans),
    )
