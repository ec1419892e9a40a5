"""What an enrich asks for, in which order, and what its options change."""

import os
import subprocess
import sys

import pytest

from tests.enrichments import truth
from tests.enrichments.test_details import asked, newest
from tests.sources.strava_place import Place
from tests.upstream.quota import Limits
from tracklake.errors import BudgetSpent


def test_the_newest_activity_comes_first_and_its_details_before_its_points(whole: Place) -> None:
    """The order of the calls: gear, then each activity from the newest, details then streams."""
    calls = [call.path.removeprefix("/api/v3/") for call in whole.upstream.calls]
    about = [path for path in calls if path.startswith("activities/")]
    assert calls.index(about[0]) > max(i for i, path in enumerate(calls) if "gear/" in path)
    rows = whole.query("select id, manual from activities order by start_date desc")
    expected = []
    for row in rows:
        expected.append(f"activities/{row['id']}")
        if not row["manual"]:
            expected.append(f"activities/{row['id']}/streams")
    assert about == expected


def test_ids_are_fetched_whatever_is_known_about_them_and_each_once(enriched: Place) -> None:
    """`--ids` fetches details and points of the named again, no others and no gear."""
    one = newest(enriched)
    before = len(enriched.upstream.calls)
    report = enriched.enrich(ids=(str(one), str(one)))
    assert asked(enriched, before) == [f"activities/{one}", f"activities/{one}/streams"]
    assert report.plan == {"details": 1, "streams": 1}
    enriched.compact()
    assert truth.of_streams(enriched, [one]) == []
    enriched.compact(rebuild=True, verify=True)


def test_ids_that_nobody_has_are_no_error(pulled: Place) -> None:
    """An unknown id is answered 404, said to be absent, and does nothing to gold."""
    report = pulled.enrich(ids=("77",))
    assert (report.absent, report.quarantined, report.left) == (2, 0, 0)
    pulled.compact()
    assert pulled.gold_ids() == pulled.upstream.visible_set()


def test_an_activity_that_was_fetched_by_its_id_first_is_there_when_it_is_listed(
    place: Place,
) -> None:
    """Details and points may come before the list knows the activity; gold has them afterwards."""
    one = newest(place)
    place.enrich(ids=(str(one),))
    place.compact()
    assert place.query("from activity_details") == []
    place.pull()
    place.compact()
    assert truth.of_details(place, [one]) == []
    assert len(place.query("from activity_streams where activity_id = ?", one)) == 40


def test_since_days_leaves_older_activities_for_later(pulled: Place) -> None:
    """`--since-days 3` asks about what began in the last three days only."""
    recent = {
        int(row["id"])
        for row in pulled.query("select id, start_date from activities")
        if (pulled.clock.now() - row["start_date"]).days < 3
    }
    assert 0 < len(recent) < 6
    before = len(pulled.upstream.calls)
    pulled.enrich(since_days=3)
    paths = [path for path in asked(pulled, before) if path.startswith("activities/")]
    assert {int(path.split("/")[1]) for path in paths} == recent
    assert pulled.enrich().plan["details"] == 6 - len(recent)


def test_only_names_what_is_fetched(pulled: Place) -> None:
    """`--only streams` leaves details and gear for another run."""
    assert pulled.enrich(only=("streams",)).plan == {"streams": 6}
    report = pulled.enrich()
    assert report.plan["details"] == 6
    assert "streams" not in report.plan


def test_max_calls_stops_and_the_next_run_goes_on_there(pulled: Place) -> None:
    """Runs of five calls each come to the end with no call made twice."""
    before = len(pulled.upstream.calls)
    needed = pulled.enrich(dry_run=True).left
    left = []
    for _ in range(10):
        report = pulled.enrich(max_calls=5)
        assert report.calls <= 5
        left.append(report.left)
        if not report.parked:
            break
    paths = asked(pulled, before)
    assert len(paths) == len(set(paths)) == needed
    assert left[0] == needed - 5
    assert left[-1] == 0
    assert pulled.enrich(max_calls=0).calls == 0


