"""`make sweep`: every point of a flow on a lake that exists, and of a first flow; a summary.

`python -m tests.reliability.sweep [--points N] [--seed N] [--only KILL]`; it takes hours.
"""

import argparse
import os
import random
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.reliability.sweep_points import Point, moments, points, stratified
from tests.reliability.sweeping import Calm, Outcome, calm, swept

MOMENTS = (("TERM", 100), ("KILL all", 100), ("KILL child", 100))
_TILE_MAKER = "half-made tiles"


def whole(calm: Calm, dice: random.Random) -> list[Point]:
    """Return every point and all moments; of what the tile maker writes, which is thrown away, 5 %.

    Its journal alone would be a third of all points.
    """
    found = points(calm.trace)
    kept = [one for one in found if not one.stage.startswith(_TILE_MAKER) or dice.random() < 0.05]
    for fault, count in MOMENTS:
        kept += moments(fault, count, dice)
    dice.shuffle(kept)  # so that a part of them says something of all
    return kept


def summary(name: str, outcomes: Sequence[Outcome]) -> str:
    """Say in a table what became of the points."""
    lines = [
        f"{name}\n{'fault':12}{'call':18}{'points':>8}{'hit':>8}{'again':>8}{'login':>8}{'bad':>8}"
    ]
    for kind in sorted({(one.point.fault, one.point.call) for one in outcomes}):
        of_it = [one for one in outcomes if (one.point.fault, one.point.call) == kind]
        numbers = (
            len(of_it),
            sum(bool(one.hit) for one in of_it),
            sum(one.repeated > 0 for one in of_it),
            sum(one.login_lost for one in of_it),
            sum(bool(one.complaints) for one in of_it),
        )
        lines.append(f"{kind[0]:12}{kind[1]:18}" + "".join(f"{one:8}" for one in numbers))
    codes = Counter(one.first.code for one in outcomes)
    lines.append(f"all: {len(outcomes)} points; the flows that were hit ended {dict(codes)}")
    return "\n".join(lines)


def main() -> int:
    """Sweep as the arguments say; 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="make sweep")
    seed = os.environ.get("SWEEP_SEED") or secrets.randbelow(10**6)  # noqa: TID251 to repeat one
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--points", type=int, default=0, help="so many of each flow; 0: all")
    parser.add_argument("--only", default="", help="only faults that begin like this")
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    sys.stdout.write(f"SWEEP_SEED={given.seed}\n")
    folder = given.folder or Path(tempfile.mkdtemp(prefix="sweep-"))
    bad = 0
    for name, from_nothing in (("increment", False), ("first", True)):
        dice = random.Random(given.seed)  # noqa: S311 repeatable on purpose
        place = folder / name
        place.mkdir(parents=True)
        reference = calm(place, from_nothing=from_nothing)
        found = [one for one in whole(reference, dice) if one.fault.startswith(given.only)]
        chosen = stratified(found, given.points, dice) if given.points else found
        sys.stdout.write(f"{name}: {len(chosen)} points\n")
        told = Teller(len(chosen))
        outcomes = swept(reference, chosen, place, deep_every=50, tell=told)
        sys.stdout.write(f"{summary(name, outcomes)}\n")
        bad += sum(bool(one.complaints) for one in outcomes)
    sys.stdout.write("nothing was lost\n" if not bad else f"{bad} points went wrong: {folder}\n")
    return int(bad > 0)


class Teller:
    """Says how far the sweep is, and what went wrong as soon as it does."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done: list[Outcome] = []

    def __call__(self, outcome: Outcome) -> None:
        """Take note of an outcome."""
        self.done.append(outcome)
        if outcome.complaints:
            sys.stdout.write(f"WRONG {outcome.point} [{outcome.hit}]: {outcome.complaints}\n")
        if len(self.done) % 50 == 0 or len(self.done) == self.total:
            sys.stdout.write(f"{len(self.done)} of {self.total}\n")
            sys.stdout.write(f"{summary('so far', self.done)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
