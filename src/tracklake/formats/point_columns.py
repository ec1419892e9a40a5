"""Points as a text format tells them, one value at a time, gathered into columns; pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from math import isfinite, nan

import numpy as np

from tracklake.errors import InvalidData
from tracklake.model import POINT_COLUMNS, FloatArray, Points

MAX_POINTS = 2_000_000  # 23 days of one a second; 160 MB in columns

TIMESTAMP, LAT, LNG, ALTITUDE, DISTANCE, SPEED, HEARTRATE, CADENCE, POWER, TEMPERATURE = range(10)

Row = list[float]


class PointColumns:
    """Growing columns, 8 bytes a value."""

    def __init__(self) -> None:
        self._columns = tuple(array("d") for _ in POINT_COLUMNS)

    def __len__(self) -> int:
        return len(self._columns[0])

    def append(self, row: Row) -> None:
        """Add a point; raises InvalidData ("too_many_points") beyond MAX_POINTS."""
        if len(self) >= MAX_POINTS:
            raise InvalidData(f"more than {MAX_POINTS} points", reason="too_many_points")
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def points(self, first: int, last: int) -> Points:
        """Return points first..last-1 as views; nothing can be appended while they live."""
        columns = (np.frombuffer(column, dtype=np.float64) for column in self._columns)
        return Points(*(column[first:last] for column in columns))


def blank() -> Row:
    """Return a point of which nothing is known yet."""
    return [nan] * len(POINT_COLUMNS)


def number(text: str) -> float:
    """Return the finite number that the text is, also with a decimal comma; NaN for others."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return nan
    return value if isfinite(value) else nan


def on_earth(lat: float, lng: float) -> bool:
    """Tell whether these are degrees of latitude and longitude; NaN are not."""
    return -90 <= lat <= 90 and -180 <= lng <= 180


def concatenated(parts: Iterable[Points]) -> Points:
    """Return the points of all parts, one after the other."""
    listed = list(parts)
    if len(listed) == 1:
        return listed[0]
    return Points(*(np.concatenate([getattr(p, name) for p in listed]) for name in POINT_COLUMNS))


def span(times: FloatArray) -> tuple[float, float] | None:
    """Return the first and the last known of these UNIX seconds, in the order of the file."""
    known = times[np.isfinite(times)]
    return (float(known[0]), float(known[-1])) if len(known) else None


def gaps(spans: Iterable[tuple[float, float] | None]) -> Iterator[tuple[float, float]]:
    """Yield the pauses between the spans of consecutive segments, ascending and disjoint."""
    end = None
    for current in spans:
        if current is None:
            continue
        if end is not None and current[0] > end:
            yield end, current[0]
        end = current[1] if end is None else max(end, current[1])
