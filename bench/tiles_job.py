"""What bench.tiles does in a process of its own; the costs, in CPU seconds, go to TOLD as JSON.

python -m bench.tiles_job FIRST COUNT TOLD: new activities, one after the other, land, are compacted
and drawn in one process; what drawing each cost it and its children.

python -m bench.tiles_job kinds TOLD: all is drawn again; what each kind of file cost.
"""

import json
import resource
import sys
from pathlib import Path

from bench import tiles_athlete
from tracklake import config, flow
from tracklake.session import SyncSession
from tracklake.tiles import making
from tracklake.tiles.manifest import Entry
from tracklake.tiles.planning import Step


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


def by_kind(told: Path) -> None:
    """Draw all again; a year's geometry is read for its tiles, and is there when GeoJSON is due."""
    costs: dict[str, float] = {}
    make = making.make

    def counted(job: making.Job, step: Step) -> Entry:
        before = _cpu_s()
        entry = make(job, step)
        costs[step.kind] = costs.get(step.kind, 0.0) + _cpu_s() - before
        return entry

    making.make = counted
    settings, folders = config.load()
    report = flow.FlowReport()
    with flow.running("bench", settings, folders, report) as session:
        flow.draw_tiles(session, report, rebuild=True)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    costs["tippecanoe"] = children.ru_utime + children.ru_stime
    told.write_text(json.dumps(costs))


def _drawing(session: SyncSession, report: flow.FlowReport) -> float:
    before = _cpu_s()
    flow.draw_tiles(session, report)
    return _cpu_s() - before


def _cpu_s() -> float:
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, both))


if __name__ == "__main__":
    if sys.argv[1] == "kinds":
        by_kind(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
