"""What is read of intervals.icu's JSON, and in which windows; pure."""

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake import shards
from tracklake.errors import InvalidData
from tracklake.intervals import days, parts, records, windows
from tracklake.intervals.windows import Window
from tracklake.upstream.pace import Pace

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
RIDE: dict[str, Any] = {
    "id": "i170999939",
    "start_date": "2026-07-31T04:58:20Z",
    "start_date_local": "2026-07-31T06:58:20",
    "timezone": "Europe/Madrid",
    "type": "Ride",
    "name": "Cycling",
    "description": "Against the wind",
    "source": "GARMIN_CONNECT",
    "distance": 20_125.5,
    "moving_time": 2417,
    "elapsed_time": 2500,
    "icu_average_watts": 133,
    "icu_weighted_avg_watts": 140,
    "icu_joules": 321_461,
    "external_id": "19876543210",
    "strava_id": "18728161934",
    "analyzed": "2026-07-31T06:00:00.000+00:00",
    "icu_sync_date": "2026-07-31T06:00:00.000+00:00",
    "gear": {"id": "b77", "name": "Blue", "distance": 1.0},
}
STUB = {
    "id": "18700000001",
    "icu_athlete_id": "i100001",
    "start_date_local": "2026-06-13T08:01:22",
    "source": "STRAVA",
    "_note": "STRAVA activities are not available via the API",
}


