"""How Strava cuts an account into pages."""

import random
from collections.abc import Sequence
from typing import Literal

from tests.upstream import activities
from tests.upstream.account import Account
from tests.upstream.activities import Item
from tests.upstream.calls import Answer, Call
from tests.upstream.observed import bad_request

USUAL_PER_PAGE = 30
MOST_PER_PAGE = 200
Order = Literal["real", "newest", "oldest", "random"]
NUMBERS = ("before", "after", "page", "per_page")


def wrong_number(call: Call) -> Answer | None:
    """Return the refusal of a parameter that is no whole number."""
    for name in NUMBERS:
        if not call.query.get(name, "1").lstrip("-").isdecimal():
            return bad_request(name)
    return None


def bounds(call: Call) -> slice:
    """Return which rows the asked page holds; a page never holds more than 200."""
    size = int(call.query.get("per_page", USUAL_PER_PAGE))
    size = min(max(size, 1), MOST_PER_PAGE)
    first = (max(int(call.query.get("page", 1)), 1) - 1) * size
    return slice(first, first + size)


def page_of(rows: Sequence[object], call: Call) -> Answer:
    """Return the asked page of rows that are payloads already."""
    return wrong_number(call) or Answer(payload=list(rows[bounds(call)]))


class Listing:
    """GET /athlete/activities; the settings are explained at StravaUpstream."""

    def __init__(self, *, order: Order, inclusive: bool, filter_late: bool) -> None:
        self.order: Order = order
        self.inclusive = inclusive
        self.filter_late = filter_late
        self._sorted: tuple[int, list[Item]] = (-1, [])

    def answer(self, account: Account, call: Call, *, read_all: bool) -> Answer:
        """Return the asked page of summaries."""
        refusal = wrong_number(call)
        if refusal is not None:
            return refusal
        rows = self._ordered(self._between(self._newest_first(account), call), call)
        if not self.filter_late:
            rows = [item for item in rows if item.visible(read_all=read_all)]
        shown = [item for item in rows[bounds(call)] if item.visible(read_all=read_all)]
        return Answer(payload=[activities.summary(item) for item in shown])

    def _newest_first(self, account: Account) -> list[Item]:
        version, rows = self._sorted
        if version != account.version:
            alive = (item for item in account.items.values() if not item.deleted)
            rows = sorted(alive, key=lambda item: (item.start, item.id), reverse=True)
            self._sorted = (account.version, rows)
        return rows

    def _between(self, rows: list[Item], call: Call) -> list[Item]:
        slack_s = 1 if self.inclusive else 0
        if "before" in call.query:
            before_s = int(call.query["before"]) + slack_s
            rows = [item for item in rows if item.start.timestamp() < before_s]
        if "after" in call.query:
            after_s = int(call.query["after"]) - slack_s
            rows = [item for item in rows if item.start.timestamp() > after_s]
        return rows

    def _ordered(self, rows: list[Item], call: Call) -> list[Item]:
        if self.order == "random":  # the same at each call, so that paging still makes sense
            return sorted(rows, key=lambda item: random.Random(item.id).random())  # noqa: S311
        ascending = "after" in call.query and "before" not in call.query
        if self.order == "oldest" or (self.order == "real" and ascending):
            return rows[::-1]
        return rows
