"""Is it well? For people, uptime monitors and containers; says nothing about the athlete.

`/health` answers from the state database; the warehouse is opened only when a new one has been
published, to count its rows. No lock is taken and nobody else is asked.
"""

import contextlib
import dataclasses
import datetime as dt
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import tracklake
from tracklake.backup import standing
from tracklake.clock import Clock, SystemClock, from_unix
from tracklake.config import Folders
from tracklake.errors import ConfigError, Error
from tracklake.serving import gold, schedule
from tracklake.serving.alive import PATH as LIVE
from tracklake.serving.judgement import (
    DISK_FULL,
    NO_WAREHOUSE,
    STATE_UNREADABLE,
    WAREHOUSE_UNREADABLE,
    Facts,
    Reason,
    Session,
    reasons,
    verdict,
)
from tracklake.serving.schedule import Schedule
from tracklake.session_states import WELL_SQL

_DISK_FLOOR_BYTES = 100_000_000  # with less, no flow can write
_PATIENCE_S = 2.0  # for the state database
_ACTIVITIES = "select count(*) from activities where leg_count = 0"
_NEWEST = (
    "select flow, state, started_at, finished_at from sessions order by started_at desc limit 1"
)
_LAST_OF_EACH = (
    "select flow, state, started_at, max(finished_at) from sessions where finished_at is not null "
    "group by flow"
)
_SUCCESSES = f"select max(finished_at) from sessions where state in {WELL_SQL}"  # noqa: S608 our own names
_SET_ASIDE = "select count(*) from quarantine"


def routes(folders: Folders, clock: Clock | None = None) -> list[Route]:
    """Return the addresses that tell whether all is well."""
    answers = _Answers(folders, clock or SystemClock())
    return [
        Route("/health", answers.health),
        Route(LIVE, _live),
        Route("/health/ready", answers.ready),
    ]


async def _live(request: Request) -> Response:  # noqa: ARG001 Starlette hands it over
    """Answer from the event loop itself: it turns, or nobody gets an answer."""
    return _answer(200, {"status": "ok"})


class _Answers:
    """The answers that read; they block, so Starlette runs them in its threads."""

    def __init__(self, folders: Folders, clock: Clock) -> None:
        self._folders = folders
        self._clock = clock
        self._counted = _Counted(folders)

    def health(self, request: Request) -> Response:  # noqa: ARG002 Starlette hands it over
        now = self._clock.now()
        timetable = schedule.read(self._folders.state)
        facts = _with_schedule(self._facts(), timetable, now)
        found = reasons(facts, now)
        return _answer(
            503 if any(reason.is_down for reason in found) else 200,
            {
                "status": verdict(found),
                "reasons": [{"code": reason.code, "says": reason.says} for reason in found],
                "version": tracklake.__version__,
                "last_session": dataclasses.asdict(facts.newest) if facts.newest else None,
                "last_success_at": facts.last_success_at,
                "warehouse": facts.warehouse,
                "scheduler": _shown(timetable) if timetable else None,
            },
        )

    def ready(self, request: Request) -> Response:  # noqa: ARG002 Starlette hands it over
        found = [*_disk(self._folders), *_openable(self._folders)]
        try:
            _read_state(self._folders)
        except sqlite3.Error:
            found.append(STATE_UNREADABLE)
        said = [{"code": reason.code, "says": reason.says} for reason in found]
        return _answer(503 if found else 200, {"ready": not found, "reasons": said})

    def _facts(self) -> Facts:
        troubles = list(_disk(self._folders))
        facts = Facts()
        try:
            facts = _read_state(self._folders)
        except sqlite3.Error:
            troubles.append(STATE_UNREADABLE)
        warehouse = None
        try:
            warehouse = self._counted.warehouse()
        except ConfigError:
            troubles.append(NO_WAREHOUSE)
        except (Error, OSError, duckdb.Error):
            troubles.append(WAREHOUSE_UNREADABLE)
        return dataclasses.replace(facts, troubles=tuple(troubles), warehouse=warehouse)


@dataclass
class _Counted:
    """When the snapshot was published and how much is in it; counted once for each."""

    folders: Folders
    _known: tuple[tuple[int, int, int], dict[str, Any]] | None = None
    _one_at_a_time: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def warehouse(self) -> dict[str, Any]:
        """Return what is public of it; raise ConfigError if there is none, else Error."""
        with self._one_at_a_time:
            if not self.folders.warehouse.exists():
                raise ConfigError(NO_WAREHOUSE.says)
            status = self.folders.warehouse.stat()
            which = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._known is None or self._known[0] != which:
                with gold.opened(self.folders) as connection:
                    ((count,),) = connection.execute(_ACTIVITIES).fetchall()
                published_at = from_unix(status.st_mtime).isoformat(timespec="seconds")
                self._known = (which, {"published_at": published_at, "activities": count})
            return self._known[1]


def _with_schedule(facts: Facts, timetable: Schedule | None, now: dt.datetime) -> Facts:
    """Add what the schedule wants; who runs flows in another way instead is not late."""
    if timetable is None:
        return facts
    if facts.last_success_at is None:
        return dataclasses.replace(facts, is_scheduler_late=timetable.is_late(now))
    success = dt.datetime.fromisoformat(facts.last_success_at)
    return dataclasses.replace(
        facts,
        is_scheduler_late=timetable.is_late(now) and success < timetable.next_at,
        due_after_success=timetable.due_after(success),
    )


def _shown(timetable: Schedule) -> dict[str, Any]:
    return {
        "next_at": timetable.next_at.isoformat(timespec="seconds"),
        "last_run": dataclasses.asdict(timetable.last) if timetable.last else None,
    }


def _disk(folders: Folders) -> Iterator[Reason]:
    place = next(p for p in (folders.data, *folders.data.resolve().parents) if p.exists())
    space = os.statvfs(place)
    if space.f_bavail * space.f_frsize < _DISK_FLOOR_BYTES:
        yield DISK_FULL


def _openable(folders: Folders) -> Iterator[Reason]:
    try:
        with gold.opened(folders) as connection:
            connection.execute("select 1 from activities limit 1").fetchall()
    except ConfigError:
        yield NO_WAREHOUSE
    except (Error, OSError, duckdb.Error):
        yield WAREHOUSE_UNREADABLE


def _read_state(folders: Folders) -> Facts:
    """Read what ran, nothing before the first flow; sqlite3.Error if it cannot be read."""
    path = folders.state / "tracklake.sqlite"
    if not path.exists():
        return Facts()
    # Not by State: that would migrate it, which is for those who hold the lock.
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S)) as state:
        newest = state.execute(_NEWEST).fetchone()
        last = state.execute(_LAST_OF_EACH).fetchall()
        (last_success_at,) = state.execute(_SUCCESSES).fetchone()
        (set_aside,) = state.execute(_SET_ASIDE).fetchone()
        backup = standing.read(state.execute(standing.READ))
    return Facts(
        newest=Session(*newest) if newest else None,
        last_of_each=tuple(Session(*row) for row in last),
        last_success_at=last_success_at,
        set_aside=set_aside,
        backed_up_at=backup.current_at if backup else None,
    )


def _answer(status_code: int, content: dict[str, Any]) -> Response:
    return Response(
        orjson.dumps(content),
        status_code=status_code,
        headers={"Cache-Control": "no-store"},
        media_type="application/json",
    )
