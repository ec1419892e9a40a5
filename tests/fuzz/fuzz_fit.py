"""Feed the FIT decoder with damaged files: only InvalidData may escape.

Run: python tests/fuzz/fuzz_fit.py [FOLDER OF FIT FILES] -runs=100000 (or -max_total_time=60), with
libFuzzer's options. Starts from files of our own writer, and from the folder's if one is named.
Needs the packages of requirements-fuzz.lock.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

# Atheris never frees the arrays that an instrumented comparison of arrays gives (65 KB a run), so
# the modules that compare arrays run as they are; the control flow lies in the others.
ARRAYS = ("columns", "crc", "developer", "doubts", "records", "resync", "times", "writer")

with atheris.instrument_imports(
    include=["tracklake"], exclude=[f"tracklake.formats.fit_{name}" for name in ARRAYS]
):
    from tracklake.errors import InvalidData
    from tracklake.formats.fit import decode
    from tracklake.formats.fit_crc import crc16
    from tracklake.formats.fit_writer import encode
    from tracklake.model import POINT_COLUMNS, Device, Lap, Points, Recording, Session

LONGEST = 8 * 1024  # bytes of an input: small ones mutate faster


def one_input(data: bytes) -> None:
    """Decode the bytes as they are, and as the messages of a file whose frame is sound."""
    check(data)
    head = bytes((14, 0x20, 0x5C, 0x08)) + len(data).to_bytes(4, "little") + b".FIT\0\0"
    check(head + data + crc16(head + data).to_bytes(2, "little"))


def check(data: bytes) -> None:
    try:
        recordings = decode(data)
    except InvalidData:
        return
    assert recordings
    for recording in recordings:
        lengths = {len(getattr(recording.points, name)) for name in POINT_COLUMNS}
        assert lengths == {len(recording.points)}
        assert all(start < end for start, end in recording.pauses)
        assert encode(recording)


def seeds() -> list[bytes]:
    """Return small files of our own writer: a run, a multisport day, a swim without points."""
    count = 40
    points = Points.of(
        count,
        timestamp_s=[1.7e9 + second for second in range(count)],
        lat=[47 + second / 1e4 for second in range(count)],
        lng=[8.0] * count,
        altitude_m=[400.0] * count,
        heartrate_bpm=[150.0] * count,
        power_w=[250.0] * count,
    )
    run = Session(start_s=1.7e9, elapsed_time_s=40.0, sport="running", sub_sport="trail")
    swim = Session(start_s=1.7e9, elapsed_time_s=900.0, sport="swimming", name="Pool")
    device = Device(manufacturer="garmin", product="fr965", serial_number=1, name="Watch")
    laps = (Lap(start_s=1.7e9, elapsed_time_s=20.0, trigger="manual"),)
    recordings = (
        Recording(format="fit", points=points, sessions=(run,), laps=laps, device=device),
        Recording(format="fit", points=points, sessions=(swim, run), pauses=((1.7e9, 1.7e9 + 5),)),
        Recording(format="fit", sessions=(swim,), utc_offset_s=3600.0),
        Recording(format="fit", kind="course", points=points),
    )
    files = [encode(recording) for recording in recordings]
    return [*files, *(data[14:-2] for data in files), files[0] + files[1]]


def main() -> None:
    """Write the seeds, add those of a folder, and let libFuzzer run."""
    named = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
    with tempfile.TemporaryDirectory() as folder:
        found = [path.read_bytes() for base in named for path in sorted(base.rglob("*.fit"))]
        for number, data in enumerate([*seeds(), *(d for d in found if len(d) <= LONGEST)]):
            (Path(folder) / f"{number:04}.fit").write_bytes(data)
        atheris.Setup([sys.argv[0], f"-max_len={LONGEST}", *options, folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
