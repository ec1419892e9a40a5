"""From intervals.icu's JSON to bronze's rows: a day of an athlete ("wellness"). Pure."""

import datetime as dt
from typing import Any

from tracklake.clock import from_unix
from tracklake.errors import InvalidData
from tracklake.identity import content_hash
from tracklake.intervals.records import SOURCE
from tracklake.json_reader import Reader, names_of, sound

ENTITY = "wellness"

_MODEL = {  # computed by the service for each day, whether or not anybody said anything
    "ctl": "ctl",
    "atl": "atl",
    "rampRate": "ramp_rate",
    "ctlLoad": "ctl_load",
    "atlLoad": "atl_load",
}
_NUMBERS = {
    **_MODEL,
    "weight": "weight_kg",
    "restingHR": "resting_heartrate_bpm",
    "avgSleepingHR": "average_sleeping_heartrate_bpm",
    "hrv": "hrv_ms",
    "hrvSDNN": "hrv_sdnn_ms",
    "baevskySI": "baevsky_stress_index",
    "sleepSecs": "sleep_s",
    "sleepScore": "sleep_score",
    "sleepQuality": "sleep_quality",
    **{name: name for name in ("soreness", "fatigue", "stress", "mood", "motivation", "injury")},
    **{name: name for name in ("hydration", "readiness", "steps")},
    "spO2": "spo2_percent",
    "respiration": "respiration_per_min",
    "systolic": "systolic_mmhg",
    "diastolic": "diastolic_mmhg",
    "bloodGlucose": "blood_glucose_mmol_l",
    "lactate": "lactate_mmol_l",
    "vo2max": "vo2max_ml_kg_min",
    "bodyFat": "body_fat_percent",
    "abdomen": "abdomen_cm",
    "hydrationVolume": "hydration_volume",
    "kcalConsumed": "energy_intake_kcal",
    "carbohydrates": "carbohydrates_g",
    "protein": "protein_g",
    "fatTotal": "fat_g",
}
_NOT_SAID = frozenset(("id", "updated", "locked", "icu_athlete_id"))


def day(item: dict[str, Any], athlete: str) -> dict[str, object]:
    """Read one day; InvalidData without a date."""
    item = sound(item)
    reader = Reader(item)
    try:
        date = dt.date.fromisoformat((reader.text("id") or "")[:10])
    except ValueError:
        raise InvalidData(f"a day without a date: {names_of(item)}", reason="no_date") from None
    updated_s = reader.moment("updated")
    return {
        "source": SOURCE,
        "athlete": athlete,
        "source_id": date.isoformat(),
        "content_hash": content_hash(item),
        "date": date,
        **{column: reader.number(name) for name, column in _NUMBERS.items()},
        "menstrual_phase": reader.text("menstrualPhase"),
        "comments": reader.text("comments"),
        "is_locked": reader.truth("locked"),
        "updated_at": None if updated_s is None else from_unix(updated_s),
    }


def is_blank(item: dict[str, Any]) -> bool:
    """Tell a day of which nobody said anything, and on which the model stands at zero."""
    return not any(
        value for name, value in item.items() if name not in _NOT_SAID and not _is_zero(value)
    )


def _is_zero(value: object) -> bool:
    if isinstance(value, str):
        return value in ("", "0", "NONE")
    if isinstance(value, int | float):
        return abs(value) < 1e-6
    return value is None or value in ([], {})
