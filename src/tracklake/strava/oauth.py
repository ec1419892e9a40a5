"""The login for Strava: where to grant it, what came back, and what its refusals mean."""

import contextlib
import re
import secrets
from collections.abc import Callable
from urllib.parse import urlencode

import orjson

from tracklake import tokens
from tracklake.client import Ask, Client
from tracklake.clock import Clock, SystemClock
from tracklake.config import Folders, Settings
from tracklake.errors import AuthError, ConfigError, Transient
from tracklake.tokens import Grant, Token, TokenStore, consent

SCOPES = ("read", "activity:read_all", "profile:read_all")
ADVICE = "run `make auth` (tracklake auth strava)"
WRITE = "activity:write"
_INSTEAD = "or import the bulk export that Strava makes of your account (`make import`)"


def asked_scopes(settings: Settings) -> tuple[str, ...]:
    """Return what the athlete is asked for: to write only where uploads are switched on."""
    return (*SCOPES, WRITE) if settings.upload else SCOPES


def authorize_url(settings: Settings, state: str) -> str:
    """Return the address where the athlete grants what we ask for; raise ConfigError."""
    client_id, _ = _application(settings)
    query = {
        "client_id": client_id,
        "redirect_uri": settings.strava_redirect_uri,
        "response_type": "code",
        "approval_prompt": "auto",
        "scope": ",".join(asked_scopes(settings)),
        "state": state,
    }
    return f"{settings.strava_oauth_url}/authorize?{urlencode(query, safe=',:')}"


def code_from(text: str, state: str) -> tuple[str, str | None]:
    """Read a code, and the scopes granted if they are said, from an address or a bare code.

    Raises AuthError where it is no answer, the answer to another question, or a no.
    """
    return consent.code_from(text, state, title="Strava", advice=ADVICE)


def missing_scopes(scope: str | None) -> list[str]:
    """Return a sentence for each thing that will be missing; raise AuthError if it is everything.

    `scope` is what Strava says it granted, joined by commas or spaces; None where it did not say.
    """
    if scope is None:
        return []
    granted = set(re.split(r"[,\s]+", scope))
    if not granted & {"activity:read", "activity:read_all"}:
        raise AuthError(
            "without the permission activity:read_all nothing can be read from Strava: "
            f"{ADVICE} and leave the boxes about your activities ticked",
            error_class="permission_denied",
        )
    sentences = []
    if "activity:read_all" not in granted:
        sentences.append(
            "The permission activity:read_all was not granted: activities that only you can see, "
            "and what lies in your privacy zones, will be missing."
        )
    if "profile:read_all" not in granted:
        sentences.append(
            "The permission profile:read_all was not granted: gear (bikes, shoes) and your heart "
            "rate and power zones will be missing."
        )
    return sentences


def hides(scope: str | None) -> bool | None:
    """Tell whether Strava leaves private activities out of its list; None: not known."""
    return None if scope is None else "activity:read_all" not in re.split(r"[,\s]+", scope)


