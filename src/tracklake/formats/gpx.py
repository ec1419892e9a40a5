"""Read GPX 1.0 and 1.1 as a stream, with the sensors that programs put into its extensions; pure.

Elements are known by their names, whatever namespace and prefix they have: the same words are
written by Garmin (TrackPointExtension v1 and v2, PowerExtension, TrackStatsExtension), ClueTrust,
Strava, GoldenCheetah, Polar, Wahoo, Suunto, OsmAnd and OpenTracks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import isnan
from typing import BinaryIO

from tracklake.errors import InvalidData
from tracklake.formats import point_columns as pc
from tracklake.formats import xml_stream
from tracklake.formats.gpx_reader import Reader, Track
from tracklake.model import Device, Points, Recording, Session

CONTINUATION_S = 4 * 3600.0  # a track of the same type that begins so soon belongs to the former


def decode(stream: BinaryIO) -> tuple[Recording, ...]:
    """Return one recording for each outing of the file, in the order of their times.

    A track with times is an activity; one of the same type that begins within four hours after the
    former's end continues it. Gaps between segments become pauses. Routes, and tracks without any
    time, are of kind "course"; a file with neither gives one empty recording of kind "waypoints".
    Points without a position on earth are left out, unreadable times are NaN, both with a problem;
    so is the rest of a document that breaks off. Times without an offset are taken for UTC.
    Raises InvalidData: "not_gpx", "no_points" (nothing of it could be read), "too_many_points",
    "too_many_tracks", "xml_forbidden", "xml_limits". Errors of the stream itself pass through.
    """
    reader = Reader()
    broken = xml_stream.read(stream, reader.start, reader.end, naming=_short_name)
    if not reader.is_gpx:
        raise InvalidData(f"no GPX document: {broken or 'no element'}", reason="not_gpx")
    tracks = reader.finished(broken)
    if not tracks and (broken or reader.misplaced):
        raise InvalidData(broken or "no point has a position on earth", reason="no_points")
    return tuple(_recordings(reader, tracks))


def _short_name(name: str) -> str:
    # OpenTracks writes metres since the previous point under ClueTrust's word.
    return "" if name == "opentracks:distance" else xml_stream.local_name(name)


@dataclass(slots=True)
class _Outing:
    """Tracks that belong together, with the times (first, last) of their segments."""

    tracks: list[Track]
    parts: list[Points]
    spans: list[tuple[float, float]]


def _recordings(reader: Reader, tracks: list[Track]) -> Iterator[Recording]:
    outings: list[_Outing] = []
    courses: list[_Outing] = []
    for track in tracks:
        points = reader.columns.points(track.first, track.last)
        spans = [] if track.planned else _segment_spans(track, points)
        (outings if spans else courses).append(_Outing([track], [points], spans))
    for outing in _joined(outings):
        yield _activity(reader, outing, alone=len(tracks) == len(outing.tracks))
    for course in courses:
        yield _recording(reader, course, "course", alone=len(tracks) == 1)
    if not tracks:
        yield _recording(reader, _Outing([], [Points.empty()], []), "waypoints", alone=True)


def _segment_spans(track: Track, points: Points) -> list[tuple[float, float]]:
    edges = sorted({track.first, *track.segments, track.last})
    spans = (
        pc.span(points.timestamp_s[first - track.first : last - track.first])
        for first, last in pairwise(edges)
    )
    return [span for span in spans if span]


def _joined(outings: list[_Outing]) -> list[_Outing]:
    """Sort by start and join what continues: same type, begun within CONTINUATION_S."""
    joined: list[_Outing] = []
    for outing in sorted(outings, key=lambda outing: outing.spans[0][0]):
        former = joined[-1] if joined else None
        if former and _continues(former, outing):
            former.tracks += outing.tracks
            former.parts += outing.parts
            former.spans += outing.spans
        else:
            joined.append(outing)
    return joined


def _continues(former: _Outing, outing: _Outing) -> bool:
    pause_s = outing.spans[0][0] - former.spans[-1][1]
    types = {track.texts.get("type") for track in (former.tracks[0], outing.tracks[0])}
    return 0 <= pause_s <= CONTINUATION_S and len(types) == 1


def _activity(reader: Reader, outing: _Outing, *, alone: bool) -> Recording:
    texts = outing.tracks[0].texts
    totals = texts if len(outing.tracks) == 1 else {}
    session = Session(
        start_s=outing.spans[0][0],
        sport=texts.get("type"),
        name=texts.get("name"),
        distance_m=_total(totals, "distance"),
        timer_time_s=_total(totals, "timertime"),
        max_speed_mps=_total(totals, "maxspeed"),
        total_ascent_m=_total(totals, "ascent"),
    )
    return _recording(reader, outing, "activity", alone=alone, sessions=(session,))


def _total(texts: dict[str, str], name: str) -> float | None:
    value = pc.number(texts.get(name, ""))
    return None if isnan(value) else value


def _recording(
    reader: Reader,
    outing: _Outing,
    kind: str,
    *,
    alone: bool,
    sessions: tuple[Session, ...] = (),
) -> Recording:
    """Make the recording; where it is `alone`, the file's own name and description fill in."""
    about = reader.about if alone else {}
    texts = outing.tracks[0].texts if outing.tracks else {}
    created_s = xml_stream.unix_seconds(reader.about.get("time", ""))
    return Recording(
        format="gpx",
        kind=kind,
        problems=tuple(_problems(outing.tracks)),
        points=pc.concatenated(outing.parts),
        sessions=sessions,
        pauses=tuple(pc.gaps(outing.spans)),
        device=Device(name=reader.creator or None),
        created_s=None if isnan(created_s) else created_s,
        name=texts.get("name") or about.get("name"),
        description=texts.get("desc") or about.get("desc"),
    )


def _problems(tracks: list[Track]) -> Iterator[str]:
    misplaced = sum(track.misplaced for track in tracks)
    mistimed = sum(track.mistimed for track in tracks)
    if misplaced:
        yield f"points left out without a position on earth: {misplaced}"
    if mistimed:
        yield f"points with a time that is not readable: {mistimed}"
    for track in tracks:
        yield from track.problems
