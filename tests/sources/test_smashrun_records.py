"""SmashRun's JSON as rows: units, zones, flags, recordings, laps, splits."""

import datetime as dt
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.upstream.smashrun import MILE_KM, Run
from tracklake.clock import UTC
from tracklake.errors import InvalidData
from tracklake.smashrun import listing, recordings, records, splits

LISTED: dict[str, Any] = {
    "activityId": 901234567,
    "externalId": 20345678901,
    "activityType": "running",
    "startDateTimeLocal": "2026-05-09T07:12:33-04:00",
    "distance": 10.0437,
    "duration": 3245.0,
    "calories": 702,
    "notes": "along the river",
    "howFelt": "great",
    "terrain": "road",
    "isRace": 0,
    "isTreadmill": 0,
    "isBadHR": 0,
    "isBadElevation": 0,
    "cadenceAverage": 83,
    "heartRateAverage": 151,
    "heartRateMax": 174,
    "temperature": 14.4,
    "source": "garminhealth",
    "deviceType": "Garmin",
    "hasDetails": 1,
    "hasDetailsGPS": 1,
    "startLatitude": 40.0,
    "startLongitude": -75.0,
    "dateCreatedUTC": "2026-05-09T12:31:11",
    "dateUpdatedUTC": "2026-05-10T06:00:00",
    "elevationGain": 74.2,
    "elevationMin": 18.4,
    "elevationMax": 61.7,
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["2026-05-09T07:12:33", "2026-05-09T07:12:33Z", "12", "-0.5"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


def row_of(**changes: Any) -> dict[str, object]:
    """Return the row of the run above with other fields."""
    return records.listed(LISTED | changes, "me").row


def moment_s(text: str) -> float:
    """Return a moment in UTC as UNIX seconds."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# ---- the list


def test_units_and_names() -> None:
    """Kilometres become metres, fields get gold's names, and the origin's id is kept as text."""
    row = row_of()
    wanted: dict[str, object] = {
        "source": "smashrun",
        "source_id": "901234567",
        "external_id": "20345678901",
        "strava_id": None,
        "sport_type": "Run",
        "distance": 10043.7,
        "moving_time": 3245.0,
        "elapsed_time": 3245.0,
        "calories": 702.0,
        "description": "along the river",
        "average_heartrate": 151.0,
        "max_heartrate": 174.0,
        "average_cadence": 83.0,
        "total_elevation_gain": 74.2,
        "elev_high": 61.7,
        "elev_low": 18.4,
        "start_lat": 40.0,
        "start_lng": -75.0,
        "trainer": False,
        "manual": False,
        "workout_type": None,
        "device_name": "Garmin",
        "problems": [],
    }
    assert {name: row[name] for name in wanted} == wanted
    assert row["average_speed"] == pytest.approx(10043.7 / 3245)
    assert row.get("average_temp") is None  # the weather's; gold's is what the device felt


@pytest.mark.parametrize(
    ("text", "place", "start", "offset_h", "zone"),
    [
        ("2026-05-09T07:12:33-04:00", True, "2026-05-09T11:12:33", -4, "America/New_York"),
        ("2026-05-09T07:12:33-04:00", False, "2026-05-09T11:12:33", -4, "Etc/GMT+4"),
        ("2026-05-09T07:12:33", True, "2026-05-09T11:12:33", -4, "America/New_York"),
        ("2026-01-09T07:12:33", True, "2026-01-09T12:12:33", -5, "America/New_York"),
        ("2026-05-09T07:12:33Z", True, "2026-05-09T11:12:33", -4, "America/New_York"),
        ("2026-05-09T07:12:33Z", False, "2026-05-09T07:12:33", 0, "Etc/GMT"),
        ("2026-03-08T01:59:59", True, "2026-03-08T06:59:59", -5, "America/New_York"),
        ("2026-03-08T03:00:00", True, "2026-03-08T07:00:00", -4, "America/New_York"),
        ("2026-05-09T07:12:33", False, "2026-05-09T07:12:33", 0, None),
    ],
)
def test_when_it_began(text: str, place: bool, start: str, offset_h: int, zone: str | None) -> None:
    """An offset counts; without one the place's zone does; without a place it is taken as UTC."""
    where = {} if place else {"startLatitude": None, "startLongitude": None}
    row = row_of(startDateTimeLocal=text, **where)
    assert row["start_s"] == moment_s(start)
    assert (row["utc_offset_s"], row["timezone"]) == (offset_h * 3600, zone)
    is_told = any("no zone is known" in one for one in row["problems"])  # type: ignore[attr-defined]
    assert is_told == (zone is None)


def test_flags_and_words() -> None:
    """0 and 1 are no and yes; terrain and treadmill count; what SmashRun calls bad is left out."""
    assert row_of(isTreadmill=1)["trainer"] is True
    assert row_of(terrain="treadmill", isTreadmill=None)["trainer"] is True
    assert row_of(isRace=True)["workout_type"] == 1
    assert row_of(terrain="trail")["sport_type"] == "TrailRun"
    assert row_of(activityType="walking")["sport_type"] == "Walk"
    assert row_of(activityType=None)["sport_type"] == "Run"
    assert row_of(activityType="underwater hockey")["sport_type"] == "Workout"
    assert row_of(source="manual")["manual"] is True
    assert row_of(source="strava", externalId=77)["strava_id"] == 77
    assert row_of(cadenceAverage=166)["average_cadence"] == 83
    assert row_of(isBadHR=1).get("average_heartrate") is None
    assert row_of(isBadElevation=1).get("total_elevation_gain") is None
    assert row_of(heartRateAverage=0)["average_heartrate"] is None


def test_only_the_id_and_the_start_are_needed() -> None:
    """Every other field may be missing or null; without these two a run is set aside."""
    least = {name: LISTED[name] for name in ("activityId", "startDateTimeLocal")}
    assert records.listed(least, "me").source_id == "901234567"
    nothing = dict.fromkeys(LISTED) | least
    assert records.listed(nothing, "me").row["distance"] is None
    with pytest.raises(InvalidData, match="when it began"):
        row_of(startDateTimeLocal=None)
    with pytest.raises(InvalidData, match="without an id"):
        row_of(activityId=None)


def test_details_are_wanted_for_what_was_recorded() -> None:
    """A note changes the run and not what its points depend on; without details none are wanted."""
    told, noted, longer = row_of(), row_of(notes="x", dateUpdatedUTC="z"), row_of(duration=1.0)
    assert told["content_hash"] != noted["content_hash"]
    assert told["track_hash"] == noted["track_hash"] != longer["track_hash"]
    assert row_of(hasDetails=0)["track_hash"] == row_of(hasDetails=False)["facts_hash"] == ""
    assert row_of(hasDetails=None)["track_hash"] != ""


@given(st.dictionaries(st.sampled_from(sorted(LISTED)), JSON))
def test_no_list_can_crash_it(changes: dict[str, Any]) -> None:
    """Whatever the fields hold, there is a row or the run is set aside."""
    try:
        found = records.listed(LISTED | changes, "me")
    except InvalidData:
        return
    assert math.isfinite(found.start_s)


def test_what_was_changed_when() -> None:
    """The last change is what counts, else when it was made or sent."""
    assert records.changed_s(LISTED) == moment_s("2026-05-10T06:00:00")
    assert records.changed_s({"dateCreatedUTC": "2026-05-09T12:31:11"}) == moment_s(
        "2026-05-09T12:31:11"
    )
    assert records.changed_s({}) is None


def test_a_page_of_ids() -> None:
    """Ids come as numbers or as text; anything but a list is none."""
    assert listing.ids_of(b'[1, "2", null, 3.0, "x"]') == {"1", "2", "3"}
    for body in (b"{}", b"<html>", b"null"):
        with pytest.raises(InvalidData, match="no list"):
            listing.ids_of(body)


# ---- recordings


def test_points_of_columns_of_unequal_length() -> None:
    """Kilometres become metres; a short column says nothing of the last points; (0, 0) is none."""
    detail = {
        "recordingKeys": ["clock", "distance", "latitude", "longitude", "heartRate", "unknown"],
        "recordingValues": [
            [0, 1, 3, 3, None, 2],
            [0.0, 0.003, 0.009, 9, 9, "0.006"],
            [40.0, 0, 40.2, 40.3, 40.4, 40.1],
            [-75.0, 0, -75.2],
            [88, 90],
            [1, 2, 3],
        ],
    }
    points = recordings.points(detail, 1000.0)
    assert points.timestamp_s.tolist() == [1000, 1001, 1002, 1003]
    assert points.distance_m.tolist() == pytest.approx([0, 3, 6, 9])
    assert points.heartrate_bpm.tolist()[:2] == [88, 90]
    assert np.isnan(points.heartrate_bpm[2:]).all()
    assert np.isnan(points.lat).tolist() == [False, True, True, False]


def test_other_columns_of_a_recording() -> None:
    """Steps of both feet are halved, km/h become m/s, a heart rate known to be bad is left out."""
    detail = {
        "isBadHR": 1,
        "recordingKeys": ["clock", "cadence", "speed", "heartRate", "elevation", "temperature"],
        "recordingValues": [[0, 1], [168, 170], [9.0, 10.8], [99, 99], [20.0, 20.1], [14, 14]],
    }
    points = recordings.points(detail, 0.0)
    assert points.cadence_rpm.tolist() == [84, 85]
    assert points.velocity_mps.tolist() == pytest.approx([2.5, 3.0])
    assert np.isnan(points.heartrate_bpm).all()
    assert points.altitude_m.tolist() == [20.0, 20.1]


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(("recordingKeys", "recordingValues"), JSON))
)
def test_no_recording_can_crash_it(detail: dict[str, Any]) -> None:
    """Whatever is in place of the columns, there are points of ascending time, or none."""
    keys = ["clock", "latitude", "longitude", "cadence"]
    for one in (detail, {**detail, "recordingKeys": keys}):
        points = recordings.points(one, 0.0)
        assert (np.diff(points.timestamp_s) > 0).all()
    assert recordings.laps({"laps": detail.get("recordingValues")}, 0.0) is not None


