"""What the writer writes, our reader and Garmin's read back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from garmin_fit_sdk import Decoder, Stream
from hypothesis import given, settings
from hypothesis import strategies as st

from tracklake.formats.fit import decode
from tracklake.formats.fit_fallback import decode_with_fitparse
from tracklake.formats.fit_writer import encode
from tracklake.model import POINT_COLUMNS, Device, FloatArray, Lap, Points, Recording, Session

# Smallest and largest raw value, raw units a unit, offset: FIT's resolution of each column.
RESOLUTION = {
    "lat": (-(2**30), 2**30, 2**31 / 180, 0),
    "lng": (-(2**31), 2**31 - 2, 2**31 / 180, 0),
    "altitude_m": (0, 47_500, 5, 500),
    "distance_m": (0, 10**8, 100, 0),
    "velocity_mps": (0, 10**6, 1000, 0),
    "heartrate_bpm": (0, 254, 1, 0),
    "cadence_rpm": (0, 254, 1, 0),
    "power_w": (0, 65_534, 1, 0),
    "temperature_c": (-128, 126, 1, 0),
}
seconds = st.integers(1_000_000_000, 2_000_000_000)
lengths_s = st.none() | st.integers(0, 10**8).map(lambda raw: raw / 1000)
small = st.none() | st.integers(1, 254).map(float)
distances_m = st.none() | st.integers(0, 10**8).map(lambda raw: raw / 100)
speeds_mps = st.none() | st.integers(0, 10**6).map(lambda raw: raw / 1000)


@st.composite
def columns(draw: st.DrawFn, name: str, count: int) -> FloatArray:
    low, high, scale, offset = RESOLUTION[name]
    raw = draw(st.lists(st.none() | st.integers(low, high), min_size=count, max_size=count))
    return np.array([np.nan if r is None else r / scale - offset for r in raw], dtype=float)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    steps = draw(st.lists(st.integers(1, 100_000), max_size=12))
    start = draw(seconds)
    times = start + np.cumsum([0, *steps])[: len(steps)].astype(float)
    names = draw(st.sets(st.sampled_from(sorted(RESOLUTION))))
    points = Points.of(
        len(times), timestamp_s=times, **{name: draw(columns(name, len(times))) for name in names}
    )
    legs = draw(st.lists(sessions(start), min_size=1, max_size=3, unique_by=lambda s: s.start_s))
    laps = draw(st.lists(laps_from(start), max_size=4, unique_by=lambda lap: lap.start_s))
    stops = sorted(draw(st.sets(st.integers(1, 10**6), max_size=6)))
    pauses = tuple((start + a, start + b) for a, b in zip(stops[0::2], stops[1::2], strict=False))
    return Recording(
        format="fit",
        points=points,
        sessions=tuple(sorted(legs, key=lambda leg: leg.start_s)),
        laps=tuple(sorted(laps, key=lambda lap: lap.start_s)),
        pauses=tuple((float(a), float(b)) for a, b in pauses),
        device=Device(
            manufacturer=draw(st.sampled_from(["garmin", "wahoo_fitness"])),
            product=draw(st.sampled_from(["28", "4711"])),
            serial_number=draw(st.integers(1, 2**32 - 2)),
            name=draw(st.sampled_from(["ELEMNT BOLT", "Grüße 自転車"])),
        ),
        created_s=float(draw(seconds)),
        utc_offset_s=draw(st.none() | st.integers(-56, 56).map(lambda quarter: quarter * 900.0)),
    )


def sessions(start: int) -> st.SearchStrategy[Session]:
    return st.builds(
        Session,
        start_s=st.integers(start, start + 10**6).map(float),
        elapsed_time_s=lengths_s,
        timer_time_s=lengths_s,
        sport=st.sampled_from(["running", "cycling", "swimming", "200"]),
        sub_sport=st.none() | st.sampled_from(["trail", "indoor_cycling", "lap_swimming"]),
        name=st.none() | st.sampled_from(["Run", "Läuft"]),
        distance_m=distances_m,
        total_ascent_m=small,
        calories_kcal=small,
        average_speed_mps=speeds_mps,
        max_speed_mps=speeds_mps,
        average_heartrate_bpm=small,
        max_heartrate_bpm=small,
        average_cadence_rpm=small,
        average_power_w=small,
        max_power_w=small,
        average_temperature_c=st.none() | st.integers(-128, 126).map(float),
    )


def laps_from(start: int) -> st.SearchStrategy[Lap]:
    return st.builds(
        Lap,
        start_s=st.integers(start, start + 10**6).map(float),
        elapsed_time_s=lengths_s,
        timer_time_s=lengths_s,
        distance_m=distances_m,
        average_speed_mps=speeds_mps,
        average_heartrate_bpm=small,
        trigger=st.none() | st.sampled_from(["manual", "distance", "session_end"]),
    )


@settings(max_examples=60)
@given(recordings())
def test_round_trip(recording: Recording) -> None:
    """What lies on FIT's grid comes back to the last bit, everything else of a recording too."""
    (read,) = decode(encode(recording))
    for name in POINT_COLUMNS:
        ours, theirs = getattr(recording.points, name), getattr(read.points, name)
        np.testing.assert_allclose(theirs, ours, rtol=1e-15, atol=1e-9, err_msg=name)
    assert dataclasses.replace(read, points=recording.points) == recording


