"""The order of the examination: cheap things first, and one that fails never stops the others."""

import functools
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from tracklake import config
from tracklake.clock import Clock, SystemClock
from tracklake.config import Folders, Settings
from tracklake.doctor import (
    addresses,
    backups,
    clocks,
    env_file,
    lake,
    login,
    places,
    session_records,
    timetable,
)
from tracklake.doctor import deep as deep_checks
from tracklake.doctor.finding import Finding
from tracklake.errors import Error

ENV_FILE = Path(".env")

_Check = Callable[[Folders], Iterator[Finding]]


def everything(*, deep: bool = False, clock: Clock | None = None) -> Iterator[Finding]:
    """Look at the settings, too, however wrong they are, and at all else as far as they allow."""
    settings, folders, mistakes = config.load_what_is_right()
    yield from env_file.examine(ENV_FILE)
    for mistake in mistakes:
        where = "mend it in .env, the environment or the secrets folder (.env.example explains it)"
        yield Finding("settings", False, mistake, where)
    yield from examine(folders, settings, deep=deep, clock=clock)


def examine(
    folders: Folders,
    settings: Settings | None = None,
    *,
    deep: bool = False,
    clock: Clock | None = None,
) -> Iterator[Finding]:
    """Look at everything but the settings; `deep` reads every file and checks its hash."""
    now = (clock or SystemClock()).now()
    checks: dict[str, _Check] = {
        "versions": lake.versions,
        "folders": places.folders,
        "secrets": places.secrets,
        "inbox": places.inbox,
        "strava": functools.partial(login.strava, settings=settings),
        "garmin": functools.partial(login.garmin, settings=settings, now=now),
        "disk": places.disk,
        "clock": functools.partial(clocks.examine, settings=settings, now=now),
        "state": functools.partial(session_records.examine, now=now),
        "bronze's format": lake.bronze_known,
        "lock": lake.lock_holder,
        "schedule": functools.partial(timetable.examine, settings=settings, now=now),
        "notifications": functools.partial(addresses.examine, settings=settings),
        "tippecanoe": lake.tippecanoe,
        "warehouse": lake.snapshot,
    }
    if deep:
        checks |= {
            "warehouse, whole": deep_checks.warehouse_whole,
            "streams": deep_checks.gold,
            "points": deep_checks.points,
            "bronze": deep_checks.originals_and_shards,
            "tiles": deep_checks.tiles,
            "logins": login.files,
            "backup": functools.partial(backups.newest, settings=settings),
        }
    for subject, check in checks.items():
        try:
            yield from check(folders)
        except (Error, OSError, sqlite3.Error, duckdb.Error, pa.ArrowException) as error:
            yield _failed(subject, error)


def _failed(subject: str, error: Exception) -> Finding:
    """Say what kept a check from its end; our own errors say what to do themselves."""
    if isinstance(error, OSError) and error.strerror:
        said = f"{error.filename or 'a file'}: {error.strerror}"
        return Finding(subject, False, said, "mend that, then let the doctor look again")
    return Finding(subject, False, (str(error) or type(error).__name__).splitlines()[0])
