"""Compact: bronze -> gold. Only shards that the ledger does not name; checks; publication.

Rebuilding makes the whole warehouse anew beside the old one; verifying proves the two equal.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import duckdb

from tracklake import bronze, distilling, incoming, landing, publication, rollup, streams, warehouse
from tracklake.errors import Busy, CheckFailed
from tracklake.incoming import Shard, list_literal
from tracklake.session import Phase, SyncSession

_POINT_ORDERS = ("stream_key, point_index", "stream_key")  # of points, of geometry


@dataclass(kw_only=True)
class CompactReport:
    """What a compaction did."""

    shards: int = 0
    rows: int = 0
    published: bool = False
    rebuilt: bool = False
    verified: dict[str, int] = field(default_factory=dict)  # table -> rows proved equal
    repaired: str | None = None  # where an unreadable warehouse was moved to


def compact(session: SyncSession, *, rebuild: bool = False, verify: bool = False) -> CompactReport:
    """Bring gold up to date with bronze and publish it if anything changed.

    Raises CheckFailed (and publishes nothing) if gold contradicts itself, or with `verify` if a
    rebuild from bronze gives other rows.
    """
    report = CompactReport()
    with session.phase("compact") as phase:
        writer_file = session.folders.state / "writer.duckdb"
        if rebuild and not verify:
            _rebuild(session, phase, writer_file, report)
        connection = _open_current(session, phase, writer_file, report)
        try:
            if verify:
                _verify(session, phase, connection, report)
            looked_at = _roll_up(session, connection)
            files = _view_files(looked_at)
            fingerprint = publication.fingerprint(session, connection, files)
            stale = report.rebuilt or not publication.is_current(session, fingerprint)
            if stale:
                publication.copy_state(session, connection)
                distilling.bring_up(connection, *files)
                warehouse.define_views(connection, *files)
                lost = publication.lost_files(session, [*files[0], *files[1]])
                warehouse.check(connection, deep=bool(lost))
        finally:
            connection.close()
        if stale:
            publication.publish(session, writer_file, fingerprint)
            publication.remember_files(session, [*files[0], *files[1]])
            report.published = True
        # Readers' snapshot names the rollups by now; what they replaced a day ago can go.
        old = [*chain.from_iterable(looked_at.shards.values()), *chain(*looked_at.points)]
        rollup.remove_replaced(old, session.clock.now().timestamp())
        phase.detail = _detail(report)
    return report


def _detail(report: CompactReport) -> str:
    if report.verified:
        return f"{len(report.verified)} tables equal a rebuild from bronze"
    if report.rebuilt:
        return f"rebuilt from {report.shards} shards, {report.rows} rows"
    if report.shards:
        return f"{report.shards} new shards, {report.rows} rows"
    return "published" if report.published else "nothing new"


def _open_current(
    session: SyncSession, phase: Phase, path: Path, report: CompactReport
) -> duckdb.DuckDBPyConnection:
    """Open the writer's file and bring it up to date; one that is damaged is made anew, once."""
    try:
        return _opened(session, phase, path, report)
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        if "lock on file" in message:
            raise Busy(f"somebody has {path} open ({message}); close that and run again") from error
        if not warehouse.is_damage(error):
            raise
        report.repaired = _move_aside(session, path, message)
    return _opened(session, phase, path, report)


def _opened(
    session: SyncSession, phase: Phase, path: Path, report: CompactReport
) -> duckdb.DuckDBPyConnection:
    """Open the writer's file; one that is missing or of other texts is made anew."""
    if not path.exists():
        warehouse.create(path, session.settings.kept_apart)
    connection = warehouse.connect(path, threads=1)
    try:
        if not warehouse.is_current(connection, session.settings.kept_apart):
            connection.close()
            session.log.info("warehouse_outdated", action="rebuild")
            _rebuild(session, phase, path, report)
            connection = warehouse.connect(path, threads=1)
        if _catch_up(session, phase, connection, report) > 1:
            connection.close()  # what DuckDB took for many rows is given back before other steps
            connection = warehouse.connect(path, threads=1)
    except BaseException:  # a signal too: an open connection would hold the file
        connection.close()
        raise
    return connection


def _move_aside(session: SyncSession, path: Path, reason: str) -> str:
    stamp = bronze.stamp(session.clock.now())
    for broken in (path, path.with_name(path.name + ".wal")):
        if broken.exists():
            broken.rename(broken.with_name(f"{broken.name}.corrupt-{stamp}"))
    landing.fsync_folder(path.parent)
    aside = f"{path}.corrupt-{stamp}"
    session.log.error("warehouse_unreadable", moved_to=aside, reason=reason, action="rebuild")
    return aside


