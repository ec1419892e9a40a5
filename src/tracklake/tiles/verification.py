"""Reads a PMTiles file back and says what is in it, and what is not as asked.

The tiles are read with a protobuf walk of our own that skips geometry: it needs only ids, tags and
extents (Mapbox Vector Tile 2.1, section 4; PMTiles 3).
"""

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
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
class Expected:
    """What a file was asked to hold: one layer, these ids at each of these zooms."""

    layer: str
    zooms: range
    extent: int
    ids: frozenset[int]
    metadata: dict[str, object]


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
    ids_by_zoom: dict[int, set[int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read(path: Path, expected: Expected) -> Facts:
    """Read a whole PMTiles file.

    Raises CheckFailed if it is no PMTiles file or is damaged; what contradicts `expected` is in
    `problems` and `missing`.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:

            def part(offset: int, length: int) -> bytes:
                if offset + length > size:
                    raise ValueError("the file ends too early")
                file.seek(offset)
                return file.read(length)

            return _read(part, expected)
    except _UNREADABLE as error:
        raise CheckFailed(f"{path.name} is not a readable PMTiles file: {error}") from error


def missing(facts: Facts, expected: Expected) -> dict[int, set[int]]:
    """Return for each activity that is absent somewhere the zooms at which it is."""
    absent: dict[int, set[int]] = {}
    for zoom in expected.zooms:
        for activity_id in expected.ids - facts.ids_by_zoom.get(zoom, set()):
            absent.setdefault(activity_id, set()).add(zoom)
    return absent


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
    if (facts.min_zoom, facts.max_zoom) != (expected.zooms[0], expected.zooms[-1]):
        yield f"zooms are {facts.min_zoom} to {facts.max_zoom}"
    if facts.largest_tile_bytes > MAX_TILE_BYTES:
        yield f"the largest tile has {facts.largest_tile_bytes} bytes"
    if facts.metadata != expected.metadata:
        yield f"the metadata hold more or less than asked: {sorted(facts.metadata)}"
    strangers = set().union(*facts.ids_by_zoom.values()) - expected.ids
    if strangers:
        yield f"{len(strangers)} features have an id that no activity has"


def _add_tile(facts: Facts, expected: Expected, zoom: int, tile: bytes) -> None:
    for layer in layers(tile):
        facts.ids_by_zoom.setdefault(zoom, set()).update(layer.ids)
        facts.reduced_tiles += layer.extent < expected.extent
        if layer.name != expected.layer:
            facts.problems.append(f"a layer is named {layer.name}")
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
    for number, start, end in _fields(tile, 0, len(tile)):
        if number == 3:
            yield _layer(tile, start, end)


def _layer(tile: bytes, start: int, end: int) -> Layer:
    name, extent = "", 4096
    features: list[tuple[int, bytes]] = []
    keys: list[str] = []
    values: list[str] = []
    for number, first, last in _fields(tile, start, end):
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
            numbers = list(_varints(tags))
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            by_tags[tags] = {(keys[key], values[value]) for key, value in pairs}
    every = set().union(*by_tags.values())
    for borne in by_tags.values():
        every |= {(key, "missing in some") for key, _ in every - borne if key not in dict(borne)}
    return every


def _feature(tile: bytes, start: int, end: int) -> tuple[int, bytes]:
    """Return a feature's id and its packed tags."""
    feature_id, tags = -1, b""
    for number, first, last in _fields(tile, start, end):
        if number == 1:
            feature_id = first
        elif number == 2:
            tags = tile[first:last]
    return feature_id, tags


def _value_kind(tile: bytes, start: int, end: int) -> str:
    for number, _, _ in _fields(tile, start, end):
        return _VALUE_KINDS.get(number, "Boolean")
    return "Nothing"


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = data[at]
    at += 1
    if value < 0x80:
        return value, at
    value &= 0x7F
    shift = 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (field number, start, end) of each field; of a varint (number, its value, 0)."""
    while at < end:
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield key >> 3, value, 0
            continue
        if wire == 2:
            length, at = _varint(data, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} in a tile")
        if at + length > end:
            raise ValueError("a tile's field ends beyond it")
        yield key >> 3, at, at + length
        at += length
