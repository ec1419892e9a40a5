"""Clocks that a test moves; client and simulator share one, so that they agree on the time."""

import datetime as dt
import threading
from typing import Protocol

from tracklake.clock import UTC, Clock, SystemClock

FIRST_MOMENT = dt.datetime(2026, 11, 20, 6, 2, tzinfo=UTC)


class SettableClock(Clock, Protocol):
    """A clock that can be moved on from outside."""

    def advance(self, seconds: float) -> None:
        """Move on (or back, if negative) without waiting."""


class MovableClock:
    """Stands still until somebody sleeps on it or moves it; safe between threads."""

    def __init__(self, moment: dt.datetime = FIRST_MOMENT, *, tick_s: float = 0.0) -> None:
        self._moment = moment
        self._tick = dt.timedelta(seconds=tick_s)  # each look at it costs that much
        self._lock = threading.Lock()
        self.slept_s: list[float] = []

    def now(self) -> dt.datetime:
        """Return the present moment, aware, in UTC."""
        with self._lock:
            self._moment += self._tick
            return self._moment

    def sleep(self, seconds: float) -> None:
        """Move on at once; raise ValueError for less than nothing, as time.sleep does."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.slept_s.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on (or back, if negative) without noting it as sleep."""
        with self._lock:
            self._moment += dt.timedelta(seconds=seconds)

    def move_to(self, moment: dt.datetime) -> None:
        """Set the moment (aware)."""
        with self._lock:
            self._moment = moment.astimezone(UTC)


class ShiftedClock:
    """The machine's clock, ahead of it by what was added; for a simulator run by hand."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self._shift = dt.timedelta(0)

    def now(self) -> dt.datetime:
        """Return the shifted moment, aware, in UTC."""
        return self._system.now() + self._shift

    def sleep(self, seconds: float) -> None:
        """Wait in earnest."""
        self._system.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Shift further."""
        self._shift += dt.timedelta(seconds=seconds)
