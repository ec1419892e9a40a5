"""The nearest peer's way with a list of activities and their details, written from its description.

Pull: requests, page by page, a pandas frame, a Parquet file a run. Compact: pandas reads every file
that there ever was, the newest row of each activity wins, CREATE OR REPLACE TABLE of the whole.
Details: one upsert a row, each committed by itself, into tables with primary keys.

Run by the environment of `requirements-bench.lock`; what it measured of itself goes to a file:

    python peer.py shards FOLDER SUMMARIES.jsonl RUNS
    python peer.py compact FOLDER WAREHOUSE TOLD.json
    python peer.py prefill WAREHOUSE FIRST_ID COUNT
    python peer.py details WAREHOUSE DETAILS.jsonl TOLD.json
    python peer.py pull URL TOKEN FOLDER
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import requests

Row = dict[str, Any]

_COLUMNS = (
    *("id", "name", "sport_type", "start_date", "start_date_local", "timezone", "utc_offset"),
    *("distance", "moving_time", "elapsed_time", "total_elevation_gain", "elev_high", "elev_low"),
    *("average_speed", "max_speed", "average_heartrate", "max_heartrate", "average_cadence"),
    *("average_temp", "suffer_score", "gear_id", "device_name", "trainer", "commute", "manual"),
    *("visibility", "kudos_count", "comment_count", "athlete_count", "summary_polyline"),
)
_SCHEMA = """
create table if not exists activity_details (
  activity_id bigint primary key, description varchar, calories double, device_name varchar,
  gear_id varchar, gear_name varchar, polyline varchar, fetched_at timestamp);
create table if not exists splits_metric (
  activity_id bigint, split integer, distance double, elapsed_time integer, moving_time integer,
  elevation_difference double, average_speed double, average_heartrate double,
  primary key (activity_id, split));
create table if not exists splits_standard (
  activity_id bigint, split integer, distance double, elapsed_time integer, moving_time integer,
  elevation_difference double, average_speed double, average_heartrate double,
  primary key (activity_id, split));
create table if not exists segment_efforts (
  effort_id bigint primary key, activity_id bigint, segment_id bigint, name varchar,
  elapsed_time integer, moving_time integer, distance double, start_date timestamp,
  average_heartrate double, max_heartrate double, pr_rank integer, kom_rank integer);
"""
_SPLIT = (
    *("split", "distance", "elapsed_time", "moving_time"),
    *("elevation_difference", "average_speed", "average_heartrate"),
)
_PREFILLED = (
    "activity_details select id, '', 700, 'Garmin', 'g1', 'Shoes', repeat('_p~iF~ps', 40), "
    "now()::timestamp from own",
    "splits_metric select id, j, 1e3, 300, 300, 1, 3.3, 150 from own, range(10) as t(j)",
    "splits_standard select id, j, 1609, 480, 480, 1, 3.3, 150 from own, range(6) as t(j)",
    "segment_efforts select id * 100 + j, id, j, 'Harbour mile', 300, 300, 1e3, "
    "now()::timestamp, 150, 170, null, null from own, range(25) as t(j)",
)


def pull(url: str, token: str, folder: Path) -> None:
    """Read the list to its end and keep it as one file."""
    found: list[Row] = []
    for page in range(1, 1_000_000):
        answer = requests.get(
            f"{url}/athlete/activities",
            params={"page": page, "per_page": 200},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        answer.raise_for_status()
        items = answer.json()
        if not items:
            break
        found += items
    _frame(found).to_parquet(folder / "run.parquet")


def _frame(items: list[Row]) -> pd.DataFrame:
    frame = pd.json_normalize(items, sep="_").rename(
        columns={"map_summary_polyline": "summary_polyline"}
    )
    frame["ingestion_ts"] = pd.Timestamp("2026-01-01")
    return frame


def shards(folder: Path, summaries: Path, runs: int) -> None:
    """Make the files of so many runs, each with what was new then and nothing twice."""
    folder.mkdir(parents=True)
    items = [orjson.loads(line) for line in summaries.read_bytes().splitlines()]
    table = pa.Table.from_pandas(_frame(items), preserve_index=False)
    for run in range(runs):
        first, last = (len(items) * index // runs for index in (run, run + 1))
        pq.write_table(table.slice(first, last - first), folder / f"run-{run:06}.parquet")


def compact(folder: Path, warehouse: Path, told: Path) -> None:
    """Make the table of activities anew from every file."""
    started = time.perf_counter()
    whole = pd.read_parquet(folder, columns=[*_COLUMNS, "ingestion_ts"])  # the fastest of its ways
    newest = whole.sort_values("ingestion_ts").drop_duplicates("id", keep="last")
    with duckdb.connect(str(warehouse)) as connection:
        connection.register("newest", newest)
        connection.execute(
            f"create or replace table activities as select {', '.join(_COLUMNS)} from newest"  # noqa: S608 our own names
        )
    told.write_text(json.dumps({"wall_s": time.perf_counter() - started}))


def prefill(warehouse: Path, first_id: int, count: int) -> None:
    """Make a warehouse that holds so many details; not its way of doing so, which takes an hour."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(_SCHEMA)
        connection.execute(
            "create temp table own as select ?::bigint + i as id from range(?) as t(i)",
            [first_id, count],
        )
        for rows in _PREFILLED:
            connection.execute(f"insert into {rows}")


def details(warehouse: Path, bodies: Path, told: Path) -> None:
    """Enter details that are at hand; only that is timed, not the start."""
    items = bodies.read_bytes().splitlines()
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(_SCHEMA)
        started, cpu = time.perf_counter(), time.process_time()
        for item in items:
            _upsert_detail(connection, orjson.loads(item))
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    told.write_text(json.dumps({"count": len(items), "wall_s": wall_s, "cpu_s": cpu_s}))


def _upsert_detail(connection: duckdb.DuckDBPyConnection, item: Row) -> None:
    own = item["id"]
    gear = item.get("gear") or {}
    connection.execute(
        "insert or replace into activity_details values (?, ?, ?, ?, ?, ?, ?, now()::timestamp)",
        [
            *(own, item.get("description"), item.get("calories"), item.get("device_name")),
            *(item.get("gear_id"), gear.get("name"), item["map"].get("polyline")),
        ],
    )
    for table in ("splits_metric", "splits_standard"):
        for split in item[table]:
            connection.execute(
                f"insert or replace into {table} values (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 our own names
                [own, *(split.get(name) for name in _SPLIT)],
            )
    for effort in item["segment_efforts"]:
        connection.execute(
            "insert or replace into segment_efforts values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                *(effort["id"], own, effort["segment"]["id"], effort["name"]),
                *(effort["elapsed_time"], effort["moving_time"], effort["distance"]),
                *(effort["start_date"].rstrip("Z"), effort.get("average_heartrate")),
                *(effort.get("max_heartrate"), effort.get("pr_rank"), effort.get("kom_rank")),
            ],
        )


def main() -> None:
    """Do one of its jobs."""
    job, *given = sys.argv[1:]
    if job == "pull":
        pull(given[0], given[1], Path(given[2]))
    elif job == "shards":
        shards(Path(given[0]), Path(given[1]), int(given[2]))
    elif job == "compact":
        compact(Path(given[0]), Path(given[1]), Path(given[2]))
    elif job == "prefill":
        prefill(Path(given[0]), int(given[1]), int(given[2]))
    else:
        details(Path(given[0]), Path(given[1]), Path(given[2]))


if __name__ == "__main__":
    main()
