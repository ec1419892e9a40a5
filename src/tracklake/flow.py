"""A flow: its stages in order; what stops what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import duckdb

from tracklake import error_classes, reading, sources
from tracklake.errors import (
    AuthError,
    BudgetSpent,
    ConfigError,
    InvalidData,
    SourceError,
    StorageError,
)
from tracklake.running import FlowReport, running
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions, PullOptions

if TYPE_CHECKING:  # a stage loads what it needs: the start of each command is felt
    from tracklake.taking_in import CompactReport
    from tracklake.uploads.report import UploadOptions

__all__ = [
    "FlowReport",
    "Stage",
    "back_up",
    "compact",
    "draw_tiles",
    "enrich",
    "enrich_and_compact",
    "forget",
    "pull",
    "raise_source_failures",
    "running",
    "upload",
    "whole",
]


def pull(
    session: SyncSession,
    report: FlowReport,
    paths: Sequence[Path] | None = None,
    options: PullOptions = PullOptions(),  # noqa: B008 it cannot change
    more: Sequence[ModuleType] = (),
) -> None:
    """Fetch from every configured source; one that fails does not stop the others.

    more: sources that are not Tracklake's own.
    """
    inbox = session.settings.inbox
    if paths is None and inbox is not None and not inbox.is_dir():
        raise ConfigError(f"TRACKLAKE_INBOX: there is no folder {inbox}")
    report.pulls, report.failed_sources = {}, {}
    theirs = (SourceError, AuthError, InvalidData) + (() if paths else (ConfigError,))
    for source in _configured(session, paths is not None, more):
        if source.NAME == "strava":
            from tracklake.enrichments import rereading

            rereading.mend_lost_points(session)
        try:
            pulled = source.pull(session, paths, options)
        except theirs as error:
            session.log.warning("source_failed", source=source.NAME, **error_classes.said(error))
            report.failed_sources[source.NAME] = error
            continue
        report.pulls[source.NAME] = pulled
        _park(session, getattr(pulled, "parked", None))


def _park(session: SyncSession, parked: BudgetSpent | None) -> None:
    """Have the session wait for a quota; to stop after --max-calls is no waiting."""
    if parked is not None and parked.until > session.clock.now():
        session.parked = parked


def _configured(
    session: SyncSession, importing: bool, more: Sequence[ModuleType] = ()
) -> list[ModuleType]:
    wanted = ("files",) if importing else session.settings.sources
    return [
        source
        for source in sources.all_sources(more)
        if (source.NAME in wanted)
        or (not wanted and source.is_configured(session.folders, session.settings))
    ]


def compact(
    session: SyncSession, report: FlowReport, *, rebuild: bool = False, verify: bool = False
) -> None:
    """Bring the warehouse up to date with bronze."""
    from tracklake import compaction

    report.compact = compaction.compact(session, rebuild=rebuild, verify=verify)


def enrich(
    session: SyncSession,
    report: FlowReport,
    options: EnrichOptions = EnrichOptions(),  # noqa: B008 it cannot change
) -> bool:
    """Fetch what is missing about known activities; tell whether anything landed.

    A failure is kept until all else is done.
    """
    from tracklake import surroundings

    landed = _enrich_from_strava(session, report, options)
    if options.max_calls is not None:
        used = report.enrich.calls if report.enrich else 0
        options = replace(options, max_calls=options.max_calls - used)
    return surroundings.enrich(session, report, options) or landed


def _enrich_from_strava(session: SyncSession, report: FlowReport, options: EnrichOptions) -> bool:
    from tracklake.enrichments import modules, stage

    if not modules(options.only):
        return False
    failed = report.failed_sources = report.failed_sources or {}
    names = {source.NAME for source in _configured(session, importing=False)}
    if "strava" not in names or "strava" in failed:
        return False
    before = _indexed(session)
    try:
        report.enrich = stage.enrich(session, options)
    except (SourceError, AuthError, ConfigError) as error:
        session.log.warning("enrich_failed", source="strava", **error_classes.said(error))
        failed["strava"] = error
    else:
        _park(session, report.enrich.parked)
    return _indexed(session) != before


def enrich_and_compact(session: SyncSession, report: FlowReport, options: EnrichOptions) -> None:
    """Fetch what is missing, and take it into the warehouse."""
    from tracklake import surroundings

    at_strava = any(source.NAME == "strava" for source in _configured(session, importing=False))
    if not at_strava and not surroundings.wanted(session, options):
        raise ConfigError(
            "there is nothing to enrich from: Strava is not set up; the README says how, then "
            "run `make auth` (tracklake auth strava)"
        )
    if enrich(session, report, options):
        compact(session, report)


def upload(session: SyncSession, report: FlowReport, options: UploadOptions) -> None:
    """Send files of activities that Strava lacks on to Strava; see uploadable.py."""
    from tracklake import uploadable
    from tracklake.uploads.report import UploadReport

    if not any(source.NAME == "strava" for source in _configured(session, importing=False)):
        raise ConfigError(
            "there is nowhere to upload to: Strava is not set up; the README says how, then set "
            "TRACKLAKE_UPLOAD=on and run `make auth` (tracklake auth strava)"
        )
    made = UploadReport(is_plan=options.dry_run)
    try:
        uploadable.upload(session, options, made)
    finally:
        report.upload = made if made.calls or made.decided else None
    _park(session, made.parked)


def _upload_if_wanted(session: SyncSession, report: FlowReport) -> None:
    """Upload as a step of a flow; a failure is kept until all else is done.

    Before Strava's list was read to its end, which takes a flow or two, there is nothing to do.
    """
    from tracklake import uploadable
    from tracklake.uploads.report import UploadOptions

    failed = report.failed_sources = report.failed_sources or {}
    if not session.settings.upload or "strava" in failed:
        return
    names = {source.NAME for source in _configured(session, importing=False)}
    if "strava" not in names or (why := uploadable.obstacle(session)) is not None:
        session.log.info("upload_left_out", reason=why if "strava" in names else "not set up")
        return
    try:
        upload(session, report, UploadOptions())
    except (SourceError, AuthError, ConfigError, InvalidData) as error:
        session.log.warning("upload_failed", source="strava", **error_classes.said(error))
        failed["upload"] = error


def _indexed(session: SyncSession) -> int:
    ((count,),) = session.state.execute("select count(*) from indexed_shards")
    return int(str(count))


def draw_tiles(
    session: SyncSession,
    report: FlowReport,
    *,
    rebuild: bool = False,
    single: bool = False,
) -> None:
    """Bring the map files up to date: one's own, and public ones where privacy is set."""
    from tracklake.tiles import sets

    hidden = sets.privacy(session.settings)
    with session.phase("tiles") as phase:

        def progress(_label: str, done: int, total: int) -> None:
            phase.total = total
            phase.advance(done - phase.processed)

        with reading.snapshot(session.folders) as connection:
            own = reading.own(connection, session.folders)
        with reading.snapshot(session.folders, part=own) as connection:
            try:
                made = sets.draw(
                    session, connection, hidden, rebuild=rebuild, single=single, progress=progress
                )
            except (duckdb.PermissionException, duckdb.IOException) as error:
                raise StorageError(reading.MOVED) from error
        report.tiles, report.public_tiles = made
        drawn = sum(len(one.drawn) for one in made if one)
        phase.detail = f"{drawn} files drawn" if drawn else "no change"


