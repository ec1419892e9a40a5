"""The command that sends files on to Strava."""

import datetime as dt
from typing import Annotated

import typer

from tracklake import cli_run
from tracklake.errors import ConfigError


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(upload)


def upload(  # noqa: PLR0913 one parameter an option
    dry_run: Annotated[
        bool, typer.Option(help="Only say what would go, and why not more.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(help="Only what began on this day (UTC) or later: 2026-01-31.")
    ] = None,
    sport: Annotated[str | None, typer.Option(help="Only these sports: Run,Ride.")] = None,
    name: Annotated[
        str | None,
        typer.Option(help='The name on Strava: "{date} {time} {sport} {name}" (Strava\'s own).'),
    ] = None,
    max_calls: Annotated[
        int | None,
        typer.Option(min=0, help="Stop after so many calls; the next run goes on there."),
    ] = None,
    again: Annotated[bool, typer.Option(help="Also files that Strava refused before.")] = False,
    athlete: cli_run.Athlete = None,
) -> None:
    """Send files of activities that Strava lacks on to Strava, each once."""
    from tracklake import flow
    from tracklake.uploads.candidates import Wish
    from tracklake.uploads.report import UploadOptions

    options = UploadOptions(
        wish=Wish(since_s=_day(since), sports=_sports(sport), again=again),
        name=name,
        max_calls=max_calls,
        dry_run=dry_run,
    )
    cli_run.run("upload", athlete, lambda session, report: flow.upload(session, report, options))


def _day(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--since: {text} is no day; say for instance 2026-01-31") from None
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()


def _sports(text: str | None) -> frozenset[str]:
    from tracklake import sports

    words = (text or "").replace(",", " ").split()
    known = {name.lower(): name for name in sports.SPORT_TYPES}
    for word in words:
        if word.lower() not in known:
            raise ConfigError(
                f"--sport: there is no {word}; there are: {', '.join(sorted(known.values()))}"
            )
    return frozenset(word.lower() for word in words)
