"""What holds of matching whatever the records say."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tests.matching.made_up import MORNING_S, decisions, groups, records, told
from tracklake.matching import (
    DOUBTFUL,
    REACH_S,
    SURE,
    Decision,
    Record,
    Wanted,
    compared,
    grouped,
    neighbourhood,
)
from tracklake.matching.pairs import edges_of


@given(records(), decisions(), st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(
    some: list[Record], decided: list[Decision], dice: random.Random
) -> None:
    """Shuffled records and decisions give the same assignments and the same doubts."""
    shuffled, other_way = list(some), list(decided)
    dice.shuffle(shuffled)
    dice.shuffle(other_way)
    assert grouped(shuffled, other_way) == grouped(some, decided)


@given(records())
def test_a_comparison_is_the_same_either_way_round(some: list[Record]) -> None:
    """Which record comes first makes no difference, and confidences stay within their bounds."""
    for a, b in combinations(some, 2):
        match = compared(a, b)
        assert match == compared(b, a)
        assert match is None or DOUBTFUL <= match.confidence <= 1
        assert match is None or match.first < match.second


@given(records())
def test_the_sweep_finds_every_pair_that_is_alike(some: list[Record]) -> None:
    """Holding all records against all finds no pair that keys and the sweep over starts miss."""
    known = {record.record_id: record for record in some}
    every = {
        (match.first, match.second): match
        for a, b in combinations(some, 2)
        if (match := compared(a, b))
    }
    assert {pair: edge.match for pair, edge in edges_of(known).items()} == every


@given(records(), decisions())
def test_each_record_is_in_one_group_with_a_founder_of_its_own(
    some: list[Record], decided: list[Decision]
) -> None:
    """The founder is the member that landed first; a stub founds only what has nothing else."""
    found = grouped(some, decided).assignments
    known = {record.record_id: record for record in some}
    assert found.keys() == known.keys()
    for number, assignment in found.items():
        founder = known[assignment.founder]
        assert found[founder.record_id].method == "own"
        assert founder.is_stub <= known[number].is_stub
        if not founder.is_stub and not known[number].is_stub:
            assert founder.first_ingested_s <= known[number].first_ingested_s
        if assignment.method in ("time", "track"):
            assert SURE <= assignment.confidence < 1


@given(records(), decisions(), st.sets(st.integers(0, 11)))
def test_a_neighbourhood_is_grouped_as_if_it_were_all(
    some: list[Record], decided: list[Decision], chosen: set[int]
) -> None:
    """Whatever is touched, grouping what is connected with it gives what grouping all gives."""
    touched = [record for at, record in enumerate(some) if at in chosen]
    part = neighbourhood(touched, _near(some), decided)
    numbers = {record.record_id for record in part}
    every, few = grouped(some, decided), grouped(part, decided)
    assert few.assignments == {n: a for n, a in every.assignments.items() if n in numbers}
    assert few.doubtful == [match for match in every.doubtful if match.first in numbers]


@given(records(), records(), decisions(), decisions())
def test_changes_reach_no_further_than_the_neighbourhood(
    before: list[Record], after: list[Record], decided: list[Decision], later: list[Decision]
) -> None:
    """Grouping only around what changed, and keeping the rest, equals grouping all anew."""
    old = {record.record_id: record for record in before}
    new = {record.record_id: record for record in after}
    named = {name for one in (*decided, *later) for name in (one.first, one.second)}
    touched = [r for n, r in new.items() if old.get(n) != r or r.name in named]
    former = [r for n, r in old.items() if new.get(n) != r]
    part = neighbourhood(touched, _near(after), [*decided, *later], former)
    kept = grouped(before, decided).assignments
    fresh = grouped(part, later).assignments
    put_together = {n: a for n, a in kept.items() if n in new} | fresh
    assert put_together == grouped(after, later).assignments


@given(records(), st.sampled_from(["polar", "wahoo"]))
def test_ids_stay_when_a_source_joins_later(some: list[Record], name: str) -> None:
    """Records of a new source, landed later, join groups but never found one with older members."""
    joined = [
        replace(
            record, source=name, record_id=record.record_id + 1, first_ingested_s=9.0, is_stub=False
        )
        for record in some
    ]
    old = {record.record_id: record for record in some if not record.is_stub}
    found = grouped([*old.values(), *joined]).assignments
    for group in groups(grouped([*old.values(), *joined])):
        if group & old.keys():
            assert found[next(iter(group))].founder in old


@given(st.integers(24, 40), st.integers(0, 40), st.randoms(use_true_random=False))
def test_a_crowd_that_forms_or_parts_is_grouped_as_if_it_were_all(
    before: int, after: int, dice: random.Random
) -> None:
    """One record more or less of a clock that stands still concerns all that start with it."""
    some = [
        told(source, str(n), start_s=MORNING_S + n % 7, elapsed_s=600.0 + dice.randint(0, 9) * 9)
        for n in range(max(before, after))
        for source in ("garmin", "strava", "smashrun")
        if source == "garmin" or n < 9
    ]
    old, new = (
        [one for one in some if int(one.source_id) < count] for count in (before, max(after, 9))
    )
    touched = [one for one in new if one not in old]
    former = [one for one in old if one not in new]
    part = neighbourhood(touched, _near(new), (), former)
    kept = grouped(old).assignments
    known = {one.record_id for one in new}
    put_together = {n: a for n, a in kept.items() if n in known} | grouped(part).assignments
    assert put_together == grouped(new).assignments


def _near(every: Iterable[Record]) -> Callable[[Wanted], list[Record]]:
    """Fetch as the warehouse would."""

    def near(wanted: Wanted) -> list[Record]:
        return [
            record
            for record in every
            if record.links & wanted.links
            or record.name in wanted.names
            or any(
                record.start_s is not None and first_s <= record.start_s <= last_s
                for first_s, last_s in wanted.spans
            )
        ]

    return near


def test_what_is_compared_lies_within_reach() -> None:
    """A hidden day told as UTC midnight and an evening at the far end of the zones are in reach."""
    assert REACH_S >= (24 + 14) * 3_600
