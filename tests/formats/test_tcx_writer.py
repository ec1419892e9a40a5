"""Writing TCX: what goes in comes out again."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.recording_strategy import RANGES, recordings
from tracklake.formats import tcx, tcx_writer
from tracklake.model import Device, Lap, Points, Recording, Session


def again(recording: Recording) -> Recording:
    (decoded,) = tcx.decode(io.BytesIO(tcx_writer.encode(recording)))
    return decoded


@given(recordings(located=False))
def test_a_recording_written_is_read_again(recording: Recording) -> None:
    """Points and pauses survive to the decimals promised; temperature and names TCX has not."""
    decoded = again(recording)
    np.testing.assert_allclose(
        decoded.points.timestamp_s, recording.points.timestamp_s, rtol=0, atol=6e-4
    )
    unlocated = np.isnan(recording.points.lat + recording.points.lng)
    for name, (_, _, decimals) in RANGES.items():
        expected = getattr(recording.points, name)
        if name in {"lat", "lng"}:
            expected = np.where(unlocated, np.nan, expected)
        if name == "temperature_c":
            expected = np.full(len(expected), np.nan)
        np.testing.assert_allclose(
            getattr(decoded.points, name), expected, rtol=1e-14, atol=0.51 * 10**-decimals
        )
    assert len(decoded.pauses) == len(recording.pauses)
    assert sum(decoded.pauses, ()) == pytest.approx(sum(recording.pauses, ()))
    assert (decoded.description, decoded.device.name) == (
        recording.description,
        recording.device.name,
    )
    sport = recording.sessions[0].sport
    assert decoded.sessions[0].sport == {"running": "Running", "Ride": "Biking"}[str(sport)]


TOTAL = st.none() | st.integers(1, 10_000).map(float)


@st.composite
def _laps(draw: st.DrawFn) -> tuple[Lap, ...]:
    starts = sorted(draw(st.sets(st.integers(0, 10**6), min_size=1, max_size=5)))
    return tuple(
        Lap(
            start_s=float(start),
            timer_time_s=draw(st.integers(0, 1000).map(float)),
            distance_m=draw(st.integers(0, 10_000).map(float)),
            calories_kcal=draw(TOTAL),
            average_speed_mps=draw(TOTAL),
            max_speed_mps=draw(TOTAL),
            average_heartrate_bpm=draw(TOTAL),
            max_heartrate_bpm=draw(TOTAL),
            average_cadence_rpm=draw(TOTAL),
            average_power_w=draw(TOTAL),
            trigger=draw(st.sampled_from(["manual", "distance", "time", "location", "heart_rate"])),
        )
        for start in starts
    )


@given(_laps())
def test_laps_written_are_read_again(laps: tuple[Lap, ...]) -> None:
    """Every total of every lap survives, but for the time in all, which TCX does not hold."""
    recording = Recording(
        format="fit",
        sessions=(Session(start_s=laps[0].start_s, sport="running"),),
        laps=laps,
    )
    decoded = [replace(lap, elapsed_time_s=None) for lap in again(recording).laps]
    expected = [
        replace(lap, trigger="manual" if lap.trigger == "location" else lap.trigger) for lap in laps
    ]
    assert decoded == expected


def test_a_position_trigger_is_a_location() -> None:
    """FIT's position_start, _lap, _waypoint and _marked are TCX's Location."""
    lap = Lap(start_s=0, trigger="position_lap")
    assert again(Recording(format="fit", laps=(lap,))).laps[0].trigger == "location"


def test_points_belong_to_the_lap_in_which_they_were_recorded() -> None:
    """Each lap gets the points from its start to the next one's; none is lost or doubled."""
    points = Points.of(5, timestamp_s=[0, 10, 20, 30, 40], distance_m=[0, 1, 2, 3, 4])
    laps = (Lap(start_s=5), Lap(start_s=20), Lap(start_s=100))
    document = tcx_writer.encode(Recording(format="fit", points=points, laps=laps)).decode()
    first, second, third = document.split("<Lap ")[1:]
    assert [text.count("<Trackpoint>") for text in (first, second, third)] == [2, 3, 0]


def test_a_multisport_outing_keeps_its_legs() -> None:
    """Several sessions become a MultiSportSession; each has its sport, its laps and its points."""
    recording = Recording(
        format="fit",
        points=Points.of(6, timestamp_s=[0, 5, 10, 15, 20, 25]),
        sessions=(
            Session(start_s=0, sport="swimming", sub_sport="open_water", distance_m=750),
            Session(start_s=10, sport="transition"),
            Session(start_s=20, sport="cycling", distance_m=20_000),
        ),
        laps=(Lap(start_s=20, distance_m=10_000), Lap(start_s=22, distance_m=10_000)),
    )
    decoded = again(recording)
    assert [s.sport for s in decoded.sessions] == ["Other", "Transition", "Biking"]
    assert [s.start_s for s in decoded.sessions] == [0, 10, 20]
    assert [s.distance_m for s in decoded.sessions] == [750, None, 20_000]
    assert len(decoded.points) == 6


def test_running_cadence_stands_where_runners_programs_look() -> None:
    """A runner's cadence is RunCadence in the extension, a rider's is Cadence."""
    points = Points.of(1, timestamp_s=[0], cadence_rpm=[85])
    run = Recording(format="fit", points=points, sessions=(Session(start_s=0, sport="running"),))
    ride = replace(run, sessions=(Session(start_s=0, sport="cycling"),))
    assert b"<ns3:RunCadence>85<" in tcx_writer.encode(run)
    assert b"<Cadence>85<" in tcx_writer.encode(ride)
    assert again(run).points.cadence_rpm.tolist() == [85]


def test_a_course_is_written_as_a_course() -> None:
    """What was planned is read as planned again."""
    points = Points.of(2, timestamp_s=[0, 1], lat=[1, 2], lng=[3, 4])
    decoded = again(Recording(format="gpx", kind="course", points=points, name="Plan"))
    assert (decoded.kind, decoded.name) == ("course", "Plan")
    assert decoded.points.lat.tolist() == [1, 2]


def test_an_outing_without_points_keeps_its_totals() -> None:
    """An indoor session is written by its totals alone, and the device by its numbers."""
    session = Session(start_s=60, sport="training", timer_time_s=1800, calories_kcal=150)
    device = Device(product="2067", serial_number=42)
    decoded = again(Recording(format="fit", sessions=(session,), device=device))
    (read,) = decoded.sessions
    assert (read.timer_time_s, read.calories_kcal, read.distance_m) == (1800, 150, None)
    assert (decoded.device.product, decoded.device.serial_number) == ("2067", 42)


def test_a_recording_of_nothing_is_written_too() -> None:
    """Without session, lap and point the moment of creation is the start."""
    decoded = again(Recording(format="fit", created_s=120))
    assert decoded.sessions[0].start_s == 120


def test_points_without_a_session_start_with_the_first() -> None:
    """Without session and lap the first point's time is the start."""
    points = Points.of(2, timestamp_s=[np.nan, 60], heartrate_bpm=[1, 2])
    decoded = again(Recording(format="fit", points=points))
    assert decoded.sessions[0].start_s == 60
    assert decoded.points.heartrate_bpm.tolist() == [2]
