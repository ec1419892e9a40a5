"""What the documents say of Strava holds against the simulated one: queries, pages, arithmetic."""

import datetime as dt
import math
import re
from collections.abc import Iterator

import duckdb
import pytest

from tests.rows import StandingClock
from tests.sources import strava_place
from tests.sources.strava_place import Place
from tests.test_docs import PAGES, README
from tracklake import reading
from tracklake.budget import STRAVA, Budget, Cushion, forecast
from tracklake.stages import PER_PAGE, RESERVE
from tracklake.state import State

ACCOUNT = "sql of a Strava account"
OVER_PAGES = "sql over Strava's pages"


def _queries(marker: str) -> list[tuple[str, str]]:
    """Return the page and the text of each block that starts with the marker."""
    pattern = re.compile(rf"^```{marker}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [
        (page.name, query)
        for page in PAGES
        for query in pattern.findall(page.read_text(encoding="utf-8"))
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return an account after two flows, a week apart, between which an activity was deleted."""
    folder = tmp_path_factory.mktemp("account")
    with strava_place.opened(folder, activities=40, points=60) as place:
        place.flow()
        place.upstream.account.delete(min(place.upstream.visible_set()))
        place.advance(days=8)
        place.flow()
        yield place


def test_there_are_queries_to_run() -> None:
    """The blocks are found: without this the next tests could pass by finding none."""
    assert len(_queries(ACCOUNT)) >= 4
    assert len(_queries(OVER_PAGES)) >= 2


def test_queries_about_an_account_answer(place: Place) -> None:
    """Each query that a page shows for Strava runs in `tracklake sql`, and finds something."""
    for page, query in _queries(ACCOUNT):
        with reading.snapshot(place.folders) as connection:
            answer = reading.ask(connection, query, limit_s=60, most_rows=100)
        assert answer.rows, f"{page}: {query}"
        assert None not in answer.rows[0], f"{page}: {query}"


def test_queries_over_pages_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB alone, with no extension to fetch, reads the pages from where the person stands."""
    monkeypatch.chdir(place.folder)
    for page, query in _queries(OVER_PAGES):
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            rows = connection.execute(query).fetchall()
        assert rows, f"{page}: {query}"
        assert None not in rows[0][:3], f"{page}: {query}"


def test_a_day_without_news_costs_two_calls(place: Place) -> None:
    """The README's "two calls for the list if there is nothing" is what the service counts."""
    before = len(place.upstream.calls_to("/api/"))
    place.advance(days=1)
    place.flow()
    assert len(place.upstream.calls_to("/api/")) - before == 2


def test_the_days_of_a_backfill_are_the_forecast(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The README's table says what the forecast says of an account of that size."""
    rows = re.findall(
        r"^\| ([\d,]+) activities \| about ([\d,]+) \| on day (\d+) \|$",
        README.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert len(rows) == 3
    clock = StandingClock(dt.datetime(2026, 5, 1, tzinfo=dt.UTC))
    state = State(tmp_path_factory.mktemp("state"))
    windows = Budget(state, "strava", STRAVA, clock).windows()
    state.close()
    for activities, calls, day in ([int(one.replace(",", "")) for one in row] for row in rows):
        exact = math.ceil(activities / PER_PAGE) + 2 * activities
        assert calls == pytest.approx(exact, rel=0.01)
        begun = clock.now()
        done = forecast(exact, windows, begun, cushion=Cushion(share=RESERVE))
        assert math.floor((done - begun) / dt.timedelta(days=1)) + 1 == day
