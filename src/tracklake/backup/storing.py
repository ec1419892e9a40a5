"""Putting files into a store: in pieces, each once, read back before it counts."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tracklake.backup import manifest
from tracklake.backup.manifest import Manifest, Piece
from tracklake.backup.stores import Store
from tracklake.errors import InvalidData, StorageError
from tracklake.identity import bytes_hash

PIECE_BYTES = 8 << 20
PACKED_PIECE_BYTES = 1 << 20  # of files that change in place: unchanged blocks are stored once
_BATCH_BYTES = 16 << 20
_BATCH_OBJECTS = 256


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is in the store, or will be after the next `flush`."""

    sha256: str
    size_bytes: int
    pieces: tuple[Piece, ...]


@dataclass
class Depot:
    """A store being filled. `known`: objects that are there and sound, with their sizes; `there`:
    all that bear a name, by which a leftover of a killed backup is taken over instead of sent.
    """

    store: Store
    known: dict[str, int]
    there: dict[str, int]
    new_objects: int = 0
    new_bytes: int = 0
    _waiting: dict[str, bytes] = field(default_factory=dict, repr=False)

    def add(self, path: Path, *, packed: bool = False) -> Stored:
        """Take a file in: what of it is not in the store yet goes there."""
        whole = hashlib.sha256()
        size_bytes = 0
        pieces: list[Piece] = []
        for data in _cut(path, PACKED_PIECE_BYTES if packed else PIECE_BYTES):
            whole.update(data)
            size_bytes += len(data)
            pieces.append(self._piece(data, packed=packed))
        return Stored(whole.hexdigest(), size_bytes, tuple(pieces))

    def _piece(self, data: bytes, *, packed: bool) -> Piece:
        sha256 = bytes_hash(data)
        name = manifest.object_name(sha256, packed=packed)
        if name not in self.known and not self._is_sound(name, sha256, packed=packed):
            stored = manifest.pack(data) if packed else data
            self._waiting[name] = stored
            self.known[name] = len(stored)
            self.new_objects += 1
            self.new_bytes += len(stored)
            if len(self._waiting) >= _BATCH_OBJECTS or self._waiting_bytes() >= _BATCH_BYTES:
                self.flush()
        return Piece(sha256, self.known[name], packed)

    def _is_sound(self, name: str, sha256: str, *, packed: bool) -> bool:
        """Tell whether an object that no recent backup speaks for can be used."""
        if name not in self.there:
            return False
        if not is_sound(self.store, Piece(sha256, self.there[name], packed)):
            return False
        self.known[name] = self.there[name]
        return True

    def _waiting_bytes(self) -> int:
        return sum(len(data) for data in self._waiting.values())

    def flush(self) -> None:
        """Send what waits and compare what the store gives back."""
        if not self._waiting:
            return
        self.store.put(self._waiting)
        names = list(self._waiting)
        for name, data in zip(names, self.store.get(names), strict=True):
            if data != self._waiting[name]:
                raise StorageError(f"{self.store.where} gives back other bytes of {name}; is the "
                                   "disk or the service sound?")  # fmt: skip
        self._waiting.clear()


def _cut(path: Path, piece_bytes: int) -> Iterator[bytes]:
    """Yield a file's pieces; an empty file has one."""
    with path.open("rb") as file:
        yield file.read(piece_bytes)
        while data := file.read(piece_bytes):
            yield data


def present(store: Store) -> dict[str, int]:
    """Return every object of a store with its size."""
    return {item.name: item.size_bytes for item in store.items("objects")}


def spoken_for(base: Manifest | None, there: dict[str, int]) -> dict[str, int]:
    """Return the objects that a backup names and that are there as it says."""
    pieces = [piece for _, piece in base.pieces()] if base else []
    return {
        piece.object_name: piece.stored_bytes
        for piece in pieces
        if there.get(piece.object_name) == piece.stored_bytes
    }


def is_sound(store: Store, piece: Piece) -> bool:
    """Read an object and tell whether it is what it should be."""
    (data,) = store.get([piece.object_name])
    if data is None:
        return False
    try:
        manifest.plain(piece, data, PIECE_BYTES)
    except InvalidData:
        return False
    return True
