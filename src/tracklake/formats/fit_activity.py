"""What a FIT part says of an activity besides its points: sessions, laps, pauses, device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tracklake.formats import fit_names as names
from tracklake.formats import fit_profile as profile
from tracklake.formats.fit_layout import Messages
from tracklake.formats.fit_tables import Row, table
from tracklake.model import Device, Lap, Points, Session

_FEW = 10_000  # sessions, laps, lengths, devices of one part; more is damage or malice
_MANY = 200_000  # events
_TIMER, _START, _STOPS = 0, 0, frozenset({1, 4, 5, 6, 7, 8, 9})
_CREATOR = 0
_LARGEST_OFFSET_S = 15 * 3600
_OFFSET_STEP_S = 900  # time zones lie on quarters of an hour
_OFFSET_SLACK_S = 120  # some devices take the two readings at different moments

Tables = Callable[[int, int], list[Row]]


def tables_of(data: bytes, messages: Sequence[Messages]) -> Tables:
    """Return a function that reads the messages of a kind, as (kind, at most how many)."""

    def read(number: int, limit: int) -> list[Row]:
        return [row for _, row in table(data, messages, number, limit)]

    return read


def number(row: Row, *fields: str) -> float | None:
    """Return the first of the fields that the row has as a number."""
    for field in fields:
        value = row.get(field)
        if isinstance(value, float):
            return value
    return None


def whole(row: Row, field: str) -> int | None:
    """Return a field as an integer."""
    value = row.get(field)
    return int(value) if isinstance(value, float) else None


def text(row: Row, field: str) -> str | None:
    """Return a field as text."""
    value = row.get(field)
    return value if isinstance(value, str) else None


def moment(row: Row, field: str) -> float | None:
    """Return a date_time as UNIX seconds."""
    value = number(row, field)
    return None if value is None else value + profile.EPOCH_S


def read_sessions(tables: Tables, points: Points) -> tuple[Session, ...]:
    """Return the sessions in the order of their start; without any, what else names the sport."""
    sports = tables(profile.SPORT, _FEW)
    name = text(sports[0], "name") if len(sports) == 1 else None
    first_s = first_time(points)
    sessions = [
        session
        for row in tables(profile.SESSION, _FEW)
        if (session := _session(row, first_s, name)) is not None
    ]
    if sessions:
        return tuple(sorted(sessions, key=lambda session: session.start_s))
    return _rebuilt_sessions(tables, points, sports)


def _session(row: Row, first_s: float | None, name: str | None) -> Session | None:
    start_s = _start(row, first_s)
    if start_s is None:
        return None
    return Session(
        start_s=start_s,
        elapsed_time_s=number(row, "total_elapsed_time"),
        timer_time_s=number(row, "total_timer_time"),
        sport=_named(names.SPORTS, row, "sport"),
        sub_sport=_named(names.SUB_SPORTS, row, "sub_sport"),
        name=text(row, "sport_profile_name") or name,
        distance_m=number(row, "total_distance"),
        total_ascent_m=number(row, "total_ascent"),
        calories_kcal=number(row, "total_calories"),
        average_speed_mps=number(row, "enhanced_avg_speed", "avg_speed"),
        max_speed_mps=number(row, "enhanced_max_speed", "max_speed"),
        average_heartrate_bpm=number(row, "avg_heart_rate") or None,  # some write 0 for none
        max_heartrate_bpm=number(row, "max_heart_rate") or None,
        average_cadence_rpm=number(row, "avg_cadence"),
        average_power_w=number(row, "avg_power"),
        max_power_w=number(row, "max_power"),
        average_temperature_c=number(row, "avg_temperature"),
    )


def _start(row: Row, first_s: float | None) -> float | None:
    """Return when a session or lap began, UNIX seconds; `first_s` where it does not say."""
    start_s = moment(row, "start_time")
    if start_s is not None:
        return start_s
    end_s, elapsed_s = moment(row, "timestamp"), number(row, "total_elapsed_time")
    if end_s is not None and elapsed_s is not None:
        return end_s - elapsed_s
    return first_s


def first_time(points: Points) -> float | None:
    """Return the first timestamp there is, UNIX seconds."""
    known = np.isfinite(points.timestamp_s)
    return float(points.timestamp_s[known.argmax()]) if known.any() else None


def _named(known: dict[int, str], row: Row, field: str) -> str | None:
    value = whole(row, field)
    return None if value is None else known.get(value, str(value))


def _rebuilt_sessions(tables: Tables, points: Points, sports: Sequence[Row]) -> tuple[Session, ...]:
    """Make a session of a recording that was cut off before its own was written."""
    lengths = tables(profile.LENGTH, _FEW)
    starts = [start_s for row in lengths if (start_s := moment(row, "start_time")) is not None]
    start_s = min(starts) if starts else first_time(points)
    row = next((row for row in (*sports, *tables(profile.LAP, _FEW)) if "sport" in row), None)
    if start_s is None or (row is None and not starts):
        return ()
    elapsed_s = [number(row, "total_elapsed_time") or 0.0 for row in lengths]
    return (
        Session(
            start_s=start_s,
            elapsed_time_s=sum(elapsed_s) if starts else None,
            sport="swimming" if row is None else _named(names.SPORTS, row, "sport"),
            sub_sport=None if row is None else _named(names.SUB_SPORTS, row, "sub_sport"),
            name=None if row is None else text(row, "name"),
        ),
    )


def read_laps(tables: Tables, points: Points) -> tuple[Lap, ...]:
    """Return the laps in the order of their start."""
    first_s = first_time(points)
    laps = [
        Lap(
            start_s=start_s,
            elapsed_time_s=number(row, "total_elapsed_time"),
            timer_time_s=number(row, "total_timer_time"),
            distance_m=number(row, "total_distance"),
            total_ascent_m=number(row, "total_ascent"),
            calories_kcal=number(row, "total_calories"),
            average_speed_mps=number(row, "enhanced_avg_speed", "avg_speed"),
            max_speed_mps=number(row, "enhanced_max_speed", "max_speed"),
            average_heartrate_bpm=number(row, "avg_heart_rate") or None,
            max_heartrate_bpm=number(row, "max_heart_rate") or None,
            average_cadence_rpm=number(row, "avg_cadence"),
            average_power_w=number(row, "avg_power"),
            trigger=_named(names.LAP_TRIGGERS, row, "lap_trigger"),
        )
        for row in tables(profile.LAP, _FEW)
        if (start_s := _start(row, first_s)) is not None
    ]
    return tuple(sorted(laps, key=lambda lap: lap.start_s))


def read_pauses(tables: Tables) -> tuple[tuple[float, float], ...]:
    """Return when the timer was stopped and started again, UNIX seconds, ascending, disjoint."""
    events = sorted(
        (event_s, int(row.get("event_type", -1)))
        for row in tables(profile.EVENT, _MANY)
        if row.get("event") == _TIMER and (event_s := moment(row, "timestamp")) is not None
    )
    pauses: list[tuple[float, float]] = []
    stopped_s: float | None = None
    for event_s, event_type in events:
        if event_type in _STOPS and stopped_s is None:
            stopped_s = event_s
        elif event_type == _START and stopped_s is not None:
            if event_s > stopped_s:
                pauses.append((stopped_s, event_s))
            stopped_s = None
    return tuple(pauses)


def read_device(tables: Tables, file_id: Row) -> Device:
    """Return what recorded the file: what file_id says, else the creator's device_info."""
    creators = [row for row in tables(profile.DEVICE_INFO, _FEW) if _is_creator(row)]
    merged: Row = {}
    for row in (*creators, file_id):
        merged.update(row)
    maker = names.manufacturer_name(whole(merged, "manufacturer"))
    product = names.product_name(maker, whole(merged, "product"))
    return Device(
        manufacturer=maker,
        product=product,
        serial_number=whole(merged, "serial_number"),
        name=_spoken(text(merged, "product_name")) or names.spoken_name(maker, product),
    )


def _spoken(name: str | None) -> str | None:
    """Return a name that begins like one; some writers leave scraps of memory there."""
    return name if name and name[0].isalnum() else None


def _is_creator(row: Row) -> bool:
    return row.get("device_index") == _CREATOR


def read_utc_offset(tables: Tables) -> float | None:
    """Return local time minus UTC in seconds where the file tells both."""
    for row in tables(profile.ACTIVITY, _FEW):
        local, universal = number(row, "local_timestamp"), number(row, "timestamp")
        if local is None or universal is None:
            continue
        offset_s = local - universal
        rounded_s = round(offset_s / _OFFSET_STEP_S) * _OFFSET_STEP_S
        if abs(rounded_s) <= _LARGEST_OFFSET_S and abs(offset_s - rounded_s) <= _OFFSET_SLACK_S:
            return float(rounded_s)
    return None
