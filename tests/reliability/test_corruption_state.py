"""A damaged state database is set aside and made anew by the next run; gold does not need it."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.reliability import damaging
from tests.reliability.damaging import strata
from tests.rows import StandingClock
from tracklake import config, flow, running, state_mending
from tracklake.errors import StorageError
from tracklake.state import NAME, SEAL, State

CLOSED, KILLED = 60, 40


def run(folder: Path) -> flow.FlowReport:
    """Run a session with nothing to do on a lake; return what it says."""
    settings, folders = config.load(
        data_dir=folder / "data", logs_dir=folder / "logs", secrets_dir=folder / "secrets"
    )
    report = flow.FlowReport()
    with running.running("test", settings, folders, report, clock=StandingClock()) as session:
        session.state.execute("insert or replace into facts values ('last', ?)", (str(folder),))
    return report


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a lake with 30 sessions and a full quarantine, closed."""
    folder = tmp_path_factory.mktemp("state") / "lake"
    run(folder)
    state = State(folder / "data/state")
    with state.transaction():
        for number in range(300):
            state.execute(
                "insert into quarantine (item_id, athlete, source, item, reason, message, attempts,"
                " first_seen_at, last_seen_at) values (?, 'me', 'files', ?, 'bad', ?, 1, ?, ?)",
                (f"{number:064}", f"{number}.fit", "x" * 200, *["2026-05-01T06:00:00+00:00"] * 2),
            )
    state.close()
    run(folder)
    return folder


@pytest.fixture(scope="module")
def killed(closed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a lake whose state database still has its log, as a kill leaves it."""
    folder = tmp_path_factory.mktemp("state-killed") / "lake"
    shutil.copytree(closed, folder)
    state = State(folder / "data/state")
    state.execute("insert or replace into facts values ('more', 'x')")
    shutil.copytree(folder, other := folder.with_name("killed"))
    state.close()
    assert (other / "data/state" / f"{NAME}-wal").stat().st_size > 0
    assert not (other / "data/state" / SEAL).exists()
    return other


def rows_of(folder: Path, table: str) -> int:
    """Count a table of the state database, reading it whole."""
    with contextlib.closing(sqlite3.connect(folder / "data/state" / NAME)) as database:
        ((said,),) = database.execute("pragma integrity_check").fetchall()
        assert said == "ok"
        return len(database.execute(f"select * from {table}").fetchall())  # noqa: S608 our own


def test_any_byte_of_a_closed_one(closed: Path, tmp_path: Path) -> None:
    """Each change of a byte is found by the seal, kept aside, and what can be read is saved."""
    saved = 0
    for kind, dice in strata(CLOSED):
        shutil.copytree(closed, place := tmp_path / "lake")
        assert damaging.damage(place / "data/state" / NAME, kind, dice) in (True, False)
        changed = (place / "data/state" / NAME).read_bytes() != (
            closed / "data/state" / NAME
        ).read_bytes()
        # The copy has another inode, and a seal is of one file: it is sealed as it was.
        seal_as(closed, place)
        report = run(place)
        assert (report.mended is not None) == changed, kind
        if report.mended is not None:
            [aside] = place.glob(f"data/state/{NAME}.corrupt-*[!lm]")
            assert str(aside) in report.mended
        saved += rows_of(place, "quarantine")
        assert rows_of(place, "sessions") >= 1
        assert run(place).mended is None
        assert not list(place.rglob(".landing-*"))
        shutil.rmtree(place)
    assert saved > 300 * CLOSED / 3


def seal_as(closed: Path, place: Path) -> None:
    """Give a copy, damaged by now, the seal that it would have had before."""
    good = place / "good"
    good.mkdir()
    bad = (place / "data/state" / NAME).read_bytes()
    target = place / "data/state" / NAME
    target.write_bytes((closed / "data/state" / NAME).read_bytes())
    state_mending.seal(place / "data/state")
    target.write_bytes(bad)
    good.rmdir()


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_any_byte_after_a_kill(killed: Path, tmp_path: Path, suffix: str) -> None:
    """Without a seal, what SQLite finds is mended; the run ends well whatever was damaged."""
    for kind, dice in strata(KILLED // 2 if suffix == "-shm" else KILLED):
        shutil.copytree(killed, place := tmp_path / "lake")
        damaging.damage(place / "data/state" / f"{NAME}{suffix}", kind, dice)
        run(place)
        assert rows_of(place, "sessions") >= 1
        assert run(place).mended is None
        shutil.rmtree(place)


@pytest.mark.parametrize("gone", [NAME, f"{NAME}-wal", SEAL])
def test_removed(killed: Path, tmp_path: Path, gone: str) -> None:
    """What is removed is made anew, and an old log is not replayed into a new database."""
    shutil.copytree(killed, place := tmp_path / "lake")
    (place / "data/state" / gone).unlink(missing_ok=True)
    run(place)
    assert rows_of(place, "sessions") >= 1


def test_a_damaged_seal_condemns_nothing(closed: Path, tmp_path: Path) -> None:
    """The note itself may be damaged: then it says nothing."""
    for kind, dice in strata(12):
        shutil.copytree(closed, place := tmp_path / "lake")
        state_mending.seal(place / "data/state")
        damaging.damage(place / "data/state" / SEAL, kind, dice)
        assert run(place).mended is None
        shutil.rmtree(place)


def test_whoever_writes_breaks_the_seal(closed: Path, tmp_path: Path) -> None:
    """A command that writes beside flows (`quarantine retry`) does not make it look damaged."""
    shutil.copytree(closed, place := tmp_path / "lake")
    state_mending.seal(place / "data/state")
    state = State(place / "data/state")
    state.execute("update quarantine set attempts = 2")
    state.close()
    assert run(place).mended is None
    assert rows_of(place, "quarantine") == 300


def test_a_reader_is_told_what_to_do(closed: Path, tmp_path: Path) -> None:
    """A command that only reads says in a sentence that the next flow mends it."""
    shutil.copytree(closed, place := tmp_path / "lake")
    path = place / "data/state" / NAME
    data = bytearray(path.read_bytes())
    data[2 * 4096 :] = b"\xff" * (len(data) - 2 * 4096)
    path.write_bytes(data)
    with pytest.raises(StorageError, match="`tracklake flow` sets it aside"):  # noqa: PT012 either may
        state = State(place / "data/state")
        with contextlib.closing(state):
            state.execute("select * from quarantine")
