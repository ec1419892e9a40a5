"""A whole flow over 1,000 and 10,000 activities, one more on top, and the obvious way beside it.

python -m bench.flow [N…]
"""

import shutil
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import athlete, measure
from bench.measure import Cost

SIZES = (1_000, 10_000)
OBVIOUS_SAMPLE = 20
ADDITIONS = 3
_FOLDERS = ("inbox", "bronze", "streams", "tracks", "warehouse", "tiles", "state")
_TRACKLAKE = Path(sys.executable).with_name("tracklake")


@dataclass(frozen=True)
class Measured:
    """What was seen with one size of the inbox."""

    activities: int
    first: Cost
    again: Cost
    one_more: Cost
    phases: dict[str, float]  # seconds of wall clock of the first flow, by phase
    phases_one_more: dict[str, float]
    megabytes: dict[str, float]


def main() -> None:
    """Print the section for docs/benchmarks.md."""
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    results = [_measure(size) for size in sizes]
    obvious = _obvious(_inbox(_folder(sizes[0])), OBVIOUS_SAMPLE)
    print(_section(results, obvious))
    shutil.rmtree(measure.SCRATCH / "flow", ignore_errors=True)


def _folder(size: int) -> Path:
    return measure.SCRATCH / "flow" / f"{size}"


def _inbox(folder: Path) -> Path:
    return folder / "data" / "inbox"


def _flow(folder: Path) -> Cost:
    environment = {"TRACKLAKE_DATA_DIR": "data", "TRACKLAKE_LOGS_DIR": "logs"}
    return measure.run([str(_TRACKLAKE), "flow"], folder, environment)


def _measure(size: int) -> Measured:
    folder = _folder(size)
    shutil.rmtree(folder, ignore_errors=True)
    measure.say(f"flow over {size:,} activities")
    athlete.write(_inbox(folder), 0, size)
    first = _flow(folder)
    phases = _phases(folder)
    again = _flow(folder)
    additions = []
    for number in range(size, size + ADDITIONS):
        athlete.write(_inbox(folder), number, 1)
        additions.append(_flow(folder))
    sizes = {name: measure.megabytes(folder / "data" / name) for name in _FOLDERS}
    one_more = measure.median(additions)
    return Measured(size, first, again, one_more, phases, _phases(folder), sizes)


def _phases(folder: Path) -> dict[str, float]:
    """Return how long each phase of the newest session took, from the state database."""
    connection = sqlite3.connect(folder / "data" / "state" / "tracklake.sqlite")
    rows = connection.execute(
        "select phase, (julianday(finished_at) - julianday(started_at)) * 86400 from phases "
        "where session_id = (select session_id from sessions order by started_at desc limit 1) "
        "order by started_at"
    ).fetchall()
    connection.close()
    return dict(rows)


def _obvious(inbox: Path, sample: int) -> float:
    """Return the seconds a file of the obvious way, over a sample."""
    measure.say(f"the obvious way over {sample} of them")
    files = sorted(str(path) for path in inbox.rglob("*.fit"))[:sample]
    python = measure.REPOSITORY / "build" / "venv-bench" / "bin" / "python"
    script = Path(__file__).with_name("obvious.py")
    warehouse = measure.SCRATCH / "flow" / "obvious.duckdb"
    warehouse.unlink(missing_ok=True)
    empty = measure.run([str(python), str(script), str(warehouse)], warehouse.parent, {})
    warehouse.unlink()
    started = time.perf_counter()
    measure.run([str(python), str(script), str(warehouse), *files], warehouse.parent, {})
    return (time.perf_counter() - started - empty.wall_s) / len(files)


def _section(results: Sequence[Measured], obvious_s: float) -> str:
    return "\n\n".join(
        [
            "## A flow, whole",
            f"`python -m bench.flow`: FIT files of about {athlete.POINTS_PER_ACTIVITY:,} points "
            f"over {athlete.YEARS} years and six sports, from the inbox to the published warehouse "
            "and the map files. Memory is that of the largest process.",
            _ratios(results, obvious_s),
            _costs(results),
            _table_of_phases(results),
            _table_of_bytes(results),
        ]
    )


def _ratios(results: Sequence[Measured], obvious_s: float) -> str:
    lines = [
        f"- {one.activities:,} activities the obvious way ({OBVIOUS_SAMPLE} files took "
        f"{obvious_s:.2f} s each: fitparse, pandas, one INSERT a row; no splits, no efforts, no "
        f"tracks, no map): **{obvious_s * one.activities / one.first.wall_s:.0f} times** our flow."
        for one in results
    ]
    if len(results) > 1:
        small, large = results[0].one_more, results[-1].one_more
        lines.append(
            f"- One more activity on {results[-1].activities:,} costs "
            f"**{large.cpu_s / small.cpu_s:.2f} times** the CPU of one more on "
            f"{results[0].activities:,} (see the phases; compacting and the map are measured "
            "by themselves below)."
        )
    return "\n".join(lines)


def _costs(results: Sequence[Measured]) -> str:
    rows = []
    for one in results:
        for name, cost in (
            ("first flow", one.first),
            ("again, nothing new", one.again),
            (f"one more (median of {ADDITIONS})", one.one_more),
        ):
            rows.append(
                (
                    f"{one.activities:,}",
                    name,
                    f"{cost.wall_s:.2f}",
                    f"{cost.cpu_s:.2f}",
                    f"{cost.peak_mb:.0f}",
                )
            )
    return measure.table(("activities", "what", "wall s", "CPU s", "peak MB"), rows)


def _table_of_phases(results: Sequence[Measured]) -> str:
    rows = [
        (
            f"{one.activities:,}",
            name,
            f"{seconds:.2f}",
            f"{one.phases_one_more.get(name, 0.0):.2f}",
        )
        for one in results
        for name, seconds in one.phases.items()
    ]
    return measure.table(("activities", "phase", "first flow, s", "one more, s"), rows)


def _table_of_bytes(results: Sequence[Measured]) -> str:
    rows = [
        (f"{one.activities:,}", *(f"{one.megabytes[name]:.1f}" for name in _FOLDERS))
        for one in results
    ]
    return measure.table(("activities", *(f"{name}, MB" for name in _FOLDERS)), rows)


if __name__ == "__main__":
    main()
