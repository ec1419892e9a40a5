"""Two simulated months of daily flows: one with all that goes wrong, one in which nothing does."""

import datetime as dt
from pathlib import Path

import pytest

from tests.reliability import month
from tests.reliability.month import ZONE, Month
from tests.upstream.status_faults import Status
from tracklake import status
from tracklake.clock import UTC

ACTIVITIES = 110  # 220 calls for details and points, of which the quota allows 36 a day


def backfill(lived: Month, activities: int) -> tuple[float, float]:
    """Live until all is fetched, with something new each day; return the days that it took, and
    those that were foretold after the first.
    """
    began = None
    foretold = None
    while True:
        lived.place.upstream.account.upload()
        day = lived.day()
        assert day.alarming == set()
        assert day.told == []
        known = status.status(lived.place.folders, "me", lived.clock)["strava"]
        began = began or day.began
        assert known["activities"] >= activities  # the whole list, on the first day
        if not known["calls_left_to_make"]:
            assert foretold is not None
            return (day.began - began) / dt.timedelta(days=1), foretold
        assert day.state == "waiting_quota"
        assert day.in_run == {("quota", "strava read"): "info"}
        if foretold is None:
            until = dt.datetime.fromisoformat(known["fetched_about"])
            foretold = (until - began) / dt.timedelta(days=1)


def check_slots(lived: Month) -> None:
    """Each day had one run, at 05:00 in London but where it slept."""
    local = [day.began.astimezone(ZONE) for day in lived.days]
    dates = [one.date() for one in local]
    assert dates == [dates[0] + dt.timedelta(days=number) for number in range(len(dates))]
    assert {one.hour for one in local} <= {5, 11}


def test_thirty_clean_days(tmp_path: Path) -> None:
    """A backfill and 30 days with new activities over a change of the clocks: nothing fires but
    information, nobody is told, no call is over the quota, and the end was foretold to 10 %.
    """
    first = dt.datetime(2026, 10, 9, 12, tzinfo=UTC)
    with month.opened(tmp_path, first, activities=ACTIVITIES) as lived:
        took_days, foretold_days = backfill(lived, ACTIVITIES)
        assert foretold_days == pytest.approx(took_days, rel=0.1)
        account = lived.place.upstream.account
        while len(lived.days) < 30:
            number = len(lived.days)
            if number % 3:
                new = account.upload(manual=number % 7 == 0)
                account.kudos(new, 2)
            if number % 5 == 0:
                account.edit(sorted(account.items)[-2], name=f"Day {number}")
            day = lived.day()
            assert (day.exit_code, day.state, day.alarming, day.told) == (
                *(0, "completed"),
                *(set(), []),
            )
        check_slots(lived)
        assert lived.messages == []
        assert lived.place.upstream.quota_violations == 0
        assert lived.place.differences() == []


def test_a_month_in_which_much_goes_wrong(tmp_path: Path) -> None:
    """Each alert fires in the run that crosses the line, is told once and daily, and once when it
    is over; at the end gold is what Strava shows.
    """
    first = dt.datetime(2026, 3, 14, 12, tzinfo=UTC)
    with month.opened(tmp_path, first, activities=50) as lived:
        backfill(lived, 50)
        _outages(lived)
        _poison(lived)
        _no_login(lived)
        _others_use_the_quota(lived)
        _no_backup(lived)
        _clocks(lived)
        _edits(lived)
        assert 35 <= len(lived.days) <= 42
        check_slots(lived)
        refused = lived.place.upstream.quota.refused
        assert max(refused.values(), default=0) <= 1
        assert lived.place.differences() == []


def _well(lived: Month) -> None:
    lived.place.upstream.account.upload()
    day = lived.day()
    assert (day.exit_code, day.alarming, day.told) == (0, set(), [])


def _next_five(lived: Month) -> dt.datetime:
    local = lived.clock.now().astimezone(ZONE)
    day = local.date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, dt.time(5), tzinfo=ZONE)


