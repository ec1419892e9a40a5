"""Where the source stands between runs: how far the list is known, where a walk was broken off.

It lives in the state database; losing it costs one reading of the whole list.
"""

import datetime as dt
from dataclasses import dataclass, field

import orjson

from tracklake.strava.listing import Walk, Window
from tracklake.upstream.memory import WalkMemory, moment, within

_STALE = dt.timedelta(hours=6)  # a look back that was broken off is begun anew after this
_LATELY = dt.timedelta(days=2)  # a quota that was used up is there again tomorrow


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a walk goes on. seen: the ids that it met before; is_sure: it missed none of them.

    proves: it was broken off lately, so that what neither part met may be said to be gone.
    """

    window: Window = field(default_factory=Window)
    seen: frozenset[str] = frozenset()
    is_sure: bool = True
    proves: bool = True


@dataclass(frozen=True, slots=True)
class Checkpoints(WalkMemory):
    """What is remembered of one athlete's list. Walks are `full` or `new`."""

    def of(self, mode: str) -> Checkpoint | None:
        """Return where a walk was broken off."""
        return self.walk(mode, lambda told: self._checkpoint(mode, told))

    def _checkpoint(self, mode: str, told: str) -> Checkpoint | None:
        fields = orjson.loads(told)
        at = moment(fields.pop("at"))
        is_sure = fields.pop("is_sure", False)
        if mode == "new":
            return Checkpoint(window=Window(**fields)) if self._is_within(at, _STALE) else None
        return Checkpoint(
            window=Window(**fields),
            seen=self.seen(),
            is_sure=is_sure,
            proves=self._is_within(at, _LATELY),
        )

    def keep(self, mode: str, walk: Walk) -> None:
        """Remember where a walk goes on after the page that it handed out last."""
        window = walk.window
        fields = {"after": window.after, "before": window.before, "page": window.page}
        state = {"is_sure": not (walk.by_number or walk.unnamed), "at": self.session.now_text()}
        with self.session.state.transaction():
            self.write(f"walk:{mode}", orjson.dumps({**fields, **state}).decode())
            if mode == "full":
                self.add_seen(walk.shown)

    def was_lately(self, fact: str) -> bool:
        """Tell whether a moment that is remembered lies in the last two days."""
        return self.was_within(fact, _LATELY)

    def _is_within(self, since: dt.datetime, span: dt.timedelta) -> bool:
        return within(self.session.clock.now(), since, span)
