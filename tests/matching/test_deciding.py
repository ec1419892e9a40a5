"""Which records are one activity, case by case."""

from dataclasses import replace
from typing import Any

import pytest

from tests.matching.made_up import DAY_S, MORNING_S, groups, together, told
from tracklake.matching import SURE, Decision, Record, compared, grouped

HOME = (2.17, 41.39)
WAY = tuple((2.0 + at / 100, 41.0 + at % 3 / 500) for at in range(12))
ELSEWHERE = tuple((lng, lat + 0.2) for lng, lat in WAY)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"start_s": MORNING_S + 80, "distance_m": 10_280.0},
        {"elapsed_s": None, "moving_s": None},
        {"distance_m": None},
        {"distance_m": 11_900.0},  # a treadmill, corrected
        {"elapsed_s": 3_500.0, "moving_s": 3_500.0},  # moving time only
        {"elapsed_s": 5_400.0, "moving_s": 3_490.0},  # a pause that the other does not tell
        {"start_s": MORNING_S + 240, "elapsed_s": 3_420.0, "distance_m": 9_700.0},
        {"elapsed_s": 3_060.0, "moving_s": 2_975.0, "distance_m": 8_500.0},  # cropped
        {"sport_type": "TrailRun"},
        {"sport_type": "Workout"},
        {"sport_type": "Ride"},
        {"start_s": MORNING_S + 600},  # a wrong clock
        {"start_s": MORNING_S - 7_200, "zone_known": False},  # a wrong zone
        {"start_s": MORNING_S + 19_800 + 30},
        {"start_s": 20_000 * DAY_S + 1, "start_hidden": True},
        {"start_s": 20_000 * DAY_S + 1 - 3_600, "start_hidden": True},
        {"start_s": 20_000 * DAY_S + 54_000, "distance_m": 10_020.0},  # typed in for 15:00
    ],
)
def test_one_outing_as_two_sources_tell_it(change: dict[str, Any]) -> None:
    """Noise, second devices, pauses, crops, edits, wrong clocks, hidden starts: one activity."""
    garmin, strava = told("garmin"), replace(told("strava"), **change)
    assert together(grouped([garmin, strava]), garmin, strava)


@pytest.mark.parametrize(
    "change",
    [
        {"start_s": MORNING_S + 3_700},  # the same once more, without a break
        {"start_s": MORNING_S + 36_000 + 400},
        {"start_s": MORNING_S + 7_200, "elapsed_s": 3_800.0, "moving_s": 3_700.0},
        {"start_s": MORNING_S + 3_600, "sport_type": "Ride"},
        {"elapsed_s": 1_200.0, "moving_s": 1_200.0, "distance_m": 3_000.0},
        {"start_s": MORNING_S + DAY_S},
        {"start_s": 20_000 * DAY_S + 1, "start_hidden": True, "distance_m": 8_000.0},
        {"start_s": 20_001 * DAY_S + 1, "start_hidden": True},
        {"leg_index": 1, "elapsed_s": 3_700.0, "moving_s": 3_580.0},
        {"has_legs": True, "elapsed_s": 9_000.0},
        {"is_stub": True},
        {"start_s": None},
    ],
)
def test_two_outings_stay_two(change: dict[str, Any]) -> None:
    """Back to back, there and back, another day, another length, legs: not one activity."""
    garmin, strava = told("garmin"), replace(told("strava"), **change)
    assert not together(grouped([garmin, strava]), garmin, strava)


_GYM: list[tuple[float, float, dict[str, Any]]] = [
    (0, 700.0, {"distance_m": 2_000.0}),
    (720, 3_000.0, {"distance_m": None, "sport_type": "WeightTraining"}),
    (3_740, 705.0, {"distance_m": 2_010.0}),
]


def test_a_clock_that_was_never_set_matches_nothing() -> None:
    """Thousands of records that all start in 1970 are not held against each other."""
    many = [
        told(source, str(n), start_s=float(n % 3), elapsed_s=3_600.0)
        for source in ("garmin", "strava")
        for n in range(3_000)
    ]
    assert len(groups(grouped(many))) == len(many)