def _outages(lived: Month) -> None:
    """Ten minutes, six hours, two days."""
    five = _next_five(lived)
    lived.down_until(five + dt.timedelta(minutes=10))
    day = lived.day()
    assert day.in_run.keys() <= {("breaker_open", "strava")}
    if day.exit_code:  # nothing ended well for 26 hours, at 08:30
        assert day.alarming == {"no_success"}
        assert len(day.told) == 1
        assert lived.day().told == ["Tracklake: well again (no_success)"]
    _well(lived)
    lived.down_until(_next_five(lived) + dt.timedelta(hours=6))
    day = lived.day()
    assert (day.exit_code, day.state, day.alarming) == (1, "retrying", {"no_success"})
    assert ("no_success", "") not in day.in_run
    assert len(day.told) == 1
    assert "nothing has ended well since" in day.told[0]
    day = lived.day()
    assert (day.exit_code, day.alarming) == (0, set())
    assert day.told == ["Tracklake: well again (no_success)"]
    _well(lived)
    lived.down_until(_next_five(lived) + dt.timedelta(hours=47))
    assert len(lived.day().told) == 1
    day = lived.day()
    assert day.in_run[("no_success", "")] == "critical"
    assert len(day.told) == 1  # again a day later
    assert lived.day().told == ["Tracklake: well again (no_success)"]


def _poison(lived: Month) -> None:
    """An activity that is always answered with 500 alarms nobody, on whatever day."""
    poison = lived.place.upstream.account.upload()
    lived.place.upstream.script.add(Status(500, {}), path=rf"/activities/{poison}")
    day = lived.day()
    assert (day.state, day.alarming, day.told) == ("completed_with_errors", set(), [])
    for _ in range(3):
        _well(lived)


def _no_login(lived: Month) -> None:
    """A revoked login: told in that run and each day, over after the new one."""
    place = lived.place
    place.upstream.tokens.deauthorise()
    place.renews = False
    for number in range(3):
        place.upstream.account.upload()
        day = lived.day()
        assert (day.exit_code, day.state) == (3, "needs_auth")
        assert day.in_run[("needs_login", "strava")] == "critical"
        assert ("no_success", "") in day.later
        if number == 0:
            assert [title.split(" needs")[0] for title in day.told[:1]] == ["Tracklake: Strava"]
    place.upstream.tokens.authorised = True
    place.log_in(lives_for_ever=True)
    day = lived.day()
    assert (day.exit_code, day.alarming) == (0, set())
    assert day.told == ["Tracklake: well again (needs_login, no_success)"]


def _others_use_the_quota(lived: Month) -> None:
    """Another program takes most of the day's calls: a warning that day, over the next."""
    upstream = lived.place.upstream
    lived.clock.move_to(_next_five(lived) - dt.timedelta(hours=2))
    upstream.consume_elsewhere(30)
    upstream.account.upload()
    day = lived.day()
    assert day.in_run == {("quota", "strava read"): "warning"}
    assert len(day.told) == 1
    assert "only" in day.told[0]
    assert lived.day().told == ["Tracklake: well again (quota)"]


def _no_backup(lived: Month) -> None:
    """The place of the backups is gone for three days: told when the last one is 48 hours old."""
    _well(lived)
    store = Path(str(lived.place.settings_given["backup_url"]))
    aside = store.rename(store.with_name("aside"))
    store.write_text("no folder")
    ages = []
    for _ in range(3):
        lived.place.upstream.account.upload()
        day = lived.day()
        assert day.state == "completed_with_errors"
        ages.append((day.alarming, len(day.told)))
    assert ages[0] == (set(), 0)
    assert ages[-1][0] == {"backup_old"}
    assert sum(count for _, count in ages) in (1, 2)  # the second day is 48 hours to the second
    store.unlink()
    aside.rename(store)
    lived.place.upstream.account.upload()
    day = lived.day()
    assert (day.alarming, day.told) == (set(), ["Tracklake: well again (backup_old)"])


def _clocks(lived: Month) -> None:
    """Our clock an hour wrong for a day, either way; then asleep over 05:00."""
    upstream = lived.place.upstream
    for ahead_s in (3600.0, -3600.0, 0.0):
        upstream.ahead_s = ahead_s
        _well(lived)
    day = lived.day(asleep_until=dt.time(11))
    assert (day.exit_code, day.alarming) == (0, set())


def _edits(lived: Month) -> None:
    """An edit, a deletion, a late upload; a week later all of it is known."""
    account = lived.place.upstream.account
    ids = sorted(lived.place.upstream.visible_set())
    account.edit(ids[5], name="Another name")
    account.delete(ids[9])
    account.late_upload(days=100)
    for _ in range(8):
        _well(lived)
