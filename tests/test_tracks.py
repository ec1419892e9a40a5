"""Tracks: gaps, simplification, the antimeridian, GeoJSON, polylines."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formulas import column, examples
from tracklake.analysis import tracks
from tracklake.analysis.geodesy import METRES_PER_DEGREE, steps_m
from tracklake.model import FloatArray

POSITIONS = st.lists(
    st.tuples(st.integers(1, 400), st.floats(-0.002, 0.002), st.floats(-0.002, 0.002)),
    min_size=2,
    max_size=40,
)


def _line(pairs: list[list[float]]) -> FloatArray:
    return np.array(pairs, dtype=np.float64)


@pytest.mark.parametrize("example", examples("gaps"))
def test_gap_example(example: dict[str, Any]) -> None:
    """The documented recordings are split where, and only where, the page says."""
    way = np.concatenate(([0.0], np.cumsum(example["step_m"])))
    stamps = np.concatenate(([0.0], np.cumsum(example["step_s"])))
    found = tracks.split_at_gaps(stamps, 41 + way / METRES_PER_DEGREE, np.full(len(way), 2.0))
    assert [len(segment) for segment in found] == example["segment_sizes"]


@pytest.mark.parametrize("example", examples("antimeridian"))
def test_antimeridian_example(example: dict[str, Any]) -> None:
    """The documented line is cut at ±180° and its box runs from east to west."""
    pieces = tracks.cut_antimeridian([_line(example["line"])])
    assert [piece.round(9).tolist() for piece in pieces] == example["pieces"]
    assert tracks.bounds(pieces) == pytest.approx(example["bounds"])


@pytest.mark.parametrize("example", examples("polyline"))
def test_polyline_example(example: dict[str, Any]) -> None:
    """Google's own example comes out letter for letter."""
    assert tracks.encode_polyline([_line(example["line"])]) == example["polyline"]


def test_a_long_time_without_points_is_a_gap() -> None:
    """Ten minutes at a café split a track that is recorded every second, not a sparse one."""
    lat = column([41 + index * 1e-5 for index in range(8)])
    dense = np.array([0.0, 1, 2, 3, 603, 604, 605, 606])
    assert [len(part) for part in tracks.split_at_gaps(dense, lat, np.full(8, 2.0))] == [4, 4]
    assert len(tracks.split_at_gaps(np.arange(0.0, 4800, 600), lat, np.full(8, 2.0))) == 1


def test_fast_steps_of_a_fast_ride_are_no_gaps() -> None:
    """Seven seconds at 20 m/s on a descent stay together although they are 139 m long."""
    step = np.array([40.0] * 20 + [139.0] * 3 + [40.0] * 20)
    stamps = np.concatenate(([0.0], np.cumsum(np.array([4.0] * 20 + [7.0] * 3 + [4.0] * 20))))
    lat = 41 + np.concatenate(([0.0], np.cumsum(step))) / METRES_PER_DEGREE
    assert len(tracks.split_at_gaps(stamps, lat, np.full(44, 2.0))) == 1


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_no_extent_is_no_track(count: int) -> None:
    """No points, one point, or any number at one place draw nothing."""
    where = np.full(count, 41.0)
    assert tracks.split_at_gaps(np.arange(float(count)), where, where) == ()


def test_lonely_points_between_gaps_are_dropped() -> None:
    """A point far from both of its neighbours makes no segment of its own."""
    lat = column([41 + index * 1e-4 for index in (0, 1, 2, 500, 1000, 1001, 1002)])
    found = tracks.split_at_gaps(np.arange(0.0, 420, 60), lat, np.full(7, 2.0))
    assert [len(segment) for segment in found] == [3, 3]


