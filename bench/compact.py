"""One more summary on top of 1,000, 10,000 and 100,000: what compacting and publishing it costs.

python -m bench.compact [N…]
"""

import datetime as dt
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import measure
from bench.measure import Cost
from tracklake import bronze
from tracklake.identity import bytes_hash, record_id, stable_id
from tracklake.model import Activity, ActivityLap, BestEffort, Split

SIZES = (1_000, 10_000, 100_000)
ADDITIONS = 7
_ROWS_A_SHARD = 1_000
_FIRST_LANDING = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
_TRACKLAKE = Path(sys.executable).with_name("tracklake")


@dataclass(frozen=True)
class Measured:
    """What was seen with so many summaries in bronze."""

    summaries: int
    first: Cost
    one_more: Cost
    megabytes: float


def main() -> None:
    """Print the section for docs/benchmarks.md."""
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    results = [_measure(size) for size in sizes]
    print(_section(results))
    shutil.rmtree(measure.SCRATCH / "compact", ignore_errors=True)


def _measure(size: int) -> Measured:
    folder = measure.SCRATCH / "compact" / f"{size}"
    shutil.rmtree(folder, ignore_errors=True)
    measure.say(f"compact over {size:,} summaries")
    for first in range(0, size, _ROWS_A_SHARD):
        _land(folder, range(first, min(first + _ROWS_A_SHARD, size)))
    first_cost = _compact(folder)
    additions = []
    for number in range(size, size + ADDITIONS):
        _land(folder, range(number, number + 1))
        additions.append(_compact(folder))
    warehouse = folder / "data" / "warehouse" / "tracklake.duckdb"
    return Measured(size, first_cost, measure.median(additions), measure.megabytes(warehouse))


def _compact(folder: Path) -> Cost:
    environment = {"TRACKLAKE_DATA_DIR": "data", "TRACKLAKE_LOGS_DIR": "logs"}
    return measure.run([str(_TRACKLAKE), "compact"], folder, environment)


def _land(folder: Path, numbers: range) -> None:
    """Land a shard of activities and one of the files they came from, as a pull does."""
    at = _FIRST_LANDING + dt.timedelta(seconds=numbers.start)
    root = folder / "data" / "bronze"
    bronze.land_shard(root, "activities", [_activity(i) for i in numbers], ingested_at=at)
    bronze.land_shard(root, "original_files", [_file(i) for i in numbers], ingested_at=at)


def _front(number: int) -> dict[str, object]:
    sha256 = bytes_hash(str(number).encode())
    return {"source": "files", "athlete": "me", "source_id": sha256, "file_sha256": sha256}


def _file(number: int) -> dict[str, object]:
    front = _front(number)
    return front | {
        "size_bytes": 80_000,
        "file_format": "fit",
        "location": f"bronze/files/original_files/athlete=me/objects/{front['source_id']}.fit",
        "seen_as": f"inbox/{number:06}.fit",
        "outcome": "activity",
        "decoder_version": "1",
        "message": None,
    }


def _activity(number: int) -> dict[str, object]:
    front = _front(number)
    source_id = str(front["source_id"])
    start_s = 1_325_408_400.0 + number * 4_000 % (14 * 365 * 86_400)
    return front | {
        "record_id": record_id("me", "files", source_id),
        "parent_record_id": None,
        "stream_key": stable_id(source_id, "bench"),
        "strava_id": None,
        "external_id": f"{number:06}.fit",
        "gear_id": None,
        "commute": False,
        "manual": False,
        "file_format": "fit",
        "problems": [],
        **asdict(_shape(number, start_s)),
    }


