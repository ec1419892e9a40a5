"""When a service is left alone because it fails, and when it is tried again. Pure.

Closed: every call is made. Open: none is. Half open: one is on its way, to see whether it works.
Only what fails in transit or with 5xx counts, after its tries; an answer, 4xx too, closes it.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

MOST_FAILURES = 5  # one after the other,
LEAST_URLS = 3  # of so many addresses: else it is what was asked for that fails
MOST_PAGES = 3  # for people, with 200, of different addresses: a maintenance, a captive portal
FIRST_PAUSE_S = 60.0
LONGEST_PAUSE_S = 1_800.0
TRIAL_S = 300.0  # after that a trial that was killed bars nobody

Position = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What is known of a service.

    failures: in a row; urls, pages: marks of the addresses that failed in it, or showed a page in
    a row; since: when the first failed; retry_at: when a trial may be made; pause_s: how long it
    was opened for last.
    """

    position: Position = "closed"
    failures: int = 0
    urls: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    since: dt.datetime | None = None
    retry_at: dt.datetime | None = None
    pause_s: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call is about to be made, and `admits` allowed it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The service answered: with what was asked for, or with a 4xx."""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A call came to nothing that says anything of the service: a quota, a login, a signal, 429."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A call failed after all its tries; url: a mark of the address; is_page: HTML with 200."""

    url: str
    error: str
    is_page: bool = False


Event = Asked | Answered | GivenBack | Failed


def admits(circuit: Circuit, now: dt.datetime) -> bool:
    """Tell whether a call may be made: all while it is closed, else a trial when it is time.

    A moment further off than any pause is of a clock that was set back since.
    """
    if circuit.position == "closed" or circuit.retry_at is None:
        return True
    wait_s = (circuit.retry_at - now).total_seconds()
    return not 0 < wait_s <= LONGEST_PAUSE_S


def after(circuit: Circuit, event: Event, now: dt.datetime) -> Circuit:
    """Return what is known of a service after an event."""
    if isinstance(event, Answered):
        return Circuit()
    if isinstance(event, Failed):
        return _failed(circuit, event, now)
    if isinstance(event, GivenBack):
        is_trial = circuit.position == "half_open"
        return replace(circuit, position="open", retry_at=now) if is_trial else circuit
    if circuit.position == "closed":
        return circuit
    return replace(circuit, position="half_open", retry_at=now + dt.timedelta(seconds=TRIAL_S))


def _failed(circuit: Circuit, event: Failed, now: dt.datetime) -> Circuit:
    if circuit.position == "open":
        return circuit  # it was on its way when another opened it
    told = replace(
        circuit,
        failures=circuit.failures + 1,
        urls=_with(circuit.urls, event.url, MOST_FAILURES),
        pages=_with(circuit.pages, event.url, MOST_PAGES) if event.is_page else (),
        since=circuit.since or now,
        error=event.error,
    )
    if circuit.position == "half_open":
        pause_s = min(max(circuit.pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
    elif _is_the_service(told):
        pause_s = FIRST_PAUSE_S
    else:
        return told
    retry_at = now + dt.timedelta(seconds=pause_s)
    return replace(told, position="open", pause_s=pause_s, retry_at=retry_at)


def _is_the_service(circuit: Circuit) -> bool:
    """Tell whether so much failed that it cannot be what was asked for."""
    many = circuit.failures >= MOST_FAILURES and len(circuit.urls) >= LEAST_URLS
    return many or len(circuit.pages) >= MOST_PAGES


def _with(urls: tuple[str, ...], url: str, most: int) -> tuple[str, ...]:
    return urls if url in urls or len(urls) >= most else (*urls, url)
