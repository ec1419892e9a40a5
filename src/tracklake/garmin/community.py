"""The community client `garminconnect`, an optional extra: for who has no key of the Personal API.

It logs in as Garmin's own app does, which Garmin's terms do not allow. Only `auth` ever uses a
password; a pull goes on with the tokens that are kept, which rotate, and are kept anew after each
call. After a login that Garmin blocked, no other is tried for hours.
"""

import datetime as dt
import importlib
import importlib.util
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tracklake.client import Answer, Ask, Client
from tracklake.client.answers import Failed
from tracklake.clock import Clock
from tracklake.errors import AuthError, ConfigError, InvalidData, Transient
from tracklake.garmin import key_file, logins
from tracklake.tokens import file as token_file

MODULE = "garminconnect"
URL = "https://connectapi.garmin.com"
ADVICE = "run `tracklake auth garmin`"
_INSTALL = "pip install 'tracklake[garmin]' (Python 3.12 or newer)"
_BLOCKED = dt.timedelta(hours=12)
_BLOCKED_STATUSES = (427, 429)


def is_installed() -> bool:
    """Tell whether the client is there."""
    return importlib.util.find_spec(MODULE) is not None


def _library() -> Any:  # noqa: ANN401 a library that may not be there has no types
    if not is_installed():
        raise ConfigError(f"Garmin's community client is not installed: {_INSTALL}")
    _silence()
    return importlib.import_module(MODULE)


def _silence() -> None:
    """Keep the library's own log, with its tracebacks, off the terminal: we say what happened."""
    log = logging.getLogger(MODULE)
    log.addHandler(logging.NullHandler())
    log.propagate = False


@dataclass(slots=True)
class Tokens:
    """The client's tokens on disk, of one athlete."""

    folder: Path

    def keep(self, garmin: Any) -> None:  # noqa: ANN401 the library's
        """Write the tokens down if they are others than those on disk."""
        data = str(garmin.client.dumps()).encode()
        path = logins.community_tokens(self.folder)
        if not path.exists() or path.read_bytes() != data:
            with token_file.alone(path):
                key_file.write_private(path, data)

    def resume(self) -> Any:  # noqa: ANN401 the library's
        """Return the client, logged in with what is kept; AuthError where that is not accepted."""
        path = logins.community_tokens(self.folder)
        if not path.exists():
            raise AuthError(
                f"there is no Garmin login yet: make a key at {key_file.KEY_PAGE}, "
                "and give it to `tracklake auth garmin`"
            )
        library = _library()
        garmin = library.Garmin(retry_attempts=0)  # without a password it cannot log in anew
        try:
            garmin.client.load(str(path))
        except library.GarminConnectConnectionError as error:
            raise AuthError(f"the saved login {path} is damaged: {ADVICE}") from error
        return garmin


@dataclass(slots=True)
class NoLogin:
    """The client sends its own headers, and renews its tokens by itself."""

    def headers(self) -> Mapping[str, str]:
        """Return nothing to add."""
        return {}

    def renew(self) -> bool:
        """There is no other login."""
        return False


class CommunityClient(Client):
    """Sends requests through the community client, as our own client would: tries, waits, caps."""

    def __init__(self, clock: Clock, tokens: Tokens, garmin: Any) -> None:  # noqa: ANN401 the library's
        super().__init__(clock)
        self._tokens = tokens
        self._garmin = garmin
        self._library = _library()

    def _try(self, ask: Ask) -> Answer | Failed:
        """Make one try; what the library raises becomes an answer again, where it was one."""
        library = self._library
        path = ask.url.removeprefix(URL)
        try:
            if ask.expects_json:
                found = self._garmin.connectapi(path, params=dict(ask.params))
                body = _json(found)
            else:
                body = self._garmin.download(path)
        except library.GarminConnectTooManyRequestsError as error:
            return Answer(429, _headers(error), b"{}")
        except library.GarminConnectAuthenticationError:
            return Answer(401, {}, b"{}")
        except library.GarminConnectConnectionError as error:
            status = _status(error)
            return Answer(status, {}, b"{}") if status else Failed(_said(error))
        except (OSError, ValueError) as error:
            return Failed(_said(error))
        finally:
            self._tokens.keep(self._garmin)
        if len(body) > ask.most_bytes:
            return Failed(f"the body is larger than {ask.most_bytes:,} bytes", InvalidData)
        return Answer(200, {"content-length": str(len(body))}, body)


