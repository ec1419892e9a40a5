"""Personal records once more, slowly: everything in time, and the best so far each time."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from tests.gold.outings import Outing
from tests.gold.slow_models import DAY, MOTORISED, Row, by_family, family, total

Key = tuple[str, str, str, str | None]


def records(outings: Sequence[Outing], efforts: Iterable[Row]) -> list[Row]:
    """Go through everything in time, and note each time that something was the best so far."""
    tries: dict[Key, list[Row]] = defaultdict(list)
    by_id = {one.id: one for one in outings}
    for (athlete, sport_family), members in by_family(outings).items():
        unaided = [one for one in members if one.sport_type not in MOTORISED]
        for record, rows in (*_of_activities(unaided), *_of_periods(unaided)):
            tries[athlete, sport_family, record, None] = rows
    for effort in efforts:
        one = by_id[effort["activity_id"]]
        if one.sport_type not in MOTORISED:
            key = (one.athlete, family(one.sport_type), "fastest", effort["name"])
            tries[key].append(_try(one, effort["elapsed_time"]))
    return [row for key, rows in tries.items() for row in _bests(key, rows)]


def _try(one: Outing, value: float | None) -> Row:
    return {"value": value, "day": one.day, "activity_id": one.id, "when": one.start}


def _of_activities(members: Sequence[Outing]) -> Iterable[tuple[str, list[Row]]]:
    yield "longest_distance", [_try(one, one.distance) for one in members]
    yield "longest_time", [_try(one, one.moving_time) for one in members]
    yield "most_climb", [_try(one, one.total_elevation_gain) for one in members]
    yield "highest_point", [_try(one, one.elev_high) for one in members]


def _of_periods(members: Sequence[Outing]) -> Iterable[tuple[str, list[Row]]]:
    yield "biggest_week", _sums(members, lambda day: day - day.weekday() * DAY)
    yield "biggest_month", _sums(members, lambda day: day.replace(day=1))


def _sums(members: Sequence[Outing], begin: Callable[[dt.date], dt.date]) -> list[Row]:
    rows = []
    for day in {begin(one.day) for one in members}:
        metres = total(one.distance for one in members if begin(one.day) == day)
        when = dt.datetime(day.year, day.month, day.day)  # noqa: DTZ001 only to sort by
        rows.append({"value": metres, "day": day, "activity_id": None, "when": when})
    return rows


def _bests(key: Key, tries: list[Row]) -> list[Row]:
    athlete, sport_family, record, distance_name = key
    found: list[Row] = []
    for row in sorted(tries, key=lambda row: (row["when"], row["activity_id"] or 0)):
        value = row["value"]
        if value is None or (value <= 0 and record != "highest_point"):
            continue
        best = found[-1] if found else None
        if best is not None:
            ahead = value - best["value"] if record != "fastest" else best["value"] - value
            if ahead <= 0:
                continue
            best |= {"beaten_day": row["day"], "is_current": False}
            row |= {"previous_value": best["value"], "previous_day": best["day"]}
            row |= {"previous_activity_id": best["activity_id"], "improvement": ahead}
        who = {"athlete": athlete, "sport_family": sport_family}
        what = {"record": record, "distance_name": distance_name}
        found.append(row | who | what | {"is_current": True})
    return found
