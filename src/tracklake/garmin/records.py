"""From Garmin's JSON to bronze's rows: an activity as the list has it.

Both ways to Garmin, its Personal API and the community client, give the same items. Every field
may be missing. Pure.
"""

from typing import Any

from tracklake.analysis.local_time import zone_at
from tracklake.errors import InvalidData
from tracklake.garmin import sports
from tracklake.identity import content_hash
from tracklake.json_reader import Reader, names_of, sound
from tracklake.sports import family
from tracklake.upstream.listed import Listed, Service, identified

SOURCE = "garmin"

# What an item says of its owner or of who reads it: when that changes, no activity has changed.
_NOT_OF_IT = ("owner", "user", "requestor", "activityLike", "activityImages")
# What others do to an activity: no reason to look at it again.
_SOCIAL = frozenset(("numberOfActivityLikes", "numberOfActivityComments", "comments"))
# What changes when another recording takes its place.
_SHAPE = "startTimeGMT duration elapsedDuration distance deviceId startLatitude startLongitude"
_VISIBILITY = {
    "public": "everyone",
    "subscribers": "followers_only",
    "followers": "followers_only",
    "groups": "followers_only",
    "private": "only_me",
}
_RACE = {"foot": 1, "ride": 11}  # Strava's workout_type of a race
_MOST_OFFSET_S = 26 * 3600.0
_COLUMNS = {
    "distance": "distance",
    "total_elevation_gain": "elevationGain",
    "elev_high": "maxElevation",
    "elev_low": "minElevation",
    "average_speed": "averageSpeed",
    "max_speed": "maxSpeed",
    "average_heartrate": "averageHR",
    "max_heartrate": "maxHR",
    "average_watts": "avgPower",
    "max_watts": "maxPower",
    "weighted_average_watts": "normPower",
    "calories": "calories",
}


def identity(item: dict[str, Any]) -> str:
    """Return an activity's id; InvalidData if it has none."""
    found = Reader(item).integer("activityId")
    if found is None or found <= 0:
        raise InvalidData(f"an activity without an id: {names_of(item)}", reason="no_id")
    return str(found)


def start_s(item: dict[str, Any]) -> float | None:
    """Return when it began, UNIX seconds; either of two fields may say it."""
    return _began_s(Reader(item))


def _began_s(reader: Reader) -> float | None:
    told = _moment_s(reader, "startTimeGMT")
    return told if told is not None else _moment_s(reader, "beginTimestamp")


def _moment_s(reader: Reader, name: str) -> float | None:
    """Read a time as UNIX seconds: text without a zone, or milliseconds, as Garmin has both."""
    value = reader.fields.get(name)
    if isinstance(value, str) and not value.strip().isdecimal():
        return reader.moment(name)
    told_ms = reader.number(name)
    return None if told_ms is None else told_ms / 1000


def listed(item: dict[str, Any], athlete: str) -> Listed:
    """Read one item of the list; InvalidData if it lacks what every activity has.

    A leg of a multisport outing (it names its parent) is a stub: the outing, which is listed too,
    has it, and would count twice otherwise.
    """
    item = sound(item)
    source_id = identity(item)
    reader = Reader(item)
    began_s = start_s(item)
    if began_s is None:
        raise InvalidData(f"activity {source_id} says not when it began", reason="no_start")
    told = {k: v for k, v in item.items() if not k.startswith(_NOT_OF_IT)}
    digest = content_hash(told)
    is_leg = reader.integer("parentId") is not None
    row: dict[str, object] = {
        **identified(SOURCE, athlete, source_id),
        "content_hash": digest,
        "facts_hash": content_hash({k: v for k, v in told.items() if k not in _SOCIAL}),
        "track_hash": "" if is_leg else _track_hash(item, reader),
        "is_stub": is_leg,
        **_described(reader),
        **_timed(reader, began_s),
        **_measured(reader),
        "has_track": False,
        "point_count": 0,
        "leg_index": 0,
        "leg_count": 0,
        "problems": list(dict.fromkeys(reader.problems)),
    }
    return Listed(source_id, began_s, digest, None, row)


def _track_hash(item: dict[str, Any], reader: Reader) -> str:
    """Hash what changes with the file; empty for an activity that was entered by hand."""
    if _is_manual(reader):
        return ""
    return content_hash([item.get(name) for name in _SHAPE.split()])


def _is_manual(reader: Reader) -> bool:
    """Tell whether it was entered by hand; Garmin's model names the flag both ways."""
    return bool(reader.truth("manualActivity") or reader.truth("isManualActivity"))


def _described(reader: Reader) -> dict[str, object]:
    key = reader.object("activityType").text("typeKey")
    event = reader.object("eventType").text("typeKey")
    visible = reader.object("privacy").text("typeKey")
    sport = sports.sport_type(key)
    return {
        "name": reader.text("activityName"),
        "description": reader.text("description"),
        "sport_type": sport,
        "trainer": sports.is_trainer(key),
        "manual": _is_manual(reader),
        "commute": True if event == "transportation" else None,
        "workout_type": _RACE.get(family(sport)) if event == "race" else None,
        "visibility": _VISIBILITY.get(visible or "", visible),
    }


def _timed(reader: Reader, began_s: float) -> dict[str, object]:
    """Read the times; the zone is that of the place, for Garmin only has a number of its own."""
    local_s = _moment_s(reader, "startTimeLocal")
    offset_s = None if local_s is None else local_s - began_s
    if offset_s is not None and abs(offset_s) > _MOST_OFFSET_S:
        offset_s = None
    key = reader.object("activityType").text("typeKey") or ""
    zone, zone_offset_s = zone_at(
        began_s, _position(reader, "start"), offset_s, is_virtual="virtual" in key
    )
    duration_s = reader.number("duration")
    moving_s, elapsed_s = reader.number("movingDuration"), reader.number("elapsedDuration")
    return {
        "start_s": began_s,
        "utc_offset_s": zone_offset_s if offset_s is None else offset_s,
        "timezone": zone,
        "moving_time": moving_s or duration_s,
        "elapsed_time": elapsed_s or duration_s,
    }


def _measured(reader: Reader) -> dict[str, object]:
    start, end = _position(reader, "start"), _position(reader, "end")
    return {
        **{column: reader.number(name) for column, name in _COLUMNS.items()},
        "average_cadence": _cadence_rpm(reader),
        "start_lat": start and start[0],
        "start_lng": start and start[1],
        "end_lat": end and end[0],
        "end_lng": end and end[1],
    }


def _cadence_rpm(reader: Reader) -> float | None:
    """Return turns of one leg or crank; a runner's are told as steps of both."""
    steps = reader.number("averageRunningCadenceInStepsPerMinute")
    if steps is not None:
        return steps / 2
    turns = reader.number("averageBikingCadenceInRevPerMinute")
    return turns if turns is not None else reader.number("averageSwimCadenceInStrokesPerMinute")


def _position(reader: Reader, which: str) -> tuple[float, float] | None:
    names = f"{which}Latitude", f"{which}Longitude"
    lat, lng = Reader({"at": [reader.fields.get(name) for name in names]}).position("at")
    return None if lat is None or lng is None else (lat, lng)


SERVICE = Service(name=SOURCE, title="Garmin", identity=identity, listed=listed)
