"""Time zones made for a test: the clock on their walls reads 05:00 in a few seconds.

So the scheduler's real line `0 5 * * *` fires in real time, and nothing has to pretend.
"""

import datetime as dt
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.docker.waiting import utc_now

PLAIN = "Test/Five"
SPRING = "Test/Spring"  # its daylight saving begins 5 seconds before 05:00
_FIVE = dt.timedelta(hours=5)
_DAY = dt.timedelta(days=1)


def _offset_at(due: dt.datetime) -> dt.timedelta:
    """Return the offset from UTC, within half a day, that makes `due` 05:00."""
    midnight = due.replace(hour=0, minute=0, second=0, microsecond=0)
    offset = (_FIVE - (due - midnight)) % _DAY
    return offset - _DAY if offset > _DAY / 2 else offset


def _written(offset: dt.timedelta) -> str:
    seconds = round(offset.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _rules(due: dt.datetime) -> str:
    offset = _offset_at(due)
    winter = offset - dt.timedelta(hours=1)
    change = (due + winter - dt.timedelta(seconds=5)).replace(tzinfo=None)  # in winter's time
    return (
        f"Zone {PLAIN} {_written(offset)} - FIVE\n"
        f"Zone {SPRING} {_written(winter)} - WIN {change:%Y %b} {change.day} {change:%H:%M:%S}\n"
        f"        {_written(winter)} 1:00 SUM\n"
    )


def compile_zones(folder: Path, ahead_s: int) -> dt.datetime:
    """Write both zones into the folder; return the UTC moment, `ahead_s` from now, of 05:00.

    Raises AssertionError where Debian's `zic` (package libc-bin) is missing.
    """
    zic = shutil.which("zic", path="/usr/sbin:/usr/bin")
    assert zic, "the time zone compiler zic is missing (Debian: libc-bin)"
    due = utc_now().replace(microsecond=0) + dt.timedelta(seconds=ahead_s)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".zone") as source:
        source.write(_rules(due))
        source.flush()
        subprocess.run([zic, "-b", "fat", "-d", str(folder), source.name], check=True)
    return due
