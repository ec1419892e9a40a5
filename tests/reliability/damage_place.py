"""One lake with everything that is read back from disk, and what becomes of a damaged file of it.

The lake lies in the same place each time, since some of what it remembers are paths: a sound copy
beside it is put back. What must come of a damage: the doctor names the file, and the next flow
makes it good, goes on without it, or says one sentence that names it. Gold stays as it was.
"""

import contextlib
import dataclasses
import functools
import os
import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb

from tests.reliability import damaging
from tests.sources import strava_place
from tests.sources.inbox import fit_bytes
from tests.sources.strava_place import Place
from tracklake import doctor, pages
from tracklake.clock import UTC
from tracklake.config import Folders
from tracklake.doctor import Finding, backups, deep, login, timetable
from tracklake.errors import Error, InvalidData
from tracklake.garmin import key_file, logins
from tracklake.scheduling import state_file
from tracklake.scheduling.entries import Entry

KINDS = (*damaging.KINDS, "removed")
COMMAND = "tracklake flow"
NO_CHANGE, DID_NOT_MATTER = "no byte changed", "did not matter"


@dataclasses.dataclass
class Lake:
    """A place, a sound copy of it, and what its gold says."""

    place: Place
    sound: Path
    gold: list[dict[str, object]] = dataclasses.field(default_factory=list)

    @property
    def folders(self) -> Folders:
        """Return where things lie."""
        return self.place.folders

    def put_back(self) -> None:
        """Let everything be as it was; times too."""
        shutil.rmtree(self.place.folder)
        shutil.copytree(self.sound, self.place.folder)

    def activities(self) -> list[dict[str, object]]:
        """Return gold's activities."""
        return self.place.query("select * exclude (ingested_at) from activities order by id")

    def examined(self) -> list[Finding]:
        """Return what the whole doctor finds wrong."""
        settings, folders = self.place.load()
        found = doctor.examine(folders, settings, deep=True, clock=self.place.clock)
        # The place's clock stands still, and files bear the machine's time.
        return [one for one in found if not one.is_well and one.subject != "clock"]


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Lake]:
    """Make the lake: Strava and a file, a run that was not sealed, tiles, a backup, logins."""
    with strava_place.opened(folder / "lake", activities=6, points=60) as place:
        place.folders.inbox.mkdir(parents=True)
        (place.folders.inbox / "run.fit").write_bytes(fit_bytes(3))
        place.clock.advance(10)
        place.flow()
        _leave_a_run(place)
        _leave_logins_and_schedule(place)
        lake = Lake(place, folder / "sound")
        shutil.copytree(place.folder, lake.sound)
        lake.gold = lake.activities()
        assert lake.gold
        yield lake
        lake.put_back()


def _leave_a_run(place: Place) -> None:
    """Leave a run of the list that was killed before it was sealed."""
    [old] = place.folders.bronze.glob("strava/activities/athlete=me/*/*-run*/page-*.json.zst")
    place.clock.advance(10)
    run = pages.Run.begin(
        place.folders.bronze, "strava", "activities", "me", place.clock.now().astimezone(UTC)
    )
    run.add(pages.read(old))


def _leave_logins_and_schedule(place: Place) -> None:
    folders = place.folders
    kept = key_file.Kept(
        fingerprint="f" * 64, access_token="a" * 300, use_until=2e9, key_ends_on="2030-01-01"
    )
    key_file.write(logins.key_path(folders, "me"), kept)
    entry = Entry(command=COMMAND, zone="Europe/Madrid", settled=place.clock.now())
    state_file.save(folders.state, {f"0 5 * * * {COMMAND}": entry})


# ---- what is damaged


@dataclasses.dataclass(frozen=True)
class Target:
    """A file that is read back: how it is found, and the doctor's look at its like.

    in_flow: this lake's flows read it.
    """

    find: Callable[[Folders], Iterable[Path]]
    look: Callable[[Lake], Iterable[Finding]]
    in_flow: bool = True


def _bronze(lake: Lake) -> Iterable[Finding]:
    return deep.originals_and_shards(lake.folders)


def _points(lake: Lake) -> Iterable[Finding]:
    found = list(deep.points(lake.folders))
    yield from found
    if not all(one.is_well for one in found):
        return
    try:
        yield from deep.gold(lake.folders)
    except (Error, duckdb.Error) as error:
        yield Finding("streams", False, str(error))


def _tiles(lake: Lake) -> Iterable[Finding]:
    return deep.tiles(lake.folders)


def _logins(lake: Lake) -> Iterable[Finding]:
    return login.files(lake.folders)


def _backup(lake: Lake) -> Iterable[Finding]:
    settings, folders = lake.place.load()
    return backups.newest(folders, settings)


def _schedule(lake: Lake) -> Iterable[Finding]:
    settings, folders = lake.place.load()
    return timetable.examine(folders, settings, lake.place.clock.now())


