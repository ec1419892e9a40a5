"""Reading a service's JSON leniently: what fits nowhere is left out and named, and fails nothing.

Numbers come as text, booleans as words, positions as empty lists; fields come and go. Pure.
"""

import datetime as dt
import math
import re
from dataclasses import dataclass, field
from typing import Any

import orjson

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNSOUND = re.compile("[\x00\ud800-\udfff]")
_LARGEST_INTEGER = 2**63 - 1
_DEEPEST = 50  # levels; a detail with its efforts has six
_LEAP_SECOND = re.compile(r":60(?=[.Zz+-]|$)")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def sound(value: Any) -> Any:  # noqa: ANN401 any JSON
    """Replace what text cannot hold (NUL, lone surrogates) and numbers that are none or too large;
    leave out what is nested deeper than anything is.
    """
    try:
        text = orjson.dumps(value)  # says null for numbers that are none
    except orjson.JSONEncodeError:
        return _mended(value)
    return _mended(value) if b"\\u0000" in text else orjson.loads(text)


def _mended(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 any JSON
    """Do the same value by value: eight times as slow, and hardly ever needed."""
    if isinstance(value, str):
        return _UNSOUND.sub("\ufffd", value)
    if isinstance(value, int | float):
        return _sound_number(value)
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {str(_mended(key)): _mended(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_mended(item, depth + 1) for item in value]
    return value


def _sound_number(value: float) -> float | None:
    """Keep whole numbers of 64 bits exact; make larger ones floats, as parsers do."""
    if isinstance(value, int) and -_LARGEST_INTEGER <= value <= 2 * _LARGEST_INTEGER:
        return value
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


@dataclass(slots=True)
class Reader:
    """One JSON object being read; `problems` names the fields that were left out."""

    fields: dict[str, Any]
    problems: list[str] = field(default_factory=list)

    def _refuse(self, name: str, value: object, wanted: str) -> None:
        self.problems.append(f"{name}: {repr(value)[:40]} is no {wanted}")

    def number(self, name: str) -> float | None:
        """Read a measurement."""
        value = self.fields.get(name)
        if value is None or isinstance(value, bool):
            return None
        try:
            found = float(value)
        except (TypeError, ValueError, OverflowError):
            self._refuse(name, value, "number")
            return None
        if not math.isfinite(found):
            self._refuse(name, value, "number")
            return None
        return found

    def integer(self, name: str) -> int | None:
        """Read an id or a count, exactly."""
        value = self.fields.get(name)
        if value is None:
            return None
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,19}\s*", value):
            value = int(value)
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if isinstance(value, int) and abs(value) <= _LARGEST_INTEGER:
            return int(value)
        self._refuse(name, value, "whole number")
        return None

    def small(self, name: str) -> int | None:
        """Read an index or a rank, which never needs more than 31 bits."""
        value = self.integer(name)
        return value if value is not None and abs(value) < 2**31 else None

    def truth(self, name: str) -> bool | None:
        """Read yes or no."""
        value = self.fields.get(name)
        if value is None or isinstance(value, bool):
            return value
        found = _TRUTHS.get(str(value).strip().lower())
        if found is None:
            self._refuse(name, value, "yes or no")
        return found

    def text(self, name: str) -> str | None:
        """Read text; anything else as JSON would show it."""
        value = self.fields.get(name)
        if value is None or isinstance(value, dict | list):
            return None
        return str(value)

    def moment(self, name: str) -> float | None:
        """Read a time as UNIX seconds; one without a zone is taken as UTC."""
        value = self.fields.get(name)
        if value is None:
            return None
        try:
            text, leaps = _LEAP_SECOND.subn(":59", str(value).strip())
            found = dt.datetime.fromisoformat(text) + dt.timedelta(seconds=leaps)
            aware = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
            return (aware - _EPOCH).total_seconds()
        except (ValueError, OverflowError):
            self._refuse(name, value, "time")
            return None

    def position(self, name: str) -> tuple[float, float] | tuple[None, None]:
        """Read [latitude, longitude]; an empty list, (0, 0) and what is not on Earth are none."""
        value = self.fields.get(name)
        if not isinstance(value, list) or len(value) != 2:
            return None, None
        pair = Reader({"lat": value[0], "lng": value[1]})
        lat, lng = pair.number("lat"), pair.number("lng")
        if lat is None or lng is None or abs(lat) > 90 or abs(lng) > 180 or lat == lng == 0:
            return None, None
        return lat, lng

    def object(self, name: str) -> "Reader":
        """Read an object; anything else as an empty one."""
        value = self.fields.get(name)
        return Reader(value if isinstance(value, dict) else {}, self.problems)

    def objects(self, name: str) -> list["Reader"]:
        """Read a list of objects; anything else in it is left out."""
        value = self.fields.get(name)
        items = value if isinstance(value, list) else []
        return [Reader(item, self.problems) for item in items if isinstance(item, dict)]


def names_of(item: dict[str, Any]) -> str:
    """Name some fields of an object, for a message: what they hold is personal."""
    return f"it has {', '.join(name[:20] for name in sorted(map(str, item))[:6]) or 'nothing'}"
