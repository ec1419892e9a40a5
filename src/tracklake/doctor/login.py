"""The logins, looked at without asking anybody."""

from collections.abc import Iterator

from tracklake import tokens
from tracklake.config import Folders, Settings
from tracklake.doctor.finding import Finding
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
