"""Features in tippecanoe's dialect of GeoJSON, one a line."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from tracklake.model import FloatArray

Lines = list[list[list[float]]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One activity as the tiles know it: `day` is days since 1970 on the athlete's calendar."""

    activity_id: int
    sport: str
    day: int


def degrees_written(part: FloatArray) -> list[list[float]]:
    """Round to 1e-7 degrees: a hundredth of a grid unit of the deepest zoom."""
    rounded: list[list[float]] = rounded_off(part).tolist()
    return rounded


def rounded_off(part: FloatArray) -> FloatArray:
    """Return what `degrees_written` returns, as an array; in a feature both are written alike."""
    rounded: FloatArray = np.round(part, 7)
    return rounded


def zooms(first: int, last: int, layer: str | None) -> dict[str, int | str]:
    """Return what tippecanoe is told of a feature: its zooms, and its layer if there is one."""
    told: dict[str, int | str] = {"minzoom": first, "maxzoom": last}
    return told if layer is None else told | {"layer": layer}


def line(drawn: Drawn, parts: Lines | Sequence[FloatArray], told: dict[str, int | str]) -> bytes:
    """Return a feature of lines, arrays or lists of lng, lat degrees."""
    return _feature(drawn, {"type": "MultiLineString", "coordinates": parts}, told)


def point(drawn: Drawn, position: list[float], told: dict[str, int | str]) -> bytes:
    """Return a feature of one place, lng, lat degrees."""
    return _feature(drawn, {"type": "Point", "coordinates": position}, told)


def _feature(drawn: Drawn, geometry: dict[str, object], told: dict[str, int | str]) -> bytes:
    feature = {
        "type": "Feature",
        "tippecanoe": told,
        "properties": {"id": drawn.activity_id, "sport": drawn.sport, "day": drawn.day},
        "geometry": geometry,
    }
    return orjson.dumps(feature, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)
