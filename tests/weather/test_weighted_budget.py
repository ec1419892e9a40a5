"""A quota whose calls count as several."""

import datetime as dt
from pathlib import Path

import pytest

from tests import rows
from tests.upstream.clock import MovableClock
from tracklake.budget import Budget, Limit
from tracklake.client import Answer
from tracklake.enrichments.weather import LIMITS, SOURCE
from tracklake.errors import BudgetSpent
from tracklake.state import State

NOON = dt.datetime(2026, 11, 20, 12, 0, 5, tzinfo=dt.UTC)


def budget(folder: Path, clock: MovableClock, *limits: Limit) -> Budget:
    """Return a budget of its own."""
    state = State(folder)
    rows.OPENED.append(state)
    return Budget(state, SOURCE, limits or LIMITS, clock)


def test_a_heavy_call_counts_as_so_many_and_waits_where_it_does_not_fit(tmp_path: Path) -> None:
    """590 of 600 used: one of 55 waits for the next minute, one of 10 does not."""
    clock = MovableClock(NOON)
    quota = budget(tmp_path, clock)
    for _ in range(10):
        quota.admit(59)
    with pytest.raises(BudgetSpent, match="Open-Meteo's weighted limit of 600 calls a minute"):
        quota.admit(55)
    quota.admit(10)
    assert [window.used for window in quota.windows()] == [600, 600, 600]
    clock.advance(75)
    quota.admit(55)


def test_a_call_that_is_heavier_than_a_whole_window_goes_into_a_fresh_one(tmp_path: Path) -> None:
    """It would wait for ever otherwise."""
    quota = budget(tmp_path, MovableClock(NOON), Limit(kind="weighted", window_s=60, most=10))
    quota.admit(25)
    with pytest.raises(BudgetSpent):
        quota.admit()


@pytest.mark.parametrize(("window_s", "next_s"), [(60, 55), (3600, 3595), (86_400, 43_195)])
def test_a_refusal_shuts_the_window_that_its_words_name(
    tmp_path: Path, window_s: int, next_s: int
) -> None:
    """Until the end of the clock's minute, hour or UTC day, and some seconds."""
    clock = MovableClock(NOON)
    quota = budget(tmp_path, clock)
    quota.admit(1)
    quota.heed(Answer(429, {}, b""), shut_s=window_s)
    with pytest.raises(BudgetSpent) as caught:
        quota.admit(1)
    wait_s = (caught.value.until - NOON).total_seconds()
    assert next_s <= wait_s <= next_s + 20
