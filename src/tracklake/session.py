"""A sync session: one execution of a flow, with its phases, counts and state.

It is what every stage is handed: who the athlete is, where things lie, what time it is, whether to
stop. Its progress goes to the state database (for `status` and the API) and to whoever watches.
"""

import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog

import tracklake
from tracklake import redaction, session_states
from tracklake.clock import Clock
from tracklake.config import Folders, Settings
from tracklake.errors import BudgetSpent, Busy, Interrupted
from tracklake.session_states import AT_WORK_SQL, RETRYING
from tracklake.state import State
from tracklake.watching import NobodyWatches, Watcher

_SAVE_EVERY_S = 0.5
_FRESH_S = 15.0  # so young is the sign of life of a session that may be at work elsewhere
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
GONE = "its process is gone (killed?); the next run takes up what it left"


@dataclass
class Phase:
    """A stage at work: what is done, what failed, the calls it made, when it began.

    forecast: says when it will be done, where that is not by how fast it went so far: a quota.
    """

    name: str
    session: "SyncSession"
    total: int | None = None
    processed: int = 0
    errors: int = 0
    calls: int = 0
    detail: str = ""
    began: dt.datetime = field(init=False)
    forecast: Callable[[], dt.datetime | None] | None = None
    _saved: float = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        self.began = self.session.clock.now()

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
        self.session.log.info("phase_note", detail=detail)
        self.session.watcher.note(self.name, detail)
        self.save()

    def save(self, finished_at: str | None = None) -> None:
        """Write the counts to the state database: a sign of life, too."""
        session, now = self.session, self.session.clock.now()
        ends_at = None if finished_at else self._expected_end(now)
        expected = _text(ends_at) if ends_at else None
        session.state.execute(
            "insert into phases (session_id, phase, total, processed, errors, started_at, "
            "finished_at, detail, calls, expected_at, span_id) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (session_id, phase) do update "
            "set total = excluded.total, processed = excluded.processed, errors = excluded.errors, "
            "finished_at = excluded.finished_at, detail = excluded.detail, "
            "calls = excluded.calls, expected_at = excluded.expected_at",
            (
                *(session.session_id, self.name, self.total, self.processed, self.errors),
                *(_text(self.began), finished_at, self.detail, self.calls, expected),
                session_states.span_id(session.session_id, self.name),
            ),
        )
        session.state.execute(
            "update sessions set seen_at = ?, expected_at = ?, calls = ? where session_id = ?",
            (_text(now), expected, session.calls, session.session_id),
        )

    def _expected_end(self, now: dt.datetime) -> dt.datetime | None:
        if self.forecast is not None:
            return self.forecast()
        return session_states.estimated_end(self.began, now, self.processed, self.total)


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
        self.at_work: list[Phase] = []  # the innermost last
        self.attempt = 1

    @property
    def log(self) -> structlog.stdlib.BoundLogger:
        """Return a logger that says on each line which session and which phase it is."""
        phase = self.at_work[-1].name if self.at_work else ""
        ids = {
            "session_id": self.session_id,
            "trace_id": session_states.trace_id(self.session_id),
            "span_id": session_states.span_id(self.session_id, phase),
        }
        bound: structlog.stdlib.BoundLogger = structlog.get_logger().bind(
            **ids, flow=self.flow, athlete=self.athlete
        )
        return bound.bind(phase=phase) if phase else bound

    @property
    def calls(self) -> int:
        """Return how many calls were made to services."""
        return sum(phase.calls for phase in self.phases)

    def now_text(self) -> str:
        """Return the present moment as ISO 8601 in UTC."""
        return _text(self.clock.now())

    def begin(self) -> None:
        """Enter the session in the state database.

        Whoever begins holds the lock: another session that is at work has no process any more, and
        this one goes on with what it left. Only where the data folder is shared with another
        machine the lock may not be; then raise Busy.
        """
        boot_id = _boot_id()
        now = self.now_text()
        with self.state.transaction():
            self._stand_back(boot_id)
            self.state.execute(
                f"update sessions set state = ?, finished_at = ?, error = ? "  # noqa: S608 our own names
                f"where state in {AT_WORK_SQL}",
                (RETRYING, now, GONE),
            )
            self._take_up()
            self.state.execute(
                "insert into sessions (session_id, athlete, flow, state, started_at, process_id, "
                "attempt, boot_id, seen_at) values (?, ?, ?, 'initiated', ?, ?, ?, ?, ?)",
                (
                    *(self.session_id, self.athlete, self.flow, now, os.getpid()),
                    *(self.attempt, boot_id, now),
                ),
            )
        self.log.info("session_started", attempt=self.attempt, version=tracklake.__version__)

    def _stand_back(self, boot_id: str | None) -> None:
        rows = self.state.execute(
            f"select session_id, seen_at from sessions where state in {AT_WORK_SQL} "  # noqa: S608 our own names
            "and boot_id <> ? and seen_at is not null order by seen_at desc limit 1",
            (boot_id,),
        )
        for other, seen_at in rows:
            age_s = (self.clock.now() - dt.datetime.fromisoformat(str(seen_at))).total_seconds()
            if 0 <= age_s < _FRESH_S:
                raise Busy(
                    f"session {other} of another machine gave a sign of life {age_s:.0f} s ago; "
                    "if nobody works on this folder, run it again in a moment"
                )

    def _take_up(self) -> None:
        """Say of sessions that ended early that this one goes on with what they left."""
        rows = self.state.execute(
            "select session_id, attempt from sessions where state = ? and athlete = ? "
            "and taken_up_by is null and (flow = ? or ? = 'flow')",
            (RETRYING, self.athlete, self.flow, self.flow),
        )
        for session_id, attempt in rows:
            self.attempt = max(self.attempt, int(str(attempt)) + 1)
            self.state.execute(
                "update sessions set taken_up_by = ? where session_id = ?",
                (self.session_id, session_id),
            )

    def finish(self, state: str, error: str | None = None, error_class: str | None = None) -> None:
        """Close the session: completed, completed_with_errors, waiting_quota, needs_auth, failed or
        retrying; write the line that has all of it into the log.
        """
        until = None if self.parked is None else _text(self.parked.until)
        error = redaction.text(error) if error else None
        now = self.clock.now()
        self.state.execute(
            "update sessions set state = ?, finished_at = ?, error = ?, error_class = ?, "
            "waiting_until = ?, expected_at = null, calls = ?, seen_at = ? where session_id = ?",
            (state, _text(now), error, error_class, until, self.calls, _text(now), self.session_id),
        )
        began = min((phase.began for phase in self.phases), default=now)
        self.log.info(
            "session_finished",
            state=state,
            error=error,
            error_class=error_class,
            waiting_until=until,
            attempt=self.attempt,
            duration_s=round((now - began).total_seconds(), 3),
            calls=self.calls,
            processed={phase.name: phase.processed for phase in self.phases},
            errors=sum(phase.errors for phase in self.phases),
            version=tracklake.__version__,
        )

    @contextlib.contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Phase]:
        """Run a stage: its counts are kept even when it fails."""
        again = sum(1 for phase in self.phases if phase.name.split(" ")[0] == name)
        name = f"{name} {again + 1}" if again else name
        phase = Phase(name, self, total)
        self.phases.append(phase)
        self.at_work.append(phase)
        self.watcher.begin(name, total)
        phase.save()
        self._show(session_states.of_phase(name))
        self.log.info("phase_started", total=total)
        try:
            yield phase
        except BaseException:  # an interruption too; raised on
            phase.detail = ""  # it did not come to its end
            raise
        finally:
            phase.save(finished_at=self.now_text())
            self.watcher.end(name, phase.detail)
            seconds = (self.clock.now() - phase.began).total_seconds()
            self.log.info(
                "phase_finished",
                processed=phase.processed,
                errors=phase.errors,
                calls=phase.calls,
                duration_s=round(seconds, 3),
                detail=phase.detail,
            )
            self.at_work.remove(phase)

    def _show(self, state: str) -> None:
        self.state.execute(
            f"update sessions set state = ? where session_id = ? and state in {AT_WORK_SQL}",  # noqa: S608 our own names
            (state, self.session_id),
        )


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")


def _boot_id() -> str | None:
    """Return which start of which machine this is; None where nothing tells."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return None


def new_session_id(clock: Clock) -> str:
    """Name a session so that names sort by time and never meet."""
    return f"{clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
