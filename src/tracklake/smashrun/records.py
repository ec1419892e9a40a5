"""From SmashRun's JSON to bronze's rows: a run as the list has it.

SmashRun publishes no specification. What is relied on is what public clients agree on: distance in
km, flags 0 or 1, `startDateTimeLocal` with or without an offset, and no field but `activityId` that
is always there. Pure.
"""

import datetime as dt
from typing import Any, NamedTuple

from tracklake import sports
from tracklake.analysis.local_time import zone_at
from tracklake.errors import InvalidData
from tracklake.identity import content_hash
from tracklake.json_reader import Reader, names_of, sound
from tracklake.upstream import listed as listing
from tracklake.upstream.listed import Listed, Service

SOURCE = "smashrun"

# What changes when what was recorded does: details and points are fetched for it.
_SHAPE = (
    "startDateTimeLocal distance duration hasDetails hasDetailsGPS externalId syncDateTimeUTC "
    "startLatitude startLongitude isBadHR isBadElevation"
)
_CHANGED = ("dateUpdatedUTC", "dateCreatedUTC", "syncDateTimeUTC")
_MOST_STEPS_OF_A_LEG = 130.0  # a minute; a higher cadence counts both feet


class Start(NamedTuple):
    """When a run began: UNIX seconds, local time minus UTC in seconds, IANA zone if known."""

    start_s: float
    utc_offset_s: float
    timezone: str | None


def identity(item: dict[str, Any]) -> str:
    """Return a run's id; InvalidData if it has none."""
    found = Reader(item).integer("activityId")
    if found is None or found <= 0:
        raise InvalidData(f"a run without an id: {names_of(item)}", reason="no_id")
    return str(found)


def changed_s(item: dict[str, Any]) -> float | None:
    """Return when it was last changed or sent, UNIX seconds, if it says so."""
    reader = Reader(item)
    return next((at for name in _CHANGED if (at := reader.moment(name)) is not None), None)


def listed(item: dict[str, Any], athlete: str) -> Listed:
    """Read one item of the list; InvalidData if it lacks what every activity has."""
    item = sound(item)
    source_id = identity(item)
    reader = Reader(item)
    start = started(reader)
    if start is None:
        raise InvalidData(f"run {source_id} says not when it began", reason="no_start")
    version = _version(item, reader)
    digest = content_hash(item)
    row: dict[str, Any] = {
        **listing.identified(SOURCE, athlete, source_id),
        "content_hash": digest,
        "facts_hash": version,  # laps and splits come with the points
        "track_hash": version,
        **start._asdict(),
        **_told(reader),
        **_measured(reader),
        "has_track": False,
        "point_count": 0,
        "leg_index": 0,
        "leg_count": 0,
    }
    return Listed(source_id, start.start_s, digest, None, {**row, "problems": reader.problems})


def _version(item: dict[str, Any], reader: Reader) -> str:
    """Hash what points and splits depend on; empty where SmashRun says that it has none."""
    if reader.truth("hasDetails") is False:
        return ""
    return content_hash([item.get(name) for name in _SHAPE.split()])


def started(reader: Reader) -> Start | None:
    """Read when it began: its own offset, else that of the place, else the clock's as UTC."""
    text = (reader.text("startDateTimeLocal") or "").strip()
    local_s = reader.moment("startDateTimeLocal")
    if local_s is None:
        return None
    position = _position(reader)
    offset = dt.datetime.fromisoformat(text).utcoffset() if _is_time(text) else None
    if offset is not None and not (position and text.endswith("Z")):  # a local time is not UTC
        timezone, _ = zone_at(local_s, position, offset.total_seconds())
        return Start(local_s, offset.total_seconds(), timezone)
    if position is None:
        reader.problems.append("startDateTimeLocal: no zone is known, it is taken as UTC")
        return Start(local_s, 0.0, None)
    _, near_s = zone_at(local_s, position, None)
    timezone, offset_s = zone_at(local_s - near_s, position, None)
    return Start(local_s - offset_s, offset_s, timezone)


def _is_time(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:  # a leap second, which Reader reads
        return False
    return True


def _position(reader: Reader) -> tuple[float, float] | None:
    pair = [reader.number("startLatitude"), reader.number("startLongitude")]
    lat, lng = Reader({"start": pair}).position("start")
    return None if lat is None or lng is None else (lat, lng)


def sport_type(reader: Reader) -> str:
    """Return Strava's word for what it was; without a word SmashRun means a run."""
    word = reader.text("activityType")
    found = sports.from_text(word) if word else "Run"
    is_trail = (reader.text("terrain") or "").lower() == "trail"
    return "TrailRun" if found == "Run" and is_trail else found


def _told(reader: Reader) -> dict[str, object]:
    """Read what the athlete and SmashRun say of it."""
    origin = (reader.text("source") or "").lower()
    number = reader.integer("externalId") if "strava" in origin else None
    is_treadmill = reader.truth("isTreadmill") or (reader.text("terrain") == "treadmill")
    return {
        "sport_type": sport_type(reader),
        "description": reader.text("notes") or None,
        "external_id": reader.text("externalId") or None,
        "strava_id": number,
        "manual": origin == "manual",
        "trainer": bool(is_treadmill),
        "workout_type": 1 if reader.truth("isRace") else None,
        "device_name": reader.text("deviceType") or None,
    }


def _measured(reader: Reader) -> dict[str, object]:
    distance_km, duration_s = reader.number("distance"), reader.number("duration")
    distance = None if distance_km is None else round(distance_km * 1000, 3)
    lat, lng = _position(reader) or (None, None)
    return {
        "distance": distance,
        "moving_time": duration_s,
        "elapsed_time": duration_s,
        "average_speed": distance / duration_s if distance is not None and duration_s else None,
        "calories": reader.number("calories"),
        "average_cadence": _cadence(reader.number("cadenceAverage")),
        **_heartrate(reader),
        **_elevation(reader),
        "start_lat": lat,
        "start_lng": lng,
    }


def _cadence(value: float | None) -> float | None:
    """Return revolutions a minute of one leg."""
    if value is not None and value > _MOST_STEPS_OF_A_LEG:
        return value / 2
    return value or None


def _heartrate(reader: Reader) -> dict[str, object]:
    """Read the heart rate, unless SmashRun knows it to be wrong; 0 is none."""
    if reader.truth("isBadHR"):
        return {}
    return {
        "average_heartrate": reader.number("heartRateAverage") or None,
        "max_heartrate": reader.number("heartRateMax") or None,
    }


def _elevation(reader: Reader) -> dict[str, object]:
    if reader.truth("isBadElevation"):
        return {}
    return {
        "total_elevation_gain": reader.number("elevationGain"),
        "elev_high": reader.number("elevationMax"),
        "elev_low": reader.number("elevationMin"),
    }


SERVICE = Service(name=SOURCE, title="SmashRun", identity=identity, listed=listed)
