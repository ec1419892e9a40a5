"""Personal records, their history, ranked efforts, Eddington numbers, gear."""

import datetime as dt
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gold import slow_models, slow_records
from tests.gold.outings import TODAYS, Gold, Outing, Row, at, opened, outings, same
from tracklake.analysis import efforts

WHO = ("athlete", "sport_family")
MILE_M = 1_609.344


@pytest.fixture(scope="module")
def shared() -> Iterator[Gold]:
    """Give a warehouse whose rows each test and example replaces."""
    with opened() as found:
        yield found


@pytest.fixture
def gold(shared: Gold) -> Gold:
    """Give an empty warehouse."""
    shared.clear()
    return shared


def add_efforts(gold: Gold, *efforts_s: tuple[int, str, float]) -> list[Row]:
    """Enter efforts: an activity, a standard distance, and the seconds it took."""
    rows: list[Row] = [
        {"kind": "distance", "origin": "computed", "name": name, "elapsed_time": elapsed_time}
        | {"record_id": -activity_id, "distance_m": efforts.DISTANCES_M.get(name, 100_000.0)}
        for activity_id, name, elapsed_time in efforts_s
    ]
    gold.insert("record_best_efforts", *rows)
    return [row | {"activity_id": -row["record_id"]} for row in rows]


@settings(max_examples=20)
@given(data=st.data(), done=outings(), today=TODAYS)
def test_records_are_what_going_through_the_years_finds(
    shared: Gold, data: st.DataObject, done: list[Outing], today: dt.date
) -> None:
    """For any outings and efforts, each record, what it beat and until when it stood agree."""
    shared.clear()
    shared.add(done)
    shared.let_today_be(today)
    drawn = [
        (one.id, name, data.draw(st.integers(60, 70).map(float)))
        for one in done
        if one.leg_count == 0
        for name in data.draw(st.sets(st.sampled_from(["400m", "1 mile", "5K"])))
    ]
    entered = add_efforts(shared, *drawn)
    first: Row = {"previous_value": None, "previous_day": None, "beaten_day": None}
    expected = [first | row for row in slow_records.records(done, entered)]
    for row in expected:
        del row["when"]
    key = (*WHO, "record", "distance_name")
    same(shared.rows("from personal_record_history"), expected, *key, "day", "value")
    standing = [
        {name: value for name, value in row.items() if name not in ("is_current", "beaten_day")}
        for row in expected
        if row["is_current"]
    ]
    same(shared.rows("from personal_records"), standing, *key)


@settings(max_examples=20)
@given(done=outings(most=40))
def test_eddington_is_the_last_number_that_holds(shared: Gold, done: list[Outing]) -> None:
    """For any outings, in km and miles, trying 1, 2, 3, … finds the same, and what is missing."""
    shared.clear()
    shared.add(done)
    same(shared.rows("from eddington"), slow_models.eddington(done), *WHO, "unit")


def test_standard_distances_are_those_that_are_computed(gold: Gold) -> None:
    """Every distance that best efforts know has its exact length, also where Strava rounds it."""
    gold.add([Outing(1, at("2026-03-01T08:00"))])
    add_efforts(gold, *((1, name, 100.0) for name in efforts.DISTANCES_M))
    gold.connection.execute("update record_best_efforts set distance_m = round(distance_m)")
    add_efforts(gold, (1, "100K", 100.0))
    found = gold.rows("select distance_name, distance_m from best_efforts_by_distance")
    assert {row["distance_name"]: row["distance_m"] for row in found} == {
        **efforts.DISTANCES_M,
        "100K": 100_000.0,
    }


def test_a_record_is_held_until_it_is_beaten(gold: Gold) -> None:
    """20:00, then 20:00 again, then 19:30: two records, the first held for two weeks."""
    for number, (day, seconds) in enumerate(
        {"2026-03-01": 1_200.0, "2026-03-08": 1_200.0, "2026-03-15": 1_170.0}.items(), start=1
    ):
        gold.add([Outing(number, at(f"{day}T08:00"))])
        add_efforts(gold, (number, "5K", seconds))
    found = gold.rows("from personal_record_history where record = 'fastest' order by day")
    assert [(row["value"], row["beaten_day"], row["is_current"]) for row in found] == [
        (1_200.0, dt.date(2026, 3, 15), False),
        (1_170.0, None, True),
    ]
    [row] = gold.rows("from personal_records where record = 'fastest'")
    assert (row["activity_id"], row["day"]) == (3, dt.date(2026, 3, 15))
    assert (row["previous_activity_id"], row["previous_value"]) == (1, 1_200.0)
    assert (row["improvement"], row["pace_s_per_km"]) == (30.0, 234.0)
    assert row["pace_s_per_mile"] == pytest.approx(1_170 / 5 * 1.609344)
    ranked = gold.rows("from best_efforts_by_distance order by effort_rank")
    assert [(row["effort_rank"], row["activity_id"]) for row in ranked] == [(1, 3), (2, 1), (3, 2)]


