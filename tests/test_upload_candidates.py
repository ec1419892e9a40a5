"""Which files go to Strava, and what its list says of one that is about to: the pure parts."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.matching import Record, links
from tracklake.uploads.candidates import (
    MAY_BE_ANOTHER,
    MAY_BE_THERE,
    Basis,
    File,
    Outing,
    Past,
    State,
    There,
    Wish,
    plan,
)
from tracklake.uploads.looking import Found, Lookout, Seen
from tracklake.uploads.report import UploadReport, shown

HOUR_S = 3_600.0
NOON_S = 1_700_049_617.0  # 2023-11-15T12:00:17Z: a full minute may have been typed in
NOW_S = NOON_S + 365 * 86_400


def record(number: int = 1, later_s: float = 0.0, **changes: Any) -> Record:
    """Return what Garmin says of a run of an hour, so much after noon."""
    source, source_id = (
        changes.get("source", "garmin"),
        changes.get("source_id", f"{900_000 + number}"),
    )
    usual = Record(
        record_id=number,
        source=source,
        source_id=source_id,
        first_ingested_s=0.0,
        links=links(source=source, source_id=source_id),
        start_s=NOON_S + later_s,
        elapsed_s=HOUR_S,
        moving_s=HOUR_S,
        distance_m=10_000.0,
        sport_type="Run",
        utc_offset_s=0.0,
    )
    return dataclasses.replace(usual, **changes)


def file(number: int = 1, **changes: Any) -> File:
    """Return the file of it."""
    usual = File(
        activity_id=number,
        file_sha256=f"{number:032x}" * 2,
        source="garmin",
        source_id=f"{900_000 + number}",
        location="bronze/x.fit",
        file_format="fit",
        sport_type="Run",
        start_s=NOON_S,
        elapsed_s=HOUR_S,
        points=3_600,
    )
    return dataclasses.replace(usual, **changes)


def outing(number: int = 1, later_s: float = 0.0, **changes: Any) -> Outing:
    """Return the activity, with that record and that file."""
    usual = Outing(
        activity_id=number,
        start_s=NOON_S + later_s,
        sport_type="Run",
        records=(record(number, later_s),),
        files=(file(number),),
    )
    return dataclasses.replace(usual, **changes)


def of(*outings: Outing, pairs: list[tuple[int, int]] | None = None, **changes: Any) -> Basis:
    """Return what the warehouse says; pairs: which activities may be one."""
    doubts: dict[int, frozenset[int]] = {}
    for first, second in pairs or ():
        doubts[first] = doubts.get(first, frozenset()) | {second}
        doubts[second] = doubts.get(second, frozenset()) | {first}
    return Basis(outings=outings, doubts=doubts, **changes)


def kept(basis: Basis, past: dict[str, Past] | None = None, **wish: Any) -> dict[str, int]:
    """Return how many stay, by why."""
    return plan(basis, past or {}, Wish(**wish), NOW_S).kept


def gone(basis: Basis, past: dict[str, Past] | None = None, **wish: Any) -> list[int]:
    """Return the activities of which a file goes."""
    return [one.activity_id for one in plan(basis, past or {}, Wish(**wish), NOW_S).files]


# ---- what goes


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("done", "uploaded before"),
        ("duplicate", "on Strava"),
        ("there", "on Strava, or was"),
        ("processing", "on the way"),
        ("uploading", "on the way"),
        ("failed", "refused by Strava before"),
    ],
)
def test_the_ledger_is_heeded(state: State, why: str) -> None:
    """A file in any state but pending does not go; one that was refused goes when asked for."""
    past = {file().file_sha256: Past(state, "7")}
    assert kept(of(outing()), past) == {why: 1}
    assert gone(of(outing()), past, again=True) == ([1] if state == "failed" else [])
    assert gone(of(outing()), {file().file_sha256: Past("pending")}) == [1]


def test_an_activity_whose_other_file_went_stays() -> None:
    """Merged later, or found again under another file: one upload an activity."""
    two = outing(files=(file(1), file(2, activity_id=1)))
    assert kept(of(two), {file(2).file_sha256: Past("done", "7")}) == {"uploaded before": 1}


def test_the_best_file_goes_and_another_after_a_refusal() -> None:
    """FIT before GPX, then more points, then Garmin's own; one with a problem never."""
    files = (
        file(1, activity_id=1, file_format="gpx", points=9_000),
        file(2, activity_id=1, points=100),
        file(3, activity_id=1, source="files"),
        file(4, activity_id=1),
        file(5, activity_id=1, points=5_000, problem="too large for Strava"),
    )
    past: dict[str, Past] = {}
    for number in (4, 3, 2, 1):
        [best] = plan(of(outing(files=files)), past, Wish(), NOW_S).files
        assert best == files[number - 1]
        past[best.file_sha256] = Past("failed")
    assert kept(of(outing(files=files)), past) == {"refused by Strava before": 1}


