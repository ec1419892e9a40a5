"""A scheduler whose clock is ahead or behind, run as a process of its own.

`python -m tests.shifted_scheduler PLAN SHIFT_S COMMAND...`; the rest is the real one.
"""

import datetime as dt
import sys

from tracklake.clock import SystemClock
from tracklake.errors import Error
from tracklake.scheduling.loop import Scheduler
from tracklake.scheduling.plan import Plan


class ShiftedClock(SystemClock):
    """The machine's clock and a fixed difference."""

    def __init__(self, shift: dt.timedelta) -> None:
        self.shift = shift

    def now(self) -> dt.datetime:
        """Return the present moment, shifted."""
        return super().now() + self.shift


def clock_at(moment: dt.datetime) -> ShiftedClock:
    """Return a clock that shows a moment now, and goes on from there."""
    return ShiftedClock(moment - SystemClock().now())


def main() -> None:
    """Run it as the arguments say."""
    plan, shift_s, *command = sys.argv[1:]
    clock = ShiftedClock(dt.timedelta(seconds=float(shift_s)))
    try:
        Scheduler(Plan.unpacked(plan.encode()), clock, command).work()
    except Error as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
