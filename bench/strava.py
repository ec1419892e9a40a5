"""Strava's list and details: applying details, one more day, a first pull, memory; and the peer's way.

python -m bench.strava [details day pull enrich]
"""

import contextlib
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench import measure
from bench import strava_history as history
from bench.measure import Cost
from bench.strava_history import Athlete
from tracklake.clock import SystemClock

ACTIVITIES = 10_000
DETAILS = 1_000  # on top of those of all other activities
PEER_DETAILS = 60  # it is slow
SIZES = (1_000, 10_000, 100_000)
YEARS = (1, 10)
DAYS = 3  # measured, one after the other
PEER_RUNS = 7_300
LISTED = (10_000, 50_000)
ENRICHED = 300
POINTS = (3_600, 10_000)
MOST_MB = 300
_TRACKLAKE = Path(sys.executable).with_name("tracklake")
_PLACE = measure.SCRATCH / "strava"
_PEER_PYTHON = measure.REPOSITORY / "build" / "venv-bench" / "bin" / "python"
_SETTINGS = {"TRACKLAKE_DATA_DIR": "data", "TRACKLAKE_LOGS_DIR": "logs", "TRACKLAKE_ATHLETE": "me"}


def main() -> None:
    """Print the section for docs/benchmarks.md."""
    parts: dict[str, Callable[[], str]] = {
        "details": _details,
        "day": _day,
        "pull": _pull,
        "enrich": _enrich,
    }
    shutil.rmtree(_PLACE, ignore_errors=True)
    _PLACE.mkdir(parents=True)
    sections = [parts[name]() for name in sys.argv[1:] or parts]
    print("\n\n".join([_TITLE, *sections]))
    shutil.rmtree(_PLACE, ignore_errors=True)


_TITLE = f"""## Strava

`python -m bench.strava`: an athlete's list as the tests' simulator of Strava gives it. The peer's way
(`bench/peer.py`, written from its description): pandas and one Parquet file a run; one upsert a row,
each committed by itself, into tables with primary keys; `CREATE OR REPLACE TABLE` of everything from
all files. It does less: neither laps nor best efforts, no geometry, nothing is checked or published.
Memory is that of the largest process; at most {MOST_MB} MB is wanted, whatever the history."""


Told = dict[str, Any]


def _run(arguments: Sequence[str], folder: Path, more: Mapping[str, str] | None = None) -> Cost:
    folder.mkdir(parents=True, exist_ok=True)
    return measure.run([str(_TRACKLAKE), *arguments], folder, {**_SETTINGS, **(more or {})})


def _job(*arguments: object) -> Cost:
    """Run a job of ours in a process of its own."""
    module = [sys.executable, "-m", "bench.strava_jobs", *map(str, arguments)]
    return measure.run(module, _PLACE, {"PYTHONPATH": str(measure.REPOSITORY), **_SETTINGS})


def _peer(*arguments: object) -> Cost:
    script = Path(__file__).with_name("peer.py")
    return measure.run([str(_PEER_PYTHON), str(script), *map(str, arguments)], _PLACE, {})


def _lines(name: str, made: Callable[[int], dict[str, Any]], numbers: range) -> Path:
    path = _PLACE / name
    path.write_bytes(b"\n".join(orjson.dumps(made(number)) for number in numbers))
    return path


def _told(name: str) -> Path:
    return _PLACE / f"{name}.json"


def _read(name: str) -> Told:
    return dict(json.loads(_told(name).read_text()))


# ---- applying details


def _details() -> str:
    measure.say(f"{DETAILS:,} details on top of {ACTIVITIES:,} activities")
    athlete, own, before = Athlete(), _PLACE / "details", ACTIVITIES - DETAILS
    history.write(athlete, own / "data", ACTIVITIES, YEARS[-1])
    athlete.land_details(own / "data", range(before), SystemClock().now())
    _run(["compact"], own)
    bodies = _lines("details.jsonl", athlete.detail, range(before, ACTIVITIES))
    cost = _job("details", own, bodies, _told("ours"))
    warehouse = _PLACE / "peer.duckdb"
    few = _lines("few.jsonl", athlete.detail, range(before, before + PEER_DETAILS))
    _peer("prefill", warehouse, history.FIRST_ID, before)
    _peer("details", warehouse, few, _told("theirs"))
    return _section_of_details(_read("ours"), _read("theirs"), cost)


