"""Read TCX (Garmin's Training Center XML, with ActivityExtension) as a stream; pure.

Elements are known by their names, whatever namespace and prefix they have. Schemas:
https://www8.garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd and ActivityExtensionv2.xsd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from math import isfinite, isnan
from typing import BinaryIO

import numpy as np

from tracklake.errors import InvalidData
from tracklake.formats import point_columns as pc
from tracklake.formats import xml_stream
from tracklake.formats.tcx_reader import LapTexts, Part, Reader
from tracklake.model import Device, FloatArray, Lap, Points, Recording, Session

_TRIGGERS = {"heartrate": "heart_rate"}


def decode(stream: BinaryIO) -> tuple[Recording, ...]:
    """Return one recording for each Activity, MultiSportSession (several sessions) and Course.

    Several tracks within a lap are divided by pauses. TotalTimeSeconds is the timer's time; how
    long a lap took in all is told by the next one's start or its last point. The schema demands
    Calories and distances, so programs write 0 where they know none: such calories, and such a
    total of a session, are None. Positions off the earth and unreadable times are NaN, with a
    problem; the rest of a document that breaks off is one too. Times without an offset are taken
    for UTC. A file with neither gives one empty recording of kind "workout". Raises InvalidData:
    "not_tcx", "no_points" (nothing of it could be read), "too_many_points", "too_many_laps",
    "xml_forbidden", "xml_limits". Errors of the stream itself pass through.
    """
    reader = Reader()
    broken = xml_stream.read(stream, reader.start, reader.end)
    if not reader.is_tcx:
        raise InvalidData(f"no TCX document: {broken or 'no element'}", reason="not_tcx")
    parts = reader.finished(broken)
    if not parts and broken:
        raise InvalidData(broken, reason="no_points")
    if not parts:
        return (Recording(format="tcx", kind="workout"),)
    grouped = groupby(parts, key=lambda part: part.group)
    points = reader.columns.points(0, len(reader.columns))
    return tuple(_recording(points, list(group)) for _, group in grouped)


def _recording(points: Points, parts: list[Part]) -> Recording:
    """Make a recording of the parts of one group; `points` are those of the whole file."""
    times = points.timestamp_s
    laps = [_laps(times, part) for part in parts]
    sessions = [
        _session(part, own_laps, pc.span(times[part.first : part.last]))
        for part, own_laps in zip(parts, laps, strict=True)
        if own_laps
    ]
    course = parts[0].planned or not sessions
    created_s = _first_readable(part.texts.get("id", "") for part in parts)
    return Recording(
        format="tcx",
        kind="course" if course else "activity",
        problems=tuple(_problems(parts)),
        points=points.take(slice(parts[0].first, parts[-1].last)),
        sessions=() if course else tuple(sessions),
        laps=() if course else tuple(lap for own_laps in laps for lap in own_laps),
        pauses=() if course else tuple(_pauses(times, parts)),
        device=_device(parts),
        created_s=created_s,
        name=parts[0].texts.get("name"),
        description=parts[0].texts.get("notes"),
    )


def _laps(times: FloatArray, part: Part) -> list[Lap]:
    """Return the laps that have a time: their own, that of their first point, the former's end."""
    firsts = [*(lap.first for lap in part.laps), part.last]
    laps: list[Lap] = []
    last_times: list[float] = []
    for texts, (first, last) in zip(part.laps, pairwise(firsts), strict=True):
        span = pc.span(times[first:last])
        start_s = xml_stream.unix_seconds(texts.start)
        if isnan(start_s):
            start_s = span[0] if span else last_times[-1] if last_times else _started(part)
        if isfinite(start_s):
            laps.append(_lap(texts, start_s))
            last_times.append(span[1] if span else start_s)
    ends = [*(lap.start_s for lap in laps[1:]), *last_times[-1:]]
    return [_timed(lap, end_s) for lap, end_s in zip(laps, ends, strict=True)]


def _started(part: Part) -> float:
    return xml_stream.unix_seconds(part.texts.get("id", ""))


def _lap(lap: LapTexts, start_s: float) -> Lap:
    texts = lap.texts
    trigger = texts.get("triggermethod", "").lower()
    cadence = _known(texts, "cadence")
    return Lap(
        start_s=start_s,
        timer_time_s=_known(texts, "totaltimeseconds"),
        distance_m=_known(texts, "distancemeters"),
        calories_kcal=_known(texts, "calories") or None,
        average_speed_mps=_known(texts, "avgspeed"),
        max_speed_mps=_known(texts, "maximumspeed"),
        average_heartrate_bpm=_known(texts, "averageheartratebpm"),
        max_heartrate_bpm=_known(texts, "maximumheartratebpm"),
        average_cadence_rpm=cadence if cadence is not None else _known(texts, "avgruncadence"),
        average_power_w=_known(texts, "avgwatts"),
        trigger=_TRIGGERS.get(trigger, trigger) or None,
    )


