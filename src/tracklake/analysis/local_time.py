"""Which zone an outing's clock followed; the machine's own zone never matters."""

from __future__ import annotations

from typing import TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzfpy

from tracklake.clock import from_unix

_QUARTER_S = 900.0
_WESTMOST_S = -12 * 3600
_EASTMOST_S = 14 * 3600


def zone_at(
    start_s: float,
    position: tuple[float, float] | None,
    file_offset_s: float | None,
    *,
    is_virtual: bool = False,
) -> tuple[str | None, float]:
    """Return the IANA name of the zone (or None) and its UTC offset in seconds at the start.

    position: lat, lng in degrees. In this order: the zone of the position; the file's own offset,
    as Etc/GMT±h where it is whole hours, without a name otherwise; UTC without a name. A zone that
    the machine's tz database lacks counts as no position. Where the place is virtual (a game's
    island in the Pacific), the file's own offset comes first, if it makes sense.
    """
    if is_virtual and _is_sensible(file_offset_s):
        return _zone_of_offset(file_offset_s)
    if position is not None:
        name = tzfpy.get_tz(position[1], position[0])
        try:
            offset = from_unix(start_s).astimezone(ZoneInfo(name)).utcoffset()
        except (ZoneInfoNotFoundError, ValueError):
            offset = None
        if offset is not None:
            return name, offset.total_seconds()
    return _zone_of_offset(file_offset_s)


def _is_sensible(offset_s: float | None) -> TypeGuard[float]:
    return offset_s is not None and _WESTMOST_S <= offset_s <= _EASTMOST_S


def _zone_of_offset(offset_s: float | None) -> tuple[str | None, float]:
    if not _is_sensible(offset_s):
        return None, 0.0
    rounded = round(offset_s / _QUARTER_S) * _QUARTER_S  # devices are off by some seconds
    hours, rest = divmod(rounded, 3600)
    if rest:
        return None, rounded
    # POSIX counts westwards: Etc/GMT-2 is two hours ahead of UTC.
    return (f"Etc/GMT{-int(hours):+d}" if hours else "Etc/GMT"), rounded
