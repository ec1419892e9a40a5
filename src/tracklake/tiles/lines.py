"""What tippecanoe is given to draw: lines and points in its GeoJSON dialect, one feature a line.

A line that is shorter than the grid of a tile vanishes in every tiler (mapbox/tippecanoe #721).
Here each activity stands at every line zoom: where a zoom's grid is too coarse for it, a chord of
each of its parts, at least four grid units long (one CSS pixel), is drawn in its place.

Where zones are given, no vertex of any tile lies in one, and no line between two runs through one:
tippecanoe moves positions onto a zoom's grid, takes what lies within 2 units of a line for part of
it, and cuts lines at the edges of tiles, so near a zone each zoom draws as much less as that takes.
What is left nothing of by that is drawn on the nearest place of the grid that no zone holds.

Web Mercator ends at 85.0511 degrees; what lies beyond is drawn on that edge, not left out.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tracklake.analysis.geodesy import METRES_PER_DEGREE
from tracklake.model import BoolArray, FloatArray
from tracklake.tiles import features
from tracklake.tiles.features import Drawn, Lines
from tracklake.tiles.privacy import (
    MAX_LATITUDE,
    Zone,
    bounds_of,
    is_outside,
    outside,
    touching,
)

LINE_ZOOMS = range(7, 14)
START_ZOOMS = range(8)
# Grid units a tile (tippecanoe's -D11). The deepest zoom has twice as many (-d12), 1.2 m at the
# equator: what a zoom more would show, in a sixth less time and in files a third smaller. Whatever
# keeps clear of this grid keeps clear of that one.
LINE_EXTENT = 2048
START_EXTENT = LINE_EXTENT

# Tippecanoe joins parts that touch and then drops what lies within 2 units (-S2) of the straight
# way from the first point to the last, which is nothing where a track returns to its start. A chord
# of 4 units survives that even there and back; so does a part that reaches 6 units, wherever in the
# joined line it stands.
LEGIBLE_UNITS = 6.0
_SHORTEST_UNITS = 4.0

# How far from where it should be tippecanoe draws something, each a little more than measured: it
# rounds twice (0.75 units each way at most), simplifies (-S2), and rounds where it cuts a line at a
# tile's edge, which adds up over the zooms (1.9 units of the deepest zoom measured, 11 possible).
_ROUNDED_UNITS = 1.1
_SIMPLIFIED_UNITS = 2.05
_CUT_M = 14.0
# Drawn alike near a zone, by what the first of them needs: 44 m at the equator.
_ALIKE = range(11, 14)
_EQUATOR_M = 40_075_017.0
# How many places of the grid each way are searched at a time, and how many units apart they are.
_WINDOWS = ((6, 1.0), *((64, 4.0**wider) for wider in range(10)))

_T = TypeVar("_T")


def lines(
    drawn: Drawn,
    parts: Sequence[FloatArray],
    forced_zooms: Collection[int] = (),
    zones: Sequence[Zone] = (),
    layer: str | None = None,
    extent: int = LINE_EXTENT,
) -> tuple[bytes, int]:
    """Return the GeoJSON lines of one activity and at how many zooms a chord stands for it.

    parts: arrays (n, 2) of lng, lat degrees, n >= 2, at least one. forced_zooms: where chords are
    drawn whatever the size. zones: kept out of every tile. extent: of the coarsest grid that a tile
    may be on (tippecanoe makes large tiles coarser); what it takes to be seen there depends on it.
    layer: named in each feature, for a run of tippecanoe that makes several.
    """
    near = touching(bounds_of(parts), zones) if zones else ()
    first, last = LINE_ZOOMS[0], LINE_ZOOMS[-1]
    if not near and not forced_zooms and _is_legible(parts, float(extent << first)):
        written = [features.rounded_off(_clamped(part)) for part in parts]
        return features.line(drawn, written, features.zooms(first, last, layer)), 0
    return _by_zoom(drawn, parts, forced_zooms, near, layer, extent)


def _by_zoom(
    drawn: Drawn,
    parts: Sequence[FloatArray],
    forced_zooms: Collection[int],
    near: Sequence[Zone],
    layer: str | None,
    extent: int,
) -> tuple[bytes, int]:
    world = [_world(part) for part in parts]
    written = {
        id(flat): features.degrees_written(_clamped(part))
        for flat, part in zip(world, parts, strict=True)
    }
    out: list[bytes] = []
    shaped: list[tuple[int, Lines]] = []
    whole = _reach(world)
    for zoom, shape in _shapes(world, near, extent):
        units = float(extent << zoom)
        reach = whole if shape is world else _reach(shape)
        if zoom in forced_zooms or reach * units < LEGIBLE_UNITS:
            chords = _chords(shape, units, _widened(near, zoom, extent, _ROUNDED_UNITS))
            chords = chords or _stroke(world[0][0], zoom, near, extent)
            out.append(features.line(drawn, chords, features.zooms(zoom, zoom, layer)))
        else:
            known = (written.get(id(part)) for part in shape)
            pairs = zip(known, shape, strict=True)
            shaped.append(
                (zoom, [one or features.degrees_written(_degrees(part)) for one, part in pairs])
            )
    chord_zooms = len(out)
    for geometry, first, last in _runs(shaped):
        out.append(features.line(drawn, geometry, features.zooms(first, last, layer)))
    return b"".join(out), chord_zooms


def start(
    drawn: Drawn,
    lng: float,
    lat: float,
    zones: Sequence[Zone] = (),
    layer: str | None = None,
    extent: int = START_EXTENT,
) -> bytes:
    """Return the GeoJSON lines of a start point: one, or near a zone one for some zooms each.

    Where a zoom's grid would move the point into a zone, the nearest free place of the grid stands
    for it. The rest is as for `lines`.
    """
    position = _clamped(np.array([[lng, lat]]))
    near = touching((lng, lat, lng, lat), zones)
    if not near:
        zooms = {} if layer is None else features.zooms(START_ZOOMS[0], START_ZOOMS[-1], layer)
        return features.point(drawn, features.degrees_written(position)[0], zooms)
    places: list[tuple[int, list[float]]] = []
    for zoom in START_ZOOMS:
        found = position
        if not is_outside(position, _widened(near, zoom, extent, _ROUNDED_UNITS)).all():
            found = _degrees(_free_place(_world(position)[0], zoom, near, extent))
        places.append((zoom, features.degrees_written(found)[0]))
    return b"".join(
        features.point(drawn, place, features.zooms(first, last, layer))
        for place, first, last in _runs(places)
    )


def is_beyond_mercator(parts: Sequence[FloatArray]) -> bool:
    """Say whether any of it lies beyond what Web Mercator can show."""
    return any(bool((np.abs(part[:, 1]) > MAX_LATITUDE).any()) for part in parts)


def _clamped(part: FloatArray) -> FloatArray:
    if part[:, 1].min() >= -MAX_LATITUDE and part[:, 1].max() <= MAX_LATITUDE:
        return part
    return np.column_stack((part[:, 0], np.clip(part[:, 1], -MAX_LATITUDE, MAX_LATITUDE)))


def _world(part: FloatArray) -> FloatArray:
    """Project to Web Mercator with the world as the unit square, y downwards."""
    part = _clamped(part)
    y = 0.5 - np.arcsinh(np.tan(np.radians(part[:, 1]))) / (2 * math.pi)
    return np.column_stack((part[:, 0] / 360 + 0.5, y))


def _degrees(world: FloatArray) -> FloatArray:
    lat = np.degrees(np.arctan(np.sinh((0.5 - world[:, 1]) * 2 * math.pi)))
    return np.column_stack(((world[:, 0] - 0.5) * 360, lat))


def _is_legible(parts: Sequence[FloatArray], units: float) -> bool:
    """Say whether a track reaches far enough to be seen on a grid; less exactly than `_reach`."""
    corners = (np.vstack((part[0], part.min(axis=0), part.max(axis=0))) for part in parts)
    return any(_reach([_world(one)]) * units > LEGIBLE_UNITS * 1.001 for one in corners)


def _reach(world: Sequence[FloatArray]) -> float:
    return max((float(np.abs(part - part[0]).max()) for part in world), default=0.0)


def _shapes(
    world: Sequence[FloatArray], zones: Sequence[Zone], extent: int
) -> Iterator[tuple[int, Sequence[FloatArray]]]:
    """Yield each zoom with what may be seen of the parts there."""
    shape = world
    for zoom in LINE_ZOOMS:
        if zones and (zoom == _ALIKE[0] or zoom not in _ALIKE):
            units = _ROUNDED_UNITS + _SIMPLIFIED_UNITS
            shape = outside(world, _widened(zones, zoom, extent, units), _degrees)
        yield zoom, shape


def _widened(zones: Sequence[Zone], zoom: int, extent: int, units: float) -> list[Zone]:
    """Return the zones with so much around them in units of a zoom's grid, and for cuts."""
    wide = [zone.widened(units * _EQUATOR_M / (extent << zoom) + _CUT_M) for zone in zones]
    return [
        zone.widened((one.radius_m - zone.radius_m) * math.cos(math.radians(_lowest(one))))
        for zone, one in zip(zones, wide, strict=True)
    ]


