"""The checksum against the definition of CRC-16/ARC."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.formats.fit_crc import crc16


def bit_by_bit(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def test_the_catalogue_value() -> None:
    """The checksum of "123456789" is the one that catalogues of checksums print for this kind."""
    assert crc16(b"123456789") == 0xBB3D


@given(st.binary(max_size=2000))
def test_any_bytes(data: bytes) -> None:
    """Rows, words and folding give what shifting bit by bit gives, for every length."""
    assert crc16(data) == bit_by_bit(data)


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_beyond_a_block(size: int) -> None:
    """Blocks join to the checksum of the whole, at and around a block's border."""
    data = random.Random(size).randbytes(size)  # noqa: S311 no secret
    table = [bit_by_bit(bytes((byte,))) for byte in range(256)]
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    assert crc16(data) == crc


def test_a_view_is_not_copied_for_it() -> None:
    """A memoryview gives the same as its bytes."""
    data = bytes(range(256)) * 3
    assert crc16(memoryview(data)[5:600]) == crc16(data[5:600])