def _shape(number: int, start_s: float) -> Activity:
    """Return an hour's run of ten kilometres with its laps, splits and best efforts."""
    seconds = 3_000.0 + number % 700
    speed = 10_000 / seconds
    return Activity(
        sport_type="Run",
        name="Morning Run",
        start_s=start_s,
        utc_offset_s=3_600.0,
        timezone="Europe/Berlin",
        distance=10_000.0,
        moving_time=seconds,
        elapsed_time=seconds + 20,
        total_elevation_gain=80.0,
        elev_high=560.0,
        elev_low=500.0,
        average_speed=speed,
        max_speed=speed * 1.4,
        average_heartrate=150.0,
        max_heartrate=175.0,
        average_watts=None,
        max_watts=None,
        average_cadence=85.0,
        average_temp=18.0,
        calories=700.0,
        trainer=False,
        device_name="Edge 530",
        start_lat=48.14,
        start_lng=11.58,
        end_lat=48.14,
        end_lng=11.58,
        summary_polyline="_p~iF~ps|U_ulLnnqC_mqNvxq`@" * 10,
        has_track=False,  # the streams are not part of this measurement
        point_count=0,
        laps=tuple(_lap(index, seconds) for index in range(1, 3)),
        splits_metric=tuple(_split(index, 1_000.0, speed) for index in range(1, 11)),
        splits_standard=tuple(_split(index, 1_609.344, speed) for index in range(1, 8)),
        best_efforts=tuple(
            _effort(name, metres, speed)
            for name, metres in (("400m", 400), ("1k", 1_000), ("1 mile", 1_609.344), ("5k", 5_000))
        ),
    )


def _lap(index: int, seconds: float) -> ActivityLap:
    return ActivityLap(
        lap_index=index,
        start_offset_s=(index - 1) * seconds / 2,
        distance=5_000.0,
        elapsed_time=seconds / 2,
        moving_time=seconds / 2,
        average_speed=10_000 / seconds,
        max_speed=None,
        total_elevation_gain=40.0,
        average_heartrate=150.0,
        max_heartrate=170.0,
        average_cadence=85.0,
        average_watts=None,
        calories=350.0,
        lap_trigger="distance",
    )


def _split(index: int, metres: float, speed: float) -> Split:
    return Split(
        split_index=index,
        distance_m=metres,
        elapsed_time_seconds=metres / speed,
        moving_time_seconds=metres / speed,
        average_speed=speed,
        elevation_difference=1.0,
        average_heartrate=150.0,
    )


def _effort(name: str, metres: float, speed: float) -> BestEffort:
    return BestEffort(
        kind="distance",
        name=name,
        distance_m=metres,
        duration_s=None,
        elapsed_time_s=metres / speed / 1.05,
        average_watts=None,
        start_offset_s=100.0,
        start_index=100,
        end_index=400,
    )


def _section(results: Sequence[Measured]) -> str:
    small, large = results[0], results[-1]
    rows = [
        (
            f"{one.summaries:,}",
            f"{one.one_more.wall_s:.2f}",
            f"{one.one_more.cpu_s:.2f}",
            f"{one.one_more.peak_mb:.0f}",
            f"{one.first.wall_s:.1f}",
            f"{one.first.cpu_s:.1f}",
            f"{one.first.peak_mb:.0f}",
            f"{one.megabytes:.1f}",
        )
        for one in results
    ]
    header = (
        *("summaries", "one more: wall s", "CPU s", "peak MB"),
        *("first load: wall s", "CPU s", "peak MB", "warehouse MB"),
    )
    return "\n\n".join(
        [
            "## One more summary",
            "`python -m bench.compact`: the whole command `tracklake compact`, start of the "
            "process and publication included; a summary has two laps, 17 splits and four best "
            f"efforts; medians of {ADDITIONS}.",
            f"- One more on {large.summaries:,} costs "
            f"**{large.one_more.cpu_s / small.one_more.cpu_s:.2f} times** the CPU and "
            f"**{large.one_more.wall_s / small.one_more.wall_s:.2f} times** the wall clock of one "
            f"more on {small.summaries:,} (at most 1.5 is wanted).",
            measure.table(header, rows),
        ]
    )


if __name__ == "__main__":
    main()
