"""The schedule: can its crontab be read, does anybody run it, how did the last run end."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator

from tracklake.config import Folders, Settings
from tracklake.doctor.finding import Finding
from tracklake.errors import ConfigError
from tracklake.scheduling import crontab_file, state_file
from tracklake.serving import schedule

_SUBJECT = "schedule"


def examine(folders: Folders, settings: Settings | None, now: dt.datetime) -> Iterator[Finding]:
    """Look at the crontab and at what the scheduler left; `scheduler doctor` looks closer."""
    if settings is None:
        return
    crontab = settings.cron_dir / crontab_file.NAME
    if crontab.exists():
        try:
            crontab_file.load(crontab)
        except ConfigError as error:
            yield Finding(_SUBJECT, False, str(error), 'make schedule-set T="0 5 * * *" mends it')
    found = schedule.read(folders.state)
    kept = state_file.path_of(folders.state)
    if found is None and kept.exists():
        said = f"{kept} is damaged: what was missed cannot be told"
        yield Finding(_SUBJECT, False, said, "make schedule-up: the scheduler writes it anew")
        return
    if found is None:
        yield Finding(_SUBJECT, True, "no scheduler has run here yet", "make schedule-up")
        return
    due = f"{found.next_at.astimezone(zoneinfo.ZoneInfo(settings.tz)):%Y-%m-%d %H:%M}"
    if found.is_late(now):
        said = f"a run was due at {due} ({settings.tz}) and none began: no scheduler is at work"
        yield Finding(_SUBJECT, False, said, "make schedule-up, or make schedule-doctor")
    else:
        yield Finding(_SUBJECT, True, f"the next run is at {due} ({settings.tz})")
    if found.last and found.last.exit_code != 0:
        said = f"the scheduled run of {found.last.slot} ended so: {found.last.says}"
        yield Finding(_SUBJECT, False, said, "make flow-latest and make schedule-logs show more")
