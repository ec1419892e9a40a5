"""Streaks by the athlete's own calendar: rules, worked examples, and a slow model beside them."""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from tests.gold import slow_models
from tests.gold.outings import TODAYS, Gold, Outing, Row, at, opened, outings, same


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


@pytest.fixture
def still(gold: Gold) -> Iterator[Gold]:
    """Give an empty warehouse in which the time stands: now() is when its transaction began."""
    gold.connection.execute("begin")
    yield gold
    gold.connection.execute("rollback")


def on(
    *days: str, zone: str = "Europe/Madrid", clock: str = "07:00", first: int = 1
) -> list[Outing]:
    """Return a run on each day at that time of that zone's clock."""
    found = []
    for number, day in enumerate(days, start=first):
        local = dt.datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone))
        offset = local.utcoffset()
        assert offset is not None
        start = local.astimezone(dt.UTC).replace(tzinfo=None)
        found.append(Outing(number, start, utc_offset_s=offset.total_seconds(), timezone=zone))
    return found


def running(gold: Gold, today: str) -> Row:
    """Return the current streak of running as of a day."""
    gold.let_today_be(dt.date.fromisoformat(today))
    [row] = gold.rows("from current_streak where sport_family = 'run'")
    return row


@settings(max_examples=30)
@given(done=outings(), today=TODAYS)
def test_streaks_are_those_of_a_walk_along_the_days(
    shared: Gold, done: list[Outing], today: dt.date
) -> None:
    """For any outings, each streak, its rank and sums are what counting day by day gives."""
    shared.clear()
    shared.add(done)
    shared.let_today_be(today)
    key = ("athlete", "sport_family")
    found = shared.rows("from streaks")
    same(found, slow_models.streaks(done, today), *key, "first_day")
    standing = shared.rows("from current_streak")
    same(standing, slow_models.current_streak(done, today), *key)


def test_the_streak_stands_until_the_day_ends(gold: Gold) -> None:
    """Run up to yesterday, it stands and says that today is missing; a day later it is gone."""
    gold.add(on("2026-03-01", "2026-03-02", "2026-03-03"))
    expected = {
        "2026-03-02": (3, True),
        "2026-03-03": (3, True),
        "2026-03-04": (3, False),
        "2026-03-05": (0, False),
    }
    for today, (days, done) in expected.items():
        row = running(gold, today)
        assert (row["day_count"], row["is_active_today"]) == (days, done), today
        assert row["longest_day_count"] == 3
        assert row["days_to_longest"] == 3 - days
    assert (row["first_day"], row["last_day"], row["distance"]) == (None, None, None)


def test_two_runs_a_day_are_one_day_and_a_gap_starts_anew(gold: Gold) -> None:
    """Days count, not runs; of two equally long streaks the earlier is the longest."""
    gold.add(on("2026-03-01", "2026-03-02", "2026-03-02", "2026-03-04", "2026-03-05"))
    row = running(gold, "2026-03-05")
    assert (row["day_count"], row["activity_count"], row["days_to_longest"]) == (2, 2, 0)
    assert (row["longest_first_day"], row["longest_last_day"]) == (
        dt.date(2026, 3, 1),
        dt.date(2026, 3, 2),
    )
    assert (row["distance_km"], row["distance_miles"]) == (10.0, pytest.approx(10 / 1.609344))


