"""Windows of dates in which a list without pages is read, newest first. Pure.

Neighbours share a day, because the end of a window may or may not be in it. A list has no end: when
two years have been empty, what lies before them is asked for at once.
"""

import datetime as dt
from dataclasses import dataclass

FIRST_DAY = dt.date(1970, 1, 1)
LAST_DAY = dt.date(2099, 12, 31)  # clocks of devices are wrong: the future is looked at too
_EMPTY_DAYS = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From `oldest` to `newest`, both dates of the clock on the wall.

    empty_days: for how many days after it nothing was there. patient: all that is left was too much
    for one answer, so it is walked too.
    """

    oldest: dt.date
    newest: dt.date
    empty_days: int = 0
    patient: bool = False

    @property
    def is_rest(self) -> bool:
        """Tell the window that reaches back to the beginning."""
        return self.oldest == FIRST_DAY


def first(today: dt.date, days: int, newest: dt.date = LAST_DAY) -> Window:
    """Return the window with which a walk begins."""
    return Window(oldest=today - dt.timedelta(days=days), newest=newest)


def before(window: Window, days: int, *, is_empty: bool) -> Window | None:
    """Return the window before one that was read; None after the rest."""
    if window.is_rest:
        return None
    empty_days = window.empty_days + days if is_empty else 0
    return _from(window.oldest, days, empty_days, patient=window.patient)


def walked(window: Window, days: int) -> Window:
    """Return the window to go on with where the rest was too much for one answer."""
    return _from(window.newest, days, 0, patient=True)


def _from(newest: dt.date, days: int, empty_days: int, *, patient: bool) -> Window:
    ends = empty_days >= _EMPTY_DAYS and not patient
    oldest = FIRST_DAY if ends else max(FIRST_DAY, newest - dt.timedelta(days=days))
    return Window(oldest=oldest, newest=newest, empty_days=empty_days, patient=patient)
