"""What privacy zones do to tiles: drawn by the real tippecanoe, read by an independent reader."""

import gzip
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles.reader import all_tiles

from tests.test_privacy import HOME, around, away_m, ellipsoid_away_m
from tracklake.analysis.tracks import cut_antimeridian
from tracklake.model import FloatArray
from tracklake.tiles import drawing
from tracklake.tiles.features import Drawn
from tracklake.tiles.lines import lines, start
from tracklake.tiles.privacy import Privacy, Zone, visible

WALKER = Drawn(5, "Run", 3)
Tracks = dict[int, list[FloatArray]]


@dataclass(frozen=True)
class Shape:
    """A line or point of a tile: positions on the zoom's grid, and in lng, lat degrees."""

    layer: str
    zoom: int
    activity_id: int
    positions: FloatArray
    between: FloatArray  # positions along its lines


def drawn(tracks: Tracks, zones: Sequence[Zone], **more: int) -> list[Shape]:
    """Draw visible tracks and their starts in one run, as the overlay of recent activities is."""
    with tempfile.TemporaryDirectory() as name:
        features, tiles = Path(name) / "all.geojsonl", Path(name) / "all.pmtiles"
        with features.open("wb") as file:
            for number, parts in tracks.items():
                who, (lng, lat) = Drawn(number, "Run", 3), parts[0][0].tolist()
                file.write(lines(who, parts, (), zones, layer="tracks", **more)[0])
                file.write(start(who, lng, lat, zones, layer="starts", **more))
        ids = frozenset(tracks)
        drawing.draw(features, tiles, drawing.expected(ids, ids), lambda: False)
        return list(shapes(tiles.read_bytes()))


def shapes(content: bytes) -> Iterator[Shape]:
    for (zoom, x, y), data in all_tiles(lambda at, length: content[at : at + length]):  # type: ignore[no-untyped-call] # the package annotates this not
        tile = mapbox_vector_tile.decode(
            gzip.decompress(data), default_options={"y_coord_down": True}
        )
        for name, layer in tile.items():
            units = layer["extent"] << zoom
            for feature in layer["features"]:
                for part in line_parts(feature["geometry"]):
                    at = (np.array(part) + np.array([x, y]) * layer["extent"]) / units
                    share = np.linspace(0, 1, 17)[:, None, None]
                    along = (at[:-1] * (1 - share) + at[1:] * share).reshape(-1, 2)
                    yield Shape(name, zoom, feature["id"], degrees(at), degrees(along))


def line_parts(geometry: dict[str, Any]) -> list[list[list[float]]]:
    found = geometry["coordinates"]
    by_kind: dict[str, list[list[list[float]]]] = {
        "Point": [[found]],
        "MultiPoint": [[one] for one in found],
        "LineString": [found],
        "MultiLineString": found,
    }
    return by_kind[geometry["type"]]


def degrees(world: FloatArray) -> FloatArray:
    lat = np.degrees(np.arctan(np.sinh((0.5 - world[:, 1]) * 2 * math.pi)))
    return np.column_stack((world[:, 0] * 360 - 180, lat))


def check(found: list[Shape], tracks: Tracks, zones: Sequence[Zone]) -> None:
    """Fail if anything lies in a zone, or an activity is absent at a zoom."""
    everywhere = [("tracks", zoom) for zoom in range(7, 14)]
    everywhere += [("starts", zoom) for zoom in range(8)]
    for layer, zoom in everywhere:
        here = [one for one in found if (one.layer, one.zoom) == (layer, zoom)]
        assert {one.activity_id for one in here} == set(tracks), (layer, zoom)
        positions = np.concatenate([one.positions for one in here])
        between = np.concatenate([one.between for one in here])
        for zone in zones:
            assert (away_m(positions, zone) > zone.radius_m).all(), (layer, zoom, zone)
            assert (ellipsoid_away_m(positions, zone) > zone.radius_m).all(), (layer, zoom, zone)
            assert (away_m(between, zone) > zone.radius_m).all(), (layer, zoom, zone)


