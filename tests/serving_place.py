"""A made-up map's place and a way to ask its server, letter by letter."""

import contextlib
import dataclasses
import gzip
import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path

from tracklake import config
from tracklake.serving import listening
from tracklake.serving.application import Site, application
from tracklake.serving.guard import Hosts

TILE = "tracks-2024-0123456789ab.pmtiles"
BYTES = bytes(range(250)) * 40  # 10,000
PAGE = "<!doctype html><title>Map</title>" + "<p>a map</p>" * 100


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back, as it was sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        """The body's content."""
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclasses.dataclass(frozen=True)
class Asker:
    """Asks a server on this machine, letter by letter as told."""

    port: int

    def __call__(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in ({"Host": f"127.0.0.1:{self.port}"} | headers).items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        with contextlib.closing(connection):
            found = connection.getresponse()
            body = found.read()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, body)


@contextlib.contextmanager
def served(site: Site) -> Iterator[Asker]:
    """Run the server in a thread."""
    started = threading.Event()
    server = listening.make_server(application(site), started.set)
    with listening.bind("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        assert started.wait(20)
        yield Asker(listener.getsockname()[1])
        server.should_exit = True
        thread.join()


def make_site(tmp_path: Path) -> Site:
    """Return a page and a folder of made-up tiles, with things beside them that are private."""
    _, folders = config.load(data_dir=tmp_path / "data")
    web = tmp_path / "web"
    for path, content in {
        web / "index.html": PAGE.encode(),
        web / "main.mjs": b"export const answer = 42;\n" * 40,
        web / "vendor" / "maplibre-gl-6.17.0" / "maplibre-gl.mjs": b"export {};\n",
        web / "vendor" / "pmtiles" / "LICENSE": b"BSD-3\n",
        web / ".hidden": b"secret",
        folders.tiles / TILE: BYTES,
        folders.tiles / "manifest.json": b'{"version": 2}',
        folders.tiles / "all.pmtiles": BYTES,
        folders.tiles / "tracks-2024-0123456789ab.geojsonl.gz": gzip.compress(b"{}\n" * 400),
        folders.tiles / "activities-0123456789ab.json": b'{"name": "secret"}' * 100,
        folders.tiles / ".landing-tiles" / "half.pmtiles": b"secret",
        folders.tiles / "notes.txt": b"secret",
        folders.tiles / "public" / "manifest.json": b'{"version": 2, "tracks": []}',
        folders.tiles / "public" / "recent-0123456789ab.pmtiles": b"public",
        folders.data / "secret.json": b"secret",
        tmp_path / "secret.pmtiles": b"secret",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folders.tiles / "link.pmtiles").symlink_to(tmp_path / "secret.pmtiles")
    (folders.tiles / "folder.pmtiles").mkdir()
    (web / "out").symlink_to(tmp_path)
    return Site(folders=folders, hosts=Hosts.of("127.0.0.1"), web=web)
