"""The second decoder: bounded, quiet, and silent about what it cannot read."""

import pytest

from tests.formats.fit_builder import HEART_RATE, RECORD, UINT8, definition, framed, heart_rates
from tracklake.errors import InvalidData
from tracklake.formats.fit_fallback import MAX_BYTES, decode_with_fitparse


def test_records_come_with_a_warning() -> None:
    """Its points come with a sentence that says who read them."""
    (recording,) = decode_with_fitparse(framed(heart_rates(7)))
    assert recording.points.heartrate_bpm.tolist() == [100, 101, 102, 103, 104, 105, 106]
    assert len(recording.problems) == 1


def test_what_was_read_before_it_gave_up_counts() -> None:
    """Where fitparse raises in the middle of a file, the records before stay."""
    body = heart_rates(7) + b"\x0f\x0f\x0f"
    (recording,) = decode_with_fitparse(framed(body))
    assert len(recording.points) == 7


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", framed(b""), framed(b"\x05" * 50), framed(definition(0, 0, []))],
    ids=["nothing", "no FIT", "no messages", "garbage", "no records"],
)
def test_nothing_found(data: bytes) -> None:
    """Where it finds no record either, the file is refused like any other empty one."""
    with pytest.raises(InvalidData) as caught:
        decode_with_fitparse(data)
    assert caught.value.reason == "fit_empty"


def test_large_files_are_not_read_again() -> None:
    """Its slowness is bounded by the size of the file: records behind the limit go unread."""
    layout = definition(0, RECORD, [(HEART_RATE, 1, UINT8)])
    with pytest.raises(InvalidData):
        decode_with_fitparse(framed(layout + b"\x00\x50" * (MAX_BYTES // 2)))
