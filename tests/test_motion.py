"""Distance, speed, moving time and means of cleaned points."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formulas import column, examples
from tracklake.analysis import motion, totals
from tracklake.analysis.geodesy import haversine_m
from tracklake.model import Points


def _distance(points: Points, **options: Any) -> list[float]:
    way = motion.cumulative_distance_m(
        points, options.pop("pauses", ()), teleport_mps=60, **options
    )
    return [round(metres, 3) for metres in way.tolist()]


@pytest.mark.parametrize("example", examples("moving"))
def test_moving_example(example: dict[str, Any]) -> None:
    """The documented moving times hold, with and without a pause."""
    count = len(example["time_s"])
    points = Points.of(count, timestamp_s=example["time_s"], velocity_mps=example["velocity_mps"])
    pauses = tuple((start, end) for start, end in example["pauses"])
    moved = motion.motion(points, pauses, example["threshold_mps"])
    assert moved.moving_s[-1] == example["moving_time_s"]
    assert moved.moving.tolist() == example["moving"]


def test_haversine_agrees_with_known_distances() -> None:
    """A degree of latitude, a quarter of the equator, and the poles come out right."""
    lat1, lng1, lat2, lng2 = (
        np.array(values, dtype=np.float64)
        for values in ([0, 0, -90, 50], [0, 0, 0, 179.5], [1, 0, 90, 50], [0, 90, 0, -179.5])
    )
    metres = haversine_m(lat1, lng1, lat2, lng2)
    expected = [111195.08, 10007557.2, 20015114.4, 71474.29]
    assert metres == pytest.approx(expected, rel=1e-6)


def test_distance_is_the_devices_where_it_never_descends() -> None:
    """The device's distance wins over positions that say something else; gaps are bridged."""
    points = Points.of(
        4, timestamp_s=[0, 1, 2, 3], lat=[41, 41.1, 41.2, 41.3], lng=[2, 2, 2, 2],
        distance_m=[0, 3, np.nan, 9],
    )  # fmt: skip
    assert _distance(points) == [0, 3, 6, 9]


def test_distance_is_measured_where_the_devices_descends_or_stands_still() -> None:
    """A counter that jumps back, or shows 0 all the way, is not believed beside positions."""
    lat = 41 + np.arange(4) * 10 / 111195.08
    for device in ([0, 500, 3, 9], [0, 0, 0, 0], [np.nan, 5, np.nan, np.nan]):
        points = Points.of(4, timestamp_s=range(4), lat=lat, lng=[2] * 4, distance_m=device)
        assert _distance(points) == pytest.approx([0, 10, 20, 30], abs=1e-3)


def test_a_distance_known_here_and_there_is_not_enough_beside_positions() -> None:
    """Where fewer than half of the points have the device's distance, positions are better."""
    lat = 41 + np.arange(6) * 10 / 111195.08
    device = [0, np.nan, np.nan, np.nan, np.nan, 90]
    points = Points.of(6, timestamp_s=range(6), lat=lat, lng=[2] * 6, distance_m=device)
    assert _distance(points) == pytest.approx([0, 10, 20, 30, 40, 50], abs=1e-3)


def test_a_counter_that_starts_again_goes_on() -> None:
    """Without positions, a distance that falls back to 0 continues from where it was."""
    points = Points.of(5, timestamp_s=range(5), distance_m=[0, 50, 100, 0, 25])
    assert _distance(points) == [0, 50, 100, 100, 125]


def test_distance_of_something_earlier_is_subtracted() -> None:
    """The third leg of a triathlon does not start at kilometre 42."""
    points = Points.of(3, timestamp_s=range(3), distance_m=[42000, 42003, 42006])
    assert _distance(points) == [0, 3, 6]


def test_teleports_and_lifts_add_no_distance() -> None:
    """A jump faster than the limit, and a long way during a pause, are not the athlete's."""
    lat = 41 + np.array([0, 10, 5010, 5020, 7020]) / 111195.08
    points = Points.of(5, timestamp_s=[0, 1, 2, 3, 603], lat=lat, lng=[2] * 5)
    assert _distance(points, pauses=((5.0, 600.0),)) == pytest.approx([0, 10, 10, 20, 20], abs=0.01)
    assert _distance(points)[-1] == pytest.approx(2020, abs=0.01)


def test_a_pools_distance_is_even_between_the_walls() -> None:
    """Lengths counted at the wall become a steady distance, and so a sane speed."""
    way = np.repeat([0.0, 25.0, 50.0], 20)
    points = Points.of(60, timestamp_s=np.arange(60), distance_m=way)
    even = np.array(_distance(points, lengths=True))
    assert even[[0, 10, 20, 30, 40]] == pytest.approx([0, 12.5, 25, 37.5, 50])
    assert np.diff(even).max() == pytest.approx(1.25)


def test_no_source_of_distance_gives_none() -> None:
    """Without positions and distances there is no distance, not a distance of 0."""
    points = Points.of(3, timestamp_s=range(3), heartrate_bpm=[90, 91, 92])
    assert np.isnan(_distance(points)).all()


def test_velocity_is_the_devices_and_filled_from_distance() -> None:
    """Where the device has no speed, the distance's around the point stands in."""
    points = Points.of(7, timestamp_s=range(7), velocity_mps=[5, 5, np.nan, np.nan, np.nan, 5, 5])
    way = column([4.0 * second for second in range(7)])
    assert motion.velocity_mps(points, way, teleport_mps=60).tolist() == [5, 5, 4, 4, 4, 5, 5]


def test_means_are_weighted_by_time_and_leave_out_gaps_and_pauses() -> None:
    """A value that stood for an hour of pause weighs no more than one that stood for a second."""
    points = Points.of(
        5, timestamp_s=[0, 10, 20, 4000, 4010], heartrate_bpm=[100, 100, 200, 200, 100]
    )
    gap = motion.motion(points, (), None)
    assert totals.mean(points.heartrate_bpm, gap) == pytest.approx((1000 + 1500 + 1500) / 30)
    paused = motion.motion(points, ((20.0, 3995.0),), None)
    expected = (1000 + 1500 + 5 * 200 + 1500) / 35
    assert totals.mean(points.heartrate_bpm, paused) == pytest.approx(expected)


def test_the_mean_of_a_single_point_is_its_value() -> None:
    """A recording of one point has averages although it has no duration."""
    points = Points.of(1, timestamp_s=[0], heartrate_bpm=[100])
    assert totals.mean(points.heartrate_bpm, motion.motion(points, (), None)) == 100


@given(
    st.lists(st.integers(0, 100), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(0, 120).map(float), min_size=1, max_size=8),
)
def test_paused_time_agrees_with_counting(edges: list[int], moments: list[float]) -> None:
    """Time paused before a moment is what counting second by second gives."""
    ordered = sorted(edges)
    pauses = tuple(zip(map(float, ordered[::2]), map(float, ordered[1::2]), strict=False))
    counted = [
        sum(min(moment, end) - start for start, end in pauses if start < moment)
        for moment in moments
    ]
    assert motion.paused_s(column([*moments]), pauses).tolist() == counted
