"""What is killed at a step of its own: one process forks for each order, so that none costs a start
of Python.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import REPOSITORY
from tests.upstream.clock import MovableClock
from tracklake import config, flow
from tracklake.stages import PullOptions

Order = dict[str, Any]
ON_DISK = ("os.rename", "os.mkdir", "os.remove")


class Ended(NamedTuple):
    """How an order ended: its exit code, -9 where it was killed; how many steps it had."""

    code: int
    steps: int


class Steps:
    """Counts what somebody says is a step, and kills this process at one of them."""

    def __init__(self, kill_at: int | None) -> None:
        self.count = 0
        self._kill_at = kill_at
        self._process = os.getpid()

    def step(self) -> None:
        """Come to the next one."""
        if os.getpid() != self._process:
            return  # a child of ours
        self.count += 1
        if self.count == self._kill_at:
            os.kill(self._process, signal.SIGKILL)


def steps_on_disk(folder: Path, kill_at: int | None) -> Steps:
    """Let each rename, new folder, removal and new temporary file below a folder be a step."""
    steps = Steps(kill_at)

    def look(event: str, arguments: tuple[object, ...]) -> None:
        is_step = event in ON_DISK or (event == "open" and ".landing-" in str(arguments[0]))
        if is_step and str(folder) in str(arguments[0]):
            steps.step()

    sys.addaudithook(look)
    return steps


def pulled(order: Order) -> int:
    """Pull as the command does, `later_s` after the simulators' first moment; return the steps."""
    settings, folders = config.load(**order["given"])
    clock = MovableClock(tick_s=0.001)
    clock.advance(order["later_s"])
    steps = steps_on_disk(folders.data, order["kill_at"])
    report = flow.FlowReport()
    with flow.running("pull", settings, folders, report, clock=clock) as session:
        flow.pull(session, report, options=PullOptions(**order.get("options", {})))
        flow.raise_source_failures(report)
    return steps.count


# ---- in the other process


def drive(obey: Callable[[Order], int]) -> None:
    """Do what standard input says, an order a fork; say how each ended."""
    print(json.dumps([_forked(obey, order) for order in json.load(sys.stdin)]))  # noqa: T201 its answer


def _forked(obey: Callable[[Order], int], order: Order) -> Ended:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.write(writing, str(obey(order)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(reading) as said:
        return Ended(os.waitstatus_to_exitcode(status), int(said.read() or 0))


# ---- here


def driven(orders: list[Order], module: str = __name__, name: str = "pulled") -> list[Ended]:
    """Have the other process do what a function of a module does with each order."""
    program = f"from tests.forked import drive; from {module} import {name}; drive({name})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(orders),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=300,
        check=True,
    )
    return [Ended(*one) for one in json.loads(done.stdout.splitlines()[-1])]


def spread(steps: int, most: int) -> list[int]:
    """Return at most so many of the steps to be killed at, evenly, the last one always."""
    return list(range(steps, 0, -max(1, -(-steps // most))))[::-1]
