"""The scheduler's container in real time: five o'clock, stops, kills, a day that was missed."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.docker import scenarios
from tests.docker.conftest import MakePlace
from tests.docker.place import Place

_AT_ONCE = 4  # nearly all of it is waiting
SCENARIOS: tuple[Callable[[Place], None], ...] = (
    scenarios.stopped_in_mid_flow,
    scenarios.killed_in_mid_flow,
    scenarios.missed_while_down,
    scenarios.missed_while_suspended,
    scenarios.fires,
    scenarios.fires_in_spring,
    scenarios.meets_a_bad_line,
    scenarios.finds_the_lock_taken,
)


@pytest.fixture(scope="module")
def running(make_place: MakePlace) -> Iterator[dict[str, Future[None]]]:
    """Return what comes of each scenario; they have begun, some at once, each in its own place."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield {play.__name__: pool.submit(play, make_place()) for play in SCENARIOS}


@pytest.mark.parametrize("name", [play.__name__ for play in SCENARIOS])
def test_around_five_o_clock(running: dict[str, Future[None]], name: str) -> None:
    """What the scenario of that name asserts is true."""
    running[name].result(timeout=600)


@pytest.fixture(scope="module")
def asked(make_place: MakePlace) -> Iterator[Place]:
    """Return a place where `make schedule-up` was run; `make schedule-down` ends it."""
    place = make_place()
    done = place.make("schedule-up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.inspected("scheduler", "{{.State.Running}}") == "true"
    yield place
    assert place.make("schedule-down").returncode == 0
    assert place.container("scheduler") == ""


@pytest.mark.parametrize("target", ["schedule-time", "schedule-doctor", "schedule-ps"])
def test_people_can_ask_it(asked: Place, target: str) -> None:
    """The targets that look at a running scheduler answer."""
    done = asked.make(target)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_the_hour_can_be_set_while_it_runs(asked: Place) -> None:
    """`make schedule-set` changes the mounted crontab, and the comments in it stay."""
    before = (asked.folder / "cron/tracklake.cron").read_text(encoding="utf-8")
    done = asked.make("schedule-set", "T=30 6 * * *")
    assert done.returncode == 0, done.stdout + done.stderr
    after = (asked.folder / "cron/tracklake.cron").read_text(encoding="utf-8")
    assert after == before.replace("\n0 5 * * *", "\n30 6 * * *")
    assert "06:30" in asked.make("schedule-time").stdout