def _below(name: str, pattern: str) -> Callable[[Folders], Iterable[Path]]:
    return functools.partial(_globbed, name, pattern)


def _globbed(name: str, pattern: str, folders: Folders) -> Iterable[Path]:
    return sorted(getattr(folders, name).glob(pattern))


def _pages(folders: Folders, *, sealed: bool) -> Iterable[Path]:
    found = sorted(folders.bronze.glob("strava/*/athlete=me/*/*-run*/page-*.json.zst"))
    return [path for path in found if (path.parent / "shard.parquet").exists() == sealed]


TARGETS = {
    "page of a sealed run": Target(functools.partial(_pages, sealed=True), _bronze),
    "page of a run that was not sealed": Target(functools.partial(_pages, sealed=False), _bronze),
    "original file": Target(_below("bronze", "*/original_files/*/objects/*/*"), _bronze),
    "points": Target(_below("streams", "**/2*.parquet"), _points),
    "geometry": Target(_below("tracks", "**/2*.parquet"), _points),
    "token file": Target(_below("secrets", "strava_token.json"), _logins),
    "garmin key file": Target(
        _below("secrets", "garmin_personal_token.json"), _logins, in_flow=False
    ),
    "tiles": Target(_below("tiles", "*.pmtiles"), _tiles),
    "geojson": Target(_below("tiles", "*.geojsonl.gz"), _tiles),
    "index and calendar of tiles": Target(_below("tiles", "[ac]*.json"), _tiles),
    "manifest of tiles": Target(_below("tiles", "manifest.json"), _tiles),
    "object of a backup": Target(_below("data", "backups/objects/*/*"), _backup),
    "manifest of a backup": Target(_below("data", "backups/manifests/*"), _backup),
    "latest of a backup": Target(_below("data", "backups/latest"), _backup),
    "state of the scheduler": Target(_below("state", "scheduler.json"), _schedule, in_flow=False),
}


# ---- what becomes of it


def _names(findings: Iterable[Finding], path: Path) -> bool:
    """Tell whether a finding names a file, or, of one that is gone, what it was part of."""
    wrong = [finding.said for finding in findings if not finding.is_well]
    name = path.name.removesuffix(".json.zst")  # of a backup's manifest
    places = (name,) if path.exists() else (name, str(path.parent), "points", "geometry", "latest")
    return any(place in said for said in wrong for place in places)


def looked_at(lake: Lake, target: Target, path: Path, kind: str, dice: random.Random) -> str:
    """Damage a file, have the doctor look, and put it back; return what came of it.

    Raises AssertionError if nobody saw a damage that matters.
    """
    good, times = path.read_bytes(), path.stat()
    try:
        if not damaging.damage(path, kind, dice):
            return NO_CHANGE
        if _names(target.look(lake), path):
            return "named by the doctor"
        assert _may_stay(path, good, kind), f"{path}: {kind}, and nobody saw it"
        return DID_NOT_MATTER
    finally:
        path.write_bytes(good)
        path.chmod(times.st_mode)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _may_stay(path: Path, good: bytes, kind: str) -> bool:
    """Tell whether a damage is one that the doctor need not see."""
    if path.name.startswith("page-") and path.exists():
        try:
            return _body(path, path.read_bytes()) == _body(path, good)
        except InvalidData:
            return False
    if path.name.startswith("page-"):  # a run's last page: who knows how many it had
        return pages.lost(path.parent) == []
    if kind == "removed":  # who has not logged in has no login
        return path.parent.name == "secrets" or path.name in ("scheduler.json", "manifest.json")
    return path.name.endswith((".json", "latest")) and bool(path.read_bytes())


def _body(path: Path, data: bytes) -> bytes:
    path.write_bytes(data)
    return pages.read(path).body


def _flow(lake: Lake) -> str:
    """Run a flow; return the sentence with which it ended, if it did."""
    try:
        lake.place.flow()
    except Error as error:
        return str(error)
    return ""


def survived(lake: Lake, target: Target, path: Path, kind: str, dice: random.Random) -> str:
    """Damage a file and run a flow; return what came of it.

    Raises AssertionError if gold is another, or something was wrong and nobody said it.
    """
    lake.put_back()
    good = path.read_bytes()
    if not damaging.damage(path, kind, dice):
        return NO_CHANGE
    before = _names(target.look(lake), path)
    said = _flow(lake)
    assert lake.activities() == lake.gold, f"{path}: {kind}: gold is another"
    if said:
        assert path.name in said or "login" in said, f"{path}: {kind}: {said}"
        if target.look is _points:
            lake.place.flow()
            assert lake.activities() == lake.gold
            assert not [one for one in target.look(lake) if not one.is_well]
            return "said by the flow, made anew by the next"
        return "said by the flow"
    if path.exists() and path.read_bytes() == good:
        return "made anew by the flow"
    if not _names(target.look(lake), path):
        return "mended by the flow" if before else DID_NOT_MATTER
    assert before
    return "named by the doctor"
