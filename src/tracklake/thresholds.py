"""What an athlete says of themselves in settings: heart rates, power, zones; by athlete.

A value alone belongs to the usual athlete (TRACKLAKE_ATHLETE). Where several share a warehouse each
is named: `me=190; anna=182`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")
USUAL = ""  # stands for TRACKLAKE_ATHLETE
_SEXES = {"m": "m", "male": "m", "f": "f", "female": "f"}
_MOST_ZONES = 10


def _by_athlete(value: str | Mapping[str, T] | None, read: Callable[[str], T]) -> dict[str, T]:
    """Return the values by athlete's name, USUAL for one that names nobody."""
    if not isinstance(value, str):
        return dict(value or {})
    found: dict[str, T] = {}
    for part in filter(None, map(str.strip, value.split(";"))):
        name, _, said = part.rpartition("=")
        if name.strip() in found:
            raise ValueError("it names an athlete twice; write it like me=190; anna=182")
        found[name.strip()] = read(said.strip())
    return found


def _number(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if not least <= number <= most:
        raise ValueError(f"{text} is not between {least:g} and {most:g}")
    return number


def _bounds(text: str, least: float, most: float) -> tuple[float, ...]:
    bounds = tuple(_number(part.strip(), least, most) for part in text.split(","))
    if any(low >= high for low, high in pairwise(bounds)):
        raise ValueError(f"{text!r}: each zone must begin above the one before it")
    if len(bounds) >= _MOST_ZONES:
        raise ValueError(f"{text!r} makes more than {_MOST_ZONES} zones")
    return bounds


def _sex(text: str) -> str:
    if text.lower() not in _SEXES:
        raise ValueError(f"{text!r} is neither m nor f")
    return _SEXES[text.lower()]


def numbers(least: float, most: float) -> Callable[[object], dict[str, float]]:
    """Return what reads a setting of one number for each athlete, from `least` to `most`."""
    return partial(_read, partial(_number, least=least, most=most))


def zones(least: float, most: float) -> Callable[[object], dict[str, tuple[float, ...]]]:
    """Return what reads a setting of the values at which the second and each later zone begins."""
    return partial(_read, partial(_bounds, least=least, most=most))


def sexes(value: object) -> dict[str, str]:
    """Read a setting of `m` or `f` for each athlete."""
    return _read(_sex, value)


def _read(read: Callable[[str], T], value: object) -> dict[str, T]:
    if value is not None and not isinstance(value, str | Mapping):
        value = str(value)
    return _by_athlete(value, read)
