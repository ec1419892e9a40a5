"""Gear, tiles, pace by temperature: generated data beside a slow model of each."""

import dataclasses
import datetime as dt
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gold import slow_more
from tests.gold.outings import Gold, Outing, Row, at, outings, same
from tests.gold.outings import opened as opened_gold
from tests.gold.training import Lake, opened
from tracklake import warehouse

MORNING = dt.datetime(2026, 3, 7, 8, tzinfo=dt.UTC)
OWNED = [
    {"athlete": athlete, "gear_id": gear_id, "name": f"{athlete}'s {gear_id}"}
    for athlete, gear_id in (("me", "g1"), ("me", "b1"), ("you", "g1"), ("you", "g3"))
]


@pytest.fixture(scope="module")
def shared() -> Iterator[Gold]:
    """Give a warehouse whose rows each example replaces."""
    with opened_gold() as found:
        yield found


@settings(max_examples=20)
@given(data=st.data(), done=outings())
def test_gear_is_the_sum_of_what_names_it(
    shared: Gold, data: st.DataObject, done: list[Outing]
) -> None:
    """For any outings, triathlons too, on gear that is known, unknown, unused or a namesake's."""
    names = st.sampled_from([None, "g1", "g1", "b1", "x9"])
    used = [dataclasses.replace(one, gear_id=data.draw(names)) for one in done]
    metres = st.none() | st.integers(0, 9_000_000).map(float)
    owned = [row | {"distance_m": data.draw(metres)} for row in OWNED]
    shared.clear()
    shared.add(used)
    shared.insert("gear", *owned)
    same(shared.rows("from gear_distance"), slow_more.gear(used, owned), "athlete", "gear_id")


def test_shoes_on_a_journey_have_the_days_of_the_wall(shared: Gold) -> None:
    """Of a run before midnight in Honolulu and one after it in Auckland, each has its own day."""
    shared.clear()
    shared.add(
        [
            Outing(1, at("2026-03-08T09:50"), utc_offset_s=-36_000.0, gear_id="g1"),
            Outing(2, at("2026-03-08T11:10"), utc_offset_s=46_800.0, gear_id="g1"),
        ]
    )
    [row] = shared.rows("from gear_distance")
    assert (row["first_day"], row["last_day"]) == (dt.date(2026, 3, 7), dt.date(2026, 3, 9))
    assert (row["distance"], row["activity_count"]) == (10_000, 2)


def start(chance: random.Random) -> Row:
    """Return a start within four days, at one of few moments, on any clock."""
    moment = MORNING + dt.timedelta(hours=chance.randrange(0, 96, 6))
    local = moment.replace(tzinfo=None) + dt.timedelta(hours=chance.choice([-11, 0, 14]))
    return {"start_date": moment, "local": local, "day": local.date()}


def enter(lake: Lake, one: Row, *names: str) -> None:
    """Enter an activity with these fields."""
    fields = {name: one[name] for name in ("athlete", "sport_type", "start_date", *names)}
    lake.activity(one["id"], one["local"], **fields)


@pytest.mark.parametrize("seed", range(4))
def test_tiles_are_what_going_through_the_tracks_gives(seed: int) -> None:
    """First and last visit in time, on clocks that differ; nothing of virtual worlds."""
    chance = random.Random(seed)  # noqa: S311
    activities: dict[int, Row] = {}
    touched: list[tuple[int, int, int]] = []
    with opened() as lake:
        lake.connection.execute("set timezone = 'America/Los_Angeles'")  # must not matter
        for number in range(1, 60):
            one = start(chance) | {"id": number, "athlete": chance.choice(["me", "anna"])}
            one["sport_type"] = chance.choice(["Run", "Hike", None, "Newsport", *slow_more.VIRTUAL])
            activities[number] = one
            enter(lake, one)
            for x, y in {(chance.randrange(3), chance.randrange(3)) for _ in range(3)}:
                touched.append((number, x, y))
                row = {"track_key": number * 10 + 1, "tile_x": x, "tile_y": y}
                lake.insert("track_tiles", row)
        found = lake.rows("from explorer_tiles")
    same(found, slow_more.tiles(activities, touched), "athlete", "tile_x", "tile_y")


