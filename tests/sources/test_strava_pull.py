"""Pulling Strava's list: what it costs, what lands, what a second time changes."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.strava_place import LISTING, Place, opened
from tests.upstream.calls import Call
from tests.upstream.quota import Limits
from tests.upstream.status_faults import Status
from tracklake.errors import BudgetSpent, Transient


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place with 450 activities upstream."""
    with opened(tmp_path, activities=450, points=20) as found:
        yield found


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Place]:
    """Return a place with 40 activities upstream, read 10 at a time."""
    with opened(tmp_path, activities=40, points=20) as found:
        found.per_page = 10
        yield found


def test_the_first_pull_brings_the_whole_account(place: Place) -> None:
    """All 450 activities come with ceil(450/200) calls and the empty page, and gold equals them."""
    report = place.pull()
    assert (report.new, report.changed, report.gone, report.calls) == (450, 0, 0, 4)
    assert len(place.list_calls()) == 4
    place.compact()
    assert place.differences() == []


def test_a_second_pull_is_free(place: Place) -> None:
    """Nothing new upstream: two calls, no file, no row, no new snapshot, and quickly."""
    place.pull()
    place.compact()
    before, snapshot = place.bronze_files(), place.folders.warehouse.stat().st_mtime_ns
    place.advance(hours=1)
    report = place.pull()
    assert (report.calls, report.new, report.changed) == (2, 0, 0)
    assert "after" in place.upstream.calls[-1].query
    compacted = place.compact()
    assert (compacted.rows, compacted.published) == (0, False)
    assert place.bronze_files() == before
    assert place.folders.warehouse.stat().st_mtime_ns == snapshot


def test_what_is_new_and_changed_within_the_look_back(small: Place) -> None:
    """An upload, a new name and kudos of the last days come with the next pull, and only they."""
    small.pull()
    account = small.upstream.account
    small.advance(days=1)
    new = account.upload(name="New")
    renamed, praised = sorted(small.upstream.visible_set())[-3:-1]
    account.edit(renamed, name="Renamed")
    account.kudos(praised, 3)
    report = small.pull()
    assert (report.new, report.changed) == (1, 2)
    small.compact()
    assert small.differences() == []
    assert small.gold()[new]["name"] == "New"
    rows = small.query_private("select count(*) as n from shards where entity = 'activities'")
    assert rows == [{"n": 2}]


def test_the_look_back_is_as_long_as_asked(small: Place) -> None:
    """An edit 30 days back is found by a look back of 40 days, and not by the usual 21."""
    small.pull()
    small.advance(days=1)
    old = sorted(small.upstream.visible_set())[-30]
    small.upstream.account.edit(old, name="Renamed")
    assert small.pull().changed == 0
    assert small.pull(lookback_days=40).changed == 1


def test_an_activity_of_the_future_moves_nothing_on(small: Place) -> None:
    """An activity dated next year does not hide what is uploaded meanwhile."""
    account = small.upstream.account
    future = account.upload(small.clock.now() + dt.timedelta(days=365), name="From 2027")
    small.pull()
    for _ in range(3):
        small.advance(days=1)
        account.upload()
        assert small.pull().new == 1
    assert small.landed_differences() == []
    assert future in small.landed()


def test_an_account_that_is_empty_and_then_is_not(tmp_path: Path) -> None:
    """No activities cost one call a pull, and are no error; the first upload is found."""
    with opened(tmp_path, activities=0) as place:
        for _ in range(2):
            assert place.pull().calls == 1
        place.compact()
        place.upstream.account.upload(dt.datetime(2009, 5, 1, tzinfo=dt.UTC))
        assert place.pull().new == 1
        assert place.landed_differences() == []


@pytest.mark.parametrize(
    ("order", "inclusive", "late"),
    [
        *(("real", True, False), ("real", False, True), ("newest", False, False)),
        *(("oldest", True, False), ("oldest", False, True), ("random", False, False)),
    ],
)
def test_whatever_the_list_is_like(tmp_path: Path, order: str, inclusive: bool, late: bool) -> None:
    """Any order, bounds that include, pages that are short for what they hide: all of it comes."""
    with opened(
        tmp_path, activities=55, order=order, inclusive=inclusive, filter_late=late, points=5
    ) as place:
        place.per_page = 10
        account = place.upstream.account
        ids = sorted(place.upstream.visible_set())
        for one in ids[3:40:9]:  # several of one second
            account.upload(account.items[one].start)
        if late:
            for one in ids[1:50:7]:
                account.upload(account.items[one].start, ghost=True)
        place.pull()
        place.advance(days=2)
        account.upload()
        place.pull()
        assert place.landed_differences() == []


