"""Write a recording as TCX (Training Center XML v2 with ActivityExtension v2); pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from math import isfinite, nan

import numpy as np

from tracklake import sports
from tracklake.formats.xml_stream import attribute, element, format_number, format_time
from tracklake.model import POINT_COLUMNS, Device, FloatArray, Lap, Points, Recording, Session

_HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<TrainingCenterDatabase"
    ' xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"'
    ' xmlns:ns3="http://www.garmin.com/xmlschemas/ActivityExtension/v2"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
)
_TRIGGERS = {"distance": "Distance", "time": "Time", "heart_rate": "HeartRate"}


def encode(recording: Recording) -> bytes:
    """Return a TCX document: one Activity, or a MultiSportSession where there are several sessions.

    Positions are rounded to 7 decimals (1 cm), times to the millisecond, metres to 2 decimals,
    m/s to 3, heart rate, cadence and power to integers. TotalTimeSeconds, DistanceMeters and
    Calories of a lap, which the schema demands, are 0 where unknown. What TCX cannot say is left
    out: points without a time, temperature, names, sessions' totals beside those of their laps.
    """
    points = recording.points.take(np.isfinite(recording.points.timestamp_s))
    if recording.kind == "course":
        body = _course(recording, points)
    else:
        body = "".join(_activities(recording, points))
    return f"{_HEADER}{body}</TrainingCenterDatabase>\n".encode()


def _course(recording: Recording, points: Points) -> str:
    lap = recording.laps[0] if recording.laps else Lap(start_s=nan)
    totals = _number("TotalTimeSeconds", lap.timer_time_s or 0.0, 3) + _number(
        "DistanceMeters", lap.distance_m or 0.0, 2
    )
    return (
        f"<Courses><Course>{element('Name', recording.name or 'Course')}\n"
        f"<Lap>{totals}<Intensity>Active</Intensity></Lap>\n"
        f"{_track(points, running=False)}</Course></Courses>\n"
    )


def _activities(recording: Recording, points: Points) -> Iterator[str]:
    sessions = recording.sessions or (Session(start_s=_first_time(recording, points)),)
    bounds = _bounds([session.start_s for session in sessions])
    legs = [
        _leg(recording, session, points.take(_within(points.timestamp_s, low, high)), (low, high))
        for session, (low, high) in zip(sessions, bounds, strict=True)
    ]
    yield "<Activities>\n"
    if len(legs) == 1:
        yield legs[0]
    else:
        yield f"<MultiSportSession>{element('Id', format_time(sessions[0].start_s))}\n"
        yield f"<FirstSport>{legs[0]}</FirstSport>\n"
        yield from (f"<NextSport>{leg}</NextSport>\n" for leg in legs[1:])
        yield "</MultiSportSession>\n"
    yield "</Activities>\n"


def _leg(
    recording: Recording, session: Session, points: Points, bounds: tuple[float, float]
) -> str:
    laps = [lap for lap in recording.laps if bounds[0] <= lap.start_s < bounds[1]]
    sport = _sport(recording, session)
    parts = _laps(laps or [_whole(session)], points, recording.pauses, running=sport == "Running")
    notes = element("Notes", recording.description) if recording.description else ""
    return (
        f"<Activity Sport={attribute(sport)}>{element('Id', format_time(session.start_s))}\n"
        f"{''.join(parts)}{notes}{_creator(recording.device)}</Activity>\n"
    )


def _sport(recording: Recording, session: Session) -> str:
    """Return one of the schema's three words, or "Transition", which readers take as Other."""
    kind = sports.sport_type(recording.format, session.sport, session.sub_sport)
    if kind in {"Run", "TrailRun", "VirtualRun"}:
        return "Running"
    if kind == "Transition":
        return kind
    return "Biking" if sports.family(kind) == "ride" else "Other"


def _whole(session: Session) -> Lap:
    """Return the session's totals as one lap."""
    return Lap(
        start_s=session.start_s,
        elapsed_time_s=session.elapsed_time_s,
        timer_time_s=session.timer_time_s,
        distance_m=session.distance_m,
        calories_kcal=session.calories_kcal,
        average_speed_mps=session.average_speed_mps,
        max_speed_mps=session.max_speed_mps,
        average_heartrate_bpm=session.average_heartrate_bpm,
        max_heartrate_bpm=session.max_heartrate_bpm,
        average_cadence_rpm=session.average_cadence_rpm,
        average_power_w=session.average_power_w,
    )


def _laps(
    laps: Sequence[Lap], points: Points, pauses: Sequence[tuple[float, float]], *, running: bool
) -> Iterator[str]:
    for lap, (low, high) in zip(laps, _bounds([lap.start_s for lap in laps]), strict=True):
        inside = points.take(_within(points.timestamp_s, low, high))
        yield f"<Lap StartTime={attribute(format_time(lap.start_s))}>{_lap_totals(lap, running)}\n"
        yield from _tracks(inside, pauses, running=running)
        yield f"{_lap_extensions(lap, running)}</Lap>\n"


