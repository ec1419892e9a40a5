"""Commands as processes of their own, at one simulated Strava and one data folder."""

import contextlib
import dataclasses
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.sources.strava_place import Place
from tests.upstream.calls import Call
from tests.upstream.clock import ShiftedClock
from tests.upstream.quota import Limits
from tests.upstream.strava import StravaUpstream

PLENTY = Limits(10**6, 10**6, 10**6, 10**6)
LONG_S = 120


@dataclasses.dataclass
class Household:
    """A folder to stand in, with `.env`, data and all, and the service it is set up for."""

    folder: Path
    upstream: StravaUpstream

    def settings(self, **changes: str) -> None:
        """Write `.env`."""
        found = {**self.upstream.environment(), "TRACKLAKE_SOURCES": "strava", **changes}
        text = "".join(f"{name}={value}\n" for name, value in found.items())
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / ".env").write_text(text)

    @property
    def place(self) -> Place:
        """Return what compares gold with the service."""
        return Place(self.folder, self.upstream, renews=False)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command in the folder."""
        kept = ("PATH", "HOME", "PYTHONPATH", "TRACKLAKE_WEATHER", "COVERAGE_PROCESS_START")
        environment = {
            name: os.environ[name]  # noqa: TID251 a child needs these
            for name in kept
            if name in os.environ  # noqa: TID251
        }
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tracklake", *words],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command; return its exit code and all that it said."""
        return ended(self.start(*words))

    @contextlib.contextmanager
    def held_up(self, number: int) -> "Iterator[tuple[threading.Event, threading.Event]]":
        """Let call `number` from now wait; yield what tells that it has come, and what lets go."""
        come, go = threading.Event(), threading.Event()
        goal = len(self.upstream.calls) + number

        def wait(call: Call) -> None:
            if call.number == goal:
                come.set()
                assert go.wait(LONG_S)

        self.upstream.before = wait
        try:
            yield come, go
        finally:
            go.set()
            self.upstream.before = None


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for a process; return its exit code and all that it said."""
    out, complaints = process.communicate(timeout=LONG_S)
    return process.returncode, out + complaints


@contextlib.contextmanager
def household(folder: Path, activities: int = 6) -> Iterator[Household]:
    """Start a service and set up a folder for it."""
    clock = ShiftedClock()
    with StravaUpstream(clock=clock, activities=activities, points=5, limits=PLENTY) as upstream:
        found = Household(folder, upstream)
        found.settings()
        yield found
