"""What bench.strava does in processes of their own: python -m bench.strava_jobs serve|details …

serve ACTIVITIES POINTS    the simulated service, until its input ends; it says where it is, and at
                           the end what it was asked and what answering cost it
details BODIES TOLD        enter details that are at hand, as enrich and compact do; time each step
"""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
from tests.upstream.clock import ShiftedClock
from tests.upstream.quota import Limits
from tests.upstream.strava import StravaUpstream

from tracklake import compaction, config, flow
from tracklake.enrichments import details
from tracklake.enrichments.batches import Batch
from tracklake.pages import Page, Run
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions
from tracklake.strava import records
from tracklake.upstream.landings import index_of

_YEARS = 14
_PAGES_A_SHARD = 500  # enrich's most rows
_NO_LIMIT = 1_000_000


def serve(activities: int, points: int) -> None:
    """Answer until the input ends; the quota is out of the way."""
    limits = Limits(_NO_LIMIT, _NO_LIMIT, _NO_LIMIT, _NO_LIMIT)
    upstream = StravaUpstream(clock=ShiftedClock(), points=points, limits=limits)
    every_days = _YEARS * 365 / activities
    upstream.account.fill(activities, every_days=every_days, manual=False, gps=True)
    start_s = time.process_time()
    with upstream:
        _say({"settings": upstream.environment(), "token": upstream.access_token()})
        for _ in sys.stdin:  # each line asks what it has cost so far
            _say({"calls": len(upstream.calls), "cpu_s": time.process_time() - start_s})


def _say(told: object) -> None:
    print(json.dumps(told), flush=True)


def apply_details(bodies: Path, told: Path) -> None:
    """Keep responses as pages; then go from pages to a published warehouse; time each step."""
    settings, folders = config.load()
    steps: dict[str, tuple[float, float]] = {}
    with flow.running("bench", settings, folders, flow.FlowReport()) as session:
        index = index_of(session, "strava")
        index.sync()
        with _timed(steps, "keeping the responses, durably"):
            count = _keep(session, bodies)
        with _timed(steps, "pages to rows and shards"):
            Batch(session, index, details, EnrichOptions()).recover()
        with _timed(steps, "shards to gold, published"):
            report = compaction.compact(session)
    assert report.rows == count
    assert report.published
    told.write_text(json.dumps({"count": count, "steps": steps}))


def _keep(session: SyncSession, bodies: Path) -> int:
    """Land each response by itself, in runs of the size that enrich makes a shard of."""
    root, athlete = session.folders.bronze, session.athlete
    count = 0
    with bodies.open("rb") as file:
        for count, body in enumerate(map(bytes.strip, file), start=1):
            if count % _PAGES_A_SHARD == 1:
                now = session.clock.now()
                run = Run.begin(root, records.SOURCE, details.ENTITY, athlete, now)
            run.add(Page(str(orjson.loads(body)["id"]), 200, body))
    return count


@contextlib.contextmanager
def _timed(steps: dict[str, tuple[float, float]], name: str) -> Iterator[None]:
    """Note wall clock and CPU seconds of a step."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    yield
    steps[name] = time.perf_counter() - wall_s, time.process_time() - cpu_s


def main() -> None:
    """Do one job."""
    job, *given = sys.argv[1:]
    if job == "serve":
        serve(int(given[0]), int(given[1]))
    else:
        apply_details(Path(given[0]), Path(given[1]))


if __name__ == "__main__":
    main()
