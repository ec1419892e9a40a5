"""What runs and what does not: under restarts, kills, a busy lock and a clock that jumps."""

import datetime as dt
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracklake.clock import UTC
from tracklake.scheduling import entries, lines, rules, slots
from tracklake.scheduling.entries import Entry

LONDON = ZoneInfo("Europe/London")
DAILY = lines.parse("0 5 * * * tracklake flow # flow\n", "x")
NOON = dt.datetime(2026, 5, 1, 11, tzinfo=UTC)  # 12:00 in London
FIVE = dt.datetime(2026, 5, 2, 4, tzinfo=UTC)
HOUR = dt.timedelta(hours=1)
WINDOW = 20 * HOUR


def _first_start() -> dict[str, Entry]:
    return rules.noticed({}, DAILY, "Europe/London", NOON)


def _due(kept: dict[str, Entry], now: dt.datetime, window: dt.timedelta = WINDOW) -> object:
    found = rules.due(kept, DAILY, LONDON, now, window)
    return found and found.slot


def _ran(kept: dict[str, Entry], now: dt.datetime, code: int = 0) -> dict[str, Entry]:
    (key,) = kept
    found = rules.due(kept, DAILY, LONDON, now, WINDOW)
    assert found is not None
    return {key: rules.ended(rules.begun(kept[key], found.slot, now), now, code)}


def test_the_first_start_catches_up_nothing() -> None:
    """Who installs it at noon does not get the flow of 05:00 at once."""
    kept = _first_start()
    assert _due(kept, NOON) is None
    assert _due(kept, FIVE - dt.timedelta(milliseconds=1)) is None
    assert _due(kept, FIVE) == FIVE


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, -9, 143])
def test_a_slot_whose_flow_ended_is_done_with_any_exit_code(code: int) -> None:
    """A failed flow is not repeated by the scheduler: the next slot comes, and somebody is told."""
    kept = _ran(_first_start(), FIVE, code)
    assert _due(kept, FIVE + HOUR) is None
    assert _due(kept, FIVE + 24 * HOUR) == FIVE + 24 * HOUR


@pytest.mark.parametrize(
    ("late", "expected"), [(4 * HOUR, FIVE), (19.9 * HOUR, FIVE), (20 * HOUR, None)]
)
def test_a_missed_slot_is_caught_up_within_the_window(
    late: dt.timedelta, expected: dt.datetime | None
) -> None:
    """A machine that comes back in time runs what it missed; one that comes too late does not."""
    assert _due(_first_start(), FIVE + late) == expected


def test_a_series_that_was_missed_runs_once() -> None:
    """After a week off, with a window of a month, there is one flow and not seven."""
    now = FIVE + 6 * 24 * HOUR + HOUR
    kept = _first_start()
    assert _due(kept, now, 31 * 24 * HOUR) == FIVE + 6 * 24 * HOUR
    (key,) = kept
    begun = rules.begun(kept[key], FIVE + 6 * 24 * HOUR, now)
    assert _due({key: rules.ended(begun, now, 0)}, now + HOUR, 31 * 24 * HOUR) is None


def test_without_catching_up_a_slot_still_runs_when_it_is_time() -> None:
    """A window of 0 hours does not mean that the moment itself is missed by milliseconds."""
    kept = _first_start()
    assert _due(kept, FIVE + dt.timedelta(seconds=3), 0 * HOUR) == FIVE
    assert _due(kept, FIVE + HOUR, 0 * HOUR) is None


def test_what_is_too_late_is_said_once_and_not_owed_for_ever() -> None:
    """A slot that is not caught up is named in one sentence, and then done with."""
    (kept,) = _first_start().values()
    now = FIVE + 21 * HOUR
    after, said = rules.given_up(DAILY[0], kept, LONDON, now, WINDOW)
    assert "missed by more than 20 hours" in said
    assert rules.given_up(DAILY[0], after, LONDON, now, WINDOW) == (after, "")
    assert rules.owed({DAILY[0].key: after}, DAILY, LONDON, now) is None


