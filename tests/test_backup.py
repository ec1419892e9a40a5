"""Backups: what they hold, what they cost, how they come back, what is said about them."""

import contextlib
import dataclasses
import datetime as dt
import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import filelock
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import rows
from tests.rows import StandingClock
from tracklake import bronze, bronze_format, compaction, config, flow, lock, running, status
from tracklake.backup import catalogue, creating, manifest, restoring, stores, verifying
from tracklake.backup.creating import BackupReport
from tracklake.backup.manifest import Manifest
from tracklake.backup.stores import Store
from tracklake.config import Folders
from tracklake.errors import Busy, ConfigError, InvalidData, StorageError
from tracklake.session import SyncSession
from tracklake.state import State

LATER = dt.datetime(2030, 1, 1, 5, tzinfo=dt.UTC)  # after any time that files here really have


@dataclasses.dataclass
class Lake:
    """A small data folder with its backups, worked on in one process."""

    folder: Path
    backup_url: str | None = None
    clock: StandingClock = dataclasses.field(default_factory=lambda: StandingClock(LATER))
    _session: SyncSession | None = None

    @property
    def session(self) -> SyncSession:
        """Return a session, of which the state stays open until the test ends."""
        if self._session is None:
            settings, folders = config.load(
                data_dir=self.folder / "data",
                logs_dir=self.folder / "logs",
                secrets_dir=self.folder / "secrets",
                backup_url=self.backup_url,
            )
            state = State(folders.state)
            rows.OPENED.append(state)
            self._session = SyncSession(
                flow="test",
                athlete="me",
                settings=settings,
                folders=folders,
                clock=self.clock,
                state=state,
            )
        return self._session

    @property
    def folders(self) -> Folders:
        """Return where things lie."""
        return self.session.folders

    @property
    def store(self) -> Store:
        """Return where backups go."""
        return stores.opened(self.session.settings, self.folders)

    def grow(self, *numbers: int) -> None:
        """Take in activities, each with an original, points and a track, and publish."""
        for number in numbers:
            rows.land(self.session, rows.file_row(number))
            data = f"original {number}".encode()
            sha256 = hashlib.sha256(data).hexdigest()
            self.put(bronze.object_path(self.folders.bronze, "files", "me", sha256, ".fit"), data)
            for root in (self.folders.streams, self.folders.tracks):
                self.put(root / "athlete=me" / f"{number}.bin", os.urandom(2_000))
        compaction.compact(self.session)

    def put(self, path: Path, data: bytes) -> None:
        """Write a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def create(self, *, full: bool = False) -> BackupReport:
        """Make a backup."""
        return creating.create(self.session, full=full)

    def names(self) -> list[str]:
        """Return the backups there are, the oldest first."""
        return catalogue.names(self.store)

    def made(self, name: str | None = None) -> Manifest:
        """Read a manifest, by default the latest one."""
        return catalogue.read(self.store, name or catalogue.chosen(self.store, None))

    def damage(self, *, full: bool = True, every: bool = True) -> list[str]:
        """Return what a verification finds."""
        part = verifying.Part(1, 1 if full else 7)
        names = self.names() if every else self.names()[-1:]
        return verifying.verify(self.store, names, part, lambda _: None).damaged

    def restore(self, name: str | None = None) -> restoring.Placed:
        """Restore in place, as the command does; the session is a new one after it."""
        stamp = bronze.stamp(self.clock.now())
        made = self.made(name)
        placed = restoring.into_place(self.store, made, self.folders.data, stamp, lambda _: None)
        self._session = None
        return placed

    def restore_to(self, place: Path, name: str | None = None) -> restoring.Proof:
        """Restore into a folder."""
        return restoring.into_folder(self.store, self.made(name), place, lambda _: None)


def grown(folder: Path, count: int, backup_url: str | None = None) -> Lake:
    """Return a place with so many activities; it is a copy of one that is made once."""
    template = next(one for one in folder.parents if one.name.startswith("pytest-"))
    template = template / f"lake-of-{count}"
    if not template.exists():
        made = Lake(template.with_name(f"unfinished-{count}"))
        made.grow(*range(1, count + 1))
        made.session.state.close()
        made.folder.rename(template)
    shutil.copytree(template, folder, dirs_exist_ok=True)
    return Lake(folder, backup_url)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Return a place with three activities."""
    return grown(tmp_path, 3)


