"""A made-up athlete's data folder, with the tracks of bench.tiles_streets; also as GeoJSON.

They land as recordings do: shaped by `analysis.shape`, in bronze, streams and tracks, compacted. A
folder that was made stays: the next run takes it.

python -m bench.tiles_athlete N [--with-streams]: make the data folder and say where it is.
"""

import concurrent.futures
import dataclasses
import datetime as dt
import functools
import multiprocessing
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import orjson

from bench import measure
from bench import tiles_streets as streets
from tracklake import bronze
from tracklake import streams as point_streams
from tracklake.analysis import shape
from tracklake.identity import bytes_hash
from tracklake.intake.rows import Origin, rows
from tracklake.model import Device, Points, Recording, Session, Shaped

ATHLETE = "me"
_SCHEME = 1  # raise it when the same number gives another activity
_CHUNK = 100


def folder(size: int, *, with_streams: bool = False) -> Path:
    """Return the place of the data folder of so many activities."""
    name = f"{size}-{_SCHEME}" + ("-streams" if with_streams else "")
    return measure.SCRATCH / "tiles" / name / "data"


def ensure(size: int, *, with_streams: bool = False) -> Path:
    """Make bronze and tracks of so many activities unless they are there, compacted."""
    data = folder(size, with_streams=with_streams)
    finished = data.parent / "finished"
    if not finished.exists():
        shutil.rmtree(data.parent, ignore_errors=True)
        measure.say(f"making {size:,} activities")
        with _pool() as pool:
            list(pool.map(functools.partial(land, data, with_streams=with_streams), _chunks(size)))
        tracklake(data, "compact")
        finished.touch()
    return data


def tracklake(data: Path, *arguments: str) -> measure.Cost:
    """Run a command on a data folder."""
    program = Path(sys.executable).with_name("tracklake")
    environment = {"TRACKLAKE_DATA_DIR": data.name, "TRACKLAKE_LOGS_DIR": "logs"}
    return measure.run([str(program), *arguments], data.parent, environment)


def land(
    data: Path, numbers: range, *, with_streams: bool = False, edition: int = 0, skew: float = 0.0
) -> None:
    """Land activities as a pull does.

    edition: a higher one lands the same recordings again, as seen later. skew: degrees by which
    the edition's tracks are moved.
    """
    at = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    at += dt.timedelta(days=edition, seconds=numbers.start)
    records: list[dict[str, object]] = []
    originals: list[dict[str, object]] = []
    found: list[tuple[int, Shaped]] = []
    for number in numbers:
        recording = make(number, skew)
        origin = _origin(number, edition)
        for row, key, shaped in rows(origin, [(recording, shape.activities(recording))]):
            records.append(row)
            if key is not None:
                found.append((key, shaped))
        originals.append(_original(origin))
    if not with_streams:
        found = [(key, _without_points(shaped)) for key, shaped in found]
    own, stamp = f"athlete={ATHLETE}", bronze.stamp(at)
    point_streams.write_part(data / "streams" / own, data / "tracks" / own, stamp, found)
    bronze.land_shard(data / "bronze", "activities", records, ingested_at=at)
    bronze.land_shard(data / "bronze", "original_files", originals, ingested_at=at)


def write_geojson(path: Path, size: int) -> None:
    """Write all tracks in full, as Ridelines gives them to tippecanoe: a Feature a line."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file, _pool() as pool:
        for text in pool.map(_features, _chunks(size)):
            file.write(text)
    partial.rename(path)


def copy(data: Path, target: Path) -> None:
    """Copy a data folder to work on; files that are never changed are the same on disk."""
    shutil.rmtree(target, ignore_errors=True)
    for name in ("bronze", "streams", "tracks"):
        shutil.copytree(data / name, target / name, copy_function=os.link)
    for name in ("warehouse", "state"):
        shutil.copytree(data / name, target / name)


def make(number: int, skew: float = 0.0) -> Recording:
    """Make activity `number` as a file would say it."""
    walk = streets.walked(number)
    name, sub_sport, _, _ = streets.SPORTS[walk.sport]
    time_s = walk.columns["timestamp_s"]
    start_s, elapsed_s = float(time_s[0]), float(time_s[-1] - time_s[0])
    columns = walk.columns | {"lat": walk.columns["lat"] + skew}
    return Recording(
        format="fit",
        points=Points.of(len(time_s), **columns).take(walk.is_recorded),
        sessions=(
            Session(start_s=start_s, sport=name, sub_sport=sub_sport, elapsed_time_s=elapsed_s),
        ),
        device=Device(manufacturer="garmin", product="edge_530", serial_number=1),
        created_s=start_s,
        utc_offset_s=3_600.0,
        name=_name(number, name),
    )


def _name(number: int, sport: str) -> str:
    return f"{('Morning', 'Lunch', 'Evening')[number % 3]} {sport} {number}"


def _chunks(size: int) -> list[range]:
    return [range(at, min(at + _CHUNK, size)) for at in range(0, size, _CHUNK)]


def _pool() -> concurrent.futures.ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(os.cpu_count(), mp_context=context)


def _features(numbers: range) -> bytes:
    return b"".join(_feature(number) for number in numbers)


def _feature(number: int) -> bytes:
    """Write what Ridelines has in its tiles: name, date, type, id, hash."""
    walk = streets.walked(number)
    sport, sub_sport, _, _ = streets.SPORTS[walk.sport]
    name, parts = _name(number, sport), walk.parts
    start = dt.datetime.fromtimestamp(streets.start_s(number), dt.UTC)
    feature = {
        "type": "Feature",
        "properties": {
            "id": number,
            "name": name,
            "type": sub_sport or sport,
            "date": start.isoformat(timespec="seconds"),
            "hash": bytes_hash(name.encode())[:16],
        },
        "geometry": {
            "type": "MultiLineString" if len(parts) > 1 else "LineString",
            "coordinates": parts if len(parts) > 1 else parts[0],
        },
    }
    return orjson.dumps(feature, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def _origin(number: int, edition: int) -> Origin:
    return Origin(
        athlete=ATHLETE,
        file_sha256=bytes_hash(f"{_SCHEME}/{number}".encode()),
        file_format="fit",
        external_id=f"{number:07}.fit",
        stamp=f"bench-{edition}",
    )


def _original(origin: Origin) -> dict[str, object]:
    place = f"bronze/files/original_files/athlete={ATHLETE}/objects"
    return {
        "source": "files",
        "athlete": ATHLETE,
        "source_id": origin.file_sha256,
        "file_sha256": origin.file_sha256,
        "size_bytes": 80_000,
        "file_format": "fit",
        "location": f"{place}/{origin.file_sha256}.fit",
        "seen_as": f"inbox/{origin.external_id}",
        "outcome": "activity",
        "decoder_version": "1",
        "message": None,
    }


def _without_points(shaped: Shaped) -> Shaped:
    return dataclasses.replace(
        shaped, points=Points.empty(), moving=np.empty(0, np.bool_), grade_pct=np.empty(0)
    )


if __name__ == "__main__":
    print(ensure(int(sys.argv[1]), with_streams="--with-streams" in sys.argv))
