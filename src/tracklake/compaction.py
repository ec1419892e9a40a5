"""Compact: bronze -> gold. Only shards that the ledger does not name; checks; publication.

Rebuilding makes the whole warehouse anew beside the old one; verifying proves the two equal.
"""

from collections import defaultdict
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import duckdb

from tracklake import (
    bronze,
    damage,
    distilling,
    publication,
    rollup,
    streams,
    warehouse,
    writer_file,
)
from tracklake.errors import CheckFailed
from tracklake.incoming import Shard
from tracklake.session import Phase, SyncSession
from tracklake.taking_in import CompactReport, enter_rollup, without_damage

__all__ = ["CompactReport", "compact"]

_POINT_ORDERS = ("stream_key, point_index", "stream_key")  # of points, of geometry


def compact(session: SyncSession, *, rebuild: bool = False, verify: bool = False) -> CompactReport:
    """Bring gold up to date with bronze and publish it if anything changed.

    Raises CheckFailed (and publishes nothing) if gold contradicts itself, or with `verify` if a
    rebuild from bronze gives other rows.
    """
    report = CompactReport()
    with session.phase("compact") as phase:
        if rebuild and not verify:
            writer_file.rebuild(session, phase, report, asked_for=True)
        try:
            looked_at = _brought_up(session, phase, report, verify=verify)
        except writer_file.NotClosed as error:  # DuckDB had given it up, and said nothing
            report.repaired = writer_file.move_aside(
                session, writer_file.path_of(session), f"{error}"
            )
            looked_at = _brought_up(session, phase, report, verify=verify)
        # Readers' snapshot names the rollups by now; what they replaced a day ago can go.
        old = [*chain.from_iterable(looked_at.shards.values()), *chain(*looked_at.points)]
        rollup.remove_replaced(old, session.clock.now().timestamp())
        phase.detail = _detail(report)
    return report


def _brought_up(
    session: SyncSession, phase: Phase, report: CompactReport, *, verify: bool
) -> "_LookedAt":
    """Open the writer's file, bring it up to date, close it, and publish what changed."""
    connection = writer_file.open_current(session, phase, report)
    try:
        if verify:
            _verify(session, phase, connection, report)
        looked_at = _roll_up(session, phase, connection, report)
        files = _sound_points(session, phase, _view_files(looked_at), report)
        fingerprint = publication.fingerprint(session, connection, files)
        stale = report.rebuilt or not publication.is_current(session, fingerprint)
        if stale:
            publication.copy_state(session, connection)
            distilling.bring_up(connection, *files)
            warehouse.define_views(connection, *files)
            lost = publication.lost_files(session, [*files[0], *files[1]])
            _check(connection, report, deep=bool(lost))
    finally:
        connection.close()
    hashed = writer_file.seal(session)
    if stale:
        path = writer_file.path_of(session)
        report.republished = publication.publish(session, path, fingerprint, hashed)
        publication.remember_files(session, [*files[0], *files[1]])
        report.published = True
    return looked_at


def _check(connection: duckdb.DuckDBPyConnection, report: CompactReport, *, deep: bool) -> None:
    """Let gold not be published that contradicts itself; say which files it lacks."""
    try:
        warehouse.check(connection, deep=deep)
    except CheckFailed as error:
        if not report.damaged:
            raise
        raise CheckFailed(
            f"damaged, and set aside: {', '.join(report.damaged)}; the next flow makes anew what "
            f"it can. Until then: {error}"
        ) from error


def _detail(report: CompactReport) -> str:
    if report.verified:
        return f"{len(report.verified)} tables equal a rebuild from bronze"
    if report.rebuilt:
        return f"rebuilt from {report.shards} shards, {report.rows} rows"
    if report.shards:
        return f"{report.shards} new shards, {report.rows} rows"
    return "published" if report.published else "nothing new"


