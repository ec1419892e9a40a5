"""Reads a PMTiles file back and says what is in it, and what is not as asked.

The tiles are read with a protobuf walk of our own that skips geometry: it needs only ids, tags and
extents (Mapbox Vector Tile 2.1, section 4; PMTiles 3).
"""

import bisect
import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tracklake.tiles.archive import Source, Stored, blamed
from tracklake.tiles.protobuf import fields, varint, varints

MAX_TILE_BYTES = 500_000
FIELDS = {"sport": "String", "day": "Number"}

_ID_KEY, _TAGS_KEY, _TYPE_KEY = 1 << 3, 2 << 3 | 2, 3 << 3  # first bytes of a feature's fields
_VALUE_KINDS = {1: "String", 2: "Fraction", 3: "Fraction", 4: "Number", 5: "Number", 6: "Number"}
_GZIPPED = 16 + zlib.MAX_WBITS
_DEEPEST = 31
_FIRST_IDS = [(4**zoom - 1) // 3 for zoom in range(_DEEPEST + 2)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a layer was asked to hold: these ids at each of these zooms."""

    zooms: range
    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file was asked to hold: layers by name, their grid, and its own metadata.

    extent: grid units a tile; twice as many at fine_zoom.
    """

    layers: Mapping[str, Asked]
    extent: int
    metadata: dict[str, object]
    most_tile_bytes: int | None = MAX_TILE_BYTES
    fine_zoom: int | None = None

    @property
    def zooms(self) -> tuple[int, int]:
        """The first zoom and the last."""
        every = [zoom for asked in self.layers.values() for zoom in asked.zooms]
        return min(every), max(every)

    def extent_at(self, zoom: int) -> int:
        """Grid units a tile of a zoom."""
        return self.extent * 2 if zoom == self.fine_zoom else self.extent


@dataclass(slots=True)
class Facts:
    """What a file holds. Tile sizes are as stored (gzip), in bytes."""

    min_zoom: int
    max_zoom: int
    bounds: tuple[float, float, float, float]  # west, south, east, north, degrees
    metadata: dict[str, object]
    tiles: int = 0
    largest_tile_bytes: int = 0
    reduced_tiles: int = 0  # with a coarser grid than asked for, to stay under the size limit
    smallest_extent: int = 2**32  # of the grids, in units
    ids: dict[tuple[str, int], set[int]] = field(default_factory=dict)  # by layer and zoom
    problems: list[str] = field(default_factory=list)


def read(path: Path, expected: Expected) -> Facts:
    """Read a whole PMTiles file.

    Raises CheckFailed if it is no PMTiles file or is damaged; what contradicts `expected` is in
    `problems` and `missing`.
    """
    with Source(path) as source, blamed(path):
        return _read(source, expected)


def missing(facts: Facts, expected: Expected, layer: str) -> dict[int, set[int]]:
    """Return for each activity that a layer lacks somewhere the zooms at which it does."""
    asked = expected.layers[layer]
    absent: dict[int, set[int]] = {}
    for zoom in asked.zooms:
        for activity_id in asked.ids - facts.ids.get((layer, zoom), set()):
            absent.setdefault(activity_id, set()).add(zoom)
    return absent


def ids_at(path: Path, layer: str, zoom: int) -> frozenset[int]:
    """Return the ids that a layer of a file has at a zoom; CheckFailed if it is damaged."""
    ids: set[int] = set()
    with Source(path) as source, blamed(path):
        for stored in source.tiles():
            if _zoom(stored.tile_id) > zoom:
                break  # tiles are in the order of their zooms
            if _zoom(stored.tile_id) == zoom:
                found = (one for one in layers(_tile(source, stored)) if one.name == layer)
                ids.update(*(one.ids for one in found))
    return frozenset(ids)


def _read(source: Source, expected: Expected) -> Facts:
    header = source.header
    facts = Facts(
        min_zoom=header["min_zoom"],
        max_zoom=header["max_zoom"],
        bounds=(
            header["min_lon_e7"] / 1e7,
            header["min_lat_e7"] / 1e7,
            header["max_lon_e7"] / 1e7,
            header["max_lat_e7"] / 1e7,
        ),
        metadata=orjson.loads(
            gzip.decompress(source.read(header["metadata_offset"], header["metadata_length"]))
        ),
    )
    for stored in source.tiles():
        facts.tiles += 1
        facts.largest_tile_bytes = max(facts.largest_tile_bytes, stored.length)
        _add_tile(facts, expected, _zoom(stored.tile_id), _tile(source, stored))
    facts.problems = sorted({*facts.problems, *_contradictions(facts, expected)})
    return facts


def _tile(source: Source, stored: Stored) -> bytes:
    return zlib.decompress(source.read(stored.offset, stored.length), _GZIPPED)


def _zoom(tile_id: int) -> int:
    """Return the zoom of a tile; ids count the tiles of all zooms before it first."""
    zoom = bisect.bisect_right(_FIRST_IDS, tile_id) - 1
    if tile_id < 0 or zoom > _DEEPEST:
        raise ValueError(f"there is no tile {tile_id}")
    return zoom


def _contradictions(facts: Facts, expected: Expected) -> Iterable[str]:
    if (facts.min_zoom, facts.max_zoom) != expected.zooms:
        yield f"zooms are {facts.min_zoom} to {facts.max_zoom}"
    if expected.most_tile_bytes and facts.largest_tile_bytes > expected.most_tile_bytes:
        yield f"the largest tile has {facts.largest_tile_bytes} bytes"
    if facts.metadata != expected.metadata:
        yield f"the metadata hold more or less than asked: {sorted(facts.metadata)}"
    strangers: set[int] = set()
    for (layer, zoom), ids in facts.ids.items():
        asked = expected.layers.get(layer)
        if asked is None or zoom not in asked.zooms:
            yield f"there is a layer {layer} at zoom {zoom}"
        else:
            strangers |= ids - asked.ids
    if strangers:
        yield f"{len(strangers)} features have an id that no activity has"


def _add_tile(facts: Facts, expected: Expected, zoom: int, tile: bytes) -> None:
    for layer in layers(tile):
        facts.ids.setdefault((layer.name, zoom), set()).update(layer.ids)
        facts.reduced_tiles += layer.extent < expected.extent_at(zoom)
        facts.smallest_extent = min(facts.smallest_extent, layer.extent)
        if layer.kinds != set(FIELDS.items()):
            facts.problems.append(f"attributes at zoom {zoom} are {sorted(layer.kinds)}")


@dataclass(slots=True)
class Layer:
    """One layer of one tile.

    kinds: the (key, kind) pairs that its features bear, and (key, "missing in some") where not all
    have the key. ids: -1 for a feature that has none.
    """

    name: str
    extent: int
    ids: list[int]
    kinds: set[tuple[str, str]]


def layers(tile: bytes) -> Iterator[Layer]:
    """Read a tile (not compressed); raises ValueError or IndexError if it is damaged."""
    for number, start, end in fields(tile, 0, len(tile)):
        if number == 3:
            yield _layer(tile, start, end)


def _layer(tile: bytes, start: int, end: int) -> Layer:
    name, extent = "", 4096
    features: list[tuple[int, bytes]] = []
    keys: list[str] = []
    values: list[str] = []
    for number, first, last in fields(tile, start, end):
        if number == 1:
            name = tile[first:last].decode()
        elif number == 2:
            features.append(_feature(tile, first, last))
        elif number == 3:
            keys.append(tile[first:last].decode())
        elif number == 4:
            values.append(_value_kind(tile, first, last))
        elif number == 5:
            extent = first
    return Layer(name, extent, [one[0] for one in features], _kinds(features, keys, values))


def _kinds(
    features: list[tuple[int, bytes]], keys: list[str], values: list[str]
) -> set[tuple[str, str]]:
    """Return what features bear; there are few kinds of it, however many values there are."""
    borne: set[tuple[tuple[str, str], ...]] = set()
    for tags in {tags for _, tags in features}:
        numbers = tags if tags.isascii() else list(varints(tags))  # each of one byte
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        borne.add(tuple([(keys[key], values[value]) for key, value in pairs]))
    every = {one for some in borne for one in some}
    for some in borne:
        every |= {
            (key, "missing in some") for key, _ in every.difference(some) if key not in dict(some)
        }
    return every


def _feature(tile: bytes, start: int, end: int) -> tuple[int, bytes]:
    """Return a feature's id and its packed tags."""
    head = tile[start : min(start + 4, end)]
    if len(head) == 4 and head[0] == _TYPE_KEY and head[2] == _TAGS_KEY and head[3] < 128:
        at = start + 4 + head[3]  # as tippecanoe writes it: type, tags, id; this is much faster
        if at + 1 < end and tile[at] == _ID_KEY:
            return varint(tile, at + 1)[0], tile[start + 4 : at]
    feature_id, tags = -1, b""
    for number, first, last in fields(tile, start, end):
        if number == 1:
            feature_id = first
        elif number == 2:
            tags = tile[first:last]
    return feature_id, tags


def _value_kind(tile: bytes, start: int, end: int) -> str:
    return _VALUE_KINDS.get(tile[start] >> 3, "Boolean") if start < end else "Nothing"
