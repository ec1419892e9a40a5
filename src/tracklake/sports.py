"""Sport vocabularies: from what files and exports say to Strava's `sport_type`; tables only.

The words of FIT are those of Garmin's profile (https://developer.garmin.com/fit), the 56 sport
types those of Strava's API reference (`SportType`). "Transition" is ours: Strava has no word for
what happens between two legs of a triathlon.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from tracklake.sport_words import WORDS

Family = Literal["foot", "ride", "swim", "winter", "water", "other"]

UNKNOWN = "Workout"

_FAMILIES: dict[Family, str] = {
    "foot": "Run TrailRun VirtualRun Walk Hike",
    "ride": (
        "Ride VirtualRide MountainBikeRide GravelRide EBikeRide EMountainBikeRide Handcycle"
        " Velomobile"
    ),
    "swim": "Swim",
    "winter": "AlpineSki BackcountrySki NordicSki Snowboard Snowshoe IceSkate",
    "water": ("Rowing VirtualRow Kayaking Canoeing Sail Surfing Windsurf Kitesurf StandUpPaddling"),
    "other": (
        "Badminton Basketball Cricket Crossfit Dance Elliptical Golf InlineSkate Padel"
        " HighIntensityIntervalTraining PhysicalTherapy Pickleball Pilates Racquetball"
        " RockClimbing RollerSki Skateboard Soccer Squash StairStepper TableTennis Tennis"
        " Volleyball WeightTraining Wheelchair Workout Yoga"
    ),
}
_FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names.split()}

SPORT_TYPES = frozenset(_FAMILY_OF)

# FIT: sport -> type, where no pair of sport and sub-sport says better.
_FIT_SPORTS = {
    "running": "Run",
    "cycling": "Ride",
    "transition": "Transition",
    "swimming": "Swim",
    "basketball": "Basketball",
    "soccer": "Soccer",
    "tennis": "Tennis",
    "walking": "Walk",
    "cross_country_skiing": "NordicSki",
    "alpine_skiing": "AlpineSki",
    "snowboarding": "Snowboard",
    "rowing": "Rowing",
    "mountaineering": "Hike",
    "hiking": "Hike",
    "paddling": "Kayaking",
    "e_biking": "EBikeRide",
    "golf": "Golf",
    "inline_skating": "InlineSkate",
    "rock_climbing": "RockClimbing",
    "sailing": "Sail",
    "ice_skating": "IceSkate",
    "snowshoeing": "Snowshoe",
    "stand_up_paddleboarding": "StandUpPaddling",
    "surfing": "Surfing",
    "kayaking": "Kayaking",
    "canoeing": "Canoeing",
    "windsurfing": "Windsurf",
    "kitesurfing": "Kitesurf",
    "floor_climbing": "StairStepper",
    "hiit": "HighIntensityIntervalTraining",
    "wheelchair_push_walk": "Wheelchair",
    "wheelchair_push_run": "Wheelchair",
    "cricket": "Cricket",
    "volleyball": "Volleyball",
    "dance": "Dance",
}
_FIT_PAIRS = {
    ("running", "trail"): "TrailRun",
    ("running", "virtual_activity"): "VirtualRun",
    ("cycling", "virtual_activity"): "VirtualRide",
    ("cycling", "mountain"): "MountainBikeRide",
    ("cycling", "downhill"): "MountainBikeRide",
    ("cycling", "enduro"): "MountainBikeRide",
    ("cycling", "gravel_cycling"): "GravelRide",
    ("cycling", "mixed_surface"): "GravelRide",
    ("cycling", "hand_cycling"): "Handcycle",
    ("cycling", "indoor_hand_cycling"): "Handcycle",
    ("e_biking", "mountain"): "EMountainBikeRide",
    ("rowing", "virtual_activity"): "VirtualRow",
    ("cross_country_skiing", "backcountry"): "BackcountrySki",
    ("alpine_skiing", "backcountry"): "BackcountrySki",
}
# FIT: sub-sports that decide for any sport ("fitness_equipment", "training", "racket", …).
_FIT_SUB_SPORTS = {
    "e_bike_fitness": "EBikeRide",
    "e_bike_mountain": "EMountainBikeRide",
    "e_bike_enduro": "EMountainBikeRide",
    "lap_swimming": "Swim",
    "open_water": "Swim",
    "indoor_rowing": "Rowing",
    "elliptical": "Elliptical",
    "stair_climbing": "StairStepper",
    "strength_training": "WeightTraining",
    "yoga": "Yoga",
    "pilates": "Pilates",
    "hiit": "HighIntensityIntervalTraining",
    "amrap": "HighIntensityIntervalTraining",
    "emom": "HighIntensityIntervalTraining",
    "tabata": "HighIntensityIntervalTraining",
    "indoor_climbing": "RockClimbing",
    "bouldering": "RockClimbing",
    "pickleball": "Pickleball",
    "padel": "Padel",
    "squash": "Squash",
    "badminton": "Badminton",
    "racquetball": "Racquetball",
    "table_tennis": "TableTennis",
    "bike_to_run_transition": "Transition",
    "run_to_bike_transition": "Transition",
    "swim_to_bike_transition": "Transition",
}
# What a machine in a gym stands for; with another sport these say nothing about the type.
_FIT_MACHINES = {
    "treadmill": "Run",
    "indoor_running": "Run",
    "indoor_walking": "Walk",
    "indoor_cycling": "Ride",
    "spin": "Ride",
}
_INDOOR_SUB_SPORTS = frozenset(_FIT_MACHINES) | {
    "virtual_activity",
    "indoor_rowing",
    "indoor_skiing",
    "indoor_hand_cycling",
    "indoor_wheelchair_walk",
    "indoor_wheelchair_run",
    "indoor_grinding",
    "elliptical",
    "stair_climbing",
}
_INDOOR_TEXT = re.compile(
    r"indoor|treadmill|virtual|virtuel|stationary|spinning|laufband|rolle(ntrainer)?$|hometrainer"
    r"|heimtrainer|ergometer|tapisroulant|tapisdecourse|cintadecorrer|elliptical|stairstepper"
)

# Strava writes these numbers as <type> of a GPX track.
_STRAVA_NUMBERS = {"1": "Ride", "4": "Hike", "9": "Run", "10": "Walk", "16": "Swim"}


def sport_type(format: str, sport: str | None, sub_sport: str | None = None) -> str:  # noqa: A002 the field's name
    """Return Strava's sport type for a format's own words; "Workout" where they say nothing.

    format: "fit" reads `sport` and `sub_sport` as names of Garmin's profile, any other ("gpx",
    "tcx", an export's column) reads `sport` as free text.
    """
    if format != "fit":
        return from_text(sport)
    first, second = sport or "", sub_sport or ""
    for table in (_FIT_PAIRS.get((first, second)), _FIT_SUB_SPORTS.get(second)):
        if table:
            return table
    return _FIT_SPORTS.get(first) or _FIT_MACHINES.get(second, UNKNOWN)


def from_text(text: str | None) -> str:
    """Return the sport type that free text names, in any case and spelling, else "Workout".

    A whole text that is known wins over its parts; of the parts, the one with the most words.
    """
    words = _words(text or "")
    for length in range(len(words), 0, -1):
        for first in range(len(words) - length + 1):
            found = _TYPE_OF.get("".join(words[first : first + length]))
            if found:
                return found
    return UNKNOWN


def is_indoor(sport: str | None, sub_sport: str | None = None) -> bool:
    """Tell whether it was done on a machine that stays in place (or in a virtual world)."""
    if sub_sport in _INDOOR_SUB_SPORTS or sport == "fitness_equipment":
        return True
    return _INDOOR_TEXT.search("".join(_words(sport or ""))) is not None


def family(sport_type: str) -> Family:
    """Return the kind of movement, for thresholds and colours."""
    return _FAMILY_OF.get(sport_type, "other")


def _words(text: str) -> list[str]:
    """Split into words without case and accents; a long text keeps its first twelve."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text[:200])
    plain = unicodedata.normalize("NFKD", spaced.casefold().replace("ø", "o").replace("ł", "l"))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", letters)[:12]


_TYPE_OF = (
    {"".join(_words(name)): name for name in SPORT_TYPES}
    | {"".join(_words(word)): name for name, text in WORDS.items() for word in text.split("|")}
    | _STRAVA_NUMBERS
)
