"""What a Nominatim server is asked, and what its answer says; pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tracklake.errors import InvalidData
from tracklake.json_text import parse
from tracklake.places.lookup import distance_km

# What an answer may call a settlement, the best word first.
_SETTLEMENTS = ("city", "town", "village", "municipality", "hamlet", "suburb", "county")
_ZOOM_OF_CITIES = 10

Row = dict[str, object]


def url(setting: str) -> str:
    """Return the address that is asked, of a server's address."""
    return setting if setting.endswith("/reverse") else f"{setting}/reverse"


def params(lat_e3: int, lng_e3: int) -> dict[str, str | int]:
    """Return what is asked about the middle of a cell, in thousandths of a degree."""
    return {
        "lat": f"{lat_e3 / 1000:.2f}",
        "lon": f"{lng_e3 / 1000:.2f}",
        "format": "jsonv2",
        "zoom": _ZOOM_OF_CITIES,
        "addressdetails": 1,
        "accept-language": "en",
    }


def read(body: bytes, lat_e3: int, lng_e3: int) -> Row:
    """Return city, state, country, country_code and distance_km (to what it names), each or None.

    InvalidData if it is no answer about a place. At sea it knows nothing, and says so.
    """
    try:
        found = parse(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidData("an answer of another shape", reason="bad_answer")
    if "error" in found:
        if "geocode" in str(found["error"]).lower():
            return dict.fromkeys(("city", "state", "country", "country_code", "distance_km"))
        raise InvalidData(f"it answers: {str(found['error'])[:200]}", reason="bad_answer")
    address = found.get("address")
    if not isinstance(address, dict):
        raise InvalidData("an answer without an address", reason="bad_answer")
    code = _text(address, "country_code")
    return {
        "city": next(filter(None, (_text(address, key) for key in _SETTLEMENTS)), None),
        "state": _text(address, "state"),
        "country": _text(address, "country"),
        "country_code": code.upper() if code else None,
        "distance_km": _distance(found, lat_e3 / 1000, lng_e3 / 1000),
    }


def _text(address: Mapping[str, Any], key: str) -> str | None:
    value = address.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _distance(found: Mapping[str, Any], lat: float, lng: float) -> float | None:
    """Return how far the middle of what it names is; it writes numbers as text."""
    try:
        there = np.array([float(found["lat"])]), np.array([float(found["lon"])])
    except (KeyError, TypeError, ValueError):
        return None
    if not (abs(there[0][0]) <= 90 and abs(there[1][0]) <= 360):
        return None
    return round(float(distance_km(lat, lng, *there)[0]), 3)
