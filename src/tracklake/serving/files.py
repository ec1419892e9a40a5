"""How a file or a text is answered: validators, ranges, compression; nothing about which file."""

import functools
import gzip
import hashlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import FileResponse, Response

REVALIDATED = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"  # for names that never get another content

PMTILES = "application/vnd.pmtiles"
_JSON = "application/json"
# Text is compressed; nothing else is, for it is compressed already, and a range of a compressed
# answer would be another than that of the file.
_TEXTS = {
    ".html": "text/html; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": _JSON,
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",  # licences
}
_OTHERS = {
    ".pmtiles": PMTILES,
    ".gz": "application/gzip",
    ".png": "image/png",
}
_SMALLEST_COMPRESSED = 500  # bytes; less is not worth it
_MOST_COMPRESSED = 64  # texts whose compressed form is kept: the page has two dozen
_NAME = re.compile(r"(?!\.)[A-Za-z0-9._-]+", re.ASCII)
_RANGE = re.compile(r"(\d{1,18})-(\d{0,18})|-\d{1,18}", re.ASCII)


def plain_file(folder: Path, name: str) -> os.stat_result | None:
    """Return the status of a regular file below a folder, or None if there is none to be given.

    name: parts joined by "/". Parts that are hidden, climb up or hold anything but letters, digits
    and "._-" are not looked for; links are not followed out of the folder.
    """
    if not all(_NAME.fullmatch(part) for part in name.split("/")):
        return None
    try:
        path = (folder / name).resolve(strict=True)
        status = path.stat()
    except OSError:
        return None
    inside = path.is_relative_to(folder.resolve())
    return status if inside and stat.S_ISREG(status.st_mode) else None


def file(request: Request, path: Path, status: os.stat_result, cache: str) -> Response:
    """Answer with a file: text compressed if the browser takes it, anything else in ranges.

    The ETag changes with size and time of change, so a file that is replaced is noticed.
    """
    etag = _etag(status)
    if path.suffix in _TEXTS:
        label = _Label(_TEXTS[path.suffix], cache, etag)
        is_large = status.st_size >= _SMALLEST_COMPRESSED
        packed = functools.partial(_compressed, path, etag) if is_large else None
        return _text(request, label, path.read_bytes, packed)
    media_type = _OTHERS.get(path.suffix, "application/octet-stream")
    return ranged(request, path, status, cache, media_type)


def ranged(
    request: Request, path: Path, status: os.stat_result, cache: str, media_type: str = PMTILES
) -> Response:
    """Answer with a file as it is, or the ranges of it that are asked for."""
    etag = _etag(status)
    headers = {"Cache-Control": cache, "ETag": etag}
    if _is_known(request, etag):
        return Response(status_code=304, headers=headers)
    _ignore_odd_ranges(request)
    return FileResponse(path, headers=headers, media_type=media_type, stat_result=status)


def json(request: Request, content: object) -> Response:
    """Answer with JSON that may change, compressed if the browser takes it; NaN becomes null."""
    body = orjson.dumps(content)
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    is_large = len(body) >= _SMALLEST_COMPRESSED
    packed = functools.partial(gzip.compress, body, 6, mtime=0) if is_large else None
    return _text(request, _Label(_JSON, REVALIDATED, etag), lambda: body, packed)


def problem(status_code: int, sentence: str, **headers: str) -> Response:
    """Answer that something is not to be had, with a sentence for a person."""
    return Response(
        orjson.dumps({"error": sentence}),
        status_code=status_code,
        headers={"Cache-Control": REVALIDATED, **headers},
        media_type=_JSON,
    )


def _etag(status: os.stat_result) -> str:
    return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'


@dataclass(frozen=True, slots=True)
class _Label:
    media_type: str
    cache: str
    etag: str


def _text(
    request: Request,
    label: _Label,
    plain: Callable[[], bytes],
    packed: Callable[[], bytes] | None,
) -> Response:
    """Answer with a text in one of its two forms, each with an ETag of its own."""
    headers = {"Cache-Control": label.cache, "ETag": label.etag, "Vary": "Accept-Encoding"}
    read, encoding = plain, {}
    if packed is not None and _takes_gzip(request):
        read, encoding = packed, {"Content-Encoding": "gzip"}
        headers["ETag"] = f'{label.etag[:-1]}-gz"'
    if _is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(read(), headers=headers | encoding, media_type=label.media_type)


@functools.lru_cache(maxsize=_MOST_COMPRESSED)
def _compressed(path: Path, etag: str) -> bytes:  # noqa: ARG001 another etag is another content
    return gzip.compress(path.read_bytes(), 9, mtime=0)


def _takes_gzip(request: Request) -> bool:
    codings = request.headers.get("accept-encoding", "").lower().split(",")
    words = [[word.strip() for word in coding.split(";")] for coding in codings]
    return any(
        name in ("gzip", "*") and not any(re.fullmatch(r"q=0(\.0*)?", word) for word in rest)
        for name, *rest in words
    )


def _is_known(request: Request, etag: str) -> bool:
    """Tell whether the browser has this already (If-None-Match, compared weakly)."""
    known = request.headers.get("if-none-match", "")
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
    return etag in tags or "*" in tags


def _ignore_odd_ranges(request: Request) -> None:
    """Take out a Range that does not count (RFC 9110, 14.2): then the whole file is given."""
    unit, _, ranges = request.headers.get("range", "").partition("=")
    if request.method == "GET" and unit == "bytes":
        found = [_RANGE.fullmatch(part.strip()) for part in ranges.split(",")]
        if all(one and (not one[2] or int(one[1]) <= int(one[2])) for one in found):
            return
    request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