def _verify(
    session: SyncSession, phase: Phase, connection: duckdb.DuckDBPyConnection, report: CompactReport
) -> None:
    """Prove gold equal to a rebuild from bronze, table by table."""
    aside = session.folders.state / "verify.duckdb"
    writer_file.build(session, phase, aside, CompactReport())
    other = warehouse.connect(aside, threads=1)
    try:
        files = _view_files(_look(session))
        for each in (connection, other):
            distilling.bring_up(each, *files)
        warehouse.define_views(other, *files)
        warehouse.check(other, deep=True)
        rebuilt = warehouse.digest(other)
    finally:
        other.close()
        aside.unlink()
    present = warehouse.digest(connection)
    differing = [
        f"{table} ({present.get(table, (0, 0))[0]} rows, rebuilt {rebuilt.get(table, (0, 0))[0]})"
        for table in sorted(present.keys() | rebuilt.keys())
        if present.get(table) != rebuilt.get(table)
    ]
    if differing:
        raise CheckFailed(
            f"gold is not what bronze gives: {', '.join(differing)}; `compact --rebuild` mends it"
        )
    report.verified = {table: count for table, (count, _) in present.items()}


class _LookedAt(NamedTuple):
    """What lies in bronze and beside it; listed once, because that takes longer than a day's rows.

    shards: and rollups, of the years that are over, by entity.
    points: files of points, files of geometry.
    """

    shards: dict[str, list[Path]]
    points: tuple[list[Path], list[Path]]


def _look(session: SyncSession) -> _LookedAt:
    """List files; an empty one stands in where there are no points."""
    folders, year = session.folders, session.clock.now().year
    streams.ensure_readable(folders.streams, folders.tracks)
    shards = {
        entity: bronze.shard_paths(folders.bronze, entity, before=year)
        for entity in warehouse.ENTITIES
    }
    return _LookedAt(shards, (streams.parts(folders.streams), streams.parts(folders.tracks)))


def _view_files(looked_at: _LookedAt) -> tuple[list[str], list[str]]:
    """Name the files that the views read: parts of points, geometry."""
    parts, tracks = (list(map(str, rollup.live(some))) for some in looked_at.points)
    return parts, tracks


def _sound_points(
    session: SyncSession, phase: Phase, files: tuple[list[str], list[str]], report: CompactReport
) -> tuple[list[str], list[str]]:
    """Leave out files of points or geometry that changed since they were looked at and are damaged.

    What is set aside is lost to the views; the next pull makes it anew where it can.
    """
    doubtful = [Path(name) for name in publication.changed_files(session, [*files[0], *files[1]])]
    sound = set(without_damage(session, phase, doubtful, report, damage.POINTS))
    bad = {str(path) for path in doubtful if path not in sound}
    parts, tracks = ([name for name in some if name not in bad] for some in files)
    return parts, tracks


def _roll_up(
    session: SyncSession, phase: Phase, connection: duckdb.DuckDBPyConnection, report: CompactReport
) -> _LookedAt:
    """Put the small files of closed years together; return what lies there then.

    What is damaged is set aside first: in a file of its own it can be told, in a rollup no more.
    """
    looked_at, this_year = _look(session), session.clock.now().year
    before = len(report.damaged)
    for entity, paths in looked_at.shards.items():
        if not rollup.closed_shards(paths, this_year):
            continue
        for folder, shards in rollup.closed_shards(rollup.live(paths), this_year).items():
            sound = list(without_damage(session, phase, shards, report))
            if len(sound) == len(shards):
                path = rollup.roll_up_shards(folder, shards)
                enter_rollup(session, connection, Shard(entity, path, path.stat().st_size))
    done = [
        rollup.roll_up_points(connection, folder, year, closed, order)
        for parts, order in zip(looked_at.points, _POINT_ORDERS, strict=True)
        for folder, some in _by_athlete(parts).items()
        if rollup.closed_parts(some, this_year)
        for year, closed in rollup.closed_parts(rollup.live(some), this_year).items()
        if len(list(without_damage(session, phase, closed, report, damage.POINTS))) == len(closed)
    ]
    return _look(session) if done or len(report.damaged) > before else looked_at


def _by_athlete(parts: list[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in parts:
        if path.parent.name.startswith("athlete="):
            folders[path.parent].append(path)
    return folders