def _lap_totals(lap: Lap, running: bool) -> str:
    seconds = lap.timer_time_s if lap.timer_time_s is not None else lap.elapsed_time_s
    trigger = lap.trigger or ""
    word = "Location" if trigger.startswith("position") else _TRIGGERS.get(trigger, "Manual")
    return (
        _number("TotalTimeSeconds", seconds or 0.0, 3)
        + _number("DistanceMeters", lap.distance_m or 0.0, 2)
        + _number("MaximumSpeed", lap.max_speed_mps, 3)
        + _number("Calories", lap.calories_kcal or 0.0, 0)
        + _heartrate("AverageHeartRateBpm", lap.average_heartrate_bpm)
        + _heartrate("MaximumHeartRateBpm", lap.max_heartrate_bpm)
        + "<Intensity>Active</Intensity>"
        + ("" if running else _number("Cadence", lap.average_cadence_rpm, 0))
        + element("TriggerMethod", word)
    )


def _lap_extensions(lap: Lap, running: bool) -> str:
    inner = (
        _number("ns3:AvgSpeed", lap.average_speed_mps, 3)
        + (_number("ns3:AvgRunCadence", lap.average_cadence_rpm, 0) if running else "")
        + _number("ns3:AvgWatts", lap.average_power_w, 0)
    )
    return f"<Extensions><ns3:LX>{inner}</ns3:LX></Extensions>" if inner else ""


def _tracks(
    points: Points, pauses: Sequence[tuple[float, float]], *, running: bool
) -> Iterator[str]:
    resumed = np.array([start for _, start in pauses], dtype=np.float64)
    numbers = np.searchsorted(resumed, points.timestamp_s, side="right")
    for number in np.unique(numbers):
        yield _track(points.take(numbers == number), running=running)


def _track(points: Points, *, running: bool) -> str:
    columns = [getattr(points, name).tolist() for name in POINT_COLUMNS]
    rows = (dict(zip(POINT_COLUMNS, row, strict=True)) for row in zip(*columns, strict=True))
    return f"<Track>\n{''.join(_trackpoint(row, running) for row in rows)}</Track>\n"


def _trackpoint(row: dict[str, float], running: bool) -> str:
    cadence = row["cadence_rpm"]
    position = ""
    if isfinite(row["lat"]) and isfinite(row["lng"]):
        position = (
            f"<Position>{_number('LatitudeDegrees', row['lat'], 7)}"
            f"{_number('LongitudeDegrees', row['lng'], 7)}</Position>"
        )
    extensions = (
        _number("ns3:Speed", row["velocity_mps"], 3)
        + (_number("ns3:RunCadence", cadence, 0) if running else "")
        + _number("ns3:Watts", row["power_w"], 0)
    )
    return (
        f"<Trackpoint>{element('Time', format_time(row['timestamp_s']))}{position}"
        + _number("AltitudeMeters", row["altitude_m"], 2)
        + _number("DistanceMeters", row["distance_m"], 2)
        + _heartrate("HeartRateBpm", row["heartrate_bpm"])
        + ("" if running else _number("Cadence", cadence, 0))
        + (f"<Extensions><ns3:TPX>{extensions}</ns3:TPX></Extensions>" if extensions else "")
        + "</Trackpoint>\n"
    )


def _creator(device: Device) -> str:
    if device.name is None and device.product is None and device.serial_number is None:
        return ""
    product = device.product if (device.product or "").isdecimal() else "0"
    version = "<VersionMajor>0</VersionMajor><VersionMinor>0</VersionMinor>"
    return (
        f'<Creator xsi:type="Device_t">{element("Name", device.name or device.product or "")}'
        f"<UnitId>{device.serial_number or 0}</UnitId><ProductID>{product}</ProductID>"
        f"<Version>{version}</Version></Creator>\n"
    )


def _first_time(recording: Recording, points: Points) -> float:
    if recording.laps:
        return recording.laps[0].start_s
    if len(points):
        return float(points.timestamp_s[0])
    return recording.created_s or 0.0


def _bounds(starts: list[float]) -> list[tuple[float, float]]:
    """Return from when until when each part takes the points; the first takes earlier ones too."""
    edges = [-np.inf, *starts[1:], np.inf]
    return list(itertools.pairwise(edges))


def _within(
    times: FloatArray, low: float, high: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return (times >= low) & (times < high)


def _heartrate(tag: str, value: float | None) -> str:
    inner = _number("Value", value, 0)
    return f"<{tag}>{inner}</{tag}>" if inner else ""


def _number(tag: str, value: float | None, decimals: int) -> str:
    if value is None or not isfinite(value):
        return ""
    return f"<{tag}>{format_number(value, decimals)}</{tag}>"
