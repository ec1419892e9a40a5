"""The crontab on disk: read, watched for edits, changed."""

import contextlib
import stat
from pathlib import Path

from tracklake import landing
from tracklake.errors import ConfigError
from tracklake.scheduling import lines
from tracklake.scheduling.lines import Line

NAME = "tracklake.cron"
NEW = """\
# When Tracklake runs, by the clock of the time zone TZ: minute, hour, day of the month, month, day
# of the week, then `tracklake` and a stage. docs/scheduler.md has the rest.
0 5 * * * tracklake flow # flow
"""


def read(path: Path) -> bytes:
    """Return the file's bytes; raise ConfigError where it is not there or cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f'there is no {path}; `tracklake scheduler set "0 5 * * *"` makes one'
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def parsed(path: Path, data: bytes) -> tuple[Line, ...]:
    """Return the lines that are switched on; raise ConfigError with file, line and field."""
    return lines.parse(_text(path, data), str(path))


def load(path: Path) -> tuple[Line, ...]:
    """Read and parse at once."""
    return parsed(path, read(path))


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text; save it as such, or write it anew") from None


def set_schedule(path: Path, schedule: str) -> None:
    """Change the time of the flow's line, durably and at once; raise ConfigError if it is bad."""
    real = path.resolve()  # a link stays one
    try:
        text = _text(path, real.read_bytes())
        mode = stat.S_IMODE(real.stat().st_mode)
    except FileNotFoundError:
        text, mode = NEW, 0o644
    new = lines.with_schedule(text, schedule, str(path))
    with landing.landing(real) as temporary:
        temporary.write_text(new, encoding="utf-8", newline="")
        with contextlib.suppress(PermissionError):  # some mounts have no modes
            temporary.chmod(mode)


class Crontab:
    """The schedule as the file says it, or said it when it was last right."""

    def __init__(self, path: Path) -> None:
        """Read the file; raise ConfigError if it is bad: then nothing should start."""
        self.path = path
        self.problem = ""  # why the file as it is now does not count
        self.is_settling = False  # it changed since the last look: somebody may still write it
        self._good = self._seen = read(path)
        self.lines = parsed(path, self._good)

    def look(self) -> bool:
        """Take over what the file says now, once two looks found the same; tell if lines changed.

        A bad file only sets `problem`; the lines stay as they were.
        """
        try:
            data = read(self.path)
        except ConfigError as error:
            return self._found(str(error).encode(), str(error))
        return self._found(data, "")

    def _found(self, data: bytes, problem: str) -> bool:
        self.is_settling = data != self._seen
        self._seen = data
        if self.is_settling:
            return False
        if data == self._good:
            self.problem = ""
            return False
        if not problem:
            try:
                self.lines = parsed(self.path, data)
            except ConfigError as error:
                problem = str(error)
        self.problem = problem
        if problem:
            return False
        self._good = data
        return True
