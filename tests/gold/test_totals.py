"""Totals by week, month and year, the last days, calendars: against slow sums and by example."""

import datetime as dt
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from tests.gold import slow_models
from tests.gold.outings import TODAYS, Gold, Outing, at, opened, outings, same
from tracklake import sports

WHO = ("athlete", "sport_family")
BOTH = ("athlete", "sport_type")
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


def test_families_are_those_of_the_rest_of_the_program(gold: Gold) -> None:
    """Each of Strava's sport types is listed once, with sports.family; only foot is divided."""
    found = gold.rows("from sport_families")
    names = [row["sport_type"] for row in found]
    assert len(set(names)) == len(names)
    assert set(names) == sports.SPORT_TYPES | {"Multisport", "Transition"}
    for row in found:
        family = row["sport_family"]
        assert sports.family(row["sport_type"]) == {"run": "foot", "walk": "foot"}.get(
            family, family
        )
        assert family == slow_models.family(row["sport_type"])
        assert row["is_motorised"] == (row["sport_type"] in slow_models.MOTORISED)


@settings(max_examples=20)
@given(done=outings(), today=TODAYS)
def test_totals_are_the_sums(shared: Gold, done: list[Outing], today: dt.date) -> None:
    """For any outings, weeks, months, years and the last 7, 28, 365 days are what adding gives."""
    shared.clear()
    shared.add(done)
    shared.let_today_be(today)
    weeks = slow_models.totals(done, lambda day: day - dt.timedelta(day.weekday()), "week")
    same(shared.rows("from weekly_totals"), weeks, *BOTH, "week")
    months = slow_models.totals(done, lambda day: day.replace(day=1), "month")
    same(shared.rows("from monthly_totals"), months, *BOTH, "month")
    same(
        shared.rows("from yearly_totals"),
        slow_models.totals(done, lambda day: day.year, "year"),
        *BOTH,
        "year",
    )
    rolling = slow_models.rolling(done, today)
    same(shared.rows("from rolling_totals"), rolling, *WHO, "day")


@settings(max_examples=20)
@given(done=outings(), today=TODAYS)
def test_calendars_are_complete(shared: Gold, done: list[Outing], today: dt.date) -> None:
    """For any outings, each day and year from the first is there, with sums and comparisons."""
    shared.clear()
    shared.add(done)
    shared.let_today_be(today)
    calendar = slow_models.heatmap(done, today)
    same(shared.rows("from heatmap_days"), calendar, *WHO, "day")
    years = slow_models.years(done, today)
    same(shared.rows("from year_over_year"), years, *WHO, "year")


def test_a_week_belongs_to_the_monday_it_begins_with(gold: Gold) -> None:
    """Sunday 23:59 and Monday 00:00 on the wall are two weeks; a week may span two years."""
    gold.add(
        [
            Outing(1, at("2024-12-29T22:59"), utc_offset_s=3600.0, distance=1_000.0),
            Outing(2, at("2024-12-29T23:00"), utc_offset_s=3600.0, distance=2_000.0),
            Outing(3, at("2025-01-01T09:00"), utc_offset_s=3600.0, distance=4_000.0),
        ]
    )
    weeks = gold.rows("select week, distance_km from weekly_totals where sport_type = 'Run'")
    assert {row["week"]: row["distance_km"] for row in weeks} == {
        dt.date(2024, 12, 23): 1.0,
        dt.date(2024, 12, 30): 6.0,
    }
    years = gold.rows("select year, distance_km from yearly_totals where sport_type = 'All'")
    assert {row["year"]: row["distance_km"] for row in years} == {2024: 3.0, 2025: 4.0}


def test_a_triathlon_is_one_outing_and_three_sports(gold: Gold) -> None:
    """Its legs count by sport, its whole among all; nothing counts twice, and both sums agree."""
    start = at("2026-06-07T08:00")
    gold.add(
        [
            Outing(1, start, "Multisport", distance=51_500.0, leg_count=3),
            Outing(2, start, "Swim", distance=1_500.0, leg_index=1),
            Outing(3, start + dt.timedelta(hours=1), "Ride", distance=40_000.0, leg_index=2),
            Outing(4, start + dt.timedelta(hours=2), "Run", distance=10_000.0, leg_index=3),
        ]
    )
    found = gold.rows("select sport_type, activity_count, distance from yearly_totals")
    assert {row["sport_type"]: (row["activity_count"], row["distance"]) for row in found} == {
        "All": (1, 51_500.0),
        "Swim": (1, 1_500.0),
        "Ride": (1, 40_000.0),
        "Run": (1, 10_000.0),
    }


