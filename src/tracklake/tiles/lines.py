"""What tippecanoe is given to draw: lines and points in its GeoJSON dialect, one feature a line.

A line that is shorter than the grid of a tile vanishes in every tiler (mapbox/tippecanoe #721).
Here each activity stands at every line zoom: where a zoom's grid is too coarse for it, a chord of
each of its parts, at least four grid units long (one CSS pixel), is drawn in its place.

Web Mercator ends at 85.0511 degrees; what lies beyond is drawn on that edge, not left out.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from tracklake.model import FloatArray

LINE_ZOOMS = range(7, 15)
START_ZOOMS = range(8)
LINE_EXTENT = 2048  # grid units a tile, tippecanoe's -d11 -D11
START_EXTENT = 4096  # tippecanoe's default

MAX_LATITUDE = 85.05
# Tippecanoe joins parts that touch and then drops what lies within 2 units (-S2) of the straight
# way from the first point to the last, which is nothing where a track returns to its start. A chord
# of 4 units survives that even there and back; so does a part that reaches 6 units, wherever in the
# joined line it stands.
LEGIBLE_UNITS = 6.0
_SHORTEST_UNITS = 4.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """One activity as the tiles know it: `day` is days since 1970 on the athlete's calendar."""

    activity_id: int
    sport: str
    day: int


def lines(
    drawn: Drawn, parts: Sequence[FloatArray], forced_zooms: Collection[int] = ()
) -> tuple[bytes, int]:
    """Return the GeoJSON lines of one activity and at how many zooms a chord stands for it.

    parts: arrays (n, 2) of lng, lat degrees, n >= 2, at least one. forced_zooms: where chords are
    drawn whatever the size.
    """
    world = [_world(part) for part in parts]
    reach = max(float(np.abs(part - part[0]).max()) for part in world)
    coarse = [
        zoom for zoom in LINE_ZOOMS if zoom in forced_zooms or reach * _units(zoom) < LEGIBLE_UNITS
    ]
    out = [_line(drawn, _chords(world, zoom), zoom, zoom) for zoom in coarse]
    true_shape = [_degrees_written(_clamped(part)) for part in parts]
    for first, last in _runs([zoom for zoom in LINE_ZOOMS if zoom not in coarse]):
        out.append(_line(drawn, true_shape, first, last))
    return b"".join(out), len(coarse)


def start(drawn: Drawn, lng: float, lat: float) -> bytes:
    """Return the GeoJSON line of a start point."""
    position = _degrees_written(_clamped(np.array([[lng, lat]])))[0]
    return _feature(drawn, {"type": "Point", "coordinates": position}, {})


def is_beyond_mercator(parts: Sequence[FloatArray]) -> bool:
    """Say whether any of it lies beyond what Web Mercator can show."""
    return any(bool((np.abs(part[:, 1]) > MAX_LATITUDE).any()) for part in parts)


def _clamped(part: FloatArray) -> FloatArray:
    return np.column_stack((part[:, 0], np.clip(part[:, 1], -MAX_LATITUDE, MAX_LATITUDE)))


def _world(part: FloatArray) -> FloatArray:
    """Project to Web Mercator with the world as the unit square, y downwards."""
    part = _clamped(part)
    y = 0.5 - np.arcsinh(np.tan(np.radians(part[:, 1]))) / (2 * math.pi)
    return np.column_stack((part[:, 0] / 360 + 0.5, y))


def _degrees(world: FloatArray) -> FloatArray:
    lat = np.degrees(np.arctan(np.sinh((0.5 - world[:, 1]) * 2 * math.pi)))
    return np.column_stack(((world[:, 0] - 0.5) * 360, lat))


def _units(zoom: int) -> float:
    """Return how many grid units of a zoom the world is wide."""
    return float(LINE_EXTENT << zoom)


def _chords(world: Sequence[FloatArray], zoom: int) -> list[list[list[float]]]:
    """Return each part as start -> farthest point, at least four units long, one per grid cell."""
    by_cell: dict[tuple[int, ...], list[list[float]]] = {}
    for part in world:
        far = part[np.abs(part - part[0]).max(axis=1).argmax()]
        chord = np.vstack((part[0], far))
        if np.abs(chord[1] - chord[0]).max() * _units(zoom) < _SHORTEST_UNITS:
            chord = _shortest(part[0], zoom)
        cell = tuple(np.floor(chord * _units(zoom)).astype(int).ravel().tolist())
        by_cell.setdefault(cell, _degrees_written(_degrees(chord)))
    return list(by_cell.values())


def _shortest(at: FloatArray, zoom: int) -> FloatArray:
    """Return a level stroke of four units, to the east unless the map ends there."""
    length = _SHORTEST_UNITS / _units(zoom)
    x, y = float(at[0]), float(at[1])
    return np.array([[x, y], [x + length if x + length <= 1 else x - length, y]])


def _runs(zooms: Sequence[int]) -> list[tuple[int, int]]:
    """Return the runs of consecutive zooms, ascending, as (first, last)."""
    firsts = [zoom for zoom in zooms if zoom - 1 not in zooms]
    lasts = [zoom for zoom in zooms if zoom + 1 not in zooms]
    return list(zip(firsts, lasts, strict=True))


def _degrees_written(part: FloatArray) -> list[list[float]]:
    """Round to 1e-7 degrees: a hundredth of a grid unit of the deepest zoom."""
    rounded: list[list[float]] = np.round(part, 7).tolist()
    return rounded


def _line(drawn: Drawn, parts: list[list[list[float]]], first: int, last: int) -> bytes:
    geometry: dict[str, object] = {"type": "MultiLineString", "coordinates": parts}
    return _feature(drawn, geometry, {"minzoom": first, "maxzoom": last})


def _feature(drawn: Drawn, geometry: dict[str, object], zooms: dict[str, int]) -> bytes:
    feature = {
        "type": "Feature",
        "tippecanoe": zooms,
        "properties": {"id": drawn.activity_id, "sport": drawn.sport, "day": drawn.day},
        "geometry": geometry,
    }
    return orjson.dumps(feature, option=orjson.OPT_APPEND_NEWLINE)