def _pending(
    session: SyncSession, connection: duckdb.DuckDBPyConnection
) -> tuple[list[Shard], list[Shard]]:
    """Return the shards to apply, and the rollups of shards that gold already has."""
    known = {name for (name,) in connection.execute("select shard from shards").fetchall()}
    root = session.folders.bronze
    start = len(f"{root}/")  # cut off: relative_to takes ten times as long
    fresh: list[Shard] = []
    renamed: list[Shard] = []
    for entity in warehouse.ENTITIES:
        for path in rollup.live(bronze.shard_paths(root, entity)):
            if str(path)[start:] in known:
                continue
            shard = Shard(entity, path, path.stat().st_size)
            if bronze.is_rollup(path) and _all_known(path, root, known):
                renamed.append(shard)
            else:
                fresh.append(shard)
    return sorted(fresh, key=lambda shard: shard[1].parent.name), renamed


def _all_known(path: Path, root: Path, known: set[str]) -> bool:
    return all(old.relative_to(root).as_posix() in known for old in bronze.replaces(path))


def _catch_up(
    session: SyncSession, phase: Phase, connection: duckdb.DuckDBPyConnection, report: CompactReport
) -> int:
    """Take in the shards that gold does not know; return in how many batches."""
    fresh, renamed = _pending(session, connection)
    for shard in renamed:
        _enter_rollup(session, connection, shard)
    if not fresh:
        return 0
    phase.expect(len(fresh))
    batches = 0
    for batch in incoming.batches(connection, fresh):
        batches += 1
        report.rows += warehouse.apply(
            connection, session.folders.bronze, batch, session.session_id
        )
        if batch.finishes:
            report.shards += len(batch.shards)
            phase.advance(len(batch.shards))
    return batches


def _rebuild(session: SyncSession, phase: Phase, path: Path, report: CompactReport) -> None:
    """Make the warehouse anew from bronze beside the old one, and put it in its place."""
    aside = path.with_name("rebuild.duckdb")
    _build(session, phase, aside, report)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)
    landing.adopt(aside, path)
    report.rebuilt = True


def _build(session: SyncSession, phase: Phase, path: Path, report: CompactReport) -> None:
    for old in (path, path.with_name(path.name + ".wal")):
        old.unlink(missing_ok=True)
    warehouse.create(path, session.settings.kept_apart)
    connection = warehouse.connect(path, threads=1)
    try:
        _catch_up(session, phase, connection, report)
    finally:
        connection.close()


def _verify(
    session: SyncSession, phase: Phase, connection: duckdb.DuckDBPyConnection, report: CompactReport
) -> None:
    """Prove gold equal to a rebuild from bronze, table by table."""
    aside = session.folders.state / "verify.duckdb"
    _build(session, phase, aside, CompactReport())
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


def _enter_rollup(
    session: SyncSession, connection: duckdb.DuckDBPyConnection, shard: Shard
) -> None:
    """Let the ledger name a rollup in place of the shards it holds."""
    entity, path, size = shard
    root = session.folders.bronze
    old = list_literal(replaced.relative_to(root).as_posix() for replaced in bronze.replaces(path))
    connection.execute("begin")
    rows = connection.execute(f"delete from shards where shard in {old} returning row_count")  # noqa: S608 our own names, quoted
    row_count = sum(count for (count,) in rows.fetchall())
    connection.execute(
        "insert into shards values (?, ?, ?, ?, now(), ?)",
        [path.relative_to(root).as_posix(), entity, row_count, size, session.session_id],
    )
    connection.execute("commit")


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


def _roll_up(session: SyncSession, connection: duckdb.DuckDBPyConnection) -> _LookedAt:
    """Put the small files of closed years together; return what lies there then."""
    looked_at, this_year = _look(session), session.clock.now().year
    for entity, paths in looked_at.shards.items():
        if not rollup.closed_shards(paths, this_year):
            continue
        for folder, shards in rollup.closed_shards(rollup.live(paths), this_year).items():
            path = rollup.roll_up_shards(folder, shards)
            _enter_rollup(session, connection, Shard(entity, path, path.stat().st_size))
    done = [
        rollup.roll_up_points(connection, folder, year, closed, order)
        for parts, order in zip(looked_at.points, _POINT_ORDERS, strict=True)
        for folder, some in _by_athlete(parts).items()
        if rollup.closed_parts(some, this_year)
        for year, closed in rollup.closed_parts(rollup.live(some), this_year).items()
    ]
    return _look(session) if done else looked_at


def _by_athlete(parts: list[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in parts:
        if path.parent.name.startswith("athlete="):
            folders[path.parent].append(path)
    return folders
