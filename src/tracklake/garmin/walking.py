"""Walking Garmin's list by offset without losing an activity while the list changes. Pure.

The list is newest first, and a page is asked for by how many activities lie before it. So each
page begins with the last activity of the one before: if something came meanwhile, activities are
seen twice; if something went, the page begins with one that nobody saw, and the walk steps back.
The list ends at an empty page.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tracklake.errors import InvalidData
from tracklake.garmin import records
from tracklake.upstream.listed import ListPage, content_hash_of

LIMIT = 20  # the Personal API fails above about 45, and at its own default
_LEAST = 2  # activities a page: the first is the last of the page before
_MOST_BARREN = 50  # pages in a row that bring nothing new
_MOST_SETBACKS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a walk stands. start: how many activities lie before the next page; anchor: with which
    one that page begins, None where it may begin with any.
    """

    start: int = 0
    anchor: str | None = None


@dataclass(slots=True)
class Walk:
    """A walk from a place to the list's end. `fetch` asks for a page, by its start and limit.

    seen: the ids that were listed; shown: those of the page that was handed out last. complete: it
    came to the end. unsure: something moved meanwhile, or an activity had no id, so that one may
    have been missed.
    """

    fetch: Callable[[int, int], ListPage]
    place: Place = field(default_factory=Place)
    limit: int = LIMIT
    seen: set[str] = field(default_factory=set)
    shown: list[str] = field(default_factory=list)
    complete: bool = False
    unsure: bool = False
    _barren: int = 0
    _setbacks: int = 0

    def __post_init__(self) -> None:
        self.limit = max(_LEAST, min(self.limit, LIMIT))

    @property
    def is_sure(self) -> bool:
        """Tell whether what it did not meet is not there."""
        return self.complete and bool(self.seen) and not self.unsure

    def pages(self) -> Iterator[ListPage]:
        """Yield each page that goes on where the one before ended; `place` is behind it by then."""
        while self._barren < _MOST_BARREN and self._setbacks < _MOST_SETBACKS:
            page = self.fetch(self.place.start, self.limit)
            keys = [self._key(item) for item in page.items]
            if not keys and self.place.anchor is None:
                self.complete = True
                return
            if self.place.start and (not keys or keys[0] not in self.seen):
                self._step_back()
                continue
            self.unsure |= self.place.anchor is not None and keys[0] != self.place.anchor
            self._pass(keys)
            yield page

    def _step_back(self) -> None:
        """Go back to what is known: activities went, or a short page was not the last."""
        self._setbacks += 1
        start = self.place.start
        if self.place.anchor is None and self.shown:
            self.limit = max(_LEAST, len(self.shown))  # the service's pages are no longer
            self.place = Place(start=start - 1, anchor=self.shown[-1])
            return
        self.unsure = True
        start = max(0, start - self.limit // 2)
        self.place = Place(start=start, anchor="" if start else None)

    def _pass(self, keys: list[str]) -> None:
        """Go on behind a page: a full one's last activity is asked for again."""
        self._barren = 0 if any(key not in self.seen for key in keys) else self._barren + 1
        self.seen.update(keys)
        self.shown = keys
        behind = self.place.start + len(keys)
        if len(keys) < self.limit:
            self.place = Place(start=behind)
        else:
            self.place = Place(start=behind - 1, anchor=keys[-1])

    def _key(self, item: dict[str, Any]) -> str:
        try:
            return records.identity(item)
        except InvalidData:
            self.unsure = True
            return content_hash_of(item)
