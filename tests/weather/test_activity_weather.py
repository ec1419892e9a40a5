"""Weather of an activity from that of hours: examples, and a slow reckoning in small steps."""

import datetime as dt
import functools
import math
import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.upstream import open_meteo
from tests.weather.small_gold import add_activity, add_hours, opened, weather

HOUR = 3600
STEPS = 400
NOON_S = int(dt.datetime(2026, 6, 14, 12, tzinfo=dt.UTC).timestamp())
truth = functools.cache(open_meteo.truth)
SCALARS = {
    "temperature_celsius": "temperature_2m",
    "feels_like_celsius": "apparent_temperature",
    "humidity_percent": "relative_humidity_2m",
    "pressure_hpa": "surface_pressure",
    "cloud_cover_percent": "cloud_cover",
    "visibility_meters": "visibility",
    "uv_index": "uv_index",
}


@pytest.fixture
def gold(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return an empty warehouse."""
    connection = opened(tmp_path / "gold.duckdb")
    yield connection
    connection.close()


def enter_hour(gold: duckdb.DuckDBPyConnection, hour_s: int, **values: object) -> None:
    """Enter one hour of the archive in Barcelona."""
    names = ", ".join(values)
    gold.execute(
        "insert into weather_hours (cell_lat, cell_lng, hour_utc, service, is_final, "  # noqa: S608
        f"{names}) values (41.4, 2.2, make_timestamptz(?::bigint), 'archive', true, "
        f"{', '.join('?' * len(values))})",
        [hour_s * 1_000_000, *values.values()],
    )


def test_a_start_between_two_hours_lies_on_the_line_between_them(
    gold: duckdb.DuckDBPyConnection,
) -> None:
    """12:15, between 10 and 14 degrees: 11; from 12:15 to 12:45, on the mean: 12."""
    enter_hour(gold, NOON_S, temperature_celsius=10, weather_code=0)
    enter_hour(gold, NOON_S + HOUR, temperature_celsius=14, weather_code=61)
    add_activity(gold, 1, start_s=NOON_S + 900, elapsed_time=1800)
    row = weather(gold)[1]
    assert row["temperature_celsius"] == pytest.approx(11)
    assert row["temperature_celsius_mean"] == pytest.approx(12)
    assert (row["weather_code"], row["weather_condition"]) == (0, "Clear sky")
    assert (row["worst_weather_code"], row["worst_weather_condition"]) == (61, "Slight rain")
    assert (row["weather_source"], row["is_final"]) == ("open_meteo/archive", True)


def test_winds_on_both_sides_of_north_are_north_and_opposite_ones_cancel(
    gold: duckdb.DuckDBPyConnection,
) -> None:
    """350 and 10 degrees make 0, not 180; 4 m/s from the north and from the south make calm."""
    enter_hour(gold, NOON_S, temperature_celsius=1, wind_speed_ms=5, wind_direction_degrees=350)
    enter_hour(
        gold, NOON_S + HOUR, temperature_celsius=1, wind_speed_ms=5, wind_direction_degrees=10
    )
    add_activity(gold, 1, start_s=NOON_S, elapsed_time=3600)
    add_activity(gold, 2, start_s=NOON_S + 1800, elapsed_time=0)
    rows = weather(gold)
    assert rows[1]["wind_direction_degrees"] == pytest.approx(350)
    for value in (rows[1]["wind_direction_degrees_mean"], rows[2]["wind_direction_degrees"]):
        assert math.cos(math.radians(float(str(value)))) == pytest.approx(1)
    assert rows[1]["wind_speed_ms_mean"] == pytest.approx(5 * math.cos(math.radians(10)))
    gold.execute("update weather_hours set wind_speed_ms = 4, wind_direction_degrees = 0")
    gold.execute(
        "update weather_hours set wind_direction_degrees = 180 "
        "where hour_utc = (select max(hour_utc) from weather_hours)"
    )
    calm = weather(gold)[2]
    assert calm["wind_speed_ms"] == pytest.approx(0, abs=1e-9)
    assert calm["wind_direction_degrees"] is None


def test_precipitation_is_that_of_the_hour_and_evenly_within_it(
    gold: duckdb.DuckDBPyConnection,
) -> None:
    """12:30 to 13:30, with 2 mm by 13:00 and 6 mm by 14:00: 2 mm at the start, 4 mm an hour."""
    for number, mm in enumerate((9, 2, 6)):
        enter_hour(gold, NOON_S + number * HOUR, temperature_celsius=1, precipitation_mm=mm)
    add_activity(gold, 1, start_s=NOON_S + 1800, elapsed_time=3600)
    row = weather(gold)[1]
    assert row["precipitation_mm"] == pytest.approx(2)
    assert row["precipitation_mm_mean"] == pytest.approx(4)


def test_what_one_hour_lacks_is_unknown_and_the_rest_is_there(
    gold: duckdb.DuckDBPyConnection,
) -> None:
    """No visibility at 13:00: none for 12:15; exactly at noon the noon's; no row without 12:00."""
    enter_hour(gold, NOON_S, temperature_celsius=10, visibility_meters=900)
    enter_hour(gold, NOON_S + HOUR, temperature_celsius=10)
    add_activity(gold, 1, start_s=NOON_S + 900, elapsed_time=600)
    add_activity(gold, 2, start_s=NOON_S, elapsed_time=600)
    add_activity(gold, 3, start_s=NOON_S - 900, elapsed_time=600)
    rows = weather(gold)
    assert rows[1]["visibility_meters"] is None
    assert rows[1]["temperature_celsius"] == 10
    assert (rows[2]["visibility_meters"], rows[2]["visibility_meters_mean"]) == (900, None)
    assert 3 not in rows


def test_the_archive_is_believed_first_and_what_it_lacks_comes_from_others(
    gold: duckdb.DuckDBPyConnection,
) -> None:
    """Temperature of the archive, visibility of the stitched forecasts rather than the forecast."""
    hours = range(NOON_S, NOON_S + 2 * HOUR, HOUR)
    add_hours(gold, "archive", 41.4, 2.2, hours)
    add_hours(gold, "forecast", 41.4, 2.2, hours, is_final=False)
    add_activity(gold, 1, start_s=NOON_S, elapsed_time=0)
    seen = []
    for service in ("forecast", "historical_forecast"):
        if service == "historical_forecast":
            add_hours(gold, service, 41.4, 2.2, hours, is_final=False)
        row = weather(gold)[1]
        assert row["temperature_celsius"] == truth("archive", 41.4, 2.2, NOON_S)["temperature_2m"]
        assert row["visibility_meters"] == truth(service, 41.4, 2.2, NOON_S)["visibility"]
        seen.append((row["weather_source"], row["is_final"]))
    assert seen == [("open_meteo/archive", True)] * 2


@pytest.mark.parametrize(
    ("values", "obstacle"),
    [
        ({"manual": True}, "manual"),
        ({"start_hidden": True}, "start_hidden"),
        ({"trainer": True}, "indoor"),
        ({"sport_type": "VirtualRide"}, "indoor"),
        ({"start_lat": None, "start_lng": None}, "no_position"),
        ({"start_lat": 0.0, "start_lng": 0.0}, "no_position"),
        ({"start_lat": 91.0}, "no_position"),
        ({"start_s": -1_000_000_000}, "before_1940"),
        ({}, None),
    ],
)
def test_activities_without_weather_say_why(
    gold: duckdb.DuckDBPyConnection, values: dict[str, object], obstacle: str | None
) -> None:
    """Hidden start, indoors, by hand, nowhere, too long ago: a reason and no hours to fetch."""
    add_activity(gold, 1, **values)
    assert gold.execute("select obstacle from activity_cells").fetchall() == [(obstacle,)]


@pytest.mark.parametrize(
    ("lat", "lng", "cell"),
    [
        (41.449, 2.151, (41.4, 2.2)),
        (-0.04, -0.04, (0.0, 0.0)),
        (10.0, 179.97, (10.0, -180.0)),
        (10.0, -179.97, (10.0, -180.0)),
        (10.0, 179.94, (10.0, 179.9)),
        (-33.86, 151.21, (-33.9, 151.2)),
        (89.99, -0.06, (90.0, -0.1)),
    ],
)
def test_cells_are_tenths_of_a_degree_right_across_180_degrees(
    gold: duckdb.DuckDBPyConnection, lat: float, lng: float, cell: tuple[float, float]
) -> None:
    """Both sides of the antimeridian share a cell; 0 has no sign."""
    add_activity(gold, 1, start_lat=lat, start_lng=lng)
    found = gold.execute("select cell_lat, cell_lng from activity_cells").fetchall()
    assert found == [cell]
    assert [str(value) for value in found[0]] == [str(value) for value in cell]


def slow(
    start_s: float, elapsed_s: float, services: tuple[str, ...]
) -> dict[str, tuple[float, float]]:
    """Reckon at start and mean, by small steps and plain interpolation."""
    steps = STEPS
    moments = [start_s + elapsed_s * (n + 0.5) / steps for n in range(steps)]
    found = {}
    for column, name in SCALARS.items():
        told = [service for service in services if truth(service, 41.4, 2.2, 0)[name] is not None]
        if told:
            values = [at(told[0], name, moment) for moment in moments]
            found[column] = (at(told[0], name, start_s), sum(values) / steps)
    return found


def at(service: str, name: str, moment_s: float) -> float:
    """Interpolate one variable between two hours."""
    low_s = math.floor(moment_s / HOUR) * HOUR
    part = (moment_s - low_s) / HOUR
    low, high = (truth(service, 41.4, 2.2, hour_s)[name] or 0.0 for hour_s in (low_s, low_s + HOUR))
    return low + (high - low) * part


def slow_wind(start_s: float, elapsed_s: float) -> tuple[float, float]:
    """Reckon the mean wind to the east and to the north."""
    steps = STEPS
    east = north = 0.0
    for n in range(steps):
        moment_s = start_s + elapsed_s * (n + 0.5) / steps
        low_s = math.floor(moment_s / HOUR) * HOUR
        for hour_s, part in (
            (low_s, 1 - (moment_s - low_s) / HOUR),
            (low_s + HOUR, (moment_s - low_s) / HOUR),
        ):
            told = truth("archive", 41.4, 2.2, hour_s)
            turn = math.radians(told["wind_direction_10m"] or 0)
            east += part * (told["wind_speed_10m"] or 0) * math.sin(turn) / steps
            north += part * (told["wind_speed_10m"] or 0) * math.cos(turn) / steps
    return east, north


@pytest.mark.parametrize("time_zone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
def test_activities_of_all_lengths_are_as_a_slow_reckoning_has_them(
    tmp_path: Path, time_zone: str
) -> None:
    """Starts and lengths from none to ten hours, right across changes of clocks and midnight,
    whatever time zone the person who asks is in.
    """
    gold = opened(tmp_path / "gold.duckdb", time_zone=time_zone)
    dice = random.Random(7)  # noqa: S311 repeatable on purpose
    first_s = int(dt.datetime(2026, 3, 28, tzinfo=dt.UTC).timestamp())  # clocks change on 29 March
    hours = range(first_s, first_s + 80 * HOUR, HOUR)
    for service in ("archive", "historical_forecast"):
        add_hours(gold, service, 41.4, 2.2, hours, is_final=service == "archive")
    wanted = {}
    for number in range(24):
        start_s = first_s + dice.choice([dice.uniform(0, 60 * HOUR), dice.randrange(60) * HOUR])
        start_s = round(start_s, 3)
        elapsed_s = dice.choice([0.0, 1.0, HOUR, round(dice.uniform(60, 10 * HOUR), 1)])
        add_activity(gold, number, start_s=start_s, elapsed_time=elapsed_s)
        wanted[number] = (start_s, elapsed_s)
    rows = weather(gold)
    assert rows.keys() == wanted.keys()
    for number, (start_s, elapsed_s) in wanted.items():
        row = rows[number]
        for column, (start, mean) in slow(
            start_s, elapsed_s, ("archive", "historical_forecast")
        ).items():
            assert row[column] == pytest.approx(start, abs=1e-4), column
            assert row[f"{column}_mean"] == pytest.approx(mean, abs=2e-2, rel=1e-4), column
        east, north = slow_wind(start_s, elapsed_s)
        assert row["wind_speed_ms_mean"] == pytest.approx(math.hypot(east, north), abs=1e-3)
        touched = range(
            int(start_s // HOUR) * HOUR, math.ceil((start_s + elapsed_s) / HOUR) * HOUR + 1, HOUR
        )
        codes = [truth("archive", 41.4, 2.2, hour_s)["weather_code"] for hour_s in touched]
        assert row["worst_weather_code"] == max(code for code in codes if code is not None)
    gold.close()
