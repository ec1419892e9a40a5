"""Values of record messages, as makers store them: one example a habit."""

import struct

import numpy as np
import pytest

from tests.formats.fit_builder import (
    ALTITUDE,
    BYTE,
    CADENCE,
    DISTANCE,
    EPOCH_S,
    EVENT,
    FLOAT32,
    FLOAT64,
    HEART_RATE,
    LAP,
    LAT,
    LNG,
    POWER,
    RECORD,
    SINT8,
    SINT32,
    SPEED,
    START,
    STRING,
    TIMESTAMP,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    definition,
    framed,
    message,
)
from tracklake.formats.fit import decode, read
from tracklake.model import Points

NAN = float("nan")


def points_of(body: bytes) -> Points:
    (part,) = read(framed(body))
    assert part.problems == ()
    return part.points


@pytest.mark.parametrize("big_endian", [False, True])
def test_every_column(big_endian: bool) -> None:
    """All ten columns come out in SI units and degrees, in either byte order."""
    layout = [(TIMESTAMP, 4, UINT32), (LAT, 4, SINT32), (LNG, 4, SINT32), (ALTITUDE, 2, UINT16)]
    layout += [(DISTANCE, 4, UINT32), (SPEED, 2, UINT16), (HEART_RATE, 1, UINT8)]
    layout += [(CADENCE, 1, UINT8), (POWER, 2, UINT16), (13, 1, SINT8)]
    values = (START, 2**29, -(2**30), 2600, 123_456, 3_456, 150, 90, 250, -5)
    order = ">" if big_endian else "<"
    body = definition(0, RECORD, layout, big_endian=big_endian)
    points = points_of(body + message(0, f"{order}IiiHIHBBHb", *values))
    assert points.timestamp_s.tolist() == [START + EPOCH_S]
    assert (points.lat.tolist(), points.lng.tolist()) == ([45.0], [-90.0])
    assert (points.altitude_m.tolist(), points.distance_m.tolist()) == ([20.0], [1234.56])
    assert (points.velocity_mps.tolist(), points.heartrate_bpm.tolist()) == ([3.456], [150.0])
    assert (points.cadence_rpm.tolist(), points.power_w.tolist()) == ([90.0], [250.0])
    assert points.temperature_c.tolist() == [-5.0]


def test_sentinels_are_missing() -> None:
    """The pattern that means "none" becomes NaN, in every base type used here."""
    layout = [(TIMESTAMP, 4, UINT32), (LAT, 4, SINT32), (SPEED, 2, UINT16), (13, 1, SINT8)]
    body = definition(0, RECORD, layout)
    points = points_of(body + message(0, "<IiHb", 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFF, 0x7F))
    for name in ("timestamp_s", "lat", "velocity_mps", "temperature_c"):
        assert np.isnan(getattr(points, name)).tolist() == [True]


def test_enhanced_is_preferred_value_by_value() -> None:
    """A wide field beats its narrow twin; where it says nothing, the twin counts."""
    layout = [(SPEED, 2, UINT16), (73, 4, UINT32), (ALTITUDE, 2, UINT16), (78, 4, UINT32)]
    body = definition(0, RECORD, layout)
    body += message(0, "<HIHI", 1000, 70_000, 2500, 15_000)
    body += message(0, "<HIHI", 2000, 0xFFFFFFFF, 3000, 0xFFFFFFFF)
    points = points_of(body)
    assert points.velocity_mps.tolist() == [70.0, 2.0]
    assert points.altitude_m.tolist() == [2500.0, 100.0]


def test_layouts_alternate_in_file_order() -> None:
    """Records of two layouts keep their order in the file; each lacks what its layout lacks."""
    body = definition(0, RECORD, [(TIMESTAMP, 4, UINT32), (HEART_RATE, 1, UINT8)])
    body += definition(1, RECORD, [(TIMESTAMP, 4, UINT32), (POWER, 2, UINT16)])
    for second in range(0, 6, 2):
        body += message(0, "<IB", START + second, 100 + second)
        body += message(1, "<IH", START + second + 1, 200 + second)
    points = points_of(body)
    assert (points.timestamp_s - points.timestamp_s[0]).tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(points.heartrate_bpm, [100, NAN, 102, NAN, 104, NAN])
    np.testing.assert_array_equal(points.power_w, [NAN, 200, NAN, 202, NAN, 204])


