"""A connection to intervals.icu (https://intervals.icu/api/v1/docs): a key, by Basic auth."""

import base64
import contextlib
from collections.abc import Iterator

from tracklake.budget import Budget, Limit
from tracklake.client import Client
from tracklake.errors import ConfigError
from tracklake.intervals.records import SOURCE, TITLE
from tracklake.session import Phase, SyncSession
from tracklake.upstream.calls import Calls, Key, Service
from tracklake.upstream.pace import Pace

# Nowhere official: what authors of clients measured or were told.
LIMITS = (
    Limit(kind="overall", window_s=10, most=120),
    Limit(kind="overall", window_s=900, most=2500),
    Limit(kind="overall", window_s=86_400, most=5000),
)
_CALLS_PER_S = 2.0
_BURST = 40

NEW_KEY = (
    "make a new one at https://intervals.icu/settings (Developer Settings) and put it into "
    "INTERVALS_API_KEY"
)
REJECTED = f"intervals.icu does not accept the API key: {NEW_KEY}"
NOT_YOURS = (
    f"{REJECTED}; or INTERVALS_ATHLETE_ID names somebody whose pages the key may not read: it is 0 "
    "for whoever made the key"
)
NO_ATHLETE = (
    "intervals.icu knows no such athlete: INTERVALS_ATHLETE_ID is 0 (whose the key is) or the id "
    "in the address of your own pages, like i12345"
)


@contextlib.contextmanager
def connected(
    session: SyncSession, phase: Phase, *, most_calls: int | None = None
) -> Iterator[Calls]:
    """Open a connection for a phase; ConfigError without a key."""
    key = session.settings.intervals_api_key
    if key is None:
        raise ConfigError(f"intervals.icu needs an API key: {NEW_KEY}")
    # A key as a Bearer token is refused with 403.
    login = base64.b64encode(f"API_KEY:{key.get_secret_value()}".encode()).decode()
    with contextlib.closing(Client(session.clock)) as client:
        yield Calls(
            session=session,
            phase=phase,
            client=client,
            service=Service(
                name="intervals",
                title=TITLE,
                url=session.settings.intervals_api_url,
                problem=lambda status, body: None,  # noqa: ARG005 a 401 says enough
                rejected=REJECTED,
                of_one_item=(403, 404, 410, 422),
            ),
            login=Key(header={"Authorization": f"Basic {login}"}),
            # A quota is a key's, and a key an athlete's.
            budget=Budget(session.state, f"{SOURCE}:{session.athlete}", LIMITS, session.clock),
            most_calls=most_calls,
            pace=Pace(_CALLS_PER_S, _BURST),
        )
