"""The Personal API's login: a key that its owner makes, exchanged for a token of about a day.

https://developer.garmin.com/gc-developer-program. A token is no secret that rotates: whoever lost
it exchanges the key again.
"""

import base64
import binascii
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from pathlib import Path

import orjson

from tracklake.budget import Budget
from tracklake.client import Answer, Ask, Client
from tracklake.clock import Clock
from tracklake.errors import AuthError, BudgetSpent, SourceError, Transient
from tracklake.garmin import key_file
from tracklake.garmin.key_file import Kept
from tracklake.tokens import file as token_file

_EXCHANGE = "personalapitoken-service/personal-api/personal-api-key/token"
_MARGIN_S = 300  # before its end, another token is got
_USUAL_LIFE_S = 3600.0  # of a token that does not say when it ends
_PAUSE = dt.timedelta(minutes=15)
_TRY_S = 20.0
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
REJECTED = f"Garmin does not accept the key of its Personal API any more: {key_file.ADVICE}"


@dataclass(slots=True, kw_only=True)
class PersonalLogin:
    """One athlete's login; what it keeps is shared by processes.

    url: of the API. budget: what an exchange counts in, like every call. Every method may raise
    AuthError (the key is rejected), SourceError (Transient: try later) and StorageError.
    """

    key: str = field(repr=False)
    path: Path
    url: str
    client: Client
    clock: Clock
    budget: Budget | None = None
    _token: str = field(default="", repr=False)

    def headers(self) -> Mapping[str, str]:
        """Return the header of the next call; exchange the key before the token ends."""
        self._token = self._current(None)
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Get another token than the one that was rejected."""
        self._token = self._current(self._token)
        return True

    def _current(self, rejected: str | None) -> str:
        kept = self._kept()
        if not self._serves(kept, rejected):
            with token_file.alone(self.path):
                kept = self._kept()  # another process may have been quicker
                if not self._serves(kept, rejected):
                    kept = self._exchanged(kept)
                    key_file.write(self.path, kept)
        return kept.access_token

    def _kept(self) -> Kept:
        """Return what is kept of this key; nothing of another one serves it."""
        fingerprint = key_file.fingerprint_of(self.key)
        kept = key_file.read(self.path)
        return kept if kept and kept.fingerprint == fingerprint else Kept(fingerprint=fingerprint)

    def _serves(self, kept: Kept, rejected: str | None) -> bool:
        lives = kept.use_until > self.clock.now().timestamp()
        return bool(kept.access_token) and lives and kept.access_token != rejected

    def _exchanged(self, kept: Kept) -> Kept:
        ask = Ask(
            method="POST",
            url=f"{self.url}/{_EXCHANGE}",
            headers={"Authorization": f"ApiKey {self.key}", "Accept": "*/*"},
            deadline_s=_TRY_S,
            expects_json=False,
        )
        budget = self.budget
        answer = self.client.send(
            ask,
            admit=None if budget is None else budget.admit,
            heed=None if budget is None else budget.heed,
        )
        if answer.status in (401, 403):
            raise AuthError(REJECTED)
        now = self.clock.now()
        if answer.status == 429:
            message = "Garmin wants no more requests for now, not even for a token"
            raise BudgetSpent(message, until=now + _PAUSE)
        if answer.status != 200:
            raise SourceError(f"Garmin answered {answer.status} when the key was exchanged")
        token, life_s = _token_in(answer, now)
        use_s = max(life_s - _MARGIN_S, life_s / 2)
        return replace(kept, access_token=token, use_until=now.timestamp() + use_s)

    def note_end(self, ends_on: dt.date | None) -> None:
        """Remember when the key ends, as its owner says; None: not known."""
        with token_file.alone(self.path):
            said = ends_on.isoformat() if ends_on else None
            key_file.write(self.path, replace(self._kept(), key_ends_on=said))

    def ends_on(self) -> dt.date | None:
        """Return the key's last day, if its owner said it."""
        return self._kept().ends_on


def _token_in(answer: Answer, now: dt.datetime) -> tuple[str, float]:
    """Return the token and how many seconds it lives, by the service's own clock."""
    token = answer.body.decode("ascii", "replace").strip().strip('"')
    if not _TOKEN.fullmatch(token):
        kind = answer.headers.get("content-type", "no type")[:40]
        raise Transient(f"Garmin answered the key with something that is no token ({kind})")
    ends_s = _claim(token, "exp")
    if ends_s is None:
        return token, _USUAL_LIFE_S
    try:
        since = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        since = now.timestamp()
    return token, ends_s - since


def _claim(token: str, name: str) -> float | None:
    """Read a number of a JWT, unverified: only who signed it can do that."""
    body = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return float(claims[name])
    except (binascii.Error, ValueError, TypeError, KeyError):
        return None
