"""Saying in time that the personal key ends: 14, 7 and 1 days before, each once."""

import datetime as dt
from typing import Any

from tracklake.clock import from_unix
from tracklake.config import Folders
from tracklake.garmin import key_file, logins
from tracklake.session import SyncSession
from tracklake.upstream.memory import Memory


def warn(session: SyncSession) -> str | None:
    """Return what to say of the key's end, and log it, if that was not done at this stage yet."""
    kept = key_file.read(logins.key_path(session.folders, session.athlete))
    if kept is None or kept.ends_on is None or logins.key_of(session.settings) is None:
        return None
    left = key_file.days_left(kept.ends_on, session.clock.now().date())
    stage = key_file.due_warning(left)
    memory = Memory(session, "garmin")
    fact = f"{kept.fingerprint[:12]} {kept.ends_on} {stage}"
    if stage is None or memory.read("key_warning") == fact:
        return None
    memory.write("key_warning", fact)
    said = key_file.sentence(left, kept.ends_on)
    session.log.warning("garmin_key_ends", days_left=left, detail=f"{said}: {key_file.ADVICE}")
    return said


_NOTHING: dict[str, Any] = dict.fromkeys(
    ("token_until", "key_ends_on", "days_left", "warning", "advice")
)


def outlook(folders: Folders, athlete: str, today: dt.date) -> dict[str, Any] | None:
    """Return what the status shows of a login at Garmin; None where there is none.

    key_ends_on, days_left: None where the key's owner did not say it. warning: what to say from 14
    days before on, and `advice` what to do. token_until: until when the key's token is used.
    """
    kept = key_file.read(logins.key_path(folders, athlete))
    if kept is None:
        tokens = logins.community_folder(folders, athlete)
        is_there = logins.community_tokens(tokens).exists()
        return {**_NOTHING, "login": "community"} if is_there else None
    until = from_unix(kept.use_until).isoformat(timespec="seconds") if kept.access_token else None
    known = {**_NOTHING, "login": "personal_api", "token_until": until}
    if kept.ends_on is None:
        return known
    left = key_file.days_left(kept.ends_on, today)
    is_due = key_file.due_warning(left) is not None
    return {
        **known,
        "key_ends_on": kept.ends_on.isoformat(),
        "days_left": left,
        "warning": key_file.sentence(left, kept.ends_on) if is_due else None,
        "advice": key_file.ADVICE if is_due else None,
    }
