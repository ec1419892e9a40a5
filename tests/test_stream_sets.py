"""Strava's streams as columns: equal lengths, NaN where nothing is known, times that ascend."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.errors import InvalidData
from tracklake.model import POINT_COLUMNS
from tracklake.strava import stream_sets

START_S = 1_700_000_000.0


def keyed(**channels: Any) -> dict[str, dict[str, Any]]:
    """Return channels as the service sends them."""
    return {name: {"data": data, "series_type": "distance"} for name, data in channels.items()}


def column(body: object, name: str) -> list[float | None]:
    """Return one column of what was decoded, None for NaN."""
    values = getattr(stream_sets.decode(body, START_S).points, name)
    return [None if np.isnan(value) else float(value) for value in values]


def test_every_channel_gets_its_column() -> None:
    """Names and units of the service become ours; times count from the start."""
    found = stream_sets.decode(
        keyed(
            time=[0, 1],
            latlng=[[41.0, 2.0], [41.1, 2.1]],
            distance=[0.0, 5.0],
            altitude=[10.0, 11.0],
            velocity_smooth=[0.0, 5.0],
            heartrate=[100, 101],
            cadence=[80, 81],
            watts=[200, None],
            temp=[20, 21],
            moving=[True, False],
            grade_smooth=[1.0, -2.0],
        ),
        START_S,
    )
    assert found.points.timestamp_s.tolist() == [START_S, START_S + 1]
    assert (found.points.lat.tolist(), found.points.lng.tolist()) == ([41.0, 41.1], [2.0, 2.1])
    assert found.points.power_w[0] == 200
    assert np.isnan(found.points.power_w[1])
    assert found.moving is not None
    assert found.moving.tolist() == [True, False]
    assert found.grade_pct is not None
    assert found.grade_pct.tolist() == [1.0, -2.0]
    assert found.channels == tuple(sorted(stream_sets.KEYS.split()))


def test_a_list_of_streams_says_the_same_as_an_object() -> None:
    """Without key_by_type the service sends a list; both are read alike."""
    body = keyed(time=[0, 1], heartrate=[100, 101])
    listed = [{"type": name, **stream} for name, stream in body.items()]
    assert column(listed, "heartrate_bpm") == column(body, "heartrate_bpm") == [100.0, 101.0]


@pytest.mark.parametrize("body", [{}, [], keyed(time=[]), keyed(time=[], distance=[])])
def test_no_points_are_none(body: object) -> None:
    """An empty set is an activity without points, not an error."""
    assert len(stream_sets.decode(body, START_S).points) == 0


@pytest.mark.parametrize(
    "body",
    [
        *(None, "text", 5, True, {"message": "maintenance"}, [1, 2], [None], [[]]),
        *(keyed(distance=[1.0]), keyed(time=[None], distance=[1.0]), keyed(time=["x"])),
        {"time": {"data": 5}},
    ],
)
def test_what_is_no_set_of_streams_is_refused(body: object) -> None:
    """Another answer is not taken for an activity without points."""
    with pytest.raises(InvalidData):
        stream_sets.decode(body, START_S)


def test_points_are_in_order_and_each_moment_is_there_once() -> None:
    """Times out of order are sorted, repeated ones keep their first values, none is dropped."""
    body = keyed(time=[3, 0, 0, None, 1], heartrate=[30, 0, 9, 5, 10])
    assert column(body, "timestamp_s") == [START_S, START_S + 1, START_S + 3]
    assert column(body, "heartrate_bpm") == [0.0, 10.0, 30.0]


def test_a_channel_that_is_shorter_or_longer_than_the_times_fits() -> None:
    """A short channel says nothing of the last points; a long one's rest is left out."""
    assert column(keyed(time=[0, 1, 2], heartrate=[90]), "heartrate_bpm") == [90.0, None, None]
    assert column(keyed(time=[2, 1, 0], heartrate=[90]), "heartrate_bpm") == [None, None, 90.0]
    assert column(keyed(time=[0], heartrate=[90, 91]), "heartrate_bpm") == [90.0]
    assert column(keyed(time=[0, 1], latlng=[[41, 2]]), "lat") == [41.0, None]


def test_positions_that_are_nowhere_are_none() -> None:
    """(0, 0), what is not on Earth, and half a position are no positions, in both columns."""
    pairs: list[Any] = [[0, 0], [91, 2], [41, 181], [41], None, ["a", 2], [41.5, 2.5], [True], {}]
    body = keyed(time=list(range(len(pairs))), latlng=pairs)
    for name, value in (("lat", 41.5), ("lng", 2.5)):
        assert column(body, name) == [None, None, None, None, None, None, value, None, None]


@pytest.mark.parametrize("value", [10**400, -(10**400), 1e18, float("inf"), float("nan"), "x", []])
def test_a_time_that_cannot_be_costs_its_point_only(value: object) -> None:
    """Times beyond ten years, or that are no numbers, are left out with their point."""
    body = keyed(time=[0, value, 2], heartrate=[1, 2, 3])
    assert column(body, "heartrate_bpm") == [1.0, 3.0]


def test_what_strava_did_not_send_is_computed() -> None:
    """Motion and slope come from Strava where it sent them, else from the points."""
    body = keyed(time=[0, 10, 20], distance=[0, 40, 40], altitude=[0, 4, 4])
    computed = stream_sets.decode(body, START_S).outline("Run", START_S)
    assert len(computed.moving) == len(computed.grade_pct) == 3
    told = keyed(time=[0, 10, 20], moving=[True, None, 0], grade_smooth=[9, None, 7])
    outline = stream_sets.decode(told, START_S).outline("Run", START_S)
    assert outline.moving.tolist() == [True, False, False]
    assert outline.grade_pct[[0, 2]].tolist() == [9.0, 7.0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)
CHANNEL = st.lists(
    st.none()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.integers(0, 5_000)
    | st.lists(st.floats(-200, 200), max_size=3)
    | JSON,
    max_size=12,
)


@given(
    body=JSON
    | st.dictionaries(
        st.sampled_from(stream_sets.KEYS.split()),
        st.fixed_dictionaries({"data": CHANNEL}) | JSON,
    )
)
def test_any_json_gives_sound_columns_or_is_refused(body: object) -> None:
    """Whatever comes: InvalidData, or columns of one length, finite or NaN, times ascending."""
    try:
        found = stream_sets.decode(body, START_S)
    except InvalidData:
        return
    columns = [getattr(found.points, name) for name in POINT_COLUMNS]
    assert len({len(values) for values in columns}) == 1
    assert not any(np.isinf(values).any() for values in columns)
    assert (np.diff(found.points.timestamp_s) > 0).all()
    with np.errstate(all="ignore"):
        outline = found.outline("Ride", START_S)
    assert len(outline.moving) == len(outline.grade_pct) == len(found.points)
