"""The only place that asks what time it is or waits."""

import datetime as dt
import time
from typing import Protocol

UTC = dt.UTC


class Clock(Protocol):
    """Time as the program sees it; tests pass one that stands still."""

    def now(self) -> dt.datetime:
        """Return the present moment, aware, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Return the present moment, aware, in UTC."""
        return dt.datetime.now(UTC)  # noqa: TID251 the one place

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)  # noqa: TID251 the one place


def from_unix(seconds: float) -> dt.datetime:
    """Turn UNIX seconds into an aware UTC datetime, also before 1970 and with fractions."""
    return dt.datetime(1970, 1, 1, tzinfo=UTC) + dt.timedelta(seconds=seconds)
