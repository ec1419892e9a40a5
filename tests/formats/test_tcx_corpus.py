"""Real TCX files, compared with the corpus' own counts and with a plain reading of their XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.formats.corpus_counts import counts
from tracklake.formats import tcx
from tracklake.formats.xml_stream import unix_seconds
from tracklake.model import Recording

FEWER_POSITIONS = {
    "bad.tcx": 2,  # latitudes "no" and "undefined"; the list counts the elements
}
VALUES = {
    "LatitudeDegrees": "lat",
    "LongitudeDegrees": "lng",
    "AltitudeMeters": "altitude_m",
    "DistanceMeters": "distance_m",
    "Value": "heartrate_bpm",
    "Cadence": "cadence_rpm",
    "RunCadence": "cadence_rpm",
    "Speed": "velocity_mps",
    "Watts": "power_w",
}
COLUMNS = ("timestamp_s", *dict.fromkeys(VALUES.values()))
UNKNOWN = -1e6


def decode(path: Path) -> tuple[Recording, ...]:
    with path.open("rb") as stream:
        return tcx.decode(stream)


def test_counts_are_those_of_the_corpus(corpus: Path) -> None:
    """Every point of every file is there, with and without a position."""
    listed = counts(corpus, "tcx")
    for path, (records, with_position) in listed.items():
        points = [recording.points for recording in decode(path)]
        assert sum(map(len, points)) == records, path
        located = sum(int(np.isfinite(p.lat + p.lng).sum()) for p in points)
        assert located == with_position - FEWER_POSITIONS.get(path.name, 0), path
    assert len(listed) == 8


def test_values_are_those_of_a_plain_reading(corpus: Path) -> None:
    """Not one value of a point differs, in the order of the file."""
    for path in counts(corpus, "tcx"):
        ours = [row for recording in decode(path) for row in _rows(recording)]
        np.testing.assert_array_equal(
            np.array(ours), np.array(list(_plain_rows(path))), err_msg=str(path)
        )


def test_laps_and_sums_are_those_of_a_plain_reading(corpus: Path) -> None:
    """Number of laps, sums of time and distance of each activity."""
    for path in counts(corpus, "tcx"):
        root = ET.parse(path).getroot()  # noqa: S314 trusted files
        activities = [r for r in decode(path) if r.kind == "activity"]
        plain = list(root.iterfind(".//{*}Activity"))
        assert len(activities) == len(plain)
        for recording, element in zip(activities, plain, strict=True):
            laps = element.findall("{*}Lap")
            assert len(recording.laps) == len(laps)
            (session,) = recording.sessions
            assert session.timer_time_s == _sum(laps, "TotalTimeSeconds")
            assert session.distance_m == _sum(laps, "DistanceMeters")


def _sum(laps: list[ET.Element], tag: str) -> float:
    return sum(float(lap.findtext(f"{{*}}{tag}") or 0) for lap in laps)


def _rows(recording: Recording) -> Iterator[tuple[float, ...]]:
    columns = (getattr(recording.points, name) for name in COLUMNS)
    yield from zip(*(np.nan_to_num(c, nan=UNKNOWN).tolist() for c in columns), strict=True)


def _plain_rows(path: Path) -> Iterator[tuple[float, ...]]:
    for element in ET.parse(path).getroot().iterfind(".//{*}Trackpoint"):  # noqa: S314 trusted files
        row = dict.fromkeys(COLUMNS, UNKNOWN)
        for child in element.iter():
            tag, text = child.tag.rpartition("}")[2], (child.text or "").strip()
            if tag == "Time":
                row["timestamp_s"] = unix_seconds(text)
            elif tag in VALUES:
                row[VALUES[tag]] = float(text) if text[-1].isdigit() else np.inf
        if np.inf in row.values():
            row["lat"] = row["lng"] = UNKNOWN
        yield tuple(row.values())
