"""Windows of a quota: pure; times are UNIX seconds of the upstream's clock unless they say so."""

import datetime as dt
import hashlib
import math
from dataclasses import dataclass, replace

DAY_S = 86_400
QUARTER_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many calls in each window, until a header says otherwise."""

    kind: str
    window_s: int
    most: int


STRAVA = (
    Limit(kind="overall", window_s=QUARTER_S, most=200),
    Limit(kind="overall", window_s=DAY_S, most=2000),
    Limit(kind="read", window_s=QUARTER_S, most=100),
    Limit(kind="read", window_s=DAY_S, most=1000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cushion:
    """Calls left unused on purpose: `short` in windows below a day, `daily` in the others.

    share: of each limit (0 to 1), rounded up, where no number is given.
    """

    short: int | None = None
    daily: int | None = None
    share: float = 0.0

    def kept(self, window_s: int, most: int) -> int:
        """Return the calls to leave unused of `most`; one call in a window can always be made."""
        fixed = self.daily if window_s >= DAY_S else self.short
        kept = math.ceil(round(most * self.share, 6)) if fixed is None else fixed
        return max(0, min(kept, most - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowState:
    """A window as people see it; `resets_at` in our clock; refused: a 429 shut it."""

    kind: str
    window_s: int
    used: int
    most: int
    resets_at: dt.datetime
    refused: bool = False


def aligned(moment_s: float, window_s: int) -> int:
    """Return the start of the window that holds a moment."""
    return int(moment_s // window_s) * window_s


def reopening_s(start_s: int, window_s: int) -> int:
    """Return when a shut window opens again: 2-15 s after its end, the same for all processes."""
    digest = hashlib.sha256(f"{window_s} {start_s}".encode()).digest()
    return start_s + window_s + 2 + digest[0] % 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is counted of one limit.

    told: the limit that a header gave, 0 if none did; refused_s: when a 429 shut it; reopens_s:
    when that ends, if a Retry-After said so.
    """

    kind: str
    window_s: int
    started_s: int
    default: int
    used: int = 0
    told: int = 0
    refused_s: int | None = None
    reopens_s: int | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Kind and length."""
        return self.kind, self.window_s

    @property
    def most(self) -> int:
        """The limit."""
        return self.told or self.default

    @property
    def ends_s(self) -> int:
        """When the upstream starts at 0 again."""
        return self.started_s + self.window_s

    @property
    def refused_until_s(self) -> float:
        """Until when a 429 forbids calls; -inf without one."""
        if self.refused_s is None:
            return -math.inf
        start_s = aligned(self.refused_s, self.window_s)
        latest_s = reopening_s(start_s, self.window_s)
        if self.reopens_s is not None and start_s < self.reopens_s <= latest_s:
            return self.reopens_s
        return latest_s

    def is_ahead(self, now_s: float) -> bool:
        """Tell whether the window lies further in the future than clocks that differ explain."""
        return self.started_s - now_s > self.window_s

    def at(self, now_s: float) -> "Window":
        """Return the window of now: this one, or the next, which starts at 0."""
        nearly_spent = self.used * 10 >= self.most * 9
        over_s = reopening_s(self.started_s, self.window_s) if nearly_spent else self.ends_s
        return self if now_s < over_s else self._anew(now_s)

    def moved(self, now_s: float, was_s: float) -> "Window":
        """Carry all over to the time that is right, `now_s`, from the wrong one, `was_s`."""
        refused_s = int(now_s) if self.refused_until_s > was_s else self.refused_s
        return replace(self, started_s=aligned(now_s, self.window_s), refused_s=refused_s)

    def proved(self, date_s: float, sent_s: float | None) -> "Window":
        """Take an answer's Date as proof that a new window began, with the call sent at `sent_s`.

        That call was counted in the window before; which one the upstream took is not known.
        """
        started_s = aligned(date_s, self.window_s)
        window = self._anew(date_s) if started_s > self.started_s else self
        if sent_s is None or aligned(sent_s, self.window_s) >= started_s:
            return window
        return replace(window, used=window.used + (window.started_s == started_s))

    def _anew(self, now_s: float) -> "Window":
        return replace(self, started_s=aligned(now_s, self.window_s), used=0)

    def usable(self, cushion: Cushion) -> int:
        """Return the calls of a whole window without those of the cushion."""
        return self.most - cushion.kept(self.window_s, self.most)

    def shut_until_s(self, now_s: float, cushion: Cushion, calls: int = 1) -> float | None:
        """Return when the next call may be made, which counts as `calls`; None if it may be now."""
        until_s = self.refused_until_s
        fitting = min(calls, self.usable(cushion))  # more than all is let through a fresh window
        if self.used + fitting > self.usable(cushion) or now_s >= self.ends_s:
            until_s = max(until_s, reopening_s(self.started_s, self.window_s))
        return until_s if until_s > now_s else None
