"""What was run, on disk: whole at every instant; and that only one scheduler writes it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock
import orjson

from tracklake import landing
from tracklake.errors import Busy
from tracklake.scheduling import entries
from tracklake.scheduling.entries import Entries, Entry

_LOCK = "scheduler.lock"


def path_of(state: Path) -> Path:
    """Name the file in the state folder."""
    return state / "scheduler.json"


def load(state: Path) -> tuple[dict[str, Entry], str]:
    """Return the entries, and a sentence if the file is damaged: then there are none.

    Raises OSError if a file that is there cannot be read.
    """
    path = path_of(state)
    try:
        return entries.from_json(orjson.loads(path.read_bytes())), ""
    except FileNotFoundError:
        return {}, ""
    except ValueError:
        return {}, f"{path} is damaged; what was missed cannot be told, so it counts from now"


def save(state: Path, kept: Entries) -> None:
    """Write the entries durably; raises OSError, and the old file stays."""
    path = path_of(state)
    # Not a name that `landing.sweep` removes: a flow that tidies up may run at the same moment.
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(orjson.dumps(entries.to_json(kept), option=orjson.OPT_INDENT_2))
    landing.adopt(temporary, path)


@contextlib.contextmanager
def alone(state: Path) -> Iterator[None]:
    """Be the only scheduler of a data folder; raise Busy if there is one already."""
    landing.make_folder(state)
    lock = filelock.FileLock(state / _LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise Busy(
            f"another scheduler is at work on {state.parent}; one is enough (`tracklake scheduler "
            "doctor` looks at it)"
        ) from None
    try:
        yield
    finally:
        lock.release()


def is_at_work(state: Path) -> bool:
    """Tell whether a scheduler works on this data folder, in whichever container."""
    if not (state / _LOCK).exists():
        return False
    try:
        with alone(state):
            return False
    except Busy:
        return True
    except OSError:
        return False
