"""Quota budgets: never over an upstream's limits, whatever it says, whoever else uses them."""

import datetime as dt
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests import rows
from tests.rows import StandingClock
from tracklake.budget import STRAVA, Budget, Cushion, Limit, WindowState, forecast, patiently
from tracklake.errors import BudgetSpent
from tracklake.state import State

QUARTER_S, DAY_S = 900, 86_400
NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
NO_CUSHION = Cushion()
QUOTA_HEADERS = (
    *("x-ratelimit-limit", "x-ratelimit-usage"),
    *("x-readratelimit-limit", "x-readratelimit-usage"),
)


@dataclass(frozen=True)
class Answered:
    """An answer without a body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def open_state(folder: Path) -> State:
    """Open the state database of a folder, as another process would."""
    state = State(folder)
    rows.OPENED.append(state)
    return state


@dataclass
class Setting:
    """A folder with a state database and a clock."""

    folder: Path
    clock: StandingClock
    limits: Sequence[Limit] = STRAVA
    cushion: Cushion = NO_CUSHION

    def budget(self) -> Budget:
        """Return a budget as a new process would open it."""
        return Budget(
            open_state(self.folder), "strava", self.limits, self.clock, cushion=self.cushion
        )

    def moved_to(self, hour: int, minute: int, second: int = 0, day: int = 1) -> None:
        """Set the clock to a time in May 2026."""
        self.clock.moment = dt.datetime(2026, 5, day, hour, minute, second, tzinfo=dt.UTC)


@pytest.fixture
def scene(tmp_path: Path) -> Setting:
    """Return a setting at noon."""
    return Setting(tmp_path, StandingClock(NOON))


def use(budget: Budget, calls: int) -> None:
    """Make so many calls whose answers say nothing."""
    for _ in range(calls):
        budget.admit()
        budget.heed(Answered())


def spent(budget: Budget) -> BudgetSpent:
    """Return how the next call is refused."""
    with pytest.raises(BudgetSpent) as caught:
        budget.admit()
    return caught.value


def usage(budget: Budget) -> dict[tuple[str, int], tuple[int, int]]:
    """Return used and most by window."""
    return {(w.kind, w.window_s): (w.used, w.most) for w in budget.windows()}


def dated(moment: dt.datetime, status: int = 200, **headers: str) -> Answered:
    """Return an answer with a Date."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answered(status, {"date": format_datetime(moment, usegmt=True), **named})


# Counting


def test_a_call_counts_in_every_window(scene: Setting) -> None:
    """Without headers calls are counted by us against the constants, also after a restart."""
    use(scene.budget(), 3)
    assert usage(scene.budget()) == {
        ("overall", QUARTER_S): (3, 200),
        ("overall", DAY_S): (3, 2000),
        ("read", QUARTER_S): (3, 100),
        ("read", DAY_S): (3, 1000),
    }
    assert scene.budget().left() == 97


def test_a_spent_window_refuses_and_counts_nothing(scene: Setting) -> None:
    """The 101st call is refused in plain words, before it is sent, and leaves no trace."""
    budget = scene.budget()
    use(budget, 100)
    before = usage(budget)
    refusal = spent(budget)
    message = "Strava's read limit of 100 calls in 15 minutes is used up until 12:15 UTC"
    assert str(refusal) == message
    wait = refusal.until - dt.datetime(2026, 5, 1, 12, 15, tzinfo=dt.UTC)
    assert dt.timedelta(seconds=2) <= wait <= dt.timedelta(seconds=15)
    assert usage(budget) == before
    assert budget.left() == 0
    assert str(spent(scene.budget())) == message
    scene.clock.moment = refusal.until
    budget.admit()
    assert usage(budget)["read", QUARTER_S] == (1, 100)
    assert usage(budget)["read", DAY_S] == (101, 1000)


def test_the_day_ends_at_midnight_utc(scene: Setting) -> None:
    """The daily limit names midnight and outlasts the short one."""
    budget = scene.budget()
    budget.heed(Answered(headers={"x-readratelimit-usage": "100,1000"}))
    refusal = spent(budget)
    assert str(refusal) == ("Strava's read limit of 1,000 calls a day is used up until 00:00 UTC")
    scene.moved_to(23, 59)
    assert spent(budget).until == refusal.until
    scene.clock.moment = refusal.until
    assert budget.left() == 100


