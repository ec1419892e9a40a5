"""Filters, the count, and the view in the address."""

from collections import Counter

from playwright.sync_api import expect

from tests.web.conftest import OpenMap
from tests.web.looking import AROUND_BARCELONA, activities_in_sight, gold, idle, whole_index
from tracklake.config import Folders

FAR = "#map=1.50/30.00000/0.00000&base=none"


def test_a_sport_is_chosen(open_map: OpenMap, map_lake: Folders) -> None:
    """A click on a sport leaves its activities alone on the map, and the count says how many."""
    visit = open_map(FAR)
    visit.page.locator("#sports .chip", has_text="Run").first.click()
    runs = gold(map_lake, "sport_type = 'Run'")
    expect(visit.page.locator("#count")).to_have_text(
        f"{len(runs)} of {len(gold(map_lake))} activities"
    )
    assert activities_in_sight(visit.page) == runs
    assert "sport=Run" in visit.page.evaluate("location.hash")


def test_a_family_is_chosen_and_all_comes_back(open_map: OpenMap, map_lake: Folders) -> None:
    """A family's name chooses all its sports; 'Show all' takes every filter away."""
    visit = open_map(FAR)
    visit.page.get_by_role("button", name="By bike").click()
    rides = gold(map_lake, "sport_type like '%Ride'")
    assert activities_in_sight(visit.page) == rides
    visit.page.get_by_role("button", name="Show all").click()
    assert activities_in_sight(visit.page) == gold(map_lake)


def test_years_and_days(open_map: OpenMap, map_lake: Folders) -> None:
    """Years add up; a date range narrows them; the count follows without the index."""
    index = whole_index(map_lake)
    by_year = Counter(facts["date"][:4] for facts in index.values())
    (first, _), (second, _) = by_year.most_common(2)
    visit = open_map(FAR)
    total = len(index)
    for year in (first, second):
        visit.page.locator("#years .chip", has_text=year).click()
    both = by_year[first] + by_year[second]
    expect(visit.page.locator("#count")).to_have_text(f"{both} of {total} activities")
    visit.page.locator("#from").fill(f"{first}-06-01")
    visit.page.locator("#to").fill(f"{first}-12-31")
    half = {key for key, facts in index.items() if f"{first}-06" <= facts["date"] < f"{first}-13"}
    expect(visit.page.locator("#count")).to_have_text(f"{len(half)} of {total} activities")
    assert activities_in_sight(visit.page) == half
    assert not [url for url in visit.asked if "/tiles/activities-" in url]


def test_hidden_years_are_not_loaded(open_map: OpenMap) -> None:
    """A file of which the filter leaves nothing is not asked for, and its source is gone."""
    visit = open_map(f"{AROUND_BARCELONA}&year=2025")
    assert not [url for url in visit.asked if "/tracks-2024-" in url or "/tracks-2022-" in url]
    assert [url for url in visit.asked if "/tracks-2025-" in url]
    sources = "Object.keys(tracklake.map.getStyle().sources)"
    assert not [name for name in visit.page.evaluate(sources) if "tracks-2024" in name]
    visit.page.locator("#years .chip", has_text="2024").click()
    idle(visit.page)
    assert [name for name in visit.page.evaluate(sources) if "tracks-2024" in name]
    visit.page.locator("#years .chip", has_text="2024").click()
    idle(visit.page)
    assert not [name for name in visit.page.evaluate(sources) if "tracks-2024" in name]


def test_the_address_brings_the_view_back(open_map: OpenMap) -> None:
    """What a person set up is in the address; another browser shows the same."""
    visit = open_map(AROUND_BARCELONA)
    page = visit.page
    page.locator("#sports .chip", has_text="Ride").first.click()
    page.locator("#years .chip", has_text="2025").click()
    page.locator("#to").fill("2025-11-30")
    page.get_by_role("radio", name="Recency").click()
    page.locator("#theme").click()
    page.locator("#base").click()
    page.evaluate("tracklake.map.jumpTo({center: [2.1, 41.5], zoom: 9.25})")
    idle(page)
    fragment = page.evaluate("location.hash")
    count = page.inner_text("#count")
    again = open_map(fragment).page
    assert again.evaluate("location.hash") == fragment
    assert again.inner_text("#count") == count
    assert again.get_by_role("radio", name="Recency").get_attribute("aria-checked") == "true"
    assert again.locator("#to").input_value() == "2025-11-30"
    view = "[tracklake.map.getZoom(), tracklake.map.getCenter().lng, tracklake.theme]"
    zoom, lng, theme = again.evaluate(view)
    assert (round(zoom, 2), round(lng, 3), theme) == (9.25, 2.1, "light")
    assert "theme=light" in fragment
    assert "base=none" in fragment


def test_back_and_forward(open_map: OpenMap) -> None:
    """The browser's Back undoes a choice, Forward does it again; moving the map is no step."""
    page = open_map(AROUND_BARCELONA).page
    all_of_them = page.inner_text("#count")
    page.locator("#sports .chip", has_text="Ride").first.click()
    rides = page.inner_text("#count")
    assert rides != all_of_them
    page.evaluate("tracklake.map.jumpTo({zoom: 10})")
    idle(page)
    page.go_back()
    expect(page.locator("#count")).to_have_text(all_of_them)
    page.go_forward()
    expect(page.locator("#count")).to_have_text(rides)


def test_nonsense_in_the_address_is_ignored(open_map: OpenMap, map_lake: Folders) -> None:
    """An address that somebody mangled opens the usual page."""
    visit = open_map(
        "#map=x/91/&sport=<b>&year=20,abcd&from=2024-99-99&color=pink&open=1e9&by=luck"
    )
    assert visit.page.inner_text("#count") == f"{len(gold(map_lake))} activities"
    assert visit.page.locator("#activity").is_hidden()
