"""The doctor finds what is wrong, names it and says what to do; the healthy it leaves alone."""

import contextlib
import dataclasses
import datetime as dt
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rows import FIRST_DAY, StandingClock, file_row, land, make_session
from tracklake import compaction, config, doctor
from tracklake.config import Folders
from tracklake.doctor import Finding, env_file, places
from tracklake.doctor.places import Who
from tracklake.scheduling import state_file
from tracklake.scheduling.entries import Entry, Outcome
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


def test_a_session_or_a_warehouse_of_the_future(lake: SyncSession) -> None:
    """A clock that stands before what was done by it is one finding each, with how to set it."""
    lake.begin()
    found = [
        one
        for one in doctor.examine(
            lake.folders, clock=StandingClock(FIRST_DAY - dt.timedelta(days=400))
        )
        if not one.is_well
    ]
    assert [one.subject for one in found] == ["clock", "clock"]
    assert all("timedatectl" in one.advice for one in found)
    assert "2025-03-27 06:00 UTC" in found[1].said


def test_a_state_database_that_somebody_keeps_locked(lake: SyncSession) -> None:
    """A lock on the database while no flow is at work is said, with what may hold it."""
    assert bad(lake.folders) == []
    with contextlib.closing(sqlite3.connect(lake.state.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        [finding] = bad(lake.folders)
        other.execute("rollback")
    assert finding.subject == "state"
    assert "locked" in finding.said
    assert "network drive" in finding.advice


def test_a_state_database_with_a_damaged_page(lake: SyncSession) -> None:
    """A page in the middle that is rubbish is found, though the database opens."""
    lake.state.execute("pragma wal_checkpoint(truncate)")
    lake.state.close()
    size = lake.state.path.stat().st_size
    with lake.state.path.open("r+b") as file:
        for page in range(2, size // 4096):
            file.seek(page * 4096)
            file.write(b"\x0d" + b"rubbish" * 20)
    [finding] = [one for one in bad(lake.folders) if one.subject == "state"]
    assert str(lake.state.path) in finding.said or "malformed" in finding.said


def test_the_schedule(lake: SyncSession) -> None:
    """A bad crontab, a run that never began and one that failed are said, each with what to do."""
    settings = lake.settings.model_copy(update={"cron_dir": lake.folders.data / "cron"})
    now = lake.clock.now()

    def found() -> list[Finding]:
        every = doctor.examine(lake.folders, settings, clock=lake.clock)
        return [one for one in every if one.subject == "schedule"]

    [none_yet] = found()
    assert (none_yet.is_well, none_yet.advice) == (True, "make schedule-up")
    settled = now - dt.timedelta(hours=1)
    last = Outcome(slot=settled, began=settled, ended=settled, exit_code=0, said="done")
    entry = Entry(command="tracklake flow", zone="Europe/London", settled=settled, last=last)
    key = "0 5 * * * tracklake flow"
    state_file.save(lake.folders.state, {key: entry})
    [well] = found()
    assert (well.is_well, "2026-05-02 05:00 (Europe/London)" in well.said) == (True, True)
    failed = dataclasses.replace(last, exit_code=1, said="failed")
    late = dataclasses.replace(entry, settled=now - dt.timedelta(days=2), last=failed)
    state_file.save(lake.folders.state, {key: late})
    settings.cron_dir.mkdir()
    (settings.cron_dir / "tracklake.cron").write_text("99 5 * * * tracklake flow\n")
    crontab, due, ended = found()
    assert "tracklake.cron, line 1" in crontab.said
    assert "2026-04-30 05:00" in due.said
    assert "failed" in ended.said
    assert all(one.advice and not one.is_well for one in (crontab, due, ended))


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """Return a data folder with what a run as somebody else might have left there."""
    folder = tmp_path / "data"
    (folder / "inbox").mkdir(parents=True)
    (folder / "bronze").mkdir()
    for name in ("inbox/a.fit", "bronze/b.parquet", "open.txt", "shared.txt"):
        (folder / name).touch(mode=0o644)
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "open.txt").chmod(0o666)
    (folder / "shared.txt").chmod(0o660)
    (folder / "inbox").chmod(0o777)
    return folder


def test_files_of_somebody_else(left: Path) -> None:
    """What another user left and keeps from us is named, but not what all or our group may use."""
    mine = left.stat()
    stranger = Who(mine.st_uid + 1, frozenset({mine.st_gid}))
    inbox = left / "inbox"
    assert list(places.closed(left, Who(mine.st_uid, frozenset()), inbox)) == []
    assert list(places.closed(left, Who(0, frozenset()), inbox)) == []
    assert list(places.closed(left, stranger, inbox)) == [
        left / "bronze",
        left / "bronze/b.parquet",
    ]
    [finding] = places.folder("data", left, stranger, inbox)
    assert not finding.is_well
    assert f"{left / 'bronze'} (user id {mine.st_uid}) first" in finding.said
    assert finding.advice.startswith(f"sudo chown -R {stranger.uid}:")


def test_our_own_files_are_fine(left: Path) -> None:
    """A folder that is ours is said to be writable."""
    [finding] = places.folder("data", left, Who.am_i(), left / "inbox")
    assert (finding.is_well, finding.said) == (True, f"{left} can be written")


def space(**changes: int) -> os.statvfs_result:
    """Return what a file system says of itself: plenty of all, but for what is given."""
    names = ("bsize", "frsize", "blocks", "bfree", "bavail", "files", "ffree", "favail")
    values = dict.fromkeys(names, 1 << 20) | {"flag": 0, "namemax": 255} | changes
    return os.statvfs_result(tuple(values.values()))


def test_a_full_disk(tmp_path: Path) -> None:
    """Too little room, and room without inodes, are said; a file system may count no inodes."""
    full = places.room(tmp_path, 50_000_000, 1_000_000_000)
    assert (full.is_well, "almost full" in full.said) == (False, True)
    assert "keep 1.0 GB free" in full.advice
    assert places.room(tmp_path, 2_000_000_000, 1_000_000_000).is_well
    [no_inodes] = places.files_left(tmp_path, space(favail=7))
    assert "only 7 more files" in no_inodes.said
    assert list(places.files_left(tmp_path, space())) == []
    assert list(places.files_left(tmp_path, space(files=0, favail=0))) == []


def test_a_mount_that_is_read_only() -> None:
    """What is mounted read-only is told by its flag, before anybody is told to change owners."""
    assert places.is_read_only(space(flag=os.ST_RDONLY | os.ST_NOSUID))
    assert not places.is_read_only(space(flag=os.ST_NOSUID))


def said_of(path: Path, text: str | bytes, mode: int = 0o600) -> list[Finding]:
    """Return what the doctor says of a file with this text."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return list(env_file.examine(path))


def test_an_env_file_in_order(tmp_path: Path) -> None:
    """Comments, quotes, blanks, export and what belongs to others: nothing to be done."""
    text = (
        "# mine\n\nTRACKLAKE_DATA_DIR = 'x y'\nexport TZ=Europe/Paris\ntracklake_athlete=a\n"
        "HTTPS_PROXY=http://proxy:3128\nSTRAVA_SEGMENTS_OF_ANOTHER_TOOL=1\nSTRAVA_CLIENT_SECRET=\n"
    )
    [finding] = said_of(tmp_path / ".env", text, 0o644)
    assert (finding.is_well, finding.advice) == (True, "")


def test_the_example_is_in_order(tmp_path: Path) -> None:
    """A copy of .env.example is well."""
    example = Path(__file__).resolve().parent.parent / ".env.example"
    [finding] = said_of(tmp_path / ".env", example.read_bytes())
    assert finding.is_well


def test_settings_of_containers_are_known(tmp_path: Path) -> None:
    """What the scripts and the compose file read from .env, beyond our settings, is no mistake."""
    place = Path(__file__).resolve().parent.parent
    scripts = [path for path in (place / "scripts").iterdir() if path.is_file()]
    read = {
        name
        for path in scripts
        for name in re.findall(r"\bsetting ([A-Z_]+) ", path.read_text(encoding="utf-8"))
    } | set(re.findall(r"mem_limit: .*\{([A-Z_]+)", (place / "docker-compose.yml").read_text()))
    assert {"TRACKLAKE_IMAGE", "TRACKLAKE_MEMORY"} <= read
    text = "".join(f"{name}=\n" for name in sorted(read))
    [finding] = said_of(tmp_path / ".env", text)
    assert finding.is_well


def test_a_missing_env_file_is_no_mistake(tmp_path: Path) -> None:
    """None at all is well; where the example lies there the command to copy it is said."""
    [bare] = env_file.examine(tmp_path / ".env")
    (tmp_path / ".env.example").touch()
    [finding] = env_file.examine(tmp_path / ".env")
    assert bare.is_well
    assert (finding.is_well, bare.advice) == (True, "")
    assert finding.advice == f"cp {tmp_path}/.env.example {tmp_path}/.env"


@pytest.mark.parametrize(
    ("text", "said", "advice"),
    [
        ("TRACKLAKE_DATADIR=x", "line 1 of", "did you mean TRACKLAKE_DATA_DIR?"),
        ("\nSTRAVA_CLIENTID=1", "line 2 of", "did you mean STRAVA_CLIENT_ID?"),
        ("TRACKLAK_INBOX=x", "sets TRACKLAK_INBOX", "did you mean TRACKLAKE_INBOX?"),
        ("TRACKLAKE_QQQ=1", "sets TRACKLAKE_QQQ", ""),
        ("TZ Europe/Paris", "line 1 of", "mend or remove line 1"),
    ],
)
def test_lines_that_set_nothing(tmp_path: Path, text: str, said: str, advice: str) -> None:
    """A misspelt setting is named with the nearest there is; so is a line without a value."""
    [finding] = said_of(tmp_path / ".env", text)
    assert not finding.is_well
    assert said in finding.said
    assert advice in finding.advice


def test_an_env_file_for_all_to_read(tmp_path: Path) -> None:
    """Others may read it: only where it holds a secret that is a mistake."""
    [finding] = said_of(tmp_path / ".env", "STRAVA_CLIENT_SECRET=abc", 0o640)
    assert (finding.is_well, finding.advice) == (False, f"chmod 600 {tmp_path}/.env")
    assert "abc" not in finding.said
    [private] = said_of(tmp_path / ".env", "STRAVA_CLIENT_SECRET=abc", 0o600)
    assert private.is_well


@pytest.mark.parametrize(
    "text", [b"TRACKLAKE_ATHLETE=anna\r\n", b"\xef\xbb\xbfTRACKLAKE_ATHLETE=anna\n"]
)
def test_an_env_file_from_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    """CRLF and a byte order mark are noted and do no harm: the settings are read all the same."""
    [finding] = said_of(tmp_path / ".env", text)
    assert finding.is_well
    assert "Windows editor" in finding.said
    assert "dos2unix" in finding.advice
    monkeypatch.chdir(tmp_path)
    assert config.load()[0].athlete == "anna"


def test_a_folder_in_place_of_the_env_file(tmp_path: Path) -> None:
    """What an engine makes where a file to mount is missing is named as what it is."""
    (tmp_path / ".env").mkdir()
    [finding] = env_file.examine(tmp_path / ".env")
    assert "rmdir" in finding.advice


def doctors(place: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `tracklake doctor` in a folder, with nothing set but what is given."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME")}  # noqa: TID251 a child needs them
    return subprocess.run(
        [sys.executable, "-m", "tracklake", "doctor", *options],
        env=kept | more,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_wrong_setting_is_a_finding(tmp_path: Path) -> None:
    """All mistakes in .env and the environment are said at once, and all else is looked at."""
    (tmp_path / ".env").write_text(
        "TZ=Europe/Pariss\nTRACKLAKE_SOURCES=polar\nSTRAVA_CLIENT_IT=1\nTRACKLAKE_DATA_DIR=mine\n"
    )
    done = doctors(tmp_path, "--json", TRACKLAKE_HEARTBEAT_URL="secret")
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)
    wrong = [one["said"] for one in found if not one["is_well"]]
    assert len(wrong) == 4
    for words in ("'Europe/Pariss' is no time zone", "polar", "STRAVA_CLIENT_IT", "HEARTBEAT_URL"):
        assert any(words in said for said in wrong)
    assert "secret" not in " ".join(wrong).replace("secrets", "")
    assert all(one["advice"] for one in found if not one["is_well"])
    subjects = {one["subject"]: one["said"] for one in found}
    assert subjects["data folder"] == "mine can be written"
    assert "Europe/London" in subjects["clock"]
    assert {"versions", "disk", "state", "lock", "tippecanoe", "warehouse"} <= subjects.keys()


def test_settings_that_are_no_text(tmp_path: Path) -> None:
    """A .env in UTF-16 and a secret that is no text: the doctor says so, others end with code 2."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "TRACKLAKE_ATHLETE").write_bytes(b"\xff\xfe")
    (tmp_path / "secrets" / "TRACKLAKE_ATHLETE").chmod(0o600)
    (tmp_path / ".env").write_text("TZ=UTC\n", encoding="utf-16")
    done = doctors(tmp_path)
    assert done.returncode == 1
    assert "BAD  settings: .env is no plain text" in done.stdout
    assert "BAD  settings: a file in the secrets folder is no plain text" in done.stdout
    assert done.stdout.count("BAD") == 2
    other = subprocess.run(
        [sys.executable, "-m", "tracklake", "status"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (other.returncode, other.stderr.count("\n")) == (2, 1)


def test_a_healthy_place_ends_with_0(tmp_path: Path) -> None:
    """Nothing set, nothing there yet: code 0."""
    done = doctors(tmp_path)
    assert (done.returncode, "BAD" in done.stdout) == (0, False), done.stdout
