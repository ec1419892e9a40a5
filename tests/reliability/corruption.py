"""The whole of the damage: `python -m tests.reliability.corruption --mutations N [--seed S]`.

N mutations each of the warehouse, of the one that was killed and of its log; N of every other file
that is read back, a tenth of them followed by a flow. Prints what came of them, by kind of file;
exit code 1 if one was not seen, or changed gold.
"""

import argparse
import os
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import structlog

from tests.reliability import damage_place, damaging
from tests.reliability.damage_place import KINDS, TARGETS, Lake
from tests.reliability.test_corruption_warehouse import mended
from tests.rows import StandingClock, make_session

_FLOWS = 10  # one flow for so many looks

Counts = dict[str, Counter[str]]


def main() -> int:
    """Damage, print, and return the exit code."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--mutations", type=int, default=100)
    given.add_argument("--seed", type=int, default=damaging.SEED)
    options = given.parse_args()
    damaging.SEED = options.seed
    os.environ["TRACKLAKE_WEATHER"] = "off"  # noqa: TID251 before anything reads it
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    counts: Counts = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        failed = _warehouse(place / "warehouse", options.mutations, counts)
        with damage_place.opened(place) as lake:
            for name in TARGETS:
                failed += _file(lake, name, options.mutations, counts)
                _tell(name, counts[name])
    done = sum(map(Counter.total, counts.values()))
    sys.stdout.write(f"{done} mutations, {failed} failures\n")
    return 1 if failed else 0


def _tell(name: str, found: Counter[str]) -> None:
    """Print what came of one kind of file, as soon as it is done: the whole takes long."""
    for outcome, count in sorted(found.items()):
        sys.stdout.write(f"{name:36} {outcome:44} {count:6}\n")
    sys.stdout.flush()


def _warehouse(folder: Path, mutations: int, counts: Counts) -> int:
    """Damage a warehouse that was closed, and one whose last flow was killed; count failures."""
    closed, killed = folder / "closed", folder / "killed"
    damaging.close(damaging.small_lake(closed))
    shutil.copytree(closed, killed)
    session = make_session(killed, StandingClock())
    session.clock.sleep(3_600)
    damaging.leave_a_log(session)
    damaging.close(session)
    failed = 0
    for title, base, name in (
        ("warehouse, closed", closed, "writer.duckdb"),
        ("warehouse, killed", killed, "writer.duckdb"),
        ("log of a warehouse, killed", killed, "writer.duckdb.wal"),
    ):
        try:
            counts[title] = Counter(mended(base, folder / title, name, mutations))
        except AssertionError:
            traceback.print_exc()
            counts[title] = Counter({"FAILED": 1})
            failed += 1
        _tell(title, counts[title])
    return failed


def _file(lake: Lake, name: str, mutations: int, counts: Counts) -> int:
    """Damage files of one kind; count failures."""
    target, found = TARGETS[name], counts.setdefault(name, Counter())
    lake.put_back()
    for number, (kind, dice) in enumerate(damaging.strata(mutations, KINDS)):
        has_flow = target.in_flow and number % _FLOWS == number // _FLOWS % len(KINDS)
        if number % _FLOWS == 0 or has_flow:
            lake.put_back()
        paths = list(target.find(lake.folders))
        path = paths[number % len(paths)]
        do = damage_place.survived if has_flow else damage_place.looked_at
        try:
            found[do(lake, target, path, kind, dice)] += 1
        except AssertionError:
            traceback.print_exc()
            found["FAILED"] += 1
        if has_flow:
            lake.put_back()
    return found["FAILED"]


if __name__ == "__main__":
    sys.exit(main())
