"""`tracklake map` as a person meets it: addresses, sentences, Ctrl-C."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import requests


def environment(place: Path, **more: str) -> dict[str, str]:
    """Return an environment whose data lies in `place`."""
    return {
        **os.environ,  # noqa: TID251 a child needs PATH and the like
        "TRACKLAKE_DATA_DIR": str(place / "data"),
        **more,
    }


@contextlib.contextmanager
def started(place: Path, *options: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command and wait for its address; at the end it is gone, whatever happened."""
    with subprocess.Popen(
        [sys.executable, "-m", "tracklake", "map", "--port", "0", *options],
        env=environment(place, **more),
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            found = re.search(r"http://\S+/map/", said)
            assert found, said
            yield process, found[0]
        finally:
            process.kill()


def refused(place: Path, *options: str, **more: str) -> str:
    """Run the command where it must not start; return its one sentence."""
    done = subprocess.run(
        [sys.executable, "-m", "tracklake", "map", *options],
        env=environment(place, **more),
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    return done.stderr


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    """It says where the map is, answers there, and on Ctrl-C ends with 0 and without a word."""
    with started(tmp_path) as (process, address):
        assert address.startswith("http://127.0.0.1:")
        answer = requests.get(f"{address}config.json", timeout=20)
        assert answer.json() == {"public": False, "basemap": None}
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_ctrl_c_while_somebody_downloads(tmp_path: Path) -> None:
    """A download that never ends does not keep it from ending, and is no error."""
    tiles = tmp_path / "data" / "tiles"
    tiles.mkdir(parents=True)
    with (tiles / "all.pmtiles").open("wb") as file:
        file.truncate(200_000_000)
    with (
        started(tmp_path) as (process, address),
        requests.get(address.replace("map/", "tiles/all.pmtiles"), stream=True, timeout=20) as got,
    ):
        assert next(got.iter_content(100_000))
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_taken_port(tmp_path: Path) -> None:
    """A port that is in use: one sentence names another, code 2."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(tmp_path, "--port", str(port))
    assert said.startswith(f"tracklake: port {port} is taken")
    assert "--port" in said


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    """A host that is not this machine's: one sentence, code 2."""
    assert "--host" in refused(tmp_path, "--port", "0", "--host", "192.0.2.1")


def test_a_basemap_that_is_none(tmp_path: Path) -> None:
    """A basemap that cannot be read is refused at the start, by option or by setting."""
    assert "nowhere.pmtiles" in refused(tmp_path, "--basemap", "nowhere.pmtiles")
    assert "ftp://a/b" in refused(tmp_path, TRACKLAKE_BASEMAP="ftp://a/b")


def test_options_reach_the_page(tmp_path: Path) -> None:
    """--public and --basemap are what the page is told; the option goes before the setting."""
    elsewhere = "https://tiles.example/a.pmtiles"
    options = ("--public", "--basemap", elsewhere)
    with started(tmp_path, *options, TRACKLAKE_BASEMAP="https://tiles.example/b") as (_, address):
        answer = requests.get(f"{address}config.json", timeout=20)
    assert answer.json() == {"public": True, "basemap": elsewhere}


def test_it_opens_the_browser(tmp_path: Path) -> None:
    """--open hands the address to the browser, once it answers."""
    browser = tmp_path / "browser"
    os.mkfifo(tmp_path / "asked")
    browser.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/asked"\n')
    browser.chmod(0o755)
    with started(tmp_path, "--open", BROWSER=str(browser)) as (_, address):
        assert (tmp_path / "asked").read_text() == f"{address}\n"


def test_it_warns_when_others_can_look(tmp_path: Path) -> None:
    """Listening beyond this machine, it says what others see; with --public it need not."""
    for options, warned in (((), True), (("--public",), False)):
        with started(tmp_path, "--host", "0.0.0.0", *options) as (process, address):  # noqa: S104
            assert address.startswith("http://localhost:")
            process.send_signal(signal.SIGINT)
            process.wait(20)
            assert process.stderr is not None
            assert ("all your tracks" in process.stderr.read()) == warned