def _lowest(zone: Zone) -> float:
    """Return the latitude (positive) of the zone's that is nearest to the equator."""
    return max(abs(zone.lat) - zone.radius_m / METRES_PER_DEGREE * 1.01, 0.0)


def _chords(world: Sequence[FloatArray], units: float, zones: Sequence[Zone]) -> Lines:
    """Return each part as start -> farthest point, at least four units long, one per grid cell.

    Those that would run through a zone are left out.
    """
    by_cell: dict[tuple[int, ...], list[list[float]]] = {}
    for part in world:
        far = part[np.abs(part - part[0]).max(axis=1).argmax()]
        chord = np.vstack((part[0], far))
        if np.abs(chord[1] - chord[0]).max() * units < _SHORTEST_UNITS:
            chord = _shortest(part[0], units)
        if not _is_clear(chord, zones):
            continue
        cell = tuple(np.floor(chord * units).astype(int).ravel().tolist())
        by_cell.setdefault(cell, features.degrees_written(_degrees(chord)))
    return list(by_cell.values())


def _is_clear(chord: FloatArray, zones: Sequence[Zone]) -> bool:
    return any(piece is chord for piece in outside([chord], zones, _degrees))


def _shortest(at: FloatArray, units: float) -> FloatArray:
    """Return a level stroke of four units, to the east unless the map ends there."""
    length = _SHORTEST_UNITS / units
    x, y = float(at[0]), float(at[1])
    return np.array([[x, y], [x + length if x + length <= 1 else x - length, y]])


