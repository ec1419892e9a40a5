"""What the scheduler left on disk, which every container of a data folder can read; no lock."""

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tracklake.scheduling import entries, slots, state_file

_LATE = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LastRun:
    """What came of a scheduled run; times are ISO 8601 in UTC."""

    slot: str
    ended_at: str
    exit_code: int | None
    says: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is to run, and what ran last."""

    lines: tuple[entries.Entry, ...]
    times: tuple[str, ...]  # five fields, of each line

    def due_after(self, moment: dt.datetime) -> dt.datetime:
        """Return the first slot after a moment, of whichever line."""
        return min(
            next(slots.after(time, zoneinfo.ZoneInfo(line.zone), moment))
            for time, line in zip(self.times, self.lines, strict=True)
        )

    @property
    def next_at(self) -> dt.datetime:
        """The first slot that is not done with; past while it runs, or if nobody runs it."""
        return min(
            next(slots.after(time, zoneinfo.ZoneInfo(line.zone), line.settled))
            for time, line in zip(self.times, self.lines, strict=True)
        )

    def is_late(self, now: dt.datetime) -> bool:
        """Tell whether a slot passed and nothing began: no scheduler is at work."""
        return now - self.next_at > _LATE and not any(line.open for line in self.lines)

    @property
    def last(self) -> LastRun | None:
        """What came of the run that ended last."""
        ended = [line.last for line in self.lines if line.last]
        if not ended:
            return None
        last = max(ended, key=lambda outcome: outcome.ended)
        return LastRun(_text(last.slot), _text(last.ended), last.exit_code, last.said)


def read(state: Path) -> Schedule | None:
    """Return what the scheduler of a state folder left; None if none has run, or it is damaged."""
    try:
        kept, _ = state_file.load(state)
        lines = tuple(kept.values())
        found = Schedule(lines, tuple(_times(kept.items())))
        found.next_at  # noqa: B018 whatever cannot be understood is found here
    except (OSError, ValueError, StopIteration, zoneinfo.ZoneInfoNotFoundError):
        return None
    return found


def _times(kept: Iterable[tuple[str, entries.Entry]]) -> Iterable[str]:
    """Yield the five fields: a key is they and the command."""
    return (key.removesuffix(line.command).strip() for key, line in kept)


def _text(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds")
