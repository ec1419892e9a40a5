"""Whether gold says of an activity's details, parts and points what the simulator does.

Each function returns sentences on what differs; none: all is equal.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.sources.strava_place import Place, moment, same
from tests.upstream import details
from tests.upstream.activities import Payload

DETAILED = (
    *("description", "private_note", "calories", "perceived_exertion", "device_name", "gear_id"),
    *("kudos_count", "comment_count", "hide_from_home", "embed_token", "available_zones"),
)
LAP = (
    *("distance", "elapsed_time", "moving_time", "average_speed", "max_speed"),
    *("total_elevation_gain", "average_heartrate", "max_heartrate", "average_cadence"),
    *("average_watts", "lap_index"),
)
SEGMENT = ("average_grade", "maximum_grade", "elevation_high", "elevation_low", "climb_category")
EFFORT = (
    *("name", "elapsed_time", "moving_time", "distance", "start_index", "end_index"),
    *("average_heartrate", "max_heartrate", "average_cadence", "average_watts", "device_watts"),
    *("pr_rank", "kom_rank", "hidden"),
)
CHANNELS = {
    "altitude": "altitude_m",
    "distance": "distance_m",
    "velocity_smooth": "velocity_mps",
    "heartrate": "heartrate_bpm",
    "cadence": "cadence_rpm",
    "watts": "power_w",
    "temp": "temperature_c",
    "moving": "moving",
    "grade_smooth": "grade_pct",
}

Row = dict[str, Any]


def of_details(place: Place, ids: Iterable[int], *, all_efforts: bool = False) -> list[str]:
    """Compare details and everything that comes with them."""
    said: list[str] = []
    gold = {table: _by_activity(place, table, ORDER[table]) for table in PARTS}
    known = _by_activity(place, "activity_details", "fetched_at")
    for one in ids:
        told = place.upstream.account.detail(one, all_efforts=all_efforts)
        said += _differences(f"{one} details", known.get(one, []), [_detail(told)])
        for table, expected in PARTS.items():
            said += _differences(f"{one} {table}", gold[table].get(one, []), expected(told))
    return said


def of_streams(place: Place, ids: Iterable[int]) -> list[str]:
    """Compare the points of activities: how many, and every channel's values."""
    said: list[str] = []
    gold = _by_activity(place, "activity_streams", "point_index")
    counts = {
        row["id"]: (row["point_count"], row["stream_source"])
        for row in place.query("select id, point_count, stream_source from activities")
    }
    for one in ids:
        points = gold.get(one, [])
        told = place.upstream.account.streams(one) or {}
        said += _differences(f"{one} points", points, _points(told))
        if counts[one][0] != len(points):
            said.append(f"{one}: {counts[one][0]} points are counted, {len(points)} are there")
        if points and counts[one][1] != "strava":
            said.append(f"{one}: the points are said to be {counts[one][1]}'s")
    return said


def of_gear(place: Place, gear_ids: Iterable[str]) -> list[str]:
    """Compare bikes and shoes."""
    expected = [
        {
            "gear_id": told["id"],
            "name": told["name"],
            "brand": told["brand_name"],
            "model": told["model_name"],
            "nickname": told.get("nickname") or None,
            "distance_m": told["distance"],
            "is_retired": told["retired"],
            "is_primary": told["primary"],
            "kind": {"b": "bike", "g": "shoes"}[told["id"][0]],
        }
        for told in map(details.gear, sorted(gear_ids))
    ]
    return _differences("gear", place.query("select * from gear order by gear_id"), expected)


def _by_activity(place: Place, table: str, order: str) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    rows = place.query(f"select * from {table} order by activity_id, {order}")  # noqa: S608 our own
    for row in rows:
        found.setdefault(int(row["activity_id"]), []).append(row)
    return found


