"""What takes long: every file is read and held against its hash."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from tracklake import bronze, pages, reading, sound_files, streams, warehouse, warehouse_damage
from tracklake.config import Folders
from tracklake.doctor.finding import Finding
from tracklake.errors import InvalidData
from tracklake.tiles import manifest

_SOUND_COPY = (
    "put a sound copy there: `tracklake backup restore --to FOLDER` gives the newest backup's"
)


def gold(folders: Folders) -> Iterator[Finding]:
    """Hold every activity against its points and its geometry."""
    if folders.warehouse.exists():
        with reading.snapshot(folders) as connection:
            warehouse.check(connection, deep=True)
        yield Finding("streams", True, "every activity has the points and the geometry it should")


def originals_and_shards(folders: Folders) -> Iterator[Finding]:
    """Hash every original file and every shard against its name."""
    count = 0
    for path in sorted(folders.bronze.glob("*/original_files/athlete=*/objects/*/*")):
        count += 1
        if path.name.split(".")[0] != _sha256(path):
            yield _damaged(path, _SOUND_COPY + ", or import the file again")
    yield from _missing(folders)
    for entity in warehouse.ENTITIES:
        for path in bronze.shard_paths(folders.bronze, entity):
            count += 1
            if (said := sound_files.damage(path)) is not None:
                yield _damaged(path, _SOUND_COPY, said)
    for path in sorted(folders.bronze.glob("*/*/athlete=*/*/*-run*/page-*.json.zst")):
        count += 1
        try:
            pages.read(path)
        except InvalidData:
            yield _damaged(path, _SOUND_COPY)
    yield Finding("bronze", True, f"{count} files hashed")


def _missing(folders: Folders) -> Iterator[Finding]:
    """Find what bronze names and has no more: originals, and pages before a run's last."""
    advice = _SOUND_COPY + ", or import the file again"
    for shard in bronze.shard_paths(folders.bronze, "original_files"):
        if sound_files.damage(shard) is None:
            rows = pq.read_table(shard, columns=["location"], partitioning=None)
            for location in sorted(set(rows["location"].to_pylist())):
                if not (folders.data / location).exists():
                    yield Finding("bronze", False, f"{folders.data / location} is gone", advice)
    for folder in sorted(folders.bronze.glob("*/*/athlete=*/*/*-run*")):
        for number in pages.lost(folder):
            said = f"page {number} of {folder} is gone"
            yield Finding("bronze", False, said, _SOUND_COPY)


def tiles(folders: Folders) -> Iterator[Finding]:
    """Hash every file of tiles that a manifest names."""
    for folder in (folders.tiles, folders.public_tiles):
        if manifest.is_damaged(folder):
            said = f"{folder / manifest.NAME} is damaged, or another version of Tracklake wrote it"
            yield Finding("tiles", False, said, "the next flow draws all of it again")
        entries = manifest.entries(manifest.read(folder))
        for entry in entries:
            path = folder / entry["file"]
            if not path.is_file() or _sha256(path) != entry["sha256"]:
                said = f"{path} is gone or not what the manifest says"
                yield Finding("tiles", False, said, "tracklake tiles --rebuild draws it again")
        if entries:
            yield Finding("tiles", True, f"{len(entries)} files in {folder} hashed")


def points(folders: Folders) -> Iterator[Finding]:
    """Hold every file of points and geometry against its name, its seal, or read it whole."""
    count = 0
    for path in (*streams.parts(folders.streams), *streams.parts(folders.tracks)):
        count += 1
        if (said := sound_files.damage(path)) is not None:
            advice = "remove it: the next flow makes it anew"
            yield _damaged(path, advice if path.name == "empty.parquet" else _SOUND_COPY, said)
    yield Finding("points", True, f"{count} files of points and geometry hashed")


def warehouse_whole(folders: Folders) -> Iterator[Finding]:
    """Read each column of each table of the published snapshot."""
    if not folders.warehouse.exists():
        return
    try:
        with contextlib.closing(duckdb.connect(str(folders.warehouse), read_only=True)) as snapshot:
            warehouse_damage.read_whole(snapshot)
    except (duckdb.Error, UnicodeError) as error:
        said = f"{folders.warehouse} is damaged ({str(error).splitlines()[0]})"
        yield Finding("warehouse", False, said, "tracklake compact publishes it anew")
        return
    yield Finding("warehouse", True, "every column of every table was read")


def _sha256(path: Path) -> str:
    return sound_files.sha256_of(path)


def _damaged(path: Path, advice: str, said: str = "it is not what its name says") -> Finding:
    return Finding("bronze", False, f"{path} is damaged: {said}", advice)