@settings(max_examples=25)
@given(recordings())
def test_others_read_it(recording: Recording) -> None:
    """Garmin's decoder finds the file sound and as many records, laps and sessions."""
    data = bytearray(encode(recording))
    assert Decoder(Stream.from_byte_array(data)).check_integrity()
    messages, errors = Decoder(Stream.from_byte_array(data)).read()
    assert errors == []
    assert len(messages.get("record_mesgs", [])) == len(recording.points)
    assert len(messages.get("session_mesgs", [])) == len(recording.sessions)
    assert len(messages.get("lap_mesgs", [])) == len(recording.laps)


def test_the_second_decoder_agrees() -> None:
    """fitparse reads the same columns from a file with all of them."""
    count = 50
    columns = {
        name: (low + (high - low) * np.arange(count) // count) / scale - offset
        for name, (low, high, scale, offset) in RESOLUTION.items()
    }
    points = Points.of(count, timestamp_s=1.7e9 + np.arange(count), **columns)
    data = encode(Recording(format="fit", points=points))
    (ours,), (theirs,) = decode(data), decode_with_fitparse(data)
    for name in POINT_COLUMNS:
        np.testing.assert_array_equal(getattr(theirs.points, name), getattr(ours.points, name))


def test_what_does_not_fit_is_missing() -> None:
    """Values beyond a field's range are written as none, not as something else."""
    points = Points.of(
        2, timestamp_s=[1.7e9, 1.7e9 + 1], heartrate_bpm=[300, 255], altitude_m=[-600, 9e9]
    )
    (read,) = decode(encode(Recording(format="fit", points=points)))
    assert np.isnan(read.points.heartrate_bpm).all()
    assert np.isnan(read.points.altitude_m).all()


def test_events_stand_between_the_records_of_their_time() -> None:
    """A pause's events follow the last record before it, as on a device."""
    points = Points.of(4, timestamp_s=1.7e9 + np.array([0, 1, 10, 11]))
    recording = Recording(format="fit", points=points, pauses=((1.7e9 + 1, 1.7e9 + 10),))
    data = encode(recording)
    order: list[int] = []
    Decoder(Stream.from_byte_array(bytearray(data))).read(
        mesg_listener=lambda number, _: order.append(number)
    )
    assert order == [0, 23, 21, 20, 20, 21, 21, 20, 20, 21, 34]


@pytest.mark.parametrize("kind", ["course", "workout"])
def test_other_kinds(kind: str) -> None:
    """Recordings of another kind are written as such, without events and activity."""
    points = Points.of(2, timestamp_s=[1.7e9, 1.7e9 + 1], lat=[1, 2], lng=[3, 4])
    (read,) = decode(encode(Recording(format="fit", kind=kind, points=points)))
    assert (read.kind, len(read.points), read.pauses) == (kind, 2, ())


def test_an_empty_recording() -> None:
    """Nothing to say makes a file that is sound all the same."""
    data = bytearray(encode(Recording(format="fit")))
    assert Decoder(Stream.from_byte_array(data)).check_integrity()