def test_a_window_starts_at_0_on_its_border(scene: Setting) -> None:
    """A window is a quarter of the wall clock, not the 15 minutes since the first call."""
    scene.moved_to(12, 14, 50)
    budget = scene.budget()
    use(budget, 50)
    scene.moved_to(12, 15)
    assert usage(budget)["read", QUARTER_S] == (0, 100)
    assert budget.windows()[0].resets_at == dt.datetime(2026, 5, 1, 12, 30, tzinfo=dt.UTC)
    assert budget.windows()[1].resets_at == dt.datetime(2026, 5, 2, tzinfo=dt.UTC)


def test_a_nearly_spent_window_stays_shut_over_its_border(scene: Setting) -> None:
    """Where our clock may be ahead, calls just after the border could land in the full window."""
    budget = scene.budget()
    use(budget, 95)
    scene.moved_to(12, 14, 59)
    assert budget.left() == 5
    scene.moved_to(12, 15, 1)
    assert budget.left() == 0
    assert spent(budget).until <= dt.datetime(2026, 5, 1, 12, 15, 15, tzinfo=dt.UTC)
    scene.moved_to(12, 15, 15)
    assert budget.left() == 100


# Cushions


@pytest.mark.parametrize(
    ("cushion", "left"),
    [
        (Cushion(), 100),
        (Cushion(share=0.1), 90),
        (Cushion(share=0.101), 89),  # rounded up
        (Cushion(share=0.1, short=25), 75),
        (Cushion(share=0.1, daily=950), 50),
        (Cushion(short=0, daily=0, share=0.5), 100),
        (Cushion(short=5000, daily=5000), 1),  # never for ever
    ],
)
def test_a_cushion_is_left(scene: Setting, cushion: Cushion, left: int) -> None:
    """A share is kept in each window, or the number that is given; who has none may use it."""
    frugal = Setting(scene.folder, scene.clock, cushion=cushion).budget()
    assert frugal.left() == left
    use(frugal, left)
    assert frugal.left() == 0
    assert scene.budget().left() == 100 - left


def test_who_keeps_a_cushion_says_so(scene: Setting) -> None:
    """The message does not claim that a limit is used up of which a part is kept."""
    scene.cushion = Cushion(share=0.1)
    budget = scene.budget()
    use(budget, 90)
    assert str(spent(budget)) == (
        "Strava's read limit of 100 calls in 15 minutes is used up, but for the 10 kept for the "
        "daily flow, until 12:15 UTC"
    )


# Headers


def test_headers_beat_constants_and_are_remembered(scene: Setting) -> None:
    """Limits go up and down as headers say, also for the next process; usage of others counts."""
    scene.budget().heed(
        Answered(
            headers={
                "x-ratelimit-limit": "600,6000",
                "x-ratelimit-usage": "7,1500",
                "x-readratelimit-limit": "50,3000",
                "x-readratelimit-usage": "6,1400",
            }
        )
    )
    assert usage(scene.budget()) == {
        ("overall", QUARTER_S): (7, 600),
        ("overall", DAY_S): (1500, 6000),
        ("read", QUARTER_S): (6, 50),
        ("read", DAY_S): (1400, 3000),
    }
    assert scene.budget().left() == 44


def test_constants_count_until_a_header_comes(scene: Setting) -> None:
    """A limit of ours that changes with an update or a setting counts at once."""
    use(scene.budget(), 10)
    scene.limits = (Limit(kind="read", window_s=QUARTER_S, most=12),)
    assert scene.budget().left() == 2


def test_the_higher_usage_counts(scene: Setting) -> None:
    """A header never takes back what we counted, and counts what others used."""
    budget = scene.budget()
    use(budget, 10)
    budget.heed(Answered(headers={"x-readratelimit-usage": "4,40"}))
    assert usage(budget)["read", QUARTER_S] == (10, 100)
    assert usage(budget)["read", DAY_S] == (40, 1000)


def test_the_tighter_limit_binds(scene: Setting) -> None:
    """The overall limit binds where it is nearer than the one for reading, and the other way."""
    budget = scene.budget()
    budget.heed(
        Answered(headers={"x-ratelimit-usage": "195,300", "x-readratelimit-usage": "20,30"})
    )
    assert budget.left() == 5
    use(budget, 5)
    assert "overall limit of 200 calls in 15 minutes" in str(spent(budget))


