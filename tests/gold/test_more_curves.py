"""Curves and rankings of generated efforts, each beside a slow model; the window of 90 days."""

import datetime as dt
import random

import numpy as np
import pytest

from tests.gold import slow_more
from tests.gold.outings import same
from tests.gold.training import Lake, Row, opened
from tracklake.analysis.stream_facts import stream_facts

TODAY = dt.date(2026, 3, 10)
HOURS = {7200: "best_2h_w", 10_800: "best_3h_w", 14_400: "best_4h_w"}
DISTANCES_M = {"400m": 400.0, "1/2 mile": 805.0, "5K": 5000.0}  # as Strava rounds them


def made_up(chance: random.Random, number: int) -> Row:
    """Return an activity near a bound of the 90 days, anywhere in the world."""
    start = dt.datetime.combine(TODAY, dt.time(chance.choice([0, 11, 23])), dt.UTC)
    start -= dt.timedelta(days=chance.choice([-1, 0, 1, 2, 88, 89, 90, 91, 400]))
    local = start.replace(tzinfo=None) + dt.timedelta(hours=chance.choice([-11, 0, 1, 14]))
    return {
        "id": number,
        "athlete": chance.choice(["me", "anna"]),
        "sport_type": chance.choice(["Ride", "GravelRide", "EBikeRide", "Run", "TrailRun", None]),
        "start_date": start,
        "start_date_local": local,
        "day": local.date(),
        "leg_count": 0,
        "device_watts": chance.choice([True, None, False]),
    }


def enter(lake: Lake, activity: Row) -> None:
    """Enter an activity."""
    fields = {name: value for name, value in activity.items() if name not in ("id", "day")}
    lake.activity(activity["id"], activity["start_date_local"], **fields)


@pytest.mark.parametrize("seed", range(3))
def test_rankings_and_pace_curve_are_what_sorting_gives(seed: int) -> None:
    """With equal times, e-bikes and the wholes of triathlons, for two athletes and any zones."""
    chance = random.Random(seed)  # noqa: S311
    tries: list[Row] = []
    with opened() as lake:
        lake.connection.execute("set timezone = 'Pacific/Auckland'")  # must not matter
        activities = {number: made_up(chance, number) for number in range(1, 60)}
        for number, activity in activities.items():
            activity["leg_count"] = chance.choice([0, 0, 0, 3])
            enter(lake, activity)
            for name, metres in DISTANCES_M.items():
                if chance.random() < 0.7:
                    one = {"name": name, "elapsed_time": float(chance.randrange(90, 96))}
                    tries.append(one | {"activity_id": number})
                    lake.effort(number, distance_m=metres, **one)
        lake.let_today_be(TODAY)
        ranked = lake.rows("from best_efforts_by_distance")
        curve = lake.rows("from pace_curve")
    key = ("athlete", "sport_family", "distance_name")
    same(ranked, slow_more.ranking(activities, tries), *key, "effort_rank")
    same(curve, slow_more.pace_curve(activities, tries, TODAY), *key)
    recent = {row["elapsed_time_90d"] == row["elapsed_time"] for row in curve}
    assert recent == {True, False}  # both happen


@pytest.mark.parametrize("seed", range(3))
def test_the_power_curve_and_its_last_90_days_are_what_going_through_gives(seed: int) -> None:
    """From 5 s to 4 h, ever and in the 90 days up to today, each with its activity and day."""
    chance = random.Random(seed)  # noqa: S311
    tries: list[Row] = []
    with opened() as lake:
        lake.connection.execute("set timezone = 'Pacific/Auckland'")
        activities = {number: made_up(chance, number) for number in range(1, 60)}
        for number, activity in activities.items():
            enter(lake, activity)
            own = {seconds: float(chance.randrange(200, 206)) for seconds in (5, 300, *HOURS)}
            found = [
                {"activity_id": number, "duration_s": seconds, "average_watts": watts}
                for seconds, watts in own.items()
                if chance.random() < 0.7
            ]
            tries += found
            facts: Row = {"stream_key": number * 10}
            for one in found:
                its_s, its_w = round(one["duration_s"]), one["average_watts"]
                if its_s in HOURS:
                    facts[HOURS[its_s]] = its_w
                else:
                    lake.effort(number, name="x", duration_s=its_s, average_watts=its_w)
            lake.insert("stream_facts", facts)
        lake.let_today_be(TODAY)
        curve = lake.rows("from power_curve")
    expected = slow_more.power_curve(activities, tries, TODAY)
    same(curve, expected, "athlete", "sport_family", "duration_s")
    named = {round(row["duration_s"]): row["duration_name"] for row in curve}
    assert (named[7200], named[10_800], named[14_400]) == ("2h", "3h", "4h")


def test_the_ninetieth_day_back_is_the_first_of_the_90() -> None:
    """Today and the 89 days before it are 90; what begins tomorrow, across the date line, waits."""
    for days_ago, counts in ((-1, False), (0, True), (89, True), (90, False)):
        with opened() as lake:
            lake.let_today_be(TODAY)
            local = dt.datetime.combine(TODAY, dt.time(23, 59)) - dt.timedelta(days=days_ago)
            lake.activity(1, local, sport_type="Ride")
            lake.effort(1, name="5min", duration_s=300, average_watts=250)
            lake.effort(1, name="5K", distance_m=5000, elapsed_time=600)
            [power] = lake.rows("from power_curve")
            [pace] = lake.rows("from pace_curve")
        assert (power["average_watts"], pace["elapsed_time"]) == (250, 600)
        assert (power["average_watts_90d"] == 250) is counts
        assert (pace["elapsed_time_90d"] == 600) is counts


@pytest.mark.parametrize("seed", range(4))
def test_power_over_hours_is_what_a_window_second_by_second_finds(seed: int) -> None:
    """With gaps and pauses, in which nothing is pedalled, and rides that are too short."""
    chance = random.Random(seed)  # noqa: S311
    time_s, points = 0, []
    for _ in range((1501, 3001)[seed % 2]):
        points.append((float(time_s), float(chance.choice([0, 150, 300, 300 - time_s // 100]))))
        time_s += chance.choice([1, 4, 5, 5, 5, 7, 8, 9])
    stamp, watts = np.array(points).T
    found = stream_facts(stamp, np.full(len(stamp), np.nan), watts).long_powers_w
    for seconds, power in zip(HOURS, found, strict=True):
        expected = slow_more.best_mean_power(points, seconds)
        assert power == (None if expected is None else pytest.approx(expected, abs=1e-3))
    assert found[0] is not None
