"""What bench.tiles does in a process of its own: python -m bench.tiles_job FIRST COUNT TOLD

New activities, one after the other, land, are compacted and drawn in one process; what drawing each
cost it and its children, in CPU seconds, is written to TOLD as JSON.
"""

import json
import resource
import sys
from pathlib import Path

from bench import tiles_athlete
from tracklake import config, flow
from tracklake.session import SyncSession


def main(first: int, count: int, told: Path) -> None:
    """Draw once without anything new, so that everything is loaded; then measure."""
    settings, folders = config.load()
    report = flow.FlowReport()
    costs: list[float] = []
    with flow.running("bench", settings, folders, report) as session:
        _drawing(session, report)
        for number in range(first, first + count):
            tiles_athlete.land(folders.data, range(number, number + 1))
            flow.compact(session, report)
            costs.append(_drawing(session, report))
    told.write_text(json.dumps(costs))


def _drawing(session: SyncSession, report: flow.FlowReport) -> float:
    before = _cpu_s()
    flow.draw_tiles(session, report)
    return _cpu_s() - before


def _cpu_s() -> float:
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, both))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
