"""Items set aside: what failed, why, how often, when it is tried again.

An item is tried again by later runs after 1, 2, 4, 8 and 16 days; one that failed six times is
dead, until somebody has it tried again. One whose reader was killed is tried again by the very
next run, the first time: that may have been the machine's doing. One that our code could not read
is due as soon as that code is another (code_versions.py), and then counts anew.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tracklake import code_versions, error_classes, redaction
from tracklake.session import SyncSession
from tracklake.state import State

MOST_ATTEMPTS = 6
_KILLED = "decoder_killed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that is set aside.

    item_id: stable (for files the hash of the bytes), one entry an athlete; item: what a person
    calls it (its path); location: where its bytes are kept below the data folder, if they are;
    subject: the record's id at its source; read_as: the kind of thing (code_versions.py) as which
    our code could not read it, where that was it.
    """

    item_id: str
    source: str
    item: str
    reason: str
    message: str
    location: str | None = None
    subject: str | None = None
    read_as: str | None = None


class Kept(NamedTuple):
    """An item whose bytes are in bronze; has_changed: the code that could not read them."""

    item_id: str
    item: str
    subject: str
    location: str
    read_as: str
    has_changed: bool


def set_aside(session: SyncSession, item: Item) -> None:
    """Enter an item, or count one more attempt at it; the next try comes after a growing gap."""
    code_version = code_versions.of(item.read_as) if item.read_as else None
    attempts = _attempts(session, item.item_id, code_version) + 1
    now, message = session.clock.now(), redaction.text(item.message)
    next_try = None if attempts >= MOST_ATTEMPTS else now + _gap(item, attempts)
    error_class = error_classes.of_reason(item.reason)
    session.state.execute(
        "insert into quarantine (item_id, athlete, source, item, reason, message, attempts, "
        "first_seen_at, last_seen_at, next_try_at, location, subject, code_version, error_class, "
        "session_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (athlete, item_id) do update "
        "set item = excluded.item, reason = excluded.reason, message = excluded.message, "
        "attempts = excluded.attempts, location = excluded.location, subject = excluded.subject, "
        "last_seen_at = excluded.last_seen_at, next_try_at = excluded.next_try_at, "
        "code_version = excluded.code_version, error_class = excluded.error_class, "
        "session_id = excluded.session_id",
        (
            *(item.item_id, session.athlete, item.source, item.item, item.reason, message),
            *(attempts, _text(now), _text(now), _text(next_try) if next_try else None),
            *(item.location, item.subject, code_version, error_class, session.session_id),
        ),
    )
    session.log.warning(
        "item_set_aside", item=item.item, reason=item.reason, error_class=error_class,
        attempts=attempts, message=message,
    )  # fmt: skip


def _gap(item: Item, attempts: int) -> dt.timedelta:
    if item.reason == _KILLED and attempts == 1:
        return dt.timedelta(0)
    return dt.timedelta(days=2 ** (attempts - 1))


def _attempts(session: SyncSession, item_id: str, code_version: str | None) -> int:
    """Return how often an item was tried; by other code than now counts for nothing."""
    rows = session.state.execute(
        "select attempts, code_version from quarantine where athlete = ? and item_id = ?",
        (session.athlete, item_id),
    )
    if not rows or (code_version and rows[0][1] and rows[0][1] != code_version):
        return 0
    return int(str(rows[0][0]))


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat()


def resting(session: SyncSession, source: str, *, given_up: bool = False) -> set[str]:
    """Return the ids of a source's items that are set aside and not due.

    given_up: the dead are due, too.
    """
    rows = session.state.execute(
        "select item_id, code_version from quarantine where athlete = ? and source = ? "
        "and (next_try_at > ? or (next_try_at is null and not ?))",
        (session.athlete, source, _text(session.clock.now()), given_up),
    )
    return {str(one) for one, version in rows if not code_versions.has_changed(_or_none(version))}


def entered(session: SyncSession, source: str) -> dict[str, str]:
    """Return what a person calls each of a source's items that are set aside, by its id."""
    rows = session.state.execute(
        "select item_id, item from quarantine where athlete = ? and source = ?",
        (session.athlete, source),
    )
    return {str(item_id): str(item) for item_id, item in rows}


def suspicion(session: SyncSession, source: str) -> Callable[[str], int]:
    """Return how to sort items by id: those that failed before last, the longest ago first.

    So that they bar nobody's way where it is they that fail.
    """
    rows = session.state.execute(
        "select item_id from quarantine where athlete = ? and source = ? "
        "order by last_seen_at, item_id",
        (session.athlete, source),
    )
    ranks = {str(item_id): rank for rank, (item_id,) in enumerate(rows, start=1)}
    return lambda item_id: ranks.get(item_id, 0)


