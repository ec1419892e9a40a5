"""Columns of points as services send them: lists in JSON, of whatever is in them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tracklake.model import FloatArray

Order = npt.NDArray[np.intp]


def numbers(values: list[Any]) -> FloatArray:
    """Turn a list into numbers; what is none becomes NaN."""
    try:
        found = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        found = np.array([_number(value) for value in values], dtype=np.float64)
    if found.ndim != 1:
        found = np.full(len(values), np.nan)
    return np.where(np.isfinite(found), found, np.nan)


def _number(value: Any) -> float:  # noqa: ANN401 any JSON
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def fitted(values: FloatArray, order: Order) -> FloatArray:
    """Take the values of the points; a column that is too short says nothing of the last ones."""
    lacking = (int(order.max()) + 1 if len(order) else 0) - len(values)
    if lacking > 0:
        values = np.concatenate((values, np.full(lacking, np.nan)))
    found: FloatArray = values[order]
    return found


def placed(lat: FloatArray, lng: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Leave out positions that are half, not on Earth, or the (0, 0) of a watch without a fix."""
    bad = (np.abs(lat) > 90) | (np.abs(lng) > 180) | np.isnan(lat) | np.isnan(lng)
    bad |= (lat == 0) & (lng == 0)
    return np.where(bad, np.nan, lat), np.where(bad, np.nan, lng)