@pytest.mark.parametrize(
    "value",
    [
        *("", "garbage", "-5,-50", "5", "5,", ",5", "0,0", "1,2,3", "1.5,3", "1e3,5", "٣,٤"),
        *("99999999999999999999,99999999999999999999", "null", "5;50"),
    ],
)
def test_malformed_headers_change_nothing(scene: Setting, value: str) -> None:
    """What cannot be a limit or a usage is ignored, as is the 0,0 of push subscriptions."""
    budget = scene.budget()
    use(budget, 3)
    before = usage(budget)
    budget.heed(Answered(headers=dict.fromkeys(QUOTA_HEADERS, value)))
    assert usage(budget) == before


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.integers(100, 599),
    headers=st.dictionaries(
        st.sampled_from([*QUOTA_HEADERS, "date", "retry-after"]),
        st.text(max_size=40)
        | st.from_regex(r"-?\d{1,30},-?\d{1,30}", fullmatch=True)
        | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} May \d{1,5} \d\d:\d\d:\d\d [+-]?\w{1,5}")
        | st.integers().map(str),
    ),
)
def test_no_header_breaks_a_budget(scene: Setting, status: int, headers: dict[str, str]) -> None:
    """Whatever an answer says, the next call is admitted or refused until some time."""
    budget = Budget(open_state(scene.folder), f"s{status}", STRAVA, scene.clock)
    budget.heed(Answered(status, headers))
    left = budget.left()
    if left:
        budget.admit()
    else:
        assert spent(budget).until > scene.clock.moment
    rows.OPENED.pop().close()


# The upstream's clock


def test_the_upstreams_clock_is_learned_and_kept(scene: Setting) -> None:
    """With a clock 7 min behind the windows are the upstream's; `until` is in ours."""
    budget = scene.budget()
    budget.admit()
    theirs = dt.timedelta(minutes=7)
    budget.heed(dated(NOON + theirs, x_readratelimit_usage="100,200"))
    assert usage(budget)["read", QUARTER_S] == (100, 100)
    refusal = spent(scene.budget())
    assert "until 12:08 UTC" in str(refusal)
    wait_s = (refusal.until - NOON).total_seconds()
    assert 8 * 60 + 1 <= wait_s <= 8 * 60 + 16
    [(offset,)] = open_state(scene.folder).execute(
        "select value from facts where name = 'clock_offset:strava'"
    )
    assert float(str(offset)) == pytest.approx(420, abs=1)


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 May 2026 12:00:00 GMT", "0"])
def test_an_unreadable_date_changes_nothing(scene: Setting, date: str) -> None:
    """Neither does a missing one: the clock that was learned stays."""
    budget = scene.budget()
    budget.heed(dated(NOON + dt.timedelta(minutes=7)))
    before = open_state(scene.folder).execute("select * from facts")
    assert len(before) == 1
    budget.heed(Answered(headers={"date": date}))
    budget.heed(Answered())
    assert open_state(scene.folder).execute("select * from facts") == before


@pytest.mark.parametrize("difference_s", [-1, 0, 2])
def test_small_differences_of_clocks_are_none(scene: Setting, difference_s: int) -> None:
    """A Date has whole seconds and answers travel; by 2 s nothing is taken over."""
    scene.budget().heed(dated(NOON + dt.timedelta(seconds=difference_s)))
    assert open_state(scene.folder).execute("select * from facts") == []


def test_a_slow_answer_is_no_difference_of_clocks(scene: Setting) -> None:
    """An answer dated when it was begun, whose body took 40 s, moves no clock."""
    budget = scene.budget()
    budget.admit()
    scene.clock.sleep(40)
    budget.heed(dated(NOON + dt.timedelta(seconds=1)))
    assert open_state(scene.folder).execute("select * from facts") == []


def test_dates_that_jump_about_bring_no_calls_back(scene: Setting) -> None:
    """A proxy that answers with wrong Dates cannot empty a budget."""
    budget = scene.budget()
    for hours in (0, 24, -24, 240, 0, -1000, 1000, 0):
        use(budget, 10)
        budget.heed(dated(NOON + dt.timedelta(hours=hours)))
    assert usage(budget)["read", DAY_S][0] >= 80
    assert usage(budget)["read", QUARTER_S][0] >= 80


