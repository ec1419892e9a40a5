"""Write a recording as GPX 1.1; pure.

Sensors stand where most programs look for them: Garmin's TrackPointExtension v2 (heart rate,
cadence, temperature, speed), a plain `power` as Strava writes it, ClueTrust's `distance`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

import numpy as np

from tracklake.formats.xml_stream import attribute, element, format_number, format_time
from tracklake.model import POINT_COLUMNS, Points, Recording

_HEADER = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<gpx version="1.1" creator={creator} xmlns="http://www.topografix.com/GPX/1/1"'
    ' xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2"'
    ' xmlns:gpxdata="http://www.cluetrust.com/XML/GPXDATA/1/0">\n'
)


def encode(recording: Recording) -> bytes:
    """Return a GPX document: one track (a course: one route), one segment between two pauses.

    Positions are rounded to 7 decimals (1 cm), times to the millisecond, metres to 2 decimals,
    m/s to 3, °C to 1, and heart rate, cadence and power to integers, which the schemas demand.
    What GPX cannot say is left out: points without a position, laps, the sessions' totals.
    """
    lines = [_HEADER.format(creator=attribute(recording.device.name or "Tracklake"))]
    if recording.created_s is not None:
        lines.append(f"<metadata>{element('time', format_time(recording.created_s))}</metadata>\n")
    course = recording.kind == "course"
    lines.append("<rte>" if course else "<trk>")
    lines.append(_head(recording))
    lines.extend(_route(recording.points) if course else _segments(recording))
    lines.append("</rte>\n" if course else "</trk>\n")
    lines.append("</gpx>\n")
    return "".join(lines).encode("utf-8")


def _head(recording: Recording) -> str:
    session = recording.sessions[0] if recording.sessions else None
    name = recording.name or (session.name if session else None)
    sport = session.sport if session else None
    tags = (("name", name), ("desc", recording.description), ("type", sport))
    return "".join(element(tag, text) for tag, text in tags if text) + "\n"


def _route(points: Points) -> Iterator[str]:
    return (_point("rtept", row) for row in _rows(points))


def _segments(recording: Recording) -> Iterator[str]:
    points = recording.points
    numbers = _segment_numbers(points, recording.pauses)
    for number in np.unique(numbers):
        yield "<trkseg>\n"
        for row in _rows(points.take(numbers == number)):
            yield _point("trkpt", row)
        yield "</trkseg>\n"


def _segment_numbers(
    points: Points, pauses: tuple[tuple[float, float], ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """Return for each point how many pauses are over; a point without a time joins the former."""
    resumed = np.array([start for _, start in pauses], dtype=np.float64)
    numbers = np.searchsorted(resumed, points.timestamp_s, side="right")
    return np.maximum.accumulate(np.where(np.isnan(points.timestamp_s), 0, numbers))


def _rows(points: Points) -> Iterator[dict[str, float]]:
    located = points.take(np.isfinite(points.lat) & np.isfinite(points.lng))
    columns = [getattr(located, name).tolist() for name in POINT_COLUMNS]
    for row in zip(*columns, strict=True):
        yield dict(zip(POINT_COLUMNS, row, strict=True))


def _point(tag: str, row: dict[str, float]) -> str:
    inner = _number("ele", row["altitude_m"], 2)
    if isfinite(row["timestamp_s"]):
        inner += element("time", format_time(row["timestamp_s"]))
    return (
        f'<{tag} lat="{format_number(row["lat"], 7)}" lon="{format_number(row["lng"], 7)}">'
        f"{inner}{_extensions(row)}</{tag}>\n"
    )


def _extensions(row: dict[str, float]) -> str:
    garmin = (
        _number("gpxtpx:atemp", row["temperature_c"], 1)
        + _number("gpxtpx:hr", row["heartrate_bpm"], 0)
        + _number("gpxtpx:cad", row["cadence_rpm"], 0)
        + _number("gpxtpx:speed", row["velocity_mps"], 3)
    )
    inner = _number("power", row["power_w"], 0)
    if garmin:
        inner += f"<gpxtpx:TrackPointExtension>{garmin}</gpxtpx:TrackPointExtension>"
    inner += _number("gpxdata:distance", row["distance_m"], 2)
    return f"<extensions>{inner}</extensions>" if inner else ""


def _number(tag: str, value: float, decimals: int) -> str:
    return f"<{tag}>{format_number(value, decimals)}</{tag}>" if isfinite(value) else ""
