"""Pointing, clicking, lists, and doing it all with the keyboard."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.web.conftest import HOSTILE_NAME, OpenMap
from tests.web.looking import AROUND_BARCELONA, activities_in_sight, gold, idle, whole_index
from tracklake.config import Folders

_BUSIEST = """() => {
  const { map } = tracklake, canvas = map.getCanvas();
  const layers = map.getStyle().layers.map((layer) => layer.id).filter((id) => /^mark:/.test(id));
  let best = null, most = 0;
  for (let x = 80; x < canvas.clientWidth - 80; x += 8) {
    for (let y = 80; y < canvas.clientHeight - 120; y += 8) {
      const ids = new Set(map.queryRenderedFeatures([[x - 2, y - 2], [x + 2, y + 2]], { layers })
        .map((feature) => feature.id));
      if (ids.size > most) [best, most] = [[x, y], ids.size];
    }
  }
  return best;
}"""
_UNDER = """([x, y, reach]) => {
  const { map } = tracklake;
  const layers = map.getStyle().layers.map((layer) => layer.id).filter((id) => /^mark:/.test(id));
  return [...new Set(map.queryRenderedFeatures([[x - reach, y - reach], [x + reach, y + reach]],
    { layers }).map((feature) => feature.id))];
}"""
_MARKED = """() => {
  const { map } = tracklake;
  return [...new Set(map.queryRenderedFeatures({ layers: map.getStyle().layers
    .map((layer) => layer.id).filter((id) => /^mark:/.test(id)) })
    .filter((feature) => feature.state.hover).map((feature) => feature.id))];
}"""


def busiest(page: Page) -> tuple[float, float, list[int]]:
    """Return where on the page most tracks meet, and which a click there takes."""
    idle(page)
    x, y = page.evaluate(_BUSIEST)
    ids: list[int] = page.evaluate(_UNDER, [x, y, 5])
    box = page.locator("#map").bounding_box()
    assert box is not None
    return box["x"] + x, box["y"] + y, ids


def listed(page: Page) -> list[int]:
    """Return the ids of the list, from the top."""
    ids = page.locator("#list li button").evaluate_all("(all) => all.map((one) => one.dataset.id)")
    return [int(one) for one in ids]


def test_a_click_lists_all_that_is_there(open_map: OpenMap, map_lake: Folders) -> None:
    """A click lists every activity under it, newest first, with date, distance and time."""
    visit = open_map(AROUND_BARCELONA)
    page = visit.page
    assert not [url for url in visit.asked if "/tiles/activities-" in url]
    x, y, ids = busiest(page)
    assert len(ids) > 2
    page.mouse.click(x, y)
    expect(page.locator("#list-title")).to_have_text(f"{len(ids)} activities here")
    index = whole_index(map_lake)
    newest_first = sorted(ids, key=lambda one: (index[one]["date"], one), reverse=True)
    assert listed(page) == newest_first
    facts = index[newest_first[0]]
    said = page.locator("#list li").first.inner_text()
    assert f"{facts['distance_m'] / 1000:.1f} km" in said
    assert facts["date"][:4] in said
    assert ":" in said.rsplit("·", 1)[1]
    assert len([url for url in visit.asked if "/tiles/activities-" in url]) == 1


def test_hovering_marks_one(open_map: OpenMap) -> None:
    """The track under the pointer is marked, by its feature's state; next to none, none is."""
    page = open_map(AROUND_BARCELONA).page
    x, y, ids = busiest(page)
    page.mouse.move(x, y)
    expect(page.locator("canvas.maplibregl-canvas")).to_have_css("cursor", "pointer")
    idle(page)
    (marked,) = page.evaluate(_MARKED)
    assert marked in ids
    page.mouse.move(x - 600, y - 200)
    page.mouse.move(345, 5)
    page.wait_for_function("() => tracklake.map.getCanvas().style.cursor === ''")
    idle(page)
    assert page.evaluate(_MARKED) == []


