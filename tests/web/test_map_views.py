"""What the map draws, in each way of colouring, at each size, in light and dark."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.web.conftest import OpenMap, Serve
from tests.web.harness import Visit
from tests.web.looking import (
    AROUND_BARCELONA,
    WEB,
    activities_in_sight,
    colored_pixels,
    gold,
    idle,
    palette,
)
from tracklake.config import Folders
from tracklake.tiles.drawing import tippecanoe

SIZES = {"wide": (1440, 900), "small": (1024, 768), "phone": (390, 844)}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_the_first_view_shows_tracks(open_map: OpenMap, size: str, dark: bool) -> None:
    """At each size, in light and dark, the page opens where the tracks are and draws them."""
    visit = open_map(size=SIZES[size], dark=dark, touch=size == "phone")
    assert visit.page.evaluate("document.documentElement.dataset.theme") == (
        "dark" if dark else "light"
    )
    assert colored_pixels(visit.page) > 200
    assert len(activities_in_sight(visit.page)) > 10
    zoom = visit.page.evaluate("tracklake.map.getZoom()")
    assert zoom >= 7, "lines are drawn from zoom 7 on"
    overflow = "document.documentElement.scrollWidth - innerWidth"
    assert visit.page.evaluate(overflow) <= 0, "nothing sticks out sideways"


@pytest.mark.parametrize("mode", ["sport", "year", "recency", "heat"])
@pytest.mark.parametrize("zoom", ["5.0", "11.0"])
def test_each_way_of_colouring_draws(open_map: OpenMap, mode: str, zoom: str) -> None:
    """Starts far out and lines near by are drawn in every way of colouring."""
    visit = open_map(f"#map={zoom}/41.40/2.16&color={mode}")
    assert visit.page.locator("#colors [aria-checked=true]").inner_text().lower() == mode
    assert colored_pixels(visit.page) > 30


def test_ways_of_colouring_differ(open_map: OpenMap) -> None:
    """Sport, year, recency and heat give four different pictures."""
    seen = {
        mode: frozenset(palette(open_map(f"{AROUND_BARCELONA}&color={mode}").page))
        for mode in ("sport", "year", "recency", "heat")
    }
    assert len(set(seen.values())) == len(seen)


def test_all_of_them_are_on_the_map(open_map: OpenMap, map_lake: Folders) -> None:
    """From far away every activity with a place is drawn: the same as the warehouse has."""
    visit = open_map("#map=1.5/30/0&base=none")
    assert activities_in_sight(visit.page) == gold(map_lake)
    said = visit.page.inner_text("#count")
    assert said == f"{len(gold(map_lake))} activities"


def test_lines_are_those_of_the_place(open_map: OpenMap, map_lake: Folders) -> None:
    """At zoom 7 the lines in view are those that the warehouse has there, by sport."""
    visit = open_map("#map=7.0/41.4/2.16&sport=Run")
    near = gold(map_lake, "sport_type = 'Run' and abs(start_lng - 2.16) < 1.5")
    assert near
    assert near <= activities_in_sight(visit.page) <= gold(map_lake, "sport_type = 'Run'")


def test_the_first_view_is_cheap(open_map: OpenMap) -> None:
    """At most 30 requests and a megabyte; the index of names is not among them."""
    visit = open_map()
    assert len(visit.asked) <= 30
    worker = 150_000  # what the browser does not tell of the worker's script
    assert visit.transferred_bytes + worker < 1_000_000
    assert not [url for url in visit.asked if "/tiles/activities-" in url]


def test_many_years_start_with_the_newest(open_map: OpenMap, serve: Serve, map_copy: Path) -> None:
    """With more years than the first view can afford, older ones are dots until one acts."""
    manifest = map_copy / "data" / "tiles" / "manifest.json"
    content = json.loads(manifest.read_bytes())
    years = [entry for entry in content["tracks"] if entry["kind"] == "year"]
    for shift in range(1, 4):  # the same files as if they were of earlier years, too
        for entry in years:
            older = dict(entry, year=entry["year"] - 10 * shift)
            older["days"] = [day - 3653 * shift for day in entry["days"]]
            older["bytes"] = 1_000_000  # as large as years are
            older["file"] = f"tracks-{older['year']}-{'abc'[shift - 1] * 12}.pmtiles"
            source = manifest.parent / entry["file"]
            (manifest.parent / older["file"]).write_bytes(source.read_bytes())
            content["tracks"].append(older)
    manifest.write_text(json.dumps(content))
    visit = open_map(server=serve(place=map_copy))
    loaded = {url for url in visit.asked if "/tracks-" in url}
    assert 1 <= len(loaded) <= 8 < len(content["tracks"])
    assert len(visit.asked) <= 30
    assert visit.page.locator("#late").is_visible()
    visit.page.mouse.move(900, 500)
    visit.page.mouse.wheel(0, 10)
    visit.page.wait_for_timeout(100)
    idle(visit.page)
    assert len({url for url in visit.asked if "/tracks-" in url}) > len(loaded)
    assert visit.page.locator("#late").is_hidden()


def test_the_theme_can_be_chosen(open_map: OpenMap) -> None:
    """The button goes from the system's theme to light and dark, map and panel alike."""
    visit = open_map(AROUND_BARCELONA)
    button = visit.page.locator("#theme")
    button.click()
    button.click()
    idle(visit.page)
    assert "theme=dark" in visit.page.evaluate("location.hash")
    assert _paper(visit) == "#0a0f16"
    assert visit.page.evaluate("getComputedStyle(document.body).color") == "rgb(232, 237, 244)"


