"""Training on days that clocks and journeys make odd: 23 and 25 hours, twice the same, left out."""

import datetime as dt
import itertools
import random
import zoneinfo
from collections import defaultdict

import pytest

from tests.gold.outings import same
from tests.gold.training import Lake, opened, slow_training
from tracklake import sports

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
ZONES = (
    "Pacific/Auckland",
    "Pacific/Apia",
    "Pacific/Honolulu",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
)


def enter(lake: Lake, number: int, moment: dt.datetime, zone: str, **fields: object) -> dt.date:
    """Enter an activity that began at that moment where that zone is; return its day there."""
    local = moment.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)
    row = {"start_date": moment, "timezone": zone} | fields
    lake.activity(number, local, **row)
    return local.date()


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2025-10-26", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2025-11-02", 25),
        ("Pacific/Auckland", "2026-04-05", 25),
        ("Australia/Lord_Howe", "2025-10-05", 23.5),
    ],
)
def test_a_day_on_which_the_clocks_change_is_one_day(zone: str, day: str, hours: float) -> None:
    """A run just after each midnight and one just before the next: two a day, and no day more."""
    changed, there = dt.date.fromisoformat(day), zoneinfo.ZoneInfo(zone)
    midnights = [
        dt.datetime.combine(changed + n * DAY, dt.time(), there).astimezone(dt.UTC)
        for n in range(-2, 4)
    ]
    assert midnights[3] - midnights[2] == hours * HOUR
    loads = []
    with opened() as lake:
        lake.connection.execute("set timezone = 'America/Los_Angeles'")  # must not matter
        starts = [
            moment
            for begin, end in itertools.pairwise(midnights)
            for moment in (begin + HOUR / 60, end - HOUR / 60)
        ]
        for number, moment in enumerate(starts, start=1):
            its_day = enter(lake, number, moment, zone, moving_time=900.0 * number)
            loads.append((its_day, 15.0 * number))
        lake.let_today_be(changed + 4 * DAY)
        found = lake.rows("from training_load order by day")
    assert [row["activity_count"] for row in found] == [2, 2, 2, 2, 2, 0, 0]
    assert found[2]["day"] == changed
    for row, (its_day, *numbers) in zip(
        found, slow_training(loads, changed + 4 * DAY), strict=True
    ):
        assert row["day"] == its_day
        told = [row["load"], row["ctl"], row["atl"], row["tsb"]]
        assert told == pytest.approx(numbers, rel=1e-9, abs=1e-9)


def test_a_run_across_midnight_belongs_to_the_day_it_began() -> None:
    """From 23:50 to 00:40, on a night when the clocks change too: all of its load is of one day."""
    with opened() as lake:
        began = dt.datetime(2026, 3, 28, 22, 50, tzinfo=dt.UTC)  # 23:50 in Berlin
        length = {"moving_time": 3000.0, "elapsed_time": 3000.0}
        enter(lake, 1, began, "Europe/Berlin", **length)
        lake.let_today_be(dt.date(2026, 3, 30))
        [load] = lake.rows("from activity_load")
        found = lake.rows("from training_load order by day")
    assert (load["day"], load["load"]) == (dt.date(2026, 3, 28), 50)
    assert [(row["day"].day, row["load"]) for row in found] == [(28, 50), (29, 0), (30, 0)]


def test_a_day_that_a_journey_gives_twice_counts_once() -> None:
    """Auckland on the 8th, then east to Honolulu, where it is the 8th again: one day of both."""
    with opened() as lake:
        first = dt.datetime(2026, 3, 7, 18, tzinfo=dt.UTC)  # 7:00 on the 8th in Auckland
        second = dt.datetime(2026, 3, 8, 18, tzinfo=dt.UTC)  # 8:00 on the 8th in Honolulu
        enter(lake, 1, first, "Pacific/Auckland", moving_time=3600)
        enter(lake, 2, second, "Pacific/Honolulu", moving_time=1800)
        lake.let_today_be(dt.date(2026, 3, 9))
        found = lake.rows("from training_load order by day")
    assert [(row["day"].day, row["load"], row["activity_count"]) for row in found] == [
        (8, 90, 2),
        (9, 0, 0),
    ]


