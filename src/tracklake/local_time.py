"""Which zone an outing's clock followed; the machine's own zone never matters."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzfpy

from tracklake.clock import from_unix

_QUARTER_S = 900.0
_WESTMOST_S = -12 * 3600
_EASTMOST_S = 14 * 3600


def zone_at(
    start_s: float, position: tuple[float, float] | None, file_offset_s: float | None
) -> tuple[str | None, float]:
    """Return the IANA name of the zone (or None) and its UTC offset in seconds at the start.

    position: lat, lng in degrees. In this order: the zone of the position; the file's own offset,
    as Etc/GMT±h where it is whole hours, without a name otherwise; UTC without a name. A zone that
    the machine's tz database lacks counts as no position.
    """
    if position is not None:
        name = tzfpy.get_tz(position[1], position[0])
        try:
            offset = from_unix(start_s).astimezone(ZoneInfo(name)).utcoffset()
        except (ZoneInfoNotFoundError, ValueError):
            offset = None
        if offset is not None:
            return name, offset.total_seconds()
    return _zone_of_offset(file_offset_s)


def _zone_of_offset(offset_s: float | None) -> tuple[str | None, float]:
    if offset_s is None or not _WESTMOST_S <= offset_s <= _EASTMOST_S:
        return None, 0.0
    rounded = round(offset_s / _QUARTER_S) * _QUARTER_S  # devices are off by some seconds
    hours, rest = divmod(rounded, 3600)
    if rest:
        return None, rounded
    # POSIX counts westwards: Etc/GMT-2 is two hours ahead of UTC.
    return (f"Etc/GMT{-int(hours):+d}" if hours else "Etc/GMT"), rounded
