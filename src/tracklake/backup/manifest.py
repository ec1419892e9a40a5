"""What a backup says of itself: every file with its hash, size, time and pieces."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import zstandard

from tracklake.errors import InvalidData, StorageError
from tracklake.identity import bytes_hash

FORMAT = 1
STATE_PATH = "state/tracklake.sqlite"
WAREHOUSE_PATH = "warehouse/tracklake.duckdb"
FOLDERS = ("bronze", "streams", "tracks")
NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{12}")
_HASH = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES = 1 << 30  # of a manifest that is unpacked


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file, kept as one object; `stored_bytes` is what it takes there."""

    sha256: str
    stored_bytes: int
    is_packed: bool

    @property
    def object_name(self) -> str:
        """Return where it is kept."""
        return object_name(self.sha256, packed=self.is_packed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file; `path` is below the data folder."""

    path: str
    size_bytes: int
    mtime_ns: int
    inode: int
    sha256: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A backup; `tables`: rows and an order-free hash of gold's tables, as `duckdb` hashes.

    answers: the same of what is asked on trial.
    """

    created_at: dt.datetime
    tracklake: str
    duckdb: str
    tables: dict[str, tuple[int, int]]
    files: tuple[Entry, ...]
    answers: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def gold_hash(self) -> str:
        """Return one word for all that gold's tables hold."""
        return bytes_hash(orjson.dumps([self.duckdb, sorted(self.tables.items())]))[:16]

    @property
    def size_bytes(self) -> int:
        """Return what all files take, unpacked."""
        return sum(entry.size_bytes for entry in self.files)

    def pieces(self) -> Iterator[tuple[Entry, Piece]]:
        """Yield every piece of every file, in order."""
        return ((entry, piece) for entry in self.files for piece in entry.pieces)


def object_name(sha256: str, *, packed: bool) -> str:
    """Name an object by the hash of its plain bytes."""
    return f"objects/{sha256[:2]}/{sha256}{'.zst' if packed else ''}"


def pack(data: bytes) -> bytes:
    """Compress."""
    return zstandard.ZstdCompressor(level=6).compress(data)


def unpack(data: bytes, most_bytes: int = _MOST_BYTES) -> bytes:
    """Undo `pack`; raise InvalidData if it cannot be, or is larger than it may be."""
    try:
        if zstandard.frame_content_size(data) not in range(most_bytes + 1):
            raise InvalidData("it is not as large as it should be", reason="damaged_backup")
        return zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise InvalidData(f"it cannot be unpacked ({error})", reason="damaged_backup") from error


def plain(piece: Piece, stored: bytes, most_bytes: int) -> bytes:
    """Return the bytes that an object stands for; raise InvalidData if they are not the ones."""
    data = unpack(stored, most_bytes) if piece.is_packed else stored
    if bytes_hash(data) != piece.sha256:
        raise InvalidData("its bytes are not what its name says", reason="damaged_backup")
    return data


def write(manifest: Manifest) -> tuple[str, bytes]:
    """Return a manifest's name and bytes."""
    told = {
        "format": FORMAT,
        "created_at": manifest.created_at.astimezone(dt.UTC).isoformat(),
        "tracklake": manifest.tracklake,
        "duckdb": manifest.duckdb,
        "tables": manifest.tables,
        "answers": manifest.answers,
        "files": [_told(entry) for entry in manifest.files],
    }
    data = pack(orjson.dumps(told))
    stamp = manifest.created_at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{stamp}-{bytes_hash(data)[:12]}", data


def _told(entry: Entry) -> dict[str, object]:
    told: dict[str, object] = {
        "path": entry.path,
        "sha256": entry.sha256,
        "size_bytes": entry.size_bytes,
        "mtime_ns": entry.mtime_ns,
        "inode": entry.inode,
    }
    if entry.pieces != (Piece(entry.sha256, entry.size_bytes, False),):
        told["pieces"] = [[one.sha256, one.stored_bytes, one.is_packed] for one in entry.pieces]
    return told


def read(name: str, data: bytes) -> Manifest:
    """Read a manifest; raise InvalidData if it is damaged, StorageError if it is a newer one's."""
    if bytes_hash(data)[:12] != name.rsplit("-", 1)[-1]:
        raise InvalidData(f"the manifest of backup {name} is damaged", reason="damaged_backup")
    told = orjson.loads(unpack(data))
    if told["format"] > FORMAT:
        raise StorageError(
            f"backup {name} was made by a newer Tracklake (format {told['format']}, this one knows "
            f"{FORMAT}); update Tracklake"
        )
    return Manifest(
        created_at=dt.datetime.fromisoformat(told["created_at"]),
        tracklake=told["tracklake"],
        duckdb=told["duckdb"],
        tables={table: (rows, digest) for table, (rows, digest) in told["tables"].items()},
        files=tuple(_entry(one) for one in told["files"]),
        answers={name: (rows, digest) for name, (rows, digest) in told.get("answers", {}).items()},
    )


def _entry(told: dict[str, Any]) -> Entry:
    alone = [[told["sha256"], told["size_bytes"], False]]
    pieces = tuple(Piece(*one) for one in told.get("pieces", alone))
    path = told["path"]
    hashes = [told["sha256"], *(piece.sha256 for piece in pieces)]
    if not is_ours(path) or not all(_HASH.fullmatch(one) for one in hashes):
        raise InvalidData(f"a backup names {path!r}, which it must not", reason="damaged_backup")
    return Entry(
        path=path,
        size_bytes=told["size_bytes"],
        mtime_ns=told["mtime_ns"],
        inode=told["inode"],
        sha256=told["sha256"],
        pieces=pieces,
    )


def is_ours(path: str) -> bool:
    """Tell whether a path is one that backups hold: nothing outside the data folder's parts."""
    parts = path.split("/")
    inside = parts[0] in FOLDERS and len(parts) > 1
    return path in (STATE_PATH, WAREHOUSE_PATH) or (
        inside and not any(part in ("", ".", "..") for part in parts) and "\0" not in path
    )
