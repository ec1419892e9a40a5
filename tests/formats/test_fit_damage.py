"""Damaged frames and bodies: what is recovered, and what is said of it."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.fit_builder import (
    BYTE,
    EPOCH_S,
    FILE_ID,
    HEART_RATE,
    RECORD,
    START,
    TIMESTAMP,
    UINT8,
    UINT32,
    definition,
    framed,
    heart_rates,
    message,
)
from tracklake.errors import InvalidData
from tracklake.formats.fit import decode
from tracklake.formats.fit_crc import crc16
from tracklake.model import POINT_COLUMNS, Recording

WHOLE = framed(heart_rates(200))


def only(data: bytes) -> Recording:
    (recording,) = decode(data)
    return recording


def test_an_undamaged_file_has_no_problems() -> None:
    """The yardstick of this module is read whole and without complaint."""
    assert (len(only(WHOLE).points), only(WHOLE).problems) == (200, ())


def test_a_header_checksum_of_zero_is_legal() -> None:
    """Writers may leave the header's checksum out."""
    assert only(framed(heart_rates(3), header_crc=False)).problems == ()


def test_a_header_of_twelve_bytes() -> None:
    """The old header has no checksum of its own."""
    body = heart_rates(3)
    head = struct.pack("<BBHI4s", 12, 0x10, 100, len(body), b".FIT")
    data = head + body + struct.pack("<H", crc16(head + body))
    assert (len(only(data).points), only(data).problems) == (3, ())


@pytest.mark.parametrize("size", [0, 5, 700, 0xFFFFFFFF])
def test_a_wrong_size_in_the_header(size: int) -> None:
    """With a size of nothing, too little, a bit less or 4 GB, all records are found, and told."""
    recording = only(framed(heart_rates(200), data_size=size))
    assert len(recording.points) == 200
    assert recording.problems == ("the header says a wrong size",)


