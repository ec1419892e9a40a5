"""Weather as a step of flows and of `enrich`: after all else, and never fatal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.strava_place import Place, opened
from tests.upstream.open_meteo import OpenMeteoUpstream
from tests.upstream.status_faults import Status
from tests.weather import weather_place
from tracklake import flow, status
from tracklake.errors import ConfigError
from tracklake.stages import EnrichOptions

Both = tuple[Place, OpenMeteoUpstream]


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    """Return an account of six outings in four days, one by hand, and Open-Meteo."""
    with opened(tmp_path, points=40) as place:
        place.upstream.account.fill(5, manual=False, gps=True)
        place.upstream.account.fill(1, manual=True, gps=False)
        with OpenMeteoUpstream(clock=place.clock) as weather:
            place.settings_given |= weather.settings()
            yield place, weather


def counted(place: Place, column: str) -> dict[str, int]:
    """Count activities by a status."""
    rows = place.query(f"select {column} as s, count(*) as n from enrichment_status group by 1")  # noqa: S608
    return {str(row["s"]): int(row["n"]) for row in rows}


def test_one_flow_has_all_weather_in_gold_and_the_next_asks_nothing(both: Both) -> None:
    """Strava's facts first, then the weather of all that can have some, then one compaction."""
    place, weather = both
    report = place.flow()
    assert report.weather is not None
    assert (report.weather.left, report.weather.failed) == (0, "")
    there = place.query("select count(*) as n from activity_weather")[0]["n"]
    hidden = place.query("select count(*) as n from activity_cells where obstacle is not null")[0][
        "n"
    ]
    assert there + hidden == 6
    assert there >= 4
    phases = [str(name) for (name,) in place.state("select phase from phases order by started_at")]
    assert phases.index("weather") > phases.index("enrich")
    before = len(weather.calls)
    place.advance(seconds=60)
    again = place.flow()
    assert again.weather is not None
    assert (again.weather.calls, len(weather.calls)) == (0, before)
    place.compact(rebuild=True, verify=True)


def test_a_flow_without_open_meteo_does_all_else_and_says_so(both: Both) -> None:
    """The session is completed, gold is published, the weather is pending."""
    place, weather = both
    weather.script.add(Status(503))
    report = place.flow()
    assert report.failed_sources == {}
    assert report.weather is not None
    assert "Open-Meteo fails" in report.weather.failed
    assert place.state("select state from sessions") == [("completed",)]
    assert counted(place, "weather").keys() <= {"pending", "impossible"}
    assert counted(place, "details") == {"done": 6}
    assert counted(place, "streams") == {"done": 5, "impossible": 1}


def test_after_a_failure_the_next_flow_asks_again(both: Both) -> None:
    """One call that failed opens no breaker: ten minutes later all of it comes."""
    place, weather = both
    weather.script.add(Status(503))
    place.flow()
    assert 0 < len(weather.calls) <= 6  # two calls of three tries
    weather.script.clear()
    place.advance(seconds=600)
    after = place.flow().weather
    assert after is not None
    assert (after.left, after.failed) == (0, "")


def test_switched_off_nothing_is_asked(both: Both) -> None:
    """TRACKLAKE_WEATHER=off: a flow makes no call; asked for by name, it is fetched."""
    place, weather = both
    place.settings_given["weather"] = False
    assert place.flow().weather is None
    assert weather.calls == []
    report = flow.FlowReport()
    with place.session() as session:
        flow.enrich(session, report, EnrichOptions(only=("weather",)))
    assert weather.calls != []
    assert report.enrich is None


def test_before_strava_said_more_all_is_pending_and_files_have_what_they_have(
    both: Both,
) -> None:
    """After a pull alone: details and points to come, by hand none, weather not fetched."""
    place, _ = both
    place.pull()
    place.compact()
    assert counted(place, "details") == {"pending": 6}
    assert counted(place, "streams") == {"pending": 5, "impossible": 1}
    reasons = {
        (row["streams"], row["streams_reason"]) for row in place.query("from enrichment_status")
    }
    assert reasons == {("pending", "not_fetched"), ("impossible", "manual")}
    assert set(counted(place, "places")) <= {"pending", "impossible"}


def test_files_alone_are_enriched_with_weather_and_need_no_login(tmp_path: Path) -> None:
    """`enrich` without Strava fetches weather; without either there is nothing to enrich from."""
    with weather_place.opened(tmp_path) as place:
        place.went_out(30)
        report = flow.FlowReport()
        flow.enrich_and_compact(place.session, report, EnrichOptions(only=("weather",)))
        assert place.statuses() == [("done", None)]
        assert place.query("select details_reason from enrichment_status") == [("no_service",)]
        found = status.status(place.session.folders, "me", place.clock)
        assert found["weather"]["done"] == 1
        assert [window["used"] for window in found["weather"]["quota"]] == [3, 3, 3]
        with pytest.raises(ConfigError, match="nothing to enrich from"):
            flow.enrich_and_compact(place.session, report, EnrichOptions(only=("details",)))


def test_the_query_of_the_page_about_weather_answers(tmp_path: Path) -> None:
    """docs/weather.md shows what an athlete with weather can ask."""
    page = (Path(__file__).parents[2] / "docs" / "weather.md").read_text(encoding="utf-8")
    query = page.split("```sql of an athlete with weather\n")[1].split("```")[0]
    with weather_place.opened(tmp_path) as place:
        place.went_out(30)
        place.enrich()
        [row] = place.query(query)
        assert None not in row[2:]