def test_a_killed_run_is_caught_up_but_not_for_ever() -> None:
    """What was broken off runs again; what took the machine down three times is given up."""
    kept = _first_start()
    (key,) = kept
    for _ in range(rules.MOST_STARTS):
        assert _due(kept, FIVE) == FIVE
        kept = {key: rules.begun(kept[key], FIVE, FIVE)}
        assert _due(kept, FIVE + 21 * HOUR) is None
    given_up, said = rules.given_up(DAILY[0], kept[key], LONDON, FIVE, WINDOW)
    assert "broken off 3 times" in said
    assert given_up.last is not None
    assert given_up.last.exit_code is None
    assert _due({key: given_up}, FIVE) is None


def test_being_asked_to_stop_does_not_count_as_a_try() -> None:
    """Ten restarts in mid-flow still leave the slot open."""
    kept = _first_start()
    (key,) = kept
    for _ in range(10):
        kept = {key: rules.stopped(rules.begun(kept[key], FIVE, FIVE))}
        entry, said = rules.given_up(DAILY[0], kept[key], LONDON, FIVE, WINDOW)
        assert (entry, said) == (kept[key], "")
        assert _due(kept, FIVE + HOUR) == FIVE


def test_a_busy_lock_is_tried_again_with_gaps_and_then_a_failure() -> None:
    """Exit code 75 waits 1, 5, 15 and 30 minutes; the fifth time it is what came of the slot."""
    kept, now = _first_start(), FIVE
    for gap in rules.BUSY_GAPS:
        kept = _ran(kept, now, 75)
        assert _due(kept, now + gap - dt.timedelta(seconds=1)) is None
        assert rules.next_slot(kept, DAILY, LONDON, now) == now + gap
        now += gap
    kept = _ran(kept, now, 75)
    (entry,) = kept.values()
    assert entry.open is None
    assert entry.last is not None
    assert entry.last.said == "another flow held the lock"
    assert _due(kept, now + HOUR) is None


def test_another_time_or_zone_counts_from_its_change() -> None:
    """Setting 09:00 at 10:00 does not start a flow at once; nor does another zone."""
    ten = FIVE + 5 * HOUR
    kept = _ran(_first_start(), FIVE)
    nine = lines.parse("0 9 * * * tracklake flow # flow\n", "x")
    changed = rules.noticed(kept, nine, "Europe/London", ten)
    assert rules.due(changed, nine, LONDON, ten, WINDOW) is None
    assert changed[nine[0].key].last is not None, "what came of the last one is still known"
    moved = rules.noticed(kept, DAILY, "America/Los_Angeles", ten)
    assert rules.due(moved, DAILY, ZoneInfo("America/Los_Angeles"), ten, WINDOW) is None


def test_an_unfinished_run_survives_another_time() -> None:
    """A flow that was broken off is caught up even if the line's time was changed meanwhile."""
    (key,) = kept = _first_start()
    kept = {key: rules.begun(kept[key], FIVE, FIVE)}
    nine = lines.parse("0 9 * * * tracklake flow # flow\n", "x")
    changed = rules.noticed(kept, nine, "Europe/London", FIVE + HOUR)
    found = rules.due(changed, nine, LONDON, FIVE + HOUR, WINDOW)
    assert found is not None
    assert found.slot == FIVE


def test_a_clock_that_was_years_ahead_does_not_stop_it_for_years() -> None:
    """Started with a clock in 2030, it goes by the right one as soon as that is there."""
    wrong = rules.noticed({}, DAILY, "Europe/London", NOON.replace(year=2030))
    right = rules.noticed(wrong, DAILY, "Europe/London", NOON)
    assert _due(right, FIVE) == FIVE


_ACTIONS = st.one_of(
    st.tuples(st.just("pass"), st.integers(1, 3_000)),
    st.tuples(st.just("pass"), st.integers(1, 90)),
    st.tuples(st.just("back"), st.integers(1, 600)),
    st.tuples(st.just("end"), st.sampled_from([0, 1, 3, 75, -9])),
    st.tuples(st.just("kill"), st.just(0)),
    st.tuples(st.just("stop"), st.just(0)),
    st.tuples(st.just("off"), st.integers(1, 5_000)),
)
_CRONTABS = st.sampled_from(
    [
        "0 5 * * * tracklake flow",
        "*/20 * * * * tracklake flow",
        "30 1 * * * tracklake flow\n0 */6 * * * tracklake tiles",
    ]
)