def test_a_clock_that_stands_still_matches_nothing() -> None:
    """Thousands that start in one minute of 2000 are none of each other's, but by their keys."""
    many = [
        told(
            source,
            str(n),
            start_s=946_684_800.0 + n % 50,
            elapsed_s=600.0 + n,
            moving_s=600.0 + n,
            external_id="garmin_push_900007" if (source, n) == ("strava", 7) else None,
        )
        for source in ("garmin", "strava")
        for n in range(3_000)
    ]
    twin = told("garmin", "900007", start_s=946_684_807.0, elapsed_s=607.0, moving_s=607.0)
    found = grouped([*many, twin])
    assert len(groups(found)) == len(many)
    assert together(found, twin, many[3_007])
    assert not found.doubtful
    alike = [one for one in many if one.service_id in ("8", "9")]
    assert len(groups(grouped(alike))) == 2


def test_to_the_gym_and_home_again() -> None:
    """Three activities without a break, in two sources each, are three."""
    some = [
        told(source, str(at), start_s=MORNING_S + start, elapsed_s=lasts, moving_s=lasts, **what)
        for source in ("garmin", "strava")
        for at, (start, lasts, what) in enumerate(_GYM)
    ]
    assert groups(grouped(some)) == {
        frozenset({a.record_id, b.record_id}) for a, b in zip(some[:3], some[3:], strict=True)
    }


def test_the_way_home_is_not_the_way_to_work_in_another_zone() -> None:
    """Nine hours later, as long and as far, but walked the other way: two activities."""
    there = told("garmin", line=WAY, start=WAY[0])
    back = told("strava", line=WAY[::-1], start=WAY[-1], start_s=MORNING_S + 9 * 3_600)
    assert not together(grouped([there, back]), there, back)
    same = replace(back, line=WAY, start=WAY[0])
    assert together(grouped([there, same]), there, same)


def test_of_two_equal_runs_of_a_day_a_hidden_start_may_be_either() -> None:
    """Where two fit as well, the athlete is asked; where one has its partner, the other is it."""
    hidden = told("strava", "1", start_hidden=True, start_s=20_000 * DAY_S + 1)
    first = told("garmin", "1")
    second = told("garmin", "2", start_s=MORNING_S + 36_000, elapsed_s=3_601.0)
    found = grouped([hidden, first, second])
    assert not together(found, hidden, first)
    assert not together(found, hidden, second)
    assert found.doubtful
    partner = told("strava", "2", start_s=MORNING_S + 36_000)
    assert together(grouped([hidden, first, second, partner]), hidden, first)


def test_two_devices_in_one_source_are_a_doubt() -> None:
    """Watch and bike computer, both with Garmin: two activities, and the pair is listed."""
    watch, computer = told("garmin", "1"), told("garmin", "2", distance_m=10_100.0)
    found = grouped([watch, computer])
    assert not together(found, watch, computer)
    assert [(match.method, match.confidence >= SURE) for match in found.doubtful] == [
        ("time", True)
    ]


def test_a_virtual_ride_has_no_place() -> None:
    """Zwift's island and the living room are one ride."""
    zwift = told("strava", sport_type="VirtualRide", line=ELSEWHERE, start=(166.9, -11.6))
    watch = told("garmin", sport_type="Ride", line=WAY, start=HOME)
    assert together(grouped([zwift, watch]), zwift, watch)


def test_tracks_raise_and_lower_what_time_leaves_open() -> None:
    """A late start of a short run is decided by the track: the same way, or another place."""
    garmin = told("garmin", line=WAY, start=WAY[0])
    strava = told(
        "strava",
        line=WAY[2:],
        start=WAY[2],
        start_s=MORNING_S + 800,
        elapsed_s=2_850.0,
        moving_s=2_800.0,
        distance_m=8_000.0,
    )
    other = replace(strava, line=ELSEWHERE, start=ELSEWHERE[0])
    bare = replace(strava, line=(), start=None)
    confidences = [
        match.confidence if (match := compared(garmin, one)) else 0.0
        for one in (other, bare, strava)
    ]
    assert confidences == sorted(set(confidences))
    assert not together(grouped([garmin, other]), garmin, other)