def row(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as a row, which fits the schema."""
    found = records.listed(item, "me").row
    shards.table("activities", [found], NOW)
    return found


def test_an_activity_with_its_links() -> None:
    """Start in UTC and its offset, Strava's and the origin's ids, words and power by our names."""
    found = row(RIDE)
    assert (found["name"], found["description"]) == ("Cycling", "Against the wind")
    assert found["start_s"] == dt.datetime(2026, 7, 31, 4, 58, 20, tzinfo=dt.UTC).timestamp()
    assert (found["utc_offset_s"], found["timezone"]) == (7200.0, "Europe/Madrid")
    assert (found["strava_id"], found["external_id"]) == (18_728_161_934, "19876543210")
    assert (found["average_watts"], found["weighted_average_watts"]) == (133.0, 140.0)
    assert (found["kilojoules"], found["gear_id"]) == (321.461, "b77")
    assert (found["is_stub"], found["manual"]) == (False, False)
    assert found["track_hash"]
    assert found["facts_hash"]


def test_a_stub_links_and_says_no_more() -> None:
    """Strava's five keys: the id is Strava's, the start is the clock on the wall, nothing is
    fetched for it.
    """
    found = row(STUB)
    assert (found["is_stub"], found["strava_id"]) == (True, 18_700_000_001)
    assert found["start_s"] == dt.datetime(2026, 6, 13, 8, 1, 22, tzinfo=dt.UTC).timestamp()
    assert (found["track_hash"], found["facts_hash"]) == ("", "")
    assert (found["timezone"], found["sport_type"], found["distance"]) == (None, None, None)


def test_what_comes_from_strava_with_all_its_fields_is_no_stub() -> None:
    """Should the service show more of an activity from Strava one day, that is a record."""
    found = row({**STUB, "type": "Run", "distance": 5000.0})
    assert (found["is_stub"], found["strava_id"], found["track_hash"]) == (False, 18700000001, "")


@pytest.mark.parametrize(
    ("item", "start"),
    [
        ({"start_date_local": "2026-07-31T06:58:20", "timezone": "Europe/Madrid"}, (4, 7200.0)),
        ({"start_date_local": "2026-01-31T06:58:20", "timezone": "Europe/Madrid"}, (5, 3600.0)),
        ({"start_date_local": "2026-07-31T06:58:20", "timezone": "Mars/Olympus"}, (6, 0.0)),
        ({"start_date_local": "2026-07-31T06:58:20"}, (6, 0.0)),
        ({"start_date": "2026-07-31T04:58:20Z"}, (4, 0.0)),
    ],
)
def test_a_start_that_is_told_in_part(item: dict[str, Any], start: tuple[int, float]) -> None:
    """Local time and zone give UTC; without a zone local time stands for it."""
    found = row({"id": "i1", **item})
    assert (
        dt.datetime.fromtimestamp(found["start_s"], dt.UTC).hour,
        found["utc_offset_s"],
    ) == start


def test_what_was_entered_by_hand_has_neither_file_nor_intervals() -> None:
    """MANUAL costs no call."""
    found = row({**RIDE, "source": "MANUAL", "analyzed": None})
    assert (found["manual"], found["track_hash"], found["facts_hash"]) == (True, "", "")


def test_what_is_fetched_again_after_which_change() -> None:
    """A name fetches nothing; an analysis, the intervals; another sync, both."""
    before = row(RIDE)
    renamed = row({**RIDE, "name": "Hills"})
    analysed = row({**RIDE, "analyzed": "2026-08-01T06:00:00.000+00:00"})
    synced = row({**RIDE, "icu_sync_date": "2026-08-01T06:00:00.000+00:00"})
    assert renamed["content_hash"] != before["content_hash"]
    hashes = ("track_hash", "facts_hash")
    assert [renamed[name] == before[name] for name in hashes] == [True, True]
    assert [analysed[name] == before[name] for name in hashes] == [True, False]
    assert [synced[name] == before[name] for name in hashes] == [False, False]


@pytest.mark.parametrize(
    "item",
    [
        *({}, {"id": None}, {"id": "../x"}, {"id": "i1"}, {"id": "i1", "start_date_local": "soon"}),
        {"id": "i1", "start_date": "x", "start_date_local": None},
    ],
)
def test_what_lacks_an_id_or_a_start_is_refused(item: dict[str, Any]) -> None:
    """Neither an activity without an id, nor with one that is a path, nor without a start."""
    with pytest.raises(InvalidData):
        records.listed(item, "me")


@given(st.sampled_from(sorted(RIDE.keys() - {"id", "start_date"})), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
))  # fmt: skip
def test_any_value_in_any_field(name: str, value: object) -> None:
    """Whatever a field holds, the activity lands, and its row fits."""
    assert row({**RIDE, name: value})["source_id"] == RIDE["id"]


def test_a_day() -> None:
    """Units are those of the columns' names; what nobody gave is none."""
    item = {
        **{"id": "2026-04-13", "ctl": 72.5, "atl": 58.3, "rampRate": 1.2, "weight": "72.5"},
        **{"restingHR": 48, "hrv": 55.2, "hrvSDNN": 48.1, "sleepSecs": 28_800, "sportInfo": []},
        **{"updated": "2026-04-13T06:00:00.000+00:00", "kcalConsumed": None, "heard": "of?"},
    }
    found = days.day(item, "me")
    shards.table("wellness", [found], NOW)
    assert (found["date"], found["ctl"], found["weight_kg"]) == (dt.date(2026, 4, 13), 72.5, 72.5)
    assert (found["resting_heartrate_bpm"], found["sleep_s"]) == (48.0, 28_800.0)
    assert (found["hrv_ms"], found["hrv_sdnn_ms"], found["ramp_rate"]) == (55.2, 48.1, 1.2)
    assert found["energy_intake_kcal"] is None
    assert found["updated_at"] == dt.datetime(2026, 4, 13, 6, tzinfo=dt.UTC)
    with pytest.raises(InvalidData):
        days.day({"id": "someday", "weight": 70}, "me")


@pytest.mark.parametrize(
    ("told", "blank"),
    [({}, True), ({"ctl": 0.0, "atl": 1e-9, "sportInfo": []}, True), ({"weight": 70.0}, False),
     ({"comments": "ill"}, False), ({"ctl": 12.0}, False)],
)  # fmt: skip
def test_a_day_of_which_nothing_is_said(told: dict[str, Any], blank: bool) -> None:
    """A model at zero and a date say nothing of a day."""
    assert days.is_blank({"id": "2026-04-13", "updated": "x", **told}) is blank


def test_intervals() -> None:
    """Each part has its place in time, its kind and its averages; another status says: none."""
    body = (
        b'{"id": "i1", "icu_intervals": [{"type": "WORK", "label": "Lap 1", "start_time": 904, '
        b'"end_time": 920, "average_watts": 359, "distance": "160.3", "zone": 6, "x": {}}, 3]}'
    )
    found: dict[str, Any] = {**parts.row("me", "i1", 200, body), "wanted_hash": "h"}
    shards.table(parts.ENTITY, [found], NOW)
    [interval] = found["intervals"]
    assert (interval["interval_index"], interval["kind"], interval["label"]) == (1, "WORK", "Lap 1")
    assert (interval["start_offset_s"], interval["average_watts"]) == (904.0, 359.0)
    assert (interval["distance"], interval["zone_index"]) == (160.3, 6)
    absent = parts.row("me", "i1", 422, b'{"status":422}')
    assert (absent["outcome"], absent["intervals"]) == ("none", [])
    with pytest.raises(InvalidData):
        parts.row("me", "i1", 200, b"[]")


def walk(found: set[dt.date], days_each: int = 90) -> list[Window]:
    """Return the windows of a walk over days on which there is something."""
    window: Window | None = windows.first(NOW.date(), days_each)
    seen = []
    while window is not None:
        seen.append(window)
        is_empty = not any(window.oldest <= day <= window.newest for day in found)
        window = windows.before(window, days_each, is_empty=is_empty)
    return seen


@given(st.sets(st.dates(dt.date(1975, 1, 1), dt.date(2040, 1, 1)), max_size=6))
def test_windows_leave_no_day_out(found: set[dt.date]) -> None:
    """Windows follow each other, share their bounds, and reach from 1970 to 2099."""
    seen = walk(found)
    assert (seen[0].newest, seen[-1].oldest) == (windows.LAST_DAY, windows.FIRST_DAY)
    assert all(later.oldest == sooner.newest for later, sooner in itertools.pairwise(seen))


def test_how_many_windows_a_walk_has() -> None:
    """Four a year of history, nine for two years without anything, and one for the rest."""
    assert len(walk(set())) == 9 + 1
    yearly = {dt.date(year, 11, 25) for year in range(2020, 2026)}
    assert len(walk(yearly)) == 25 + 9 + 1


def test_a_rest_that_is_too_much_is_walked() -> None:
    """After one refusal windows go back to 1970 one by one."""
    window: Window | None = windows.walked(Window(oldest=windows.FIRST_DAY, newest=NOW.date()), 90)
    count = 0
    while window is not None:
        count += 1
        window = windows.before(window, 90, is_empty=True)
    assert count == 231


def test_the_pace() -> None:
    """Some calls at once, then so many a second; a pause lets some go at once again."""
    pace, now = Pace(calls_per_s=2.0, burst=5), NOW
    assert [pace.wait_s(now) for _ in range(5)] == [0.0] * 5
    for _ in range(10):
        wait_s = pace.wait_s(now)
        assert wait_s == pytest.approx(0.5)
        now += dt.timedelta(seconds=wait_s)
    now += dt.timedelta(hours=1)
    assert [pace.wait_s(now) for _ in range(5)] == [0.0] * 5
    assert pace.wait_s(now - dt.timedelta(days=1)) == pytest.approx(0.5)