def _stroke(at: FloatArray, zoom: int, zones: Sequence[Zone], extent: int) -> Lines:
    """Return a stroke of four units along the grid as near as may be."""
    return [features.degrees_written(_degrees(_free_place(at, zoom, zones, extent, 4)))]


def _free_place(
    at: FloatArray, zoom: int, zones: Sequence[Zone], extent: int, length: int = 0
) -> FloatArray:
    """Return the nearest place of a zoom's grid outside every zone, or a level or upright stroke.

    In world coordinates. Searched on ever wider and coarser windows of the grid.
    """
    units = float(extent << zoom)
    for reach, pitch in _WINDOWS:
        steps = np.arange(-reach, reach + 1)
        x, y = np.meshgrid(*((round(float(one) * units / pitch) + steps) * pitch for one in at))
        nodes = np.stack((x, y), axis=-1) / units
        degrees = _degrees(nodes.reshape(-1, 2).clip(-1, 2))
        # What lies between two places of a stroke is at most half a step from one.
        guard = _widened(zones, zoom, extent, 0.6 * pitch) if length else zones
        free = is_outside(degrees, guard) & (np.abs(degrees) <= (179.9999, MAX_LATITUDE)).all(
            axis=1
        )
        if (found := _nearest(free.reshape(x.shape), length)) is not None:
            return nodes[found]
    raise ValueError("privacy zones leave no place on the map")


def _nearest(free: BoolArray, length: int) -> tuple[list[int], list[int]] | None:
    """Return rows and columns of the two ends of the free stroke nearest to the middle."""
    level = sliding_window_view(free, length + 1, axis=1).all(axis=-1)
    upright = sliding_window_view(free, length + 1, axis=0).all(axis=-1)
    begins = np.concatenate((np.argwhere(level), np.argwhere(upright)))
    if not len(begins):
        return None
    best = int(((begins - len(free) // 2) ** 2).sum(axis=1).argmin())
    row, column = map(int, begins[best])
    down, right = (0, length) if best < level.sum() else (length, 0)
    return [row, row + down], [column, column + right]


def _runs(by_zoom: Sequence[tuple[int, _T]]) -> list[tuple[_T, int, int]]:
    """Return what is the same at consecutive zooms, ascending, as (what, first, last)."""
    runs: list[tuple[_T, int, int]] = []
    for zoom, what in by_zoom:
        if runs and runs[-1][2] == zoom - 1 and runs[-1][0] == what:
            runs[-1] = (what, runs[-1][1], zoom)
        else:
            runs.append((what, zoom, zoom))
    return runs
