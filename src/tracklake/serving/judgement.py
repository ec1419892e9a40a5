"""What the facts mean: ok, degraded, down, and why; pure."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracklake.alerts.rules import MOST_BACKUP_AGE, PATIENCE, is_overdue


@dataclass(frozen=True, slots=True)
class Reason:
    """Why all is not well: a code that stays the same, and a sentence that says what to do."""

    code: str
    says: str
    is_down: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """What is public of a session; times are ISO 8601 in UTC."""

    flow: str
    state: str
    started_at: str
    finished_at: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found: sessions, what was set aside, the warehouse, and what could not be read."""

    newest: Session | None = None
    last_of_each: tuple[Session, ...] = ()  # the last that ended, of each flow
    last_success_at: str | None = None
    set_aside: int = 0
    backed_up_at: dt.datetime | None = None  # when a backup last held all that there is
    warehouse: dict[str, Any] | None = None
    is_scheduler_late: bool = False
    due_after_success: dt.datetime | None = None  # when the schedule wanted the next one
    troubles: Sequence[Reason] = field(default=())


DISK_FULL = Reason("disk_full", "the disk is full: make room where the data lies", is_down=True)
STATE_UNREADABLE = Reason(
    "state_unreadable",
    "the state database cannot be read: `tracklake doctor` says what to do",
    is_down=True,
)
WAREHOUSE_UNREADABLE = Reason(
    "warehouse_unreadable",
    "the warehouse cannot be read: `tracklake doctor` says what to do",
    is_down=True,
)
NO_WAREHOUSE = Reason("no_warehouse", "there is no warehouse yet: `tracklake flow` makes it")
_NEEDS_AUTH = Reason("needs_auth", "a source needs a new login: `make auth`")
_WAITS = Reason("waiting_quota", "the rest waits for an upstream's quota; the next flow goes on")
_BACKUP_OLD = Reason("backup_old", "the last backup is too old: `tracklake status` says more")
_SET_ASIDE = Reason("set_aside", "items are set aside: `tracklake quarantine list`")
_SCHEDULER_LATE = Reason(
    "scheduler_late",
    "a flow is due and none began: `make schedule-up` starts the scheduler",
    is_down=True,
)


def reasons(facts: Facts, now: dt.datetime) -> list[Reason]:
    """Return why all is not well, the worst first; nothing if it is."""
    found = [*facts.troubles, *_of_sessions(facts, now), *_of_age(facts, now)]
    if facts.is_scheduler_late:
        found.append(_SCHEDULER_LATE)
    if facts.backed_up_at and now - facts.backed_up_at > MOST_BACKUP_AGE:
        found.append(_BACKUP_OLD)
    if facts.set_aside:
        found.append(_SET_ASIDE)
    return sorted(dict.fromkeys(found), key=lambda reason: not reason.is_down)


def verdict(found: Sequence[Reason]) -> str:
    """Return "ok", "degraded" (it works, somebody should look) or "down" (it does not)."""
    if any(reason.is_down for reason in found):
        return "down"
    return "degraded" if found else "ok"


def _of_sessions(facts: Facts, now: dt.datetime) -> Iterator[Reason]:
    """Look at how each flow ended last, unless that is long ago and others ran since."""
    ended = sorted(facts.last_of_each, key=lambda session: str(session.finished_at))
    for session in ended:
        is_newest = session is ended[-1]
        if not is_newest and _age(str(session.finished_at), now) > PATIENCE:
            continue
        if session.state == "needs_auth":
            yield _NEEDS_AUTH
        elif session.state == "waiting_quota":
            yield _WAITS
        elif session.state == "failed":
            says = f"the last {session.flow} failed: `tracklake status` says why"
            yield Reason("last_session_failed", says)
        elif session.state == "retrying":
            says = f"the last {session.flow} ended early; the next goes on there"
            yield Reason("retrying", says)


def _of_age(facts: Facts, now: dt.datetime) -> Iterator[Reason]:
    """Where one was due by schedule, too long without a success is a failure."""
    if facts.newest is None:
        return
    last = facts.last_success_at
    began = last or min(session.started_at for session in (*facts.last_of_each, facts.newest))
    due = facts.due_after_success
    if is_overdue(dt.datetime.fromisoformat(began), now, due):
        yield Reason(
            "no_success",
            f"nothing has ended well since {last or 'the beginning'}: `tracklake status`",
            is_down=due is not None,
        )


def _age(moment: str, now: dt.datetime) -> dt.timedelta:
    return now - dt.datetime.fromisoformat(moment)
