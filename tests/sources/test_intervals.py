"""Pulling intervals.icu: what comes, what it costs, what is fetched again."""

import datetime as dt
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.sources.intervals_place import IntervalsPlace, opened
from tests.upstream.calls import Answer, Call
from tests.upstream.clock import MovableClock
from tests.upstream.faults import Fault, send_well
from tests.upstream.intervals import Quota
from tests.upstream.status_faults import Html, Status
from tests.upstream.wire import Wire
from tracklake import compaction, reading
from tracklake.clock import SystemClock
from tracklake.errors import AuthError, ConfigError, SourceError
from tracklake.narrowing import Part

DAY = dt.timedelta(days=1)
WINDOWS = 1 + 9 + 1  # of the list: 90 days, two years that are empty, the rest
DAYS = 1 + 2 + 1  # of the days: this year, two that are empty, the rest


@pytest.fixture
def place(tmp_path: Path) -> Iterator[IntervalsPlace]:
    """Return a place with an empty account."""
    with opened(tmp_path) as found:
        yield found


def back(place: IntervalsPlace, days: float) -> dt.datetime:
    """Return a moment so many days ago."""
    return place.clock.now() - days * DAY


def paths(place: IntervalsPlace, since: int = 0) -> list[str]:
    """Return what was asked for after a call, without the front of the path."""
    return [call.path.removeprefix("/api/v1/") for call in place.calls(since)]


def test_the_first_pull_brings_all_of_it(place: IntervalsPlace) -> None:
    """Activities, days, original files and intervals are in gold, under our names."""
    one = place.upstream.upload(back(place, 2), strava_id="18728161934")
    place.upstream.live(place.clock.now().date() - DAY, weight=71.5, restingHR=44, sleepSecs=27000)
    report = place.pull()
    assert (report.new, report.also["files"], report.also["with intervals"]) == (1, 1, 1)
    assert (report.also["days"], report.parked) == (1, None)
    assert report.calls == WINDOWS + DAYS + 2
    place.compact()
    [activity] = place.query("select * from activities")
    assert (activity["sport_type"], activity["distance"]) == ("Ride", 3000.5)
    assert activity["has_track"]
    assert activity["point_count"] == 120
    assert (activity["start_lat"], activity["start_lng"]) == pytest.approx((-26.2, 28.04))
    assert activity["end_lat"] > activity["start_lat"]
    assert activity["summary_polyline"]
    with reading.snapshot(place.folders, part=Part(without=("intervals",))) as exported:
        for table in ("activities", "original_files", "wellness", "activity_intervals"):
            found = exported.execute(f"select count(*) from {table}")  # noqa: S608 our own names
            assert found.fetchone() == (0,), table
    [source] = place.query("select * from activity_sources")
    assert (source["source_id"], source["strava_id"]) == (one, 18_728_161_934)
    parts = place.query("from activity_intervals order by interval_index")
    assert [part["kind"] for part in parts] == ["RECOVERY", "WORK"]
    assert {part["activity_id"] for part in parts} == {activity["id"]}
    [day] = place.query("from wellness")
    assert (day["weight_kg"], day["resting_heartrate_bpm"], day["sleep_s"]) == (71.5, 44, 27_000)
    assert (day["ctl"], day["atl"], day["athlete"]) == (40.5, 50.25, "me")


def test_the_queries_of_the_page_answer(tmp_path: Path) -> None:
    """Each query that docs/intervals.md shows runs as `tracklake sql` runs it, and finds a row."""
    page = (REPOSITORY / "docs" / "intervals.md").read_text("utf-8")
    queries = re.findall(r"```sql of an athlete at intervals.icu\n(.*?)```", page, re.DOTALL)
    assert len(queries) == 2
    with opened(tmp_path, clock=MovableClock(SystemClock().now(), tick_s=0.001)) as place:
        place.upload(back(place, 2))
        place.upstream.live(place.clock.now().date() - 2 * DAY, weight=70)
        place.pull()
        place.compact()
        for query in queries:
            with reading.snapshot(place.folders) as connection:
                assert reading.ask(connection, query, limit_s=60, most_rows=100).rows


