"""What people meet when something is missing, full or not theirs: one sentence, the right code."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.docker.conftest import MakePlace
from tests.docker.engine import Done
from tests.docker.place import Place, own

_ROOM = "4g"  # in memory, of which next to nothing is used
_TOOLS = ("bash", "sh", "env", "id", "dirname", "mkdir", "sed", "awk", "grep", "cat", "tr")


def one_sentence(done: Done) -> str:
    """Return what was said last on standard error; it must be for people."""
    assert "Traceback" not in done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip() and "make:" not in line]
    return lines[-1]


@pytest.fixture(scope="module")
def place(make_place: MakePlace) -> Place:
    """Return a place where nothing ran yet."""
    return make_place()


def test_an_engine_that_does_not_answer_is_said(place: Place) -> None:
    """Without an engine the wrapper says so in one sentence, and how to do without."""
    done = place.dc("run", "--rm", "flow", DOCKER_HOST=f"unix://{place.folder}/nothing.sock")
    assert done.returncode != 0
    assert "engine" in one_sentence(done)


def test_a_missing_client_is_said(place: Place, home: Path) -> None:
    """Without the command `docker` the wrapper says so in one sentence."""
    tools = home / "tools"
    if not tools.exists():
        tools.mkdir()
        for name in _TOOLS:
            (tools / name).symlink_to(f"/usr/bin/{name}")
    done = place.dc("run", "--rm", "flow", PATH=str(tools))
    assert done.returncode != 0
    assert "docker" in one_sentence(done).lower()


def test_a_missing_image_is_said(place: Place) -> None:
    """Where nothing was built the wrapper names `make build`."""
    done = place.dc("run", "--rm", "flow", TRACKLAKE_IMAGE=f"{place.project}-nothing:latest")
    assert done.returncode != 0
    assert "make build" in one_sentence(done)


@pytest.mark.usefixtures("root")
def test_a_folder_of_another_user_is_said(make_place: MakePlace) -> None:
    """A data folder that belongs to root ends a flow with a sentence that names both."""
    place = make_place()
    (place.folder / "data").rmdir()
    (place.folder / "data").mkdir(mode=0o755)
    done = place.dc("run", "--rm", "-T", "flow")
    assert done.returncode in (1, 2)
    said = one_sentence(done)
    assert "data" in said
    assert "4321" in said


def test_a_wrong_zone_is_said(place: Place) -> None:
    """A TZ that does not exist ends the scheduler with one sentence that names it."""
    kept = (place.folder / ".env").read_text(encoding="utf-8")
    place.put(".env", "TZ=Nowhere/Typo\n")
    done = place.dc("run", "--rm", "-T", "scheduler", TZ="Nowhere/Typo")
    place.put(".env", kept)
    assert done.returncode == 2
    assert "Nowhere/Typo" in one_sentence(done)


@pytest.fixture
def small_disk(make_place: MakePlace, root: None) -> Place:  # noqa: ARG001 it mounts a disk
    """Return a place with two activities, whose data folder is a disk of its own."""
    place = make_place()
    data = place.folder / "data"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs", str(data)], check=True)
    own(data)
    place.put_activities(range(2))
    first = place.job("flow")
    assert first.returncode == 0, first.stderr
    place.put_activities(range(10, 40))
    return place


def _shrink(place: Place, left_bytes: int) -> None:
    """Make the disk so small that so many bytes are left on it."""
    data = place.folder / "data"
    found = os.statvfs(data)
    size = (found.f_blocks - found.f_bavail) * found.f_frsize + left_bytes
    subprocess.run(["mount", "-o", f"remount,size={size}", str(data)], check=True)


def _grow(place: Place) -> None:
    """Make room again."""
    data = place.folder / "data"
    subprocess.run(["mount", "-o", f"remount,size={_ROOM}", str(data)], check=True)


def test_little_room_is_said_before_anything_is_done(small_disk: Place) -> None:
    """With little room a flow ends with 1 and one sentence, and yesterday's snapshot answers."""
    _shrink(small_disk, left_bytes=10_000_000)
    done = small_disk.job("flow")
    assert done.returncode == 1, done.stderr
    assert "MiB are free" in one_sentence(done)
    assert small_disk.activities() == 2


def test_a_full_disk_leaves_yesterdays_warehouse(small_disk: Place) -> None:
    """A compaction that fills the disk ends with 1 and says so; with room again all is there."""
    assert small_disk.job("pull").returncode == 0
    _shrink(small_disk, left_bytes=50_000)
    full = small_disk.job("compact")
    assert full.returncode == 1, full.stderr
    assert "full" in one_sentence(full) or "space" in one_sentence(full)
    assert small_disk.activities() == 2
    _grow(small_disk)
    again = small_disk.job("flow")
    assert again.returncode == 0, again.stderr
    assert small_disk.activities() == 32