def test_miles_stand_beside_kilometres(gold: Gold) -> None:
    """A marathon is 42.195 km and 26.2188 miles, in sums and as the longest."""
    gold.add([Outing(1, at("2026-04-26T08:00"), distance=42_195.0, moving_time=10_800.0)])
    [row] = gold.rows("from monthly_totals where sport_type = 'Run'")
    for name in ("distance", "longest_distance"):
        assert row[f"{name}_km"] == 42.195
        assert row[f"{name}_miles"] == pytest.approx(26.21875748)


def test_what_nobody_measured_is_unknown_not_zero(gold: Gold) -> None:
    """Yoga without a distance has no distance in totals; in calendars, which fill days, it is 0."""
    gold.add([Outing(1, at("2026-04-26T08:00"), "Yoga", distance=None, moving_time=3_600.0)])
    gold.let_today_be(dt.date(2026, 4, 27))
    [row] = gold.rows("from weekly_totals where sport_type = 'Yoga'")
    assert (row["distance"], row["distance_km"], row["moving_time"]) == (None, None, 3_600.0)
    found = gold.rows("from heatmap_days where sport_family = 'other' order by day")
    assert [(r["distance"], r["moving_time"], r["level"]) for r in found] == [
        (0.0, 3_600.0, 1),
        (0.0, 0.0, 0),
    ]


def test_the_seventh_day_back_still_counts(gold: Gold) -> None:
    """A run counts in the last 7 days up to the sixth day after it, across a change of clocks."""
    gold.add([Outing(1, at("2026-03-25T22:30"), utc_offset_s=3600.0, distance=MILE_M)])
    gold.let_today_be(dt.date(2026, 4, 2))
    found = gold.rows("from rolling_totals where sport_family = 'run' order by day")
    assert [row["day"] for row in found] == [
        dt.date(2026, 3, 25) + dt.timedelta(n) for n in range(9)
    ]
    assert [row["distance_7d_miles"] for row in found] == [1.0] * 7 + [0.0] * 2
    assert [row["activity_count_28d"] for row in found] == [1] * 9


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2024-02-28", {2023: 1_000.0, 2024: 10_000.0}),
        ("2024-02-29", {2023: 1_000.0, 2024: 30_000.0}),
        ("2025-02-28", {2023: 1_000.0, 2024: 10_000.0, 2025: 0.0}),
        ("2025-03-01", {2023: 3_000.0, 2024: 70_000.0, 2025: 0.0}),
    ],
)
def test_years_are_compared_up_to_the_same_day(
    gold: Gold, today: str, expected: dict[int, float]
) -> None:
    """On 29 February other years end on the 28th; a year without anything is there, as 0."""
    days = {
        "2023-02-28": 1_000.0,
        "2023-03-01": 2_000.0,
        "2024-02-28": 10_000.0,
        "2024-02-29": 20_000.0,
        "2024-03-01": 40_000.0,
    }
    gold.add(
        [
            Outing(number, at(f"{day}T12:00"), distance=metres)
            for number, (day, metres) in enumerate(days.items(), start=1)
            if day <= today
        ]
    )
    gold.let_today_be(dt.date.fromisoformat(today))
    found = gold.rows("from year_over_year where sport_family = 'run' order by year")
    assert {row["year"]: row["distance"] for row in found} == expected
    assert found[1]["distance_change_km"] == (expected[2024] - expected[2023]) / 1000
    assert found[1]["distance_change_percent"] == pytest.approx(
        100 * (expected[2024] / expected[2023] - 1)
    )


def test_nothing_done_is_nothing_shown(gold: Gold) -> None:
    """All models answer an empty warehouse with no rows."""
    for view in (
        "weekly_totals",
        "monthly_totals",
        "yearly_totals",
        "rolling_totals",
        "heatmap_days",
        "year_over_year",
        "streaks",
        "current_streak",
        "eddington",
        "personal_records",
        "personal_record_history",
        "best_efforts_by_distance",
        "run_splits",
        "gear_distance",
        "athlete_today",
    ):
        assert gold.rows(f"from {view}") == [], view
