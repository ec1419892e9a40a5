"""What a person wants to know of the scheduler: when it runs next, and whether all is well."""

import datetime as dt
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracklake.errors import Error
from tracklake.scheduling import crontab_file, sign_of_life, slots, state_file
from tracklake.scheduling.entries import Entry
from tracklake.scheduling.lines import Line
from tracklake.scheduling.plan import CRON_LOG, Plan

_COMING = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` is empty where there is nothing to do."""

    subject: str
    is_well: bool
    said: str
    advice: str = ""


def outlook(plan: Plan, now: dt.datetime) -> Iterator[str]:
    """Yield what `scheduler next` shows; raise ConfigError if the crontab is bad."""
    zone = plan.time_zone
    yield f"zone   {plan.zone}"
    yield f"now    {now.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}  ({now:%H:%M:%S} UTC)"
    kept, damage = state_file.load(plan.state_folder)
    if damage:
        yield f"state  {damage}"
    for line in crontab_file.load(Path(plan.crontab)):
        yield f"\n{line.key}  ({plan.crontab}, line {line.number})"
        for slot in itertools.islice(slots.after(line.schedule, zone, now), _COMING):
            yield f"next   {slot.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"
        yield from _history(kept.get(line.key), plan)
    if not state_file.is_at_work(plan.state_folder):
        yield f"\nno scheduler is at work on {plan.data}: nothing runs by itself"


def _history(entry: Entry | None, plan: Plan) -> Iterator[str]:
    zone = plan.time_zone
    if entry and entry.open:
        began = f"began {entry.open.began.astimezone(zone):%H:%M:%S}"
        waits = entry.open.not_before
        said = f"waits for the lock until {waits.astimezone(zone):%H:%M}" if waits else began
        yield f"open   {entry.open.slot.astimezone(zone):%a %Y-%m-%d %H:%M %Z}, {said}"
    if entry is None or entry.last is None:
        yield "last   none yet"
        return
    last = entry.last
    code = "" if last.exit_code is None else f", exit code {last.exit_code}"
    took_s = (last.ended - last.began).total_seconds()
    yield (
        f"last   {last.slot.astimezone(zone):%a %Y-%m-%d %H:%M %Z}: {last.said}{code}, "
        f"after {took_s:.0f} s"
    )


def examine(plan: Plan, now: dt.datetime) -> Iterator[Finding]:
    """Look at everything the scheduler needs."""
    zone = plan.time_zone
    yield Finding("zone", True, f"{plan.zone}, where it is {now.astimezone(zone):%a %H:%M %Z}")
    lines: tuple[Line, ...] = ()
    try:
        lines = crontab_file.load(Path(plan.crontab))
    except Error as error:
        yield Finding("crontab", False, str(error), "until then the schedule of before counts")
    for line in lines:
        coming = next(slots.after(line.schedule, zone, now)).astimezone(zone)
        yield Finding("crontab", True, f"{line.key}; next {coming:%a %Y-%m-%d %H:%M %Z}")
    yield from _places(plan)
    yield from _last_runs(plan, lines)
    yield _work(plan)
    yield _life(plan, now)
    said = "is set" if plan.heartbeat_url else "is not set: nobody hears of a machine that is off"
    yield Finding("watcher", True, f"TRACKLAKE_HEARTBEAT_URL {said}")


def _places(plan: Plan) -> Iterator[Finding]:
    for subject, place in (
        ("state", plan.state_folder),
        ("log", (Path(plan.logs) / CRON_LOG).parent),
        ("cron folder", Path(plan.crontab).parent),
    ):
        there = next(path for path in (place, *place.resolve().parents) if path.exists())
        is_well = os.access(there, os.W_OK)
        said = f"{place} can {'' if is_well else 'not '}be written"
        advice = "" if is_well else f"sudo chown -R {os.getuid()}:{os.getgid()} {there}"
        yield Finding(subject, is_well, said, advice)


def _last_runs(plan: Plan, lines: tuple[Line, ...]) -> Iterator[Finding]:
    kept, damage = state_file.load(plan.state_folder)
    if damage:
        yield Finding("state", False, damage, "the next start writes it anew")
    for line in lines:
        entry = kept.get(line.key)
        last = entry.last if entry else None
        if last is None:
            yield Finding("last run", True, f"`{line.command}` has not run by schedule yet")
            continue
        said = f"`{line.command}` at {last.slot.astimezone(plan.time_zone):%a %Y-%m-%d %H:%M %Z}"
        is_well = last.exit_code == 0
        advice = "" if is_well else f"see {Path(plan.logs) / CRON_LOG}"
        yield Finding("last run", is_well, f"{said}: {last.said}", advice)


def _work(plan: Plan) -> Finding:
    if state_file.is_at_work(plan.state_folder):
        return Finding("scheduler", True, f"one is at work on {plan.data}")
    advice = "make schedule-up (or `tracklake scheduler`)"
    return Finding("scheduler", False, f"none is at work on {plan.data}", advice)


def _life(plan: Plan, now: dt.datetime) -> Finding:
    sign = sign_of_life.read(Path(plan.data))
    if sign is None and state_file.is_at_work(plan.state_folder):
        return Finding("sign of life", True, "it is in another container, which looks at it itself")
    is_well, said = sign_of_life.judged(sign, now)
    return Finding("sign of life", is_well, said)
