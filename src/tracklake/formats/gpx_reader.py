"""What a GPX document has said so far: the state behind its element events; pure."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan

from tracklake.errors import InvalidData
from tracklake.formats import point_columns as pc
from tracklake.formats import xml_stream

MAX_TRACKS = 10_000

_COLUMNS = {
    "ele": pc.ALTITUDE,
    "speed": pc.SPEED,  # GPX 1.0; gpxtpx v2, OsmAnd
    "distance": pc.DISTANCE,  # ClueTrust: metres since the start
    "hr": pc.HEARTRATE,
    "heartrate": pc.HEARTRATE,
    "heart_rate": pc.HEARTRATE,
    "heartratebpm": pc.HEARTRATE,
    "cad": pc.CADENCE,
    "cadence": pc.CADENCE,
    "runcadence": pc.CADENCE,
    "power": pc.POWER,
    "powerinwatts": pc.POWER,
    "watts": pc.POWER,
    "atemp": pc.TEMPERATURE,
    "temp": pc.TEMPERATURE,
    "temperature": pc.TEMPERATURE,
}
_TEXTS = {(parent, name) for parent in ("trk", "rte") for name in ("name", "desc", "type")} | {
    ("trackstatsextension", name) for name in ("distance", "timertime", "maxspeed", "ascent")
}
_ABOUT = {(parent, name) for parent in ("metadata", "gpx") for name in ("name", "desc", "time")}


# OpenTracks (like MyTracks before it) marked a pause and its end by points at these latitudes.
_PAUSE_MARKERS = {(100.0, 0.0), (200.0, 0.0)}


@dataclass(slots=True)
class Track:
    """One <trk> or <rte>: which points are its, and what it says of itself."""

    planned: bool
    first: int
    last: int
    segments: array[int]  # index of the first point of each segment
    texts: dict[str, str] = field(default_factory=dict)
    misplaced: int = 0
    mistimed: int = 0
    problems: tuple[str, ...] = ()


class Reader:
    """What has been read so far."""

    def __init__(self) -> None:
        self.is_gpx = False
        self.misplaced = 0
        self.creator = ""
        self.about: dict[str, str] = {}
        self.columns = pc.PointColumns()
        self._tracks: list[Track] = []
        self._row: pc.Row | None = None
        self._mistimed = False

    def start(self, path: Sequence[str], attributes: dict[str, str]) -> None:
        """Take the start of the element at the end of the path."""
        name = path[-1]
        if name in {"trkpt", "rtept"}:
            self._start_point(attributes)
        elif name in {"trk", "rte"}:
            self._start_track(planned=name == "rte")
        elif name == "trkseg":
            self._start_segment()
        elif len(path) == 1:
            if name != "gpx":
                raise InvalidData(f"the document is <{name[:40]}>, not <gpx>", reason="not_gpx")
            self.is_gpx = True
            self.creator = attributes.get("creator", "").strip()

    def end(self, path: Sequence[str], text: str) -> None:
        """Take the end of the element at the end of the path, with its text."""
        name = path[-1]
        if self._row is None:
            self._end_outside(path, text)
        elif name in {"trkpt", "rtept"}:
            self._end_point(self._row)
        elif name == "time":
            self._end_time(self._row, text)
        elif name in _COLUMNS and isnan(self._row[_COLUMNS[name]]):
            self._row[_COLUMNS[name]] = pc.number(text)

    def finished(self, broken: str | None) -> list[Track]:
        """Return the tracks that have points; what broke is a problem of the last."""
        self._close_track()
        if broken and self._tracks:
            self._tracks[-1].problems = (broken,)
        return self._tracks

    def _start_track(self, *, planned: bool = False) -> None:
        self._close_track()
        if len(self._tracks) >= MAX_TRACKS:
            raise InvalidData(f"more than {MAX_TRACKS} tracks", reason="too_many_tracks")
        self._tracks.append(Track(planned, len(self.columns), -1, array("q")))

    def _close_track(self) -> None:
        if not self._tracks:
            return
        track = self._tracks[-1]
        track.last = len(self.columns)
        if track.last == track.first:
            self._tracks.pop()

    def _start_segment(self) -> None:
        if not self._tracks:
            self._start_track()
        starts = self._tracks[-1].segments
        if not starts or starts[-1] != len(self.columns):
            starts.append(len(self.columns))

    def _start_point(self, attributes: dict[str, str]) -> None:
        if not self._tracks:
            self._start_track()
        lat = pc.number(attributes.get("lat", ""))
        lng = pc.number(attributes.get("lon", ""))
        self._mistimed = False
        if pc.on_earth(lat, lng):
            self._row = pc.blank()
            self._row[pc.LAT] = lat
            self._row[pc.LNG] = lng
            return
        self._row = None
        if (lat, lng) in _PAUSE_MARKERS:
            self._start_segment()
        else:
            self.misplaced += 1
            self._tracks[-1].misplaced += 1

    def _end_time(self, row: pc.Row, text: str) -> None:
        if text and isnan(row[pc.TIMESTAMP]):
            row[pc.TIMESTAMP] = seconds = xml_stream.unix_seconds(text)
            self._mistimed = isnan(seconds)

    def _end_point(self, row: pc.Row) -> None:
        self._tracks[-1].mistimed += self._mistimed
        self.columns.append(row)
        self._row = None

    def _end_outside(self, path: Sequence[str], text: str) -> None:
        where = tuple(path[-2:])
        if not text:
            return
        if where in _TEXTS and self._tracks:
            self._tracks[-1].texts.setdefault(where[1], text)
        elif where in _ABOUT and len(path) <= 3:
            self.about.setdefault(where[1], text)
