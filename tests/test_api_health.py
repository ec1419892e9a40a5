"""`tracklake api` and its /health addresses: over HTTP, on real databases, as processes."""

import contextlib
import dataclasses
import datetime as dt
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rows import FIRST_DAY, StandingClock, file_row, land, make_session
from tests.serving_place import Asker
from tracklake import cli_api, compaction, lock, quarantine
from tracklake.clock import Clock
from tracklake.config import Folders
from tracklake.errors import ConfigError
from tracklake.quarantine import Item
from tracklake.scheduling import state_file
from tracklake.scheduling.entries import Entry, Open, Outcome
from tracklake.serving import alive, health, judgement, listening, schedule
from tracklake.serving.application import Site, application
from tracklake.serving.guard import Hosts
from tracklake.serving.judgement import Facts, Reason, Session
from tracklake.session import SyncSession


@contextlib.contextmanager
def served(folders: Folders, clock: Clock) -> Iterator[Asker]:
    """Run the API's server in a thread."""
    started = threading.Event()
    app = application(
        Site(folders=folders, hosts=Hosts.of("127.0.0.1")), health.routes(folders, clock)
    )
    server = listening.make_server(app, started.set)
    with listening.bind("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert started.wait(20)
            yield Asker(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def lake(tmp_path: Path) -> SyncSession:
    """Return a small lake of three activities, published by a session that is entered."""
    session = make_session(tmp_path)
    session.begin()
    for number in range(3):
        land(session, file_row(number))
    compaction.compact(session)
    session.finish("completed")
    return session


def codes(answer: dict[str, object]) -> list[str]:
    """Return the codes of an answer's reasons."""
    reasons = answer["reasons"]
    assert isinstance(reasons, list)
    return [reason["code"] for reason in reasons]


def test_all_is_well(lake: SyncSession) -> None:
    """After a flow /health says ok, what ran last, when gold was published and what is in it."""
    with served(lake.folders, lake.clock) as ask:
        answer = ask("/health")
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
        said = answer.json
        assert (said["status"], said["reasons"], said["version"]) == ("ok", [], "0.1.0")
        last = said["last_session"]
        assert isinstance(last, dict)
        assert (last["flow"], last["state"]) == ("test", "completed")
        assert last["started_at"] < last["finished_at"] == said["last_success_at"]
        warehouse = said["warehouse"]
        assert isinstance(warehouse, dict)
        assert warehouse["activities"] == 3
        published = dt.datetime.fromisoformat(warehouse["published_at"])
        assert abs(published.timestamp() - lake.folders.warehouse.stat().st_mtime) < 1
        ready = ask("/health/ready")
        assert (ready.status, ready.json) == (200, {"ready": True, "reasons": []})
        assert ask("/health", "POST").status == 405
        assert ask("/health", Host="evil.example").status == 400
        assert ask("/health", Host="localhost:8080").status == 200


def test_a_new_warehouse_is_counted_anew_and_none_is_held(lake: SyncSession) -> None:
    """/health follows each publication, and between requests the file is not open."""
    with served(lake.folders, lake.clock) as ask:
        for count in (3, 4):
            warehouse = ask("/health").json["warehouse"]
            assert isinstance(warehouse, dict)
            assert warehouse["activities"] == count
            land(lake, file_row(count))
            compaction.compact(lake)
        held = [str(path.resolve()) for path in Path("/proc/self/fd").iterdir()]
        assert not [path for path in held if lake.folders.warehouse.name in path]


def test_before_the_first_flow(tmp_path: Path) -> None:
    """With nothing there yet the process lives, is degraded, is not ready, and makes nothing."""
    session = make_session(tmp_path / "other")
    folders = session.folders.model_copy(update={"data": tmp_path / "data"})
    with served(folders, session.clock) as ask:
        answer, ready, live = ask("/health"), ask("/health/ready"), ask("/health/live")
    assert (answer.status, answer.json["status"], codes(answer.json)) == (
        *(200, "degraded"),
        ["no_warehouse"],
    )
    assert (ready.status, codes(ready.json)) == (503, ["no_warehouse"])
    assert (live.status, live.json) == (200, {"status": "ok"})
    assert not folders.data.exists()


def test_damage_is_said_and_only_liveness_stays(lake: SyncSession) -> None:
    """A damaged snapshot and state database: down with both reasons, no path told, still alive."""
    lake.state.close()
    for log in lake.folders.state.glob("tracklake.sqlite-*"):
        log.unlink()
    (lake.folders.state / "tracklake.sqlite").write_bytes(b"rubbish" * 1000)
    lake.folders.warehouse.write_bytes(b"rubbish" * 1000)
    with served(lake.folders, lake.clock) as ask:
        answer, ready, live = ask("/health"), ask("/health/ready"), ask("/health/live")
    assert (answer.status, answer.json["status"]) == (503, "down")
    assert set(codes(answer.json)) == {"state_unreadable", "warehouse_unreadable"}
    assert (ready.status, set(codes(ready.json))) == (503, set(codes(answer.json)))
    assert str(lake.folders.data).encode() not in answer.body + ready.body
    assert live.status == 200


def test_a_flow_at_work_takes_nothing_from_it(lake: SyncSession) -> None:
    """While a flow holds the lock and writes its state, all is answered, and no lock is taken."""
    with (
        lock.held(lake.folders.state),
        contextlib.closing(sqlite3.connect(lake.state.path, isolation_level=None)) as writer,
        served(lake.folders, lake.clock) as ask,
    ):
        writer.execute("begin immediate")
        answer, ready = ask("/health"), ask("/health/ready")
        writer.execute("rollback")
    assert (answer.json["status"], ready.status) == ("ok", 200)


def test_what_is_set_aside_and_a_lost_login(lake: SyncSession) -> None:
    """A source that needs a login and an item set aside make it degraded, with both reasons."""
    quarantine.set_aside(
        lake, Item(item_id="1", source="files", item="a.fit", reason="odd", message="it is odd")
    )
    lake.session_id = "another"
    lake.begin()
    lake.finish("needs_auth", "log in again")
    with served(lake.folders, lake.clock) as ask:
        answer = ask("/health")
    assert (answer.status, answer.json["status"]) == (200, "degraded")
    assert codes(answer.json) == ["needs_auth", "set_aside"]
    assert b"log in again" not in answer.body


def session(flow: str, state: str, hours_ago: float) -> Session:
    """Return a session that ended so many hours before FIRST_DAY."""
    ended = (FIRST_DAY - dt.timedelta(hours=hours_ago)).isoformat()
    return Session(flow, state, ended, None if state == "fetching" else ended)


@pytest.mark.parametrize(
    ("sessions", "success_hours_ago", "expected"),
    [
        ([("flow", "completed", 1)], 1, []),
        ([("flow", "completed", 25)], 25, []),
        ([("flow", "completed", 27)], 27, ["no_success"]),
        ([("flow", "waiting_quota", 1)], 1, ["waiting_quota"]),
        ([("flow", "retrying", 1)], 2, ["retrying"]),
        ([("flow", "failed", 1)], 2, ["last_session_failed"]),
        ([("pull", "needs_auth", 2), ("compact", "completed", 1)], 1, ["needs_auth"]),
        ([("import", "failed", 200), ("flow", "completed", 1)], 1, []),
        ([("flow", "failed", 30)], None, ["last_session_failed", "no_success"]),
        ([("flow", "failed", 1)], None, ["last_session_failed"]),
    ],
)
def test_what_sessions_mean(
    sessions: list[tuple[str, str, float]], success_hours_ago: float | None, expected: list[str]
) -> None:
    """How the last of each flow ended, and how long ago one ended well, give the reasons."""
    ended = tuple(session(*one) for one in sessions)
    success = FIRST_DAY - dt.timedelta(hours=success_hours_ago or 0)
    facts = Facts(
        newest=ended[-1],
        last_of_each=ended,
        last_success_at=success.isoformat() if success_hours_ago else None,
    )
    found = judgement.reasons(facts, FIRST_DAY)
    assert [reason.code for reason in found] == expected
    assert judgement.verdict(found) == ("degraded" if expected else "ok")


def test_one_that_runs_for_days_is_noticed() -> None:
    """A first flow that never ends is no success, though nothing has failed."""
    running = session("flow", "fetching", 30)
    found = judgement.reasons(Facts(newest=running), FIRST_DAY)
    assert [reason.code for reason in found] == ["no_success"]


@pytest.mark.parametrize(
    ("success_hours_ago", "due_hours_ago", "expected"),
    [
        (25, 1, ""),
        (27, 3, "down"),
        (27, 1, ""),  # a weekly flow: it has just begun
        (170, 3, "down"),
        (100, -60, ""),  # not due before another 60 hours
    ],
)
def test_what_the_schedule_means(success_hours_ago: int, due_hours_ago: int, expected: str) -> None:
    """Without a success it is down only where the schedule wanted one meanwhile."""
    success = session("flow", "completed", success_hours_ago)
    facts = Facts(
        newest=success,
        last_of_each=(success,),
        last_success_at=success.finished_at,
        due_after_success=FIRST_DAY - dt.timedelta(hours=due_hours_ago),
    )
    found = judgement.reasons(facts, FIRST_DAY)
    assert judgement.verdict(found) == (expected or "ok")


def scheduled(now: dt.datetime, hours_settled: float, zone: str = "Europe/London") -> Entry:
    """Return the entry of a line, all slots of which are done with up to so many hours ago."""
    settled = now - dt.timedelta(hours=hours_settled)
    last = Outcome(slot=settled, began=settled, ended=settled, exit_code=0, said="done")
    return Entry(command="tracklake flow", zone=zone, settled=settled, last=last)


def test_the_scheduler_as_its_file_says(lake: SyncSession) -> None:
    """The next and the last run are told; a slot that passed without a run makes it down."""
    key, now = "0 5 * * * tracklake flow", lake.clock.now()  # 06:00 UTC, 07:00 in London
    assert schedule.read(lake.folders.state) is None
    with served(lake.folders, lake.clock) as ask:
        state_file.save(lake.folders.state, {key: scheduled(now, 1)})  # today's slot was 04:00 UTC
        in_time = ask("/health")
        state_file.save(lake.folders.state, {key: scheduled(now, 25)})
        saved = ask("/health")  # nothing began, but somebody ran a flow by hand meanwhile
        lake.state.execute("delete from sessions")
        late = ask("/health")
        running = dataclasses.replace(scheduled(now, 25), open=Open(slot=now, began=now))
        state_file.save(lake.folders.state, {key: running})
        at_work = ask("/health")
        state_file.path_of(lake.folders.state).write_text("rubbish")
        damaged = ask("/health")
    assert (in_time.status, in_time.json["scheduler"]) == (
        200,
        {
            "next_at": "2026-05-02T04:00:00+00:00",
            "last_run": {
                "slot": "2026-05-01T05:00:00+00:00",
                "ended_at": "2026-05-01T05:00:00+00:00",
                "exit_code": 0,
                "says": "done",
            },
        },
    )
    assert saved.status == 200
    assert (late.status, codes(late.json)) == (503, ["scheduler_late"])
    assert (at_work.status, codes(at_work.json)) == (200, [])
    assert (damaged.status, damaged.json["scheduler"]) == (200, None)


def test_the_worst_comes_first() -> None:
    """What makes it down stands before what makes it degraded, and the status is down."""
    worst = Reason("disk_full", "full", is_down=True)
    found = judgement.reasons(Facts(set_aside=1, troubles=[worst]), FIRST_DAY)
    assert [reason.code for reason in found] == ["disk_full", "set_aside"]
    assert judgement.verdict(found) == "down"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:80", ("::1", 80)),
        ("my-nas.local:1", ("my-nas.local", 1)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),  # noqa: S104
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    """A host or an address and a port are understood, IPv6 in brackets."""
    assert cli_api.address(text) == expected


@pytest.mark.parametrize(
    "text", ["8080", "127.0.0.1", ":8080", "a:b", "a:70000", "::1:80", "a b:1"]
)
def test_addresses_that_are_none(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(ConfigError, match=r"127\.0\.0\.1:8080"):
        cli_api.address(text)


def environment(place: Path, **more: str) -> dict[str, str]:
    """Return an environment whose data lies in `place`."""
    return {
        **os.environ,  # noqa: TID251 a child needs PATH and the like
        "TRACKLAKE_DATA_DIR": str(place / "data"),
        **more,
    }


def run(place: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `tracklake api` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tracklake", "api", *options],
        env=environment(place, **more),
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextlib.contextmanager
def started(place: Path, bind: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start `tracklake api` and wait for its port; at the end it is gone, whatever happened."""
    with subprocess.Popen(
        [sys.executable, "-m", "tracklake", "api", "--bind", bind],
        env=environment(place),
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            found = re.search(r"http://\S+:(\d+) ", said)
            assert found, said
            yield process, int(found[1])
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_three_seconds(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end it with 0, silently and soon, also while somebody downloads."""
    tiles = tmp_path / "data" / "tiles"
    tiles.mkdir(parents=True)
    with (tiles / "all.pmtiles").open("wb") as file:
        file.truncate(200_000_000)
    with (
        started(tmp_path, "127.0.0.1:0") as (process, port),
        socket.create_connection(("127.0.0.1", port), 20) as download,
    ):
        asked = f"GET /tiles/all.pmtiles HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        download.sendall(asked.encode())
        assert download.recv(1000).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        process.send_signal(number)
        assert process.wait(20) == 0
        assert time.monotonic() - began < 3
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_the_health_check_of_a_container(tmp_path: Path) -> None:
    """--check gives 0 while it serves and 1 after, also where it listens at all addresses."""
    with started(tmp_path, "0.0.0.0:0") as (process, port):
        bound = f"0.0.0.0:{port}"
        proxied = run(tmp_path, "--check", "--bind", bound, http_proxy="http://127.0.0.1:9")
        assert (proxied.returncode, proxied.stderr) == (0, "")
        by_setting = run(tmp_path, "--check", TRACKLAKE_API_BIND=bound)
        assert by_setting.returncode == 0
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        assert process.stderr is not None
        assert "sees all your tracks" in process.stderr.read()
    dead = run(tmp_path, "--check", "--bind", bound)
    assert dead.returncode == 1
    assert "tracklake api" in dead.stderr


def test_one_that_hangs_is_not_alive() -> None:
    """A server that takes the question and never answers, or answers rubbish, is not alive."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert not alive.is_alive("127.0.0.1", port, timeout_s=0.2)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        def answer_rubbish() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"rubbish\r\n\r\n")

        thread = threading.Thread(target=answer_rubbish)
        thread.start()
        assert not alive.is_alive("127.0.0.1", port, timeout_s=5)
        thread.join()


def test_where_it_cannot_listen(tmp_path: Path) -> None:
    """A taken port, another machine's address and rubbish: one sentence each, code 2."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = run(tmp_path, "--bind", f"127.0.0.1:{port}")
    assert taken.stderr.startswith(f"tracklake: port {port} is taken")
    theirs = run(tmp_path, "--bind", "192.0.2.1:8080")
    assert "cannot listen at 192.0.2.1" in theirs.stderr
    rubbish = run(tmp_path, TRACKLAKE_API_BIND="8080")
    assert "TRACKLAKE_API_BIND" in rubbish.stderr
    for done in (taken, theirs, rubbish):
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_the_map_is_there(tmp_path: Path) -> None:
    """/ and /map lead to the map's page, and its tiles are there."""
    session = make_session(tmp_path)
    session.folders.tiles.mkdir(parents=True)
    (session.folders.tiles / "manifest.json").write_text("{}")
    with served(session.folders, StandingClock()) as ask:
        assert [ask(path).headers["location"] for path in ("/", "/map")] == ["/map/", "/map/"]
        assert b"<title>" in ask("/map/").body
        assert ask("/tiles/manifest.json").json == {}
