"""Calls to Strava: who we are, what the budget allows, what an answer means.

https://developers.strava.com/docs/reference, https://developers.strava.com/docs/rate-limits
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tracklake.budget import STRAVA, Budget, Cushion, patiently
from tracklake.client import Answer, Ask, Client
from tracklake.errors import AuthError, BudgetSpent, InvalidData, SourceError
from tracklake.session import Phase, SyncSession
from tracklake.strava import oauth
from tracklake.tokens import TokenStore

_OF_ONE_ITEM = (402, 403, 404, 410)  # says something of what was asked for, not of us
_TRIES_AFTER_REFUSAL = 3
_QUARTER = dt.timedelta(minutes=15)


@dataclass(slots=True, kw_only=True)
class StravaApi:
    """A connection for one phase. calls: made so far; most_calls: --max-calls."""

    session: SyncSession
    phase: Phase
    client: Client
    tokens: TokenStore
    budget: Budget
    most_calls: int | None = None
    calls: int = 0
    outlook: Callable[[], str] = str  # what to say of the end while waiting
    _refused_at: dt.datetime | None = field(default=None)

    def get(
        self, path: str, params: Mapping[str, str | int] | None = None, *, tries: int = 4
    ) -> Answer:
        """Ask for one thing; return the answer if it is one (200), or says that it is not there,
        not for us or not in this subscription (402, 403, 404, 410).

        Raises BudgetSpent, AuthError, Transient (after `tries` tries), InvalidData (an answer over
        its cap, or of any other status: that will not change soon) or SourceError.
        """
        refused = 0
        renewed = False
        while True:
            token = self.tokens.access_token()
            answer = self._send(path, params or {}, token, tries)
            if answer.status == 429:
                refused += 1
                self._refused_at = self.session.clock.now()
                self.session.log.warning("rate_limited", path=path, answers=refused)
                if refused < _TRIES_AFTER_REFUSAL:
                    continue  # the budget knows: the next try waits, or does not come
                until = self._refused_at + _QUARTER
                raise BudgetSpent("others use up Strava's quota before us", until=until)
            if answer.status == 401 and not renewed:
                self._raise_if_it_is_about_us(answer)
                self.tokens.renew(token)
                renewed = True
                continue
            return self._judged(path, answer)

    def _send(self, path: str, params: Mapping[str, str | int], token: str, tries: int) -> Answer:
        ask = Ask(
            url=f"{self.session.settings.strava_api_url}/{path}",
            params=params,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            tries=tries,
        )
        return self.client.send(ask, admit=self._admit, heed=self.budget.heed)

    def _admit(self) -> None:
        now = self.session.clock.now
        if self.most_calls is not None and self.calls >= self.most_calls:
            raise BudgetSpent(f"stopped after {self.calls} calls (--max-calls)", until=now())
        patiently(self.budget, self.session.clock, waiting=self._waiting)()
        self.calls += 1

    def _waiting(self, until: dt.datetime) -> None:
        phase = self.phase
        done = f"{phase.processed:,} of {phase.total:,} done; " if phase.total else ""
        wait = f"waiting for Strava's quota until {until:%H:%M:%S} UTC"
        phase.note("; ".join(filter(None, (f"{done}{wait}", self.outlook()))))

    def _judged(self, path: str, answer: Answer) -> Answer:
        if answer.status == 200:
            return answer
        self._raise_if_it_is_about_us(answer)
        if answer.status == 401:
            if self._refused_at is not None:  # who insists after a 429 is shut out for a while
                raise SourceError("Strava turns us away after a used-up quota; try again later")
            raise AuthError(f"Strava does not accept the login any more: {oauth.ADVICE}")
        if answer.status in _OF_ONE_ITEM:
            return answer
        raise InvalidData(f"Strava answered {answer.status} to {path}", reason="refused")

    def _raise_if_it_is_about_us(self, answer: Answer) -> None:
        problem = oauth.auth_problem(answer.status, answer.body)
        if problem is not None:
            raise problem


@contextlib.contextmanager
def connected(
    session: SyncSession,
    phase: Phase,
    *,
    cushion: Cushion = Cushion(),  # noqa: B008 it cannot change
    most_calls: int | None = None,
) -> Iterator[StravaApi]:
    """Open a connection for a phase."""
    store = oauth.token_store(
        session.settings,
        session.folders,
        session.athlete,
        session.folders.default_athlete,
        session.clock,
    )
    budget = Budget(session.state, "strava", STRAVA, session.clock, cushion=cushion)
    with contextlib.closing(Client(session.clock)) as client:
        yield StravaApi(
            session=session,
            phase=phase,
            client=client,
            tokens=store,
            budget=budget,
            most_calls=most_calls,
        )
