"""What a command costs: wall clock, CPU of it and its children, peak memory, bytes on disk."""

import datetime as dt
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SCRATCH = REPOSITORY / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run of a command; peak_mb is that of its largest process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


# Starts the command, waits, and writes what it cost. A small process of its own, because a child's
# peak memory counts what its parent had before the child became another program.
_LAUNCHER = """
import json, os, resource, sys, time
cost, program, *arguments = sys.argv[1:]
started = time.perf_counter()
process = os.posix_spawn(program, [program, *arguments], os.environ)
code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
wall = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(cost, "w") as file:
    json.dump([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], file)
sys.exit(code)
"""


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command to its end; a failure shows what it said and ends the benchmark."""
    cost = folder / "cost.json"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(cost), *command],
        cwd=folder,
        env={**os.environ, **environment},  # noqa: TID251 the child gets ours and a few more
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return Cost(*json.loads(cost.read_text()))


def median(costs: Sequence[Cost]) -> Cost:
    """Return the medians of several runs, each measure by itself."""
    return Cost(
        statistics.median(cost.wall_s for cost in costs),
        statistics.median(cost.cpu_s for cost in costs),
        statistics.median(cost.peak_mb for cost in costs),
    )


def megabytes(path: Path) -> float:
    """Return the size of a file, or of all files below a folder, in MB."""
    files = [path] if path.is_file() else [item for item in path.rglob("*") if item.is_file()]
    return sum(item.stat().st_size for item in files) / 1e6


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def say(text: str) -> None:
    """Tell whoever waits what is being done."""
    print(text, file=sys.stderr, flush=True)


def machine() -> str:
    """Describe where this was measured."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    today = dt.datetime.now(dt.UTC).date()  # noqa: TID251 the day of the measurement
    return (
        f"{today}, {os.cpu_count()} × {model}, {memory_gb:.0f} GiB, {platform.system()} "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"load before the start {os.getloadavg()[0]:.1f}"
    )
