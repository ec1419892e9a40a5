"""What time it is here, and whether that can be."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator

from tracklake.clock import from_unix
from tracklake.config import Folders, Settings
from tracklake.doctor.finding import Finding

_TOLERANCE = dt.timedelta(minutes=5)


def examine(folders: Folders, settings: Settings | None, now: dt.datetime) -> Iterator[Finding]:
    """Say what time the schedule goes by; find a clock that stands before what was done by it."""
    if settings is not None:
        there = now.astimezone(zoneinfo.ZoneInfo(settings.tz))
        said = f"it is {there:%Y-%m-%d %H:%M} in {settings.tz} (TZ), which the schedule goes by"
        yield Finding("clock", True, said)
    if folders.warehouse.exists():
        published = from_unix(folders.warehouse.stat().st_mtime)
        yield from ahead("the warehouse was published", published, now)


def ahead(what: str, moment: dt.datetime, now: dt.datetime) -> Iterator[Finding]:
    """Find what was done later than now: the clock was wrong then, or is now."""
    if moment > now + _TOLERANCE:
        said = f"it is {now:%Y-%m-%d %H:%M} UTC here, but {what} {moment:%Y-%m-%d %H:%M}"
        yield Finding("clock", False, said, "set this machine's clock: timedatectl set-ntp true")
