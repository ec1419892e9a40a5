"""A checkout of its own with an own compose project: what one person has on one machine."""

import dataclasses
import datetime as dt
import functools
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import requests

from tests.docker import engine, zones
from tests.docker.engine import Done
from tests.docker.waiting import wait_for
from tests.sources.inbox import fit_bytes

FOLDERS = ("data", "secrets", "logs", "cron")
_NO_WEATHER = "TRACKLAKE_WEATHER=off\n"  # nothing leaves this machine
_STAMP = re.compile(r"flow_(\d{8}T\d{6})Z-")

# What a container says of the process in it.
_PROBE = """
import json, os
lines = [line.rstrip().split(':\\t', 1) for line in open('/proc/self/status')]
status = {line[0]: line[1] for line in lines if len(line) == 2}
def writes(folder):
    path = os.path.join(folder, '.probe')
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError:
        return False
    os.unlink(path)
    return True
places = ['/', '/app', '/opt/venv', '/usr/local', '/etc', '/var/tmp', '/var/lib', '/home', '/root']
print(json.dumps({
    'uid': os.getuid(), 'gid': os.getgid(), 'groups': os.getgroups(),
    'capabilities': {name: status[name] for name in status if name.startswith('Cap')},
    'no_new_privileges': status['NoNewPrivs'],
    'root_read_only': bool(os.statvfs('/').f_flag & os.ST_RDONLY),
    'writable': [folder for folder in places if writes(folder)],
    'temporary_writable': writes('/tmp'),
    'interfaces': sorted(os.listdir('/sys/class/net')),
    'socket': os.path.exists('/var/run/docker.sock'),
}))
"""


