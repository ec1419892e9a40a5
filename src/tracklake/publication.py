"""How readers get a new warehouse: a copy of the closed writer's file, put in place by rename.

A reader that is open keeps its old snapshot; a kill leaves the old one or the new one.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb
import orjson

from tracklake import bronze, damage, landing, sound_files, warehouse
from tracklake.identity import content_hash
from tracklake.incoming import literal
from tracklake.session import SyncSession
from tracklake.session_states import AT_WORK_SQL

_READ_ONLY = 0o444
_WORDS = 4  # of what is noted of a snapshot; older notes have no hash


def publish(session: SyncSession, writer_file: Path, fingerprint: str, hashed: str) -> str | None:
    """Publish a warehouse that is closed and checkpointed, and remember what it holds.

    hashed: of the writer's file, and so of its copy.

    If somebody opened the old snapshot for writing, their changes lie beside it in a `.wal`, which
    DuckDB would replay into the new file: it is moved aside, not deleted. An old snapshot that is
    not what was published is kept, too; returns where.
    """
    log = writer_file.with_name(writer_file.name + ".wal")
    if log.exists():
        raise RuntimeError(f"{writer_file} was not checkpointed before publishing")
    snapshot = session.folders.warehouse
    stamp = bronze.stamp(session.clock.now())
    with landing.landing(snapshot) as temporary:
        shutil.copyfile(writer_file, temporary)
        temporary.chmod(_READ_ONLY)
        kept = _kept_if_damaged(session, stamp)
        stale = snapshot.with_name(snapshot.name + ".wal")
        if stale.exists():
            stale.rename(snapshot.with_name(f"{snapshot.name}.stale-{stamp}.wal"))
            landing.fsync_folder(snapshot.parent)
    session.state.execute(
        "insert or replace into facts values ('published', ?)",
        (_seal(session, fingerprint, hashed),),
    )
    return kept


def _kept_if_damaged(session: SyncSession, stamp: str) -> str | None:
    """Copy a snapshot that is not what was published aside; readers keep it until the new one."""
    snapshot = session.folders.warehouse
    published = _published(session).split(" ")
    if len(published) < _WORDS or not snapshot.exists():
        return None
    if published[-1] == sound_files.sha256_of(snapshot):
        return None
    kept = damage.aside(snapshot, stamp)
    with landing.landing(kept) as temporary:
        shutil.copyfile(snapshot, temporary)
    session.log.error("snapshot_damaged", kept=str(kept), action="publish again")
    return str(kept)


def fingerprint(
    session: SyncSession, connection: duckdb.DuckDBPyConnection, files: tuple[list[str], list[str]]
) -> str:
    """Say in one word what a snapshot would hold."""
    ledger = connection.execute("select count(*), bit_xor(hash(shard)) from shards").fetchall()
    aside = session.state.execute("select athlete, item_id, attempts from quarantine order by 1, 2")
    own = _athletes_own(session)
    return content_hash(
        [
            *(warehouse.gold_version(session.settings.kept_apart), orjson.dumps(ledger).decode()),
            *(aside, files, own),
        ]
    )


def lost_files(session: SyncSession, files: Iterable[str]) -> set[str]:
    """Return the files that the last snapshot reads points or geometry from and that are gone.

    files: those that are live now.
    """
    return {name for name in _remembered(session).keys() - set(files) if not Path(name).exists()}


def changed_files(session: SyncSession, files: Iterable[str]) -> list[str]:
    """Return the files that the last snapshot did not read from as they are now, by size and time.

    Their names never come again with other bytes, so one that changed is new or damaged.
    """
    remembered = _remembered(session)
    return [name for name in files if remembered.get(name) != _looks(name)]


def remember_files(session: SyncSession, files: Iterable[str]) -> None:
    """Note what the snapshot that is published reads from, and what each looks like."""
    told = orjson.dumps({name: _looks(name) for name in sorted(files)}).decode()
    session.state.execute("insert or replace into facts values ('view_files', ?)", (told,))


def _remembered(session: SyncSession) -> dict[str, list[int]]:
    rows = session.state.execute("select value from facts where name = 'view_files'")
    try:
        told = orjson.loads(str(rows[0][0])) if rows else {}
    except orjson.JSONDecodeError:  # damaged: every file is looked at anew
        told = {}
    if isinstance(told, list):  # older: names only
        return {str(name): [] for name in told}
    return told if isinstance(told, dict) else {}


def _looks(name: str) -> list[int]:
    status = Path(name).stat()
    return [status.st_size, status.st_mtime_ns]


def is_current(session: SyncSession, fingerprint: str) -> bool:
    """Tell whether the snapshot that readers have holds this and is the very file we published."""
    snapshot = session.folders.warehouse
    published = _published(session)
    if not snapshot.exists() or not published.startswith(f"{fingerprint} "):
        return False  # it is read only where that may make a difference
    return published == _seal(session, fingerprint, sound_files.sha256_of(snapshot))


def _published(session: SyncSession) -> str:
    rows = session.state.execute("select value from facts where name = 'published'")
    return str(rows[0][0]) if rows else ""


def _seal(session: SyncSession, fingerprint: str, hashed: str) -> str:
    """Tie what a snapshot holds to the file: one that somebody wrote into is published anew, and
    one that the disk changed.
    """
    status = session.folders.warehouse.stat()
    return f"{fingerprint} {status.st_size} {status.st_mtime_ns} {hashed}"


def _athletes_own(session: SyncSession) -> list[tuple[object, ...]]:
    """Return the rows of athlete_settings; what names no athlete is the usual one's."""
    settings = session.settings
    said = (
        settings.max_heartrate_bpm,
        settings.resting_heartrate_bpm,
        settings.sex,
        settings.ftp_w,
        settings.heartrate_zones,
        settings.power_zones,
    )
    usual = session.folders.default_athlete
    named = [{name or usual: value for name, value in one.items()} for one in said]
    athletes = sorted({name for one in named for name in one})
    return [(athlete, *(one.get(athlete) for one in named)) for athlete in athletes]


def copy_state(session: SyncSession, connection: duckdb.DuckDBPyConnection) -> None:
    """Copy what people want to query from the state database and settings; a few rows a day."""
    sessions = session.state.execute(
        "select session_id, athlete, flow, state, started_at, finished_at, error_class, error, "  # noqa: S608 our own names
        "calls, attempt, taken_up_by, waiting_until, "
        "(select coalesce(sum(processed), 0) from phases p where p.session_id = s.session_id), "
        "(select coalesce(sum(errors), 0) from phases p where p.session_id = s.session_id) "
        f"from sessions s where state not in {AT_WORK_SQL}"
    )
    aside = session.state.execute(
        "select item_id, athlete, source, item, reason, message, attempts, first_seen_at, "
        "last_seen_at, next_try_at, location, error_class, session_id from quarantine"
    )
    connection.execute("begin")
    tables = (*warehouse.COPIED_FROM_STATE, warehouse.FROM_SETTINGS)
    for table, rows in zip(tables, (sessions, aside, _athletes_own(session)), strict=True):
        connection.execute(f"delete from {table}")  # noqa: S608 our own names
        if rows:  # as JSON: to look at an Arrow table, DuckDB imports what takes 25 MB
            columns = ", ".join(f"r ->> {index}" for index in range(len(rows[0])))
            told = literal(orjson.dumps(rows).decode())
            connection.execute(
                f"insert into {table} "  # noqa: S608 our own names, quoted
                f"select {columns} from (select unnest(from_json({told}, '[\"JSON\"]')) as r)"
            )
    connection.execute("commit")
