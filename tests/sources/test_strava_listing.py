"""The walk over a list of activities, against a list that is made of nothing but rows."""

import dataclasses
import datetime as dt
import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sources.strava_place import examples
from tracklake.errors import InvalidData
from tracklake.strava.listing import MOST_STRETCHES, Walk, Window, windows_around
from tracklake.upstream.listed import ListPage, read_page

EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
EPOCH_S = EPOCH.timestamp()
ORDERS = ("real", "newest", "oldest")
MOST_CALLS = 600


@dataclasses.dataclass
class Row:
    """An activity: where the list sorts it, and what it shows as its start (seconds of EPOCH)."""

    id: int
    at: int
    shown_at: int | None = None
    hidden: bool = False

    def item(self) -> dict[str, Any]:
        shown = EPOCH + dt.timedelta(seconds=self.at if self.shown_at is None else self.shown_at)
        return {"id": self.id, "start_date": shown.strftime("%Y-%m-%dT%H:%M:%SZ")}


@dataclasses.dataclass
class List:
    """A service's list. late: hidden rows are taken out of pages that were cut before."""

    rows: list[Row]
    order: str = "real"
    inclusive: bool = False
    late: bool = False
    before_call: Callable[["List"], None] = lambda _: None
    asked: list[dict[str, int]] = dataclasses.field(default_factory=list)

    def fetch(self, asked: dict[str, int]) -> ListPage:
        """Answer a call; more calls than anybody needs are a failure."""
        self.asked.append(asked)
        assert len(self.asked) <= MOST_CALLS, "the walk does not end"
        self.before_call(self)
        rows = [row for row in self._ordered(asked) if self._is_within(row, asked)]
        if not self.late:
            rows = [row for row in rows if not row.hidden]
        first = (asked["page"] - 1) * asked["per_page"]
        cut = rows[first : first + asked["per_page"]]
        return ListPage([row.item() for row in cut if not row.hidden], b"")

    def _ordered(self, asked: dict[str, int]) -> list[Row]:
        if self.order == "random":
            return sorted(self.rows, key=lambda row: random.Random(row.id).random())  # noqa: S311
        rows = sorted(self.rows, key=lambda row: (row.at, row.id))
        ascending = "after" in asked and "before" not in asked
        is_oldest_first = self.order == "oldest" or (self.order == "real" and ascending)
        return rows if is_oldest_first else rows[::-1]

    def _is_within(self, row: Row, asked: dict[str, int]) -> bool:
        at_s, slack_s = EPOCH_S + row.at, 1 if self.inclusive else 0
        after_s = asked.get("after", -math.inf) - slack_s
        before_s = asked.get("before", math.inf) + slack_s
        return after_s < at_s < before_s

    def shown(self) -> set[str]:
        """Return the ids that a correct walk meets."""
        return {str(row.id) for row in self.rows if not row.hidden}


def walked(
    found: List, per_page: int, window: Window | None = None, *, may_hide: bool = False
) -> Walk:
    """Walk to the end."""
    walk = Walk(found.fetch, window or Window(), per_page, may_hide=may_hide)
    for page in walk.pages():
        assert page.items
    return walk


def rows_at(*seconds: int) -> list[Row]:
    """Return a row for each start, with rising ids."""
    return [Row(number, at) for number, at in enumerate(seconds, start=1)]


def with_hidden(drawn: list[tuple[int, bool]]) -> list[Row]:
    """Return rows, some hidden, but no two in a row: a page of hidden rows looks like the end."""
    rows = [Row(n, at, hidden=hidden) for n, (at, hidden) in enumerate(drawn, start=1)]
    in_order = sorted(rows, key=lambda row: (row.at, row.id))
    for first, second in itertools.pairwise(in_order):
        second.hidden &= not first.hidden
    return rows


ROWS = st.lists(st.tuples(st.integers(0, 25), st.booleans()), max_size=40).map(with_hidden)
WINDOWS = st.sampled_from((Window(), Window(after=0), Window(before=int(EPOCH_S) + 26)))


@settings(max_examples=examples(400))
@given(
    rows=ROWS,
    order=st.sampled_from(ORDERS),
    inclusive=st.booleans(),
    late=st.booleans(),
    per_page=st.integers(2, 7),
    window=WINDOWS,
)
def test_every_activity_is_met(
    rows: list[Row], order: str, inclusive: bool, late: bool, per_page: int, window: Window
) -> None:
    """Whatever the order, the bounds, the ties and the short pages: all that is shown is seen."""
    found = List(rows, order, inclusive, late)
    walk = walked(found, per_page, window)
    assert walk.complete
    assert walk.seen == found.shown()


