"""The state database: can it be read and written, what ran last, what is set aside."""

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tracklake import lock, state_mending
from tracklake.backup import standing
from tracklake.config import Folders
from tracklake.doctor import clocks
from tracklake.doctor.finding import Finding
from tracklake.session_states import AT_WORK, WELL
from tracklake.state import NAME, State
from tracklake.upstream import breaker

_PATIENCE_S = 1.0
_WELL = (*AT_WORK, *WELL)
_LAST = "select flow, state, started_at, error from sessions order by started_at desc limit 1"


def examine(folders: Folders, now: dt.datetime) -> Iterator[Finding]:
    """Look at the database; StorageError says if it cannot be opened."""
    if not folders.state.exists():
        yield Finding("state", True, "nothing has run yet")
        return
    if not lock.is_held(folders.state):  # else a flow may well be writing
        yield from _blocked(folders.state / "tracklake.sqlite")
        if (said := state_mending.damage(folders.state)) is not None:
            yield _damaged(folders.state, said)
            return
    with contextlib.closing(State(folders.state)) as state:
        yield from _last_session(state, now)
        for one in breaker.not_closed(state):
            advice = "nothing: flows try it again; if it stays, look whether the service works"
            yield Finding(f"{one['source']}", False, f"it fails {one['said']}", advice)
        yield from _backups(state, now)
        ((count,),) = state.execute("select count(*) from quarantine")
    advice = "tracklake quarantine list" if count else ""
    yield Finding("quarantine", True, f"{count} items set aside", advice)


def _backups(state: State, now: dt.datetime) -> Iterator[Finding]:
    """Look at what is known of the backups; nothing if none was ever made."""
    kept = standing.read(state.execute(standing.READ))
    if kept is None:
        return
    troubles = kept.troubles(now)
    for said in troubles:
        yield Finding("backup", False, said)
    if kept.last and not troubles:
        verified = f"verified {kept.verified['at'][:10]}" if kept.verified else "never verified"
        said = f"the last of {kept.last['at'][:10]}, {kept.last['count']} in all, {verified}"
        yield Finding("backup", True, said, "" if kept.verified else "tracklake backup verify")


def _blocked(path: Path) -> Iterator[Finding]:
    """Find a database that somebody else keeps from being written, though no flow is at work."""
    if not path.exists():
        return
    with contextlib.closing(sqlite3.connect(path, timeout=_PATIENCE_S)) as database:
        try:
            database.execute("begin immediate")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                said = f"somebody keeps {path} locked, and no flow is at work"
                advice = (
                    "end what has it open (a backup, a synchronizer, an SQLite browser); the data "
                    "folder must not lie on a network drive"
                )
                yield Finding("state", False, said, advice)
        except sqlite3.DatabaseError:
            pass  # no database at all: whoever opens it says so


def _damaged(folder: Path, said: str) -> Finding:
    return Finding(
        "state",
        False,
        f"the state database {folder / NAME} is damaged ({said}); it holds no activities",
        "`tracklake flow` sets it aside and makes it anew",
    )


def _last_session(state: State, now: dt.datetime) -> Iterator[Finding]:
    for flow, outcome, started_at, error in state.execute(_LAST):
        began = dt.datetime.fromisoformat(str(started_at))
        yield from clocks.ahead(f"the last session ({flow}) began", began, now)
        said = f"{flow} of {started_at}: {outcome}"
        yield Finding("last session", outcome in _WELL, said, str(error or ""))
