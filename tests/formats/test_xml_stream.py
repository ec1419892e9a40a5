"""XML as such: encodings, hostile documents, where it breaks off; and the strings for writing."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from math import isnan
from typing import BinaryIO, cast
from xml.sax.saxutils import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.errors import InvalidData
from tracklake.formats import xml_stream

Events = list[tuple[tuple[str, ...], str]]

MEGABYTE = 1 << 20


class Pieces(io.RawIOBase):
    """A stream of pieces, as long as one likes without being held in memory."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, _size: int = -1) -> bytes:
        return next(self._pieces, b"")


def stream_of(*pieces: bytes | tuple[bytes, int]) -> BinaryIO:
    """Make a stream of bytes, or of (bytes, times) repeated in pieces of about 64 KiB."""

    def expand() -> Iterator[bytes]:
        for piece in pieces:
            if isinstance(piece, bytes):
                yield from (piece[i : i + 65536] for i in range(0, len(piece), 65536))
                continue
            content, times = piece
            batch = max(1, 65536 // len(content))
            yield from chain(repeat(content * batch, times // batch), [content * (times % batch)])

    return cast(BinaryIO, Pieces(piece for piece in expand() if piece))


def read(stream: BinaryIO) -> tuple[Events, str | None]:
    """Return the ends of elements and what broke."""
    events: Events = []

    def start(_path: xml_stream.Path, _attributes: dict[str, str]) -> None:
        return None

    def end(path: xml_stream.Path, text: str) -> None:
        if len(events) < 100:
            events.append((tuple(path), text))

    return events, xml_stream.read(stream, start, end)


def text_of(document: bytes) -> str:
    """Return the text of the document's only element."""
    events, broken = read(io.BytesIO(document))
    assert broken is None
    return events[0][1]


@pytest.mark.parametrize(
    "document",
    [
        "<a>Grüße</a>".encode(),
        '<?xml version="1.0"?><a>Grüße</a>'.encode(),
        "\ufeff<a>Grüße</a>".encode(),
        '  \r\n\t <?xml version="1.0" encoding="UTF-8"?><a>Grüße</a>'.encode(),
        '<?xml version="1.0" encoding="utf-16"?><a>Grüße</a>'.encode("utf-16"),
        "<a>Grüße</a>".encode("utf-16-le"),
        "<a>Grüße</a>".encode("utf-16-be"),
        "<a>Grüße</a>".encode("utf-32"),
        '<?xml version="1.0" encoding="ISO-8859-1"?><a>Grüße</a>'.encode("latin-1"),
        "<?xml version='1.0' encoding='windows-1252'?><a>Grüße</a>".encode("cp1252"),
        '<?xml version="1.0" encoding="utf-16"?><a>Grüße</a>'.encode(),
        '<?xml version="1.0" encoding="UTF-8"?><a>Grüße</a>'.encode("latin-1"),
        '<?xml version="1.0" encoding="unicode_escape"?><a>Grüße</a>'.encode(),
        '<?xml version="1.0" encoding="cp99999"?><a>Grüße</a>'.encode(),
        "<a><![CDATA[Grüße]]></a>".encode(),
    ],
)
def test_text_survives_its_encoding_also_a_wrongly_declared_one(document: bytes) -> None:
    """The bytes decide: marks, wide characters, the declaration, at last UTF-8 or cp1252."""
    assert text_of(document) == "Grüße"


def test_a_multibyte_set_is_read() -> None:
    """A declared Chinese character set, which expat itself does not know, is decoded."""
    document = '<?xml version="1.0" encoding="GB2312"?><a>跑步</a>'.encode("gb2312")
    assert text_of(document) == "跑步"


def test_a_character_may_lie_across_two_chunks() -> None:
    """Bytes of one character that are read apart come together again, in UTF-8 and in cp1252."""
    apart = b"<a>" + b"x" * 10 + "ü".encode()[:1]
    assert read(stream_of(apart, "ü".encode()[1:] + b"</a>"))[0][0][1] == "x" * 10 + "ü"
    events, _ = read(stream_of(b"<a>\xc3", b" und \xfc</a>"))
    assert events[0][1] == "\u00c3 und ü"


def test_paths_are_without_prefix_and_case_and_text_without_margin() -> None:
    """A handler sees where an element stands and its text, stripped; prefixes say nothing."""
    events, broken = read(io.BytesIO(b"<X:A><b:Hr>\n 12 </b:Hr><c/>tail</X:A>"))
    assert broken is None
    assert events == [(("a", "hr"), "12"), (("a", "c"), ""), (("a",), "tail")]


BILLION_LAUGHS = b"""<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>"""
QUADRATIC = b'<!DOCTYPE a [<!ENTITY a "' + b"x" * 50_000 + b'">]><a>' + b"&a;" * 50_000 + b"</a>"
EXTERNAL = b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>'
PARAMETER = b'<!DOCTYPE a [<!ENTITY % a SYSTEM "http://127.0.0.1/x.dtd"> %a;]><a/>'


@pytest.mark.parametrize(
    "document", [BILLION_LAUGHS, QUADRATIC, EXTERNAL, PARAMETER, b'<!DOCTYPE a SYSTEM "a.dtd"><a/>']
)
def test_a_document_type_is_refused(document: bytes) -> None:
    """Nothing that a DTD can do (entities, files, the network) is ever begun."""
    with pytest.raises(InvalidData) as raised:
        read(io.BytesIO(document))
    assert raised.value.reason == "xml_forbidden"


def attributes(count: int) -> bytes:
    return b"<a " + b" ".join(b'b%d=""' % number for number in range(count)) + b"/>"


@pytest.mark.parametrize(
    "make",
    [
        lambda: stream_of((b"<a>", 200_000)),
        lambda: stream_of(attributes(1_000_000)),
        lambda: stream_of(attributes(65)),
        lambda: stream_of(b'<a b="', (b"x", 100 * MEGABYTE), b'"/>'),
        lambda: stream_of(b"<!--", (b"x", 100 * MEGABYTE), b"--><a/>"),
        lambda: stream_of(b"<", (b"a", 100 * MEGABYTE), b"/>"),
        lambda: stream_of(b"<a>", *(b"<b%d/>" % number for number in range(100_000)), b"</a>"),
    ],
    ids=["nested", "attributes", "65 attributes", "attribute", "comment", "name", "names"],
)
def test_what_no_activity_file_has_is_refused_in_bounded_memory(
    make: Callable[[], BinaryIO],
) -> None:
    """Depth, attributes, huge tags and endless names stop early and cost under 32 MiB."""
    stream = make()
    tracemalloc.start()
    try:
        with pytest.raises(InvalidData) as raised:
            read(stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert raised.value.reason == "xml_limits"
    assert peak < 32 * MEGABYTE


def test_a_huge_text_is_cut_off_in_bounded_memory() -> None:
    """100 MB of text in one element cost little memory; the rest of the document is still read."""
    stream = stream_of(b"<a><b>", (b"x", 100 * MEGABYTE), b"</b><c>1</c></a>")
    tracemalloc.start()
    try:
        events, broken = read(stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert broken is None
    assert len(events[0][1]) == xml_stream.MAX_TEXT_CHARACTERS
    assert events[1] == (("a", "c"), "1")
    assert peak < 8 * MEGABYTE


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"<b",
        b"<b>2",
        b"\0\0\0",
        b"&nbsp;",
        b"</c>",
        b"&#xD800;</a>",
        b"&#0;</a>",
        b"<b c></a>",
    ],
)
def test_what_came_before_the_break_has_been_reported(rest: bytes) -> None:
    """A document that ends or breaks gives its beginning and a sentence with the line."""
    events, broken = read(io.BytesIO(b"<a>\n<b>1</b>\n" + rest))
    assert events == [(("a", "b"), "1")]
    assert broken is not None
    assert broken.startswith("not readable from line 3 on: ")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(document: bytes) -> None:
    """Whatever comes, the answer is a sentence, nothing, or InvalidData."""
    try:
        _, broken = read(io.BytesIO(document))
    except InvalidData:
        return
    assert broken is None or broken.startswith("not readable")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2024-02-29T12:00:00Z", 1709208000.0),
        ("2024-02-29T12:00:00.250Z", 1709208000.25),
        ("2024-02-29T12:00:00.1234567Z", 1709208000.123456),
        ("2024-02-29T12:00:00", 1709208000.0),
        ("2024-02-29T13:30:00+01:30", 1709208000.0),
        ("2024-02-29T07:00:00-05:00", 1709208000.0),
        ("2024-02-29 12:00:00Z", 1709208000.0),
        ("1930-01-01T00:00:00Z", -1262304000.0),
    ],
)
def test_times_in_their_many_forms(text: str, seconds: float) -> None:
    """With and without fraction, offset and Z (then UTC), before 1970."""
    assert xml_stream.unix_seconds(text) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2024-02-30T12:00:00Z", "0001-01-01T00:00:00+23:59"]
)
def test_a_time_that_is_none_is_nan_or_a_number(text: str) -> None:
    """Unreadable times never raise; the farthest past is a time like any other."""
    seconds = xml_stream.unix_seconds(text)
    assert isnan(seconds) or seconds < -6e10


