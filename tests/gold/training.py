"""Tables and models of training in memory, and their rules again, slowly, in plain Python."""

import contextlib
import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from tracklake import warehouse

Row = dict[str, Any]
VIEWS = (
    "activity_best_efforts",
    "activity_days",
    "activity_load",
    "athlete_thresholds",
    "athlete_today",
    "best_efforts_by_distance",
    "explorer_tiles",
    "heartrate_zones",
    "pace_curve",
    "power_curve",
    "power_zones",
    "training_load",
)
HOURLY = {"Run": 60, "Swim": 55, "Ride": 50, "Hike": 30, "Walk": 20, "Yoga": 15, "Tennis": 30}


class Lake:
    """The tables and the models of a warehouse, in memory."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"autoinstall_known_extensions": False})
        for text in warehouse.sql_files("schema").values():
            self.connection.execute(text)
        for name in VIEWS:
            self.connection.execute(warehouse.sql_files("gold")[name])

    def insert(self, table: str, row: Mapping[str, object]) -> None:
        """Enter a row."""
        marks = ", ".join("?" for _ in row)
        self.connection.execute(
            f"insert into {table} ({', '.join(row)}) values ({marks})",  # noqa: S608
            list(row.values()),
        )

    def activity(self, number: int, local: dt.datetime, **fields: object) -> None:
        """Enter an activity of that number that began at that local time, and its points' key."""
        row = {"id": number, "athlete": "me", "sport_type": "Run", "leg_index": 0, "leg_count": 0}
        dates = {"start_date": local.replace(tzinfo=dt.UTC), "start_date_local": local}
        self.insert("activities", row | dates | fields)
        keys = {"activity_id": number, "stream_key": number * 10, "track_key": number * 10 + 1}
        self.insert("activity_points", keys)

    def effort(self, number: int, **fields: object) -> None:
        """Enter a best effort of an activity."""
        kind = "power" if "average_watts" in fields else "distance"
        record = {
            "record_id": -number,
            "activity_id": number,
            "gives": ["power/computed", "distance/computed"],
        }
        if not self.rows("select 1 from records where record_id = ?", -number):
            self.insert("records", record)
        row = {"record_id": -number, "origin": "computed", "kind": kind}
        self.insert("record_best_efforts", row | fields)

    def let_today_be(self, today: dt.date) -> None:
        """Make it that day for everybody."""
        text = (
            "create or replace view athlete_today as select distinct athlete, "
            "null::varchar as timezone, date '{today}' as today from activities"
        )
        self.connection.execute(text.format(today=today.isoformat()))

    def rows(self, query: str, *values: object) -> list[Row]:
        """Run a query."""
        cursor = self.connection.execute(query, list(values))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextlib.contextmanager
def opened() -> Iterator[Lake]:
    """Open an empty lake."""
    lake = Lake()
    try:
        yield lake
    finally:
        lake.connection.close()


def slow_trimp(
    minutes_at: Mapping[float, float], rest: float, most: float, sex: str | None
) -> float:
    """Banister's training impulse: minutes × share of the reserve × a weight that grows with it."""
    factor, exponent = (0.86, 1.67) if sex == "f" else (0.64, 1.92)
    total = 0.0
    for bpm, minutes in minutes_at.items():
        share = min(max((bpm - rest) / (most - rest), 0.0), 1.0)
        total += minutes * share * factor * math.exp(exponent * share)
    return total


def slow_load(activity: Row, facts: Row | None, own: Row) -> tuple[float, str]:
    """Return an activity's load and the method, by the rules of docs/models.md."""
    seconds = activity["moving_time"] or activity["elapsed_time"] or 0.0
    for load, method in (
        (_by_power(activity, facts or {}, own, seconds), "power"),
        (_by_heartrate(activity, facts or {}, own, seconds), "heartrate"),
        (activity["suffer_score"], "relative_effort"),
    ):
        if load is not None:
            return load, method
    return seconds / 3600 * HOURLY[activity["sport_type"]], "time"


def _by_power(activity: Row, facts: Row, own: Row, seconds: float) -> float | None:
    ftp = own.get("ftp_w")
    if activity["sport_type"] != "Ride" or ftp is None or activity["device_watts"] is False:
        return None
    power, over_s = activity["weighted_average_watts"], seconds
    if facts.get("normalized_power_w") and facts["power_recorded_s"] * 2 >= seconds:
        power, over_s = facts["normalized_power_w"], facts["power_recorded_s"]
    return None if power is None else over_s / 3600 * (power / ftp) ** 2 * 100


def _by_heartrate(activity: Row, facts: Row, own: Row, seconds: float) -> float | None:
    rest, most, sex = map(own.get, ("resting_heartrate_bpm", "max_heartrate_bpm", "sex"))
    if rest is None or most is None:
        return None
    bpms, times = facts.get("heartrate_bpm") or [], facts.get("heartrate_time_s") or []
    if times and sum(times) * 2 >= seconds:
        minutes_at = {bpm: time / 60 for bpm, time in zip(bpms, times, strict=True)}
    elif activity["average_heartrate"] is not None:
        minutes_at = {activity["average_heartrate"]: seconds / 60}
    else:
        return None
    hour = slow_trimp({rest + 0.85 * (most - rest): 60}, rest, most, sex)
    return slow_trimp(minutes_at, rest, most, sex) / hour * 100


def slow_training(
    loads: Sequence[tuple[dt.date, float]], today: dt.date
) -> list[tuple[dt.date, float, float, float, float]]:
    """Return day, load, ctl, atl, tsb, going from day to day."""
    day, last = min(day for day, _ in loads), max(today, *(day for day, _ in loads))
    by_day = dict.fromkeys((day for day, _ in loads), 0.0)
    for its_day, one in loads:
        by_day[its_day] += one
    ctl = atl = tsb = 0.0
    found = []
    while day <= last:
        load = by_day.get(day, 0.0)
        tsb = ctl - atl
        ctl += (load - ctl) * (1 - math.exp(-1 / 42))
        atl += (load - atl) * (1 - math.exp(-1 / 7))
        found.append((day, load, ctl, atl, tsb))
        day += dt.timedelta(days=1)
    return found
