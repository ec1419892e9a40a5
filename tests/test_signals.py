"""Signals that come at any instant."""

import contextlib
import random
import signal
from collections.abc import Iterator

from tracklake import running
from tracklake.errors import Interrupted

_INSTANTS = 1500


@contextlib.contextmanager
def _noted(log: list[str]) -> Iterator[None]:
    try:
        log.append("opened")
        yield
    finally:
        log.append("closed")


def _opened_and_closed_until_stopped(random_numbers: random.Random) -> list[str]:
    """Open and close something until a signal comes; return what its log said at that moment."""
    log: list[str] = []
    said: list[str] = []
    with contextlib.suppress(Interrupted), running.stopped_by_signals():
        try:  # the timer's signal is answered like the others, and comes in the middle of anything
            signal.setitimer(signal.ITIMER_REAL, 1e-6 + random_numbers.random() * 50e-6)
            while True:
                with _noted(log):
                    pass
        finally:  # the exception still holds all frames: nothing was closed by their end
            said = list(log)
    return said


def test_whatever_was_opened_is_closed_before_anything_around_it() -> None:
    """A signal at any instant leaves no `with` open that would be closed too late."""
    random_numbers = random.Random(20261126)  # noqa: S311 no secret
    for _ in range(_INSTANTS):
        said = _opened_and_closed_until_stopped(random_numbers)
        assert said.count("opened") == said.count("closed"), said[-3:]
