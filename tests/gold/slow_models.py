"""The models once more, slowly and in plain Python, from what docs/models.md says."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.gold.outings import Outing
from tracklake import sports

Row = dict[str, Any]
MILE_M = 1_609.344
DAY = dt.timedelta(days=1)
RUN = ("Run", "TrailRun", "VirtualRun")
MOTORISED = ("EBikeRide", "EMountainBikeRide")


def family(sport_type: str | None) -> str:
    """Return the family that gold has a sport type in."""
    found = sports.family(sport_type or "Workout")
    if found == "foot":
        return "run" if sport_type in RUN else "walk"
    return found


def by_family(outings: Iterable[Outing]) -> dict[tuple[str, str], list[Outing]]:
    """Divide by athlete and family: legs by their own, outings once more under all."""
    found: dict[tuple[str, str], list[Outing]] = defaultdict(list)
    for one in outings:
        if one.leg_count == 0:
            found[one.athlete, family(one.sport_type)].append(one)
        if one.leg_index == 0:
            found[one.athlete, "all"].append(one)
    return found


def total(values: Iterable[float | None]) -> float | None:
    """Add what is known; nothing known: None."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def largest(values: Iterable[float | None]) -> float | None:
    """Return the largest that is known; nothing known: None."""
    return max((value for value in values if value is not None), default=None)


def times(value: float | None, factor: float) -> float | None:
    """Multiply what is known."""
    return None if value is None else value * factor


def sums(outings: Sequence[Outing]) -> Row:
    """Add up what totals add up."""
    distance = total(one.distance for one in outings)
    return {
        "activity_count": len(outings),
        "distance": distance,
        "distance_km": times(distance, 1 / 1000),
        "distance_miles": times(distance, 1 / MILE_M),
        "moving_time": total(one.moving_time for one in outings),
        "total_elevation_gain": total(one.total_elevation_gain for one in outings),
    }


def totals(outings: Iterable[Outing], begin: Callable[[dt.date], object], name: str) -> list[Row]:
    """Sum by period and sport type."""
    groups: dict[tuple[str, object, str, str], list[Outing]] = defaultdict(list)
    for one in outings:
        if one.leg_count == 0:
            sport = one.sport_type or "Workout"
            groups[one.athlete, begin(one.day), family(sport), sport].append(one)
        if one.leg_index == 0:
            groups[one.athlete, begin(one.day), "all", "All"].append(one)
    rows = []
    for (athlete, period, sport_family, sport_type), members in groups.items():
        longest = largest(one.distance for one in members)
        rows.append(
            {"athlete": athlete, name: period, "sport_family": sport_family}
            | {"sport_type": sport_type, "active_day_count": len({one.day for one in members})}
            | {"longest_distance_m": longest, "longest_distance_km": times(longest, 1 / 1000)}
            | {"longest_distance_miles": times(longest, 1 / MILE_M)}
            | {"fastest_average_speed_mps": largest(one.average_speed for one in members)}
            | {"elapsed_time": total(one.elapsed_time for one in members)}
            | sums(members)
        )
    return rows


def rolling(outings: Iterable[Outing], today: dt.date) -> list[Row]:
    """Sum the last days of each day."""
    rows = []
    for (athlete, sport_family), members in by_family(outings).items():
        day = min(one.day for one in members)
        while day <= today:
            row: Row = {"athlete": athlete, "sport_family": sport_family, "day": day}
            for days in (7, 28, 365):
                last = [one for one in members if day - days * DAY < one.day <= day]
                metres = total(one.distance for one in last) or 0
                row |= {
                    f"activity_count_{days}d": len(last),
                    f"distance_{days}d_m": metres,
                    f"distance_{days}d_km": metres / 1000,
                    f"distance_{days}d_miles": metres / MILE_M,
                    f"moving_time_{days}d_s": total(one.moving_time for one in last) or 0,
                    f"total_elevation_gain_{days}d_m": total(
                        one.total_elevation_gain for one in last
                    )
                    or 0,
                }
            rows.append(row)
            day += DAY
    return rows


