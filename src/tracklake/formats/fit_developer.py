"""Developer fields: columns an app or a sensor added beside the native ones.

They never replace a native column, whatever their name is. Only a field that its description
declares to be the equal of a native one (`native_field_num`) fills a column of which the file has
nothing at all: a running power meter's watts on a watch that has none, for example.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tracklake.formats import fit_profile as profile
from tracklake.formats.fit_columns import Rows, values
from tracklake.formats.fit_layout import Messages, Stored
from tracklake.formats.fit_records import Records
from tracklake.formats.fit_tables import Row, table
from tracklake.model import FloatArray, Points

_DESCRIPTIONS = 1_000
_COLUMNS = {
    2: "altitude_m",
    3: "heartrate_bpm",
    4: "cadence_rpm",
    5: "distance_m",
    6: "velocity_mps",
    7: "power_w",
    13: "temperature_c",
    73: "velocity_mps",
    78: "altitude_m",
}
_FACTORS = {
    "km/h": 1 / 3.6,
    "kph": 1 / 3.6,
    "kmh": 1 / 3.6,
    "mph": 0.44704,
    "km": 1000.0,
    "spm": 0.5,  # steps; a column of cadence counts one leg
    "steps/min": 0.5,
}

Description = tuple[int, Row]


def fill_from_developer_fields(
    data: bytes, messages: Sequence[Messages], records: Records
) -> Points:
    """Return the points with columns that only developer fields have."""
    if not any(rows.layout.developer_fields for rows in records.rows):
        return records.points
    described = _descriptions(data, messages)
    filled: dict[str, FloatArray] = {}
    for rows, place in zip(records.rows, records.places, strict=True):
        for column, found in _native_equals(rows, described):
            if np.isnan(getattr(records.points, column)).all():
                target = filled.setdefault(column, np.full(len(records.points), np.nan))
                target[place] = np.where(np.isnan(target[place]), found, target[place])
    return dataclasses.replace(records.points, **filled)


def _descriptions(
    data: bytes, messages: Sequence[Messages]
) -> dict[tuple[int, int], list[Description]]:
    """Return by developer data index and field number what was said of it, and where."""
    described: dict[tuple[int, int], list[Description]] = {}
    for offset, row in table(data, messages, profile.FIELD_DESCRIPTION, _DESCRIPTIONS):
        key = (row.get("developer_data_index"), row.get("field_definition_number"))
        if isinstance(key[0], float) and isinstance(key[1], float):
            described.setdefault((int(key[0]), int(key[1])), []).append((offset, row))
    return described


def _native_equals(
    rows: Rows, described: dict[tuple[int, int], list[Description]]
) -> Iterator[tuple[str, FloatArray]]:
    fields = rows.layout.developer_fields
    at = 1 + sum(rows.layout.fields[1::3])
    for field, size, index in zip(fields[0::3], fields[1::3], fields[2::3], strict=True):
        known = described.get((index, field), [])
        for first, (offset, row) in enumerate(known):
            column = _column_of(row)
            if column is not None:
                since = offset if first else 0
                until = known[first + 1][0] if first + 1 < len(known) else None
                yield column, _values(rows, at, size, row, _during(rows, since, until))
        at += size


def _column_of(row: Row) -> str | None:
    if row.get("native_mesg_num", profile.RECORD) != profile.RECORD:
        return None
    native = row.get("native_field_num")
    return _COLUMNS.get(int(native)) if isinstance(native, float) else None


def _during(rows: Rows, since: int, until: int | None) -> npt.NDArray[np.bool_]:
    """Tell for which rows a description holds: until the next one of the same field."""
    return (rows.offsets >= since) & (until is None or rows.offsets < until)


def _values(rows: Rows, at: int, size: int, row: Row, during: npt.NDArray[np.bool_]) -> FloatArray:
    base = profile.BASE_TYPES.get(int(float(row.get("fit_base_type_id", 0xFF))) & 0x1F)
    if base is None or not base.kind or size < base.size:
        return np.full(len(during), np.nan)
    place = Stored(at, f"{'>' if rows.layout.big_endian else '<'}{base.kind}", base.invalid)
    scale, offset = float(row.get("scale", 1)) or 1.0, float(row.get("offset", 0))
    units = str(row.get("units", "")).strip().lower()
    found = values(rows, place, scale, offset) * _FACTORS.get(units, 1.0)
    return np.where(during, found, np.nan)