def content(data: Path) -> dict[str, object]:
    """Return all that a backup has to bring back: bytes, times, and what the state says."""
    found: dict[str, object] = {
        path.relative_to(data).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for folder in (*manifest.FOLDERS, "warehouse")
        for path in sorted((data / folder).rglob("*"))
        if path.is_file()
    }
    database = f"file:{data / manifest.STATE_PATH}"
    with contextlib.closing(sqlite3.connect(f"{database}?mode=ro", uri=True)) as opened:
        found["state"] = [
            line
            for line in opened.iterdump()
            if "INSERT INTO" in line and not any(word in line for word in _PASSING)
        ]
    return found


_PASSING = (
    '"sessions"',
    '"phases"',
    "'backed_up'",
    "'backup_",
)  # what making a backup changes itself


# ---- what comes back


def test_what_is_restored_is_what_was_backed_up(lake: Lake, tmp_path: Path) -> None:
    """Every file comes back with its bytes and time, the state with its rows, gold with its own."""
    before = content(lake.folders.data)
    lake.create()
    proof = lake.restore_to(tmp_path / "other")
    assert content(tmp_path / "other") == before
    assert proof.tables["records"] == 3
    assert (tmp_path / "other" / "state" / "writer.duckdb").exists()
    assert not stat.S_IMODE((tmp_path / "other" / manifest.WAREHOUSE_PATH).stat().st_mode) & 0o222


_NAMES = st.text("abc-=._ é", min_size=1, max_size=12).filter(lambda name: name[0] not in ". ")
_PATHS = st.tuples(st.sampled_from(manifest.FOLDERS), _NAMES, _NAMES).map("/".join)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    trees=st.lists(
        st.dictionaries(_PATHS, st.binary(max_size=300), max_size=8), min_size=1, max_size=3
    )
)
def test_any_tree_comes_back(tmp_path: Path, trees: list[dict[str, bytes]]) -> None:
    """Whatever files come and go between backups, each backup brings back just what was there."""
    place = Lake(tmp_path / os.urandom(8).hex())
    held = []
    for tree in trees:
        for folder in manifest.FOLDERS:
            shutil.rmtree(place.folders.data / folder, ignore_errors=True)
        for path, data in tree.items():
            place.put(place.folders.data / path, data)
        held.append((place.create().name, content(place.folders.data)))
    for number, (name, before) in enumerate(held):
        place.restore_to(place.folder / f"{number}", name)
        assert content(place.folder / f"{number}") == before
    assert place.damage() == []


def test_a_large_file_is_kept_in_pieces(lake: Lake, tmp_path: Path) -> None:
    """A file of more than one piece comes back whole."""
    lake.put(lake.folders.bronze / "big.bin", os.urandom((17 << 20) + 1))
    before = content(lake.folders.data)
    lake.create()
    [big] = [entry for entry in lake.made().files if entry.path == "bronze/big.bin"]
    assert len(big.pieces) == 3
    lake.restore_to(tmp_path / "other")
    assert content(tmp_path / "other") == before


def test_restored_in_place_what_was_there_is_aside(lake: Lake) -> None:
    """An older backup takes the place; all that was there, newer bronze too, lies beside it."""
    first = lake.create().name
    then = content(lake.folders.data)
    lake.grow(4, 5)
    lake.create()
    newer = content(lake.folders.data)
    placed = lake.restore(first)
    assert content(lake.folders.data) == then
    assert content(placed.aside) == newer
    assert placed.newer == 4  # a shard and an original each
    assert not list(lake.folders.data.glob("restoring-*"))


