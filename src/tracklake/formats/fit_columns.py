"""Turns the messages of a kind into columns: strided views into the bytes, no step a message."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracklake.formats.fit_layout import Layout, Messages, Stored, field_places
from tracklake.model import FloatArray

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """The messages of one layout, in file order: where each begins, and its bytes as one item."""

    layout: Layout
    offsets: Offsets
    items: npt.NDArray[np.void]


def offsets_of(messages: Messages, limit: int) -> Offsets:
    """Return where the first `limit` messages begin, ascending."""
    alone = (messages.singles, messages.compressed)
    pieces = [np.frombuffer(part, dtype=np.int64)[:limit] for part in alone if part]
    if messages.run_starts:
        pieces.append(_within_runs(messages, limit))
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return np.empty(0, dtype=np.int64)
    return np.sort(np.concatenate(pieces), kind="stable")[:limit]


def _within_runs(messages: Messages, limit: int) -> Offsets:
    starts = np.frombuffer(messages.run_starts, dtype=np.int64)[:limit]
    counts = np.frombuffer(messages.run_counts, dtype=np.int64)[:limit]
    before = np.cumsum(counts) - counts
    counts = np.clip(limit - before, 0, counts)
    nth = np.arange(counts.sum()) - np.repeat(before, counts)
    within: Offsets = np.repeat(starts, counts) + nth * messages.layout.length
    return within


def rows_of(data: bytes, messages: Messages, limit: int) -> Rows:
    """Return the first `limit` messages of a layout; a single run is not even copied."""
    layout, length = messages.layout, messages.layout.length
    item = np.dtype((np.void, length))
    if not len(messages):
        return Rows(layout, np.empty(0, dtype=np.int64), np.empty(0, dtype=item))
    only_run = list(messages.run_counts) == [len(messages)]
    offsets = offsets_of(messages, limit)
    if only_run:
        items = np.ndarray(len(offsets), item, data, offset=messages.run_starts[0])
    else:
        anywhere = np.ndarray(len(data) - length + 1, item, data, strides=(1,))
        items = anywhere[offsets]
    return Rows(layout, offsets, items)


def values(rows: Rows, place: Stored, scale: float = 1.0, offset: float = 0.0) -> FloatArray:
    """Return a column in the profile's unit, NaN where nothing was stored."""
    raw = _raw(rows, place)
    column = raw.astype(np.float64)
    missing = ~np.isfinite(column) if raw.dtype.kind == "f" else raw == place.invalid
    if scale != 1:
        column /= scale
    if offset:
        column -= offset
    if missing.any():
        column[missing] = np.nan
    return column


def _raw(rows: Rows, place: Stored) -> npt.NDArray[np.generic]:
    layout = np.dtype(
        {
            "names": ["value"],
            "formats": [place.dtype],
            "offsets": [place.at],
            "itemsize": rows.layout.length,
        }
    )
    raw: npt.NDArray[np.generic] = rows.items.view(layout)["value"]
    return raw


def octets(rows: Rows, number: int, size: int) -> npt.NDArray[np.uint8] | None:
    """Return a field of exactly `size` bytes as they are, shape (messages, size)."""
    at, found_size, _ = field_places(rows.layout.fields).get(number, (0, 0, 0))
    if found_size != size:
        return None
    raw: npt.NDArray[np.uint8] = _raw(rows, Stored(at, f"({size},)u1", 0)).view(np.uint8)
    return raw
