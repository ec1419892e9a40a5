"""Puts records into groups: the surest pair first, never against a decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise, product

from tracklake.matching.likeness import (
    DOUBTFUL,
    REACH_S,
    SURE,
    ZONE_S,
    Likeness,
    is_day_only,
    likeness,
)
from tracklake.matching.records import Decision, Match, Method, Record

_SOURCES = ("strava", "garmin", "intervals", "smashrun", "files")
_MOST_PAIRED = 12  # records that share a key and are held against each other; more are chained
_CONTRADICTED = DOUBTFUL
_MARGIN, _RIVAL_COST = 0.06, 0.2
_PREFIXES: tuple[tuple[str, Method], ...] = (("strava:", "strava_id"), ("file:", "file"))
_LINK_RANK: dict[Method, int] = {"decision": 0, "strava_id": 1, "file": 2, "external_id": 3}

Pair = tuple[int, int]


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


@dataclass(frozen=True, slots=True)
class _Edge:
    """A pair that may be one; closeness orders those that are equally sure."""

    match: Match
    closeness: float
    is_together: bool

    @property
    def pair(self) -> Pair:
        return self.match.first, self.match.second


def compared(a: Record, b: Record) -> Match | None:
    """Compare two records of one athlete; the same either way round. None: not alike at all."""
    edge = _edge(*((a, b) if a.record_id < b.record_id else (b, a)))
    return edge.match if edge else None


def grouped(records: Iterable[Record], decisions: Sequence[Decision] = ()) -> Grouping:
    """Decide which records of one athlete are one activity.

    The order of the records does not matter. It is the same for a part of them as for all, if the
    part holds every record that `compared` (or a decision) connects with one of it.
    """
    known = {record.record_id: record for record in records}
    groups = _Groups(known)
    edges = {edge.pair: edge for edge in _pairs(list(known.values()))}
    groups.decide(decisions)
    weighed = _weighed(edges, known)
    for edge in sorted(weighed, key=_order):
        if edge.match.confidence >= SURE:
            groups.join(edge.pair, edges)
    return Grouping(_assigned(groups, weighed), _doubtful(groups, weighed))


def _order(edge: _Edge) -> tuple[float, float, int, Pair]:
    match = edge.match
    return -match.confidence, -edge.closeness, _LINK_RANK.get(match.method, 9), edge.pair


# ---- pairs ----


def _edge(a: Record, b: Record) -> _Edge | None:
    """Compare two records, a's id below b's."""
    found = likeness(a, b)
    closeness = found.confidence if found else 0.0
    together = found is not None and found.way == "together"
    if (a.links & b.links) and a.leg_index == b.leg_index:
        method = _method(a.links & b.links)
        confidence = _CONTRADICTED if _is_contradicted(a, b, found) else 1.0
        if confidence > closeness or found is None:
            return _Edge(Match(a.record_id, b.record_id, method, confidence), closeness, True)
    if found is None:
        return None
    by: Method = "track" if found.by_track else "time"
    return _Edge(Match(a.record_id, b.record_id, by, found.confidence), closeness, together)


def _method(keys: Iterable[str]) -> Method:
    ordered = sorted(keys)
    for prefix, method in _PREFIXES:
        if any(key.startswith(prefix) for key in ordered):
            return method
    return "external_id"


def _is_contradicted(a: Record, b: Record, found: Likeness | None) -> bool:
    """Tell whether an explicit link must be wrong: nothing fits, or a part links to its whole."""
    if found is not None or a.is_stub or b.is_stub or a.start_s is None or b.start_s is None:
        return False
    if a.has_legs != b.has_legs:
        return not _is_within(a.elapsed_s, b.elapsed_s, 0.2)
    if abs(a.start_s - b.start_s) <= REACH_S:
        return False
    lengths = ((a.elapsed_s, b.elapsed_s), (a.distance_m, b.distance_m))
    return not all(_is_within(mine, other, 0.02) for mine, other in lengths)


def _is_within(first: float | None, second: float | None, share: float) -> bool:
    """Tell whether two lengths are known and differ by at most a share of the larger."""
    if not first or not second:
        return False
    return abs(first - second) <= share * max(first, second)


def _pairs(records: Sequence[Record]) -> Iterator[_Edge]:
    """Find all pairs that are alike: by key, then by a sweep over the starts."""
    for pair in {*_sharing(records), *_near(records)}:
        if edge := _edge(*pair):
            yield edge


def _sharing(records: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    by_key: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        for key in record.links:
            by_key[key, record.leg_index].append(record)
    for same in by_key.values():
        same.sort(key=lambda record: record.record_id)
        yield from combinations(same, 2) if len(same) <= _MOST_PAIRED else pairwise(same)


def _near(records: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    """Yield pairs that start near each other, the lower id first."""
    started = sorted(
        (record.start_s, record.record_id, record, is_day_only(record))
        for record in records
        if record.start_s is not None and not record.is_stub
    )
    for at, (start_s, number, record, is_day) in enumerate(started):
        for later_s, other_number, other, other_is_day in started[at + 1 :]:
            if later_s - start_s > (REACH_S if is_day or other_is_day else ZONE_S):
                if later_s - start_s > REACH_S:
                    break
                continue
            yield (record, other) if number < other_number else (other, record)


def _weighed(edges: dict[Pair, _Edge], known: dict[int, Record]) -> list[_Edge]:
    """Lower what is not alone: by lengths only, and another record of that service fits as well."""
    best: dict[tuple[int, str], list[tuple[float, int]]] = defaultdict(list)
    for edge in edges.values():
        for mine, other in (edge.pair, edge.pair[::-1]):
            best[mine, known[other].service].append((edge.match.confidence, other))
    return [
        edge if edge.is_together or not _has_rival(edge, best, known) else _lowered(edge)
        for edge in edges.values()
    ]


def _has_rival(
    edge: _Edge, best: dict[tuple[int, str], list[tuple[float, int]]], known: dict[int, Record]
) -> bool:
    least = edge.match.confidence - _MARGIN
    return any(
        number != other and confidence >= least and not _may_share(known[number], known[other])
        for mine, other in (edge.pair, edge.pair[::-1])
        for confidence, number in best[mine, known[other].service]
    )


def _lowered(edge: _Edge) -> _Edge:
    match = edge.match
    lower = round(match.confidence - _RIVAL_COST, 4)
    return _Edge(Match(match.first, match.second, match.method, lower), edge.closeness, False)


def _may_share(a: Record, b: Record) -> bool:
    """Tell whether one group may hold both, as far as their services go."""
    if a.service != b.service or a.service_id == b.service_id:
        return True
    shared = a.links & b.links
    if a.service != "strava" and any(key.startswith("file:") for key in shared):
        return a.leg_index == b.leg_index
    return bool(shared) and (a.is_stub or b.is_stub)


# ---- groups ----


class _Groups:
    """Records in groups that grow, and pairs that the athlete parted."""

    def __init__(self, known: dict[int, Record]) -> None:
        self.known = known
        self.group_of = {number: [number] for number in known}
        self.parted: set[Pair] = set()
        self.decided: dict[int, int] = {}  # records that a decision joined

    def decide(self, decisions: Sequence[Decision]) -> None:
        """Apply what the athlete decided, the newest first; what it contradicts is void."""
        by_name: dict[str, list[int]] = defaultdict(list)
        for number in sorted(self.known):
            by_name[self.known[number].name].append(number)
        for one in sorted(decisions, key=lambda one: (-one.at_s, one.kind, one.first, one.second)):
            for a, b in product(by_name.get(one.first, ()), by_name.get(one.second, ())):
                if one.kind == "split":
                    self._part(a, b)
                elif self._merge(a, b):
                    self.decided |= {a: b, b: a}

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

    def join(self, pair: Pair, edges: dict[Pair, _Edge]) -> None:
        """Put two records' groups together, if every two of their members bear it."""
        mine, other = (self.group_of[number] for number in pair)
        if mine is other:
            return
        link = edges[pair].match.confidence == 1.0
        if all(self._bear(one, two, link, edges) for one, two in product(mine, other)):
            self._merge(*pair)

    def _bear(self, one: int, two: int, linked: bool, edges: dict[Pair, _Edge]) -> bool:
        a, b = self.known[one], self.known[two]
        if not _may_share(a, b):
            return False
        if linked or (min(one, two), max(one, two)) in edges:
            return True
        return not (_is_timed(a) and _is_timed(b))

    def founder(self, group: Sequence[int]) -> int:
        """Return the record whose id the group's activity bears."""
        return min(group, key=lambda number: _seniority(self.known[number]))


