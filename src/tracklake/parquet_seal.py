"""A hash inside a Parquet file, over all of its bytes: for files whose name does not say one.

Whoever writes the file enters KEY with OPEN as its value in the file's own metadata, and closes the
seal when the file is whole. The hash is of the file with OPEN in its place.
"""

import hashlib
from pathlib import Path
from typing import BinaryIO

KEY = "tracklake.sha256"
OPEN = "0" * 64

_TRAILER_BYTES = 8  # the footer's length and PAR1
_VALUE_AFTER = b"\x18\x40"  # Thrift, compact: a text of 64 bytes
_PIECE_BYTES = 1 << 20


def close(path: Path) -> None:
    """Write the hash of a finished file into it; it must bear an open seal."""
    with path.open("r+b") as file:
        at = _place(file)
        if at is None:
            raise ValueError(f"{path} bears no seal")
        digest = _hash(file, at)
        file.seek(at)
        file.write(digest.encode())


def holds(path: Path) -> bool | None:
    """Tell whether a file is what was sealed; None for one that bears no seal."""
    with path.open("rb") as file:
        at = _place(file)
        if at is None:
            return None
        file.seek(at)
        said = file.read(len(OPEN))
        return said == _hash(file, at).encode()


def _place(file: BinaryIO) -> int | None:
    """Find where the hash stands: in the footer, behind its key."""
    size = file.seek(0, 2)
    if size < _TRAILER_BYTES:
        return None
    file.seek(size - _TRAILER_BYTES)
    trailer = file.read(_TRAILER_BYTES)
    start = size - _TRAILER_BYTES - int.from_bytes(trailer[:4], "little")
    if trailer[4:] != b"PAR1" or start < 0:
        return None
    file.seek(start)
    mark = KEY.encode() + _VALUE_AFTER
    found = file.read(size - start).rfind(mark)
    at = start + found + len(mark)
    return at if found >= 0 and at + len(OPEN) <= size - _TRAILER_BYTES else None


def _hash(file: BinaryIO, at: int) -> str:
    """Hash a file as it was before the hash at that place was written."""
    digest = hashlib.sha256()
    file.seek(0)
    left = at
    while left and (piece := file.read(min(left, _PIECE_BYTES))):
        digest.update(piece)
        left -= len(piece)
    digest.update(OPEN.encode())
    file.seek(at + len(OPEN))
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()
