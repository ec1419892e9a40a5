"""Finds the pairs of records that are alike, and weighs what speaks against them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations, pairwise
from typing import NamedTuple

from tracklake.matching import starts
from tracklake.matching.likeness import DOUBTFUL, REACH_S, Likeness, likeness
from tracklake.matching.records import Match, Method, Record

_MOST_PAIRED = 12  # records that share a key and are held against each other; more are chained
_CONTRADICTED = DOUBTFUL
_MARGIN, _RIVAL_COST = 0.06, 0.2
_PREFIXES: tuple[tuple[str, Method], ...] = (("strava:", "strava_id"), ("file:", "file"))
_LINK_RANK: dict[Method, int] = {"decision": 0, "strava_id": 1, "file": 2, "external_id": 3}

Pair = tuple[int, int]


class Edge(NamedTuple):
    """A pair that may be one. order: what sorts the surest first, whatever came first."""

    match: Match
    closeness: float  # orders those that are equally sure
    is_together: bool
    pair: Pair  # the ids of both records, the lower one first
    order: tuple[float, float, int, Pair]


def _made(match: Match, closeness: float, is_together: bool) -> Edge:
    pair = match.first, match.second
    rank = _LINK_RANK.get(match.method, len(_LINK_RANK))
    return Edge(match, closeness, is_together, pair, (-match.confidence, -closeness, rank, pair))


def compared(a: Record, b: Record) -> Match | None:
    """Compare two records of one athlete; the same either way round. None: not alike at all."""
    edge = _edge(*((a, b) if a.record_id < b.record_id else (b, a)))
    return edge.match if edge else None


def edges_of(known: Mapping[int, Record]) -> dict[Pair, Edge]:
    """Find all pairs that are alike: by key, then by a sweep over the starts."""
    found: dict[Pair, Edge] = {}
    started = starts.without_crowds(starts.in_time(known.values()))
    for candidates in (_sharing(known), starts.near_pairs(started)):
        for pair in candidates:
            if pair not in found and (edge := _edge(known[pair[0]], known[pair[1]])):
                found[pair] = edge
    return found


def _edge(a: Record, b: Record) -> Edge | None:
    """Compare two records, a's id below b's."""
    found = likeness(a, b)
    closeness = found.confidence if found else 0.0
    together = found is not None and found.way == "together"
    if (a.links & b.links) and a.leg_index == b.leg_index:
        method = _method(a.links & b.links)
        confidence = _CONTRADICTED if _is_contradicted(a, b, found) else 1.0
        if confidence > closeness or found is None:
            return _made(Match(a.record_id, b.record_id, method, confidence), closeness, True)
    if found is None:
        return None
    by: Method = "track" if found.by_track else "time"
    return _made(Match(a.record_id, b.record_id, by, found.confidence), closeness, together)


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


def _sharing(known: Mapping[int, Record]) -> Iterator[Pair]:
    """Yield pairs that share a key, the lower id first."""
    by_key: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number in sorted(known):
        record = known[number]
        for key in record.links:
            by_key[key, record.leg_index].append(number)
    for same in by_key.values():
        yield from combinations(same, 2) if len(same) <= _MOST_PAIRED else pairwise(same)


def weighed(
    edges: Mapping[Pair, Edge], known: Mapping[int, Record], may_join: Callable[[Pair], bool]
) -> list[Edge]:
    """Lower what is not alone: alike by lengths only, and another record of that service is, too.

    may_join: whether two records can be in one group; one that cannot is no rival.
    """
    unsure = {n for edge in edges.values() if not edge.is_together for n in edge.pair}
    best: dict[tuple[int, str], list[tuple[float, int]]] = defaultdict(list)
    for edge in edges.values():
        for mine, other in (edge.pair, edge.pair[::-1]):
            if mine in unsure:
                best[mine, known[other].service].append((edge.match.confidence, other))

    def has_rival(edge: Edge) -> bool:
        least = edge.match.confidence - _MARGIN
        return any(
            number != other
            and confidence >= least
            and not may_share(known[number], known[other])
            and may_join((mine, number))
            for mine, other in (edge.pair, edge.pair[::-1])
            for confidence, number in best[mine, known[other].service]
        )

    return [
        _lowered(edge) if not edge.is_together and has_rival(edge) else edge
        for edge in edges.values()
    ]


def _lowered(edge: Edge) -> Edge:
    match = edge.match
    lower = round(match.confidence - _RIVAL_COST, 4)
    return _made(Match(match.first, match.second, match.method, lower), edge.closeness, False)


def may_share(a: Record, b: Record) -> bool:
    """Tell whether one group may hold both, as far as their services go."""
    if a.service != b.service or a.service_id == b.service_id:
        return True
    shared = a.links & b.links
    if a.service != "strava" and any(key.startswith("file:") for key in shared):
        return a.leg_index == b.leg_index
    return bool(shared) and (a.is_stub or b.is_stub)
