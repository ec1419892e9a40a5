"""Curves, tiles, pace by temperature: worked examples, and a slow model beside them."""

import datetime as dt
import random
from collections.abc import Iterator

import pytest

from tests.gold.training import Lake, Row, opened
from tracklake import warehouse

NOON = dt.datetime.fromisoformat("2026-03-01T12:00")


@pytest.fixture
def lake() -> Iterator[Lake]:
    """Give an empty lake on a day in March 2026."""
    with opened() as found:
        found.let_today_be(dt.date(2026, 3, 10))
        yield found


def test_curves_name_the_activity_and_the_last_90_days(lake: Lake) -> None:
    """The best ever and of the 90 days up to today, each with its activity; 2 h too."""
    old, edge, new = NOON - dt.timedelta(days=900), NOON - dt.timedelta(days=80), NOON
    for number, (day, watts, seconds) in enumerate(
        [
            (old, 300, 1000),
            (edge, 280, 1050),
            (new, 260, 1100),
            (NOON - dt.timedelta(days=81), 299, 1010),
        ],
        start=1,
    ):
        lake.activity(number, day, sport_type="Ride")
        lake.effort(number, name="5min", duration_s=300, average_watts=watts)
        lake.effort(number, name="5K", distance_m=5000, elapsed_time=seconds)
    lake.insert("stream_facts", {"stream_key": 30, "best_2h_w": 180.0})
    power = lake.rows("from power_curve order by duration_s")
    told = [
        (p["duration_name"], p["average_watts"], p["activity_id"], p["average_watts_90d"])
        for p in power
    ]
    assert told == [("5min", 300, 1, 280), ("2h", 180, 3, 180)]
    assert (power[0]["activity_id_90d"], power[0]["day_90d"]) == (2, dt.date(2025, 12, 11))
    [pace] = lake.rows("from pace_curve")
    assert (pace["elapsed_time"], pace["pace_s_per_km"], pace["day"]) == (1000, 200, old.date())
    assert (pace["elapsed_time_90d"], pace["activity_id_90d"]) == (1050, 2)
    assert pace["pace_s_per_mile"] == pytest.approx(321.8688)


@pytest.mark.parametrize("seed", range(3))
def test_the_power_curve_is_the_best_of_all(seed: int) -> None:
    """On generated efforts, by family of sports and duration, without e-bikes and estimates."""
    chance = random.Random(seed)  # noqa: S311
    best: dict[tuple[str, float], float] = {}
    with opened() as lake:
        lake.let_today_be(dt.date(2026, 3, 10))
        for number in range(1, 80):
            sport = chance.choice(["Ride", "GravelRide", "EBikeRide", "Run"])
            measured = chance.choice([True, None, False])
            lake.activity(number, NOON, sport_type=sport, device_watts=measured)
            for duration in (5, 300, 3600):
                watts = round(chance.uniform(100, 900), 1)
                lake.effort(number, name=f"{duration}", duration_s=duration, average_watts=watts)
                if sport != "EBikeRide" and measured is not False:
                    key = ("run" if sport == "Run" else "ride", duration)
                    best[key] = max(best.get(key, 0), watts)
        rows = lake.rows("from power_curve")
    assert {(r["sport_family"], r["duration_s"]): r["average_watts"] for r in rows} == best


def test_tiles_count_activities_in_the_open(lake: Lake) -> None:
    """A ride in a virtual world explores nothing; a tile knows its first and last day."""
    for number, sport in ((1, "Run"), (2, "Ride"), (3, "VirtualRide")):
        lake.activity(number, NOON + dt.timedelta(days=number), sport_type=sport)
        lake.insert("track_tiles", {"track_key": number * 10 + 1, "tile_x": 5, "tile_y": 7})
    [tile] = lake.rows("from explorer_tiles")
    assert tile == {
        "athlete": "me",
        "tile_x": 5,
        "tile_y": 7,
        "activity_count": 2,
        "first_activity_id": 1,
        "first_day": dt.date(2026, 3, 2),
        "last_day": dt.date(2026, 3, 3),
    }


def test_pace_by_temperature_is_all_time_over_all_distance(lake: Lake) -> None:
    """In steps of 5 °C, below zero too; without treadmills, rides, and runs without weather."""
    lake.connection.execute(
        "create table activity_weather (activity_id bigint, temperature_celsius double, "
        "humidity_percent double, wind_speed_ms double)"
    )
    lake.connection.execute(warehouse.sql_files("gold")["pace_by_temperature"])
    runs = [(-0.5, 5000, 1500, None), (4.9, 5000, 1400, 150), (0.0, 10_000, 3100, None)]
    for number, (celsius, distance, seconds, bpm) in enumerate(runs, start=1):
        pace = {"distance": distance, "moving_time": seconds, "average_heartrate": bpm}
        lake.activity(number, NOON, **pace)
        weather = {"activity_id": number, "temperature_celsius": celsius}
        lake.insert("activity_weather", weather | {"humidity_percent": 50, "wind_speed_ms": 2})
    others: dict[int, Row] = {7: {"sport_type": "Ride"}, 8: {"trainer": True}}
    for number, fields in others.items():
        lake.activity(number, NOON, distance=5000, moving_time=900, **fields)
        lake.insert("activity_weather", {"activity_id": number, "temperature_celsius": 3})
    cold, mild = lake.rows("from pace_by_temperature order by temperature_from_celsius")
    assert (cold["temperature_from_celsius"], cold["pace_s_per_km"]) == (-5, 300)
    assert (mild["temperature_from_celsius"], mild["activity_count"]) == (0, 2)
    assert (mild["pace_s_per_km"], mild["average_heartrate"]) == (300, 150)
