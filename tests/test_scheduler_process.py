"""The scheduler at work: real processes, real signals, a clock that is set to just before 05:00."""

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from tests.shifted_scheduler import clock_at
from tracklake.clock import UTC, SystemClock
from tracklake.errors import Busy, ConfigError
from tracklake.scheduling import crontab_file, loop, rules, sign_of_life, state_file
from tracklake.scheduling.plan import Plan

BEFORE_FIVE = dt.datetime(2026, 5, 2, 3, 59, 59, 400_000, UTC)  # 05:00 in London is near
HOUR = dt.timedelta(hours=1)
_SOON_S = 30.0  # a busy machine is not a defect

# The stand-in for `tracklake flow` says what it is run with, and then what the test wants.
_SAYS = "import sys; print('ran', *sys.argv[1:]); print('twice', file=sys.stderr); "


def _command(then: str = "") -> list[str]:
    return [sys.executable, "-u", "-c", _SAYS + then]


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    """Return a plan with the usual crontab in folders of its own."""
    (tmp_path / "tracklake.cron").write_text("0 5 * * * tracklake flow --backfill # flow\n")
    made = Plan(
        crontab=str(tmp_path / "tracklake.cron"),
        zone="Europe/London",
        data=str(tmp_path / "data"),
        logs=str(tmp_path / "logs"),
        catch_up_hours=20,
    )
    yield made
    sign_of_life.withdraw(tmp_path / "data")


def _log(plan: Plan) -> str:
    path = Path(plan.logs) / "scheduler" / "cron.log"
    return path.read_text() if path.exists() else ""


