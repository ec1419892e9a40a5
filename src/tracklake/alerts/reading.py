"""What alerts are judged by: read from the state database, the folders and the login files."""

import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterable, Sequence

from tracklake.alerts.model import Backup, Facts, Quota, Run
from tracklake.alerts.rules import PATIENCE
from tracklake.backup import standing
from tracklake.budget import STRAVA, Budget
from tracklake.clock import Clock
from tracklake.config import Folders
from tracklake.garmin import key_file, key_warning
from tracklake.session_states import WELL_SQL
from tracklake.state import State

_DAY_S = 86_400
_MOST_RUNS = 20
_OURS = {"strava": ("strava", "enrich", "upload")}  # phases that call it

DueAfter = Callable[[dt.datetime], dt.datetime]


def facts(
    state: State, folders: Folders, athlete: str, clock: Clock, due_after: DueAfter | None = None
) -> Facts:
    """Return what can be judged at any time; due_after: the first slot after a moment."""
    now = clock.now()
    succeeded, began = _last_success(state)
    key = key_warning.outlook(folders, athlete, now.date()) or {}
    left = key.get("days_left")
    gold = folders.warehouse
    place = next(p for p in (folders.data, *folders.data.resolve().parents) if p.exists())
    return Facts(
        now=now,
        began=began,
        succeeded=succeeded,
        due=due_after(began) if due_after and began else None,
        quotas=tuple(_quotas(state, clock)),
        backup=_backup(state, now),
        free_bytes=shutil.disk_usage(place).free,
        gold_bytes=gold.stat().st_size if gold.exists() else 0,
        key_ends_on=key.get("key_ends_on"),
        key_stage_days=None if left is None else key_file.due_warning(left),
        open_breakers=_open_breakers(state),
    )


def run(
    state: State,
    session_id: str,
    default_athlete: str,
    no_login: Sequence[str],
    at_login: Iterable[str],
) -> Run | None:
    """Return a session that has ended; None if there is none of this id."""
    rows = state.execute(
        "select flow, state, athlete, started_at, finished_at, error_class, error from sessions "
        "where session_id = ? and finished_at is not null",
        (session_id,),
    )
    for flow, outcome, athlete, started_at, finished_at, error_class, error in rows:
        if outcome == "needs_auth" and not no_login:  # of a command for one source
            no_login = re.findall(r"tracklake auth (\w+)", str(error))[:1]
        return Run(
            flow=str(flow),
            state=str(outcome),
            whose="" if athlete == default_athlete else str(athlete),
            duration_s=(_moment(finished_at) - _moment(started_at)).total_seconds(),
            error_class=str(error_class) if error_class else None,
            stages=_stages(state, session_id),
            known_errors=_known_errors(state, str(athlete), str(started_at)),
            no_login=tuple(no_login),
            at_login=tuple(sorted(set(at_login) - set(no_login))),
        )
    return None


def runs_before(state: State, session_id: str) -> list[Run]:
    """Return the last that ended well of the same command and athlete, without this one."""
    rows = state.execute(
        "select one.session_id, one.flow, one.state, one.started_at, one.finished_at "
        "from sessions as one inner join sessions as this "
        "on one.flow = this.flow and one.athlete = this.athlete "
        "where this.session_id = ? and one.session_id <> this.session_id "
        "and one.state in ('completed', 'completed_with_errors') "
        "order by one.started_at desc limit ?",
        (session_id, _MOST_RUNS),
    )
    return [
        Run(
            flow=str(flow),
            state=str(outcome),
            duration_s=(_moment(finished_at) - _moment(started_at)).total_seconds(),
            stages=_stages(state, str(one)),
        )
        for one, flow, outcome, started_at, finished_at in rows
    ]


def _stages(state: State, session_id: str) -> tuple[tuple[int, int], ...]:
    rows = state.execute("select processed, errors from phases where session_id = ?", (session_id,))
    return tuple((int(str(processed)), int(str(errors))) for processed, errors in rows)


def _known_errors(state: State, athlete: str, started_at: str) -> int:
    """Count items that failed in this run, and in one before it."""
    ((count,),) = state.execute(
        "select count(*) from quarantine where athlete = ? and attempts > 1 "
        "and julianday(last_seen_at) >= julianday(?)",
        (athlete, started_at),
    )
    return int(str(count))


def _last_success(state: State) -> tuple[bool, dt.datetime | None]:
    """Tell whether there was one, and when; without one, when the first session began."""
    ((last, first),) = state.execute(
        f"select (select max(finished_at) from sessions where state in {WELL_SQL}), "  # noqa: S608 our own names
        "(select min(started_at) from sessions)"
    )
    known = last or first
    return last is not None, _moment(known) if known else None


def _quotas(state: State, clock: Clock) -> Iterable[Quota]:
    """Yield the days' limits of services that tell what others used; ours alone alarm nobody."""
    if not state.execute("select 1 from budgets where source = 'strava' limit 1"):
        return
    for window in Budget(state, "strava", STRAVA, clock).windows():
        if window.window_s >= _DAY_S:
            began = window.resets_at - dt.timedelta(seconds=window.window_s)
            yield Quota(
                source="strava",
                kind=window.kind,
                used=window.used,
                most=window.most,
                ours=_calls_since(state, "strava", began),
                resets_at=window.resets_at,
            )


def _calls_since(state: State, source: str, moment: dt.datetime) -> int:
    """Count our calls, with all of a phase that was at work at that moment."""
    rows = state.execute(
        "select phase, calls from phases where calls > 0 "
        "and julianday(coalesce(finished_at, started_at)) >= julianday(?)",
        (moment.isoformat(),),
    )
    names = _OURS[source]
    return sum(int(str(calls)) for phase, calls in rows if str(phase).split(" ")[0] in names)


def _backup(state: State, now: dt.datetime) -> Backup | None:
    """Return how it stands; None before the first flow that would have made one."""
    kept = standing.read(state.execute(standing.READ))
    ((first,),) = state.execute(
        "select min(finished_at) from phases where phase = 'compact' or phase = 'backup'"
    )
    current_at = kept.current_at if kept else None
    if current_at is None and first is None:
        return None
    at = current_at or _moment(first)
    rows = state.execute(
        "select phase, finished_at, detail from phases where finished_at is not null "
        "and julianday(finished_at) > julianday(?) order by finished_at desc",
        (at.isoformat(),),
    )
    tries = [detail for phase, _, detail in rows if str(phase).split(" ")[0] == "backup"]
    changed = [_moment(moment) for phase, moment, _ in rows if str(phase).startswith("compact")]
    return Backup(
        at=at,
        has_failed=bool(tries) and not tries[0],
        is_left_out=any(now - moment > PATIENCE for moment in changed),
    )


def _open_breakers(state: State) -> tuple[str, ...]:
    rows = state.execute("select source from breakers where state <> 'closed' order by 1")
    return tuple(str(source) for (source,) in rows)


def _moment(text: object) -> dt.datetime:
    return dt.datetime.fromisoformat(str(text))