def _known(texts: dict[str, str], name: str) -> float | None:
    value = pc.number(texts.get(name, ""))
    return None if isnan(value) else value


def _timed(lap: Lap, end_s: float) -> Lap:
    elapsed_s = max(end_s - lap.start_s, lap.timer_time_s or 0.0)
    return replace(lap, elapsed_time_s=elapsed_s)


def _session(part: Part, laps: Sequence[Lap], span: tuple[float, float] | None) -> Session:
    """Sum up the laps; span: the first and the last time of the part's points."""
    start_s = laps[0].start_s
    end_s = max(laps[-1].start_s + (laps[-1].elapsed_time_s or 0.0), span[1] if span else start_s)
    return Session(
        start_s=start_s,
        elapsed_time_s=end_s - start_s,
        timer_time_s=_folded(sum, (lap.timer_time_s for lap in laps)),
        sport=part.sport or None,
        distance_m=_folded(sum, (lap.distance_m for lap in laps)),
        calories_kcal=_folded(sum, (lap.calories_kcal for lap in laps)),
        average_speed_mps=_mean([(lap.average_speed_mps, lap.timer_time_s) for lap in laps]),
        max_speed_mps=_folded(max, (lap.max_speed_mps for lap in laps)),
        average_heartrate_bpm=_mean(
            [(lap.average_heartrate_bpm, lap.timer_time_s) for lap in laps]
        ),
        max_heartrate_bpm=_folded(max, (lap.max_heartrate_bpm for lap in laps)),
        average_cadence_rpm=_mean([(lap.average_cadence_rpm, lap.timer_time_s) for lap in laps]),
        average_power_w=_mean([(lap.average_power_w, lap.timer_time_s) for lap in laps]),
        max_power_w=_folded(max, (_known(lap.texts, "maxwatts") for lap in part.laps)),
    )


def _folded(fold: Callable[[list[float]], float], values: Iterator[float | None]) -> float | None:
    """Sum up, or take the largest of, what is known; 0 stands for unknown (see `decode`)."""
    known = [value for value in values if value is not None]
    return (_finite(fold(known)) or None) if known else None


def _mean(weighted: list[tuple[float | None, float | None]]) -> float | None:
    """Return the mean of the known values, weighted by seconds."""
    known = [(value, seconds) for value, seconds in weighted if value is not None and seconds]
    total_s = sum(seconds for _, seconds in known)
    return _finite(sum(v * s for v, s in known) / total_s) if total_s > 0 else None


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _pauses(times: FloatArray, parts: list[Part]) -> Iterator[tuple[float, float]]:
    """Yield the gaps between the tracks of one lap, ascending and disjoint."""
    latest = -np.inf
    for part in parts:
        firsts = [*(lap.first for lap in part.laps), part.last]
        for lap, (first, last) in zip(part.laps, pairwise(firsts), strict=True):
            edges = sorted({first, *lap.tracks, last})
            spans = [pc.span(times[low:high]) for low, high in pairwise(edges)]
            for stopped_s, resumed_s in pc.gaps(spans):
                if stopped_s >= latest:
                    latest = resumed_s
                    yield stopped_s, resumed_s


def _device(parts: list[Part]) -> Device:
    creator = next((part.creator for part in parts if part.creator), {})
    unit = _known(creator, "unitid") or 0.0
    product = creator.get("productid", "")
    return Device(
        name=creator.get("name"),
        product=product if product.strip("0") else None,
        serial_number=int(unit) if 0 < unit < 2**32 else None,
    )


def _first_readable(texts: Iterator[str]) -> float | None:
    times = (xml_stream.unix_seconds(text) for text in texts)
    return next((seconds for seconds in times if isfinite(seconds)), None)


def _problems(parts: list[Part]) -> Iterator[str]:
    misplaced = sum(part.misplaced for part in parts)
    mistimed = sum(part.mistimed for part in parts)
    if misplaced:
        yield f"positions left out that are not on earth: {misplaced}"
    if mistimed:
        yield f"points with a time that is not readable: {mistimed}"
    for part in parts:
        yield from part.problems
