"""Which backups stay: the last 30, then one a week for a year, then one a month for two more."""

import datetime as dt
from collections.abc import Iterable

LAST = 30
WEEKLY_DAYS = 366
MONTHLY_DAYS = 3 * 366


def stamped(name: str) -> dt.datetime:
    """Return when a backup was made, by its name (UTC)."""
    return dt.datetime.strptime(name.split("-")[0], "%Y%m%dT%H%M%S.%f%z")


def kept(names: Iterable[str], now: dt.datetime) -> set[str]:
    """Return the names that stay; of a week or a month it is the last.

    What is dated ahead of now, by a clock that was wrong, takes no place of the last 30.
    """
    newest_first = sorted(names, reverse=True)
    ahead = [name for name in newest_first if stamped(name) > now]
    found = {*ahead[:LAST], *newest_first[len(ahead) :][:LAST]}
    taken: set[tuple[object, ...]] = set()
    for name in newest_first:
        period = _period(stamped(name), now)
        if period is not None and period not in taken:
            taken.add(period)
            found.add(name)
    return found


def _period(moment: dt.datetime, now: dt.datetime) -> tuple[object, ...] | None:
    age = now - moment
    if age <= dt.timedelta(days=WEEKLY_DAYS):
        return ("week", *moment.isocalendar()[:2])
    if age <= dt.timedelta(days=MONTHLY_DAYS):
        return ("month", moment.year, moment.month)
    return None