def _is_timed(record: Record) -> bool:
    """Tell whether its time can be held against another's."""
    return not (record.is_stub or record.start_s is None or is_day_only(record))


def _seniority(record: Record) -> tuple[bool, float, int, bool, str, int]:
    rank = _SOURCES.index(record.service) if record.service in _SOURCES else len(_SOURCES)
    is_export = record.service != record.source
    return (
        *(record.is_stub, record.first_ingested_s, rank, is_export),
        *(record.source, record.record_id),
    )


def _assigned(groups: _Groups, edges: Sequence[_Edge]) -> dict[int, Assignment]:
    """Say of each record whose group it is in, and by its surest tie within it."""
    ties: dict[int, _Edge] = {}
    for edge in sorted(edges, key=_order):
        first, second = edge.pair
        if groups.group_of[first] is groups.group_of[second]:
            ties.setdefault(first, edge)
            ties.setdefault(second, edge)
    found = {}
    for number in sorted(groups.known):
        founder = groups.founder(groups.group_of[number])
        found[number] = _assignment(number, founder, groups, ties.get(number))
    return found


def _assignment(number: int, founder: int, groups: _Groups, tie: _Edge | None) -> Assignment:
    if number == founder:
        return Assignment(founder, "own", 1.0)
    if number in groups.decided or tie is None:
        return Assignment(founder, "decision", 1.0)
    return Assignment(founder, tie.match.method, tie.match.confidence)


def _doubtful(groups: _Groups, edges: Sequence[_Edge]) -> list[Match]:
    """List the surest pair of each two groups that look alike, unless both have what they need."""
    found: dict[frozenset[int], Match] = {}
    for edge in sorted(edges, key=_order):
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
