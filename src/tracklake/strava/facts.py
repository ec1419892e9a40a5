"""From Strava's JSON to bronze's rows: what it says of one activity beyond its list, and of gear.

Fields and their quirks: Strava's API reference (https://developers.strava.com/docs/reference) and
what recordings show. Pure.
"""

from typing import Any

from tracklake.identity import content_hash
from tracklake.json_reader import Reader, sound
from tracklake.strava.records import SOURCE, identified, identity

_NO_END = -1  # the `max` of the last zone


def detail(item: dict[str, Any], athlete: str, *, all_efforts: bool) -> dict[str, object]:
    """Read a DetailedActivity; `all_efforts` says that it was asked for with all of them."""
    item = sound(item)
    source_id = identity(item)
    reader = Reader(item)
    gear = reader.object("gear")
    zones = item.get("available_zones")
    return {
        **identified(athlete, source_id),
        "content_hash": content_hash(item),
        "outcome": "all_efforts" if all_efforts else "done",
        "all_efforts": all_efforts,
        "description": reader.text("description"),
        "private_note": reader.text("private_note"),
        "calories": reader.number("calories"),
        "perceived_exertion": reader.number("perceived_exertion"),
        "device_name": reader.text("device_name"),
        "gear_id": reader.text("gear_id"),
        "gear_name": gear.text("name"),
        "kudos_count": reader.integer("kudos_count"),
        "comment_count": reader.integer("comment_count"),
        "photo_count": reader.object("photos").integer("count"),
        "hide_from_home": reader.truth("hide_from_home"),
        "embed_token": reader.text("embed_token"),
        "polyline": reader.object("map").text("polyline"),
        "available_zones": [str(z) for z in zones] if isinstance(zones, list) else None,
        "laps": _once("lap_index", [_lap(n, lap) for n, lap in _numbered(reader, "laps")]),
        "splits_metric": _splits(reader, "splits_metric"),
        "splits_standard": _splits(reader, "splits_standard"),
        "best_efforts": _once(
            "name", [_best_effort(one) for one in reader.objects("best_efforts")]
        ),
        "segment_efforts": _once(
            "effort_id", [_segment_effort(one) for one in reader.objects("segment_efforts")]
        ),
    }


def _numbered(reader: Reader, name: str) -> list[tuple[int, Reader]]:
    return list(enumerate(reader.objects(name), start=1))


def _once(key: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Keep one row of each key, and those that have one."""
    return list({row[key]: row for row in rows if row[key] is not None}.values())


def _lap(number: int, lap: Reader) -> dict[str, object]:
    return {
        "lap_index": lap.small("lap_index") or number,
        "start_s": lap.moment("start_date"),
        **_numbers(lap, "distance elapsed_time moving_time average_speed max_speed"),
        **_numbers(lap, "total_elevation_gain average_heartrate max_heartrate average_cadence"),
        **_numbers(lap, "average_watts"),
    }


def _numbers(reader: Reader, names: str) -> dict[str, object]:
    return {name: reader.number(name) for name in names.split()}


def _splits(reader: Reader, name: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {
            "split_index": split.small("split") or number,
            "distance_m": split.number("distance"),
            "elapsed_time_seconds": split.number("elapsed_time"),
            "moving_time_seconds": split.number("moving_time"),
            "average_speed": split.number("average_speed"),
            "elevation_difference": split.number("elevation_difference"),
            "average_heartrate": split.number("average_heartrate"),
            "pace_zone": split.small("pace_zone"),
        }
        for number, split in _numbered(reader, name)
    ]
    return _once("split_index", rows)


def _best_effort(effort: Reader) -> dict[str, object]:
    return {
        "name": effort.text("name"),
        "distance_m": effort.number("distance"),
        "elapsed_time": effort.number("elapsed_time"),
        "moving_time": effort.number("moving_time"),
        "start_s": effort.moment("start_date"),
        **{name: effort.small(name) for name in ("start_index", "end_index", "pr_rank")},
    }


def _segment_effort(effort: Reader) -> dict[str, object]:
    segment = effort.object("segment")
    return {
        "effort_id": effort.integer("id"),
        "segment_id": segment.integer("id"),
        "name": effort.text("name") or segment.text("name"),
        "start_s": effort.moment("start_date"),
        **_numbers(effort, "elapsed_time moving_time distance average_heartrate max_heartrate"),
        **_numbers(effort, "average_cadence average_watts"),
        "device_watts": effort.truth("device_watts"),
        **{n: effort.small(n) for n in ("start_index", "end_index", "pr_rank", "kom_rank")},
        "hidden": effort.truth("hidden"),
        "segment_distance": segment.number("distance"),
        **_numbers(segment, "average_grade maximum_grade elevation_high elevation_low"),
        "climb_category": segment.small("climb_category"),
        **{name: segment.text(name) for name in ("city", "state", "country")},
    }


def zones(items: list[Any], athlete: str, source_id: str) -> dict[str, object]:
    """Read an activity's zones."""
    rows = [
        {
            "zone_type": zone.text("type"),
            "zone_index": number,
            "zone_min": bucket.number("min"),
            "zone_max": None if bucket.number("max") == _NO_END else bucket.number("max"),
            "time_s": bucket.number("time"),
            "sensor_based": zone.truth("sensor_based"),
            "custom_zones": zone.truth("custom_zones"),
        }
        for zone in Reader({"zones": sound(items)}).objects("zones")
        for number, bucket in _numbered(zone, "distribution_buckets")
    ]
    return {
        **identified(athlete, source_id),
        "content_hash": content_hash(sound(items)),
        "outcome": "done",
        "zones": rows,
    }


def gear(item: dict[str, Any], athlete: str) -> dict[str, object]:
    """Read a bike (its id begins with b) or a pair of shoes (g)."""
    item = sound(item)
    reader = Reader(item)
    gear_id = reader.text("id") or ""
    return {
        "source": SOURCE,
        "athlete": athlete,
        "source_id": gear_id,
        "content_hash": content_hash(item),
        "gear_id": gear_id,
        "name": reader.text("name") or gear_id,
        "kind": {"b": "bike", "g": "shoes"}.get(gear_id[:1]),
        "brand": reader.text("brand_name"),
        "model": reader.text("model_name"),
        "nickname": reader.text("nickname") or None,
        "distance_m": reader.number("distance"),
        "is_retired": reader.truth("retired"),
        "is_primary": reader.truth("primary"),
    }


def nothing(athlete: str, source_id: str, outcome: str) -> dict[str, object]:
    """Return what is known when the service has nothing of a kind about an activity."""
    return {**identified(athlete, source_id), "content_hash": outcome, "outcome": outcome}
