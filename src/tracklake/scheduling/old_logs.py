"""Removes logs of flows that are older than they need be, as `scripts/clean_logs` does."""

import contextlib
import datetime as dt
from pathlib import Path

from tracklake.clock import from_unix

KEPT = {".log": dt.timedelta(days=14), ".jsonl": dt.timedelta(days=30)}


def remove(logs: Path, now: dt.datetime) -> int:
    """Remove files of flows past their days, and folders left empty; return how many files.

    What cannot be removed stays: somebody else may be at it, or it is not ours.
    """
    count = 0
    for path in sorted((logs / "flow").rglob("*"), reverse=True):  # what is in a folder, first
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()  # fails where anything is left in it
            elif _is_old(path, now):
                path.unlink()
                count += 1
    return count


def _is_old(path: Path, now: dt.datetime) -> bool:
    kept = KEPT.get(path.suffix) if path.name.startswith("flow_") else None
    return kept is not None and now - from_unix(path.stat().st_mtime) > kept
