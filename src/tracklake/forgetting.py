"""Forgetting what a source gave: all of it, or what was fetched too long ago.

Gold is made anew from what is left afterwards; until then it still knows. The login stays.
"""

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tracklake import bronze, landing
from tracklake.session import SyncSession
from tracklake.upstream_index import UpstreamIndex

_OF_FILES = ("seen_files", "decoded", "landed_records")


@dataclass(slots=True, kw_only=True)
class ForgetReport:
    """What was removed. remains: what is left elsewhere, in sentences."""

    files: int = 0
    size_bytes: int = 0
    remains: list[str] = field(default_factory=list)


def forget(
    session: SyncSession, source: str, *, older_than_days: int | None = None
) -> ForgetReport:
    """Remove what the session's athlete got from a source, with what was derived from it.

    older_than_days: only what landed longer ago than that. Whoever forgets compacts with a rebuild
    after it. Stopped halfway, it is to be run again.
    """
    report = ForgetReport()
    before = None
    if older_than_days is not None:
        before = session.clock.now() - dt.timedelta(days=older_than_days)
    for path in _found(session, source):
        if before is None or _landed_before(path, before):
            _remove(path, report)
    if report.files or before is None:
        _forget_state(session, source, whole=before is None)
    for copy in (
        *session.folders.state.glob("*.corrupt-*"),
        *session.folders.warehouse.parent.glob("*.stale-*"),
        *session.folders.warehouse.parent.glob("*.corrupt-*"),
        *(session.folders.data / "corrupt").glob("*"),
    ):  # warehouses that were moved aside knew it too
        _remove(copy, report)
    session.log.info("source_forgotten", source=source, files=report.files)
    return report


def _found(session: SyncSession, source: str) -> Iterator[Path]:
    """Yield runs, shards, originals and rollups; points and geometry made from them."""
    own = f"athlete={session.athlete}"
    for athlete in sorted((session.folders.bronze / source).glob(f"*/{own}")):
        yield from sorted(athlete.glob("[0-9][0-9][0-9][0-9]/*"))
        yield from sorted(athlete.glob("objects/*/*"))
    for root in (session.folders.streams, session.folders.tracks):
        folder = root / own if source == "files" else root / f"source={source}" / own
        yield from sorted(folder.glob("*.parquet"))


def _landed_before(path: Path, moment: dt.datetime) -> bool:
    """Tell by its name, or a rollup's year, whether all of it landed before a moment."""
    name = path.name.removeprefix(bronze.ROLLUP_PREFIX)
    if bronze.is_rollup(path):
        year = name[:4] if name[:4].isdigit() and name[4:5] == "-" else path.parent.name
        return int(year) < moment.year
    if name[:8].isdigit() and name[8:9] == "T":
        return name < bronze.stamp(moment)
    return path.stat().st_mtime < moment.timestamp()  # an original, named by its hash


def _remove(path: Path, report: ForgetReport) -> None:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    report.files += len(files)
    report.size_bytes += sum(one.stat().st_size for one in files)
    if path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path)
    landing.fsync_folder(path.parent)


def _forget_state(session: SyncSession, source: str, *, whole: bool) -> None:
    """Have the state database know only what is left; all of it can be made anew from bronze."""
    index = UpstreamIndex(session.state, session.folders.bronze, session.athlete, source)
    with session.state.transaction():
        index.forget()
        if source == "files":
            for table in _OF_FILES:
                session.state.execute(f"delete from {table} where athlete = ?", (session.athlete,))  # noqa: S608 our own names
            session.state.execute(
                "delete from facts where name = ?", (f"files_index:{session.athlete}",)
            )
        if whole:
            session.state.execute(
                "delete from quarantine where athlete = ? and source = ?",
                (session.athlete, source),
            )
            session.state.execute(
                "delete from facts where name glob ?", (f"{source}_*:{session.athlete}",)
            )
    if source != "files":
        index.sync()
