"""The commands of the scheduler."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracklake import config
from tracklake.clock import SystemClock

if TYPE_CHECKING:
    from tracklake.scheduling.plan import Plan

schedule_app = typer.Typer(
    help="Run flows at the times of cron/tracklake.cron; alone: run until SIGTERM or Ctrl-C.",
    invoke_without_command=True,
)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(schedule_app, name="scheduler")


@schedule_app.callback()
def scheduler(context: typer.Context) -> None:
    """Run flows at the times of cron/tracklake.cron; alone: run until SIGTERM or Ctrl-C."""
    if context.invoked_subcommand is None:
        _become(_plan())


@schedule_app.command("next")
def next_() -> None:
    """Show the local time, when it runs next, and what came of the last time."""
    from tracklake.scheduling import examination

    for line in examination.outlook(_plan(), SystemClock().now()):
        typer.echo(line)


@schedule_app.command("set")
def set_(
    schedule: Annotated[
        str, typer.Argument(help='Five fields, such as "0 5 * * *", or @daily and the like.')
    ],
) -> None:
    """Change when the flow runs; a scheduler at work takes it over within seconds."""
    from tracklake.scheduling import crontab_file, examination

    plan = _plan()
    crontab_file.set_schedule(Path(plan.crontab), schedule)
    for line in examination.outlook(plan, SystemClock().now()):
        typer.echo(line)


@schedule_app.command("doctor")
def doctor() -> None:
    """Look for what keeps the scheduler from running; exit code 1 if anything does."""
    from tracklake.scheduling import examination

    is_well = True
    for finding in examination.examine(_plan(), SystemClock().now()):
        is_well = is_well and finding.is_well
        typer.echo(f"{'ok  ' if finding.is_well else 'BAD '} {finding.subject}: {finding.said}")
        if finding.advice:
            typer.echo(f"       -> {finding.advice}")
    if not is_well:
        raise typer.Exit(1)


@schedule_app.command("alive")
def alive() -> None:
    """Say whether the scheduler of this machine or container is well; exit code 0 or 1."""
    from tracklake.scheduling import sign_of_life

    _, folders = config.load()
    is_well, said = sign_of_life.judged(sign_of_life.read(folders.data), SystemClock().now())
    typer.echo(said)
    if not is_well:
        raise typer.Exit(1)


def _plan() -> "Plan":
    from tracklake.scheduling.crontab_file import NAME
    from tracklake.scheduling.plan import Plan

    settings, folders = config.load()
    url = settings.heartbeat_url
    return Plan(
        crontab=str(settings.cron_dir / NAME),
        zone=settings.tz,
        data=str(folders.data),
        logs=str(folders.logs),
        catch_up_hours=settings.catch_up_hours,
        heartbeat_url=url.get_secret_value() if url else None,
    )


def _become(plan: "Plan") -> None:
    """Go on as the scheduler's own process, with the same id: it needs half the memory."""
    reading, writing = os.pipe()
    os.write(writing, plan.packed())  # far less than a pipe holds
    os.close(writing)
    os.dup2(reading, sys.stdin.fileno() if sys.stdin else 0)
    os.execv(sys.executable, [sys.executable, "-P", "-m", "tracklake.scheduling"])  # noqa: S606 there is nothing a shell would add