def test_a_tile_on_the_date_line_was_first_visited_by_the_first_visit() -> None:
    """East across the line it is the day before: the visits are in time, the days are their own."""
    with opened() as lake:
        lake.activity(
            1, dt.datetime.fromisoformat("2026-03-08T08:00"), start_date=at("2026-03-07T19:00Z")
        )
        lake.activity(
            2, dt.datetime.fromisoformat("2026-03-07T10:00"), start_date=at("2026-03-07T21:00Z")
        )
        for number in (1, 2):
            lake.insert("track_tiles", {"track_key": number * 10 + 1, "tile_x": 0, "tile_y": 7})
        [tile] = lake.rows("from explorer_tiles")
    assert tile["first_activity_id"] == 1
    assert (tile["first_day"], tile["last_day"]) == (dt.date(2026, 3, 8), dt.date(2026, 3, 7))


@pytest.fixture
def weather_lake() -> Iterator[Lake]:
    """Give an empty lake where the weather is what is entered."""
    with opened() as lake:
        lake.connection.execute(
            "create table activity_weather (activity_id bigint, temperature_celsius double, "
            "humidity_percent double, wind_speed_ms double)"
        )
        lake.connection.execute(warehouse.sql_files("gold")["pace_by_temperature"])
        yield lake


@pytest.mark.parametrize("seed", range(3))
def test_pace_by_temperature_is_what_sorting_into_steps_gives(
    weather_lake: Lake, seed: int
) -> None:
    """On bounds and below zero, for two athletes, with what is unknown and what is no run."""
    chance = random.Random(seed)  # noqa: S311
    runs: list[Row] = []
    sports = ["Run", "Run", "TrailRun", "VirtualRun", "Hike", "Ride", None]
    for number in range(1, 120):
        one = start(chance) | {"id": number, "athlete": chance.choice(["me", "anna"])}
        one |= {"sport_type": chance.choice(sports), "trainer": chance.choice([None, False, True])}
        one |= {"distance": chance.choice([None, 0.0, 5000.0, chance.uniform(1000, 42_000)])}
        one |= {"moving_time": chance.choice([None, 0.0, 1500.0, chance.uniform(400, 9000)])}
        one |= {"average_heartrate": chance.choice([None, chance.uniform(90, 190)])}
        one |= {"leg_count": chance.choice([0, 0, 0, 3])}
        degrees = [None, -10.0, -5.0, -0.1, 0.0, 4.9, 5.0, 20.0, chance.uniform(-20, 40)]
        one |= {"temperature": chance.choice(degrees), "humidity": chance.uniform(10, 100)}
        runs.append(one)
        numbers = ("distance", "moving_time", "average_heartrate", "trainer", "leg_count")
        enter(weather_lake, one, *numbers)
        weather = {"activity_id": number, "temperature_celsius": one["temperature"]}
        weather_lake.insert("activity_weather", weather | {"humidity_percent": one["humidity"]})
    found = weather_lake.rows("from pace_by_temperature")
    same(found, slow_more.by_temperature(runs), "athlete", "temperature_from_celsius")


def test_a_triathlon_that_its_athlete_calls_a_run_is_no_pace(weather_lake: Lake) -> None:
    """Only its leg on foot counts: 10 km in 50 minutes at 20 °C, not 51 km with the bike."""
    moment = dt.datetime.fromisoformat("2026-06-07T08:00")
    legs = ((1, "Run", 51_500, 9_000, 3), (2, "Swim", 1_500, 2_000, 0))
    for number, sport, distance, seconds, leg_count in (
        *legs,
        (3, "Ride", 40_000, 4_000, 0),
        (4, "Run", 10_000, 3_000, 0),
    ):
        length = {"distance": distance, "moving_time": seconds, "leg_count": leg_count}
        weather_lake.activity(number, moment, sport_type=sport, **length)
        weather = {"activity_id": number, "temperature_celsius": 20}
        weather_lake.insert("activity_weather", weather)
    [row] = weather_lake.rows("from pace_by_temperature")
    assert (row["activity_count"], row["pace_s_per_km"]) == (1, 300)
