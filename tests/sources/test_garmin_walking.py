"""Walking a list by offset while it changes: nothing that stays is missed."""

from collections.abc import Callable

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tracklake.garmin.walking import Place, Walk
from tracklake.upstream.listed import ListPage


def page_of(ids: list[int]) -> ListPage:
    """Return a page with these activities."""
    items = [{"activityId": one} for one in ids]
    return ListPage(items, orjson.dumps(items))


class ChangingList:
    """A list, newest first, that something happens to before each page."""

    def __init__(self, ids: list[int], happens: list[Callable[[list[int]], None]]) -> None:
        self.ids = ids
        self.happens = happens
        self.asked: list[int] = []

    def fetch(self, start: int, limit: int) -> ListPage:
        """Return a page."""
        if self.asked and self.happens:
            self.happens.pop(0)(self.ids)
        self.asked.append(start)
        return page_of(self.ids[start : start + limit])


def walked(found: ChangingList, limit: int = 4) -> Walk:
    """Walk to the end."""
    walk = Walk(found.fetch, limit=limit)
    for _ in walk.pages():
        pass
    return walk


def test_a_calm_list_is_read_once() -> None:
    """Pages overlap by one, and the end is an empty page."""
    found = ChangingList(list(range(10, 0, -1)), [])
    walk = walked(found)
    assert walk.seen == {str(one) for one in range(1, 11)}
    assert found.asked == [0, 3, 6, 9, 10]
    assert walk.is_sure


def test_an_empty_list() -> None:
    """Nothing there: complete, but no proof that anything is gone."""
    walk = walked(ChangingList([], []))
    assert walk.complete
    assert not walk.is_sure


def test_the_limit_is_never_above_twenty() -> None:
    """Whatever is asked for, pages of 20: larger ones fail."""
    limits: list[int] = []

    def fetch(start: int, limit: int) -> ListPage:
        limits.append(limit)
        return page_of([] if start else [1])

    for _ in Walk(fetch, limit=200).pages():
        pass
    assert limits == [20, 20]


def test_shorter_pages_than_asked_for() -> None:
    """A service that gives fewer a page than it was asked for is read to its end all the same."""
    ids = list(range(30, 0, -1))
    walk = Walk(lambda start, limit: page_of(ids[start : start + min(limit, 3)]), limit=8)
    for _ in walk.pages():
        pass
    assert walk.seen == {str(one) for one in ids}
    assert walk.is_sure


def test_a_list_that_repeats_itself_ends() -> None:
    """A service that ignores the offset does not keep us for ever, and proves nothing."""
    walk = Walk(lambda _, limit: page_of(list(range(limit))[::-1]), limit=4)
    for _ in walk.pages():
        pass
    assert not walk.complete
    assert not walk.is_sure


def test_a_list_without_order_ends() -> None:
    """A service that shuffles does not keep us for ever."""
    pages = iter(range(10**6))
    walk = Walk(lambda _, limit: page_of([next(pages) + 1 for _ in range(limit)]), limit=4)
    for _ in walk.pages():
        pass
    assert not walk.complete


def test_going_on_where_it_was_broken_off() -> None:
    """From a checkpoint the walk goes on with a known activity, and asks for no page again."""
    ids = list(range(10, 0, -1))
    first = Walk(ChangingList(ids, []).fetch, limit=4)
    pages = first.pages()
    next(pages)
    next(pages)
    found = ChangingList(ids, [])
    second = Walk(found.fetch, first.place, 4, seen=set(first.seen))
    for _ in second.pages():
        pass
    assert found.asked == [6, 9, 10]
    assert second.is_sure
    assert second.seen == {str(one) for one in ids}


def test_a_place_that_is_no_more() -> None:
    """Where the list is shorter than the checkpoint says, the walk goes back to what is known."""
    walk = Walk(
        ChangingList([5, 4, 3, 2, 1], []).fetch, Place(start=40, anchor="9"), 4, seen={"5", "9"}
    )
    for _ in walk.pages():
        pass
    assert walk.complete
    assert not walk.is_sure
    assert walk.seen >= {"5", "4", "3", "2", "1"}


_CHANGE = st.sampled_from(["come", "go", "stay", "go many"])


@given(st.integers(0, 40), st.lists(st.tuples(_CHANGE, st.integers(0, 60)), max_size=12))
def test_what_stays_is_met(count: int, changes: list[tuple[str, int]]) -> None:
    """Whatever comes and goes between pages, all that stays is met."""
    ids = [10 * one for one in range(count, 0, -1)]
    lasting = set(ids)

    def happening(kind: str, where: int) -> Callable[[list[int]], None]:
        def happens(now: list[int]) -> None:
            if kind == "come":
                now.insert(0, (now[0] if now else 0) + 10)
            elif kind != "stay":
                for _ in range(3 if kind == "go many" else 1):
                    if now:
                        lasting.discard(now.pop(where % len(now)))

        return happens

    walk = walked(ChangingList(ids, [happening(*one) for one in changes]))
    assert walk.complete
    assert {str(one) for one in lasting} <= walk.seen
