"""What formats, exports and people call a sport, in Strava's words."""

from __future__ import annotations

import pytest
from garmin_fit_sdk import Profile
from hypothesis import given
from hypothesis import strategies as st

from tracklake import sports
from tracklake.sport_words import WORDS

FIT_SPORTS = tuple(Profile["types"]["sport"].values())
FIT_SUB_SPORTS = tuple(Profile["types"]["sub_sport"].values())
KNOWN = sports.SPORT_TYPES | {"Transition"}


@pytest.mark.parametrize(
    ("sport", "sub_sport", "expected"),
    [
        ("running", None, "Run"),
        ("running", "generic", "Run"),
        ("running", "trail", "TrailRun"),
        ("running", "treadmill", "Run"),
        ("running", "virtual_activity", "VirtualRun"),
        ("cycling", "road", "Ride"),
        ("cycling", "virtual_activity", "VirtualRide"),
        ("cycling", "indoor_cycling", "Ride"),
        ("cycling", "mountain", "MountainBikeRide"),
        ("cycling", "gravel_cycling", "GravelRide"),
        ("cycling", "e_bike_mountain", "EMountainBikeRide"),
        ("cycling", "hand_cycling", "Handcycle"),
        ("e_biking", None, "EBikeRide"),
        ("swimming", "lap_swimming", "Swim"),
        ("swimming", "open_water", "Swim"),
        ("rowing", "indoor_rowing", "Rowing"),
        ("fitness_equipment", "indoor_rowing", "Rowing"),
        ("fitness_equipment", "treadmill", "Run"),
        ("fitness_equipment", "indoor_cycling", "Ride"),
        ("fitness_equipment", "elliptical", "Elliptical"),
        ("training", "strength_training", "WeightTraining"),
        ("training", "yoga", "Yoga"),
        ("training", "cardio_training", "Workout"),
        ("walking", None, "Walk"),
        ("hiking", "indoor_walking", "Hike"),
        ("cross_country_skiing", "skate_skiing", "NordicSki"),
        ("alpine_skiing", "backcountry", "BackcountrySki"),
        ("racket", "padel", "Padel"),
        ("transition", None, "Transition"),
        ("transition", "swim_to_bike_transition", "Transition"),
        ("multisport", "triathlon", "Workout"),
        ("unknown_250", None, "Workout"),
        (None, None, "Workout"),
    ],
)
def test_names_of_the_fit_profile(sport: str | None, sub_sport: str | None, expected: str) -> None:
    """Pairs that mean something of their own, then the sub-sport, then the sport."""
    assert sports.sport_type("fit", sport, sub_sport) == expected


def test_every_pair_of_the_fit_profile_has_a_type() -> None:
    """Garmin's profile as it is today never yields a word that is not in the vocabulary."""
    pairs = ((sport, sub) for sport in FIT_SPORTS for sub in (*FIT_SUB_SPORTS, None))
    assert {sports.sport_type("fit", *pair) for pair in pairs} <= KNOWN


