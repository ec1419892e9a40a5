"""What a scheduler is told when it starts."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

CRON_LOG = Path("scheduler") / "cron.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where things are and what counts; plain values, so that it passes to another process."""

    crontab: str
    zone: str
    data: str
    logs: str
    catch_up_hours: float
    heartbeat_url: str | None = field(default=None, repr=False)  # who has it can ping it

    @property
    def state_folder(self) -> Path:
        """Where it remembers what was run."""
        return Path(self.data) / "state"

    @property
    def time_zone(self) -> ZoneInfo:
        """The zone's rules."""
        return ZoneInfo(self.zone)

    @property
    def window(self) -> dt.timedelta:
        """How long a missed slot is worth catching up."""
        return dt.timedelta(hours=self.catch_up_hours)

    def packed(self) -> bytes:
        """Return it for another process."""
        return orjson.dumps(self)

    @classmethod
    def unpacked(cls, data: bytes) -> "Plan":
        """Read what `packed` gave."""
        return cls(**orjson.loads(data))
