"""The worker pool: what a task may use, what is left when it uses more, how it ends."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tracklake.errors import InvalidData, StorageError
from tracklake.intake.workers import Limits, Task, Workers, verdict

TIGHT = Limits(memory_bytes=128 << 20, cpu_s=1.0, cpu_s_per_mb=0.0)


def double(number: int) -> int:
    """Do what is asked."""
    return 2 * number


def hoard(count: int) -> int:
    """Take `count` MiB of memory."""
    return sum(len(np.ones(1 << 20, np.uint8)) for _ in range(1)) + len(np.ones(count << 20, "u1"))


def burn(seconds: float) -> None:
    """Use processor time."""
    content = b"x" * 65536
    end = time.process_time() + seconds
    while time.process_time() < end:
        hashlib.sha256(content).digest()


def die(how: int) -> None:
    """End the process the hard way."""
    os.kill(os.getpid(), how)


def refuse(message: str) -> None:
    """Raise what decoders raise."""
    raise InvalidData(message, reason="because")


def fail(message: str) -> None:
    """Raise what no decoder should raise."""
    raise ZeroDivisionError(message)


def test_results_come_in_the_order_of_the_tasks() -> None:
    """Results and errors come back each with its task, in order, however many there are."""
    tasks: list[Task[int | None]] = [Task(double, (number,), 0) for number in range(40)]
    tasks[7] = Task(fail, ("seven",), 0)
    with Workers(2, Limits()) as workers:
        done = list(workers.all_done(tasks))
    assert [task for task, _ in done] == tasks
    errors = [type(future.exception()) for _, future in done]
    assert errors == [*[type(None)] * 7, ZeroDivisionError, *[type(None)] * 32]
    assert [future.result() for _, future in done[8:]] == [2 * number for number in range(8, 40)]


def test_each_way_to_fail_has_its_verdict() -> None:
    """Memory, time, death and mistakes are told apart, and the pool goes on after each."""
    ways: list[tuple[Task[object], str]] = [
        (Task(hoard, (4096,), 0), "memory"),
        (Task(burn, (30.0,), 0), "timeout"),
        (Task(die, (signal.SIGKILL,), 0), "decoder_killed"),
        (Task(die, (signal.SIGSEGV,), 0), "decoder_killed"),
        (Task(refuse, ("it is bad",), 0), "because"),
        (Task(fail, ("oops",), 0), "decoder_error"),
    ]
    with Workers(1, TIGHT) as workers:
        for task, reason in ways:
            error = workers.done(task).exception()
            assert error is not None
            assert verdict(error).reason == reason
        assert workers.done(Task(double, (21,), 0)).result() == 42


def test_the_wall_clock_ends_what_hangs() -> None:
    """A task that waits for ever is ended by the parent."""
    with Workers(1, Limits(wall_s=0.5, cpu_s=0.0)) as workers:
        error = workers.done(Task(signal.pause, (), 0)).exception()
    assert error is not None
    assert verdict(error).reason == "timeout"


def test_limits_grow_with_the_bytes() -> None:
    """A larger file gets more time, and always more on the wall than of the processor."""
    limits = Limits()
    assert limits.task_cpu_s(100 << 20) > limits.task_cpu_s(0) == limits.cpu_s
    assert limits.task_wall_s(1000) > limits.task_cpu_s(1000)


def test_storage_errors_travel_as_they_are() -> None:
    """What stops a run reaches the parent with its class, so that it can stop."""
    with Workers(1, Limits()) as workers:
        error = workers.done(Task(stop, ("disk full",), 0)).exception()
    assert isinstance(error, StorageError)


def stop(message: str) -> None:
    """Raise what workers raise on a full disk."""
    raise StorageError(message)


def children_of(process_id: int) -> list[int]:
    """List the processes whose parent is this one."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == process_id and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def is_running(process_id: int) -> bool:
    """Tell whether a process runs."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_run(number: signal.Signals) -> None:
    """Stopped or killed, a run leaves no worker behind, though each is deep in a long task."""
    root = Path(__file__).parent.parent
    busy = subprocess.Popen(
        [sys.executable, "-m", "tests.busy_workers"], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert busy.stdout is not None
    with busy, busy.stdout:
        assert busy.stdout.readline() == "busy\n"
        workers = children_of(busy.pid)
        busy.send_signal(number)
        busy.wait(timeout=8)
        end = time.monotonic() + 8
        while any(map(is_running, workers)) and time.monotonic() < end:
            os.sched_yield()
    assert len(workers) >= 2
    assert not any(map(is_running, workers))
