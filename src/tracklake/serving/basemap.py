"""The basemap that a person brings along: a PMTiles file, here or at an address."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from tracklake.errors import ConfigError

_BEGINNING = b"PMTiles\x03"
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", re.ASCII)
_ODD = re.compile(r"[^!-~]")  # what has to be escaped in an address


@dataclass(frozen=True, slots=True)
class Basemap:
    """Where the page finds it; `path` if we serve it, `origin` if somebody else does."""

    url: str
    path: Path | None = None
    origin: str | None = None


def basemap(given: str) -> Basemap:
    """Return what a person's words mean; raise ConfigError if it is no basemap."""
    if "://" in given:
        return Basemap(given, origin=_origin(given))
    path = Path(given).expanduser()
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_BEGINNING))
    except OSError as error:
        raise ConfigError(f"the basemap {given} cannot be read: {error.strerror}") from None
    if beginning != _BEGINNING:
        raise ConfigError(f"the basemap {given} is not a PMTiles file (version 3)")
    return Basemap(f"/basemap/{quote(path.name, safe='')}", path=path.absolute())


def _origin(url: str) -> str:
    """Return scheme, host and port; only what can stand in a Content-Security-Policy passes."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigError(f"the basemap {url} is no address") from None
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or _ODD.search(url):
        raise ConfigError(f"the basemap {url} is no http:// or https:// address of a PMTiles file")
    return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