@given(st.integers(-(10**13), 10**14))
def test_a_time_written_is_read_again(milliseconds: int) -> None:
    """format_time and unix_seconds are inverse, to the millisecond."""
    text = xml_stream.format_time(milliseconds / 1000)
    assert text.endswith("Z")
    assert xml_stream.unix_seconds(text) == pytest.approx(milliseconds / 1000, abs=1e-4)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1.5, 2, "1.5"),
        (100.0, 2, "100"),
        (100.0, 0, "100"),
        (1e-7, 7, "0.0000001"),
        (-2.0, 1, "-2"),
    ],
)
def test_numbers_are_written_short(value: float, decimals: int, text: str) -> None:
    """No exponent and no zeros at the end, but those of whole tens."""
    assert xml_stream.format_number(value, decimals) == text


@given(st.text())
def test_any_text_can_be_written(text: str) -> None:
    """What XML cannot hold becomes U+FFFD; the rest comes back as it was, and means no markup."""
    document = xml_stream.element("a", text).encode()
    events, broken = read(io.BytesIO(document))
    assert broken is None
    assert len(events) == 1
    readable = "".join("\ufffd" if c < " " and c not in "\t\n\r" else c for c in text)
    expected = "".join(
        "\ufffd" if "\ud800" <= c <= "\udfff" or c in "\ufffe\uffff" else c for c in readable
    )
    assert events[0][1] == expected.strip()
    assert unescape(xml_stream.attribute("a<b>")) == '"a<b>"'
