"""A simulated Open-Meteo: three services, weather as a formula, weights and clock windows.

The shapes and the words of its errors are those of contracts/open-meteo (from the server's source).
"""

import dataclasses
import datetime as dt
import math
import re
from typing import Any

from tests.upstream.calls import Answer, Call
from tests.upstream.server import Upstream

PATHS = {
    "/archive": "archive",
    "/forecast": "forecast",
    "/historical-forecast": "historical_forecast",
}
UNITS = {
    "temperature_2m": "°C",
    "apparent_temperature": "°C",
    "relative_humidity_2m": "%",
    "surface_pressure": "hPa",
    "wind_speed_10m": "km/h",
    "wind_direction_10m": "°",
    "weather_code": "wmo code",
    "precipitation": "mm",
    "cloud_cover": "%",
    "visibility": "m",
    "uv_index": "",
}
CODES = (0, 1, 2, 3, 45, 51, 61, 63, 65, 71, 80, 95)
_NOT_IN_ARCHIVE = ("visibility", "uv_index")
_SPANS = {"Minutely": 60, "Hourly": 3600, "Daily": 86_400}
_AGAIN = {"Minutely": "in one minute", "Hourly": "in the next hour", "Daily": "tomorrow"}


def truth(service: str, lat: float, lng: float, hour_s: int) -> dict[str, float | None]:
    """Return the weather of a place and an hour, in the units of UNITS but wind in m/s."""
    phase = hour_s / 3600 + lat * 7 + lng * 3 + {"archive": 0, "forecast": 1}.get(service, 2)
    turn = math.radians(phase * 15)
    values: dict[str, float | None] = {
        "temperature_2m": round(15 + 9 * math.sin(turn), 1),
        "apparent_temperature": round(13 + 11 * math.sin(turn), 1),
        "relative_humidity_2m": round(60 + 30 * math.cos(turn)),
        "surface_pressure": round(1000 + 12 * math.sin(turn / 5), 1),
        "wind_speed_10m": round(4 + 3 * math.sin(turn * 1.7), 1),
        "wind_direction_10m": round(phase * 37) % 360,
        "weather_code": CODES[int(phase) % len(CODES)],
        "precipitation": round(max(0.0, math.sin(turn * 2)) * 2, 1),
        "cloud_cover": round(50 + 50 * math.sin(turn * 0.7)),
        "visibility": round(12_000 + 11_000 * math.cos(turn)),
        "uv_index": round(max(0.0, 6 * math.sin(turn)), 2),
    }
    if service == "archive":
        values |= dict.fromkeys(_NOT_IN_ARCHIVE)
    return values


@dataclasses.dataclass
class WeightedLimits:
    """What a client may use in each clock window."""

    minute: float = 600
    hour: float = 5000
    day: float = 10_000


