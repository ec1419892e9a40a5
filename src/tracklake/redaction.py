"""What must never be said: secrets, by the name of their field, by their looks and by their value.

Whoever loads a secret lets it be learnt here; whatever is said to a log, to the state database or
to a person by mistake goes through `text` or `event` first.
"""

import functools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

REMOVED = "[removed]"
_SHORTEST = 8  # letters; a shorter value would also be found in words that are no secret
_SHORTEST_PART = 16  # of an address, where words stand as well

_NAMES = re.compile(
    r"(?:^|[_-])(?:secret|password|passwd|token|api[_-]?key|authorization|cookie|credentials?)$",
    re.IGNORECASE,
)
_LOOKS = re.compile(
    r"(?i)(?P<kept>\b(?:bearer|basic|apikey)\s+)[a-z0-9._~+/=-]{6,}"
    r"|(?P<query>[?&](?:access_token|refresh_token|client_secret|api_?key|key|code|token|password)"
    r"=)[^&\s\"'#]+"
    r"|(?P<user>[a-z][a-z0-9+.-]*://)[^/\s:@\"']+:[^/\s@\"']+(?=@)"
)

_known: set[str] = set()


def learn(*values: str | None) -> None:
    """Take note of secrets that were loaded; from now on they are not said."""
    new = {form for value in values for form in _forms(value or "")}
    if not new <= _known:
        _known.update(new)
        _pattern.cache_clear()


def learn_settings(settings: Mapping[str, object]) -> None:
    """Take note of every setting that is a secret."""
    for value in settings.values():
        told = getattr(value, "get_secret_value", None)
        if told is not None:
            said = str(told())
            learn(said, *(word for word in said.split() if "://" in word))  # or several addresses


def text(said: str) -> str:
    """Return a text without secrets, which any file can hold."""
    return without(said.encode(errors="backslashreplace").decode(), _pattern())


def event(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a log's event without secrets, however deep they lie."""
    return {str(key): _value(str(key), value) for key, value in said.items()}


def without(said: str, values: re.Pattern[str] | None) -> str:
    """Return a text without these values, and without what looks like a secret."""
    said = values.sub(REMOVED, said) if values else said
    return _LOOKS.sub(
        lambda found: f"{found['kept'] or found['query'] or found['user']}{REMOVED}", said
    )


def pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds any of these values; None where there are none."""
    longest_first = sorted(values, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


@functools.cache
def _pattern() -> re.Pattern[str] | None:
    return pattern(_known)


def _forms(value: str) -> set[str]:
    """Return how a secret can be written; of an address, also the parts that may be secret."""
    parts = {value} if len(value) >= _SHORTEST else set()
    if "://" in value:
        address, _, query = value.partition("://")[2].partition("?")
        user, _, path = address.rpartition("@")
        said = [path.partition("/")[2], query, *path.split("/")[1:]]
        parts |= {part for part in said if len(part) >= _SHORTEST_PART}
        parts |= {part for part in user.split(":", 1) if len(part) >= _SHORTEST}
    return {form for part in parts for form in _written(part)}


def _written(value: str) -> tuple[str, ...]:
    escaped = json.dumps(value, ensure_ascii=False)[1:-1]
    return (
        value,
        escaped,
        quote(value, safe="", errors="replace"),
        quote_plus(value, errors="replace"),
    )


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 a log takes anything
    if isinstance(value, str | bytes) and value and _NAMES.search(name):
        return REMOVED
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return event(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(name, one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return text(str(value))
