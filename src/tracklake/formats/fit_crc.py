"""FIT's checksum (CRC-16/ARC) over arrays, without a Python step a byte.

The checksum is linear over GF(2): the data is laid out as rows, all rows advance together one
16-bit word at a time, and neighbouring rows are folded pairwise. Leading zeros change nothing, so
the first row is padded in front.
"""

import functools

import numpy as np
import numpy.typing as npt

_POLYNOMIAL = 0xA001  # 0x8005, reflected
_BYTEWISE_BELOW = 96  # bytes; shorter than this the arrays cost more than they save
_LOG2_BLOCK = 20
_BLOCK = 1 << _LOG2_BLOCK  # bytes at a time: stays in the caches, keeps the memory constant

Words = npt.NDArray[np.uint16]


@functools.cache
def _byte_table() -> Words:
    crc = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        crc = np.where(crc & 1, (crc >> 1) ^ _POLYNOMIAL, crc >> 1).astype(np.uint16)
    return crc


@functools.cache
def _word_table() -> Words:
    """Return what two bytes (low byte first) make of a checksum of 0."""
    table, words = _byte_table(), np.arange(65536, dtype=np.uint16)
    return _advance(_advance(words, table), table)


def _advance(crc: Words, table: Words) -> Words:
    advanced: Words = (crc >> 8) ^ table[crc & 255]
    return advanced


@functools.cache
def _skip_tables(log2_bytes: int) -> tuple[Words, Words]:
    """Return what 2**log2_bytes zero bytes make of a checksum, by its low and its high byte."""
    octets = np.arange(256, dtype=np.uint16)
    if log2_bytes == 1:
        words = _word_table()
        return words[:256], words[::256]
    low, high = _skip_tables(log2_bytes - 1)

    def twice(crc: Words) -> Words:
        once = low[crc & 255] ^ high[crc >> 8]
        again: Words = low[once & 255] ^ high[once >> 8]
        return again

    return twice(octets), twice(octets * np.uint16(256))


def crc16(data: bytes | memoryview) -> int:
    """Return the checksum of the bytes as FIT computes it, from 0."""
    if len(data) < _BYTEWISE_BELOW:
        return _crc16_bytewise(data)
    view = memoryview(data)
    begin = len(view) % _BLOCK or _BLOCK
    crc = _block_crc16(view[:begin])
    while begin < len(view):
        low, high = _skip_tables(_LOG2_BLOCK)
        crc = int(low[crc & 255] ^ high[crc >> 8]) ^ _block_crc16(view[begin : begin + _BLOCK])
        begin += _BLOCK
    return crc


def _block_crc16(data: memoryview) -> int:
    log2_row = max(2, (len(data).bit_length() - 4) // 2 + 1)
    row_bytes = 1 << log2_row
    row_count = -(-len(data) // row_bytes)
    padded = np.zeros(row_count * row_bytes, dtype=np.uint8)
    padded[-len(data) :] = np.frombuffer(data, dtype=np.uint8)
    columns = np.ascontiguousarray(padded.view("<u2").reshape(row_count, -1).T)
    table = _word_table()
    crc = np.zeros(row_count, dtype=np.uint16)
    for words in columns:
        np.bitwise_xor(crc, words, out=crc)
        crc = table[crc]
    return _fold(crc, log2_row)


def _fold(crc: Words, log2_bytes: int) -> int:
    """Join the checksums of neighbours, each of 2**log2_bytes bytes, until one is left."""
    while len(crc) > 1:
        if len(crc) % 2:
            crc = np.concatenate((np.zeros(1, dtype=np.uint16), crc))
        low, high = _skip_tables(log2_bytes)
        first = crc[0::2]
        crc = low[first & 255] ^ high[first >> 8] ^ crc[1::2]
        log2_bytes += 1
    return int(crc[0])


def _crc16_bytewise(data: bytes | memoryview) -> int:
    table = _byte_table()
    crc = 0
    for byte in bytes(data):
        crc = (crc >> 8) ^ int(table[(crc ^ byte) & 255])
    return crc
