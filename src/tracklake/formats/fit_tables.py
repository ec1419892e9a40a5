"""Reads messages that a file has few of (sessions, laps, events, devices) as dictionaries."""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tracklake.formats.fit_columns import offsets_of
from tracklake.formats.fit_layout import Layout, Messages, field_places, stored
from tracklake.formats.fit_profile import FIELDS, STRING, Field

Row = dict[str, float | str]
_LETTERS = {
    "u1": "B", "i1": "b", "u2": "H", "i2": "h", "u4": "I", "i4": "i", "u8": "Q", "i8": "q",
    "f4": "f", "f8": "d",
}  # fmt: skip


class Cell(NamedTuple):
    """A field as a layout stores it, in the words of `struct`."""

    at: int
    name: str
    letters: str
    invalid: int
    field: Field


def table(
    data: bytes, messages: Sequence[Messages], number: int, limit: int
) -> list[tuple[int, Row]]:
    """Return up to `limit` messages of a kind in file order: offset, values by name.

    Numbers are floats in the profile's unit. What a message does not say is not in its dictionary.
    """
    kinds = [kind for kind in messages if kind.layout.number == number and len(kind)]
    found = [pair for kind in kinds for pair in _rows(data, kind, limit)]
    return sorted(found, key=lambda pair: pair[0])[:limit]


def _rows(data: bytes, messages: Messages, limit: int) -> Iterator[tuple[int, Row]]:
    cells, whole = _plan(messages.layout)
    for offset in offsets_of(messages, limit).tolist():
        row: Row = {}
        for cell, raw in zip(cells, whole.unpack_from(data, offset), strict=True):
            value = _text(raw) if isinstance(raw, bytes) else _number(raw, cell)
            if value is not None:
                row[cell.name] = value
        yield offset, row


@functools.lru_cache(maxsize=512)
def _plan(layout: Layout) -> tuple[tuple[Cell, ...], struct.Struct]:
    """Return the known fields of a layout by their place, and how all are unpacked at once."""
    found = (_cell(layout, name, field) for name, field in FIELDS[layout.number].items())
    cells = tuple(sorted(cell for cell in found if cell is not None))
    words, at = [">" if layout.big_endian else "<"], 0
    for cell in cells:
        words.append(f"{cell.at - at}x{cell.letters}")
        at = cell.at + struct.calcsize(f"<{cell.letters}")
    return cells, struct.Struct("".join(words))


def _cell(layout: Layout, name: str, field: Field) -> Cell | None:
    if field.base == STRING:
        at, size, code = field_places(layout.fields).get(field.number, (0, 0, 0))
        if not size or code & 0x1F != STRING:
            return None
        return Cell(at, name, f"{size}s", 0, field)
    place = stored(layout, field)
    if place is None:
        return None
    return Cell(place.at, name, _LETTERS[place.dtype[1:]], place.invalid, field)


def _number(raw: int | float, cell: Cell) -> float | None:
    is_none = not math.isfinite(raw) if isinstance(raw, float) else raw == cell.invalid
    return None if is_none else raw / cell.field.scale - cell.field.offset


def _text(raw: bytes) -> str | None:
    first = raw.split(b"\0", 1)[0].decode("utf-8", errors="replace").strip()
    return first or None
