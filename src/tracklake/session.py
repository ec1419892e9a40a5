"""A sync session: one execution of a flow, with its phases, counts and state.

It is what every stage is handed: who the athlete is, where things lie, what time it is, whether to
stop. Its progress goes to the state database (for `status` and the API) and to whoever watches.
"""

import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from tracklake.clock import Clock
from tracklake.config import Folders, Settings
from tracklake.errors import BudgetSpent, Interrupted
from tracklake.state import State

_SAVE_EVERY_S = 0.5


class Watcher(Protocol):
    """Whoever shows progress to a person."""

    def begin(self, phase: str, total: int | None) -> None:
        """A phase starts; `total` items are expected, or it is not known how many."""

    def advance(self, phase: str, processed: int, total: int | None) -> None:
        """So many items are done."""

    def note(self, phase: str, detail: str) -> None:
        """A phase says what it is doing."""

    def end(self, phase: str, detail: str) -> None:
        """A phase is done; `detail` says in a few words what came of it."""


class NobodyWatches:
    """No progress shown."""

    def begin(self, phase: str, total: int | None) -> None:
        """Show nothing."""

    def advance(self, phase: str, processed: int, total: int | None) -> None:
        """Show nothing."""

    def note(self, phase: str, detail: str) -> None:
        """Show nothing."""

    def end(self, phase: str, detail: str) -> None:
        """Show nothing."""


@dataclass
class Phase:
    """A stage at work: what is done, what failed."""

    name: str
    session: "SyncSession"
    total: int | None = None
    processed: int = 0
    errors: int = 0
    detail: str = ""
    _saved: float = field(default=0.0, repr=False)

    def expect(self, total: int) -> None:
        """Say how many items there will be."""
        self.total = total
        self.session.watcher.advance(self.name, self.processed, self.total)

    def advance(self, count: int = 1, errors: int = 0) -> None:
        """Count items as done, some of them set aside."""
        if self.session.received:  # raised where it was swallowed: a destructor, a callback
            raise Interrupted(self.session.received[0])
        self.processed += count
        self.errors += errors
        self.session.watcher.advance(self.name, self.processed, self.total)
        now = self.session.clock.now().timestamp()
        if now - self._saved > _SAVE_EVERY_S:
            self._saved = now
            self.save()

    def note(self, detail: str) -> None:
        """Say what it is doing, for `status` and the log: waiting, for instance."""
        self.detail = detail
        self.session.log.info("phase_note", phase=self.name, detail=detail)
        self.session.watcher.note(self.name, detail)
        self.save()

    def save(self, finished_at: str | None = None) -> None:
        """Write the counts to the state database."""
        self.session.state.execute(
            "insert or replace into phases values (?, ?, ?, ?, ?, "
            "coalesce((select started_at from phases where session_id = ? and phase = ?), ?), "
            "?, ?)",
            (
                *(self.session.session_id, self.name, self.total, self.processed, self.errors),
                *(self.session.session_id, self.name, self.session.now_text()),
                *(finished_at, self.detail),
            ),
        )


@dataclass
class SyncSession:
    """One execution of a flow for one athlete."""

    flow: str
    athlete: str
    settings: Settings
    folders: Folders
    clock: Clock
    state: State
    watcher: Watcher = field(default_factory=NobodyWatches)
    session_id: str = ""
    phases: list[Phase] = field(default_factory=list)
    parked: BudgetSpent | None = None  # what waits for an upstream's quota
    received: list[int] = field(default_factory=list)  # signals that asked to stop

    def __post_init__(self) -> None:
        self.session_id = self.session_id or new_session_id(self.clock)
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(
            session_id=self.session_id, flow=self.flow, athlete=self.athlete
        )

    def now_text(self) -> str:
        """Return the present moment as ISO 8601 in UTC."""
        return self.clock.now().astimezone(dt.UTC).isoformat(timespec="milliseconds")

    def begin(self) -> None:
        """Enter the session in the state database.

        Whoever begins holds the lock: another session that is 'running' has no process any more.
        """
        self.state.execute(
            "update sessions set state = 'failed', finished_at = ?, error = ? "
            "where state = 'running'",
            (self.now_text(), "the process ended without a word (killed?)"),
        )
        self.state.execute(
            "insert into sessions values (?, ?, ?, 'running', ?, null, ?, null)",
            (self.session_id, self.athlete, self.flow, self.now_text(), os.getpid()),
        )
        self.log.info("session_started")

    def finish(self, state: str, error: str | None = None) -> None:
        """Close the session: completed, completed_with_errors, waiting_quota, needs_auth, failed or
        interrupted.
        """
        self.state.execute(
            "update sessions set state = ?, finished_at = ?, error = ? where session_id = ?",
            (state, self.now_text(), error, self.session_id),
        )
        totals = {phase.name: phase.processed for phase in self.phases}
        self.log.info("session_finished", state=state, error=error, processed=totals)

    @contextlib.contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Phase]:
        """Run a stage: its counts are kept even when it fails."""
        again = sum(1 for phase in self.phases if phase.name.split(" ")[0] == name)
        name = f"{name} {again + 1}" if again else name
        phase = Phase(name, self, total)
        self.phases.append(phase)
        self.watcher.begin(name, total)
        phase.save()
        started = self.clock.now()
        try:
            yield phase
        except BaseException:  # an interruption too; raised on
            phase.detail = ""  # it did not come to its end
            raise
        finally:
            phase.save(finished_at=self.now_text())
            seconds = (self.clock.now() - started).total_seconds()
            self.watcher.end(name, phase.detail)
            self.log.info(
                "phase_finished",
                phase=name,
                processed=phase.processed,
                errors=phase.errors,
                duration_s=round(seconds, 3),
                detail=phase.detail,
            )


def new_session_id(clock: Clock) -> str:
    """Name a session so that names sort by time and never meet."""
    return f"{clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
