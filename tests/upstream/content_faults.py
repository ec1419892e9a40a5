"""Answers of the right form with content that nobody expects: FAULTS D1 to D4, D6."""

import dataclasses
import random
from collections.abc import Callable, Collection

from tests.upstream.calls import Answer, Call
from tests.upstream.faults import Fault

Row = dict[str, object]
KEPT = ("id", "start_date")  # without these there is no activity at all
HOSTILE_NAMES = (
    "🏃‍♀️🚴 5k 🇨🇦",
    "ריצת בוקר \u202egnp.exe",
    "nul\0byte",
    "lone \ud800 surrogate",
    "x" * 10_240,
    "two\nlines\r\nand\ta tab",
    "<script>alert('1')</script>",
    "Robert'); DROP TABLE activities;--",
    "",
    "../../etc/passwd",
)
ABSURD: tuple[Row, ...] = (
    {"distance": 1e9},
    {"distance": -5.0},
    {"moving_time": 9_999, "elapsed_time": 10},
    {"elapsed_time": 0, "moving_time": 0},
    {"elapsed_time": 157_680_000},
    {"average_heartrate": 0.0, "max_heartrate": 999.0},
    {"max_speed": 300.0},
    {"elev_low": -500.0, "elev_high": 99_999.0},
    {"start_latlng": [0.0, 0.0], "end_latlng": [91.0, 181.0]},
    {"kudos_count": -1},
)


@dataclasses.dataclass
class EditRows(Fault):
    """Change objects of an answer: those of `ids` (none: all), each with chance `share`.

    `edit` gets a copy of the object; nested objects are to be replaced, not changed. Errors and
    streams are left alone.
    """

    edit: Callable[[Row, random.Random], None]
    ids: Collection[int] = ()
    share: float = 1.0

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        payload = answer.payload
        if answer.status != 200 or call.path.endswith("/streams"):
            return answer
        if isinstance(payload, list):
            return dataclasses.replace(answer, payload=[self._edited(row, dice) for row in payload])
        if isinstance(payload, dict):
            return dataclasses.replace(answer, payload=self._edited(payload, dice))
        return answer

    def _edited(self, row: object, dice: random.Random) -> object:
        if not isinstance(row, dict) or (self.ids and row.get("id") not in self.ids):
            return row
        if self.share < 1 and dice.random() >= self.share:
            return row
        edited = dict(row)
        self.edit(edited, dice)
        return edited


def _chosen(row: Row, names: Collection[str], dice: random.Random) -> list[str]:
    """Return the names that the row has; without names, a third of all it may lose."""
    if names:
        return [name for name in names if name in row]
    return [name for name in row if name not in KEPT and dice.random() < 1 / 3]


def nulls(*names: str, ids: Collection[int] = (), share: float = 1.0) -> EditRows:
    """Return: null for these fields, or for a third of them."""

    def edit(row: Row, dice: random.Random) -> None:
        row |= dict.fromkeys(_chosen(row, names, dice))

    return EditRows(edit, ids, share)


def missing(*names: str, ids: Collection[int] = (), share: float = 1.0) -> EditRows:
    """Return: these fields, or a third of them, are not there."""

    def edit(row: Row, dice: random.Random) -> None:
        for name in _chosen(row, names, dice):
            del row[name]

    return EditRows(edit, ids, share)


def replaced(values: Row, *, ids: Collection[int] = (), share: float = 1.0) -> EditRows:
    """Return: these values instead."""
    return EditRows(lambda row, _: row.update(values), ids, share)


def unknown_fields(*, ids: Collection[int] = (), share: float = 1.0) -> EditRows:
    """Return: fields that no version of the service has had."""
    return replaced(
        {"mood": "fine", "aura": {"colours": [{"r": 1}], "deep": None}, "n": 2**63},
        ids=ids,
        share=share,
    )


def unknown_sport(word: str = "HoverboardPolo", *, share: float = 1.0) -> EditRows:
    """Return: a sport that no list has."""
    return replaced({"sport_type": word, "type": word}, share=share)


def numbers_as_text(*names: str, ids: Collection[int] = (), share: float = 1.0) -> EditRows:
    """Return: numbers and booleans as strings, in these fields or in a third of all."""

    def edit(row: Row, dice: random.Random) -> None:
        for name in _chosen(row, names, dice):
            value = row[name]
            if isinstance(value, bool):
                row[name] = str(value).lower()
            elif isinstance(value, int | float):
                row[name] = str(value)

    return EditRows(edit, ids, share)


def whole_as_float(*names: str, ids: Collection[int] = (), share: float = 1.0) -> EditRows:
    """Return: whole numbers with a decimal point, in these fields or in a third of all."""

    def edit(row: Row, dice: random.Random) -> None:
        for name in _chosen(row, names, dice):
            value = row[name]
            if isinstance(value, int) and not isinstance(value, bool):
                row[name] = float(value)

    return EditRows(edit, ids, share)


def hostile_names(*, share: float = 1.0) -> EditRows:
    """Return: each activity has one of HOSTILE_NAMES, always the same one."""

    def edit(row: Row, _: random.Random) -> None:
        if isinstance(row.get("id"), int) and "name" in row:
            row["name"] = HOSTILE_NAMES[hash(row["id"]) % len(HOSTILE_NAMES)]

    return EditRows(edit, share=share)


def absurd_values(*, share: float = 1.0) -> EditRows:
    """Return: each activity has one of ABSURD, always the same one."""

    def edit(row: Row, _: random.Random) -> None:
        if isinstance(row.get("id"), int) and "distance" in row:
            row |= ABSURD[hash(row["id"]) % len(ABSURD)]

    return EditRows(edit, share=share)
