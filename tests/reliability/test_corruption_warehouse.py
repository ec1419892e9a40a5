"""A corrupt warehouse repairs itself, whatever byte of it, its log or the snapshot is damaged."""

import shutil
from pathlib import Path

import pytest

from tests.reliability import damaging
from tests.reliability.damaging import KINDS, close, gold, small_lake, strata
from tests.rows import StandingClock, make_session
from tracklake import compaction, writer_file
from tracklake.session import SyncSession

CLOSED, KILLED = 90, 110  # mutations of a warehouse that was closed, and of one that was not
SNAPSHOT = 12


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a lake whose last flow ended."""
    folder = tmp_path_factory.mktemp("closed") / "lake"
    small_lake(folder).state.close()
    return folder


@pytest.fixture(scope="module")
def killed(closed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a lake whose last flow was killed with transactions in the log."""
    folder = tmp_path_factory.mktemp("killed") / "lake"
    shutil.copytree(closed, folder)
    session = make_session(folder, StandingClock())
    session.clock.sleep(3_600)
    damaging.leave_a_log(session)
    close(session)
    return folder


def opened(folder: Path) -> SyncSession:
    """Return a session on a lake as it lies there, an hour later."""
    session = make_session(folder, StandingClock())
    session.clock.sleep(7_200)
    return session


def truth(folder: Path, aside: Path) -> dict[str, tuple[int, int]]:
    """Return what gold is after an undisturbed run."""
    shutil.copytree(folder, aside)
    session = opened(aside)
    compaction.compact(session)
    found = gold(session)
    close(session)
    return found


def mended(base: Path, tmp_path: Path, name: str, count: int) -> dict[str, int]:
    """Damage a file so many times; each time the next run gives the same gold, or this fails.

    Returns how often the warehouse was made anew, and how often the damage did not matter.
    """
    expected = truth(base, tmp_path / "truth")
    found = {"made anew": 0, "did not matter": 0}
    for kind, dice in strata(count):
        shutil.copytree(base, place := tmp_path / "damaged")
        damaging.damage(place / "data/state" / name, kind, dice)
        session = opened(place)
        report = compaction.compact(session)
        assert gold(session) == expected, (kind, name)
        found["made anew" if report.repaired or report.rebuilt else "did not matter"] += 1
        if report.repaired:
            assert ".corrupt-" in report.repaired
            assert compaction.compact(session).repaired is None
        close(session)
        shutil.rmtree(place)
    return found


def test_any_byte_of_a_closed_warehouse(closed: Path, tmp_path: Path) -> None:
    """Flipped, zeroed, cut or emptied: the next run gives the gold of an undisturbed one."""
    found = mended(closed, tmp_path, "writer.duckdb", CLOSED)
    assert found["made anew"] > CLOSED / 2


def test_any_byte_of_a_warehouse_and_its_log_after_a_kill(killed: Path, tmp_path: Path) -> None:
    """With transactions in the log, damage in file or log loses none of them."""
    in_file = mended(killed, tmp_path / "file", "writer.duckdb", KILLED // 2)
    in_log = mended(killed, tmp_path / "log", "writer.duckdb.wal", KILLED // 2)
    assert sum(in_file.values()) + sum(in_log.values()) == KILLED
    assert in_log["made anew"] > 0


@pytest.mark.parametrize("gone", [["writer.duckdb"], ["writer.duckdb.wal"]])
def test_a_file_or_its_log_removed(killed: Path, tmp_path: Path, gone: list[str]) -> None:
    """A log without its file is kept aside and not replayed into another; nothing is missing."""
    expected = truth(killed, tmp_path / "truth")
    shutil.copytree(killed, tmp_path / "lake")
    for name in gone:
        (tmp_path / "lake/data/state" / name).unlink()
    session = opened(tmp_path / "lake")
    compaction.compact(session)
    assert gold(session) == expected


def test_any_byte_of_the_published_snapshot(closed: Path, tmp_path: Path) -> None:
    """A snapshot that rotted, whatever its time and size say, is kept aside and replaced."""
    expected = truth(closed, tmp_path / "truth")
    for kind, dice in strata(SNAPSHOT):
        shutil.copytree(closed, place := tmp_path / "lake")
        session = opened(place)
        if kind == "flipped":
            damaging.rot(session.folders.warehouse, dice)
            changed = True
        else:
            changed = damaging.damage(session.folders.warehouse, kind, dice)
        bad = session.folders.warehouse.read_bytes()
        report = compaction.compact(session)
        assert report.published
        assert gold(session) == expected
        if changed:
            assert report.republished is not None
            assert Path(report.republished).read_bytes() == bad
        close(session)
        shutil.rmtree(place)


def test_a_process_that_dies_of_reading(closed: Path, tmp_path: Path) -> None:
    """A file that ended two processes while they read it is set aside without a third one."""
    session = copied_from(closed, tmp_path / "lake")
    session.state.execute("insert or replace into facts values ('writer_opening', '2')")
    session.state.execute("delete from facts where name = 'writer_seal'")
    report = compaction.compact(session)
    assert report.repaired is not None
    assert compaction.compact(session).repaired is None
    assert writer_file.path_of(session).exists()


def copied_from(base: Path, folder: Path) -> SyncSession:
    """Return a session on a copy of a lake."""
    shutil.copytree(base, folder)
    return opened(folder)


def test_all_kinds_are_done() -> None:
    """The strata hold each kind of damage equally often."""
    kinds = [kind for kind, _ in strata(40)]
    assert {kind: kinds.count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 10)
