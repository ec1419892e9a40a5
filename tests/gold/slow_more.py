"""More models once more, slowly and in plain Python, from what docs/models.md says."""

import datetime as dt
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from tests.gold.slow_models import MILE_M, MOTORISED, RUN, family
from tracklake.analysis import efforts

Row = dict[str, Any]
Points = Sequence[tuple[float, float | None]]
VIRTUAL = ("VirtualRide", "VirtualRun", "VirtualRow")
HEARTRATE_PERCENT = (60, 70, 80, 90)
POWER_PERCENT = (55, 75, 90, 105, 120, 150)


def _held(points: Points, hold_s: float) -> Iterator[tuple[int, float]]:
    """Give each whole value and how long it stood: until the next one, at most so long."""
    known = [(time_s, value) for time_s, value in points if value is not None]
    for (time_s, value), (next_s, _) in itertools.pairwise(known):
        yield math.floor(value + 0.5), min(next_s - time_s, hold_s)


def in_zones(points: Points, hold_s: float, bounds: Sequence[Fraction]) -> list[Row]:
    """Count the seconds in each zone; a zone without any has no row."""
    seconds: dict[int, float] = defaultdict(float)
    for value, time_s in _held(points, hold_s):
        zone = 1
        while zone <= len(bounds) and value >= bounds[zone - 1]:
            zone += 1
        seconds[zone] += time_s
    total_s = sum(seconds.values())
    return [
        {"zone_index": zone, "time_s": time_s, "time_share": time_s / total_s}
        | {"from": float(bounds[zone - 2]) if zone > 1 else None}
        | {"below": float(bounds[zone - 1]) if zone <= len(bounds) else None}
        for zone, time_s in seconds.items()
    ]


def highest_held(points: Points) -> int | None:
    """Try one heart rate after the other, from the top, until one was there for 30 s."""
    held = list(_held(points, 30))
    for bpm in sorted({value for value, _ in held}, reverse=True):
        if sum(time_s for value, time_s in held if value >= bpm) >= 30:
            return bpm
    return None


def parts(whole: float | Fraction | None, percents: Iterable[int]) -> list[Fraction] | None:
    """Return so many percent of it, exactly; nothing known: None."""
    return None if whole is None else [Fraction(whole) * n / 100 for n in percents]


