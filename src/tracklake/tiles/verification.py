"""Reads a PMTiles file back and says what is in it, and what is not as asked.

The tiles are read with a protobuf walk of our own that skips geometry: it needs only ids, tags and
extents (Mapbox Vector Tile 2.1, section 4; PMTiles 3).
"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from pmtiles.tile import (
    HeaderDict,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    deserialize_directory,
    deserialize_header,
    tileid_to_zxy,
)

from tracklake.errors import CheckFailed
from tracklake.tiles.protobuf import fields, varints

MAX_TILE_BYTES = 500_000
FIELDS = {"sport": "String", "day": "Number"}

_VALUE_KINDS = {1: "String", 2: "Fraction", 3: "Fraction", 4: "Number", 5: "Number", 6: "Number"}
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What a layer was asked to hold: these ids at each of these zooms."""

    zooms: range
    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file was asked to hold: layers by name, their grid, and its own metadata."""

    layers: Mapping[str, Asked]
    extent: int
    metadata: dict[str, object]
    most_tile_bytes: int | None = MAX_TILE_BYTES

    @property
    def zooms(self) -> tuple[int, int]:
        """The first zoom and the last."""
        every = [zoom for asked in self.layers.values() for zoom in asked.zooms]
        return min(every), max(every)


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
    with _opened(path) as part:
        return _read(part, expected)


@contextmanager
def _opened(path: Path) -> Iterator[Callable[[int, int], bytes]]:
    """Give a reader of (offset, length); what is wrong with the file is CheckFailed."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:

            def part(offset: int, length: int) -> bytes:
                if offset + length > size:
                    raise ValueError("the file ends too early")
                file.seek(offset)
                return file.read(length)

            yield part
    except _UNREADABLE as error:
        raise CheckFailed(f"{path.name} is not a readable PMTiles file: {error}") from error


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
    with _opened(path) as part:
        header = deserialize_header(part(0, 127))
        for at_zoom, data in _tiles(part, header, header["root_offset"], header["root_length"]):
            if at_zoom > zoom:
                break  # tiles are in the order of their zooms
            if at_zoom == zoom:
                found = (one for one in layers(gzip.decompress(data)) if one.name == layer)
                ids.update(*(one.ids for one in found))
    return frozenset(ids)


def _read(part: Callable[[int, int], bytes], expected: Expected) -> Facts:
    header = deserialize_header(part(0, 127))
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
            gzip.decompress(part(header["metadata_offset"], header["metadata_length"]))
        ),
    )
    for zoom, data in _tiles(part, header, header["root_offset"], header["root_length"]):
        facts.tiles += 1
        facts.largest_tile_bytes = max(facts.largest_tile_bytes, len(data))
        _add_tile(facts, expected, zoom, gzip.decompress(data))
    facts.problems = sorted({*facts.problems, *_contradictions(facts, expected)})
    return facts


def _tiles(
    part: Callable[[int, int], bytes], header: HeaderDict, offset: int, length: int
) -> Iterator[tuple[int, bytes]]:
    for entry in deserialize_directory(part(offset, length)):
        if entry.run_length == 0:
            leaf = header["leaf_directory_offset"] + entry.offset
            yield from _tiles(part, header, leaf, entry.length)
            continue
        data = part(header["tile_data_offset"] + entry.offset, entry.length)
        for step in range(entry.run_length):
            yield tileid_to_zxy(entry.tile_id + step)[0], data


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
        facts.reduced_tiles += layer.extent < expected.extent
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
    by_tags: dict[bytes, set[tuple[str, str]]] = {}
    for _, tags in features:
        if tags not in by_tags:
            numbers = list(varints(tags))
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            by_tags[tags] = {(keys[key], values[value]) for key, value in pairs}
    every = set().union(*by_tags.values())
    for borne in by_tags.values():
        every |= {(key, "missing in some") for key, _ in every - borne if key not in dict(borne)}
    return every


def _feature(tile: bytes, start: int, end: int) -> tuple[int, bytes]:
    """Return a feature's id and its packed tags."""
    feature_id, tags = -1, b""
    for number, first, last in fields(tile, start, end):
        if number == 1:
            feature_id = first
        elif number == 2:
            tags = tile[first:last]
    return feature_id, tags


def _value_kind(tile: bytes, start: int, end: int) -> str:
    for number, _, _ in fields(tile, start, end):
        return _VALUE_KINDS.get(number, "Boolean")
    return "Nothing"
