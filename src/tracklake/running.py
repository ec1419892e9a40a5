"""A flow at work: lock, session, log, signals; how failures come out of it.

Everything that can fail comes out of here as one of errors.py's classes, entered in the session.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import duckdb
import structlog

from tracklake import bronze_format, error_classes, landing, lock, logs, state_mending
from tracklake.backup import swapping
from tracklake.clock import Clock, SystemClock
from tracklake.config import Folders, Settings
from tracklake.errors import AuthError, Error, Interrupted, SourceError, StorageError
from tracklake.session import SyncSession, new_session_id
from tracklake.session_states import RETRYING, WELL_SQL
from tracklake.state import State
from tracklake.watching import NobodyWatches, Watcher

if TYPE_CHECKING:  # the start of each command is felt: load a stage when it is its turn
    from tracklake.backup.creating import BackupReport
    from tracklake.forgetting import ForgetReport
    from tracklake.intake.landings import PullReport
    from tracklake.stages import EnrichReport, ListReport, PlacesReport, WeatherReport
    from tracklake.taking_in import CompactReport
    from tracklake.tiles.stage import TilesReport
    from tracklake.uploads.report import UploadReport

_MOMENT_S = 0.0005
_OPENING = {  # files; our own is one, and where the timer strikes on a busy machine at once
    __file__,
    *(one.__code__.co_filename for one in (contextlib.closing.__enter__, os.walk, Path.rglob)),
}


@dataclass(kw_only=True)
class FlowReport:
    """What the stages of a flow did; None where a stage did not run."""

    session_id: str = ""
    log: Path | None = None
    mended: str | None = None  # what was done to a damaged state database
    pulls: dict[str, PullReport | ListReport] | None = None
    failed_sources: dict[str, Error] | None = None
    enrich: EnrichReport | None = None
    weather: WeatherReport | None = None
    places: PlacesReport | None = None
    upload: UploadReport | None = None
    forgotten: ForgetReport | None = None
    compact: CompactReport | None = None
    tiles: TilesReport | None = None
    public_tiles: TilesReport | None = None
    backup: BackupReport | None = None


@contextlib.contextmanager
def running(
    name: str,
    settings: Settings,
    folders: Folders,
    report: FlowReport,
    watcher: Watcher | None = None,
    clock: Clock | None = None,
) -> Iterator[SyncSession]:
    """Hold the lock, open session and log, answer signals; close all of it whatever happens."""
    clock = clock or SystemClock()
    report.session_id = new_session_id(clock)
    with (
        _said_plainly(folders),
        lock.held(folders.state),
        _restored(folders),
        _understood(folders),
        stopped_by_signals() as received,
        logs.writing(folders.logs, report.session_id, clock) as report.log,
        _sound_state(folders, clock, report),
        contextlib.closing(State(folders.state)) as state,
    ):
        session = SyncSession(
            flow=name,
            athlete=settings.athlete,
            settings=settings,
            folders=folders,
            clock=clock,
            state=state,
            watcher=watcher or NobodyWatches(),
            session_id=report.session_id,
            received=received,
        )
        with _alerted(session, report), _entered(session), _as_interruption(received):
            yield session


@contextlib.contextmanager
def without_session(folders: Folders, *, alone: bool = True) -> Iterator[list[int]]:
    """Answer signals and say plainly what fails, for what replaces the state database or needs
    none; yield the signals received. alone: hold the lock, too.
    """
    with (
        _said_plainly(folders),
        lock.held(folders.state) if alone else contextlib.nullcontext(),
        _restored(folders) if alone else contextlib.nullcontext(),
        stopped_by_signals() as received,
        _as_interruption(received),
    ):
        yield received


@contextlib.contextmanager
def _restored(folders: Folders) -> Iterator[None]:
    """Bring a restore that was killed half-way to its end before anybody looks at the data."""
    swapping.finish(folders.data)
    yield


@contextlib.contextmanager
def _understood(folders: Folders) -> Iterator[None]:
    """Refuse what a newer Tracklake wrote before anything is changed."""
    bronze_format.expect_known(folders.bronze)
    yield


@contextlib.contextmanager
def _sound_state(folders: Folders, clock: Clock, report: FlowReport) -> Iterator[None]:
    """Put a sound state database in place of a damaged one; seal it when it is closed again."""
    mended = state_mending.mend(
        folders.state, f"{clock.now().astimezone(dt.UTC):%Y%m%dT%H%M%S.%fZ}"
    )
    if mended is not None:
        report.mended = mended.sentence()
        structlog.get_logger().error("state_made_anew", said=report.mended)
    yield
    state_mending.seal(folders.state)


@contextlib.contextmanager
def _alerted(session: SyncSession, report: FlowReport) -> Iterator[None]:
    """Judge a session once it has ended, whatever came of it; see alerts."""
    try:
        yield
    finally:
        from tracklake.alerts import alerting

        alerting.after(session, report.pulls or {}, report.failed_sources or {})


@contextlib.contextmanager
def _entered(session: SyncSession) -> Iterator[None]:
    """Enter a session in the state database and close it with what came of it."""
    _tidy(session)
    session.begin()
    try:
        with _said_plainly(session.folders):
            yield
    except Error as error:
        session.finish(_state_after(error), str(error), error_classes.of(error))
        raise
    except BaseException as error:  # a defect of ours: entered and logged, then raised on
        session.log.exception("unknown_error")
        session.finish("failed", f"{type(error).__name__}: {error}", error_classes.of(error))
        raise
    errors = sum(phase.errors for phase in session.phases)
    if session.parked is not None:
        session.finish("waiting_quota", str(session.parked))
    else:
        session.finish("completed_with_errors" if errors else "completed")


def _state_after(error: Error) -> str:
    """Return how a session is entered that ended with an error.

    What may pass by itself is tried again by the next session; the rest needs somebody.
    """
    if isinstance(error, AuthError):
        return "needs_auth"
    return RETRYING if isinstance(error, Interrupted | SourceError) else "failed"


def _tidy(session: SyncSession) -> None:
    """Remove what a killed flow left; one that ended by itself left nothing."""
    rows = session.state.execute(
        f"select state in {WELL_SQL} from sessions order by started_at desc limit 1"  # noqa: S608 our own names
    )
    if not rows or not rows[0][0]:
        swept = sum(
            landing.sweep(folder) for folder in (session.folders.data, session.folders.logs)
        )
        if swept:
            session.log.info("temporary_files_removed", count=swept)


@contextlib.contextmanager
def _as_interruption(received: list[int]) -> Iterator[None]:
    """Say Interrupted where a library made another error of it: DuckDB does while it is at work."""
    try:
        yield
    except BaseException as error:  # whatever class the library chose; nothing is swallowed
        if received and not isinstance(error, Interrupted):
            raise Interrupted(received[0]) from error
        raise


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[list[int]]:
    """Turn SIGINT and SIGTERM into Interrupted, once; then ignore them while we close.

    Raised while contextlib opens or closes a `with`, or a walk over folders opens the next, it
    would leave what is half open to the garbage collector, which closes it when all else is closed:
    it comes a moment later.

    Yields the list of the signals received.
    """
    received: list[int] = []
    postponed: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_filename in _OPENING:
            postponed.append(number)
            signal.setitimer(signal.ITIMER_REAL, _MOMENT_S)
            return
        received.append(postponed[0] if postponed else number)
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(received[0])

    handled = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)  # the last by our own timer
    }
    for number in handled:
        signal.signal(number, stop)
    try:
        yield received
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, before in handled.items():
            signal.signal(number, before)


@contextlib.contextmanager
def _said_plainly(folders: Folders) -> Iterator[None]:
    """Say what a failing disk, database or permission means and what to do."""
    try:
        yield
    except OSError as error:
        raise StorageError(_storage_message(error, folders)) from error
    except sqlite3.Error as error:
        raise StorageError(f"the state database in {folders.state}: {error}") from error
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        raise StorageError(f"the warehouse could not be written: {message}") from error
    except Exception as error:
        arrow = sys.modules.get("pyarrow")  # who did not load it does not fail by it
        if arrow is None or not isinstance(error, arrow.ArrowException):
            raise
        message = f"a Parquet file below {folders.data} cannot be read: {error}"
        raise StorageError(f"{message} (`tracklake doctor --deep` names it)") from error


def _storage_message(error: OSError, folders: Folders) -> str:
    where = error.filename or folders.data
    advice = {
        errno.ENOSPC: "the disk is full; make room and run the same command again",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: f"no permission; the folder must belong to user id {os.getuid()}",
        errno.EIO: "the disk failed to read or write; check it before anything else",
    }
    return f"{where}: {advice.get(error.errno or 0, error.strerror or str(error))}"
