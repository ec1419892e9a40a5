"""Feed GPX and TCX decoders with damaged documents: only InvalidData may escape.

Run: python tests/fuzz/fuzz_xml.py -runs=100000 (or -max_total_time=60), with libFuzzer's options.
Needs the packages of requirements-fuzz.lock.
"""

from __future__ import annotations

import io
import math
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tracklake"]):
    from tracklake.errors import InvalidData
    from tracklake.formats import gpx, gpx_writer, tcx, tcx_writer
    from tracklake.model import Device, Lap, Points, Recording, Session

DECODERS = ((gpx.decode, "gpx"), (tcx.decode, "TrainingCenterDatabase"))
TAGS = (
    "trk",
    "rte",
    "trkseg",
    "trkpt lat='1' lon='2'",
    "trkpt lat='91' lon='x'",
    "trkpt lat='100' lon='0'",
    "rtept lat='1' lon='2'",
    "ele",
    "time",
    "type",
    "name",
    "metadata",
    "extensions",
    "TrackStatsExtension",
    "Distance",
    "hr",
    "Activities",
    "MultiSportSession",
    "NextSport",
    "Transition StartTime='2024-05-01T12:00:00Z'",
    "Activity Sport='Running'",
    "Course",
    "Id",
    "Lap StartTime='2024-05-01T12:00:00Z'",
    "Lap StartTime='2024-05-01T11:00:00Z'",
    "Lap",
    "Track",
    "Trackpoint",
    "Time",
    "Position",
    "LatitudeDegrees",
    "LongitudeDegrees",
    "HeartRateBpm",
    "Value",
    "TotalTimeSeconds",
    "AverageHeartRateBpm",
    "LX",
    "AvgSpeed",
    "Creator",
    "UnitId",
)
TEXTS = (
    "1",
    "91",
    "1e308",
    "x",
    "2024-05-01T12:00:00Z",
    "2024-05-01T13:00:00+02:00",
    "2024-05-01T23:59:59.999",
    "0001-01-01T00:00:00+14:00",
)
ENCODINGS = ("utf-8", "utf-16", "latin-1")


def sample() -> Recording:
    """Return a recording in which every element of both formats occurs."""
    four = [1.0, 2.0, 3.0, 4.0]
    columns = ("lat", "lng", "altitude_m", "distance_m", "velocity_mps", "heartrate_bpm")
    more = ("cadence_rpm", "power_w", "temperature_c")
    return Recording(
        format="gpx",
        points=Points.of(4, timestamp_s=four, **dict.fromkeys((*columns, *more), four)),
        sessions=(Session(start_s=1, sport="running"), Session(start_s=3, sport="cycling")),
        laps=(Lap(start_s=1, distance_m=1, max_heartrate_bpm=9, average_power_w=9), Lap(start_s=3)),
        pauses=((1.0, 2.0),),
        device=Device(name="Device", product="1", serial_number=1),
        name="Name",
        description="Description",
    )


def check(recording: Recording) -> None:
    """Hold what the decoders promise of every recording, however damaged its file."""
    points = recording.points
    if not all(-90 <= lat <= 90 for lat in points.lat if not math.isnan(lat)):
        raise AssertionError("a latitude off the earth")
    edges = [edge for pause in recording.pauses for edge in pause]
    if edges != sorted(edges):
        raise AssertionError("pauses overlap")
    if recording.kind == "activity" and not recording.sessions:
        raise AssertionError("an activity without a session")


def built(data: bytes, root: str) -> bytes:
    """Build a well-formed beginning of a document: a byte opens, fills or closes an element."""
    open_names, parts = [root], [f"<{root}>"]
    for byte in data:
        if byte < len(TAGS):
            open_names.append(TAGS[byte].split()[0])
            parts.append(f"<{TAGS[byte]}>")
        elif byte < 128:
            parts.append(TEXTS[byte % len(TEXTS)])
        elif open_names:
            parts.append(f"</{open_names.pop()}>")
    return "".join(parts).encode()


def one_input(data: bytes) -> None:
    """Decode the bytes as they are, and the documents that they build."""
    for decode, root in DECODERS:
        for document in (data, built(data, root)):
            try:
                recordings = decode(io.BytesIO(document))
            except InvalidData:
                continue
            for recording in recordings:
                check(recording)


def main() -> None:
    """Start from valid documents of both formats and let libFuzzer mutate them."""
    with tempfile.TemporaryDirectory() as seeds:
        for writer in (gpx_writer, tcx_writer):
            text = writer.encode(sample()).decode()
            for encoding in ENCODINGS:
                name = f"{writer.__name__}-{encoding}"
                (Path(seeds) / name).write_bytes(text.encode(encoding))
        atheris.Setup([*sys.argv, seeds], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
