"""The commands of the scheduler, its log, its sign of life, and who is told of a run."""

import datetime as dt
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.rows import StandingClock
from tests.shifted_scheduler import clock_at
from tests.test_scheduler_process import (
    BEFORE_FIVE,
    FIVE,
    HOUR,
    _command,
    _known,
    _stopped_when,
    _until,
)
from tracklake.clock import SystemClock
from tracklake.scheduling import log, loop, ping, sign_of_life
from tracklake.scheduling.plan import Plan
from tracklake.scheduling.sign_of_life import Sign

MINUTE = dt.timedelta(minutes=1)
_Calls = list[tuple[str, str, str]]

_KEPT = ("PATH", "HOME", "TRACKLAKE_WEATHER")


def _tracklake(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with settings of the environment only."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}  # noqa: TID251 a child needs these
    return subprocess.run(
        [sys.executable, "-m", "tracklake", *words],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with the crontab that comes along."""
    (tmp_path / "cron").mkdir()
    (tmp_path / "cron" / "tracklake.cron").write_text("0 5 * * * tracklake flow # flow\n")
    return tmp_path


def test_next_says_the_time_the_zone_and_what_comes(place: Path) -> None:
    """It shows the local time, three coming runs, the last one, and that nobody is at work."""
    done = _tracklake(place, "scheduler", "next", TZ="Asia/Kolkata")
    assert done.returncode == 0, done.stderr
    assert "zone   Asia/Kolkata" in done.stdout
    assert len(re.findall(r"^next   \w{3} [-\d]{10} 05:00 IST$", done.stdout, re.MULTILINE)) == 3
    assert "last   none yet" in done.stdout
    assert "no scheduler is at work" in done.stdout


def test_next_loads_neither_the_warehouse_nor_http(place: Path) -> None:
    """The commands of the scheduler are light: no DuckDB, no Arrow, no NumPy, no requests."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tracklake", "scheduler", "next"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if "|" in line}
    assert not loaded & {"duckdb", "pyarrow", "numpy", "requests", "shapely"}


def test_set_changes_the_file_or_says_why_not(place: Path) -> None:
    """A good time is in the file and shown; a bad one changes nothing and has exit code 2."""
    done = _tracklake(place, "scheduler", "set", "30 6 * * 1-5")
    assert done.returncode == 0, done.stderr
    assert "06:30 GMT" in done.stdout or "06:30 BST" in done.stdout
    text = (place / "cron" / "tracklake.cron").read_text()
    assert text == "30 6 * * 1-5 tracklake flow # flow\n"
    bad = _tracklake(place, "scheduler", "set", "30 66 * * *")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr == (
        "tracklake: the new time: the hour `66` cannot be; it takes 0 to 23, *, ranges (1-5), "
        "steps (*/2) and lists (1,3)\n"
    )
    assert (place / "cron" / "tracklake.cron").read_text() == text


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("0 5 * * * rm -rf x\n", "UTC", "cron/tracklake.cron, line 1: `rm -rf`"),
        ("99 5 * * * tracklake flow\n", "UTC", "cron/tracklake.cron, line 1: the minute `99`"),
        (None, "UTC", "there is no cron/tracklake.cron"),
        ("0 5 * * * tracklake flow\n", "Nowhere/Typo", "'Nowhere/Typo' is no time zone"),
    ],
)
def test_it_does_not_start_with_a_bad_line_or_zone(
    place: Path, text: str | None, zone: str, said: str
) -> None:
    """One sentence on standard error, exit code 2: a container that restarts shows it each time."""
    path = place / "cron" / "tracklake.cron"
    path.unlink()
    if text is not None:
        path.write_text(text)
    done = _tracklake(place, "scheduler", TZ=zone)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_doctor_names_what_is_wrong(place: Path) -> None:
    """With nobody at work and a bad crontab, both are said, and the exit code is 1."""
    (place / "cron" / "tracklake.cron").write_text("0 5 * * *\n")
    done = _tracklake(place, "scheduler", "doctor")
    assert done.returncode == 1
    assert re.search(
        r"^BAD +crontab: cron/tracklake.cron, line 1: a command is", done.stdout, re.MULTILINE
    )
    assert re.search(r"^BAD +scheduler: none is at work on data", done.stdout, re.MULTILINE)
    assert re.search(r"^ok +log: logs/scheduler can be written", done.stdout, re.MULTILINE)


def test_alive_without_a_scheduler_is_not_well(place: Path) -> None:
    """The health check fails where nothing gives a sign of life."""
    done = _tracklake(place, "scheduler", "alive")
    assert done.returncode == 1
    assert "no scheduler gives a sign of life" in done.stdout


