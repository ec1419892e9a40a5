"""The same job done the obvious way: fitparse, a pandas frame a file, one INSERT a row.

It does less than Tracklake does (no splits, no best efforts, no tracks, no map, nothing survives a
kill); it reads the points and totals of FIT files into DuckDB tables with primary keys, one
transaction a file. Run by the environment of `requirements-bench.lock`:

    python obvious.py WAREHOUSE FILE…
"""

import sys
from pathlib import Path

import duckdb
import fitparse
import pandas as pd

_SCHEMA = """
create table activities (id bigint primary key, sport varchar, start_time timestamp,
                         distance double, elapsed double);
create table points (activity_id bigint, i integer, time timestamp, lat double, lng double,
                     altitude double, distance double, speed double, heart_rate double,
                     cadence double, power double, temperature double,
                     primary key (activity_id, i));
"""
_COLUMNS = [
    *("timestamp", "position_lat", "position_long", "enhanced_altitude", "distance"),
    *("enhanced_speed", "heart_rate", "cadence", "power", "temperature"),
]
_INSERT_POINT = "insert into points values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def _read(path: Path) -> tuple[dict[str, object], pd.DataFrame]:
    fit = fitparse.FitFile(str(path))
    messages: dict[str, list[dict[str, object]]] = {"session": [], "record": []}
    for message in fit.get_messages(["session", "record"]):
        messages[message.name].append(message.get_values())
    frame = pd.DataFrame(messages["record"]).reindex(columns=_COLUMNS)
    for column in ("position_lat", "position_long"):
        frame[column] = pd.to_numeric(frame[column]) * 180 / 2**31
    return messages["session"][0], frame


def _store(connection: duckdb.DuckDBPyConnection, number: int, path: Path) -> None:
    session, frame = _read(path)
    connection.execute("begin")
    connection.execute(
        "insert into activities values (?, ?, ?, ?, ?)",
        [
            number,
            session["sport"],
            session["start_time"],
            session["total_distance"],
            session["total_elapsed_time"],
        ],
    )
    frame = frame.astype(object).where(frame.notna(), None)
    for i, row in enumerate(frame.itertuples(index=False)):
        connection.execute(_INSERT_POINT, [number, i, *row])
    connection.execute("commit")


def main() -> None:
    """Read the files into a new warehouse."""
    warehouse, *files = sys.argv[1:]
    with duckdb.connect(warehouse) as connection:
        connection.execute(_SCHEMA)
        for number, name in enumerate(files):
            _store(connection, number, Path(name))
        print(connection.execute("select count(*) from points").fetchall())


if __name__ == "__main__":
    main()
