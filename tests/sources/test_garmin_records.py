"""Garmin's list, read: what an item becomes, and what it may lack."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.upstream import garmin as simulated
from tracklake.errors import InvalidData
from tracklake.garmin import records, sports
from tracklake.sports import SPORT_TYPES

START = dt.datetime(2026, 5, 2, 6, 30, tzinfo=dt.UTC)


def row_of(**changes: object) -> dict[str, Any]:
    """Return the row of an item that was changed."""
    return records.listed({**simulated.item(7, START), **changes}, "me").row


def test_an_item_becomes_a_row() -> None:
    """Times without a zone are GMT, a runner's steps are halved, privacy has Strava's words."""
    row = row_of()
    assert row["start_s"] == START.timestamp()
    assert (row["utc_offset_s"], row["timezone"]) == (3600.0, "Europe/Ljubljana")
    assert (row["distance"], row["elapsed_time"], row["moving_time"]) == (392.7, 119.0, 118.0)
    assert (row["average_cadence"], row["average_heartrate"]) == (85.0, 140.0)
    assert (row["weighted_average_watts"], row["max_watts"]) == (244.0, 310.0)
    assert (row["elev_low"], row["elev_high"]) == (299.8, 303.4)
    assert (row["sport_type"], row["trainer"], row["visibility"]) == ("Run", False, "only_me")
    assert (row["source"], row["source_id"], row["is_stub"]) == ("garmin", "7", False)
    assert row["problems"] == []


def test_the_start_may_come_in_milliseconds_only() -> None:
    """Without the text, the timestamp says when it began; local time then follows the place."""
    row = row_of(startTimeGMT=None, startTimeLocal=None)
    assert row["start_s"] == START.timestamp()
    assert row["utc_offset_s"] == 7200.0  # Ljubljana in May


@pytest.mark.parametrize("name", ["startTimeGMT", "beginTimestamp"])
@pytest.mark.parametrize("form", ["milliseconds", "digits", "ISO"])
def test_the_start_may_come_in_either_form(name: str, form: str) -> None:
    """Whichever field says when it began may do so as text or in milliseconds, local time too."""
    begin_ms = int(START.timestamp()) * 1000
    forms: dict[str, tuple[object, object]] = {
        "milliseconds": (begin_ms, begin_ms + 3_600_000),
        "digits": (str(begin_ms), str(begin_ms + 3_600_000)),
        "ISO": (f"{START:%Y-%m-%dT%H:%M:%S}.000+0000", f"{START:%Y-%m-%dT07:%M:%S}.0"),
    }
    told, local = forms[form]
    nothing: dict[str, object] = {"startTimeGMT": None, "beginTimestamp": None}
    row = row_of(**nothing | {name: told, "startTimeLocal": local})
    assert (row["start_s"], row["utc_offset_s"]) == (START.timestamp(), 3600.0)
    assert row["problems"] == []


def test_local_time_without_a_place() -> None:
    """Indoors, the two texts tell the offset; nonsense tells none."""
    nowhere: dict[str, object] = {"startLatitude": None, "startLongitude": None}
    assert row_of(**nowhere)["timezone"] == "Etc/GMT-1"
    far = row_of(**nowhere, startTimeLocal="2026-05-09 06:30:00")
    assert (far["timezone"], far["utc_offset_s"]) == (None, 0.0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"activityId": None}, "no_id"),
        ({"activityId": "x"}, "no_id"),
        ({"startTimeGMT": "soon", "beginTimestamp": None}, "no_start"),
    ],
)
def test_what_every_activity_has(changes: dict[str, object], reason: str) -> None:
    """Without an id or a start an item is set aside, with the reason."""
    with pytest.raises(InvalidData) as raised:
        row_of(**changes)
    assert raised.value.reason == reason


def test_the_bare_minimum_is_enough() -> None:
    """Every field but id and start may be missing."""
    row = records.listed({"activityId": "9", "startTimeGMT": "2026-05-02 06:30:00"}, "me").row
    assert (row["source_id"], row["sport_type"], row["distance"]) == ("9", "Workout", None)
    assert row["track_hash"] != ""


def test_what_was_entered_by_hand_has_no_file() -> None:
    """No file is asked for where there is none."""
    row = row_of(manualActivity=True)
    assert (row["manual"], row["track_hash"]) == (True, "")
    assert row_of(manualActivity=None, isManualActivity="true")["manual"] is True


def test_a_leg_is_a_stub() -> None:
    """A leg names its parent, which is listed too: it must not count twice, nor fetch a file."""
    row = row_of(parentId=6)
    assert (row["is_stub"], row["track_hash"]) == (True, "")
    assert row_of(parent=True)["is_stub"] is False


def test_what_is_not_of_the_activity_changes_nothing() -> None:
    """Another profile picture or right of the owner lands no activity again; a name does."""
    same = row_of(userRoles=["OTHER"], ownerProfileImageUrlSmall="https://example.invalid/2")
    assert same["content_hash"] == row_of()["content_hash"]
    assert row_of(activityName="Renamed")["content_hash"] != row_of()["content_hash"]
    assert row_of(activityName="Renamed")["track_hash"] == row_of()["track_hash"]


def test_likes_are_no_reason_to_look_again() -> None:
    """Likes land, but change nothing that details depend on."""
    liked = row_of(numberOfActivityLikes=3)
    assert liked["content_hash"] != row_of()["content_hash"]
    assert liked["facts_hash"] == row_of()["facts_hash"]


def test_races_and_commutes() -> None:
    """Garmin's kinds of events have Strava's marks."""
    assert row_of(eventType={"typeKey": "race"})["workout_type"] == 1
    ride = row_of(eventType={"typeKey": "race"}, activityType=simulated.kind("road_biking"))
    assert ride["workout_type"] == 11
    assert row_of(eventType={"typeKey": "transportation"})["commute"] is True
    assert row_of()["commute"] is None


@pytest.mark.parametrize(
    ("key", "sport"),
    [
        ("running", "Run"),
        ("street_running", "Run"),
        ("track_running", "Run"),
        ("treadmill_running", "Run"),
        ("trail_running", "TrailRun"),
        ("virtual_run", "VirtualRun"),
        ("cycling", "Ride"),
        ("road_biking", "Ride"),
        ("indoor_cycling", "Ride"),
        ("virtual_ride", "VirtualRide"),
        ("mountain_biking", "MountainBikeRide"),
        ("gravel_cycling", "GravelRide"),
        ("e_bike_fitness", "EBikeRide"),
        ("e_bike_mountain", "EMountainBikeRide"),
        ("lap_swimming", "Swim"),
        ("open_water_swimming", "Swim"),
        ("hiking", "Hike"),
        ("walking", "Walk"),
        ("casual_walking", "Walk"),
        ("strength_training", "WeightTraining"),
        ("yoga", "Yoga"),
        ("pilates", "Pilates"),
        ("hiit", "HighIntensityIntervalTraining"),
        ("elliptical", "Elliptical"),
        ("stair_climbing", "StairStepper"),
        ("indoor_rowing", "Rowing"),
        ("rowing_v2", "Rowing"),
        ("stand_up_paddleboarding_v2", "StandUpPaddling"),
        ("kayaking_v2", "Kayaking"),
        ("sailing_v2", "Sail"),
        ("kiteboarding_v2", "Kitesurf"),
        ("resort_skiing", "AlpineSki"),
        ("resort_skiing_snowboarding_ws", "AlpineSki"),
        ("cross_country_skiing_ws", "NordicSki"),
        ("backcountry_skiing_snowboarding_ws", "BackcountrySki"),
        ("snow_shoe_ws", "Snowshoe"),
        ("skating_ws", "IceSkate"),
        ("inline_skating", "InlineSkate"),
        ("bouldering", "RockClimbing"),
        ("tennis_v2", "Tennis"),
        ("pickleball", "Pickleball"),
        ("table_tennis", "TableTennis"),
        ("soccer", "Soccer"),
        ("golf", "Golf"),
        ("bike_to_run_transition_v2", "Transition"),
        ("multi_sport", "Workout"),
        ("fitness_equipment", "Workout"),
        ("something_new", "Workout"),
        (None, "Workout"),
    ],
)
def test_sports(key: str | None, sport: str) -> None:
    """Garmin's type keys, old and new, have Strava's sport types; an unknown one is a workout."""
    assert sports.sport_type(key) == sport
    assert sport in SPORT_TYPES or sport == "Transition"


@pytest.mark.parametrize("key", ["treadmill_running", "indoor_cycling", "virtual_ride"])
def test_machines(key: str) -> None:
    """What stays in place is marked."""
    assert sports.is_trainer(key)
    assert not sports.is_trainer("road_biking")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(simulated.item(1, START))), _ANY, max_size=12))
def test_nothing_in_an_item_can_crash_it(changes: dict[str, object]) -> None:
    """Whatever a field holds, the item is read or refused."""
    try:
        row = row_of(**changes)
    except InvalidData:
        return
    assert isinstance(row["start_s"], float)
    assert row["source_id"].isdecimal()
