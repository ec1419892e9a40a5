"""Feed sniffing, gzip, ZIP and export tables with damaged bytes: only InvalidData may escape.

Run: python tests/fuzz/fuzz_containers.py -runs=100000 (or -max_total_time=60), with libFuzzer's
options. Needs the packages of requirements-fuzz.lock.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import sys
import tempfile
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tracklake"]):
    from tracklake.errors import InvalidData
    from tracklake.intake import containers, export_dates, strava_export, zip_reader

MOST_BYTES = 1 << 20
TABLE = (
    b"Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,"
    b"Distance,Max Heart Rate,Relative Effort,Commute,Activity Private Note,Activity Gear,Filename,"
    b'A,B,Elapsed Time,Moving Time,Distance\n1,"Dec 9, 2022, 3:24:49 PM",a,Run,"b\nc",1,2,,,true,,'
    b"Shoe,activities/1.fit.gz,,,1.0,1.0,2.0\n2,09.12.2022 15:24,a,Lauf,,1,2\n"
)


def seeds() -> dict[str, bytes]:
    """Return valid beginnings: archives in every packing, gzips, tables."""
    found = {"table": TABLE, "gzip": gzip.compress(TABLE) + gzip.compress(b"second")}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", method) as archive:
            archive.writestr("activities.csv", TABLE)
            archive.writestr("ä/1.fit.gz", gzip.compress(b"fit"))
            with archive.open("wide", "w", force_zip64=True) as member:
                member.write(b"wide")
        found[f"zip-{method}"] = memory.getvalue()
    return found


def unzip(data: bytes) -> None:
    """Read every member, each as far as it can be read."""
    stream = io.BytesIO(data)
    for member in zip_reader.members(stream):
        with contextlib.suppress(InvalidData):
            size = sum(map(len, zip_reader.read(stream, member, most_bytes=MOST_BYTES)))
            if size > MOST_BYTES:
                raise AssertionError("a member larger than the limit")


def one_input(data: bytes) -> None:
    """Hold what is promised of any bytes."""
    head = data[: containers.HEAD_BYTES]
    containers.sniff(head)
    containers.describe(head)
    with contextlib.suppress(InvalidData):
        unzip(data)
    with contextlib.suppress(InvalidData):
        content, _ = containers.gunzip(data, most_bytes=MOST_BYTES)
        if len(content) > MOST_BYTES:
            raise AssertionError("content larger than the limit")
    strava_export.exports({"activities.csv": data, "bikes.csv": data}, "me")
    export_dates.unix_seconds(data.decode("utf-8", "replace"))


def main() -> None:
    """Start from valid containers and let libFuzzer mutate them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in seeds().items():
            (Path(folder) / name).write_bytes(content)
        atheris.Setup([*sys.argv, folder], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