def test_the_file_is_kept_as_it_came(place: IntervalsPlace) -> None:
    """A gzipped original lies in bronze as it came, a plain one too, and both are decoded."""
    packed = place.upstream.upload(back(place, 2))
    place.pull()
    place.upstream.packed = False
    plain = place.upstream.upload(back(place, 1))
    place.advance(hours=1)
    place.pull()
    kept = {row["seen_as"]: row["location"] for row in place.shard_rows("original_files")}
    assert kept[f"intervals {packed}"].endswith(".gz")
    assert kept[f"intervals {plain}"].endswith(".fit")
    data = (place.folders.data / kept[f"intervals {plain}"]).read_bytes()
    assert data == place.upstream.items[plain].file
    streams = {row["source_id"]: row["point_count"] for row in place.shard_rows("activity_streams")}
    assert streams == {packed: 120, plain: 120}


def test_a_daily_pull_is_two_calls(place: IntervalsPlace) -> None:
    """Nothing new: one call for the list and one for the days; something new: two more each."""
    place.upload(back(place, 3))
    place.pull()
    place.advance(days=1)
    assert place.pull().calls == 2
    place.upload()
    assert place.pull().calls == 4


def test_stubs_of_strava_cost_no_call(place: IntervalsPlace) -> None:
    """A stub lands as a link and nothing of it is asked for; nor of what was entered by hand."""
    stub = place.upstream.stub(back(place, 2).replace(tzinfo=None), 18_700_000_001)
    manual = place.upstream.enter(back(place, 1), name="Yoga", type="Yoga")
    place.pull()
    rows = place.rows()
    assert (rows[stub]["is_stub"], rows[stub]["strava_id"]) == (True, 18_700_000_001)
    assert (rows[manual]["is_stub"], rows[manual]["manual"]) == (False, True)
    assert not any(path.startswith("activity/") for path in paths(place))
    assert place.quarantined() == []


@pytest.mark.parametrize("status", [404, 410, 422])
def test_not_available_is_no_error(place: IntervalsPlace, status: int) -> None:
    """Where there is no file (422, 404) that is what lands: nothing set aside, nor asked again."""
    one = place.upload(back(place, 2))
    place.upstream.script.add(Status(status, {"status": status}), path=f"/activity/{one}/")
    report = place.pull()
    assert (report.also["without a file"], report.quarantined) == (1, 0)
    assert [row["outcome"] for row in place.shard_rows("activity_streams")] == ["none"]
    assert [row["outcome"] for row in place.shard_rows("activity_intervals")] == ["none"]
    so_far = len(place.upstream.calls)
    place.advance(days=1)
    place.pull()
    assert not any(path.startswith("activity/") for path in paths(place, so_far))
    place.compact()
    assert place.query("select has_track from activities") == [{"has_track": False}]


def test_what_a_change_fetches_again(place: IntervalsPlace) -> None:
    """A new name fetches nothing, a new analysis the intervals only; they replace the old ones."""
    one = place.upload(back(place, 2))
    place.pull()
    changes: list[tuple[Callable[[], None], list[str]]] = [
        (lambda: place.edit(one, "Renamed"), []),
        (lambda: place.upstream.analyse(one), ["intervals"]),
        (lambda: place.upstream.edit(one, icu_sync_date="2026-11-20"), ["file", "intervals"]),
    ]
    for change, asked in changes:
        so_far = len(place.upstream.calls)
        change()
        place.advance(hours=2)
        assert place.pull().changed == 1
        found = [path for path in paths(place, so_far) if path.startswith("activity/")]
        assert found == [f"activity/{one}/{word}" for word in asked]
    place.compact()
    assert place.query("select count(*) as n from activity_intervals") == [{"n": 3}]
    [activity] = place.query("select name, point_count from activities")
    assert activity == {"name": "Renamed", "point_count": 120}


