"""The command that exports tables for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from tracklake import config
from tracklake.clock import SystemClock

# Whose data it is, by what the names of tables have in them; their licences ask for it.
_CREDITS = {
    "weather": "Weather data by Open-Meteo.com (CC BY 4.0)",
    "temperature": "Weather data by Open-Meteo.com (CC BY 4.0)",
    "places": "places: GeoNames (CC BY 4.0); © OpenStreetMap contributors (ODbL)",
    "cities": "places: GeoNames (CC BY 4.0); © OpenStreetMap contributors (ODbL)",
    "countries": "places: GeoNames (CC BY 4.0); © OpenStreetMap contributors (ODbL)",
}


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("export")(export)


def export(
    format_: Annotated[str, typer.Option("--format", help="parquet, csv or json (one a line).")],
    table: Annotated[
        list[str] | None,
        typer.Option(help="This table or view; may be repeated. Default: all but the points."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Folder for the files. Default: data/exports/<today>.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    athlete: Annotated[
        str | None, typer.Option(help="Only what is this athlete's (default: everybody's).")
    ] = None,
) -> None:
    """Write tables and views of the published warehouse as files for other programs."""
    from tracklake import exporting
    from tracklake.narrowing import Part

    settings, folders = config.load(athlete=athlete)
    part = Part(athlete=athlete, without=tuple(settings.not_exported))
    folder = to or exporting.dated_folder(folders, SystemClock().now())
    wish = exporting.Wish(format_, tuple(table or ()), folder, overwrite=force, part=part)
    for done in exporting.export(folders, wish):
        typer.echo(f"{done.path}  {done.row_count:,} rows, {done.size_bytes / 1e6:,.1f} MB")
        for credit in (words for part, words in _CREDITS.items() if part in done.table):
            typer.echo(f"  {credit}")
    if part.without:
        typer.echo(f"left out, as TRACKLAKE_NOT_EXPORTED says: {', '.join(part.without)}")
    if not table:
        typer.echo(
            "points and tracks are large and were left out: "
            "--table activity_streams --table activity_tracks exports them"
        )