def test_usage_belongs_to_the_window_of_the_date(scene: Setting) -> None:
    """An answer from before the border says nothing of the window after it."""
    scene.moved_to(12, 14, 58)
    budget = scene.budget()
    budget.admit()
    scene.moved_to(12, 15, 3)
    budget.heed(
        dated(dt.datetime(2026, 5, 1, 12, 14, 59, tzinfo=dt.UTC), x_readratelimit_usage="99,99")
    )
    assert usage(budget)["read", QUARTER_S] == (0, 100)
    assert usage(budget)["read", DAY_S] == (99, 1000)


def test_an_answer_from_the_next_window_proves_that_it_began(scene: Setting) -> None:
    """A call that was counted before the border, and answered after it, counts in both."""
    scene.moved_to(12, 14, 59)
    budget = scene.budget()
    use(budget, 50)
    budget.admit()
    budget.heed(dated(dt.datetime(2026, 5, 1, 12, 15, tzinfo=dt.UTC)))
    assert usage(budget)["read", QUARTER_S] == (1, 100)
    assert usage(budget)["read", DAY_S] == (51, 1000)


@pytest.mark.parametrize("back", [dt.timedelta(minutes=20), dt.timedelta(days=400)])
def test_a_clock_that_jumps_back_blocks_for_at_most_two_windows(
    scene: Setting, back: dt.timedelta
) -> None:
    """After the clock was put right, spent and refused windows open again in sane time."""
    budget = scene.budget()
    use(budget, 100)
    budget.heed(Answered(429))
    scene.clock.moment -= back
    wait_s = (spent(budget).until - scene.clock.moment).total_seconds()
    assert 0 < wait_s <= 2 * QUARTER_S + 15
    scene.clock.sleep(wait_s)
    budget.admit()


# 429


def refused_until(scene: Setting, answer: Answered) -> BudgetSpent:
    """Make a call that is refused; return how the next one is."""
    budget = scene.budget()
    budget.admit()
    budget.heed(answer)
    assert budget.left() == 0
    return spent(scene.budget())


@pytest.mark.parametrize(
    ("read", "words"),
    [
        ("101,500", "100 calls in 15 minutes is used up until 12:15 UTC"),
        ("50,1000", "1,000 calls a day is used up until 00:00 UTC"),
        ("100,1000", "1,000 calls a day is used up until 00:00 UTC"),
        ("50,500", "100 calls in 15 minutes is used up until 12:15 UTC"),  # explains nothing
    ],
)
def test_a_429_shuts_the_window_that_is_spent(scene: Setting, read: str, words: str) -> None:
    """The headers of a 429 say which: the day before the 15 minutes."""
    headers = {"x-readratelimit-limit": "100,1000", "x-readratelimit-usage": read}
    assert str(refused_until(scene, Answered(429, headers))) == f"Strava's read limit of {words}"


def test_a_429_without_headers_shuts_15_minutes_then_the_day(scene: Setting) -> None:
    """The second in a row, after the first one's border, means the day; the next day is free."""
    first = refused_until(scene, Answered(429))
    assert "in 15 minutes is used up until 12:15 UTC" in str(first)
    scene.clock.moment = first.until
    second = refused_until(scene, Answered(429))
    assert "1,000 calls a day is used up until 00:00 UTC" in str(second)
    scene.clock.moment = second.until
    third = refused_until(scene, Answered(429))
    assert "in 15 minutes is used up until 00:15 UTC" in str(third)


def test_the_day_is_shut_before_the_15_minutes(scene: Setting) -> None:
    """Where a 429 says that both are spent, it is the day that refused."""
    refused_until(scene, Answered(429, {"x-readratelimit-usage": "100,1000"}))
    shut = [(w.kind, w.window_s) for w in scene.budget().windows() if w.refused]
    assert shut == [("read", DAY_S)]


def test_a_429_without_a_date_near_a_border_shuts_the_window_after_it(scene: Setting) -> None:
    """Our clock may be behind: the upstream may have refused in the next window already."""
    scene.moved_to(12, 14, 59)
    assert "until 12:30 UTC" in str(refused_until(scene, Answered(429)))


def test_a_granted_call_between_two_429s_clears_the_day(scene: Setting) -> None:
    """Who was let in after the border was not at the daily limit."""
    scene.clock.moment = refused_until(scene, Answered(429)).until
    use(scene.budget(), 1)
    scene.moved_to(12, 40)
    assert "until 12:45 UTC" in str(refused_until(scene, Answered(429)))