def best_mean_power(points: Points, over_s: int) -> float | None:
    """Write down the power of each second, 5 s after a value 0, and slide a window along."""
    steps = sorted(int(b - a) for (a, _), (b, _) in itertools.pairwise(points))
    ends = [time_s for time_s, _ in points[1:]] + [points[-1][0] + steps[len(steps) // 2]]
    seconds: list[float] = []
    for (time_s, watts), end_s in zip(points, ends, strict=True):
        held = [watts or 0.0] * min(int(end_s - time_s), 5)
        is_last = end_s == ends[-1]
        seconds += held + [0.0] * (0 if is_last else int(end_s - time_s) - len(held))
    if len(seconds) < over_s:
        return None
    now = best = sum(seconds[:over_s])
    for leaving, coming in zip(seconds, seconds[over_s:], strict=False):
        now += coming - leaving
        best = max(best, now)
    return best / over_s


def ranking(activities: Mapping[int, Row], tries: Iterable[Row]) -> list[Row]:
    """Sort the efforts of each family over each distance: the fastest, then the earlier first."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for one in tries:
        activity = activities[one["activity_id"]]
        if activity["sport_type"] not in MOTORISED and activity["leg_count"] == 0:
            who = (activity["athlete"], family(activity["sport_type"]), one["name"])
            groups[who].append(one | {"start": activity["start_date"], "day": activity["day"]})
    rows = []
    for (athlete, sport_family, name), found in groups.items():
        found.sort(key=lambda one: (one["elapsed_time"], one["start"], one["activity_id"]))
        metres = efforts.DISTANCES_M[name]
        for rank, one in enumerate(found, start=1):
            rows.append(
                {"athlete": athlete, "sport_family": sport_family, "distance_name": name}
                | {"distance_m": metres, "effort_rank": rank, "day": one["day"]}
                | {"elapsed_time": one["elapsed_time"], "activity_id": one["activity_id"]}
                | {"pace_s_per_km": one["elapsed_time"] / (metres / 1000)}
                | {"pace_s_per_mile": one["elapsed_time"] / (metres / MILE_M)}
            )
    return rows


def _within_90_days(day: dt.date, today: dt.date) -> bool:
    return day in {today - dt.timedelta(days=n) for n in range(90)}


def pace_curve(activities: Mapping[int, Row], tries: Iterable[Row], today: dt.date) -> list[Row]:
    """Take the first of each ranking, and the first of those of the last 90 days."""
    names = ("athlete", "sport_family", "distance_name")
    ranked = ranking(activities, tries)
    rows = []
    for best in (row for row in ranked if row["effort_rank"] == 1):
        its = [row for row in ranked if all(row[name] == best[name] for name in names)]
        recent = [row for row in its if _within_90_days(row["day"], today)]
        newer: Row = min(recent, key=lambda row: row["effort_rank"]) if recent else {}
        rows.append(
            {name: value for name, value in best.items() if name != "effort_rank"}
            | {"average_speed": best["distance_m"] / best["elapsed_time"]}
            | {f"{name}_90d": newer.get(name) for name in ("elapsed_time", "activity_id", "day")}
            | {f"pace_90d_{per}": newer.get(f"pace_{per}") for per in ("s_per_km", "s_per_mile")}
        )
    return rows


def power_curve(activities: Mapping[int, Row], tries: Iterable[Row], today: dt.date) -> list[Row]:
    """Keep the best of each family and duration: ever, and of the last 90 days."""
    ever: dict[tuple[str, str, float], Row] = {}
    newer: dict[tuple[str, str, float], Row] = {}
    for one in sorted(
        tries, key=lambda one: (activities[one["activity_id"]]["start_date"], one["activity_id"])
    ):
        activity = activities[one["activity_id"]]
        if activity["sport_type"] in MOTORISED or activity["device_watts"] is False:
            continue
        key = (activity["athlete"], family(activity["sport_type"]), one["duration_s"])
        chosen = {name: one[name] for name in ("activity_id", "average_watts")}
        chosen["day"] = activity["day"]
        for kept in (ever, newer) if _within_90_days(activity["day"], today) else (ever,):
            if key not in kept or one["average_watts"] > kept[key]["average_watts"]:
                kept[key] = chosen
    nothing: Row = {"activity_id": None, "average_watts": None, "day": None}
    return [
        {"athlete": key[0], "sport_family": key[1], "duration_s": key[2]}
        | best
        | {f"{name}_90d": value for name, value in newer.get(key, nothing).items()}
        for key, best in ever.items()
    ]


def tiles(activities: Mapping[int, Row], touched: Iterable[tuple[int, int, int]]) -> list[Row]:
    """Go through each tile's activities in time; each is an activity's number and the tile."""
    found: dict[tuple[str, int, int], list[Row]] = defaultdict(list)
    for number, x, y in touched:
        activity = activities[number]
        if activity["sport_type"] not in VIRTUAL:
            found[activity["athlete"], x, y].append(activity)
    rows = []
    for (athlete, x, y), its in found.items():
        its.sort(key=lambda one: (one["start_date"], one["id"]))
        rows.append(
            {"athlete": athlete, "tile_x": x, "tile_y": y, "activity_count": len(its)}
            | {"first_activity_id": its[0]["id"], "first_day": its[0]["day"]}
            | {"last_day": its[-1]["day"]}
        )
    return rows


def by_temperature(runs: Iterable[Row]) -> list[Row]:
    """Put outdoor runs into steps of 5 °C, and divide all time by all distance."""
    steps: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for one in runs:
        outdoors = one["sport_type"] in RUN and one["sport_type"] not in VIRTUAL
        if not outdoors or one["trainer"] or one["leg_count"] or one["temperature"] is None:
            continue
        if one["distance"] and one["moving_time"]:
            low = -60
            while low + 5 <= one["temperature"]:
                low += 5
            steps[one["athlete"], low].append(one)
    rows = []
    for (athlete, low), its in steps.items():
        metres = sum(one["distance"] for one in its)
        seconds = sum(one["moving_time"] for one in its)
        beating = [one for one in its if one["average_heartrate"] is not None]
        beats = sum(one["average_heartrate"] * one["moving_time"] / 60 for one in beating)
        minutes = sum(one["moving_time"] / 60 for one in beating)
        rows.append(
            {"athlete": athlete, "temperature_from_celsius": low, "activity_count": len(its)}
            | {"distance": metres, "moving_time": seconds}
            | {"pace_s_per_km": seconds / (metres / 1000)}
            | {"pace_s_per_mile": seconds / (metres / MILE_M)}
            | {"average_heartrate": beats / minutes if beating else None}
            | {"humidity_percent": sum(one["humidity"] for one in its) / len(its)}
        )
    return rows


def gear(outings: Iterable[Any], owned: Sequence[Row]) -> list[Row]:
    """Add up what names each bike or pair of shoes; what is owned and unused has 0."""
    used: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in owned:
        used[row["athlete"], row["gear_id"]] = []
    for one in outings:
        if one.gear_id is not None and not one.leg_count:
            used[one.athlete, one.gear_id].append(one)
    known = {(row["athlete"], row["gear_id"]): row for row in owned}
    rows = []
    for (athlete, gear_id), its in used.items():
        its.sort(key=lambda one: one.day)
        lengths = [one.distance for one in its if one.distance is not None]
        owned_row = known.get((athlete, gear_id), {})
        counted_m = owned_row.get("distance_m")
        rows.append(
            {"athlete": athlete, "gear_id": gear_id, "activity_count": len(its)}
            | {"name": owned_row.get("name"), "first_day": its[0].day if its else None}
            | {"last_day": its[-1].day if its else None, "distance": sum(lengths)}
            | {"distance_km": sum(lengths) / 1000, "distance_miles": sum(lengths) / MILE_M}
            | {"longest_distance_m": max(lengths, default=None)}
            | {"moving_time": sum(one.moving_time or 0 for one in its)}
            | {"total_elevation_gain": sum(one.total_elevation_gain or 0 for one in its)}
            | {"source_distance_m": counted_m}
            | {"source_distance_km": None if counted_m is None else counted_m / 1000}
            | {"source_distance_miles": None if counted_m is None else counted_m / MILE_M}
        )
    return rows
