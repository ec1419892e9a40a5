"""Makes the basemap: land, borders, countries' and places' names, z0 to z6.

Usage: basemap.py COUNTRIES.topojson CITIES.json TARGET.pmtiles; scripts/make_basemap calls it.

All layers end at one zoom: a layer of a lower one would vanish where the map shows more. Land is
drawn country by country, with nodes shared (-pn) and without -S: as one polygon, a tiler's
simplification loses whole coasts.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape

from tracklake.tiles.drawing import replace_metadata, tippecanoe

_LAST_ZOOM = 6
# From how many people on a place is named at a zoom; below, with all there is, at the last.
_PEOPLE = ((5_000_000, 2), (1_000_000, 3), (300_000, 4), (100_000, 5))
# From what area on (square degrees, as a flat map shows it) a country is named at a zoom.
_AREA = ((300.0, 1), (60.0, 2), (12.0, 3), (2.0, 4))
_METADATA: dict[str, object] = {
    "name": "Tracklake basemap",
    "format": "pbf",
    "type": "baselayer",
    "attribution": "Natural Earth; GeoNames (CC BY 4.0)",
    "vector_layers": [
        {"id": "land", "description": "", "minzoom": 0, "maxzoom": _LAST_ZOOM, "fields": {}},
        {"id": "borders", "description": "", "minzoom": 0, "maxzoom": _LAST_ZOOM, "fields": {}},
        {
            "id": "names",
            "description": "countries and places; rank: from which zoom on",
            "minzoom": 0,
            "maxzoom": _LAST_ZOOM,
            "fields": {"name": "String", "kind": "String", "rank": "Number"},
        },
    ],
}


def main(countries: Path, cities: Path, target: Path) -> None:
    """Write the file; its metadata name no path of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        features, raw = Path(folder) / "features.geojsonl", Path(folder) / "raw.pmtiles"
        with features.open("w") as out:
            for feature in [*_world(json.loads(countries.read_bytes())), *_places(cities)]:
                out.write(json.dumps(feature, ensure_ascii=False) + "\n")
        command = [str(tippecanoe()), "-q", "-f", "-o", str(raw), "-t", folder, "-l", "land"]
        command += ["-Z0", f"-z{_LAST_ZOOM}", "-D10", "-pn", "-pf", "-pk", "-r1", "--no-tile-stats"]
        command += ["--preserve-input-order", str(features)]
        subprocess.run(command, check=True)  # noqa: S603 our own program, on paths of our own
        replace_metadata(raw, target, _METADATA)


def _world(topology: dict[str, Any]) -> Iterator[dict[str, Any]]:
    arcs = [list(_arc(arc, topology["transform"])) for arc in topology["arcs"]]
    countries = topology["objects"]["countries"]["geometries"]
    for country in countries:
        geometry = _geometry(country, arcs)
        if not geometry["coordinates"]:
            continue
        # Each part by itself: clipped together, parts far away leave slivers on the tiles' edges.
        for polygon in geometry["coordinates"]:
            yield _feature("land", {"type": "Polygon", "coordinates": polygon}, {}, 0)
        yield from _country_name(country["properties"]["name"], geometry)
    uses = Counter(index for country in countries for index in _arcs_of(country))
    for index, count in sorted(uses.items()):
        if count > 1:
            line = {"type": "LineString", "coordinates": arcs[index]}
            yield _feature("borders", line, {}, 0)


def _arc(arc: list[list[int]], transform: dict[str, list[float]]) -> Iterator[list[float]]:
    """Decode a TopoJSON arc: differences on a grid."""
    x = y = 0
    for dx, dy in arc:
        x, y = x + dx, y + dy
        yield [
            round(value * scale + offset, 5)
            for value, scale, offset in zip(
                (x, y), transform["scale"], transform["translate"], strict=True
            )
        ]


def _rings(country: dict[str, Any]) -> list[list[list[int]]]:
    """Return a country's polygons, each a list of rings, each a list of arc numbers."""
    rings: list[list[list[int]]] = country["arcs"]
    return [rings] if country["type"] == "Polygon" else rings  # type: ignore[list-item]


def _arcs_of(country: dict[str, Any]) -> set[int]:
    """Return the arcs of a country; ~n is arc n backwards."""
    return {
        index if index >= 0 else ~index
        for polygon in _rings(country)
        for ring in polygon
        for index in ring
    }


def _geometry(country: dict[str, Any], arcs: list[list[list[float]]]) -> dict[str, Any]:
    polygons = []
    for polygon in _rings(country):
        rings = []
        for ring in polygon:
            points: list[list[float]] = []
            for index in ring:
                arc = arcs[index] if index >= 0 else arcs[~index][::-1]
                points.extend(arc[1:] if points else arc)
            if len(points) > 3:  # the source's grid leaves islets without an area
                rings.append(points)
        if rings:
            polygons.append(rings)
    return {"type": "MultiPolygon", "coordinates": polygons}


def _country_name(name: str, geometry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the point where a country's name stands: within its largest part."""
    largest = max(shape(geometry).geoms, key=lambda part: part.area)
    at = shapely.maximum_inscribed_circle(largest.buffer(0)).coords[0]
    first_zoom = next((zoom for area, zoom in _AREA if largest.area >= area), 5)
    point = {"type": "Point", "coordinates": [round(at[0], 4), round(at[1], 4)]}
    yield _feature(
        "names", point, {"name": name, "kind": "country", "rank": first_zoom}, first_zoom
    )


def _places(cities: Path) -> Iterator[dict[str, Any]]:
    """Yield the places, the most populous first: where two names meet, the first one stays."""
    places = json.loads(cities.read_bytes()).values()
    for place in sorted(places, key=lambda place: (-place["population"], place["geonameid"])):
        first_zoom = next(
            (zoom for people, zoom in _PEOPLE if place["population"] >= people), _LAST_ZOOM
        )
        point = {"type": "Point", "coordinates": [place["longitude"], place["latitude"]]}
        fields = {"name": place["name"], "kind": "place", "rank": first_zoom}
        yield _feature("names", point, fields, first_zoom)


def _feature(
    layer: str, geometry: dict[str, Any], properties: dict[str, Any], first_zoom: int
) -> dict[str, Any]:
    return {
        "type": "Feature",
        "tippecanoe": {"layer": layer, "minzoom": first_zoom},
        "properties": properties,
        "geometry": geometry,
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
