"""Taking shards of bronze into a warehouse: those that its ledger does not name.

A shard that is damaged is set aside before any row of it is taken; the rest goes on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from tracklake import bronze, damage, incoming, rollup, sound_files, warehouse
from tracklake.incoming import Shard, list_literal
from tracklake.session import Phase, SyncSession


@dataclass(kw_only=True)
class CompactReport:
    """What a compaction did.

    repaired: where a warehouse that could not be read was moved to; republished: where a published
    snapshot was, that was not what had been published; damaged: shards and points set aside.
    """

    shards: int = 0
    rows: int = 0
    published: bool = False
    rebuilt: bool = False
    verified: dict[str, int] = field(default_factory=dict)  # table -> rows proved equal
    repaired: str | None = None
    republished: str | None = None
    damaged: list[str] = field(default_factory=list)


def catch_up(
    session: SyncSession, phase: Phase, connection: duckdb.DuckDBPyConnection, report: CompactReport
) -> int:
    """Take in the shards that gold does not know; return in how many batches."""
    fresh, renamed = _pending(session, phase, connection, report)
    for shard in renamed:
        enter_rollup(session, connection, shard)
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


def _pending(
    session: SyncSession, phase: Phase, connection: duckdb.DuckDBPyConnection, report: CompactReport
) -> tuple[list[Shard], list[Shard]]:
    """Return the shards to apply, and the rollups of shards that gold already has."""
    known = {name for (name,) in connection.execute("select shard from shards").fetchall()}
    root = session.folders.bronze
    start = len(f"{root}/")  # cut off: relative_to takes ten times as long
    fresh: list[Shard] = []
    renamed: list[Shard] = []
    for entity in warehouse.ENTITIES:
        paths = bronze.shard_paths(root, entity)
        new = [path for path in paths if str(path)[start:] not in known]
        sound = set(without_damage(session, phase, new, report))
        live = rollup.live(path for path in paths if path in sound or str(path)[start:] in known)
        for path in live:
            if path not in sound:
                continue
            shard = Shard(entity, path, path.stat().st_size)
            if bronze.is_rollup(path) and _all_known(path, root, known):
                renamed.append(shard)
            else:
                fresh.append(shard)
    return sorted(fresh, key=lambda shard: shard[1].parent.name), renamed


def _all_known(path: Path, root: Path, known: set[str]) -> bool:
    return all(old.relative_to(root).as_posix() in known for old in bronze.replaces(path))


def without_damage(
    session: SyncSession,
    phase: Phase,
    paths: Iterable[Path],
    report: CompactReport,
    reason: str = damage.SHARD,
) -> Iterator[Path]:
    """Yield the files that are what was written; set the others aside."""
    aside, data = damage.known(session), session.folders.data
    for path in paths:
        said = sound_files.damage(path)
        if said is None:
            if path.relative_to(data).as_posix() in aside:
                damage.release(session, path)
            yield path
            continue
        damage.set_aside(session, path, said, reason)
        report.damaged.append(path.relative_to(session.folders.data).as_posix())
        phase.errors += 1


def enter_rollup(session: SyncSession, connection: duckdb.DuckDBPyConnection, shard: Shard) -> None:
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
