"""A connection to Garmin: through the Personal API where there is a key, else as the app does."""

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator

from tracklake.budget import Budget, Limit
from tracklake.client import Client
from tracklake.errors import Error
from tracklake.garmin import community, logins
from tracklake.garmin.personal import REJECTED, PersonalLogin
from tracklake.session import Phase, SyncSession
from tracklake.upstream.calls import Calls, Login, Service

# Garmin names no limits; a call a second is what its users keep to.
LIMITS = (Limit(kind="overall", window_s=900, most=900),)
_PACE_S = 1.0


class PacedBudget(Budget):
    """A budget that also leaves a second between two calls, tries and exchanges included."""

    _last: dt.datetime | None = None

    def admit(self, calls: int = 1) -> None:
        """Count a call and wait until it may be made; see Budget."""
        super().admit(calls)
        now = self._clock.now()
        if self._last is not None:
            wait_s = _PACE_S - (now - self._last).total_seconds()
            self._clock.sleep(max(0.0, min(wait_s, _PACE_S)))
        self._last = self._clock.now()


def budget_of(session: SyncSession) -> PacedBudget:
    """Return the athlete's budget: a key is one person's."""
    return PacedBudget(session.state, f"garmin:{session.athlete}", LIMITS, session.clock)


@contextlib.contextmanager
def connected(
    session: SyncSession, phase: Phase, *, most_calls: int | None = None
) -> Iterator[Calls]:
    """Open a connection for a phase. Raises AuthError, ConfigError, SourceError."""
    budget = budget_of(session)
    with contextlib.ExitStack() as opened:
        client, login, service = _entered(session, budget, opened)
        yield Calls(
            session=session,
            phase=phase,
            client=client,
            service=service,
            login=login,
            budget=budget,
            most_calls=most_calls,
        )


def _entered(
    session: SyncSession, budget: Budget, opened: contextlib.ExitStack
) -> tuple[Client, Login, Service]:
    settings, folders = session.settings, session.folders
    service = Service(
        name="garmin",
        title="Garmin",
        url=settings.garmin_personal_api_base_url,
        problem=_problem,
        rejected=REJECTED,
        of_one_item=(404, 410),
    )
    key = logins.key_of(settings)
    if key is not None:
        client = opened.enter_context(contextlib.closing(Client(session.clock)))
        login = PersonalLogin(
            key=logins.checked(key),
            path=logins.key_path(folders, session.athlete),
            url=settings.garmin_personal_api_base_url,
            client=client,
            clock=session.clock,
            budget=budget,
        )
        return client, login, service
    tokens = community.Tokens(logins.community_folder(folders, session.athlete))
    theirs = community.CommunityClient(session.clock, tokens, tokens.resume())
    opened.enter_context(contextlib.closing(theirs))
    rejected = f"Garmin does not accept the saved login any more: {community.ADVICE}"
    service = dataclasses.replace(service, url=community.URL, rejected=rejected)
    return theirs, community.NoLogin(), service


def _problem(status: int, body: bytes) -> Error | None:  # noqa: ARG001 its bodies say no more
    """No refusal of Garmin's says more of the login than its status does."""
    return None