def test_years_without_anything_hide_nothing(place: IntervalsPlace) -> None:
    """What lies before a gap of three years, or in 1989 (a watch that lost its clock), comes."""
    ids = {place.upload(back(place, days)) for days in (10, 1500, 1501, 13_500)}
    place.pull()
    assert place.rows().keys() == ids


def test_too_much_for_one_answer(place: IntervalsPlace) -> None:
    """Where the service cannot give all years behind a gap at once, they are read one by one."""
    ids = {place.upload(back(place, 1000 + 95 * number)) for number in range(12)}
    one_item = len(Answer(payload=next(iter(place.upstream.items.values())).shown).body())
    place.upstream.most_rows_bytes = 5 * one_item
    place.pull()
    assert place.rows().keys() == ids


@pytest.mark.parametrize("ends", [True, False])
def test_windows_meet_whether_or_not_they_have_their_last_day(
    tmp_path: Path,
    ends: bool,
) -> None:
    """An activity each day of half a year: all come, wherever the service ends a window."""
    with opened(tmp_path, ends=ends) as place:
        ids = {
            place.upstream.enter(back(place, days).replace(hour=hour))
            for days, hour in zip(range(1, 190), [0, 5, 21] * 63, strict=True)
        }
        place.pull()
        assert place.rows().keys() == ids
        assert len(place.shard_rows("activities")) == len(ids)


def test_days_land_when_they_changed(place: IntervalsPlace) -> None:
    """Only days of which something is said land, once; another word on one replaces it in gold."""
    today = place.clock.now().date()
    for days in range(500):
        place.upstream.live(today - days * DAY, weight=70.0 + days % 3)
    for days in range(500, 1200):
        place.upstream.live(today - days * DAY, ctl=0, atl=0)
    assert place.pull().also["days"] == 500
    place.advance(hours=2)
    assert place.pull().also["days"] == 0
    place.upstream.live(today - 3 * DAY, weight=69.0)
    place.upstream.live(today - 300 * DAY, weight=69.5)
    place.advance(hours=2)
    assert place.pull().also["days"] == 1
    place.advance(days=8)
    assert place.pull().also["days"] == 1
    place.compact()
    rows = place.query("select date, weight_kg from wellness where weight_kg < 70 order by date")
    assert [row["weight_kg"] for row in rows] == [69.5, 69.0]
    assert place.query("select count(*) as n from wellness") == [{"n": 500}]
    with place.session() as session:
        verified = compaction.compact(session, verify=True).verified
    assert verified["wellness"] == 500


def test_a_lost_state_database(place: IntervalsPlace) -> None:
    """What is known is read from bronze again: nothing is fetched or lands a second time."""
    for days in (1, 2, 400):
        place.upload(back(place, days))
        place.upstream.live(place.clock.now().date() - days * DAY, weight=70)
    place.pull()
    before, so_far = place.bronze_files(), len(place.upstream.calls)
    for path in place.folders.state.glob("tracklake.sqlite*"):
        path.unlink()
    place.advance(hours=2)
    report = place.pull()
    assert (report.new, report.changed, report.also["days"]) == (0, 0, 0)
    assert place.bronze_files() == before
    assert not any(path.startswith("activity/") for path in paths(place, so_far))


def test_a_key_that_is_not_accepted(place: IntervalsPlace) -> None:
    """A wrong key says where to get another; a wrong athlete names the setting; neither loops."""
    place.upload(back(place, 2))
    right = place.upstream.key
    place.upstream.key = "another"
    given = place.settings_given() | {"intervals_api_key": right}
    place.settings_given = lambda: given  # type: ignore[method-assign] # the athlete's is the old one
    with pytest.raises(AuthError, match="INTERVALS_API_KEY"):
        place.pull()
    assert len(place.upstream.calls) == 1
    place.upstream.key = right
    given["intervals_athlete_id"] = "i999"
    with pytest.raises(ConfigError, match="INTERVALS_ATHLETE_ID"):
        place.pull()
    place.upstream.script.add(
        Status(403, {"error": "Access denied"}), path="/athlete/i999/activities"
    )
    with pytest.raises(AuthError, match="INTERVALS_ATHLETE_ID"):
        place.pull()
    given["intervals_athlete_id"] = "i100001"
    assert place.pull().new == 1
    assert not any(call.bearer for call in place.upstream.calls)