def exchange(settings: Settings, code: str, scope: str | None, client: Client) -> Token:
    """Turn a code into a login; raise AuthError, ConfigError or Transient."""
    client_id, client_secret = _application(settings)
    form = {
        "client_id": client_id,
        "client_secret": client_secret,
        "grant_type": "authorization_code",
        "code": code,
    }
    ask = Ask(method="POST", url=f"{settings.strava_oauth_url}/token", form=form, tries=1)
    answer = client.send(ask)
    if answer.status == 429:
        raise Transient(f"Strava wants no more requests for now; {ADVICE} again in 15 minutes")
    if answer.status >= 300:
        raise login_problem(answer.status, answer.body)
    token = tokens.token_from({"scope": scope, **_fields(answer.body)}, now_s=0)
    if not (token.access_token and token.refresh_token):
        raise Transient(f"Strava's answer to the login holds no tokens; {ADVICE} again")
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

    `ask` returns a pasted line, or "" when none will come. It is called on a thread that may
    still wait when the browser has brought the answer, so it must read the descriptor
    (`os.read(0, …)`), not `sys.stdin`, whose buffer a waiting thread would keep locked at exit.
    """
    state = secrets.token_urlsafe(16)
    store = token_store(settings, folders, athlete, default_athlete, SystemClock())
    say("Open this address and let Tracklake read your account:")
    say(authorize_url(settings, state))
    say("If the browser then shows a page that does not load, paste that page's address here.")
    code, scope = code_from(_first_answer(settings, ask), state)
    missing = missing_scopes(scope)  # before the login that is there is replaced
    with contextlib.closing(Client(SystemClock())) as client:
        store.save(exchange(settings, code, scope, client))
    if scope is None:
        say(
            "A bare code does not say what was granted; paste the whole address to have it checked."
        )
    for sentence in missing:
        say(sentence)
    if WRITE in asked_scopes(settings) and scope is not None and WRITE not in scope:
        say(
            f"The permission {WRITE} was not granted: nothing will be uploaded. Run `make auth` "
            "again and tick its box, or set TRACKLAKE_UPLOAD=off."
        )
    say(f"Logged in to Strava; the login is kept in {store.path}.")


def token_store(
    settings: Settings, folders: Folders, athlete: str, default_athlete: str, clock: Clock
) -> TokenStore:
    """Return an athlete's login; raise ConfigError without an API application.

    STRAVA_REFRESH_TOKEN is the default athlete's: it starts nobody else's login.
    """
    client_id, client_secret = _application(settings)
    seed = settings.strava_refresh_token if athlete == default_athlete else None
    grant = Grant(
        source="Strava",
        token_url=f"{settings.strava_oauth_url}/token",
        client_id=client_id,
        client_secret=client_secret,
        seed=seed.get_secret_value() if seed else None,
        advice=ADVICE,
    )
    path = tokens.path_of(folders.secrets, "strava", athlete, default_athlete)
    return TokenStore(path, grant=grant, clock=clock, explain=login_problem)


def auth_problem(status: int, body: bytes) -> AuthError | None:
    """Say what a Fault of Strava means for the login; None where a new login would not help.

    A 401 for an access token that has ended is None as well: renew it and ask again.
    """
    faults = _faults(body)
    if status == 401:
        return _scope_problem(faults)
    if status == 403:
        return _application_problem(faults, body)
    if status == 400 and any(resource == "refreshtoken" for resource, _, _ in faults):
        return AuthError(
            f"Strava does not accept the saved login any more (withdrawn, or replaced): {ADVICE}"
        )
    if status == 400 and any(name.startswith("client_") for _, name, _ in faults):
        return _wrong_application()
    return None


def login_problem(status: int, body: bytes) -> AuthError:
    """Say why Strava's token address refused: what `auth_problem` knows, and the rest."""
    faults = _faults(body)
    if problem := auth_problem(status, body):
        return problem
    if status == 401:
        return _wrong_application()
    if any(name == "code" for _, name, _ in faults):
        return AuthError(f"this code has been used before, or is too old: {ADVICE} again")
    return AuthError(f"Strava refused the login with status {status}: {ADVICE}")


def _scope_problem(faults: list[tuple[str, str, str]]) -> AuthError | None:
    missing = [name.removesuffix("_permission") for _, name, code in faults if code == "missing"]
    if not missing:
        return None
    return AuthError(
        f"Strava says that the permission {' and '.join(missing)} is missing: {ADVICE} and leave "
        "its box ticked",
        error_class="permission_denied",
    )


def _application_problem(faults: list[tuple[str, str, str]], body: bytes) -> AuthError | None:
    if b"connected athletes" in body.lower():
        return AuthError(
            "your Strava API application has as many connected athletes as it may have: disconnect "
            f"one at https://www.strava.com/settings/apps, {_INSTEAD}"
        )
    if any(code == "inactive" for _, _, code in faults):
        return AuthError(
            "Strava has made your API application inactive: since June 2026 its owner needs a "
            f"Strava subscription; renew it, {_INSTEAD}"
        )
    return None


def _wrong_application() -> AuthError:
    return AuthError(
        "Strava does not know this API application: compare STRAVA_CLIENT_ID and "
        "STRAVA_CLIENT_SECRET with https://www.strava.com/settings/api"
    )


def _application(settings: Settings) -> tuple[str, str]:
    if not (settings.strava_client_id and settings.strava_client_secret):
        raise ConfigError(
            "STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET are not set: create an API application at "
            "https://www.strava.com/settings/api (Strava wants a subscription for it) with the "
            "callback domain localhost, copy both from there into .env, and "
            f"{ADVICE}; {_INSTEAD.removeprefix('or ')} needs none of this"
        )
    return settings.strava_client_id, settings.strava_client_secret.get_secret_value()


def _first_answer(settings: Settings, ask: Callable[[], str]) -> str:
    """Wait for the browser or a pasted line, whichever comes first."""
    answer = consent.first_answer(settings.strava_redirect_uri, settings.redirect_bind, ask)
    if not answer:
        raise AuthError(f"no answer came from Strava; {ADVICE} again")
    return answer


def _faults(body: bytes) -> list[tuple[str, str, str]]:
    """Read the (resource, field, code) of a Fault in lower case; `errors` may be anything."""
    errors = _fields(body).get("errors")
    return [
        (_word(fault, "resource"), _word(fault, "field"), _word(fault, "code"))
        for fault in (errors if isinstance(errors, list) else [])
        if isinstance(fault, dict)
    ]


def _word(fault: dict[str, object], part: str) -> str:
    return str(fault.get(part, "")).lower()


def _fields(body: bytes) -> dict[str, object]:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
