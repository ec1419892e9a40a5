"""Which records a change can concern: those that are connected with it, over any number of pairs.

Grouping these alone gives what grouping all would, if one starts from what changed as it is now and
as it was.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tracklake.matching.likeness import REACH_S
from tracklake.matching.pairs import compared
from tracklake.matching.records import Decision, Record


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
        if not partners[record.name].isdisjoint(index.names)
        or any(compared(record, other) for other in index.near(record))
    ]


class _Index:
    """Records by what may connect others with them."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.names = {record.name for record in records}
        self._by_key: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            for key in record.links:
                self._by_key[key].append(record)
        self._started = sorted(
            (record for record in records if record.start_s is not None), key=_start_s
        )

    def near(self, record: Record) -> Iterator[Record]:
        """Yield those that share a key with a record, or start near it."""
        for key in record.links:
            yield from self._by_key.get(key, ())
        if record.start_s is None:
            return
        first = bisect_left(self._started, record.start_s - REACH_S, key=_start_s)
        last = bisect_right(self._started, record.start_s + REACH_S, key=_start_s)
        yield from self._started[first:last]


def _start_s(record: Record) -> float:
    return record.start_s or 0.0


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
