"""Run the simulated Strava by hand: python -m tests.upstream, Ctrl-C ends it."""

import argparse
import shlex
import sys
import threading

from tests.upstream.clock import ShiftedClock
from tests.upstream.control import ControlledStrava


def main() -> None:
    """Serve until Ctrl-C; print the settings that a client needs."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstream", description=__doc__)
    parser.add_argument("--activities", type=int, default=40, help="how many there are at first")
    parser.add_argument("--points", type=int, default=1_000, help="points in each stream")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same account")
    given = parser.parse_args()
    upstream = ControlledStrava(
        clock=ShiftedClock(),
        seed=given.seed,
        activities=given.activities,
        points=given.points,
        port=given.port,
    )
    with upstream:
        lines = [
            f"export {name}={shlex.quote(value)}" for name, value in upstream.environment().items()
        ]
        sys.stdout.write("\n".join([*lines, f"# control: {upstream.url}/control/…", ""]))
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stdout.write("\n".join([call.line() for call in upstream.calls] + [""]))


if __name__ == "__main__":
    main()
