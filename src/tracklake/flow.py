"""A flow: its stages in order, under one lock, in one session; what stops what.

Everything that can fail comes out of here as one of errors.py's classes, entered in the session.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from tracklake import compaction, forgetting, landing, lock, logs, reading, sources
from tracklake.clock import Clock, SystemClock
from tracklake.compaction import CompactReport
from tracklake.config import Folders, Settings
from tracklake.errors import (
    AuthError,
    ConfigError,
    Error,
    Interrupted,
    InvalidData,
    SourceError,
    StorageError,
)
from tracklake.forgetting import ForgetReport
from tracklake.session import NobodyWatches, SyncSession, Watcher, new_session_id
from tracklake.stages import EnrichOptions, EnrichReport, ListReport, PullOptions
from tracklake.state import State

if TYPE_CHECKING:  # the start of each command is felt: load a stage when it is its turn
    from tracklake.intake.landings import PullReport
    from tracklake.tiles.stage import TilesReport


@dataclass(kw_only=True)
class FlowReport:
    """What the stages of a flow did; None where a stage did not run."""

    session_id: str = ""
    log: Path | None = None
    pulls: dict[str, PullReport | ListReport] | None = None
    failed_sources: dict[str, Error] | None = None
    enrich: EnrichReport | None = None
    forgotten: ForgetReport | None = None
    compact: CompactReport | None = None
    tiles: TilesReport | None = None


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
        _signals() as received,
        logs.writing(folders.logs, report.session_id, clock) as report.log,
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
        )
        with _entered(session), _as_interruption(received):
            yield session


@contextlib.contextmanager
def _entered(session: SyncSession) -> Iterator[None]:
    """Enter a session in the state database and close it with what came of it."""
    _tidy(session)
    session.begin()
    try:
        with _said_plainly(session.folders):
            yield
    except Interrupted as error:
        session.finish("interrupted", str(error))
        raise
    except Error as error:
        session.finish("needs_auth" if isinstance(error, AuthError) else "failed", str(error))
        raise
    except BaseException as error:  # a defect of ours: entered and logged, then raised on
        session.log.exception("unknown_error")
        session.finish("failed", f"{type(error).__name__}: {error}")
        raise
    errors = sum(phase.errors for phase in session.phases)
    if session.parked is not None:
        session.finish("waiting_quota", str(session.parked))
    else:
        session.finish("completed_with_errors" if errors else "completed")


def _tidy(session: SyncSession) -> None:
    """Remove what a killed flow left; one that ended by itself left nothing."""
    rows = session.state.execute("select state from sessions order by started_at desc limit 1")
    if not rows or not str(rows[0][0]).startswith("completed"):
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
def _signals() -> Iterator[list[int]]:
    """Turn SIGINT and SIGTERM into Interrupted, once; then ignore them while we close.

    Yields the list of the signals received.
    """
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    handled = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in handled:
        signal.signal(number, stop)
    try:
        yield received
    finally:
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
    except pa.ArrowException as error:
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


def pull(
    session: SyncSession,
    report: FlowReport,
    paths: Sequence[Path] | None = None,
    options: PullOptions = PullOptions(),  # noqa: B008 it cannot change
) -> None:
    """Fetch from every configured source; one that fails does not stop the others."""
    inbox = session.settings.inbox
    if paths is None and inbox is not None and not inbox.is_dir():
        raise ConfigError(f"TRACKLAKE_INBOX: there is no folder {inbox}")
    report.pulls, report.failed_sources = {}, {}
    theirs = (SourceError, AuthError, InvalidData) + (() if paths else (ConfigError,))
    for source in _configured(session, paths is not None):
        try:
            pulled = source.pull(session, paths, options)
        except theirs as error:
            session.log.warning("source_failed", source=source.NAME, error=str(error))
            report.failed_sources[source.NAME] = error
            continue
        report.pulls[source.NAME] = pulled
        session.parked = getattr(pulled, "parked", None) or session.parked


def _configured(session: SyncSession, importing: bool) -> list[ModuleType]:
    wanted = ("files",) if importing else session.settings.sources
    return [
        source
        for source in sources.all_sources()
        if (source.NAME in wanted)
        or (not wanted and source.is_configured(session.folders, session.settings))
    ]


def compact(
    session: SyncSession, report: FlowReport, *, rebuild: bool = False, verify: bool = False
) -> None:
    """Bring the warehouse up to date with bronze."""
    report.compact = compaction.compact(session, rebuild=rebuild, verify=verify)


def enrich(
    session: SyncSession,
    report: FlowReport,
    options: EnrichOptions = EnrichOptions(),  # noqa: B008 it cannot change
) -> bool:
    """Fetch what is missing about known activities; tell whether anything landed.

    A failure is kept until all else is done.
    """
    from tracklake.enrichments import stage

    failed = report.failed_sources = report.failed_sources or {}
    names = {source.NAME for source in _configured(session, importing=False)}
    if "strava" not in names or "strava" in failed:
        return False
    before = _indexed(session)
    try:
        report.enrich = stage.enrich(session, options)
    except (SourceError, AuthError, ConfigError) as error:
        session.log.warning("enrich_failed", error=str(error))
        failed["strava"] = error
    else:
        session.parked = report.enrich.parked or session.parked
    return _indexed(session) != before


def enrich_and_compact(session: SyncSession, report: FlowReport, options: EnrichOptions) -> None:
    """Fetch what is missing, and take it into the warehouse."""
    if not any(source.NAME == "strava" for source in _configured(session, importing=False)):
        raise ConfigError(
            "there is nothing to enrich from: Strava is not set up; the README says how, then "
            "run `make auth` (tracklake auth strava)"
        )
    if enrich(session, report, options):
        compact(session, report)


def _indexed(session: SyncSession) -> int:
    ((count,),) = session.state.execute("select count(*) from indexed_shards")
    return int(str(count))


def draw_tiles(session: SyncSession, report: FlowReport, *, rebuild: bool = False) -> None:
    """Bring the map files up to date with the warehouse."""
    from tracklake.tiles import stage

    with session.phase("tiles") as phase:

        def progress(_label: str, done: int, total: int) -> None:
            phase.total = total
            phase.advance(done - phase.processed)

        with reading.snapshot(session.folders) as connection:
            try:
                report.tiles = stage.build(
                    connection,
                    session.folders.tiles,
                    rebuild=rebuild,
                    progress=progress,
                    clock=session.clock,
                )
            except (duckdb.PermissionException, duckdb.IOException) as error:
                raise StorageError(reading.MOVED) from error
        phase.detail = (
            f"{len(report.tiles.drawn)} files drawn" if report.tiles.drawn else "no change"
        )


Stage = Callable[[SyncSession, FlowReport], None]


def whole(session: SyncSession, report: FlowReport, *, backfill: bool = False) -> None:
    """Run every stage in order; a source's failure is raised at the end, when all else is done."""
    pull(session, report, options=PullOptions(everything=backfill))
    compact(session, report)
    first = report.compact
    enriched = enrich(session, report, EnrichOptions(everything=backfill))
    expired = _forget_expired(session)
    if enriched or expired:
        compact(session, report, rebuild=expired)
        report.compact = _both(first, report.compact)
    draw_tiles(session, report)
    raise_source_failures(report)


