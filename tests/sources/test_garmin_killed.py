"""Stopped or killed between any two steps of a pull: nothing is lost, hardly a call repeated."""

import datetime as dt
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.forked import driven, spread
from tests.sources.garmin_place import GarminPlace, opened
from tests.upstream.calls import Call
from tracklake import config, flow
from tracklake.errors import Interrupted

COUNT = 30
MOST_KILLS = 14  # of one scenario, spread over all its steps


def order(place: GarminPlace, *, kill_at: int | None = None, later_s: float = 0) -> dict[str, Any]:
    """Return what the other process is told."""
    given = {**place.given(), "sources": ["garmin"]}
    return {"given": given, "kill_at": kill_at, "later_s": later_s}


def fill(place: GarminPlace) -> list[str]:
    """Let activities appear; return their ids, newest first."""
    now = place.clock.now()
    return [place.upload(now - dt.timedelta(days=1 + 2 * number)) for number in range(COUNT)]


def repeated(place: GarminPlace, since: int) -> int:
    """Return how many calls were made again."""
    asked = Counter(call.line().split(" ", 1)[1] for call in place.calls(since))
    return sum(count - 1 for count in asked.values())


def leftovers(place: GarminPlace) -> list[Path]:
    """Return temporary files that nobody removed."""
    return [path for path in place.folders.data.rglob("*") if ".landing-" in path.name]


def landed_once(place: GarminPlace) -> bool:
    """Tell whether no version of an activity, and no answer about a file, is in bronze twice."""
    return all(
        max(Counter(row["source_id"] for row in place.shard_rows(entity)).values()) == 1
        for entity in ("activities", "activity_streams")
    )


def test_killed_at_any_step(tmp_path: Path) -> None:
    """SIGKILL before each rename, folder and removal: the next pull completes what is missing.

    It asks for one page and one file at most a second time, leaves no temporary file, and lands
    nothing twice.
    """
    with opened(tmp_path / "calm") as calm:
        ids = fill(calm)
        calm.upstream.token_life_s = 10 * 365 * 86_400.0
        [(code, steps)] = driven([order(calm)])
        assert code == 0
        assert steps > 2 * COUNT
        for kill_at in spread(steps, MOST_KILLS):
            victim = GarminPlace(tmp_path / f"{kill_at}", calm.upstream)
            so_far = len(calm.upstream.calls)
            ends = driven([order(victim, kill_at=kill_at), order(victim, later_s=600)])
            assert [ended.code for ended in ends] == [-signal.SIGKILL, 0]
            assert set(victim.rows()) == set(ids), f"killed at step {kill_at}"
            assert all(row["outcome"] == "done" for row in victim.shard_rows("activity_streams"))
            assert landed_once(victim)
            assert leftovers(victim) == []
            assert repeated(victim, so_far) <= 3, f"killed at step {kill_at}"
            shutil.rmtree(victim.folder)


# ---- asked to stop


@pytest.fixture
def place(tmp_path: Path) -> Iterator[GarminPlace]:
    """Return a place with some activities upstream."""
    with opened(tmp_path) as found:
        fill(found)
        yield found


def flow_pull(place: GarminPlace) -> None:
    """Run a pull as the command does, answering signals."""
    settings, folders = config.load(**place.given(), sources=["garmin"])
    report = flow.FlowReport()
    with flow.running("pull", settings, folders, report, clock=place.clock) as session:
        flow.pull(session, report)
        flow.raise_source_failures(report)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 20, 34])
def test_asked_to_stop_at_any_call(place: GarminPlace, number: int) -> None:
    """SIGTERM while an answer is waited for ends the pull as interrupted; the next one goes on."""

    def stop(call: Call) -> None:
        if call.number == number:
            os.kill(os.getpid(), signal.SIGTERM)

    place.upstream.before = stop
    with pytest.raises(Interrupted):
        flow_pull(place)
    assert place.state("select state from sessions") == [("retrying",)]
    place.upstream.before = None
    place.advance(seconds=60)
    flow_pull(place)
    assert len(place.rows()) == COUNT
    assert landed_once(place)
    assert repeated(place, 0) <= 3
    assert leftovers(place) == []