def test_a_day_that_a_journey_leaves_out_is_a_day_off() -> None:
    """Honolulu on the 6th, then west to Auckland on the 8th: the 7th is there, without load."""
    with opened() as lake:
        first = dt.datetime(2026, 3, 6, 20, tzinfo=dt.UTC)  # 10:00 on the 6th in Honolulu
        second = dt.datetime(2026, 3, 7, 18, tzinfo=dt.UTC)  # 7:00 on the 8th in Auckland
        enter(lake, 1, first, "Pacific/Honolulu", moving_time=3600)
        enter(lake, 2, second, "Pacific/Auckland", moving_time=3600)
        lake.let_today_be(dt.date(2026, 3, 8))
        found = lake.rows("from training_load order by day")
    assert [(row["day"].day, row["load"]) for row in found] == [(6, 60), (7, 0), (8, 60)]


def test_a_day_ahead_of_today_is_still_shown() -> None:
    """Who ran on the 9th beyond the date line and is back on the 8th loses nothing of it."""
    with opened() as lake:
        moment = dt.datetime(2026, 3, 8, 18, tzinfo=dt.UTC)  # 7:00 on the 9th in Auckland
        enter(lake, 1, moment, "Pacific/Auckland", moving_time=3600)
        lake.let_today_be(dt.date(2026, 3, 8))
        [row] = lake.rows("from training_load")
    assert (row["day"], row["load"]) == (dt.date(2026, 3, 9), 60)


@pytest.mark.parametrize("seed", range(3))
def test_the_days_of_a_traveller_are_those_of_the_clocks_around(seed: int) -> None:
    """A month across seven zones, around both changes of the clocks, day by day as in Python."""
    chance = random.Random(seed)  # noqa: S311
    today = dt.date(2026, 4, 20)
    loads: dict[str, list[tuple[dt.date, float]]] = defaultdict(list)
    with opened() as lake:
        lake.connection.execute(f"set timezone = '{ZONES[seed]}'")  # must not matter
        moment = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
        for number in range(1, 70):
            moment += chance.randrange(1, 30 * 60) * HOUR / 60
            athlete, seconds = chance.choice(["me", "anna"]), float(chance.randrange(60, 9000))
            fields = {"athlete": athlete, "moving_time": seconds}
            day = enter(lake, number, moment, chance.choice(ZONES), **fields)
            loads[athlete].append((day, seconds / 60))
        lake.let_today_be(today)
        found = lake.rows("from training_load")
    names = ("day", "load", "ctl", "atl", "tsb")
    expected = [
        {"athlete": athlete}
        | dict(zip(names, row, strict=True))
        | {"activity_count": sum(day == row[0] for day, _ in its)}
        for athlete, its in loads.items()
        for row in slow_training(its, today)
    ]
    same(found, expected, "athlete", "day")


def test_an_hour_of_each_sport_has_the_points_that_the_docs_say() -> None:
    """Where nothing but the time is known: from 60 for a run to 15 for yoga, else 30."""
    said = {
        60: "Run TrailRun VirtualRun NordicSki BackcountrySki RollerSki",
        55: "Swim",
        50: "Wheelchair Rowing VirtualRow Kayaking Canoeing StandUpPaddling Crossfit "
        "HighIntensityIntervalTraining",
        20: "Walk",
        15: "Yoga Pilates Golf PhysicalTherapy Sail",
        30: "Hike Snowshoe EBikeRide EMountainBikeRide Tennis Surfing AlpineSki Newsport",
    }
    points = {sport: number for number, names in said.items() for sport in names.split()}
    rides = [name for name in sports.SPORT_TYPES if sports.family(name) == "ride"]
    points = dict.fromkeys(rides, 50) | points
    with opened() as lake:
        moment = dt.datetime.fromisoformat("2026-03-01T12:00")
        for number, sport in enumerate(points, start=1):
            lake.activity(number, moment, sport_type=sport, moving_time=3600)
        found = lake.rows("select sport_type, load from activity_load")
    assert {row["sport_type"]: row["load"] for row in found} == points