def _json(found: object) -> bytes:
    try:
        return orjson.dumps(found)
    except orjson.JSONEncodeError:  # what only escapes can say
        return json.dumps(found).encode()


def _response(error: BaseException | None) -> Any:  # noqa: ANN401 the library's
    """Return the answer that an error was made of: its own, or that of what caused it."""
    while error is not None:
        found = getattr(error, "response", None)
        if found is not None:
            return found
        error = error.__cause__
    return None


def _status(error: BaseException) -> int | None:
    status = getattr(_response(error), "status_code", None)
    return status if isinstance(status, int) else None


def _headers(error: BaseException) -> dict[str, str]:
    headers = getattr(_response(error), "headers", None) or {}
    return {str(name).lower(): str(value) for name, value in headers.items()}


def _said(error: BaseException) -> str:
    """Say what kind of failure it was: the library's words may quote what was sent."""
    cause = error.__cause__ or error
    return f"{type(cause).__name__} in {MODULE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """The note that Garmin blocks logins from here, on disk beside the tokens."""

    path: Path

    @classmethod
    def of(cls, folder: Path) -> "Blocked":
        """Return the note of an athlete's folder."""
        return cls(path=folder / "login_blocked_until.txt")

    def until(self, now: dt.datetime) -> dt.datetime | None:
        """Return until when no login may be tried; None: it may."""
        with suppress(OSError, ValueError):
            until = dt.datetime.fromisoformat(self.path.read_text("utf-8").strip())
            return until if until > now else None
        return None

    def note(self, now: dt.datetime) -> dt.datetime:
        """Write down that Garmin blocks logins, and return until when none is to be tried."""
        until = now + _BLOCKED
        with token_file.alone(self.path):
            key_file.write_private(self.path, until.isoformat().encode())
        return until


@dataclass(slots=True, kw_only=True)
class Credentials:
    """What a person types. mfa_code: asked for when Garmin wants one."""

    email: str
    password: str = field(repr=False)
    mfa_code: Callable[[], str]


def log_in(folder: Path, credentials: Credentials, clock: Clock) -> Path:
    """Log in once with a password and keep the tokens; return where they lie.

    Raises AuthError where Garmin says no, or blocked us lately; ConfigError without the client.
    """
    library = _library()
    blocked = Blocked.of(folder)
    if (until := blocked.until(clock.now())) is not None:
        raise AuthError(_blocked_said(until))
    garmin = library.Garmin(
        credentials.email, credentials.password, prompt_mfa=credentials.mfa_code
    )
    try:
        garmin.login()
    except library.GarminConnectTooManyRequestsError as error:
        raise AuthError(_blocked_said(blocked.note(clock.now()))) from error
    except library.GarminConnectAuthenticationError as error:
        raise AuthError("Garmin did not accept e-mail, password or code; try it once more") from (
            error
        )
    except library.GarminConnectConnectionError as error:
        if _status(error) in _BLOCKED_STATUSES:
            raise AuthError(_blocked_said(blocked.note(clock.now()))) from error
        raise Transient(f"the login at Garmin failed: {_said(error)}") from error
    tokens = Tokens(folder)
    tokens.keep(garmin)
    return logins.community_tokens(folder)


def _blocked_said(until: dt.datetime) -> str:
    return (
        f"Garmin blocks logins from here for a while; none is tried before {until:%Y-%m-%d %H:%M} "
        f"UTC. A key of the Personal API ({key_file.KEY_PAGE}) needs no such login"
    )
