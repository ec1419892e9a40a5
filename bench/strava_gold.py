"""What details and a day cost on their way to gold, ours and the peer's."""

import contextlib
import shutil
import sqlite3
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import measure
from bench import strava_history as history
from bench.measure import Cost
from bench.strava_history import Athlete
from bench.strava_runs import PLACE, Told, job, lines, megabytes, peers_way, read, run, told
from tracklake.clock import SystemClock

ACTIVITIES = 10_000
DETAILS = 1_000  # on top of those of all other activities
PEER_DETAILS = 60  # it is slow
SIZES = (1_000, 10_000, 100_000)
YEARS = (1, 10)
DAYS = 3  # measured, one after the other
PEER_RUNS = 7_300


def of_details() -> str:
    """Measure entering details that are at hand, also the peer's way."""
    measure.say(f"{DETAILS:,} details on top of {ACTIVITIES:,} activities")
    athlete, own, before = Athlete(), PLACE / "details", ACTIVITIES - DETAILS
    history.write(athlete, own / "data", ACTIVITIES, YEARS[-1])
    athlete.land_details(own / "data", range(before), SystemClock().now())
    run(["compact"], own)
    bodies = lines("details.jsonl", athlete.detail, range(before, ACTIVITIES))
    cost = job(own, "details", bodies, told("ours"))
    warehouse = PLACE / "peer.duckdb"
    few = lines("few.jsonl", athlete.detail, range(before, before + PEER_DETAILS))
    peers_way("prefill", warehouse, history.FIRST_ID, before)
    peers_way("details", warehouse, few, told("theirs"))
    return _section_of_details(read("ours"), read("theirs"), cost)


def _section_of_details(ours: Told, theirs: Told, cost: Cost) -> str:
    steps = {
        name: (wall_s * 1e3 / ours["count"], cpu_s * 1e3 / ours["count"])
        for name, (wall_s, cpu_s) in ours["steps"].items()
    }
    kept, _, applying = steps.values()
    from_pages = [sum(one) for one in zip(*list(steps.values())[1:], strict=True)]
    whole = [sum(one) for one in zip(kept, from_pages, strict=True)]
    peer = [theirs[name] * 1e3 / theirs["count"] for name in ("wall_s", "cpu_s")]
    rows = [
        *((f"ours: {name}", *_compared(ms, peer)) for name, ms in steps.items()),
        ("ours: from kept pages to a published warehouse", *_compared(from_pages, peer)),
        ("ours: the same and keeping them", *_compared(whole, peer)),
        (f"the peer's way ({theirs['count']} of them)", *_compared(peer, peer)),
    ]
    header = ("a detail", "wall ms", "CPU ms", "peer's wall / CPU is so many times that")
    return "\n\n".join(
        [
            "### Applying details",
            f"{ours['count']:,} details (10 and 6 splits, 25 segment efforts, 12 best efforts) on "
            f"top of {ACTIVITIES:,} activities, the others of which have theirs. Applying them, "
            "from landed shards to a published warehouse, beside the peer's upserts into an open "
            "one, is "
            f"**{peer[0] / applying[0]:.0f} times** as fast (wall; CPU "
            f"{peer[1] / applying[1]:.0f} times; at least 200 is wanted). With the reading of kept "
            "pages, which checks every field of every response and writes the shards, it is "
            f"{peer[0] / from_pages[0]:.0f} times. Peak memory {megabytes(cost)}.",
            measure.table(header, rows),
        ]
    )


def _compared(ms: Sequence[float], peer: Sequence[float]) -> tuple[str, str, str]:
    ratios = f"{peer[0] / ms[0]:.0f} / {peer[1] / ms[1]:.0f}"
    return f"{ms[0]:.2f}", f"{ms[1]:.2f}", ratios


@dataclass(frozen=True)
class Day:
    """Compaction after a day of two activities. itself_s: without starting the command."""

    activities: int
    years: int
    first: Cost
    cost: Cost
    itself_s: float


def of_a_day() -> str:
    """Measure compacting one day on top of histories, and the peer's way on one."""
    athlete = Athlete()
    days = [_one_day(athlete, size, years) for size in SIZES for years in YEARS]
    measure.say(f"the peer's compaction over {PEER_RUNS:,} files")
    shards, warehouse = PLACE / "shards", PLACE / "peer_day.duckdb"
    summaries = lines("summaries.jsonl", athlete.summary, range(ACTIVITIES))
    peers_way("shards", shards, summaries, PEER_RUNS)
    peer = peers_way("compact", shards, warehouse, told("compacted"))
    shutil.rmtree(shards)
    return _section_of_days(days, peer, float(read("compacted")["wall_s"]))


def _one_day(athlete: Athlete, size: int, years: int) -> Day:
    measure.say(f"a day on top of {size:,} activities in {years} years")
    own = PLACE / f"day-{size}-{years}"
    history.write(athlete, own / "data", size, years)
    first = run(["compact"], own)
    costs, phases = [], []
    for number in range(size, size + 2 * DAYS, 2):
        athlete.land(own / "data", range(number, number + 2), SystemClock().now())
        costs.append(run(["compact"], own))
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
            f"Two new activities, `tracklake compact`, medians of {DAYS}. Closed years are one "
            f"file each, the present one has up to {history.RUNS_A_YEAR} runs.",
            f"- On top of {ACTIVITIES:,} activities and ten years: compaction itself is "
            f"**{peer_itself_s / ours.itself_s:.0f} times** as fast as the peer's way (at least 20 "
            f"is wanted), the whole command **{peer.wall_s / ours.cost.wall_s:.0f} times** (CPU "
            f"{peer.cpu_s / ours.cost.cpu_s:.0f} times).\n"
            f"- The dearest history costs **{max(cpu) / min(cpu):.2f} times** the CPU of the "
            f"cheapest; peak memory {megabytes(*(day.cost for day in days))}; a first load of all "
            f"of it {megabytes(*(day.first for day in days))}.",
            measure.table(header, rows),
        ]
    )
