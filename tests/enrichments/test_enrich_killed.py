"""Killed at any moment: no page is lost, at most one call is made twice, gold is the same."""

import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.enrichments import truth
from tests.enrichments.test_details import asked, newest
from tests.sources.strava_place import Place, opened
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock, ShiftedClock
from tracklake import flow
from tracklake.errors import Interrupted

SPARED = "/api/v3/athlete/activities"


def repeated(place: Place, since: int = 0) -> int:
    """Return how many calls about single items were made again."""
    paths = [path for path in asked(place, since) if path != "athlete/activities"]
    return len(paths) - len(set(paths))


def whole_and_sound(place: Place) -> None:
    """Assert that gold is what Strava says, that a rebuild gives the same, and nothing is left."""
    ids = place.upstream.visible_set()
    assert truth.of_details(place, ids) == []
    assert truth.of_streams(place, ids) == []
    place.compact(rebuild=True, verify=True)  # runs the deep checks
    left = [path for path in place.folders.data.rglob("*") if ".landing-" in path.name]
    assert left == []


def sealed(place: Place, entity: str) -> list[Path]:
    """Return the run folders of an entity."""
    return sorted((place.folders.bronze / "strava" / entity).glob("athlete=*/*/*-run*"))


def fetching(place: Place) -> bool:
    """Run `enrich` under the lock and with signals; tell whether one ended it.

    Without a warehouse: DuckDB, interrupted while it opens a file, cannot open it again in the same
    process; commands end then (the process that is killed below is such a command).
    """
    place.log_in()
    report = flow.FlowReport()
    try:
        with flow.running("enrich", *place.load(), report, clock=place.clock) as session:
            flow.enrich(session, report)
            flow.raise_source_failures(report)
    except Interrupted:
        return True
    return False


def test_a_signal_before_any_call_costs_at_most_that_call(tmp_path: Path) -> None:
    """SIGTERM at every third call: in the end each was made once, plus one a signal."""
    with opened(tmp_path, activities=12, points=40) as place:
        place.pull()
        place.upstream.before = lambda call: (
            os.kill(os.getpid(), signal.SIGTERM) if call.number % 3 == 0 else None
        )
        signals = 0
        while fetching(place):
            signals += 1
        assert signals >= 8
        assert repeated(place) <= signals
        place.compact()
        whole_and_sound(place)