def back_up(session: SyncSession, report: FlowReport, *, full: bool = False) -> None:
    """Make a backup."""
    from tracklake.backup import creating

    report.backup = creating.create(session, full=full)


Stage = Callable[[SyncSession, FlowReport], None]


def whole(session: SyncSession, report: FlowReport, *, backfill: bool = False) -> None:
    """Run every stage in order; a source's failure is raised at the end, when all else is done."""
    from tracklake import retention
    from tracklake.tiles import sets

    sets.privacy(session.settings)  # a mistake in it is to be said before hours of work
    expired = retention.forget_expired(session)  # first: what is still listed is fetched anew
    pull(session, report, options=PullOptions(everything=backfill))
    compact(session, report, rebuild=expired)
    first = report.compact
    _upload_if_wanted(session, report)  # a few calls; enriching takes all that are left
    if enrich(session, report, EnrichOptions(given_up=backfill)):
        compact(session, report)
        report.compact = _both(first, report.compact)
    draw_tiles(session, report)
    from tracklake.backup import creating

    report.backup = creating.after_flow(session)
    raise_source_failures(report)


def forget(
    session: SyncSession, report: FlowReport, source: str, older_than_days: int | None
) -> None:
    """Remove what a source gave, make gold and the map anew without it; say what remains."""
    from tracklake import forgetting, retention

    report.forgotten = forgetting.forget(session, source, older_than_days=older_than_days)
    compact(session, report, rebuild=True)
    draw_tiles(session, report)
    from tracklake.tiles import manifest

    for folder in (session.folders.tiles, session.folders.public_tiles):
        manifest.forget_old(folder)  # also the files that are usually kept for a while
    report.forgotten.remains = retention.remaining(session, source)


def _both(first: CompactReport | None, second: CompactReport | None) -> CompactReport | None:
    """Say of two compactions of one flow what a person wants to know of both."""
    if first is None or second is None:
        return second or first
    return replace(
        first,
        shards=first.shards + second.shards,
        rows=first.rows + second.rows,
        published=first.published or second.published,
        rebuilt=first.rebuilt or second.rebuilt,
        repaired=first.repaired or second.repaired,
        republished=first.republished or second.republished,
        damaged=[*first.damaged, *second.damaged],
    )


def raise_source_failures(report: FlowReport) -> None:
    """Raise what stopped a source, the need for a login first, once everything else is done."""
    failures = list((report.failed_sources or {}).values())
    if failures:
        raise min(failures, key=lambda error: not isinstance(error, AuthError))