def test_a_hostile_name_is_text(open_map: OpenMap) -> None:
    """A name that looks like HTML is shown as it is and runs nothing."""
    visit = open_map("#map=13.00/41.39450/2.16540&sport=Hike,Walk")
    page = visit.page
    page.get_by_role("button", name="List activities in view").click()
    entry = page.locator("#list li button", has_text="<img")
    expect(entry).to_have_count(1)
    assert HOSTILE_NAME in entry.inner_text()
    entry.click()
    expect(page.locator("#activity-title")).to_have_text(HOSTILE_NAME)
    assert page.locator("#panel img").count() == 0
    assert page.title() == "Tracklake"


def test_everything_by_keyboard(open_map: OpenMap, map_lake: Folders) -> None:
    """Tab, arrows, Enter and Escape alone lead from the filters to an activity and back."""
    page = open_map(AROUND_BARCELONA).page
    in_sight = activities_in_sight(page)
    _tab_to(page, "#in-view")
    page.keyboard.press("Enter")
    expect(page.locator("#list li button").first).to_be_focused()
    assert set(listed(page)) == in_sight
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    third = page.locator("#list li button").nth(2)
    expect(third).to_be_focused()
    outline = third.evaluate("(one) => getComputedStyle(one).outlineStyle")
    assert outline == "solid", "the focus can be seen"
    idle(page)
    assert page.evaluate(_MARKED) == [listed(page)[2]]
    page.keyboard.press("Enter")
    expect(page.locator("#activity-title")).to_be_focused()
    expect(page.locator(".chart")).to_be_visible()
    _tab_to(page, ".chart")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".reading")).not_to_be_empty()
    page.keyboard.press("Escape")
    expect(third).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#in-view")).to_be_focused()
    assert page.locator("#list").is_hidden()
    assert gold(map_lake) >= in_sight


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(60):
        if page.locator(selector).evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def test_ways_of_colouring_by_arrow_keys(open_map: OpenMap) -> None:
    """The four ways are one stop of Tab; arrow keys choose among them."""
    page = open_map(AROUND_BARCELONA).page
    page.locator("#colors [aria-checked=true]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Year")).to_be_focused()
    assert "color=year" in page.evaluate("location.hash")


def test_a_phone(open_map: OpenMap) -> None:
    """The panel starts folded, unfolds under a thumb, lists after a tap; targets are 44 pixels."""
    visit = open_map(AROUND_BARCELONA, size=(390, 844), touch=True)
    page = visit.page
    assert page.locator("#views").is_hidden()
    x, y, ids = busiest(page)
    page.get_by_role("button", name="Show the panel").tap()
    expect(page.locator("#views")).to_be_visible()
    assert _small_targets(page) == []
    panel = page.locator("#panel").bounding_box()
    assert panel is not None
    assert panel["y"] > 844 * 0.3, "the map stays in sight"
    page.get_by_role("button", name="Hide the panel").tap()
    page.touchscreen.tap(x, y)
    expect(page.locator("#list li").first).to_be_visible()
    assert set(ids) <= set(listed(page))
    assert _small_targets(page) == []
    page.locator("#list li button").first.tap()
    expect(page.locator(".chart")).to_be_visible()
    assert _small_targets(page) == []
    visit.shot("test_a_phone-activity")


def _small_targets(page: Page) -> list[Any]:
    found: list[Any] = page.evaluate(
        """() => [...document.querySelectorAll("button, input")]
          .filter((one) => one.checkVisibility())
          .map((one) => [one.textContent || one.id, one.getBoundingClientRect()])
          .filter(([, box]) => box.width < 44 || box.height < 44)
          .map(([name, box]) => [name, box.width, box.height])"""
    )
    return found


def test_said_to_those_who_do_not_see(open_map: OpenMap) -> None:
    """Every control has a name, pressed and chosen ones say so, and the count is announced."""
    page = open_map(AROUND_BARCELONA).page
    nameless = """() => [...document.querySelectorAll("button, input, [role=slider]")]
      .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim()
        || one.labels?.[0]?.textContent.trim())).map((one) => one.outerHTML)"""
    assert page.evaluate(nameless) == []
    assert page.locator("#count").get_attribute("aria-live") == "polite"
    chip = page.locator("#years .chip").first
    assert chip.get_attribute("aria-pressed") == "false"
    chip.click()
    assert chip.get_attribute("aria-pressed") == "true"
