"""A damaged file of bronze is named and set aside; all else goes on, and gold keeps what it had."""

import shutil
from pathlib import Path

import pytest

from tests.reliability import damaging
from tests.reliability.damaging import close, gold, small_lake, strata
from tests.rows import StandingClock, file_row, land, make_session
from tracklake import compaction, pages, parquet_seal, quarantine, sound_files
from tracklake.errors import StorageError
from tracklake.pages import Run
from tracklake.session import SyncSession

SHARDS = 40


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a lake with three shards."""
    folder = tmp_path_factory.mktemp("shards") / "lake"
    close(small_lake(folder))
    return folder


def copy(base: Path, folder: Path) -> SyncSession:
    """Return a session on a copy, an hour later."""
    shutil.copytree(base, folder)
    session = make_session(folder, StandingClock())
    session.clock.sleep(3_600)
    return session


def first_shard(session: SyncSession) -> Path:
    """Return the oldest shard."""
    return min(session.folders.bronze.rglob("shard.parquet"))


def test_a_new_shard_that_is_damaged(base: Path, tmp_path: Path) -> None:
    """It is set aside whatever happened to it, the others are taken in; put back, so is it."""
    for kind, dice in strata(SHARDS):
        session = copy(base, tmp_path / "lake")
        path = land_two(session)
        good = path.read_bytes()
        if not damaging.damage(path, kind, dice):
            good = b""  # zeroes where zeroes were
        report = compaction.compact(session)
        assert len(report.damaged) == (1 if good else 0), kind
        if good:
            [item] = quarantine.items(session.state)
            assert item["reason"] == "damaged_shard"
            assert str(path) in str(item["message"])
            assert gold(session)["activities"][0] == 7
            assert not path.exists()
            path.write_bytes(good)
            assert compaction.compact(session).damaged == []
            assert quarantine.items(session.state) == []
        assert gold(session)["activities"][0] == 8
        close(session)
        shutil.rmtree(tmp_path / "lake")


def land_two(session: SyncSession) -> Path:
    """Land two shards; return the first of them."""
    before = set(session.folders.bronze.rglob("shard.parquet"))
    land(session, file_row(20))
    [new] = set(session.folders.bronze.rglob("shard.parquet")) - before
    land(session, file_row(21))
    return new


def test_a_shard_that_gold_has(base: Path, tmp_path: Path) -> None:
    """Gold keeps its rows; a rebuild that is asked for stops and leaves the warehouse."""
    session = copy(base, tmp_path / "lake")
    expected = gold(session)
    damaging.damage(first_shard(session), "flipped", damaging.dice())
    assert not compaction.compact(session).damaged
    with pytest.raises(StorageError, match="left as it is"):
        compaction.compact(session, rebuild=True)
    assert gold(session) == expected
    compaction.compact(session)
    assert gold(session) == expected


def test_it_is_not_rolled_up(base: Path, tmp_path: Path) -> None:
    """A damaged shard of a closed year is set aside before its rows get a new name."""
    session = copy(base, tmp_path / "lake")
    damaging.damage(first_shard(session), "flipped", damaging.dice())
    session.clock.sleep(400 * 86_400)
    report = compaction.compact(session)
    assert len(report.damaged) == 1
    assert not list(session.folders.bronze.rglob("rollup-*"))
    assert gold(session)["activities"][0] == 6


def test_any_byte_of_a_rollup_and_of_a_run(base: Path, tmp_path: Path) -> None:
    """Files that are not named by their hash bear it: each changed byte is found."""
    session = copy(base, tmp_path / "lake")
    run = Run.begin(session.folders.bronze, "strava", "activities", "me", session.clock.now())
    sealed = run.seal([{**file_row(1), "source": "strava"}])
    session.clock.sleep(400 * 86_400)
    compaction.compact(session)
    rollup = next(iter(session.folders.bronze.rglob("rollup-*.parquet")))
    for path in (rollup, sealed):
        assert path.exists()
        assert parquet_seal.holds(path) is True
        good = path.read_bytes()
        for kind, dice in strata(80):
            damaging.damage(path, kind, dice)
            if path.read_bytes() != good and sound_files.damage(path) is None:
                assert parquet_seal.holds(path) is None  # the seal's own key was hit, no row was
                assert rows(path, good) == rows(path, path.read_bytes())
            path.write_bytes(good)
    assert pages.is_run(sealed.parent)


def rows(path: Path, data: bytes) -> list[dict[str, object]]:
    """Return the rows of a shard that has these bytes."""
    import pyarrow.parquet as pq

    path.write_bytes(data)
    found: list[dict[str, object]] = pq.read_table(path, partitioning=None).to_pylist()
    return found