def test_everything_again_on_request(small: Place) -> None:
    """--all reads back to the first day: an edit of long ago is found without waiting a week."""
    small.pull()
    oldest = min(small.upstream.visible_set())
    small.upstream.account.edit(oldest, distance=4_321.0)
    assert small.pull().changed == 0
    assert small.pull(everything=True).changed == 1
    assert small.landed_differences() == []


# ---- parked, broken off, gone on


def parked_pulls(place: Place, **options: object) -> list[int]:
    """Pull until nothing is parked; return how many calls each pull made."""
    calls = []
    for _ in range(60):
        report = place.pull(**options)
        calls.append(report.calls)
        if report.parked is None:
            return calls
    pytest.fail("parked for ever")


@pytest.mark.parametrize("most_calls", [1, 2, 3])
def test_parked_by_max_calls(small: Place, most_calls: int) -> None:
    """--max-calls parks a walk to day zero; the next run goes on there, with no page twice."""
    calls = parked_pulls(small, everything=True, max_calls=most_calls)
    assert max(calls) <= most_calls
    asked = [tuple(sorted(call.query.items())) for call in small.list_calls()]
    assert len(asked) == len(set(asked))
    assert small.landed_differences() == []


def test_after_a_first_walk_in_parts_the_account_counts_as_read(small: Place) -> None:
    """A first backfill that was parked is not followed by a second one."""
    parked_pulls(small, everything=True, max_calls=2)
    small.pull()
    assert all("after" in call.query for call in small.list_calls()[-4:])


def test_max_calls_of_none(small: Place) -> None:
    """--max-calls 0 asks for nothing and loses nothing."""
    report = small.pull(max_calls=0)
    assert isinstance(report.parked, BudgetSpent)
    assert small.upstream.calls == []
    assert small.pull().new == 40


def test_parked_by_the_quota_of_a_day(tmp_path: Path) -> None:
    """Used up for today: the flow ends well and waits; tomorrow it goes on, with no 429 at all."""
    limits = Limits(overall_quarter=100, overall_day=200, read_quarter=100, read_day=4)
    with opened(tmp_path, activities=60, points=5, limits=limits) as place:
        place.per_page = 10
        tomorrow = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
        first = place.pull()
        assert first.parked is not None
        assert first.parked.until.replace(minute=0, second=0) == tomorrow
        assert place.pull().calls == 0  # nobody even asks
        assert 30 <= len(place.landed()) < 60
        for _ in range(3):
            place.advance(days=1)
            report = place.pull()
        assert report.parked is None
        assert place.upstream.quota_violations <= 1
        assert place.landed_differences() == []


def test_a_flow_that_is_parked_ends_well(tmp_path: Path) -> None:
    """A flow that runs into the daily limit raises nothing and is entered as waiting_quota."""
    limits = Limits(overall_quarter=100, overall_day=200, read_quarter=100, read_day=1)
    with opened(tmp_path, activities=30, points=5, limits=limits) as place:
        place.per_page = 10
        report = place.flow()
        assert report.pulls
        assert place.state("select state from sessions") == [("waiting_quota",)]
        assert place.gold_ids()


def test_a_short_wait_is_sat_out(tmp_path: Path) -> None:
    """The limit of 15 minutes is waited for on the clock, and the pull completes."""
    limits = Limits(overall_quarter=3, overall_day=2_000, read_quarter=3, read_day=1_000)
    with opened(tmp_path, activities=60, points=5, limits=limits) as place:
        place.per_page = 10
        assert place.pull().parked is None
        assert place.upstream.quota_violations <= 1
        assert sum(place.clock.slept_s) > 600
        assert place.landed_differences() == []


def test_a_lost_state_database_costs_calls_only(small: Place) -> None:
    """The index is made from bronze again: the list is read anew, and nothing is landed twice."""
    small.pull()
    small.compact()
    before = small.bronze_files()
    small.forget_state()
    report = small.pull()
    assert (report.new, report.changed, report.gone) == (0, 0, 0)
    assert small.bronze_files() == before
    compacted = small.compact()
    assert compacted.rows == 0
    assert small.differences() == []
    assert small.pull().calls == 4