def home_tracks(zone: Zone) -> Tracks:
    """Return tracks that have to do with a place: from it, through it, around it, just past it."""
    r = zone.radius_m
    far = max(3 * r, min(40 * r, 100_000))
    loop = [(math.cos(t / 20), math.sin(t / 20)) for t in range(126)]
    wiggle = [(x * r / 50, math.sin(x) * r / 4) for x in range(-250, 250)]
    routes: list[list[tuple[float, float]]] = [
        wiggle[250:],
        wiggle,
        *([(x * r * wide, y * r * wide) for x, y in loop] for wide in (1.007, 1.05, 1.5)),
        [(x * r * 3 + 3.2 * r, y * r * 3) for x, y in loop],
        [(-3 * r, r * 1.006 + 1), (3 * r, r * 1.006 + 1)],
        [(-far, r / 3), (far, r / 2)],
        [(0.0, r * 1.006 + 1), (3.0, r * 1.006 + 2)],
        [(0.0, 0.0), (0.0, r * 1.006 + 6)],
    ]
    tracks = {}
    for number, route in enumerate(routes, 1):
        parts = visible(cut_antimeridian([around(zone, *route)]), Privacy((zone,)))
        if parts:
            tracks[number] = parts
    return tracks


@pytest.mark.parametrize(
    "zone",
    [
        HOME,
        Zone(0.0, 0.0, 200.0),
        Zone(-17.0, 179.999, 2000.0),
        Zone(64.1, -21.9, 50_000.0),
        Zone(85.04, 30.0, 300.0),
        Zone(85.06, 30.0, 2500.0),
        Zone(-33.9, 151.2, 1.0),
    ],
)
def test_no_tile_has_a_coordinate_of_a_zone(zone: Zone) -> None:
    """Whatever a track has to do with home, no zoom's grid moves it, or its start, into home."""
    tracks = home_tracks(zone)
    assert len(tracks) >= 8
    check(drawn(tracks, (zone,)), tracks, (zone,))


