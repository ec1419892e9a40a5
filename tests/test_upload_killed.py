"""Killed or stopped at any step of an upload: nothing goes twice, nothing is forgotten.

A step is a commit of the state database, a connection to Strava, or what is sent or received there.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.forked import Ended, Order, Steps, driven, spread
from tests.sources.strava_place import Place, examples
from tests.upload_place import copied_place, is_whole, posts, states, upload, upload_place
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock
from tracklake import config, flow
from tracklake.errors import Interrupted
from tracklake.uploads.report import UploadOptions

MOST_KILLS = examples(20)  # of one scenario, spread over all its steps
LATER_S = 7_200.0  # after which Strava lists what came


# ---- in the other process


def uploaded(order: Order) -> int:
    """Upload; kill this process at step `kill_at`, or return how many steps there were."""
    settings, folders = config.load(**order["given"])
    clock = MovableClock(tick_s=0.001)
    clock.advance(order["later_s"])
    steps = Steps(order["kill_at"])

    def traced(frame: Any, event: str, argument: Any) -> None:
        """Count what is committed, sent and received: before it happens, and after."""
        name = getattr(argument, "__qualname__", "")
        if event in ("c_call", "c_return") and name in WATCHED and _is_of_uploads(frame, name):
            steps.step()

    report = flow.FlowReport()
    with flow.running("upload", settings, folders, report, clock=clock) as session:
        sys.setprofile(traced)
        flow.upload(session, report, UploadOptions())
        sys.setprofile(None)
    return steps.count


WATCHED = ("socket.sendall", "socket.recv_into", "Connection.execute", "socket.connect")


def _is_of_uploads(frame: Any, name: str) -> bool:
    """Leave out statements that only read, or that only say how far a phase is."""
    if name != "Connection.execute":
        return True
    sql = str(frame.f_locals.get("sql", ""))
    return "uploads" in sql and not sql.startswith("select")


# ---- here


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which two files and Strava's list are known; nobody writes there."""
    folder = tmp_path_factory.mktemp("ready")
    with upload_place(folder, days=(1, 3)):
        return folder


def order(place: Place, kill_at: int | None) -> Order:
    """Return what the other process is told."""
    return {"given": place.given(), "kill_at": kill_at, "later_s": 180.0}


def lives(ready: Path, folder: Path, kills: list[int | None], processing_s: float) -> list[Ended]:
    """Kill an upload at each of these steps, at a place of its own; return how each ended.

    After a kill three more runs follow, one while Strava may still be at it; then all is whole.
    """
    with contextlib.ExitStack() as stack:
        places = [stack.enter_context(copied_place(ready, folder / f"{one}")) for one in kills]
        for place in places:
            place.log_in(lives_for_ever=True)
            place.upstream.uploads.processing_s = processing_s
            place.advance(seconds=60)
        orders = [order(*pair) for pair in zip(places, kills, strict=True)]
        ends = driven(orders, __name__, "uploaded")
        for place, kill_at in zip(places, kills, strict=True):
            for wait_s in (240.0, LATER_S, LATER_S) if kill_at else ():
                place.advance(seconds=wait_s)
                upload(place)
            assert not kill_at or is_whole(place) == [], f"killed at step {kill_at}"
        return ends


@pytest.mark.parametrize("processing_s", [0.0, 600.0])
def test_killed_at_any_step(ready: Path, tmp_path: Path, processing_s: float) -> None:
    """SIGKILL before and after each commit, connection, sending and receiving.

    The next runs bring every file there once: Strava takes none twice, none is forgotten.
    """
    [(code, steps)] = lives(ready, tmp_path, [None], processing_s)
    assert code == 0
    assert steps > 20
    ends = lives(ready, tmp_path, [*spread(steps, MOST_KILLS)], processing_s)
    assert {ended.code for ended in ends} == {-signal.SIGKILL}


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
