"""Putting a restored data folder in place of the one that is there: by renames, to their end.

What is restored lies whole in <data>/restoring-<stamp> before the first rename; what was there goes
to <data>/before-restore-<stamp>. Killed between, the next command that writes goes on there.
"""

import os
import shutil
from pathlib import Path

from tracklake import landing
from tracklake.errors import ConfigError

PREFIX = "restoring-"
ASIDE_PREFIX = "before-restore-"
FOLDERS = ("bronze", "streams", "tracks", "warehouse")  # restored as a whole, also if empty
_NONE = ".none"  # stands for a file that is not restored: the old one must not stay
_FILES = (  # what belongs to an old database goes before it
    "state/tracklake.sqlite-wal",
    "state/tracklake.sqlite-shm",
    "state/tracklake.sqlite",
    "state/writer.duckdb.wal",
    "state/writer.duckdb",
)


def refuse_other_disks(data: Path) -> None:
    """Raise ConfigError where a part lies on another file system: no rename goes there."""
    device = data.stat().st_dev
    for name in (*FOLDERS, "state"):
        path = data / name
        if path.is_symlink() or (path.exists() and path.stat().st_dev != device):
            raise ConfigError(
                f"{path} lies elsewhere than {data}, so nothing can be put in its place at once; "
                "restore with --to FOLDER and move the parts yourself"
            )


def begin(complete: Path, data: Path, stamp: str) -> Path:
    """Decide for a whole restored folder; from here on it is brought into place. Return aside."""
    for name in _FILES:
        if not (complete / name).exists():
            (complete / f"{name}{_NONE}").touch()
    os.sync()  # tens of thousands of files: at once instead of one by one
    complete.rename(data / f"{PREFIX}{stamp}")
    landing.fsync_folder(data)
    finish(data)
    return data / f"{ASIDE_PREFIX}{stamp}"


def finish(data: Path) -> list[Path]:
    """Bring every restore to its end that was decided; return where what was there lies."""
    found = sorted(data.glob(f"{PREFIX}*")) if data.is_dir() else []
    asides = []
    for staging in found:
        aside = data / f"{ASIDE_PREFIX}{staging.name.removeprefix(PREFIX)}"
        aside.mkdir(exist_ok=True)
        for name in (*FOLDERS, *_FILES):
            _swap(staging / name, data / name, aside / name)
        for folder in (data / "state", aside / "state", aside, data):
            if folder.is_dir():
                landing.fsync_folder(folder)
        shutil.rmtree(staging)
        landing.fsync_folder(data)
        asides.append(aside)
    return asides


def _swap(new: Path, place: Path, aside: Path) -> None:
    """Move one part aside and its successor in; what is done already is not done again."""
    none = new.with_name(f"{new.name}{_NONE}")
    if place.exists() and (new.exists() or none.exists()):
        aside.parent.mkdir(parents=True, exist_ok=True)
        place.rename(_free(aside))
    if new.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        new.rename(place)
    none.unlink(missing_ok=True)


def _free(path: Path) -> Path:
    """Return a name that nothing has."""
    return next(
        one
        for number in range(1, 1_000_000)
        for one in [path if number == 1 else path.with_name(f"{path.name}.{number}")]
        if not one.exists()
    )