def enriching(place: Place) -> subprocess.Popen[bytes]:
    """Start `tracklake enrich` in a process of its own."""
    folders = place.folders
    environment = {
        **os.environ,  # noqa: TID251 what a child needs to start
        **place.upstream.environment(),
        "TRACKLAKE_DATA_DIR": str(folders.data),
        "TRACKLAKE_LOGS_DIR": str(folders.logs),
        "TRACKLAKE_SECRETS_DIR": str(folders.secrets),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tracklake", "enrich"],
        env=environment,
        cwd=place.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_process_that_is_killed_repeats_at_most_one_call(tmp_path: Path) -> None:
    """SIGKILL while a call is answered or soon after, five times: gold is the same in the end."""
    dice = random.Random(7)  # noqa: S311 repeatable on purpose
    with opened(tmp_path, activities=16, points=40, clock=ShiftedClock()) as place:
        now = MovableClock(place.upstream.clock.now(), tick_s=0.001)
        real, place.upstream.clock = place.upstream.clock, now  # our own part: pull and compact
        place.pull()
        place.upstream.clock = real
        before = len(place.upstream.calls)
        kills = 0
        for at in (1, 5, 12, 21, 33):
            process = enriching(place)
            delay_s = dice.choice((0.0, dice.uniform(0.002, 0.05)))
            place.upstream.before = killing(process, before + at, delay_s)
            kills += process.wait(timeout=60) == -signal.SIGKILL
            place.upstream.before = lambda _call: None
        assert enriching(place).wait(timeout=60) == 0
        assert kills >= 4
        assert repeated(place, before) <= kills
        place.upstream.clock = now
        place.compact()
        whole_and_sound(place)


def killing(process: subprocess.Popen[bytes], at: int, delay_s: float) -> Callable[[Call], None]:
    """Return what kills a process so many seconds of the machine's clock after a call of it."""

    def act(call: Call) -> None:
        if call.number < at:
            return
        if delay_s:
            threading.Timer(delay_s, process.kill).start()
        else:
            process.kill()

    return act


def test_pages_without_their_shard_get_one_and_are_not_asked_for_again(enriched: Place) -> None:
    """Killed after the points were written and before the shard: no call, no point twice."""
    for entity in ("activity_streams", "activity_details", "gear"):
        for run in sealed(enriched, entity):
            (run / "shard.parquet").unlink()
    enriched.forget_state()
    shutil.rmtree(enriched.folders.data / "warehouse")
    (enriched.folders.state / "writer.duckdb").unlink()
    parts = len(list(enriched.folders.streams.rglob("*.parquet")))
    enriched.advance(seconds=5)
    assert enriched.enrich().calls == 0
    enriched.compact()
    assert len(list(enriched.folders.streams.rglob("*.parquet"))) > parts
    whole_and_sound(enriched)


def test_a_damaged_page_costs_that_call_again_and_no_other(enriched: Place) -> None:
    """A page that was torn on disk is fetched anew; its neighbours are read."""
    [run] = sealed(enriched, "activity_details")
    (run / "shard.parquet").unlink()
    pages = sorted(run.glob("page-*"))
    pages[2].write_bytes(pages[2].read_bytes()[:40])
    enriched.forget_state()
    (enriched.folders.state / "writer.duckdb").unlink()
    enriched.advance(seconds=5)
    before = len(enriched.upstream.calls)
    enriched.enrich()
    hurt = pages[2].name.split("-")[2].split(".")[0]
    assert asked(enriched, before) == [f"activities/{hurt}"]
    enriched.compact()
    whole_and_sound(enriched)


def test_a_page_that_no_reader_understands_does_not_stop_every_later_run(pulled: Place) -> None:
    """What was fetched and cannot be read is set aside at recovery too, and the run goes on."""
    one = newest(pulled)
    pulled.enrich(only=("details",))
    [run] = sealed(pulled, "activity_details")
    (run / "shard.parquet").unlink()
    [page] = run.glob(f"page-*-{one}.json.zst")
    other = next(iter(set(run.glob("page-*")) - {page}))
    page.write_bytes(other.read_bytes())  # another activity's answer
    pulled.forget_state()
    pulled.advance(seconds=5)
    report = pulled.enrich()
    assert report.fetched["streams"] == 6
    [(item,)] = pulled.state("select item from quarantine")
    assert item == f"details of strava {one}"


def test_a_lost_state_database_costs_no_call(enriched: Place) -> None:
    """What was fetched is known from bronze: without state nothing is asked for again."""
    enriched.forget_state()
    enriched.advance(seconds=5)
    assert enriched.enrich().calls == 0


def test_what_was_fetched_without_all_efforts_is_not_taken_for_more(pulled: Place) -> None:
    """A killed plain run that is recovered by `--include-efforts` is asked for again with all."""
    pulled.enrich(only=("details",))
    for run in sealed(pulled, "activity_details"):
        (run / "shard.parquet").unlink()
    pulled.forget_state()
    pulled.advance(seconds=5)
    assert pulled.enrich(only=("details",), include_efforts=True).calls == 6
    pulled.compact()
    assert truth.of_details(pulled, pulled.upstream.visible_set(), all_efforts=True) == []


@pytest.mark.parametrize("entity", ["activity_details", "activity_streams"])
def test_an_edit_between_the_kill_and_the_recovery_is_not_lost(place: Place, entity: str) -> None:
    """Pages of before an edit do not count as of after it: what changed is fetched again."""
    one = newest(place)
    place.pull()
    place.enrich()
    for run in sealed(place, entity):
        (run / "shard.parquet").unlink()
    place.forget_state()
    place.advance(days=0.1)
    place.upstream.account.edit(one, name="After", distance=5_432.0)
    place.pull()
    before = len(place.upstream.calls)
    place.enrich()
    assert collections.Counter(asked(place, before)) == {
        f"activities/{one}": 1,
        f"activities/{one}/streams": 1,
    }
    place.compact()
    whole_and_sound(place)
