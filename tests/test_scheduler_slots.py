"""When the slots are, held against a clock that is read minute by minute."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.clock import UTC
from tracklake.scheduling import slots

_MINUTE = dt.timedelta(minutes=1)
# Changes at 1:00, at 2:00 by half an hour, and at midnight; a zone without any.
_CHANGES = [
    ("Europe/London", dt.date(2026, 3, 29)),
    ("Europe/London", dt.date(2026, 10, 25)),
    ("Australia/Lord_Howe", dt.date(2026, 10, 4)),
    ("Australia/Lord_Howe", dt.date(2026, 4, 5)),
    ("America/Havana", dt.date(2026, 3, 8)),
    ("America/Havana", dt.date(2026, 11, 1)),
    ("Antarctica/Troll", dt.date(2026, 3, 29)),
    ("Antarctica/Troll", dt.date(2026, 10, 25)),
    ("Asia/Beirut", dt.date(2026, 3, 29)),
    ("Asia/Beirut", dt.date(2026, 10, 25)),
    ("Asia/Kolkata", dt.date(2026, 3, 29)),
    ("UTC", dt.date(2026, 3, 29)),
]
_MINUTES = ["0", "30", "59", "0,30", "15-45/15", "*", "*/20"]
_HOURS = ["0", "1", "2", "1,2", "0-3", "5", "23", "*", "*/2"]


def _values(field: str, high: int) -> set[int]:
    found: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        low, _, top = (f"0-{high}" if span == "*" else span).partition("-")
        found |= set(range(int(low), int(top or low) + 1, int(step or 1)))
    return found


def _slow(minute: str, hour: str, zone: ZoneInfo, since: dt.datetime, days: int) -> list[str]:
    """Look at every minute: as cron does for a `*`, else at every minute the wall clock has."""
    minutes, hours = _values(minute, 59), _values(hour, 23)
    until = since + dt.timedelta(days=days)
    found: set[dt.datetime] = set()
    if "*" in (minute[0], hour[0]):
        moment = since
        while (moment := moment + _MINUTE) <= until:
            local = moment.astimezone(zone)
            if local.minute in minutes and local.hour in hours:
                found.add(moment)
    else:
        wall = since.astimezone(zone).replace(tzinfo=None) - dt.timedelta(days=1)
        for _ in range((days + 2) * 1440):
            wall += _MINUTE
            if wall.minute in minutes and wall.hour in hours:
                found.add(_first(wall, zone))
    return [f"{moment:%d %H:%M}" for moment in sorted(found) if since < moment <= until]


def _first(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the first moment at which the wall clock shows this, or has just passed it."""
    while True:
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == wall:
            return moment
        wall += _MINUTE


@given(
    st.sampled_from(_MINUTES),
    st.sampled_from(_HOURS),
    st.sampled_from(_CHANGES),
    st.integers(-1440, 1440),
)
def test_slots_are_those_of_the_wall_clock(
    minute: str, hour: str, change: tuple[str, dt.date], offset_minutes: int
) -> None:
    """Around every kind of change of the clock, wherever one starts, the slots are cron's."""
    name, day = change
    zone = ZoneInfo(name)
    since = dt.datetime.combine(day, dt.time(12), UTC) - dt.timedelta(days=1)
    since += dt.timedelta(minutes=offset_minutes)
    until = since + dt.timedelta(days=3)
    coming = slots.after(f"{minute} {hour} * * *", zone, since)
    found = [f"{s:%d %H:%M}" for s in itertools.takewhile(lambda slot: slot <= until, coming)]
    assert found == _slow(minute, hour, zone, since, 3)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (dt.date(2026, 3, 28), ["28 01:30", "29 01:00", "30 00:30"]),
        (dt.date(2026, 10, 24), ["24 00:30", "25 00:30", "26 01:30"]),
    ],
)
def test_half_past_one_comes_once_on_both_days(day: dt.date, expected: list[str]) -> None:
    """In the spring gap 01:30 runs at 02:00 summer time; in autumn the first 01:30 only."""
    coming = slots.after(
        "30 1 * * *", ZoneInfo("Europe/London"), dt.datetime.combine(day, dt.time(), UTC)
    )
    assert [f"{slot:%d %H:%M}" for slot in itertools.islice(coming, 3)] == expected


def test_newest_is_the_last_one_of_a_span() -> None:
    """The bounds are (since, until]; a span without a slot has none."""
    zone = ZoneInfo("Europe/London")
    five = dt.datetime(2026, 5, 3, 4, tzinfo=UTC)
    day = dt.timedelta(days=1)
    assert slots.newest("0 5 * * *", zone, five - 3 * day, five) == five
    assert slots.newest("0 5 * * *", zone, five, five + day - _MINUTE) is None


@pytest.mark.parametrize(
    ("name", "since", "expected"),
    [
        (
            "Europe/London",
            dt.datetime(2026, 10, 25, 0, 45, tzinfo=UTC),
            ["01:00", "01:30", "02:00"],
        ),
        ("Antarctica/Troll", dt.datetime(2026, 10, 25, 0, 45, tzinfo=UTC), ["01:00", "01:30"]),
        ("Australia/Lord_Howe", dt.datetime(2026, 4, 4, 14, 45, tzinfo=UTC), ["15:00", "15:30"]),
    ],
)
def test_asked_within_an_hour_that_comes_again_it_goes_on(
    name: str, since: dt.datetime, expected: list[str]
) -> None:
    """Each half hour of a time that the clock shows twice is there, from wherever one asks."""
    coming = slots.after("*/30 * * * *", ZoneInfo(name), since)
    assert [f"{slot:%H:%M}" for slot in itertools.islice(coming, len(expected))] == expected
