"""The scheduler's sign of life: a small file, in memory where there is such a place, so that it
keeps no disk awake; and whether what it says is well.
"""

import contextlib
import datetime as dt
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import orjson

from tracklake.clock import UTC

STALE = dt.timedelta(seconds=60)
LATE = dt.timedelta(minutes=15)
LONGEST_RUN = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What the scheduler said of itself at a moment (all moments UTC, aware)."""

    at: dt.datetime
    problem: str  # a sentence, or empty
    next: dt.datetime
    owed: dt.datetime | None  # the oldest slot that is past and not done with
    running: str | None  # the command at work
    since: dt.datetime | None


def path_of(data: Path) -> Path:
    """Name the file of a data folder's scheduler; the same in every process of this machine."""
    name = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tracklake-{os.getuid()}-{name}" / "scheduler.json"


def show(data: Path, sign: Sign) -> None:
    """Write it; raises OSError, also where somebody else made the folder."""
    path = path_of(data)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    _check_ours(path.parent)
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(orjson.dumps(sign))
    temporary.replace(path)


def _check_ours(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(1, "somebody else made this", str(folder))


def withdraw(data: Path) -> None:
    """Remove it: who stops in good order is not alive any more."""
    with contextlib.suppress(OSError):
        path_of(data).unlink()
        path_of(data).parent.rmdir()


def read(data: Path) -> Sign | None:
    """Return the last sign; None if there is none that can be read."""
    path = path_of(data)
    try:
        _check_ours(path.parent)
        fields = orjson.loads(path.read_bytes())
        moments = {
            name: None if fields[name] is None else dt.datetime.fromisoformat(fields[name])
            for name in ("at", "next", "owed", "since")
        }
        return Sign(**{**fields, **moments})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def judged(sign: Sign | None, now: dt.datetime) -> tuple[bool, str]:
    """Return whether a scheduler with this last sign is well, and one sentence."""
    if sign is None:
        return False, "no scheduler gives a sign of life here; `tracklake scheduler` starts one"
    age = abs(now - sign.at)  # a sign from the future is worth as little
    if age > STALE:
        return False, f"the scheduler's last sign of life is {age.total_seconds():.0f} s away"
    if sign.problem:
        return False, sign.problem
    if sign.since is not None:
        hours = (now - sign.since) / dt.timedelta(hours=1)
        said = f"`{sign.running}` has been at work for {hours:.1f} hours"
        return now - sign.since <= LONGEST_RUN, said
    if sign.owed is not None and now - sign.owed > LATE:
        return False, f"the run of {sign.owed.astimezone(UTC):%Y-%m-%d %H:%M} UTC did not begin"
    return True, f"alive; the next run is at {sign.next.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
