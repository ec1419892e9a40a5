"""Folders, who may use them, and how much room there is."""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracklake import secret_files
from tracklake.alerts.rules import disk_floor_bytes
from tracklake.config import Folders
from tracklake.doctor.finding import Finding

_LOW_DISK_BYTES = 1 << 30
_FEW_FILES = 10_000  # a first flow over twenty years makes about as many


@dataclass(frozen=True, slots=True)
class Who:
    """Whose rights count: a user and the groups that the user is in."""

    uid: int
    gids: frozenset[int]

    @classmethod
    def am_i(cls) -> "Who":
        """Return who runs this."""
        return cls(os.geteuid(), frozenset({os.getegid(), *os.getgroups()}))

    def is_kept_from(self, status: os.stat_result) -> bool:
        """Tell whether something belongs to somebody else who does not let us change it."""
        if self.uid in (0, status.st_uid):
            return False
        needed = 0o7 if stat.S_ISDIR(status.st_mode) else 0o6
        bits = status.st_mode >> 3 if status.st_gid in self.gids else status.st_mode
        return bits & needed != needed


def folders(folders: Folders, who: Who | None = None) -> Iterator[Finding]:
    """Can the folders be written, and all that lies in them?"""
    for name, path in (
        ("data", folders.data),
        ("logs", folders.logs),
        ("secrets", folders.secrets),
    ):
        yield from folder(name, path, who or Who.am_i(), without=folders.inbox)


def folder(name: str, path: Path, who: Who, without: Path) -> Iterator[Finding]:
    """Look at one folder; what lies in `without` is only read, so it may be anybody's."""
    subject = f"{name} folder"
    place = existing(path)
    if is_read_only(os.statvfs(place)):
        said = f"{path} lies on a file system that cannot be written (mounted read-only)"
        yield Finding(subject, False, said, "mount it without `ro`; after a disk error: check it")
    elif not os.access(place, os.W_OK):
        owner = place.stat().st_uid
        said = f"{place} cannot be written: it belongs to user id {owner}, you are {who.uid}"
        yield Finding(subject, False, said, _take_over(place, who))
    elif who.uid == 0 and place.stat().st_uid != 0:
        owner = place.stat().st_uid
        said = f"you are root, and {place} belongs to user id {owner}, who could not use your files"
        yield Finding(subject, False, said, "run it as that user")
    else:
        yield from _strangers(subject, path, who, without)


def _strangers(subject: str, path: Path, who: Who, without: Path) -> Iterator[Finding]:
    found = list(closed(path, who, without))
    if not found:
        yield Finding(subject, True, f"{path} can be written")
        return
    owner = found[0].lstat().st_uid
    said = f"{len(found)} in {path} belong to somebody else, {found[0]} (user id {owner}) first"
    yield Finding(subject, False, said, _take_over(path, who))


def _take_over(path: Path, who: Who) -> str:
    return f"sudo chown -R {who.uid}:{os.getegid()} {path}"


def closed(path: Path, who: Who, without: Path) -> Iterator[Path]:
    """Find what somebody else left below a folder (by a run as root, mostly) and keeps from us."""
    for at, names, files in os.walk(path):
        names[:] = sorted(name for name in names if Path(at, name) != without)
        for name in [*names, *sorted(files)]:
            one = Path(at, name)
            try:
                status = one.lstat()
            except FileNotFoundError:  # a flow is at work
                continue
            if not stat.S_ISLNK(status.st_mode) and who.is_kept_from(status):
                yield one


def secrets(folders: Folders) -> Iterator[Finding]:
    """May others read a login?"""
    for secret in secret_files.open_ones(folders.secrets):
        yield Finding("secrets", False, f"others may read {secret}", f"chmod 600 {secret}")


def others_may_read(path: Path) -> bool:
    """Tell whether anybody but the owner may do anything with a file."""
    return secret_files.is_open(path.stat())


def inbox(folders: Folders) -> Iterator[Finding]:
    """Is the inbox there?"""
    if folders.inbox.is_dir():
        yield Finding("inbox", True, str(folders.inbox))
    elif folders.inbox == folders.data / "inbox":
        yield Finding("inbox", True, f"{folders.inbox} is not there yet: make it, put files in")
    else:
        yield Finding("inbox", False, f"there is no folder {folders.inbox}", "see TRACKLAKE_INBOX")


def disk(folders: Folders) -> Iterator[Finding]:
    """Is there room for the data, in bytes and in files, and for the logs?"""
    size = folders.warehouse.stat().st_size if folders.warehouse.exists() else 0
    place = existing(folders.data)
    yield room(folders.data, shutil.disk_usage(place).free, disk_floor_bytes(size))
    yield from files_left(folders.data, os.statvfs(place))
    logs = existing(folders.logs)
    if logs.stat().st_dev != place.stat().st_dev:
        yield room(folders.logs, shutil.disk_usage(logs).free, _LOW_DISK_BYTES // 10)


def room(path: Path, free_bytes: int, needed_bytes: int) -> Finding:
    """Say how much room there is, and whether it will do."""
    if free_bytes > needed_bytes:
        return Finding("disk", True, f"{free_bytes / 1e9:.1f} GB free where {path} lies")
    said = f"the disk is almost full: {free_bytes / 1e9:.1f} GB free where {path} lies"
    advice = (
        f"make room: keep {needed_bytes / 1e9:.1f} GB free (`make clean-logs` removes old logs)"
    )
    return Finding("disk", False, said, advice)


def files_left(path: Path, space: os.statvfs_result) -> Iterator[Finding]:
    """Find a file system that has room but takes no more files; some know no such limit."""
    if space.f_files and space.f_favail < _FEW_FILES:
        said = f"the file system of {path} takes only {space.f_favail:,} more files (inodes)"
        yield Finding("disk", False, said, "remove files that you do not need: `df -i` counts them")


def is_read_only(space: os.statvfs_result) -> bool:
    """Tell whether a file system is mounted read-only."""
    return bool(space.f_flag & os.ST_RDONLY)


def existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that is there."""
    return next(p for p in (path, *path.resolve().parents) if p.exists())
