"""What a first pull, and details and streams cost, from the simulated service."""

from bench import measure
from bench.measure import Cost
from bench.strava_runs import PLACE, Asked, megabytes, peers_way, run, served

LISTED = (10_000, 50_000)
ENRICHED = 300
POINTS = (3_600, 10_000)


def of_a_pull() -> str:
    """Measure a first pull of the whole list, also the peer's."""
    rows, costs = [], []
    for count in LISTED:
        measure.say(f"pull of {count:,} summaries")
        with served(count, points=300) as service:
            cost = run(["pull", "--source", "strava"], PLACE / f"pull-{count}", service.settings)
            costs.append(cost)
            rows.append(_row_of_pull(f"ours, {count:,}", count, cost, service.asked()))
            if count == LISTED[0]:
                peer = peers_way("pull", service.api_url, service.token, PLACE)
                rows.append(_row_of_pull(f"the peer's, {count:,}", count, peer, service.asked()))
    cpu_ms = costs[0].cpu_s * 1e3 / LISTED[0]
    header = (
        *("summaries", "calls", "wall s", "own CPU s", "own CPU ms a summary"),
        *("the simulator's CPU s", "peak MB"),
    )
    return "\n\n".join(
        [
            "### A first pull",
            "`tracklake pull --source strava`, start and login included, from the simulator in "
            f"another process: **{cpu_ms:.2f} ms** of own CPU a summary (less than 1 is wanted), "
            f"{cpu_ms * 200:.0f} ms a page of 200. Peak memory {megabytes(*costs)}.",
            measure.table(header, rows),
        ]
    )


def _row_of_pull(name: str, count: int, cost: Cost, asked: Asked) -> list[str]:
    own_ms = cost.cpu_s * 1e3 / count
    return [
        *(name, f"{asked.calls}", f"{cost.wall_s:.1f}", f"{cost.cpu_s:.1f}", f"{own_ms:.2f}"),
        *(f"{asked.cpu_s:.1f}", f"{cost.peak_mb:.0f}"),
    ]


def of_enriching() -> str:
    """Measure fetching details and streams of some activities, and compacting them."""
    rows, costs = [], []
    for points in POINTS:
        measure.say(f"details and streams of {points:,} points")
        place = PLACE / f"enrich-{points}"
        with served(ENRICHED, points) as service:
            run(["pull", "--source", "strava"], place, service.settings)
            service.asked()
            cost = run(["enrich"], place, service.settings)
            calls = service.asked().calls
        costs.append(cost)
        own_ms = cost.cpu_s * 1e3 / ENRICHED
        rows.append(
            (f"{points:,}", calls, f"{cost.wall_s:.1f}", f"{own_ms:.0f}", f"{cost.peak_mb:.0f}")
        )
    header = ("points", "calls", "wall s", "own CPU ms an activity", "peak MB")
    return "\n\n".join(
        [
            "### Details and streams",
            f"`tracklake enrich` of {ENRICHED} activities, compaction included. Peak memory "
            f"{megabytes(*costs)}.",
            measure.table(header, rows),
        ]
    )