@dataclasses.dataclass
class Changes:
    """What happens to a list between calls: (call, kind, where); remembers what was touched."""

    plan: list[tuple[int, str, int]]
    touched: set[str] = dataclasses.field(default_factory=set)

    def __call__(self, found: List) -> None:
        """Do what is due before this call."""
        for call, kind, number in self.plan:
            if call == len(found.asked):
                self._change(found, kind, number)

    def _change(self, found: List, kind: str, number: int) -> None:
        if kind == "upload":
            row = Row(1_000 + len(self.touched) * 100 + number, number)
            found.rows.append(row)
        elif found.rows:
            row = found.rows[number % len(found.rows)]
            if kind == "delete":
                found.rows.remove(row)
            else:
                row.at = (row.at + number * 7) % 60
        else:
            return
        self.touched.add(str(row.id))


PLAN = st.lists(
    st.tuples(
        st.integers(1, 12), st.sampled_from(("upload", "delete", "move")), st.integers(0, 59)
    ),
    max_size=6,
)


@settings(max_examples=examples(600))
@given(
    starts=st.lists(st.integers(0, 59), min_size=1, max_size=40),
    plan=PLAN,
    order=st.sampled_from(ORDERS),
    inclusive=st.booleans(),
    per_page=st.integers(2, 7),
)
@example(starts=[0, 1, 2, 3], plan=[(2, "delete", 3)], order="real", inclusive=False, per_page=2)
def test_what_is_left_alone_is_met_whatever_else_changes(
    starts: list[int], plan: list[tuple[int, str, int]], order: str, inclusive: bool, per_page: int
) -> None:
    """Uploads, deletions and moves between two calls hide no other activity, or it is admitted."""
    changes = Changes(plan)
    found = List(rows_at(*starts), order, inclusive, before_call=changes)
    all_along = found.shown()
    walk = walked(found, per_page)
    assert walk.complete
    assert walk.by_number or all_along - changes.touched <= walk.seen


def test_a_deletion_between_two_pages_hides_nothing() -> None:
    """With page numbers the first row of the next page would be skipped; with bounds it is not."""
    first = rows_at(*range(0, 1_000, 10))

    def delete_the_newest(found: List) -> None:
        if len(found.asked) == 2:
            found.rows.pop()

    found = List(first, before_call=delete_the_newest)
    walk = walked(found, 10)
    assert walk.seen == {str(number) for number in range(1, 101)}
    assert walk.is_sure


def test_a_deletion_behind_a_short_page_hides_nothing() -> None:
    """Where a short page was not the last, the walk goes on from its end, not from page two."""
    rows = rows_at(*range(0, 120, 10))
    rows[-3].hidden = True  # the first page has two rows of three

    def delete_the_newest(found: List) -> None:
        if len(found.asked) == 2:
            found.rows.pop()

    found = List(rows, late=True, before_call=delete_the_newest)
    walk = walked(found, 3)
    assert walk.complete
    assert walk.seen == {str(number) for number in range(1, 13) if number != 10}


@settings(max_examples=examples(300))
@given(
    before=st.integers(0, 20),
    hidden=st.integers(0, 14),
    after=st.integers(0, 20),
    order=st.sampled_from(ORDERS),
    inclusive=st.booleans(),
    per_page=st.integers(2, 7),
)
def test_an_empty_page_in_the_middle_is_not_the_end(
    before: int, hidden: int, after: int, order: str, inclusive: bool, per_page: int
) -> None:
    """A page of which the service hides everything: all before and behind it is met."""
    rows = rows_at(*range(0, (before + hidden + after) * 10, 10))
    for row in rows[before : before + min(hidden, 2 * per_page - 1)]:
        row.hidden = True
    found = List(rows, order, inclusive, late=True)
    walk = walked(found, per_page, may_hide=True)
    assert walk.complete
    assert walk.seen == found.shown()


def test_who_sees_everything_asks_for_one_empty_page() -> None:
    """Only where the service may hide something is the number after an empty page asked for."""
    for may_hide, calls in ((False, 2), (True, 3)):
        found = List(rows_at(1, 2, 3))
        walked(found, 200, may_hide=may_hide)
        assert len(found.asked) == calls


@pytest.mark.parametrize("known", [0, 1, 7, 100, 450])
def test_windows_around_what_is_missing(known: int) -> None:
    """Each that is missing lies in a window of few, and no window holds one that was met."""
    starts = [EPOCH_S + 1_000 * n for n in range(known)]
    missing = {n for n in range(known) if n % 50 > 2}
    times = [(start_s, n in missing) for n, start_s in enumerate(starts)]
    found = windows_around(times, 20)
    assert len(found) <= MOST_STRETCHES or known == 450
    for n, start_s in enumerate(starts):
        held = [one for one in found if one.after < start_s < one.before]  # type: ignore[operator]
        assert len(held) == (1 if n in missing else 0) or known == 450
    assert all(any(w.after < starts[n] < w.before for w in found) for n in missing)  # type: ignore[operator]


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 399, 400, 450, 1_000, 3_000, 10_000])
@pytest.mark.parametrize("order", ORDERS)
def test_calls(count: int, order: str) -> None:
    """A list of N costs N/200 calls rounded up, the empty page, and at most one for the overlap."""
    found = List(rows_at(*range(0, count * 1_000, 1_000)), order)
    walk = walked(found, 200)
    assert walk.is_sure == (count > 0)
    assert len(walk.seen) == count
    least = math.ceil(count / 200) + 1
    assert least <= len(found.asked) <= least + 1
    if count < 200:
        assert len(found.asked) == least