def test_a_tenth_of_each_limit_is_left_and_cushions_change_that(pulled: Place) -> None:
    """Parked at the daily limit but a tenth, or but for the calls of `--cushion-daily`."""
    pulled.upstream.quota.limits = Limits(read_quarter=100, read_day=10)
    used = len(pulled.upstream.calls)
    pulled.enrich(max_calls=1)  # the headers tell the limit
    report = pulled.enrich()
    assert isinstance(report.parked, BudgetSpent)
    assert report.calls == 9 - used - 1
    assert pulled.enrich(cushion_daily=0).calls == 1
    assert pulled.enrich(cushion_daily=0).calls == 0
    assert pulled.upstream.quota_violations == 0


def test_a_cushion_of_the_quarter_makes_a_run_wait_for_the_next(pulled: Place) -> None:
    """`--cushion-15min 95` of 100 calls sends five a quarter of an hour and waits in between."""
    used = len(pulled.upstream.calls)
    report = pulled.enrich(cushion_15min=95)
    assert report.parked is None
    assert report.left == 0
    quarters = [int(call.moment.timestamp() // 900) for call in pulled.upstream.calls[used:]]
    assert max(quarters.count(quarter) for quarter in quarters) == 5
    assert sum(pulled.clock.slept_s) > 900 * (len(set(quarters)) - 2)


def test_all_efforts_are_fetched_once_where_there_were_records_only(enriched: Place) -> None:
    """`--include-efforts` asks again for what was fetched without, then never again."""
    ids = enriched.upstream.visible_set()
    assert enriched.enrich(include_efforts=True).plan == {"details": 6}
    enriched.compact()
    assert truth.of_details(enriched, ids, all_efforts=True) == []
    told = [enriched.upstream.account.detail(one, all_efforts=True) for one in ids]
    efforts = enriched.query("select count(*) as n from activity_segment_efforts")
    assert efforts == [{"n": sum(len(detail["segment_efforts"]) for detail in told)}]
    assert efforts[0]["n"] > len(ids) / 2
    assert enriched.enrich(include_efforts=True).calls == 0
    assert enriched.enrich().calls == 0


def test_all_efforts_stay_when_an_activity_is_renamed(enriched: Place) -> None:
    """What was once fetched with all efforts is fetched again with all of them."""
    ids = enriched.upstream.visible_set()
    enriched.enrich(include_efforts=True)
    for one in ids:
        enriched.upstream.account.edit(one, name="Renamed")
    enriched.pull()
    enriched.enrich()
    enriched.compact()
    assert truth.of_details(enriched, ids, all_efforts=True) == []


def test_a_dry_run_says_what_would_be_fetched_and_asks_nothing(pulled: Place) -> None:
    """The plan, the number of calls and when they are done; not one call is made."""
    before = len(pulled.upstream.calls)
    report = pulled.enrich(dry_run=True)
    assert report.is_plan
    assert (report.plan["details"], report.plan["streams"]) == (6, 6)
    assert report.left == sum(report.plan.values())
    assert f"{pulled.clock.now():%Y-%m-%d}" in report.finished_at
    assert len(pulled.upstream.calls) == before


@pytest.mark.parametrize("more", [(), ("--only", "details"), ("--ids", "1,2")])
def test_the_command_prints_the_plan_and_asks_nothing(pulled: Place, more: tuple[str, ...]) -> None:
    """`tracklake enrich --dry-run` says how many calls of which kind, and calls nobody."""
    before = len(pulled.upstream.calls)
    folders = pulled.folders
    environment = {
        **os.environ,  # noqa: TID251 what a child needs to start
        **pulled.upstream.environment(),
        "TRACKLAKE_DATA_DIR": str(folders.data),
        "TRACKLAKE_LOGS_DIR": str(folders.logs),
        "TRACKLAKE_SECRETS_DIR": str(folders.secrets),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tracklake", "enrich", "--dry-run", *more],
        env=environment,
        cwd=pulled.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    plan = {
        (): "6 details, 6 streams",
        ("--only", "details"): "6 details (6 calls)",
        ("--ids", "1,2"): "2 details, 2 streams (4 calls)",
    }
    assert plan[more] in done.stdout
    assert len(pulled.upstream.calls) == before
