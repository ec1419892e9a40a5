"""Walks protobuf messages as vector tiles use them, and writes what merging tiles needs of them.

Nothing is decoded that nobody asks for: a field is its number and where its bytes are.
"""

from collections.abc import Iterator

_SHORT = tuple(bytes((value,)) for value in range(128))


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (field number, start, end) of each field; of a varint (number, its value, 0).

    Raises ValueError or IndexError if the message is damaged.
    """
    while at < end:
        key = data[at]
        at += 1
        if key > 127:
            key, at = varint(data, at - 1)
        wire = key & 7
        if wire == 0:
            value, at = varint(data, at)
            yield key >> 3, value, 0
            continue
        if wire == 2:
            length = data[at]  # mostly of one byte: a call for each would take half the time of all
            at += 1
            if length > 127:
                length, at = varint(data, at - 1)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} in a tile")
        if at + length > end:
            raise ValueError("a tile's field ends beyond it")
        yield key >> 3, at, at + length
        at += length


def varints(data: bytes) -> Iterator[int]:
    """Yield the numbers of a packed field; IndexError if the last one is cut off."""
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place behind it."""
    value = data[at]
    at += 1
    if value < 0x80:
        return value, at
    value &= 0x7F
    shift = 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def number(value: int) -> bytes:
    """Write a number, 0 or more, as a varint."""
    if value < 0x80:
        return _SHORT[value]
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number_field(field: int, value: int) -> bytes:
    """Write a field that is a number."""
    return number(field << 3) + number(value)


def bytes_field(field: int, content: bytes) -> bytes:
    """Write a field that has a length: text, a message, packed numbers."""
    return number(field << 3 | 2) + number(len(content)) + content