def _differences(label: str, found: list[Row], expected: list[Row]) -> list[str]:
    if len(found) != len(expected):
        return [f"{label}: {len(found)} rows, not {len(expected)}"]
    return [
        f"{label}, row {number}: {name} is {row[name]!r}, not {value!r}"
        for number, (row, wanted) in enumerate(zip(found, expected, strict=True))
        for name, value in wanted.items()
        if not same(row[name], value)
    ]


def _taken(told: Mapping[str, Any], names: Iterable[str]) -> Row:
    return {name: told.get(name) for name in names}


def _detail(told: Payload) -> Row:
    row = _taken(told, DETAILED)
    row["gear_name"] = (told["gear"] or {}).get("name")
    row["photo_count"] = told["photos"]["count"]
    row["polyline"] = told["map"]["polyline"] or None
    return row


def _laps(told: Payload) -> list[Row]:
    return [
        _taken(lap, LAP) | {"start_date": moment(lap["start_date"])}
        for lap in sorted(told["laps"], key=lambda lap: int(lap["lap_index"]))
    ]


def _splits(told: list[Payload]) -> list[Row]:
    return [
        {
            "split_index": split["split"],
            "distance_m": split["distance"],
            "elapsed_time_seconds": split["elapsed_time"],
            "moving_time_seconds": split["moving_time"],
            "average_speed": split["average_speed"],
            "elevation_difference": split["elevation_difference"],
            "average_heartrate": split.get("average_heartrate"),
            "pace_zone": split["pace_zone"],
        }
        for split in told
    ]


def _efforts(told: Payload) -> list[Row]:
    return [
        {
            "effort_id": effort["id"],
            "segment_id": effort["segment"]["id"],
            "start_date": moment(effort["start_date"]),
            "segment_distance": effort["segment"]["distance"],
            **_taken(effort, EFFORT),
            **_taken(effort["segment"], (*SEGMENT, "city", "state", "country")),
        }
        for effort in sorted(told["segment_efforts"], key=lambda effort: int(effort["id"]))
    ]


PARTS = {
    "activity_laps": _laps,
    "activity_splits_metric": lambda told: _splits(told["splits_metric"]),
    "activity_splits_standard": lambda told: _splits(told["splits_standard"]),
    "activity_segment_efforts": _efforts,
}


ORDER = {
    "activity_laps": "lap_index",
    "activity_splits_metric": "split_index",
    "activity_splits_standard": "split_index",
    "activity_segment_efforts": "effort_id",
}


def _points(told: dict[str, Payload]) -> list[Row]:
    """Return points as rows; what Strava did not send or left open is nothing."""
    if not told:
        return []
    data = {name: stream["data"] for name, stream in told.items()}
    rows = []
    for index, time_s in enumerate(data["time"]):
        row: Row = {"point_index": index, "time_s": time_s}
        row |= {column: data[name][index] for name, column in CHANNELS.items() if name in data}
        missing = [column for name, column in CHANNELS.items() if name not in data]
        row |= dict.fromkeys(set(missing) - {"moving", "grade_pct"})
        lat, lng = data["latlng"][index] if "latlng" in data else (None, None)
        rows.append(row | {"lat": lat, "lng": lng})
    return rows


def efforts_of_strava(place: Place, one: int) -> list[Row]:
    """Return the best efforts that the service lists for a run, as gold should have them."""
    told = place.upstream.account.detail(one)["best_efforts"]
    return [
        {
            "kind": "distance",
            "origin": "source",
            "name": effort["name"],
            "distance_m": effort["distance"],
            "elapsed_time": effort["elapsed_time"],
            "moving_time": effort["moving_time"],
            "start_date": moment(effort["start_date"]),
            **_taken(effort, ("start_index", "end_index", "pr_rank")),
        }
        for effort in sorted(told, key=lambda effort: str(effort["name"]))
    ]


def of_best_efforts(place: Place, one: int) -> list[str]:
    """Compare the efforts over distances of a run with the service's own list."""
    rows = place.query(
        "select * from activity_best_efforts where activity_id = ? and kind = 'distance' "
        "order by name",
        one,
    )
    return _differences(f"{one} best efforts", rows, efforts_of_strava(place, one))