def test_compressed_timestamps() -> None:
    """Five bits of time count on from the last full time, over several turns and other messages."""
    body = definition(0, RECORD, [(TIMESTAMP, 4, UINT32), (HEART_RATE, 1, UINT8)])
    body += definition(1, RECORD, [(HEART_RATE, 1, UINT8)])
    body += definition(2, EVENT, [(TIMESTAMP, 4, UINT32)])
    expected = [START]
    body += message(0, "<IB", START, 60)
    for step in (1, 7, 31, 0, 12, 30):
        expected.append(expected[-1] + step)
        body += message(0x80 | 1 << 5 | expected[-1] & 31, "B", 61)
    body += message(2, "<I", expected[-1] + 1000)
    expected.append(expected[-1] + 1003)
    body += message(0x80 | 1 << 5 | expected[-1] & 31, "B", 62)
    assert (points_of(body).timestamp_s - EPOCH_S).tolist() == expected


def test_compressed_timestamps_without_a_reference() -> None:
    """Five bits of time before any full time are no time; the values beside them count."""
    body = definition(0, RECORD, [(HEART_RATE, 1, UINT8)]) + message(0x83, "B", 61)
    points = points_of(body)
    assert np.isnan(points.timestamp_s).all()
    assert points.heartrate_bpm.tolist() == [61.0]


def test_compressed_speed_and_distance() -> None:
    """Twelve bits of speed and twelve rolling bits of distance are expanded, also over a turn."""
    body = definition(0, RECORD, [(8, 3, BYTE)])
    for speed, distance in ((250, 4000), (251, 90), (252, 100)):
        packed = speed | distance << 12
        body += message(0, "<3s", packed.to_bytes(3, "little"))
    body += message(0, "<3s", b"\xff\xff\xff")
    points = points_of(body)
    np.testing.assert_array_equal(points.velocity_mps, [2.5, 2.51, 2.52, NAN])
    np.testing.assert_array_equal(points.distance_m, [250.0, 261.625, 262.25, NAN])


@pytest.mark.parametrize(
    ("code", "layout", "value", "expected"),
    [
        (BYTE, "<I", START, START + EPOCH_S),
        (UINT8, "<I", START, START + EPOCH_S),
        (0x1B, "<I", START, START + EPOCH_S),
        (UINT64, "<Q", START, START + EPOCH_S),
        (FLOAT64, "<d", float(START), START + EPOCH_S),
        (UINT16, "<3s", b"abc", NAN),
    ],
    ids=["bytes", "small", "unknown type", "64 bit", "float", "no multiple"],
)
def test_timestamps_stored_unusually(
    code: int, layout: str, value: float | bytes, expected: float
) -> None:
    """A time declared as bytes, as an unknown or as a wider type is read; nonsense is missing."""
    size = struct.calcsize(layout)
    body = definition(0, RECORD, [(TIMESTAMP, size, code), (HEART_RATE, 1, UINT8)])
    points = points_of(body + message(0, layout, value) + b"\x50")
    np.testing.assert_array_equal(points.timestamp_s, [expected])
    assert points.heartrate_bpm.tolist() == [80.0]


def test_arrays_and_floats() -> None:
    """Of an array the first value counts; a float that is no number is missing."""
    body = definition(0, RECORD, [(POWER, 4, UINT16), (HEART_RATE, 4, FLOAT32)])
    points = points_of(body + message(0, "<HHf", 250, 260, NAN) + message(0, "<HHf", 1, 2, 88.5))
    assert points.power_w.tolist() == [250.0, 1.0]
    np.testing.assert_array_equal(points.heartrate_bpm, [NAN, 88.5])


def described(
    index: int, number: int, code: int, *, name: bytes, native: int, units: bytes
) -> bytes:
    layout = [(0, 1, UINT8), (1, 1, UINT8), (2, 1, UINT8), (3, 8, 7), (8, 8, 7), (14, 2, UINT16)]
    layout.append((15, 1, UINT8))
    head = definition(15, 206, layout)
    return head + message(15, "<BBB8s8sHB", index, number, code, name, units, RECORD, native)


