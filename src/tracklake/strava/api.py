"""A connection to Strava.

https://developers.strava.com/docs/reference, https://developers.strava.com/docs/rate-limits
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tracklake.budget import STRAVA, Budget, Cushion
from tracklake.session import Phase, SyncSession
from tracklake.strava import oauth
from tracklake.tokens import TokenStore
from tracklake.upstream import calls
from tracklake.upstream.calls import Calls, Service


@dataclass(slots=True)
class Login:
    """Access tokens as they are needed."""

    tokens: TokenStore
    _token: str = field(default="", repr=False)

    def headers(self) -> Mapping[str, str]:
        """Return the header of the next call; see TokenStore for what it raises."""
        self._token = self.tokens.access_token()
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Get another token than the one that was rejected."""
        self.tokens.renew(self._token)
        return True


def tokens_of(session: SyncSession) -> TokenStore:
    """Return the login of the session's athlete; ConfigError without an API application."""
    folders = session.folders
    return oauth.token_store(
        session.settings, folders, session.athlete, folders.default_athlete, session.clock
    )


@contextlib.contextmanager
def connected(
    session: SyncSession,
    phase: Phase,
    *,
    cushion: Cushion = Cushion(),  # noqa: B008 it cannot change
    most_calls: int | None = None,
) -> Iterator[Calls]:
    """Open a connection for a phase."""
    service = Service(
        name="strava",
        title="Strava",
        url=session.settings.strava_api_url,
        problem=oauth.auth_problem,
        rejected=f"Strava does not accept the login any more: {oauth.ADVICE}",
    )
    budget = Budget(session.state, "strava", STRAVA, session.clock, cushion=cushion)
    login = Login(tokens_of(session))
    with calls.connected(
        session, phase, service, login, budget, most_calls=most_calls
    ) as connection:
        yield connection
