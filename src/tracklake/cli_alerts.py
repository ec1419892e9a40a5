"""The command about alerts."""

from typing import Annotated

import orjson
import typer

from tracklake import config
from tracklake.clock import SystemClock
from tracklake.errors import ConfigError
from tracklake.state import State

_TEST = ("Tracklake: a test", "Messages of Tracklake arrive here.")


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("alerts")(alerts)


def alerts(
    check: Annotated[
        bool,
        typer.Option("--check", help="Look, remember, and notify; what the scheduler does."),
    ] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Send a test message to each address.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show what somebody should know of: what it is, since when, what to do."""
    if test:
        _test()
    elif check:
        _check()
    else:
        _show(as_json=as_json)


def _show(*, as_json: bool) -> None:
    from tracklake import cli_status
    from tracklake.alerts import alerting
    from tracklake.serving import schedule

    settings, folders = config.load()
    found: list[dict[str, object]] = []
    if folders.state.exists():
        timetable = schedule.read(folders.state)
        due_after = timetable.due_after if timetable else None
        state = State(folders.state)
        try:
            entries = alerting.present(state, folders, settings.athlete, SystemClock(), due_after)
        finally:
            state.close()
        found = alerting.shown(entries)
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    elif found:
        cli_status.alerts(found)
    else:
        typer.echo("nothing needs you")


def _check() -> None:
    from tracklake import cli_status
    from tracklake.alerts import alerting
    from tracklake.serving import schedule

    settings, folders = config.load()
    if not folders.state.exists():
        return  # nothing has run yet
    timetable = schedule.read(folders.state)
    due_after = timetable.due_after if timetable else None
    entries, problem = alerting.check(settings, folders, SystemClock(), due_after)
    cli_status.alerts(alerting.shown(entries))
    if problem:
        typer.echo(problem)
        raise typer.Exit(1)


def _test() -> None:
    from tracklake import notifying
    from tracklake.alerts import alerting

    settings, _ = config.load()
    urls = alerting.addresses(settings)
    if not urls:
        raise ConfigError(f"{notifying.SETTING} is not set: nobody would be told (.env.example)")
    problem = notifying.misunderstood(urls)
    if problem:
        raise ConfigError(problem)
    problem = notifying.send(urls, *_TEST)
    if problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1)
    typer.echo(f"sent to {len(urls)} address{'es' if len(urls) > 1 else ''}")