def test_a_leg_and_an_activity_of_its_own_are_a_doubt() -> None:
    """Strava's run and a run leg that is not quite it are listed, not merged."""
    leg, run = (
        told("files", "x/3", leg_index=3),
        told("strava", elapsed_s=3_640.0, moving_s=3_540.0),
    )
    found = grouped([leg, run])
    assert not together(found, leg, run)
    assert len(found.doubtful) == 1


def test_legs_that_another_service_has_one_by_one_are_those() -> None:
    """A watch's triathlon, whole and legs, and Strava's three activities: four in all."""
    parts = [("Swim", 0.0, 1_800.0), ("Ride", 1_900.0, 4_300.0), ("Run", 6_300.0, 2_700.0)]
    legs, alone = (
        [
            told(
                source,
                str(at) if source == "strava" else f"x/{at}",
                leg_index=0 if source == "strava" else at,
                sport_type=sport,
                start_s=MORNING_S + start,
                elapsed_s=lasts,
                moving_s=lasts,
            )
            for at, (sport, start, lasts) in enumerate(parts, start=1)
        ]
        for source in ("files", "strava")
    )
    whole = told("files", "x", has_legs=True, elapsed_s=9_000.0, sport_type="Workout")
    found = grouped([whole, *legs, *alone])
    assert len(groups(found)) == 4
    assert all(together(found, leg, one) for leg, one in zip(legs, alone, strict=True))


# ---- ids and decisions ----


def test_the_founder_is_who_landed_first_and_strava_if_at_once() -> None:
    """The id is that of the first record; landing together, Strava's before the file's."""
    file = told("files", "f")
    strava, later = told("strava"), told("strava", first_ingested_s=2.0)
    assert grouped([file, strava]).assignments[file.record_id].founder == strava.record_id
    assert grouped([file, later]).assignments[later.record_id].founder == file.record_id


def _merge(a: Record, b: Record, at_s: float) -> Decision:
    return Decision("merge", a.name, b.name, at_s)


def _split(a: Record, b: Record, at_s: float) -> Decision:
    return Decision("split", a.name, b.name, at_s)


def test_what_the_athlete_decided_wins_over_everything() -> None:
    """A merge joins what nothing connects; a split parts what an explicit link connects."""
    garmin = told("garmin", "123456")
    strava = told("strava", "9", external_id="garmin_push_123456")
    ride = told("strava", "10", start_s=MORNING_S + 50_000, sport_type="Ride")
    decided = [_split(strava, garmin, 1.0), _merge(ride, garmin, 2.0)]
    found = grouped([garmin, strava, ride], decided)
    assert together(found, garmin, ride)
    assert not together(found, garmin, strava)
    assert not found.doubtful
    member = next(
        one
        for one in (garmin, ride)
        if one.record_id != found.assignments[garmin.record_id].founder
    )
    assert found.assignments[member.record_id].method == "decision"


def test_the_later_decision_counts() -> None:
    """Of merges and splits of two records the newest holds, also through a third."""
    a, b, c = told("garmin"), told("strava"), told("intervals", "i1")
    for decided, expected in (
        ([_split(a, b, 1.0), _merge(a, b, 2.0)], True),
        ([_split(a, b, 3.0), _merge(a, b, 2.0)], False),
        ([_split(a, b, 3.0), _merge(a, c, 1.0), _merge(c, b, 2.0)], False),
        ([_split(a, b, 1.0), _merge(a, c, 2.0), _merge(c, b, 3.0)], True),
    ):
        assert together(grouped([a, b, c], decided), a, b) is expected


def test_a_decision_about_what_is_not_there_does_nothing() -> None:
    """Names of records that are gone are no error."""
    a = told("garmin")
    assert grouped([a], [Decision("merge", a.name, "strava/404", 1.0)]) == grouped([a])
