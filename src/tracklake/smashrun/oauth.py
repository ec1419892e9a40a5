"""The login for SmashRun: a personal token, or an application's whose tokens are renewed.

An application's tokens live about twelve weeks and their refresh tokens no longer, so they are
renewed when half of that is over.
"""

import contextlib
import re
import secrets
from collections.abc import Callable
from urllib.parse import urlencode

from tracklake import tokens
from tracklake.client import Ask, Client
from tracklake.clock import Clock, SystemClock
from tracklake.config import Folders, Settings
from tracklake.errors import AuthError, ConfigError, Transient
from tracklake.tokens import Grant, Token, TokenStore, consent

ADVICE = "run `tracklake auth smashrun`"
PERSONAL = (
    "make a new one with SmashRun's API explorer (https://api.smashrun.com/explorer) and put it "
    "behind SMASHRUN_ACCESS_TOKEN; they live about 60 days"
)
_SCOPE = "read_activity"
_HALF_LIFE = 0.5


def has_application(settings: Settings) -> bool:
    """Tell whether an application's login is used; a personal token is, where there is none."""
    return bool(settings.smashrun_client_id)


def authorize_url(settings: Settings, state: str) -> str:
    """Return the address where the athlete grants what we ask for; raise ConfigError."""
    client_id, _ = _application(settings)
    query = {
        "client_id": client_id,
        "redirect_uri": settings.strava_redirect_uri,
        "response_type": "code",
        "scope": _SCOPE,
        "state": state,
    }
    return f"{settings.smashrun_oauth_url}/authenticate?{urlencode(query, safe=':')}"


def exchange(settings: Settings, code: str, client: Client, now_s: float) -> Token:
    """Turn a code into a login; raise AuthError, ConfigError or Transient. now_s: UNIX seconds."""
    client_id, client_secret = _application(settings)
    form = {
        "client_id": client_id,
        "client_secret": client_secret,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.strava_redirect_uri,
    }
    ask = Ask(method="POST", url=f"{settings.smashrun_oauth_url}/token", form=form, tries=1)
    answer = client.send(ask)
    if answer.status == 429:
        raise Transient(f"SmashRun wants no more requests for now; {ADVICE} again in an hour")
    if answer.status >= 300:
        raise login_problem(answer.status, answer.body)
    token = tokens.token_from(answer.json(), now_s=now_s)
    if not (token.access_token and token.refresh_token):
        raise Transient(f"SmashRun's answer to the login holds no tokens; {ADVICE} again")
    return token


def login(
    settings: Settings,
    folders: Folders,
    athlete: str,
    *,
    default_athlete: str,
    say: Callable[[str], None],
    ask: Callable[[], str],
) -> None:
    """Lead a person through the login and keep it; raise AuthError, ConfigError or Transient.

    `ask` returns a pasted line, or "" when none will come; see strava/oauth.py for its thread.
    """
    state = secrets.token_urlsafe(16)
    clock = SystemClock()
    store = token_store(settings, folders, athlete, default_athlete, clock)
    say("Open this address and let Tracklake read your runs:")
    say(authorize_url(settings, state))
    say("If the browser then shows a page that does not load, paste that page's address here.")
    answer = consent.first_answer(settings.strava_redirect_uri, settings.redirect_bind, ask)
    if not answer:
        raise AuthError(f"no answer came from SmashRun; {ADVICE} again")
    code, _ = consent.code_from(answer, state, title="SmashRun", advice=ADVICE)
    with contextlib.closing(Client(clock)) as client:
        store.save(exchange(settings, code, client, clock.now().timestamp()))
    say(f"Logged in to SmashRun; the login is kept in {store.path}.")


def token_store(
    settings: Settings, folders: Folders, athlete: str, default_athlete: str, clock: Clock
) -> TokenStore:
    """Return an athlete's login; raise ConfigError without an API application."""
    client_id, client_secret = _application(settings)
    seed = settings.smashrun_refresh_token
    grant = Grant(
        source="SmashRun",
        token_url=f"{settings.smashrun_oauth_url}/token",
        client_id=client_id,
        client_secret=client_secret,
        seed=seed.get_secret_value() if seed else None,
        advice=ADVICE,
        renew_share=_HALF_LIFE,
    )
    path = tokens.path_of(folders.secrets, "smashrun", athlete, default_athlete)
    return TokenStore(path, grant=grant, clock=clock, explain=login_problem)


def login_problem(status: int, body: bytes) -> AuthError:
    """Say why SmashRun's token address refused; a body may be empty, or a page for people."""
    found = re.search(rb'"error"\s*:\s*"(\w{1,40})"', body[:4096])
    word = found[1].decode() if found else ""
    if word in ("invalid_client", "unauthorized_client"):
        return AuthError(
            "SmashRun does not know this application: compare SMASHRUN_CLIENT_ID and "
            "SMASHRUN_CLIENT_SECRET with what SmashRun gave you"
        )
    if word == "invalid_grant":
        return AuthError(
            "SmashRun does not accept this code or login any more (used, withdrawn, or too old): "
            f"{ADVICE}"
        )
    said = f" ({word})" if word else ""
    return AuthError(f"SmashRun refused the login with status {status}{said}: {ADVICE}")


def _application(settings: Settings) -> tuple[str, str]:
    if not (settings.smashrun_client_id and settings.smashrun_client_secret):
        raise ConfigError(
            "SMASHRUN_CLIENT_ID and SMASHRUN_CLIENT_SECRET are not both set: ask SmashRun for an "
            f"application, copy both into .env, and {ADVICE}; or set SMASHRUN_ACCESS_TOKEN alone, "
            "a personal token, which needs no login"
        )
    return settings.smashrun_client_id, settings.smashrun_client_secret.get_secret_value()