def test_the_tables_know_no_word_that_fit_does_not() -> None:
    """A slip of the pen in the FIT tables would never match anything; there is none."""
    assert sports._FIT_SPORTS.keys() <= set(FIT_SPORTS)
    assert {sub for _, sub in sports._FIT_PAIRS} <= set(FIT_SUB_SPORTS)
    assert {sport for sport, _ in sports._FIT_PAIRS} <= set(FIT_SPORTS)
    named = sports._FIT_SUB_SPORTS.keys() | sports._FIT_MACHINES.keys() | sports._INDOOR_SUB_SPORTS
    assert named <= set(FIT_SUB_SPORTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running", "Run"),
        ("Biking", "Ride"),
        ("Other", "Workout"),
        ("1", "Ride"),
        ("9", "Run"),
        ("RUN", "Run"),
        ("  running ", "Run"),
        ("trail_running", "TrailRun"),
        ("Trail Run", "TrailRun"),
        ("TrailRun", "TrailRun"),
        ("street_running", "Run"),
        ("treadmill_running", "Run"),
        ("indoor_cycling", "Ride"),
        ("mountain biking", "MountainBikeRide"),
        ("gravel_cycling", "GravelRide"),
        ("Virtual Ride", "VirtualRide"),
        ("E-Bike Ride", "EBikeRide"),
        ("E-Mountain Bike Ride", "EMountainBikeRide"),
        ("open_water_swimming", "Swim"),
        ("resort_skiing_snowboarding_ws", "AlpineSki"),
        ("cross_country_skiing_ws", "NordicSki"),
        ("High Intensity Interval Training", "HighIntensityIntervalTraining"),
        ("Stand Up Paddling", "StandUpPaddling"),
        ("Weight Training", "WeightTraining"),
        ("hiking", "Hike"),
        ("Lauf", "Run"),
        ("Radfahrt", "Ride"),
        ("Wanderung", "Hike"),
        ("Spaziergang", "Walk"),
        ("Skilanglauf", "NordicSki"),
        ("Course à pied", "Run"),
        ("Sortie à vélo", "Ride"),
        ("Randonnée", "Hike"),
        ("Carrera", "Run"),
        ("Natación", "Swim"),
        ("Senderismo", "Hike"),
        ("Corsa", "Run"),
        ("Hardloopsessie", "Run"),
        ("Løb", "Run"),
        ("ランニング", "Run"),
        ("Sunday trail running with friends", "TrailRun"),
        ("Laufen / Straße", "Run"),
        ("Basketweaving", "Workout"),
        ("unknown", "Workout"),
        ("", "Workout"),
        (None, "Workout"),
    ],
)
def test_free_text_in_several_languages(text: str | None, expected: str) -> None:
    """Whatever the case, the accents and what stands between the words."""
    assert sports.sport_type("gpx", text) == expected
    assert sports.sport_type("tcx", text) == expected
    assert sports.from_text(text) == expected


def test_strava_s_own_words_mean_themselves() -> None:
    """All 56 values of SportType, also with spaces as exports write them."""
    assert len(sports.SPORT_TYPES) == 56
    for name in sports.SPORT_TYPES:
        assert sports.from_text(name) == name
        spaced = "".join(f" {c}" if c.isupper() else c for c in name)
        assert sports.from_text(spaced) == name


def test_no_word_has_two_meanings() -> None:
    """Each word stands for one type, and what it stands for is in the vocabulary."""
    assert WORDS.keys() <= KNOWN
    seen: dict[str, str] = {}
    for name, words in WORDS.items():
        for word in words.split("|"):
            assert word, f"an empty word for {name}"
            assert sports.from_text(word) == name, word
            assert seen.setdefault(word, name) == name, word


@given(st.text())
def test_any_text_has_a_type(text: str) -> None:
    """Nothing that a person may write as a sport fails."""
    assert sports.from_text(text) in KNOWN
    assert sports.is_indoor(text) in {True, False}


@pytest.mark.parametrize(
    ("sport", "sub_sport", "indoor"),
    [
        ("running", "treadmill", True),
        ("cycling", "indoor_cycling", True),
        ("cycling", "virtual_activity", True),
        ("rowing", "indoor_rowing", True),
        ("fitness_equipment", None, True),
        ("running", "trail", False),
        ("swimming", "lap_swimming", False),
        ("Virtual Ride", None, True),
        ("indoor_cycling", None, True),
        ("treadmill_running", None, True),
        ("Laufband", None, True),
        ("Radfahrt", None, False),
        (None, None, False),
    ],
)
def test_indoor_means_on_a_machine(sport: str | None, sub_sport: str | None, indoor: bool) -> None:
    """A treadmill, a trainer, a virtual world; a pool is no machine."""
    assert sports.is_indoor(sport, sub_sport) is indoor


@pytest.mark.parametrize(
    ("sport_type", "family"),
    [
        ("TrailRun", "foot"),
        ("Hike", "foot"),
        ("EBikeRide", "ride"),
        ("Swim", "swim"),
        ("NordicSki", "winter"),
        ("Kayaking", "water"),
        ("Yoga", "other"),
        ("Transition", "other"),
        ("Quidditch", "other"),
    ],
)
def test_families(sport_type: str, family: str) -> None:
    """Each type moves in one of six ways; what is unknown moves in its own."""
    assert sports.family(sport_type) == family