class OpenMeteoUpstream(Upstream):
    """Answers as the three hosts do, each below a path of its own.

    lacking: hours (service, UNIX seconds) that are null; refused_latitudes: that are not accepted;
    failing_latitudes: at which it fails; concurrent: how many calls are turned away as too many at
    once. used: weight by window; refused: weight of calls that came although a window was used up.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.limits = WeightedLimits()
        self.lacking: set[tuple[str, int]] = set()
        self.refused_latitudes: set[float] = set()
        self.failing_latitudes: set[float] = set()
        self.units: dict[str, str] = {}
        self.concurrent = 0
        self.used: dict[tuple[str, int], float] = {}
        self.refused: list[str] = []

    def settings(self) -> dict[str, object]:
        """Return what makes Tracklake ask here."""
        return {
            "weather": True,
            "open_meteo_archive_url": f"{self.url}/archive",
            "open_meteo_forecast_url": f"{self.url}/forecast",
            "open_meteo_historical_forecast_url": f"{self.url}/historical-forecast",
        }

    @property
    def weight(self) -> float:
        """Return what all calls together counted."""
        return sum(count for (word, _), count in self.used.items() if word == "Daily")

    def answer(self, call: Call) -> Answer:
        """Answer one call."""
        service = PATHS.get(call.path)
        if service is None:
            return _error(404, "Not Found")
        if self.concurrent:
            self.concurrent -= 1
            return _error(429, "Too many concurrent requests")
        try:
            places = _places(call.query)
        except (KeyError, ValueError) as problem:
            return self._spent(call, 1) or _error(400, f"Parameter {problem}")
        variables = call.query["hourly"].split(",")
        weight = sum(_weight(len(variables), (last - first).days + 1) for *_, first, last in places)
        wrong = self._wrong(service, places)
        failure = self._failure(places)
        if refusal := failure or self._spent(call, 1 if wrong else weight):
            return refusal
        if wrong:
            return _error(400, wrong)
        made = [
            self._place(service, index, place, variables, call.query)
            for index, place in enumerate(places)
        ]
        return Answer(200, made if len(made) > 1 else made[0])

    def _failure(self, places: list[tuple[float, float, dt.date, dt.date]]) -> Answer | None:
        is_failing = self.failing_latitudes & {lat for lat, *_ in places}
        return _error(500, "Internal Server Error") if is_failing else None

    def _spent(self, call: Call, weight: float) -> Answer | None:
        limits = {
            "Minutely": self.limits.minute,
            "Hourly": self.limits.hour,
            "Daily": self.limits.day,
        }
        keys = {word: (word, int(call.moment.timestamp() // span)) for word, span in _SPANS.items()}
        for word, most in limits.items():
            if self.used.get(keys[word], 0) + weight > most:
                self.refused.append(word)
                text = f"{word} API request limit exceeded. Please try again {_AGAIN[word]}."
                return _error(429, text)
        for key in keys.values():
            self.used[key] = self.used.get(key, 0) + weight
        return None

    def use_elsewhere(self, word: str, weight: float) -> None:
        """Let somebody else at this address use a window up."""
        key = (word, int(self.moment().timestamp() // _SPANS[word]))
        self.used[key] = self.used.get(key, 0) + weight

    def _wrong(self, service: str, places: list[tuple[float, float, dt.date, dt.date]]) -> str:
        today = self.moment().date()
        first = {
            "archive": dt.date(1940, 1, 1),
            "forecast": today - dt.timedelta(days=92),
            "historical_forecast": dt.date(2016, 1, 1),
        }[service]
        last = today if service == "archive" else today + dt.timedelta(days=16)
        for lat, _, start, end in places:
            if lat in self.refused_latitudes:
                return "Parameter 'latitude' must be a place that we know"
            if start < first or end > last or end < start:
                return f"Parameter 'start_date' is out of allowed range from {first} to {last}"
        return ""

    def _place(
        self,
        service: str,
        index: int,
        place: tuple[float, float, dt.date, dt.date],
        variables: list[str],
        query: dict[str, str],
    ) -> dict[str, Any]:
        lat, lng, first, last = place
        start_s = int(dt.datetime.combine(first, dt.time(), dt.UTC).timestamp())
        hours = range(start_s, start_s + ((last - first).days + 1) * 86_400, 3600)
        rows = [self._hour(service, lat, lng, hour_s) for hour_s in hours]
        metres = query.get("wind_speed_unit") == "ms"
        told: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in variables}
        if not metres and "wind_speed_10m" in told:
            told["wind_speed_10m"] = [
                None if one is None else one * 3.6 for one in told["wind_speed_10m"]
            ]
        units = {name: UNITS[name] for name in variables}
        if metres and "wind_speed_10m" in units:
            units["wind_speed_10m"] = "m/s"
        if service == "archive":
            units |= {name: "undefined" for name in _NOT_IN_ARCHIVE if name in units}
        found = {
            "latitude": round(lat + 0.013, 6),  # the middle of a model's cell, not what was asked
            "longitude": round(lng - 0.021, 6),
            "generationtime_ms": 0.2,
            "utc_offset_seconds": 0,
            "timezone": "GMT",
            "timezone_abbreviation": "GMT",
            "elevation": 31.0,
            "hourly_units": {"time": "unixtime", **units, **self.units},
            "hourly": {"time": list(hours), **told},
        }
        return found | ({"location_id": index} if index else {})

    def _hour(self, service: str, lat: float, lng: float, hour_s: int) -> dict[str, float | None]:
        values = truth(service, lat, lng, hour_s)
        if (service, hour_s) in self.lacking:
            return dict.fromkeys(values)
        return values


def _error(status: int, reason: str) -> Answer:
    return Answer(status, {"error": True, "reason": reason})


def _weight(variables: int, days: int) -> float:
    return max(1.0, variables / 10, days / 14 * variables / 10)


def _places(query: dict[str, str]) -> list[tuple[float, float, dt.date, dt.date]]:
    """Read the lists of places and dates; ValueError as the service words it."""
    if query.get("timezone") != "GMT" or query.get("timeformat") != "unixtime":
        raise ValueError("'timezone' is not what this simulator answers")
    unknown = [name for name in query["hourly"].split(",") if name not in UNITS]
    if unknown or not re.fullmatch(r"[-0-9.,]+", query["latitude"] + query["longitude"]):
        raise ValueError(f"'hourly' names {unknown}")
    lats, lngs = query["latitude"].split(","), query["longitude"].split(",")
    starts, ends = query["start_date"].split(","), query["end_date"].split(",")
    if not len(lats) == len(lngs) == len(starts) == len(ends):
        raise ValueError("'latitude' and 'longitude' must have the same number of elements")
    day = dt.date.fromisoformat
    return [
        (float(lat), float(lng), day(start), day(end))
        for lat, lng, start, end in zip(lats, lngs, starts, ends, strict=True)
    ]
