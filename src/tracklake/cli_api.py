"""The command that serves the API."""

import re
from typing import Annotated

import typer

from tracklake import config
from tracklake.errors import ConfigError

_BIND = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]]+)):(\d{1,5})", re.ASCII)
_LAST_PORT = 65_535


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command("api")(api)


def api(
    bind: Annotated[
        str | None,
        typer.Option(help="Address and port (default TRACKLAKE_API_BIND); port 0: any free one."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only ask whether it lives; exit code 0 or 1.")
    ] = False,
) -> None:
    """Serve the map, its tiles and /health until Ctrl-C or SIGTERM."""
    settings, folders = config.load()
    host, port = address(bind or settings.api_bind)
    if check:
        _check(host, port)
        return
    from tracklake.serving import application, guard, health, listening
    from tracklake.serving.basemap import basemap as find_basemap

    site = application.Site(
        folders=folders,
        hosts=guard.Hosts.of(host),
        basemap=find_basemap(settings.basemap) if settings.basemap else None,
    )
    listener = listening.bind(host, port, listening.API)
    origin = listening.address(listener).removesuffix("/map/")
    if listening.is_for_others(listener):
        typer.echo(f"whoever can reach {host}:{port} sees all your tracks", err=True)
    listening.serve(
        application.application(site, health.routes(folders)),
        listener,
        lambda: typer.echo(f"the API is at {origin} (Ctrl-C ends it)"),
    )


def address(text: str) -> tuple[str, int]:
    """Return host and port of "host:port" or "[IPv6]:port"; ConfigError if it is neither."""
    found = _BIND.fullmatch(text)
    if found is None or int(found[3]) > _LAST_PORT:
        raise ConfigError(
            f"{text} is not an address and a port; 127.0.0.1:8080 is, or [::1]:8080 (--bind or "
            "TRACKLAKE_API_BIND)"
        )
    return found[1] or found[2], int(found[3])


def _check(host: str, port: int) -> None:
    from tracklake.serving import alive

    if not alive.is_alive(host, port):
        typer.echo(f"nothing answers at {host}:{port}: `tracklake api` serves there", err=True)
        raise typer.Exit(1)
    typer.echo(f"the API at {host}:{port} answers")
