"""Running stages as one flow from the command line, and saying what came of it."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tracklake import cli_show, config
from tracklake.progress import Bars

if TYPE_CHECKING:
    from tracklake.flow import Stage

Athlete = Annotated[
    str | None, typer.Option(help="Whose activities (default TRACKLAKE_ATHLETE, else me).")
]


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
