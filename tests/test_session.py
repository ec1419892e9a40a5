"""Sessions, their state, what is set aside: what a run remembers."""

import datetime as dt
import json
import sqlite3
from pathlib import Path

import pytest

from tests.rows import StandingClock, make_session
from tracklake import logs, quarantine
from tracklake.errors import Busy, Interrupted, StorageError
from tracklake.quarantine import Item
from tracklake.session import Phase, SyncSession
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


def test_a_session_whose_process_is_gone_is_taken_up_by_the_next(tmp_path: Path) -> None:
    """Nothing stays at work when its process was killed; the next says that it goes on with it."""
    sessions = []
    for day in (1, 2, 3):
        clock = StandingClock(dt.datetime(2026, 5, day, tzinfo=dt.UTC))
        sessions.append(make_session(tmp_path, clock))
        sessions[-1].begin()
    first, second, third = sessions
    third.finish("completed")
    assert third.state.execute(
        "select state, taken_up_by, attempt from sessions order by started_at"
    ) == [
        ("retrying", second.session_id, 1),
        ("retrying", third.session_id, 2),
        ("completed", None, 3),
    ]
    assert first.attempt == 1


def test_only_what_does_the_same_or_all_takes_up_a_session(tmp_path: Path) -> None:
    """A backup does not go on with a pull; a flow does."""
    pull, backup, flow = (make_session(tmp_path) for _ in range(3))
    pull.flow, backup.flow, flow.flow = "pull", "backup", "flow"
    pull.begin()
    pull.finish("retrying", "the service failed", "temporary_api_error")
    backup.begin()
    backup.finish("completed")
    assert taken_up_by(pull) is None
    flow.begin()
    assert taken_up_by(pull) == flow.session_id


def taken_up_by(session: SyncSession) -> object:
    """Return which session went on with this one."""
    [(other,)] = session.state.execute(
        "select taken_up_by from sessions where session_id = ?", (session.session_id,)
    )
    return other


def test_a_session_of_another_machine_that_just_gave_a_sign_of_life_is_respected(
    tmp_path: Path,
) -> None:
    """On a shared folder whose lock does not hold, the second stops; a while later it goes on."""
    clock = StandingClock()
    there, here = make_session(tmp_path, clock), make_session(tmp_path, clock)
    there.begin()
    there.state.execute("update sessions set boot_id = 'another machine'")
    with pytest.raises(Busy, match="another machine"):
        here.begin()
    clock.sleep(60)
    here.begin()
    assert taken_up_by(there) == here.session_id


def test_the_state_follows_the_phase_at_work(tmp_path: Path) -> None:
    """initiated, fetching, enriching, storing, enriching …, as `status` shows it."""
    session = make_session(tmp_path)
    session.begin()
    seen = [state_of(session)]
    for name in ("strava", "compact", "enrich", "weather", "compact", "tiles", "backup"):
        with session.phase(name):
            seen.append(state_of(session))
    session.finish("completed")
    assert seen == [
        *("initiated", "fetching", "storing", "enriching", "enriching"),
        *("storing", "storing", "storing"),
    ]
    assert state_of(session) == "completed"


def state_of(session: SyncSession) -> object:
    """Return the session's state as others see it."""
    [(state,)] = session.state.execute(
        "select state from sessions where session_id = ?", (session.session_id,)
    )
    return state


def test_a_phase_says_when_it_will_be_done_and_how_many_calls_it_made(tmp_path: Path) -> None:
    """As fast as so far, or as its own forecast says, where a quota decides; ended, nothing."""
    clock = StandingClock()
    session = make_session(tmp_path, clock)
    session.begin()
    with session.phase("strava", total=10) as phase:
        began = clock.moment
        clock.sleep(60)
        phase.calls += 3
        phase.advance(2)
        [(calls, expected_at)] = session.state.execute("select calls, expected_at from sessions")
        assert calls == 3
        expected = dt.datetime.fromisoformat(str(expected_at)) - began
        assert abs(expected.total_seconds() - 300) < 1
        phase.forecast = lambda: began + dt.timedelta(days=2)
        phase.save()
        [(expected_at,)] = session.state.execute("select expected_at from phases")
        assert dt.datetime.fromisoformat(str(expected_at)) - began == dt.timedelta(days=2)
    assert session.state.execute("select expected_at, calls from phases") == [(None, 3)]
    session.finish("completed")
    assert session.state.execute("select expected_at, calls from sessions") == [(None, 3)]


def test_every_log_line_names_the_session_and_the_phase(tmp_path: Path) -> None:
    """Lines, and spans as OpenTelemetry names them, are tied together by the session's id."""
    session = make_session(tmp_path)
    with logs.writing(tmp_path / "logs", session.session_id, session.clock):
        session.begin()
        with session.phase("strava"):
            session.log.info("something")
        session.finish("completed")
    [path] = (tmp_path / "logs").rglob("*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["session_id"] for line in lines} == {session.session_id}
    assert {len(line["trace_id"]) for line in lines} == {32}
    [spans] = session.state.execute("select span_id from phases")
    assert [line["event"] for line in lines if line["span_id"] == spans[0]] == [
        *("phase_started", "something", "phase_finished")
    ]
    assert lines[-1]["event"] == "session_finished"
    assert lines[-1]["processed"] == {"strava": 0}


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_state_database_of_an_older_version_is_brought_up(tmp_path: Path, version: int) -> None:
    """What it remembers stays, and its tables become those of a new one, even by two at once."""
    path = tmp_path / "old" / "tracklake.sqlite"
    path.parent.mkdir()
    old = sqlite3.connect(path)
    old.executescript((Path(__file__).parent / "upgrades" / "state_4.sql").read_text())
    if version < 4:
        old.execute("drop table uploads")
    old.execute(
        "insert into sessions values ('a', 'me', 'flow', 'running', '2026-05-01', null, 1, null)"
    )
    old.execute(f"pragma user_version = {version}")
    old.commit()
    old.close()
    opened = State(path.parent)
    again, new = State(path.parent), State(tmp_path / "new")
    assert opened.execute("select state, attempt, calls from sessions") == [("retrying", 1, 0)]
    assert shape(opened) == shape(again) == shape(new)
    for each in (opened, again, new):
        each.close()


def shape(state: State) -> dict[str, list[tuple[object, ...]]]:
    """Return the columns of each table with their types."""
    tables = state.execute("select name from sqlite_master where type = 'table' order by name")
    return {
        str(name): [column[1:4] for column in state.execute(f"pragma table_info({name})")]
        for (name,) in tables
    }


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
