"""Open-Meteo's answers: what is read, and what is refused."""

import copy
import datetime as dt
from typing import Any

import orjson
import pytest

from tests.conftest import CORPUS
from tracklake.errors import InvalidData
from tracklake.weather import answers
from tracklake.weather.bundles import Bundle, Span, columns

DAY = dt.date(2026, 6, 14)
SPAN = Span(41.4, 2.2, DAY, DAY)
LATER = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
NIGHT_S = int(dt.datetime(2026, 6, 14, tzinfo=dt.UTC).timestamp())
UNITS = {
    "temperature_2m": "°C",
    "apparent_temperature": "°C",
    "relative_humidity_2m": "%",
    "surface_pressure": "hPa",
    "wind_speed_10m": "m/s",
    "wind_direction_10m": "°",
    "weather_code": "wmo code",
    "precipitation": "mm",
    "cloud_cover": "%",
    "visibility": "m",
    "uv_index": "",
}


def place(service: str = "archive") -> dict[str, Any]:
    """Return a whole day of one place as the service sends it."""
    names = columns(service)
    return {
        "latitude": 41.37,
        "longitude": 2.14,
        "utc_offset_seconds": 0,
        "hourly_units": {"time": "unixtime"} | {name: UNITS[name] for name in names},
        "hourly": {"time": [NIGHT_S + 3600 * n for n in range(24)]}
        | {name: [n % 24 for n in range(24)] for name in names},
    }


def read(given: object, service: str = "archive", at: dt.datetime = LATER) -> list[answers.Row]:
    """Read one place."""
    return answers.rows(given, service, SPAN, at)


def test_a_day_becomes_24_rows_of_the_cell_that_was_asked_for() -> None:
    """The answer's own coordinates are those of a model's cell and are not taken over."""
    rows = read(place())
    assert len(rows) == 24
    assert {(row["cell_lat"], row["cell_lng"]) for row in rows} == {(41.4, 2.2)}
    assert rows[5]["hour_utc"] == dt.datetime(2026, 6, 14, 5, tzinfo=dt.UTC)
    assert (rows[5]["temperature_celsius"], rows[5]["weather_code"]) == (5.0, 5)
    assert all(row["is_final"] for row in rows)


@pytest.mark.parametrize(("age", "final"), [(5, False), (6, True), (7, True)])
def test_the_archive_is_final_from_the_sixth_day_and_forecasts_never(age: int, final: bool) -> None:
    """Before that ERA5 is not in it yet."""
    at = dt.datetime(2026, 6, 14 + age, 12, tzinfo=dt.UTC)
    assert {row["is_final"] for row in read(place(), at=at)} == {final}
    assert {row["is_final"] for row in read(place("forecast"), "forecast", at)} == {False}


def test_nulls_are_final_only_when_nothing_is_to_be_hoped_for() -> None:
    """An hour that the archive lacks on the sixth day is asked for again until the twelfth."""
    given = place()
    given["hourly"]["temperature_2m"][3] = None
    for age, final in ((6, False), (11, False), (12, True)):
        at = dt.datetime(2026, 6, 14 + age, 12, tzinfo=dt.UTC)
        rows = read(given, at=at)
        assert (rows[3]["temperature_celsius"], rows[3]["is_final"]) == (None, final)
        assert rows[4]["is_final"]


def test_hours_that_are_still_to_come_are_no_weather() -> None:
    """At 10:30 there are rows up to 11:00."""
    at = dt.datetime(2026, 6, 14, 10, 30, tzinfo=dt.UTC)
    assert len(read(place("forecast"), "forecast", at)) == 12


def test_hours_that_an_answer_leaves_out_have_rows_without_values() -> None:
    """They were asked for, and are not asked for on each run for ever."""
    given = place()
    given["hourly"] = {name: values[:6] for name, values in given["hourly"].items()}
    rows = read(given)
    assert len(rows) == 24
    assert [row["temperature_celsius"] is None for row in rows] == [False] * 6 + [True] * 18


def test_a_variable_that_is_undefined_is_null_not_zero() -> None:
    """As the archive says visibility, if it is asked."""
    given = place("forecast")
    given["hourly_units"]["visibility"] = "undefined"
    given["hourly"]["uv_index"] = [None] * 24
    rows = read(given, "forecast")
    assert {row["visibility_meters"] for row in rows} == {None}
    assert {row["uv_index"] for row in rows} == {None}


