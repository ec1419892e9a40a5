"""Puts records into groups: the surest pair first, never against a decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from operator import attrgetter

from tracklake.matching.likeness import DOUBTFUL, SURE, has_time, is_day_only
from tracklake.matching.pairs import Edge, Pair, edges_of, may_share, weighed
from tracklake.matching.records import Decision, Match, Method, Record

_SOURCES = ("strava", "garmin", "intervals", "smashrun", "files")


@dataclass(frozen=True, slots=True)
class Assignment:
    """The record that founded a record's group, and by what, and how surely, it belongs there."""

    founder: int
    method: Method
    confidence: float


@dataclass(slots=True)
class Grouping:
    """assignments by record id; doubtful: pairs of different groups that look alike."""

    assignments: dict[int, Assignment] = field(default_factory=dict)
    doubtful: list[Match] = field(default_factory=list)


def grouped(records: Iterable[Record], decisions: Sequence[Decision] = ()) -> Grouping:
    """Decide which records of one athlete are one activity.

    The order of the records does not matter. It is the same for a part of them as for all, if the
    part holds every record that `compared` (or a decision) connects with one of it.
    """
    known = {record.record_id: record for record in records}
    groups = _Groups(known)
    edges = edges_of(known)
    groups.decide(decisions)
    ordered = sorted(edges.values(), key=attrgetter("order"))
    groups.join_all([edge for edge in ordered if edge.is_together], edges)
    if not all(edge.is_together for edge in ordered):
        # Who has found a partner in a service is nobody's rival there any more.
        ordered = sorted(weighed(edges, known, groups.may_join), key=attrgetter("order"))
        groups.join_all([edge for edge in ordered if not edge.is_together], edges)
    return Grouping(_assigned(groups, ordered), _doubtful(groups, ordered))


# ---- groups ----


class _Groups:
    """Records in groups that grow, and pairs that the athlete parted."""

    def __init__(self, known: dict[int, Record]) -> None:
        self.known = known
        self.group_of = {number: [number] for number in known}
        self.parted: set[Pair] = set()
        self.decided: set[int] = set()  # records that a decision joined

    def decide(self, decisions: Sequence[Decision]) -> None:
        """Apply what the athlete decided, the newest first; what it contradicts is void."""
        named = {name for one in decisions for name in (one.first, one.second)}
        by_name: dict[str, list[int]] = defaultdict(list)
        for number in sorted(self.known) if named else ():
            if (name := self.known[number].name) in named:
                by_name[name].append(number)
        for one in sorted(decisions, key=lambda one: (-one.at_s, one.kind, one.first, one.second)):
            for a, b in product(by_name.get(one.first, ()), by_name.get(one.second, ())):
                if one.kind == "split":
                    self._part(a, b)
                elif self._merge(a, b):
                    self.decided |= {a, b}

    def _part(self, a: int, b: int) -> None:
        if self.group_of[a] is not self.group_of[b]:
            self.parted |= {(a, b), (b, a)}

    def _merge(self, a: int, b: int) -> bool:
        """Put two groups together unless the athlete parted them; tell whether they are one."""
        mine, other = self.group_of[a], self.group_of[b]
        if mine is other:
            return True
        if self.parted and any(pair in self.parted for pair in product(mine, other)):
            return False
        mine.extend(other)
        for number in other:
            self.group_of[number] = mine
        return True

    def join_all(self, ordered: Iterable[Edge], edges: Mapping[Pair, Edge]) -> None:
        """Put together what pairs call for that are sure, in their order."""
        for edge in ordered:
            mine, other = (self.group_of[number] for number in edge.pair)
            if edge.match.confidence < SURE or mine is other or not self.may_join(edge.pair):
                continue
            if edge.match.confidence == 1.0 or self._are_alike(mine, other, edges):
                self._merge(*edge.pair)

    def may_join(self, pair: Pair) -> bool:
        """Tell whether services and decisions let two records be in one group, or they are."""
        mine, other = (self.group_of[number] for number in pair)
        return mine is other or all(
            may_share(self.known[a], self.known[b]) and (a, b) not in self.parted
            for a, b in product(mine, other)
        )

    def _are_alike(self, mine: list[int], other: list[int], edges: Mapping[Pair, Edge]) -> bool:
        """Tell whether of two groups' members at least half are alike, as far as times are known.

        A record with a wrong zone is like few of a group whose other times are right.
        """
        pairs = [(min(a, b), max(a, b)) for a, b in product(mine, other)]
        alike = sum(one in edges for one in pairs)
        timed = sum(one in edges or self._are_timed(one) for one in pairs)
        return 2 * alike >= timed

    def _are_timed(self, pair: Pair) -> bool:
        return all(_is_timed(self.known[number]) for number in pair)

    def founder(self, group: Sequence[int]) -> int:
        """Return the record whose id the group's activity bears."""
        return min(group, key=lambda number: _seniority(self.known[number]))


def _is_timed(record: Record) -> bool:
    """Tell whether its time can be held against another's."""
    return has_time(record) and not is_day_only(record)


def _seniority(record: Record) -> tuple[bool, float, int, bool, str, int]:
    rank = _SOURCES.index(record.service) if record.service in _SOURCES else len(_SOURCES)
    is_export = record.service != record.source
    return (
        *(record.is_stub, record.first_ingested_s, rank, is_export),
        *(record.source, record.record_id),
    )


def _assigned(groups: _Groups, edges: Sequence[Edge]) -> dict[int, Assignment]:
    """Say of each record whose group it is in, and by its surest tie within it."""
    ties: dict[int, Edge] = {}
    for edge in edges:
        first, second = edge.pair
        if groups.group_of[first] is groups.group_of[second]:
            ties.setdefault(first, edge)
            ties.setdefault(second, edge)
    founders: dict[int, int] = {}
    for group in groups.group_of.values():
        if group[0] not in founders:
            founders[group[0]] = groups.founder(group)
    return {
        number: _assignment(number, founders[group[0]], groups, ties.get(number))
        for number, group in sorted(groups.group_of.items())
    }


def _assignment(number: int, founder: int, groups: _Groups, tie: Edge | None) -> Assignment:
    if number == founder:
        return Assignment(founder, "own", 1.0)
    if number in groups.decided or tie is None:
        return Assignment(founder, "decision", 1.0)
    return Assignment(founder, tie.match.method, tie.match.confidence)


def _doubtful(groups: _Groups, edges: Sequence[Edge]) -> list[Match]:
    """List the surest pair of each two groups that look alike, unless both have what they need."""
    found: dict[frozenset[int], Match] = {}
    for edge in edges:
        mine, other = (groups.group_of[number] for number in edge.pair)
        if mine is other or edge.match.confidence < DOUBTFUL or edge.pair in groups.parted:
            continue
        if edge.is_together or not _is_settled(edge.pair, groups):
            found.setdefault(frozenset((id(mine), id(other))), edge.match)
    return sorted(found.values(), key=lambda match: (-match.confidence, match.first, match.second))


def _is_settled(pair: Pair, groups: _Groups) -> bool:
    """Tell whether a record of a pair has a partner of the other's service already."""
    return any(
        groups.known[number].service == groups.known[other].service
        for mine, other in (pair, pair[::-1])
        for number in groups.group_of[mine]
        if number != mine
    )
