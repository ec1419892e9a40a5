"""Takes out of a recording what no device can have meant; only damage makes it doubt times."""

from __future__ import annotations

import dataclasses

import numpy as np

from tracklake.formats.fit_profile import EPOCH_S, SYSTEM_TIME_LIMIT
from tracklake.model import POINT_COLUMNS, FloatArray, Points

_FARTHEST_S = 30 * 86_400  # from the median of a damaged file's times


def believable(points: Points, *, is_damaged: bool) -> tuple[Points, tuple[str, ...]]:
    """Return the points without impossible positions and, in a damaged file, impossible times.

    The number of points stays; what is not believed becomes NaN. The sentences say what.
    """
    points, nowhere = _without_impossible_positions(points)
    points, never = _without_impossible_times(points) if is_damaged else (points, ())
    return points, (*nowhere, *never)


def clock_doubts(points: Points) -> tuple[str, ...]:
    """Return a sentence if the times count from the device's start instead of FIT's epoch."""
    known = points.timestamp_s[np.isfinite(points.timestamp_s)]
    if not len(known) or known.max() >= EPOCH_S + SYSTEM_TIME_LIMIT:
        return ()
    return ("the device's clock was never set: the times count from its start",)


def _without_impossible_positions(points: Points) -> tuple[Points, tuple[str, ...]]:
    lat, lng = _signed(points.lat), _signed(points.lng)
    impossible = np.abs(lat) > 90  # NaN is not
    count = int(impossible.sum())
    if not count:
        return dataclasses.replace(points, lat=lat, lng=lng), ()
    lat, lng = (np.where(impossible, np.nan, column) for column in (lat, lng))
    return (
        dataclasses.replace(points, lat=lat, lng=lng),
        (f"{count} positions lie beyond the poles and were left out",),
    )


def _signed(degrees: FloatArray) -> FloatArray:
    """Undo what a writer did that declared its semicircles as unsigned."""
    above = degrees > 180
    return np.where(above, degrees - 360, degrees) if above.any() else degrees


def _without_impossible_times(points: Points) -> tuple[Points, tuple[str, ...]]:
    if not np.isfinite(points.timestamp_s).any():
        return points, ()
    from_median_s = np.abs(points.timestamp_s - np.nanmedian(points.timestamp_s))
    impossible = from_median_s > _FARTHEST_S
    if not impossible.any():
        return points, ()
    columns = {name: np.where(impossible, np.nan, getattr(points, name)) for name in POINT_COLUMNS}
    count = int(impossible.sum())
    return Points(**columns), (f"{count} records carry impossible times and were left out",)
