"""Whole flows with Strava: together with files, with nothing new, without a login."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.enrichments import truth
from tests.sources.inbox import fit_bytes
from tests.sources.strava_place import Place, opened
from tests.upstream.quota import Limits
from tests.upstream.status_faults import Observed, Status
from tracklake import flow, reading, warehouse
from tracklake.errors import AuthError, SourceError


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return an account of eight activities and an inbox of two files of other days."""
    with opened(tmp_path, activities=8, points=40) as found:
        inbox = found.folders.inbox
        inbox.mkdir(parents=True)
        for day in (1, 2):
            (inbox / f"{day}.fit").write_bytes(fit_bytes(day))
        yield found


def sessions(place: Place) -> list[str]:
    """Return the states of all sessions, the newest first."""
    rows = place.state("select state from sessions order by started_at desc")
    return [str(state) for (state,) in rows]


def snapshot(place: Place) -> tuple[int, int]:
    """Return what changes when another warehouse is published."""
    found = place.folders.warehouse.stat()
    return found.st_ino, found.st_mtime_ns


def drawn(place: Place) -> dict[str, int]:
    """Return when each file of the map was written."""
    return {
        path.name: path.stat().st_mtime_ns
        for path in sorted(place.folders.tiles.rglob("*"))
        if path.is_file()
    }


def shards(place: Place) -> int:
    """Count what gold was made of."""
    [row] = place.query("select count(*) as n from shards")
    return int(row["n"])


def test_files_and_strava_are_in_gold_and_on_the_map_after_one_flow(place: Place) -> None:
    """Pull, compact, enrich, compact, tiles in one session; both sources, all facts, all drawn."""
    report = place.flow()
    assert set(report.pulls or {}) == {"files", "strava"}
    assert report.failed_sources == {}
    assert report.enrich is not None
    assert (report.enrich.left, report.enrich.quarantined) == (0, 0)
    assert report.compact is not None
    assert report.compact.published
    ids = place.upstream.visible_set()
    assert place.differences()[2:] == []  # but for the two that no service knows
    assert len(place.gold_ids()) == len(ids) + 2
    assert truth.of_details(place, ids) == []
    assert truth.of_streams(place, ids) == []
    assert report.tiles is not None
    assert report.tiles.drawn
    assert sessions(place) == ["completed"]
    phases = [str(name) for (name,) in place.state("select phase from phases order by started_at")]
    assert [name for name in phases if name.split()[0] in ("compact", "enrich", "tiles")] == [
        *("compact", "enrich", "compact 2", "tiles"),
    ]


def test_a_flow_with_nothing_new_costs_two_calls_and_changes_nothing(place: Place) -> None:
    """No detail is asked for, no row is written, nothing is published, nothing is drawn."""
    place.flow()
    before = len(place.upstream.calls), snapshot(place), drawn(place), shards(place)
    bronze = place.bronze_files()
    for _ in range(2):
        place.advance(hours=24)
        report = place.flow()
        assert report.compact is not None
        assert (report.compact.rows, report.compact.published) == (0, False)
        assert report.tiles is not None
        assert not report.tiles.drawn
    calls = place.upstream.calls[before[0] :]
    assert len(calls) <= 4
    assert {call.path for call in calls} == {"/api/v3/athlete/activities"}
    assert (snapshot(place), drawn(place), shards(place)) == before[1:]
    assert place.bronze_files() == bronze


def test_without_a_login_files_and_the_map_are_done_and_the_failure_comes_last(
    place: Place,
) -> None:
    """A revoked login stops Strava only: AuthError at the end, exit code 3, files in gold."""
    place.log_in()
    place.upstream.tokens.deauthorise()
    place.renews = False
    report = flow.FlowReport()
    with (
        pytest.raises(AuthError) as raised,
        flow.running("flow", *place.load(), report, clock=place.clock) as session,
    ):
        flow.whole(session, report)
    assert raised.value.exit_code == 3
    assert "tracklake auth strava" in str(raised.value)
    assert set(report.pulls or {}) == {"files"}
    assert set(report.failed_sources or {}) == {"strava"}
    assert report.enrich is None
    assert len(place.gold_ids()) == 2
    assert report.tiles is not None
    assert report.tiles.drawn
    assert sessions(place) == ["needs_auth"]


