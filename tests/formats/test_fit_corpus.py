"""Real files against independent decoders: Garmin's SDK on clean ones, chiptime on damaged ones.

The files' values are compared, never copied. By default the smaller files take part, of all
makers and kinds; TRACKLAKE_WHOLE_CORPUS=1 takes all of them (`make test-corpus`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import chiptime
import numpy as np
import pytest
from garmin_fit_sdk import Decoder, Stream

from tracklake.errors import InvalidData
from tracklake.formats.fit import decode, read
from tracklake.formats.fit_profile import EPOCH_S
from tracklake.model import FloatArray, Lap, Session

LARGEST = 120_000  # bytes, where not the whole corpus is asked for: the others take 0.1 ms a record
DEGREES = 180 / 2**31
Message = Mapping[str, Any]

# Files whose values differ on purpose, by the end of their path, with the columns and the reason.
EXCEPTIONS = {
    # Made by hand: enhanced_* says something else than its narrow twin in the same record. We keep
    # what is stored; the SDK overwrites it with the twin's expansion.
    "semantics/enhanced-pairs/input.fit": {"altitude_m", "velocity_mps"},
    # Made by hand: timestamps declared as four bytes. We read them; the SDK lists four numbers.
    "temporal/timestamp-as-bytes/input.fit": {"timestamp_s"},
}
# Files that the SDK stops in without their being damaged: our records beyond are not compared.
STOPS_SDK = {
    "protocol/invalid-base-type/input.fit": "a field of a base type that does not exist",
    "files/antfs-dump.63.fit": "compressed timestamps",
    "files/compressed-speed-distance.fit": "compressed timestamps",
    "files/tpv_dev_fields_20260222.fit": "a developer field whose description it cannot use",
}


def chosen(corpus: Path) -> Iterator[Path]:
    whole = bool(os.environ.get("TRACKLAKE_WHOLE_CORPUS"))  # noqa: TID251 how much to test
    for path in sorted((corpus / "fit").rglob("*.fit")):
        if whole or path.stat().st_size <= LARGEST:
            yield path


@dataclass(frozen=True, slots=True)
class Reading:
    """What Garmin's decoder says of a file; errors end its reading."""

    columns: dict[str, FloatArray]
    sessions: Sequence[Message]
    laps: Sequence[Message]
    errors: Sequence[str]


@pytest.fixture(scope="module")
def sdk(corpus: Path) -> dict[Path, Reading]:
    """Return all chosen files as Garmin's decoder reads them."""
    return {path: by_sdk(path.read_bytes()) for path in chosen(corpus)}


def by_sdk(data: bytes) -> Reading:
    """Read a file with Garmin's decoder, raw numbers of times and types, straps not merged in."""
    decoder = Decoder(Stream.from_byte_array(bytearray(data)))
    messages, errors = decoder.read(
        convert_datetimes_to_dates=False, convert_types_to_strings=False, merge_heart_rates=False
    )
    kinds = cast("dict[str, list[Message]]", messages)
    return Reading(
        sdk_columns(kinds.get("record_mesgs", [])),
        kinds.get("session_mesgs", []),
        kinds.get("lap_mesgs", []),
        [str(error) for error in errors],
    )


def number(message: Message, *names: str) -> float:
    """Return the first of the fields that is there, of a list its first value."""
    for name in names:
        value = message.get(name)
        while isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, int | float):
            return float(value)
    return float("nan")


def sdk_columns(records: Sequence[Message]) -> dict[str, FloatArray]:
    def column(*names: str) -> FloatArray:
        return np.array([number(record, *names) for record in records], dtype=np.float64)

    return {
        "timestamp_s": column("timestamp") + EPOCH_S,
        "lat": column("position_lat") * DEGREES,
        "lng": column("position_long") * DEGREES,
        "altitude_m": column("enhanced_altitude", "altitude"),
        "distance_m": column("distance"),
        "velocity_mps": column("enhanced_speed", "speed"),
        "heartrate_bpm": column("heart_rate"),
        "cadence_rpm": column("cadence"),
        "power_w": column("power"),
        "temperature_c": column("temperature"),
    }


def our_columns(data: bytes) -> dict[str, FloatArray]:
    parts = read(data)
    return {
        name: np.concatenate([getattr(part.points, name) for part in parts] or [np.empty(0)])
        for name in sdk_columns(())
    }


def differing(data: bytes, theirs: Mapping[str, FloatArray]) -> dict[str, int]:
    """Return the columns that differ, with the number of values; a missing row counts as one."""
    ours, answer = our_columns(data), {}
    for name, expected in theirs.items():
        found = ours[name][: len(expected)]
        short = len(expected) - len(found)
        beside = expected[: len(found)]
        differs = int((~((found == beside) | (np.isnan(found) & np.isnan(beside)))).sum())
        if short + differs:
            answer[name] = short + differs
    return answer


def ending(path: Path, table: Mapping[str, object]) -> str | None:
    return next((known for known in table if path.as_posix().endswith(known)), None)


