"""What must hold of a place, as questions: each gives the problems that it finds, or none.

The tests ask them of the project as it is, and test_mutations.py of projects that were broken on
purpose.
"""

import datetime as dt
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.docker import engine, zones
from tests.docker.place import FOLDERS, Place, own, probe
from tests.docker.waiting import utc_now, wait_for, wait_until

JOBS = ("pull", "compact", "enrich", "tiles", "flow", "upload", "import", "backup")
SERVICES = ("scheduler", "api")
PUBLISHES = ("api", "auth")  # a login waits for the browser to come back, for as long as it takes
NEEDS_NO_NETWORK = ("compact", "tiles")
LATE_S = 15.0  # so long after 05:00 a flow may start: a container's Python and a busy machine

Problems = list[str]


def read_only_root(place: Place, services: tuple[str, ...] = ("flow", "scheduler")) -> Problems:
    """Nothing but the mounted folders and /tmp can be written to."""
    problems = []
    for service in services:
        seen = probe(place, service)
        if not seen["root_read_only"]:
            problems.append(f"{service}: the root file system is writable")
        problems += [f"{service}: {path} is writable" for path in seen["writable"]]
        if not seen["temporary_writable"]:
            problems.append(f"{service}: /tmp is not writable")
    return problems


def no_capabilities(place: Place, services: tuple[str, ...] = ("flow", "scheduler")) -> Problems:
    """A process has no capability, cannot come by one, and is the person."""
    problems = []
    for service in services:
        seen = probe(place, service)
        held = {name: int(bits, 16) for name, bits in seen["capabilities"].items()}
        problems += [f"{service}: {name} is {bits:x}" for name, bits in held.items() if bits]
        if seen["no_new_privileges"] != "1":
            problems.append(f"{service}: a setuid program would give privileges")
        if (seen["uid"], seen["gid"]) != engine.person():
            problems.append(f"{service}: runs as {seen['uid']}:{seen['gid']}")
    return problems


def no_network(place: Place, services: tuple[str, ...] = NEEDS_NO_NETWORK) -> Problems:
    """Jobs that work on files only see no network but their own loopback."""
    seen = {service: probe(place, service)["interfaces"] for service in services}
    return [
        f"{name}: has the interfaces {found}" for name, found in seen.items() if found != ["lo"]
    ]


def lock_is_shared(place: Place) -> Problems:
    """A job does nothing while a process of the host holds the lock, and frees it when it ends."""
    state = place.folder / "data" / "state"
    state.mkdir(exist_ok=True)
    path = state / "flow.lock"
    with path.open("a") as lock:
        own(state)
        own(path)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = place.job("compact")
    problems = []
    if held.returncode != 75:
        problems.append(f"while the host holds the lock, a job ends with {held.returncode}, not 75")
    if not is_free(path):
        problems.append("the lock is still held after the job")
    return problems


def is_free(path: Path) -> bool:
    """Tell whether nobody holds a lock file."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def fires_at_five(place: Place, ahead_s: int = 25, zone: str = zones.PLAIN) -> Problems:
    """The scheduler starts one flow when the clock of its zone reads 05:00, none before.

    The place's override is replaced; the scheduler is left running.
    """
    before = len(place.flows())
    place.override({"scheduler": place.clock(zone)})
    made = place.dc("create", "scheduler")  # so that its start takes next to no time
    due = place.five_in(ahead_s)
    started = place.dc("up", "-d", "scheduler")
    if made.returncode or started.returncode:
        return [f"the scheduler does not start: {made.stderr}{started.stderr}"]
    if utc_now() > due:
        return ["the scheduler was up only after 05:00: the machine is too slow for this check"]
    wait_until(due)
    end = due + dt.timedelta(seconds=LATE_S)
    try:
        wait_for(
            lambda: len(place.flows()) > before or utc_now() > end, "a flow", timeout_s=LATE_S + 5
        )
    finally:
        said = place.said("scheduler")
    flows = place.flows()[before:]
    if not flows:
        return [f"no flow within {LATE_S:.0f} s after 05:00; the scheduler said: {said}"]
    early = [flow for flow in flows if flow < due]
    return [f"a flow started {(due - flow).total_seconds():.0f} s early" for flow in early] + (
        [f"{len(flows)} flows started"] if len(flows) > 1 else []
    )


def owned_by_the_person(place: Place) -> Problems:
    """Every file that containers wrote belongs to who started them."""
    return [
        f"{path.relative_to(place.folder)} belongs to {found.st_uid}:{found.st_gid}"
        for name in FOLDERS
        for path in [place.folder / name, *(place.folder / name).rglob("*")]
        if ((found := path.lstat()).st_uid, found.st_gid) != engine.person()
    ]


def modest_configuration(config: dict[str, Any]) -> Problems:
    """No socket of the engine, no port but the API's on loopback, limits everywhere."""
    services: dict[str, dict[str, Any]] = config["services"]
    missing = [f"there is no service {name}" for name in (*JOBS, *SERVICES) if name not in services]
    return missing + [
        f"{name}: {problem}" for name, one in services.items() for problem in _modesty(name, one)
    ]


def _modesty(name: str, service: dict[str, Any]) -> Iterator[str]:
    for volume in service.get("volumes", []):
        yield from _volume(volume)
    for port in service.get("ports", []):
        if name not in PUBLISHES or port.get("host_ip") != "127.0.0.1":
            yield f"publishes {port}"
    if service.get("privileged") or service.get("network_mode") == "host" or service.get("pid"):
        yield "shares what is the host's"
    missing = {"pids_limit", "mem_limit", "init", "read_only", "user"} - service.keys()
    yield from (f"has no {wanted}" for wanted in sorted(missing))
    if (service.get("restart") == "unless-stopped") != (name in SERVICES):
        yield f"restart is {service.get('restart')}"


def _volume(volume: dict[str, Any]) -> Iterator[str]:
    source = str(volume.get("source"))
    if source.endswith(".sock") or source in ("/", "/run", "/var/run"):
        yield f"mounts {source}"
    if volume["type"] == "bind" and volume.get("bind", {}).get("create_host_path"):
        yield f"would let the engine make {source} as root"
