"""Real GPX files, compared with the corpus' own counts and with a plain reading of their XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.formats.corpus_counts import counts
from tracklake.errors import InvalidData
from tracklake.formats import gpx
from tracklake.formats.xml_stream import unix_seconds
from tracklake.model import Recording

# The counts count <trkpt> and <rtept>; we leave out those without a position on earth.
FEWER = {
    "legacy_gpx_pause_resume.gpx": 2,  # marks of a pause at latitudes 100 and 200
}
REFUSED = {
    "invalid_bad_xml.gpx": "not_gpx",  # five bytes, "<?xml"
    "bad.gpx": "no_points",  # all three at lat="undefined"
}
SENSORS = {
    "ele": "altitude_m",
    "speed": "velocity_mps",
    "hr": "heartrate_bpm",
    "cad": "cadence_rpm",
    "power": "power_w",
    "PowerInWatts": "power_w",
    "atemp": "temperature_c",
}
COLUMNS = ("lat", "lng", "timestamp_s", *dict.fromkeys(SENSORS.values()))
UNKNOWN = -1e6


def decode(path: Path) -> tuple[Recording, ...]:
    with path.open("rb") as stream:
        return gpx.decode(stream)


def test_counts_are_those_of_the_corpus(corpus: Path) -> None:
    """Every point of every file is there, all of them with a position."""
    listed = counts(corpus, "gpx")
    for path, (records, with_position) in listed.items():
        if path.name in REFUSED:
            continue
        points = [recording.points for recording in decode(path)]
        expected = records - FEWER.get(path.name, 0)
        assert sum(map(len, points)) == expected, path
        assert sum(int(np.isfinite(p.lat + p.lng).sum()) for p in points) == (
            with_position - FEWER.get(path.name, 0)
        )
    assert len(listed) > 60


def test_what_holds_no_point_is_refused(corpus: Path) -> None:
    """The files that are broken on purpose fail as InvalidData with a reason."""
    refused = {path.name: path for path in counts(corpus, "gpx") if path.name in REFUSED}
    assert refused.keys() == REFUSED.keys()
    for name, path in refused.items():
        with pytest.raises(InvalidData) as raised:
            decode(path)
        assert raised.value.reason == REFUSED[name]


def test_values_are_those_of_a_plain_reading(corpus: Path) -> None:
    """Position, time, altitude, speed, heart rate, cadence, power, temperature: none differs."""
    compared = 0
    for path in counts(corpus, "gpx"):
        if path.name in REFUSED:
            continue
        ours = sorted(row for recording in decode(path) for row in _rows(recording))
        plain = sorted(_plain_rows(path))
        np.testing.assert_array_equal(np.array(ours), np.array(plain), err_msg=str(path))
        compared += len(plain)
    assert compared > 7_000


def test_salvage_says_so_and_nothing_else_does(corpus: Path) -> None:
    """No file of the corpus that is well formed has a problem."""
    problems = {
        path.name: recording.problems
        for path in counts(corpus, "gpx")
        if path.name not in REFUSED
        for recording in decode(path)
        if recording.problems
    }
    assert problems == {}


def _rows(recording: Recording) -> Iterator[tuple[float, ...]]:
    columns = (getattr(recording.points, name) for name in COLUMNS)
    yield from zip(*(np.nan_to_num(c, nan=UNKNOWN).tolist() for c in columns), strict=True)


def _plain_rows(path: Path) -> Iterator[tuple[float, ...]]:
    for element in ET.parse(path).getroot().iter():  # noqa: S314 trusted files
        if element.tag.rpartition("}")[2] not in {"trkpt", "rtept"}:
            continue
        row = dict.fromkeys(COLUMNS, UNKNOWN)
        row["lat"], row["lng"] = float(element.attrib["lat"]), float(element.attrib["lon"])
        if abs(row["lat"]) > 90:
            continue
        for child in element.iter():
            _take(row, child.tag.rpartition("}")[2], (child.text or "").strip())
        yield tuple(row.values())


def _take(row: dict[str, float], tag: str, text: str) -> None:
    if tag == "time" and text:
        row["timestamp_s"] = unix_seconds(text)
    elif tag in SENSORS and text and row[SENSORS[tag]] == UNKNOWN:
        row[SENSORS[tag]] = float(text)
