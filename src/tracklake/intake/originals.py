"""Originals: reading a file that may be anything, and keeping it as it came.

An original is landed under the hash of its bytes before anything depends on it, also when it turns
out to be undecodable; the person's own file stays where it is.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tracklake import bronze, landing
from tracklake.errors import InvalidData, StorageError
from tracklake.intake import containers, zip_reader
from tracklake.intake.rows import SOURCE

KEEP_FREE_BYTES = 1 << 30


class Landed(NamedTuple):
    """An original in bronze: where it is below the data folder, and the hash of its content."""

    location: str
    file_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file to decode: on disk, or a member of an archive on disk.

    shown: what a person calls it. again: the original that it is, decoded although it is known.
    modified_ns: as it was listed, to notice that it is being written while we read.
    """

    path: str
    shown: str
    size_bytes: int
    member: zip_reader.Member | None = None
    modified_ns: int | None = None
    again: Landed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an athlete's originals go, and how much of the disk stays free."""

    data: Path
    athlete: str
    keep_free_bytes: int = KEEP_FREE_BYTES

    def make_folders(self) -> None:
        """Make the folders that originals pass through, once."""
        for folder in (self.spool, self.spool.parent / "objects"):
            landing.make_folder(folder)

    @property
    def spool(self) -> Path:
        """The folder for files on their way: on the file system of the originals."""
        folder = self.data / "bronze" / SOURCE / "original_files"
        return folder / f"athlete={self.athlete}" / "spool"


@contextlib.contextmanager
def disk_trouble_said() -> Iterator[None]:
    """Turn a failed write into StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot write: {error}") from error


def read(job: Job) -> bytes | None:
    """Read a file or a member whole; None for a file that is being written right now.

    Raises InvalidData for what is too large or damaged, OSError for what cannot be read.
    """
    with Path(job.path).open("rb") as stream:
        if job.member is not None:
            return b"".join(zip_reader.read(stream, job.member))
        before = os.fstat(stream.fileno())
        if before.st_size > containers.MOST_BYTES:
            limit = f"{containers.MOST_BYTES >> 20} MiB"
            raise InvalidData(f"it is larger than {limit}", reason="too_large")
        data = stream.read(before.st_size + 1)
        modified_ns = {before.st_mtime_ns, os.fstat(stream.fileno()).st_mtime_ns}
        expected = modified_ns if job.modified_ns is None else {job.modified_ns}
        return data if modified_ns == expected and len(data) == before.st_size else None


@dataclass(slots=True)
class Originals:
    """Originals of one chunk: written one by one, then made durable and named all at once."""

    place: Place
    _written: list[tuple[Path, Path]] = field(default_factory=list)

    def write(self, sha256: str, suffix: str, data: bytes) -> str:
        """Keep a file as it came; return where it will be, below the data folder.

        What is there already is written again only if it is not those bytes.
        """
        place = self.place
        path = bronze.object_path(place.data / "bronze", SOURCE, place.athlete, sha256, suffix)
        if not is_kept(path, sha256, len(data), thorough=True):
            check_room(place, len(data))
            temporary = landing.temporary_beside(place.spool / path.name)
            with disk_trouble_said():
                temporary.write_bytes(data)
            self._written.append((temporary, path))
        return path.relative_to(place.data).as_posix()

    def land(self) -> None:
        """Name what was written, durably."""
        with disk_trouble_said():
            landing.adopt_all(self._written)
        self._written = []


def is_kept(path: Path, sha256: str, size_bytes: int, *, thorough: bool) -> bool:
    """Tell whether an original is there as it came: by its size, thoroughly also by its hash."""
    try:
        if path.stat().st_size != size_bytes:
            return False
        if not thorough:
            return True
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except OSError:
        return False


def check_room(place: Place, size_bytes: int) -> None:
    """Raise StorageError if so many bytes more would fill the disk."""
    free = shutil.disk_usage(place.data).free
    if free - size_bytes < place.keep_free_bytes:
        message = f"only {free >> 20} MiB are free in {place.data}; make room and run again"
        raise StorageError(message)
