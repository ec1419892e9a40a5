"""The command line as a person meets it: real processes, exit codes, sentences."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import filelock
import pytest

from tracklake import warehouse
from tracklake.config import Folders


def environment(place: Path, **more: str) -> dict[str, str]:
    """Return an environment whose data lies in `place`."""
    return {
        **os.environ,  # noqa: TID251 a child needs PATH and the like
        "TRACKLAKE_DATA_DIR": str(place / "data"),
        "TRACKLAKE_LOGS_DIR": str(place / "logs"),
        "TRACKLAKE_SECRETS_DIR": str(place / "secrets"),
        **more,
    }


def run(place: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tracklake", *arguments],
        env=environment(place, **more),
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def inbox(tmp_path: Path, sample_inbox: Path) -> Path:
    """Return an inbox with some thirty of the sample athlete's files."""
    folder = tmp_path / "data" / "inbox"
    folder.mkdir(parents=True)
    files = sorted(path for path in sample_inbox.rglob("*") if path.is_file())
    for number, path in enumerate(files[::15]):
        shutil.copy2(path, folder / f"{number:03}-{path.name}")
    return folder


def gold(place: Path) -> dict[str, list[tuple[str, ...]]]:
    """Return what gold says, without when it was said."""
    with duckdb.connect(
        str(place / "data/warehouse/tracklake.duckdb"), read_only=True
    ) as connection:
        return {
            table: sorted(
                tuple(
                    str(value)
                    for name, value in zip(columns, row, strict=True)
                    if name not in _VARYING
                )
                for row in rows
            )
            for table in warehouse.tables(connection)
            if table not in (*warehouse.COPIED_FROM_STATE, "shards", "warehouse_version")
            for cursor in [connection.execute(f"from {table}")]
            for columns in [[column[0] for column in cursor.description or []]]
            for rows in [cursor.fetchall()]
        }


_VARYING = {"ingested_at", "first_ingested_at", "file_linked_at", "stream_key", "track_key"}


def test_flow_status_sql_doctor_and_a_second_run(tmp_path: Path, inbox: Path) -> None:
    """A person's first day: flow, look, ask, run again for nothing."""
    first = run(tmp_path, "flow")
    assert first.returncode == 0, first.stderr
    assert "new" in first.stderr
    status = json.loads(run(tmp_path, "status", "--json").stdout)
    assert status["warehouse"]["activities"] > 20
    assert status["sessions"][0]["flow"] == "flow"
    assert run(tmp_path, "status").stdout.startswith(f"{status['warehouse']['activities']:,} ")
    asked = run(
        tmp_path, "sql", "select count(*) as n from activities where leg_count = 0", "--csv"
    )
    assert asked.stdout.split() == ["n", str(status["warehouse"]["activities"])]
    nothing = run(tmp_path, "sql", "select id, name from activities where false")
    assert (nothing.returncode, nothing.stdout.split()) == (0, ["id", "name"])
    snapshot = (tmp_path / "data/warehouse/tracklake.duckdb").stat()
    second = run(tmp_path, "flow")
    assert "nothing new" in second.stderr
    assert "unchanged" in second.stderr
    again = (tmp_path / "data/warehouse/tracklake.duckdb").stat()
    assert (again.st_ino, again.st_mtime_ns) == (snapshot.st_ino, snapshot.st_mtime_ns)
    doctor = run(tmp_path, "doctor", "--deep")
    assert "all checks pass" in doctor.stdout
    assert list(inbox.iterdir())
    assert "Traceback" not in first.stderr + second.stderr + doctor.stderr


@pytest.mark.parametrize(
    ("arguments", "more", "code", "said"),
    [
        (("sql", "select 1"), {}, 2, "tracklake flow"),
        (("import", "no-such-file"), {}, 2, "no-such-file"),
        (("flow",), {"TRACKLAKE_SOURCES": "files,strave"}, 2, "no such source: strave"),
        (("flow", "--athlete", "a/b"), {}, 2, "athlete"),
        (("compact", "--verify"), {}, 2, "--rebuild --verify"),
        (("quarantine", "retry", "abc"), {}, 2, "nothing is set aside under abc"),
        (("pull", "--source", "nowhere"), {}, 2, "no such source: nowhere"),
        (("nonsense",), {}, 2, "nonsense"),
    ],
)
def test_a_persons_mistake_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], more: dict[str, str], code: int, said: str
) -> None:
    """Wrong usage names what is wrong, exits 2 and shows no traceback."""
    done = run(tmp_path, *arguments, **more)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_two_flows_at_once_the_second_is_told_and_exits_75(tmp_path: Path) -> None:
    """The lock is the kernel's: held means 75, and a dead holder holds nothing."""
    lock = filelock.FileLock(tmp_path / "data" / "state" / "flow.lock")
    (tmp_path / "data" / "state").mkdir(parents=True)
    with lock:
        done = run(tmp_path, "flow")
    assert done.returncode == 75
    assert "another flow" in done.stderr
    assert run(tmp_path, "flow").returncode == 0


