"""Anything may happen between any two calls of a pull: after a quiet list gold is what is shown."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from tests.reliability.machine import LIES, Histories
from tests.reliability.race_edits import KINDS
from tests.reliability.race_killer import puller
from tests.reliability.race_truths import Races

EXAMPLES = int(os.environ.get("RACES_EXAMPLES", "500"))  # noqa: TID251 of tests only
EXPECTED = (
    *("calls", "changes of an account", "quota walls of 15 min", "quota walls of a day"),
    *("bursts of 500", "pulls that were parked", "compactions between pulls"),
    *("pulls in another process that ended with -9", "late between two calls"),
    *("upload between two calls", "delete between two calls", "privatise between two calls"),
    *("publicise between two calls", "crop between two calls", "move between two calls"),
)


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """Return a folder in memory where there is one: thousands of examples wait for no disk."""
    memory = Path("/dev/shm")  # noqa: S108 only a folder for temporary ones
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def test_random_races(quick_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Edits, deletions, late uploads, privacy, walls, errors, lies and kills, between any calls.

    After a quiet list gold holds what the service shows, field by field, nothing landed twice, and
    what is gone has a tombstone; each data folder equals its rebuild from bronze.
    """
    with puller() as started:
        races = Histories.races = Races(quick_folder, started)
        each_kind_once()
        run_state_machine_as_test(
            Histories,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=8,
                deadline=None,
                database=DirectoryBasedExampleDatabase(
                    Path(tempfile.gettempdir()) / "tracklake-races"
                ),
                suppress_health_check=list(HealthCheck),
            ),
        )
    races.compare()
    assert races.wrong == []
    with capsys.disabled():
        told = (f"{count:,} {what}" for what, count in sorted(races.happened.items()) if what)
        print("\nraces:", "; ".join(told))  # noqa: T201 so that it is known what was tried
    assert [what for what in EXPECTED if not races.happened[what]] == []
    assert races.happened["examples"] > EXAMPLES


def each_kind_once() -> None:
    """Live through a history in which everything happens: chance may leave something out."""
    history = Histories()
    options = {"read_all": True, "order": "real", "inclusive": False, "filter_late": False}
    history.begin(count=12, per_page=2, gold_amid=0, **options)
    for number, kind in enumerate(KINDS):
        history.time_passes(30)
        history.pull(everything=True, most_calls=None, amid=[(4, (kind, number))])
    for day in (0, 1):
        history.time_passes(30)
        history.quota_wall_amid_the_next_pull(call=2, read=True, day=day)
        history.pull(everything=True, most_calls=None, amid=[])
    history.time_passes(30)
    history.errors_amid_the_next_pull(call=2, count=12)
    history.pull_of_a_list_that_lies(lie=LIES[1], everything=True, amid=[])
    history.pull_that_is_killed_on_disk(step=3, amid=[])
    history.pull_that_is_killed_at_a_call(call=2, stop=False, amid=[])
    history.teardown()
