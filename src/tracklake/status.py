"""What there is and what ran last: from the state database and the snapshot, without a lock."""

from typing import Any

import duckdb

from tracklake import bronze_format, enrichments, lock, reading
from tracklake.alerts import alerting
from tracklake.backup import standing
from tracklake.budget import STRAVA, Budget, Cushion, forecast
from tracklake.clock import Clock, SystemClock
from tracklake.config import SOURCES, Folders
from tracklake.enrichments import stage, weather
from tracklake.errors import ConfigError, Error
from tracklake.garmin import key_warning
from tracklake.serving import schedule
from tracklake.session import GONE
from tracklake.session_states import AT_WORK, AT_WORK_SQL, RETRYING
from tracklake.stages import RESERVE, EnrichOptions
from tracklake.state import State
from tracklake.upstream import breaker
from tracklake.upstream_index import UpstreamIndex

_LAST = 30


def status(
    folders: Folders,
    athlete: str | None = None,
    clock: Clock | None = None,
    *,
    weather_is_on: bool = True,
) -> dict[str, Any]:
    """Return everything `status` shows, ready for JSON; parts that do not exist yet are None.

    athlete: of whom; None: of everybody, and of the usual one at the services.
    """
    bronze_format.expect_known(folders.bronze)
    whose = athlete or folders.default_athlete
    state = State(folders.state) if folders.state.exists() else None
    at_work = lock.is_held(folders.state)
    try:
        return {
            "alerts": _alerts(state, folders, whose, clock or SystemClock()) if state else [],
            "athlete": whose,
            "warehouse": _warehouse(folders, athlete),
            "running": _running(state) if state and at_work else None,
            "sessions": _sessions(state, at_work=at_work) if state else [],
            "weather": _weather(state, folders, athlete, clock or SystemClock()) if state else None,
            "weather_is_on": weather_is_on,
            "places": _enriched(folders, "places", athlete) if state else None,
            "sources": _sources(state, folders, whose) if state else {},
            "strava": _strava(state, folders, whose, clock or SystemClock()) if state else None,
            "garmin": key_warning.outlook(folders, whose, (clock or SystemClock()).now().date()),
            "breakers": breaker.not_closed(state) if state else [],
            "backup": _backup(state, clock or SystemClock()) if state else None,
            "quarantine": _quarantine(state, athlete) if state else {"count": 0, "reasons": {}},
            "folders": {
                "data": str(folders.data),
                "inbox": str(folders.inbox),
                "warehouse": str(folders.warehouse),
                "tiles": str(folders.tiles),
                "logs": str(folders.logs),
            },
        }
    finally:
        if state:
            state.close()


def _alerts(state: State, folders: Folders, athlete: str, clock: Clock) -> list[dict[str, object]]:
    """Return what somebody should know of, the gravest first."""
    timetable = schedule.read(folders.state)
    due_after = timetable.due_after if timetable else None
    return alerting.shown(alerting.present(state, folders, athlete, clock, due_after))


def _warehouse(folders: Folders, athlete: str | None) -> dict[str, Any] | None:
    try:
        with reading.snapshot(folders) as connection:
            ((count, distance, first, last),) = connection.execute(
                "select count(*), sum(distance) / 1000, min(start_date_local), "
                "max(start_date_local) from activities "
                "where leg_count = 0 and athlete = coalesce(?, athlete)",
                [athlete],
            ).fetchall()
    except ConfigError:
        return None
    except Error as error:
        return {"error": str(error)}
    return {
        "activities": count,
        "distance_km": round(distance or 0, 1),
        "first_activity": str(first) if first else None,
        "last_activity": str(last) if last else None,
        "published_at_unix_s": int(folders.warehouse.stat().st_mtime),
        "size_bytes": folders.warehouse.stat().st_size,
    }


def _backup(state: State, clock: Clock) -> dict[str, Any] | None:
    kept = standing.read(state.execute(standing.READ))
    return kept.told(clock.now()) if kept else None


def _running(state: State) -> dict[str, Any] | None:
    names = ("session_id", "athlete", "flow", "state", "started_at", "calls", "expected_at")
    rows = state.execute(
        f"select {', '.join(names)} from sessions where state in {AT_WORK_SQL} "  # noqa: S608 our own names
        "order by started_at desc limit 1"
    )
    for row in rows:
        return {**dict(zip(names, row, strict=True)), "phases": _phases(state, str(row[0]))}
    return None


