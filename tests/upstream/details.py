"""What the service tells of one activity: the detail with its parts, streams, zones, kudos."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from tests.upstream import activities, tracks
from tests.upstream.activities import TEMPLATES, Item, Payload

MILE_M = 1609.344
BEST_EFFORTS_M = {
    "400m": 400.0, "1/2 mile": 804.672, "1k": 1_000.0, "1 mile": MILE_M, "2 mile": 2 * MILE_M,
    "5k": 5_000.0, "10k": 10_000.0, "15k": 15_000.0, "10 mile": 10 * MILE_M, "20k": 20_000.0,
    "Half-Marathon": 21_097.5, "30k": 30_000.0, "Marathon": 42_195.0,
}  # fmt: skip
LAP_M = 5_000.0


def detail(item: Item, *, all_efforts: bool = False) -> Payload:
    """Return DetailedActivity; `all_efforts` adds the segment efforts that are no records."""
    shown: Payload = {**activities.summary(item), **TEMPLATES["detail"], "resource_state": 3}
    shown["device_name"] = None if item.manual else "Garmin Forerunner 945"
    shown["calories"] = round(item.course().moving_s * 0.17, 1)
    line = tracks.positions(item.course(), 200) if item.gps and not item.manual else None
    shown["map"] = {
        "id": f"a{item.id}",
        "polyline": "" if line is None else tracks.polyline(line),
        "resource_state": 3,
        "summary_polyline": shown["map"]["summary_polyline"],
    }
    shown["photos"] = shown["photos"] | {"primary": None, "use_primary_photo": False, "count": 0}
    shown["laps"] = laps(item)
    gear_id = item.fields.get("gear_id")
    shown["gear"] = gear_summary(gear_id) if gear_id else None
    shown |= _parts(item, all_efforts=all_efforts)
    return shown | {name: value for name, value in item.fields.items() if name != "map"}


def _parts(item: Item, *, all_efforts: bool) -> Payload:
    if item.manual:
        return {"splits_metric": [], "splits_standard": [], "best_efforts": []}
    running = item.kind.type == "Run"
    parts: Payload = {
        "splits_metric": splits(item, 1_000.0),
        "splits_standard": splits(item, MILE_M),
        "segment_efforts": segment_efforts(item, all_efforts=all_efforts) if item.gps else [],
    }
    return parts | {"best_efforts": best_efforts(item) if running else []}


def _pieces(item: Item, step_m: float) -> Iterator[tuple[float, float]]:
    """Cut the distance into whole steps and a rest: yield (from, to) in metres."""
    total_m, start_m = item.course().distance_m, 0.0
    while start_m < total_m - 1:
        yield start_m, min(start_m + step_m, total_m)
        start_m += step_m


def _stretch(item: Item, start_m: float, end_m: float) -> Payload:
    """Return what laps and efforts say of a stretch: time, distance, indices into the streams."""
    course = item.course()
    total_m = max(course.distance_m, 1.0)
    begin_s = int(course.moving_s * start_m / total_m)
    time_s = max(1, int(course.moving_s * end_m / total_m) - begin_s)
    start = item.start + dt.timedelta(seconds=begin_s)
    last = max(0, course.points - 1)
    return {
        "activity": {"id": item.id, "visibility": "everyone", "resource_state": 1},
        "athlete": {"id": activities.ATHLETE_ID, "resource_state": 1},
        "elapsed_time": time_s,
        "moving_time": time_s,
        "start_date": activities.stamp(start),
        "start_date_local": activities.local_stamp(start),
        "distance": round(end_m - start_m, 1),
        "start_index": int(last * start_m / total_m),
        "end_index": int(last * end_m / total_m),
    }


def laps(item: Item) -> list[Payload]:
    """Return laps of 5 km; at least one."""
    pieces = list(_pieces(item, LAP_M)) or [(0.0, item.course().distance_m)]
    mean = activities.mean_speed(item.course())
    return [
        TEMPLATES["lap"]
        | _stretch(item, start_m, end_m)
        | {"id": item.id * 4 + index, "name": f"Lap {index}", "lap_index": index, "split": index}
        | {"average_speed": mean}
        for index, (start_m, end_m) in enumerate(pieces, start=1)
    ]


def splits(item: Item, step_m: float) -> list[Payload]:
    """Return one row for each kilometre or mile, and one for the rest."""
    return [
        TEMPLATES["split"]
        | {
            name: value
            for name, value in _stretch(item, start_m, end_m).items()
            if name in TEMPLATES["split"]
        }
        | {"split": index, "elevation_difference": None if index % 7 == 0 else 0.5}
        for index, (start_m, end_m) in enumerate(_pieces(item, step_m), start=1)
    ]


def best_efforts(item: Item) -> list[Payload]:
    """Return an effort for each usual distance that the run is long enough for."""
    total_m = item.course().distance_m
    fitting = [(name, length) for name, length in BEST_EFFORTS_M.items() if length <= total_m]
    return [
        TEMPLATES["best_effort"]
        | _stretch(item, 0.0, length_m)
        | {"id": item.id * 16 + index, "name": name, "distance": int(length_m)}
        | {"pr_rank": None, "achievements": []}
        for index, (name, length_m) in enumerate(fitting)
    ]


def segment_efforts(item: Item, *, all_efforts: bool) -> list[Payload]:
    """Return up to three efforts, the first a record; ids take 19 digits, as newer ones do."""
    total_m = item.course().distance_m
    count = item.seed % 4 if all_efforts else min(1, item.seed % 4)
    efforts = []
    for index in range(count):
        stretch = _stretch(item, total_m * index / 5, total_m * (index + 1) / 5)
        efforts.append(
            TEMPLATES["segment_effort"]
            | stretch
            | {"id": 2_700_000_000_000_000_001 + item.id * 8 + index}
            | {"pr_rank": 1 if index == 0 else None}
        )
    return efforts


def streams(item: Item) -> dict[str, Payload] | None:
    """Return every stream by type; None for a manual entry."""
    if item.manual or item.points < 1:
        return None
    return {
        name: {
            "data": data,
            "series_type": "distance",
            "original_size": item.points,
            "resolution": "high",
        }
        for name, data in tracks.channels(item.course()).items()
    }


def zones(item: Item) -> list[Payload]:
    """Return time in zones; nothing for a manual entry."""
    found: list[Payload] = [] if item.manual else TEMPLATES["zones"]
    return found


def kudoers(item: Item) -> list[Payload]:
    """Return who gave kudos: names only, no ids, as the service does."""
    return [
        TEMPLATES["kudoer"] | {"firstname": f"Jo{index}", "lastname": "R."}
        for index in range(item.kudos)
    ]


def gear(gear_id: str) -> Payload:
    """Return DetailedGear: bikes begin with b, shoes with g."""
    template: Payload = TEMPLATES["bike" if gear_id.startswith("b") else "shoe"]
    return {**template, "id": gear_id, "retired": False, "name": f"Gear {gear_id}"}


def gear_summary(gear_id: str) -> Payload:
    """Return SummaryGear, as activities and the athlete carry it."""
    known = gear(gear_id)
    return {name: known.get(name, value) for name, value in TEMPLATES["gear"].items()} | {
        "resource_state": 2
    }


def stats(items: list[Item]) -> dict[str, Any]:
    """Return ActivityStats; counts only what everyone may see."""
    shown: dict[str, Any] = dict(TEMPLATES["stats"])
    for name, type_ in (("ride", "Ride"), ("run", "Run"), ("swim", "Swim")):
        group = [item for item in items if item.kind.type == type_ and not item.private]
        shown[f"all_{name}_totals"] = shown[f"all_{name}_totals"] | {
            "count": len(group),
            "distance": round(sum(item.course().distance_m for item in group), 1),
            "moving_time": sum(item.course().moving_s for item in group),
            "elapsed_time": sum(item.course().elapsed_s for item in group),
        }
    return shown
