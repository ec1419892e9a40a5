"""Where a walk over the list was broken off; losing it costs calls, not data."""

import datetime as dt
from dataclasses import asdict, dataclass, field

import orjson

from tracklake.garmin.walking import Place, Walk
from tracklake.upstream.memory import WalkMemory, moment, within

_STALE = dt.timedelta(hours=6)  # a look back that was broken off is begun anew after this
_LATELY = dt.timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a walk goes on. seen: the ids that it met before; unsure: it may have missed some.

    proves: it was broken off lately, so that what neither part met may be said to be gone.
    """

    place: Place = field(default_factory=Place)
    seen: frozenset[str] = frozenset()
    unsure: bool = False
    proves: bool = True


@dataclass(frozen=True, slots=True)
class Checkpoints(WalkMemory):
    """What is remembered of one athlete's list. Walks are `full` or `new`."""

    def of(self, mode: str) -> Checkpoint | None:
        """Return where a walk was broken off."""
        return self.walk(mode, lambda told: self._checkpoint(mode, told))

    def _checkpoint(self, mode: str, told: str) -> Checkpoint | None:
        fields = orjson.loads(told)
        at = moment(fields["at"])
        now = self.session.clock.now()
        if mode == "new" and not within(now, at, _STALE):
            return None
        return Checkpoint(
            place=Place(**fields["place"]),
            seen=frozenset(fields["shown"]) | (self.seen() if mode == "full" else frozenset()),
            unsure=fields["unsure"],
            proves=within(now, at, _LATELY),
        )

    def keep(self, mode: str, walk: Walk) -> None:
        """Remember where a walk goes on after the page that it handed out last."""
        state = {
            "place": asdict(walk.place),
            "shown": walk.shown,
            "unsure": walk.unsure,
            "at": self.session.now_text(),
        }
        with self.session.state.transaction():
            self.write(f"walk:{mode}", orjson.dumps(state).decode())
            if mode == "full":
                self.add_seen(walk.shown)

    def was_lately(self, fact: str) -> bool:
        """Tell whether a moment that is remembered lies in the last two days."""
        return self.was_within(fact, _LATELY)
