"""Walking Strava's list of activities without losing one while it changes. Pure: `fetch` asks.

Page numbers shift when an activity comes or goes between two pages, so the walk moves a bound in
time instead: `after` or `before`, as the order of the answer shows, which is never relied on. A
page may be short and not the last; the end is an empty page. To a login that may not see all of
them Strava may show an empty page that is not the last either: it takes out what is private after
it has cut the page. So then the number after it is asked for, too.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from tracklake.errors import InvalidData
from tracklake.json_reader import Reader
from tracklake.strava import records
from tracklake.upstream.listed import ListPage, content_hash_of

_MOST_BARREN = 100  # pages in a row that bring nothing new: more share a start than anybody has
_MOST_ALIKE = 4  # the same page again and again: the list repeats itself
MOST_STRETCHES = 20  # of missing activities that are looked for apart from one another


@dataclass(frozen=True, slots=True)
class Window:
    """Where a walk stands: bounds in whole UNIX seconds (exclusive), and the page within them."""

    after: int | None = None
    before: int | None = None
    page: int = 1

    def parameters(self, per_page: int) -> dict[str, int]:
        """Return what to ask for."""
        bounds = {"after": self.after, "before": self.before}
        known = {name: bound for name, bound in bounds.items() if bound is not None}
        return {**known, "page": self.page, "per_page": per_page}

    def beyond(self, starts: list[float], *, ascending: bool, overlap_s: int) -> "Window":
        """Move the bound to the far end of a page, or `overlap_s` short of it."""
        if ascending:
            return Window(int(max(starts)) - overlap_s, self.before)
        return Window(self.after, int(min(starts)) + overlap_s)

    def holds(self, start_s: float) -> bool:
        """Tell whether a moment lies between the bounds."""
        after, before = self.after or -math.inf, self.before or math.inf
        return after < start_s < before

    def next_page(self) -> "Window":
        """Stay, and count a page."""
        return replace(self, page=self.page + 1)


class _Step(NamedTuple):
    """A bound that is moved: where to, what must be listed again there, which page moved it."""

    window: Window
    anchor: frozenset[str]
    back: Window


@dataclass(slots=True)
class Walk:
    """A walk over the list, from `window` to its end.

    complete: it came to an empty page. by_number: an answer had no order, or not the one it showed,
    so that pages had to be counted and an activity may have been missed. unnamed: an activity had
    no id. seen: the ids that were listed; shown: those of the page that was handed out last.
    may_hide: all of a page may be hidden from this login.
    """

    fetch: Callable[[dict[str, int]], ListPage]
    window: Window
    per_page: int
    complete: bool = False
    by_number: bool = False
    unnamed: bool = False
    seen: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    may_hide: bool = False
    _passes: bool = False  # the page before was empty, and need not be the end
    _counting: bool = False  # pages are counted from here to the end
    _moved: _Step | None = None  # the move that led to `window`
    _past: _Step | None = None  # while it is asked whether a short page was the last
    _beyond: Window | None = None  # where to ask again if that repeats what was seen

    @property
    def is_sure(self) -> bool:
        """Tell whether what it did not meet is not there."""
        return self.complete and bool(self.seen) and not (self.by_number or self.unnamed)

    def pages(self) -> Iterator[ListPage]:
        """Yield each page that is not empty; by then `window` is where to go on after it."""
        barren = alike = 0
        while barren < _MOST_BARREN and alike < _MOST_ALIKE:
            page = self.fetch(self.window.parameters(self.per_page))
            keys = {self._key(item) for item in page.items}
            back = self._strayed(keys)
            if not keys and back is None:
                if self._is_the_end():
                    return
                continue
            if self._passes:  # what led here is hidden: from here the list goes on
                self._passes, self._past, self._beyond = False, None, None
            fresh = not keys <= self.seen
            barren, alike = 0 if fresh else barren + 1, alike + 1 if keys == self.shown else 1
            self.seen, self.shown = self.seen | keys, keys
            self._move(page, back, fresh=fresh, repeats=alike > 1)
            if keys:
                yield page

    def _is_the_end(self) -> bool:
        """Tell whether an empty page ends the list; if not, the number after it is asked for."""
        self.complete = self._passes or not self.may_hide
        self._passes, self.window = True, self.window.next_page()
        return self.complete

    def _key(self, item: dict[str, Any]) -> str:
        try:
            return records.identity(item)
        except InvalidData:
            self.unnamed = True
            return content_hash_of(item)

    def _strayed(self, keys: set[str]) -> Window | None:
        """Return the page whose end gave a bound that does not even list that end again.

        The end bore another time than the one the list is sorted by: the bound may have skipped
        years. Pages are counted from there.
        """
        moved, self._moved = self._moved, None
        return None if moved is None or moved.anchor & keys else moved.back

    def _move(self, page: ListPage, back: Window | None, *, fresh: bool, repeats: bool) -> None:
        """Go on after a page.

        A full page is followed from a second before its end, for several activities may share a
        start. After a short one there is probably nothing: the next page of the same window says
        so. If it brings something new, the list goes on from the short page's end.
        """
        starts = {key: at for key, at in map(self._start, page.items) if at is not None}
        order = _order(list(starts.values()))
        here, past, beyond = self.window, self._past, self._beyond
        self._past = self._beyond = None
        if back is not None or order == "none":
            self._counting = self.by_number = True
        if self._counting:
            self.window = (back or here).next_page()
        elif beyond is not None and not fresh:
            self._past, self._beyond = past, None if repeats else beyond
            self.window = beyond if repeats else here.next_page()
        elif past is not None:
            self.window, self._moved = past.window, past
        else:
            self._go_beyond(page, starts, order)

    def _start(self, item: dict[str, Any]) -> tuple[str, float | None]:
        return self._key(item), Reader(item).moment("start_date")

    def _go_beyond(self, page: ListPage, starts: dict[str, float], order: str) -> None:
        here = self.window
        self.window = here.next_page()
        if not starts:
            return
        usual = "ascending" if here.after is not None and here.before is None else "descending"
        ascending = (usual if order == "equal" else order) == "ascending"
        end = (max if ascending else min)(starts.values())
        anchor = frozenset(key for key, start in starts.items() if int(start) == int(end))
        overlapping = here.beyond(list(starts.values()), ascending=ascending, overlap_s=1)
        step = _Step(overlapping, anchor, here)
        if len(page.items) < self.per_page:
            self._past = None if order == "equal" else step
            self._beyond = here.beyond(list(starts.values()), ascending=ascending, overlap_s=0)
        elif order == "equal" or overlapping == replace(here, page=1):
            self.by_number = True  # more of them share a start than a page holds
        else:
            self.window, self._moved = overlapping, step


def windows_around(times: Sequence[tuple[float, bool]], most: int) -> list[Window]:
    """Return windows that hold all that is missing, at most so many of it each.

    times: when each known activity begins (UNIX seconds), in order, and whether it is missing. The
    windows hold nothing else, unless it lies scattered: then what is between is asked for again.
    """
    stretches = [
        [start_s for start_s, _ in group]
        for is_missing, group in itertools.groupby(times, key=lambda one: one[1])
        if is_missing
    ]
    if len(stretches) > MOST_STRETCHES:
        stretches = [[start_s for stretch in stretches for start_s in stretch]]
    return [
        Window(int(part[0]) - 1, int(part[-1]) + 1)
        for stretch in stretches
        for part in (stretch[first : first + most] for first in range(0, len(stretch), most))
    ]


def _order(starts: list[float]) -> Literal["ascending", "descending", "equal", "none"]:
    pairs = list(itertools.pairwise(starts))
    ascends = all(first <= second for first, second in pairs)
    descends = all(first >= second for first, second in pairs)
    if ascends and descends:
        return "equal"
    return "ascending" if ascends else "descending" if descends else "none"
