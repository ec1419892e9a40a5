"""The command that shows the map."""

import threading
import webbrowser
from typing import Annotated

import typer

from tracklake import cli_run, config

PORT = 8722


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("map")(map_)


def map_(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = PORT,
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 lets others in your network look, too.")
    ] = "127.0.0.1",
    public: Annotated[
        bool, typer.Option("--public", help="Only what the privacy zones leave.")
    ] = False,
    basemap: Annotated[
        str | None,
        typer.Option(help="A PMTiles file or its address (default TRACKLAKE_BASEMAP)."),
    ] = None,
    athlete: cli_run.Athlete = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Show the map in a browser; Ctrl-C ends it."""
    from tracklake.serving import application, guard, listening
    from tracklake.serving.basemap import basemap as find_basemap

    settings, folders = config.load(basemap=basemap, athlete=athlete)
    site = application.Site(
        folders=folders,
        hosts=guard.Hosts.of(host),
        public=public,
        basemap=find_basemap(settings.basemap) if settings.basemap else None,
    )
    listener = listening.bind(host, port)
    address = listening.address(listener)
    if not public and listening.is_for_others(listener):
        typer.echo(
            f"{host} is not only this machine: whoever can reach it sees all your tracks, also "
            "what privacy zones hide (--public leaves that out)",
            err=True,
        )

    def started() -> None:
        typer.echo(f"the map is at {address} (Ctrl-C ends it)")
        if open_page:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    listening.serve(application.application(site), listener, started)
