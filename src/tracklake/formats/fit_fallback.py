"""A second reading of FIT files by an independent decoder, where our own finds nothing.

Our reader recovers what fitparse recovers from every file we know, so this is insurance: when a
file carries FIT's mark and ours reads neither a record nor a session in it, that may be our
mistake. fitparse takes about 7 s of CPU a megabyte, so only small files get the second reading,
and never one in which ours found something.
"""

from __future__ import annotations

import itertools
import struct
import warnings
from collections.abc import Iterator, Sequence

import fitparse
import numpy as np

from tracklake.errors import InvalidData
from tracklake.formats import fit_profile as profile
from tracklake.formats.fit_records import SOURCES
from tracklake.model import Points, Recording

MAX_BYTES = 256 * 1024
_MAX_RECORDS = 20_000
# What fitparse is known to let through on damaged files, beside its own FitParseError.
_LEAKS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, struct.error)


def decode_with_fitparse(data: bytes) -> tuple[Recording, ...]:
    """Return what fitparse reads of a file: one recording of points, developer fields left out.

    Raises InvalidData (reason "fit_empty") where it finds no record either, or where the file is
    larger than MAX_BYTES.
    """
    if len(data) > MAX_BYTES:
        raise InvalidData("nothing can be read in this FIT file", reason="fit_empty")
    rows = list(itertools.islice(_records(data), _MAX_RECORDS))
    if not rows:
        raise InvalidData("nothing can be read in this FIT file", reason="fit_empty")
    columns = {column: [_value(row, names) for row in rows] for column, names in SOURCES.items()}
    points = Points.of(len(rows), **columns)
    problems = ("only a second decoder could read this file; sessions and laps are missing",)
    return (Recording(format="fit", problems=problems, points=points),)


def _records(data: bytes) -> Iterator[dict[int, float]]:
    """Yield the native numbers of each record by field number, until fitparse gives up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reader = fitparse.FitFile(data, check_crc=False, check_developer_data=False)
            for message in reader.get_messages("record"):
                yield {
                    field.def_num: field.raw_value
                    for field in message.fields
                    if isinstance(field.raw_value, int | float)
                    and not isinstance(field.field_def, fitparse.records.DevFieldDefinition)
                }
        except _LEAKS:
            return


def _value(row: dict[int, float], names: Sequence[str]) -> float:
    fields = (profile.RECORD_FIELDS[name] for name in names)
    field = next((field for field in fields if field.number in row), None)
    if field is None:
        return np.nan
    value = row[field.number] / field.scale - field.offset
    if field.number == profile.TIMESTAMP:
        return value + profile.EPOCH_S
    is_angle = names[0].startswith("position")
    return value * profile.DEGREES_PER_SEMICIRCLE if is_angle else value
