"""Restoring a backup: into a folder of its own, every hash compared, then opened and counted."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import duckdb

from tracklake import bronze_format, landing
from tracklake.backup import frozen, manifest, storing, swapping
from tracklake.backup.manifest import Entry, Manifest, Piece
from tracklake.backup.stores import Store
from tracklake.errors import InvalidData, StorageError

Advance = Callable[[int], None]

_AT_ONCE = 8  # pieces that are in memory
_READ_ONLY = 0o444
_WRITER = "state/writer.duckdb"
_SPARE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Proof:
    """What a restored folder holds; `tables`: rows of each of gold's tables, as counted in it.

    answers: how many questions were answered as they were when the backup was made.
    """

    files: int
    size_bytes: int
    tables: dict[str, int]
    answers: int = 0


def room_for(made: Manifest, place: Path) -> None:
    """Raise StorageError unless a backup fits where it is to go."""
    need = made.size_bytes + _SPARE_BYTES
    need += sum(one.size_bytes for one in made.files if one.path == manifest.WAREHOUSE_PATH)
    free = shutil.disk_usage(place).free
    if free < need:
        raise StorageError(
            f"{place}: restoring takes {need / 1e9:.2f} GB, {free / 1e9:.2f} GB are free; make room"
        )


@contextlib.contextmanager
def fetched(
    store: Store, made: Manifest, beside: Path, advance: Advance
) -> Iterator[tuple[Path, Proof]]:
    """Yield a temporary folder in `beside` with all that a backup holds, proved; remove it after.

    Raises InvalidData naming what is damaged. Whoever wants to keep the folder renames it.
    """
    room_for(made, beside)
    folder = landing.temporary_beside(beside / "restore")
    folder.mkdir()
    try:
        _fetch(store, made, folder, advance)
        yield folder, _proved(folder, made)
    finally:
        if folder.exists():
            shutil.rmtree(folder)


def _fetch(store: Store, made: Manifest, folder: Path, advance: Advance) -> None:
    for name in (*manifest.FOLDERS, "state", "warehouse"):
        (folder / name).mkdir()
    writing = _Writing(folder)
    waiting = made.pieces()
    try:
        while batch := list(islice(waiting, _AT_ONCE)):
            for (entry, piece), data in zip(batch, _plain(store, batch), strict=True):
                advance(writing.take(entry, piece, data))
    finally:
        writing.close()


def _plain(store: Store, batch: list[tuple[Entry, Piece]]) -> Iterator[bytes]:
    objects = store.get([piece.object_name for _, piece in batch])
    for (entry, piece), data in zip(batch, objects, strict=True):
        if data is None:
            raise _damaged(entry, f"{piece.object_name} is gone")
        try:
            yield manifest.plain(piece, data, storing.PIECE_BYTES)
        except InvalidData as error:
            raise _damaged(entry, f"{piece.object_name}: {error}") from error


def _damaged(entry: Entry, said: str) -> InvalidData:
    return InvalidData(
        f"the backup of {entry.path} is damaged ({said}); nothing was changed. Restore an older "
        "one with --at; `tracklake backup verify --full` names all that is damaged",
        reason="damaged_backup",
    )


class _Writing:
    """Files being put together from their pieces, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._pieces = 0

    def take(self, entry: Entry, _piece: Piece, data: bytes) -> int:
        """Append a piece; return 1 if the file is complete with it."""
        path = self.folder / entry.path
        if self._file is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")
            self._hash = hashlib.sha256()
            self._pieces = 0
        self._file.write(data)
        self._hash.update(data)
        self._pieces += 1
        if self._pieces < len(entry.pieces):
            return 0
        self.close()
        if self._hash.hexdigest() != entry.sha256:
            raise _damaged(entry, "its pieces do not make the file")
        os.utime(path, ns=(entry.mtime_ns, entry.mtime_ns))
        return 1

    def close(self) -> None:
        """Close the file at work."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _proved(folder: Path, made: Manifest) -> Proof:
    """Open what was restored and count; give the writer its own copy of the warehouse."""
    tables: frozen.Tables = {}
    bronze_format.expect_known(folder / "bronze", "the bronze of this backup")
    if (folder / manifest.STATE_PATH).exists():
        frozen.check_state(folder / manifest.STATE_PATH)
    snapshot = folder / manifest.WAREHOUSE_PATH
    if snapshot.exists():
        tables, answers = frozen.gold(snapshot)
        _compare(tables, made, made.tables)
        _compare(answers, made, made.answers)
        shutil.copyfile(snapshot, folder / _WRITER)
        snapshot.chmod(_READ_ONLY)
    rows = {table: count for table, (count, _) in tables.items()}
    return Proof(len(made.files), made.size_bytes, rows, len(made.answers))


def _compare(found: frozen.Tables, made: Manifest, then: frozen.Tables) -> None:
    """Hold what is counted against what was; hashes only where the same DuckDB made them."""
    same = made.duckdb == duckdb.__version__
    for table, (rows, digest) in then.items():
        count, hashed = found.get(table, (0, 0))
        if count != rows or (same and hashed != digest):
            raise StorageError(
                f"the restored warehouse is not the one that was backed up: {table} has {count:,} "
                f"rows, then {rows:,}; nothing was changed"
            )


@dataclass(frozen=True, slots=True)
class Placed:
    """What a restore did; `newer`: files of bronze that came after the backup, now aside only."""

    proof: Proof
    aside: Path
    newer: int


def into_place(store: Store, made: Manifest, data: Path, stamp: str, advance: Advance) -> Placed:
    """Put a backup in place of the data folder's parts; what was there is moved aside.

    Whoever calls holds the flow's lock. stamp: names the folder aside. Raises InvalidData naming
    what is damaged, ConfigError or StorageError; then nothing was changed.
    """
    swapping.refuse_other_disks(data)
    with fetched(store, made, data, advance) as (folder, proof):
        newer = _newer_files(made, data)
        aside = swapping.begin(folder, data, stamp)
    return Placed(proof, aside, newer)


def into_folder(store: Store, made: Manifest, place: Path, advance: Advance) -> Proof:
    """Put a backup into a new or empty folder."""
    beside = place.absolute().parent
    landing.make_folder(beside)
    with fetched(store, made, beside, advance) as (folder, proof):
        os.sync()  # all its files at once
        folder.rename(place)
        landing.fsync_folder(beside)
    return proof


def _newer_files(made: Manifest, data: Path) -> int:
    """Count the files of bronze that a backup does not have."""
    held = {entry.path for entry in made.files}
    return sum(
        path.relative_to(data).as_posix() not in held
        for path in (data / "bronze").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    )
