"""Killed between any two steps of a pull from SmashRun: nothing is lost, one call is repeated.

The other process is that of the tests of Strava's source.
"""

import os
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.forked import driven, spread
from tests.sources.smashrun_place import SmashrunPlace, opened
from tests.upstream.calls import Call
from tracklake import flow
from tracklake.errors import Interrupted

MOST_KILLS = 20  # spread over all steps
RUNS = 4  # the other process tells up to 155 steps


def fill(place: SmashrunPlace) -> None:
    """Let some runs appear."""
    for number in range(RUNS):
        place.advance(days=-1)
        place.upload(duration_s=60.0, distance_km=0.3, hasDetails=int(number != 2))
    place.advance(days=RUNS)


def repeated(place: SmashrunPlace) -> int:
    """Return how many calls were made again with this place's token."""
    asked = Counter(
        call.line().split(" ", 1)[1]
        for call in place.upstream.calls
        if call.bearer == place.token and call.status
    )
    return sum(count - 1 for count in asked.values())


def landed_once(place: SmashrunPlace) -> bool:
    """Tell whether no version of a run, nor what was fetched about it, is in bronze twice."""
    return all(
        max(Counter((r["source_id"], r["content_hash"]) for r in place.shard_rows(entity)).values())
        == 1
        for entity in ("activities", "activity_streams", "activity_details")
    )


def is_whole(place: SmashrunPlace) -> bool:
    """Tell whether all runs, and the details of those that have any, are there."""
    with_details = {str(n) for n, run in place.upstream.runs.items() if run.listed["hasDetails"]}
    fetched = {row["source_id"] for row in place.shard_rows("activity_streams")}
    told = {row["source_id"] for row in place.shard_rows("activity_details")}
    return set(place.rows()) == place.shown() and fetched == told == with_details


def test_killed_at_any_step(tmp_path: Path) -> None:
    """SIGKILL before each rename, folder and removal: the next pull completes what is missing.

    It makes one call at most a second time, leaves no temporary file, and lands nothing twice.
    """
    with opened(tmp_path / "calm", hourly=10**6) as calm:
        fill(calm)
        [(code, steps)] = driven([{"given": calm.given(), "kill_at": None, "later_s": 0.0}])
        assert code == 0
        assert steps > 30
        assert is_whole(calm)
        victims, orders = {}, []
        for kill_at in spread(steps, MOST_KILLS):
            victim = SmashrunPlace(tmp_path / str(kill_at), calm.upstream)
            victims[kill_at] = victim
            given = {"given": victim.given(), "later_s": 0.0}
            orders += [given | {"kill_at": kill_at}, given | {"kill_at": None, "later_s": 60.0}]
        codes = [ended.code for ended in driven(orders)]
        assert set(codes[::2]) == {-signal.SIGKILL}
        assert set(codes[1::2]) == {0}
        for kill_at, victim in victims.items():
            assert repeated(victim) <= 1, f"killed at step {kill_at}"
            assert [p for p in victim.folders.data.rglob("*") if ".landing-" in p.name] == []
            assert is_whole(victim), f"killed at step {kill_at}"
            assert landed_once(victim), f"killed at step {kill_at}"
        victims[max(victims)].compact()


@pytest.mark.parametrize("number", range(1, 13, 2))
def test_asked_to_stop_at_any_call(tmp_path: Path, number: int) -> None:
    """SIGTERM while an answer is waited for ends the pull as interrupted; the next one goes on."""
    with opened(tmp_path) as place:
        fill(place)

        def stop(call: Call) -> None:
            if call.number == number:
                os.kill(os.getpid(), signal.SIGTERM)

        place.upstream.before = stop
        with pytest.raises(Interrupted):
            flow_pull(place)
        place.upstream.before = None
        place.advance(seconds=60)
        flow_pull(place)
        assert repeated(place) <= 1
        assert is_whole(place)
        assert landed_once(place)


def flow_pull(place: SmashrunPlace) -> None:
    """Run a pull as the command does, answering signals."""
    report = flow.FlowReport()
    with flow.running("pull", *place.load(), report, clock=place.clock) as session:
        flow.pull(session, report)
        flow.raise_source_failures(report)


def test_a_lost_state_database(tmp_path: Path) -> None:
    """Without its state database a place knows from bronze what it has, and fetches none of it."""
    with opened(tmp_path) as place:
        fill(place)
        place.pull()
        before, so_far = place.bronze_files(), len(place.upstream.calls)
        shutil.rmtree(place.folders.state)
        place.advance(hours=2)
        place.pull()
        assert place.detail_calls(so_far) == []
        assert place.bronze_files() == before