@pytest.mark.parametrize("removed", [1, 2, 3, 8, 600])
def test_a_truncated_file(removed: int) -> None:
    """Of a file that was cut off, every whole record is kept, and the loss is told in bytes."""
    recording = only(WHOLE[:-removed])
    assert len(recording.points) == 200 - -(-max(0, removed - 2) // 6)
    assert f"{removed} bytes of" in recording.problems[0]


def test_an_unfinished_recording() -> None:
    """A size of 0 and no checksum, as a device leaves it that ran out of power, is read."""
    recording = only(framed(heart_rates(50), data_size=0)[:-2])
    assert len(recording.points) == 50
    assert recording.problems == ("the header says a size of 0: the recording was never finished",)


def test_a_wrong_checksum() -> None:
    """A wrong checksum alone costs nothing but is told."""
    recording = only(WHOLE[:-1] + bytes((WHOLE[-1] ^ 1,)))
    assert len(recording.points) == 200
    assert recording.problems == (f"the checksum at byte {len(WHOLE) - 2} is wrong",)


def test_a_wrong_header_checksum() -> None:
    """A wrong header checksum is told; the file's own is wrong then, too, or was made over it."""
    data = bytearray(WHOLE)
    data[12] ^= 0xFF
    recording = only(bytes(data))
    assert len(recording.points) == 200
    assert recording.problems[0] == "the checksum of the header at byte 0 is wrong"


@pytest.mark.parametrize("size", [13, 16, 255])
def test_a_wrong_header_size(size: int) -> None:
    """A header that gives itself another size is read where its messages begin."""
    data = bytes((size,)) + WHOLE[1:]
    assert len(only(data).points) == 200
    assert f"says a size of {size} bytes" in only(data).problems[0]


def test_bytes_before_and_behind() -> None:
    """A preamble and trailing bytes are stepped over and told; trailing zeros are padding."""
    recording = only(b"junk!" + WHOLE + b"more junk")
    assert len(recording.points) == 200
    assert recording.problems[0] == "bytes 0 to 4 are not FIT"
    assert "are not FIT" in recording.problems[1]
    assert only(WHOLE + bytes(100)).problems == ()


def test_a_header_without_its_mark() -> None:
    """Without ".FIT", a header of a usual size with a definition behind it is still one."""
    data = WHOLE[:8] + b"xxxx" + WHOLE[12:]
    recording = only(data)
    assert len(recording.points) == 200
    assert recording.problems[0] == "the header at byte 0 has no '.FIT'"


def test_a_lost_definition() -> None:
    """Messages before the next definition are lost, the ones behind it are not."""
    body = message(3, "<IB", START, 99) * 5 + heart_rates(20)
    recording = only(framed(body))
    assert len(recording.points) == 20
    assert recording.problems == ("bytes 14 to 43 cannot be read",)


def test_a_lost_block() -> None:
    """Behind garbage, records of the known layout are taken up again without a definition."""
    body = heart_rates(200)
    damaged = body[:300] + b"\xaf" * 100 + body[400:]
    recording = only(framed(damaged))
    kept = recording.points.timestamp_s - EPOCH_S - START
    assert set(kept[np.isfinite(kept)].astype(int).tolist()) >= {*range(48), *range(66, 200)}
    assert len(recording.problems) == 1


def test_garbage_that_reads_as_records_is_blanked() -> None:
    """Where the times of a damaged file jump by months, these records say nothing."""
    body = heart_rates(100) + message(0, "<IB", 77, 88)
    recording = only(framed(body)[:-1])
    assert np.isnan(recording.points.timestamp_s[100])
    assert np.isnan(recording.points.heartrate_bpm[100])
    assert "1 records carry impossible times and were left out" in recording.problems


def test_chained_files() -> None:
    """Two activities in one file are two recordings, each with its own problems."""
    first, second = decode(WHOLE + WHOLE[:-1] + bytes((WHOLE[-1] ^ 1,)))
    assert (len(first.points), first.problems) == (200, ())
    assert (len(second.points), len(second.problems)) == (200, 1)


def test_chained_settings_are_no_recording() -> None:
    """Beside an activity, other parts are left out, but their damage is told."""
    settings_part = framed(definition(0, FILE_ID, [(0, 1, 0)]) + message(0, "B", 2))
    damaged = settings_part[:-1] + bytes((settings_part[-1] ^ 1,))
    recording = only(WHOLE + damaged)
    assert (recording.kind, len(recording.points), len(recording.problems)) == ("activity", 200, 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_fit"),
        (b"<html>no such activity</html>", "not_fit"),
        (b"\x1f\x8b\x08" + bytes(50), "not_fit"),
        (framed(b""), "fit_empty"),
        (framed(definition(0, FILE_ID, [(0, 1, 0)]) + message(0, "B", 4)), "fit_empty"),
        (framed(b"\x05" * 100), "fit_empty"),
    ],
    ids=["nothing", "html", "gzip", "no messages", "only a file_id", "garbage"],
)
def test_nothing_to_read(data: bytes, reason: str) -> None:
    """What holds nothing is refused with a reason that groups."""
    with pytest.raises(InvalidData) as caught:
        decode(data)
    assert caught.value.reason == reason


@settings(max_examples=150)
@given(st.data())
def test_any_mutation_is_read_or_refused(data: st.DataObject) -> None:
    """Bytes changed, removed or inserted anywhere raise nothing but InvalidData."""
    mutated = bytearray(framed(heart_rates(30)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        patch = data.draw(st.binary(max_size=12))
        mutated[at : at + data.draw(st.integers(0, 12))] = patch
    try:
        recordings = decode(bytes(mutated))
    except InvalidData:
        recordings = ()
    for recording in recordings:
        assert {len(getattr(recording.points, name)) for name in POINT_COLUMNS} == {
            len(recording.points)
        }


def test_a_clock_that_was_never_set() -> None:
    """Times that count from the device's start are kept and told."""
    body = definition(0, RECORD, [(TIMESTAMP, 4, UINT32), (HEART_RATE, 1, UINT8)])
    recording = only(framed(body + message(0, "<IB", 5_000, 88)))
    assert recording.points.timestamp_s.tolist() == [EPOCH_S + 5_000]
    assert recording.problems == (
        "the device's clock was never set: the times count from its start",
    )


def test_a_mark_within_the_data_is_no_header() -> None:
    """The four letters ".FIT" inside of a value do not end an unfinished recording."""
    body = heart_rates(5) + definition(1, RECORD, [(200, 20, BYTE)])
    body += message(1, "20s", b"\x0e\x20\0\0\0\0\0\0.FIT") + heart_rates(5)
    recording = only(framed(body, data_size=0))
    assert len(recording.points) == 11
    assert recording.problems == ("the header says a wrong size",)