@given(POSITIONS, st.lists(st.booleans(), min_size=40, max_size=40))
def test_no_pair_in_a_segment_breaks_the_rule(
    steps: list[tuple[int, float, float]], missing: list[bool]
) -> None:
    """Within segments every step keeps to the limits, which are computed here one by one."""
    stamps = np.cumsum([float(seconds) for seconds, _, _ in steps])
    lat = column([None if missing[i] else 41 + step[1] for i, step in enumerate(steps)])
    lng = column([2 + step[2] + 1e-7 * i for i, step in enumerate(steps)])  # each its own
    there = ~np.isnan(lat)
    found = tracks.split_at_gaps(stamps, lat, lng)
    if not found:
        return
    when = {(x, y): t for x, y, t in zip(lng, lat, stamps, strict=True)}
    every_step = steps_m(lat[there], lng[there])
    every_second = np.diff(stamps[there])
    median_m, median_s = float(np.median(every_step)), float(np.median(every_second))
    speeds = sorted((every_step / every_second).tolist())
    usual = speeds[9 * len(speeds) // 10] if len(speeds) > 9 else 0.0
    for segment in found:
        assert len(segment) >= 2
        for before, after in pairwise(segment):
            seconds = when[tuple(after)] - when[tuple(before)]
            metres = float(steps_m(*np.array([before, after]).T[::-1])[0])
            hurry = 2 * usual * seconds if seconds <= min(120, max(30, 20 * median_s)) else 0
            assert metres <= max(100, 3 * median_m, hurry) + 1e-6
            assert metres <= 60 * seconds + 1e-6
            assert seconds <= max(300, 3 * median_s)


def _distance_to_line_m(point: FloatArray, line: FloatArray) -> float:
    """Return how far a point is from a line, in metres at the point's own latitude."""
    scale = np.array([METRES_PER_DEGREE * np.cos(np.radians(point[1])), METRES_PER_DEGREE])
    here = (line - point) * scale
    begin, way = here[:-1], np.diff(here, axis=0)
    length = np.maximum((way**2).sum(axis=1), 1e-12)
    share = np.clip(-(begin * way).sum(axis=1) / length, 0, 1)
    return float(np.hypot(*(begin + share[:, None] * way).T).min())


@given(
    st.floats(-80, 80),
    st.lists(st.tuples(st.floats(-1e-4, 1e-4), st.floats(-1e-4, 1e-4)), min_size=2, max_size=60),
)
def test_simplified_lines_stay_within_two_metres(
    lat: float, steps: list[tuple[float, float]]
) -> None:
    """No point left out lies farther than the tolerance from the line, at any latitude."""
    walk = np.cumsum(np.array([(179.9995, lat), *steps]), axis=0)
    walk[:, 0] = (walk[:, 0] + 180) % 360 - 180
    thinned = tracks.simplify([walk])
    if not thinned:
        assert np.abs(walk - walk[0]).max() * METRES_PER_DEGREE < 10 or np.ptp(walk[:, 0]) > 180
        return
    line = thinned[0]
    assert np.abs(line[[0, -1]] - walk[[0, -1]]).max() < 1e-9
    unwrapped = np.column_stack((line[:, 0] % 360, line[:, 1]))
    for point in np.column_stack((walk[:, 0] % 360, walk[:, 1])):
        assert _distance_to_line_m(point, unwrapped) <= tracks.TOLERANCE_M + 0.01


def test_a_loop_within_the_tolerance_is_no_track() -> None:
    """Somebody who went around a table and ended where they began has drawn nothing."""
    turn = np.linspace(0, 2 * np.pi, 30)
    circle = np.column_stack((2 + 5e-6 * np.cos(turn), 41 + 5e-6 * np.sin(turn)))
    circle[-1] = circle[0]
    assert tracks.simplify([circle]) == ()


def test_a_flight_around_the_globe_keeps_its_way() -> None:
    """A straight line of degrees eastward is not turned into a shorter one westward."""
    line = _line([[0, 0], [60, 0], [120, 0], [180, 0], [-120, 0]])
    assert tracks.simplify([line])[0].shape == (5, 2)


def test_subnormal_distances_simplify_without_a_warning() -> None:
    """Differences of which the square is 0 do not divide by it."""
    line = _line([[1e-205, -1e-205], [0, 1e-160], [-1e-165, -1e-175], [0, 1e-175]])
    assert len(tracks.simplify([line])[0]) == 2


def test_simplification_makes_lines_small() -> None:
    """A straight kilometre with a bend keeps its three points."""
    north = np.column_stack((np.full(100, 2.0), 41 + np.arange(100) * 1e-4))
    east = np.column_stack((2 + np.arange(1, 100) * 1e-4, np.full(99, 41.0099)))
    assert len(tracks.simplify([np.vstack((north, east))])[0]) == 3


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=2, max_size=30))
def test_nothing_spans_the_antimeridian(positions: list[tuple[float, float]]) -> None:
    """However a track wanders, no step of the cut one spans more than half of the globe."""
    line = np.array(positions)
    for piece in tracks.cut_antimeridian(tracks.simplify([line])):
        assert len(piece) >= 2
        assert np.isfinite(piece).all()
        assert np.abs(np.diff(piece[:, 0])).max() <= 180 + 1e-9
        assert np.abs(piece[:, 0]).max() <= 180


