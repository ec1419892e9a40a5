"""The worked examples of docs/formulas.md, and recordings to measure."""

import json
import re
from typing import Any

import numpy as np

from tests.conftest import REPOSITORY
from tracklake.model import Points, Recording, Session

_BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)
START_S = 1_700_000_000.0


def examples(kind: str) -> list[dict[str, Any]]:
    """Return the examples of one kind; a kind without any is a mistake of the test."""
    text = (REPOSITORY / "docs" / "formulas.md").read_text(encoding="utf-8")
    found = [json.loads(block) for block in _BLOCK.findall(text)]
    chosen = [example for example in found if example["example"] == kind]
    if not chosen:
        raise LookupError(f"docs/formulas.md has no example {kind!r}")
    return chosen


def column(values: list[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Turn JSON numbers into a column, null into NaN."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def steady_run(seconds: int, speed_mps: float = 3.0, *, sport: str = "running") -> Recording:
    """Return one second a point straight north along the meridian of Barcelona."""
    index = np.arange(seconds + 1.0)
    points = Points.of(
        seconds + 1,
        timestamp_s=START_S + index,
        lat=41.4 + index * speed_mps / 111195.08,
        lng=np.full(seconds + 1, 2.16),
        heartrate_bpm=np.full(seconds + 1, 150.0),
    )
    return Recording(format="fit", points=points, sessions=(Session(start_s=START_S, sport=sport),))
