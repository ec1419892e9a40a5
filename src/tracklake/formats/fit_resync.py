"""Finds where a damaged FIT body becomes readable again.

Two things are believed: a definition whose sizes and types make sense and that is followed by
something readable, and a record of a known layout whose time follows that of the record before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tracklake.formats.fit_layout import Messages, stored
from tracklake.formats.fit_profile import BASE_TYPES, RECORD, RECORD_FIELDS

_CANDIDATES = 20_000  # places tried a call; damage that looks like more of them is given up
_SMALLEST_WINDOW, _LARGEST_WINDOW = 1 << 9, 1 << 20
_WHOLE_CODES = frozenset(base.code for base in BASE_TYPES.values())
_LARGEST_PLAUSIBLE = 2048  # bytes of a message
_LONGEST_GAP_S = 86_400  # between the last record before the damage and the first behind it

Known = Sequence[Messages | None]


def next_readable(data: bytes, start: int, end: int, by_header: Known) -> int:
    """Return the first byte from `start` on where a believable message stands, -1 if none.

    by_header: the messages that each of the 256 headers stands for.
    """
    tried, begin, window = 0, start, _SMALLEST_WINDOW
    while begin < end:
        stop = min(begin + window, end)
        for position in _candidates(data, begin, stop, end, by_header):
            tried += 1
            if tried > _CANDIDATES:
                return -1
            is_definition = data[position] & 0xC0 == 0x40
            if not is_definition or is_plausible_definition(data, position, end, by_header):
                return position
        begin, window = stop, min(window * 8, _LARGEST_WINDOW)
    return -1


def _candidates(data: bytes, begin: int, stop: int, end: int, by_header: Known) -> list[int]:
    """Return where between `begin` and `stop` a definition could or a record does stand."""
    found = [_definition_heads(data, begin, min(stop, end - 6))]
    for local in range(16):
        messages = by_header[local]
        if messages is not None and messages.layout.number == RECORD:
            found.append(_records(data, begin, stop, end, local, messages, by_header))
    return sorted(np.concatenate(found).tolist())


def _definition_heads(data: bytes, begin: int, stop: int) -> npt.NDArray[np.intp]:
    """Return where the fixed part of a definition could stand."""
    count = stop - begin
    if count <= 0:
        return np.empty(0, dtype=np.intp)
    octets = np.frombuffer(data, dtype=np.uint8, count=count + 6, offset=begin)
    likely = (octets[:count] & 0xD0) == 0x40
    likely &= octets[1 : count + 1] == 0
    likely &= octets[2 : count + 2] <= 1
    likely &= octets[5 : count + 5] > 0
    return np.flatnonzero(likely) + begin


def _records(  # noqa: PLR0913 a window of the data and what is known of it
    data: bytes,
    begin: int,
    stop: int,
    end: int,
    local: int,
    messages: Messages,
    by_header: Known,
) -> npt.NDArray[np.intp]:
    """Return where a whole record stands whose time follows the last one before the damage."""
    length = messages.layout.length
    place = stored(messages.layout, RECORD_FIELDS["timestamp"])
    last = _last_start(messages)
    count = min(stop, end - length + 1) - begin
    if place is None or place.dtype[1:] != "u4" or last < 0 or count <= 0:
        return np.empty(0, dtype=np.intp)
    times = np.ndarray((count,), place.dtype, data, offset=begin + place.at, strides=(1,))
    before = int(np.ndarray((), place.dtype, data, offset=last + place.at))
    heads = np.frombuffer(data, dtype=np.uint8, count=count, offset=begin)
    later = (times >= before) & (times - before <= _LONGEST_GAP_S)
    likely = np.flatnonzero((heads == local) & later) + begin
    kept = [p for p in likely.tolist() if is_followed(data, p + length, end, by_header)]
    return np.asarray(kept, dtype=np.intp)


def _last_start(messages: Messages) -> int:
    """Return where the last message of a layout begins, -1 if there is none."""
    last = messages.singles[-1] if messages.singles else -1
    if messages.run_starts:
        whole_run = (messages.run_counts[-1] - 1) * messages.layout.length
        last = max(last, messages.run_starts[-1] + whole_run)
    return last


def is_plausible_definition(data: bytes, position: int, end: int, by_header: Known) -> bool:
    """Tell whether a definition stands at `position` that is followed by something readable."""
    field_count = data[position + 5]
    stop = position + 6 + 3 * field_count
    if field_count == 0 or stop > end or data[position + 2] > 1:
        return False
    sizes, codes = data[position + 7 : stop : 3], data[position + 8 : stop : 3]
    if not _WHOLE_CODES.issuperset(codes) or not all(_fitting(sizes, codes)):
        return False
    length = 1 + sum(sizes)
    if data[position] & 0x20:
        if stop >= end or stop + 1 + 3 * data[stop] > end:
            return False
        developer_fields = data[stop + 1 : stop + 1 + 3 * data[stop]]
        stop += 1 + len(developer_fields)
        length += sum(developer_fields[1::3])
    if length > _LARGEST_PLAUSIBLE:
        return False
    is_own = stop < end and _local(data[stop]) == data[position] & 0x0F
    return stop + length <= end if is_own else is_followed(data, stop, end, by_header)


def _fitting(sizes: bytes, codes: bytes) -> Iterator[bool]:
    for size, code in zip(sizes, codes, strict=True):
        yield size > 0 and size % BASE_TYPES[code & 0x1F].size == 0


def _local(header: int) -> int:
    """Return the local message number of a data message's header, -1 for a definition's."""
    if header & 0x80:
        return header >> 5 & 3
    return -1 if header & 0x40 else header & 0x0F


def is_followed(data: bytes, position: int, end: int, by_header: Known) -> bool:
    """Tell whether the data ends at `position`, or something readable begins there."""
    if position >= end:
        return position == end
    header = data[position]
    if header & 0xC0 == 0x40:
        return not header & 0x10
    messages = by_header[header]
    return messages is not None and position + messages.layout.length <= end
