"""From Strava's JSON to bronze's rows: an activity as the list has it.

Fields and their quirks: Strava's API reference (https://developers.strava.com/docs/reference) and
what recordings show. Pure.
"""

from typing import Any

from tracklake.analysis.local_time import zone_at
from tracklake.errors import InvalidData
from tracklake.identity import content_hash
from tracklake.json_reader import Reader, names_of, sound
from tracklake.upstream import listed as listing
from tracklake.upstream.listed import Listed, Service

SOURCE = "strava"

# What others do to an activity: no reason to ask for its details again.
_SOCIAL = frozenset(
    (
        *("kudos_count", "comment_count", "photo_count", "total_photo_count"),
        *("athlete_count", "has_kudoed"),
    )
)
# What changes when its points do (a crop, another upload).
_SHAPE = (
    "distance moving_time elapsed_time start_date upload_id external_id start_latlng end_latlng"
)
_HIDDEN_START = "T00:00:01Z"  # since July 2024 Strava shows a hidden start time as this
_MOST_OFFSET_S = 26 * 3600.0  # some zones were a day off before they moved the date line


def identity(item: dict[str, Any]) -> str:
    """Return an activity's id; InvalidData if it has none."""
    found = Reader(item).integer("id")
    if found is None or found <= 0:
        raise InvalidData(f"an activity without an id: {names_of(item)}", reason="no_id")
    return str(found)


def listed(item: dict[str, Any], athlete: str) -> Listed:
    """Read one item of the list; InvalidData if it lacks what every activity has."""
    item = sound(item)
    source_id = identity(item)
    reader = Reader(item)
    start_s = reader.moment("start_date")
    if start_s is None:
        raise InvalidData(f"activity {source_id} says not when it began", reason="no_start")
    polyline = reader.object("map").text("summary_polyline") or None
    digest = content_hash(item)
    row: dict[str, Any] = {
        **identified(athlete, source_id),
        "content_hash": digest,
        "strava_id": int(source_id),
        "external_id": reader.text("external_id"),
        "facts_hash": content_hash({k: v for k, v in item.items() if k not in _SOCIAL}),
        "track_hash": _track_hash(item, reader, polyline),
        **_told(reader, start_s),
        **_measured(reader),
        "summary_polyline": polyline,
        "has_track": False,
        "point_count": 0,
        "leg_index": 0,
        "leg_count": 0,
    }
    row["timezone"] = row["timezone"] or _zone_there(row)
    return Listed(source_id, start_s, digest, polyline, {**row, "problems": reader.problems})


def identified(athlete: str, source_id: str) -> dict[str, object]:
    """Return the columns that say whose record of what a row is about."""
    return listing.identified(SOURCE, athlete, source_id)


def _track_hash(item: dict[str, Any], reader: Reader, polyline: str | None) -> str:
    """Hash what moves the points; empty for an activity that was entered by hand."""
    if reader.truth("manual"):
        return ""
    return content_hash([polyline, *(item.get(name) for name in _SHAPE.split())])


def _told(reader: Reader, start_s: float) -> dict[str, object]:
    """Read what the athlete says of it, and others."""
    hidden = any(
        (reader.text(name) or "").endswith(_HIDDEN_START)
        for name in ("start_date", "start_date_local")
    )
    return {
        "name": reader.text("name"),
        "sport_type": reader.text("sport_type") or reader.text("type"),
        "start_s": start_s,
        "utc_offset_s": _utc_offset_s(reader, start_s),
        "timezone": _zone(reader.text("timezone")),
        "start_hidden": hidden,
        "gear_id": reader.text("gear_id"),
        "visibility": reader.text("visibility"),
        **{name: reader.truth(name) for name in ("commute", "manual", "flagged")},
        "trainer": bool(reader.truth("trainer")),
        **{
            name: reader.integer(name)
            for name in (
                *("workout_type", "kudos_count", "comment_count", "athlete_count"),
                *("achievement_count", "pr_count", "upload_id"),
            )
        },
        "photo_count": _largest(reader.integer("total_photo_count"), reader.integer("photo_count")),
        "suffer_score": reader.number("suffer_score"),
    }


def _utc_offset_s(reader: Reader, start_s: float) -> float:
    """Read local time minus UTC; 0 where nothing that is said can be one."""
    local_s = reader.moment("start_date_local")  # ends in Z, but is what the clock on the wall said
    told = [None if local_s is None else local_s - start_s, reader.number("utc_offset")]
    return next((one for one in told if one is not None and abs(one) <= _MOST_OFFSET_S), 0.0)


def _measured(reader: Reader) -> dict[str, object]:
    start, end = reader.position("start_latlng"), reader.position("end_latlng")
    numbers = {
        name: reader.number(name)
        for name in (
            *("distance", "moving_time", "elapsed_time", "total_elevation_gain"),
            *("elev_high", "elev_low", "average_speed", "max_speed", "average_heartrate"),
            *("max_heartrate", "average_watts", "max_watts", "weighted_average_watts"),
            *("kilojoules", "average_cadence", "average_temp", "calories"),
        )
    }
    return {
        **numbers,
        "device_watts": reader.truth("device_watts"),
        "device_name": reader.text("device_name"),
        "start_lat": start[0],
        "start_lng": start[1],
        "end_lat": end[0],
        "end_lng": end[1],
    }


def _largest(first: int | None, second: int | None) -> int | None:
    return max((count for count in (first, second) if count is not None), default=None)


def _zone(text: str | None) -> str | None:
    """Take the IANA zone of "(GMT-05:00) America/New_York"; the offset is the winter's."""
    zone = (text or "").rpartition(" ")[2]
    return zone if "/" in zone else None


def _zone_there(row: dict[str, Any]) -> str | None:
    """Return the zone of where it starts, for Strava said none; a game's place tells nothing."""
    if row["start_lat"] is None or str(row["sport_type"]).startswith("Virtual"):
        return None
    return zone_at(row["start_s"], (row["start_lat"], row["start_lng"]), None)[0]


SERVICE = Service(name=SOURCE, title="Strava", identity=identity, listed=listed)
