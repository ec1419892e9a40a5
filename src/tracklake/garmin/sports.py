"""From Garmin's activity types to Strava's `sport_type`; a table, and free text for the rest. Pure.

The keys are those of Garmin Connect's own list of types ("trail_running", "lap_swimming", …).
Newer ones end in _v2, those of winter sports in _ws.
"""

import re

from tracklake.sports import UNKNOWN, from_text, is_indoor

_TYPES = {
    "Run": "ultra_run obstacle_run track_running",
    "VirtualRun": "virtual_run",
    "Walk": "rucking indoor_walking",
    "Ride": "recumbent_cycling bmx track_cycling cyclocross",
    "MountainBikeRide": "downhill_biking enduro_mtb",
    "EBikeRide": "e_bike_fitness",
    "EMountainBikeRide": "e_bike_mountain e_enduro_mtb",
    "Handcycle": "hand_cycling indoor_hand_cycling",
    "AlpineSki": "resort_skiing resort_skiing_snowboarding",
    "BackcountrySki": "backcountry_skiing backcountry_skiing_snowboarding",
    "NordicSki": "cross_country_skiing skate_skiing",
    "Snowboard": "resort_snowboarding backcountry_snowboarding",
    "Snowshoe": "snow_shoe",
    "IceSkate": "skating",
    "Kayaking": "paddling whitewater_rafting_kayaking",
    "Sail": "sail_race sail_expedition",
    "WeightTraining": "strength_training",
    "Padel": "paddelball",
    "Wheelchair": "wheelchair_push_walk wheelchair_push_run",
    "RockClimbing": "indoor_climbing bouldering",
    "StairStepper": "stair_climbing floor_climbing",
    "Transition": (
        "transition bike_to_run_transition run_to_bike_transition swim_to_bike_transition"
    ),
    UNKNOWN: (
        "multi_sport fitness_equipment indoor_cardio breathwork meditation mobility jump_rope"
        " motorcycling driving_general flying other uncategorized"
    ),
}
_TYPE_OF = {key: name for name, keys in _TYPES.items() for key in keys.split()}
_SUFFIX = re.compile(r"(_ws)?(_v\d+)?$")


def sport_type(key: str | None) -> str:
    """Return Strava's sport type for a type key; "Workout" where there is no word for it."""
    plain = _SUFFIX.sub("", key or "", count=1)
    return _TYPE_OF.get(plain) or from_text(plain.replace("_", " "))


def is_trainer(key: str | None) -> bool:
    """Tell whether it was done on a machine that stays in place, or in a virtual world."""
    return is_indoor((key or "").replace("_", " "))
