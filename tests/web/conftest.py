"""What tests of the page may ask for: data, servers, a browser."""

import html
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.web import harness
from tests.web.harness import MapServer, Visit
from tracklake import config
from tracklake.config import Folders

# A name is what somebody else may have written; GPX carries it.
HOSTILE_NAME = "<img src=x onerror=document.title='owned'>"
_GPX = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1"><trk><name>{name}</name>
<type>hiking</type><trkseg>{points}</trkseg></trk></gpx>
"""
_POINT = (
    '<trkpt lat="{lat:.6f}" lon="{lng:.6f}"><ele>{ele:.1f}</ele>'
    "<time>{year}-10-11T09:{minute:02}:{second:02}Z</time></trkpt>"
)
_EVERY = 6  # of the sample athlete's files: about sixty activities in four calendar years
_LATER = 4  # of them come after the first flow


def _walk(path: Path, name: str, year: int, lng: float, lat: float) -> Path:
    """Write half an hour's walk to the northeast."""
    points = "".join(
        _POINT.format(
            lat=lat + second * 5e-6,
            lng=lng + second * 6e-6,
            ele=20 + second / 40,
            year=year,
            minute=second // 60,
            second=second % 60,
        )
        for second in range(0, 1800, 5)
    )
    path.write_text(_GPX.format(name=html.escape(name), points=points), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def map_lake(tmp_path_factory: pytest.TempPathFactory, sample_inbox: Path) -> Folders:
    """Return the folders after two flows over some sixty activities; nobody writes there.

    Points are found by who stands at the folder above, as the servers do.

    The second flow finds a few files more, so that there is an overlay of recent tracks.
    """
    place = tmp_path_factory.mktemp("map")
    files = sorted(path for path in sample_inbox.rglob("*") if path.is_file())[::_EVERY]
    island = _walk(place / "island.gpx", "Long ago, on an island", 2022, lng=2.65, lat=39.57)
    city = _walk(place / "city.gpx", HOSTILE_NAME, 2026, lng=2.16, lat=41.39)
    _run_flow(place, [island, *files[:-_LATER]])
    return _run_flow(place, [city, *files[-_LATER:]])


def _run_flow(place: Path, files: Sequence[Path]) -> Folders:
    """Put files into an inbox and run a flow over it.

    It stands at the place and calls its folder `data`, so that a copy elsewhere is as good.
    """
    _, folders = config.load(
        data_dir=place / "data", logs_dir=place / "logs", secrets_dir=place / "secrets"
    )
    folders.inbox.mkdir(parents=True, exist_ok=True)
    for path in files:
        shutil.copy2(path, folders.inbox / f"{len(list(folders.inbox.iterdir())):03}-{path.name}")
    done = subprocess.run(
        [sys.executable, "-m", "tracklake", "flow"],
        env=harness.environment(TRACKLAKE_SOURCES="files"),
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folders


@pytest.fixture
def map_copy(map_lake: Folders, tmp_path: Path) -> Path:
    """Return a place whose `data` is a copy that the test may change."""
    shutil.copytree(map_lake.data, tmp_path / "data")
    return tmp_path


class Serve(Protocol):
    """Starts another `tracklake map` over the data folder of a place; ended with the test."""

    def __call__(self, *arguments: str, place: Path | None = None, **settings: str) -> MapServer:
        """Give the options of the command, and settings such as TRACKLAKE_BASEMAP."""


@pytest.fixture
def serve(map_lake: Folders) -> Iterator[Serve]:
    """Start servers with other options or another data folder (place / "data")."""
    started: list[MapServer] = []

    def start(*arguments: str, place: Path | None = None, **settings: str) -> MapServer:
        server = MapServer(place or map_lake.data.parent, *arguments, **settings)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def map_server(map_lake: Folders) -> Iterator[MapServer]:
    """Return a running `tracklake map` over `map_lake`."""
    server = MapServer(map_lake.data.parent)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the system's Chromium; without it CI fails and others are told."""
    executable = harness.chromium()
    if executable is None:
        message = "there is no Chromium here (Debian, Ubuntu: apt-get install chromium)"
        if os.environ.get("CI"):  # noqa: TID251 tests may ask whether they run in CI
            pytest.fail(message)
        pytest.skip(f"THE PAGE IS NOT TESTED: {message}")
    with sync_playwright() as playwright:
        browser = harness.launch(playwright, executable)
        yield browser
        browser.close()


class OpenMap(Protocol):
    """Opens the page in a browser of its own and waits for the first view."""

    def __call__(
        self,
        fragment: str = "",
        *,
        size: tuple[int, int] = (1440, 900),
        dark: bool = False,
        touch: bool = False,
        server: MapServer | None = None,
        before: Callable[[Page], object] | None = None,
    ) -> Visit:
        """fragment: "#…"; before: called with the empty tab, to set up what it needs."""


@pytest.fixture
def open_map(
    browser: Browser, map_server: MapServer, request: pytest.FixtureRequest
) -> Iterator[OpenMap]:
    """Open the page; at the end keep pictures and refuse strangers and errors."""
    visits: list[Visit] = []
    test = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")

    def open_one(
        fragment: str = "",
        *,
        size: tuple[int, int] = (1440, 900),
        dark: bool = False,
        touch: bool = False,
        server: MapServer | None = None,
        before: Callable[[Page], object] | None = None,
    ) -> Visit:
        name = f"{test}-{len(visits) + 1}" if visits else test
        url = (server or map_server).url
        visit = harness.open_visit(browser, url, name, size, dark=dark, touch=touch)
        visits.append(visit)
        if before is not None:
            before(visit.page)
        visit.goto(fragment)
        return visit

    yield open_one
    for visit in visits:
        visit.shot(visit.name)
        visit.page.context.close()
    assert [url for visit in visits for url in visit.foreign] == []
    assert [problem for visit in visits for problem in visit.problems] == []


@pytest.fixture
def page(open_map: OpenMap) -> Page:
    """Return the page as it is when it is opened."""
    return open_map().page
