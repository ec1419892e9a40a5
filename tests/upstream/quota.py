"""Strava's quota: overall and for reading, per quarter of an hour and per UTC day."""

import collections
import dataclasses
import datetime as dt

QUARTER = dt.timedelta(minutes=15)


@dataclasses.dataclass
class Limits:
    """Calls allowed; the defaults are those of a new app."""

    overall_quarter: int = 200
    overall_day: int = 2000
    read_quarter: int = 100
    read_day: int = 1000


def quarter_start(moment: dt.datetime) -> dt.datetime:
    """Return the last :00, :15, :30 or :45."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def day_start(moment: dt.datetime) -> dt.datetime:
    """Return the last midnight UTC."""
    return moment.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclasses.dataclass
class _Used:
    quarter: int = 0
    day: int = 0


class Quota:
    """Counts calls in windows on the wall clock; a refused call still counts toward the day."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.overall = _Used()
        self.read = _Used()
        self.refused: collections.Counter[tuple[str, dt.datetime]] = collections.Counter()
        self._quarter = self._day = dt.datetime.min.replace(tzinfo=dt.UTC)

    def _turn(self, moment: dt.datetime) -> None:
        if quarter_start(moment) != self._quarter:
            self._quarter = quarter_start(moment)
            self.overall.quarter = self.read.quarter = 0
        if day_start(moment) != self._day:
            self._day = day_start(moment)
            self.overall.day = self.read.day = 0

    def spend(self, moment: dt.datetime, *, read: bool, calls: int = 1) -> str | None:
        """Count calls; return "overall" or "read" if that limit refuses them, else None."""
        self._turn(moment)
        window = self._exceeded(read=read)
        for used in (self.overall, self.read) if read else (self.overall,):
            used.day += calls
            used.quarter += 0 if window else calls
        if window is None:
            return None
        start = self._day if window.endswith("day") else self._quarter
        self.refused[(window, start)] += calls
        return window.split()[0]

    def _exceeded(self, *, read: bool) -> str | None:
        limits = self.limits
        checks = [
            ("overall day", self.overall.day >= limits.overall_day),
            ("read day", read and self.read.day >= limits.read_day),
            ("overall quarter", self.overall.quarter >= limits.overall_quarter),
            ("read quarter", read and self.read.quarter >= limits.read_quarter),
        ]
        return next((name for name, full in checks if full), None)

    def consume_elsewhere(self, moment: dt.datetime, calls: int, *, read: bool = True) -> None:
        """Let another app of the same owner use up calls, without refusing any."""
        self._turn(moment)
        for used in (self.overall, self.read) if read else (self.overall,):
            used.quarter += calls
            used.day += calls

    def headers(self, moment: dt.datetime) -> dict[str, str]:
        """Return the four headers, spelt as in the recordings of 2025."""
        self._turn(moment)
        limits = self.limits
        return {
            "X-Ratelimit-Limit": f"{limits.overall_quarter},{limits.overall_day}",
            "X-Ratelimit-Usage": f"{self.overall.quarter},{self.overall.day}",
            "X-Readratelimit-Limit": f"{limits.read_quarter},{limits.read_day}",
            "X-Readratelimit-Usage": f"{self.read.quarter},{self.read.day}",
        }
