"""Whether a position is on land or near it: one bit for each 0.05 degrees; pure."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

STEP_DEG = 0.05
ROWS, COLUMNS = 3600, 7200
KM_A_DEGREE = 111.195  # of a great circle

Bits = npt.NDArray[np.uint8]


def cell_of(lat: Any, lng: Any) -> tuple[Any, Any]:  # noqa: ANN401 numbers or arrays of them
    """Return row (from the south) and column (from 180 degrees west) of positions in degrees."""
    row = np.clip(np.floor((np.asarray(lat) + 90) / STEP_DEG).astype(int), 0, ROWS - 1)
    column = np.floor((np.asarray(lng) + 180) / STEP_DEG).astype(int) % COLUMNS
    return row, column


def is_near_land(bits: Bits, lat: float, lng: float) -> bool:
    """Tell whether a position's bit is set. bits: packed, rows of cells from the south."""
    row = min(max(math.floor((lat + 90) / STEP_DEG), 0), ROWS - 1)
    index = row * COLUMNS + math.floor((lng + 180) / STEP_DEG) % COLUMNS
    return bool(bits[index >> 3] >> (7 - (index & 7)) & 1)