def test_newer_bronze_can_be_taken_in_again(lake: Lake) -> None:
    """The command that a restore names brings the newer activities back into gold."""
    first = lake.create().name
    lake.grow(4, 5)
    aside = lake.restore(first).aside
    parts = [aside / part for part in manifest.FOLDERS]
    subprocess.run(["cp", "-rn", *parts, lake.folders.data], check=True)
    assert compaction.compact(lake.session).rows == 2
    assert gold_rows(lake.folders) == 5


def gold_rows(folders: Folders) -> int:
    """Count the activities that readers see."""
    found = status.status(folders)["warehouse"]
    assert found is not None
    return int(found["activities"])


def test_after_a_restore_nothing_is_new(lake: Lake) -> None:
    """The next compaction finds gold to be what bronze says, and publishes nothing."""
    compaction.compact(lake.session)  # the copy's views look where it lies now
    lake.create()
    for folder in ("bronze", "state", "streams", "tracks", "warehouse"):
        shutil.rmtree(lake.folders.data / folder)
    lake._session = None
    lake.restore()
    report = compaction.compact(lake.session)
    assert (report.rows, report.published, report.repaired) == (0, False, None)


def test_secrets_are_not_backed_up(lake: Lake) -> None:
    """No byte of the secrets folder reaches the store."""
    canary = b"canary-7d1f3"
    lake.put(lake.folders.secrets / "strava_token.json", canary)
    lake.create()
    assert lake.folders.secrets.name not in {entry.path for entry in lake.made().files}
    for item in [*lake.store.items("objects"), *lake.store.items("manifests")]:
        (data,) = lake.store.get([item.name])
        plain = manifest.unpack(data or b"") if item.name.endswith(".zst") else data or b""
        assert canary not in plain


def test_the_backed_up_session_is_not_one_that_was_killed(lake: Lake, tmp_path: Path) -> None:
    """In the restored state the session that made the backup is completed, not running."""
    lake.session.begin()
    lake.create()
    lake.restore_to(tmp_path / "other")
    with contextlib.closing(sqlite3.connect(tmp_path / "other" / manifest.STATE_PATH)) as state:
        assert state.execute("select distinct state from sessions").fetchall() == [("completed",)]


# ---- what it costs


def test_the_second_backup_stores_only_what_is_new(lake: Lake) -> None:
    """Files that did not change are neither read nor stored again."""
    lake.create()
    kept = set(objects(lake))
    lake.grow(4)
    unreadable = lake.folders.bronze / lake.made().files[0].path.removeprefix("bronze/")
    before = unreadable.stat()
    unreadable.write_bytes(b"x" * before.st_size)  # who read it would notice
    os.utime(unreadable, ns=(before.st_mtime_ns, before.st_mtime_ns))
    report = lake.create()
    immutable = [name for name in set(objects(lake)) - kept if not name.endswith(".zst")]
    assert len(immutable) == 4  # shard, original, points, track
    assert report.new_objects < 12
    assert report.rotten == []


def test_a_backup_from_the_future_costs_nothing(lake: Lake) -> None:
    """After a clock was wrong once, backups still go on from the one that was made last."""
    lake.clock.moment += dt.timedelta(days=4_000)
    future = lake.create().name
    lake.clock.moment = LATER
    lake.put(lake.folders.bronze / "new.bin", b"new")
    lake.create()
    path = lake.folders.bronze / "new.bin"
    times = path.stat()
    path.write_bytes(b"NEW")  # who read it would notice
    os.utime(path, ns=(times.st_mtime_ns, times.st_mtime_ns))
    lake.create()
    [entry] = [one for one in lake.made().files if one.path == "bronze/new.bin"]
    assert entry.sha256 == hashlib.sha256(b"new").hexdigest()
    assert catalogue.chosen(lake.store, None) != future


