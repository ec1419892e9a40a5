"""All models over 10,000 activities with 30 million points: the first build, a day more, asking.

python -m bench.models [ACTIVITIES [POINTS]]
"""

import datetime as dt
import json
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tests.rows import Row, file_row, stream_key

from bench import measure
from bench.measure import Cost
from tracklake import bronze, config, distilling, reading, streams, warehouse
from tracklake.config import Folders
from tracklake.model import POINT_COLUMNS, BestEffort, Outline, Points

ACTIVITIES, POINTS = 10_000, 3_000
DAYS = 5  # measured, one after the other
_AT_ONCE = 100
_FIRST_LANDING = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_FIRST_START_S = 1_325_408_400.0
_YEARS = 14
_POWERS = {"5s": 5.0, "1min": 60.0, "5min": 300.0, "20min": 1200.0}
_TRACKLAKE = Path(sys.executable).with_name("tracklake")
_OWN = {
    "TRACKLAKE_DATA_DIR": "data",
    "TRACKLAKE_LOGS_DIR": "logs",
    "TRACKLAKE_MAX_HEARTRATE_BPM": "190",
    "TRACKLAKE_RESTING_HEARTRATE_BPM": "50",
    "TRACKLAKE_FTP_W": "250",
}


@dataclass(frozen=True)
class Asked:
    """What reading every model to its last row took."""

    cost: Cost
    seconds: dict[str, float]
    kept_s: tuple[float, float]  # making what is kept of points: of one activity, of all


def main() -> None:
    """Print the section for docs/benchmarks.md; or be the process that asks."""
    if sys.argv[1:2] == ["inside"]:
        inside()
        return
    given = [int(text) for text in sys.argv[1:]]
    activities, points = (*given, ACTIVITIES, POINTS)[:2] if len(given) != 1 else (*given, POINTS)
    folder = measure.SCRATCH / "models"
    shutil.rmtree(folder, ignore_errors=True)
    measure.say(f"{activities:,} activities of {points:,} points")
    for first in range(0, activities, _AT_ONCE):
        land(folder, range(first, min(first + _AT_ONCE, activities)), points)
    first_cost = compact(folder)
    days = []
    for number in range(activities, activities + DAYS):
        land(folder, range(number, number + 1), points)
        days.append(compact(folder))
    idle = [compact(folder) for _ in range(DAYS)]
    asked = asking(folder)
    costs = (first_cost, measure.median(days), measure.median(idle))
    print(section((activities, points), costs, asked))
    shutil.rmtree(folder, ignore_errors=True)


def compact(folder: Path) -> Cost:
    """Bring gold up to date and publish it."""
    return measure.run([str(_TRACKLAKE), "compact"], folder, _OWN)


def asking(folder: Path) -> Asked:
    """Read every model in a process of its own."""
    cost = measure.run([sys.executable, "-m", "bench.models", "inside"], folder, _path() | _OWN)
    return Asked(cost, *json.loads((folder / "asked.json").read_text()))


def _path() -> dict[str, str]:
    return {"PYTHONPATH": str(measure.REPOSITORY)}


def inside() -> None:
    """Time each model, and what is kept of points; write it down."""
    _, folders = config.load()
    told = (_ask(folders), [_keep(folders, few) for few in ("limit 1", "")])
    Path("asked.json").write_text(json.dumps(told))


def _keep(folders: Folders, few: str) -> float:
    """Forget what is kept of some activities' points and make it again; return the seconds."""
    files = [[*map(str, streams.parts(folder))] for folder in (folders.streams, folders.tracks)]
    connection = warehouse.connect(folders.state / "writer.duckdb", threads=1)
    for table, key in (("stream_facts", "stream_key"), ("track_tiles", "track_key")):
        newest = (
            f"select p.{key} from activity_points as p "  # noqa: S608
            f"inner join activities as a on a.id = p.activity_id order by a.ingested_at desc {few}"
        )
        connection.execute(f"delete from {table} where {key} in ({newest})")  # noqa: S608
    began = time.perf_counter()
    distilling.bring_up(connection, *files)
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def _ask(folders: Folders) -> dict[str, float]:
    """Compute each view without points or geometry whole; return the seconds of each."""
    seconds = {}
    with reading.snapshot(folders) as connection:
        views = connection.execute(
            "select view_name from duckdb_views() where not internal and not "
            "contains(sql, 'read_parquet') order by 1"
        ).fetchall()
        for (view,) in views:
            began = time.perf_counter()
            connection.execute(f"select count(*), bit_xor(hash(v)) from {view} as v").fetchall()  # noqa: S608
            seconds[view] = time.perf_counter() - began
    return seconds