class _World:
    """A scheduler without clock, disk and processes; it keeps what the real one keeps on disk."""

    def __init__(self, text: str) -> None:
        self.lines = lines.parse(text, "x")
        self.now = dt.datetime(2026, 10, 23, 9, tzinfo=UTC)  # two days before the clock goes back
        self.latest = self.first = self.now
        self.disk = b""
        self.done: dict[str, list[dt.datetime]] = {line.key: [] for line in self.lines}
        self.start()

    def start(self) -> None:
        kept = entries.from_json(orjson.loads(self.disk)) if self.disk else {}
        self.running: rules.Due | None = None
        self.kept = rules.noticed(kept, self.lines, "Europe/London", self.now)
        self.save()

    def save(self) -> None:
        self.disk = orjson.dumps(entries.to_json(self.kept))

    def settle(self, key: str, entry: Entry) -> None:
        before, self.kept[key] = self.kept[key], entry
        self.save()
        if entry.last is not None and entry.last != before.last:
            self.done[key].append(entry.last.slot)

    def move(self, minutes: float) -> None:
        self.now += dt.timedelta(minutes=minutes)
        self.latest = max(self.latest, self.now)

    def look(self) -> None:
        if self.running is not None:
            return
        for line in self.lines:
            found, _ = rules.given_up(line, self.kept[line.key], LONDON, self.now, WINDOW)
            if found != self.kept[line.key]:
                self.settle(line.key, found)
        due = rules.due(self.kept, self.lines, LONDON, self.now, WINDOW)
        if due is not None:
            assert self.first < due.slot <= self.now
            assert self.now - due.slot <= WINDOW
            self.kept[due.line.key] = rules.begun(self.kept[due.line.key], due.slot, self.now)
            self.save()
            self.running = due

    def end(self, code: int) -> None:
        if self.running is not None:
            key, self.running = self.running.line.key, None
            self.settle(key, rules.ended(self.kept[key], self.now, code))

    def do(self, action: str, number: int) -> None:
        if action == "pass":
            self.move(number)
        elif action == "back":
            self.move(-number)
        elif action == "end":
            self.end(number)
        else:
            if action == "stop" and self.running is not None:
                key = self.running.line.key
                self.kept[key] = rules.stopped(self.kept[key])
                self.save()
            if action == "off":
                self.move(number)
            self.start()
        self.look()


@settings(max_examples=60)
@given(_CRONTABS, st.lists(_ACTIONS, max_size=40))
def test_each_slot_is_done_once_and_none_is_lost(text: str, actions: list[tuple[str, int]]) -> None:
    """Whatever happens, no slot is done twice, none too early or too late, and in the end none
    that is worth catching up is left.
    """
    world = _World(text)
    for action, number in actions:
        world.do(action, number)
    while world.now < world.latest:
        world.do("pass", 600)
    for _ in range(30):
        world.do("end", 0)
        world.do("pass", 5)
    for line in world.lines:
        done = world.done[line.key]
        assert done == sorted(set(done)), "each once, and never an older one after a newer one"
        newest = slots.newest(line.schedule, LONDON, world.first, world.now - 10 * HOUR / 60)
        assert newest is None or newest <= world.kept[line.key].settled
    assert rules.owed(world.kept, world.lines, LONDON, world.now - HOUR / 6) is None


@pytest.mark.parametrize(
    "found",
    [None, [], {}, {"version": 2, "lines": {}}, {"version": 1, "lines": {"x": {"zone": 1}}}],
)
def test_a_damaged_state_is_told_from_a_good_one(found: object) -> None:
    """What is not ours raises ValueError, and nothing else."""
    with pytest.raises(ValueError, match=r".*"):
        entries.from_json(found)


def test_exit_codes_have_words() -> None:
    """Signals and codes of other programs are said, too."""
    assert rules.in_words(-9) == "killed by signal 9"
    assert rules.in_words(143) == "interrupted"
    assert "99" in rules.in_words(99)
