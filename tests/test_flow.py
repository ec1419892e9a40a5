"""What stops what in a flow, and how failures come out of it."""

import errno
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.rows import StandingClock
from tracklake import config, flow, reading, status
from tracklake.config import Folders, Settings
from tracklake.errors import AuthError, CheckFailed, Interrupted, SourceError, StorageError
from tracklake.session import SyncSession


@pytest.fixture
def place(tmp_path: Path) -> tuple[Settings, Folders]:
    """Return settings of a folder of their own."""
    return config.load(
        data_dir=tmp_path / "data", logs_dir=tmp_path / "logs", secrets_dir=tmp_path / "secrets"
    )


def run(
    place: tuple[Settings, Folders], stage: flow.Stage, clock: StandingClock | None = None
) -> flow.FlowReport:
    """Run one stage as a flow."""
    report = flow.FlowReport()
    with flow.running("test", *place, report, clock=clock or StandingClock()) as session:
        stage(session, report)
    return report


def failing(error: Exception) -> flow.Stage:
    """Return a stage that fails."""

    def stage(_session: SyncSession, _report: flow.FlowReport) -> None:
        raise error

    return stage


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/file"), "a/file: the disk is full"),
        (OSError(errno.EROFS, "Read-only", "a/file"), "read-only"),
        (OSError(errno.EACCES, "Denied", "a/file"), f"user id {os.getuid()}"),
        (OSError(errno.EIO, "I/O error", "a/file"), "failed to read or write"),
        (duckdb.IOException("cannot write"), "warehouse could not be written"),
    ],
)
def test_a_failing_disk_is_said_plainly_and_entered(
    place: tuple[Settings, Folders], error: Exception, said: str
) -> None:
    """Storage failures stop the run with a sentence, exit code 1, and a closed session."""
    with pytest.raises(StorageError, match=said):
        run(place, failing(error))
    [session] = status.status(place[1])["sessions"]
    assert session["state"] == "failed"
    assert said.split(": ")[-1] in session["error"]


def test_what_nobody_expected_is_entered_and_raised(place: tuple[Settings, Folders]) -> None:
    """A defect of ours is not hidden: it fails the session, stands in the log and goes on up."""
    with pytest.raises(ZeroDivisionError):
        run(place, failing(ZeroDivisionError("ours")))
    [session] = status.status(place[1])["sessions"]
    assert session["error"] == "ZeroDivisionError: ours"
    assert "ZeroDivisionError" in (place[1].logs / "flow" / "latest.log").read_text()


def test_an_interrupted_session_is_taken_up_by_the_next(place: tuple[Settings, Folders]) -> None:
    """It says who went on with it, and the next flow removes what it left."""
    with pytest.raises(Interrupted):
        run(place, failing(Interrupted(15)))
    left = place[1].data / "bronze" / ".landing-abc-file"
    left.parent.mkdir(parents=True)
    left.touch()
    run(place, lambda _session, _report: None)
    assert not left.exists()
    [second, first] = status.status(place[1])["sessions"]
    assert (first["state"], first["error_class"]) == ("retrying", "interrupted")
    assert first["taken_up_by"] == second["session_id"]
    assert (second["state"], second["attempt"]) == ("completed", 2)


def test_a_source_that_needs_a_login_comes_first_of_the_failures() -> None:
    """The exit code tells of the login; the other failures are in the report."""
    report = flow.FlowReport(failed_sources={"a": SourceError("down"), "b": AuthError("log in")})
    with pytest.raises(AuthError):
        flow.raise_source_failures(report)
    flow.raise_source_failures(flow.FlowReport())


def test_status_shows_a_running_session(place: tuple[Settings, Folders]) -> None:
    """While a flow runs, status reads how far it is, without the lock."""

    def stage(session: SyncSession, _report: flow.FlowReport) -> None:
        with session.phase("pull", total=10) as phase:
            phase.advance(4)
            found = status.status(place[1])
            assert found["running"]["phases"][0]["processed"] == 4
            assert found["warehouse"] is None

    run(place, stage)
    assert status.status(place[1])["running"] is None


def test_points_that_are_lost_are_not_published_away_and_the_next_flow_reads_them_again(
    place: tuple[Settings, Folders], sample_inbox: Path
) -> None:
    """Without data/streams yesterday's snapshot stays; a pull makes them anew from bronze."""
    clock = StandingClock()
    place[1].inbox.mkdir(parents=True)
    for path in sorted((sample_inbox / "watch").rglob("*.fit"))[:4]:
        shutil.copy(path, place[1].inbox / path.name)
    run(place, flow.whole, clock)
    before = points(place[1])
    assert before > 0
    for path in place[1].streams.glob("athlete=*/*.parquet"):
        path.unlink()
    with pytest.raises(CheckFailed, match="pull --all"):
        run(place, flow.compact, clock)
    shutil.rmtree(place[1].inbox)
    place[1].inbox.mkdir()
    run(place, flow.whole, clock)
    assert points(place[1]) == before


def points(folders: Folders) -> int:
    """Count the points that readers see."""
    with reading.snapshot(folders) as connection:
        ((count,),) = connection.execute("select count(*) from activity_streams").fetchall()
    return int(count)
