"""XML as a stream, for formats that need no DTD; and the few strings that writing XML takes.

Owns what may go wrong with XML as such: encodings, forbidden declarations, size limits, a document
that breaks off. Knows nothing of GPX and TCX.
"""

from __future__ import annotations

import codecs
import datetime as dt
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO
from xml.parsers import expat

from tracklake.errors import InvalidData

MAX_DEPTH = 64
MAX_TEXT_CHARACTERS = 65_536  # of one element; what is beyond is cut off
MAX_ATTRIBUTES = 64
MAX_TOKEN_BYTES = 1 << 20  # one tag or comment, which expat must hold as a whole
MAX_NAMES = 10_000  # distinct names of elements and attributes, which expat holds to the end
_CHUNK_BYTES = 1 << 16
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 UTC, which "Z" says

# Python has codecs that are no character sets (zlib, unicode_escape); only these are let in. None
# of UTF-16 and -32: what declares those in legible ASCII is wrong about itself.
_CHARACTER_SETS = re.compile(
    r"(iso-?8859-?\d+|latin-?\d|windows-?\d+|cp-?\d+|ibm-?\d+"
    r"|koi8-[ru]|mac-?roman|macintosh|gbk|gb2312|gb18030|big5|shift[-_]jis|euc-(jp|kr))",
    re.IGNORECASE,
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)

Path = Sequence[str]
StartHandler = Callable[[Path, dict[str, str]], None]
EndHandler = Callable[[Path, str], None]
Naming = Callable[[str], str]


def local_name(name: str) -> str:
    """Return an element's name without prefix and in lower case: "gpxtpx:HR" is "hr"."""
    return name.rpartition(":")[2].lower()


def read(
    stream: BinaryIO, start: StartHandler, end: EndHandler, *, naming: Naming = local_name
) -> str | None:
    """Call `start(path, attributes)` and `end(path, text)` for the elements; None if complete.

    path: the names from the root to the element itself, each as `naming` puts it; valid during the
    call only. text: what stands in an element without children, stripped. Where the document breaks
    off or stops being XML, what came before has been reported and a sentence about the place is
    returned. Raises InvalidData for what no activity file contains: a DTD ("xml_forbidden"), more
    than 64 levels, and tags, attributes or names beyond the limits above ("xml_limits"). Whatever
    the handlers and the stream raise passes through. Memory is bounded by the limits.
    """
    parser = _parser(start, end, functools.lru_cache(maxsize=1024)(naming))
    fed = 0
    try:
        for text in _characters(stream):
            data = text.encode("utf-8", "replace")
            fed += len(data)
            parser.Parse(data, False)
            _check_limits(parser, fed)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        return f"not readable from line {error.lineno} on: {expat.ErrorString(error.code)}"
    return None


def _parser(start: StartHandler, end: EndHandler, naming: Naming) -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.buffer_size = 8192
    handlers = _handlers(start, end, naming)
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = handlers
    parser.StartDoctypeDeclHandler = _forbid
    return parser


def _handlers(
    start: StartHandler, end: EndHandler, naming: Naming
) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None], Callable[[str], None]]:
    """Return expat's handlers for the start, the text and the end of an element."""
    path: list[str] = []
    parts: list[str] = []
    size = 0

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal size
        path.append(naming(name))
        if len(path) > MAX_DEPTH or len(attributes) > MAX_ATTRIBUTES:
            raise InvalidData("elements too deep or with too many attributes", reason="xml_limits")
        if parts:
            parts.clear()
            size = 0
        start(path, attributes)

    def on_text(data: str) -> None:
        nonlocal size
        if size < MAX_TEXT_CHARACTERS:
            parts.append(data[: MAX_TEXT_CHARACTERS - size])
            size += len(data)

    def on_end(_name: str) -> None:
        nonlocal size
        text = ""
        if parts:
            text = "".join(parts).strip()
            parts.clear()
            size = 0
        end(path, text)
        path.pop()

    return on_start, on_text, on_end


def _forbid(*_: object) -> None:
    raise InvalidData("the file declares a document type", reason="xml_forbidden")


def _check_limits(parser: expat.XMLParserType, fed_bytes: int) -> None:
    if fed_bytes - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
        raise InvalidData("a tag or comment of over a megabyte", reason="xml_limits")
    if len(parser.intern) > MAX_NAMES:
        raise InvalidData("too many different names of elements", reason="xml_limits")


def _characters(stream: BinaryIO) -> Iterator[str]:
    """Yield the text in pieces, without what may stand before the first `<`.

    Strava's exports have spaces before the XML declaration, which expat refuses.
    """
    started = False
    for text in _decoded(stream):
        piece = text if started else text.lstrip(" \t\r\n\ufeff")
        started = started or bool(piece)
        if piece:
            yield piece


def _decoded(stream: BinaryIO) -> Iterator[str]:
    chunk = stream.read(_CHUNK_BYTES)
    encoding = _encoding(chunk)
    if encoding == "utf-8":
        yield from _decoded_utf8(stream, chunk)
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while chunk:
        yield decoder.decode(chunk)
        chunk = stream.read(_CHUNK_BYTES)


def _decoded_utf8(stream: BinaryIO, chunk: bytes) -> Iterator[str]:
    """Decode UTF-8; from the first chunk that is none on, take it for its usual rival."""
    decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")()
    while chunk:
        kept = decoder.getstate()[0]
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError:
            decoder = codecs.getincrementaldecoder("cp1252")("replace")
            text = decoder.decode(kept + chunk)
        yield text
        chunk = stream.read(_CHUNK_BYTES)


def _encoding(head: bytes) -> str:
    """Return the codec for a document that begins so; the bytes outweigh the declaration."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    declared = _DECLARED.match(head[:1024])
    name = declared[1].decode("ascii") if declared else "utf-8"
    if not _CHARACTER_SETS.fullmatch(name):
        return "utf-8"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


def unix_seconds(text: str) -> float:
    """Return the UNIX seconds of an ISO 8601 time, UTC where it names no offset, NaN for others."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return float("nan")
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def format_time(seconds: float) -> str:
    """Return ISO 8601 in UTC, with milliseconds where there are any."""
    moment = _EPOCH + dt.timedelta(milliseconds=round(seconds * 1000))
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=precision) + "Z"


def format_number(value: float, decimals: int) -> str:
    """Return a decimal number without exponent and without zeros at its end."""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


_ESCAPES = {
    **dict.fromkeys([*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "\ufffd"),
    **{ord(character): f"&#{ord(character)};" for character in "\t\n\r"},
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
}


def element(tag: str, text: str) -> str:
    """Return an element with text; characters that XML cannot hold become U+FFFD."""
    return f"<{tag}>{text.translate(_ESCAPES)}</{tag}>"


def attribute(text: str) -> str:
    """Return the text as the quoted value of an attribute."""
    return f'"{text.translate(_ESCAPES)}"'