def test_laps_end_where_the_next_begins() -> None:
    """Of laps only the ends are told: each begins where the one before ended."""
    laps = [
        {"lapType": "general", "endTime": 1612.0, "endDistance": 5.0},
        {"lapType": "general", "endTime": 1612.0, "endDistance": 5.0},
        {"lapType": "general", "endTime": 3245.0, "endDistance": 10.0437},
    ]
    first, last = recordings.laps({"laps": laps}, 100.0)
    assert (first["start_s"], first["distance"], first["elapsed_time"]) == (100.0, 5000.0, 1612.0)
    assert (last["start_s"], last["distance"], last["elapsed_time"]) == (1712.0, 5043.7, 1633.0)
    assert last["lap_index"] == 2


# ---- splits


def run_of(distance_km: float, duration_s: float) -> Run:
    """Return a run at an even pace."""
    moment = dt.datetime(2026, 5, 9, tzinfo=UTC)
    told = {"activityId": 1, "hasDetails": 1, "distance": distance_km, "duration": duration_s}
    return Run(moment, told, {}, moment)


@given(st.floats(0.3, 60), st.floats(3, 12), st.sampled_from(["km", "mi"]))
@example(1.00001, 3.0, "km")
@example(2.00001, 3.0, "km")
@example(3.0002, 5.0, "mi")
@example(1.60936, 4.0, "mi")
def test_splits_of_every_unit(distance_km: float, pace_min_km: float, unit: str) -> None:
    """Cumulative in, per split out: each is a kilometre or mile, in whatever unit it is counted;
    the last is the rest; sums are the run.
    """
    duration_s = distance_km * pace_min_km * 60
    run = run_of(distance_km, duration_s)
    unit_km = MILE_KM if unit == "mi" else 1.0
    for body, split_m in ((run.splits(1.0, 1.0), 1000.0), (run.splits(MILE_KM, unit_km), 1609.344)):
        rows = splits.splits(body, split_m, distance_km * 1000)
        assert [row["split_index"] for row in rows] == list(range(1, len(rows) + 1))
        lengths = [float(str(row["distance_m"])) for row in rows]
        assert lengths[:-1] == pytest.approx([split_m] * (len(rows) - 1), abs=0.4)
        assert lengths[-1] <= split_m + 0.8  # with the rest, where that is nothing when rounded
        assert sum(lengths) == pytest.approx(distance_km * 1000, abs=0.4)
        took_s = sum(float(str(row["elapsed_time_seconds"])) for row in rows)
        assert took_s == pytest.approx(duration_s, abs=0.06)


