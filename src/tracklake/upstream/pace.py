"""How fast a service is asked, beside its quota: some calls at once, then a few a second. Pure."""

import datetime as dt
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """At most `burst` calls at once, and `calls_per_s` for ever, counted in this process."""

    calls_per_s: float
    burst: int
    _left: float = field(default=0.0)
    _at: dt.datetime | None = field(default=None)

    def wait_s(self, now: dt.datetime) -> float:
        """Count a call; return how long to wait before it is made."""
        if self._at is None:
            self._left = self.burst
        else:  # a clock that was set back gives nothing
            passed_s = max((now - self._at).total_seconds(), 0.0)
            self._left = min(self._left + passed_s * self.calls_per_s, self.burst)
        self._at = now
        self._left -= 1
        return max(0.0, -self._left / self.calls_per_s)
