"""How a file comes to be on disk: whole, durable, or not at all.

A temporary name in the same folder, fsync, rename, fsync of the folder: a kill or a power cut at
any point leaves either the old state or the new one, and at worst a temporary file that `sweep`
removes.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

_MARK = ".landing-"


def fsync_folder(folder: Path) -> None:
    """Make renames and new names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_file(path: Path) -> None:
    """Make a file's bytes survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents; each new name is made durable in its parent."""
    missing = [folder, *folder.parents]
    new = [path for path in missing if not path.is_dir()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(new):
        fsync_folder(path.parent)


def temporary_beside(path: Path) -> Path:
    """Name a temporary file in the folder of `path`; `sweep` knows it."""
    return path.parent / f"{_MARK}{secrets.token_hex(6)}-{path.name[-80:]}"


def adopt(temporary: Path, path: Path) -> None:
    """Give a finished temporary file of the same file system its name, durably."""
    fsync_file(temporary)
    make_folder(path.parent)
    temporary.replace(path)
    fsync_folder(path.parent)


def adopt_all(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Give many finished temporary files their names, each as durably as by `adopt`.

    All bytes are made durable before any name, all names at the end: the file system then commits
    twice instead of twice a file.
    """
    folders = {path.parent for _, path in pairs}
    for temporary, _ in pairs:
        fsync_file(temporary)
    new = [folder for folder in sorted(folders) if not folder.is_dir()]
    for folder in new:
        folder.mkdir(exist_ok=True)
    for folder in {folder.parent for folder in new}:
        fsync_folder(folder)
    for temporary, path in pairs:
        temporary.replace(path)
    for folder in folders:
        fsync_folder(folder)


@contextlib.contextmanager
def landing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; on success it becomes `path`, on failure it vanishes."""
    make_folder(path.parent)
    temporary = temporary_beside(path)
    try:
        yield temporary
        adopt(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Land bytes under a name."""
    with landing(path) as temporary:
        temporary.write_bytes(data)


def sweep_beside(path: Path) -> None:
    """Remove what killed landings of this very file left; only while nobody lands it."""
    for left in path.parent.glob(f"{_MARK}*-{path.name}"):
        left.unlink(missing_ok=True)


def sweep(folder: Path) -> int:
    """Remove what killed landings left below a folder; only while nobody lands there."""
    count = 0
    for parent, folders, files in os.walk(folder):
        for name in [name for name in folders if name.startswith(_MARK)]:
            shutil.rmtree(Path(parent) / name)
            folders.remove(name)
            count += 1
        for name in files:
            if name.startswith(_MARK):
                (Path(parent) / name).unlink()
                count += 1
    return count
