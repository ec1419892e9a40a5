"""Waiting for what other processes do, in real time: the engine has no other clock."""

import datetime as dt
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def utc_now() -> dt.datetime:
    """Return the moment, UTC."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 the containers' clock is this one


def wait_until(moment: dt.datetime) -> None:
    """Return at that moment, or at once if it has passed."""
    left_s = (moment - utc_now()).total_seconds()
    if left_s > 0:
        time.sleep(left_s)  # noqa: TID251 the scheduler goes by the real clock


def wait_for(
    question: Callable[[], Answer], what: str, timeout_s: float = 30, every_s: float = 0.2
) -> Answer:
    """Return the first true answer; raise AssertionError, which says `what` did not come."""
    end = utc_now() + dt.timedelta(seconds=timeout_s)
    while True:
        answer = question()
        if answer:
            return answer
        if utc_now() > end:
            raise AssertionError(f"did not come within {timeout_s:.0f} s: {what}")
        time.sleep(every_s)  # noqa: TID251 another process is waited for
