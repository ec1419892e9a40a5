"""PMTiles 3 as files: many read side by side, one written tile by tile, whatever their size.

https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
"""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

import orjson
from pmtiles.tile import (
    Compression,
    Entry,
    HeaderDict,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    TileType,
    deserialize_directory,
    deserialize_header,
    serialize_header,
)
from pmtiles.writer import optimize_directories

from tracklake.errors import CheckFailed

_HEADER_BYTES = 127
_ROOT_BYTES = 16_384 - _HEADER_BYTES  # what the specification leaves for the root directory
_COPY_BYTES = 1 << 20
_UNREADABLE = (
    ValueError,
    IndexError,
    EOFError,
    OverflowError,
    zlib.error,
    gzip.BadGzipFile,
    MagicNumberNotFound,
    SpecVersionUnsupported,
)


class Stored(NamedTuple):
    """One tile: where its bytes begin in the file, and how many they are."""

    tile_id: int
    offset: int
    length: int


@contextmanager
def blamed(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a file's content into CheckFailed that names the file."""
    try:
        yield
    except _UNREADABLE as error:
        said = str(error) or type(error).__name__
        raise CheckFailed(f"{path.name} is not a readable PMTiles file: {said}") from error


class Source:
    """A PMTiles file of gzipped vector tiles, open for reading; CheckFailed if it is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = path.stat().st_size
        self._file = path.open("rb")
        try:
            with blamed(path):
                self.header = _header(self.read(0, _HEADER_BYTES))
        except BaseException:  # a signal too: nobody else would close it; raised on
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the file as they are; ValueError if it ends before."""
        if offset + length > self._size:
            raise ValueError("the file ends too early")
        self._file.seek(offset)
        return self._file.read(length)

    def tiles(self) -> Iterator[Stored]:
        """Yield where each tile is, by ascending id; CheckFailed if the directories are damaged."""
        before = -1
        with blamed(self.path):
            for stored in self._below(self.header["root_offset"], self.header["root_length"], 0):
                if stored.tile_id <= before:
                    raise ValueError("its directory is not in order")
                before = stored.tile_id
                yield stored

    def _below(self, offset: int, length: int, depth: int) -> Iterator[Stored]:
        if depth > 3:
            raise ValueError("its directories have no end")
        for entry in deserialize_directory(self.read(offset, length)):
            if entry.run_length == 0:
                leaf = self.header["leaf_directory_offset"] + entry.offset
                yield from self._below(leaf, entry.length, depth + 1)
                continue
            tile = self.header["tile_data_offset"] + entry.offset
            for step in range(entry.run_length):
                yield Stored(entry.tile_id + step, tile, entry.length)


def _header(data: bytes) -> HeaderDict:
    header = deserialize_header(data)
    if header["tile_type"] is not TileType.MVT:
        raise ValueError("it has no vector tiles")
    if header["tile_compression"] is not Compression.GZIP:
        raise ValueError("its tiles are not gzipped")
    return header


class Writer:
    """Tiles on their way into a PMTiles file. They wait on disk, in no named file."""

    def __init__(self, folder: Path) -> None:
        self._spool: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 closed by exit
        self._entries: list[Entry] = []
        self._length = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def add(self, tile_id: int, data: bytes) -> None:
        """Take a gzipped tile; ids must ascend."""
        self._entries.append(Entry(tile_id, self._length, len(data), 1))
        self._spool.write(data)
        self._length += len(data)

    def finish(
        self, target: Path, headers: Sequence[HeaderDict], metadata: dict[str, object]
    ) -> None:
        """Write the file: zooms and bounds are those of the headers together."""
        root, leaves, _ = optimize_directories(self._entries, _ROOT_BYTES)  # type: ignore[no-untyped-call] # the package annotates its reader only
        packed = gzip.compress(orjson.dumps(metadata), mtime=0)
        header = _together(headers)
        header["addressed_tiles_count"] = len(self._entries)
        header["tile_entries_count"] = len(self._entries)
        header["tile_contents_count"] = len(self._entries)
        header["root_length"] = len(root)
        header["metadata_offset"] = _HEADER_BYTES + len(root)
        header["metadata_length"] = len(packed)
        header["leaf_directory_offset"] = header["metadata_offset"] + len(packed)
        header["leaf_directory_length"] = len(leaves)
        header["tile_data_offset"] = header["leaf_directory_offset"] + len(leaves)
        header["tile_data_length"] = self._length
        self._spool.seek(0)
        with target.open("wb") as file:
            for part in (serialize_header(header), root, packed, leaves):
                file.write(part)
            shutil.copyfileobj(self._spool, file, _COPY_BYTES)


def _together(headers: Sequence[HeaderDict]) -> HeaderDict:
    """Return a header for all; what only the writer knows is zero. Its centre is the largest's."""
    edges = headers or [_nowhere()]
    largest = max(edges, key=lambda header: header["tile_data_length"])
    return {
        **_nowhere(),
        "min_zoom": min(header["min_zoom"] for header in edges),
        "max_zoom": max(header["max_zoom"] for header in edges),
        "min_lon_e7": min(header["min_lon_e7"] for header in edges),
        "min_lat_e7": min(header["min_lat_e7"] for header in edges),
        "max_lon_e7": max(header["max_lon_e7"] for header in edges),
        "max_lat_e7": max(header["max_lat_e7"] for header in edges),
        "center_zoom": largest["center_zoom"],
        "center_lon_e7": largest["center_lon_e7"],
        "center_lat_e7": largest["center_lat_e7"],
    }


def _nowhere() -> HeaderDict:
    return {
        "version": 3,
        "root_offset": _HEADER_BYTES,
        "root_length": 0,
        "metadata_offset": 0,
        "metadata_length": 0,
        "leaf_directory_offset": 0,
        "leaf_directory_length": 0,
        "tile_data_offset": 0,
        "tile_data_length": 0,
        "addressed_tiles_count": 0,
        "tile_entries_count": 0,
        "tile_contents_count": 0,
        "clustered": True,
        "internal_compression": Compression.GZIP,
        "tile_compression": Compression.GZIP,
        "tile_type": TileType.MVT,
        "min_zoom": 0,
        "max_zoom": 0,
        "min_lon_e7": 0,
        "min_lat_e7": 0,
        "max_lon_e7": 0,
        "max_lat_e7": 0,
        "center_zoom": 0,
        "center_lon_e7": 0,
        "center_lat_e7": 0,
    }
