"""Writes a `Recording` as a FIT file, for the demo's sample athlete and for tests.

Little-endian, one definition a message kind, enhanced speed and altitude; FIT's own resolution
applies: whole seconds, 1/2**31 of half a turn, 0.2 m of altitude, 1 cm, 1 mm/s, whole beats,
turns, watts and degrees. What does not fit into a field is written as "none".
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from tracklake.formats import fit_names as names
from tracklake.formats import fit_profile as profile
from tracklake.formats.fit_crc import crc16
from tracklake.formats.fit_products import GARMIN_PRODUCTS
from tracklake.model import Device, FloatArray, Lap, Points, Recording, Session

_PROTOCOL_VERSION = 0x20
_PROFILE_VERSION = 21_195
_TIMER, _START, _STOP_ALL = 0, 0, 4
_SESSION_EVENT, _LAP_EVENT, _ACTIVITY_EVENT, _STOP = 8, 9, 26, 1
_LOCAL = {
    profile.FILE_ID: 0,
    profile.DEVICE_INFO: 1,
    profile.EVENT: 2,
    profile.RECORD: 3,
    profile.LAP: 4,
    profile.SESSION: 5,
    profile.ACTIVITY: 6,
}

Value = float | str | None

_RECORD_SOURCES = {
    "timestamp": "timestamp_s",
    "position_lat": "lat",
    "position_long": "lng",
    "enhanced_altitude": "altitude_m",
    "heart_rate": "heartrate_bpm",
    "cadence": "cadence_rpm",
    "distance": "distance_m",
    "power": "power_w",
    "temperature": "temperature_c",
    "enhanced_speed": "velocity_mps",
}


def encode(recording: Recording) -> bytes:
    """Return the bytes of a FIT file that says what the recording says.

    Left out, because FIT has no place for it: name, description and problems of the whole, the
    fractions of seconds. Several sessions make a multisport file.
    """
    start_s, end_s = _span(recording)
    body = b"".join(
        (
            _file_id(recording, start_s),
            _device_info(recording.device, start_s),
            _records_and_events(recording.points, _timer_events(recording, start_s, end_s)),
            *(_lap(index, lap, end_s) for index, lap in enumerate(recording.laps)),
            *(_session(index, recording, end_s) for index in range(len(recording.sessions))),
            _activity(recording, end_s),
        )
    )
    return _framed(body)


def _framed(body: bytes) -> bytes:
    head = bytes((14, _PROTOCOL_VERSION)) + _PROFILE_VERSION.to_bytes(2, "little")
    head += len(body).to_bytes(4, "little") + b".FIT"
    whole = head + crc16(head).to_bytes(2, "little") + body
    return whole + crc16(whole).to_bytes(2, "little")


def _span(recording: Recording) -> tuple[float, float]:
    """Return the first and the last moment the recording speaks of, 0 and 0 if it has none."""
    moments = [session.start_s for session in recording.sessions]
    moments += [
        session.start_s + (session.elapsed_time_s or session.timer_time_s or 0.0)
        for session in recording.sessions
    ]
    moments += [moment for pause in recording.pauses for moment in pause]
    timed = recording.points.timestamp_s[np.isfinite(recording.points.timestamp_s)]
    moments += [float(timed.min()), float(timed.max())] if len(timed) else []
    if not moments and recording.created_s is not None:
        moments = [recording.created_s]
    return (min(moments), max(moments)) if moments else (0.0, 0.0)


def _file_id(recording: Recording, start_s: float) -> bytes:
    device = recording.device
    created_s = start_s if recording.created_s is None else recording.created_s
    values: dict[str, Value] = {
        "type": names.number_of(names.FILE_TYPES, recording.kind),
        **_device_numbers(device),
        "time_created": _fit_time(created_s),
    }
    return _message(profile.FILE_ID, profile.FILE_ID_FIELDS, values)


def _device_numbers(device: Device) -> dict[str, Value]:
    products = GARMIN_PRODUCTS if device.manufacturer == "garmin" else {}
    return {
        "manufacturer": names.number_of(names.MANUFACTURERS, device.manufacturer),
        "product": names.number_of(products, device.product),
        "serial_number": device.serial_number,
        "product_name": device.name,
    }


def _device_info(device: Device, start_s: float) -> bytes:
    values = {"timestamp": _fit_time(start_s), "device_index": 0, **_device_numbers(device)}
    return _message(profile.DEVICE_INFO, profile.DEVICE_INFO_FIELDS, values)


def _timer_events(recording: Recording, start_s: float, end_s: float) -> list[tuple[float, int]]:
    if recording.kind != "activity":
        return []
    events = [(start_s, _START)]
    for stopped_s, started_s in recording.pauses:
        events += [(stopped_s, _STOP_ALL), (started_s, _START)]
    return [*events, (end_s, _STOP_ALL)]


def _records_and_events(points: Points, events: Sequence[tuple[float, int]]) -> bytes:
    """Write the points in their order, each event after the last point of its second or before."""
    definition, rows = _record_rows(points)
    width = len(rows) // len(points) if len(points) else 0
    latest_s = np.maximum.accumulate(np.nan_to_num(points.timestamp_s, nan=-np.inf))
    parts, written = [definition], 0
    for moment_s, event_type in events:
        side: Literal["left", "right"] = "left" if event_type == _START else "right"
        position = max(written, int(np.searchsorted(latest_s, moment_s, side=side)))
        parts.append(rows[written * width : position * width])
        parts.append(_timer_event(moment_s, event_type))
        written = position
    return b"".join((*parts, rows[written * width :]))


def _timer_event(moment_s: float, event_type: int) -> bytes:
    values: dict[str, Value] = {
        "timestamp": _fit_time(moment_s),
        "event": _TIMER,
        "event_type": event_type,
    }
    return _message(profile.EVENT, profile.EVENT_FIELDS, values)


def _record_rows(points: Points) -> tuple[bytes, bytes]:
    """Return the definition and all record messages; only columns with a value are defined."""
    columns = {
        name: column
        for name, source in _RECORD_SOURCES.items()
        if np.isfinite(column := getattr(points, source)).any()
    }
    if not columns:
        columns = {"timestamp": points.timestamp_s}
    fields = [profile.RECORD_FIELDS[name] for name in columns]
    bases = [profile.BASE_TYPES[field.base & 0x1F] for field in fields]
    layout = np.dtype([("header", "u1"), *zip(columns, (f"<{b.kind}" for b in bases), strict=True)])
    rows = np.zeros(len(points), dtype=layout)
    rows["header"] = _LOCAL[profile.RECORD]
    for (name, column), field, base in zip(columns.items(), fields, bases, strict=True):
        rows[name] = _raw_column(_fit_units(name, column), field, base)
    return _definition(profile.RECORD, fields, [base.size for base in bases]), rows.tobytes()


def _fit_units(name: str, column: FloatArray) -> FloatArray:
    if name == "timestamp":
        return np.floor(column) - profile.EPOCH_S
    if name in ("position_lat", "position_long"):
        return column / profile.DEGREES_PER_SEMICIRCLE
    return column


def _raw_column(
    values: FloatArray, field: profile.Field, base: profile.BaseType
) -> np.ndarray[tuple[int, ...], np.dtype[np.integer]]:
    limits = np.iinfo(base.kind)
    raw = np.rint((values + field.offset) * field.scale)
    fits = np.isfinite(raw) & (raw >= limits.min) & (raw <= limits.max)
    return np.where(fits, raw, base.invalid).astype(base.kind)


def _lap(index: int, lap: Lap, end_s: float) -> bytes:
    values: dict[str, Value] = {
        **_summary(lap, end_s),
        "message_index": index,
        "event": _LAP_EVENT,
        "event_type": _STOP,
        "lap_trigger": names.number_of(names.LAP_TRIGGERS, lap.trigger),
    }
    return _message(profile.LAP, profile.LAP_FIELDS, values)


def _session(index: int, recording: Recording, end_s: float) -> bytes:
    session = recording.sessions[index]
    following = recording.sessions[index + 1 : index + 2]
    until_s = following[0].start_s if following else math.inf
    own = [
        number
        for number, lap in enumerate(recording.laps)
        if (index == 0 or lap.start_s >= session.start_s) and lap.start_s < until_s
    ]
    values: dict[str, Value] = {
        **_summary(session, end_s),
        "message_index": index,
        "event": _SESSION_EVENT,
        "event_type": _STOP,
        "first_lap_index": own[0] if own else None,
        "num_laps": len(own),
        "trigger": 0,
        "sport": names.number_of(names.SPORTS, session.sport),
        "sub_sport": names.number_of(names.SUB_SPORTS, session.sub_sport),
        "max_power": session.max_power_w,
        "avg_temperature": session.average_temperature_c,
        "sport_profile_name": session.name,
    }
    return _message(profile.SESSION, profile.SESSION_FIELDS, values)


def _summary(part: Lap | Session, end_s: float) -> dict[str, Value]:
    elapsed_s = part.elapsed_time_s
    return {
        "timestamp": _fit_time(end_s if elapsed_s is None else part.start_s + elapsed_s),
        "start_time": _fit_time(part.start_s),
        "total_elapsed_time": elapsed_s,
        "total_timer_time": part.timer_time_s,
        "total_distance": part.distance_m,
        "total_calories": part.calories_kcal,
        "total_ascent": part.total_ascent_m,
        "enhanced_avg_speed": part.average_speed_mps,
        "enhanced_max_speed": part.max_speed_mps,
        "avg_heart_rate": part.average_heartrate_bpm,
        "max_heart_rate": part.max_heartrate_bpm,
        "avg_cadence": part.average_cadence_rpm,
        "avg_power": part.average_power_w,
    }


def _activity(recording: Recording, end_s: float) -> bytes:
    if recording.kind != "activity":
        return b""
    offset_s = recording.utc_offset_s
    timer_s = [session.timer_time_s for session in recording.sessions]
    values: dict[str, Value] = {
        "timestamp": _fit_time(end_s),
        "total_timer_time": sum(part for part in timer_s if part is not None) or None,
        "num_sessions": len(recording.sessions),
        "type": int(len(recording.sessions) > 1),
        "event": _ACTIVITY_EVENT,
        "event_type": _STOP,
        "local_timestamp": None if offset_s is None else _fit_time(math.floor(end_s) + offset_s),
    }
    return _message(profile.ACTIVITY, profile.ACTIVITY_FIELDS, values)


def _fit_time(unix_s: float) -> float:
    return math.floor(unix_s) - profile.EPOCH_S


def _message(
    number: int, fields: Mapping[str, profile.Field], values: Mapping[str, Value]
) -> bytes:
    """Return a definition and one message with those of the values that are not None."""
    present = [(fields[name], value) for name, value in values.items() if value is not None]
    payloads = [_raw_value(field, value) for field, value in present]
    definition = _definition(number, [field for field, _ in present], list(map(len, payloads)))
    return definition + bytes((_LOCAL[number],)) + b"".join(payloads)


def _raw_value(field: profile.Field, value: float | str) -> bytes:
    if isinstance(value, str):
        return value.encode()[:254].decode(errors="ignore").encode() + b"\0"
    base = profile.BASE_TYPES[field.base & 0x1F]
    return _raw_column(np.asarray([value], dtype=np.float64), field, base).tobytes()


def _definition(number: int, fields: Sequence[profile.Field], sizes: Iterable[int]) -> bytes:
    head = bytes((0x40 | _LOCAL[number], 0, 0)) + number.to_bytes(2, "little")
    triples = (bytes((f.number, size, f.base)) for f, size in zip(fields, sizes, strict=True))
    return head + bytes((len(fields),)) + b"".join(triples)
