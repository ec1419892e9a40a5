"""What a crontab of ours says, and how its time is changed; pure.

A line is five fields and `tracklake <stage> …`, run without a shell. Anything else is refused with
file, line and field: a line that is skipped silently is a flow that never runs.
"""

import datetime as dt
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from cronsim import CronSim, CronSimError
from crontab import SPECIALS, CronItem, CronTab

from tracklake.errors import ConfigError

STAGES = ("flow", "pull", "compact", "enrich", "tiles", "upload", "import", "backup", "doctor")

_USUAL = "tracklake flow # flow"

_FIELDS = (  # name, values, longest step
    ("minute", "0 to 59", 59),
    ("hour", "0 to 23", 23),
    ("day of the month", "1 to 31", 31),
    ("month", "1 to 12, or JAN to DEC", 12),
    ("day of the week", "0 to 7, or SUN to SAT", 6),
)
_ITEM = r"(\*|(\d{1,2}|[A-Za-z]{3})(-(\d{1,2}|[A-Za-z]{3}))?)"
_FIELD = re.compile(rf"({_ITEM}|(\*|\w+-\w+)/\d{{1,2}})(,({_ITEM}|(\*|\w+-\w+)/\d{{1,2}}))*")
_SHELL_SIGNS = "|&;<>()$`%\\"
_SOME_DAY = dt.datetime(2024, 1, 1)  # noqa: DTZ001 any day: only the form of a schedule is checked


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is switched on: its number in the file, its five fields, the words it runs."""

    number: int
    schedule: str
    words: tuple[str, ...]  # after `tracklake`
    comment: str

    @property
    def command(self) -> str:
        """What it runs, as one would type it."""
        return shlex.join(("tracklake", *self.words))

    @property
    def key(self) -> str:
        """What tells it from other lines, now and after a restart."""
        return f"{self.schedule} {self.command}"


def parse(text: str, file: str) -> tuple[Line, ...]:
    """Return the lines that are switched on, at least one; raise ConfigError for any bad one."""
    lines: list[Line] = []
    for number, raw in _switched_on(text):
        line = _line(raw, number, f"{file}, line {number}")
        same = next((other for other in lines if other.key == line.key), None)
        if same:
            raise ConfigError(f"{file}, line {number} says the same as line {same.number}; drop it")
        lines.append(line)
    if not lines:
        raise ConfigError(
            f'{file} has no line that is switched on; `tracklake scheduler set "0 5 * * *"` '
            "writes one"
        )
    return tuple(lines)


def checked_schedule(text: str, where: str) -> str:
    """Return five fields for five fields or a word such as @daily; raise ConfigError if bad."""
    if text.startswith("@"):
        return _special(text, where)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ConfigError(
            f"{where}: `{text}` has {len(fields)} fields, not the five minute, hour, day of the "
            'month, month, day of the week (as in "0 5 * * *")'
        )
    for position, field in enumerate(fields):
        _check_field(position, field, where)
    schedule = " ".join(fields)
    try:
        next(CronSim(schedule, _SOME_DAY))
    except (CronSimError, StopIteration):
        raise ConfigError(f"{where}: `{schedule}` is a day that never comes") from None
    return schedule


def with_schedule(text: str, schedule: str, file: str) -> str:
    """Return the text with another time in the flow's line; every other byte stays as it is.

    The flow's line is the one with the comment `flow`, else the only one that is switched on; if
    none is, one is added. Raises ConfigError if the schedule or any other line is bad.
    """
    schedule = checked_schedule(schedule, "the new time")
    rows = text.split("\n")
    number = _flow_line(text, file)
    if number is None:
        new = f"{schedule} {_USUAL}"
        text = f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{new}\n"
    else:
        row = rows[number - 1]
        ending = "\r" if row.endswith("\r") else ""
        rows[number - 1] = f"{schedule} {_command_part(row.strip()) or _USUAL}{ending}"
        text = "\n".join(rows)
    parse(text, file)
    return text


def _switched_on(text: str) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(text.split("\n"), 1):
        row = raw.strip()  # of the CR, too, that editors on Windows leave
        if row and not row.startswith("#"):
            yield number, row


def _line(row: str, number: int, where: str) -> Line:
    if re.match(r"\w+\s*=", row):
        raise ConfigError(
            f"{where}: `{row.split('=')[0].strip()}` cannot be set here; settings, the time zone "
            "(TZ) too, stand in .env"
        )
    time = row.split()[0] if row.startswith("@") else " ".join(row.split()[:5])
    schedule = checked_schedule(time, where)
    item = _item(f"* * * * * {_command_part(row)}")
    if item is None:
        raise ConfigError(f"{where}: a command is missing after the time, such as `tracklake flow`")
    return Line(number, schedule, _words(item.command or "", where), item.comment or "")


def _item(row: str) -> CronItem | None:
    """Have python-crontab read one row; a row by itself, for it takes comments above as names."""
    jobs = list(CronTab(tab=row))
    return jobs[0] if jobs else None


def _command_part(row: str) -> str:
    parts = row.split(None, 1 if row.startswith("@") else 5)
    return parts[-1] if len(parts) in (2, 6) else ""


def _special(text: str, where: str) -> str:
    schedule = SPECIALS.get(text[1:].lower(), "")
    if not schedule or schedule.startswith("@"):
        known = ", ".join(f"@{name}" for name in SPECIALS if name != "reboot")
        raise ConfigError(f"{where}: `{text}` is not a time here; these are: {known}")
    return str(schedule)


def _check_field(position: int, field: str, where: str) -> None:
    if not _is_field(position, field):
        name, values, _ = _FIELDS[position]
        raise ConfigError(
            f"{where}: the {name} `{field}` cannot be; it takes {values}, *, ranges (1-5), steps "
            "(*/2) and lists (1,3)"
        )


def _is_field(position: int, field: str) -> bool:
    schedule = ["*"] * len(_FIELDS)
    schedule[position] = field
    try:
        CronSim(" ".join(schedule), _SOME_DAY)
    except CronSimError:
        return False
    steps = [int(step) for step in re.findall(r"/(\d+)", field)]
    return _FIELD.fullmatch(field) is not None and max(steps, default=1) <= _FIELDS[position][2]


def _words(command: str, where: str) -> tuple[str, ...]:
    signs = [sign for sign in _SHELL_SIGNS if sign in command]
    if signs or not command.replace("\t", " ").isprintable():
        raise ConfigError(
            f"{where}: `{signs[0] if signs else 'a control character'}` means nothing here: no "
            "shell runs this line, and the log is kept anyway (logs/scheduler/cron.log)"
        )
    try:
        words = shlex.split(command)
    except ValueError:
        raise ConfigError(f"{where}: a quotation mark is not closed") from None
    if words[:1] != ["tracklake"] or words[1:2] == [] or words[1] not in STAGES:
        raise ConfigError(
            f"{where}: `{' '.join(words[:2])}` is not run by this scheduler; a line runs "
            f"`tracklake` and one of {', '.join(STAGES)}"
        )
    return tuple(words[1:])


def _flow_line(text: str, file: str) -> int | None:
    """Find the number of the line whose time `set` changes, even if its time is bad now."""
    rows = list(_switched_on(text))
    named = [number for number, row in rows if re.search(r"\s#\s*flow\s*$", row)]
    found = named or [number for number, _ in rows]
    if len(found) > 1:
        numbers = ", ".join(str(number) for number in found)
        raise ConfigError(
            f"{file} has several lines that are switched on ({numbers}): let one of them end in "
            "`# flow`, or edit the file by hand"
        )
    return found[0] if found else None
