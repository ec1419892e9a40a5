"""What Open-Meteo's answers say, as rows; nothing is believed that was not checked."""

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tracklake.clock import UTC
from tracklake.errors import InvalidData
from tracklake.json_text import parse
from tracklake.weather.bundles import Bundle, Span, columns

FINAL_AFTER_DAYS = 6  # the archive's reanalysis lags five
_GIVEN_UP_AFTER_DAYS = 12  # what it does not say then, it never says
_HOUR_S = 3600
_AHEAD_S = 3600  # an hour that is further in the future is a guess, not weather

# Texts in hourly_units and by what a value is multiplied.
_UNITS: dict[str, dict[str, float]] = {
    "temperature_2m": {"°C": 1.0},
    "apparent_temperature": {"°C": 1.0},
    "relative_humidity_2m": {"%": 1.0},
    "surface_pressure": {"hPa": 1.0},
    "wind_speed_10m": {"m/s": 1.0, "km/h": 1 / 3.6},
    "wind_direction_10m": {"°": 1.0},
    "weather_code": {"wmo code": 1.0},
    "precipitation": {"mm": 1.0},
    "cloud_cover": {"%": 1.0},
    "visibility": {"m": 1.0},
    "uv_index": {"": 1.0},
}
_NEEDED = "temperature_2m"  # a service that has no other variable may leave it out
_NO_UNIT = "undefined"  # of a variable that a service does not have; its values are nulls
_POSSIBLE = {  # what lies outside is left out
    "temperature_2m": (-100, 70),
    "apparent_temperature": (-150, 100),
    "relative_humidity_2m": (0, 100),
    "surface_pressure": (300, 1100),
    "wind_speed_10m": (0, 150),
    "wind_direction_10m": (0, 360),
    "weather_code": (0, 99),
    "precipitation": (0, 500),
    "cloud_cover": (0, 100),
    "visibility": (0, 1_000_000),
    "uv_index": (0, 50),
}
_WINDOWS_S = {"minutely": 60, "hourly": 3600, "daily": 86_400, "monthly": 86_400}

Row = dict[str, object]


def refused_window_s(body: bytes) -> int | None:
    """Return how long the window is that a 429 says is used up; None if it says something else."""
    first = re.match(r"[a-z]*", reason(body).lower())
    return _WINDOWS_S.get(first[0] if first else "")


def reason(body: bytes) -> str:
    """Return what an error's body says is wrong, empty if it does not say."""
    try:
        found = parse(body)
    except ValueError:
        return ""
    return str(found.get("reason") or "")[:300] if isinstance(found, dict) else ""


def locations(body: bytes, bundle: Bundle) -> list[object]:
    """Return what an answer says of each span, in their order; InvalidData if it is of another
    shape. One place comes bare, several in a list.
    """
    try:
        found = parse(body)
    except ValueError as error:
        raise InvalidData("the weather is no JSON", reason="bad_answer") from error
    given = found if isinstance(found, list) else [found]
    if len(given) != len(bundle.spans):
        raise InvalidData(
            f"weather of {len(given)} places where {len(bundle.spans)} were asked for",
            reason="bad_answer",
        )
    return given


def rows(given: object, service: str, span: Span, fetched_at: dt.datetime) -> list[Row]:
    """Return the rows of one place, one an hour that is over or is now; InvalidData says what is
    not as asked. An hour that the answer leaves out has a row without values: it was asked for.
    """
    if not isinstance(given, dict):
        raise InvalidData("the weather of a place is no object", reason="bad_answer")
    if given.get("utc_offset_seconds", 0) != 0:
        raise InvalidData("the weather is in another time zone", reason="other_time_zone")
    hourly = _object(given, "hourly")
    place_of = _hours(hourly, span)
    read = {
        column: _series(given, name, len(place_of)) for name, column in columns(service).items()
    }
    made = []
    for hour_s in _wanted_hours(span, fetched_at):
        index = place_of.get(hour_s)
        values = {
            column: None if index is None else series[index] for column, series in read.items()
        }
        made.append(_row(service, span, hour_s, values, fetched_at))
    return made


def _object(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = given.get(name)
    if not isinstance(found, dict):
        raise InvalidData(f"the weather of a place lacks {name}", reason="bad_answer")
    return found


def _hours(hourly: dict[str, Any], span: Span) -> dict[int, int]:
    """Return the index of each hour (UNIX seconds)."""
    times = hourly.get("time")
    if not isinstance(times, list) or not all(type(one) is int for one in times):
        raise InvalidData("the weather's hours are no UNIX times", reason="bad_time")
    first_s, end_s = _bounds_s(span)
    if any(one % _HOUR_S or not first_s <= one < end_s for one in times):
        raise InvalidData("the weather is of other hours than asked for", reason="bad_time")
    found = {one: index for index, one in enumerate(times)}
    if len(found) != len(times):
        raise InvalidData("the weather names an hour twice", reason="bad_time")
    return found


def _bounds_s(span: Span) -> tuple[int, int]:
    first = dt.datetime.combine(span.first_day, dt.time(), UTC)
    end = dt.datetime.combine(span.last_day, dt.time(), UTC) + dt.timedelta(days=1)
    return int(first.timestamp()), int(end.timestamp())


def _wanted_hours(span: Span, fetched_at: dt.datetime) -> Iterator[int]:
    first_s, end_s = _bounds_s(span)
    latest_s = fetched_at.timestamp() + _AHEAD_S
    return (hour_s for hour_s in range(first_s, end_s, _HOUR_S) if hour_s <= latest_s)


def _series(given: Mapping[str, Any], name: str, count: int) -> list[float | None]:
    """Return one variable's values in our unit."""
    unit = _object(given, "hourly_units").get(name)
    values = _object(given, "hourly").get(name)
    if values is None and name != _NEEDED:
        return [None] * count
    if not isinstance(values, list) or len(values) != count:
        raise InvalidData(f"the weather lacks {name}, or hours of it", reason="bad_answer")
    if unit == _NO_UNIT:
        return [None] * count
    if not isinstance(unit, str) or unit not in _UNITS[name]:
        raise InvalidData(f"{name} comes in {unit!r}", reason="other_unit")
    return [_value(one, name, _UNITS[name][unit]) for one in values]


def _value(found: object, name: str, factor: float) -> float | None:
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    value = found * factor
    lowest, highest = _POSSIBLE[name]
    return value if math.isfinite(value) and lowest <= value <= highest else None


def _row(
    service: str,
    span: Span,
    hour_s: int,
    values: dict[str, float | None],
    fetched_at: dt.datetime,
) -> Row:
    hour = dt.datetime.fromtimestamp(hour_s, UTC)
    age_days = (fetched_at.date() - hour.date()).days
    enough = FINAL_AFTER_DAYS
    if values["temperature_celsius"] is None:
        enough = _GIVEN_UP_AFTER_DAYS
    code = values["weather_code"]
    return {
        "source_id": f"{service}/{span.cell_lat:g}/{span.cell_lng:g}",
        "service": service,
        "cell_lat": span.cell_lat,
        "cell_lng": span.cell_lng,
        "hour_utc": hour,
        **values,
        "weather_code": None if code is None else int(code),
        "is_final": service == "archive" and age_days >= enough,
        "fetched_at": fetched_at,
    }
