"""Writing GPX: what goes in comes out again."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given

from tests.formats.recording_strategy import RANGES, recordings
from tracklake.formats import gpx, gpx_writer
from tracklake.model import Points, Recording, Session


@given(recordings(located=True))
def test_a_recording_written_is_read_again(recording: Recording) -> None:
    """Points, pauses and texts survive, to the decimals that the writer promises."""
    (again,) = gpx.decode(io.BytesIO(gpx_writer.encode(recording)))
    np.testing.assert_allclose(
        again.points.timestamp_s, recording.points.timestamp_s, rtol=0, atol=6e-4
    )
    for name, (_, _, decimals) in RANGES.items():
        np.testing.assert_allclose(
            getattr(again.points, name),
            getattr(recording.points, name),
            rtol=1e-14,
            atol=0.51 * 10**-decimals,
        )
    assert len(again.pauses) == len(recording.pauses)
    assert sum(again.pauses, ()) == pytest.approx(sum(recording.pauses, ()))
    assert (again.kind, again.problems) == ("activity", ())
    assert (again.name, again.description) == (recording.name, recording.description)
    assert again.device == recording.device
    assert again.sessions[0].sport == recording.sessions[0].sport
    assert again.sessions[0].start_s == pytest.approx(recording.sessions[0].start_s)


def test_points_without_a_position_are_left_out() -> None:
    """GPX has no place for them; their neighbours and the pause around them remain."""
    points = Points.of(3, timestamp_s=[0, 1, 60], lat=[1, np.nan, 3], lng=[4, 5, 6])
    recording = Recording(format="fit", points=points, pauses=((1, 60),))
    (again,) = gpx.decode(io.BytesIO(gpx_writer.encode(recording)))
    assert again.points.lat.tolist() == [1, 3]
    assert again.pauses == ((0, 60),)


def test_points_without_a_time_stay_where_they_are() -> None:
    """A point whose time is unknown is written without one, in its neighbour's segment."""
    points = Points.of(3, timestamp_s=[0, np.nan, 60], lat=[1, 2, 3], lng=[4, 5, 6])
    recording = Recording(format="fit", points=points, pauses=((0, 60),))
    (again,) = gpx.decode(io.BytesIO(gpx_writer.encode(recording)))
    assert again.points.lat.tolist() == [1, 2, 3]
    assert np.isnan(again.points.timestamp_s).tolist() == [False, True, False]
    assert again.pauses == ((0, 60),)


def test_a_course_becomes_a_route() -> None:
    """What was planned is read as planned again, even with times."""
    points = Points.of(2, timestamp_s=[0, 1], lat=[1, 2], lng=[3, 4])
    recording = Recording(format="gpx", kind="course", points=points, name="Plan", created_s=12.5)
    (again,) = gpx.decode(io.BytesIO(gpx_writer.encode(recording)))
    assert (again.kind, again.name, again.created_s) == ("course", "Plan", 12.5)
    assert again.points.lat.tolist() == [1, 2]


def test_the_session_may_name_the_track() -> None:
    """Without a name of its own the recording takes that of its session."""
    recording = Recording(
        format="gpx",
        points=Points.of(1, timestamp_s=[0], lat=[1], lng=[2]),
        sessions=(Session(start_s=0, name="Session"),),
    )
    assert gpx.decode(io.BytesIO(gpx_writer.encode(recording)))[0].name == "Session"


def test_the_same_recording_gives_the_same_bytes() -> None:
    """Nothing of the moment of writing is in the file, and it is UTF-8 without a mark."""
    recording = Recording(format="gpx", name="Grüße")
    first = gpx_writer.encode(recording)
    assert first == gpx_writer.encode(recording)
    assert first.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert "Grüße".encode() in first
