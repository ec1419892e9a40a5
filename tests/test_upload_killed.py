"""Killed or stopped at any step of an upload: nothing goes twice, nothing is forgotten.

One process is told what to do and forks for each run, so that a kill costs no start of Python. A
step is a commit of the state database, a connection to Strava, or what is sent or received on one.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.sources.strava_place import Place, examples
from tests.upload_place import copied_place, is_whole, posts, states, upload, upload_place
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock
from tracklake import config, flow
from tracklake.errors import Interrupted
from tracklake.uploads.report import UploadOptions

MOST_STEPS = 150  # that an exit code can tell
MOST_KILLS = examples(20)  # of one scenario, spread over all its steps
LATER_S = 7_200.0  # after which Strava lists what came


# ---- in the other process


def drive() -> None:
    """Do what standard input says, a run a fork; say how each ended and how many steps it had."""
    orders = json.load(sys.stdin)
    print(json.dumps([_forked(order) for order in orders]))  # noqa: T201 that is how it answers


def _forked(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = _uploaded(order)
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _uploaded(order: dict[str, Any]) -> int:
    """Upload; kill this process at step `kill_at`, or return how many steps there were."""
    settings, folders = config.load(**order["given"])
    clock = MovableClock(tick_s=0.001)
    clock.advance(order["later_s"])
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == order["kill_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(frame: Any, event: str, argument: Any) -> None:
        """Count what is committed, sent and received: before it happens, and after."""
        name = getattr(argument, "__qualname__", "")
        if event in ("c_call", "c_return") and name in WATCHED and _is_of_uploads(frame, name):
            step()

    report = flow.FlowReport()
    with flow.running("upload", settings, folders, report, clock=clock) as session:
        sys.setprofile(traced)
        flow.upload(session, report, UploadOptions())
        sys.setprofile(None)
    return 100 + min(steps, MOST_STEPS)


WATCHED = ("socket.sendall", "socket.recv_into", "Connection.execute", "socket.connect")


def _is_of_uploads(frame: Any, name: str) -> bool:
    """Leave out statements that only read, or that only say how far a phase is."""
    if name != "Connection.execute":
        return True
    sql = str(frame.f_locals.get("sql", ""))
    return "uploads" in sql and not sql.startswith("select")


# ---- here


def driven(orders: list[dict[str, Any]]) -> list[int]:
    """Have the other process do it."""
    program = "from tests.test_upload_killed import drive; drive()"
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


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which two files and Strava's list are known; nobody writes there."""
    folder = tmp_path_factory.mktemp("ready")
    with upload_place(folder, days=(1, 3)):
        return folder


def order(place: Place, kill_at: int | None) -> dict[str, Any]:
    """Return what the other process is told."""
    return {"given": place.given(), "kill_at": kill_at, "later_s": 180.0}


def lives(ready: Path, folder: Path, kills: list[int | None], processing_s: float) -> list[int]:
    """Kill an upload at each of these steps, at a place of its own; return how each ended.

    After a kill three more runs follow, one while Strava may still be at it; then all is whole.
    """
    with contextlib.ExitStack() as stack:
        places = [stack.enter_context(copied_place(ready, folder / f"{one}")) for one in kills]
        for place in places:
            place.log_in(lives_for_ever=True)
            place.upstream.uploads.processing_s = processing_s
            place.advance(seconds=60)
        codes = driven([order(*pair) for pair in zip(places, kills, strict=True)])
        for place, kill_at in zip(places, kills, strict=True):
            for wait_s in (240.0, LATER_S, LATER_S) if kill_at else ():
                place.advance(seconds=wait_s)
                upload(place)
            assert not kill_at or is_whole(place) == [], f"killed at step {kill_at}"
        return codes


@pytest.mark.parametrize("processing_s", [0.0, 600.0])
def test_killed_at_any_step(ready: Path, tmp_path: Path, processing_s: float) -> None:
    """SIGKILL before and after each commit, connection, sending and receiving.

    The next runs bring every file there once: Strava takes none twice, none is forgotten.
    """
    [code] = lives(ready, tmp_path, [None], processing_s)
    steps = code - 100
    assert 20 < steps < MOST_STEPS
    stride = max(1, -(-steps // MOST_KILLS))
    first = 1 + int(processing_s) % stride
    kills: list[int | None] = list(range(first, steps + 1, stride))
    assert set(lives(ready, tmp_path, kills, processing_s)) == {-signal.SIGKILL}


@pytest.mark.parametrize("number", range(1, 10))
def test_asked_to_stop_at_any_call(ready: Path, tmp_path: Path, number: int) -> None:
    """SIGTERM while any answer is waited for ends it as interrupted; the next runs go on."""
    with copied_place(ready, tmp_path) as place:
        place.log_in(lives_for_ever=True)
        first = len(place.upstream.calls)

        def stop(call: Call) -> None:
            if call.number == first + number:
                os.kill(os.getpid(), signal.SIGTERM)

        place.upstream.before = stop
        with pytest.raises(Interrupted):
            flow_upload(place)
        place.upstream.before = None
        place.advance(seconds=LATER_S)
        flow_upload(place)
        place.advance(seconds=LATER_S)
        flow_upload(place)
        assert is_whole(place) == []
        assert set(states(place).values()) == {"done"}
        assert len(posts(place)) == 2


def flow_upload(place: Place) -> None:
    """Upload as the command does, under the lock, answering signals."""
    report = flow.FlowReport()
    with flow.running("upload", *place.load(), report, clock=place.clock) as session:
        flow.upload(session, report, UploadOptions())
