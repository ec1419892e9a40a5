"""Makes the map of what is on land or within 10 km of it, one bit for each 0.05 degrees.

Usage: near_land.py COUNTRIES.topojson SETTLEMENTS.parquet TARGET.zst; scripts/make_places calls it.

Land is that of Natural Earth (lakes are part of it), and every settlement: many islands that are
lived on are too small for that map.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import shapely
import zstandard

from tracklake.places.lookup import NEAR_LAND_KM
from tracklake.places.sea import COLUMNS, KM_A_DEGREE, ROWS, STEP_DEG, cell_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "web"))
import basemap

_BAND_ROWS = 20

Cells = npt.NDArray[np.bool_]


def main(countries: Path, settlements: Path, target: Path) -> None:
    """Write the map."""
    land = _land(json.loads(countries.read_bytes()))
    cells = np.zeros((ROWS, COLUMNS), dtype=bool)
    _fill(cells, land)
    coast = shapely.get_coordinates(land)
    cells[cell_of(coast[:, 1], coast[:, 0])] = True
    places = pq.read_table(settlements, columns=["lat_e5", "lng_e5"])
    lat, lng = (places[name].to_numpy() / 1e5 for name in ("lat_e5", "lng_e5"))
    cells[cell_of(lat, lng)] = True
    packed = np.packbits(_widened(cells, NEAR_LAND_KM))
    target.write_bytes(zstandard.ZstdCompressor(level=19).compress(packed.tobytes()))


def _land(topology: dict[str, Any]) -> list[Any]:
    """Return the parts of the land, as polygons."""
    arcs = [list(basemap._arc(arc, topology["transform"])) for arc in topology["arcs"]]
    shapes = []
    for country in topology["objects"]["countries"]["geometries"]:
        geometry = basemap._geometry(country, arcs)
        shapes += [shapely.Polygon(one[0], one[1:]) for one in geometry["coordinates"]]
    return list(shapely.get_parts(shapely.make_valid(shapes)))


def _fill(cells: Cells, land: list[Any]) -> None:
    """Mark the cells whose middle is on land, a row at a time."""
    tree = shapely.STRtree(land)
    for first in range(0, ROWS, _BAND_ROWS):
        south = -90 + first * STEP_DEG
        north = south + _BAND_ROWS * STEP_DEG
        near = [land[index] for index in tree.query(shapely.box(-180, south, 180, north))]
        band = [part for part in shapely.clip_by_rect(near, -180, south, 180, north) if part]
        for row in range(first, first + _BAND_ROWS):
            y = -90 + (row + 0.5) * STEP_DEG
            line = shapely.LineString([(-180, y), (180, y)])
            for part in shapely.get_parts(shapely.intersection(band, line)):
                west, _, east, _ = part.bounds if not part.is_empty else (0, 0, -1, 0)
                begin = max(round((west + 180) / STEP_DEG), 0)
                end = min(round((east + 180) / STEP_DEG), COLUMNS)
                cells[row, begin:end] = True


def _widened(cells: Cells, by_km: float) -> Cells:
    """Mark also what is so near to a marked cell, across the antimeridian too."""
    result = cells.copy()
    step_km = STEP_DEG * KM_A_DEGREE
    reach = int(by_km / step_km)
    for row in range(ROWS):
        lat = np.radians(-90 + (row + 0.5) * STEP_DEG)
        for other in range(max(row - reach, 0), min(row + reach, ROWS - 1) + 1):
            marked = cells[other]
            if not marked.any():
                continue
            left_km = np.sqrt(max(by_km**2 - ((other - row) * step_km) ** 2, 0.0))
            width = min(int(left_km / (step_km * max(np.cos(lat), 1e-3))), COLUMNS // 2)
            result[row] |= _spread(marked, width)
    return result


def _spread(marked: Cells, width: int) -> Cells:
    """Mark the neighbours of marked cells in a row that closes upon itself."""
    counts = np.concatenate([marked[-width:], marked, marked[:width]] if width else [marked])
    sums = np.concatenate([[0], np.cumsum(counts)])
    spread: Cells = sums[2 * width + 1 :] > sums[: -2 * width - 1]
    return spread


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
