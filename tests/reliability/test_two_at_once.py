"""Several commands on one data folder at once, as processes; settings that change meanwhile.

That a second scheduler on one data folder is refused, is proved in test_scheduler_process.py.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.race_flows import LONG_S, Household, ended, household
from tests.upstream.strava import StravaUpstream

BUSY = 75


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    """Return a folder that is set up, and has seen no flow yet."""
    with household(tmp_path / "home") as found:
        yield found


def test_the_second_of_two_flows_says_so_and_the_first_goes_on(home: Household) -> None:
    """While one is in mid-call, the other ends with 75 and a sentence; the first ends with 0."""
    with home.held_up(2) as (come, go):
        first = home.start("flow")
        assert come.wait(LONG_S)
        code, said = home.run("flow")
        assert (code, "another flow is at work" in said) == (BUSY, True)
        assert home.run("status")[0] == 0
        go.set()
        assert ended(first)[0] == 0
    assert home.place.differences() == []
    assert home.place.state("select count(*) from sessions") == [(1,)]


def test_the_next_flow_takes_the_lock_of_one_that_was_killed(home: Household) -> None:
    """After SIGKILL of the holder nothing has to be removed or waited for."""
    with home.held_up(2) as (come, go):
        first = home.start("flow")
        assert come.wait(LONG_S)
        os.killpg(first.pid, signal.SIGKILL)
        assert ended(first)[0] == -signal.SIGKILL
        go.set()
    code, said = home.run("flow")
    assert (code, "at work" in said) == (0, False)
    assert home.place.differences() == []
    rows = home.place.state("select state from sessions where state in ('running', 'fetching')")
    assert rows == []


def test_all_commands_at_once(home: Household) -> None:
    """Beside a flow pull, enrich, compact, backup and restore end with 75; then begun together, and
    again where they are turned away, each ends with 0, and gold comes to what the service shows.
    """
    assert home.run("flow")[0] == 0
    assert home.run("backup", "create")[0] == 0
    home.upstream.account.upload()
    waiting = [("backup", "restore"), ("pull",), ("enrich",), ("backup", "create"), ("compact",)]
    with home.held_up(1) as (come, go):
        first = home.start("flow")
        assert come.wait(LONG_S)
        turned_away = [ended(process) for process in [home.start(*words) for words in waiting]]
        assert [told for told in turned_away if told[0] != BUSY] == []
        go.set()
        assert ended(first)[0] == 0
    for _ in range(len(waiting)):  # each time one at least gets the lock
        started = [(words, home.start(*words)) for words in waiting]
        codes = [(words, *ended(process)) for words, process in started]
        assert [told for told in codes if told[1] not in (0, BUSY)] == []
        waiting = [words for words, code, _ in codes if code == BUSY]
    assert waiting == []
    code, said = home.run("flow", "--backfill")
    assert code == 0, said
    assert home.place.differences() == []


def test_a_flow_goes_on_with_the_settings_it_began_with(home: Household, tmp_path: Path) -> None:
    """An `.env` that is changed in mid-flow counts from the next flow on."""
    with StravaUpstream(clock=home.upstream.clock, activities=2, points=5) as other:
        with home.held_up(2) as (come, go):
            first = home.start("flow")
            assert come.wait(LONG_S)
            elsewhere = str(tmp_path / "elsewhere")
            home.settings(**other.environment(), TRACKLAKE_DATA_DIR=elsewhere)
            go.set()
            assert ended(first)[0] == 0
        assert other.calls == []
        assert not Path(elsewhere).exists()
        assert home.place.differences() == []
        secrets = home.folder / "secrets" / "strava_token.json"
        secrets.unlink()  # it is the first service's
        code, said = home.run("flow")
        assert code == 0, said
        assert other.calls
        assert (Path(elsewhere) / "warehouse" / "tracklake.duckdb").exists()
