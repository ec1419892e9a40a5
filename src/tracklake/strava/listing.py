"""Walking Strava's list of activities without losing one while it changes. Pure: `fetch` asks.

Page numbers shift when an activity comes or goes between two pages, so the walk moves a bound in
time instead: `after` or `before`, as the order of the answer shows, which is never relied on. A
page may be short and not the last; the end is an empty page.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from tracklake.errors import InvalidData
from tracklake.strava import records
from tracklake.strava.values import Reader

_MOST_BARREN = 100  # pages in a row that bring nothing new: more share a start than anybody has
_MOST_ALIKE = 3  # the same page again and again: the list repeats itself


class ListPage(NamedTuple):
    """A page of the list: its objects, and the body as it was received."""

    items: list[dict[str, Any]]
    body: bytes


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

    def next_page(self) -> "Window":
        """Stay, and count a page."""
        return replace(self, page=self.page + 1)


@dataclass(slots=True)
class Walk:
    """A walk over the list, from `window` to its end.

    complete: it came to an empty page. by_number: an answer had no order, so that pages had to be
    counted and an activity may have been missed. seen: the ids that were listed.
    """

    fetch: Callable[[dict[str, int]], ListPage]
    window: Window
    per_page: int
    complete: bool = False
    by_number: bool = False
    seen: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[ListPage]:
        """Yield each page that is not empty; by then `window` is where to go on after it."""
        past: Window | None = None  # set while the bound excludes all that was seen
        barren = alike = 0
        last: set[str] = set()
        while barren < _MOST_BARREN and alike < _MOST_ALIKE:
            page = self.fetch(self.window.parameters(self.per_page))
            if not page.items:
                self.complete = True
                return
            keys = {_key(item) for item in page.items}
            fresh = not keys <= self.seen
            barren, alike = 0 if fresh else barren + 1, alike + 1 if keys == last else 1
            self.seen, last = self.seen | keys, keys
            past = self._move(page, past, fresh=fresh)
            yield page

    def _move(self, page: ListPage, past: Window | None, *, fresh: bool) -> Window | None:
        """Move on; return, if the new bound excludes all that was seen, the one that overlaps.

        A full page is followed from a second before its end, for several activities may share a
        start. After a short one there is probably nothing: the bound excludes it, and the answer
        is the end. If it is not, whatever shares a start with the short page's end was skipped.
        """
        starts = [s for s in map(_start_s, page.items) if s is not None]
        order = _order(starts)
        full = len(page.items) >= self.per_page
        here = self.window
        self.by_number |= order == "none"
        if self.by_number or order == "equal" or (not fresh and (full or past is not None)):
            self.window = here.next_page()
            return past
        if past is not None:
            self.window = past
            return None
        ascending = order == "ascending"
        overlapping = here.beyond(starts, ascending=ascending, overlap_s=1)
        exclusive = here.beyond(starts, ascending=ascending, overlap_s=0)
        self.window = overlapping if full else exclusive
        return None if full else overlapping


def _order(starts: list[float]) -> Literal["ascending", "descending", "equal", "none"]:
    pairs = list(itertools.pairwise(starts))
    ascends = all(first <= second for first, second in pairs)
    descends = all(first >= second for first, second in pairs)
    if ascends and descends:
        return "equal"
    return "ascending" if ascends else "descending" if descends else "none"


def _start_s(item: dict[str, Any]) -> float | None:
    return Reader(item).moment("start_date")


def _key(item: dict[str, Any]) -> str:
    try:
        return records.identity(item)
    except InvalidData:
        return records.content_hash_of(item)