def test_other_sports_do_not_help_a_running_streak(gold: Gold) -> None:
    """A ride keeps the streak of all sports, not that of running; trails and treadmills do."""
    gold.add(
        [
            Outing(1, at("2026-03-01T08:00")),
            Outing(2, at("2026-03-02T08:00"), "Ride"),
            Outing(3, at("2026-03-03T08:00"), "TrailRun"),
            Outing(4, at("2026-03-04T08:00"), "VirtualRun"),
        ]
    )
    gold.let_today_be(dt.date(2026, 3, 4))
    found = gold.rows("select sport_family, day_count from current_streak")
    assert {row["sport_family"]: row["day_count"] for row in found} == {
        "all": 4,
        "run": 2,
        "ride": 0,
    }


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("Europe/Madrid", ("2026-03-28", "2026-03-29", "2026-03-30")),
        ("Europe/Madrid", ("2026-10-24", "2026-10-25", "2026-10-26")),
        ("America/New_York", ("2026-03-07", "2026-03-08", "2026-03-09")),
        ("Australia/Lord_Howe", ("2026-04-04", "2026-04-05", "2026-04-06")),
    ],
)
@pytest.mark.parametrize("clock", ["00:00", "00:30", "12:00", "23:59"])
def test_changing_the_clocks_breaks_no_streak(
    gold: Gold, zone: str, days: tuple[str, ...], clock: str
) -> None:
    """Days of 23, 23.5, 24.5 and 25 hours are days, at whatever time one runs."""
    gold.add(on(*days, zone=zone, clock=clock))
    assert running(gold, days[-1])["day_count"] == 3


def test_the_day_is_that_of_the_start_on_the_wall(gold: Gold) -> None:
    """A run from 23:50 to 00:40 is the evening's; in UTC it would be another day."""
    gold.add(on("2026-07-01", "2026-07-02", zone="Asia/Kolkata", clock="00:10"))
    gold.add(on("2026-07-03", zone="America/Los_Angeles", clock="23:50", first=9))
    assert running(gold, "2026-07-03")["day_count"] == 3


def test_a_day_that_travel_repeats_or_skips(gold: Gold) -> None:
    """Across the date line eastward a day comes twice and counts once; westward one is missed."""
    gold.add(on("2026-05-01", "2026-05-02", zone="Pacific/Auckland"))
    gold.add(on("2026-05-02", "2026-05-03", zone="America/Los_Angeles", first=11))
    assert running(gold, "2026-05-03")["day_count"] == 3
    gold.add(on("2026-05-05", zone="Pacific/Auckland", first=21))
    row = running(gold, "2026-05-05")
    assert (row["day_count"], row["longest_day_count"]) == (1, 3)


def test_what_lies_in_the_future_is_no_streak_yet(gold: Gold) -> None:
    """A run that a wrong clock dates years ahead neither stands nor ends what stands."""
    gold.add(on("2026-03-01", "2026-03-02", "2031-01-01"))
    assert running(gold, "2026-03-02")["day_count"] == 2


@pytest.mark.parametrize(
    "zone", ["Pacific/Kiritimati", "Etc/GMT+12", "Europe/Madrid", "Asia/Kathmandu"]
)
def test_today_is_the_day_where_the_athlete_was_last(still: Gold, zone: str) -> None:
    """The zone of the newest activity decides, not the reader's, UTC, or an older activity's."""
    [now] = still.rows("select now() at time zone 'UTC' as utc")
    hour = dt.timedelta(hours=1)
    still.add(
        [
            Outing(1, now["utc"] - 9 * hour, timezone="Etc/GMT-14"),
            Outing(2, now["utc"] - 3 * hour, timezone=zone),
            Outing(3, now["utc"] + 900 * hour, timezone="Etc/GMT-14"),  # its clock ran ahead
        ]
    )
    expected = now["utc"].replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).date()
    assert still.rows("from athlete_today") == [
        {"athlete": "me", "timezone": zone, "today": expected}
    ]


@pytest.mark.parametrize("zone", [None, "Mars/Olympus"])
@pytest.mark.parametrize("hours", [-11, 0, 14])
def test_without_a_zone_the_distance_from_utc_says_today(
    still: Gold, zone: str | None, hours: int
) -> None:
    """No zone, or one that nobody knows, is no error: the offset of the newest activity counts."""
    [now] = still.rows("select now() at time zone 'UTC' as utc")
    still.add([Outing(1, now["utc"] - dt.timedelta(1), timezone=zone, utc_offset_s=hours * 3600.0)])
    expected = (now["utc"] + dt.timedelta(hours=hours)).date()
    assert still.rows("from athlete_today") == [
        {"athlete": "me", "timezone": None, "today": expected}
    ]
