"""What takes long: every file is read and held against its hash."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from tracklake import bronze, pages, reading, warehouse
from tracklake.config import Folders
from tracklake.doctor.finding import Finding
from tracklake.errors import InvalidData
from tracklake.tiles import manifest


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
            yield _damaged(path, "import the file again")
    for entity in warehouse.ENTITIES:
        for path in bronze.shard_paths(folders.bronze, entity):
            count += 1
            if not _is_sound_shard(path):
                yield _damaged(path, "restore it from a backup")
    for path in sorted(folders.bronze.glob("*/*/athlete=*/*/*-run*/page-*.json.zst")):
        count += 1
        try:
            pages.read(path)
        except InvalidData:
            yield _damaged(path, "restore it from a backup")
    yield Finding("bronze", True, f"{count} files hashed")


def tiles(folders: Folders) -> Iterator[Finding]:
    """Hash every file of tiles that a manifest names."""
    for folder in (folders.tiles, folders.public_tiles):
        entries = manifest.entries(manifest.read(folder))
        for entry in entries:
            path = folder / entry["file"]
            if not path.is_file() or _sha256(path) != entry["sha256"]:
                said = f"{path} is gone or not what the manifest says"
                yield Finding("tiles", False, said, "tracklake tiles --rebuild draws it again")
        if entries:
            yield Finding("tiles", True, f"{len(entries)} files in {folder} hashed")


def _is_sound_shard(path: Path) -> bool:
    if bronze.is_rollup(path) or pages.is_run(path.parent):
        return _is_readable(path)
    return _sha256(path).startswith(path.parent.name.rsplit("-", 1)[1])


def _is_readable(path: Path) -> bool:
    try:
        pq.read_table(path, partitioning=None, page_checksum_verification=True)
    except (OSError, ValueError):
        return False
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path, advice: str) -> Finding:
    return Finding("bronze", False, f"{path} is not what its name says it should be", advice)
