"""The scheduler's process: `python -m tracklake.scheduling`, with its plan on standard input.

`tracklake scheduler` becomes this one: what reads the settings would stay in memory for months.
"""

import sys

from tracklake.clock import SystemClock
from tracklake.errors import Error
from tracklake.scheduling.loop import Scheduler
from tracklake.scheduling.plan import Plan


def main() -> None:
    """Run until asked to stop; what is wrong is said in a sentence on standard error."""
    plan = Plan.unpacked(sys.stdin.buffer.read())
    try:
        Scheduler(plan, SystemClock()).work()
    except Error as error:
        sys.stderr.write(f"tracklake: {error}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        sys.stderr.write(f"tracklake: {error.filename}: {error.strerror}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
