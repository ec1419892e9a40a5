"""How it stands with the backups: what the state database remembers, so that nobody asks the store.

Written by who makes, verifies or tries one; read by `status`, the doctor and `/health`.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tracklake.backup.manifest import Manifest
from tracklake.state import State

PATIENCE = dt.timedelta(hours=48)
READ = "select name, value from facts where name glob 'backup_*'"

_LAST = "backup_last"
_NEXT = "backup_next"  # its name, before `latest` moves to it: a kill may come between
_CURRENT_AT = "backup_current_at"
_VERIFIED = "backup_verified"
_DRILLED = "backup_drilled"
_OF_LAST = frozenset({"name", "at", "where", "count", "size_bytes"})
_OF_VERIFIED = frozenset({"at", "objects", "hashed", "damaged"})
_OF_DRILLED = frozenset({"at", "name", "seconds", "error"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of the backups; moments are UTC.

    last: name, at, where, count, size_bytes; current_at: when the last one was last found to hold
    all that there is; verified: at, objects, hashed, damaged; drilled: at, name, seconds, error.
    """

    last: dict[str, Any] | None
    current_at: dt.datetime | None
    verified: dict[str, Any] | None
    drilled: dict[str, Any] | None

    def is_old(self, now: dt.datetime) -> bool:
        """Tell whether it is too long ago that a backup held all that there is."""
        return self.current_at is not None and now - self.current_at > PATIENCE

    def troubles(self, now: dt.datetime) -> list[str]:
        """Return what is wrong, each with what to do."""
        found = []
        if self.is_old(now):
            found.append(
                f"the last backup that holds everything is of {self.current_at:%Y-%m-%d %H:%M} "
                "UTC: `tracklake backup create` says what keeps the next one"
            )
        if self.verified and self.verified["damaged"]:
            found.append(
                f"{self.verified['damaged']} things were damaged when the backups were verified "
                "last: `tracklake backup create --full` mends, `backup verify --full` names them"
            )
        if self.drilled and self.drilled["error"]:
            found.append(
                f"the last backup could not be restored on trial: {self.drilled['error']}; "
                "`tracklake backup restore --drill` tries again"
            )
        return found

    def told(self, now: dt.datetime) -> dict[str, Any]:
        """Return it for JSON."""
        current = self.current_at.isoformat(timespec="seconds") if self.current_at else None
        return {
            "last": self.last,
            "current_at": current,
            "is_old": self.is_old(now),
            "verified": self.verified,
            "drilled": self.drilled,
            "troubles": self.troubles(now),
        }


def read(rows: Iterable[tuple[object, ...]]) -> Standing | None:
    """Make it of the rows that READ gives; None where no backup was ever made."""
    facts = {str(name): str(value) for name, value in rows}
    if not facts:
        return None
    return Standing(
        last=_loaded(facts.get(_LAST), _OF_LAST),
        current_at=_moment(facts.get(_CURRENT_AT)),
        verified=_loaded(facts.get(_VERIFIED), _OF_VERIFIED),
        drilled=_loaded(facts.get(_DRILLED), _OF_DRILLED),
    )


def _loaded(text: str | None, names: frozenset[str]) -> dict[str, Any] | None:
    """Read what was remembered; None for nothing, and for what is damaged: the next one says it."""
    try:
        found = orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and found.keys() >= names else None


def _moment(text: str | None) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def ours(state: State, where: str) -> set[str]:
    """Return the names that `latest` may bear at a place if nobody else writes there; none: any."""
    facts = {str(name): str(value) for name, value in state.execute(READ)}
    last = _loaded(facts.get(_LAST), _OF_LAST)
    if last is None or last["where"] != where:
        return set()
    return {str(last["name"]), facts.get(_NEXT, str(last["name"]))}


def note_next(state: State, name: str) -> None:
    """Remember which backup `latest` is about to name."""
    _note(state, _NEXT, name)


def note_last(state: State, last: dict[str, Any], now: dt.datetime) -> None:
    """Remember the last backup; it holds all that there is now."""
    with state.transaction():
        _note(state, _LAST, orjson.dumps(last).decode())
        note_current(state, now)


def note_current(state: State, now: dt.datetime) -> None:
    """Remember that the last backup holds all that there is now."""
    _note(state, _CURRENT_AT, now.isoformat())


def told(name: str, made: Manifest, where: str, count: int) -> dict[str, Any]:
    """Return what is remembered of a backup."""
    return {
        "name": name,
        "at": made.created_at.isoformat(timespec="seconds"),
        "where": where,
        "count": count,
        "size_bytes": made.size_bytes,
        "gold_hash": made.gold_hash,
    }


def note_verified(folder: Path, found: dict[str, Any]) -> None:
    """Remember what a verification found, if there is a state database to do so."""
    _note_beside(folder, _VERIFIED, found)


def note_drilled(folder: Path, found: dict[str, Any]) -> None:
    """Remember how a trial went, if there is a state database to do so."""
    _note_beside(folder, _DRILLED, found)


def note_restored(folder: Path, last: dict[str, Any]) -> None:
    """Have a restored state know which backup the store calls the latest."""
    _note_beside(folder, _LAST, last)
    _note_beside(folder, _NEXT, last["name"])


def _note_beside(folder: Path, name: str, found: object) -> None:
    """Write without a flow's session: a flow may be at work, and nobody waits for it long."""
    if not (folder / "tracklake.sqlite").exists():
        return
    state = State(folder)
    try:
        _note(state, name, found if isinstance(found, str) else orjson.dumps(found).decode())
    except sqlite3.OperationalError:
        return  # locked: what was found was said; only `status` does not know of it
    finally:
        state.close()


def _note(state: State, name: str, value: str) -> None:
    state.execute("insert or replace into facts values (?, ?)", (name, value))
