"""A warehouse in memory that has what views of weather read, and nothing else."""

import datetime as dt
from pathlib import Path

import duckdb

from tests.upstream.open_meteo import truth
from tracklake import warehouse
from tracklake.weather.bundles import columns

_TABLES = ("11_activities", "70_weather_hours")
_VIEWS = ("activity_cells", "activity_hours", "activity_weather")


def opened(path: Path, *, time_zone: str = "UTC") -> duckdb.DuckDBPyConnection:
    """Return a connection to a new warehouse; `time_zone`: of the person who asks."""
    connection = warehouse.connect(path, threads=1)
    for name in _TABLES:
        connection.execute(warehouse.sql_files("schema")[name])
    for name in _VIEWS:
        connection.execute(warehouse.sql_files("gold")[name])
    connection.execute(f"set timezone = '{time_zone}'")
    return connection


def add_activity(connection: duckdb.DuckDBPyConnection, number: int, **values: object) -> None:
    """Enter a run in Barcelona; `values` are columns of activities, start_s UNIX seconds."""
    row: dict[str, object] = {
        "athlete": "me",
        "sport_type": "Run",
        "start_lat": 41.4,
        "start_lng": 2.17,
        "elapsed_time": 1800.0,
        **values,
    }
    start_s = float(str(row.pop("start_s", 1_780_000_000)))
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"insert into activities (id, start_date, {names}) "  # noqa: S608 names of our own
        f"values (?, make_timestamptz(?::bigint), {marks})",
        [number, round(start_s * 1e6), *row.values()],
    )


def add_hours(
    connection: duckdb.DuckDBPyConnection,
    service: str,
    lat: float,
    lng: float,
    hours_s: range,
    *,
    is_final: bool = True,
) -> None:
    """Enter what the simulator says of a place."""
    for hour_s in hours_s:
        told = truth(service, lat, lng, hour_s)
        row = {column: told[name] for name, column in columns(service).items()}
        names = ", ".join(row)
        connection.execute(
            "insert into weather_hours (cell_lat, cell_lng, hour_utc, service, is_final, "  # noqa: S608
            f"fetched_at, {names}) values (?, ?, make_timestamptz(?::bigint), ?, ?, ?, "
            f"{', '.join('?' * len(row))})",
            [
                *(lat, lng, hour_s * 1_000_000, service, is_final),
                dt.datetime(2026, 11, 20, tzinfo=dt.UTC),
                *row.values(),
            ],
        )


def weather(connection: duckdb.DuckDBPyConnection) -> dict[int, dict[str, object]]:
    """Return the view's rows by activity."""
    cursor = connection.execute("from activity_weather")
    names = [column[0] for column in cursor.description or []]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}
