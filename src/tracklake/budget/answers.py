"""What an upstream's answers say of its quota: pure; times are seconds of the upstream's clock."""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Protocol

from tracklake.budget.windows import DAY_S, QUARTER_S, Window, aligned, reopening_s
from tracklake.clock import UTC

TOO_MANY_REQUESTS = 429

_PREFIXES = {"overall": "x-ratelimit", "read": "x-readratelimit"}
_PAIR = re.compile(r"\s*(\d{1,9})\s*,\s*(\d{1,9})\s*", re.ASCII)
_SECONDS = re.compile(r"\s*(\d{1,9})\s*", re.ASCII)

Told = dict[tuple[str, int], tuple[int, int]]


class Answer(Protocol):
    """An upstream's answer."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name."""


def told(headers: Mapping[str, str]) -> Told:
    """Read limit and usage of every window by kind and length; 0 where nothing sane is said."""
    found = {}
    for kind, prefix in _PREFIXES.items():
        most = _pair(headers.get(f"{prefix}-limit"))
        used = _pair(headers.get(f"{prefix}-usage"))
        for place, window_s in enumerate((QUARTER_S, DAY_S)):
            found[kind, window_s] = (most[place], used[place])
    return found


def _pair(text: str | None) -> tuple[int, int]:
    match = _PAIR.fullmatch(text or "")
    return (int(match[1]), int(match[2])) if match else (0, 0)


def date_s(text: str | None) -> float | None:
    """Read a HTTP date; None if there is none or it cannot be read."""
    try:
        moment = parsedate_to_datetime(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_s(text: str | None, now_s: float) -> float | None:
    """Read a Retry-After, seconds or a HTTP date, as a moment; None if it is not to come."""
    match = _SECONDS.fullmatch(text or "")
    moment_s = now_s + int(match[1]) if match else date_s(text)
    return moment_s if moment_s is not None and moment_s >= now_s + 1 else None


def informed(window: Window, said: Told, at_s: float) -> Window:
    """Take over a limit, and a usage that is higher than ours, told at `at_s`."""
    most, used = said.get(window.key, (0, 0))
    if aligned(at_s, window.window_s) != window.started_s:
        used = 0
    return replace(window, told=most or window.told, used=max(window.used, used))


def refused(windows: Sequence[Window], said: Told, at_s: float, retry_at_s: float | None) -> Window:
    """Return the window that a 429 at `at_s` shuts, shut.

    That is the longest whose usage reached its limit, as the answer says; else what is likely.
    A Retry-After counts once a window: who is refused again waits for the window's end.
    """
    full = [
        window
        for window in windows
        if said.get(window.key, (0, 0))[1] >= window.most
        and aligned(at_s, window.window_s) == window.started_s
    ]
    window = max(full, key=lambda w: w.window_s) if full else _likely(windows, at_s)
    start_s = aligned(at_s, window.window_s)
    before_s = window.refused_s
    again = before_s is not None and aligned(before_s, window.window_s) == start_s
    reopens_s = reopening_s(start_s, window.window_s)
    if retry_at_s is not None and not again and retry_at_s <= start_s + window.window_s:
        reopens_s = math.ceil(retry_at_s)
    return replace(window, refused_s=int(at_s), reopens_s=reopens_s)


def _likely(windows: Sequence[Window], at_s: float) -> Window:
    """Return the tightest of the shortest windows; of longer ones if a shorter was shut in vain."""
    lengths = sorted({window.window_s for window in windows})
    likely_s = lengths[0]
    for short_s, long_s in itertools.pairwise(lengths):
        if any(_was_in_vain(w, long_s, at_s) for w in windows if w.window_s == short_s):
            likely_s = long_s
    return min((w for w in windows if w.window_s == likely_s), key=lambda w: w.most)


def _was_in_vain(window: Window, within_s: int, at_s: float) -> bool:
    """Tell whether it was shut before in the same `within_s`, and nothing was granted since."""
    return (
        window.refused_s is not None
        and aligned(window.refused_s, window.window_s) < aligned(at_s, window.window_s)
        and aligned(window.refused_s, within_s) == aligned(at_s, within_s)
    )


def granted(window: Window, at_s: float) -> Window:
    """Forget a refusal that is over: the upstream said yes at `at_s`."""
    return replace(window, refused_s=None) if window.refused_until_s <= at_s else window
