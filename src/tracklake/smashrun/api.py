"""A connection to SmashRun (https://api.smashrun.com/v1/documentation)."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tracklake.budget import Budget, Limit
from tracklake.client import Client
from tracklake.errors import ConfigError
from tracklake.session import Phase, SyncSession
from tracklake.smashrun import oauth
from tracklake.tokens import TokenStore
from tracklake.upstream.calls import Calls, Key, Login, Service

SOURCE = "smashrun"
HOUR_S = 3600
LIMITS = (Limit(kind="hourly", window_s=HOUR_S, most=250),)  # of each token
_LONGEST_WAIT_S = 60.0  # an hour is not sat out: the next flow goes on


@dataclass(slots=True)
class ApplicationLogin:
    """Access tokens of an application, renewed at half of their life."""

    session: SyncSession
    tokens: TokenStore
    _token: str = field(default="", repr=False)
    _is_said: bool = False

    def headers(self) -> Mapping[str, str]:
        """Return the header of the next call; see TokenStore for what it raises."""
        self._token = self.tokens.access_token()
        if self.tokens.not_renewed is not None and not self._is_said:
            self._is_said = True
            self.session.log.warning(
                "login_not_renewed", source=SOURCE, error=str(self.tokens.not_renewed)
            )
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Get another token than the one that was rejected."""
        self.tokens.renew(self._token)
        return True


@contextlib.contextmanager
def connected(
    session: SyncSession, phase: Phase, *, most_calls: int | None = None
) -> Iterator[Calls]:
    """Open a connection for a phase; ConfigError where nothing says who we are."""
    is_personal = not oauth.has_application(session.settings)
    rejected = oauth.PERSONAL if is_personal else oauth.ADVICE
    with contextlib.closing(Client(session.clock)) as client:
        yield Calls(
            session=session,
            phase=phase,
            client=client,
            service=Service(
                name="smashrun",
                title="SmashRun",
                url=session.settings.smashrun_api_url,
                rejected=f"SmashRun does not accept the token any more: {rejected}",
            ),
            login=_personal(session) if is_personal else _application(session),
            budget=Budget(session.state, f"{SOURCE}:{session.athlete}", LIMITS, session.clock),
            most_calls=most_calls,
            longest_wait_s=_LONGEST_WAIT_S,
        )


def _personal(session: SyncSession) -> Login:
    token = session.settings.smashrun_access_token
    if token is None:
        raise ConfigError(
            f"SmashRun: there is no token for {session.athlete}: "
            f"{oauth.PERSONAL.replace('a new one', 'one')}"
        )
    return Key(header={"Authorization": f"Bearer {token.get_secret_value()}"})


def _application(session: SyncSession) -> Login:
    folders = session.folders
    store = oauth.token_store(
        session.settings, folders, session.athlete, folders.default_athlete, session.clock
    )
    return ApplicationLogin(session, store)
