"""The commands that talk to sources: login, fetching, forgetting."""

import getpass
import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tracklake import athletes, cli_run, config
from tracklake.errors import ConfigError
from tracklake.stages import LOOKBACK_DAYS, PER_PAGE, EnrichOptions, PullOptions

_MOST_CALLS = typer.Option(min=0, help="Stop after so many calls; the next run goes on there.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(auth)
    app.command("import")(import_)
    app.command()(pull)
    app.command()(enrich)
    app.command()(forget)


# Where a person logs in, by source: the module whose `login` leads them through it.
_LOGINS = {
    "strava": "tracklake.strava.oauth",
    "smashrun": "tracklake.smashrun.oauth",
    "garmin": "tracklake.garmin.login",
}


def auth(
    source: Annotated[str, typer.Argument(help=", ".join(_LOGINS))],
    athlete: cli_run.Athlete = None,
) -> None:
    """Log in to a source: shows an address, takes what comes back from there, keeps the login."""
    if source not in _LOGINS:
        there = f"there is one for: {', '.join(_LOGINS)}"
        if source == "intervals":
            there = "its key goes into INTERVALS_API_KEY, which docs/intervals.md explains"
        raise ConfigError(f"there is no login for {source}; {there}")
    settings, folders = config.load(athlete=athlete)
    more = {"ask_hidden": _hidden_line} if source == "garmin" else {}
    importlib.import_module(_LOGINS[source]).login(
        settings,
        folders,
        settings.athlete,
        default_athlete=folders.default_athlete,
        say=typer.echo,
        ask=_pasted_line,
        **more,
    )


def _pasted_line() -> str:
    """Read a line from the terminal's descriptor: a thread that waits for it blocks nothing."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)  # no more than the line: what follows answers another question
        if not piece:
            break
        line += piece
    return line.decode("utf-8", "replace").strip()


def _hidden_line() -> str:
    """Read a line that a terminal does not show."""
    return getpass.getpass("") if sys.stdin.isatty() else _pasted_line()


def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or archives.")],
    athlete: cli_run.Athlete = None,
) -> None:
    """Read activity files, folders, Strava or Garmin exports into bronze, then compact."""
    from tracklake import flow

    cli_run.run(
        "import",
        athlete,
        lambda session, report: flow.pull(session, report, paths),
        lambda session, report: flow.compact(session, report),
    )


def pull(
    source: Annotated[
        list[str] | None, typer.Option(help="Only this source; may be repeated.")
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Look at everything again: read lists to their first day, decode all originals.",
        ),
    ] = False,
    lookback_days: Annotated[
        int, typer.Option(min=0, help="Read again behind the newest known activity.")
    ] = LOOKBACK_DAYS,
    per_page: Annotated[
        int, typer.Option(min=1, max=200, help="Activities a call of a list.")
    ] = PER_PAGE,
    max_calls: Annotated[int | None, _MOST_CALLS] = None,
    athlete: cli_run.Athlete = None,
) -> None:
    """Fetch what is new from the sources into bronze; `files` reads the inbox."""
    from tracklake import flow

    options = PullOptions(
        everything=everything, lookback_days=lookback_days, per_page=per_page, max_calls=max_calls
    )
    cli_run.run(
        "pull",
        athlete,
        lambda session, report: flow.pull(session, report, options=options),
        sources=tuple(source or ()),
    )


def enrich(  # noqa: PLR0913 one parameter an option
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Also what failed too often, and points of which the file is here."
        ),
    ] = False,
    since_days: Annotated[
        int | None, typer.Option(min=0, help="Only activities of the last days.")
    ] = None,
    ids: Annotated[
        str | None, typer.Option(help="Only these activities, whatever is there: 123,456.")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="Only these facts: details,streams,gear,zones,weather,places."),
    ] = None,
    max_calls: Annotated[int | None, _MOST_CALLS] = None,
    cushion_15min: Annotated[
        int | None, typer.Option(min=0, help="Calls left unused in 15 minutes (a tenth).")
    ] = None,
    cushion_daily: Annotated[
        int | None, typer.Option(min=0, help="Calls left unused in a day (a tenth).")
    ] = None,
    include_efforts: Annotated[
        bool, typer.Option(help="All segment efforts, not only personal records.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be fetched.")] = False,
    athlete: cli_run.Athlete = None,
) -> None:
    """Fetch details and points of known activities, newest first, as far as the quota allows."""
    from tracklake import flow

    options = EnrichOptions(
        everything=everything,
        since_days=since_days,
        ids=_ids(ids),
        only=_enrichments(only),
        max_calls=max_calls,
        cushion_15min=cushion_15min,
        cushion_daily=cushion_daily,
        include_efforts=include_efforts,
        dry_run=dry_run,
    )
    cli_run.run(
        "enrich", athlete, lambda session, report: flow.enrich_and_compact(session, report, options)
    )


def _words(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").replace(",", " ").split())


def _ids(text: str | None) -> tuple[str, ...]:
    for word in _words(text):
        if not word.isdecimal():
            raise ConfigError(f"--ids: {word} is no activity's id; say for instance --ids 123,456")
    return _words(text)


def _enrichments(text: str | None) -> tuple[str, ...]:
    from tracklake import enrichments, surroundings

    names = (*enrichments.ALL, *surroundings.NAMES)
    for word in _words(text):
        if word not in names:
            raise ConfigError(f"--only: there is no {word}; there are: {', '.join(names)}")
    return _words(text)


def forget(
    source: Annotated[str, typer.Option(help="Which source's: strava, garmin, …")],
    older_than_days: Annotated[
        int | None, typer.Option(min=0, help="Only what was fetched longer ago than that.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    athlete: cli_run.Athlete = None,
) -> None:
    """Remove what was fetched from a source, from bronze, the warehouse and the map."""
    from tracklake import flow

    settings, folders = config.load(athlete=athlete)
    if source not in config.SOURCES:
        raise ConfigError(f"there is no source {source}; there are: {', '.join(config.SOURCES)}")
    athletes.expect(folders, settings.athlete)
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigError("forget removes data for good: say --yes, or run it on a terminal")
        what = "everything" if older_than_days is None else f"what is over {older_than_days} d old"
        question = f"remove {what} of {settings.athlete} from {source} in {folders.data} for good?"
        typer.confirm(question, abort=True)
    cli_run.run(
        "forget",
        athlete,
        lambda session, report: flow.forget(session, report, source, older_than_days),
    )
