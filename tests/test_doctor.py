"""The doctor finds what is wrong, names it and says what to do; the healthy it leaves alone."""

import shutil
from pathlib import Path

import pytest

from tests.rows import file_row, land, make_session
from tracklake import compaction, doctor
from tracklake.config import Folders
from tracklake.doctor import Finding
from tracklake.session import SyncSession


@pytest.fixture
def lake(tmp_path: Path) -> SyncSession:
    """Return a small lake with one compacted shard, years of which are closed."""
    session = make_session(tmp_path)
    for number in range(3):
        land(session, file_row(number))
    compaction.compact(session)
    return session


def bad(folders: Folders, *, deep: bool = False) -> list[Finding]:
    """Return what the doctor finds wrong."""
    return [finding for finding in doctor.examine(folders, deep=deep) if not finding.is_well]


def test_a_healthy_lake_has_no_findings(sample_lake: Folders) -> None:
    """Deep examination of a whole flow's result finds nothing; what was set aside is said."""
    found = list(doctor.examine(sample_lake, deep=True))
    assert [finding for finding in found if not finding.is_well] == []
    [advice] = [finding.advice for finding in found if finding.subject == "quarantine"]
    assert advice == "tracklake quarantine list"


def test_nothing_yet_is_well(tmp_path: Path) -> None:
    """Before the first flow nothing is wrong."""
    session = make_session(tmp_path)
    shutil.rmtree(session.folders.data)
    assert bad(session.folders) == []


def test_a_flipped_byte_in_a_shard_is_found(lake: SyncSession) -> None:
    """A shard that is not what its name says is named."""
    [shard, *_] = sorted(lake.folders.bronze.rglob("shard.parquet"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    [finding] = bad(lake.folders, deep=True)
    assert str(shard) in finding.said
    assert finding.advice


def test_a_rollup_that_cannot_be_read_is_found(lake: SyncSession) -> None:
    """A closed year's file is read whole."""
    lake.clock.sleep(400 * 86_400)
    compaction.compact(lake)
    [rollup] = lake.folders.bronze.rglob("rollup-*.parquet")
    assert bad(lake.folders, deep=True) == []
    rollup.write_bytes(rollup.read_bytes()[:-100])
    assert any(str(rollup) in finding.said for finding in bad(lake.folders, deep=True))


def test_a_damaged_original_is_found(sample_lake: Folders, tmp_path: Path) -> None:
    """An original whose bytes changed no longer has the hash that is its name."""
    original = min(sample_lake.bronze.glob("files/original_files/*/objects/*/*"))
    place = tmp_path / "bronze" / original.relative_to(sample_lake.bronze)
    place.parent.mkdir(parents=True)
    place.write_bytes(original.read_bytes() + b"more")
    folders = sample_lake.model_copy(update={"data": tmp_path})
    assert any(str(place) in finding.said for finding in bad(folders, deep=True))


def test_an_unreadable_snapshot_is_said_with_what_to_do(lake: SyncSession) -> None:
    """A corrupt snapshot is one finding, not a traceback."""
    lake.folders.warehouse.unlink()
    lake.folders.warehouse.write_bytes(b"rubbish" * 1000)
    [finding] = bad(lake.folders)
    assert "compact --rebuild" in finding.said


def test_a_stale_wal_and_open_secrets_are_named(lake: SyncSession) -> None:
    """Somebody's writing beside the snapshot, secrets that others may read."""
    lake.folders.warehouse.with_name("tracklake.duckdb.wal").touch()
    lake.folders.secrets.mkdir()
    secret = lake.folders.secrets / "token.json"
    secret.touch()
    secret.chmod(0o644)
    found = {finding.subject: finding for finding in bad(lake.folders)}
    assert found.keys() == {"warehouse", "secrets"}
    assert found["secrets"].advice == f"chmod 600 {secret}"


def test_a_state_database_that_is_rubbish_is_one_finding(lake: SyncSession) -> None:
    """What cannot be read is said in a sentence, and the other checks go on."""
    lake.state.close()
    (lake.folders.state / "tracklake.sqlite").write_bytes(b"rubbish" * 1000)
    for log in lake.folders.state.glob("tracklake.sqlite-*"):
        log.unlink()
    findings = bad(lake.folders)
    assert [finding.subject for finding in findings] == ["state"]
    assert "holds no activities" in findings[0].said


def test_a_damaged_map_file_is_found(sample_lake: Folders, tmp_path: Path) -> None:
    """A file of tiles with a flipped byte, and one that is gone, are named with what to do."""
    shutil.copytree(sample_lake.tiles, tmp_path / "tiles")
    folders = sample_lake.model_copy(update={"data": tmp_path})
    flipped, gone, *_ = sorted(folders.tiles.glob("*.pmtiles"))
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    gone.unlink()
    found = [finding for finding in bad(folders, deep=True) if finding.subject == "tiles"]
    assert {str(flipped), str(gone)} == {finding.said.split()[0] for finding in found}
    assert all("tiles --rebuild" in finding.advice for finding in found)
