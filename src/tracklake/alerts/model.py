"""What alerts are made of and made from; pure.

A look says what fires and which causes it judged: what it judged and what does not fire is over.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

INFO, WARNING, CRITICAL = "info", "warning", "critical"
EVERY = "*"  # every cause of a code


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing a person should know of: a stable code, what it is about, what to do."""

    code: str
    cause: str
    severity: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class Look:
    """What fires; judged: the codes and causes that were looked at (EVERY: all of a code)."""

    firing: tuple[Alert, ...] = ()
    judged: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: "Look") -> "Look":
        return Look(self.firing + other.firing, self.judged | other.judged)

    def has_judged(self, code: str, cause: str) -> bool:
        """Tell whether a cause was looked at."""
        return bool({(code, cause), (code, EVERY)} & self.judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A session that ended. whose: empty for the usual athlete. stages: items and errors of each.

    known_errors: of items that had failed in a run before, and were tried again. no_login: sources
    that need one; at_login: those whose login did.
    """

    flow: str
    state: str
    whose: str = ""
    duration_s: float = 0.0
    error_class: str | None = None
    stages: tuple[tuple[int, int], ...] = ()
    known_errors: int = 0
    no_login: tuple[str, ...] = ()
    at_login: tuple[str, ...] = ()

    @property
    def processed(self) -> int:
        """Return how many items it went through."""
        return sum(processed for processed, _ in self.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A day's limit of a service; ours: calls that our own sessions made in it."""

    source: str
    kind: str
    used: int
    most: int
    ours: int
    resets_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """at: when the last one held all that there is. has_failed: the newest try since did;
    is_left_out: something was compacted a day ago, and no backup followed.
    """

    at: dt.datetime
    has_failed: bool = False
    is_left_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What there is to be judged at any time. due: when the schedule wanted a run after success."""

    now: dt.datetime
    began: dt.datetime | None = None  # the last success, else the first session
    succeeded: bool = False
    due: dt.datetime | None = None
    quotas: Sequence[Quota] = ()
    backup: Backup | None = None
    free_bytes: int | None = None
    gold_bytes: int = 0
    key_ends_on: str | None = None
    key_stage_days: int | None = None  # it ends in so many days at most; None: not soon
    open_breakers: Sequence[str] = ()