def land(folder: Path, numbers: range, points: int) -> None:
    """Land a shard of activities with their points and tracks, as a pull does."""
    at = _FIRST_LANDING + dt.timedelta(seconds=numbers.start)
    stamp = bronze.stamp(at)
    rows, shapes = [], []
    for number in numbers:
        row = _row(number, points)
        key = stream_key(row, stamp)
        rows.append(row | {"stream_key": key})
        shapes.append((key, _outline(number, points)))
    data = folder / "data"
    streams.write_part(data / "streams/athlete=me", data / "tracks/athlete=me", stamp, shapes)
    bronze.land_shard(data / "bronze", "activities", rows, ingested_at=at)


def _row(number: int, points: int) -> Row:
    ride = number % 3 == 0
    start_s = _FIRST_START_S + number * _YEARS * 365 * 86_400 / ACTIVITIES
    row = file_row(number, start_s=start_s, moving_time=float(points), point_count=points)
    efforts = {"best_efforts": [asdict(_power(name)) for name in _POWERS]} if ride else {}
    return row | efforts | {"sport_type": "Ride" if ride else "Run", "has_track": True}


def _power(name: str) -> BestEffort:
    return BestEffort(
        kind="power",
        name=name,
        distance_m=None,
        duration_s=_POWERS[name],
        elapsed_time_s=_POWERS[name],
        average_watts=300.0,
        start_offset_s=0.0,
        start_index=0,
        end_index=10,
    )


def _outline(number: int, points: int) -> Outline:
    """Return a loop, one in ten far from home, with a heart rate and, of rides, power."""
    rng = np.random.default_rng(number)
    far = number % 10 == 0
    unknown = np.full(points, np.nan)
    turn = np.linspace(0, 2 * np.pi, points)
    lat, lng = rng.uniform((45, 5), (49, 15)) if far else rng.uniform((47, 8), (47.4, 8.6))
    columns = dict.fromkeys(POINT_COLUMNS, unknown)
    columns["timestamp_s"] = np.arange(points) + 1e9
    columns["lat"] = lat + 0.05 * np.sin(turn)
    columns["lng"] = lng + 0.05 * np.cos(turn) * (1 + number % 3)
    columns["heartrate_bpm"] = np.round(140 + 25 * np.sin(5 * turn) + rng.normal(0, 3, points))
    if number % 3 == 0:
        columns["power_w"] = np.round(np.clip(rng.normal(200, 80, points), 0, None))
    line = np.column_stack((columns["lng"], columns["lat"]))[:: max(points // 200, 1)]
    moving = np.full(points, True)
    return Outline(
        start_s=1e9, points=Points(**columns), moving=moving, grade_pct=unknown, track=(line,)
    )


def section(size: tuple[int, int], costs: tuple[Cost, Cost, Cost], asked: Asked) -> str:
    """Write the section."""
    first, day, idle = costs
    of_one_s, of_all_s = asked.kept_s
    beyond_s = day.wall_s - idle.wall_s
    rows = [
        ("what is kept of points, made of all", f"{of_all_s:.2f}", "", "", ""),
        ("the same of one activity", f"{of_one_s:.2f}", "", "", f"1/{of_all_s / of_one_s:.0f}"),
        ("`tracklake compact`, first build: points, tables, models, published", *_told(first), ""),
        ("`tracklake compact`, nothing new", *_told(idle), f"1/{first.wall_s / idle.wall_s:.0f}"),
        ("`tracklake compact`, a day more", *_told(day), f"1/{first.wall_s / day.wall_s:.0f}"),
        (
            "a day more, beyond nothing new",
            f"{beyond_s:.2f}",
            f"{day.cpu_s - idle.cpu_s:.2f}",
            "",
            f"1/{(first.wall_s - idle.wall_s) / beyond_s:.0f}",
        ),
        ("every model read to its last row, and the first two rows", *_told(asked.cost), ""),
    ]
    slowest = sorted(asked.seconds.items(), key=lambda pair: -pair[1])[:5]
    named = ", ".join(f"`{name}` {seconds:.2f} s" for name, seconds in slowest)
    return "\n\n".join(
        [
            "## Models",
            f"{size[0]:,} activities, {size[0] * size[1]:,} points (`python -m bench.models`). "
            f"{len(asked.seconds)} views; the slowest: {named}. A day is one activity; the start "
            "of Python and DuckDB, which a flow pays once, is in each line that names the command.",
            measure.table(("", "wall s", "CPU s", "peak MB", "of the first"), rows),
        ]
    )


def _told(cost: Cost) -> tuple[str, str, str]:
    return f"{cost.wall_s:.2f}", f"{cost.cpu_s:.2f}", f"{cost.peak_mb:.0f}"


if __name__ == "__main__":
    main()
