"""Running stages as one flow from the command line, and saying what came of it."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tracklake import athletes, cli_show, config
from tracklake.errors import Error, Interrupted
from tracklake.progress import Bars

if TYPE_CHECKING:
    from tracklake.flow import Stage

Athlete = Annotated[
    str | None, typer.Option(help="Whose activities (default TRACKLAKE_ATHLETE, else me).")
]


_GRAVEST = {4: 1, 2: 2, 3: 3, 75: 4}  # after what failed outright


def bars() -> Bars:
    """Show progress on standard error."""
    return Bars(Console(stderr=True))


def run(name: str, athlete: str | None, *stages: "Stage", sources: tuple[str, ...] = ()) -> None:
    """Run stages as one flow, of some sources only if any are given, and say what came of it."""
    from tracklake import flow

    settings, folders = config.load(athlete=athlete, sources=sources or None)
    report = flow.FlowReport()
    try:
        with flow.running(name, settings, folders, report, bars()) as session:
            for stage in stages:
                stage(session, report)
            flow.raise_source_failures(report)
    finally:
        cli_show.flow_report(report, folders)


def run_for_all(name: str, *stages: "Stage") -> None:
    """Run a flow for each athlete, the usual one first; one that fails stops nobody else.

    What is raised at the end is the failure that asks for most: a broken disk before a login.
    """
    _, folders = config.load()
    failures: list[Error] = []
    for athlete in athletes.known(folders):
        typer.echo(f"— {athlete}")
        try:
            run(name, athlete, *stages)
        except Interrupted:
            raise
        except Error as error:
            typer.echo(f"tracklake: {athlete}: {error}", err=True)
            failures.append(error)
    if failures:
        raise min(failures, key=lambda error: _GRAVEST.get(error.exit_code, 0))