def test_splits_as_told() -> None:
    """Heart rate and heights are each split's own; speed is in m/s."""
    body = [
        {"distance": 1.0, "seconds": 323.0, "heartRate": None, "elevationGain": 7.1},
        {
            "distance": 2.0,
            "seconds": 647.5,
            "heartRate": 149,
            "elevationGain": 7.1,
            "elevationLoss": 6.8,
        },
        {"distance": None, "seconds": 9},
        {"distance": "2.5", "seconds": 809.5, "heartRate": 0},
    ]
    first, second, last = splits.splits(body, 1000.0)
    assert (first["average_heartrate"], first["elevation_difference"]) == (None, None)
    assert second["distance_m"] == 1000.0
    assert second["elapsed_time_seconds"] == second["moving_time_seconds"] == 324.5
    assert second["average_speed"] == pytest.approx(1000 / 324.5)
    assert second["elevation_difference"] == pytest.approx(0.3)
    assert (last["distance_m"], last["average_heartrate"]) == (500.0, None)
    assert splits.splits([], 1000.0) == []


def test_splits_that_are_per_split_already() -> None:
    """Where distances do not ascend, they are each split's own and left as they are."""
    body = [{"distance": 1.0, "seconds": 300.0}, {"distance": 1.0, "seconds": 310.0}]
    body.append({"distance": 0.2, "seconds": 70.0})
    rows = splits.splits(body, 1000.0)
    assert [row["distance_m"] for row in rows] == [1000.0, 1000.0, 200.0]
    assert [row["elapsed_time_seconds"] for row in rows] == [300.0, 310.0, 70.0]
    alike = [{"distance": 1.0, "seconds": 300.0}] * 2
    assert [row["distance_m"] for row in splits.splits(alike, 1000.0, 2000.0)] == [1000.0, 1000.0]


@given(st.lists(st.dictionaries(st.sampled_from(["distance", "seconds", "elevationGain"]), JSON)))
def test_no_splits_can_crash_it(body: list[Any]) -> None:
    """Whatever is in place of splits, there are rows or none."""
    for row in splits.splits(body, 1609.344, 5000.0):
        assert float(str(row["elapsed_time_seconds"])) > 0
