"""The logins, looked at without asking anybody."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

from tracklake import tokens
from tracklake.config import Folders, Settings
from tracklake.doctor.finding import Finding
from tracklake.garmin import community, key_file, logins
from tracklake.strava import oauth


def strava(folders: Folders, settings: Settings | None) -> Iterator[Finding]:
    """Look at the login, without asking Strava."""
    if settings is None:
        return
    application = settings.strava_client_id and settings.strava_client_secret
    login = tokens.path_of(folders.secrets, "strava", settings.athlete, folders.default_athlete)
    if not application:
        if settings.strava_client_id or settings.strava_client_secret or login.exists():
            yield Finding(
                "strava",
                False,
                "the application's id or secret is missing",
                "set STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET (README, Strava)",
            )
        return
    saved = tokens.read(login)
    if saved is None:
        advice = "" if settings.strava_refresh_token else "make auth (tracklake auth strava)"
        yield Finding("strava", not advice, "no login yet", advice)
        return
    missing = oauth.missing_scopes(saved.scope) if saved.scope else []
    yield Finding("strava", not missing, f"login in {login}", " ".join(missing))


def garmin(folders: Folders, settings: Settings | None, now: dt.datetime) -> Iterator[Finding]:
    """Look at the key of the Personal API and its end, or at the community client's login."""
    if settings is None:
        return
    kept = key_file.read(logins.key_path(folders, settings.athlete))
    tokens_file = logins.community_tokens(logins.community_folder(folders, settings.athlete))
    key = logins.key_of(settings)
    if key is None:
        if tokens_file.exists():
            is_there = community.is_installed()
            advice = "" if is_there else "install the extra: pip install 'tracklake[garmin]'"
            yield Finding("garmin", is_there, f"community client, login in {tokens_file}", advice)
        return
    if kept is None or kept.fingerprint != key_file.fingerprint_of(key) or kept.ends_on is None:
        how = "`tracklake auth garmin` tries it and asks when it ends"
        yield Finding("garmin", True, f"a key is set; when it ends is not known: {how}")
        return
    left = key_file.days_left(kept.ends_on, now.date())
    is_well = key_file.due_warning(left) is None
    advice = "" if is_well else key_file.ADVICE
    yield Finding("garmin", is_well, key_file.sentence(left, kept.ends_on), advice)


def files(folders: Folders) -> Iterator[Finding]:
    """Read every file of a login, of whichever athlete."""
    count = 0
    for path in sorted(folders.secrets.rglob("*_token*.json")):
        if path.name.startswith("."):  # half written
            continue
        count += 1
        if not _is_whole(path):
            advice = f"make auth (tracklake auth {path.name.split('_')[0]}) writes it anew"
            yield Finding("secrets", False, f"the login {path} is damaged", advice)
    if count:
        yield Finding("secrets", True, f"{count} logins read")


def _is_whole(path: Path) -> bool:
    if path.name.startswith("garmin_personal_"):
        return key_file.read(path) is not None
    if path.name == logins.community_tokens(path.parent).name:
        try:
            return isinstance(json.loads(path.read_bytes()), dict)
        except ValueError:
            return False
    return tokens.read(path) is not None
