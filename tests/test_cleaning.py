"""Cleaning of points: order in time, impossible values, spikes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formulas import column, examples
from tracklake.analysis import cleaning
from tracklake.model import Points


@pytest.mark.parametrize("example", examples("order"))
def test_order_example(example: dict[str, Any]) -> None:
    """The documented example of points out of order holds."""
    stamps = column(example["time_s"])
    points = Points.of(
        len(stamps), timestamp_s=stamps, heartrate_bpm=column(example["heartrate_bpm"])
    )
    ordered = cleaning.in_time_order(points)
    assert ordered.timestamp_s.tolist() == example["ordered_s"]
    assert ordered.heartrate_bpm.tolist() == example["ordered_bpm"]


@pytest.mark.parametrize("example", examples("spike"))
def test_spike_example(example: dict[str, Any]) -> None:
    """The documented spike loses its position and its neighbours keep theirs."""
    points = Points.of(4, timestamp_s=example["time_s"], lat=example["lat"], lng=example["lng"])
    kept = ~np.isnan(cleaning.plausible(points, 60.0).lat)
    assert kept.tolist() == example["kept"]


def test_a_fast_way_there_and_a_slow_way_back_is_no_spike() -> None:
    """A position is doubted only if both ways are impossible."""
    points = Points.of(3, timestamp_s=[0, 1, 100], lat=[41, 41.01, 41], lng=[2, 2, 2])
    assert not np.isnan(cleaning.plausible(points, 60.0).lat).any()


def test_a_fast_way_that_goes_on_is_no_spike() -> None:
    """Where the neighbours do not fit each other either, nobody knows which one is wrong."""
    points = Points.of(3, timestamp_s=[0, 1, 2], lat=[41, 41.01, 41.02], lng=[2, 2, 2])
    assert not np.isnan(cleaning.plausible(points, 60.0).lat).any()


def test_blocks_in_the_wrong_order_are_put_in_order() -> None:
    """Two tracks of one file, the later one first, lose no point."""
    points = Points.of(6, timestamp_s=[200, 201, 202, 100, 101, 102], power_w=range(6))
    ordered = cleaning.in_time_order(points)
    assert ordered.timestamp_s.tolist() == [100, 101, 102, 200, 201, 202]
    assert ordered.power_w.tolist() == [3, 4, 5, 0, 1, 2]


def test_a_clock_that_is_set_late_drops_what_came_before() -> None:
    """Points of 1989 before points of 2023 go; points of 1989 alone stay."""
    unset = cleaning.CLOCK_SET_S - 3e7
    both = Points.of(4, timestamp_s=[unset, unset + 1, 1.7e9, 1.7e9 + 1])
    assert cleaning.in_time_order(both).timestamp_s.tolist() == [1.7e9, 1.7e9 + 1]
    alone = Points.of(2, timestamp_s=[unset, unset + 1])
    assert len(cleaning.in_time_order(alone)) == 2


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("altitude_m", [-500.0, 30000.0], [-430.0, 8848.0]),
        ("heartrate_bpm", [0.0, 251.0, 999.0], [1.0, 250.0]),
        ("power_w", [-1.0, 65535.0], [0.0, 2500.0]),
        ("velocity_mps", [-0.1, 400.0], [0.0, 30.0]),
        ("distance_m", [-1.0, 1e9], [0.0, 1e5]),
    ],
)
def test_impossible_values_are_missing(name: str, bad: list[float], good: list[float]) -> None:
    """What no sensor can have measured becomes NaN, what is merely extreme stays."""
    values = [*bad, *good, np.nan, np.inf, -np.inf]
    points = Points.of(len(values), timestamp_s=np.arange(len(values)), **{name: values})
    cleaned = getattr(cleaning.plausible(points, 60.0), name)
    assert cleaned[~np.isnan(cleaned)].tolist() == good


@pytest.mark.parametrize(
    ("lat", "lng"), [(0.0, 0.0), (90.1, 5.0), (45.0, 180.5), (np.nan, 5.0), (5.0, np.inf)]
)
def test_impossible_positions_are_missing_as_a_pair(lat: float, lng: float) -> None:
    """Neither half of a position that cannot be true survives; its neighbours do."""
    points = Points.of(3, timestamp_s=[0, 60, 120], lat=[41, lat, 41], lng=[2, lng, 2])
    cleaned = cleaning.plausible(points, 60.0)
    assert np.isnan(cleaned.lat).tolist() == [False, True, False]
    assert np.isnan(cleaned.lng).tolist() == [False, True, False]


@given(
    st.lists(
        st.one_of(st.integers(0, 30).map(float), st.floats(allow_nan=True, allow_infinity=True)),
        max_size=40,
    )
)
def test_order_is_strict_and_invents_nothing(stamps: list[float]) -> None:
    """Whatever the clock did, time then ascends strictly and each moment was recorded."""
    ordered = cleaning.in_time_order(Points.of(len(stamps), timestamp_s=stamps)).timestamp_s
    assert np.all(np.diff(ordered) > 0)
    assert set(ordered.tolist()) <= set(stamps)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True))
def test_order_drops_as_few_moments_as_possible(stamps: list[int]) -> None:
    """Of times that run backward, at least the longest ascending subsequence stays: slow oracle."""
    longest = [1] * len(stamps)
    for index, value in enumerate(stamps):
        before = [longest[i] for i in range(index) if stamps[i] < value]
        longest[index] = 1 + max(before, default=0)
    points = Points.of(len(stamps), timestamp_s=stamps)
    kept = len(cleaning.in_time_order(points))
    assert kept >= max(longest)
