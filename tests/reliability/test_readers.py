"""Readers never block the writer, nor the writer readers: fifty of them during twenty flows."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from tests.conftest import REPOSITORY
from tests.serving_place import Asker
from tests.sources.strava_place import Place, opened
from tests.upstream.quota import Limits

FLOWS = 20
PLENTY = Limits(10**6, 10**6, 10**6, 10**6)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place after its first flow; each activity has as many kudos as there were flows."""
    with opened(tmp_path, activities=6, points=5, limits=PLENTY) as found:
        found.settings_given["sources"] = "strava"
        next_generation(found, 1)
        yield found


def next_generation(place: Place, number: int) -> None:
    """Let every activity have `number` kudos, and one more appear; run a flow."""
    account = place.upstream.account
    place.advance(hours=2)  # all stay within the days that are looked back
    account.upload()
    for item in account.items.values():
        item.kudos = number
    account.version += 1
    report = place.flow()
    assert report.compact is not None
    assert report.compact.published


def readers(place: Place) -> "subprocess.Popen[str]":
    """Start fifty readers and a shell, and wait until they are about to read."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.race_readers", str(place.folders.data)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def environment(place: Place) -> dict[str, str]:
    """Return what a command needs."""
    return {**os.environ, "TRACKLAKE_DATA_DIR": str(place.folders.data)}  # noqa: TID251 a child's


def ask_by_command(place: Place) -> None:
    """Ask by `tracklake sql`."""
    query = "select count(*), min(kudos_count) = max(kudos_count) from activities"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tracklake", "sql", query],
        env=environment(place),
        cwd=place.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "true" in done.stdout.lower()


@contextlib.contextmanager
def api(place: Place) -> Iterator[Asker]:
    """Run `tracklake api`."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "tracklake", "api", "--bind", "127.0.0.1:0"],
        env=environment(place),
        cwd=place.folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert port is not None
        try:
            yield Asker(int(port[1]))
        finally:
            process.send_signal(signal.SIGTERM)


@contextlib.contextmanager
def asked(place: Place) -> Iterator[Counter[str]]:
    """Ask by `tracklake sql` and by HTTP all the while, without an error; yield how often."""
    done, often = threading.Event(), Counter[str]()

    def by_command() -> None:
        while not done.wait(2.0):
            ask_by_command(place)
            often["tracklake sql"] += 1

    def by_http(ask: Asker) -> None:
        while not done.wait(0.5):
            assert ask("/health").status in (200, 503)  # what it says is not the point here
            assert ask("/health/ready").status == 200
            often["/health"] += 1

    with api(place) as ask, ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(by_command), pool.submit(by_http, ask)]
        try:
            yield often
        finally:
            done.set()
        for one in asking:
            one.result()


def test_fifty_readers_and_an_open_shell_during_twenty_flows(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """No error on either side; each answer is of one generation; the shell keeps what it opened.

    `tracklake sql` is started again and again, and /health asked, all the while.
    """
    with readers(place) as process, asked(place) as often:
        for number in range(2, FLOWS + 2):
            next_generation(place, number)
        told = orjson.loads(process.communicate(timeout=300)[0])
    assert [error for one in told for error in one["errors"]] == []
    assert len(told) == 51
    assert min(one["looks"] for one in told) > 0
    seen = {generation for one in told[:50] for generation in one["generations"]}
    assert len(seen) > FLOWS // 4
    assert place.differences() == []
    with capsys.disabled():
        looks = sum(one["looks"] for one in told)
        print(f"\nreaders: {looks} looks at {len(seen)} generations, {dict(often)}")  # noqa: T201