def test_other_lengths_of_windows_escalate_too(scene: Setting) -> None:
    """A source that counts by minute, hour and day goes from one to the next."""
    scene.limits = tuple(
        Limit(kind="calls", window_s=length, most=most)
        for length, most in ((60, 600), (3600, 5000), (DAY_S, 10_000))
    )
    found = []
    for _ in range(3):
        refusal = refused_until(scene, Answered(429))
        found.append(str(refusal).removeprefix("Strava's calls limit of "))
        scene.clock.moment = refusal.until
    assert found == [
        "600 calls a minute is used up until 12:01 UTC",
        "5,000 calls an hour is used up until 13:00 UTC",
        "10,000 calls a day is used up until 00:00 UTC",
    ]


@pytest.mark.parametrize(
    ("retry_after", "minimum_s", "maximum_s"),
    [
        ("30", 30, 31),
        ("1", 1, 2),
        ("900", 901, 916),  # past the end: the end
        ("86400", 901, 916),
        ("0", 901, 916),
        ("-5", 901, 916),
        ("soon", 901, 916),
        ("", 901, 916),
        ("Fri, 01 May 2026 12:05:00 GMT", 300, 301),
        ("Fri, 01 May 2026 11:00:00 GMT", 901, 916),
        ("Sat, 02 May 2026 11:00:00 GMT", 901, 916),
    ],
)
@pytest.mark.parametrize("has_date", [True, False])
def test_a_sane_retry_after_is_respected(
    scene: Setting, retry_after: str, minimum_s: float, maximum_s: float, has_date: bool
) -> None:
    """From 1 s to the window's end, as seconds or a date; anything else is as if it were absent."""
    headers = {"retry-after": retry_after}
    if has_date:
        headers["date"] = format_datetime(NOON, usegmt=True)
    refusal = refused_until(scene, Answered(429, headers))
    wait_s = (refusal.until - NOON).total_seconds()
    assert minimum_s <= wait_s + 0.01
    assert wait_s <= maximum_s
    scene.clock.moment = refusal.until
    scene.budget().admit()


def test_a_retry_after_counts_once_a_window(scene: Setting) -> None:
    """A server that promises too early is not believed twice."""
    scene.clock.moment = refused_until(scene, Answered(429, {"retry-after": "30"})).until
    assert "until 12:15 UTC" in str(refused_until(scene, Answered(429, {"retry-after": "30"})))


def test_a_yes_that_was_on_its_way_does_not_lift_a_429(scene: Setting) -> None:
    """The answer to another process's call, sent before, changes nothing."""
    one, other = scene.budget(), scene.budget()
    one.admit()
    other.admit()
    one.heed(Answered(429))
    other.heed(Answered(200))
    assert other.left() == 0
    assert one.windows()[2] == WindowState(
        kind="read",
        window_s=QUARTER_S,
        used=2,
        most=100,
        resets_at=dt.datetime(2026, 5, 1, 12, 15, tzinfo=dt.UTC),
        refused=True,
    )


# Patience


def test_a_short_wait_is_sat_out(scene: Setting) -> None:
    """15 minutes are waited for, in slices of a second at most, and the person is told."""
    slices: list[float] = []
    told: list[dt.datetime] = []

    class Watched(StandingClock):
        def sleep(self, seconds: float) -> None:
            slices.append(seconds)
            super().sleep(seconds)

    scene.clock = Watched(NOON)
    budget = scene.budget()
    use(budget, 100)
    patiently(budget, scene.clock, waiting=told.append)()
    assert usage(budget)["read", QUARTER_S] == (1, 100)
    assert len(told) == 1
    assert told[0] <= scene.clock.moment < told[0] + dt.timedelta(seconds=2)
    assert max(slices) <= 1


@pytest.mark.parametrize("read", ["5,1000", "100,1000"])
def test_a_long_wait_is_refused_at_once(scene: Setting, read: str) -> None:
    """The daily limit is not waited for, nor the 15 minutes if the day is spent too."""
    budget = scene.budget()
    budget.heed(Answered(headers={"x-readratelimit-usage": read}))
    told: list[dt.datetime] = []
    with pytest.raises(BudgetSpent, match="a day"):
        patiently(budget, scene.clock, waiting=told.append)()
    assert told == []
    assert scene.clock.moment < NOON + dt.timedelta(seconds=1)