def test_one_activity_that_is_forbidden(place: IntervalsPlace) -> None:
    """403 for one file is about that file, because the list was answered; the others come."""
    ids = [place.upload(back(place, days)) for days in (1, 2, 3)]
    place.upstream.script.add(Status(403, {"error": "Access denied"}), path=f"/{ids[1]}/file")
    report = place.pull()
    assert (report.also["files"], report.also["without a file"]) == (2, 1)


def test_one_file_that_always_fails(place: IntervalsPlace) -> None:
    """A file that the service cannot give is set aside, tried again a day later, and then here."""
    ids = [place.upload(back(place, days)) for days in (1, 2, 3, 4, 5)]
    path = f"/activity/{ids[1]}/file"
    place.upstream.script.add(Status(500, {"error": "oops"}), path=path)
    report = place.pull()
    assert (report.also["files"], report.quarantined) == (4, 1)
    assert place.quarantined() == ["no_answer"]
    place.advance(hours=2)
    assert place.pull().calls == 2
    place.upstream.script.clear()
    place.advance(days=1)
    assert place.pull().also["files"] == 1
    assert place.quarantined() == []


def test_a_page_where_a_file_was_due(place: IntervalsPlace) -> None:
    """A proxy's HTML with 200 is not taken for the file: it is asked for again a day later."""
    one = place.upload(back(place, 2))
    place.upstream.script.add(Html(200), path=f"/{one}/file")
    assert place.pull().quarantined == 1
    assert place.quarantined() == ["no_file"]
    assert place.shard_rows("original_files") == []
    place.upstream.script.clear()
    place.advance(days=1, hours=1)
    assert place.pull().also["files"] == 1
    assert place.quarantined() == []


@pytest.mark.parametrize("most_calls", [15, 16, 17, 19, 22])
def test_no_call_more_than_was_allowed(place: IntervalsPlace, most_calls: int) -> None:
    """Also with three on their way at once --max-calls holds, and each answer is made use of."""
    for days in (1, 2, 3, 4, 5):
        place.upload(back(place, days))
    report = place.pull(max_calls=most_calls)
    assert report.parked is not None
    assert report.calls == len(place.upstream.calls) == most_calls
    files = {path for path in paths(place) if path.endswith("/file")}
    parts = {path for path in paths(place) if path.endswith("/intervals")}
    assert len(place.shard_rows("activity_streams")) == len(files) == min(most_calls - 14, 5)
    assert len(place.shard_rows("activity_intervals")) == len(parts) == max(most_calls - 19, 0)
    place.pull()
    assert len(place.shard_rows("activity_streams")) == 5


def test_a_service_that_is_down_is_not_the_files_fault(place: IntervalsPlace) -> None:
    """When five files fail one after the other it is the service: the next pull has them all."""
    for days in range(1, 12):
        place.upload(back(place, days))
    place.upstream.script.add(Status(503), path="/file")
    with pytest.raises(SourceError, match=r"intervals\.icu fails"):
        place.pull()
    assert len(place.rows()) == 11
    place.upstream.script.clear()
    place.advance(hours=2)
    assert place.pull().also["files"] == 11
    assert place.quarantined() == []