def seen(session: SyncSession, item_id: str) -> bool:
    """Note that an item failed once more by no fault of its own; False if it is not entered."""
    rows = session.state.execute(
        "update quarantine set last_seen_at = ? where athlete = ? and item_id = ? returning 1",
        (_text(session.clock.now()), session.athlete, item_id),
    )
    return bool(rows)


def kept(session: SyncSession, source: str) -> list[Kept]:
    """List a source's items that are due and whose bytes are in bronze: they need no call."""
    rows = session.state.execute(
        "select item_id, item, subject, location, code_version from quarantine "
        "where athlete = ? and source = ? and location is not null order by location, item_id",
        (session.athlete, source),
    )
    aside = resting(session, source)
    return [
        Kept(
            *(str(item_id), str(item), str(subject or ""), str(location)),
            *(str(version or "").split(" ")[0], code_versions.has_changed(_or_none(version))),
        )
        for item_id, item, subject, location, version in rows
        if str(item_id) not in aside
    ]


def unread(session: SyncSession, source: str, entity: str) -> list[Kept]:
    """List what lies in an entity's pages in bronze and other code than now could not read."""
    return [
        one
        for one in kept(session, source)
        if one.has_changed and f"/{entity}/" in f"/{one.location}"
    ]


def due_elsewhere(session: SyncSession, source: str) -> set[str]:
    """Name a source's items that are due and whose bytes are not in bronze."""
    rows = session.state.execute(
        "select item_id, item from quarantine "
        "where athlete = ? and source = ? and location is null",
        (session.athlete, source),
    )
    aside = resting(session, source)
    return {str(item) for item_id, item in rows if str(item_id) not in aside}


def _or_none(value: object) -> str | None:
    return None if value is None else str(value)


def forgive(session: SyncSession, item_ids: Iterable[str]) -> None:
    """Have items that failed for the first time tried by the next run: it was not their fault."""
    for item_id in item_ids:
        session.state.execute(
            "update quarantine set next_try_at = ? "
            "where athlete = ? and item_id = ? and attempts = 1",
            (_text(session.clock.now()), session.athlete, item_id),
        )


def release(state: State, item_id: str, athlete: str | None = None) -> None:
    """Forget an item, of one athlete or of all: it was understood, or the person dropped it."""
    state.execute(
        "delete from quarantine where item_id = ? and athlete = coalesce(?, athlete)",
        (item_id, athlete),
    )


COLUMNS = (
    *("item_id", "athlete", "source", "item", "reason", "error_class", "message", "attempts"),
    *("first_seen_at", "last_seen_at", "next_try_at", "location", "session_id"),
)


def items(state: State, now: dt.datetime | None = None) -> list[dict[str, object]]:
    """List what is set aside, newest first.

    state: `waiting` for its next try, `due` (the next run tries it) or `dead`; of now, where given.
    """
    rows = state.execute(
        f"select {', '.join(COLUMNS)}, code_version from quarantine "  # noqa: S608 our own names
        "order by last_seen_at desc, item_id, athlete"
    )
    found = []
    for *values, version in rows:
        item = dict(zip(COLUMNS, values, strict=True))
        item["error_class"] = item["error_class"] or error_classes.of_reason(str(item["reason"]))
        item["state"] = _state(_or_none(item["next_try_at"]), _or_none(version), now)
        found.append(item)
    return found


def _state(next_try_at: str | None, version: str | None, now: dt.datetime | None) -> str:
    is_past = next_try_at is not None and now is not None and next_try_at <= _text(now)
    if is_past or code_versions.has_changed(version):
        return "due"
    return "dead" if next_try_at is None else "waiting"


def find(state: State, prefix: str) -> list[str]:
    """Return the ids that a person means by an id's beginning, or by `all`."""
    if prefix == "all":
        rows = state.execute("select distinct item_id from quarantine order by 1")
        return [str(row[0]) for row in rows]
    rows = state.execute(
        "select distinct item_id from quarantine where substr(item_id, 1, ?) = ? order by 1",
        (len(prefix), prefix),
    )
    return [str(row[0]) for row in rows]


def retry(state: State, item_ids: list[str], now: dt.datetime) -> None:
    """Have items tried again by their athletes' next pull; the dead live again, and count anew."""
    for item_id in item_ids:
        state.execute(
            "update quarantine set next_try_at = ?, "
            "attempts = case when next_try_at is null then 0 else attempts end where item_id = ?",
            (_text(now), item_id),
        )
