"""Killed between any two steps of a pull from intervals.icu: nothing is lost, and hardly anything
is asked for again.

One process is told what to do and forks for each pull, so that a kill costs no start of Python.
"""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.sources.intervals_place import IntervalsPlace, opened
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock
from tracklake import config, flow
from tracklake.errors import Interrupted

STEPS = ("os.rename", "os.mkdir", "os.remove")
MOST_KILLS = 14  # spread over all steps
AT_ONCE = 3  # files on their way when the kill comes, beside a page


# ---- in the other process


def drive() -> None:
    """Do what standard input says, a pull a fork; say how each ended."""
    print(json.dumps([_forked(order) for order in json.load(sys.stdin)]))  # noqa: T201 its answer


def _forked(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = _pulled(order)
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _pulled(order: dict[str, Any]) -> int:
    """Pull; kill this process at step `kill_at`, or say that it came to its end, and the steps."""
    settings, folders = config.load(**order["given"])
    clock = MovableClock(tick_s=0.001)
    clock.advance(order["later_s"])
    steps = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        is_step = event in STEPS or (event == "open" and ".landing-" in str(arguments[0]))
        if is_step and str(folders.data) in str(arguments[0]):
            steps += 1
            if steps == order["kill_at"]:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    report = flow.FlowReport()
    with flow.running("pull", settings, folders, report, clock=clock) as session:
        flow.pull(session, report)
        flow.raise_source_failures(report)
    Path(order["steps_to"]).write_text(str(steps))
    return 0


# ---- here


def driven(orders: list[dict[str, Any]]) -> list[int]:
    """Have the other process do it."""
    program = "from tests.sources.test_intervals_killed import drive; drive()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(orders),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=300,
        check=True,
    )
    answer: list[int] = json.loads(done.stdout.splitlines()[-1])
    return answer


def order(place: IntervalsPlace, *, kill_at: int | None = None, later_s: float) -> dict[str, Any]:
    """Return what the other process is told."""
    steps_to = str(place.folder / "steps")
    return {"given": place.given(), "kill_at": kill_at, "later_s": later_s, "steps_to": steps_to}


def filled(place: IntervalsPlace) -> None:
    """Let there be activities, days and a stub."""
    now = place.clock.now()
    for days in (1, 2, 3, 100, 101, 200):
        place.upload(now.replace(hour=days % 20) - days * (now - now.replace(day=now.day - 1)))
    place.upstream.stub(now.replace(tzinfo=None), 18_700_000_001)
    for days in range(3):
        place.upstream.live(now.date().replace(day=days + 1), weight=70 + days)


def landed(place: IntervalsPlace) -> dict[str, list[str]]:
    """Return what is in bronze, by entity: whose rows, in order."""
    entities = (
        *("activities", "activity_streams", "activity_details", "activity_intervals"),
        *("original_files", "wellness"),
    )
    return {name: sorted(r["source_id"] for r in place.shard_rows(name)) for name in entities}


def repeated(calls: list[Call]) -> int:
    """Return how many calls were made more than once."""
    asked = Counter(json.dumps([call.path, call.query], sort_keys=True) for call in calls)
    return sum(count - 1 for count in asked.values())


def test_killed_at_any_step(tmp_path: Path) -> None:
    """SIGKILL before each rename, folder and removal: the next pull completes what is missing.

    Nothing lands twice; what is asked for again is what was on its way, and one look at what is
    recent.
    """
    with opened(tmp_path / "whole") as whole:
        filled(whole)
        assert driven([order(whole, later_s=0.0)]) == [0]
        steps = int((whole.folder / "steps").read_text())
        wanted = landed(whole)
    assert steps > MOST_KILLS
    assert len(wanted["activities"]) == 7
    assert len(wanted["activity_intervals"]) == 6
    assert len(wanted["wellness"]) == 3
    for kill_at in range(1, steps + 1, max(1, steps // MOST_KILLS)):
        with opened(tmp_path / str(kill_at)) as place:
            filled(place)
            orders = [
                order(place, kill_at=kill_at, later_s=0.0),
                order(place, later_s=60.0),
            ]
            assert driven(orders) == [-signal.SIGKILL, 0], kill_at
            assert landed(place) == wanted, kill_at
            assert repeated(place.calls()) <= 1 + AT_ONCE, kill_at
            left = [path for path in place.folders.data.rglob("*") if ".landing-" in path.name]
            assert left == [], kill_at


def test_interrupted_while_files_come(tmp_path: Path) -> None:
    """SIGTERM while files are on their way ends the pull at once; the next one goes on there."""
    with opened(tmp_path) as place:
        filled(place)

        def stop(call: Call) -> None:
            if call.path.endswith("/file") and not place.upstream.calls_to("/file")[3:]:
                os.kill(os.getpid(), signal.SIGTERM)

        settings, folders = place.load()
        place.upstream.before = stop
        with (
            pytest.raises(Interrupted),
            flow.running("pull", settings, folders, flow.FlowReport(), clock=place.clock) as run,
        ):
            flow.pull(run, flow.FlowReport())
        place.upstream.before = None
        place.advance(seconds=60)
        place.pull()
        assert len(landed(place)["activity_streams"]) == 6
        assert len(landed(place)["activities"]) == 7
        assert repeated(place.calls()) <= 1 + AT_ONCE
