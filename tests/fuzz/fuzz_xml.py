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

DECODERS = (gpx.decode, tcx.decode)
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


def one_input(data: bytes) -> None:
    """Decode the bytes as both formats, as they are and re-coded."""
    for decode in DECODERS:
        try:
            recordings = decode(io.BytesIO(data))
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