def _forget_expired(session: SyncSession) -> bool:
    """Remove what was fetched longer ago than the athlete wants it kept; tell whether any was."""
    days = session.settings.strava_keep_days
    return days is not None and bool(
        forgetting.forget(session, "strava", older_than_days=days).files
    )


def forget(
    session: SyncSession, report: FlowReport, source: str, older_than_days: int | None
) -> None:
    """Remove what a source gave, and make gold and the map anew without it."""
    report.forgotten = forgetting.forget(session, source, older_than_days=older_than_days)
    compact(session, report, rebuild=True)
    draw_tiles(session, report)
    from tracklake.tiles import manifest

    manifest.forget_old(session.folders.tiles)  # also the files that are usually kept for a while


def _both(first: CompactReport | None, second: CompactReport | None) -> CompactReport | None:
    """Say of two compactions of one flow what a person wants to know of both."""
    if first is None or second is None:
        return second or first
    return CompactReport(
        shards=first.shards + second.shards,
        rows=first.rows + second.rows,
        published=first.published or second.published,
        rebuilt=first.rebuilt or second.rebuilt,
        repaired=first.repaired or second.repaired,
    )


def raise_source_failures(report: FlowReport) -> None:
    """Raise what stopped a source, the need for a login first, once everything else is done."""
    failures = list((report.failed_sources or {}).values())
    if failures:
        raise min(failures, key=lambda error: not isinstance(error, AuthError))