def test_developer_fields_never_replace_native_ones() -> None:
    """A developer field called like a native one, even declared equal, leaves it alone."""
    body = described(0, 1, FLOAT32, name=b"distance", native=DISTANCE, units=b"m")
    body += definition(0, RECORD, [(DISTANCE, 4, UINT32)], developer=[(1, 4, 0)])
    (recording,) = decode(framed(body + message(0, "<If", 1234, 99.0)))
    assert recording.points.distance_m.tolist() == [12.34]


def test_developer_fields_fill_columns_the_file_has_not() -> None:
    """Fields declared equal to a native one fill an empty column, in its unit; others do not."""
    body = described(0, 1, FLOAT32, name=b"Speed", native=SPEED, units=b"km/h")
    body += described(0, 2, UINT16, name=b"Power", native=POWER, units=b"W")
    body += described(0, 3, UINT8, name=b"cadence", native=0xFF, units=b"rpm")
    developer = [(1, 4, 0), (2, 2, 0), (3, 1, 0), (9, 1, 5)]
    body += definition(0, RECORD, [(HEART_RATE, 1, UINT8)], developer=developer)
    body += message(0, "<BfHBB", 150, 36.0, 300, 90, 7) + message(
        0, "<BfHBB", 151, NAN, 0xFFFF, 9, 7
    )
    (recording,) = decode(framed(body))
    np.testing.assert_array_equal(recording.points.velocity_mps, [10.0, NAN])
    np.testing.assert_array_equal(recording.points.power_w, [300.0, NAN])
    assert np.isnan(recording.points.cadence_rpm).all()


def test_a_description_may_come_late_or_change() -> None:
    """A developer field is read by the description that holds where it stands."""
    layout = definition(0, RECORD, [(HEART_RATE, 1, UINT8)], developer=[(1, 2, 0)])
    body = layout + message(0, "<BH", 150, 250)
    body += described(0, 1, UINT16, name=b"Power", native=POWER, units=b"W")
    body += message(0, "<BH", 150, 251)
    body += described(0, 1, UINT16, name=b"other", native=0xFF, units=b"") + message(
        0, "<BH", 150, 252
    )
    (recording,) = decode(framed(body))
    np.testing.assert_array_equal(recording.points.power_w, [250.0, 251.0, NAN])


def test_impossible_positions_are_left_out() -> None:
    """A latitude beyond a pole is no position; a longitude stored as unsigned is one."""
    layout = [(TIMESTAMP, 4, UINT32), (LAT, 4, UINT32), (LNG, 4, UINT32)]
    body = definition(0, RECORD, layout)
    body += message(0, "<III", START, 2**29, 2**32 - 2**30)
    body += message(0, "<III", START + 1, 2**31 - 5, 0)
    (recording,) = decode(framed(body))
    np.testing.assert_array_equal(recording.points.lat, [45.0, NAN])
    np.testing.assert_array_equal(recording.points.lng, [-90.0, NAN])
    assert recording.problems == ("1 positions lie beyond the poles and were left out",)


def test_a_definition_without_messages() -> None:
    """A layout longer than the file, of which no message follows, does no harm."""
    body = definition(2, RECORD, [(TIMESTAMP, 4, UINT32), *((n, 255, BYTE) for n in range(20, 40))])
    body += definition(0, RECORD, [(TIMESTAMP, 4, UINT32)]) + message(0, "<I", START)
    body += definition(1, RECORD, [(HEART_RATE, 1, UINT8)])
    points = points_of(body + message(0x80 | 1 << 5 | (START + 3) & 31, "B", 61))
    assert (points.timestamp_s - EPOCH_S).tolist() == [START, START + 3]


@pytest.mark.parametrize(
    ("code", "of_message"), [(0x1F, RECORD), (STRING, RECORD), (UINT32, RECORD), (UINT8, LAP)]
)
def test_developer_fields_that_cannot_be_used(code: int, of_message: int) -> None:
    """Of an unknown type, of text, too short for its type or of another message: left out."""
    layout = [(0, 1, UINT8), (1, 1, UINT8), (2, 1, UINT8), (14, 2, UINT16), (15, 1, UINT8)]
    body = definition(15, 206, layout) + message(15, "<BBBHB", 0, 1, code, of_message, POWER)
    body += definition(0, RECORD, [(HEART_RATE, 1, UINT8)], developer=[(1, 1, 0)])
    (recording,) = decode(framed(body + message(0, "<BB", 150, 99)))
    assert np.isnan(recording.points.power_w).all()
    assert recording.points.heartrate_bpm.tolist() == [150.0]
