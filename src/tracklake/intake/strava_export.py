"""Strava's bulk export: `activities.csv` in any language, with `bikes.csv` and `shoes.csv`.

The names of the columns are translated, some stand twice (in the athlete's units, then in SI), and
columns come and go. What was seen in public copies of English, German, French and Dutch headers
from 2018 to 2026 and is relied on: the first column is the activity's id, then date, name, type,
description, elapsed time, distance; the column of file names holds "activities/…"; the gear is
named right before it; after it comes a block in SI units whose order is the same in every language.
That block is recognised by its "Elapsed Time" and "Distance" bearing the same names as the first
ones. The distance in the first block (km or miles, nobody says which) is never used.
"""

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from tracklake import sports
from tracklake.errors import InvalidData
from tracklake.identity import record_id
from tracklake.intake import export_dates
from tracklake.intake.rows import SOURCE

ACTIVITIES = "activities.csv"
GEAR = {"bikes.csv": "bike", "shoes.csv": "shoes"}
ID_PREFIX = "strava-export/"

# Columns of the SI block by their distance from the column of file names, as of 2021 and later.
_SI_BLOCK = {
    "elapsed_time": 3,
    "moving_time": 4,
    "distance": 5,
    "max_speed": 6,
    "average_speed": 7,
    "total_elevation_gain": 8,
    "elev_low": 10,
    "elev_high": 11,
    "average_cadence": 17,
    "max_heartrate": 18,
    "average_heartrate": 19,
    "max_watts": 20,
    "average_watts": 21,
    "calories": 22,
    "average_temp": 24,
}
_ENGLISH = {
    "elapsed_time": "Elapsed Time",
    "moving_time": "Moving Time",
    "distance": "Distance",
    "max_speed": "Max Speed",
    "average_speed": "Average Speed",
    "total_elevation_gain": "Elevation Gain",
    "elev_low": "Elevation Low",
    "elev_high": "Elevation High",
    "average_cadence": "Average Cadence",
    "max_heartrate": "Max Heart Rate",
    "average_heartrate": "Average Heart Rate",
    "max_watts": "Max Watts",
    "average_watts": "Average Watts",
    "calories": "Calories",
    "average_temp": "Average Temperature",
}
_ID, _DATE, _NAME, _TYPE, _DESCRIPTION, _ELAPSED, _DISTANCE = range(7)
_USUAL_FILENAME = 12
_TRUTHS = {"true": True, "false": False, "1": True, "1.0": True, "0": False, "0.0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One activity of an export, as columns of `activities`; file: what it names, if it does."""

    columns: dict[str, object]
    file: str | None


@dataclass(slots=True, kw_only=True)
class Export:
    """One export. prefix: what a person calls the folder that its files' names start from; shown:
    its table of activities.
    """

    prefix: str
    shown: str
    rows: list[Row] = field(default_factory=list)
    gear: list[dict[str, object]] = field(default_factory=list)
    refused: list[tuple[str, InvalidData]] = field(default_factory=list)


def base_name(shown: str) -> str:
    """Return the last part of a path, archives' members included."""
    return re.split(r"[/!]", shown)[-1]


def is_table(shown: str) -> bool:
    """Tell whether a file is one of the tables that are read."""
    return base_name(shown).lower() in (ACTIVITIES, *GEAR)


def exports(tables: dict[str, bytes], athlete: str) -> list[Export]:
    """Read tables, given by what a person calls them; those of one folder are one export.

    Tables of that name which are not Strava's are left alone.
    """
    found = []
    for shown, content in tables.items():
        if base_name(shown).lower() != ACTIVITIES:
            continue
        prefix = shown[: -len(ACTIVITIES)]
        export = Export(prefix=prefix, shown=shown)
        if _read_activities(export, shown, content, athlete):
            named = [
                gear
                for other, text in tables.items()
                if (kind := GEAR.get(other.removeprefix(prefix).lower()))
                for gear in _gear_table(text, kind, athlete)
            ]
            export.gear = _gear_once([*named, *export.gear])
            found.append(export)
    return found


def _records(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the line before each record, and its fields."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", "replace")
    else:
        text = content.decode("utf-8-sig", "replace")
    reader = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            yield reader.line_num, next(reader)
        except csv.Error as error:
            yield reader.line_num, [str(error)]  # too few columns: refused like others of that kind
        except StopIteration:
            return


def _read_activities(export: Export, shown: str, content: bytes, athlete: str) -> bool:
    """Read the table of activities; tell whether it is Strava's."""
    records = list(_records(content))
    header = records[0][1] if records else []
    rows = [(line, fields) for line, fields in records[1:] if any(fields)]
    layout = _layout(header, [fields for _, fields in rows])
    if layout is None:
        return False
    for line, fields in rows:
        try:
            export.rows.append(_row(fields, layout, athlete))
        except InvalidData as error:
            export.refused.append((f"{shown} line {line + 1}", error))
    names = dict.fromkeys(_text(fields, layout["gear"]) for _, fields in rows)
    export.gear = [_gear(athlete, name) for name in names if name]
    return True


def _layout(header: list[str], rows: list[list[str]]) -> dict[str, int] | None:
    """Find each column; None for a table that is not Strava's."""
    ids = [fields[_ID].strip() for fields in rows if len(fields) > _DESCRIPTION]
    if len(header) < 10 or not any(map(str.isdecimal, ids)):
        return None
    at = _file_column(header, rows)
    if at is None:
        return None
    layout = {"file": at, "gear": at - 1, "commute": _commute_column(rows, at)}
    if header[_ID] == "Activity ID":
        for name, english in _ENGLISH.items():
            found = [index for index, text in enumerate(header) if text == english and index > at]
            layout.update({name: found[0]} if found else {})
    elif _has_si_block(header, at):
        layout |= {name: at + offset for name, offset in _SI_BLOCK.items()}
    elif header[_ID] == "id":
        layout["distance"] = _DISTANCE  # exports before July 2019 have metres there
    layout.setdefault("elapsed_time", _ELAPSED)
    return layout


def _file_column(header: list[str], rows: list[list[str]]) -> int | None:
    """Find the column of file names: by name, by content, or where it usually is."""
    for index, name in enumerate(header):
        if name.lower() == "filename":
            return index
    for fields in rows:
        for index in range(_DISTANCE, min(len(fields), len(header))):
            if re.fullmatch(r"activities/[^/]+", fields[index].strip()):
                return index
    return _USUAL_FILENAME if _has_si_block(header, _USUAL_FILENAME) else None


def _has_si_block(header: list[str], at: int) -> bool:
    elapsed, distance = at + _SI_BLOCK["elapsed_time"], at + _SI_BLOCK["distance"]
    if distance >= len(header):
        return False
    return (header[elapsed], header[distance]) == (header[_ELAPSED], header[_DISTANCE])


def _commute_column(rows: list[list[str]], at: int) -> int:
    """Find the column of yes and no before the file names; another layout may hold it elsewhere."""
    for index in range(at - 2, _DISTANCE, -1):
        values = {_text(fields, index).lower() for fields in rows if len(fields) > at} - {""}
        if values and values <= {"true", "false"}:
            return index
    return at - 3


def _row(fields: list[str], layout: dict[str, int], athlete: str) -> Row:
    if len(fields) <= layout["file"]:
        raise InvalidData(f"only {len(fields)} columns", reason="bad_row")
    number = fields[_ID].strip()
    if not re.fullmatch(r"[0-9]{1,18}", number):
        raise InvalidData(f"{number[:40]!r} is not an activity's id", reason="bad_row")
    start_s = export_dates.unix_seconds(fields[_DATE])
    if start_s is None:
        raise InvalidData(f"{fields[_DATE][:60]!r} is not a date we can read", reason="bad_row")
    file = _text(fields, layout["file"]) or None
    gear = _text(fields, layout["gear"])
    source_id = f"{ID_PREFIX}{int(number)}"
    columns: dict[str, object] = {
        "source": SOURCE,
        "athlete": athlete,
        "source_id": source_id,
        "record_id": record_id(athlete, SOURCE, source_id),
        "strava_id": int(number),
        "gear_id": gear_id(athlete, gear) if gear else None,
        "commute": _TRUTHS.get(_text(fields, layout["commute"]).lower()),
        "manual": file is None,
        "leg_index": 0,
        "leg_count": 0,
        "sport_type": _sport_type(_text(fields, _TYPE), has_file=file is not None),
        "name": _text(fields, _NAME) or None,
        "description": _text(fields, _DESCRIPTION) or None,
        "start_s": start_s,
        "has_track": False,
        "point_count": 0,
    }
    columns |= {
        name: _number(fields[layout[name]])
        for name in _SI_BLOCK
        if name in layout and layout[name] < len(fields)
    }
    return Row(columns=columns, file=file)


def _sport_type(text: str, *, has_file: bool) -> str | None:
    """Translate a type; one in a language we don't know says nothing where a file says more."""
    found = sports.sport_type("strava", text)
    guessed = found == sports.UNKNOWN and text.casefold() != sports.UNKNOWN.casefold()
    return None if guessed and has_file else found


def _text(fields: list[str], index: int) -> str:
    return fields[index].strip() if index < len(fields) else ""


def _number(text: str) -> float | None:
    """Read a number with a decimal point or, in other languages, a decimal comma."""
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def gear_id(athlete: str, name: str) -> str:
    """Name a bike or a pair of shoes that is known by its name only."""
    return "x" + sha256(f"{athlete}{name.lower()}".encode()).hexdigest()[:12]


def _gear(
    athlete: str, name: str, kind: str | None = None, brand: str = "", model: str = ""
) -> dict[str, object]:
    identity = gear_id(athlete, name)
    return {
        "source": SOURCE,
        "athlete": athlete,
        "source_id": identity,
        "gear_id": identity,
        "name": name,
        "kind": kind,
        "brand": brand or None,
        "model": model or None,
    }


def _gear_table(content: bytes, kind: str, athlete: str) -> Iterator[dict[str, object]]:
    """Read bikes.csv or shoes.csv: name, brand, model, default sports; some have an id before."""
    rows = [fields for _, fields in _records(content)][1:]
    for fields in rows:
        if re.fullmatch(r"[bg]?\d{4,}", _text(fields, 0)):
            fields = fields[1:]
        brand, model = _text(fields, 1), _text(fields, 2)
        name = _text(fields, 0) or f"{brand} {model}".strip()
        if name:
            yield _gear(athlete, name, kind, brand, model)


def _gear_once(gear: list[dict[str, object]]) -> list[dict[str, object]]:
    """Keep the first word on each: the tables of gear say more than the activities."""
    return list({row["gear_id"]: row for row in reversed(gear)}.values())[::-1]