def test_the_day_is_waited_for_shortly_before_midnight(scene: Setting) -> None:
    """What counts is how long the wait is, not which limit it is for."""
    scene.moved_to(23, 50)
    budget = scene.budget()
    budget.heed(Answered(headers={"x-readratelimit-usage": "5,1000"}))
    told: list[dt.datetime] = []
    patiently(budget, scene.clock, waiting=told.append)()
    assert [moment.day for moment in told] == [2]


def test_a_clock_put_back_while_waiting_does_not_prolong_the_wait(scene: Setting) -> None:
    """Who waits sleeps no longer than was said, then asks again."""

    class Jumping(StandingClock):
        slept_s = 0.0

        def sleep(self, seconds: float) -> None:
            self.slept_s += seconds
            jump_s = -100 * DAY_S if self.slept_s == 5 else 0
            super().sleep(seconds + jump_s)

    clock = Jumping(NOON)
    scene.clock = clock
    budget = scene.budget()
    use(budget, 100)
    patiently(budget, clock, waiting=lambda _until: None)()
    assert clock.slept_s <= 2 * (QUARTER_S + 20)


# Simulations


@dataclass
class Server:
    """An upstream with windows and a clock of its own; as Strava it counts what it refuses."""

    clock: StandingClock
    limits: dict[tuple[str, int], int]
    skew_s: float = 0.0
    used: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    refusals: Counter[int] = field(default_factory=Counter)  # by quarter

    def count(self, calls: int) -> bool:
        """Count calls; tell whether the limits allow the last of them."""
        now_s = self.clock.moment.timestamp() + self.skew_s
        keys = {key: (*key, int(now_s // key[1])) for key in self.limits}
        for key in keys.values():
            self.used[key] += calls
        return all(self.used[full] <= self.limits[key] for key, full in keys.items())

    def call(self, *, quiet: bool = False, undated: bool = False) -> Answered:
        """Answer a call, without quota headers if `quiet`."""
        now_s = self.clock.moment.timestamp() + self.skew_s
        granted = self.count(1)
        headers = {}
        if not undated:
            moment = dt.datetime.fromtimestamp(int(now_s), dt.UTC)
            headers["date"] = format_datetime(moment, usegmt=True)
        for kind, name in {"overall": "x-ratelimit", "read": "x-readratelimit"}.items():
            if not quiet:
                lengths = (QUARTER_S, DAY_S)
                used = (self.used[kind, length, int(now_s // length)] for length in lengths)
                headers[f"{name}-usage"] = ",".join(map(str, used))
                headers[f"{name}-limit"] = ",".join(str(self.limits[kind, n]) for n in lengths)
        if not granted:
            self.refusals[int(now_s // QUARTER_S)] += 1
        return Answered(200 if granted else 429, headers)


EVENTS = st.lists(
    st.tuples(st.just("call"), st.integers(1, 12), st.booleans(), st.integers(0, 1))
    | st.tuples(st.just("others"), st.integers(1, 30), st.booleans(), st.integers(0, 1))
    | st.tuples(
        st.just("wait"),
        st.integers(1, 20) | st.integers(1, 1000) | st.integers(1, 100_000),
        st.booleans(),
        st.integers(0, 1),
    )
    | st.tuples(st.just("border"), st.integers(-4, 20), st.booleans(), st.integers(0, 1))
    | st.tuples(st.just("restart"), st.just(0), st.booleans(), st.integers(0, 1)),
    max_size=25,
)


class Play:
    """Two processes with a budget each, on one database, and the upstream."""

    def __init__(self, folder: Path, server: Server, defaults: Sequence[Limit]) -> None:
        self.folder, self.server, self.clock, self.defaults = folder, server, server.clock, defaults
        self.states = [State(folder), State(folder)]
        self.budgets = [self._open(0), self._open(1)]

    def _open(self, which: int) -> Budget:
        return Budget(self.states[which], "strava", self.defaults, self.clock)

    def play(self, event: str, size: int, which: int, *, quiet: bool, undated: bool) -> None:
        """Let one thing happen."""
        if event == "call":
            for _ in range(size):
                self._call(self.budgets[which], quiet=quiet, undated=undated)
        elif event == "others":
            self.server.count(size)
        elif event == "wait":
            self.clock.sleep(size)
        elif event == "border":  # seconds after the next border, by our clock
            here_s = self.clock.moment.timestamp()
            self.clock.sleep(max(0.0, QUARTER_S - here_s % QUARTER_S + size))
        else:
            self.states[which].close()
            self.states[which] = State(self.folder)
            self.budgets[which] = self._open(which)

    def _call(self, budget: Budget, *, quiet: bool, undated: bool) -> None:
        left = budget.left()
        try:
            budget.admit()
        except BudgetSpent as refusal:
            admitted = False
            later = refusal.until > self.clock.moment
        else:
            admitted = later = True
        assert admitted == (left > 0)
        assert later
        if not admitted:
            return
        self.clock.sleep(0.2)
        budget.heed(self.server.call(quiet=quiet, undated=undated))

    def close(self) -> None:
        """Close the database."""
        for state in self.states:
            state.close()


@settings(max_examples=120)
@given(
    most=st.tuples(*(st.integers(1, 40) for _ in range(4))),
    known=st.booleans(),
    skew_s=st.floats(-1.8, 1.8) | st.floats(-200_000, 200_000),
    events=EVENTS,
)
def test_never_more_than_one_429_a_window(
    most: tuple[int, int, int, int],
    known: bool,
    skew_s: float,
    events: list[tuple[str, int, bool, int]],
) -> None:
    """Whatever limits, clocks, others, restarts and silences: one at most, and none at 0 left.

    Answers lack the quota headers at times, and the Date too where the clocks agree to 2 s.
    """
    clock = StandingClock(NOON)
    keys = [(limit.kind, limit.window_s) for limit in STRAVA]
    server = Server(clock, dict(zip(keys, most, strict=True)), skew_s)
    defaults = [
        Limit(kind=limit.kind, window_s=limit.window_s, most=number if known else limit.most)
        for limit, number in zip(STRAVA, most, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), server, defaults)
        try:
            for event, size, flag, which in events:
                undated = flag and size % 2 == 0 and abs(skew_s) < 2
                play.play(event, size, which, quiet=flag, undated=undated)
        finally:
            play.close()
    assert max(server.refusals.values(), default=0) <= 1


@settings(max_examples=60)
@given(most=st.integers(1, 30), events=EVENTS, skew_s=st.floats(-200_000, 200_000))
def test_alone_and_knowing_the_limits_no_call_is_refused(
    most: int, events: list[tuple[str, int, bool, int]], skew_s: float
) -> None:
    """Two processes that share a database never reach 429 if nobody else uses the quota.

    The clocks are known to each other from a first answer.
    """
    clock = StandingClock(NOON)
    server = Server(
        clock, {(limit.kind, limit.window_s): 10 * most for limit in STRAVA}, float(int(skew_s))
    )
    defaults = [Limit(kind=limit.kind, window_s=limit.window_s, most=10 * most) for limit in STRAVA]
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), server, defaults)
        try:
            play.play("call", 1, 0, quiet=False, undated=False)
            for event, size, flag, which in events:
                if event != "others":
                    play.play(event, size, which, quiet=flag, undated=False)
        finally:
            play.close()
    assert server.refusals == Counter()


def backfill(scene: Setting, server: Server, calls: int) -> list[dt.datetime]:
    """Make calls, a second answer of two without quota headers; return when each was made.

    Where the wait is long the run ends, and the next begins when it was said.
    """
    made: list[dt.datetime] = []
    while True:
        budget = scene.budget()
        admit = patiently(budget, scene.clock, longest_s=920, waiting=lambda _until: None)
        try:
            while len(made) < calls:
                admit()
                made.append(scene.clock.moment)
                scene.clock.sleep(0.3)
                budget.heed(server.call(quiet=len(made) % 2 == 0))
            return made
        except BudgetSpent as refusal:
            scene.clock.moment = refusal.until
        finally:
            rows.OPENED.pop().close()


def test_seven_days_of_a_backfill(tmp_path: Path) -> None:
    """6,015 calls at 90 % take what arithmetic says, with no 429, and the forecast says when.

    The forecast is right to a minute a day at the start and to 10 % after the first day.
    """
    clock = StandingClock(dt.datetime(2026, 5, 1, tzinfo=dt.UTC))
    begun = clock.moment
    scene = Setting(tmp_path, clock, cushion=Cushion(share=0.1))
    foreseen = forecast(6015, scene.budget().windows(), begun, cushion=scene.cushion)
    server = Server(clock, {(limit.kind, limit.window_s): limit.most for limit in STRAVA})
    made = backfill(scene, server, 6015)
    assert server.refusals == Counter()
    by_day = Counter(moment.date() for moment in made)
    assert list(by_day.values()) == [900] * 6 + [615]
    assert abs(made[-1] - foreseen) < dt.timedelta(minutes=7)
    taken, least = made[-1] - begun, dt.timedelta(days=6015 / 900)
    assert taken <= least * 1.1
    after_a_day = forecast(
        6015 - 900,
        [
            WindowState(kind=w.kind, window_s=w.window_s, used=0, most=w.most, resets_at=begun)
            for w in STRAVA
        ],
        begun + dt.timedelta(days=1),
        cushion=scene.cushion,
    )
    assert abs(after_a_day - made[-1]) <= 0.1 * taken


TWO_PROCESSES = """
import datetime as dt, sys
from pathlib import Path
from tracklake.budget import Budget, STRAVA
from tracklake.errors import BudgetSpent
from tracklake.state import State

class Noon:
    def now(self):
        return dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)

class Silent:
    status, headers = 200, {}

state = State(Path(sys.argv[1]))
budget = Budget(state, "strava", STRAVA, Noon())
print("ready", flush=True)
sys.stdin.readline()
calls = 0
try:
    while True:
        budget.admit()
        calls += 1
        budget.heed(Silent())
except BudgetSpent:
    print(calls)
state.close()
"""


def test_two_processes_share_a_budget(tmp_path: Path) -> None:
    """Two real processes that call as fast as they can make exactly 100 calls together."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", TWO_PROCESSES, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    calls = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    assert sum(calls) == 100
    assert [worker.returncode for worker in workers] == [0, 0]


# The forecast


def brute_force(
    calls: int, windows: Sequence[WindowState], now: dt.datetime, cushion: Cushion
) -> dt.datetime:
    """Make call after call, moving on to the next quarter where one is not allowed."""
    used: Counter[tuple[str, int, int]] = Counter()

    def key(window: WindowState) -> tuple[str, int, int]:
        return window.kind, window.window_s, int(moment.timestamp() // window.window_s)

    def allowed(window: WindowState) -> bool:
        if window.refused and moment < window.resets_at:
            return False
        kept = cushion.kept(window.window_s, window.most)
        return used[key(window)] < window.most - kept

    moment = now
    for window in windows:
        used[key(window)] = window.used
    for _ in range(calls):
        while not all(allowed(window) for window in windows):
            seconds = QUARTER_S - moment.timestamp() % QUARTER_S
            moment += dt.timedelta(seconds=seconds)
        for window in windows:
            used[key(window)] += 1
    return moment


@settings(max_examples=200)
@given(
    calls=st.integers(0, 120),
    second=st.integers(0, DAY_S - 1),
    most=st.tuples(*(st.integers(1, 60) for _ in range(4))),
    used=st.tuples(*(st.integers(0, 70) for _ in range(4))),
    refused=st.sampled_from([None, 0, 1, 2, 3]),
    cushion=st.sampled_from([Cushion(), Cushion(share=0.1), Cushion(short=3, daily=20)]),
)
@example(0, 0, (1, 1, 1, 1), (1, 1, 1, 1), None, Cushion())
def test_the_forecast_is_exact(
    calls: int,
    second: int,
    most: tuple[int, int, int, int],
    used: tuple[int, int, int, int],
    refused: int | None,
    cushion: Cushion,
) -> None:
    """It gives what making call after call gives."""
    now = dt.datetime(2026, 5, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=second)
    windows = [
        WindowState(
            kind=limit.kind,
            window_s=limit.window_s,
            used=used[place],
            most=most[place],
            resets_at=dt.datetime.fromtimestamp(
                (now.timestamp() // limit.window_s + 1) * limit.window_s, dt.UTC
            ),
            refused=refused == place,
        )
        for place, limit in enumerate(STRAVA)
    ]
    assert forecast(calls, windows, now, cushion=cushion) == brute_force(
        calls, windows, now, cushion
    )


def test_the_forecast_without_windows_is_now() -> None:
    """Where nothing limits, all calls can be made at once."""
    assert forecast(10**9, [], NOON, cushion=NO_CUSHION) == NOON
