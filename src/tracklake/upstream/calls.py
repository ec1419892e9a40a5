"""Calls to a service: who we are, what the budget allows, what an answer means."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tracklake.budget import Budget, patiently
from tracklake.client import Answer, Ask, Client
from tracklake.client.answers import retry_after_s
from tracklake.errors import AuthError, BudgetSpent, Error, InvalidData, SourceError
from tracklake.session import Phase, SyncSession
from tracklake.upstream.breaker import Breaker
from tracklake.upstream.memory import Memory, moment
from tracklake.upstream.pace import Pace

_LONGEST_WAIT_S = 920.0  # that is sat out: a quarter of an hour, and what clocks differ
_TRIES_AFTER_REFUSAL = 3
_LONGEST_KEPT = dt.timedelta(days=1)  # of a Retry-After, beyond this process


class Login(Protocol):
    """What a call says of who we are."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers of the next call."""

    def renew(self) -> bool:
        """Get another login after one was rejected with 401; False where there is no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A login that does not change: a key in a header."""

    header: Mapping[str, str] = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        """Return the key's header."""
        return self.header

    def renew(self) -> bool:
        """There is no other."""
        return False


def _none(status: int, body: bytes) -> None:
    """Return no problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is known of a service's answers.

    name: as sources are called; title: what a person calls it; url: of its API. problem: what a
    refusal (status, body) says of our login or application, None where it is about the thing that
    was asked for. rejected: what to say when the login is not accepted any more. of_one_item:
    statuses that say something of what was asked for, and not of us. pause: how long to leave it
    alone when others use up the quota.
    """

    name: str
    title: str
    url: str
    rejected: str
    problem: Callable[[int, bytes], Error | None] = _none
    of_one_item: tuple[int, ...] = (402, 403, 404, 410)
    pause: dt.timedelta = dt.timedelta(minutes=15)