def test_a_wind_in_km_an_hour_is_taken_over_in_metres_a_second() -> None:
    """The unit is read from each answer, not supposed."""
    given = place()
    given["hourly_units"]["wind_speed_10m"] = "km/h"
    assert read(given)[18]["wind_speed_ms"] == pytest.approx(5.0)


def test_a_service_that_lacks_a_variable_gives_the_others() -> None:
    """As one of somebody's own may: nulls for cloud cover, values for all else."""
    given = place()
    del given["hourly"]["cloud_cover"], given["hourly_units"]["cloud_cover"]
    assert {row["cloud_cover_percent"] for row in read(given)} == {None}
    assert read(given)[7]["humidity_percent"] == 7


@pytest.mark.parametrize("value", [float("nan"), 1e9, -300, "7", True, [1]])
def test_values_that_cannot_be_are_left_out(value: object) -> None:
    """The hour stays, with what else it says."""
    given = place()
    given["hourly"]["temperature_2m"][2] = value
    row = read(given)[2]
    assert row["temperature_celsius"] is None
    assert row["humidity_percent"] == 2


def _changed(path: str, value: object) -> dict[str, Any]:
    given = copy.deepcopy(place())
    inner = given
    *way, last = path.split("/")
    for name in way:
        inner = inner[name]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return given


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("hourly_units/temperature_2m", "°F", "other_unit"),
        ("hourly_units/wind_speed_10m", "kn", "other_unit"),
        ("hourly_units/wind_speed_10m", ["m/s"], "other_unit"),
        ("hourly_units/precipitation", KeyError, "other_unit"),
        ("hourly_units", None, "bad_answer"),
        ("hourly", KeyError, "bad_answer"),
        ("hourly/temperature_2m", KeyError, "bad_answer"),
        ("hourly/surface_pressure", [1.0], "bad_answer"),
        ("hourly/time", ["2026-06-14T00:00"] * 24, "bad_time"),
        ("hourly/time", [NIGHT_S + 1 + 3600 * n for n in range(24)], "bad_time"),
        ("hourly/time", [NIGHT_S - 3600 + 3600 * n for n in range(24)], "bad_time"),
        ("hourly/time", [NIGHT_S] * 24, "bad_time"),
        ("utc_offset_seconds", 7200, "other_time_zone"),
    ],
)
def test_an_answer_that_is_not_as_asked_is_refused(path: str, value: object, reason: str) -> None:
    """Other units, other hours, other zones, missing series: set aside with a reason."""
    with pytest.raises(InvalidData) as caught:
        read(_changed(path, value))
    assert caught.value.reason == reason


def test_one_place_comes_bare_and_several_in_a_list() -> None:
    """And their number is what was asked for."""
    one = Bundle("archive", (SPAN,))
    two = Bundle("archive", (SPAN, SPAN))
    assert len(answers.locations(orjson.dumps(place()), one)) == 1
    assert len(answers.locations(orjson.dumps([place(), place()]), two)) == 2
    for body, bundle in ((orjson.dumps(place()), two), (b"[]", one), (b"<html>", one)):
        with pytest.raises(InvalidData):
            answers.locations(body, bundle)


@pytest.mark.parametrize(
    ("word", "window_s"),
    [("Minutely", 60), ("Hourly", 3600), ("Daily", 86_400), ("Too many concurrent", None)],
)
def test_the_first_word_of_a_refusal_says_which_window_is_used_up(
    word: str, window_s: int | None
) -> None:
    """Nothing else in the answer says it."""
    body = orjson.dumps({"error": True, "reason": f"{word} API request limit exceeded."})
    assert answers.refused_window_s(body) == window_s
    assert answers.refused_window_s(b"<html>") is None


def test_the_answers_of_the_contract_are_read(corpus: object) -> None:
    """The shapes that were made from the server's source give three places of hours."""
    assert corpus
    text = CORPUS.parent / "contracts/open-meteo/samples/multi_location.constructed.json"
    body = orjson.loads(text.read_bytes())["body"]
    bundle = Bundle("archive", (SPAN,) * 3)
    for given in answers.locations(orjson.dumps(body), bundle):
        rows = answers.rows(given, "archive", SPAN, LATER)
        told = [row["temperature_celsius"] for row in rows]
        assert [value is None for value in told] == [False] * 5 + [True] * 19