def _until(condition: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + _SOON_S
    while not condition() and time.monotonic() < ends_s:
        threading.Event().wait(0.02)
    assert condition(), "it did not come to that in time"


def _says(plan: Plan, text: str, times: int = 1) -> Callable[[], bool]:
    return lambda: _log(plan).count(text) >= times


@contextlib.contextmanager
def _stopped_when(condition: Callable[[], bool]) -> Iterator[None]:
    """Send ourselves SIGTERM as soon as a condition holds, or after a long while."""

    def watch() -> None:
        with contextlib.suppress(AssertionError):
            _until(condition)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    thread.join()


def _known(plan: Plan, moment: dt.datetime) -> None:
    """Have started once before a moment: on a busy machine a start may take past 05:00."""
    path = state_file.path_of(plan.state_folder)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = crontab_file.load(Path(plan.crontab))
        state_file.save(plan.state_folder, rules.noticed({}, lines, plan.zone, moment))


def _work(plan: Plan, moment: dt.datetime, until: str, then: str = "") -> str:
    """Have a scheduler work here from a moment on, until its log says something; return the log."""
    _known(plan, moment)
    scheduler = loop.Scheduler(plan, clock_at(moment), _command(then))
    with _stopped_when(_says(plan, until)):
        scheduler.work()
    return _log(plan)


def _start(plan: Plan, moment: dt.datetime, then: str = "") -> subprocess.Popen[bytes]:
    _known(plan, moment)
    shift_s = (moment - SystemClock().now()).total_seconds()
    module = [sys.executable, "-m", "tests.shifted_scheduler"]
    return subprocess.Popen(
        [*module, plan.packed().decode(), str(shift_s), *_command(then)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _last(plan: Plan) -> tuple[dt.datetime, int | None] | None:
    kept, _ = state_file.load(plan.state_folder)
    (entry,) = kept.values()
    return (entry.last.slot, entry.last.exit_code) if entry.last else None


FIVE = dt.datetime(2026, 5, 2, 4, tzinfo=UTC)


def test_it_runs_at_five_with_the_words_of_its_line(plan: Plan) -> None:
    """The command runs once at 05:00 local time, its output lies in the log with the time."""
    log = _work(plan, BEFORE_FIVE, "ended after")
    assert log.count("flow      ran flow --backfill") == 1
    assert "2026-05-02 05:00:00+0100 flow      twice" in log
    assert "begins, for Sat 2026-05-02 05:00 BST\n" in log
    assert "exit code 0: done" in log
    assert _last(plan) == (FIVE, 0)
    again = _work(plan, FIVE + HOUR, "next: Sun 2026-05-03 05:00 BST")
    assert again.count("begins") == 1, "a restart runs nothing twice"


def test_a_failed_flow_is_entered_and_not_repeated(plan: Plan) -> None:
    """An exit code that is not 0 is in the log in words, and the slot is done with."""
    log = _work(plan, BEFORE_FIVE, "ended after", "sys.exit(3)")
    assert "exit code 3: a source needs a new login" in log
    assert _last(plan) == (FIVE, 3)


def test_a_busy_lock_is_said_and_waited_for(plan: Plan) -> None:
    """Exit code 75 leaves the slot open and says when it is tried again."""
    log = _work(plan, BEFORE_FIVE, "tried again at", "sys.exit(75)")
    assert "another flow held the lock" in log
    assert "tried again at Sat 2026-05-02 05:01 BST" in log
    kept, _ = state_file.load(plan.state_folder)
    assert [entry.open.busy for entry in kept.values() if entry.open] == [1]


def test_a_command_that_cannot_be_started_is_a_failed_run(plan: Plan) -> None:
    """A missing program does not end the scheduler."""
    _known(plan, BEFORE_FIVE)
    scheduler = loop.Scheduler(plan, clock_at(BEFORE_FIVE), ["/nowhere/python"])
    with _stopped_when(_says(plan, "could not be started")):
        scheduler.work()
    assert _last(plan) == (FIVE, 126)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_mid_flow_ends_both_and_the_slot_is_caught_up(
    plan: Plan, number: signal.Signals
) -> None:
    """Both end at once with exit code 0, nothing is lost, and the next start runs it again."""
    process = _start(plan, BEFORE_FIVE, "import time; time.sleep(60)")
    _until(_says(plan, "flow --backfill\n"))
    began_s = time.monotonic()
    process.send_signal(number)
    _, complaint = process.communicate(timeout=_SOON_S)
    assert (process.returncode, complaint) == (0, b"")
    assert time.monotonic() - began_s < 4
    assert f"{number.name}: stopping" in _log(plan)
    assert _last(plan) is None
    log = _work(plan, FIVE + 4 * HOUR, "exit code 0: done")
    assert "for Sat 2026-05-02 05:00 BST was broken off" in log
    assert "begins, for Sat 2026-05-02 05:00 BST, caught up" in log
    assert _last(plan) == (FIVE, 0)


def test_a_flow_that_ignores_the_request_is_killed_with_its_children(plan: Plan) -> None:
    """The whole thing ends within eight seconds, whatever the command does, and leaves nobody."""
    stubborn = (
        "import os, signal, subprocess; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']); "
        "print('pids', os.getpid(), child.pid); child.wait()"
    )
    process = _start(plan, BEFORE_FIVE, stubborn)
    _until(_says(plan, "pids"))
    pids = _log(plan).split("pids ")[1].split("\n")[0].split()
    began_s = time.monotonic()
    process.terminate()
    process.communicate(timeout=_SOON_S)
    assert process.returncode == 0
    assert 6 < time.monotonic() - began_s < 8
    _until(lambda: not any(_is_alive(int(pid)) for pid in pids))


def _is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_flow_that_ended_by_itself_while_stopping_is_done(plan: Plan) -> None:
    """Who finishes in the seconds that are granted is not run again."""
    deaf = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
    process = _start(plan, BEFORE_FIVE, deaf + "print('ready'); time.sleep(60)")
    _until(_says(plan, "ready"))
    process.terminate()
    process.communicate(timeout=_SOON_S)
    assert _last(plan) == (FIVE, 0)


def test_killed_with_its_flow_it_catches_up(plan: Plan) -> None:
    """After SIGKILL, as by a power cut, the next start runs the slot again, and once."""
    process = _start(
        plan,
        BEFORE_FIVE,
        "import os; print('pid', os.getpid()); sys.stdin.read(); import time; time.sleep(60)",
    )
    _until(_says(plan, "pid "))
    flow_id = int(_log(plan).split("pid ")[1].split()[0])
    process.kill()
    process.communicate()
    os.kill(flow_id, signal.SIGKILL)
    log = _work(plan, FIVE + HOUR, "exit code 0: done")
    assert log.count("begins") == 2
    assert _last(plan) == (FIVE, 0)


def test_only_one_scheduler_works_on_a_data_folder(plan: Plan) -> None:
    """A second one says so with exit code 75, and the first goes on."""
    process = _start(plan, BEFORE_FIVE - HOUR)
    _until(_says(plan, "next: "))
    with pytest.raises(Busy, match="another scheduler is at work"):
        loop.Scheduler(plan, SystemClock(), _command()).work()
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=_SOON_S)


def test_an_edit_counts_within_seconds_and_a_bad_one_is_loud(plan: Plan) -> None:
    """A bad edit is in the log and makes it unhealthy, the schedule goes on; a good one counts."""
    process = _start(plan, BEFORE_FIVE - 10 * HOUR)
    data = Path(plan.data)
    clock = clock_at(BEFORE_FIVE - 10 * HOUR)
    path = Path(plan.crontab)

    def edit(text: str) -> None:
        new = path.with_name("new")
        new.write_text(text)
        new.replace(path)
        # It looks every ten seconds; a signal that nobody minds makes it look now.
        for _ in range(2):
            threading.Event().wait(0.3)
            process.send_signal(signal.SIGCHLD)

    _until(_says(plan, "next: "))
    _until(lambda: sign_of_life.judged(sign_of_life.read(data), clock.now())[0])
    edit("0 5 * * * tracklake flow\n0 77 * * * tracklake tiles\n")
    _until(_says(plan, "PROBLEM: "))
    assert "line 2: the hour `77`" in _log(plan)
    _until(lambda: not sign_of_life.judged(sign_of_life.read(data), clock.now())[0])
    edit("15 6 * * * tracklake flow\n")
    _until(_says(plan, "15 6 * * * tracklake flow; next: "))
    _until(_says(plan, "the problem is gone"))
    process.terminate()
    process.communicate(timeout=_SOON_S)
    assert "begins" not in _log(plan)


def test_two_lines_at_the_same_time_run_one_after_the_other(plan: Plan) -> None:
    """There is never more than one command at work; both run."""
    Path(plan.crontab).write_text("0 5 * * * tracklake flow\n0 5 * * * tracklake tiles\n")
    _known(plan, BEFORE_FIVE)
    scheduler = loop.Scheduler(plan, clock_at(BEFORE_FIVE), _command())
    with _stopped_when(_says(plan, "ended after", 2)):
        scheduler.work()
    said = [line.split(maxsplit=3)[3] for line in _log(plan).splitlines() if "`tracklake" in line]
    assert [text.split()[1].strip("`") for text in said] == ["flow", "flow", "tiles", "tiles"]
    assert [text.split()[2] for text in said] == ["begins,", "ended"] * 2


def test_a_damaged_state_is_said_and_counts_from_now(plan: Plan) -> None:
    """A state file that is no JSON costs what was missed, is named, and is written anew."""
    plan.state_folder.mkdir(parents=True)
    state_file.path_of(plan.state_folder).write_bytes(b"{")
    log = _work(plan, FIVE + HOUR, "next: ")
    assert "scheduler.json is damaged" in log
    assert state_file.load(plan.state_folder)[1] == ""


def test_a_slot_that_is_too_old_is_said(plan: Plan) -> None:
    """What is not caught up any more leaves a line in the log."""
    _work(plan, BEFORE_FIVE - HOUR, "next: ")
    log = _work(plan, FIVE + 21 * HOUR, "not caught up")
    assert "`tracklake flow --backfill` missed by more than 20 hours; not caught up" in log
    assert "begins" not in log


def test_a_bad_crontab_stops_it_at_the_start(plan: Plan) -> None:
    """It refuses before anything is written."""
    Path(plan.crontab).write_text("0 5 * * * tracklake nothing\n")
    with pytest.raises(ConfigError, match="line 1"):
        loop.Scheduler(plan, SystemClock(), _command())
    assert not Path(plan.data).exists()


def test_old_logs_of_flows_go_after_a_run(plan: Plan) -> None:
    """Text goes after 14 days, JSON lines after 30, empty folders with them; newer ones stay."""
    day = Path(plan.logs) / "flow" / "2026" / "04" / "01"
    lines = Path(plan.logs) / "flow" / "structured" / "2026" / "04" / "01"
    ages_days = {day / "flow_a.log": 15, lines / "flow_a.jsonl": 29, lines / "flow_b.jsonl": 31}
    for path, age_days in ages_days.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        at_s = (FIVE - age_days * 24 * HOUR).timestamp()
        os.utime(path, (at_s, at_s))
    log = _work(plan, BEFORE_FIVE, "old logs")
    assert "2 old logs of flows removed" in log
    assert [path.name for path in Path(plan.logs).rglob("flow_*")] == ["flow_a.jsonl"]
    assert not day.parent.parent.exists() or not day.exists()


def test_a_state_folder_that_cannot_be_written_is_a_problem_not_the_end(plan: Plan) -> None:
    """It goes on from memory, runs each slot once, and says what is wrong."""
    _known(plan, BEFORE_FIVE)
    state_file.path_of(plan.state_folder).with_suffix(".json.new").mkdir()  # in its way
    log = _work(plan, BEFORE_FIVE, "exit code 0: done")
    assert "scheduler.json cannot be written" in log
    assert log.count("begins") == 1


def test_no_sign_of_life_is_said_once(plan: Plan) -> None:
    """Where the sign cannot be written the log says so, once, and runs go on."""
    folder = sign_of_life.path_of(Path(plan.data)).parent
    folder.write_text("in its way")
    try:
        log = _work(plan, BEFORE_FIVE, "exit code 0: done")
    finally:
        folder.unlink()
    assert log.count("cannot be written") == 1


def test_what_is_remembered_is_readable(plan: Plan) -> None:
    """The state file is JSON with moments in UTC, for people and for `scheduler next`."""
    _work(plan, BEFORE_FIVE, "ended after")
    found = orjson.loads(state_file.path_of(plan.state_folder).read_bytes())
    (line,) = found["lines"].values()
    assert line["last"]["slot"] == "2026-05-02T04:00:00+00:00"