@dataclass(slots=True, kw_only=True)
class Calls:
    """A connection for one phase. calls: made so far; most_calls: --max-calls.

    pace: how fast at most, where the quota alone would let too many through at once.
    longest_wait_s: for a quota; a longer one parks the work (BudgetSpent).
    """

    session: SyncSession
    phase: Phase
    client: Client
    service: Service
    login: Login
    budget: Budget
    most_calls: int | None = None
    pace: Pace | None = None
    longest_wait_s: float = _LONGEST_WAIT_S
    calls: int = 0
    not_before: dt.datetime | None = None  # as a Retry-After asked
    outlook: Callable[[], str] = str  # what to say of the end while waiting
    here: Callable[[Callable[[], Any]], Any] = lambda work: work()  # does what needs the state
    _refused_at: dt.datetime | None = field(default=None)
    _is_recalled: bool = field(default=False)

    def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        tries: int = 4,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = 16 << 20,
    ) -> Answer:
        """Ask for one thing; return the answer if it is one (200), or one of `of_one_item`.

        headers: an `Accept` of another kind than JSON also takes any body. Raises BudgetSpent,
        AuthError, Transient (after `tries` tries), SourceError (also at once, while the service is
        left alone: breaker.py), InvalidData (an answer over its cap, or of any
        other status: that will not change soon) or SourceError.
        """
        refused = 0
        renewed = False
        while True:
            ask = Ask(
                url=f"{self.service.url}/{path}",
                params=params or {},
                headers={"Accept": "application/json", **self.login.headers(), **(headers or {})},
                tries=tries,
                most_bytes=most_bytes,
                expects_json="Accept" not in (headers or {}),
            )
            answer = self.breaker.send(ask, self._sent, self.here)
            if answer.status == 429:
                refused += 1
                self._refused_at = self.session.clock.now()
                self.session.log.warning("rate_limited", path=path, answers=refused)
                if refused < _TRIES_AFTER_REFUSAL:
                    continue  # the budget knows: the next try waits, or does not come
                until = self._refused_at + self.service.pause
                message = f"others use up {self.service.title}'s quota before us"
                raise BudgetSpent(message, until=until, error_class="rate_limit")
            if answer.status == 401 and not renewed:
                self._raise_if_it_is_about_us(answer)
                renewed = self.login.renew()
                if renewed:
                    continue
            return self._judged(path, answer)

    @property
    def breaker(self) -> Breaker:
        """Return the breaker that all calls to the service share."""
        return Breaker(self.session, self.service.name, self.service.title)

    def _sent(self, ask: Ask) -> Answer:
        return self.client.send(ask, admit=self._admit, heed=self._heed)

    def _admit(self) -> None:
        now = self.session.clock.now
        if self.most_calls is not None and self.calls >= self.most_calls:
            raise BudgetSpent(f"stopped after {self.calls} calls (--max-calls)", until=now())
        self._stand_back()
        patiently(
            self.budget,
            self.session.clock,
            longest_s=self.longest_wait_s,
            waiting=self._waiting,
        )()
        self.calls += 1
        self.phase.calls += 1

    def _heed(self, answer: Answer) -> None:
        self.budget.heed(answer)
        now = self.session.clock.now()
        asked_s = retry_after_s(answer.headers, now) if answer.status == 429 else None
        if asked_s is not None:
            self.not_before = now + dt.timedelta(seconds=asked_s)
            if asked_s > self.longest_wait_s:  # parks us: the next run is to know
                kept = min(self.not_before, now + _LONGEST_KEPT)
                self._memory.write("not_before", kept.isoformat())

    def _stand_back(self) -> None:
        """Wait as long as the service asked us to, and keep its pace."""
        clock = self.session.clock
        until = self.not_before = self.not_before or self._told_before()
        if until is not None and (wait_s := (until - clock.now()).total_seconds()) > 0:
            if wait_s > self.longest_wait_s:
                when = f"{until:%Y-%m-%d %H:%M} UTC"
                said = f"{self.service.title} asks to be left alone until {when}"
                raise BudgetSpent(said, until=until, error_class="rate_limit")
            self._waiting(until)
            clock.sleep(wait_s)
        if self.pace is not None and (pause_s := self.pace.wait_s(clock.now())) > 0:
            clock.sleep(pause_s)

    def _told_before(self) -> dt.datetime | None:
        """Return until when an earlier run was asked to leave the service alone."""
        if self._is_recalled:
            return None
        self._is_recalled = True
        until = self._memory.understood("not_before", moment)
        # A clock that was set back since would make it long.
        is_sane = until is not None and until - self.session.clock.now() <= _LONGEST_KEPT
        return until if is_sane else None

    @property
    def _memory(self) -> Memory:
        return Memory(self.session, self.service.title)

    def _waiting(self, until: dt.datetime) -> None:
        phase = self.phase
        done = f"{phase.processed:,} of {phase.total:,} done; " if phase.total else ""
        wait = f"waiting for {self.service.title}'s quota until {until:%H:%M:%S} UTC"
        phase.note("; ".join(filter(None, (f"{done}{wait}", self.outlook()))))

    def _judged(self, path: str, answer: Answer) -> Answer:
        if answer.status == 200:
            return answer
        self._raise_if_it_is_about_us(answer)
        title = self.service.title
        if answer.status == 401:
            if self._refused_at is not None:  # who insists after a 429 is shut out for a while
                raise SourceError(f"{title} turns us away after a used-up quota; try again later")
            raise AuthError(self.service.rejected)
        if answer.status in self.service.of_one_item:
            return answer
        raise InvalidData(f"{title} answered {answer.status} to {path}", reason="refused")

    def _raise_if_it_is_about_us(self, answer: Answer) -> None:
        problem = self.service.problem(answer.status, answer.body)
        if problem is not None:
            raise problem


@contextlib.contextmanager
def connected(
    session: SyncSession,
    phase: Phase,
    service: Service,
    login: Login,
    budget: Budget,
    *,
    most_calls: int | None = None,
) -> Iterator[Calls]:
    """Open a connection for a phase."""
    with contextlib.closing(Client(session.clock)) as client:
        yield Calls(
            session=session,
            phase=phase,
            client=client,
            service=service,
            login=login,
            budget=budget,
            most_calls=most_calls,
        )
