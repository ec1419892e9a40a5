"""What a person should know of; pure. docs/operations.md lists the rules under Alerts."""

import datetime as dt
import statistics
from collections.abc import Iterator, Sequence

from tracklake.alerts.model import (
    CRITICAL,
    EVERY,
    INFO,
    WARNING,
    Alert,
    Facts,
    Look,
    Run,
)

PATIENCE = dt.timedelta(hours=26)  # a day, and what a daily flow may be late
GRACE = dt.timedelta(hours=2)  # for a run that is due
MOST_BACKUP_AGE = dt.timedelta(hours=48)

_MOST_ERROR_SHARE = 0.05
_FEWEST_ERRORS = 3  # so many of a run failed for the first time: one or two are single items
_TIMES_SLOWER = 2
_LONG_S = 60.0  # a shorter run is never slow
_FEWEST_RUNS = 5  # whose median tells something
_QUOTA_SHARE = 0.8
_LOW_DISK_BYTES = 1 << 30
_COPIES_OF_GOLD = 3  # a rebuild beside the old one, and a backup of it
_ENDED_WELL = ("completed", "completed_with_errors")
_TITLES = {
    "garmin": "Garmin",
    "intervals": "intervals.icu",
    "smashrun": "SmashRun",
    "strava": "Strava",
}
_FAILURES = {
    "storage_error": (
        "failed at the disk or at a file",
        "`tracklake status` says at which; `tracklake doctor` looks at all of them",
    ),
    "unknown_error": (
        "was ended by a defect of Tracklake",
        "`make flow-latest` shows it: please report it; the next run goes on",
    ),
    "check_failed": (
        "made a warehouse that did not pass its checks; the one of before stays",
        "`tracklake compact --rebuild` builds it anew",
    ),
    "memory_limit": ("ran out of memory", "give it more, or end what else uses it"),
}


def is_overdue(began: dt.datetime, now: dt.datetime, due: dt.datetime | None) -> bool:
    """Tell whether it is too long since a success; a rarer schedule than a day's has more time."""
    return now - began > PATIENCE and (due is None or now - due > GRACE)


def disk_floor_bytes(gold_bytes: int) -> int:
    """Return how much room there should be at least."""
    return max(_LOW_DISK_BYTES, _COPIES_OF_GOLD * gold_bytes)


def title(source: str) -> str:
    """Return what a person calls a source."""
    return _TITLES.get(source, source)


def of_run(run: Run, before: Sequence[Run]) -> Look:
    """Judge a session that ended; before: the last that ended well of the same kind."""
    firing = (*_failures(run), *_no_logins(run), *_errors(run), *_slow(run, before))
    judged = {("needs_login", _of(source, run)) for source in run.at_login}
    if run.state in _ENDED_WELL:
        judged |= {(code, EVERY) for code in ("storage_error", "memory_limit")}
        judged |= {(code, _of(run.flow, run)) for code in (*_FAILURES, "slow_run")}
    if run.state in (*_ENDED_WELL, "waiting_quota"):
        judged |= {(code, _of(run.flow, run)) for code in (*_FAILURES, "error_rate")}
    return Look(firing, frozenset(judged))


def _of(name: str, run: Run) -> str:
    return f"{name} of {run.whose}" if run.whose else name


def _failures(run: Run) -> Iterator[Alert]:
    if run.state == "failed" and run.error_class in _FAILURES:
        said, advice = _FAILURES[run.error_class]
        cause = _of(run.flow, run)
        yield Alert(run.error_class, cause, CRITICAL, f"the last {cause} {said}", advice)


def _no_logins(run: Run) -> Iterator[Alert]:
    for source in run.no_login:
        log_in = "" if source == "intervals" else f"; `tracklake auth {source}` logs in"
        yield Alert(
            "needs_login",
            _of(source, run),
            CRITICAL,
            f"{_of(title(source), run)} needs a new login or a permission; all else is done",
            f"`tracklake status` says which{log_in}",
        )


def _errors(run: Run) -> Iterator[Alert]:
    """Look at the worst stage; what failed before and does again is known already."""
    new = sum(errors for _, errors in run.stages) - run.known_errors
    if run.state not in (*_ENDED_WELL, "waiting_quota") or new < _FEWEST_ERRORS:
        return
    counts = [(min(errors, new), processed) for processed, errors in run.stages if errors]
    errors, processed = max(counts, key=lambda count: count[0] / max(count))
    if errors >= _FEWEST_ERRORS and errors > _MOST_ERROR_SHARE * processed:
        cause = _of(run.flow, run)
        said = f"{errors:,} of {max(processed, errors):,} items failed in the last {cause}"
        advice = "`tracklake quarantine list` says why; they are tried again by themselves"
        yield Alert("error_rate", cause, WARNING, said, advice)


