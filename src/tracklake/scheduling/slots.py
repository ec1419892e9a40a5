"""When a schedule's moments are, right across both changes of daylight saving; pure.

As Debian's cron has it: a fixed time that the clock skips in spring comes at the moment after the
gap; one that it shows twice in autumn comes the first time only. Schedules with a `*` for the
minute or the hour go by the clock as it stands. cronsim finds the times on the wall; what moments
those are is found here (cronsim's own way loses some where a change is not of whole hours).
"""

import datetime as dt
import heapq
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from cronsim import CronSim

from tracklake.clock import UTC

_LONGEST_CHANGE = dt.timedelta(hours=3)  # of any zone; it is where a time can be shown again
_MINUTE = dt.timedelta(minutes=1)


def after(schedule: str, zone: ZoneInfo, moment: dt.datetime) -> Iterator[dt.datetime]:
    """Yield the slots (UTC, aware) of five crontab fields after a moment, in order, without end."""
    is_fixed = all(not field.startswith("*") for field in schedule.split()[:2])
    last, found = moment, list[dt.datetime]()
    for wall in CronSim(schedule, moment.astimezone(zone).replace(tzinfo=None) - _LONGEST_CHANGE):
        moments = _moments(wall, zone, is_fixed=is_fixed)
        while moments and found and found[0] < moments[0]:  # nothing earlier can come any more
            slot = heapq.heappop(found)
            if slot > last:
                last = slot
                yield slot
        for each in moments:
            heapq.heappush(found, each)


def _moments(wall: dt.datetime, zone: ZoneInfo, *, is_fixed: bool) -> list[dt.datetime]:
    """Return when the clock on the wall shows a time: once, twice, or never."""
    both = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [slot for slot in both if slot.astimezone(zone).replace(tzinfo=None) == wall]
    if not is_fixed:
        return shown
    return shown[:1] or _moments(wall + _MINUTE, zone, is_fixed=True)


def newest(
    schedule: str, zone: ZoneInfo, since: dt.datetime, until: dt.datetime
) -> dt.datetime | None:
    """Return the last slot after `since` and not after `until`; None if there is none."""
    found = None
    for slot in after(schedule, zone, since):
        if slot > until:
            break
        found = slot
    return found
