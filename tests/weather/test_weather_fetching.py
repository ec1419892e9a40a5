"""Weather from a simulated Open-Meteo into gold: few calls, limits kept, nothing fatal."""

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from tests.upstream.calls import Call
from tests.upstream.status_faults import Html, Status
from tests.upstream.transport_faults import Reset
from tests.weather.weather_place import WeatherPlace, opened
from tracklake import pages
from tracklake.errors import BudgetSpent, Interrupted

OTHER_CODE = (
    "update quarantine set code_version = substr(code_version, 1, instr(code_version, ' ')) || '0'"
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[WeatherPlace]:
    """Return an empty data folder."""
    with opened(tmp_path) as found:
        yield found


def test_a_week_of_runs_at_home_is_two_calls_and_then_none(place: WeatherPlace) -> None:
    """One call for the archive, one for what it lacks, a weight of 1 and of 1.1; all is there."""
    place.went_out(*range(30, 37))
    report = place.enrich()
    assert (report.calls, report.fetched, report.left) == (2, 14, 0)
    assert place.upstream.weight == pytest.approx(2.1)
    assert place.statuses() == [("done", None)] * 7
    place.as_the_service_says()
    seen = place.query("select count(temperature_celsius), count(uv_index) from activity_weather")
    assert seen == [(7, 7)]
    assert place.enrich().calls == 0
    place.went_out(33.2)
    assert place.enrich().calls == 0  # the cell and the hours are here
    place.compact(rebuild=True, verify=True)


def test_many_places_share_a_call(place: WeatherPlace) -> None:
    """60 places are two calls of the archive, not 60."""
    place.went_out_at(9000, *(n / 10 for n in range(60)))
    place.enrich()
    assert place.asked() == 2
    assert {status for status, _ in place.statuses()} == {"done"}
    place.as_the_service_says()


def test_recent_days_come_from_the_forecast_and_once_more_from_the_archive(
    place: WeatherPlace,
) -> None:
    """Marked as not final, left alone until the archive has them, then final; UV stays."""
    place.went_out(1)
    place.enrich()
    assert (place.asked("/forecast"), place.asked()) == (1, 0)
    assert place.statuses() == [("pending", "not_final")]
    row = "select weather_source, is_final, uv_index is not null from activity_weather"
    assert place.query(row) == [("open_meteo/forecast", False, True)]
    for days in (1, 1, 1):
        place.clock.advance(days * 86_400)
        assert place.enrich().calls == 0
    place.clock.advance(3 * 86_400)
    assert place.enrich().calls == 1
    assert place.statuses() == [("done", None)]
    assert place.query(row) == [("open_meteo/archive", True, True)]
    assert place.asked("/historical-forecast") == 0
    place.as_the_service_says()
    assert place.enrich().calls == 0


def test_what_the_archive_lacks_comes_from_the_stitched_forecasts(place: WeatherPlace) -> None:
    """Null hours do not leave a hole, nor are they asked for on each run."""
    place.went_out(30)
    first_s = int((place.clock.now() - dt.timedelta(days=32)).timestamp()) // 3600 * 3600
    place.upstream.lacking = {("archive", first_s + 3600 * n) for n in range(96)}
    place.enrich()
    assert place.statuses() == [("done", None)]
    sources = place.query("select weather_source, is_final from activity_weather")
    assert sources == [("open_meteo/historical_forecast", True)]
    assert place.enrich().calls == 0


def test_what_nobody_has_is_impossible_and_not_asked_for_again(place: WeatherPlace) -> None:
    """A year before the stitched forecasts, and the archive says nothing."""
    place.went_out(9000)
    first_s = int((place.clock.now() - dt.timedelta(days=9002)).timestamp()) // 3600 * 3600
    place.upstream.lacking = {("archive", first_s + 3600 * n) for n in range(96)}
    place.enrich()
    assert place.asked("/historical-forecast") == 0
    assert place.statuses() == [("impossible", "no_data")]
    assert place.query("from activity_weather") == []
    assert place.enrich().calls == 0


def test_what_needs_no_weather_costs_no_call_and_says_why(place: WeatherPlace) -> None:
    """Indoors, by hand, hidden start, nowhere."""
    place.went_out(20, trainer=True)
    place.went_out(19, manual=True)
    place.went_out(18, start_hidden=True)
    place.went_out(17, start_lat=None, start_lng=None)
    assert place.enrich().calls == 0
    reasons = ["indoor", "manual", "start_hidden", "no_position"]
    assert place.statuses() == [("impossible", reason) for reason in reasons]


def test_the_minute_is_waited_for_and_no_call_is_refused(place: WeatherPlace) -> None:
    """620 places count 620: twelve calls fit into a minute, the thirteenth waits for the next."""
    place.went_out_at(9000, *(n / 10 for n in range(620)))
    report = place.enrich()
    assert (report.calls, report.cost, report.left) == (13, 620, 0)
    assert place.upstream.refused == []
    minutes = [call.moment.replace(second=0, microsecond=0) for call in place.upstream.calls]
    assert [minutes.count(one) for one in sorted(set(minutes))] == [12, 1]


@pytest.mark.parametrize(
    ("word", "waits_s"), [("Minutely", (1, 80)), ("Hourly", None), ("Daily", None)]
)
def test_a_used_up_window_is_sat_out_or_parks_until_it_is_over(
    place: WeatherPlace, word: str, waits_s: tuple[int, int] | None
) -> None:
    """A minute is waited for; an hour and a UTC day park the rest, and the next run goes on."""
    place.went_out(9000)
    place.upstream.use_elsewhere(word, 10_000)
    report = place.enrich()
    assert place.upstream.refused == [word]
    if waits_s is not None:
        assert waits_s[0] <= sum(place.clock.slept_s) <= waits_s[1]
        assert (report.parked, report.left) == (None, 0)
        return
    assert isinstance(report.parked, BudgetSpent)
    span_s = {"Hourly": 3600, "Daily": 86_400}[word]
    over_s = report.parked.until.timestamp() % span_s
    assert 0 <= over_s <= 20  # soon after the window's end on the clock
    assert place.statuses() == [("pending", "not_fetched")]
    assert place.enrich().calls == 0  # it is known without asking
    place.clock.move_to(report.parked.until + dt.timedelta(seconds=1))
    assert place.enrich().left == 0
    assert place.upstream.refused == [word]


def test_too_many_at_once_is_waited_for_and_shuts_no_window(place: WeatherPlace) -> None:
    """Seconds later the same call is answered."""
    place.went_out(9000)
    place.upstream.concurrent = 1
    report = place.enrich()
    assert (report.left, report.parked) == (0, None)
    assert sum(place.clock.slept_s) < 30


@pytest.mark.parametrize("fault", [Status(503), Html(502), Html(200), Reset(0)])
def test_a_service_that_fails_is_not_fatal_and_the_weather_stays_pending(
    place: WeatherPlace, fault: object
) -> None:
    """The report says so in a sentence; the next run fetches it."""
    place.went_out(9000)
    place.went_out(1)
    place.upstream.script.add(fault)  # type: ignore[arg-type]
    report = place.enrich()
    assert "Open-Meteo fails" in report.failed
    assert report.left == 2
    assert place.statuses() == [("pending", "not_fetched")] * 2
    place.upstream.script.clear()
    assert place.enrich().left == 0


def test_one_place_that_is_not_accepted_does_not_cost_the_others(place: WeatherPlace) -> None:
    """It is found by halves and set aside; nine others have their weather."""
    place.went_out_at(9000, *(40.0 + n for n in range(10)))
    place.upstream.refused_latitudes = {43.0}
    report = place.enrich()
    assert (report.fetched, report.quarantined) == (9, 1)
    assert place.aside() == ["refused"]
    before = len(place.upstream.calls)
    assert place.enrich().calls == 0
    place.upstream.refused_latitudes = set()
    place.clock.advance(2 * 86_400)
    assert place.enrich().fetched == 1
    assert len(place.upstream.calls) == before + 1
    assert place.aside() == []


def test_a_service_that_accepts_nothing_is_left_alone(place: WeatherPlace) -> None:
    """Ten places in a row are refused: the other fifty cost no call and stay pending."""
    lats = [n / 10 for n in range(400, 460)]
    place.went_out_at(9000, *lats)
    place.upstream.refused_latitudes = set(lats)
    report = place.enrich()
    assert (report.fetched, report.quarantined, report.left) == (0, 10, 50)
    assert "accepts nothing" in report.failed
    assert report.calls < 25
    place.upstream.refused_latitudes = set()
    assert place.enrich().fetched == 50


def test_other_units_than_were_asked_for_are_set_aside(place: WeatherPlace) -> None:
    """No Fahrenheit in a column of degrees Celsius."""
    place.went_out(9000)
    place.upstream.units = {"temperature_2m": "°F"}
    report = place.enrich()
    assert (report.fetched, report.quarantined) == (0, 1)
    assert place.aside() == ["other_unit"]
    assert place.query("from weather_hours") == []


def test_what_is_readable_now_is_read_from_bronze(place: WeatherPlace) -> None:
    """An answer in an unknown unit is kept; other code reads it there, without a call."""
    place.went_out_at(9000, 40.0, 41.0)
    place.went_out(1, start_lat=42.0)
    place.upstream.units = {"temperature_2m": "°F"}
    assert place.enrich().quarantined == 3
    calls = len(place.upstream.calls)
    place.session.state.execute(OTHER_CODE)
    place.enrich()  # it fails, too, and asks nobody
    assert place.session.state.execute("select distinct attempts from quarantine") == [(1,)]
    rows = place.session.state.execute("select distinct location from quarantine")
    [folder] = [place.session.folders.data / str(location) for (location,) in rows]
    for path in folder.glob("page-*.json.zst"):
        # As if mended code knew the unit: what lies there is in one that is known.
        body = pages.read(path).body.replace("°F".encode(), "°C".encode())
        path.write_bytes(zstandard.compress(body))
    place.session.state.execute(OTHER_CODE)
    assert place.enrich().left == 0
    assert len(place.upstream.calls) == calls
    assert place.aside() == []
    place.as_the_service_says()
    assert place.query("select count(*) from activity_weather") == [(3,)]
    assert place.enrich().wanted == 0


def test_an_answer_that_a_kill_left_unread_is_set_aside(place: WeatherPlace) -> None:
    """Killed between the page and its entry: the next run enters it, and does not ask again."""
    place.went_out(9000)
    place.upstream.units = {"temperature_2m": "°F"}
    place.enrich()
    place.session.state.execute("delete from quarantine")
    [shard] = (place.session.folders.bronze / "open_meteo").rglob("shard.parquet")
    shard.unlink()
    assert place.enrich().calls == 0
    assert place.aside() == ["other_unit"]


def test_one_place_that_always_fails_is_set_aside_and_ends_dead(place: WeatherPlace) -> None:
    """It is found by halves; nine others come. It is tried on five later days, then no more."""
    place.went_out_at(9000, *(40.0 + n for n in range(10)))
    place.upstream.failing_latitudes = {43.0}
    assert place.enrich().calls == 3  # nothing came: it may be the service, and is not looked into
    assert place.aside() == []
    report = place.enrich()
    assert (report.fetched, report.quarantined, report.left) == (9, 1, 0)
    assert place.aside() == ["not_answered"]
    assert place.enrich().calls == 0
    days = []
    for day in range(1, 60):
        place.clock.advance(86_400)
        if place.enrich().calls:
            days.append(day)
    assert len(days) == 5
    gaps = [second - first for first, second in itertools.pairwise(days)]
    assert gaps == sorted(gaps)
    found = place.session.state.execute("select attempts, next_try_at from quarantine")
    assert found == [(6, None)]


def test_max_calls_and_since_days_and_dry_run_are_kept(place: WeatherPlace) -> None:
    """A plan makes no call; one call is one call; older days are left for later."""
    place.went_out(9000)
    place.went_out(30)
    plan = place.enrich(dry_run=True)
    assert (plan.wanted, plan.calls_planned, place.upstream.calls) == (3, 2, [])
    assert place.enrich(since_days=40, max_calls=1).calls == 1
    assert place.enrich(since_days=40).calls == 1
    assert place.statuses() == [("pending", "not_fetched"), ("done", None)]
    assert place.enrich().left == 0


def test_a_run_that_is_killed_costs_no_call_that_was_answered(place: WeatherPlace) -> None:
    """What came is on disk with what was asked; the next run makes the shard and asks the rest."""
    place.went_out(9000)
    place.went_out(1)

    def stop(call: Call) -> None:
        if call.number == 2:
            place.session.received.append(15)

    place.upstream.before = stop
    with pytest.raises(Interrupted):
        place.enrich()
    place.session.received.clear()
    assert len(place.upstream.calls) == 2
    report = place.enrich()
    assert (report.calls, report.left) == (0, 0)
    assert place.query("select count(*) from activity_weather") == [(2,)]
    place.as_the_service_says()


def test_a_service_that_is_away_changes_nothing_on_disk(place: WeatherPlace) -> None:
    """No page, no shard, no new snapshot, for what did not come."""
    place.went_out(9000)
    before = place.session.folders.warehouse.stat().st_mtime_ns
    with place.upstream.down():
        assert "Open-Meteo fails" in place.enrich().failed
    assert not (place.session.folders.bronze / "open_meteo").exists()
    assert place.session.folders.warehouse.stat().st_mtime_ns == before
