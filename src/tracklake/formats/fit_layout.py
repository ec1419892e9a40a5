"""Definitions: what the messages that refer to one look like, and where they stand."""

from __future__ import annotations

import functools
import itertools
from array import array
from dataclasses import dataclass, field

from tracklake.formats.fit_profile import BASE_TYPES, BYTE, BaseType, Field

_UNSIGNED_BYTES = frozenset({BYTE, 0x02, 0x00})


@dataclass(frozen=True, slots=True)
class Layout:
    """A definition: what follows the header of the messages that refer to it.

    fields: triples (field number, size, base type). developer_fields: triples (field number, size,
    developer data index); they come after the fields. length: bytes of a message with its header.
    """

    number: int  # global message number
    big_endian: bool
    fields: bytes
    developer_fields: bytes
    length: int


def _offsets() -> array[int]:
    return array("q")


@dataclass(frozen=True, slots=True)
class Messages:
    """Where the messages of one layout begin: single ones, runs (start, count), compressed ones.

    compressed: those whose header carries five bits of time.
    """

    layout: Layout
    singles: array[int] = field(default_factory=_offsets)
    run_starts: array[int] = field(default_factory=_offsets)
    run_counts: array[int] = field(default_factory=_offsets)
    compressed: array[int] = field(default_factory=_offsets)

    def __len__(self) -> int:
        return len(self.singles) + len(self.compressed) + sum(self.run_counts)


@dataclass(frozen=True, slots=True)
class Stored:
    """How a layout stores a value: byte within the message, NumPy type, pattern for none."""

    at: int
    dtype: str
    invalid: int


def definition_end(data: bytes, position: int, end: int) -> int:
    """Return where the definition message at `position` ends, -1 if that is beyond `end`."""
    stop = position + 6
    if stop > end:
        return -1
    stop += 3 * data[position + 5]
    if data[position] & 0x20:
        if stop >= end:
            return -1
        stop += 1 + 3 * data[stop]
    return stop if stop <= end else -1


def layout_of(raw: bytes) -> Layout:
    """Read a definition's bytes, from the reserved byte on."""
    big_endian = raw[1] == 1
    fields = raw[5 : 5 + 3 * raw[4]]
    developer_fields = raw[6 + 3 * raw[4] :]
    return Layout(
        number=int.from_bytes(raw[2:4], "big" if big_endian else "little"),
        big_endian=big_endian,
        fields=fields,
        developer_fields=developer_fields,
        length=1 + sum(fields[1::3]) + sum(developer_fields[1::3]),
    )


def stored(layout: Layout, field: Field) -> Stored | None:
    """Return how a layout stores a number, None if it does not or as something else."""
    found = field_places(layout.fields).get(field.number)
    if found is None:
        return None
    at, size, code = found
    base = _effective(BASE_TYPES.get(code & 0x1F), size, BASE_TYPES[field.base & 0x1F])
    if base is None:
        return None
    return Stored(at, f"{'>' if layout.big_endian else '<'}{base.kind}", base.invalid)


@functools.lru_cache(maxsize=512)
def field_places(fields: bytes) -> dict[int, tuple[int, int, int]]:
    """Return byte within the message, size and base type by field number."""
    sizes = fields[1::3]
    places = zip(itertools.accumulate(sizes, initial=1), sizes, fields[2::3], strict=False)
    return dict(zip(fields[0::3], places, strict=True))


def _effective(base: BaseType | None, size: int, usual: BaseType) -> BaseType | None:
    """Return the type to read by: the declared one (the first of an array), else the usual one.

    Some writers declare numbers as bytes, or with a size that is no multiple of their type's.
    """
    is_bytes = base is not None and base.code in _UNSIGNED_BYTES and size > 1
    if base is None or not base.kind or size % base.size or size == 0 or is_bytes:
        if size == usual.size:
            return usual
        return base if is_bytes else None
    return base
