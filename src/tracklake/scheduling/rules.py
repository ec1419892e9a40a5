"""What is to be run now, and what is done with; pure.

A slot is settled when its command ended, with whatever exit code. One whose command was killed, or
stopped together with the scheduler, stays open and runs again. Of a series of slots that passed
meanwhile only the newest runs: a flow fetches everything that is new.
"""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from tracklake.errors import Busy
from tracklake.scheduling import slots
from tracklake.scheduling.entries import Entries, Entry, Open, Outcome
from tracklake.scheduling.lines import Line

BUSY_GAPS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 30))
MOST_STARTS = 3  # a command that takes the machine down with it must not do so for ever
GRACE = dt.timedelta(minutes=5)  # a slot counts as missed only then
FAR_AHEAD = dt.timedelta(days=1)  # settled so far ahead of the clock: it was the clock

_WORDS = {
    0: "done",
    1: "failed",
    2: "failed: wrong settings or command",
    3: "a source needs a new login; the rest is done",
    4: "checks failed; the warehouse of before stays",
    Busy.exit_code: "another flow held the lock",
}


@dataclass(frozen=True, slots=True)
class Due:
    """A line to be run now, for which slot (UTC)."""

    line: Line
    slot: dt.datetime


def noticed(
    entries: Entries, lines: Sequence[Line], zone: str, now: dt.datetime
) -> dict[str, Entry]:
    """Return an entry for each line; what is new counts from now, so it never has missed anything.

    Another time or another zone makes a line new. A run that was broken off, and what came of the
    last one, pass over to the new line with the same command.
    """
    gone = {key: entry for key, entry in entries.items() if key not in {o.key for o in lines}}
    result: dict[str, Entry] = {}
    for line in lines:
        entry = entries.get(line.key)
        before = entry or next((e for e in gone.values() if e.command == line.command), None)
        if entry is None or entry.zone != zone or entry.settled - now > FAR_AHEAD:
            entry = Entry(
                command=line.command,
                zone=zone,
                settled=now,
                open=before.open if before else None,
                last=before.last if before else None,
            )
        result[line.key] = entry
    return result


def due(
    entries: Entries, lines: Sequence[Line], zone: ZoneInfo, now: dt.datetime, window: dt.timedelta
) -> Due | None:
    """Return what is to be run now, if anything; missed slots count for `window` at most."""
    for line in lines:
        entry = entries[line.key]
        if entry.open and _is_waiting(entry.open, now):
            continue
        slot = _newest(line, entry, zone, now, window)
        if slot is not None:
            return Due(line, slot)
    return None


def _newest(
    line: Line, entry: Entry, zone: ZoneInfo, now: dt.datetime, window: dt.timedelta
) -> dt.datetime | None:
    since = now - max(window, GRACE)
    found = slots.newest(line.schedule, zone, max(entry.settled, since), now)
    if found is None and entry.open and since < entry.open.slot <= now:
        return entry.open.slot
    return found


def _is_waiting(broken: Open, now: dt.datetime) -> bool:
    if broken.not_before is None or broken.not_before - now > BUSY_GAPS[-1]:
        return False  # or the clock was set back meanwhile
    return now < broken.not_before


def given_up(
    line: Line, entry: Entry, zone: ZoneInfo, now: dt.datetime, window: dt.timedelta
) -> tuple[Entry, str]:
    """Return the entry without what will not be run any more, and a sentence about that or "".

    To be asked while nothing runs: then whatever is open was broken off.
    """
    broken = entry.open
    if broken and broken.starts >= MOST_STARTS and broken.not_before is None:
        said = f"broken off {broken.starts} times without an end; not tried again"
        return _settled(entry, broken, now, None, said), said
    since = now - max(window, GRACE)
    missed = next(slots.after(line.schedule, zone, entry.settled))
    is_covered = _newest(line, entry, zone, now, window) is not None
    if broken and broken.slot <= since:
        missed, entry = broken.slot, dataclasses.replace(entry, open=None)
    elif missed > since:
        return entry, ""
    settled = max(entry.settled, since)
    said = "" if is_covered else f"missed by more than {_hours(max(window, GRACE))}; not caught up"
    return dataclasses.replace(entry, settled=settled), said


def begun(entry: Entry, slot: dt.datetime, now: dt.datetime) -> Entry:
    """Enter that the run for a slot begins now."""
    before = entry.open
    if before and before.slot == slot:
        again = dataclasses.replace(before, began=now, starts=before.starts + 1, not_before=None)
        return dataclasses.replace(entry, open=again)
    return dataclasses.replace(entry, open=Open(slot=slot, began=now))


def stopped(entry: Entry) -> Entry:
    """Enter that the run was asked to stop: it stays open, and that start does not count."""
    if entry.open is None:
        return entry
    broken = dataclasses.replace(entry.open, starts=entry.open.starts - 1)
    return dataclasses.replace(entry, open=broken)


def ended(entry: Entry, now: dt.datetime, exit_code: int, said: str = "") -> Entry:
    """Enter that the open run ended: settled, or to be tried later where the lock was taken."""
    run = entry.open
    if run is None:
        return entry
    if exit_code == Busy.exit_code and run.busy < len(BUSY_GAPS):
        later = now + BUSY_GAPS[run.busy]
        waiting = dataclasses.replace(run, busy=run.busy + 1, starts=0, not_before=later)
        return dataclasses.replace(entry, open=waiting)
    return _settled(entry, run, now, exit_code, said or in_words(exit_code))


def _settled(entry: Entry, run: Open, now: dt.datetime, exit_code: int | None, said: str) -> Entry:
    outcome = Outcome(slot=run.slot, began=run.began, ended=now, exit_code=exit_code, said=said)
    return dataclasses.replace(entry, settled=max(entry.settled, run.slot), open=None, last=outcome)


def in_words(exit_code: int) -> str:
    """Say what an exit code means."""
    if exit_code < 0:
        return f"killed by signal {-exit_code}"
    if exit_code in (130, 143):
        return "interrupted"
    return _WORDS.get(exit_code, f"ended with exit code {exit_code}")


def last_success(entries: Entries) -> dt.datetime | None:
    """Return when a line's last run ended that ended well; None if there is none."""
    outcomes = [entry.last for entry in entries.values() if entry.last]
    return max((one.ended for one in outcomes if one.exit_code == 0), default=None)


def first_slot_after(lines: Sequence[Line], zone: ZoneInfo, moment: dt.datetime) -> dt.datetime:
    """Return the first slot of any line after a moment."""
    return min(next(slots.after(line.schedule, zone, moment)) for line in lines)


def next_slot(
    entries: Entries, lines: Sequence[Line], zone: ZoneInfo, now: dt.datetime
) -> dt.datetime:
    """Return when something is to be done next: a slot after now, or another try."""
    coming = [first_slot_after(lines, zone, now)]
    opens = [entry.open for entry in entries.values() if entry.open]
    tries = [o.not_before for o in opens if o.not_before and o.not_before > now]
    return min(coming + tries)


def owed(
    entries: Entries, lines: Sequence[Line], zone: ZoneInfo, now: dt.datetime
) -> dt.datetime | None:
    """Return the oldest slot that is past and not settled; None if nothing is, or all wait."""
    past = []
    for line in lines:
        entry = entries[line.key]
        first = next(slots.after(line.schedule, zone, entry.settled))
        if first <= now and not (entry.open and _is_waiting(entry.open, now)):
            past.append(first)
    return min(past, default=None)


def _hours(span: dt.timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} hours" if hours >= 1 else f"{hours * 60:g} minutes"