def test_an_e_bike_sets_no_records(gold: Gold) -> None:
    """It counts in totals and streaks; fastest, longest and biggest are those of the legs."""
    gold.add(
        [
            Outing(1, at("2026-03-01T08:00"), "EBikeRide", distance=90_000.0),
            Outing(2, at("2026-03-02T08:00"), "Ride", distance=40_000.0),
        ]
    )
    add_efforts(gold, (1, "10K", 600.0), (2, "10K", 1_100.0))
    found = gold.rows("from personal_records where sport_family = 'ride'")
    values = {row["record"]: row["value"] for row in found}
    assert values["fastest"] == 1_100.0
    assert values["longest_distance"] == values["biggest_month"] == 40_000.0
    [row] = gold.rows("from weekly_totals where sport_type = 'EBikeRide'")
    assert row["distance_km"] == 90.0


def test_the_biggest_week_is_a_sum_of_local_weeks(gold: Gold) -> None:
    """Sunday night and Monday morning do not add up; two runs within a week do."""
    gold.add(
        [
            Outing(1, at("2026-03-08T23:30"), utc_offset_s=-3_600.0, distance=9_000.0),
            Outing(2, at("2026-03-09T06:00"), distance=8_000.0),
            Outing(3, at("2026-03-15T06:00"), distance=4_000.0),
        ]
    )
    query = "from personal_records where record = 'biggest_week' and sport_family = 'run'"
    [row] = gold.rows(query)
    assert (row["day"], row["value_km"]) == (dt.date(2026, 3, 9), 12.0)
    assert row["value_miles"] == pytest.approx(12 / 1.609344)


def test_an_eddington_number_by_hand(gold: Gold) -> None:
    """Days of 1, 3, 3, 3 and 9 km make 3, with three days of 4 km missing for 4."""
    metres = {"01": 1_000.0, "02": 3_000.0, "03": 3_000.0, "04": 3_000.0, "05": 9_000.0}
    gold.add(
        [
            Outing(number, at(f"2026-03-{day}T08:00"), distance=distance)
            for number, (day, distance) in enumerate(metres.items(), start=1)
        ]
    )
    found = gold.rows("from eddington where sport_family = 'run'")
    assert {row["unit"]: (row["eddington"], row["days_missing"]) for row in found} == {
        "km": (3, 3),
        "miles": (1, 1),
    }


def test_sums_that_binary_fractions_miss_by_a_hair_still_count(gold: Gold) -> None:
    """Three times 0.1 of two miles and the rest are two miles: a nanometre decides nothing."""
    parts = [0.1 * MILE_M] * 3 + [1.7 * MILE_M]
    for day in ("01", "02"):
        gold.add(
            [
                Outing(int(day) * 10 + n, at(f"2026-03-{day}T0{n}:00"), distance=part)
                for n, part in enumerate(parts)
            ]
        )
    [row] = gold.rows("from eddington where sport_family = 'run' and unit = 'miles'")
    assert row["eddington"] == 2


def test_gear_is_measured_by_the_activities_that_name_it(gold: Gold) -> None:
    """First and last use are local days; unused gear is there with 0, unknown gear by its id."""
    gold.insert("gear", {"gear_id": "g1", "athlete": "me", "name": "Blue", "distance_m": 9_000.0})
    gold.insert("gear", {"gear_id": "g2", "athlete": "me", "name": "New"})
    gold.insert("gear", {"gear_id": "g1", "athlete": "you", "name": "Not mine"})
    gold.add(
        [
            Outing(1, at("2026-03-01T23:30"), utc_offset_s=3600.0, gear_id="g1"),
            Outing(2, at("2026-03-05T08:00"), gear_id="g1", distance=None),
            Outing(3, at("2026-03-06T08:00"), "Multisport", gear_id="g1", leg_count=2),
            Outing(4, at("2026-03-07T08:00"), gear_id="b9"),
        ]
    )
    found = gold.rows("from gear_distance order by athlete, gear_id")
    assert [
        (row["athlete"], row["gear_id"], row["name"], row["activity_count"], row["distance_km"])
        for row in found
    ] == [
        ("me", "b9", None, 1, 5.0),
        ("me", "g1", "Blue", 2, 5.0),
        ("me", "g2", "New", 0, 0.0),
        ("you", "g1", "Not mine", 0, 0.0),
    ]
    assert (found[1]["first_day"], found[1]["last_day"]) == (
        dt.date(2026, 3, 2),
        dt.date(2026, 3, 5),
    )
    assert (found[1]["source_distance_km"], found[2]["first_day"]) == (9.0, None)
