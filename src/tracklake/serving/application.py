"""Which address gives what; the API takes these addresses over."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tracklake.config import Folders
from tracklake.errors import ConfigError, Error
from tracklake.serving import files
from tracklake.serving.basemap import Basemap
from tracklake.serving.guard import Guard, Hosts, policy
from tracklake.serving.tracks import Tracks

WEB = Path(__file__).resolve().parent.parent / "web"

_MANIFEST = "manifest.json"
_TILES = re.compile(r"[a-z][a-z0-9-]*\.(pmtiles|geojsonl\.gz|json)", re.ASCII)
_NAMED_BY_CONTENT = re.compile(r".+-[0-9a-f]{12}\.[a-z.]+", re.ASCII)
_NAMED_BY_VERSION = re.compile(r"vendor/[^/]+-\d+\.\d+\.\d+[^/]*/.+", re.ASCII)
_ID = re.compile(r"\d{1,18}", re.ASCII)  # what surely is a BIGINT
_NOTHING = "there is nothing at this address"
_NO_TILES = "no tiles yet: run make flow"
_NO_PUBLIC_TILES = (
    "no public tiles yet: set TRACKLAKE_PRIVACY_ZONES or TRACKLAKE_PRIVACY_CUT_M and run make flow"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is served. public: only the set of tiles from which private places were cut."""

    folders: Folders
    hosts: Hosts
    public: bool = False
    basemap: Basemap | None = None
    web: Path = WEB

    @property
    def tiles(self) -> Path:
        """The folder of the tiles that may be seen."""
        return self.folders.tiles / "public" if self.public else self.folders.tiles


def application(site: Site, more: Sequence[Route] = ()) -> Starlette:
    """Return the map's server (ASGI), which answers at `more` addresses, too."""
    pages = _Pages(site)
    routes = [
        *more,
        Route("/", _to_the_page),
        Route("/map", _to_the_page),
        Route("/map/", pages.page),
        Route("/map/config.json", pages.config),
        Route("/map/{name:path}", pages.page),
        Route("/tiles/{name}", pages.tiles),
        Route("/basemap/{name}", pages.basemap),
    ]
    if not site.public:
        routes.append(Route("/activities/{activity_id}/track", pages.track))
    origin = site.basemap.origin if site.basemap else None
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, hosts=site.hosts, content_policy=policy(origin))],
        exception_handlers={HTTPException: _no_such_address, Error: _not_to_be_had},
    )
    app.router.redirect_slashes = False
    return app


def _to_the_page(request: Request) -> Response:  # noqa: ARG001 Starlette hands it over
    return RedirectResponse("/map/", headers={"Cache-Control": files.REVALIDATED})


def _no_such_address(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return files.problem(getattr(error, "status_code", 404), _NOTHING)


def _not_to_be_had(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return files.problem(404 if isinstance(error, ConfigError) else 503, str(error))


class _Pages:
    """The answers; they block, so Starlette runs them in its threads."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._tracks = Tracks(site.folders)

    def page(self, request: Request) -> Response:
        name = request.path_params.get("name") or "index.html"
        cache = files.FOR_EVER if _NAMED_BY_VERSION.fullmatch(name) else files.REVALIDATED
        return _file(request, self._site.web, name, cache) or files.problem(404, _NOTHING)

    def config(self, request: Request) -> Response:
        basemap = self._site.basemap
        return files.json(
            request, {"public": self._site.public, "basemap": basemap.url if basemap else None}
        )

    def tiles(self, request: Request) -> Response:
        name = request.path_params["name"]
        by_content = _NAMED_BY_CONTENT.fullmatch(name)
        cache = files.FOR_EVER if by_content else files.REVALIDATED
        found = _TILES.fullmatch(name) and _file(request, self._site.tiles, name, cache)
        if found:
            return found
        if name != _MANIFEST:
            return files.problem(404, "there is no such file, or no longer: read the manifest")
        return files.problem(404, _NO_PUBLIC_TILES if self._site.public else _NO_TILES)

    def basemap(self, request: Request) -> Response:
        basemap = self._site.basemap
        path = basemap.path if basemap else None
        if path is None or request.path_params["name"] != path.name or not path.is_file():
            return files.problem(404, _NOTHING)
        return files.ranged(request, path, path.stat(), files.REVALIDATED)

    def track(self, request: Request) -> Response:
        activity_id = request.path_params["activity_id"]
        found = self._tracks.track(int(activity_id)) if _ID.fullmatch(activity_id) else None
        if found is None:
            return files.problem(404, "there is no such activity")
        return files.json(request, found)


def _file(request: Request, folder: Path, name: str, cache: str) -> Response | None:
    """Answer with a file below a folder; None if it is not there, or no longer."""
    status = files.plain_file(folder, name)
    if status is None:
        return None
    try:
        return files.file(request, folder / name, status, cache)
    except FileNotFoundError:  # a flow replaced it just now
        return None
