"""The writer's file: opened when it is sound, made anew from bronze when it is not.

When it is closed, its hash is noted in the state database. A file that is not what was noted, or
that was not closed (a kill), is read whole before it is gone on with: DuckDB keeps a sum of each
block, and looks at it only when it reads the block.
"""

from pathlib import Path

import duckdb

from tracklake import bronze, damage, landing, sound_files, warehouse, warehouse_damage
from tracklake.errors import Busy, StorageError
from tracklake.session import Phase, SyncSession
from tracklake.taking_in import CompactReport, catch_up

_SEAL = "writer_seal"  # facts: the hash of the file as it was closed
_OPENING = "writer_opening"  # how often in a row somebody began to read it whole and did not end
_MOST_OPENINGS = 2


class NotClosed(Exception):
    """DuckDB left a log beside a file that was closed: it cannot write that file any more."""


def path_of(session: SyncSession) -> Path:
    """Name the writer's file."""
    return session.folders.state / "writer.duckdb"


def log_of(path: Path) -> Path:
    """Name the log that DuckDB keeps beside a file which is not closed."""
    return path.with_name(path.name + ".wal")


def open_current(
    session: SyncSession, phase: Phase, report: CompactReport
) -> duckdb.DuckDBPyConnection:
    """Open the writer's file and bring it up to date; one that is damaged is made anew, once."""
    path = path_of(session)
    try:
        _prove(session, path)
        return _opened(session, phase, path, report)
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        if "lock on file" in message:
            raise Busy(f"somebody has {path} open ({message}); close that and run again") from error
        if not warehouse_damage.is_damage(error):
            raise
        report.repaired = move_aside(session, path, message)
    return _opened(session, phase, path, report)


def seal(session: SyncSession) -> str:
    """Note what the file is, now that it is closed, and return it; raise NotClosed if it is not."""
    path = path_of(session)
    if log_of(path).exists():
        raise NotClosed(f"{path} could not be checkpointed")
    hashed = sound_files.sha256_of(path)
    _note(session, _SEAL, hashed)
    return hashed


def _prove(session: SyncSession, path: Path) -> None:
    """Read a file whole that is not what was closed; raises what DuckDB says of its damage."""
    if not path.exists():
        if log_of(path).exists():  # of a file that is gone: it would be replayed into the next one
            move_aside(session, path, "its log was left alone")
        return
    if not log_of(path).exists() and _fact(session, _SEAL) == sound_files.sha256_of(path):
        return
    told = _fact(session, _OPENING) or ""
    begun = int(told) if told.isdecimal() else 0
    if begun >= _MOST_OPENINGS:
        _forget(session, _OPENING)
        raise duckdb.FatalException(f"reading {path} ended the process {begun} times")
    _note(session, _OPENING, str(begun + 1))
    try:
        connection = warehouse.connect(path, threads=1)
        try:
            warehouse_damage.read_whole(connection)
        finally:
            connection.close()
    except (duckdb.Error, UnicodeError) as error:
        _forget(session, _OPENING)
        raise _as_damage(error) from error
    _forget(session, _OPENING)
    if log_of(path).exists():
        raise duckdb.FatalException("it cannot be written")


def _as_damage(error: Exception) -> duckdb.Error:
    """Take what stops a reading for damage, unless it is the disk, memory or somebody else."""
    said = str(error).lower()
    if isinstance(error, duckdb.Error) and (
        "lock on file" in said or warehouse_damage.is_trouble_elsewhere(error)
    ):
        return error
    return duckdb.FatalException(str(error).splitlines()[0])


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
            rebuild(session, phase, report)
            connection = warehouse.connect(path, threads=1)
        if catch_up(session, phase, connection, report) > 1:
            connection.close()  # what DuckDB took for many rows is given back before other steps
            connection = warehouse.connect(path, threads=1)
    except BaseException:  # a signal too: an open connection would hold the file
        connection.close()
        raise
    return connection


def move_aside(session: SyncSession, path: Path, reason: str) -> str:
    """Keep a file that is damaged, and its log, under other names; return the file's."""
    stamp = bronze.stamp(session.clock.now())
    for broken in (log_of(path), path):  # the log first: alone it would be replayed into the next
        if broken.exists():
            broken.rename(damage.aside(broken, stamp))
    landing.fsync_folder(path.parent)
    aside = str(damage.aside(path, stamp))
    session.log.error("warehouse_unreadable", moved_to=aside, reason=reason, action="rebuild")
    return aside


def rebuild(
    session: SyncSession, phase: Phase, report: CompactReport, *, asked_for: bool = False
) -> None:
    """Make the warehouse anew from bronze beside the old one, and put it in its place.

    asked_for: the old one is sound, and stays if bronze has lost something that it has.
    """
    path = path_of(session)
    new = path.with_name("rebuild.duckdb")
    build(session, phase, new, report)
    if asked_for and report.damaged and path.exists():
        new.unlink()
        raise StorageError(
            f"{len(report.damaged)} damaged files of bronze were set aside, {report.damaged[0]} "
            "first; the warehouse, which still has what they hold, was left as it is. "
            "`tracklake quarantine list` says how to put sound copies back; then rebuild again"
        )
    log_of(path).unlink(missing_ok=True)
    landing.adopt(new, path)
    report.rebuilt = True


def build(session: SyncSession, phase: Phase, path: Path, report: CompactReport) -> None:
    """Make a warehouse of all of bronze under a name of its own."""
    for old in (path, log_of(path)):
        old.unlink(missing_ok=True)
    warehouse.create(path, session.settings.kept_apart)
    connection = warehouse.connect(path, threads=1)
    try:
        catch_up(session, phase, connection, report)
    finally:
        connection.close()


def _fact(session: SyncSession, name: str) -> str | None:
    rows = session.state.execute("select value from facts where name = ?", (name,))
    return str(rows[0][0]) if rows else None


def _note(session: SyncSession, name: str, value: str) -> None:
    if _fact(session, name) != value:
        session.state.execute("insert or replace into facts values (?, ?)", (name, value))


def _forget(session: SyncSession, name: str) -> None:
    session.state.execute("delete from facts where name = ?", (name,))
