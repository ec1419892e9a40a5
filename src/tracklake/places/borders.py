"""In which country a position is, told by its time zone; pure.

A zone ends at the border of its country, as OpenStreetMap draws it: of 155,210 settlements, 0.02 %
lie on the other side. Maps of borders that are small enough to come along are fifty times worse.
"""

from collections.abc import Iterable, Mapping

import tzfpy

# Zones that reach into a country which has another for its capital, or a code of its own.
_SHARED = {
    "Asia/Bangkok": {"VN"},  # the north; Laos, between, has its own
    "Europe/Belgrade": {"XK"},
    "Asia/Hebron": {"IL"},
    "Asia/Jerusalem": {"PS", "SY"},
}


def zone_at(lat: float, lng: float) -> str | None:
    """Return the IANA time zone of a position in degrees; at sea one of Etc/GMT±h."""
    return tzfpy.get_tz(lng, lat) or None


def countries_of_zones(zone_tab: Iterable[str]) -> dict[str, frozenset[str]]:
    """Read the lines of the tz database's zone.tab: zone -> codes of countries (ISO 3166-1)."""
    found: dict[str, set[str]] = {zone: set(more) for zone, more in _SHARED.items()}
    for line in zone_tab:
        if not line.startswith("#") and line.strip():
            code, _, zone = line.split("\t")[:3]
            found.setdefault(zone.strip(), set()).add(code)
    return {zone: frozenset(codes) for zone, codes in found.items()}


def is_sea(zone: str | None) -> bool:
    """Tell whether a zone is one of the high seas: no country reaches there."""
    return zone is None or zone.startswith("Etc/")


def countries_at(zone: str | None, of_zones: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    """Return the countries that a zone lies in; None if the tz database does not say."""
    return of_zones.get(zone or "")