def test_what_strava_has_is_remembered_by_its_id() -> None:
    """Files of what Strava has are handed out for the ledger, unless it knows them."""
    basis = of(outing(why="deleted on Strava", strava_id="7", records=()))
    made = plan(basis, {}, Wish(), NOW_S)
    assert [(one.file_sha256, there) for one, there in made.there] == [(file().file_sha256, "7")]
    assert made.kept == {"deleted on Strava": 1}
    known = {file().file_sha256: Past("there", "7")}
    assert plan(basis, known, Wish(), NOW_S).there == []


def test_what_was_seen_there_and_is_another_activity_does_not_count() -> None:
    """The ledger says `there` of what a later pull tied to another activity: the file goes."""
    past = {file().file_sha256: Past("there", "7")}
    assert gone(of(outing(), there={"7": There(2, 0.0, 0.0, 0.0)}), past) == [1]
    assert gone(of(outing(), there={"7": There(1, 0.0, 0.0, 0.0)}), past) == []


@pytest.mark.parametrize(
    ("changes", "wish", "why"),
    [
        ({"files": (file(problem="without an original"),)}, {}, "without an original"),
        ({"files": ()}, {}, "without a file"),
        ({"files": (), "why": "entered by hand"}, {}, "entered by hand"),
        ({"start_s": NOW_S + 1}, {}, "begins in the future"),
        ({}, {"since_s": NOON_S + 1}, "before --since"),
        ({}, {"sports": frozenset({"ride"})}, "another sport than --sport"),
    ],
)
def test_reasons_to_stay(changes: dict[str, Any], wish: dict[str, Any], why: str) -> None:
    """Each reason is counted under its own words."""
    assert kept(of(outing(**changes)), **wish) == {why: 1}


# ---- doubts


def test_of_two_that_may_be_one_the_better_goes() -> None:
    """And the other neither with it nor after it."""
    basis = of(outing(1, files=(file(1, points=5),)), outing(2), pairs=[(1, 2)])
    assert gone(basis) == [2]
    assert kept(basis) == {MAY_BE_ANOTHER: 1}
    after = {file(2).file_sha256: Past("done", "7")}
    assert kept(basis, after) == {MAY_BE_THERE: 1, "uploaded before": 1}


def test_what_may_be_stravas_stays() -> None:
    """Whether Strava's is a source of an activity that others have, or stands alone."""
    there = {"7": There(2, NOON_S, HOUR_S, 10_000.0)}
    assert kept(of(outing(), pairs=[(1, 2)], there=there)) == {MAY_BE_THERE: 1}
    both = of(outing(), outing(2, why="on Strava", strava_id="7"), pairs=[(1, 2)])
    assert kept(both) == {MAY_BE_THERE: 1, "on Strava": 1}


def test_a_doubt_about_what_does_not_go_keeps_nothing_back() -> None:
    """The other one of the pair has no file: this one goes."""
    assert gone(of(outing(), outing(2, files=()), pairs=[(1, 2)])) == [1]


def test_what_may_have_been_deleted_on_strava_stays() -> None:
    """A record of Strava's that is gone and belongs to nothing is compared, as none is in doubt."""
    lost = record(5, 1_000.0, source="strava", source_id="7")
    assert kept(of(outing(), deleted=[lost])) == {"may be what was deleted on Strava": 1}
    other = record(5, 40_000.0, source="strava", source_id="7", sport_type="Ride")
    assert gone(of(outing(), deleted=[other])) == [1]


STATES: tuple[State, ...] = ("pending", "done", "duplicate", "there", "failed", "processing")


@given(
    there=st.sets(st.integers(0, 9)),
    pairs=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=12),
    past=st.dictionaries(st.integers(0, 9), st.sampled_from(STATES)),
    points=st.lists(st.integers(0, 9), min_size=10, max_size=10),
)
def test_nothing_goes_that_is_or_may_be_there(
    there: set[int], pairs: list[tuple[int, int]], past: dict[int, State], points: list[int]
) -> None:
    """Whatever is in doubt with what: no two of a pair go, none whose partner is there or went.

    Every activity goes or is counted, once.
    """
    pairs = [(first, second) for first, second in pairs if first != second]
    outings = [
        outing(
            number,
            files=(file(number, points=points[number]),),
            why="on Strava" if number in there else None,
            strava_id=f"{number}" if number in there else None,
        )
        for number in range(10)
    ]
    ledger = {file(number).file_sha256: Past(state) for number, state in past.items()}
    basis = of(*outings, pairs=pairs, there={"99": There(12, 0.0, 0.0, 0.0)})
    going = set(gone(basis, ledger))
    went = {number for number, state in past.items() if state not in ("pending", "failed")}
    assert not going & (there | went)
    for first, second in pairs:
        assert not {first, second} <= going
        if first in going:
            assert second not in there | went | {12}
    assert len(going) + sum(kept(basis, ledger).values()) == 10