def test_a_damaged_file_is_set_aside_and_kept(place: IntervalsPlace) -> None:
    """What comes as a file and is none lies in bronze; the activity is there without points."""
    one = place.upload(back(place, 2))
    place.upstream.items[one].file = b"this is no activity"
    report = place.pull()
    assert report.quarantined == 1
    [kept] = place.shard_rows("original_files")
    assert (kept["outcome"], kept["seen_as"]) == ("quarantined", f"intervals {one}")
    place.compact()
    assert place.query("select count(*) as n from activities") == [{"n": 1}]


def test_a_refusal_is_heeded(place: IntervalsPlace) -> None:
    """After a 429 nothing is asked before its Retry-After is over, and then all comes."""
    for days in range(1, 21):
        place.upload(back(place, days))
    place.upstream.quota = Quota({30: 25})
    report = place.pull()
    assert (report.parked, report.also["files"], report.also["with intervals"]) == (None, 20, 20)
    refused = [call for call in place.upstream.calls if call.status == 429]
    assert 1 <= len(refused) <= 9  # at each of three pauses those on their way too
    for one in refused:
        later = [call for call in place.upstream.calls if call.number > one.number + 2]
        assert later[0].moment - one.moment > dt.timedelta(seconds=1)


def test_a_long_refusal_is_remembered(place: IntervalsPlace) -> None:
    """A Retry-After of two hours holds for the next runs too: they ask nothing until it is over."""
    for days in range(1, 21):
        place.upload(back(place, days))
    place.upstream.quota = Quota({7200: 25})
    assert place.pull().parked is not None
    so_far = len(place.upstream.calls)
    place.advance(seconds=2400)
    parked = place.pull().parked
    assert parked is not None
    assert "asks to be left alone until" in str(parked)
    assert len(place.upstream.calls) == so_far
    for _ in range(4):
        place.advance(hours=3)
        place.pull()
    assert len(place.shard_rows("activity_intervals")) == 20


def test_no_faster_than_the_service_likes(place: IntervalsPlace) -> None:
    """A first load asks 40 times at once and twice a second from then on; nobody refuses."""
    for days in range(1, 100):
        place.upload(back(place, days / 2))
    place.upstream.quota = Quota({10: 131, 900: 2500, 86_400: 5000})
    report = place.pull()
    assert (report.parked, report.also["files"]) == (None, 99)
    assert place.upstream.quota.refused == 0
    moments = [call.moment for call in place.upstream.calls]
    for number, moment in enumerate(moments[50:], start=50):
        in_ten_s = [one for one in moments[:number] if moment - one < dt.timedelta(seconds=10)]
        assert len(in_ten_s) <= 60
    assert moments[-1] - moments[0] > dt.timedelta(seconds=(len(moments) - 41) / 2)


class Together(Fault):
    """Hold an answer until so many are on their way."""

    def __init__(self, count: int) -> None:
        self.barrier = threading.Barrier(count, timeout=20)

    def send(self, wire: Wire, answer: Answer, call: Call) -> bool:
        self.barrier.wait()
        send_well(wire, answer, call)
        return True


def test_files_come_three_at_once(place: IntervalsPlace) -> None:
    """Three files are on their way at the same time: each waits here until the others are asked."""
    for days in range(1, 7):
        place.upload(back(place, days))
    place.upstream.script.add(Together(3), path="/file")
    assert place.pull().also["files"] == 6


def test_two_athletes_do_not_meet(place: IntervalsPlace, tmp_path: Path) -> None:
    """Another athlete's key, rows and days are their own, in one data folder."""
    place.upload(back(place, 2))
    place.upstream.live(place.clock.now().date(), weight=70)
    place.pull()
    with opened(tmp_path, clock=place.clock) as other:
        other.athlete = "anna"
        other.upload(back(place, 2))
        other.upstream.live(place.clock.now().date(), weight=55)
        other.pull()
        assert len(other.rows()) == 1
    place.compact()
    days = place.query("select athlete, weight_kg from wellness order by athlete")
    assert [(day["athlete"], day["weight_kg"]) for day in days] == [("anna", 55), ("me", 70)]
    assert place.query("select count(*) as n from activities") == [{"n": 2}]
