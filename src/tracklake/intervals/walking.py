"""intervals.icu's lists, read window by window: where a walk stands is remembered."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from tracklake.clock import Clock
from tracklake.errors import AuthError, ConfigError, InvalidData, SourceError, Transient
from tracklake.intervals import api, windows
from tracklake.intervals.windows import Window
from tracklake.upstream.calls import Calls
from tracklake.upstream.listed import ListPage, read_page
from tracklake.upstream.memory import Memory

_MOST_BYTES = 32 << 20  # of an answer: five thousand activities
_EASTMOST = dt.timedelta(hours=14)


def today(clock: Clock) -> dt.date:
    """Return the date where it is latest on Earth: nobody's today is after it."""
    return (clock.now() + _EASTMOST).date()


@dataclass(frozen=True, slots=True)
class Lists:
    """One athlete's lists at the service."""

    calls: Calls
    athlete_id: str

    def fetch(self, name: str, window: Window) -> ListPage:
        """Ask for what lies in a window.

        Raises InvalidData for too much, Transient, ConfigError for an athlete that is not there.
        """
        parameters: dict[str, str | int] = {
            "oldest": window.oldest.isoformat(),
            "newest": window.newest.isoformat(),
        }
        path = f"athlete/{self.athlete_id}/{name}"
        answer = self.calls.get(path, parameters, most_bytes=_MOST_BYTES)
        if answer.status == 403:
            # Of another's pages it says no more than of a wrong key.
            raise AuthError(api.REJECTED if self.athlete_id == "0" else api.NOT_YOURS)
        if answer.status == 404:
            raise ConfigError(api.NO_ATHLETE)
        if answer.status == 200:
            try:
                return read_page(answer.body)
            except InvalidData as error:
                raise SourceError(f"intervals.icu's {name}: {error}") from error
        raise SourceError(f"intervals.icu answered {answer.status} and no list of {name}")


def _window_and_seen(text: str) -> tuple[Window, set[str]]:
    told = orjson.loads(text)
    window = Window(
        oldest=dt.date.fromisoformat(told["oldest"]),
        newest=dt.date.fromisoformat(told["newest"]),
        empty_days=told["empty_days"],
        patient=told["patient"],
    )
    return window, set(told["seen"])


@dataclass(slots=True)
class Walk:
    """A walk over all of a list, which a spent quota or a kill only interrupts.

    fact: under which it is remembered. seen: ids that its pages named. is_new: it began just now.
    """

    memory: Memory
    fact: str
    days: int
    window: Window
    seen: set[str] = field(default_factory=set)
    is_new: bool = True

    @classmethod
    def of(cls, memory: Memory, fact: str, days: int, newest: dt.date) -> "Walk":
        """Go on with the walk that is remembered, or begin one."""
        kept = memory.understood(fact, _window_and_seen)
        if kept is None:
            now = today(memory.session.clock)
            return cls(memory, fact, days, windows.first(now, days, newest))
        return cls(memory, fact, days, *kept, is_new=False)

    def pages(
        self,
        fetch: Callable[[Window], ListPage],
        is_blank: Callable[[dict[str, Any]], bool] = lambda item: False,  # noqa: ARG005
    ) -> Iterator[ListPage]:
        """Yield a page a window; each is remembered as read when the next is asked for.

        is_blank: of items that say nothing, as where a service makes up what is not there.
        """
        window: Window | None = self.window
        while window is not None:
            try:
                page = fetch(window)
            except (InvalidData, Transient):  # too much for it, or for us
                if not window.is_rest or window.patient:
                    raise
                window = windows.walked(window, self.days)
                continue
            yield page
            is_empty = all(map(is_blank, page.items))
            window = windows.before(window, self.days, is_empty=is_empty)
            if window is not None:
                self._keep(window)

    def forget(self) -> None:
        """Say that what it found is made use of: the next walk begins anew."""
        self.memory.write(self.fact, None)

    def _keep(self, window: Window) -> None:
        told = {
            "oldest": window.oldest.isoformat(),
            "newest": window.newest.isoformat(),
            "empty_days": window.empty_days,
            "patient": window.patient,
            "seen": sorted(self.seen),
        }
        self.memory.write(self.fact, orjson.dumps(told).decode())
