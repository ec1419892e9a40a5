"""How bench.strava runs things: our command, jobs of ours, the peer's, the simulated service."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from bench import measure
from bench.measure import Cost

PLACE = measure.SCRATCH / "strava"
MOST_MB = 300
_TRACKLAKE = Path(sys.executable).with_name("tracklake")
_PEER_PYTHON = measure.REPOSITORY / "build" / "venv-bench" / "bin" / "python"
_SETTINGS = {"TRACKLAKE_DATA_DIR": "data", "TRACKLAKE_LOGS_DIR": "logs", "TRACKLAKE_ATHLETE": "me"}

Told = dict[str, Any]


def run(arguments: Sequence[str], folder: Path, more: Mapping[str, str] | None = None) -> Cost:
    folder.mkdir(parents=True, exist_ok=True)
    return measure.run([str(_TRACKLAKE), *arguments], folder, {**_SETTINGS, **(more or {})})


def job(folder: Path, *arguments: object) -> Cost:
    """Run a job of ours in a process of its own, in the folder that its data folder is in."""
    module = [sys.executable, "-m", "bench.strava_jobs", *map(str, arguments)]
    return measure.run(module, folder, {"PYTHONPATH": str(measure.REPOSITORY), **_SETTINGS})


def peers_way(*arguments: object) -> Cost:
    script = Path(__file__).with_name("peer.py")
    return measure.run([str(_PEER_PYTHON), str(script), *map(str, arguments)], PLACE, {})


def lines(name: str, made: Callable[[int], dict[str, Any]], numbers: range) -> Path:
    path = PLACE / name
    path.write_bytes(b"\n".join(orjson.dumps(made(number)) for number in numbers))
    return path


def told(name: str) -> Path:
    return PLACE / f"{name}.json"


def read(name: str) -> Told:
    return dict(json.loads(told(name).read_text()))


class Asked(NamedTuple):
    """What the simulated service was asked, and what answering cost it."""

    calls: int
    cpu_s: float


class Service:
    """The simulated service in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        told = self._said()
        self.settings: dict[str, str] = told["settings"]
        self.token: str = told["token"]
        self._before = Asked(0, 0.0)

    @property
    def api_url(self) -> str:
        """Return where it answers."""
        return self.settings["STRAVA_API_URL"]

    def _said(self) -> Told:
        assert self._process.stdout
        return dict(json.loads(self._process.stdout.readline()))

    def asked(self) -> Asked:
        """Return what it was asked since this was last called."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        now, before = Asked(**self._said()), self._before
        self._before = now
        return Asked(now.calls - before.calls, now.cpu_s - before.cpu_s)


@contextlib.contextmanager
def served(activities: int, points: int) -> Iterator[Service]:
    """Serve so many activities, with so many points each."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.strava_jobs", "serve", str(activities), str(points)],
        cwd=measure.REPOSITORY,
        stdin=subprocess.PIPE,  # its end ends the service
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Service(process)


def megabytes(*costs: Cost) -> str:
    """Say the largest, and whether it is too large."""
    peak = max(cost.peak_mb for cost in costs)
    return f"{peak:.0f} MB" if peak < MOST_MB else f"**{peak:.0f} MB, more than {MOST_MB}**"
