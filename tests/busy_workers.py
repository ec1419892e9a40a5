"""A program whose two workers are busy; test_decoding.py stops it."""

import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from tracklake.errors import Interrupted
from tracklake.intake.workers import Limits, Task, Workers


def work(mark: str) -> None:
    """Leave a mark, then work without end."""
    Path(mark).touch()
    while True:
        sum(range(10_000))


def _stop(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


def main() -> int:
    """Say "busy" when both are at work, then wait for them."""
    signal.signal(signal.SIGTERM, _stop)
    with TemporaryDirectory() as folder, Workers(2, Limits()) as workers:
        marks = [Path(folder) / str(number) for number in range(2)]
        futures = [workers.submit(Task(work, (str(mark),), 0)) for mark in marks]
        while not all(mark.exists() for mark in marks):
            futures[0].running()
        sys.stdout.write("busy\n")
        sys.stdout.flush()
        futures[0].exception()
    return 0


if __name__ == "__main__":
    sys.exit(main())