def test_a_login_that_ends_while_enriching_keeps_the_list_and_what_came(place: Place) -> None:
    """AuthError in enrich: what was listed and fetched is in gold and on the map."""
    place.upstream.script.add(Observed("inactive"), path="/streams$")
    with pytest.raises(AuthError):
        place.flow()
    assert len(place.gold_ids()) == len(place.upstream.visible_set()) + 2
    assert len(place.query("from activity_details")) == 1
    assert drawn(place)
    assert sessions(place) == ["needs_auth"]
    place.upstream.script.clear()
    place.flow()
    assert truth.of_streams(place, place.upstream.visible_set()) == []
    paths = [call.path for call in place.upstream.calls_to("/activities/")]
    assert max(paths.count(path) for path in paths) <= 2


def test_a_service_that_is_down_stops_nothing_else(place: Place) -> None:
    """Everything answered 503: SourceError at the end, the files are there, the next flow heals."""
    place.upstream.script.add(Status(503, {}))
    with pytest.raises(SourceError):
        place.flow()
    assert len(place.gold_ids()) == 2
    assert sessions(place) == ["retrying"]
    place.upstream.script.clear()
    place.flow()
    assert truth.of_details(place, place.upstream.visible_set()) == []


def test_a_spent_quota_parks_with_a_date_and_fails_nothing(place: Place) -> None:
    """The daily limit ends the run with 0 and `waiting_quota`; what came is in gold."""
    place.upstream.quota.limits = Limits(read_day=10)
    report = place.flow()
    assert report.enrich is not None
    assert report.enrich.parked is not None
    assert report.enrich.parked.exit_code == 0
    assert re.search(r"done about 2026-11-2\d", report.enrich.finished_at)
    assert sessions(place) == ["waiting_quota"]
    assert len(place.gold_ids()) == len(place.upstream.visible_set()) + 2
    assert place.query("from activity_details") != []
    before = len(place.upstream.calls)
    place.flow()
    assert len(place.upstream.calls) - before <= 2
    assert place.upstream.quota_violations == 0


def test_an_item_that_fails_is_counted_and_the_flow_completes_with_errors(place: Place) -> None:
    """One activity that is always answered 500: the rest is whole, the state tells of it."""
    one = max(place.upstream.visible_set())
    place.upstream.script.add(Status(500, {}), path=rf"/activities/{one}$")
    place.flow()
    assert sessions(place) == ["completed_with_errors"]
    others = place.upstream.visible_set() - {one}
    assert truth.of_details(place, others) == []
    [row] = place.query("select item, attempts from quarantine")
    assert row == {"item": f"details of strava {one}", "attempts": 1}


def test_edits_deletions_and_late_uploads_come_with_the_daily_flow(place: Place) -> None:
    """Ten days of changes, a flow now and then: gold is what Strava shows."""
    account = place.upstream.account
    place.flow()
    for day in range(1, 11):
        place.advance(days=1)
        ids = sorted(place.upstream.visible_set())
        if day % 3 == 0:
            account.late_upload(days=day * 9, kudos=day)
        if day % 4 == 0:
            account.delete(ids[day % len(ids)])
        if day % 5 == 0:
            account.edit(ids[-1], name=f"Day {day}", distance=4_000.0 + day)
        account.kudos(ids[-2])
        account.upload(manual=day % 7 == 0)
        if day % 5 == 0:
            place.flow()
    place.advance(days=8)
    place.flow()
    visible = place.upstream.visible_set()
    assert place.gold().keys() == visible
    assert truth.of_details(place, visible) == []
    assert truth.of_streams(place, visible) == []
    place.compact(rebuild=True, verify=True)
    with reading.snapshot(place.folders) as connection:
        warehouse.check(connection, deep=True)
