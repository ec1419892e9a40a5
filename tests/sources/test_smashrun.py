"""SmashRun's source at its simulator: the list, details, deletions, quota, what fails."""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.sources.smashrun_place import SmashrunPlace, opened
from tests.upstream.calls import Call
from tests.upstream.content_faults import replaced
from tests.upstream.faults import Fault
from tests.upstream.smashrun import FIRST_ID
from tests.upstream.status_faults import Status
from tracklake import flow, quarantine
from tracklake.errors import SourceError

DAY_S = 86_400.0


class FirstPage(Fault):
    """The first page, whichever is asked for."""

    def spoil_call(self, call: Call) -> None:
        call.query["page"] = "0"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SmashrunPlace]:
    """Return a place with nothing upstream yet."""
    with opened(tmp_path) as found:
        yield found


def fill(place: SmashrunPlace, count: int, **fields: object) -> list[str]:
    """Let so many runs appear, one a day up to yesterday, the oldest first."""
    now = place.clock.now()
    return [
        place.upload(now - dt.timedelta(days=count - number), f"run {number}", **fields)
        for number in range(count)
    ]


def newest(place: SmashrunPlace, entity: str) -> dict[str, dict[str, object]]:
    """Return the newest row of each run of an entity."""
    rows = sorted(place.shard_rows(entity), key=lambda row: row["ingested_at"])
    return {row["source_id"]: row for row in rows}


def test_a_run_with_all_that_it_has(place: SmashrunPlace) -> None:
    """A run comes with points, geometry, laps and both splits; gold has them."""
    one = place.upload(distance_km=3.3, duration_s=1080.0, startLatitude=46.05)
    report = place.pull()
    assert (report.new, report.details, report.quarantined, report.parked) == (1, 1, 0, None)
    [points] = place.shard_rows("activity_streams")
    assert (points["source_id"], points["outcome"]) == (one, "done")
    assert (points["point_count"], points["has_track"]) == (217, True)
    assert {"lat", "lng", "heartrate_bpm", "distance_m"} <= set(points["channels"])
    [details] = place.shard_rows("activity_details")
    assert [split["distance_m"] for split in details["splits_metric"]] == [1000, 1000, 1000, 300]
    assert len(details["splits_standard"]) == 3
    assert len(details["laps"]) == 2
    place.compact()
    [row] = place.query("select distance, external_id, sport_type, timezone from records")
    assert row["distance"] == 3300.0
    assert row["external_id"] == str(20_000_000_000 + FIRST_ID + 7)
    assert row["timezone"] == "Europe/Ljubljana"
    tracks = str(place.folders.tracks / "source=smashrun" / "athlete=me" / "*.parquet")
    with contextlib.closing(duckdb.connect()) as connection:
        (count,) = connection.read_parquet(tracks).aggregate("count(*)").fetchone() or (0,)
    assert count == 1


def test_the_first_pull_reads_all_pages_to_the_empty_one(place: SmashrunPlace) -> None:
    """250 runs are three pages of 100 and an empty one; the pages count from 0."""
    fill(place, 250, hasDetails=0)
    assert place.pull().new == 250
    assert [int(call.query["page"]) for call in place.list_calls()] == [0, 1, 2, 3]
    assert {call.query["count"] for call in place.list_calls()} == {"100"}
    assert set(place.rows()) == place.shown()


def test_a_pull_asks_for_what_was_sent_since(place: SmashrunPlace) -> None:
    """The next pull asks by sync time: a run of last year that is sent now is there at once."""
    fill(place, 5)
    place.pull()
    place.advance(days=20)
    late = place.upload(place.clock.now() - dt.timedelta(days=300), "late")
    report = place.pull(lookback_days=2)
    assert (report.new, report.listed) == (1, 6)  # 20 days: the whole list is due
    place.advance(days=1)
    so_far = len(place.upstream.calls)
    later = place.upload(place.clock.now() - dt.timedelta(days=200), "later")
    assert place.pull(lookback_days=0).new == 1
    first, end = place.list_calls(so_far)
    assert first.query["fromDateUTC"] == end.query["fromDateUTC"]
    assert int(first.query["fromDateUTC"]) < place.clock.now().timestamp() - DAY_S
    assert {late, later} <= set(place.rows())


def test_a_change_dated_in_the_future_moves_nothing(place: SmashrunPlace) -> None:
    """An update of next year does not hide what is sent tomorrow."""
    odd = place.upload()
    place.upstream.runs[int(odd)].listed["dateUpdatedUTC"] = "2027-12-01T00:00:00"
    place.pull()
    place.advance(days=1)
    new = place.upload()
    place.pull(lookback_days=0)
    assert set(place.rows()) == {odd, new}