def test_full_finds_files_that_rot(lake: Lake, tmp_path: Path) -> None:
    """A file whose bytes changed without a write is told, and the good copy stays the backup."""
    lake.create()
    before = content(lake.folders.data)
    victim = lake.folders.data / lake.made().files[0].path
    times = victim.stat()
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1
    victim.write_bytes(data)
    os.utime(victim, ns=(times.st_mtime_ns, times.st_mtime_ns))
    report = lake.create(full=True)
    assert report.rotten == [victim.relative_to(lake.folders.data).as_posix()]
    lake.restore_to(tmp_path / "other")
    assert content(tmp_path / "other") == before


def objects(lake: Lake) -> list[str]:
    """Return the names of all objects."""
    return sorted(item.name for item in lake.store.items("objects"))


def test_an_object_that_got_lost_is_stored_again(lake: Lake) -> None:
    """The next backup notices what of bronze is missing or cut in the store, and mends it."""
    lake.create()
    victims = [name for name in objects(lake) if not name.endswith(".zst")][:2]  # no old state
    store = lake.store
    store.delete(victims[:1])
    store.put({victims[1]: b"cut"})
    assert len(lake.damage()) == 2
    lake.create()
    assert lake.damage() == []


# ---- of a flow


def test_a_flow_makes_a_backup_only_if_something_changed(tmp_path: Path) -> None:
    """The first flow makes one, a second with nothing new none, and one with news another."""
    lake = Lake(tmp_path)
    rows.land(lake.session, rows.file_row(1))
    assert whole(lake).backup is not None
    assert whole(lake).backup is None
    rows.land(lake.session, rows.file_row(2))
    assert whole(lake).backup is not None
    assert len(lake.names()) == 2
    assert whole(lake).backup is None


def whole(lake: Lake) -> flow.FlowReport:
    """Run a whole flow."""
    report = flow.FlowReport()
    settings = lake.session.settings
    with running.running("flow", settings, lake.folders, report, clock=lake.clock) as session:
        flow.whole(session, report)
    return report


def test_a_backup_that_fails_does_not_fail_the_flow(tmp_path: Path) -> None:
    """All else is done and published; the session says that there are errors; the next mends it."""
    place = tmp_path / "backups"
    place.mkdir()
    lake = Lake(tmp_path, backup_url=str(place))
    rows.land(lake.session, rows.file_row(1))
    place.rmdir()
    report = whole(lake)
    assert report.backup is not None
    assert "there is no folder" in (report.backup.error or "")
    assert report.compact is not None
    assert report.compact.published
    assert states(lake)[0] == "completed_with_errors"
    place.mkdir()
    again = whole(lake)
    assert again.backup is not None
    assert again.backup.error is None
    assert states(lake)[0] == "completed"


def states(lake: Lake) -> list[str]:
    """Return how the sessions ended, the newest first."""
    return [session["state"] for session in status.status(lake.folders)["sessions"]]


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    """A store that cannot be written is an error of one sentence that names the place."""
    lake = Lake(tmp_path)
    lake.grow(1)
    lake.put(lake.folders.data / "backups" / "objects", b"a file where a folder should be")
    report = creating.after_flow(lake.session)
    assert report is not None
    assert "backups/objects" in (report.error or "")


# ---- which one is meant


def test_at_finds_the_last_one_until_then(lake: Lake) -> None:
    """A day means its end, a moment itself, a name itself; before the first there is none."""
    names = []
    for _ in range(3):
        names.append(lake.create().name)
        lake.clock.moment += dt.timedelta(hours=20)
    assert [name[:11] for name in names] == ["20300101T05", "20300102T01", "20300102T21"]
    for at, expected in (
        ("2030-01-01", names[0]),
        ("2030-01-02", names[2]),
        ("2030-01-02T12:00", names[1]),
        ("2030-01-02T12:00+14:00", names[0]),
        (names[1], names[1]),
        ("20300102T01", names[1]),
        (None, names[2]),
    ):
        assert catalogue.chosen(lake.store, at) == expected
    for wrong, said in (("2029-12-31", "the first backup"), ("yesterday", "a day such as")):
        with pytest.raises(ConfigError, match=said):
            catalogue.chosen(lake.store, wrong)


