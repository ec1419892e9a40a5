"""What a TCX document has said so far: the state behind its element events; pure."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, isnan, nan

from tracklake.errors import InvalidData
from tracklake.formats import point_columns as pc
from tracklake.formats import xml_stream

MAX_PARTS = 100_000  # activities, courses and laps together

_COLUMNS = {
    "altitudemeters": pc.ALTITUDE,
    "distancemeters": pc.DISTANCE,
    "value": pc.HEARTRATE,  # of HeartRateBpm, the only element in a Trackpoint that has one
    "heartratebpm": pc.HEARTRATE,  # some programs leave the Value out
    "cadence": pc.CADENCE,
    "runcadence": pc.CADENCE,
    "speed": pc.SPEED,
    "watts": pc.POWER,
    "temperature": pc.TEMPERATURE,
}
_DEGREES = {"latitudedegrees": pc.LAT, "longitudedegrees": pc.LNG}
_LAP_TEXTS = frozenset(
    {
        "totaltimeseconds",
        "distancemeters",
        "maximumspeed",
        "calories",
        "cadence",
        "triggermethod",
        "averageheartratebpm",
        "maximumheartratebpm",
    }
)
_LX_TEXTS = frozenset({"avgspeed", "avgruncadence", "avgwatts", "maxwatts"})
_PART_TEXTS = frozenset({"id", "notes", "name"})
_LAPS = frozenset({"lap", "transition"})
_PARTS = frozenset({"activity", "course"})


@dataclass(slots=True)
class LapTexts:
    """One <Lap>: its first point, where its tracks begin, and what it says of itself."""

    first: int
    start: str
    tracks: array[int] = field(default_factory=lambda: array("q"))
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Part:
    """One <Activity>, <Course> or <Transition>: points first..last-1 and its laps.

    group: parts of one MultiSportSession have one number.
    """

    group: int
    sport: str
    planned: bool
    first: int
    last: int
    laps: list[LapTexts] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    creator: dict[str, str] = field(default_factory=dict)
    misplaced: int = 0
    mistimed: int = 0
    problems: tuple[str, ...] = ()


class Reader:
    """What has been read so far."""

    def __init__(self) -> None:
        self.is_tcx = False
        self.columns = pc.PointColumns()
        self._parts: list[Part] = []
        self._group = 0
        self._part_count = 0
        self._row: pc.Row | None = None

    def start(self, path: Sequence[str], attributes: dict[str, str]) -> None:
        """Take the start of the element at the end of the path."""
        name = path[-1]
        if name == "trackpoint":
            self._row = pc.blank()
        elif name == "track":
            self._start_track()
        elif name in _LAPS:
            self._start_lap(path, attributes)
        elif name in _PARTS:
            self._start_part(path, attributes.get("Sport", ""))
        elif name == "multisportsession":
            self._group += 1
        elif len(path) == 1:
            if name != "trainingcenterdatabase":
                raise InvalidData(f"the document is <{name[:40]}>, no TCX", reason="not_tcx")
            self.is_tcx = True

    def end(self, path: Sequence[str], text: str) -> None:
        """Take the end of the element at the end of the path, with its text."""
        name = path[-1]
        if self._row is None:
            self._end_outside(path, text)
        elif name == "trackpoint":
            self._end_point(self._row)
        elif name == "time":
            self._end_time(self._row, text)
        elif name in _DEGREES and text:
            # Degrees that are no number are a damaged position, not one that was never recorded.
            degrees = pc.number(text)
            self._row[_DEGREES[name]] = inf if isnan(degrees) else degrees
        elif name in _COLUMNS and text and isnan(self._row[_COLUMNS[name]]):
            self._row[_COLUMNS[name]] = pc.number(text)

    def finished(self, broken: str | None) -> list[Part]:
        """Return what has points or laps; what broke is a problem of the last."""
        self._close_part()
        if broken and self._parts:
            self._parts[-1].problems = (broken,)
        return self._parts

    def _start_part(self, path: Sequence[str], sport: str) -> None:
        self._close_part()
        self._count_part()
        if "multisportsession" not in path:
            self._group += 1
        first = len(self.columns)
        self._parts.append(Part(self._group, sport.strip(), path[-1] == "course", first, first))

    def _close_part(self) -> None:
        if not self._parts:
            return
        part = self._parts[-1]
        part.last = len(self.columns)
        if part.last == part.first and not part.laps:
            self._parts.pop()

    def _start_lap(self, path: Sequence[str], attributes: dict[str, str]) -> None:
        if path[-1] == "transition" or not self._parts:
            self._start_part(path, "Transition" if path[-1] == "transition" else "")
        self._count_part()
        start = attributes.get("StartTime", "").strip()
        self._parts[-1].laps.append(LapTexts(len(self.columns), start))

    def _count_part(self) -> None:
        self._part_count += 1
        if self._part_count > MAX_PARTS:
            raise InvalidData(f"more than {MAX_PARTS} laps", reason="too_many_laps")

    def _start_track(self) -> None:
        if not self._parts or self._parts[-1].planned:
            return
        laps = self._parts[-1].laps
        if not laps:
            laps.append(LapTexts(len(self.columns), ""))
        tracks = laps[-1].tracks
        if not tracks or tracks[-1] != len(self.columns):
            tracks.append(len(self.columns))

    def _end_time(self, row: pc.Row, text: str) -> None:
        if text and isnan(row[pc.TIMESTAMP]):
            row[pc.TIMESTAMP] = seconds = xml_stream.unix_seconds(text)
            if self._parts:
                self._parts[-1].mistimed += isnan(seconds)

    def _end_point(self, row: pc.Row) -> None:
        if not self._parts:
            self._start_part(("trackpoint",), "")
        lat, lng = row[pc.LAT], row[pc.LNG]
        if not pc.on_earth(lat, lng):
            row[pc.LAT] = row[pc.LNG] = nan
            self._parts[-1].misplaced += not (isnan(lat) and isnan(lng))
        self.columns.append(row)
        self._row = None

    def _end_outside(self, path: Sequence[str], text: str) -> None:
        if not text or len(path) < 3 or not self._parts:
            return
        parent, name = path[-2], path[-1]
        part = self._parts[-1]
        if parent in _PARTS and name in _PART_TEXTS:
            part.texts.setdefault(name, text)
        elif parent == "creator":
            part.creator.setdefault(name, text)
        elif part.laps:
            _note_lap(part.laps[-1].texts, path, text)


def _note_lap(texts: dict[str, str], path: Sequence[str], text: str) -> None:
    """Keep what belongs to a lap: its own elements, those of LX, the Value of a heart rate."""
    parent, name = path[-2], path[-1]
    if name == "value" and path[-3] in _LAPS:
        parent, name = path[-3], parent
    if (parent in _LAPS and name in _LAP_TEXTS) or (parent == "lx" and name in _LX_TEXTS):
        texts.setdefault(name, text)
