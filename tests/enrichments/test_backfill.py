"""A backfill over days: as few calls and days as the quota allows, and a date that comes true.

By hand with all 3,000 activities and the real limits, in a minute or two:
python -m tests.enrichments.test_backfill 3000
"""

import dataclasses
import datetime as dt
import math
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

import structlog

from tests.enrichments import truth
from tests.sources.strava_place import Place, opened
from tests.upstream.quota import Limits
from tracklake.clock import UTC

DAY = dt.timedelta(days=1)
QUARTER = dt.timedelta(minutes=15)


@dataclasses.dataclass
class Told:
    """What one flow said when it ended: the moment, the session's state, when all will be done."""

    at: dt.datetime
    state: str
    left: int
    done_about: dt.datetime | None


def backfill(place: Place) -> list[Told]:
    """Run the daily flow until nothing is left; when it is parked, wait until it may go on."""
    told = []
    while True:
        report = place.flow()
        assert report.enrich is not None
        [(state,)] = place.state("select state from sessions order by started_at desc limit 1")
        said = re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", report.enrich.finished_at)
        done = dt.datetime.fromisoformat(said[0]).replace(tzinfo=UTC) if said else None
        told.append(Told(place.clock.now(), str(state), report.enrich.left, done))
        if report.enrich.parked is None:
            return told
        place.clock.move_to(report.enrich.parked.until)


def least_calls(place: Place) -> int:
    """Return the calls that a history costs: pages of the list, details, points, gear."""
    account = place.upstream.account
    ids = place.upstream.visible_set()
    pages = math.ceil(len(ids) / place.per_page)
    with_points = sum(not account.truth(one)["manual"] for one in ids)
    gear = {account.truth(one)["gear_id"] for one in ids} - {None}
    return pages + len(ids) + with_points + len(gear)


def soonest(place: Place, began: dt.datetime) -> dt.datetime:
    """Return when that many calls can have been made with nine tenths of the quota."""
    limits = place.upstream.quota.limits
    days, rest = divmod(least_calls(place), limits.read_day * 9 // 10)
    quarters = math.ceil(rest / (limits.read_quarter * 9 // 10)) - 1
    if days == 0:
        return began + quarters * QUARTER
    midnight = began.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + days * DAY + max(quarters, 0) * QUARTER


def assert_as_good_as_can_be(place: Place, told: list[Told], began: dt.datetime) -> None:
    """Assert the promises: calls, days, refusals, states, the date."""
    upstream, least = place.upstream, least_calls(place)
    took, possible = told[-1].at - began, soonest(place, began) - began
    assert least <= len(upstream.calls) <= 1.1 * least
    assert took <= 1.1 * possible
    assert upstream.quota_violations == 0
    assert {one.state for one in told[:-1]} == {"waiting_quota"}
    assert told[-1].state == "completed"
    about = [call.path for call in upstream.calls if call.path.count("/") > 4]
    assert len(about) == len(set(about)), "pausing and resuming costs no call"
    for one in told[:-1]:
        if one.at - began > DAY / 2:
            assert one.done_about is not None
            assert abs(one.done_about - told[-1].at) <= 0.1 * took, one


def test_a_backfill_over_a_week_is_as_short_as_the_quota_allows(tmp_path: Path) -> None:
    """180 activities at a 17th of Strava's limits: the calls, the days and the date are right."""
    limits = Limits(overall_quarter=12, overall_day=120, read_quarter=6, read_day=60)
    with opened(tmp_path, activities=180, points=20, limits=limits) as place:
        began = place.clock.now()
        told = backfill(place)
        assert 6 <= len({one.at.date() for one in told}) <= 8
        assert_as_good_as_can_be(place, told, began)
        waits = [seconds for seconds in place.clock.slept_s if seconds >= 0.5]
        assert sum(waits) > 10 * 3600, "the quarters of an hour were sat out by the clock"
        ids = place.upstream.visible_set()
        assert place.gold_ids() == ids
        newest_first = sorted(ids)[-20:]
        assert truth.of_details(place, newest_first) == []
        assert truth.of_streams(place, newest_first) == []
        before = len(place.upstream.calls)
        place.flow()
        assert len(place.upstream.calls) - before <= 2


def test_on_the_first_day_all_summaries_and_the_newest_details_are_there(tmp_path: Path) -> None:
    """The whole account is listed before anything else, then facts come newest first."""
    limits = Limits(overall_quarter=20, overall_day=60, read_quarter=10, read_day=30)
    with opened(tmp_path, activities=60, points=20, limits=limits) as place:
        report = place.flow()
        assert report.enrich is not None
        assert report.enrich.parked is not None
        ids = sorted(place.upstream.visible_set())
        assert place.gold_ids() == set(ids)
        rows = place.query("select activity_id from activity_details order by 1")
        detailed = [row["activity_id"] for row in rows]
        assert 8 <= len(detailed) <= 14
        assert detailed == ids[-len(detailed) :]
        at = report.enrich.parked.until
        midnight = (place.clock.now() + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        assert dt.timedelta(0) <= at - midnight <= dt.timedelta(minutes=10)


def by_hand(activities: int) -> None:
    """Run a backfill with the real limits and print what it took."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder), activities=activities, points=20) as place,
    ):
        began, before_s, wall_s = place.clock.now(), time.process_time(), time.perf_counter()
        told = backfill(place)
        cpu_s = time.process_time() - before_s
        least, took = least_calls(place), told[-1].at - began
        print(  # noqa: T201 a script
            f"{len(place.upstream.calls):,} calls (at least {least:,}), {took} "
            f"(at least {soonest(place, began) - began}), {len(told)} flows, "
            f"{place.upstream.quota_violations} refused; CPU {cpu_s:.0f} s with the simulator's, "
            f"{time.perf_counter() - wall_s:.0f} s in all, "
            f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
        )
        for one in told:
            print(one)  # noqa: T201 a script
        assert_as_good_as_can_be(place, told, began)


if __name__ == "__main__":
    by_hand(int(sys.argv[1]))
