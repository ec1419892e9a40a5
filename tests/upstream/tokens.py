"""OAuth as Strava does it: codes, access tokens of six hours, refresh tokens that rotate."""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Collection

LIFETIME_S = 21_600
SAME_ABOVE_S = 3_600  # with more than that left, a refresh returns the same access token
ALL_SCOPES = ("read", "activity:read_all", "profile:read_all")


@dataclasses.dataclass
class Access:
    """An access token and what it may."""

    token: str
    expires: dt.datetime
    scopes: frozenset[str]


class Refused(Exception):
    """A grant that is refused; `reason` names the entry of the recorded errors."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenDesk:
    """Hands out tokens for one athlete and one app.

    `rotate`: each refresh spends the refresh token. `revoke_family`: a spent one kills every
    token that came from it. `authorised`: False refuses every refresh, as after the athlete has
    removed the app.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        scopes: Collection[str] = ALL_SCOPES,
        rotate: bool = True,
        revoke_family: bool = False,
        lifetime_s: float = LIFETIME_S,
    ) -> None:
        self.client_id = "4711"
        self.client_secret = self._word(seed, "secret", 0)
        self.scopes = frozenset(scopes)
        self.rotate = rotate
        self.revoke_family = revoke_family
        self.lifetime_s = lifetime_s
        self.authorised = True
        self.consent: frozenset[str] | None = None  # what the athlete ticks; None: all; empty: no
        self.refreshes = 0  # that were granted
        self.invalid_grants = 0  # that were refused for their refresh token
        self.codes: dict[str, frozenset[str]] = {}
        self.access: dict[str, Access] = {}
        self._seed = seed
        self._counted = 0
        self.refresh_token = self._new("refresh")

    @staticmethod
    def _word(seed: int, kind: str, number: int) -> str:
        return hashlib.sha256(f"{seed} {kind} {number}".encode()).hexdigest()[:40]

    def _new(self, kind: str) -> str:
        self._counted += 1
        return self._word(self._seed, kind, self._counted)

    def issue_code(self, scopes: Collection[str]) -> str:
        """Return a code that can be exchanged once."""
        code = self._new("code")
        self.codes[code] = frozenset(scopes)
        return code

    def issue_access(self, moment: dt.datetime) -> Access:
        """Return a new access token."""
        expires = moment + dt.timedelta(seconds=self.lifetime_s)
        access = Access(self._new("access"), expires, self.scopes)
        self.access[access.token] = access
        return access

    def exchange(self, form: dict[str, str], moment: dt.datetime) -> dict[str, object]:
        """Answer POST /oauth/token without the athlete; raise Refused."""
        given = (form.get("client_id"), form.get("client_secret"))
        if given != (self.client_id, self.client_secret):
            raise Refused("client")
        if form.get("grant_type") == "authorization_code":
            scopes = self.codes.pop(form.get("code", ""), None)
            if scopes is None:
                raise Refused("code")
            return self._from_code(scopes, moment)
        if form.get("grant_type") == "refresh_token":
            return self._from_refresh(form.get("refresh_token", ""), moment)
        raise Refused("client")

    def _from_code(self, scopes: frozenset[str], moment: dt.datetime) -> dict[str, object]:
        self.authorised = True
        self.scopes = scopes
        self.access.clear()
        self.refresh_token = self._new("refresh")
        return self._pair(self.issue_access(moment), moment)

    def _from_refresh(self, token: str, moment: dt.datetime) -> dict[str, object]:
        if not self.authorised or token != self.refresh_token:
            self.invalid_grants += 1
            if self.revoke_family:
                self.deauthorise()
            raise Refused("refresh")
        self.refreshes += 1
        if self.rotate:
            self.refresh_token = self._new("refresh")
        newest = list(self.access.values())[-1:]
        left_s = (newest[0].expires - moment).total_seconds() if newest else 0.0
        same = left_s > SAME_ABOVE_S and newest[0].scopes == self.scopes
        return self._pair(newest[0] if same else self.issue_access(moment), moment)

    def _pair(self, access: Access, moment: dt.datetime) -> dict[str, object]:
        return {
            "token_type": "Bearer",
            "access_token": access.token,
            "expires_at": int(access.expires.timestamp()),
            "expires_in": int((access.expires - moment).total_seconds()),
            "refresh_token": self.refresh_token,
        }

    def valid(self, token: str | None, moment: dt.datetime) -> Access | None:
        """Return the access token if it is known and has not expired."""
        access = self.access.get(token or "")
        return access if access is not None and access.expires > moment else None

    def expire_access(self) -> None:
        """Let every access token be expired from now on; refreshing still works."""
        self.access.clear()

    def reduce(self, scopes: Collection[str]) -> None:
        """Let the athlete untick scopes: holds for every token, old and new."""
        self.scopes = frozenset(scopes)
        for access in self.access.values():
            access.scopes = self.scopes

    def deauthorise(self) -> None:
        """Let the athlete remove the app: every token is dead until a new login."""
        self.authorised = False
        self.access.clear()
