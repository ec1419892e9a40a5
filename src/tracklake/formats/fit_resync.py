"""Finds where a damaged FIT body becomes readable again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tracklake.formats.fit_profile import BASE_TYPES

_CANDIDATES = 20_000  # definitions tried a call; damage that looks like more of them is given up
_CHUNK = 1 << 20
_WHOLE_CODES = frozenset(base.code for base in BASE_TYPES.values())
_LARGEST_PLAUSIBLE = 2048  # bytes of a message


def next_plausible(data: bytes, start: int, end: int, lengths: Sequence[int]) -> int:
    """Return the first byte from `start` on where a believable definition stands, -1 if none.

    lengths: bytes of a message by its header, larger than the file where none is defined.
    """
    tried = 0
    for begin in range(start, end, _CHUNK):
        for position in _candidates(data, begin, min(begin + _CHUNK, end), end):
            tried += 1
            if tried > _CANDIDATES:
                return -1
            if is_plausible_definition(data, int(position), end, lengths):
                return int(position)
    return -1


def _candidates(data: bytes, begin: int, stop: int, end: int) -> npt.NDArray[np.intp]:
    """Return where between `begin` and `stop` the fixed part of a definition could stand."""
    last = min(stop, end - 6)
    if last <= begin:
        return np.empty(0, dtype=np.intp)
    octets = np.frombuffer(data, dtype=np.uint8, count=last - begin + 6, offset=begin)
    count = last - begin
    likely = (octets[:count] & 0xD0) == 0x40
    likely &= octets[1 : count + 1] == 0
    likely &= octets[2 : count + 2] <= 1
    likely &= octets[5 : count + 5] > 0
    return np.flatnonzero(likely) + begin


def is_plausible_definition(data: bytes, position: int, end: int, lengths: Sequence[int]) -> bool:
    """Tell whether a definition stands at `position` that is followed by something readable."""
    field_count = data[position + 5]
    stop = position + 6 + 3 * field_count
    if field_count == 0 or stop > end or data[position + 2] > 1:
        return False
    sizes, codes = data[position + 7 : stop : 3], data[position + 8 : stop : 3]
    if 0 in sizes or not _WHOLE_CODES.issuperset(codes):
        return False
    if any(size % BASE_TYPES[code & 0x1F].size for size, code in zip(sizes, codes, strict=True)):
        return False
    length = 1 + sum(sizes)
    if data[position] & 0x20:
        if stop >= end or stop + 1 + 3 * data[stop] > end:
            return False
        developer_fields = data[stop + 1 : stop + 1 + 3 * data[stop]]
        stop += 1 + len(developer_fields)
        length += sum(developer_fields[1::3])
    return length <= _LARGEST_PLAUSIBLE and _is_followed(
        data, stop, end, lengths, data[position] & 0x0F, length
    )


def _is_followed(
    data: bytes, position: int, end: int, lengths: Sequence[int], local: int, length: int
) -> bool:
    """Tell whether a whole known message or another definition begins at `position`."""
    if position >= end:
        return True
    header = data[position]
    if header & 0xC0 == 0x40:
        return not header & 0x10
    own = (header >> 5) & 3 == local if header & 0x80 else header & 0x1F == local
    return position + (length if own else lengths[header]) <= end
