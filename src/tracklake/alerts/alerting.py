"""Alerts at work: looks after each run, remembers what fires, has somebody told."""

import dataclasses
import datetime as dt
import sqlite3
from collections.abc import Iterable, Mapping

import duckdb

from tracklake import notifying
from tracklake.alerts import ledger, reading, rules
from tracklake.alerts.ledger import Due, Entry, Key
from tracklake.alerts.model import Alert, Look
from tracklake.alerts.reading import DueAfter
from tracklake.clock import Clock
from tracklake.config import Folders, Settings
from tracklake.errors import AuthError, Error, Interrupted
from tracklake.session import SyncSession
from tracklake.state import State

_COLUMNS = (
    *("code", "cause", "severity", "message", "advice"),
    *("since", "last_seen_at", "notified_at", "resolved_at", "session_id"),
)


def after(session: SyncSession, pulled: Iterable[str], failed: Mapping[str, Error]) -> None:
    """Judge a session that ended, by its sources that were pulled and that failed.

    A failure of this is logged: it never fails the flow.
    """
    try:
        _judge(session, pulled, failed)
    except Interrupted:
        raise
    except (Error, OSError, sqlite3.Error, duckdb.Error, ValueError) as error:
        session.log.warning("alerts_failed", error=f"{type(error).__name__}: {error}")


def _judge(session: SyncSession, pulled: Iterable[str], failed: Mapping[str, Error]) -> None:
    no_login = [name for name, error in failed.items() if isinstance(error, AuthError)]
    state, folders = session.state, session.folders
    run = reading.run(
        state, session.session_id, folders.default_athlete, no_login, set(pulled) - set(failed)
    )
    if run is None:
        return
    found = reading.facts(state, folders, session.athlete, session.clock)
    before = reading.runs_before(state, session.session_id)
    look = rules.of_run(run, before) | rules.standing(found)
    changes = _remember(state, look, found.now, session.session_id)
    for entry in changes:
        event = "alert" if entry.resolved_at is None else "alert_over"
        alert = entry.alert
        session.log.warning(
            event, code=alert.code, cause=alert.cause, severity=alert.severity, said=alert.message
        )
    if session.received:  # whoever asked us to stop does not wait; the next run tells it
        return
    problem = tell(state, session.settings, session.clock.now())
    if problem:
        session.log.warning("notification_failed", error=problem)


def check(
    settings: Settings, folders: Folders, clock: Clock, due_after: DueAfter | None
) -> tuple[list[Entry], str]:
    """Judge what does not depend on a run, and have somebody told; return what fires, and why
    nobody could be told or "".
    """
    state = State(folders.state)
    try:
        found = reading.facts(state, folders, settings.athlete, clock, due_after)
        _remember(state, rules.standing(found), found.now, None)
        problem = tell(state, settings, clock.now())
        return ledger.firing(_load(state)), problem
    finally:
        state.close()


def present(
    state: State, folders: Folders, athlete: str, clock: Clock, due_after: DueAfter | None = None
) -> list[Entry]:
    """Return what fires now; nothing is written, nobody is told."""
    found = reading.facts(state, folders, athlete, clock, due_after)
    return ledger.firing(ledger.settled(_load(state), rules.standing(found), found.now))


def shown(entries: Iterable[Entry]) -> list[dict[str, object]]:
    """Return them for JSON."""
    return [
        {
            **dataclasses.asdict(entry.alert),
            "since": _text(entry.since),
            "last_seen_at": _text(entry.last_seen_at),
            "notified_at": _text(entry.notified_at),
            "session_id": entry.session_id,
        }
        for entry in entries
    ]


def tell(state: State, settings: Settings, now: dt.datetime) -> str:
    """Tell somebody what is due, if there is anybody; return what went wrong or ""."""
    urls = addresses(settings)
    news = ledger.due(_load(state), now)
    if not urls or not news:
        return ""
    problem = notifying.send(urls, *ledger.in_words(news))
    if not problem:
        _save_told(state, news, now)
    return problem


def addresses(settings: Settings) -> list[str]:
    """Return whom to tell."""
    urls = settings.notify_urls
    return urls.get_secret_value().split() if urls else []


def _remember(state: State, look: Look, now: dt.datetime, session_id: str | None) -> list[Entry]:
    """Take a look into the table; return what began or is over."""
    with state.transaction():
        before = _load(state)
        entries = ledger.settled(before, look, now, session_id)
        for key, entry in entries.items():
            if entry != before.get(key):
                _save(state, entry)
    return [
        entry
        for key, entry in entries.items()
        if entry.resolved_at != (before[key].resolved_at if key in before else now)
    ]


def _save_told(state: State, news: Due, now: dt.datetime) -> None:
    with state.transaction():
        entries = _load(state)
        for key, entry in ledger.told(entries, news, now).items():
            if entry != entries[key]:
                _save(state, entry)


def _load(state: State) -> dict[Key, Entry]:
    rows = state.execute(f"select {', '.join(_COLUMNS)} from alerts")  # noqa: S608 our own names
    entries = [_entry(*row) for row in rows]
    return {entry.key: entry for entry in entries}


def _entry(*row: object) -> Entry:
    code, cause, severity, message, advice = map(str, row[:5])
    since, last_seen_at, notified_at, resolved_at = map(_moment, row[5:9])
    assert since is not None  # noqa: S101 the table says not null
    assert last_seen_at is not None  # noqa: S101 the same
    return Entry(
        alert=Alert(code, cause, severity, message, advice),
        since=since,
        last_seen_at=last_seen_at,
        notified_at=notified_at,
        resolved_at=resolved_at,
        session_id=None if row[9] is None else str(row[9]),
    )


def _save(state: State, entry: Entry) -> None:
    alert = entry.alert
    state.execute(
        f"insert or replace into alerts ({', '.join(_COLUMNS)}) "  # noqa: S608 our own names
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(alert.code, alert.cause, alert.severity, alert.message, alert.advice),
            *map(_text, (entry.since, entry.last_seen_at, entry.notified_at, entry.resolved_at)),
            entry.session_id,
        ),
    )


def _moment(text: object) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(str(text))


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")
