"""The doctor of the host: each thing that is wrong around Tracklake is found, alone."""

import re
from pathlib import Path

import pytest

from tests.docker_stand_in import Checkout, Done, executable


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a checkout whose engine answers and whose image is there."""
    return Checkout(tmp_path)


def _doctor(checkout: Checkout, **environment: str) -> Done:
    return checkout.run("scripts/doctor_host", **environment)


def test_a_sound_machine_is_well(checkout: Checkout) -> None:
    """Where nothing is wrong the doctor of the host says so, with exit code 0."""
    done = _doctor(checkout)
    assert (done.code, re.findall(r"^BAD", done.out, re.MULTILINE)) == (0, []), done.out
    assert "there is none, so the defaults hold: cp .env.example .env" in done.out


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (".env", "STRAVA_CLIENT_SECRET=a$b\n", "single quotes"),
        (".env", "TZ=Europe/Nowhere\n", "Europe/Nowhere is no time zone"),
        (".env", "TRACKLAKE_LOGS_DIR=/dev/null/logs\n", "cannot be made"),
        ("data", "", "is no folder"),
        ("bin/no-engine", "Cannot connect", "no engine answers"),
        ("bin/no-engine", "permission denied", "usermod -aG docker"),
        ("bin/no-compose", "", "docker has no compose"),
        ("bin/security", "[name=userns]", "userns-remap"),
        ("bin/image", "1-2\n", "make build"),
    ],
)
def test_what_is_wrong_on_the_host_is_one_finding(
    checkout: Checkout, file: str, text: str, said: str
) -> None:
    """Each mistake is found, alone, with what to do about it, and is exit code 1."""
    path = checkout.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    done = _doctor(checkout, RUNNER="docker")
    bad = re.findall(r"^BAD .*\n +-> .*", done.out, re.MULTILINE)
    assert (len(bad), done.code) == (1, 1), done.out
    assert said in bad[0]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".env", "TRACKLAKE_ATHLETE=me\r\n"),
        ("cron/tracklake.cron", "0 5 * * * tracklake flow\r\n"),
    ],
)
def test_line_ends_of_windows_are_no_mistake(checkout: Checkout, file: str, text: str) -> None:
    """Everything that reads these files takes CRLF, so it is said and nothing is to be done."""
    path = checkout.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    done = _doctor(checkout, RUNNER="docker")
    assert done.code == 0, done.out
    assert re.search(r"^note .*CRLF.*understood$", done.out, re.MULTILINE)


def test_a_full_disk_is_found(checkout: Checkout) -> None:
    """Too little room is said before a flow runs out of it."""
    executable(
        checkout.bin / "df",
        '#!/bin/sh\necho "Filesystem 1024-blocks Used Available Capacity Mounted"\n'
        'echo "/dev/x 1000000 999000 1000 100% /"\n',
    )
    done = _doctor(checkout)
    assert "BAD  disk: 0 MB are left" in done.out
    assert done.code == 1


def test_a_folder_of_somebody_else_is_found(checkout: Checkout) -> None:
    """A file that an old run as root left behind is named, with the command that mends it."""
    (checkout.folder / "data").mkdir()
    (checkout.folder / "data" / "left").touch()
    executable(
        checkout.bin / "find", '#!/bin/sh\ncase "$*" in "data "*user*) echo data/left ;; esac\n'
    )
    done = _doctor(checkout)
    assert re.search(r"data/left belongs to \S+, not to \S+\n +-> sudo chown -R", done.out)


def test_locally_docker_is_only_noted(checkout: Checkout) -> None:
    """Who runs without Docker is not ill for lack of it."""
    (checkout.bin / "no-engine").write_text("Cannot connect")
    done = _doctor(checkout, RUNNER="local")
    assert (done.code, "note docker: no engine answers" in done.out) == (0, True)
