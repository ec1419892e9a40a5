"""The budget of one upstream in the state database, shared by all processes that use it."""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from tracklake.budget import answers
from tracklake.budget.answers import Answer
from tracklake.budget.windows import DAY_S, QUARTER_S, Cushion, Limit, Window, WindowState, aligned
from tracklake.clock import Clock, from_unix
from tracklake.errors import BudgetSpent
from tracklake.state import State

_SKEW_S = 2  # clocks that differ by less are the same: a Date has whole seconds
_Row = tuple[int, int, int, int | None, int | None]
_SPANS = {60: "a minute", QUARTER_S: "in 15 minutes", 3600: "an hour", DAY_S: "a day"}
_TITLES = {"smashrun": "SmashRun", "intervals": "intervals.icu"}  # the others' begin with a capital


class Budget:
    """The windows of one upstream, at least one.

    One object is for one thread that makes a call after the other: admit, send, heed.
    """

    def __init__(
        self,
        state: State,
        source: str,
        limits: Sequence[Limit],
        clock: Clock,
        *,
        cushion: Cushion = Cushion(),  # noqa: B008 it cannot change
    ) -> None:
        self._state = state
        self._source = source
        self._limits = tuple(limits)
        self._clock = clock
        self._cushion = cushion
        self._sent_s: float | None = None  # our clock, of the call that awaits its answer

    def admit(self, calls: int = 1) -> None:
        """Count one call in every window, or raise BudgetSpent and count nothing.

        calls: as how many the upstream counts it.
        """
        with self._state.transaction():
            offset_s, now_s, stored = self._read()
            windows = [window.at(now_s) for window in stored]
            shut = [(w.shut_until_s(now_s, self._cushion, calls), w) for w in windows]
            spent = [(until_s, window) for until_s, window in shut if until_s is not None]
            for window in () if spent else windows:
                self._save(replace(window, used=window.used + calls))
        if spent:
            until_s, window = max(spent, key=lambda pair: pair[0])
            raise self._spent(window, from_unix(until_s - offset_s))
        self._sent_s = now_s - offset_s

    def heed(self, answer: Answer, *, shut_s: int | None = None) -> None:
        """Take over what an answer says of limits, usage and time; a 429 shuts a window.

        shut_s: which one, by its length, where the answer's words say it.
        """
        with self._state.transaction():
            date_s = answers.date_s(answer.headers.get("date"))
            now_s, stored, windows = self._corrected(date_s)
            said = answers.told(answer.headers)
            is_refusal = answer.status == answers.TOO_MANY_REQUESTS
            # Without a Date a refusal near a border may be the next window's: suppose it is.
            at_s = date_s if date_s is not None else now_s + _SKEW_S * is_refusal
            windows = [answers.informed(window, said, at_s) for window in windows]
            if is_refusal:
                retry_at_s = answers.retry_s(answer.headers.get("retry-after"), now_s)
                named = [window for window in windows if window.window_s == shut_s]
                shut = answers.refused(named or windows, said, at_s, retry_at_s)
                windows = [shut if window.key == shut.key else window for window in windows]
                self._save_fact(self._reopening(shut), str(shut.reopens_s))
            elif 200 <= answer.status < 400:
                windows = [answers.granted(window, at_s) for window in windows]
            for window in windows:
                if window not in stored:
                    self._save(window)
        self._sent_s = None

    def left(self) -> int:
        """Return how many calls may be made now, without those of the cushion."""
        with self._state.transaction():
            _, now_s, stored = self._read()
        windows = [window.at(now_s) for window in stored]
        if any(window.shut_until_s(now_s, self._cushion) is not None for window in windows):
            return 0
        return min(window.usable(self._cushion) - window.used for window in windows)

    def windows(self) -> list[WindowState]:
        """Return every window as it stands now, in the order of the limits."""
        with self._state.transaction():
            offset_s, now_s, stored = self._read()
        return [
            WindowState(
                kind=window.kind,
                window_s=window.window_s,
                used=window.used,
                most=window.most,
                resets_at=from_unix(window.ends_s - offset_s),
                refused=window.refused_until_s > now_s,
            )
            for window in (stored_window.at(now_s) for stored_window in stored)
        ]

    def _corrected(self, date_s: float | None) -> tuple[float, list[Window], list[Window]]:
        """Return now, the windows as stored and as they are by an answer's Date; learn the clock.

        The answer was dated between sending and now. Where the Date lies outside, the clocks
        differ; what was counted is carried over then, so that no Date makes calls come back.
        """
        offset_s, now_s, stored = self._read()
        windows = [window.at(now_s) for window in stored]
        if date_s is None:
            return now_s, stored, windows
        sent_s = None if self._sent_s is None else min(self._sent_s + offset_s, now_s)
        earliest_s = now_s if sent_s is None else sent_s
        error_s = max(date_s - now_s, 0.0) or min(date_s - earliest_s, 0.0)
        if abs(error_s) <= _SKEW_S:
            return now_s, stored, [window.proved(date_s, sent_s) for window in windows]
        self._save_fact(f"clock_offset:{self._source}", repr(offset_s + error_s))
        right_s = now_s + error_s
        return right_s, stored, [window.moved(right_s, now_s) for window in windows]

    def _read(self) -> tuple[float, float, list[Window]]:
        """Return the upstream's clock minus ours, now by its clock, and the windows as stored.

        Those that lie in the future, because our clock was ahead, are put right for good.
        """
        known = self._state.execute(
            "select value from facts where name = ?", (f"clock_offset:{self._source}",)
        )
        offset_s = _finite(str(known[0][0])) if known else 0.0
        now_s = self._clock.now().timestamp() + offset_s
        windows = [self._stored(limit, now_s) for limit in self._limits]
        for place, window in enumerate(windows):
            if window.is_ahead(now_s):
                windows[place] = window.moved(now_s, now_s)
                self._save(windows[place])
        return offset_s, now_s, windows

    def _stored(self, limit: Limit, now_s: float) -> Window:
        rows = self._state.execute(
            "select started_s, used, most, refused_s, "
            "  (select cast(value as integer) from facts where name = ?) "
            "from budgets where source = ? and kind = ? and window_s = ?",
            (self._reopening(limit), self._source, limit.kind, limit.window_s),
        )
        fresh = (aligned(now_s, limit.window_s), 0, 0, None, None)
        started_s, used, told, refused_s, reopens_s = cast(_Row, rows[0]) if rows else fresh
        return Window(
            kind=limit.kind,
            window_s=limit.window_s,
            started_s=started_s,
            default=limit.most,
            used=used,
            told=told,
            refused_s=refused_s,
            reopens_s=reopens_s,
        )

    def _save(self, window: Window) -> None:
        """Store a window; `most` is 0 until a header tells it, so that new constants count."""
        self._state.execute(
            "insert into budgets values (?, ?, ?, ?, ?, ?, ?) "
            "on conflict (source, kind, window_s) do update set started_s = excluded.started_s, "
            "used = excluded.used, most = excluded.most, refused_s = excluded.refused_s",
            (
                *(self._source, window.kind, window.window_s, window.started_s),
                *(window.used, window.told, window.refused_s),
            ),
        )

    def _save_fact(self, name: str, value: str) -> None:
        self._state.execute(
            "insert into facts values (?, ?) "
            "on conflict (name) do update set value = excluded.value",
            (name, value),
        )

    def _reopening(self, window: Limit | Window) -> str:
        return f"budget_reopens:{self._source}:{window.kind}:{window.window_s}"

    def _spent(self, window: Window, until: dt.datetime) -> BudgetSpent:
        span = _SPANS.get(window.window_s, f"in {window.window_s:,} seconds")
        kept = self._cushion.kept(window.window_s, window.most)
        spared = kept and window.refused_s is None and window.used < window.most
        reserve = f", but for the {kept:,} kept for the daily flow," if spared else ""
        word = self._source.partition(":")[0]  # it may name an athlete
        name = _TITLES.get(word) or word.replace("_", "-").title()
        return BudgetSpent(
            f"{name}'s {window.kind} limit of {window.most:,} calls {span} is "
            f"used up{reserve} until {until:%H:%M} UTC",
            until=until,
            error_class="quota_exceeded" if window.window_s >= DAY_S else "rate_limit",
        )


def _finite(told: str) -> float:
    """Read a number that is remembered; one that is damaged counts as nothing."""
    try:
        found = float(told)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def patiently(
    budget: Budget,
    clock: Clock,
    *,
    longest_s: float = QUARTER_S + 20,
    calls: int = 1,
    waiting: Callable[[dt.datetime], None],
) -> Callable[[], None]:
    """Return an `admit` that sits out short waits, after telling `waiting` until when.

    calls: as how many the upstream counts each. BudgetSpent comes through where the wait is longer
    than `longest_s`.
    """

    def admit() -> None:
        while True:
            try:
                budget.admit(calls)
                return
            except BudgetSpent as spent:
                wait_s = (spent.until - clock.now()).total_seconds()
                if wait_s > longest_s:
                    raise
                waiting(spent.until)
                _sleep(clock, spent.until, wait_s)

    return admit


def _sleep(clock: Clock, until: dt.datetime, wait_s: float) -> None:
    """Sleep in slices, so that signals are answered and a clock that is set does no harm."""
    slept_s = 0.0
    while slept_s < wait_s and (rest_s := (until - clock.now()).total_seconds()) > 0:
        slice_s = min(1.0, rest_s)
        clock.sleep(slice_s)
        slept_s += slice_s
