"""The map's server, asked over real HTTP: files, ranges, validators, compression."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving_place import BYTES, PAGE, TILE, Asker, make_site, served
from tracklake.serving.application import Site

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a made-up place, with things in and beside it that are private."""
    return make_site(tmp_path)


@pytest.fixture
def ask(site: Site) -> Iterator[Asker]:
    """Return a way to ask a running server."""
    with served(site) as asker:
        yield asker


def test_the_page_and_its_modules(ask: Asker) -> None:
    """`/` leads to the page; modules are JavaScript; a version in a path is for ever."""
    assert [ask(path).headers["location"] for path in ("/", "/map")] == ["/map/", "/map/"]
    page, module = ask("/map/"), ask("/map/main.mjs")
    assert (page.status, page.body) == (200, PAGE.encode())
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert module.headers["content-type"] == "text/javascript; charset=utf-8"
    assert {page.headers["cache-control"], module.headers["cache-control"]} == {"no-cache"}
    vendored = ask("/map/vendor/maplibre-gl-6.17.0/maplibre-gl.mjs")
    assert vendored.headers["cache-control"] == FOR_EVER
    assert ask("/map/vendor/pmtiles/LICENSE").headers["content-type"].startswith("text/plain")


def test_how_long_tiles_are_kept(ask: Asker) -> None:
    """A file named by its content is kept for ever; the manifest and all.pmtiles are asked for."""
    tile = ask(f"/tiles/{TILE}")
    assert (tile.status, tile.body) == (200, BYTES)
    assert tile.headers["cache-control"] == FOR_EVER
    assert tile.headers["accept-ranges"] == "bytes"
    assert tile.headers["content-type"] == "application/vnd.pmtiles"
    assert ask("/tiles/manifest.json").headers["cache-control"] == "no-cache"
    assert ask("/tiles/all.pmtiles").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("wanted", "status", "content_range", "body"),
    [
        ("bytes=0-126", 206, "bytes 0-126/10000", BYTES[:127]),
        ("bytes=9990-", 206, "bytes 9990-9999/10000", BYTES[9990:]),
        ("bytes=-10", 206, "bytes 9990-9999/10000", BYTES[-10:]),
        ("bytes=-20000", 206, "bytes 0-9999/10000", BYTES),
        ("bytes=5-5", 206, "bytes 5-5/10000", BYTES[5:6]),
        ("bytes=0-16383", 206, "bytes 0-9999/10000", BYTES),
        ("bytes=10000-", 416, "bytes */10000", b""),
        ("bytes=-0", 416, "bytes */10000", b""),
        ("bytes=9-5", 200, None, BYTES),
        ("bytes=", 200, None, BYTES),
        ("bytes=a-b", 200, None, BYTES),
        ("bytes=0-1,x", 200, None, BYTES),
        ("bytes=" + "9" * 5000 + "-", 200, None, BYTES),
        ("items=0-1", 200, None, BYTES),
    ],
)
def test_ranges(
    ask: Asker, wanted: str, status: int, content_range: str | None, body: bytes
) -> None:
    """A range gives just those bytes, one beyond the end 416, what is no range the whole file."""
    answer = ask(f"/tiles/{TILE}", Range=wanted, Accept_Encoding="gzip")
    assert (answer.status, answer.headers.get("content-range")) == (status, content_range)
    assert status == 416 or answer.body == body
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == str(len(answer.body))


def test_several_ranges_come_in_parts(ask: Asker) -> None:
    """Two ranges in one request come as multipart/byteranges."""
    answer = ask(f"/tiles/{TILE}", Range="bytes=0-1, 100-101")
    assert answer.status == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges")
    assert b"bytes 100-101/10000\r\n\r\n" + BYTES[100:102] in answer.body


def test_a_head_request_has_no_ranges(ask: Asker) -> None:
    """HEAD answers as GET of the whole would, without the body."""
    answer = ask(f"/tiles/{TILE}", "HEAD", Range="bytes=0-1")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "10000", b"")


@pytest.mark.parametrize(
    "path", [f"/tiles/{TILE}", "/tiles/manifest.json", "/map/", "/map/main.mjs"]
)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_what_is_known_is_not_sent_again(ask: Asker, path: str, encoding: str) -> None:
    """If-None-Match with the ETag, also weak, in a list or `*`, gives 304 with it, else 200."""
    first = ask(path, Accept_Encoding=encoding)
    etag = first.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = ask(path, If_None_Match=known, Range="bytes=0-1", Accept_Encoding=encoding)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == first.headers["cache-control"]
    assert ask(path, If_None_Match='"other"', Accept_Encoding=encoding).status == 200


def test_a_range_of_another_version_is_not_given(ask: Asker) -> None:
    """If-Range with the present ETag gives the range, with any other the whole file."""
    etag = ask(f"/tiles/{TILE}").headers["etag"]
    assert ask(f"/tiles/{TILE}", Range="bytes=0-1", If_Range=etag).status == 206
    for other in ('"other"', f"W/{etag}"):
        assert ask(f"/tiles/{TILE}", Range="bytes=0-1", If_Range=other).status == 200


def test_a_replaced_manifest_is_noticed(ask: Asker, site: Site) -> None:
    """After a flow the old ETag no longer counts and the new content comes, compressed or not."""
    big = b'{"version": 2, "tracks": []}' + b" " * 2000
    (site.tiles / "manifest.json").write_bytes(big)
    old = ask("/tiles/manifest.json", Accept_Encoding="gzip").headers["etag"]
    replacement = site.tiles / "new"
    replacement.write_bytes(big.replace(b"2", b"3", 1))
    replacement.replace(site.tiles / "manifest.json")
    answer = ask("/tiles/manifest.json", Accept_Encoding="gzip", If_None_Match=old)
    assert answer.status == 200
    assert gzip.decompress(answer.body).startswith(b'{"version": 3')


def test_only_text_is_compressed(ask: Asker) -> None:
    """Pages, modules and JSON come compressed where the browser says so; tiles never do."""
    plain = ask("/map/main.mjs")
    packed = ask("/map/main.mjs", Accept_Encoding="deflate, gzip;q=0.5")
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["content-length"] == str(len(packed.body))
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in ask("/map/main.mjs", Accept_Encoding="gzip;q=0").headers
    for name in (TILE, "tracks-2024-0123456789ab.geojsonl.gz"):
        answer = ask(f"/tiles/{name}", Accept_Encoding="gzip")
        assert "content-encoding" not in answer.headers
    assert (
        ask("/tiles/activities-0123456789ab.json", Accept_Encoding="gzip").headers[
            "content-encoding"
        ]
        == "gzip"
    )
