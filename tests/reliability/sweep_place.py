"""A lake that real flows are run in, killed in and compared in; all by the real command."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.sweep_world import World
from tests.sources.inbox import run as recorded
from tracklake.clock import SystemClock
from tracklake.formats import fit_writer, gpx_writer, tcx_writer

PATIENCE_S = 180
LONG_AGO_S = 1_700_000_000  # an access token that has ended: each first flow renews the login
_SCOPE = "activity:read,activity:read_all,profile:read_all"
_HALF_DONE = re.compile(
    r"^\.landing-|^\.strava_token.*new$|^\.latest-|\.(?:new|tmp|wal)$|-journal$|^spill$|^restoring-|^core$"
)


@dataclass(frozen=True)
class Ended:
    """How a command ended: -9 where it was killed; what it said; how long it took."""

    code: int
    said: str
    took_s: float


@dataclass(frozen=True)
class Lake:
    """A folder with data, secrets and logs; flows stand in it, so that a copy is as good."""

    place: Path

    def copied(self, place: Path) -> "Lake":
        """Return a copy, times and all."""
        shutil.copytree(self.place, place, symlinks=True)
        return Lake(place)

    def log_in(self, world: World) -> None:
        """Keep a login whose access token has ended."""
        path = self.place / "secrets" / "strava_token.json"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = {
            "access_token": "spent",
            "refresh_token": world.refresh_token,
            "expires_at": LONG_AGO_S,
            "scope": _SCOPE,
        }
        path.unlink(missing_ok=True)
        path.write_text(json.dumps(told))
        path.chmod(0o600)

    def put(self, name: str, content: bytes) -> None:
        """Put a file into the inbox."""
        path = self.place / "data" / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def begin(self) -> None:
        """Put in what lies there before the first flow."""
        self.put("1.fit", fit_writer.encode(recorded(1, 60)))
        self.put("cut.fit", fit_writer.encode(recorded(2, 60))[:20])

    def grow(self) -> None:
        """Put in what comes after it."""
        self.put("2.gpx", gpx_writer.encode(recorded(3, 60)))
        self.put("3.tcx", tcx_writer.encode(recorded(4, 60)))

    def environment(self, world: World) -> dict[str, str]:
        """Return all that a command is told."""
        kept = ("PATH", "HOME", "LANG", "PYTHONPATH")
        mine = {name: os.environ[name] for name in kept if name in os.environ}  # noqa: TID251 a child needs these
        return mine | world.environment()

    def started(self, world: World, *command: str, before: Sequence[str] = ()) -> "Running":
        """Start a command of Tracklake, on one processor: its threads then come in one order."""
        mine = sorted(os.sched_getaffinity(0))
        one = mine[world.processor % len(mine)]
        process = subprocess.Popen(
            ["taskset", "-c", str(one), *before, sys.executable, "-m", "tracklake", *command],
            cwd=self.place,
            env=self.environment(world),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return Running(process, SystemClock().now().timestamp())

    def run(self, world: World, *command: str, before: Sequence[str] = ()) -> Ended:
        """Run a command of Tracklake to its end."""
        return self.started(world, *command, before=before).ended()

    def half_done(self) -> list[str]:
        """Return what a flow should not leave behind."""
        found = [
            path.relative_to(self.place).as_posix()
            for path in self.place.rglob("*")
            if _HALF_DONE.search(path.name)
        ]
        return sorted(found)


@dataclass(frozen=True)
class Running:
    """A command at work."""

    process: subprocess.Popen[str]
    since_s: float

    def ended(self, patience_s: float = PATIENCE_S) -> Ended:
        """Wait for it, and for whatever it started."""
        said, _ = self.process.communicate(timeout=patience_s)
        return Ended(self.process.returncode, said, SystemClock().now().timestamp() - self.since_s)


def first_lake(place: Path, world: World) -> Lake:
    """Return a lake with nothing in it but a login and an inbox."""
    lake = Lake(place)
    place.mkdir(parents=True)
    lake.begin()
    lake.log_in(world)
    return lake
