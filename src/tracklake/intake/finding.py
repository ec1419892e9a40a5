"""Which files there are to look at: the inbox, or what the person named."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracklake.errors import ConfigError

OTHERS = "athlete="  # folders in the inbox that are other athletes'
_NOT_OURS = {"__MACOSX", "Thumbs.db", "desktop.ini"}
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that may hold an activity, as it was when it was listed.

    path: how to open it (undecodable bytes as surrogates). key: what it is remembered by. shown:
    what a person calls it, printable. problem: why it cannot be listed, for a folder that cannot.
    """

    path: str
    key: bytes
    shown: str
    size_bytes: int = 0
    modified_ns: int = 0
    problem: str | None = None


def printable(name: str) -> str:
    """Show a name with any bytes: undecodable ones and control characters as \\x.. ."""
    shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return shown.translate(_CONTROL)


def is_hidden(name: str) -> bool:
    """Tell whether a name is one that systems leave behind, not one a person gave."""
    return (name.startswith(".") and name.strip(".") != "") or name in _NOT_OURS


def candidates(inbox: Path, paths: Sequence[Path] | None) -> Iterator[Candidate]:
    """List the files of the inbox, or of the paths given, each in a fixed order.

    Raises ConfigError for a path that does not exist. Links are not followed, except a path that
    the person gave: what lies outside was not put here. Folders of other athletes in an inbox are
    theirs.
    """
    if paths is None:
        yield from _lying_in(inbox)
        return
    for path in paths:
        if not path.exists():
            raise ConfigError(f"there is no {printable(str(path))}")
    for path in paths:
        real = str(path.resolve())
        key = os.fsencode(real)
        if path.is_dir():
            yield from _walk(real, key + b"/", f"{printable(str(path))}/")
        elif path.is_file():
            yield _candidate(real, key, printable(str(path)), path.stat())
        else:
            raise ConfigError(f"{printable(str(path))} is neither a file nor a folder")


def _lying_in(inbox: Path) -> Iterator[Candidate]:
    listed = _walk(str(inbox.resolve()), b"inbox:", "") if inbox.is_dir() else ()
    return (one for one in listed if not one.shown.startswith(OTHERS))


def _walk(folder: str, key: bytes, shown: str) -> Iterator[Candidate]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield _unreadable(folder, key, shown, error)
        return
    for entry in entries:
        if not is_hidden(entry.name):
            entry_key = key + os.fsencode(entry.name)
            entry_shown = shown + printable(entry.name)
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, entry_key + b"/", entry_shown + "/")
            elif entry.is_file(follow_symlinks=False):
                yield from _file(entry, entry_key, entry_shown)


def _file(entry: "os.DirEntry[str]", key: bytes, shown: str) -> Iterator[Candidate]:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return  # taken away since it was listed
    except OSError as error:
        yield _unreadable(entry.path, key, shown, error)
        return
    yield _candidate(entry.path, key, shown, status)


def _unreadable(path: str, key: bytes, shown: str, error: OSError) -> Candidate:
    problem = f"it cannot be read: {error.strerror}"
    return Candidate(path=path, key=key, shown=shown or ".", problem=problem)


def _candidate(path: str, key: bytes, shown: str, status: os.stat_result) -> Candidate:
    return Candidate(
        path=path,
        key=key,
        shown=shown,
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
    )


def is_unchanged(candidate: Candidate) -> bool:
    """Tell whether a file still is as it was when it was listed: not one being copied right now."""
    try:
        status = Path(candidate.path).lstat()
    except OSError:
        return False
    same = (status.st_size, status.st_mtime_ns) == (candidate.size_bytes, candidate.modified_ns)
    return same and stat.S_ISREG(status.st_mode)
