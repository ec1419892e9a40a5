"""Explorer tiles: which map tiles of zoom level 14 a track touches, largest square and cluster.

Who changes what comes out raises the version in sql/schema/17_track_tiles.sql.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from tracklake.model import FloatArray

ZOOM = 14
ACROSS = 2**ZOOM
_NORTHERNMOST_DEG = 85.0511287798066

_A_COLUMN = (
    ACROSS + 1
)  # one more than tiles, so that its end is no neighbour of the next one's start
_ALL = ACROSS * _A_COLUMN  # the map goes on behind its eastern and western edge
_SIDES = (-1, 1, -_A_COLUMN, _A_COLUMN)

Tile = tuple[int, int]  # column from the west, row from the north


@dataclass(frozen=True, slots=True)
class Exploration:
    """How much of the map a set of tiles covers; each place is a north-western or first tile."""

    square_side: int
    square_at: Tile | None
    cluster_size: int
    cluster_at: Tile | None


def touched_tiles(lng: FloatArray, lat: FloatArray) -> set[Tile]:
    """Return the tiles that a line through the positions touches, the ends included.

    Between two positions it is straight on the map. A corner is passed on one side or the other.
    """
    east = (lng + 180.0) / 360.0 * ACROSS
    sine = np.sin(np.radians(np.clip(lat, -_NORTHERNMOST_DEG, _NORTHERNMOST_DEG)))
    south = (0.5 - np.arctanh(sine) / (2 * np.pi)) * ACROSS
    columns, rows = _cells(east), _cells(south)
    tiles = set(zip(columns.tolist(), rows.tolist(), strict=True))
    apart = np.abs(np.diff(columns)) + np.abs(np.diff(rows))
    for i in np.flatnonzero(apart > 1).tolist():
        tiles |= _between(east[i : i + 2], south[i : i + 2])
    return tiles


def _cells(places: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.clip(np.floor(places).astype(np.int64), 0, ACROSS - 1)


def _between(east: FloatArray, south: FloatArray) -> set[Tile]:
    """Return the tiles of one straight step: between two crossings of the grid it is in one."""
    parts = [0.0, 1.0]
    for a, b in (east.tolist(), south.tolist()):
        low, high = sorted((a, b))
        lines = np.arange(np.floor(low) + 1, np.ceil(high))
        parts += ((lines - a) / (b - a)).tolist() if a != b else []
    edges = np.sort(np.asarray(parts))
    middle = (edges[1:] + edges[:-1]) / 2
    columns = _cells(east[0] + middle * (east[1] - east[0]))
    rows = _cells(south[0] + middle * (south[1] - south[0]))
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


def exploration(tiles: Collection[Tile]) -> Exploration:
    """Return the largest square and the largest cluster of visited tiles.

    Tiles are numbered column by column for that, which takes half the time of pairs.
    """
    visited = np.unique(np.asarray([x * _A_COLUMN + y for x, y in tiles], dtype=np.int64))
    side, corner = _largest_square(visited.tolist())
    inner = np.all([np.isin((visited + shift) % _ALL, visited) for shift in _SIDES], axis=0)
    size, first = _largest_cluster(set(visited[inner].tolist()))
    return Exploration(side, _tile(corner), size, _tile(first))


def _tile(number: int | None) -> Tile | None:
    return None if number is None else divmod(number, _A_COLUMN)


def _largest_square(visited: list[int]) -> tuple[int, int | None]:
    """Grow squares towards the south-east: one can be as large as its three neighbours allow."""
    sides: dict[int, int] = {}
    get = sides.get
    best, corner = 0, None
    for tile in visited:
        west = tile - _A_COLUMN
        side = 1 + min(get(tile - 1, 0), get(west, 0), get(west - 1, 0))
        sides[tile] = side
        if side > best:
            best, corner = side, tile - (side - 1) * (_A_COLUMN + 1)
    return best, corner


def _largest_cluster(inner: set[int]) -> tuple[int, int | None]:
    best, first = 0, None
    while inner:
        size, start = _taken(inner)
        if first is None or (-size, start) < (-best, first):
            best, first = size, start
    return best, first


def _taken(inner: set[int]) -> tuple[int, int]:
    """Take a tile and all that are joined to it by sides out; return how many and the first."""
    edge = [inner.pop()]
    size, first = 0, edge[0]
    while edge:
        tile = edge.pop()
        size, first = size + 1, min(first, tile)
        for shift in _SIDES:
            near = (tile + shift) % _ALL
            if near in inner:
                inner.remove(near)
                edge.append(near)
    return size, first