def _paper(visit: Visit) -> str:
    color: str = visit.page.evaluate(
        "tracklake.map.getPaintProperty('background', 'background-color')"
    )
    return color


def test_basemaps(open_map: OpenMap) -> None:
    """The bundled basemap names its sources, as licences ask; without one none is read."""
    visit = open_map(AROUND_BARCELONA)
    said = visit.page.inner_text("#attribution")
    assert all(name in said for name in ("Natural Earth", "GeoNames", "CC BY 4.0", "MapLibre"))
    names = (
        "tracklake.map.queryRenderedFeatures({layers: ['places']}).map((f) => f.properties.name)"
    )
    assert "Barcelona" in visit.page.evaluate(names)
    bare = open_map(f"{AROUND_BARCELONA}&base=none")
    assert "GeoNames" not in bare.page.inner_text("#attribution")
    assert not [url for url in bare.asked if "basemap" in url]
    assert colored_pixels(bare.page) > 200


def test_a_basemap_of_ones_own(open_map: OpenMap, serve: Serve) -> None:
    """A PMTiles file of the user's is shown instead, and the bundled one can be chosen."""
    server = serve("--basemap", str(WEB / "basemap.pmtiles"))
    visit = open_map(AROUND_BARCELONA, server=server)
    assert any("/basemap/basemap.pmtiles" in url for url in visit.asked)
    assert not any("/map/basemap.pmtiles" in url for url in visit.asked)
    assert "Natural Earth; GeoNames (CC BY 4.0)" in visit.page.inner_text("#attribution")
    assert visit.page.evaluate("tracklake.map.queryRenderedFeatures({layers: ['land']}).length") > 0


def test_a_vector_basemap_in_another_schema(
    open_map: OpenMap, serve: Serve, tmp_path: Path
) -> None:
    """Of a basemap in Protomaps' schema, land, water, roads and places are drawn."""
    city = [[2.0, 41.2], [2.4, 41.2], [2.4, 41.6], [2.0, 41.6], [2.0, 41.2]]
    lake = [[2.05, 41.45], [2.15, 41.45], [2.15, 41.55], [2.05, 41.55], [2.05, 41.45]]
    shapes: dict[str, dict[str, object]] = {
        "earth": {"type": "Polygon", "coordinates": [city]},
        "water": {"type": "Polygon", "coordinates": [lake]},
        "roads": {"type": "LineString", "coordinates": [[2.0, 41.3], [2.4, 41.5]]},
        "places": {"type": "Point", "coordinates": [2.3, 41.5]},
    }
    source, basemap = tmp_path / "own.geojsonl", tmp_path / "own.pmtiles"
    source.write_text(
        "\n".join(
            json.dumps(
                {
                    "type": "Feature",
                    "tippecanoe": {"layer": layer},
                    "properties": {"name": "Somewhere"},
                    "geometry": geometry,
                }
            )
            for layer, geometry in shapes.items()
        )
    )
    command = [str(tippecanoe()), "-q", "-z10", "-A", "<b onclick=x()>Mine</b>", "-o", str(basemap)]
    subprocess.run([*command, str(source)], check=True)
    server = serve("--basemap", str(basemap))
    visit = open_map(AROUND_BARCELONA, server=server)
    idle(visit.page)
    drawn = visit.page.evaluate(
        "[...new Set(tracklake.map.queryRenderedFeatures().map((f) => f.layer.id))]"
    )
    assert {"earth", "water", "roads-lines", "places-names"} <= set(drawn)
    assert "Mine" in visit.page.inner_text("#attribution")
    assert visit.page.locator("#attribution b").count() == 0
    visit.page.locator("#base").click()
    idle(visit.page)
    assert "base=bundled" in visit.page.evaluate("location.hash")
    assert "GeoNames" in visit.page.inner_text("#attribution")


def test_a_basemap_that_cannot_be_read(open_map: OpenMap, serve: Serve, tmp_path: Path) -> None:
    """A basemap that is damaged is told of, and the bundled one is shown."""
    basemap = tmp_path / "own.pmtiles"
    basemap.write_bytes(b"PMTiles\x03" + bytes(200))
    visit = open_map(AROUND_BARCELONA, server=serve("--basemap", str(basemap)))
    assert "basemap" in visit.page.inner_text("#message")
    assert "GeoNames" in visit.page.inner_text("#attribution")
    visit.problems.clear()
