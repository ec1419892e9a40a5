"""One activity opened: its colours, its chart, what is shown where its track is not."""

from pathlib import Path

import orjson
import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import OpenMap, Serve
from tests.web.looking import AROUND_BARCELONA, colored_pixels, idle, palette, png_size, whole_index
from tracklake.config import Folders


@pytest.fixture(scope="session")
def a_run(map_lake: Folders) -> int:
    """Return a run of some length near Barcelona."""
    runs = {
        key: facts
        for key, facts in whole_index(map_lake).items()
        if facts["sport_type"] == "Run" and 4_000 < (facts["distance_m"] or 0) < 30_000
    }
    return max(runs, key=lambda key: (runs[key]["date"], key))


def _gradient(page: Page) -> list[object]:
    found: list[object] = page.evaluate(
        "() => tracklake.map.getPaintProperty('opened-line', 'line-gradient')"
    )
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_colours_along_the_track(open_map: OpenMap, a_run: int, dark: bool) -> None:
    """Speed, gradient and heart rate colour the line differently, in step with its length."""
    visit = open_map(f"{AROUND_BARCELONA}&open={a_run}", dark=dark)
    page = visit.page
    seen = []
    for measure in ("speed", "grade", "heartrate"):
        button = page.locator(f"[data-by={measure}]")
        expect(button).to_be_enabled()
        button.click()
        expect(page.locator(f"[data-by={measure}]")).to_have_attribute("aria-checked", "true")
        idle(page)
        stops = _gradient(page)
        assert stops[:3] == ["interpolate", ["linear"], ["line-progress"]]
        places = stops[3::2]
        assert places == sorted(places), "the places rise"  # type: ignore[type-var]
        assert len(set(map(str, stops[4::2]))) > 5, "many colours"
        seen.append(palette(page))
        visit.shot(f"test_colours-{measure}-{'dark' if dark else 'light'}")
    assert len({frozenset(colors) for colors in seen}) == 3


def test_the_chart_and_the_map_share_a_cursor(open_map: OpenMap, a_run: int) -> None:
    """The pointer on the chart shows the place on the map, and on the line that in the chart."""
    page = open_map(f"{AROUND_BARCELONA}&open={a_run}").page
    chart = page.locator(".chart")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".spot")).to_be_visible()
    middle = page.inner_text(".reading")
    assert " km" in middle
    assert " m high" in middle
    spot = page.evaluate(
        """() => { const box = document.querySelector(".spot").getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 2]; }"""
    )
    page.mouse.move(*(at + 300 for at in spot))
    expect(page.locator(".spot")).to_have_count(0)
    page.mouse.move(*spot)
    expect(page.locator(".reading")).not_to_be_empty()
    expect(page.locator(".chart .cursor")).to_have_attribute("visibility", "visible")


def test_an_opened_activity_is_in_the_address(open_map: OpenMap, a_run: int) -> None:
    """The address opens it; closing it takes it out; Back opens it again."""
    page = open_map(f"{AROUND_BARCELONA}&open={a_run}&by=grade").page
    expect(page.locator(".chart")).to_be_visible()
    expect(page.locator("[data-by=grade]")).to_have_attribute("aria-checked", "true")
    page.get_by_role("button", name="Close the activity").click()
    expect(page.locator("#filters")).to_be_visible()
    assert "open=" not in page.evaluate("location.hash")
    page.go_back()
    expect(page.locator(".chart")).to_be_visible()


def test_the_public_map_has_the_simplified_line(
    open_map: OpenMap, serve: Serve, map_copy: Path
) -> None:
    """In public mode no track is asked for: the page marks the tiles' line and says so."""
    tiles = map_copy / "data" / "tiles"
    if not (tiles / "public" / "manifest.json").exists():
        (tiles / "public").mkdir()
        for path in [path for path in tiles.iterdir() if path.is_file()]:
            (tiles / "public" / path.name).write_bytes(path.read_bytes())
    manifest = orjson.loads((tiles / "public" / "manifest.json").read_bytes())
    index = orjson.loads((tiles / "public" / manifest["index"]["file"]).read_bytes())
    some = next(key for key, values in index["activities"].items() if "Run" in values)
    visit = open_map(f"{AROUND_BARCELONA}&open={some}", server=serve("--public", place=map_copy))
    expect(visit.page.locator("#activity .note")).to_contain_text("simplified line")
    assert not [url for url in visit.asked if "/track" in url.rsplit("/", 1)[1]]
    assert visit.page.locator(".chart").count() == 0


def test_an_activity_that_is_gone(open_map: OpenMap) -> None:
    """An address with an activity that is no longer there opens the page and says so."""
    visit = open_map(f"{AROUND_BARCELONA}&open=123")
    expect(visit.page.locator("#activity .note")).to_contain_text("simplified line")
    visit.problems.clear()  # the 404


def test_a_picture_is_saved(open_map: OpenMap, tmp_path: Path) -> None:
    """The button saves a PNG of the map's size that shows the tracks."""
    page = open_map(AROUND_BARCELONA).page
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the map").click()
    target = tmp_path / "map.png"
    download.value.save_as(target)
    assert download.value.suggested_filename.endswith(".png")
    box = page.locator("#map").bounding_box()
    assert box is not None
    assert png_size(target.read_bytes()) == (box["width"], box["height"])
    assert colored_pixels(page) > 200  # of the same picture


def test_a_new_manifest_while_open(open_map: OpenMap, serve: Serve, map_copy: Path) -> None:
    """Files that a flow replaced meanwhile are found through the new manifest, without a reload."""
    tiles = map_copy / "data" / "tiles"
    visit = open_map("#map=9.00/10.00000/10.00000", server=serve(place=map_copy))
    content = orjson.loads((tiles / "manifest.json").read_bytes())
    for entry in content["tracks"]:
        renamed = entry["file"].replace(".pmtiles", "")[:-12] + "0123456789ab.pmtiles"
        (tiles / entry["file"]).rename(tiles / renamed)
        entry["file"] = renamed
    content["generated_at"] = "2030-01-01T00:00:00+00:00"
    (tiles / "manifest.json").write_bytes(orjson.dumps(content))
    visit.page.evaluate("tracklake.map.jumpTo({center: [2.16, 41.4], zoom: 11})")
    visit.page.wait_for_function("() => tracklake.manifest.generated_at.startsWith('2030')")
    assert colored_pixels(visit.page) > 200
    assert visit.page.locator("#message").is_hidden()
    visit.problems.clear()  # the 404 of the old files


def test_a_file_that_is_missing(open_map: OpenMap, serve: Serve, map_copy: Path) -> None:
    """A tile file that is gone for good: the page says which and what to run."""
    tiles = map_copy / "data" / "tiles"
    for path in tiles.glob("*.pmtiles"):
        path.unlink()
    visit = open_map(AROUND_BARCELONA, server=serve(place=map_copy))
    expect(visit.page.locator("#message")).to_contain_text("tracklake tiles --rebuild")
    assert visit.page.evaluate("document.documentElement.dataset.state") == "error"
    visit.problems.clear()
