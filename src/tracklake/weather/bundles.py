"""Days of weather, put together so that they cost few calls and little of the quota.

A call costs the sum over its locations of max(1, v / 10, days / 14 × v / 10), v being the number of
variables: so many days of one place cost as much as one, and up to fifty places share a call.
"""

import datetime as dt
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

SERVICES = ("forecast", "archive", "historical_forecast")  # in the order in which they are asked
_MOST_SPANS = 50  # of one call: the address stays short
_FREE_DAYS = 14

# Open-Meteo's name of each variable -> our column.
_COLUMNS = {
    "temperature_2m": "temperature_celsius",
    "apparent_temperature": "feels_like_celsius",
    "relative_humidity_2m": "humidity_percent",
    "surface_pressure": "pressure_hpa",
    "wind_speed_10m": "wind_speed_ms",
    "wind_direction_10m": "wind_direction_degrees",
    "weather_code": "weather_code",
    "precipitation": "precipitation_mm",
    "cloud_cover": "cloud_cover_percent",
}
_BEYOND_ARCHIVE = {"visibility": "visibility_meters", "uv_index": "uv_index"}


class CellDay(NamedTuple):
    """A day (UTC) in a cell (degrees), of one service."""

    service: str
    cell_lat: float
    cell_lng: float
    day: dt.date


class Span(NamedTuple):
    """Days of one cell, both ends included."""

    cell_lat: float
    cell_lng: float
    first_day: dt.date
    last_day: dt.date

    @property
    def day_count(self) -> int:
        """Return how many days it has."""
        return (self.last_day - self.first_day).days + 1

    def days(self) -> Iterator[dt.date]:
        """Yield them."""
        return (self.first_day + dt.timedelta(days=n) for n in range(self.day_count))


class Bundle(NamedTuple):
    """What one call asks one service for."""

    service: str
    spans: tuple[Span, ...]

    @property
    def cost(self) -> int:
        """Return what it counts in the quota, rounded up."""
        return math.ceil(round(sum(cost(self.service, span.day_count) for span in self.spans), 6))

    def params(self) -> dict[str, str | int]:
        """Return the parameters of the call."""
        return {
            "latitude": ",".join(f"{span.cell_lat:g}" for span in self.spans),
            "longitude": ",".join(f"{span.cell_lng:g}" for span in self.spans),
            "start_date": ",".join(span.first_day.isoformat() for span in self.spans),
            "end_date": ",".join(span.last_day.isoformat() for span in self.spans),
            "hourly": ",".join(columns(self.service)),
            "wind_speed_unit": "ms",
            "timezone": "GMT",
            "timeformat": "unixtime",
        }

    def halves(self) -> tuple["Bundle", "Bundle"]:
        """Return two bundles of half of its spans each."""
        middle = len(self.spans) // 2
        return self._replace(spans=self.spans[:middle]), self._replace(spans=self.spans[middle:])


def columns(service: str) -> dict[str, str]:
    """Return a service's variables, by their names, and our columns for them."""
    return _COLUMNS if service == "archive" else _COLUMNS | _BEYOND_ARCHIVE


def cost(service: str, days: int) -> float:
    """Return what so many days of one place count in the quota."""
    share = len(columns(service)) / 10
    return max(1.0, share, days / _FREE_DAYS * share)


def bundles(wanted: Iterable[CellDay]) -> list[Bundle]:
    """Put days together, the newest first within each service."""
    by_service: dict[str, dict[tuple[float, float], list[dt.date]]] = {}
    for service, lat, lng, day in wanted:
        by_service.setdefault(service, defaultdict(list))[lat, lng].append(day)
    found: list[Bundle] = []
    for service in SERVICES:
        spans = [
            Span(*cell, *ends)
            for cell, days in by_service.get(service, {}).items()
            for ends in _ends(sorted(set(days), reverse=True), _most_days(service))
        ]
        spans.sort(key=lambda span: (span.last_day, span), reverse=True)
        found += [Bundle(service, tuple(part)) for part in _parts(spans)]
    return found


def _most_days(service: str) -> int:
    """Return how many days cost no more than one."""
    return next(n for n in itertools.count(1) if cost(service, n + 1) > cost(service, 1))


def _ends(days: Sequence[dt.date], most_days: int) -> Iterator[tuple[dt.date, dt.date]]:
    """Cover days, newest first, with as few spans as can be; yield first and last of each."""
    first = last = days[0]
    for day in days[1:]:
        if (last - day).days >= most_days:
            yield first, last
            last = day
        first = day
    yield first, last


def _parts(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    for start in range(0, len(spans), _MOST_SPANS):
        yield spans[start : start + _MOST_SPANS]
