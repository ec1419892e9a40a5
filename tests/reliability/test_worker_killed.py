"""A process that reads files is killed from outside: no file is set aside for that."""

import os
import signal
from pathlib import Path

from tests.sources.inbox import Inbox, fit_bytes
from tracklake import quarantine
from tracklake.intake.workers import Limits, Task, Workers


def die_once(mark: Path) -> str:
    """End this worker as the kernel does when memory runs out; the next time, do not."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "read"


def test_a_worker_that_was_killed_once_costs_nothing(tmp_path: Path) -> None:
    """What it was reading is read again by another one, alone and among others."""
    with Workers(1, Limits()) as workers:
        assert workers.done(Task(die_once, (tmp_path / "alone",), 0)).result() == "read"
        tasks = [Task(die_once, (tmp_path / f"{number}",), 0) for number in range(3)]
        done = [future.result() for _, future in workers.all_done(tasks)]
    assert done == ["read"] * 3


def test_what_was_killed_twice_is_tried_again_by_the_very_next_run(tmp_path: Path) -> None:
    """The first gap of such an item is none; the second is as long as that of any other."""
    inbox = Inbox(tmp_path)
    item = quarantine.Item(
        item_id="1", source="files", item="1.fit", reason="decoder_killed", message="died"
    )
    session = inbox.session()
    try:
        quarantine.set_aside(session, item)
        assert quarantine.resting(session, "files") == set()
        quarantine.set_aside(session, item)
        assert quarantine.resting(session, "files") == {"1"}
    finally:
        session.state.close()
    inbox.put("1.fit", fit_bytes())
    assert inbox.pull().quarantined == 0