@pytest.mark.parametrize("seed", range(20))
def test_without_an_order_pages_are_counted(seed: int) -> None:
    """A list in no order is read by page numbers to its end, and what it lacks proves nothing."""
    rows = [Row(seed * 1_000 + n, n * 100) for n in range(1, 45)]
    found = List(rows, "random")
    walk = walked(found, 10)
    assert walk.complete
    assert walk.seen == found.shown()
    assert walk.by_number
    assert not walk.is_sure


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("wrong_at", [-10_000, 1, 401, 10_000])
@pytest.mark.parametrize("place", range(40))
def test_a_wrong_start_skips_nothing(order: str, wrong_at: int, place: int) -> None:
    """One activity that shows another start than it is sorted by, anywhere, hides no other one."""
    rows = rows_at(*range(0, 400, 10))
    rows[place].shown_at = wrong_at
    found = List(rows, order)
    walk = walked(found, 5)
    assert walk.complete
    assert walk.seen == found.shown()


def test_more_of_one_second_than_a_page_holds() -> None:
    """Three pages of activities with one and the same start are read, and those around them."""
    found = List(rows_at(5, *[10] * 32, 15, 20))
    walk = walked(found, 10)
    assert walk.complete
    assert walk.seen == found.shown()


@pytest.mark.parametrize("size", [3, 10])
def test_the_same_page_for_ever(size: int) -> None:
    """A list that shows one page whatever is asked for ends the walk, which did not complete."""
    page = ListPage([row.item() for row in rows_at(*range(size))], b"")
    calls = itertools.count(1)

    def fetch(_: dict[str, int]) -> ListPage:
        assert next(calls) < 6
        return page

    walk = Walk(fetch, Window(), 10)
    assert list(walk.pages())
    assert not walk.complete
    assert not walk.is_sure


@pytest.mark.parametrize("count", [3, 10, 25])
def test_page_one_again_after_the_last(count: int) -> None:
    """Where a page beyond the last is page one again, the bounds still lead to the end."""
    found = List(rows_at(*range(0, count * 10, 10)))

    def fetch(asked: dict[str, int]) -> ListPage:
        page = found.fetch(asked)
        return page if page.items else found.fetch({**asked, "page": 1})

    walk = Walk(fetch, Window(), 10)
    pages = list(walk.pages())
    assert walk.complete
    assert walk.seen == found.shown()
    assert len(pages) <= 5


@settings(max_examples=examples(200))
@given(
    starts=st.lists(st.integers(0, 30), min_size=1, max_size=30),
    order=st.sampled_from(ORDERS),
    per_page=st.integers(2, 6),
    stop=st.integers(1, 12),
)
def test_broken_off_anywhere_it_goes_on(
    starts: list[int], order: str, per_page: int, stop: int
) -> None:
    """A walk that goes on at the window of the last page it handed out meets all the rest."""
    found = List(rows_at(*starts), order)
    first = Walk(found.fetch, Window(), per_page)
    window = Window()
    for _ in itertools.islice(first.pages(), stop):
        window = first.window
    second = walked(found, per_page, window)
    assert second.complete
    assert first.seen | second.seen == found.shown()


def test_nobody_is_sure_after_a_row_without_an_id() -> None:
    """A row that has no id may be one that is known: what is missing then is not gone."""
    rows = [row.item() for row in rows_at(1, 2, 3)]
    del rows[1]["id"]
    answers = iter([ListPage(rows, b""), ListPage([], b"")])
    walk = Walk(lambda _: next(answers), Window(), 200)
    assert len(list(walk.pages())) == 1
    assert walk.complete
    assert not walk.is_sure
    assert len(walk.seen) == 3


def test_an_empty_list_is_no_proof() -> None:
    """A list that shows nothing at all is at its end, but nobody is sure of it."""
    walk = walked(List([]), 200)
    assert walk.complete
    assert not walk.is_sure


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"null", b"7", b'"no"', b"[" * 5_000])
def test_what_is_no_list(body: bytes) -> None:
    """Anything but a list is refused; it is never taken for the empty page that ends a walk."""
    with pytest.raises(InvalidData):
        read_page(body)


def test_what_is_no_object_is_still_a_row() -> None:
    """Nulls, numbers and lists among the objects count as rows, so that no page looks empty."""
    body = orjson.dumps([None, 1, [], {"id": 5}])
    page = read_page(body)
    assert page.items == [{"value": None}, {"value": 1}, {"value": []}, {"id": 5}]
    assert page.body == body