def test_not_one_value_differs(sdk: dict[Path, Reading]) -> None:
    """Ten columns of every record equal the SDK's to the last bit, but for the files above."""
    compared, unexpected = 0, {}
    for path, theirs in sdk.items():
        data, count = path.read_bytes(), len(theirs.columns["lat"])
        found = differing(data, theirs.columns)
        compared += count
        exception = ending(path, EXCEPTIONS)
        if set(found) != (EXCEPTIONS[exception] if exception else set()):
            unexpected[path.name] = found
        if not theirs.errors and len(our_columns(data)["lat"]) != count:
            unexpected[path.name] = {"rows": count}
    assert unexpected == {}
    assert compared > 10_000


def test_where_the_sdk_stops_without_damage(corpus: Path) -> None:
    """The files that the SDK gives up on for lack of a feature are read without complaint."""
    for path in (corpus / "fit").rglob("*.fit"):
        if ending(path, STOPS_SDK):
            parts = read(path.read_bytes())
            assert sum(len(part.points) for part in parts) > 0
            assert [problem for part in parts for problem in part.problems] == []


def test_problems_are_told_where_others_see_them(sdk: dict[Path, Reading]) -> None:
    """A file that the SDK finds fault with has a problem or no recording; a sound one has none."""
    wrong = []
    for path, theirs in sdk.items():
        parts = read(path.read_bytes())
        if not parts or ending(path, STOPS_SDK):
            continue
        problems = [problem for part in parts for problem in part.problems]
        is_header = any("header" in problem for problem in problems)  # the SDK doesn't check it
        if not is_header and bool(problems) != bool(theirs.errors):
            wrong.append((path.name, problems, theirs.errors))
    assert wrong == []


def test_as_many_records_as_chiptime(corpus: Path) -> None:
    """No file, whole or damaged, gives fewer records than chiptime's messages."""
    fewer = {}
    for path in chosen(corpus):
        data = path.read_bytes()
        ours = sum(len(part.points) for part in read(data))
        theirs = sum(message.name == "record" for message in chiptime.iter_messages(data))
        if ours < theirs:
            fewer[path.name] = (ours, theirs)
    assert fewer == {}


SUMMARY = {
    "elapsed_time_s": ("total_elapsed_time",),
    "timer_time_s": ("total_timer_time",),
    "distance_m": ("total_distance",),
    "total_ascent_m": ("total_ascent",),
    "calories_kcal": ("total_calories",),
    "average_speed_mps": ("enhanced_avg_speed", "avg_speed"),
    "max_speed_mps": ("enhanced_max_speed", "max_speed"),
    "average_heartrate_bpm": ("avg_heart_rate",),
    "average_cadence_rpm": ("avg_cadence",),
    "average_power_w": ("avg_power",),
}


def unequal(ours: Sequence[Session | Lap], theirs: Sequence[Message]) -> list[str]:
    ordered = sorted(theirs, key=lambda message: number(message, "start_time"))
    if len(ours) != len(ordered):
        return [f"{len(ours)} for {len(ordered)}"]
    answer = []
    for part, message in zip(ours, ordered, strict=True):
        for attribute, names in SUMMARY.items():
            found, expected = getattr(part, attribute), number(message, *names)
            is_none = np.isnan(expected) or (expected == 0 and "heartrate" in attribute)
            if found != (None if is_none else expected):
                answer.append(f"{attribute}: {found} for {expected}")
    return answer


@pytest.mark.parametrize("attribute", ["sessions", "laps"])
def test_sessions_and_laps_are_the_sdks(sdk: dict[Path, Reading], attribute: str) -> None:
    """Every total of every session and lap of a sound file is the one that the SDK reads."""
    wrong = {}
    for path, reading in sdk.items():
        theirs = [m for m in getattr(reading, attribute) if not np.isnan(number(m, "start_time"))]
        if reading.errors or not theirs:
            continue
        recordings = decode(path.read_bytes())
        ours = [part for recording in recordings for part in getattr(recording, attribute)]
        if found := unequal(ours, theirs):
            wrong[path.name] = found
    assert wrong == {}


def test_every_file_is_read_or_refused(corpus: Path) -> None:
    """All files of the corpus give recordings whose columns agree in length, or a reason."""
    refused = {}
    for path in (corpus / "fit").rglob("*.fit"):
        try:
            recordings = decode(path.read_bytes())
        except InvalidData as error:
            refused[path.parent.name] = error.reason
            continue
        assert recordings
        for recording in recordings:
            assert recording.device.manufacturer != ""
            assert all(start < end for start, end in recording.pauses)
    assert refused == {
        "gzip-wrapped": "not_fit",
        "html-error-page": "not_fit",
        "json-error": "not_fit",
        "array-fields": "fit_empty",
        "empty-shell": "fit_empty",
        "float-nan-inf": "fit_empty",
        "float-sentinel-vs-nan": "fit_empty",
        "hr-event-timestamp-12": "fit_empty",
        "string-edges": "fit_empty",
    }
