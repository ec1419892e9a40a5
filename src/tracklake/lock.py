"""The one lock: the kernel releases it when the process ends, however it ends."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from tracklake import landing
from tracklake.errors import Busy


def _path(state: Path) -> Path:
    return state / "flow.lock"


@contextlib.contextmanager
def held(state: Path) -> Iterator[None]:
    """Hold the lock of a state folder; raise Busy if another process does."""
    landing.make_folder(state)
    lock = filelock.FileLock(_path(state), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise Busy(
            f"another flow is at work on {state.parent}; `tracklake status` shows how far it is"
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_held(state: Path) -> bool:
    """Tell whether a flow is at work; where the lock cannot be tried nobody can work either."""
    if not _path(state).exists():
        return False
    lock = filelock.FileLock(_path(state), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
