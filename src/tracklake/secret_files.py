"""Secrets on disk: files that others may read are refused, where their owner could close them."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tracklake.errors import ConfigError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NOBODY = 65534  # what an owner looks like who has no number in this container


def refuse_open(folder: Path) -> None:
    """Raise ConfigError if a file below the folder of secrets is open to others."""
    found = list(open_ones(folder))
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        closing = " ".join(str(path) for path in found)
        raise ConfigError(f"others may read {found[0]}{more}; close it: chmod 600 {closing}")


def open_ones(folder: Path) -> Iterator[Path]:
    """Yield the files that others may read though it could be otherwise."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or not path.is_file():
            continue
        if is_open(path.stat()) and not is_given(path) and keeps_modes(path.parent):
            yield path


def is_open(status: os.stat_result) -> bool:
    """Tell whether anybody but the owner may do anything with a file."""
    return bool(status.st_mode & _OTHERS)


def is_given(path: Path) -> bool:
    """Tell whether an engine gives us the file as it is (Docker's and Kubernetes' secrets).

    It is root's, or lies where nothing can be written: we could not close it, and nobody else on
    the machine sees the place.
    """
    owner = path.stat().st_uid
    is_roots = owner in (0, _NOBODY) and owner != os.geteuid()
    return is_roots or bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def keeps_modes(folder: Path) -> bool:
    """Tell whether a file can be closed there at all: not on disks of Windows or cameras."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".mode-") as probe:
            return not is_open(os.fstat(probe.fileno()))
    except OSError:  # we may not write there; then nothing speaks against it
        return True
