"""Sessions, their state, what is set aside: what a run remembers."""

import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from tests.rows import StandingClock, make_session
from tracklake import quarantine
from tracklake.errors import Interrupted, StorageError
from tracklake.quarantine import Item
from tracklake.session import Phase
from tracklake.state import State


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def begin(self, phase: str, total: int | None) -> None:
        """Hear of a beginning."""
        self.heard.append(("begin", phase, total))

    def advance(self, phase: str, processed: int, total: int | None) -> None:
        """Hear of an advance."""
        self.heard.append(("advance", phase, processed, total))

    def note(self, phase: str, detail: str) -> None:
        """Hear what it is doing."""
        self.heard.append(("note", phase, detail))

    def end(self, phase: str, detail: str) -> None:
        """Hear of an end."""
        self.heard.append(("end", phase, detail))


def test_a_phase_tells_its_watcher_and_the_state_database(tmp_path: Path) -> None:
    """Counts, errors and the detail are shown as they come and kept."""
    session = make_session(tmp_path)
    listener = Listener()
    session.watcher = listener
    session.begin()
    with session.phase("pull", total=3) as phase:
        phase.advance(2, errors=1)
        phase.expect(4)
        phase.detail = "2 new"
    session.finish("completed_with_errors")
    assert listener.heard == [
        ("begin", "pull", 3),
        ("advance", "pull", 2, 3),
        ("advance", "pull", 2, 4),
        ("end", "pull", "2 new"),
    ]
    assert session.state.execute("select processed, total, errors, detail from phases") == [
        (2, 4, 1, "2 new")
    ]
    [(state, finished_at)] = session.state.execute("select state, finished_at from sessions")
    assert state == "completed_with_errors"
    assert dt.datetime.fromisoformat(str(finished_at)).utcoffset() == dt.timedelta(0)


def test_a_phase_that_fails_keeps_its_counts(tmp_path: Path) -> None:
    """What was done before the failure is in the state database."""
    session = make_session(tmp_path)

    def fail() -> None:
        with session.phase("pull") as phase:
            phase.advance(5)
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        fail()
    assert session.state.execute("select processed, finished_at is not null from phases") == [
        (5, 1)
    ]
    assert isinstance(session.phases[0], Phase)


def test_a_session_whose_process_is_gone_is_closed_by_the_next(tmp_path: Path) -> None:
    """Nothing stays 'running' when its process was killed."""
    session = make_session(tmp_path)
    session.begin()
    later = make_session(tmp_path, StandingClock(dt.datetime(2026, 5, 2, tzinfo=dt.UTC)))
    later.begin()
    assert session.state.execute("select state from sessions order by started_at") == [
        ("failed",),
        ("running",),
    ]


def test_items_are_tried_again_after_growing_gaps_and_given_up_after_six(tmp_path: Path) -> None:
    """The next try comes after 1, 2, 4, 8 and 16 days, then none by itself."""
    session = make_session(tmp_path)
    item = Item(item_id="abc", source="files", item="a.fit", reason="bad", message="it is bad")
    gaps = []
    for _ in range(quarantine.MOST_ATTEMPTS):
        quarantine.set_aside(session, item)
        [row] = quarantine.items(session.state)
        following, seen = row["next_try_at"], dt.datetime.fromisoformat(str(row["last_seen_at"]))
        gaps.append((dt.datetime.fromisoformat(str(following)) - seen).days if following else None)
    assert gaps == [1, 2, 4, 8, 16, None]


def test_items_are_found_by_the_beginning_of_their_id(tmp_path: Path) -> None:
    """A person types a few characters; % and _ mean themselves; all means all."""
    session = make_session(tmp_path)
    for item_id in ("abc1", "abd2", "x_y"):
        quarantine.set_aside(
            session, Item(item_id=item_id, source="files", item="f", reason="r", message="m")
        )
    assert quarantine.find(session.state, "ab") == ["abc1", "abd2"]
    assert quarantine.find(session.state, "x%") == []
    assert quarantine.find(session.state, "all") == ["abc1", "abd2", "x_y"]
    quarantine.retry(session.state, ["x_y"], session.clock.now())
    quarantine.release(session.state, "abc1")
    assert len(quarantine.items(session.state)) == 2


def test_two_athletes_with_the_same_bytes_have_an_entry_each(tmp_path: Path) -> None:
    """Attempts and releases are an athlete's own; dropped by its id, an item is gone for all."""
    session = make_session(tmp_path)
    item = Item(item_id="abc", source="files", item="a.fit", reason="bad", message="it is bad")
    for athlete in ("me", "eve", "eve", "ann"):
        session.athlete = athlete
        quarantine.set_aside(session, item)
    attempts = {row["athlete"]: row["attempts"] for row in quarantine.items(session.state)}
    assert attempts == {"me": 1, "eve": 2, "ann": 1}
    assert quarantine.find(session.state, "a") == quarantine.find(session.state, "all") == ["abc"]
    quarantine.release(session.state, "abc", "me")
    assert {row["athlete"] for row in quarantine.items(session.state)} == {"eve", "ann"}
    quarantine.release(session.state, "abc")
    assert quarantine.items(session.state) == []


def test_a_state_database_of_a_newer_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """An older Tracklake does not touch what it does not understand."""
    State(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "tracklake.sqlite")
    connection.execute("pragma user_version = 999")
    connection.close()
    with pytest.raises(StorageError, match="newer Tracklake"):
        State(tmp_path)


def test_a_state_database_that_is_rubbish_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """It holds no activities; the person is told so."""
    (tmp_path / "tracklake.sqlite").write_bytes(b"rubbish" * 999)
    with pytest.raises(StorageError, match="holds no activities"):
        State(tmp_path)


def test_a_transaction_commits_all_or_nothing(tmp_path: Path) -> None:
    """An error inside leaves no row behind."""
    state = State(tmp_path)

    def fail() -> None:
        with state.transaction():
            state.execute("insert into facts values ('a', 'b')")
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        fail()
    assert state.execute("select * from facts") == []
    with state.transaction():
        state.execute("insert into facts values (?, ?)", ("c", "d"))
    assert state.execute("select * from facts") == [("c", "d")]
    state.close()


def test_a_phase_says_what_it_waits_for(tmp_path: Path) -> None:
    """A note reaches the watcher and `status` at once; a second phase of a name has a number."""
    session = make_session(tmp_path)
    listener = Listener()
    session.watcher = listener
    session.begin()
    with session.phase("enrich") as phase:
        phase.note("waiting until 10:15")
        rows = session.state.execute("select detail from phases where phase = 'enrich'")
        assert rows == [("waiting until 10:15",)]
    with session.phase("enrich"):
        pass
    assert ("note", "enrich", "waiting until 10:15") in listener.heard
    assert [one.name for one in session.phases] == ["enrich", "enrich 2"]


def test_a_signal_that_a_library_swallowed_still_stops_a_phase(tmp_path: Path) -> None:
    """An exception raised in a destructor is lost; the next step of the work raises it again."""
    session = make_session(tmp_path)
    session.begin()
    with session.phase("pull") as phase:
        session.received.append(15)
        with pytest.raises(Interrupted) as raised:
            phase.advance()
        session.received.clear()
    assert raised.value.exit_code == 143