def heatmap(outings: Iterable[Outing], today: dt.date) -> list[Row]:
    """Lay out a calendar."""
    rows = []
    for (athlete, sport_family), members in by_family(outings).items():
        busy = {
            day: total(one.moving_time for one in members if one.day == day) or 0
            for day in {one.day for one in members}
        }
        day = min(busy)
        while day <= today:
            that_day = [one for one in members if one.day == day]
            year, week, weekday = day.isocalendar()
            less = sum(seconds < busy[day] for seconds in busy.values()) if that_day else 0
            rows.append(
                {name: value or 0 for name, value in sums(that_day).items()}
                | {"athlete": athlete, "sport_family": sport_family, "day": day}
                | {"iso_year": year, "iso_week": week, "iso_weekday": weekday}
                | {"level": 1 + 4 * less // len(busy) if that_day else 0}
            )
            day += DAY
    return rows


def years(outings: Iterable[Outing], today: dt.date) -> list[Row]:
    """Compare each year up to today's day with the one before."""
    rows = []
    for (athlete, sport_family), members in by_family(outings).items():
        previous: Row | None = None
        for year in range(min(one.day.year for one in members), today.year + 1):
            leap = year % 4 == 0
            day = 28 if (today.month, today.day) == (2, 29) and not leap else today.day
            through = dt.date(year, today.month, day)
            part = [one for one in members if dt.date(year, 1, 1) <= one.day <= through]
            row = {name: value or 0 for name, value in sums(part).items()}
            row |= {"athlete": athlete, "sport_family": sport_family, "year": year}
            row |= {"through_day": through, "active_day_count": len({one.day for one in part})}
            row |= _change(row, previous)
            rows.append(row)
            previous = row
    return rows


def _change(row: Row, previous: Row | None) -> Row:
    if previous is None:
        return {"previous_distance_m": None, "distance_change_m": None}
    before = previous["distance"]
    more = row["distance"] - before
    return {
        "previous_distance_m": before,
        "distance_change_m": more,
        "distance_change_km": more / 1000,
        "distance_change_miles": more / MILE_M,
        "distance_change_percent": 100 * more / before if before else None,
        "moving_time_change_s": row["moving_time"] - previous["moving_time"],
    }


def streaks(outings: Iterable[Outing], today: dt.date) -> list[Row]:
    """Walk along the days; where one is missing a streak ends."""
    rows = []
    for (athlete, sport_family), members in by_family(outings).items():
        days = {one.day for one in members}
        found: list[Row] = []
        for first in sorted(day for day in days if day - DAY not in days):
            last = first
            while last + DAY in days:
                last += DAY
            part = [one for one in members if first <= one.day <= last]
            row: Row = {"first_day": first, "last_day": last, "day_count": (last - first).days + 1}
            row |= {"is_current": any(first <= day <= last for day in (today, today - DAY))}
            # What begins tomorrow, where the athlete crossed the date line, is not there yet.
            row["is_current"] = row["is_current"] and first <= today
            found.append(row | sums(part))
        found.sort(key=lambda row: (-row["day_count"], row["first_day"]))
        for rank, row in enumerate(found, start=1):
            rows.append(
                {"athlete": athlete, "sport_family": sport_family, "streak_rank": rank} | row
            )
    return rows


def current_streak(outings: Iterable[Outing], today: dt.date) -> list[Row]:
    """Pick the streak that stands, and the longest."""
    rows = []
    found = streaks(outings, today)
    for longest in (row for row in found if row["streak_rank"] == 1):
        who = {name: longest[name] for name in ("athlete", "sport_family")}
        standing = [row for row in found if row["is_current"] and row | who == row]
        days = standing[0]["day_count"] if standing else 0
        last = standing[0]["last_day"] if standing else None
        rows.append(
            who
            | {"today": today, "day_count": days, "last_day": last}
            | {"first_day": standing[0]["first_day"] if standing else None}
            | {"distance": standing[0]["distance"] if standing else None}
            | {"activity_count": standing[0]["activity_count"] if standing else None}
            | {"is_active_today": last is not None and last >= today}
            | {"longest_day_count": longest["day_count"]}
            | {"longest_first_day": longest["first_day"]}
            | {"longest_last_day": longest["last_day"]}
            | {"days_to_longest": longest["day_count"] - days}
        )
    return rows


def eddington(outings: Iterable[Outing]) -> list[Row]:
    """Try one number after the other."""
    rows = []
    for (athlete, sport_family), members in by_family(outings).items():
        sums_m = [
            total(one.distance for one in members if one.day == day)
            for day in {one.day for one in members}
        ]
        known = [metres for metres in sums_m if metres is not None]
        for unit, unit_m in (("km", 1000.0), ("miles", MILE_M)):
            number = 0
            while sum(metres >= (number + 1) * unit_m for metres in known) >= number + 1:
                number += 1
            reached = sum(metres >= (number + 1) * unit_m for metres in known)
            row: Row = {"athlete": athlete, "sport_family": sport_family, "unit": unit}
            row |= {"eddington": number, "next_eddington": number + 1}
            row |= {"days_reached": reached, "days_missing": number + 1 - reached}
            rows += [row] if known else []
    return rows