def _slow(run: Run, before: Sequence[Run]) -> Iterator[Alert]:
    if run.state not in _ENDED_WELL or len(before) < _FEWEST_RUNS or run.duration_s <= _LONG_S:
        return
    usual_s = statistics.median(one.duration_s for one in before)
    if run.duration_s <= _TIMES_SLOWER * usual_s:
        return
    usual = statistics.median(one.processed for one in before)
    did_more = run.processed > _TIMES_SLOWER * usual
    cause = _of(run.flow, run)
    said = (
        f"the last {cause} took {_span(run.duration_s)}, twice the usual {_span(usual_s)} or more"
    )
    why = "it had more to do than usual" if did_more else "`make flow-latest` shows what took long"
    yield Alert("slow_run", cause, INFO if did_more else WARNING, said, why)


def standing(facts: Facts) -> Look:
    """Judge what does not depend on a single run."""
    firing = (
        *_no_success(facts),
        *_quotas(facts),
        *_old_backup(facts),
        *_low_disk(facts),
        *_ending_key(facts),
        *_breakers(facts),
    )
    codes = ("no_success", "quota", "backup_old", "disk_low", "key_expiring", "breaker_open")
    return Look(firing, frozenset((code, EVERY) for code in codes))


def _no_success(facts: Facts) -> Iterator[Alert]:
    if facts.began is not None and is_overdue(facts.began, facts.now, facts.due):
        since = f"since {_moment(facts.began)}" if facts.succeeded else "yet"
        said = f"nothing has ended well {since}"
        yield Alert("no_success", "", CRITICAL, said, "`tracklake status` says why")


def _quotas(facts: Facts) -> Iterator[Alert]:
    """Most of a day's limit used by us is what a backfill does; by others it is not."""
    for quota in facts.quotas:
        if quota.used <= _QUOTA_SHARE * quota.most:
            continue
        is_planned = 2 * quota.ours >= quota.used
        name = title(quota.source)
        said = (
            f"{quota.used:,} of {quota.most:,} calls a day ({quota.kind}) to {name} are used until "
            f"{_moment(quota.resets_at)}"
        )
        if is_planned:
            why = "Tracklake fetches what is missing; the next run goes on"
        else:
            said += f", only {quota.ours:,} of them by Tracklake"
            why = f"something else uses your application at {name}: give it one of its own"
        severity = INFO if is_planned else WARNING
        yield Alert("quota", f"{quota.source} {quota.kind}", severity, said, why)


def _old_backup(facts: Facts) -> Iterator[Alert]:
    """A backup that holds all there is, is never too old."""
    backup = facts.backup
    if backup is None or facts.now - backup.at <= MOST_BACKUP_AGE:
        return
    if backup.has_failed or backup.is_left_out:
        yield Alert(
            "backup_old",
            "",
            WARNING,
            f"the last backup that holds everything is of {_moment(backup.at)}",
            "`make backup` makes one, or says why it cannot",
        )


def _low_disk(facts: Facts) -> Iterator[Alert]:
    if facts.free_bytes is not None and facts.free_bytes < disk_floor_bytes(facts.gold_bytes):
        needed = disk_floor_bytes(facts.gold_bytes) / 1e9
        said = f"the disk is almost full: {facts.free_bytes / 1e9:.1f} GB are free"
        yield Alert("disk_low", "", CRITICAL, said, f"make room: keep {needed:.1f} GB free")


def _ending_key(facts: Facts) -> Iterator[Alert]:
    if facts.key_stage_days is not None:
        days = f"{facts.key_stage_days} day{'s' if facts.key_stage_days > 1 else ''}"
        said = f"Garmin's key ends on {facts.key_ends_on}, in {days} at most"
        advice = "`tracklake auth garmin` takes a new one"
        yield Alert("key_expiring", "garmin", WARNING, said, advice)


def _breakers(facts: Facts) -> Iterator[Alert]:
    for source in facts.open_breakers:
        said = f"{title(source)} fails; it is left alone for a while"
        yield Alert("breaker_open", source, INFO, said, "nothing: it is tried again by itself")


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
