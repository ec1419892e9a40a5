"""Climbing and grade."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formulas import column, examples
from tracklake.analysis import elevation


@pytest.mark.parametrize("example", examples("climb"))
def test_climb_example(example: dict[str, Any]) -> None:
    """The documented climbs hold: a small dip is noise, a larger one is not."""
    smooth = elevation.smoothed(column(example["time_s"]), column(example["altitude_m"]))
    assert elevation.gain_m(smooth) == pytest.approx(example["gain_m"])


@pytest.mark.parametrize("example", examples("grade"))
def test_grade_example(example: dict[str, Any]) -> None:
    """The documented grades hold, also at both ends."""
    altitude = column(example["altitude_m"])
    smooth = elevation.smoothed(column(example["time_s"]), altitude)
    grade = elevation.grade_pct(column(example["distance_m"]), altitude, smooth)
    assert grade.tolist() == pytest.approx(example["grade_pct"], abs=1e-3)


def test_noise_climbs_nothing() -> None:
    """An hour on the flat with a metre of noise has no climb."""
    noise = np.random.default_rng(1).normal(0, 1, 3600)
    smooth = elevation.smoothed(np.arange(3600.0), 100 + noise)
    assert elevation.gain_m(smooth) == 0


def test_altitude_gaps_are_bridged_and_absence_is_none() -> None:
    """Missing altitudes in between take part of nothing; without any there is no climb."""
    stamps = np.arange(0.0, 300, 60)
    gappy = elevation.smoothed(stamps, column([10, None, 30, None, 50]))
    assert gappy.tolist() == [10, 20, 30, 40, 50]
    nothing = elevation.smoothed(stamps, column([None] * 5))
    assert elevation.gain_m(nothing) is None
    assert elevation.gain_m(np.empty(0)) is None


def test_grade_is_unknown_without_way_or_altitude() -> None:
    """Standing still, or without an altitude at the point, there is no grade."""
    stamps = np.arange(0.0, 240, 60)
    altitude = column([1, 2, None, 4])
    smooth = elevation.smoothed(stamps, altitude)
    moving = elevation.grade_pct(np.arange(4.0) * 20, altitude, smooth)
    assert np.isnan(moving).tolist() == [False, False, True, False]
    assert np.isnan(elevation.grade_pct(np.zeros(4), altitude, smooth)).all()


def _gain_point_by_point(levels: list[float]) -> float:
    """Sum rises with a dead band, the slow and obvious way: every point is looked at."""
    gain, low, high, up = 0.0, levels[0], levels[0], False
    for level in levels:
        if up:
            if level > high:
                high = level
            elif high - level >= elevation.CLIMB_M:
                gain, low, up = gain + high - low, level, False
        elif level < low:
            low = level
        elif level - low >= elevation.CLIMB_M:
            high, up = level, True
    return gain + (high - low if up else 0)


@given(st.lists(st.integers(0, 40).map(lambda step: step / 2), min_size=1, max_size=60))
def test_gain_by_turning_points_equals_gain_by_points(levels: list[float]) -> None:
    """Looking at turning points only gives the same climb as looking at every point."""
    assert elevation.gain_m(column([*levels])) == pytest.approx(_gain_point_by_point(levels))


@given(
    st.lists(st.floats(-400, 9000), min_size=1, max_size=50),
    st.integers(1, 30),
)
def test_smoothing_stays_within_what_was_measured(levels: list[float], step_s: int) -> None:
    """A mean never lies outside of the altitudes it is made of."""
    stamps = np.arange(0.0, len(levels) * step_s, step_s)
    smooth = elevation.smoothed(stamps, column([*levels]))
    assert np.all(smooth >= min(levels) - 1e-6)
    assert np.all(smooth <= max(levels) + 1e-6)
