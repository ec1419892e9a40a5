"""The page's arithmetic, in the browser, where it runs: filters, counts, addresses, colours."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.web.conftest import OpenMap


@pytest.fixture
def run(open_map: OpenMap) -> Any:
    """Return a way to run a module's functions in the page."""
    page: Page = open_map("#map=3.0/0/0&base=none").page

    def run_one(module: str, body: str, argument: object = None) -> Any:
        return page.evaluate(
            f"async (given) => {{ const m = await import('/map/{module}.mjs'); {body} }}", argument
        )

    return run_one


def test_addresses_and_states(run: Any) -> None:
    """What is written into the address is read back, all of it; the usual is left out."""
    state = {
        "at": {"zoom": 11.25, "lat": 41.38751, "lng": -2.16899},
        "sports": ["Ride", "Run"],
        "years": [2024, 2026],
        "from": "2024-02-29",
        "to": "2026-01-31",
        "color": "heat",
        "theme": "dark",
        "base": "none",
        "open": "9007199254740991",
        "by": "heartrate",
    }
    fragment = run("state", "return m.format(given)", state)
    assert run("state", "return m.parse(given)", fragment) == state
    assert run("state", "return m.format(m.defaults())") == "#"
    assert run("state", "return m.parse('')") == run("state", "return m.defaults()")


def test_counts_by_the_calendar(run: Any) -> None:
    """Counts by sport keep the days chosen, counts by year the sports chosen."""
    calendar = {
        "sports": ["Ride", "Run"],
        # the last days of 2023 and the first of 2024, and one in 2025
        "days": [[19722, 1, 2], [19723, 0, 3], [19723, 1, 1], [20200, 0, 4]],
    }
    body = """const c = m.counts(given.calendar, given.filter);
      return [c.shown, c.all, Object.fromEntries(c.bySport), Object.fromEntries(c.byYear)];"""

    def count(**chosen: object) -> Any:
        usual = {"sports": [], "years": [], "from": "", "to": ""}
        return run("state", body, {"calendar": calendar, "filter": usual | chosen})

    by_year = {"2023": 2, "2024": 4, "2025": 4}
    assert count() == [10, 10, {"Ride": 7, "Run": 3}, by_year]
    assert count(years=[2024]) == [4, 10, {"Ride": 3, "Run": 1}, by_year]
    assert count(sports=["Run"])[::3] == [3, {"2023": 2, "2024": 1, "2025": 0}]
    assert count(**{"from": "2023-12-31", "to": "2023-12-31"})[0] == 2
    assert count(years=[2024], to="2023-12-31")[0] == 0


def test_which_files_a_filter_leaves(run: Any) -> None:
    """A file is loaded only if its days and its sports have something of the filter."""
    entry = {"days": [19723, 20088], "sports": {"Run": 3}}  # 2024

    def leaves(**chosen: object) -> Any:
        usual = {"sports": [], "years": [], "from": "", "to": ""}
        given = {"entry": entry, "filter": usual | chosen}
        return run("state", "return m.leavesAny(given.entry, given.filter)", given)

    assert leaves()
    assert leaves(sports=["Run", "Swim"], years=[2024])
    assert not leaves(sports=["Swim"])
    assert not leaves(years=[2023, 2025])
    assert leaves(**{"from": "2024-12-31"})
    assert not leaves(**{"from": "2025-01-01"})


def test_home_is_where_most_is(run: Any) -> None:
    """The box is around the fullest place, not around all places ever seen."""
    tiles = [[2200, 1400, 900], [2201, 1400, 800], [2202, 1401, 300], [900, 1500, 1000]]
    west, south, east, north = run("tiles", "return m.busiest(given)", tiles)
    assert 13.3 < west < east < 13.8
    assert south < north
    assert run("tiles", "return m.busiest([])") is None
    boxes = [{"count": 9, "bounds": [0, 0, 9, 9]}, {"count": 5, "bounds": [4, 4, 20, 20]}]
    boxes.append({"count": 1, "bounds": [50, 50, 60, 60]})
    assert run("state", "return m.homeBox(given)", boxes) == [4, 4, 9, 9]


def test_colours_along_a_track(run: Any) -> None:
    """Stops go by length, not by number of points; unknown points are left out."""
    points = {
        "lng": [0, 0.001, None, 0.002, 0.01],
        "lat": [0, 0, None, 0, 0],
        "time_s": [0, 1, 2, 3, 4],
        "distance_m": [0, 111, 150, 222, 1112],
        "altitude_m": [None] * 5,
        "velocity_mps": [1, 2, 3, None, 5],
        "heartrate_bpm": [None] * 5,
        "grade_pct": [None] * 5,
    }
    body = """const t = m.readTrack(given); const s = m.gradient(t, "speed", "dark").slice(3);
      return {places: s.filter((_, i) => i % 2 === 0), altitude: t.altitude,
        heart: t.values.heartrate, grade: t.values.grade, n: t.coordinates.length};"""
    found = run("track", body, points)
    assert [round(place, 3) for place in found["places"]] == [0, 0.1, 1]
    assert (found["altitude"], found["heart"], found["grade"]) == (None, None, None)
    assert found["n"] == 4


def test_a_track_across_the_antimeridian(run: Any) -> None:
    """Longitudes run on beyond 180 degrees, so that no line crosses the whole map."""
    points = {"lng": [179.9, -179.9, 179.8], "lat": [0, 0, 0]}
    body = "return m.readTrack(given).coordinates.map(([lng]) => Math.round(lng * 10) / 10)"
    assert run("track", body, points) == [179.9, 180.1, 179.8]


def test_gradients_from_heights(run: Any) -> None:
    """Where the recording has no gradient, it comes from height and way: 5 m on 100 m are 5 %."""
    points = {
        "lng": [i * 0.0001 for i in range(40)],
        "lat": [0] * 40,
        "distance_m": [i * 10 for i in range(40)],
        "altitude_m": [i * 0.5 for i in range(40)],
    }
    values = run("track", "return m.readTrack(given).values.grade", points)
    assert values[20:] == pytest.approx([5.0] * 20)


def test_values_as_people_read_them(run: Any) -> None:
    """Paces on foot, speeds by bike, hours, metres and names."""
    body = """return [m.valueText("speed", 2.5, "Run"), m.valueText("speed", 10, "Ride"),
      m.valueText("grade", -3.25, "Run"), m.valueText("heartrate", 140.4, "Run"),
      m.valueText("speed", null, "Run")]"""
    assert run("track", body) == ["6:40 /km", "36.0 km/h", "-3.3 %", "140 bpm", "–"]
    body = "return [m.distanceText(999.6), m.distanceText(10543), m.durationText(3725.4)]"
    assert run("list", body) == ["1000 m", "10.5 km", "1:02:05"]
    names = ["TrailRun", "EBikeRide", "EMountainBikeRide", "StandUpPaddling", "Padel"]
    assert run("colors", "return given.map(m.sportName)", names) == [
        "Trail run",
        "E-bike ride",
        "E-mountain bike ride",
        "Stand up paddling",
        "Padel",
    ]
