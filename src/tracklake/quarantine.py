"""Items set aside: what failed, why, how often, when it is tried again."""

import datetime as dt
from dataclasses import dataclass

from tracklake.session import SyncSession
from tracklake.state import State

MOST_ATTEMPTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that is set aside.

    item_id: stable (for files the hash of the bytes), one entry an athlete; item: what a person
    calls it (its path); location: where its bytes are kept below the data folder, if they are.
    """

    item_id: str
    source: str
    item: str
    reason: str
    message: str
    location: str | None = None
    decoder_version: str | None = None


def set_aside(session: SyncSession, item: Item) -> None:
    """Enter an item, or count one more attempt at it; the next try comes after a growing gap."""
    rows = session.state.execute(
        "select attempts from quarantine where athlete = ? and item_id = ?",
        (session.athlete, item.item_id),
    )
    attempts = int(str(rows[0][0])) + 1 if rows else 1
    now = session.clock.now()
    next_try = None if attempts >= MOST_ATTEMPTS else now + dt.timedelta(days=2 ** (attempts - 1))
    session.state.execute(
        "insert into quarantine values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "on conflict (athlete, item_id) do update "
        "set item = excluded.item, reason = excluded.reason, message = excluded.message, "
        "attempts = excluded.attempts, location = excluded.location, "
        "last_seen_at = excluded.last_seen_at, next_try_at = excluded.next_try_at, "
        "decoder_version = excluded.decoder_version",
        (
            *(item.item_id, session.athlete, item.source, item.item, item.reason, item.message),
            *(attempts, now.isoformat(), now.isoformat()),
            next_try.isoformat() if next_try else None,
            *(item.decoder_version, item.location),
        ),
    )
    session.log.warning("item_set_aside", item=item.item, reason=item.reason, message=item.message)


def release(state: State, item_id: str, athlete: str | None = None) -> None:
    """Forget an item, of one athlete or of all: it was understood, or the person dropped it."""
    state.execute(
        "delete from quarantine where item_id = ? and athlete = coalesce(?, athlete)",
        (item_id, athlete),
    )


COLUMNS = (
    *("item_id", "athlete", "source", "item", "reason", "message", "attempts"),
    *("first_seen_at", "last_seen_at", "next_try_at", "location"),
)


def items(state: State) -> list[dict[str, object]]:
    """List what is set aside, newest first."""
    rows = state.execute(
        f"select {', '.join(COLUMNS)} from quarantine order by last_seen_at desc, item_id, athlete"  # noqa: S608 our own names
    )
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


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
    """Have items tried again by their athletes' next pull, however often they failed."""
    for item_id in item_ids:
        state.execute(
            "update quarantine set next_try_at = ? where item_id = ?", (now.isoformat(), item_id)
        )
