"""The scheduler's log: one line at a time with the local time, in a file and on standard output."""

import contextlib
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from tracklake.clock import Clock

MOST_BYTES = 5 << 20  # then it becomes cron.log.1, in place of the one before


class Log:
    """Writes lines; a disk that is full costs the file's lines, never the scheduler."""

    def __init__(
        self, path: Path, clock: Clock, zone: ZoneInfo, *, most_bytes: int = MOST_BYTES
    ) -> None:
        self.problem = ""
        self._path = path
        self._clock = clock
        self._zone = zone
        self._most_bytes = most_bytes

    def say(self, text: str, who: str = "scheduler") -> None:
        """Write one line; who says it, stands before it."""
        moment = self._clock.now().astimezone(self._zone)
        line = f"{moment:%Y-%m-%d %H:%M:%S%z} {who:<9} {text}\n"
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more, or it is closed
            sys.stdout.write(line)
            sys.stdout.flush()
        try:
            self._append(line.encode(errors="replace"))
            self.problem = ""
        except OSError as error:
            self.problem = f"{self._path} cannot be written: {error.strerror}"

    def _append(self, line: bytes) -> None:
        # Opened for each line: it may be moved away or removed at any time.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(line)
            is_full = file.tell() > self._most_bytes
        if is_full:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
