"""The ten point columns of a FIT part's record messages, in file order."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracklake.formats import fit_profile as profile
from tracklake.formats.fit_columns import Rows, octets, rows_of, values
from tracklake.formats.fit_layout import Messages, stored
from tracklake.formats.fit_times import complete_times
from tracklake.model import FloatArray, Points

MAX_RECORDS = 5_000_000  # two months at 1 Hz; keeps a hostile file's columns below 0.5 GB

# Per column its fields, the preferred one first: what a row lacks is taken from the next.
SOURCES = {
    "timestamp_s": ("timestamp",),
    "lat": ("position_lat",),
    "lng": ("position_long",),
    "altitude_m": ("enhanced_altitude", "altitude"),
    "distance_m": ("distance",),
    "velocity_mps": ("enhanced_speed", "speed"),
    "heartrate_bpm": ("heart_rate",),
    "cadence_rpm": ("cadence",),
    "power_w": ("power",),
    "temperature_c": ("temperature",),
}


@dataclass(frozen=True, slots=True)
class Records:
    """The record messages of a part: rows by layout, where each row stands in the columns."""

    points: Points
    rows: tuple[Rows, ...]
    places: tuple[slice | npt.NDArray[np.intp], ...]
    offsets: npt.NDArray[np.int64]
    omitted: int  # messages beyond MAX_RECORDS


def read_records(data: bytes, messages: Sequence[Messages]) -> Records:
    """Read all record messages among the messages of a part.

    Columns hold what the file says and no more: degrees, UNIX seconds, the profile's units; NaN
    where a field is missing or marked as such. Compressed timestamps and compressed speed and
    distance are expanded; enhanced fields are preferred to their narrower twins.
    """
    rows, omitted = _limited(data, [m for m in messages if m.layout.number == profile.RECORD])
    offsets, places = _places([part.offsets for part in rows])
    columns = {"timestamp_s": _timestamps(data, messages, rows, places, offsets)}
    for column, names in SOURCES.items():
        if column not in columns:
            merged = _column(rows, places, len(offsets), names)
            columns.update({} if merged is None else {column: merged})
    for column in ("lat", "lng"):
        if column in columns:
            columns[column] *= profile.DEGREES_PER_SEMICIRCLE
    _expand_speed_distance(rows, places, columns, len(offsets))
    return Records(Points.of(len(offsets), **columns), rows, places, offsets, omitted)


def _limited(data: bytes, kinds: Sequence[Messages]) -> tuple[tuple[Rows, ...], int]:
    left, omitted, rows = MAX_RECORDS, 0, []
    for messages in kinds:
        taken = min(left, len(messages))
        left -= taken
        omitted += len(messages) - taken
        if taken:
            rows.append(rows_of(data, messages, taken))
    return tuple(rows), omitted


def _places(
    offsets: Sequence[npt.NDArray[np.int64]],
) -> tuple[npt.NDArray[np.int64], tuple[slice | npt.NDArray[np.intp], ...]]:
    """Return all offsets ascending, and where in them each layout's rows stand."""
    if not offsets:
        return np.empty(0, dtype=np.int64), ()
    ends = np.cumsum([len(part) for part in offsets])
    if all(first[-1] < second[0] for first, second in itertools.pairwise(offsets)):
        starts = (end - len(part) for end, part in zip(ends, offsets, strict=True))
        whole = tuple(slice(a, b) for a, b in zip(starts, ends, strict=True))
        return np.concatenate(offsets), whole
    together = np.concatenate(offsets)
    order = np.argsort(together, kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return together[order], tuple(np.split(rank, ends[:-1]))


def _column(
    rows: Sequence[Rows],
    places: Sequence[slice | npt.NDArray[np.intp]],
    length: int,
    names: Sequence[str],
) -> FloatArray | None:
    """Return one column over all layouts, None if no layout has any of the fields."""
    column = None
    for part, place in zip(rows, places, strict=True):
        found = _first_known(part, names)
        if found is None:
            continue
        if column is None:
            if len(found) == length:
                return found
            column = np.full(length, np.nan)
        column[place] = found
    return column


def _first_known(rows: Rows, names: Sequence[str]) -> FloatArray | None:
    answer = None
    for name in names:
        field = profile.RECORD_FIELDS[name]
        place = stored(rows.layout, field)
        if place is None:
            continue
        found = values(rows, place, field.scale, field.offset)
        answer = found if answer is None else np.where(np.isnan(answer), found, answer)
        if not np.isnan(answer).any():
            break
    return answer


def _timestamps(
    data: bytes,
    messages: Sequence[Messages],
    rows: Sequence[Rows],
    places: Sequence[slice | npt.NDArray[np.intp]],
    offsets: npt.NDArray[np.int64],
) -> FloatArray:
    column = _column(rows, places, len(offsets), ("timestamp",))
    if column is None:
        column = np.full(len(offsets), np.nan)
    if any(kind.compressed for kind in messages):
        complete_times(data, messages, offsets, column)
    column += profile.EPOCH_S
    return column


def _expand_speed_distance(
    rows: Sequence[Rows],
    places: Sequence[slice | npt.NDArray[np.intp]],
    columns: dict[str, FloatArray],
    length: int,
) -> None:
    """Expand field 8: 12 bits of speed in 1/100 m/s, 12 bits of distance in 1/16 m, rolling."""
    packed = np.zeros((length, 3), dtype=np.uint8)
    known = np.zeros(length, dtype=np.bool_)
    for part, place in zip(rows, places, strict=True):
        raw = octets(part, profile.RECORD_FIELDS["compressed_speed_distance"].number, 3)
        if raw is not None:
            packed[place] = raw
            known[place] = (raw != 0xFF).any(axis=1)
    if not known.any():
        return
    low, middle, high = packed[known].astype(np.int64).T
    rolling = (middle >> 4) | (high << 4)
    total = rolling[0] + np.cumsum(np.diff(rolling, prepend=rolling[0]) & 0xFFF)
    _fill(columns, "velocity_mps", known, (low | (middle & 0x0F) << 8) / 100)
    _fill(columns, "distance_m", known, total / 16)


def _fill(
    columns: dict[str, FloatArray], name: str, known: npt.NDArray[np.bool_], found: FloatArray
) -> None:
    column = columns.setdefault(name, np.full(len(known), np.nan))
    column[known] = np.where(np.isnan(column[known]), found, column[known])
