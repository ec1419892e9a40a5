"""Completes compressed timestamps: five bits in a header, counted on from the last full time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tracklake.formats.fit_columns import rows_of, values
from tracklake.formats.fit_layout import Messages, stored
from tracklake.formats.fit_profile import RECORD_FIELDS
from tracklake.model import FloatArray

Offsets = npt.NDArray[np.int64]
_LIMIT = 5_000_000  # messages looked at


def complete_times(
    data: bytes, messages: Sequence[Messages], offsets: Offsets, column: FloatArray
) -> None:
    """Fill the missing timestamps (FIT seconds) of records whose header carries five bits of them.

    The time is the next one with these five bits at or after that of the message before, whatever
    kind of message that was (FIT protocol, "compressed timestamp header").
    """
    headers = [
        np.frombuffer(kind.compressed, np.int64)[:_LIMIT] for kind in messages if kind.compressed
    ]
    compressed = np.sort(np.concatenate(headers))[:_LIMIT]
    known_at, known = _full_times(data, messages)
    if not len(known_at):
        return
    bits = np.frombuffer(data, dtype=np.uint8)[compressed].astype(np.int64) & 31
    group = np.searchsorted(known_at, compressed) - 1
    begins = np.flatnonzero(np.diff(group, prepend=-2))
    reference = known[np.maximum(group, 0)]
    steps = np.diff(bits, prepend=0)
    steps[begins] = bits[begins] - (reference[begins] & 31)
    total = np.cumsum(steps & 31)
    before = np.repeat(total[begins] - (steps[begins] & 31), np.diff(np.append(begins, len(bits))))
    times = np.where(group >= 0, reference + total - before, np.nan)
    at = np.searchsorted(compressed, offsets)
    found = compressed[np.minimum(at, len(compressed) - 1)] == offsets
    fill = found & np.isnan(column)
    column[fill] = times[at[fill]]


def _full_times(data: bytes, messages: Sequence[Messages]) -> tuple[Offsets, Offsets]:
    """Return offsets and FIT seconds of all messages with a full timestamp, in file order."""
    places: list[Offsets] = [np.empty(0, dtype=np.int64)]
    times: list[FloatArray] = [np.empty(0)]
    for kind in messages:
        place = stored(kind.layout, RECORD_FIELDS["timestamp"])
        if place is not None:
            rows = rows_of(data, kind, _LIMIT)
            places.append(rows.offsets)
            times.append(values(rows, place))
    where, seconds = np.concatenate(places), np.concatenate(times)
    usable = np.isfinite(seconds)
    order = np.argsort(where[usable], kind="stable")
    return where[usable][order], seconds[usable][order].astype(np.int64)
