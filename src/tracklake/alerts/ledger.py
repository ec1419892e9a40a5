"""Which alerts fire since when, and of which somebody is to be told now; pure.

Told once for each cause, again each day while it fires, and once when it is over.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tracklake.alerts.model import INFO, Alert, Look

REPEAT_AFTER = dt.timedelta(hours=20)  # a day, less what a daily run may be early
_ONCE = frozenset({"key_expiring"})  # told again only when it says something new
_ORDER = {"critical": 0, "warning": 1, INFO: 2}

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An alert and what was done about it; notified_at: when somebody was told of it last."""

    alert: Alert
    since: dt.datetime
    last_seen_at: dt.datetime
    notified_at: dt.datetime | None = None
    resolved_at: dt.datetime | None = None
    session_id: str | None = None

    @property
    def key(self) -> Key:
        """Return what tells it from others."""
        return self.alert.code, self.alert.cause


Entries = Mapping[Key, Entry]


@dataclass(frozen=True, slots=True)
class Due:
    """What somebody is to be told of."""

    firing: tuple[Entry, ...] = ()
    over: tuple[Entry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.firing or self.over)


def settled(
    entries: Entries, look: Look, now: dt.datetime, session_id: str | None = None
) -> dict[Key, Entry]:
    """Return the entries after a look."""
    result = dict(entries)
    for alert in look.firing:
        key = alert.code, alert.cause
        result[key] = _firing(result.get(key), alert, now, session_id)
    fires = {(alert.code, alert.cause) for alert in look.firing}
    for key, entry in entries.items():
        if entry.resolved_at is None and key not in fires and look.has_judged(*key):
            result[key] = dataclasses.replace(entry, resolved_at=now, session_id=session_id)
    return result


def _firing(entry: Entry | None, alert: Alert, now: dt.datetime, session_id: str | None) -> Entry:
    told = None if entry is None else entry.notified_at
    if entry is not None and alert.code in _ONCE and alert.message != entry.alert.message:
        told = None
    if entry is None or entry.resolved_at is not None:
        # One that comes and goes is told of as often as one that stays.
        told = None if told is not None and _is_long_ago(told, now) else told
        return Entry(
            alert=alert, since=now, last_seen_at=now, notified_at=told, session_id=session_id
        )
    return dataclasses.replace(
        entry, alert=alert, last_seen_at=now, notified_at=told, session_id=session_id
    )


def firing(entries: Entries) -> list[Entry]:
    """Return what fires, the gravest and oldest first."""
    found = [entry for entry in entries.values() if entry.resolved_at is None]
    return sorted(found, key=lambda one: (_ORDER.get(one.alert.severity, 0), one.since, one.key))


def due(entries: Entries, now: dt.datetime) -> Due:
    """Return what somebody is to be told of now; information is not told."""
    return Due(
        tuple(one for one in firing(entries) if _is_to_be_told(one, now)),
        tuple(one for one in entries.values() if _is_over_and_untold(one)),
    )


def _is_to_be_told(entry: Entry, now: dt.datetime) -> bool:
    if entry.alert.severity == INFO:
        return False
    if entry.notified_at is None:
        return True
    return entry.alert.code not in _ONCE and _is_long_ago(entry.notified_at, now)


def _is_over_and_untold(entry: Entry) -> bool:
    told, over = entry.notified_at, entry.resolved_at
    return told is not None and over is not None and entry.since <= told < over


def _is_long_ago(moment: dt.datetime, now: dt.datetime) -> bool:
    return abs(now - moment) >= REPEAT_AFTER  # or the clock was set back


def told(entries: Entries, news: Due, now: dt.datetime) -> dict[Key, Entry]:
    """Return the entries after somebody was told."""
    keys = {entry.key for entry in (*news.firing, *news.over)}
    return {key: _told(entry, now) if key in keys else entry for key, entry in entries.items()}


def _told(entry: Entry, now: dt.datetime) -> Entry:
    over = entry.resolved_at
    return dataclasses.replace(entry, notified_at=now if over is None else max(now, over))


def in_words(news: Due) -> tuple[str, str]:
    """Return title and text of a message."""
    lines = [
        line
        for entry in news.firing
        for line in (f"- {_sentence(entry.alert.message)}", f"  What to do: {entry.alert.advice}.")
    ]
    lines += [f"- Over: {entry.alert.message}." for entry in news.over]
    return _title(news.firing, news.over), "\n".join(lines)


def _title(now_firing: Sequence[Entry], over: Iterable[Entry]) -> str:
    if not now_firing:
        codes = ", ".join(entry.alert.code for entry in over)
        return f"Tracklake: well again ({codes})"
    if len(now_firing) == 1:
        return f"Tracklake: {now_firing[0].alert.message}"
    return f"Tracklake: {len(now_firing)} things need you"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