def _section_of_details(ours: Told, theirs: Told, cost: Cost) -> str:
    steps = {
        name: (wall_s * 1e3 / ours["count"], cpu_s * 1e3 / ours["count"])
        for name, (wall_s, cpu_s) in ours["steps"].items()
    }
    kept, *applied = steps.values()
    applying = [sum(one) for one in zip(*applied, strict=True)]
    whole = [sum(one) for one in zip(kept, applying, strict=True)]
    peer = [theirs[name] * 1e3 / theirs["count"] for name in ("wall_s", "cpu_s")]
    rows = [
        *(
            (f"ours: {name}", f"{wall:.2f}", f"{cpu:.2f}", "")
            for name, (wall, cpu) in steps.items()
        ),
        *(
            (name, f"{ms[0]:.2f}", f"{ms[1]:.2f}", f"{peer[0] / ms[0]:.0f} / {peer[1] / ms[1]:.0f}")
            for name, ms in (
                ("ours: applying, from kept responses to a published warehouse", applying),
                ("ours: the same and keeping them", whole),
                (f"the peer's way ({theirs['count']} of them)", peer),
            )
        ),
    ]
    header = ("a detail", "wall ms", "CPU ms", "peer's wall / CPU is so many times that")
    return "\n\n".join(
        [
            "### Applying details",
            f"{ours['count']:,} details (10 and 6 splits, 25 segment efforts, 12 best efforts) on "
            f"top of {ACTIVITIES:,} activities of which all others have theirs. Applying them is "
            f"**{peer[0] / applying[0]:.0f} times** as fast as the peer's way (wall; CPU "
            f"{peer[1] / applying[1]:.0f} times; at least 200 is wanted). Peak memory "
            f"{_megabytes(cost)}.",
            measure.table(header, rows),
        ]
    )


# ---- one more day


@dataclass(frozen=True)
class Day:
    """Compaction after a day of two activities. itself_s: without starting the command."""

    activities: int
    years: int
    first: Cost
    cost: Cost
    itself_s: float


def _day() -> str:
    athlete = Athlete()
    days = [_one_day(athlete, size, years) for size in SIZES for years in YEARS]
    measure.say(f"the peer's compaction over {PEER_RUNS:,} files")
    shards, warehouse = _PLACE / "shards", _PLACE / "peer_day.duckdb"
    summaries = _lines("summaries.jsonl", athlete.summary, range(ACTIVITIES))
    _peer("shards", shards, summaries, PEER_RUNS)
    peer = _peer("compact", shards, warehouse, _told("compacted"))
    shutil.rmtree(shards)
    return _section_of_days(days, peer, float(_read("compacted")["wall_s"]))


def _one_day(athlete: Athlete, size: int, years: int) -> Day:
    measure.say(f"a day on top of {size:,} activities in {years} years")
    own = _PLACE / f"day-{size}-{years}"
    history.write(athlete, own / "data", size, years)
    first = _run(["compact"], own)
    costs, phases = [], []
    for number in range(size, size + 2 * DAYS, 2):
        athlete.land(own / "data", range(number, number + 2), SystemClock().now())
        costs.append(_run(["compact"], own))
        phases.append(_phase_s(own))
    shutil.rmtree(own)
    return Day(size, years, first, measure.median(costs), statistics.median(phases))


def _phase_s(own: Path) -> float:
    """Return how long the newest compaction took by itself, from the state database."""
    with contextlib.closing(sqlite3.connect(own / "data" / "state" / "tracklake.sqlite")) as state:
        ((seconds,),) = state.execute(
            "select (julianday(finished_at) - julianday(started_at)) * 86400 from phases "
            "where phase = 'compact' order by started_at desc limit 1"
        ).fetchall()
    return float(seconds)


def _section_of_days(days: Sequence[Day], peer: Cost, peer_itself_s: float) -> str:
    ours = next(day for day in days if (day.activities, day.years) == (ACTIVITIES, YEARS[-1]))
    cpu = [day.cost.cpu_s for day in days]
    rows = [
        *(
            (
                *(
                    f"{day.activities:,}",
                    day.years,
                    f"{day.itself_s:.2f}",
                    f"{day.cost.wall_s:.2f}",
                ),
                *(f"{day.cost.cpu_s:.2f}", f"{day.cost.peak_mb:.0f}", f"{day.first.wall_s:.1f}"),
                f"{day.first.peak_mb:.0f}",
            )
            for day in days
        ),
        (
            *(f"the peer's way: {ACTIVITIES:,}", f"10 ({PEER_RUNS:,} files)"),
            *(f"{peer_itself_s:.2f}", f"{peer.wall_s:.2f}", f"{peer.cpu_s:.2f}"),
            *(f"{peer.peak_mb:.0f}", "", ""),
        ),
    ]
    header = (
        *("activities", "years of runs", "compaction itself, wall s", "command, wall s", "CPU s"),
        *("peak MB", "first load, wall s", "peak MB"),
    )
    return "\n\n".join(
        [
            "### One more day",
            f"Two new activities, `tracklake compact`, medians of {DAYS}. Closed years are one file "
            f"each, the present one has up to {history.RUNS_A_YEAR} runs.",
            f"- On top of {ACTIVITIES:,} activities and ten years: compaction itself is "
            f"**{peer_itself_s / ours.itself_s:.0f} times** as fast as the peer's way (at least 20 is "
            f"wanted), the whole command **{peer.wall_s / ours.cost.wall_s:.0f} times** (CPU "
            f"{peer.cpu_s / ours.cost.cpu_s:.0f} times).\n"
            f"- The dearest history costs **{max(cpu) / min(cpu):.2f} times** the CPU of the cheapest; "
            f"peak memory {_megabytes(*(day.cost for day in days))}; a first load of all of it "
            f"{_megabytes(*(day.first for day in days))}.",
            measure.table(header, rows),
        ]
    )


