"""Who asks the map's server for what it does not give, and what it may be told to give."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving_place import BYTES, TILE, Asker, make_site, served
from tracklake.errors import ConfigError
from tracklake.serving.application import Site
from tracklake.serving.basemap import basemap
from tracklake.serving.guard import Hosts


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a made-up place, with things in and beside it that are private."""
    return make_site(tmp_path)


@pytest.fixture
def ask(site: Site) -> Iterator[Asker]:
    """Return a way to ask a running server."""
    with served(site) as asker:
        yield asker


@pytest.mark.parametrize(
    "path",
    [
        "/tiles/../secret.json",
        "/tiles/..%2fsecret.json",
        "/tiles/%2e%2e/secret.json",
        "/tiles/..%5csecret.json",
        "/tiles/.landing-tiles/half.pmtiles",
        "/tiles/.landing-tiles%2fhalf.pmtiles",
        "/tiles/public/recent-0123456789ab.pmtiles",
        "/tiles/public%2frecent-0123456789ab.pmtiles",
        "/tiles/notes.txt",
        "/tiles/link.pmtiles",
        "/tiles/folder.pmtiles",
        "/tiles/manifest.json%00.pmtiles",
        "/tiles/",
        "/map/../secret.pmtiles",
        "/map/%2e%2e/secret.pmtiles",
        "/map/..%2fsecret.pmtiles",
        "/map/vendor/../../secret.pmtiles",
        "/map//etc/passwd",
        "/map/%2fetc/passwd",
        "/map/out/secret.pmtiles",
        "/map/.hidden",
        "/map/vendor",
        "/map/vendor/",
        "/map/nothing.mjs",
        "/data/secret.json",
        "/basemap/secret.pmtiles",
        "//evil.example/map/",
    ],
)
def test_nothing_else_is_to_be_had(ask: Asker, path: str) -> None:
    """Ways out of the folders, hidden, half-made and unknown files are answered with 404."""
    answer = ask(path)
    assert (answer.status, list(answer.json)) == (404, ["error"])


@pytest.mark.parametrize(
    ("bound", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1", 200),
        ("127.0.0.1", "localhost:8722", 200),
        ("127.0.0.1", "LOCALHOST", 200),
        ("127.0.0.1", "[::1]:99", 200),
        ("127.0.0.1", "evil.example", 400),
        ("127.0.0.1", "evil.example:8722", 400),
        ("127.0.0.1", "localhost.evil.example", 400),
        ("127.0.0.1", "127.0.0.1.evil.example", 400),
        ("127.0.0.1", "192.168.1.7", 400),
        ("127.0.0.1", "localhost:8722@evil.example", 400),
        ("127.0.0.1", "", 400),
        ("192.168.1.7", "192.168.1.7:8722", 200),
        ("192.168.1.7", "192.168.1.8:8722", 400),
        ("My-Machine.local", "my-machine.local:8722", 200),
        ("0.0.0.0", "192.168.1.7:8722", 200),  # noqa: S104
        ("0.0.0.0", "evil.example", 400),  # noqa: S104
        ("::", "[fe80::1]:8722", 200),
    ],
)
def test_only_our_own_names(site: Site, bound: str, host: str, status: int) -> None:
    """A page of somebody else's whose name leads here (DNS rebinding) is not answered."""
    with served(dataclasses.replace(site, hosts=Hosts.of(bound))) as ask:
        assert ask("/map/config.json", Host=host).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "ODD"])
def test_it_can_only_be_read(ask: Asker, method: str) -> None:
    """Anything but GET and HEAD is refused, wherever."""
    for path in ("/map/", "/tiles/manifest.json", "/nothing"):
        answer = ask(path, method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_every_answer_says_how_it_may_be_used(ask: Asker) -> None:
    """Whatever the status, the policy, the type and the referrer rules are there, and no server."""
    for answer in (
        ask("/map/"),
        ask("/"),
        ask("/nothing"),
        ask("/map/", "POST"),
        ask("/map/", Host="evil.example"),
        ask(f"/tiles/{TILE}", Range="bytes=0-1"),
        ask(f"/tiles/{TILE}", Range="bytes=99999-"),
        ask(f"/tiles/{TILE}", If_None_Match="*"),
    ):
        said = answer.headers
        assert "default-src 'self'" in said["content-security-policy"]
        assert "connect-src 'self';" in said["content-security-policy"]
        assert "unsafe" not in said["content-security-policy"]
        assert said["x-content-type-options"] == "nosniff"
        assert said["referrer-policy"] == "no-referrer"
        assert said["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in said
        assert "access-control-allow-origin" not in said


def test_before_the_first_flow(site: Site) -> None:
    """Without tiles and a warehouse the page loads, and what is asked for says what to run."""
    shutil.rmtree(site.folders.data)
    with served(site) as ask:
        assert ask("/map/").status == 200
        manifest, track = ask("/tiles/manifest.json"), ask("/activities/1/track")
    assert (manifest.status, manifest.json) == (404, {"error": "no tiles yet: run make flow"})
    assert track.status == 404
    assert "tracklake flow" in str(track.json["error"])


def test_in_public_only_what_is_public(site: Site) -> None:
    """--public gives the other set of tiles, no track and nothing of the private set."""
    with served(dataclasses.replace(site, public=True)) as ask:
        assert ask("/map/config.json").json == {"public": True, "basemap": None}
        assert ask("/tiles/manifest.json").json == {"version": 2, "tracks": []}
        assert ask("/tiles/recent-0123456789ab.pmtiles").body == b"public"
        refused = [ask(path).status for path in (f"/tiles/{TILE}", "/activities/1/track")]
        shutil.rmtree(site.tiles / "public")
        nothing = ask("/tiles/manifest.json")
    assert refused == [404, 404]
    assert "TRACKLAKE_PRIVACY_ZONES" in str(nothing.json["error"])


def test_a_basemap_of_ones_own(site: Site, tmp_path: Path) -> None:
    """A file is served in ranges under its name; of an address the page may ask that host alone."""
    path = tmp_path / "my town.pmtiles"
    path.write_bytes(b"PMTiles\x03" + BYTES)
    with served(dataclasses.replace(site, basemap=basemap(str(path)))) as ask:
        url = ask("/map/config.json").json["basemap"]
        assert url == "/basemap/my%20town.pmtiles"
        assert ask(str(url), Range="bytes=0-6").body == b"PMTiles"
        path.unlink()
        assert ask(str(url)).status == 404
    theirs = basemap("https://tiles.example:8443/a/b.pmtiles?key=1")
    with served(dataclasses.replace(site, basemap=theirs)) as ask:
        answer = ask("/map/config.json")
    assert answer.json["basemap"] == "https://tiles.example:8443/a/b.pmtiles?key=1"
    allowed = answer.headers["content-security-policy"]
    assert "connect-src 'self' https://tiles.example:8443;" in allowed


@pytest.mark.parametrize(
    "given",
    [
        "nowhere.pmtiles",
        "page.pmtiles",
        "ftp://tiles.example/a.pmtiles",
        "file:///etc/passwd",
        "https://",
        "https://evil.example; script-src *",
        "https://evil.example/a b",
        "https://ev;il/a",
        "https://a,b/a",
        "https://host:port/a",
    ],
)
def test_what_is_no_basemap_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    """Files that are no PMTiles, and addresses that would change the policy, are refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.pmtiles").write_text("<!doctype html>")
    with pytest.raises(ConfigError, match="the basemap"):
        basemap(given)