def test_the_order_of_what_is_known_makes_no_difference() -> None:
    """The same files go whichever activity comes first."""
    outings = [outing(number, files=(file(number, points=number % 3),)) for number in range(6)]
    pairs = [(0, 1), (1, 2), (3, 4), (4, 5)]
    assert gone(of(*outings, pairs=pairs)) == gone(of(*outings[::-1], pairs=pairs[::-1]))


# ---- a look at Strava's list


def listed(later_s: float = 0.0, source_id: str = "7", **changes: Any) -> Seen:
    """Return a run of an hour as Strava lists it."""
    external_id = changes.pop("external_id", None)
    told = links(source="strava", source_id=source_id, external_id=external_id)
    one = record(70, later_s, source="strava", source_id=source_id, links=told, **changes)
    return Seen(one, external_id)


@pytest.mark.parametrize(
    ("one", "verdict"),
    [
        (listed(), "there"),
        (listed(40.0, elapsed_s=HOUR_S + 36, distance_m=10_100.0), "there"),
        (listed(2 * HOUR_S), "there"),  # by a clock of another zone
        (listed(86_400.0, external_id="garmin_push_900001"), "there"),  # by name, whatever its time
        (listed(1_000.0), "doubtful"),
        (listed(1_000.0, elapsed_s=4_000.0, moving_s=3_900.0, distance_m=30_000.0), None),
        (listed(600.0, sport_type="Ride", distance_m=40_000.0, elapsed_s=9_000.0), None),
        (listed(HOUR_S - 300), None),  # begins in its last minutes
        (listed(2 * HOUR_S, distance_m=7_000.0, elapsed_s=2_600.0, moving_s=2_600.0), None),
        (listed(86_400.0), None),
    ],
)
def test_what_is_listed_is_compared_as_records_are(one: Seen, verdict: str | None) -> None:
    """Sure, in doubt, or another one; and what was uploaded under the file's own name is ours."""
    found = Lookout(of(outing())).found(file(), [listed(50_000.0, "3", sport_type="Swim"), one])
    assert found == (Found(verdict, "7") if verdict else None)  # type: ignore[arg-type] # as given
    ours = listed(9 * HOUR_S, "8", external_id=f"{file().external_id}.fit")
    assert Lookout(of(outing())).found(file(), [one, ours]) == Found("ours", "8")


def test_what_the_warehouse_knows_is_not_compared_again() -> None:
    """Alike as they are: it was decided that they are two. Changed since, it is compared."""
    lookout = Lookout(of(outing(), there={"7": There(2, NOON_S, HOUR_S, 10_000.0)}))
    assert lookout.found(file(), [listed()]) is None
    assert lookout.found(file(), [listed(2.0)]) == Found("there", "7")


def test_an_upload_of_another_file_is_that_ones() -> None:
    """Our own uploads are known by their names; those of another machine are compared."""
    lookout = Lookout(of(outing(), outing(2, 4 * HOUR_S)))
    alike = f"{file(2).external_id}.fit"
    assert lookout.found(file(), [listed(2 * HOUR_S, external_id=alike)]) is None
    elsewhere = "tracklake-ffff.fit"
    assert lookout.found(file(), [listed(external_id=elsewhere)]) == Found("there", "7")


def test_what_fits_another_better_is_only_a_doubt() -> None:
    """Two runs as long as each other, and Strava lists one, at the hour of the second."""
    lookout = Lookout(of(outing(), outing(2, 8 * HOUR_S)))
    assert lookout.found(file(1), [listed(8 * HOUR_S)]) == Found("doubtful", "7")
    assert lookout.found(file(2), [listed(8 * HOUR_S)]) == Found("there", "7")


# ---- what is said


def test_a_plan_names_what_stays_for_a_reason() -> None:
    """Doubts and obstacles one by one, what is there in a number, and not without end."""
    report = UploadReport(is_plan=True, left=1, kept={"on Strava": 2, MAY_BE_THERE: 150})
    report.planned = [shown(file(name="Dusk\x1b[2Jrun", utc_offset_s=HOUR_S))]
    report.stays = [(shown(outing()), "on Strava")] * 2 + [(shown(outing()), MAY_BE_THERE)] * 150
    lines = report.lines()
    assert lines[1] == "  2023-11-15 13:00 Run, 60 min, fit of garmin/900001, Dusk [2Jrun"
    assert lines[2] == f"not to go: 150 {MAY_BE_THERE}, 2 on Strava"
    assert lines[3] == f"  2023-11-15 12:00 Run, activity 1: {MAY_BE_THERE}"
    assert lines[-1] == "  … and 50 more"
    assert len(lines) == 104