@pytest.mark.parametrize(
    "line",
    [
        [[180.0, 1.0], [-179.9, 1.0]],
        [[179.9, 1.0], [180.0, 1.0], [-179.9, 1.0]],
        [[179.9, 1.0], [-180.0, 2.0], [-179.9, 3.0]],
        [[179.9, 1.0], [-179.9, 1.0], [179.9, 1.0], [-179.9, 1.0]],
    ],
)
def test_cuts_at_exactly_180_degrees_close_there(line: list[list[float]]) -> None:
    """Points on the antimeridian itself neither vanish nor make pieces without extent."""
    pieces = tracks.cut_antimeridian([_line(line)])
    assert pieces
    for piece in pieces:
        assert len(piece) >= 2
        assert np.ptp(piece, axis=0).max() > 0
        assert len(set(np.sign(piece[:, 0]))) == 1


def test_bounds_of_a_track_around_the_antimeridian() -> None:
    """The box of Fiji is narrow, and the box of a journey around the globe is all of it."""
    fiji = tracks.cut_antimeridian([_line([[177.0, -18.0], [-178.0, -17.0]])])
    assert tracks.bounds(fiji) == (177.0, -18.0, -178.0, -17.0)
    globe = [_line([[-180.0, 0.0], [0.0, 1.0]]), _line([[0.0, 1.0], [180.0, 0.0]])]
    assert tracks.bounds(globe) == (-180.0, 0.0, 180.0, 1.0)


def test_feature_is_one_line_of_rfc_7946() -> None:
    """Type, id, box, geometry, properties and six decimals are as the standard has them."""
    one = _line([[2.12345678, 41.1], [2.2, 41.2]])
    two = _line([[3.0, 42.0], [3.1, 42.1]])
    single = tracks.feature(7, [one], name="Río\n", distance_m=None)
    assert b"\n" not in single
    assert json.loads(single) == {
        "type": "Feature",
        "id": 7,
        "bbox": [2.123457, 41.1, 2.2, 41.2],
        "geometry": {"type": "LineString", "coordinates": [[2.123457, 41.1], [2.2, 41.2]]},
        "properties": {"name": "Río\n", "distance_m": None},
    }
    several = json.loads(tracks.feature(7, [one, two]))
    assert several["geometry"]["type"] == "MultiLineString"
    assert several["geometry"]["coordinates"][1] == [[3.0, 42.0], [3.1, 42.1]]
    assert several["bbox"] == [2.123457, 41.1, 3.1, 42.1]


def _decoded(text: str) -> list[tuple[float, float]]:
    """Decode Google's polyline letter by letter, lat and lng."""
    numbers, value, shift = [], 0, 0
    for letter in text:
        chunk = ord(letter) - 63
        value |= (chunk & 31) << shift
        shift += 5
        if chunk < 32:
            numbers.append(~(value >> 1) if value & 1 else value >> 1)
            value, shift = 0, 0
    sums = np.cumsum(np.array(numbers).reshape(-1, 2), axis=0) / 1e5
    return [(lat, lng) for lat, lng in sums.tolist()]


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=30))
def test_polyline_round_trip(positions: list[tuple[float, float]]) -> None:
    """What is encoded decodes to the same positions, to five decimals, anywhere on Earth."""
    decoded = _decoded(tracks.encode_polyline([np.array(positions)]))
    expected = [(round(lat, 5), round(lng, 5)) for lng, lat in positions]
    assert len(decoded) == len(expected)
    assert np.abs(np.array(decoded) - np.array(expected)).max() <= 1.01e-5


def test_summary_is_small_and_absent_without_a_track() -> None:
    """A list shows a few letters a track, and nothing where there is none."""
    wave = np.arange(2000) / 200
    line = np.column_stack((2 + wave / 100, 41 + np.sin(wave) / 100))
    summary = tracks.summary_polyline(tracks.simplify([line]))
    assert summary is not None
    assert len(summary) < 300
    assert tracks.summary_polyline(()) is None
