"""Makes one PMTiles file of several: for sharing, one file is easier to pass on.

A tile that only one of them has is copied as it is. Where several have it, layers of one name
become one layer: features keep their ids and their geometry, their tags are renumbered. Nothing is
drawn again, so nothing is lost, and a tile may become larger than tippecanoe would let it.
"""

import gzip
import heapq
import operator
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from tracklake.errors import Interrupted
from tracklake.tiles.archive import Source, Stored, Writer, blamed
from tracklake.tiles.protobuf import bytes_field, fields, number, number_field, varints

# Fields of Mapbox Vector Tile 2.1: of a tile, of a layer, of a feature.
_LAYER = 3
_NAME, _FEATURE, _KEY, _VALUE, _EXTENT, _VERSION = 1, 2, 3, 4, 5, 15
_ID, _TAGS, _TYPE, _GEOMETRY = 1, 2, 3, 4
_DEFAULT_EXTENT = 4096
_CLOSE_PATH = 7
_LEVEL = 9  # of gzip; tippecanoe's is 9 too


def merge(
    sources: Sequence[Path],
    target: Path,
    metadata: dict[str, object],
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Write all tiles of the sources, files of gzipped vector tiles, into one file.

    The same sources in the same order give the same bytes; features stand in their order. `target`
    is written at the very end; its folder takes the tiles until then. Raises CheckFailed that names
    a source which cannot be read, Interrupted if `should_stop` says so.
    """
    with ExitStack() as open_files:
        opened = [open_files.enter_context(Source(path)) for path in sources]
        writer = open_files.enter_context(Writer(target.parent))
        for tile_id, holders in _by_tile(opened):
            if should_stop():
                raise Interrupted(signal.SIGTERM)
            writer.add(tile_id, _tile(holders))
        writer.finish(target, [source.header for source in opened], metadata)


def _by_tile(sources: Sequence[Source]) -> Iterator[tuple[int, list[tuple[Source, Stored]]]]:
    """Yield each tile's id and who has it, in the order of the sources; ids ascend."""
    every = heapq.merge(*(_numbered(index, source) for index, source in enumerate(sources)))
    for tile_id, found in groupby(every, key=operator.itemgetter(0)):
        yield tile_id, [(sources[index], stored) for _, index, stored in found]


def _numbered(index: int, source: Source) -> Iterator[tuple[int, int, Stored]]:
    return ((stored.tile_id, index, stored) for stored in source.tiles())


def _tile(holders: Sequence[tuple[Source, Stored]]) -> bytes:
    merged = Merged()
    for source, stored in holders:
        with blamed(source.path):
            data = source.read(stored.offset, stored.length)
            if len(holders) == 1:
                return data
            merged.add(gzip.decompress(data))
    return gzip.compress(merged.encoded(), _LEVEL, mtime=0)


@dataclass(slots=True)
class Merged:
    """Several tiles of one place becoming one (none is compressed)."""

    _layers: dict[bytes, list[bytes]] = field(default_factory=dict)  # by name, as encoded
    _made: dict[bytes, "_Layer"] = field(default_factory=dict)

    def add(self, tile: bytes) -> None:
        """Take a tile's layers; ValueError or IndexError if it is damaged."""
        for kind, start, end in fields(tile, 0, len(tile)):
            if kind == _LAYER:
                layer = tile[start:end]
                name = _name(layer)
                self._layers.setdefault(name, []).append(layer)
                self._made.setdefault(name, _Layer(name)).add(layer)

    def encoded(self) -> bytes:
        """Return the tile; a layer that came once is in it as it came."""
        return b"".join(
            bytes_field(_LAYER, came[0] if len(came) == 1 else self._made[name].encoded())
            for name, came in self._layers.items()
        )


@dataclass(slots=True)
class _Layer:
    """Layers of one name becoming one: each key and each value is in it once."""

    name: bytes
    version: int = 1
    extent: int = 0
    keys: dict[bytes, int] = field(default_factory=dict)
    values: dict[bytes, int] = field(default_factory=dict)
    features: list[tuple[int, bytes, bytes]] = field(default_factory=list)  # extent, facts, shape

    def add(self, layer: bytes) -> None:
        found: dict[int, list[tuple[int, int]]] = {}
        for kind, start, end in fields(layer, 0, len(layer)):
            found.setdefault(kind, []).append((start, end))
        version, _ = found.get(_VERSION, [(1, 0)])[-1]
        extent, _ = found.get(_EXTENT, [(_DEFAULT_EXTENT, 0)])[-1]
        if extent == 0:
            raise ValueError("a layer has no grid")
        self.version, self.extent = max(self.version, version), max(self.extent, extent)
        renumbered = _Renumbered(
            [_place(self.keys, layer[start:end]) for start, end in found.get(_KEY, ())],
            [_place(self.values, layer[start:end]) for start, end in found.get(_VALUE, ())],
        )
        for start, end in found.get(_FEATURE, ()):
            self.features.append((extent, *_feature(layer, start, end, renumbered)))

    def encoded(self) -> bytes:
        out = [number_field(_VERSION, self.version), bytes_field(_NAME, self.name)]
        for extent, facts, shape in self.features:
            if extent != self.extent:
                shape = rescaled(shape, extent, self.extent)
            out.append(bytes_field(_FEATURE, facts + bytes_field(_GEOMETRY, shape)))
        out += [bytes_field(_KEY, key) for key in self.keys]
        out += [bytes_field(_VALUE, value) for value in self.values]
        out.append(number_field(_EXTENT, self.extent))
        return b"".join(out)


def _place(table: dict[bytes, int], entry: bytes) -> int:
    """Return where an entry stands in a table, at its end if it was not in it."""
    return table.setdefault(entry, len(table))


class _Renumbered(dict[bytes, bytes]):
    """A feature's tags as the merged layer numbers them, by how its own layer does."""

    def __init__(self, keys: Sequence[int], values: Sequence[int]) -> None:
        super().__init__()
        self._tables = (keys, values)

    def __missing__(self, tags: bytes) -> bytes:
        old = list(varints(tags))
        if len(old) % 2:
            raise ValueError("a feature has a key without a value")
        new = (self._tables[index % 2][tag] for index, tag in enumerate(old))
        self[tags] = b"".join(map(number, new))
        return self[tags]


def _feature(layer: bytes, start: int, end: int, renumbered: _Renumbered) -> tuple[bytes, bytes]:
    """Return all but the geometry, encoded, and the geometry's bytes."""
    facts = shape = b""
    for kind, first, last in fields(layer, start, end):
        if kind in (_TAGS, _GEOMETRY) and last == 0:
            raise ValueError("a feature's tags or geometry are not packed")
        if kind == _GEOMETRY:
            shape = layer[first:last]
        elif kind == _TAGS:
            facts += bytes_field(_TAGS, renumbered[layer[first:last]])
        elif kind in (_ID, _TYPE):
            facts += number_field(kind, first)
    return facts, shape


def rescaled(geometry: bytes, extent: int, larger: int) -> bytes:
    """Return a geometry's commands on a larger grid: points that differed still differ."""
    numbers = varints(geometry)
    out = bytearray()
    old, new = [0, 0], [0, 0]
    for command in numbers:
        out += number(command)
        count = 0 if command & 7 == _CLOSE_PATH else command >> 3
        for step in range(2 * count):
            axis = step % 2
            way = next(numbers, None)
            if way is None:
                raise ValueError("a geometry ends within a command")
            old[axis] += (way >> 1) ^ -(way & 1)
            place = (2 * old[axis] * larger + extent) // (2 * extent)
            moved, new[axis] = place - new[axis], place
            out += number(moved << 1 if moved >= 0 else (-moved << 1) - 1)
    return bytes(out)


def _name(layer: bytes) -> bytes:
    for kind, start, end in fields(layer, 0, len(layer)):
        if kind == _NAME:
            return layer[start:end]
    raise ValueError("a layer has no name")
