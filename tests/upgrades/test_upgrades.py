"""Data folders that older code left open in today's; what a newer one left is refused."""

import contextlib
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import duckdb
import pytest

from tracklake import bronze_format, state
from tracklake.errors import StorageError

FORMATS = Path(__file__).with_name("formats.tar.xz")  # scripts/make_upgrade_fixture
NAMES = ("state-1", "state-2", "state-3", "state-4", "sources-4", "state-5")
_ACTIVITIES = "select start_date::varchar, sport_type, round(distance), moving_time from activities"


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a data folder of each format."""
    folder = tmp_path_factory.mktemp("formats")
    with tarfile.open(FORMATS) as packed:
        packed.extractall(folder, filter="data")
    return folder


def place(formats: Path, name: str, folder: Path) -> Path:
    """Return a data folder as the old code left it, with its writer's warehouse."""
    data = folder / "data"
    shutil.copytree(formats / name, data)
    shutil.copyfile(data / "warehouse" / "tracklake.duckdb", data / "state" / "writer.duckdb")
    return data


def run(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tracklake", *arguments],
        env={
            **os.environ,  # noqa: TID251 a child needs PATH and the like
            "TRACKLAKE_DATA_DIR": str(data),
            "TRACKLAKE_LOGS_DIR": str(data.parent / "logs"),
            "TRACKLAKE_SECRETS_DIR": str(data.parent / "secrets"),
            "TRACKLAKE_WEATHER": "off",
            **more,
        },
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def activities(data: Path) -> list[tuple[object, ...]]:
    """Return what a warehouse says of its activities."""
    with contextlib.closing(
        duckdb.connect(str(data / "warehouse" / "tracklake.duckdb"), read_only=True)
    ) as gold:
        gold.execute("set timezone = 'UTC'")
        return sorted(gold.execute(_ACTIVITIES).fetchall())


def columns(database: Path) -> tuple[int, dict[str, set[str]]]:
    """Return a state database's version, and its tables with their columns."""
    with contextlib.closing(sqlite3.connect(database)) as opened:
        ((version,),) = opened.execute("pragma user_version").fetchall()
        tables = opened.execute("select name from sqlite_master where type = 'table'").fetchall()
        found = {
            table: {str(row[1]) for row in opened.execute(f"pragma table_info({table})")}
            for (table,) in tables
        }
    return version, found


@pytest.mark.parametrize("name", NAMES)
def test_a_flow_goes_on_from_it(formats: Path, tmp_path: Path, name: str) -> None:
    """A flow over what old code left ends well with the same activities, and gold is bronze's.

    The state has the tables and columns of one that is made today, and the old sessions.
    """
    data = place(formats, name, tmp_path)
    before = activities(data)
    assert len(before) >= 3
    flow = run(data, "flow")
    assert flow.returncode == 0, flow.stderr
    assert activities(data) == before
    version, found = columns(data / "state" / "tracklake.sqlite")
    state.State(tmp_path / "fresh").close()
    assert (version, found) == columns(tmp_path / "fresh" / "tracklake.sqlite")
    with contextlib.closing(sqlite3.connect(data / "state" / "tracklake.sqlite")) as opened:
        assert opened.execute("select count(*) from sessions").fetchall() == [(2,)]
    proved = run(data, "compact", "--rebuild", "--verify")
    assert proved.returncode == 0, proved.stderr
    assert activities(data) == before
    if name == NAMES[0]:
        assert run(data, "backup", "restore", "--drill").returncode == 0


def tree(data: Path) -> dict[str, str]:
    """Return the hash of each file but the lock's."""
    return {
        path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


@pytest.mark.parametrize("command", ["flow", "compact", "status", "doctor", "backup create"])
def test_a_newer_state_is_refused(formats: Path, tmp_path: Path, command: str) -> None:
    """Who finds a state database of a newer Tracklake says so, and leaves every file as it is."""
    data = place(formats, "state-1", tmp_path)
    with contextlib.closing(sqlite3.connect(data / "state" / "tracklake.sqlite")) as opened:
        opened.execute("pragma journal_mode = wal")
        opened.execute(f"pragma user_version = {state.SCHEMA_VERSION + 1}")
    before = tree(data)
    refused = run(data, *command.split())
    assert refused.returncode == 1, refused.stderr
    said = refused.stderr + refused.stdout
    assert "newer Tracklake" in said
    assert "Traceback" not in said
    assert tree(data) == before


def test_newer_bronze_is_refused(formats: Path, tmp_path: Path) -> None:
    """Who finds bronze of a newer format says so and changes no file; the known one is fine."""
    data = place(formats, "state-5", tmp_path)
    mark = data / "bronze" / bronze_format.NAME
    mark.write_text(f"{bronze_format.KNOWN}\n")
    assert run(data, "status").returncode == 0
    mark.write_text(f"{bronze_format.KNOWN + 1}\n")
    before = tree(data)
    for command in ("flow", "compact --rebuild", "status", "doctor", "backup create"):
        refused = run(data, *command.split())
        assert refused.returncode == 1, (command, refused.stderr)
        said = refused.stderr + refused.stdout
        assert "written by a newer Tracklake (format 2, this one knows 1)" in said
        assert "Traceback" not in said
        assert tree(data) == before, command


@pytest.mark.parametrize("told", [b"", b"1 and a half", b"-1", b"0", b"\xb9", b"9" * 70])
def test_a_mark_of_bronze_that_says_no_format_is_refused(tmp_path: Path, told: bytes) -> None:
    """A damaged mark is not guessed at: it is named, with what to do."""
    (tmp_path / bronze_format.NAME).write_bytes(told)
    with pytest.raises(StorageError, match=r"FORMAT is damaged|newer Tracklake"):
        bronze_format.expect_known(tmp_path)


def test_a_folder_without_the_mark_is_of_the_first_format(tmp_path: Path) -> None:
    """Bronze of before there was a mark, and none at all, are known."""
    bronze_format.expect_known(tmp_path)
    bronze_format.expect_known(tmp_path / "not there yet")


def test_gold_of_a_newer_version_is_made_anew(formats: Path, tmp_path: Path) -> None:
    """A warehouse that other SQL texts made is no obstacle: gold is a function of bronze.

    It is said that it was made anew.
    """
    data = place(formats, "sources-4", tmp_path)
    assert run(data, "compact").returncode == 0
    before = activities(data)
    with contextlib.closing(duckdb.connect(str(data / "state" / "writer.duckdb"))) as gold:
        gold.execute("update warehouse_version set version = 'of the year 2040'")
        gold.execute("create table of_the_year_2040 as select 1 as one")
    done = run(data, "compact")
    assert done.returncode == 0, done.stderr
    assert "rebuilt from" in done.stderr + done.stdout
    assert activities(data) == before