@dataclasses.dataclass(frozen=True)
class Place:
    """A folder with the project's files, and the name of its compose project and image."""

    folder: Path
    project: str
    image: str

    def run(self, *command: str, **more: str) -> Done:
        """Run a command in the folder as the person."""
        names = {"COMPOSE_PROJECT_NAME": self.project, "TRACKLAKE_IMAGE": self.image}
        return engine.run(*command, folder=self.folder, more=names | more)

    def make(self, *arguments: str, **more: str) -> Done:
        """Run `make` with containers."""
        return self.run("make", "RUNNER=docker", *arguments, **more)

    def dc(self, *arguments: str, **more: str) -> Done:
        """Run the wrapper of compose."""
        return self.run("scripts/dc.sh", *arguments, **more)

    def job(self, service: str, *arguments: str) -> Done:
        """Run an ephemeral job to its end."""
        return self.dc("run", "--rm", "-T", service, *arguments)

    def inside(self, service: str, code: str) -> Done:
        """Run a line of Python in a fresh container of a service."""
        return self.dc(
            *("run", "--rm", "-T", "--no-deps", "--entrypoint", "/opt/venv/bin/python"),
            *(service, "-c", code),
        )

    def config(self) -> dict[str, Any]:
        """Return the compose file as compose resolves it, with all profiles."""
        done = self.dc("--profile", "jobs", "config", "--format", "json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def container(self, service: str) -> str:
        """Return the id of a service's container, also of one that has ended; "" if none."""
        labels = (f"com.docker.compose.project={self.project}", "com.docker.compose.oneoff=False")
        filters = [f"label={label}" for label in (*labels, f"com.docker.compose.service={service}")]
        arguments = [part for one in filters for part in ("--filter", one)]
        return engine.docker("ps", "-aq", *arguments).stdout.strip()

    def inspected(self, service: str, field: str) -> str:
        """Return a field of a service's container, by a Go template."""
        return engine.docker("inspect", "-f", field, self.container(service)).stdout.strip()

    def said(self, service: str) -> str:
        """Return what a long-running service has written so far."""
        done = engine.docker("logs", self.container(service))
        return done.stdout + done.stderr

    # ---- what is in the folder

    def put(self, path: str, text: str) -> None:
        """Write a file that belongs to the person."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        own(target)

    def put_activities(self, days: range) -> None:
        """Put one small FIT file a day into the inbox."""
        inbox = self.folder / "data" / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        for day in days:
            (inbox / f"{day}.fit").write_bytes(fit_bytes(day))
        own_tree(self.folder / "data")

    def override(self, services: Mapping[str, object]) -> None:
        """Add to the compose file what a person would add: docker-compose.override.yml."""
        self.put("docker-compose.override.yml", json.dumps({"services": services}))

    def clock(self, zone: str = zones.PLAIN) -> dict[str, Any]:
        """Return what the scheduler needs to go by a zone that `five_in` makes."""
        (self.folder / "tz").mkdir(exist_ok=True)
        volume = {"type": "bind", "source": "./tz", "target": "/tz", "read_only": True}
        return {
            "environment": {"TZ": zone, "TZDIR": "/tz", "PYTHONTZPATH": "/tz"},
            "volumes": [volume],
        }

    def five_in(self, ahead_s: int) -> dt.datetime:
        """Make the zones; return the UTC moment of their 05:00."""
        return zones.compile_zones(self.folder / "tz", ahead_s)

    def flows(self) -> list[dt.datetime]:
        """Return when the flows started of which there is a log, UTC, the first one first."""
        names = [path.name for path in (self.folder / "logs" / "flow").glob("2*/*/*/flow_*.log")]
        stamps = [found[1] for name in names if (found := _STAMP.match(name))]
        return sorted(
            dt.datetime.strptime(stamp, "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC) for stamp in stamps
        )

    def activities(self) -> int:
        """Return how many activities the published snapshot holds, read on the host."""
        path = self.folder / "data" / "warehouse" / "tracklake.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            [(count,)] = connection.execute("select count(*) from activities").fetchall()
        return int(count)

    # ---- the simulated Strava

    def simulator(self, activities: int, certificate: Path | None = None) -> dict[str, Any]:
        """Return the service `strava` for the override."""
        tests = {"type": "bind", "source": "./tests", "target": "/sim/tests", "read_only": True}
        volumes = [tests]
        if certificate is not None:
            volumes.append({**tests, "source": str(certificate), "target": "/certificate"})
        return {
            "image": self.image,
            "working_dir": "/sim",
            "user": "65534:65534",
            "entrypoint": ["/opt/venv/bin/python", "-m", "tests.docker.simulator", str(activities)],
            "volumes": volumes,
            "environment": {"PYTHONDONTWRITEBYTECODE": "1"},
            "ports": ["127.0.0.1::8000"],
            "healthcheck": {"disable": True},
        }

    def start_simulator(self, address: str = "http://strava:8000") -> None:
        """Start it and write the settings into .env; the override names it already."""
        done = self.dc("up", "-d", "strava")
        assert done.returncode == 0, done.stderr
        wait_for(lambda: "ready\n" in self.said("strava"), "the simulated Strava")
        lines = [line for line in self.said("strava").splitlines() if line.startswith("STRAVA_")]
        settings = [re.sub(r"=http://[^/]+", f"={address}", line) for line in lines]
        self.put(".env", "\n".join([*settings, _NO_WEATHER]))

    def control_address(self) -> str:
        """Return where the simulator answers on the host."""
        bound = engine.docker("port", self.container("strava"), "8000").stdout.split()[0]
        return f"http://{bound}"

    def control(self, action: str, **given: object) -> Any:
        """Ask the simulator to change, or what it saw."""
        address = f"{self.control_address()}/control/{action}"
        is_change = bool(given) or action == "clear"
        body = json.dumps(given).encode()
        answer = requests.request(
            "POST" if is_change else "GET", address, data=body if is_change else None, timeout=20
        )
        answer.raise_for_status()
        return answer.json()


@functools.cache
def probe(place: Place, service: str) -> dict[str, Any]:
    """Return what a process sees in a fresh container of a service (asked once)."""
    done = place.inside(service, _PROBE)
    assert done.returncode == 0, f"{service}: {done.stdout}{done.stderr}"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def own(path: Path) -> None:
    """Give a file or folder to the person."""
    if engine.is_root():
        os.chown(path, *engine.person(), follow_symlinks=False)


def own_tree(folder: Path) -> None:
    """Give a folder and all in it to the person."""
    own(folder)
    for path in folder.rglob("*"):
        own(path)


def furnish(folder: Path, source: Path) -> None:
    """Make a checkout of what another one holds, with empty folders for data."""
    left_out = {str(source): {"docs", "bench", *FOLDERS} - {"cron"}}
    shutil.copytree(source, folder, ignore=lambda of, _names: left_out.get(of, set()))
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    (folder / ".env").write_text(_NO_WEATHER, encoding="utf-8")
    own_tree(folder)