def test_without_latest_the_newest_is_taken(lake: Lake) -> None:
    """A lost pointer costs nothing: the newest backup is found by its name, and verify tells."""
    lake.create()
    newest = lake.create().name
    lake.store.delete(["latest"])
    assert catalogue.chosen(lake.store, None) == newest
    assert "latest" in lake.damage()[0]
    lake.create()
    assert lake.damage() == []


# ---- what is refused


def test_a_newer_backup_is_refused(lake: Lake) -> None:
    """A manifest of a format that is not known yet is not guessed at."""
    lake.create()
    name = lake.names()[0]
    (data,) = lake.store.get([catalogue.file_name(name)])
    told = orjson.loads(manifest.unpack(data or b""))
    told["format"] = manifest.FORMAT + 1
    newer = manifest.pack(orjson.dumps(told))
    renamed = f"{name[:-12]}{hashlib.sha256(newer).hexdigest()[:12]}"
    lake.store.put({catalogue.file_name(renamed): newer})
    lake.store.delete([catalogue.file_name(name)])
    with pytest.raises(StorageError, match="newer Tracklake"):
        lake.restore(renamed)
    with pytest.raises(StorageError, match="newer Tracklake"):
        lake.create()


def test_bronze_of_a_newer_format_is_refused(lake: Lake, tmp_path: Path) -> None:
    """The mark of bronze's format comes back with it; what is newer than known is not restored."""
    mark = lake.folders.bronze / bronze_format.NAME
    mark.write_text("1\n")
    known = lake.create().name
    lake.restore_to(tmp_path / "known", known)
    assert (tmp_path / "known" / "bronze" / bronze_format.NAME).read_text() == "1\n"
    mark.write_text("2\n")
    newer = lake.create().name
    before = content(lake.folders.data)
    with pytest.raises(StorageError, match="the bronze of this backup was written by a newer"):
        lake.restore_to(tmp_path / "newer", newer)
    with pytest.raises(StorageError, match="update Tracklake"):
        lake.restore(newer)
    assert content(lake.folders.data) == before
    lake.restore(known)
    bronze_format.expect_known(lake.folders.bronze)


@pytest.mark.parametrize(
    "path", ["../x", "bronze/../../x", "/etc/passwd", "secrets/a", "bronze", "bronze//x", "state/x"]
)
def test_a_manifest_cannot_write_elsewhere(path: str) -> None:
    """What a manifest names lies in the parts that backups hold, whoever wrote it."""
    told = {
        "format": 1,
        "created_at": "2030-01-01T00:00:00+00:00",
        "tracklake": "0",
        "duckdb": "0",
        "tables": {},
        "files": [{"path": path, "sha256": "0" * 64, "size_bytes": 0, "mtime_ns": 0, "inode": 0}],
    }
    data = manifest.pack(orjson.dumps(told))
    with pytest.raises(InvalidData, match="must not"):
        manifest.read(f"x-{hashlib.sha256(data).hexdigest()[:12]}", data)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("gs://bucket", "neither a folder nor s3"),
        ("s3://", "is not s3://bucket/prefix"),
        ("{data}/nowhere", "there is no folder"),
        ("{data}/bronze", "belongs to what is to be backed up"),
        ("{data}", "belongs to what is to be backed up"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, url: str, said: str) -> None:
    """A place where no backup can go is refused with the setting's name."""
    lake = Lake(tmp_path, backup_url=url.format(data=tmp_path / "data"))
    (tmp_path / "data" / "bronze").mkdir(parents=True)
    with pytest.raises(ConfigError, match=f"TRACKLAKE_BACKUP_URL.*{said}"):
        _ = lake.store


def test_a_part_on_another_disk_is_refused(lake: Lake, tmp_path: Path) -> None:
    """Where a part of the data folder is a link, nothing is restored in place."""
    lake.create()
    shutil.move(lake.folders.bronze, tmp_path / "elsewhere")
    lake.folders.bronze.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="--to FOLDER"):
        lake.restore()
    assert lake.folders.bronze.is_symlink()