def test_runs_without_any_date_of_change_are_read_whole(place: SmashrunPlace) -> None:
    """Where nothing says when it was changed, each pull reads the whole list."""
    dates = ("dateUpdatedUTC", "dateCreatedUTC", "syncDateTimeUTC")
    place.upstream.change = lambda run: {k: v for k, v in run.items() if k not in dates}
    fill(place, 3)
    place.pull()
    place.advance(days=1)
    place.upload()
    so_far = len(place.upstream.calls)
    assert place.pull().new == 1
    assert all("fromDateUTC" not in call.query for call in place.list_calls(so_far))


def test_pages_that_shift_while_runs_come_and_go(place: SmashrunPlace) -> None:
    """Between any two pages runs appear and vanish: nothing that is there counts as gone."""
    ids = fill(place, 30, hasDetails=0)
    place.pull(per_page=5)
    place.advance(days=8)

    def shift(call: Call) -> None:
        if "/extended" in call.path and int(call.query["page"]) == 2:
            place.upstream.upload(hasDetails=0)
            for gone in ids[-9:-2]:
                place.upstream.runs.pop(int(gone), None)

    place.upstream.before = shift
    place.pull(per_page=5)
    place.upstream.before = None
    place.advance(days=8)
    place.pull(per_page=5)
    place.advance(hours=2)
    place.pull(per_page=5)
    assert set(place.rows()) == place.shown()
    tombstones = {row["source_id"] for row in place.shard_rows("activity_tombstones")}
    assert tombstones == set(ids[-9:-2])


def test_a_resumed_walk_looks_for_what_it_may_have_missed(place: SmashrunPlace) -> None:
    """A deletion between two parts of the first walk hides a run from it: it is found yet."""
    ids = fill(place, 10, hasDetails=0)
    place.pull(per_page=5, max_calls=1)
    place.delete(ids[-1])
    place.advance(hours=1)
    report = place.pull(per_page=5)
    assert ids[4] not in place.rows()  # it moved to the page that had been read
    assert report.parked is None
    place.advance(hours=1)
    place.pull(per_page=5)
    assert set(place.rows()) == place.shown()


def test_a_walk_broken_off_long_ago_begins_anew(place: SmashrunPlace) -> None:
    """After three days the first page is asked for again."""
    fill(place, 10, hasDetails=0)
    place.pull(per_page=5, max_calls=1)
    place.advance(days=3)
    so_far = len(place.upstream.calls)
    place.pull(per_page=5)
    assert [int(call.query["page"]) for call in place.list_calls(so_far)] == [0, 1, 2]


def test_many_deletions_at_once_wait_for_a_second_look(place: SmashrunPlace) -> None:
    """An empty list of a service that fails removes nothing; real deletions are believed."""
    ids = fill(place, 20, hasDetails=0)
    place.pull()
    place.advance(days=8)
    place.upstream.script.add(Status(200, []), path="/search")
    report = place.pull()
    assert (report.gone, report.doubted) == (0, 20)
    place.upstream.script.clear()
    place.advance(hours=2)
    assert place.pull().doubted == 0
    for one in ids[:10]:
        place.delete(one)
    place.advance(days=8)
    assert place.pull().doubted == 10
    place.advance(hours=2)
    assert place.pull().gone == 10
    assert set(place.rows()) == place.shown()


@pytest.mark.parametrize("status", [400, 500])
def test_bare_ids_that_cannot_be_had(place: SmashrunPlace, status: int) -> None:
    """Where the second look fails, deletions wait an hour, and everything else goes on."""
    ids = fill(place, 6, hasDetails=0)
    place.pull()
    place.delete(ids[0])
    place.advance(days=8)
    place.upstream.script.add(Status(status, {}), path="/search/ids")
    place.upload()
    report = place.pull()
    assert (report.gone, report.doubted, report.details) == (0, 1, 1)
    place.advance(hours=2)
    assert place.pull().gone == 1
    assert set(place.rows()) == place.shown()