def test_an_empty_inbox_makes_an_empty_warehouse_that_answers(tmp_path: Path) -> None:
    """Whoever asks SELECT always gets an answer, also before there is anything."""
    assert run(tmp_path, "flow").returncode == 0
    for table in ("activities", "activity_streams", "activity_tracks", "activity_laps"):
        asked = run(tmp_path, "sql", f"select count(*) as n from {table}", "--csv")  # noqa: S608 our names
        assert asked.stdout.split() == ["n", "0"], asked.stderr


def test_killed_anywhere_the_next_run_gives_the_same(tmp_path: Path, inbox: Path) -> None:
    """SIGKILL at several instants, then a run to the end: gold equals an undisturbed one."""
    calm = tmp_path / "calm"
    shutil.copytree(inbox, calm / "data" / "inbox")
    started = time.monotonic()
    assert run(calm, "flow").returncode == 0
    whole_s = time.monotonic() - started
    for share in (0.15, 0.3, 0.45, 0.6, 0.75, 0.9):
        _run_and_signal(tmp_path, share * whole_s, signal.SIGKILL)
    last = run(tmp_path, "flow")
    assert last.returncode == 0, last.stderr
    assert gold(tmp_path) == gold(calm)
    assert not list((tmp_path / "data").rglob(".landing-*"))
    deep = run(tmp_path, "doctor", "--deep")
    assert "BAD  bronze" not in deep.stdout
    assert run(tmp_path, "compact", "--rebuild", "--verify").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_answered_in_time_and_nothing_is_lost(
    tmp_path: Path, inbox: Path, number: signal.Signals
) -> None:
    """SIGTERM and Ctrl-C end a flow within 8 s, said plainly; the next run completes it."""
    code, seconds, said = _run_and_signal(tmp_path, 2.0, number)
    if code != 0:  # else it was done before the signal came
        assert code == 128 + number
        assert "run the same command again" in said
        assert "Traceback" not in said
    assert seconds < 8
    assert run(tmp_path, "flow").returncode == 0
    assert not list((tmp_path / "data").rglob(".landing-*"))
    assert list(inbox.iterdir())


def _run_and_signal(place: Path, after_s: float, number: signal.Signals) -> tuple[int, float, str]:
    with subprocess.Popen(
        [sys.executable, "-m", "tracklake", "flow"],
        env=environment(place),
        cwd=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        begun = time.monotonic()
        while child.poll() is None and not (place / "logs/flow/latest.log").exists():
            time.sleep(0.01)  # noqa: TID251 a real process has its own time
        try:
            child.wait(max(0.0, after_s - (time.monotonic() - begun)))
        except subprocess.TimeoutExpired:
            child.send_signal(number)
        signalled = time.monotonic()
        _, said = child.communicate(timeout=60)
        return child.returncode, time.monotonic() - signalled, said


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A data folder that is a file is one sentence and exit code 1."""
    (tmp_path / "data").write_text("not a folder")
    done = run(tmp_path, "flow")
    assert done.returncode == 1
    assert "data" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_command_explains_itself() -> None:
    """`--help` works for every command and says what it does."""
    for command in (
        "import",
        "pull",
        "compact",
        "tiles",
        "flow",
        "status",
        "doctor",
        "sql",
        "demo",
    ):
        done = subprocess.run(
            [sys.executable, "-m", "tracklake", command, "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"tracklake {command}" in done.stdout


def test_logs_carry_the_session_on_every_line(tmp_path: Path, inbox: Path) -> None:
    """The JSON log has one event a line, each with the session id; the text log is its twin."""
    assert run(tmp_path, "flow").returncode == 0
    [path] = (tmp_path / "logs" / "flow" / "structured").rglob("*.jsonl")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert {event["session_id"] for event in events} == {path.stem.removeprefix("flow_")}
    assert events[-1]["event"] == "session_finished"
    text = (tmp_path / "logs" / "flow" / "latest.log").read_text().splitlines()
    assert len(text) == len(events)
    assert list(inbox.iterdir())


def test_the_demo_never_touches_the_users_data(sample_lake: Folders) -> None:
    """The demo's folders all lie below data/demo."""
    assert sample_lake.data.name == "data"
