"""Splits: kilometres and miles."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formulas import column, examples
from tracklake.analysis import elevation, motion, splits
from tracklake.model import Points, Split


def _splits(points: Points, pauses: motion.Pauses, length_m: float) -> tuple[Split, ...]:
    smooth = elevation.smoothed(points.timestamp_s, points.altitude_m)
    moved = motion.motion(points, pauses, 0.4 if not np.isnan(points.velocity_mps[0]) else None)
    return splits.splits(points, moved, smooth, length_m)


@pytest.mark.parametrize("example", examples("splits"))
def test_splits_example(example: dict[str, Any]) -> None:
    """The documented splits hold: pause, elevation, heart rate, and a short last one."""
    points = Points.of(
        len(example["time_s"]),
        timestamp_s=example["time_s"],
        **{
            name: column(example[name])
            for name in ("distance_m", "velocity_mps", "altitude_m", "heartrate_bpm")
        },
    )
    pauses = tuple((start, end) for start, end in example["pauses"])
    cut = _splits(points, pauses, example["length_m"])
    assert [split.split_index for split in cut] == list(range(1, len(cut) + 1))
    for split, expected in zip(cut, example["splits"], strict=True):
        measured = {name: getattr(split, name) for name in expected}
        assert measured == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("total_m", "lengths"),
    [
        (5.0, []),
        (1000.0, [1000]),
        (1009.0, [1000]),
        (1011.0, [1000, 11]),
        (2500.0, [1000, 1000, 500]),
    ],
)
def test_the_rest_is_a_split_if_it_is_longer_than_ten_metres(
    total_m: float, lengths: list[float]
) -> None:
    """A metre too many makes no split, a whole multiple no empty one."""
    points = Points.of(2, timestamp_s=[0, 600], distance_m=[0, total_m])
    assert [split.distance_m for split in _splits(points, (), 1000)] == pytest.approx(lengths)


def test_standing_on_a_boundary_belongs_to_the_next_split() -> None:
    """A pause exactly at the first kilometre does not slow the first kilometre."""
    points = Points.of(4, timestamp_s=[0, 300, 900, 1200], distance_m=[0, 1000, 1000, 2000])
    assert [split.elapsed_time_seconds for split in _splits(points, (), 1000)] == [300, 900]


def test_standing_at_the_end_belongs_to_the_last_split() -> None:
    """Five minutes before the watch is stopped are part of the recording, so of a split."""
    points = Points.of(3, timestamp_s=[0, 300, 600], distance_m=[0, 1500, 1500])
    assert [split.elapsed_time_seconds for split in _splits(points, (), 1000)] == [200, 400]


def test_distance_counts_from_the_first_point() -> None:
    """A distance that starts at 50 m does not shorten the first kilometre."""
    points = Points.of(2, timestamp_s=[0, 200], distance_m=[50, 1050])
    assert [split.elapsed_time_seconds for split in _splits(points, (), 1000)] == [200]


def test_without_distance_there_are_no_splits() -> None:
    """Yoga has no kilometres, and a broken counter of 20,000 km has no 20,000 of them."""
    assert _splits(Points.of(3, timestamp_s=range(3)), (), 1000) == ()
    assert _splits(Points.of(2, timestamp_s=[0, 9], distance_m=[0, 2e7]), (), 1000) == ()


@given(
    st.lists(st.tuples(st.integers(1, 600), st.integers(0, 900)), min_size=1, max_size=30),
    st.sampled_from([splits.KILOMETRE_M, splits.MILE_M, 100.0]),
)
def test_splits_add_up(steps: list[tuple[int, int]], length_m: float) -> None:
    """Splits add up to the distance and the time they cover, moving never exceeds elapsed."""
    stamps = np.cumsum([0.0, *(seconds for seconds, _ in steps)])
    way = np.cumsum([0.0, *(metres for _, metres in steps)])
    points = Points.of(len(stamps), timestamp_s=stamps, distance_m=way, heartrate_bpm=stamps)
    cut = _splits(points, (), length_m)
    covered = sum(split.distance_m for split in cut)
    assert way[-1] - 10 <= covered <= way[-1] or not cut
    if covered == pytest.approx(way[-1]) and cut:
        total = sum(split.elapsed_time_seconds for split in cut)
        assert total == pytest.approx(stamps[-1])
    for split in cut:
        assert 0 <= split.moving_time_seconds <= split.elapsed_time_seconds + 1e-6
        assert split.distance_m <= length_m + 1e-6
        assert split.average_heartrate is None or 0 <= split.average_heartrate <= stamps[-1]