@pytest.fixture
def zone_files(tmp_path: Path) -> dict[str, str]:
    """Return what makes a zone known in which it is nearly 05:00 now; zic compiles its rules."""
    zic = next((p for p in ("/usr/sbin/zic", "/usr/bin/zic") if Path(p).exists()), None)
    assert zic is not None, "zic (Debian: libc-bin) makes the time zone of this test"
    now = SystemClock().now()
    starts_in_s = 10
    wanted_s = 5 * 3600 - starts_in_s
    seconds = (wanted_s - (now.hour * 3600 + now.minute * 60 + now.second)) % 86_400
    sign, seconds = ("-", 86_400 - seconds) if seconds > 43_200 else ("", seconds)
    offset = f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    (tmp_path / "rules").write_text(f"Zone Test/Five {offset} - TST\n")
    subprocess.run([zic, "-d", str(tmp_path / "tz"), str(tmp_path / "rules")], check=True)
    folder = str(tmp_path / "tz")
    return {"TZ": "Test/Five", "TZDIR": folder, "PYTHONTZPATH": folder}


def test_at_five_in_real_time_it_runs_the_real_flow(
    place: Path, zone_files: dict[str, str]
) -> None:
    """`tracklake scheduler`, in a zone where it is 05:00 in seconds: a flow runs and ends."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}  # noqa: TID251 a child needs these
    with subprocess.Popen(
        [sys.executable, "-m", "tracklake", "scheduler"],
        cwd=place,
        env=kept | zone_files,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        path = place / "logs" / "scheduler" / "cron.log"
        _until(lambda: path.exists() and "ended after" in path.read_text())
        alive = _tracklake(place, "scheduler", "alive", **zone_files)
        doctor = _tracklake(place, "scheduler", "doctor", **zone_files)
        second = _tracklake(place, "scheduler", **zone_files)
        memory = Path(f"/proc/{process.pid}/status").read_text()
        process.terminate()
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert re.search(r" 05:00:00[+-]\d+ scheduler `tracklake flow` begins", said), said
    assert "exit code 0: done" in said
    assert said == path.read_text()
    assert (place / "data" / "warehouse" / "tracklake.duckdb").exists()
    assert (place / "logs" / "flow" / "latest.log").exists()
    assert (alive.returncode, alive.stdout[:6]) == (0, "alive;")
    assert (doctor.returncode, "BAD" in doctor.stdout) == (0, False)
    assert (second.returncode, second.stderr.count("another scheduler is at work")) == (75, 1)
    (resident_kb,) = re.findall(r"^VmRSS:\s+(\d+) kB", memory, re.MULTILINE)
    assert int(resident_kb) < 40_000
    shown = _tracklake(place, "scheduler", "next", **zone_files)
    assert re.search(r"^last +.* 05:00 TST: done, exit code 0", shown.stdout, re.MULTILINE)


@pytest.fixture
def watcher() -> Iterator[tuple[str, _Calls]]:
    """Return an address that notes who calls it; /broken answers 500, /gone 404."""
    calls: _Calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            calls.append((self.command, self.path, self.rfile.read(length).decode()))
            status = {"/broken": 500, "/gone": 404}.get(self.path, 200)
            self.send_response(status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        do_POST = do_GET  # noqa: N815 the library names it

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", calls
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("code", "path"), [(0, "/ping/x"), (4, "/ping/x/fail")])
def test_a_watcher_is_told_of_each_run(
    tmp_path: Path, watcher: tuple[str, _Calls], code: int, path: str
) -> None:
    """The address is called after success, its /fail with one line after failure; once each."""
    address, calls = watcher
    (tmp_path / "c").write_text("0 5 * * * tracklake flow\n")
    plan = Plan(
        crontab=str(tmp_path / "c"),
        zone="Europe/London",
        data=str(tmp_path / "data"),
        logs=str(tmp_path / "logs"),
        catch_up_hours=20,
        heartbeat_url=f"{address}/ping/x",
    )
    _known(plan, BEFORE_FIVE)
    scheduler = loop.Scheduler(plan, clock_at(BEFORE_FIVE), _command(f"sys.exit({code})"))
    with _stopped_when(lambda: len(calls) > 0):
        scheduler.work()
    ((method, called, body),) = calls
    assert (method, called) == (("POST" if code else "GET"), path)
    assert ("tracklake+flow" in body and "exit+code+4" in body) == bool(code)


def test_a_watcher_that_fails_is_tried_three_times_and_its_address_kept_secret(
    watcher: tuple[str, _Calls],
) -> None:
    """What went wrong is said without the address, which is a secret."""
    address, calls = watcher
    assert ping.told(f"{address}/broken", "", StandingClock()) == "it answered 500 (3 tries)"
    assert [path for _, path, _ in calls] == ["/broken"] * 3
    assert ping.told(f"{address}/gone", "", StandingClock()) == "it answered 404"
    closed = ping.told("http://127.0.0.1:9/secret", "", StandingClock())
    assert closed == "the connection was refused (3 tries)"
    assert ping.told(f"{address}/a?key=1", "x", StandingClock()) == ""
    assert calls[-1] == ("POST", "/a/fail?key=1", "failure=x")


def test_a_watcher_that_cannot_be_told_never_harms_a_run(tmp_path: Path) -> None:
    """The flow is done all the same, and the log says that nobody could be told."""
    (tmp_path / "c").write_text("0 5 * * * tracklake flow\n")
    plan = Plan(
        crontab=str(tmp_path / "c"),
        zone="Europe/London",
        data=str(tmp_path / "data"),
        logs=str(tmp_path / "logs"),
        catch_up_hours=20,
        heartbeat_url="http://127.0.0.1:9/secret-part",
    )
    path = tmp_path / "logs" / "scheduler" / "cron.log"
    _known(plan, BEFORE_FIVE)
    scheduler = loop.Scheduler(plan, clock_at(BEFORE_FIVE), _command())
    with _stopped_when(lambda: path.exists() and "could not be told" in path.read_text()):
        scheduler.work()
    assert "exit code 0: done" in path.read_text()
    assert "TRACKLAKE_HEARTBEAT_URL could not be told: the connection was" in path.read_text()
    assert "secret-part" not in path.read_text()


def test_the_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    """At its size it becomes cron.log.1, in place of the one before; no line is lost between."""
    path = tmp_path / "logs" / "cron.log"
    written = log.Log(path, StandingClock(), ZoneInfo("UTC"), most_bytes=1_000)
    for number in range(50):
        written.say(f"line {number:02}")
    old = path.with_name("cron.log.1")
    assert path.stat().st_size <= 1_100
    assert old.stat().st_size <= 1_100
    numbers = re.findall(r"line (\d\d)", old.read_text() + path.read_text())
    assert numbers == [f"{number:02}" for number in range(50 - len(numbers), 50)]
    assert written.problem == ""


def test_a_log_that_cannot_be_written_is_a_problem_not_the_end(tmp_path: Path) -> None:
    """The line goes to standard output, and the problem is named until it is gone."""
    path = tmp_path / "cron.log"
    path.mkdir()
    written = log.Log(path, StandingClock(), ZoneInfo("UTC"))
    written.say("x")
    assert written.problem == f"{path} cannot be written: Is a directory"
    path.rmdir()
    written.say("y")
    assert written.problem == ""


def _sign(**changes: object) -> Sign:
    usual: dict[str, object] = {
        "at": FIVE,
        "problem": "",
        "next": FIVE + 24 * HOUR,
        "owed": None,
        "running": None,
        "since": None,
    }
    return Sign(**(usual | changes))  # type: ignore[arg-type] # as the dictionary above has it


@pytest.mark.parametrize(
    ("sign", "is_well", "said"),
    [
        (_sign(), True, "the next run is at 2026-05-03 04:00 UTC"),
        (_sign(at=FIVE - 59 * dt.timedelta(seconds=1)), True, "alive"),
        (_sign(at=FIVE - 61 * dt.timedelta(seconds=1)), False, "61 s"),
        (_sign(at=FIVE + HOUR), False, "3600 s"),
        (_sign(problem="cron/x: line 3"), False, "line 3"),
        (_sign(owed=FIVE - 14 * MINUTE), True, "alive"),
        (_sign(owed=FIVE - 16 * MINUTE), False, "did not begin"),
        (_sign(running="tracklake flow", since=FIVE - 2 * HOUR), True, "at work for 2.0 hours"),
        (_sign(running="tracklake flow", since=FIVE - 25 * HOUR), False, "25.0 hours"),
        (None, False, "no scheduler"),
    ],
)
def test_what_counts_as_alive(sign: Sign | None, is_well: bool, said: str) -> None:
    """Fresh, without a problem, nothing overdue and no run of more than a day: else it is not."""
    found, words = sign_of_life.judged(sign, FIVE)
    assert found == is_well
    assert said in words


def test_a_sign_of_life_is_read_back_and_not_from_others(tmp_path: Path) -> None:
    """What was written is read; a link that somebody put in the shared folder is not followed."""
    sign = _sign(running="tracklake flow", since=FIVE)
    sign_of_life.show(tmp_path, sign)
    assert sign_of_life.read(tmp_path) == sign
    sign_of_life.withdraw(tmp_path)
    assert sign_of_life.read(tmp_path) is None
    folder = sign_of_life.path_of(tmp_path).parent
    (tmp_path / "theirs").mkdir()
    folder.symlink_to(tmp_path / "theirs")
    try:
        with pytest.raises(PermissionError):
            sign_of_life.show(tmp_path, sign)
        assert sign_of_life.read(tmp_path) is None
    finally:
        folder.unlink()


def test_an_idle_scheduler_gives_signs_all_the_time(place: Path) -> None:
    """A new sign comes within ten seconds and a bit, also with nothing to do."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tracklake", "scheduler"], cwd=place, stdout=subprocess.DEVNULL
    )
    try:
        _until(lambda: sign_of_life.read(place / "data") is not None)
        first = sign_of_life.read(place / "data")
        began_s = time.monotonic()
        _until(lambda: sign_of_life.read(place / "data") != first)
        assert time.monotonic() - began_s < 11
    finally:
        process.terminate()
        process.wait(30)
    assert sign_of_life.read(place / "data") is None, "who stops in good order says so"
    assert (place / "logs" / "scheduler" / "cron.log").read_text().count("begins") in (0, 1)
