"""From intervals.icu's JSON to bronze's rows: an activity as the list has it.

Fields: the service's OpenAPI document (https://intervals.icu/api/v1/docs). What it got from Strava
it only names, as five keys: an activity's id there and its start, the clock on the wall. Pure.
"""

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tracklake.clock import from_unix
from tracklake.errors import InvalidData
from tracklake.identity import content_hash
from tracklake.json_reader import Reader, names_of, sound
from tracklake.upstream.listed import Listed, Service, identified

SOURCE = "intervals"
TITLE = "intervals.icu"

_ID = re.compile(r"[\w:-]{1,64}", re.ASCII)
_STRAVA_ID = re.compile(r"[1-9]\d{0,18}")
_MOST_OFFSET_S = 26 * 3600.0
# Another version of these, another original file.
_FILE = ("external_id", "file_type", "file_sport_index", "created", "icu_sync_date")
# Another version of these, other intervals.
_ANALYSIS = (
    *("analyzed", "icu_sync_date", "icu_intervals_edited", "icu_lap_count", "interval_summary"),
    *("icu_ftp", "lthr"),
)
_SAYS_MORE = ("type", "moving_time", "elapsed_time", "distance")  # than a stub does
# Its own words where Strava has others.
_SPORTS = {"OpenWaterSwim": "Swim", "TrackRide": "Ride", "Cyclocross": "Ride"}


def identity(item: dict[str, Any]) -> str:
    """Return an activity's id; InvalidData if it has none."""
    found = Reader(item).text("id") or ""
    if not _ID.fullmatch(found):
        raise InvalidData(f"an activity without an id: {names_of(item)}", reason="no_id")
    return found


def listed(item: dict[str, Any], athlete: str) -> Listed:
    """Read one item of the list; InvalidData if it lacks what every activity has."""
    item = sound(item)
    source_id = identity(item)
    reader = Reader(item)
    start_s, offset_s = _start(reader, source_id)
    digest = content_hash(item)
    from_strava = (reader.text("source") or "").upper() == "STRAVA"
    has_file = not from_strava and not _is_manual(reader)
    row: dict[str, Any] = {
        **identified(SOURCE, athlete, source_id),
        "content_hash": digest,
        "strava_id": _strava_id(reader, source_id, from_strava=from_strava),
        "external_id": reader.text("external_id"),
        "is_stub": from_strava and not any(name in item for name in _SAYS_MORE),
        "track_hash": content_hash([item.get(name) for name in _FILE]) if has_file else "",
        "facts_hash": _analysis(item) if has_file else "",
        "start_s": start_s,
        "utc_offset_s": offset_s,
        "timezone": _zone(reader.text("timezone")),
        **_told(reader),
        **_measured(reader),
        "has_track": False,
        "point_count": 0,
        "leg_index": 0,
        "leg_count": 0,
    }
    return Listed(source_id, start_s, digest, None, {**row, "problems": reader.problems})


def _start(reader: Reader, source_id: str) -> tuple[float, float]:
    """Return the start, UNIX seconds, and local time minus UTC; 0 where neither is told.

    `start_date_local` is the clock on the wall. Without `start_date` and a zone it is all there is,
    and stands for UTC: hours off, which is for whoever matches records to know.
    """
    start_s, local_s = reader.moment("start_date"), reader.moment("start_date_local")
    if start_s is None and local_s is not None:
        start_s = local_s - _offset_s(_zone(reader.text("timezone")), local_s)
    if start_s is None:
        raise InvalidData(f"activity {source_id} says not when it began", reason="no_start")
    offset_s = 0.0 if local_s is None else local_s - start_s
    return start_s, offset_s if abs(offset_s) <= _MOST_OFFSET_S else 0.0


def _offset_s(zone: str | None, local_s: float) -> float:
    wall = from_unix(local_s).replace(tzinfo=ZoneInfo(zone) if zone else dt.UTC)
    return (wall.utcoffset() or dt.timedelta(0)).total_seconds()


def _zone(text: str | None) -> str | None:
    """Take a zone that the tz database knows."""
    try:
        return ZoneInfo(text or "").key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _is_manual(reader: Reader) -> bool:
    return (reader.text("source") or "").upper() == "MANUAL"


def _strava_id(reader: Reader, source_id: str, *, from_strava: bool) -> int | None:
    """Return the id at Strava: a stub's own, or what another record names."""
    told = source_id if from_strava else reader.text("strava_id") or ""
    return int(told) if _STRAVA_ID.fullmatch(told) and int(told) < 2**63 else None


def _analysis(item: dict[str, Any]) -> str:
    """Hash what the intervals depend on; empty as long as nothing was analysed."""
    if "analyzed" in item and not item["analyzed"]:
        return ""
    return content_hash([item.get(name) for name in _ANALYSIS])


def _told(reader: Reader) -> dict[str, object]:
    """Read what the athlete says of it."""
    sport = reader.text("type")
    part = (reader.text("sub_type") or "").upper()
    is_race = reader.truth("race") or part == "RACE"
    return {
        "name": reader.text("name"),
        "description": reader.text("description"),
        "sport_type": _SPORTS.get(sport or "", sport),
        "gear_id": reader.object("gear").text("id"),
        "commute": True if part == "COMMUTE" else reader.truth("commute"),
        "manual": _is_manual(reader),
        "trainer": bool(reader.truth("trainer")),
        "workout_type": _race(sport or "") if is_race else None,
    }


def _race(sport: str) -> int | None:
    """Return Strava's number for a race, of which it knows runs and rides."""
    return next((number for word, number in (("Run", 1), ("Ride", 11)) if word in sport), None)


def _measured(reader: Reader) -> dict[str, object]:
    joules, distance = reader.number("icu_joules"), reader.number("distance")
    numbers = {
        name: reader.number(name)
        for name in (
            *("moving_time", "elapsed_time", "total_elevation_gain", "average_speed"),
            *("max_speed", "average_heartrate", "max_heartrate", "average_cadence"),
            *("average_temp", "calories"),
        )
    }
    return {
        **numbers,
        "distance": reader.number("icu_distance") if distance is None else distance,
        "elev_high": reader.number("max_altitude"),
        "elev_low": reader.number("min_altitude"),
        "average_watts": reader.number("icu_average_watts"),
        "weighted_average_watts": reader.number("icu_weighted_avg_watts"),
        "kilojoules": None if joules is None else joules / 1000,
        "device_watts": reader.truth("device_watts"),
        "device_name": reader.text("device_name"),
    }


SERVICE = Service(name=SOURCE, title=TITLE, identity=identity, listed=listed)