def _strava(state: State, folders: Folders, athlete: str, clock: Clock) -> dict[str, Any] | None:
    """Return what is known of an athlete at Strava: what is fetched, what the quota allows."""
    index = UpstreamIndex(state, folders.bronze, athlete, "strava")
    activities = len(index.present())
    if not activities:
        return None
    missing = {
        module.NAME: len(module.wanted(index, EnrichOptions()))
        for module in enrichments.modules(enrichments.USUAL)
    }
    calls = sum(missing.values())
    budget = Budget(state, "strava", STRAVA, clock)
    windows = budget.windows()
    cushion = Cushion(share=RESERVE)
    done_at = forecast(calls, windows, clock.now(), cushion=cushion) if calls else None
    return {
        "activities": activities,
        "to_fetch": missing,
        "calls_left_to_make": calls,
        "calls_a_day": stage.calls_a_day(budget, cushion),
        "fetched_about": done_at.isoformat(timespec="minutes") if done_at else None,
        "quota": _quota(budget),
    }


def _sources(state: State, folders: Folders, athlete: str) -> dict[str, dict[str, int]]:
    """Return what each source lists of an athlete, and of how many its points are to be fetched."""
    found = {}
    for name in SOURCES:
        index = UpstreamIndex(state, folders.bronze, athlete, name)
        if name not in ("files", "strava") and (listed := len(index.present())):
            to_fetch = len(index.wanted("activity_streams", "track_hash"))
            found[name] = {"activities": listed, "to_fetch": to_fetch}
    return found


def _weather(
    state: State, folders: Folders, athlete: str | None, clock: Clock
) -> dict[str, Any] | None:
    """Return how many activities have weather, will have it, cannot; and the quota."""
    counts = _enriched(folders, "weather", athlete)
    if counts is None:
        return None
    return {**counts, "quota": _quota(Budget(state, weather.SOURCE, weather.LIMITS, clock))}


def _enriched(folders: Folders, column: str, athlete: str | None) -> dict[str, int] | None:
    """Return of how many activities something is known, will be, cannot be."""
    try:
        with reading.snapshot(folders) as connection:
            rows = connection.execute(
                f"select {column}, count(*) from enrichment_status "  # noqa: S608 our own
                "where athlete = coalesce(?, athlete) group by 1",
                [athlete],
            ).fetchall()
    except (Error, duckdb.CatalogException):  # none yet, or another version's; `warehouse` says it
        return None
    counts = dict.fromkeys(("done", "pending", "impossible"), 0)
    return counts | {str(status): int(count) for status, count in rows}


def _quota(budget: Budget) -> list[dict[str, Any]]:
    return [
        {
            "kind": window.kind,
            "window_s": window.window_s,
            "used": window.used,
            "limit": window.most,
            "resets_at": window.resets_at.isoformat(timespec="seconds"),
        }
        for window in budget.windows()
    ]


def _phases(state: State, session_id: str) -> list[dict[str, Any]]:
    names = (
        *("phase", "processed", "total", "errors", "calls", "started_at", "finished_at"),
        *("expected_at", "detail"),
    )
    rows = state.execute(
        f"select {', '.join(names)} from phases where session_id = ? order by started_at",  # noqa: S608 our own names
        (session_id,),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def _sessions(state: State, *, at_work: bool) -> list[dict[str, Any]]:
    names = (
        *("session_id", "athlete", "flow", "state", "started_at", "finished_at", "calls"),
        *("attempt", "taken_up_by", "waiting_until", "expected_at", "error_class", "error"),
    )
    rows = state.execute(
        f"select {', '.join(names)} from sessions order by started_at desc limit ?",  # noqa: S608 our own names
        (_LAST,),
    )
    found = [dict(zip(names, row, strict=True)) for row in rows]
    for session in found:
        if session["state"] in AT_WORK and not at_work:
            session |= {"state": RETRYING, "error": GONE}  # as the next flow will enter it
        session["phases"] = _phases(state, str(session["session_id"]))
    return found


def _quarantine(state: State, athlete: str | None) -> dict[str, Any]:
    rows = state.execute(
        "select reason, count(*) from quarantine where athlete = coalesce(?, athlete) "
        "group by reason order by 1",
        (athlete,),
    )
    reasons = {str(reason): int(str(count)) for reason, count in rows}
    return {"count": sum(reasons.values()), "reasons": reasons}