def test_details_newest_first_within_the_quota(place: SmashrunPlace) -> None:
    """250 calls an hour: parked when they are spent, gone on with in the next, none refused."""
    fill(place, 120)
    place.clock.move_to(place.clock.now().replace(minute=10))
    report = place.pull()
    assert report.parked is not None
    assert report.parked.until < place.clock.now() + dt.timedelta(hours=1)
    assert "SmashRun's hourly limit of 250 calls an hour" in str(report.parked)
    assert report.calls == 250
    assert place.clock.slept_s == []
    starts = [row["start_s"] for row in place.shard_rows("activity_streams")]
    assert len(starts) == report.details == 82
    newest_starts = sorted((row["start_s"] for row in place.rows().values()), reverse=True)
    assert sorted(starts, reverse=True) == newest_starts[:82]
    assert place.pull_all() > 1
    assert place.upstream.refused == 0
    asked = Counter(call.path for call in place.detail_calls())
    assert set(asked.values()) == {1}
    assert len(asked) == 360


def test_what_has_no_details_is_not_asked(place: SmashrunPlace) -> None:
    """A run entered by hand costs no call."""
    place.upload(hasDetails=0, source="manual")
    place.pull()
    assert place.detail_calls() == []


def test_details_that_are_gone_are_asked_once(place: SmashrunPlace) -> None:
    """A 404 is remembered, and its splits are not asked for."""
    one = place.upload()
    place.upstream.script.add(Status(404), path=rf"/activities/{one}")
    place.pull()
    assert [row["outcome"] for row in place.shard_rows("activity_streams")] == ["none"]
    assert len(place.detail_calls()) == 1
    place.advance(days=1)
    place.pull()
    assert len(place.detail_calls()) == 1


def test_a_longer_run_is_fetched_again_and_a_note_is_not(place: SmashrunPlace) -> None:
    """Details are fetched for another version of what was recorded, not for another note."""
    one = place.upload()
    place.pull()
    place.advance(days=1)
    place.edit(one, "a note")
    so_far = len(place.upstream.calls)
    assert place.pull().changed == 1
    assert place.detail_calls(so_far) == []
    place.upstream.edit(int(one), distance=3.2)
    assert place.pull().details == 1
    assert len(place.detail_calls(so_far)) == 3


@pytest.mark.parametrize("body", [[], {"activityId": 5}, {"id": 7}, "soon", None])
def test_one_bad_answer_is_set_aside(place: SmashrunPlace, body: object) -> None:
    """Details of another shape are set aside, the others land; a day later they are tried again."""
    bad, *good = fill(place, 4)
    place.upstream.script.add(Status(200, body), path=rf"/activities/{bad}$")
    report = place.pull()
    assert (report.details, report.quarantined) == (3, 1)
    assert set(newest(place, "activity_streams")) == set(good)
    so_far = len(place.upstream.calls)
    place.pull()
    assert place.detail_calls(so_far) == []
    place.upstream.script.clear()
    place.advance(days=2)
    assert place.pull().details == 1
    assert place.quarantined() == []


def test_a_failing_run_stops_no_other(place: SmashrunPlace) -> None:
    """One run's splits answer 500 each time: it is set aside, and the others are fetched."""
    bad, *good = fill(place, 4)
    place.upstream.script.add(Status(500), path=rf"/activities/{bad}/splits/km")
    assert place.pull().details == 3
    with place.session() as session:
        [item] = quarantine.items(session.state)
    assert (item["reason"], item["item"]) == ("not_answered", f"details of smashrun {bad}")
    assert set(newest(place, "activity_streams")) == set(good)


def test_a_failing_service_ends_the_pull(place: SmashrunPlace) -> None:
    """Five runs in a row that fail are the service's fault; what came before is kept."""
    ids = fill(place, 8)
    place.upstream.script.add(Status(500), ids=[int(one) for one in ids[:6]])
    with pytest.raises(SourceError, match="SmashRun fails"):
        place.pull()
    assert set(newest(place, "activity_streams")) == set(ids[6:])
    place.upstream.script.clear()
    place.advance(seconds=61)
    assert place.pull().details == 6  # at once: it was not the runs' fault
    assert place.quarantined() == []


def test_a_list_that_is_none(place: SmashrunPlace) -> None:
    """An object, a 404 or another status in place of the list is a failure, not an empty list."""
    fill(place, 3)
    place.pull()
    place.advance(days=8)
    for fault in (Status(200, {"message": "soon"}), Status(404, {}), Status(418, {})):
        place.upstream.script.add(fault, path="/extended")
        with pytest.raises(SourceError, match=r"SmashRun"):
            place.pull()
        place.upstream.script.clear()
    assert place.shard_rows("activity_tombstones") == []


