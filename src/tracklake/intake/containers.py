"""What a file is by its content, and how gzip is unpacked under limits of our own.

Names prove nothing: exports hold ".fit" files that are web pages and ".gpx" files that are FIT.
Limits are counted while unpacking, because headers lie.
"""

import io
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Literal, Protocol

from tracklake.errors import InvalidData
from tracklake.model import Format

Kind = Literal["fit", "gpx", "tcx", "gzip", "zip", "unknown"]

HEAD_BYTES = 4096  # enough to know what a file is
MOST_BYTES = 256 << 20  # of one file, unpacked
MOST_RATIO = 200  # unpacked to packed; the densest real GPX tracks reach about 40
_RATIO_COUNTS_FROM = 1 << 20
_STEP = 1 << 16
_GZIP = b"\x1f\x8b\x08"

_PROLOGUE = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL)
_ROOT = re.compile(r"\s*<(?:[\w.-]+:)?(gpx|TrainingCenterDatabase)\b", re.IGNORECASE)
_LATER = re.compile(r"<(?:[\w.-]+:)?(gpx|TrainingCenterDatabase)\s[^<>]*xmlns", re.IGNORECASE)
_FIT_HEADER_SIZES = (12, 14)
_CLAIM = re.compile(r"\.(fit|gpx|tcx)(\.gz)?$", re.IGNORECASE)


class Decompressor(Protocol):
    """What zlib's decompression objects can do."""

    @property
    def eof(self) -> bool:
        """Whether the content is complete."""

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that the last call had no room to unpack."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Unpack some."""


def sniff(head: bytes) -> Kind:
    """Tell from its first HEAD_BYTES what a file is; "unknown" is not ours."""
    if head.startswith(_GZIP):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    return "fit" if _is_fit(head) else _xml_kind(head)


def _is_fit(head: bytes) -> bool:
    """Look for a FIT header in the first KB: some downloads have garbage in front of it."""
    at = head.find(b".FIT", 0, 1024)
    while at >= 0:
        if at >= 8 and head[at - 8] in _FIT_HEADER_SIZES and head[at - 7] >> 4 <= 2:
            return True
        at = head.find(b".FIT", at + 1, 1024)
    return False


def _text(head: bytes) -> str:
    """Decode far enough to see markup, in whatever Unicode form."""
    if head.startswith((b"\xff\xfe", b"<\0")):
        return head.decode("utf-16-le", "replace").lstrip("\ufeff")
    if head.startswith((b"\xfe\xff", b"\0<")):
        return head.decode("utf-16-be", "replace").lstrip("\ufeff")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _xml_kind(head: bytes) -> Kind:
    text = _text(head).lstrip("\0 \t\r\n")
    if not text.startswith("<"):
        return "unknown"
    position = 0
    while match := _PROLOGUE.match(text, position):
        position = match.end()
    # A comment may be longer than the head; then a root further on is taken for the root.
    unfinished = text.startswith(("<!--", "<?", "<!"), position)
    found = _LATER.search(text, position) if unfinished else _ROOT.match(text, position)
    if not found:
        return "unknown"
    return "gpx" if found[1].lower() == "gpx" else "tcx"


def claim(name: str) -> Format | None:
    """Tell what a file's name says that it is: "run.fit.gz" says FIT."""
    match = _CLAIM.search(name)
    if not match:
        return None
    suffix = match[1].lower()
    return "fit" if suffix == "fit" else "gpx" if suffix == "gpx" else "tcx"


def describe(head: bytes) -> str:
    """Say what it is instead, for the person who expected an activity."""
    text = _text(head).lstrip("\0 \t\r\n").lower()
    if not head:
        return "it is empty"
    if text.startswith(("<!doctype html", "<html", "<head")):
        return "it is a web page (a failed download?)"
    if text.startswith(("{", "[")):
        return "it is JSON (a failed download?)"
    return "its content is not FIT, GPX or TCX"


def is_text(head: bytes) -> bool:
    """Tell text from binary: a FIT file without its first bytes is binary."""
    return not re.search(rb"[\x00-\x08\x0e-\x1f]", head)


def inflate(
    stream: BinaryIO, decompressor: Decompressor, packed_bytes: int, *, most_bytes: int
) -> Iterator[bytes]:
    """Unpack at most `packed_bytes` of a stream, step by step.

    Raises InvalidData("bomb", "too_large") where it grows beyond the limits, "truncated" where the
    packed bytes end before their content does.
    """
    packed = unpacked = 0
    while not decompressor.eof:
        piece = decompressor.unconsumed_tail
        if not piece:
            piece = stream.read(min(_STEP, packed_bytes - packed))
            packed += len(piece)
        chunk = decompressor.decompress(piece, _STEP)
        if not piece and not chunk and not decompressor.eof:
            raise InvalidData("it ends too early", reason="truncated")
        unpacked += len(chunk)
        check_growth(packed, unpacked, most_bytes)
        yield chunk


def check_growth(packed: int, unpacked: int, most_bytes: int) -> None:
    """Raise InvalidData if so many bytes out of so few are more than real files need."""
    if unpacked > most_bytes:
        limit = f"{most_bytes >> 20} MiB"
        raise InvalidData(f"unpacked it is larger than {limit}", reason="too_large")
    if unpacked > _RATIO_COUNTS_FROM and unpacked > MOST_RATIO * packed:
        message = f"it unpacks to more than {MOST_RATIO} times its size"
        raise InvalidData(message, reason="bomb")


def gunzip(data: bytes, *, most_bytes: int = MOST_BYTES) -> tuple[bytes, str | None]:
    """Unpack gzip, several members included; return the content and what was wrong with it.

    A damaged end costs only what lies behind the damage, because decoders salvage the rest.
    Raises InvalidData where nothing comes out, or too much.
    """
    content = bytearray()
    stream = io.BytesIO(data)
    while data.startswith(_GZIP, stream.tell()):
        decompressor = zlib.decompressobj(wbits=31)
        left = most_bytes - len(content)
        try:
            for chunk in inflate(stream, decompressor, len(data), most_bytes=left):
                content += chunk
        except zlib.error as error:
            return _salvaged(content, f"the gzip is damaged ({error})")
        except InvalidData as error:
            if error.reason != "truncated":
                raise
            return _salvaged(content, "the gzip ends too early")
        stream.seek(-len(decompressor.unused_data), io.SEEK_CUR)
    return bytes(content), None


def _salvaged(content: bytearray, problem: str) -> tuple[bytes, str]:
    if not content:
        raise InvalidData(problem, reason="bad_gzip")
    return bytes(content), problem
