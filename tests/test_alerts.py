"""Alerts: which rule fires when, what is remembered, who is told how often."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.reliability.month import receiving
from tests.rows import FIRST_DAY, StandingClock, make_session
from tracklake import cli_status, config, flow, status
from tracklake.alerts import alerting, ledger, rules
from tracklake.alerts.model import Alert, Backup, Facts, Look, Quota, Run
from tracklake.errors import AuthError, Error, SourceError, StorageError
from tracklake.session import SyncSession

NOW = dt.datetime(2026, 5, 20, 5, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
GOOD = Run(flow="flow", state="completed", duration_s=40.0, stages=((100, 0),))


def codes(look: Look) -> dict[str, str]:
    """Return what fires, with its severity."""
    return {alert.code: alert.severity for alert in look.firing}


def changed(run: Run = GOOD, **fields: object) -> Run:
    """Return a run that differs."""
    return dataclasses.replace(run, **fields)  # type: ignore[arg-type] # mixed


@pytest.mark.parametrize(
    ("stages", "known", "expected"),
    [
        (((100, 5),), 0, {}),
        (((100, 6),), 0, {"error_rate": "warning"}),
        (((3, 1),), 0, {}),
        (((3, 3),), 0, {"error_rate": "warning"}),
        (((1000, 0), (20, 4)), 0, {"error_rate": "warning"}),
        (((20, 4),), 2, {}),
        (((20, 4),), 1, {"error_rate": "warning"}),
    ],
)
def test_the_error_rate_counts_what_failed_for_the_first_time(
    stages: tuple[tuple[int, int], ...], known: int, expected: dict[str, str]
) -> None:
    """More than 5 % of a stage and at least three; what failed before counts no more."""
    run = changed(state="completed_with_errors", stages=stages, known_errors=known)
    assert codes(rules.of_run(run, ())) == expected


@pytest.mark.parametrize(
    ("duration_s", "others", "expected"),
    [
        (80.0, 20, {}),
        (80.1, 20, {"slow_run": "warning"}),
        (80.1, 5, {"slow_run": "warning"}),
        (80.1, 4, {}),
    ],
)
def test_a_run_is_slow_against_the_median_of_its_kind(
    duration_s: float, others: int, expected: dict[str, str]
) -> None:
    """Longer than twice the median, of five runs at least."""
    assert codes(rules.of_run(changed(duration_s=duration_s), [GOOD] * others)) == expected


def test_a_run_that_had_more_to_do_or_took_seconds_is_not_slow() -> None:
    """More than twice the usual items: information; under a minute: nothing."""
    more = changed(duration_s=500.0, stages=((201, 0),))
    assert codes(rules.of_run(more, [GOOD] * 5)) == {"slow_run": "info"}
    short = [changed(duration_s=1.0)] * 5
    assert codes(rules.of_run(changed(duration_s=59.0), short)) == {}
    waited = changed(duration_s=9_000.0, state="waiting_quota")
    assert codes(rules.of_run(waited, [GOOD] * 5)) == {}


@pytest.mark.parametrize("error_class", ["storage_error", "unknown_error", "check_failed"])
def test_failures_that_need_somebody_fire_and_end_with_a_good_run(error_class: str) -> None:
    """They fire in the run that failed; a good run of the same command has judged them."""
    failed = changed(state="failed", error_class=error_class)
    assert codes(rules.of_run(failed, ())) == {error_class: "critical"}
    assert rules.of_run(GOOD, ()).has_judged(error_class, "flow")
    passing = changed(state="retrying", error_class="temporary_api_error")
    assert codes(rules.of_run(passing, ())) == {}


@pytest.mark.parametrize(
    ("age", "due_ago", "expected"),
    [(26, None, False), (26.1, None, True), (200, 1, False), (200, 2.1, True)],
)
def test_no_success_for_26_hours(age: float, due_ago: float | None, expected: bool) -> None:
    """After 26 hours, where a schedule is rarer two hours after the run that was due."""
    facts = Facts(
        now=NOW,
        began=NOW - age * HOUR,
        succeeded=True,
        due=None if due_ago is None else NOW - due_ago * HOUR,
    )
    assert codes(rules.standing(facts)) == ({"no_success": "critical"} if expected else {})


@pytest.mark.parametrize(
    ("used", "ours", "expected"),
    [
        (800, 0, {}),
        (801, 400, {"quota": "warning"}),
        (801, 401, {"quota": "info"}),
        (1000, 1000, {"quota": "info"}),
    ],
)
def test_a_used_quota_is_information_where_we_used_it(
    used: int, ours: int, expected: dict[str, str]
) -> None:
    """More than 80 %: a warning only where others took more than half of it."""
    quota = Quota(source="strava", kind="read", used=used, most=1000, ours=ours, resets_at=NOW)
    assert codes(rules.standing(Facts(now=NOW, quotas=(quota,)))) == expected


@pytest.mark.parametrize(
    ("hours", "failed", "left_out", "expected"),
    [
        (48, True, False, {}),
        (48.1, True, False, {"backup_old": "warning"}),
        (480, False, False, {}),
        (48.1, False, True, {"backup_old": "warning"}),
    ],
)
def test_a_backup_is_old_only_where_something_is_not_in_it(
    hours: float, failed: bool, left_out: bool, expected: dict[str, str]
) -> None:
    """Older than 48 hours and the next one failed or was left out."""
    backup = Backup(at=NOW - hours * HOUR, has_failed=failed, is_left_out=left_out)
    assert codes(rules.standing(Facts(now=NOW, backup=backup))) == expected


@pytest.mark.parametrize(
    ("free", "gold", "expected"),
    [
        (1 << 30, 0, False),
        ((1 << 30) - 1, 0, True),
        (3 << 30, 1 << 30, False),
        (3 << 30, 2 << 30, True),
    ],
)
def test_the_disk_has_a_floor(free: int, gold: int, expected: bool) -> None:
    """Less than a GiB, or less than three times the warehouse."""
    found = codes(rules.standing(Facts(now=NOW, free_bytes=free, gold_bytes=gold)))
    assert found == ({"disk_low": "critical"} if expected else {})


ALERT = Alert("needs_login", "strava", "critical", "Strava needs a new login", "log in")
FIRES = Look((ALERT,), frozenset({("needs_login", "strava")}))
WELL = Look((), frozenset({("needs_login", "*")}))
ELSEWHERE = Look((), frozenset({("needs_login", "garmin"), ("quota", "*")}))


def told_at(looks: Sequence[tuple[float, Look]]) -> list[tuple[float, int, int]]:
    """Return at which hours somebody was told, of how many that fire and that are over."""
    entries: ledger.Entries = {}
    found = []
    for hours, look in looks:
        now = NOW + hours * HOUR
        entries = ledger.settled(entries, look, now)
        news = ledger.due(entries, now)
        if news:
            found.append((hours, len(news.firing), len(news.over)))
            entries = ledger.told(entries, news, now)
    return found


def test_told_once_daily_and_when_it_is_over() -> None:
    """Hourly looks over three days: once, after 20 hours and more again, then that it is over."""
    looks = [(hour, FIRES) for hour in range(50)] + [(50, WELL), (51, WELL)]
    assert told_at(looks) == [(0, 1, 0), (20, 1, 0), (40, 1, 0), (50, 0, 1)]
    daily = [(0.0, FIRES), (23.9, FIRES), (48.1, WELL), (72.0, WELL)]
    assert told_at(daily) == [(0, 1, 0), (23.9, 1, 0), (48.1, 0, 1)]


def test_a_look_that_did_not_judge_it_ends_nothing() -> None:
    """A run of another source says nothing about this one."""
    entries = ledger.settled({}, FIRES, NOW)
    assert ledger.firing(ledger.settled(entries, ELSEWHERE, NOW + HOUR))
    assert not ledger.firing(ledger.settled(entries, WELL, NOW + HOUR))


def test_what_comes_and_goes_is_told_as_often_as_what_stays() -> None:
    """On and off each hour: one message that it fires in 20 hours, and that it is over."""
    looks = [(hour, FIRES if hour % 2 == 0 else WELL) for hour in range(24)]
    fired = [
        hours for hours, firing, _ in told_at([(float(h), look) for h, look in looks]) if firing
    ]
    assert fired == [0, 22]


def test_information_is_never_told_and_a_worse_severity_is() -> None:
    """The same cause as information: silence; once it is a warning: told."""
    info = Look((dataclasses.replace(ALERT, severity="info"),), FIRES.judged)
    assert told_at([(0, info), (30, info), (31, WELL)]) == []
    assert told_at([(0, info), (1, FIRES)]) == [(1, 1, 0)]


def test_a_key_is_told_at_each_of_its_three_marks() -> None:
    """14, 7 and 1 days before its end, each once."""
    looks = []
    for day in range(16):
        left = 15 - day
        stage = next((one for one in (1, 7, 14) if left <= one), None)
        facts = Facts(now=NOW, key_ends_on="2026-06-04", key_stage_days=stage)
        looks.append((24.0 * day, rules.standing(facts)))
    assert [hours / 24 for hours, _, _ in told_at(looks)] == [1, 8, 14]


def test_a_message_says_what_it_is_and_what_to_do() -> None:
    """One alert is the title; several are counted; what is over is named."""
    entries = ledger.settled({}, FIRES, NOW)
    title, text = ledger.in_words(ledger.due(entries, NOW))
    assert title == "Tracklake: Strava needs a new login"
    assert text == "- Strava needs a new login.\n  What to do: log in."
    over = ledger.settled(ledger.told(entries, ledger.due(entries, NOW), NOW), WELL, NOW + HOUR)
    title, text = ledger.in_words(ledger.due(over, NOW + HOUR))
    assert title == "Tracklake: well again (needs_login)"
    assert text == "- Over: Strava needs a new login."


def _ended(session: SyncSession, error: Error | None = None, source: str = "strava") -> None:
    """End a session as a flow does and judge it."""
    name = "needs_auth" if isinstance(error, AuthError) else "retrying"
    name, kind = ("failed", "storage_error") if isinstance(error, StorageError) else (name, None)
    session.begin()
    session.finish("completed" if error is None else name, str(error), kind)
    failed = {} if error is None else {source: error}
    alerting.after(session, {source}, failed)


def test_a_session_that_needs_a_login_is_remembered_until_one_that_does_not(
    tmp_path: Path,
) -> None:
    """The table has it with the session, `status` shows it on top, a good run ends it."""
    session = make_session(tmp_path)
    _ended(session, AuthError("log in"))
    [row] = session.state.execute("select code, cause, session_id, resolved_at from alerts")
    assert row == ("needs_login", "strava", session.session_id, None)
    found = status.status(session.folders, "me", session.clock)
    assert [one["code"] for one in found["alerts"]] == ["needs_login"]
    session.session_id = "later"
    _ended(session, SourceError("down"))
    assert session.state.execute("select 1 from alerts where resolved_at is null")
    session.session_id = "last"
    _ended(session)
    assert not session.state.execute("select 1 from alerts where resolved_at is null")


def test_status_shows_alerts_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first line is the alert with its severity, the second what to do."""
    session = make_session(tmp_path)
    _ended(session, AuthError("log in"))
    cli_status.status(status.status(session.folders, "me", session.clock))
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("CRITICAL: Strava needs a new login")
    assert "tracklake auth strava" in second


