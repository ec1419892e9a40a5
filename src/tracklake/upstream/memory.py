"""What a source remembers between runs, in the state database; losing it costs calls, not data."""

import datetime as dt
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import orjson

from tracklake.session import SyncSession

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Memory:
    """Facts of one athlete at one source, by name."""

    session: SyncSession
    source: str

    def key(self, fact: str) -> str:
        """Return the name under which a fact lies in the table of all."""
        return f"{self.source}_{fact}:{self.session.athlete}"

    def read(self, fact: str) -> str | None:
        """Return what is remembered under a name."""
        rows = self.session.state.execute(
            "select value from facts where name = ?", (self.key(fact),)
        )
        return str(rows[0][0]) if rows else None

    def understood(self, fact: str, parse: Callable[[str], T]) -> T | None:
        """Return what a fact means; one that is damaged is forgotten, as if it had never been."""
        told = self.read(fact)
        if told is None:
            return None
        try:
            return parse(told)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            self.session.log.warning("fact_not_understood", fact=self.key(fact))
            self.write(fact, None)
            return None

    def write(self, fact: str, value: str | None) -> None:
        """Remember something under a name, or forget it."""
        state = self.session.state
        if value is None:
            state.execute("delete from facts where name = ?", (self.key(fact),))
        else:
            state.execute("insert or replace into facts values (?, ?)", (self.key(fact), value))

    def was_within(self, fact: str, span: dt.timedelta) -> bool:
        """Tell whether a moment that is remembered lies less than a span back."""
        since = self.understood(fact, moment)
        return since is not None and within(self.session.clock.now(), since, span)


@dataclass(frozen=True, slots=True)
class WalkMemory(Memory):
    """Where walks over a list were broken off, `full` or `new`, and what a full one met before."""

    def walk(self, mode: str, parse: Callable[[str], T]) -> T | None:
        """Return a walk that is remembered; if it is damaged, every walk is forgotten.

        What a damaged one had met would count as met by the next one.
        """
        if self.read(f"walk:{mode}") is None:
            return None
        found = self.understood(f"walk:{mode}", parse)
        if self.read(f"walk:{mode}") is None:
            self.begin_anew()
        return found

    def begin_anew(self) -> None:
        """Forget every walk."""
        with self.session.state.transaction():
            self.session.state.execute("delete from facts where name glob ?", (self.key("seen_*"),))
            for mode in ("full", "new"):
                self.write(f"walk:{mode}", None)

    def add_seen(self, ids: Iterable[str]) -> None:
        """Remember the ids of a page more."""
        number = len(self._seen_facts()) + 1
        self.write(f"seen_{number}", orjson.dumps(sorted(ids)).decode())

    def seen(self) -> frozenset[str]:
        """Return all ids that were met."""
        return frozenset(one for (told,) in self._seen_facts() for one in orjson.loads(str(told)))

    def _seen_facts(self) -> list[tuple[object, ...]]:
        return self.session.state.execute(
            "select value from facts where name glob ?", (self.key("seen_*"),)
        )


def moment(told: str) -> dt.datetime:
    """Read a moment; ValueError if it is none, or says no zone."""
    found = dt.datetime.fromisoformat(told)
    if found.tzinfo is None:
        raise ValueError(f"{told!r} says no zone")
    return found


def number(told: str) -> float:
    """Read a number; ValueError if it is none."""
    found = float(told)
    if not math.isfinite(found):
        raise ValueError(f"{told!r} is no number")
    return found


def within(now: dt.datetime, since: dt.datetime, span: dt.timedelta) -> bool:
    """Tell whether less than a span has passed; a clock that was set back tells nothing."""
    return dt.timedelta(0) <= now - since < span
