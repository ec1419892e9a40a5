"""The engine: commands as a person who is not root, and the sweep of what dead runs left.

Everything that these tests make bears the name `tracklake-test-<process id>-…`: projects, images,
folders. `python -m tests.docker.engine` removes what belongs to processes that are gone.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PREFIX = "tracklake-test-"
USER_ID = 4321  # whoever that is: nothing on this machine or in the image knows it
_KEPT = ("PATH", "DOCKER_HOST")
_PROJECT_LABEL = "com.docker.compose.project"

Done = subprocess.CompletedProcess[str]


def is_root() -> bool:
    """Tell whether these tests may act as root where they have to prepare something."""
    return os.geteuid() == 0


def person() -> tuple[int, int]:
    """Return the user and group id under which commands run: not root's, even for root."""
    return (USER_ID, USER_ID) if is_root() else (os.getuid(), os.getgid())


def run(
    *command: str, folder: Path, more: Mapping[str, str] | None = None, timeout_s: float = 300
) -> Done:
    """Run a command as the person, to its end; its environment is small and known.

    The person's home is beside the folder (`make_home`).
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}  # noqa: TID251 a child needs these
    identity: dict[str, Any] = {}
    if is_root():
        socket = Path(
            kept.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
        )
        groups = [socket.stat().st_gid] if socket.exists() else []
        identity = {"user": USER_ID, "group": USER_ID, "extra_groups": groups}
    done: Done = subprocess.run(
        command,
        cwd=folder,
        env={"HOME": str(folder.parent / "person"), **kept, **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        **identity,
    )
    return done


def make_home(place: Path) -> None:
    """Make the person's home in a folder: what the docker command writes, and its plugins."""
    plugins = place / "person" / ".docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    config = os.environ.get("DOCKER_CONFIG")  # noqa: TID251 of who runs the tests, who may be root
    for plugin in Path(config, "cli-plugins").glob("*") if config else ():
        (plugins / plugin.name).symlink_to(plugin.resolve())
    for path in (place / "person", plugins.parent, plugins):
        os.chown(path, *person())


def docker(*arguments: str, timeout_s: float = 300) -> Done:
    """Run `docker` as whoever runs the tests."""
    return subprocess.run(
        ["docker", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def version() -> str | None:
    """Return the version of the engine that answers; None where none does."""
    if shutil.which("docker") is None:
        return None
    done = docker("version", "--format", "{{.Server.Version}}", timeout_s=30)
    return done.stdout.strip() if done.returncode == 0 else None


def remove_project(project: str) -> None:
    """Remove the containers and networks of a compose project, whatever state they are in."""
    label = f"label={_PROJECT_LABEL}={project}"
    for kind in (["ps", "-aq"], ["network", "ls", "-q"], ["volume", "ls", "-q"]):
        found = docker(*kind, "--filter", label).stdout.split()
        if found:
            removal = ["rm", "-f", "-v"] if kind[0] == "ps" else [kind[0], "rm"]
            docker(*removal, *found)


def remove_folder(folder: Path) -> None:
    """Remove a folder of these tests and what was mounted in it."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    for line in reversed(mounts):
        target = line.split()[1]
        if target.startswith(f"{folder}/"):
            subprocess.run(["umount", target], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _is_dead(name: str) -> bool:
    found = re.match(rf"{PREFIX}(\d+)", name)
    return found is not None and not Path(f"/proc/{found[1]}").exists()


def _left_over(of: str) -> Iterator[str]:
    formats = {
        "projects": ("ps", "-a", "--format", f'{{{{.Label "{_PROJECT_LABEL}"}}}}'),
        "networks": ("network", "ls", "--format", f'{{{{.Label "{_PROJECT_LABEL}"}}}}'),
        "images": ("image", "ls", "--format", "{{.Repository}}:{{.Tag}}"),
    }
    yield from (name for name in set(docker(*formats[of]).stdout.split()) if _is_dead(name))


def sweep() -> list[str]:
    """Remove what runs left that were killed; return the names."""
    swept = []
    for project in {*_left_over("projects"), *_left_over("networks")}:
        remove_project(project)
        swept.append(project)
    for image in _left_over("images"):
        docker("image", "rm", "-f", image)
        swept.append(image)
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_dead(folder.name):
            remove_folder(folder)
            swept.append(str(folder))
    return swept


if __name__ == "__main__":
    for name in sweep():
        sys.stdout.write(f"removed what a run that died had left: {name}\n")