def test_no_success_is_seen_without_a_run(tmp_path: Path) -> None:
    """26 hours after the last success `status` shows it and a check has it told, once a day."""
    clock = StandingClock()
    messages: list[dict[str, str]] = []
    with receiving(messages) as url:
        session = make_session(tmp_path, clock)
        settings, folders = config.load(
            data_dir=tmp_path / "data",
            secrets_dir=tmp_path / "secrets",
            logs_dir=tmp_path / "logs",
            notify_urls=url,
        )
        _ended(session)
        clock.moment = FIRST_DAY + 25 * HOUR
        assert alerting.check(settings, folders, clock, None) == ([], "")
        clock.moment = FIRST_DAY + 27 * HOUR
        [shown] = status.status(folders, "me", clock)["alerts"]
        assert shown["code"] == "no_success"
        for hours in (27, 28, 40, 48):
            clock.moment = FIRST_DAY + hours * HOUR
            [entry], problem = alerting.check(settings, folders, clock, None)
            assert (entry.alert.code, problem) == ("no_success", "")
    assert [one["title"][:38] for one in messages] == ["Tracklake: nothing has ended well sinc"] * 2


def test_what_could_not_be_told_is_told_by_the_next_run(tmp_path: Path) -> None:
    """A closed port fails no flow; the next run reaches the receiver, with what still fires."""
    messages: list[dict[str, str]] = []
    session = make_session(tmp_path)
    with receiving(messages) as url:
        closed = session.settings.model_copy(update=_urls("json://127.0.0.1:9/"))
        session.settings = closed
        _ended(session, AuthError("log in"))
        assert session.state.execute("select notified_at from alerts") == [(None,)]
        session.settings = session.settings.model_copy(update=_urls(url))
        session.session_id = "later"
        _ended(session, AuthError("log in"))
    assert [one["title"] for one in messages] == [
        "Tracklake: Strava needs a new login or a permission; all else is done"
    ]