def test_a_lost_state_database_remembers_what_is_gone(small: Place) -> None:
    """What was found deleted stays deleted, and what came back stays there."""
    small.pull()
    gone, back = sorted(small.upstream.visible_set())[5:7]
    account = small.upstream.account
    for one in (gone, back):
        account.delete(one)
    assert small.reconcile().gone == 2
    account.items[back].deleted = False
    account.kudos(back, 0)
    assert small.reconcile().new == 1
    small.forget_state()
    report = small.pull()
    assert (report.new, report.changed, report.gone) == (0, 0, 0)
    small.compact()
    assert small.tombstones() == {gone}
    assert small.differences() == []


# ---- clocks and athletes


def test_a_clock_that_is_set_back(small: Place) -> None:
    """What changed after the clock went back a day is newer all the same, and lands once."""
    small.pull()
    small.advance(days=-1)
    ids = sorted(small.upstream.visible_set())
    small.upstream.account.edit(ids[-2], name="Renamed")
    small.upstream.account.delete(ids[-3])
    report = small.pull(everything=True)
    assert (report.changed, report.gone) == (1, 1)
    again = small.pull(everything=True)
    assert (again.changed, again.new, again.gone) == (0, 0, 0)
    assert small.landed_differences() == []


@pytest.mark.parametrize("days_ahead", [1, 400])
def test_a_clock_that_was_ahead_stops_no_reconcile(small: Place, days_ahead: int) -> None:
    """After a pull under a clock of next year, deletions are still found within a week."""
    small.advance(days=days_ahead)
    small.pull()
    small.advance(days=-days_ahead)
    gone = min(small.upstream.visible_set())
    small.upstream.account.delete(gone)
    small.pull()
    small.advance(days=8)
    small.pull()
    small.compact()
    assert small.tombstones() == {gone}


def test_two_athletes_in_one_warehouse(tmp_path: Path) -> None:
    """Two athletes with two accounts, of the same ids even, keep their activities apart."""
    with (
        opened(tmp_path, activities=12, points=5) as mine,
        opened(tmp_path, activities=9, points=5, seed=7, clock=mine.clock) as hers,
    ):
        hers.athlete = "ana"
        for one, count in ((mine, 12), (hers, 9)):
            assert one.pull().new == count
        for one in (mine, hers):
            one.upstream.account.edit(min(one.upstream.visible_set()), name=one.athlete)
            one.upstream.account.delete(max(one.upstream.visible_set()))
            report = one.reconcile()
            assert (report.changed, report.gone) == (1, 1)
        mine.compact()
        mine.compact(verify=True)
        for one in (mine, hers):
            rows = mine.query(
                "select source_id, name from activity_sources where athlete = ?", one.athlete
            )
            names = {int(row["source_id"]): row["name"] for row in rows}
            assert names.keys() == one.upstream.visible_set()
            assert names == {each: one.upstream.account.truth(each)["name"] for each in names}
        assert mine.differences() == []


def test_pages_are_kept_as_they_came(small: Place) -> None:
    """Each page is on disk, byte for byte, before the next one is asked for."""
    kept: list[int] = []

    def count(call: Call) -> None:
        if call.path.endswith(LISTING):
            kept.append(len(list(small.folders.bronze.rglob("page-*.json.zst"))))

    small.upstream.before = count
    small.pull()
    assert kept[:5] == [0, 1, 2, 3, 4]


def test_a_pull_that_fails_keeps_what_it_has(small: Place) -> None:
    """When the third page cannot be had, two pages are in the warehouse; then the rest comes."""
    small.upstream.script.add(Status(500, body={"message": "error"}), at=range(3, 7))
    with pytest.raises(Transient):
        small.pull()
    assert 18 <= len(small.landed()) <= 20
    before = len(small.list_calls())
    small.pull()
    assert small.landed_differences() == []
    assert all(call.query.keys() & {"before", "after"} for call in small.list_calls()[before:])


def test_the_flow_pulls_and_publishes(tmp_path: Path) -> None:
    """One flow brings list, details and streams into gold, which equals the list's truth."""
    with opened(tmp_path, activities=9, points=20) as place:
        report = place.flow()
        assert report.tiles is not None
        assert place.differences() == []