# ---- a first pull, and enriching


@contextlib.contextmanager
def _served(activities: int, points: int) -> Iterator[tuple[dict[str, str], Callable[[], Told]]]:
    """Serve in a process of its own; yield the settings, and how to ask what it has done so far."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.strava_jobs", "serve", str(activities), str(points)],
        cwd=measure.REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    stdin, stdout = server.stdin, server.stdout

    def asked() -> Told:
        stdin.write("\n")
        stdin.flush()
        return dict(json.loads(stdout.readline()))

    try:
        yield json.loads(stdout.readline()), asked
    finally:
        stdin.close()
        server.wait()


def _pull() -> str:
    rows, peaks = [], []
    for count in LISTED:
        measure.say(f"pull of {count:,} summaries")
        with _served(count, 300) as (settings, asked):
            cost = _run(["pull", "--source", "strava"], _PLACE / f"pull-{count}", settings)
            ours = asked()
            rows.append(_row_of_pull(f"ours, {count:,}", count, cost, ours["calls"], ours["cpu_s"]))
            peaks.append(cost)
            if count == LISTED[0]:
                first = cost
                peer = _peer("pull", settings["STRAVA_API_URL"], settings["token"], _PLACE)
                both = asked()
                calls, cpu_s = (both[name] - ours[name] for name in ("calls", "cpu_s"))
                rows.append(_row_of_pull(f"the peer's way, {count:,}", count, peer, calls, cpu_s))
    header = (
        *("summaries", "calls", "wall s", "own CPU s", "own CPU ms a summary"),
        *("the simulator's CPU s", "peak MB"),
    )
    return "\n\n".join(
        [
            "### A first pull",
            "`tracklake pull --source strava`, start and login included, from the simulator in "
            f"another process: **{first.cpu_s * 1e3 / LISTED[0]:.2f} ms** of own CPU a summary (less "
            f"than 1 is wanted), {first.cpu_s * 1e3 / LISTED[0] * 200:.0f} ms for a page of 200, for "
            f"which Strava itself takes a second or more. Peak memory {_megabytes(*peaks)}.",
            measure.table(header, rows),
        ]
    )


def _row_of_pull(name: str, count: int, cost: Cost, calls: int, cpu_s: float) -> list[str]:
    own_ms = cost.cpu_s * 1e3 / count
    return [
        *(name, f"{calls}", f"{cost.wall_s:.1f}", f"{cost.cpu_s:.1f}", f"{own_ms:.2f}"),
        *(f"{cpu_s:.1f}", f"{cost.peak_mb:.0f}"),
    ]


def _enrich() -> str:
    rows, peaks = [], []
    for points in POINTS:
        measure.say(f"details and streams of {points:,} points")
        own = _PLACE / f"enrich-{points}"
        with _served(ENRICHED, points) as (settings, asked):
            _run(["pull", "--source", "strava"], own, settings)
            listed = asked()["calls"]
            cost = _run(["enrich"], own, settings)
            calls = asked()["calls"] - listed
        own_ms = cost.cpu_s * 1e3 / ENRICHED
        peaks.append(cost)
        rows.append(
            (
                *(f"{points:,}", f"{calls}", f"{cost.wall_s:.1f}", f"{own_ms:.0f}"),
                f"{cost.peak_mb:.0f}",
            )
        )
    header = ("points", "calls", "wall s", "own CPU ms an activity", "peak MB")
    return "\n\n".join(
        [
            "### Details and streams",
            f"`tracklake enrich` of {ENRICHED} activities, compaction included. Peak memory "
            f"{_megabytes(*peaks)}.",
            measure.table(header, rows),
        ]
    )


def _megabytes(*costs: Cost) -> str:
    """Say the largest, and whether it is too large."""
    peak = max(cost.peak_mb for cost in costs)
    return f"{peak:.0f} MB" if peak < MOST_MB else f"**{peak:.0f} MB, more than {MOST_MB}**"


if __name__ == "__main__":
    main()
