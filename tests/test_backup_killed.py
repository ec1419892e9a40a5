"""Killed between any two steps of a backup or a restore: what was good before stays good."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.forked import Ended, Order, Steps, driven, spread
from tests.test_backup import LATER, Lake, content, grown, run, whole
from tracklake import flow
from tracklake.backup import swapping
from tracklake.errors import Interrupted
from tracklake.session import SyncSession

MOST_KILLS = 40  # of one scenario, spread over all its steps
STEPS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.copyfile", "sqlite3.connect")


# ---- in the other process


def obeyed(order: Order) -> int:
    """Do it; kill this process at step `kill_at`, or return how many steps there were."""
    lake = Lake(Path(order["folder"]))
    lake.clock.moment = LATER.replace(day=order["day"])
    steps = Steps(order["kill_at"])
    _ = lake.session

    def count(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS or (event == "open" and arguments[1] in ("wb", "xb", "w")):
            steps.step()

    sys.addaudithook(count)
    if order["what"] == "create":
        lake.create()
    else:
        lake.restore(order["name"])
    return steps.count


# ---- here


def done(orders: list[Order]) -> list[Ended]:
    """Have another process do it."""
    return driven(orders, __name__, "obeyed")


def order(folder: Path, what: str, *, kill_at: int = 0, name: str = "") -> Order:
    """Return what the other process is told."""
    return {"folder": str(folder), "what": what, "kill_at": kill_at, "name": name, "day": 9}


def copies(original: Path, count: int) -> list[Path]:
    """Return copies of a place, file times and all."""
    places = [original.with_name(f"copy{number}") for number in range(count)]
    for place in places:
        shutil.copytree(original, place)
    return places


def leftovers(lake: Lake) -> list[Path]:
    """Return temporary files that nobody removed."""
    return [path for path in lake.folders.data.rglob("*") if ".landing-" in path.name]


@pytest.fixture
def calm(tmp_path: Path) -> Lake:
    """Return a place with a backup and an activity that is newer."""
    lake = grown(tmp_path / "calm", 2)
    lake.create()
    lake.grow(3)
    return lake


def test_create_killed_at_any_step(calm: Lake) -> None:
    """After SIGKILL before each step, every backup there is whole, and the next one is made.

    No temporary file is left then, and both backups bring back what they should.
    """
    now, first = content(calm.folders.data), calm.names()
    then = calm.made()
    calm.session.state.close()
    [spare] = copies(calm.folder, 1)
    [(code, steps)] = done([order(spare, "create")])
    assert code == 0
    assert steps > 20
    shutil.rmtree(spare)
    kills = spread(steps, MOST_KILLS)
    places = copies(calm.folder, len(kills))
    orders = [
        order(place, "create", kill_at=step) for step, place in zip(kills, places, strict=True)
    ]
    assert {ended.code for ended in done(orders)} == {-signal.SIGKILL}
    for step, place in zip(kills, places, strict=True):
        lake = Lake(place)
        assert lake.damage() == [], f"killed at step {step}"
        assert set(first) <= set(lake.names())
        assert lake.made(first[0]) == then
        lake.clock.moment = LATER.replace(day=10)
        name = lake.create().name
        assert leftovers(lake) == [], f"killed at step {step}"
        lake.restore_to(place / "other", name)
        assert content(place / "other") == now, f"killed at step {step}"
        lake.session.state.close()


def test_restore_killed_at_any_step(calm: Lake) -> None:
    """After SIGKILL before each step of a restore, the data is all old or, brought to the end, new.

    What was there before is whole, aside or in place, at every one of these moments.
    """
    name, newer = calm.names()[0], content(calm.folders.data)
    calm.restore_to(calm.folder / "then", name)
    then = content(calm.folder / "then")
    calm.session.state.close()
    [spare] = copies(calm.folder, 1)
    [(code, steps)] = done([order(spare, "restore", name=name)])
    assert code == 0
    assert steps > 20
    shutil.rmtree(spare)
    kills = spread(steps, MOST_KILLS)
    places = copies(calm.folder, len(kills))
    orders = [
        order(place, "restore", kill_at=step, name=name)
        for step, place in zip(kills, places, strict=True)
    ]
    assert {ended.code for ended in done(orders)} == {-signal.SIGKILL}
    outcomes = []
    for step, place in zip(kills, places, strict=True):
        data = place / "data"
        swapping.finish(data)
        is_new = content(data) == then
        outcomes.append(is_new)
        assert is_new or content(data) == newer, f"killed at step {step}"
        asides = list(data.glob("before-restore-*"))
        assert len(asides) == is_new
        for aside in asides:
            assert content(aside) == newer, f"killed at step {step}"
        assert not list(data.glob("restoring-*"))
    assert outcomes == sorted(outcomes)  # first it is not decided yet, then it is
    assert {True, False} == set(outcomes)


def test_the_next_flow_ends_a_restore(calm: Lake) -> None:
    """A restore that was killed half-way is brought to its end before a flow looks at the data."""
    name = calm.names()[0]
    calm.session.state.close()
    [(_, steps)] = done([order(copies(calm.folder, 1)[0], "restore", name=name)])
    places = [calm.folder.with_name(f"half{number}") for number in range(40)]
    for place in places:
        shutil.copytree(calm.folder, place)
    kills = range(steps, steps - len(places), -1)
    orders = [
        order(place, "restore", kill_at=kill_at, name=name)
        for place, kill_at in zip(places, kills, strict=True)
    ]
    done(orders)
    half = [place for place in places if list((place / "data").glob("restoring-*"))]
    assert len(half) > 5
    for place in half[::4]:
        lake = Lake(place)
        report = flow.FlowReport()
        with flow.running("test", *loaded(lake), report, clock=lake.clock):
            pass
        assert not list(lake.folders.data.glob("restoring-*"))


def loaded(lake: Lake) -> tuple[Any, Any]:
    """Return settings and folders, with no state left open: the flow may replace it."""
    found = lake.session.settings, lake.folders
    lake.session.state.close()
    return found


@pytest.mark.parametrize("delay_s", [0.05, 0.4, 0.6, 0.8, 1.0, 1.3])
def test_the_command_killed_at_some_moment(calm: Lake, delay_s: float) -> None:
    """SIGKILL of the real command: what was backed up is whole, and the command works again."""
    lake = calm
    for number in range(200):
        lake.put(lake.folders.bronze / f"{number}.bin", os.urandom(20_000))
    before = lake.names()
    process = subprocess.Popen(
        [sys.executable, "-m", "tracklake", "backup", "create"],
        env={
            **os.environ,  # noqa: TID251 a child needs PATH and the like
            "TRACKLAKE_DATA_DIR": str(lake.folders.data),
            "TRACKLAKE_LOGS_DIR": str(lake.folders.logs),
        },
        cwd=lake.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(delay_s)  # noqa: TID251 a real process at a moment that nobody chose
    process.kill()
    process.wait(timeout=30)
    assert set(before) <= set(lake.names())
    assert lake.damage() == []
    again = run(lake.folder, "create")
    assert again.returncode == 0, again.stderr
    assert leftovers(lake) == []
    assert lake.damage() == []


@pytest.mark.parametrize(("error", "said"), [("ENOSPC", "the disk is full"), ("EIO", "check it")])
@pytest.mark.parametrize("number", [2, 9])
def test_a_disk_that_fails(calm: Lake, error: str, said: str, number: int) -> None:
    """A full or failing disk ends the command with a sentence; what was backed up is whole."""
    before = calm.names()
    calm.session.state.close()
    inject = f"inject=fsync:error={error}:when={number}+"
    failed = subprocess.run(
        [
            *("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", inject),
            *(sys.executable, "-m", "tracklake", "backup", "create"),
        ],
        env={
            **os.environ,  # noqa: TID251 a child needs PATH and the like
            "TRACKLAKE_DATA_DIR": str(calm.folders.data),
            "TRACKLAKE_LOGS_DIR": str(calm.folders.logs),
        },
        cwd=calm.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert failed.returncode == 1, failed.stderr
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr
    again = Lake(calm.folder)
    assert again.names() == before
    assert again.damage() == []
    assert leftovers(again) == []


def test_asked_to_stop(calm: Lake) -> None:
    """SIGTERM ends a backup as an interruption, also at the end of a flow; nothing half remains."""
    for number in range(300):
        calm.put(calm.folders.bronze / f"{number}.bin", os.urandom(1_000))
    calm.session.state.close()
    calm._session = None

    def stop_soon(session: SyncSession, _report: flow.FlowReport) -> None:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        while True:  # the signal comes in one of these
            flow.back_up(session, _report, full=True)

    report = flow.FlowReport()
    settings, folders = loaded(calm)
    with (
        pytest.raises(Interrupted),
        flow.running("backup", settings, folders, report, clock=calm.clock) as session,
    ):
        stop_soon(session, report)
    calm._session = None
    assert calm.damage() == []
    calm._session = None
    assert whole(calm).backup is not None
    assert leftovers(calm) == []
