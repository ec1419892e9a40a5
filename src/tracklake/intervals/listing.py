"""Reading intervals.icu's two lists, activities and days: all of them, or what is recent."""

import datetime as dt
from dataclasses import dataclass

from tracklake.intervals import days, windows
from tracklake.intervals.landings import DayLanding
from tracklake.intervals.walking import Lists, Walk, today
from tracklake.intervals.windows import Window
from tracklake.stages import ListReport, PullOptions
from tracklake.upstream import reconciling
from tracklake.upstream.landings import Landing
from tracklake.upstream.listed import ListPage
from tracklake.upstream.memory import Memory, moment, within
from tracklake.upstream.reconciling import Listing
from tracklake.upstream_index import UpstreamIndex

_WINDOW_DAYS = 90
_WELLNESS_DAYS = 365
_EVERYTHING_EACH = dt.timedelta(days=7)
_FEWEST_DAYS = 7  # of wellness: devices deliver late, and the next look at everything is a week off
_DAY_S = 86_400.0


@dataclass(slots=True)
class Activities:
    """The list of activities. is_read: the service answered with it, so the key is right."""

    lists: Lists
    index: UpstreamIndex
    landing: Landing
    memory: Memory
    report: ListReport
    options: PullOptions
    is_read: bool = False
    _all_at_once: bool = False

    def read_all(self) -> None:
        """Read the whole list if that is due; what it does not name any more is gone."""
        if self.memory.read("walk") is None and not self._is_due():
            return
        walk = Walk.of(self.memory, "walk", _WINDOW_DAYS, windows.LAST_DAY)
        for page in walk.pages(self._fetch):
            self._take(page)
            walk.seen |= _named(page)
        self.landing.seal()
        self._reconcile(Listing(seen=walk.seen, is_sure=True))
        self.memory.write("reconciled", self.memory.session.now_text())
        self._all_at_once = walk.is_new
        walk.forget()

    def read_recent(self) -> None:
        """Read what began in the last days and what is dated in the future, unless all was read in
        one go just now.
        """
        if not self._all_at_once:
            oldest_s = self._recent_s()
            oldest = dt.datetime.fromtimestamp(oldest_s, dt.UTC).date()
            page = self._fetch(Window(oldest=oldest, newest=windows.LAST_DAY))
            self._take(page)
            self.landing.seal()
            if reconciling.doubt(self.memory) is None:  # else only the whole list can end it
                since_s = oldest_s + 2 * _DAY_S  # dates are local: what surely lies within
                self._reconcile(Listing(seen=_named(page), is_sure=True, since_s=since_s))
        self._all_at_once = False
        self.memory.write("listed", self.memory.session.now_text())

    def _recent_s(self) -> float:
        """Return from when on the list is read again, UNIX seconds."""
        known_s = [self.memory.session.clock.now().timestamp(), self.index.newest_start_s() or 0.0]
        listed = self.memory.understood("listed", moment)
        if listed is not None:
            known_s.append(listed.timestamp())
        return max(min(known_s) - (self.options.lookback_days + 1) * _DAY_S, 0.0)

    def _fetch(self, window: Window) -> ListPage:
        page = self.lists.fetch("activities", window)
        self.is_read = True
        return page

    def _take(self, page: ListPage) -> None:
        self.landing.take(page)
        self.lists.calls.phase.advance(len(page.items))

    def _reconcile(self, listing: Listing) -> None:
        gone = self.report.gone
        reconciling.reconcile(self.index, self.memory, self.report, listing)
        self.report.gone += gone

    def _is_due(self) -> bool:
        """Tell whether all is to be read: at first, on request, weekly, once more in doubt."""
        if self.options.everything:
            return True
        doubt = reconciling.doubt(self.memory)
        now = self.memory.session.clock.now()
        if doubt is not None and not within(now, doubt.at, reconciling.SECOND_LOOK):
            return True
        return not self.memory.was_within("reconciled", _EVERYTHING_EACH)


@dataclass(slots=True)
class Days:
    """The list of days: weight, sleep, form."""

    lists: Lists
    landing: DayLanding
    memory: Memory
    options: PullOptions

    def read(self) -> None:
        """Read all of it at first, on request and weekly; else what is recent."""
        is_known = self.memory.was_within("days_read", _EVERYTHING_EACH)
        if self.memory.read("days_walk") is None and is_known and not self.options.everything:
            self.read_recent()
            return
        walk = Walk.of(self.memory, "days_walk", _WELLNESS_DAYS, self._today)
        for page in walk.pages(self._fetch, days.is_blank):
            self.landing.take(page)
        self.landing.seal()
        self.memory.write("days_read", self.memory.session.now_text())
        walk.forget()

    def read_recent(self) -> None:
        """Read the last days."""
        back = dt.timedelta(days=max(self.options.lookback_days, _FEWEST_DAYS) + 1)
        window = Window(oldest=self._today - back, newest=self._today)
        self.landing.take(self._fetch(window))
        self.landing.seal()

    @property
    def _today(self) -> dt.date:
        return today(self.memory.session.clock)

    def _fetch(self, window: Window) -> ListPage:
        return self.lists.fetch("wellness", window)


def _named(page: ListPage) -> set[str]:
    """Return the ids that a page names, also of what cannot be read otherwise."""
    return {str(item["id"]) for item in page.items if item.get("id") is not None}
