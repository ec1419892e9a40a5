"""Work in processes of their own that are killed: at a step on disk, before a call is answered, at
any instant.

One process, started once, forks for each order, so that none costs a start of Python.
"""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.conftest import REPOSITORY
from tests.upstream.calls import Call

Order = dict[str, Any]
_NEEDED = ("sources.strava", "sources.files", "strava.api", "client", "intake.looking")


def obey(do: Callable[[Order], object]) -> None:
    """Carry out the orders of standard input, each in a fork; say its id, then how it ended."""
    for module in _NEEDED:  # once, and not in each fork
        importlib.import_module(f"tracklake.{module}")
    for line in sys.stdin:
        pid = forked(do, json.loads(line))
        _say(pid)
        _, status = os.waitpid(pid, 0)
        _say(os.waitstatus_to_exitcode(status))


def forked(do: Callable[[Order], object], order: Order) -> int:
    """Carry out an order in a fork, the head of a group; return its id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setpgid(0, 0)
            do(order)
            code = 0
        finally:
            os._exit(code)
    with contextlib.suppress(ProcessLookupError):  # it may have ended by now
        os.setpgid(pid, pid)  # both do it: nobody signals a group that is none yet
    return pid


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


class Puller:
    """The process that forks, as seen from the test."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._pid = 0
        self._is_told = threading.Event()

    def do(self, order: Order) -> int:
        """Have an order carried out; return its exit code, -9 where it was killed."""
        self.begin(order)
        return self.end()

    def begin(self, order: Order) -> int:
        """Have one begun; return the id of its process."""
        self._is_told.clear()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self._pid = self.end()
        self._is_told.set()
        return self._pid

    def end(self) -> int:
        """Wait for the one that was begun; return its exit code."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def strike(self, call: Call, number: int, with_signal: signal.Signals) -> None:
        """Signal the one at work when it comes to a call: for a simulator's `before`."""
        if call.number == number:
            assert self._is_told.wait(30)
            os.kill(self._pid, with_signal)


@contextlib.contextmanager
def puller(module: str = "tests.forked", name: str = "pulled") -> Iterator[Puller]:
    """Start a process that does what a function of a module does, and end it."""
    program = f"from {__name__} import obey; from {module} import {name}; obey({name})"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a kill may come while something is written there
        text=True,
        cwd=REPOSITORY,
    ) as process:
        yield Puller(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)
