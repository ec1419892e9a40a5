"""Time at each value, normalised power, explorer tiles: worked examples and slow models."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracklake.analysis.explorer import ACROSS, Tile, exploration, touched_tiles
from tracklake.analysis.stream_facts import histogram, normalized_power, stream_facts, sustained

NAN = math.nan
steps = st.lists(st.tuples(st.sampled_from([1, 1, 1, 2, 7, 400]), st.integers(0, 400)), max_size=80)


def test_a_value_stands_until_the_next_one_but_not_for_ever() -> None:
    """Seconds at each heart rate: the missing value lets the one before go on, a pause does not."""
    time_s = np.array([0, 1, 2, 4, 100, 101.5])
    bpm = np.array([120, NAN, 120, 130, 140, 150.0])
    found = histogram(time_s, bpm, 30)
    assert (found.values, found.seconds) == ([120, 130, 140], [4, 30, 1.5])


def test_nothing_recorded_gives_nothing() -> None:
    """Without heart rate and power there are no facts, and no zeros in their place."""
    unknown = np.full(100, NAN)
    facts = stream_facts(np.arange(100.0), unknown, unknown)
    assert (facts.heartrate.values, facts.power.values) == ([], [])
    assert (facts.sustained_heartrate_bpm, facts.normalized_power_w) == (None, None)
    assert facts.long_powers_w == (None, None, None)


def test_a_spike_is_not_sustained() -> None:
    """The highest heart rate counts from 30 s on, together with what was above it."""
    bpm = np.concatenate([np.full(100, 150), np.full(20, 180), np.full(5, 230), np.full(40, 170)])
    found = histogram(np.arange(len(bpm), dtype=float), bpm.astype(float), 30)
    assert sustained(found) == 170
    assert sustained(histogram(np.arange(10.0), np.full(10, 150.0), 30)) is None


def test_normalised_power_of_even_and_of_uneven_riding() -> None:
    """Even power is its own norm; a minute on, a minute off costs more than its mean says."""
    time_s = np.arange(3601.0)
    assert normalized_power(time_s, np.full(3601, 200.0)) == (3600, 200)
    on_off = np.where(time_s % 120 < 60, 400.0, 0.0)
    _, uneven = normalized_power(time_s, on_off)
    assert uneven is not None
    assert 270 < uneven < 400


def test_a_pause_is_not_riding_at_no_power() -> None:
    """Half an hour at the café between two halves changes neither the norm nor the time."""
    halves = np.concatenate([np.arange(1800.0), 3600 + np.arange(1800.0)])
    recorded, normalized = normalized_power(halves, np.full(3600, 200.0))
    assert recorded == 1799 + 5 + 1799
    assert normalized == 200


@given(steps)
@settings(max_examples=60, deadline=None)
def test_the_histogram_is_what_counting_gives(points: list[tuple[int, int]]) -> None:
    """Point by point, in a dictionary."""
    time_s = np.cumsum([step for step, _ in points], dtype=float)
    values = np.array([value for _, value in points], dtype=float)
    expected: dict[int, float] = {}
    for (a, value), (b, _) in itertools.pairwise(zip(time_s, values, strict=True)):
        expected[int(value)] = expected.get(int(value), 0) + min(b - a, 30)
    found = histogram(time_s, values, 30)
    assert dict(zip(found.values, found.seconds, strict=True)) == expected
    assert found.values == sorted(found.values)


@given(steps)
@settings(max_examples=60, deadline=None)
def test_normalised_power_is_what_second_by_second_gives(points: list[tuple[int, int]]) -> None:
    """Write down the power of each recorded second, average 30 of them, and so on."""
    time_s = np.cumsum([step for step, _ in points], dtype=float)
    power = np.array([value for _, value in points], dtype=float)
    seconds: list[float] = []
    for (a, watts), (b, _) in itertools.pairwise(zip(time_s, power, strict=True)):
        seconds += [watts] * min(int(b - a), 5)
    recorded, normalized = normalized_power(time_s, power)
    if len(seconds) < 30:
        assert (recorded, normalized) == (None, None)
        return
    means = [sum(seconds[i - 30 : i]) / 30 for i in range(30, len(seconds) + 1)]
    expected = (sum(mean**4 for mean in means) / len(means)) ** 0.25
    assert recorded == len(seconds)
    assert normalized == pytest.approx(expected, abs=1e-3)


def test_best_power_over_hours() -> None:
    """Two hours at 200 W within three of less: each duration has its best mean."""
    power = np.full(10_801, 50.0)
    power[1800:9000] = 200
    facts = stream_facts(np.arange(10_801.0), np.full(10_801, NAN), power)
    over_2h, over_3h, over_4h = facts.long_powers_w
    assert (over_2h, over_4h) == (200, None)
    assert over_3h == pytest.approx((7200 * 200 + 3600 * 50) / 10_800, abs=0.1)


def tile_of(lng: float, lat: float) -> Tile:
    """Return the tile by the formula of the OpenStreetMap wiki."""
    n = math.radians(lat)
    return (
        int((lng + 180) / 360 * ACROSS),
        int((1 - math.log(math.tan(n) + 1 / math.cos(n)) / math.pi) / 2 * ACROSS),
    )


def test_a_position_lies_in_the_tile_that_maps_have() -> None:
    """The tile of Barcelona's cathedral at zoom 14, by another formula."""
    there = touched_tiles(np.array([2.1763]), np.array([41.3839]))
    assert there == {tile_of(2.1763, 41.3839)} == {(8291, 6119)}


@given(
    st.lists(
        st.tuples(st.floats(0.0001, 0.3), st.floats(45.0, 45.2)),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
@settings(max_examples=40, deadline=None)
def test_a_line_touches_what_walking_along_it_does(places: list[tuple[float, float]]) -> None:
    """Every tile of 3,000 steps along each part is found, and none that no step comes near."""
    lng, lat = np.array(places).T
    found = touched_tiles(lng, lat)
    walked = {tile_of(*place) for place in places}
    for a, b in itertools.pairwise(places):
        south = [math.asinh(math.tan(math.radians(place[1]))) for place in (a, b)]
        for step in range(3001):
            share = step / 3000
            up = math.degrees(math.atan(math.sinh(south[0] + share * (south[1] - south[0]))))
            walked.add(tile_of(a[0] + share * (b[0] - a[0]), up))
    assert walked <= found
    near = {(x + i, y + j) for x, y in walked for i in (-1, 0, 1) for j in (-1, 0, 1)}
    assert found <= near
    assert len(found - walked) <= 2 * len(places)  # corners that a step jumped over


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=60))
@settings(max_examples=150, deadline=None)
def test_square_and_cluster_are_what_trying_all_gives(tiles: set[Tile]) -> None:
    """Every place and size of square; clusters by joining until nothing joins any more."""
    squares = [
        (-side, (x, y))
        for side in range(1, 9)
        for x in range(8)
        for y in range(8)
        if all((x + i, y + j) in tiles for i in range(side) for j in range(side))
    ]
    side, corner = min(squares) if squares else (0, None)
    inner = [(x, y) for x, y in tiles if {(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)} <= tiles]
    groups: list[set[Tile]] = []
    for tile in inner:
        near = [g for g in groups if any(abs(tile[0] - x) + abs(tile[1] - y) == 1 for x, y in g)]
        groups = [g for g in groups if g not in near] + [{tile}.union(*near)]
    size, first = min(((-len(g), min(g)) for g in groups), default=(0, None))
    found = exploration(tiles)
    assert (found.square_side, found.square_at) == (-side, corner)
    assert (found.cluster_size, found.cluster_at) == (-size, first)