# ---- the commands


@pytest.fixture(scope="module")
def commands_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a place with three activities and one backup, for commands that change nothing."""
    found = grown(tmp_path_factory.mktemp("commands"), 3)
    found.create()
    found.session.state.close()
    return found.folder


def run(place: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tracklake", "backup", *arguments],
        env={
            **os.environ,  # noqa: TID251 a child needs PATH and the like
            "TRACKLAKE_DATA_DIR": str(place / "data"),
            "TRACKLAKE_LOGS_DIR": str(place / "logs"),
            "TRACKLAKE_SECRETS_DIR": str(place / "secrets"),
            **more,
        },
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_create_list_verify_restore(tmp_path: Path) -> None:
    """The commands one after the other: each says what it did and ends with code 0."""
    lake = grown(tmp_path, 2)
    made = run(tmp_path, "create")
    assert (made.returncode, made.stderr.startswith("backup")) == (0, True), made.stderr
    assert "12 files" in made.stdout
    [listed] = orjson.loads(run(tmp_path, "list", "--json").stdout)
    assert (listed["activities"], listed["note"]) == (2, "latest")
    assert listed["name"] in run(tmp_path, "list").stdout
    assert "were read and are sound" in run(tmp_path, "verify", "--full").stdout
    restored = run(tmp_path, "restore")
    assert restored.returncode == 0, restored.stderr
    assert "2 records" in restored.stdout
    assert "before-restore-" in restored.stdout
    assert states(lake)[0] == "completed"
    assert "restored backup" in status.status(lake.folders)["sessions"][0]["error"]


def test_a_drill_changes_nothing(commands_place: Path) -> None:
    """A drill says what it counted and leaves the data folder as it was."""
    before = content(commands_place / "data")
    drilled = run(commands_place, "restore", "--drill")
    assert drilled.returncode == 0, drilled.stderr
    assert "3 records" in drilled.stdout
    assert "nothing was changed" in drilled.stdout
    assert content(commands_place / "data") == before
    assert not list((commands_place / "data").glob("*restor*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("restore", "--drill", "--to", "x"), "--drill or --to"),
        (("restore", "--to", "data"), "not empty"),
        (("restore", "--at", "soon"), "a day such as"),
        (("verify", "--full", "--part", "1/2"), "--full or --part"),
        (("verify", "--part", "8/7"), "such as 1/7"),
    ],
)
def test_wrong_options_are_refused(
    commands_place: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Options that make no sense together end with code 2 and a sentence."""
    refused = run(commands_place, *arguments)
    assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


def test_without_a_backup_there_is_advice(tmp_path: Path) -> None:
    """Nothing to list is no error; nothing to restore is one, with what to do."""
    assert "backup create" in run(tmp_path, "list").stdout
    refused = run(tmp_path, "restore")
    assert (refused.returncode, "backup create" in refused.stderr) == (2, True)


def test_nothing_is_restored_while_a_flow_is_at_work(lake: Lake) -> None:
    """Restoring and creating wait for nobody: code 75, and nothing has changed."""
    lake.create()
    with filelock.FileLock(lake.folders.state / "flow.lock"):
        for command in ("restore", "create"):
            refused = run(lake.folder, command)
            assert (refused.returncode, "another flow" in refused.stderr) == (75, True)
        assert run(lake.folder, "verify").returncode == 0
    with lock.held(lake.folders.state), pytest.raises(Busy):
        lock.held(lake.folders.state).__enter__()


def test_no_room_is_said_before_anything_is_written(lake: Lake, tmp_path: Path) -> None:
    """A backup that is larger than the free space is not begun to be restored."""
    lake.create()
    made = lake.made()
    huge = dataclasses.replace(made.files[0], size_bytes=1 << 60)
    with (
        pytest.raises(StorageError, match="make room"),
        restoring.fetched(
            lake.store, dataclasses.replace(made, files=(huge,)), tmp_path, lambda _: None
        ),
    ):
        pass
    assert not list(tmp_path.glob(".landing-*"))
