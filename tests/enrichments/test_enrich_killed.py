"""Killed at any moment: no page is lost, at most one call is made twice, gold is the same."""

import collections
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.enrichments import truth
from tests.enrichments.test_details import asked, newest
from tests.sources.strava_place import Place, opened
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock, ShiftedClock
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


def test_a_signal_before_any_call_costs_at_most_that_call(tmp_path: Path) -> None:
    """SIGTERM at each of ten calls in turn: in the end each was made once, plus one a signal."""
    with opened(tmp_path, activities=12, points=40) as place:
        signals = 0

        def stop(call: Call) -> None:
            if call.path != SPARED and call.number % 3 == 0:
                os.kill(os.getpid(), signal.SIGTERM)

        place.upstream.before = stop
        for _ in range(40):
            try:
                place.flow()
            except Interrupted:
                signals += 1
                continue
            break
        place.upstream.before = lambda _call: None
        place.flow()
        assert signals >= 5
        assert repeated(place) <= signals
        whole_and_sound(place)


def test_signals_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    """Interrupted wherever it is, fetching, landing or sealing: the next flow goes on there."""
    dice = random.Random(11)  # noqa: S311 repeatable on purpose
    with opened(tmp_path, activities=25, points=40) as place:
        place.pull()
        place.compact()
        signals = 0
        for _ in range(12):
            with interrupted_after(dice.uniform(0.0, 0.35)):
                try:
                    place.flow()
                except Interrupted:
                    signals += 1
        place.flow()
        assert repeated(place) <= signals
        whole_and_sound(place)


class interrupted_after:  # noqa: N801 read as a phrase
    """Send SIGTERM to ourselves after so many seconds of the machine's clock, unless left before.

    While no flow listens the signal does nothing.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before = (
            signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM)),
            signal.signal(signal.SIGTERM, signal.SIG_IGN),
        )
        signal.setitimer(signal.ITIMER_REAL, max(self._seconds, 0.001))

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, self._before[0])
        signal.signal(signal.SIGTERM, self._before[1])


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
    """SIGKILL while a call is answered, five times: each costs one call; gold is the same."""
    with opened(tmp_path, activities=16, points=40, clock=ShiftedClock()) as place:
        now = MovableClock(place.upstream.clock.now(), tick_s=0.001)
        place.upstream.clock, real = now, place.upstream.clock  # our own part: pull and compact
        place.pull()
        place.compact()
        place.upstream.clock = real
        before = len(place.upstream.calls)
        kills = 0
        for at in (2, 7, 11, 20, 30):
            process = enriching(place)
            place.upstream.before = killing(process, before + at)
            kills += process.wait(timeout=60) == -signal.SIGKILL
            place.upstream.before = lambda _call: None
        assert enriching(place).wait(timeout=60) == 0
        assert kills == 5
        assert repeated(place, before) <= kills
        place.upstream.clock = now
        whole_and_sound(place)


def killing(process: subprocess.Popen[bytes], at: int) -> Callable[[Call], None]:
    """Return what kills a process when it makes a call."""

    def act(call: Call) -> None:
        if call.number >= at:
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
