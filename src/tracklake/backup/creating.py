"""Making a backup: what is new goes into the store, is read back, and only then counts."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

import tracklake
from tracklake.backup import catalogue, frozen, manifest, standing, stores, storing, thinning
from tracklake.backup.manifest import Entry, Manifest
from tracklake.backup.stores import Store
from tracklake.errors import Error, Interrupted, StorageError
from tracklake.session import Phase, SyncSession

_FACT = "backed_up"  # which published warehouse the last backup holds, and where it went


@dataclass(slots=True, kw_only=True)
class BackupReport:
    """What a backup holds and what it took; `count`: how many there are with it.

    rotten: files that changed without being written, so that the store's copy is the good one;
    warnings: what else is not as it should be; error: why there is none (only after a flow).
    """

    name: str = ""
    where: str = ""
    files: int = 0
    size_bytes: int = 0
    count: int = 0
    new_objects: int = 0
    new_bytes: int = 0
    thinned: int = 0
    rotten: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None


def after_flow(session: SyncSession) -> BackupReport | None:
    """Back up what a flow changed; None if the last backup holds it. A failure is only told."""
    try:
        if _is_backed_up(session):
            standing.note_current(session.state, session.clock.now())
            return None
        return create(session)
    except Interrupted:
        raise
    except (Error, OSError) as error:
        said = _said(error, session)
        _enter_failure(session)
        session.log.warning("backup_failed", error=said)
        return BackupReport(error=said)


def _enter_failure(session: SyncSession) -> None:
    """Have the session end with errors; the phase may have failed before it began."""
    if not any(phase.name == "backup" for phase in session.phases):
        with session.phase("backup") as phase:
            phase.errors += 1
        return
    session.phases[-1].errors += 1
    session.phases[-1].save(finished_at=session.now_text())


def _said(error: Error | OSError, session: SyncSession) -> str:
    if isinstance(error, Error):
        return str(error)
    where = error.filename or session.settings.backup_url or session.folders.data
    advice = {
        errno.ENOSPC: "the disk is full; make room, or have TRACKLAKE_BACKUP_URL name another place"
    }
    return f"{where}: {advice.get(error.errno or 0, error.strerror or str(error))}"


def create(session: SyncSession, *, full: bool = False) -> BackupReport:
    """Make a backup; whoever calls holds the flow's lock.

    full: read every file and every object again, and replace objects that are damaged. Raises
    ConfigError about the setting, StorageError if the store or the disk fails.
    """
    with session.phase("backup") as phase:
        store = stores.opened(session.settings, session.folders)
        seal = _seal(session)
        making = _Making.begun(session, store, full=full)
        made = making.manifest(phase)
        report = making.report
        report.files, report.size_bytes = len(made.files), made.size_bytes
        report.name, data = manifest.write(made)
        standing.note_next(session.state, report.name)
        catalogue.publish(store, report.name, data, making.latest)
        _remember(session, report, made, seal)
        report.thinned, said = thinning.thin(store, session.clock.now())
        report.warnings += said
        for warning in (*report.warnings, *(f"rotten: {path}" for path in report.rotten)):
            session.log.warning("backup_warning", said=warning)
        phase.errors += len(report.rotten)
        phase.detail = f"{report.new_bytes / 1e6:,.1f} MB new"
    return report


def _remember(session: SyncSession, report: BackupReport, made: Manifest, seal: str) -> None:
    session.state.execute("insert or replace into facts values (?, ?)", (_FACT, seal))
    last = standing.told(report.name, made, report.where, report.count)
    standing.note_last(session.state, last, session.clock.now())


@dataclass
class _Making:
    session: SyncSession
    latest: bytes | None
    depot: storing.Depot
    before: dict[str, Entry]
    full: bool
    report: BackupReport

    @classmethod
    def begun(cls, session: SyncSession, store: Store, *, full: bool) -> "_Making":
        """Look at what the store has; remove what a killed backup left half done."""
        store.sweep()
        frozen.sweep(session.folders)
        report = BackupReport(where=store.where)
        latest, names = catalogue.named(store), catalogue.names(store)
        base, report.warnings = catalogue.newest_sound(store, names)
        report.count = len(names) + 1
        report.warnings += _strangers(session, store, latest)
        there = storing.present(store)
        known = {} if full else storing.spoken_for(base, there)
        depot = storing.Depot(store, known, there)
        before = {entry.path: entry for entry in base.files} if base else {}
        return cls(session, latest, depot, before, full, report)

    def manifest(self, phase: Phase) -> Manifest:
        """Store all files and say which they are."""
        folders = self.session.folders
        found = list(_files(folders.data))
        phase.expect(len(found) + 2)
        entries = []
        for path, status in found:
            entries.append(self._entry(path, folders.data / path, status))
            phase.advance()
        now = self.session.clock.now()
        with frozen.state_copy(folders, now) as copy:
            entries.append(self._copied(manifest.STATE_PATH, copy, copy.stat()))
        phase.advance()
        gold: frozen.Gold = ({}, {})
        if folders.warehouse.exists():
            with frozen.warehouse_copy(folders) as (copy, gold):
                status = folders.warehouse.stat()
                entries.append(self._copied(manifest.WAREHOUSE_PATH, copy, status))
        phase.advance()
        self.depot.flush()
        self.report.new_objects = self.depot.new_objects
        self.report.new_bytes = self.depot.new_bytes
        return Manifest(
            created_at=now,
            tracklake=tracklake.__version__,
            duckdb=duckdb.__version__,
            tables=gold[0],
            answers=gold[1],
            files=tuple(entries),
        )

    def _entry(self, name: str, path: Path, status: os.stat_result) -> Entry:
        """Store a file that is written once; one that did not change since is not read."""
        old = self.before.get(name)
        same = old is not None and _seen(old) == (status.st_size, status.st_mtime_ns)
        if old and same and old.inode == status.st_ino and self._is_kept(old):
            return old
        made = self._copied(name, path, status)
        if old and same and old.sha256 != made.sha256 and self._is_sound(old):
            self.report.rotten.append(name)
            return old
        return made

    def _copied(self, name: str, path: Path, status: os.stat_result) -> Entry:
        stored = self.depot.add(path, packed=not name.startswith(manifest.FOLDERS))
        if stored.size_bytes != path.stat().st_size:
            raise StorageError(f"{path} changed while it was read; run the same command again")
        return Entry(
            path=name,
            size_bytes=stored.size_bytes,
            mtime_ns=status.st_mtime_ns,
            inode=status.st_ino,
            sha256=stored.sha256,
            pieces=stored.pieces,
        )

    def _is_kept(self, entry: Entry) -> bool:
        return not self.full and all(
            piece.object_name in self.depot.known for piece in entry.pieces
        )

    def _is_sound(self, entry: Entry) -> bool:
        return all(storing.is_sound(self.depot.store, piece) for piece in entry.pieces)


def _seen(entry: Entry) -> tuple[int, int]:
    return entry.size_bytes, entry.mtime_ns


def _files(data: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what is written once, by its path below the data folder, in order."""
    for folder in manifest.FOLDERS:
        for parent, folders, files in os.walk(data / folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                path = Path(parent) / name
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and not name.startswith("."):
                    yield path.relative_to(data).as_posix(), status


def _seal(session: SyncSession) -> str:
    """Say in a word what would be backed up, and where to."""
    snapshot = session.folders.warehouse
    status = snapshot.stat() if snapshot.exists() else None
    file = f"{status.st_size} {status.st_mtime_ns}" if status else "none"
    return f"{file} {session.settings.backup_url or ''}"


def _is_backed_up(session: SyncSession) -> bool:
    """Tell whether the place still has the backup that holds all that there is."""
    rows = session.state.execute("select value from facts where name = ?", (_FACT,))
    if rows != [(_seal(session),)]:
        return False
    store = stores.opened(session.settings, session.folders)
    latest = catalogue.named(store)
    return latest is not None and latest.decode(errors="replace") in standing.ours(
        session.state, store.where
    )


def _strangers(session: SyncSession, store: Store, latest: bytes | None) -> list[str]:
    """Say so if somebody else made the last backup at our place."""
    ours = standing.ours(session.state, store.where)
    name = (latest or b"").decode(errors="replace")
    if not ours or not manifest.NAME.fullmatch(name) or name in ours:
        return []
    return [
        f"the last backup in {store.where}, {name}, was not made from this data folder; give each "
        "its own place (TRACKLAKE_BACKUP_URL), or restoring the latest may bring back the other's"
    ]