def _urls(url: str) -> dict[str, object]:
    settings, _ = config.load(notify_urls=url)
    return {"notify_urls": settings.notify_urls}


def test_a_full_disk_fires_in_the_run_that_sees_it(tmp_path: Path) -> None:
    """A warehouse of which three do not fit any more, and a failed run, each with its code."""
    session = make_session(tmp_path)
    session.folders.warehouse.parent.mkdir(parents=True)
    with session.folders.warehouse.open("wb") as file:
        file.truncate(1 << 40)  # a hole, which takes no room
    _ended(session, StorageError("no space left"))
    found = {str(code) for (code,) in session.state.execute("select code from alerts")}
    assert found == {"disk_low", "storage_error"}


def test_a_flow_whose_session_never_began_is_not_judged(tmp_path: Path) -> None:
    """A command that found the lock taken leaves no alert behind."""
    session = make_session(tmp_path)
    alerting.after(session, (), {})
    assert session.state.execute("select 1 from alerts") == []


def test_a_real_flow_that_fails_fires_in_the_same_run(tmp_path: Path) -> None:
    """An error of the disk inside `running` is in the table when it comes out."""
    settings, folders = config.load(
        data_dir=tmp_path / "data", logs_dir=tmp_path / "logs", secrets_dir=tmp_path / "secrets"
    )
    with (
        pytest.raises(StorageError),
        flow.running("flow", settings, folders, flow.FlowReport()),
    ):
        raise StorageError("the disk is full")
    [one] = status.status(folders)["alerts"]
    assert (one["code"], one["cause"], one["severity"]) == ("storage_error", "flow", "critical")
