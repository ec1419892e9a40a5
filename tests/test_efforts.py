"""Best efforts against worked examples and against slow, obvious searches."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formulas import column, examples
from tracklake.analysis import efforts
from tracklake.model import BestEffort, Points

STEPS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 150)), min_size=2, max_size=25)


def _check(found: tuple[BestEffort, ...], expected: dict[str, dict[str, float]]) -> None:
    assert {effort.name for effort in found} == set(expected)
    for effort in found:
        wanted = expected[effort.name]
        measured = {name: getattr(effort, name) for name in wanted}
        assert measured == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("example", examples("distance effort"))
def test_distance_effort_example(example: dict[str, Any]) -> None:
    """The documented efforts hold: interpolated, with a pause, and with a jump of the receiver."""
    points = Points.of(
        len(example["time_s"]),
        timestamp_s=example["time_s"],
        distance_m=example["distance_m"],
    )
    _check(
        efforts.distance_efforts(points, 0.0, example.get("step_cap_mps", np.inf)),
        example["efforts"],
    )


@pytest.mark.parametrize("example", examples("power effort"))
def test_power_effort_example(example: dict[str, Any]) -> None:
    """The documented mean powers hold: a value stands for at most five seconds."""
    points = Points.of(
        len(example["time_s"]), timestamp_s=example["time_s"], power_w=example["power_w"]
    )
    _check(efforts.power_efforts(points, 0.0), example["efforts"])


def test_names_and_distances_are_all_there() -> None:
    """A steady 51 km has each of the fourteen efforts, at its own distance and pace."""
    points = Points.of(10201, timestamp_s=np.arange(10201), distance_m=5.0 * np.arange(10201))
    found = efforts.distance_efforts(points, 0.0)
    assert [effort.name for effort in found] == list(efforts.DISTANCES_M)
    for effort in found:
        assert effort.elapsed_time_s == pytest.approx(
            efforts.DISTANCES_M[effort.name] / 5, abs=0.01
        )
        assert effort.distance_m == efforts.DISTANCES_M[effort.name]


def test_indices_are_the_points_that_the_window_touches() -> None:
    """An effort that begins between two points names the one before, and ends likewise after."""
    way = np.concatenate(
        (np.arange(0, 201.0), 200 + 7.0 * np.arange(1, 61), 620 + np.arange(1, 200))
    )
    points = Points.of(len(way), timestamp_s=1e9 + np.arange(len(way)), distance_m=way)
    effort = efforts.distance_efforts(points, 1e9 - 50)[0]
    assert (effort.start_index, effort.end_index) == (200, 258)
    assert effort.start_offset_s == pytest.approx(250.0)
    assert effort.elapsed_time_s == pytest.approx(400 / 7, abs=0.01)


def test_a_small_jump_of_the_receiver_is_no_speed() -> None:
    """Ninety metres in a second count as twelve, so the run around them keeps its efforts."""
    pace = np.array([4.0] * 150 + [90.0] + [4.0] * 150)
    way = np.concatenate(([0.0], np.cumsum(pace)))
    points = Points.of(302, timestamp_s=np.arange(302), distance_m=way)
    best = efforts.distance_efforts(points, 0.0, step_cap_mps=12.0)[0]
    assert best.elapsed_time_s == pytest.approx(1 + 388 / 4)


def test_what_nobody_can_run_is_cut_out() -> None:
    """Forty seconds in a car make no record of the run around them."""
    pace = np.concatenate((np.full(600, 3.0), np.full(40, 11.0), np.full(600, 3.0)))
    points = Points.of(
        1241, timestamp_s=np.arange(1241), distance_m=np.concatenate(([0], np.cumsum(pace)))
    )
    best = efforts.distance_efforts(points, 0.0, 12.0, {400.0: 43.03, 1000.0: 131.96})
    assert best[0].elapsed_time_s > 110
    assert efforts.distance_efforts(points, 0.0)[0].elapsed_time_s < 43


def test_nothing_of_a_drive_is_a_run() -> None:
    """Where most of it is too fast, no effort is left, and it takes no time to find out."""
    points = Points.of(20000, timestamp_s=np.arange(20000), distance_m=11.0 * np.arange(20000))
    assert efforts.distance_efforts(points, 0.0, 12.0, {400.0: 43.03}) == ()


def test_no_effort_without_its_channel() -> None:
    """Without distance no distance efforts, without power no power, with 0 W none either."""
    points = Points.of(30, timestamp_s=np.arange(30))
    assert efforts.distance_efforts(points, 0.0) == ()
    assert efforts.power_efforts(points, 0.0) == ()
    still = Points.of(30, timestamp_s=np.arange(30), power_w=np.zeros(30))
    assert efforts.power_efforts(still, 0.0) == ()


def _window_by_search(stamps: list[float], way: list[float], target: float) -> float:
    """Return the fastest time by trying starts on a fine grid and walking to the end."""
    best = np.inf
    total = way[-1]
    for start_m in np.linspace(0, total - target, 400):
        leave = max(t for t in _moments(stamps, way, start_m))
        arrive = min(t for t in _moments(stamps, way, start_m + target))
        best = min(best, arrive - leave)
    return float(best)


def _moments(stamps: list[float], way: list[float], metres: float) -> list[float]:
    found = []
    for t0, t1, d0, d1 in zip(stamps, stamps[1:], way, way[1:], strict=False):
        if d0 - 1e-9 <= metres <= d1 + 1e-9:
            found += [t0, t1] if d0 == d1 else [t0 + (t1 - t0) * (metres - d0) / (d1 - d0)]
    return found


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(20, 400))
def test_fastest_is_never_slower_than_any_other_window(
    steps: list[tuple[int, int]], target: int
) -> None:
    """No start on a fine grid beats the window found, and the window holds the distance."""
    stamps = np.cumsum([0.0, *(seconds for seconds, _ in steps)])
    way = np.cumsum([0.0, *(metres for _, metres in steps)])
    if way[-1] < target:
        return
    window = efforts.fastest(stamps, way, float(target))
    assert window.length <= _window_by_search(stamps.tolist(), way.tolist(), target) + 1e-6
    ends = np.array([window.start_s, window.start_s + window.length])
    covered = np.diff(np.interp(ends, stamps, way))[0]
    assert covered == pytest.approx(target, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 900)), min_size=2, max_size=40),
    st.sampled_from(list(efforts.DURATIONS_S.items())[:4]),
)
def test_power_equals_a_search_over_whole_seconds(
    steps: list[tuple[int, int]], window: tuple[str, float]
) -> None:
    """On whole seconds the best mean power is that of the best window of a one-second grid."""
    name, duration = window
    stamps = np.cumsum([0, *(seconds for seconds, _ in steps)])
    power = np.array([200, *(watts for _, watts in steps)], dtype=np.float64)
    last = int(min(np.median(np.diff(stamps)), 5))  # a median of .5 stands for the whole second
    grid = np.zeros(stamps[-1] + last)
    for begin, end, watts in zip(stamps, [*stamps[1:], stamps[-1] + last], power, strict=True):
        grid[begin : min(end, begin + 5)] = watts
    points = Points.of(len(stamps), timestamp_s=stamps, power_w=power)
    found = {effort.name: effort for effort in efforts.power_efforts(points, 0.0)}
    width = int(duration)
    if len(grid) < width:
        assert name not in found or len(grid) >= width - 1
        return
    sums = np.convolve(grid, np.ones(width), mode="valid")
    best = sums.max() / width
    if best > 0:
        measured = found[name].average_watts
        assert measured is not None
        # A last value of half a second more can only add.
        assert best - 1e-6 <= measured <= best + power[-1] * 0.5 / width + 1e-6


def test_holding_is_the_same_with_and_without_missing_samples() -> None:
    """A power sample that was lost for a second changes nothing if the value was the same."""
    power: list[float | None] = [250.0] * 60
    whole = Points.of(60, timestamp_s=np.arange(60), power_w=column(power))
    power[30] = None
    holed = Points.of(60, timestamp_s=np.arange(60), power_w=column(power))
    watts = [
        [effort.average_watts for effort in efforts.power_efforts(points, 0.0)]
        for points in (whole, holed)
    ]
    assert watts[0] == pytest.approx(watts[1])
