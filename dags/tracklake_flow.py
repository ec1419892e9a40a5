"""The flow as an Airflow DAG: each stage a task, for one athlete or several.

Every task starts `scripts/flow.sh STAGE` and reads its exit code; what each means for Airflow is in
docs/airflow.md, which is also what the DAG's page shows. This file is read every half minute:
nothing is asked or opened here outside of a task.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import (
    DAG,
    BaseOperator,
    CronTriggerTimetable,
    RetryDecision,
    RetryPolicy,
    TriggerRule,
    Variable,
    task,
)
from airflow.sdk.exceptions import AirflowException, AirflowFailException

_SET = os.environ  # noqa: TID251 the DAG knows nothing of tracklake.config: another environment
PROJECT = Path(_SET.get("TRACKLAKE_HOME") or Path(__file__).resolve().parent.parent)
ZONE = _SET.get("TZ") or "Europe/London"
LOCK_DELAY = timedelta(seconds=float(_SET.get("TRACKLAKE_AIRFLOW_LOCK_DELAY_S") or 600))
RETRY_DELAY = timedelta(seconds=float(_SET.get("TRACKLAKE_AIRFLOW_RETRY_DELAY_S") or 120))

LOCK_TRIES = 18  # at ten minutes each: a first day with Strava takes a bit over two hours
FAILURE_TRIES = 4

# The exit codes of the command that matter here.
WRONG_SETTINGS, NEEDS_LOGIN, CHECKS_FAILED, LOCK_HELD = 2, 3, 4, 75
NO_RETRY = {
    WRONG_SETTINGS: "a setting is wrong",
    NEEDS_LOGIN: "a source needs a new login",
    CHECKS_FAILED: "the checks failed, yesterday's warehouse stays",
}
NOTHING_TO_ENRICH = "nothing to enrich from"  # no source that has more to say is set up


class LockHeld(AirflowException):
    """Another flow is at work on the same data; it will end."""


class StageFailed(AirflowException):
    """A stage failed in a way that another try may cure."""


class ByExitCode(RetryPolicy):
    """Waits for a lock evenly and long; tries a failure again a few times, ever later."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,  # noqa: ARG002 Airflow's signature
        context: Any = None,  # noqa: ANN401, ARG002 the same
    ) -> RetryDecision:
        """Decide from what the task raised; `try_number` counts from 1."""
        if isinstance(exception, LockHeld):
            return RetryDecision.retry(LOCK_DELAY, "another flow holds the lock")
        if try_number >= FAILURE_TRIES:
            return RetryDecision.fail(f"tried {try_number} times")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """There is nothing in it that could differ."""
        return {}


class Stage(BaseOperator):
    """Runs one stage by scripts/flow.sh, and turns its exit code into what Airflow is to do."""

    template_fields = ("athlete",)

    def __init__(self, *, stage: str, athlete: str | None = None, **options: Any) -> None:  # noqa: ANN401 Airflow's
        super().__init__(**options)
        self.stage = stage
        self.athlete = athlete
        self._hook = SubprocessHook()

    def execute(self, context: Any) -> None:  # noqa: ANN401, ARG002 Airflow's signature
        """Run it; raise by its exit code."""
        command = [str(PROJECT / "scripts" / "flow.sh"), self.stage]
        if self.athlete:
            command += ["--athlete", self.athlete]
        if not Path(command[0]).is_file():
            raise AirflowFailException(f"there is no {command[0]}: set TRACKLAKE_HOME")
        done = self._hook.run_command(command, env=dict(_SET), cwd=str(PROJECT))
        self._react(done.exit_code, done.output)

    def _react(self, code: int, outcome: str) -> None:
        if code == 0:
            return
        if self.stage == "enrich" and code == WRONG_SETTINGS and NOTHING_TO_ENRICH in outcome:
            # Done, not skipped: after what was skipped, Airflow would skip the rest as well.
            self.log.info("no source is set up that has more to say: done")
            return
        if code in NO_RETRY:
            raise AirflowFailException(f"{NO_RETRY[code]}: {outcome}")
        if code == LOCK_HELD:
            raise LockHeld(outcome)
        raise StageFailed(outcome)

    def on_kill(self) -> None:
        """Ask the command to stop; what it fetched stays."""
        self._hook.send_sigterm()


# Of every task. Not of the class, because what is mapped over athletes does not see its defaults.
RETRIES: dict[str, Any] = {
    "retries": LOCK_TRIES,
    "retry_delay": RETRY_DELAY,
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
    "retry_policy": ByExitCode(),
    "execution_timeout": timedelta(hours=20),  # what hangs ends before the next one is due
}


def athletes_of(text: str) -> list[str]:
    """Read names, separated by commas or blanks; none means the default athlete, named ''."""
    return list(dict.fromkeys(text.replace(",", " ").split())) or [""]


@task
def athletes() -> list[str]:
    """Tell whose activities are fetched: the Variable tracklake_athletes, else the environment."""
    usual = _SET.get("TRACKLAKE_ATHLETES", "")
    return athletes_of(str(Variable.get("tracklake_athletes", default=usual)))


@task(trigger_rule=TriggerRule.ONE_FAILED, retries=0)
def outcome() -> None:
    """Fail the run where a stage failed, for the stages after it may have gone well."""
    raise AirflowFailException("a stage failed; its own log says why")


def _stages(names: Any) -> Sequence[Any]:  # noqa: ANN401 what a task gives, in Airflow's wrapping
    """Chain the stages; what a failed one stops is what would have nothing to work with."""
    each = {"map_index_template": "{{ task.athlete or 'default athlete' }}"}
    pull = Stage.partial(task_id="pull", stage="pull", **each).expand(athlete=names)
    # One athlete's login that ran out is no reason to keep the others' activities waiting.
    compact = Stage(task_id="compact", stage="compact", trigger_rule=TriggerRule.ALL_DONE)
    enrich = Stage.partial(task_id="enrich", stage="enrich", **each).expand(athlete=names)
    again = Stage(
        task_id="compact_again",
        stage="compact",
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,  # the one is the first compact
    )
    tiles = Stage.partial(task_id="tiles", stage="tiles", **each).expand(athlete=names)
    # The originals are worth a copy, whatever became of the rest.
    backup = Stage(task_id="backup", stage="backup", trigger_rule=TriggerRule.ALL_DONE)
    pull >> compact >> enrich >> again >> tiles >> backup
    compact >> again
    return pull, compact, enrich, again, tiles, backup


with DAG(
    dag_id="tracklake_flow",
    description="Fetch activities, bring the warehouse and the map up to date, back up.",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 5 * * *", timezone=ZONE),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    # A flow reads on from where the last one ended, whatever day it is run for: the runs of days
    # gone by would each find what the first of them had fetched.
    catchup=False,
    max_active_runs=1,
    # The stages share one data folder, and so one lock: two at once would only wait for each other.
    max_active_tasks=1,
    default_args=RETRIES,
    tags=["tracklake"],
) as dag:
    _stages(athletes()) >> outcome()
