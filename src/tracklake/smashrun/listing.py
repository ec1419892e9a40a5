"""Walking SmashRun's list page by page to the empty one, and where a walk was broken off.

Page numbers count from 0 and shift while runs come and go: one that comes shows another twice, one
that goes hides another. So a walk that was broken off long ago begins anew, and what a walk over
all has not met is looked for a second time before it counts as gone.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from tracklake.errors import InvalidData
from tracklake.json_reader import Reader
from tracklake.json_text import parse
from tracklake.smashrun import records
from tracklake.upstream.listed import ListPage
from tracklake.upstream.memory import Memory, moment, number, within

MOST_A_PAGE = 100
_MOST_ALIKE = 3  # pages in a row that bring nothing new: the list repeats itself
_STALE = {
    "full": dt.timedelta(days=2),
    "ids": dt.timedelta(days=2),
    "new": dt.timedelta(hours=6),
}


@dataclass(slots=True)
class Walk:
    """One walk over the list, or what changed since a moment.

    began_s: when it began; since_s: None for all; newest_s: the newest change that it met; UNIX
    seconds. page: the next one. seen: ids met so far. is_resumed: another pull began it.
    complete: the empty page came.
    """

    began_s: float
    since_s: int | None = None
    page: int = 0
    seen: set[str] = field(default_factory=set)
    newest_s: float | None = None
    is_resumed: bool = False
    complete: bool = False

    def pages(
        self, fetch: Callable[[dict[str, str | int]], ListPage], count: int
    ) -> Iterator[ListPage]:
        """Yield pages until an empty one, or until the list only repeats itself."""
        alike = 0
        while alike < _MOST_ALIKE and not self.complete:
            found = fetch(self._parameters(count))
            if not found.items:
                self.complete = True
                return
            before = len(self.seen)
            self._meet(found)
            alike = alike + 1 if len(self.seen) == before else 0
            self.page += 1
            yield found

    def _parameters(self, count: int) -> dict[str, str | int]:
        asked: dict[str, str | int] = {"page": self.page, "count": min(count, MOST_A_PAGE)}
        if self.since_s is not None:
            asked["fromDateUTC"] = self.since_s
        return asked

    def _meet(self, page: ListPage) -> None:
        for item in page.items:
            try:
                self.seen.add(records.identity(item))
            except InvalidData:
                continue
            at_s = records.changed_s(item)
            if at_s is not None:
                self.newest_s = max(self.newest_s or at_s, at_s)


def ids_of(body: bytes) -> set[str]:
    """Read a page of `/search/ids`; InvalidData if it is no list."""
    try:
        found = parse(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise InvalidData("it is no list of ids", reason="no_list")
    numbers = [Reader({"id": one}).integer("id") for one in found]
    return {str(number) for number in numbers if number is not None}


@dataclass(frozen=True, slots=True)
class Checkpoints(Memory):
    """What is remembered of one athlete's list. Walks are `full`, `new`, or over bare `ids`."""

    def of(self, mode: str) -> Walk | None:
        """Return a walk that was broken off lately."""
        return self.understood(f"walk:{mode}", lambda told: self._walk(mode, told))

    def _walk(self, mode: str, told: str) -> Walk | None:
        fields = orjson.loads(told)
        at = moment(fields["at"])
        if not within(self.session.clock.now(), at, _STALE[mode]):
            return None
        return Walk(
            began_s=fields["began_s"],
            since_s=fields["since_s"],
            page=fields["page"],
            seen=set(fields["seen"]),
            newest_s=fields["newest_s"],
            is_resumed=True,
            complete=fields["complete"],
        )

    def keep(self, mode: str, walk: Walk) -> None:
        """Remember where a walk goes on after the page that it handed out last."""
        fields = {
            "began_s": walk.began_s,
            "since_s": walk.since_s,
            "page": walk.page,
            "seen": sorted(walk.seen),
            "newest_s": walk.newest_s,
            "complete": walk.complete,
            "at": self.session.now_text(),
        }
        self.write(f"walk:{mode}", orjson.dumps(fields).decode())

    def forget(self) -> None:
        """Begin every walk anew."""
        with self.session.state.transaction():
            for mode in _STALE:
                self.write(f"walk:{mode}", None)

    def watermark_s(self) -> float | None:
        """Return when the newest change was that is surely known, UNIX seconds."""
        return self.understood("watermark", number)

    def set_watermark(self, walk: Walk) -> None:
        """Remember how far changes are known: at most to when the walk began, whatever is dated in
        the future or came to a page that had been read.
        """
        if walk.newest_s is not None:
            reached_s = min(walk.newest_s, walk.began_s)
            self.write("watermark", repr(max(reached_s, self.watermark_s() or 0.0)))