def test_a_list_that_repeats_itself_ends(place: SmashrunPlace) -> None:
    """The same page for ever is noticed, and nothing counts as gone for it."""
    fill(place, 12, hasDetails=0)
    place.pull()
    place.advance(days=8)
    place.upstream.script.add(FirstPage(), path="/extended")
    report = place.pull(per_page=5)
    assert report.gone == 0
    assert len(place.list_calls()) < 12
    place.upstream.script.clear()
    assert place.pull(per_page=5).gone == 0
    assert set(place.rows()) == place.shown()


def test_totals_come_with_news_only(place: SmashrunPlace) -> None:
    """The totals cost one call a pull that brought anything; where they fail, nothing else does."""
    place.upload()
    place.pull()
    place.pull()
    assert len(place.upstream.calls_to("/my/stats")) == 1
    place.compact()
    [row] = place.query("select athlete, run_count, total_distance_m from smashrun_stats")
    assert row == {"athlete": "me", "run_count": 1, "total_distance_m": 3300}
    place.advance(days=1)
    place.upload()
    place.pull()
    place.compact()
    assert place.query("select run_count from smashrun_stats") == [{"run_count": 2}]
    place.advance(days=1)
    place.upload()
    place.upstream.script.add(Status(500), path="/my/stats")
    assert place.pull().details == 1


def test_totals_in_our_units(place: SmashrunPlace) -> None:
    """Kilometres and km/h become metres and m/s; what is null or no object is no harm."""
    place.upstream.stats = {
        "runCount": 1184,
        "totalDistance": "10774.5",
        "averageSpeed": 10.8,
        "longestStreak": None,
        "longestRunWhen": "2025-11-02T00:00:00",
        "mostOftenRunOnDay": "Sunday",
    }
    place.upload()
    place.pull()
    [row] = place.shard_rows("stats")
    assert row["total_distance_m"] == 10_774_500.0
    assert row["average_speed"] == pytest.approx(3.0)
    assert (row["longest_streak_days"], row["longest_run_on"]) == (None, "2025-11-02T00:00:00")
    place.upstream.stats = [1]
    place.advance(days=1)
    place.upload()
    place.pull()
    assert len(place.shard_rows("stats")) == 1
    place.compact()


def test_each_call_is_made_once_however_few_at_a_time(place: SmashrunPlace) -> None:
    """One call a pull: three runs come whole, and no call is made twice."""
    fill(place, 3)
    pulls = place.pull_all(max_calls=1)
    asked = Counter(call.line().split(" ", 1)[1] for call in place.upstream.calls)
    assert set(asked.values()) == {1}
    assert pulls <= len(asked) + 1
    assert len(newest(place, "activity_streams")) == 3
    assert {row["outcome"] for row in place.shard_rows("activity_details")} == {"done"}


def test_everything_is_read_again_when_told_to(place: SmashrunPlace) -> None:
    """--all reads the whole list, in parts if need be, and lands nothing that is known."""
    fill(place, 7)
    place.pull()
    place.advance(hours=1)
    so_far, before = len(place.upstream.calls), place.bronze_files()
    place.pull_all(everything=True, per_page=3, max_calls=2)
    numbers = [c.query["page"] for c in place.list_calls(so_far) if "fromDateUTC" not in c.query]
    assert numbers == ["0", "1", "2", "3"]
    assert place.bronze_files() == before


def test_two_athletes_share_nothing(tmp_path: Path) -> None:
    """Another athlete's pull uses that one's token and quota, and lands in folders of its own."""
    with opened(tmp_path, hourly=250) as mine:
        fill(mine, 2)
        theirs = SmashrunPlace(tmp_path, mine.upstream, "anna")
        mine.exhaust_quota()
        assert mine.pull().parked is not None
        mine.clock.advance(3700)
        assert theirs.pull().new == 2
        assert {call.bearer for call in mine.upstream.calls if call.status == 200} == {theirs.token}
        rows = theirs.state("select source from budgets where source like 'smashrun%'")
        assert {source for (source,) in rows} == {"smashrun:me", "smashrun:anna"}
        assert mine.shard_rows("activities") == []


def test_in_a_flow(place: SmashrunPlace) -> None:
    """`flow` pulls it like any source, and gold has the run; hostile text does no harm."""
    place.upload(name="nul\0byte \ud800 🏃")
    place.upstream.script.add(replaced({"deviceType": {"a": 1}, "calories": "many"}))
    report = flow.FlowReport()
    with flow.running("flow", *place.load(), report, clock=place.clock) as session:
        flow.pull(session, report)
        flow.compact(session, report)
    assert report.failed_sources == {}
    [row] = place.query("select description, calories from activities")
    assert row["calories"] is None
    assert "🏃" in row["description"]