@settings(max_examples=8)
@given(st.data())
def test_no_tile_has_a_coordinate_of_any_of_several_zones(data: st.DataObject) -> None:
    """Random tracks among overlapping zones: nothing in them, everything visible everywhere."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    lat = data.draw(st.sampled_from([0.0, 48.1, -70.0, 84.9, 85.1]))
    lng = data.draw(st.sampled_from([11.5, 179.999, -179.9995]))
    radius_m = data.draw(st.floats(1, 3000))
    centre = Zone(lat, lng, radius_m)
    apart = around(centre, *map(tuple, rng.normal(0, radius_m, (3, 2))))
    radii_m = np.maximum(radius_m * rng.uniform(0.2, 1.5, 3), 1.0)
    places = zip(*apart.T, radii_m, strict=True)
    zones = (centre, *(Zone(float(y), float(x), float(r)) for x, y, r in places))
    tracks: Tracks = {}
    for number in range(1, 9):
        turns = np.cumsum(rng.normal(0, 0.4, 150)) + rng.uniform(0, 7)
        pace_m = radius_m * 10 ** rng.uniform(-2.5, -0.5)
        way = np.cumsum(np.column_stack((np.cos(turns), np.sin(turns))) * pace_m, axis=0)
        way += rng.normal(0, radius_m, 2) - way[rng.integers(0, 150)]
        cut_m = float(rng.choice([0.0, radius_m / 3]))
        seen = visible(cut_antimeridian([around(centre, *map(tuple, way))]), Privacy(zones, cut_m))
        if seen:
            tracks[number] = seen
    if tracks:
        check(drawn(tracks, zones), tracks, zones)


def test_the_promise_needs_the_guard() -> None:
    """Without zones given to the drawing, the same visible tracks do end up in the zone."""
    tracks = home_tracks(HOME)
    with pytest.raises(AssertionError):
        check(drawn(tracks, ()), tracks, (HOME,))


def test_a_coarser_grid_is_guarded_too() -> None:
    """For tiles that tippecanoe had to make coarser, positions are kept as far away as it takes."""
    parts = visible([around(HOME, (0, 0), (30_000, 0))], Privacy((HOME,)))
    text, _ = lines(WALKER, parts, (), (HOME,), extent=256)
    for feature in map(json.loads, text.splitlines()):
        unit_m = 40_075_017 / (256 << feature["tippecanoe"]["minzoom"]) * math.cos(math.radians(48))
        for part in feature["geometry"]["coordinates"]:
            assert away_m(np.array(part), HOME).min() > 400 + 3 * unit_m
    for feature in map(
        json.loads, start(WALKER, 11.575, 48.1408, (HOME,), extent=256).splitlines()
    ):
        for zoom in range(feature["tippecanoe"]["minzoom"], feature["tippecanoe"]["maxzoom"] + 1):
            snapped = on_grid(feature["geometry"]["coordinates"], 256 << zoom)
            assert away_m(snapped, HOME)[0] > 400


def on_grid(position: list[float], units: int) -> FloatArray:
    lng, lat = position
    y = 0.5 - math.asinh(math.tan(math.radians(lat))) / (2 * math.pi)
    return degrees(np.round(np.array([[lng / 360 + 0.5, y]]) * units) / units)


def test_a_track_away_from_zones_is_drawn_as_ever() -> None:
    """Zones that are far, and zones that are near but touch nothing, leave the bytes alone."""
    track = around(HOME, *((300.0 * k, 5000 + 200 * math.sin(k)) for k in range(60)))
    plain = lines(WALKER, [track])
    assert lines(WALKER, [track], (), (Zone(40.0, 2.0, 500.0),)) == plain
    assert lines(WALKER, [track], (), (HOME,)) == plain
    assert plain == (
        b'{"type":"Feature","tippecanoe":{"minzoom":7,"maxzoom":13},'
        b'"properties":{"id":5,"sport":"Run","day":3},"geometry":{"type":"MultiLineString",'
        b'"coordinates":' + written(track) + b"}}\n",
        0,
    )


def written(track: FloatArray) -> bytes:
    return json.dumps([np.round(track, 7).tolist()], separators=(",", ":")).encode()


def test_features_name_their_layer_when_asked() -> None:
    """The layer and the zooms that are meant stand in the feature; a start alone has neither."""
    assert start(WALKER, 11.5, 48.1) == (
        b'{"type":"Feature","tippecanoe":{},"properties":{"id":5,"sport":"Run","day":3},'
        b'"geometry":{"type":"Point","coordinates":[11.5,48.1]}}\n'
    )
    point = json.loads(start(WALKER, 11.5, 48.1, layer="starts"))
    assert point["tippecanoe"] == {"minzoom": 0, "maxzoom": 7, "layer": "starts"}
    text, _ = lines(WALKER, [around(HOME, (0, 0), (50, 0))], (9,), layer="tracks")
    told = [json.loads(line)["tippecanoe"] for line in text.splitlines()]
    assert {one["layer"] for one in told} == {"tracks"}


def test_zooms_that_draw_the_same_share_a_feature() -> None:
    """Through a zone there are five versions: one for each of z7 to z10 and one for z11 to z13."""
    parts = visible([around(HOME, (-40_000, 9), (0, 0), (40_000, 0))], Privacy((HOME,)))
    text, chords = lines(WALKER, parts, (), (HOME,))
    told = [json.loads(line)["tippecanoe"] for line in text.splitlines()]
    zooms = [(one["minzoom"], one["maxzoom"]) for one in told]
    assert zooms == [(7, 7), (8, 8), (9, 9), (10, 10), (11, 13)]
    assert chords == 0
    lng, lat = parts[0][-1].tolist()
    points = [json.loads(line)["tippecanoe"] for line in start(WALKER, lng, lat, (HOME,)).split()]
    covered = [zoom for one in points for zoom in range(one["minzoom"], one["maxzoom"] + 1)]
    assert covered == list(range(8))


def test_a_start_in_a_zone_is_moved_to_the_nearest_free_place() -> None:
    """At each zoom it is on the grid, outside, and at most two units and the radius away."""
    for feature in map(json.loads, start(WALKER, HOME.lng, HOME.lat, (HOME,)).splitlines()):
        told, at = feature["tippecanoe"], feature["geometry"]["coordinates"]
        for zoom in range(told["minzoom"], told["maxzoom"] + 1):
            unit_m = 40_075_017 / (2048 << zoom) * math.cos(math.radians(HOME.lat))
            away = away_m(np.array([at]), HOME)[0]
            assert HOME.radius_m < away < HOME.radius_m * 1.1 + 2 * unit_m
            assert on_grid(at, 2048 << zoom)[0] == pytest.approx(at, abs=2e-7)


def test_a_map_that_is_all_zones_is_an_error() -> None:
    """Where no place is left for an activity, it is said and not drawn in a zone."""
    everywhere = [
        Zone(float(lat), float(lng), 2_000_000.0)
        for lat in range(-90, 91, 15)
        for lng in range(-180, 180, 15)
    ]
    with pytest.raises(ValueError, match="no place"):
        start(WALKER, 0.0, 0.0, everywhere)
