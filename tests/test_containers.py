"""Sniffing, gunzipping and reading ZIPs: by content, within limits, whatever the headers say."""

import contextlib
import gzip
import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.inbox import fit_bytes
from tracklake.errors import InvalidData
from tracklake.intake import containers, zip_reader

GPX = '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'
TCX = '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/T/v2">'


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (fit_bytes(), "fit"),
        (b"garbage before it" + fit_bytes(), "fit"),
        (b"this text names a file.FIT somewhere", "unknown"),
        (gzip.compress(b"x"), "gzip"),
        (b"PK\x03\x04rest", "zip"),
        (b"PK\x05\x06rest", "zip"),
        (GPX.encode(), "gpx"),
        (b"\xef\xbb\xbf \n<?xml version='1.0'?>" + GPX.encode(), "gpx"),
        (("\ufeff<?xml version='1.0' encoding='UTF-16'?>" + GPX).encode("utf-16-le"), "gpx"),
        (("<?xml version='1.0' encoding='UTF-16'?>" + TCX).encode("utf-16-be"), "tcx"),
        (f"<!-- <gpx> --><!DOCTYPE x [<!ENTITY a 'b'>]>{TCX}".encode(), "tcx"),
        (f"<!-- {'long ' * 900} -->{GPX}".encode()[: containers.HEAD_BYTES], "unknown"),
        (f"  <ns3:gpx>{GPX}".encode(), "gpx"),
        (f"<html><pre>{GPX}</pre>".encode(), "unknown"),
        (b"<gpxlike>", "unknown"),
        (b'{"error": "<gpx>"}', "unknown"),
        (b"", "unknown"),
    ],
)
def test_content_tells_what_it_is(head: bytes, kind: str) -> None:
    """Formats are told by their first bytes, in any encoding; what only mentions them is not."""
    assert containers.sniff(head) == kind


@pytest.mark.parametrize(
    ("name", "claimed"),
    [("a.FIT", "fit"), ("b.gpx.gz", "gpx"), ("c.tcx", "tcx"), ("d.fit.txt", None), ("fit", None)],
)
def test_names_claim(name: str, claimed: str | None) -> None:
    """A name says what a file should be, in any case."""
    assert containers.claim(name) == claimed


@pytest.mark.parametrize(
    ("head", "words"),
    [(b"", "empty"), (b"<!DOCTYPE HTML>", "web page"), (b'{"a":1}', "JSON"), (b"\1", "not FIT")],
)
def test_what_it_is_instead(head: bytes, words: str) -> None:
    """The person is told what came instead of an activity."""
    assert words in containers.describe(head)


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_gzip_round_trip(parts: list[bytes]) -> None:
    """Any content comes back, also from several gzip members after one another."""
    packed = b"".join(gzip.compress(part, 6) for part in parts)
    assert containers.gunzip(packed) == (b"".join(parts), None)


def test_gzip_with_padding() -> None:
    """Zeros and garbage behind the end are no damage."""
    assert containers.gunzip(gzip.compress(b"abc") + b"\0" * 100) == (b"abc", None)


def test_gzip_cut_or_damaged_gives_what_there_is() -> None:
    """A cut end or a wrong checksum costs what is behind it, and is said."""
    packed = gzip.compress(bytes(range(256)) * 1000, 0)
    content, problem = containers.gunzip(packed[:100_000])
    assert len(content) > 90_000
    assert problem == "the gzip ends too early"
    wrong = bytearray(packed)
    wrong[-5] ^= 1
    content, problem = containers.gunzip(bytes(wrong))
    assert problem is not None
    assert "damaged" in problem


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08", b"\x1f\x8b\x08" + b"\xff" * 50])
def test_gzip_of_nothing_is_refused(data: bytes) -> None:
    """What yields no byte is invalid."""
    with pytest.raises(InvalidData) as refusal:
        containers.gunzip(data)
    assert refusal.value.reason == "bad_gzip"


def test_gzip_bomb_is_stopped_early() -> None:
    """A gzip of zeros is refused at the ratio, one of anything at the size."""
    deflater = zlib.compressobj(9, wbits=31)
    bomb = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(16)) + deflater.flush()
    with pytest.raises(InvalidData) as refusal:
        containers.gunzip(bomb)
    assert refusal.value.reason == "bomb"
    with pytest.raises(InvalidData) as refusal:
        containers.gunzip(gzip.compress(bytes(range(250))), most_bytes=100)
    assert refusal.value.reason == "too_large"


def archive(members: dict[str, bytes], **options: int) -> bytes:
    """Write a ZIP with the standard library."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", **options) as made:  # type: ignore[call-overload] # int options
        for name, content in members.items():
            made.writestr(name, content)
    return memory.getvalue()


def contents(data: bytes) -> dict[str, bytes]:
    """Read every file of a ZIP with ours."""
    stream = io.BytesIO(data)
    found = zip_reader.members(stream)
    return {one.name: b"".join(zip_reader.read(stream, one)) for one in found if one.is_file}


@given(
    st.dictionaries(st.text("äab/☃.", min_size=1, max_size=8), st.binary(max_size=300), max_size=6),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.binary(max_size=30),
)
def test_zip_round_trip(members: dict[str, bytes], method: int, before: bytes) -> None:
    """What the standard library writes, ours reads, also behind prepended bytes."""
    files = {name: content for name, content in members.items() if not name.endswith("/")}
    assert contents(before + archive(members, compression=method)) == files


def test_zip64() -> None:
    """Sizes, offsets and counts of 64 bits are read."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as made, made.open("a.fit", "w", force_zip64=True) as member:
        member.write(b"content")
    assert contents(memory.getvalue()) == {"a.fit": b"content"}
    many = archive({f"{number}": b"" for number in range(66_000)})
    assert len(zip_reader.members(io.BytesIO(many))) == 66_000


def test_zip_names_with_any_bytes() -> None:
    """A name that is no UTF-8, flagged as such or not, spoils nothing."""
    data = archive({"ÄÄ.fit": b"1"}).replace("ÄÄ".encode(), b"\xff\xfe\xfd\xfc")
    assert contents(data) == {"\\xff\\xfe\\xfd\\xfc.fit": b"1"}
    plain = archive({"AAAA.fit": b"1"}).replace(b"AAAA", b"\x84\x8e\x94\x99")
    assert contents(plain) == {"äÄöÖ.fit": b"1"}


def test_zip_links_and_folders_are_no_files() -> None:
    """A symbolic link is not followed, a folder not read."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as made:
        link = zipfile.ZipInfo("link.fit")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
        made.mkdir("folder")
    assert [one.is_file for one in zip_reader.members(memory)] == [False, False]


def one_member(data: bytes) -> tuple[io.BytesIO, zip_reader.Member]:
    """Open an archive of one member."""
    stream = io.BytesIO(data)
    (member,) = zip_reader.members(stream)
    return stream, member


def refusal_of(data: bytes, most_bytes: int = containers.MOST_BYTES) -> str:
    """Return why a ZIP or its only member is refused."""
    with pytest.raises(InvalidData) as refusal:
        b"".join(zip_reader.read(*one_member(data), most_bytes=most_bytes))
    return refusal.value.reason


def test_zip_members_that_are_refused() -> None:
    """Each kind of damage has its reason."""
    good = archive({"a.fit": bytes(range(200))})
    flagged = good.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    assert refusal_of(flagged) == "encrypted"
    assert refusal_of(good.replace(b"\x07\x08\x09", b"\x07\x07\x09")) == "bad_crc"
    assert refusal_of(archive({"a": b"x" * 99}, compression=zipfile.ZIP_LZMA)) == (
        "unsupported_packing"
    )
    assert refusal_of(good, most_bytes=100) == "too_large"
    deflated = bytearray(archive({"a": bytes(range(250))}, compression=zipfile.ZIP_DEFLATED))
    deflated[31:35] = b"\xff" * 4
    assert refusal_of(bytes(deflated)) == "bad_zip"
    assert refusal_of(good.replace(b"PK\x03\x04", b"PK\x03\x05")) == "bad_zip"


def test_zip_bombs() -> None:
    """A member beyond the ratio is stopped by counting, one that lies about its size as well."""
    bomb = archive({"a.fit": bytes(16 << 20)}, compression=zipfile.ZIP_DEFLATED)
    assert refusal_of(bomb) == "bomb"
    lying = bytearray(bomb)
    at = lying.rfind(b"PK\x01\x02")
    lying[at + 24 : at + 28] = struct.pack("<L", 10)  # it claims to hold ten bytes
    assert refusal_of(bytes(lying)) == "bomb"


def test_zip_members_that_overlap() -> None:
    """An archive whose directory points twice at the same bytes is refused whole."""
    data = archive({"a.fit": b"x" * 100, "b.fit": b"y" * 100})
    second = data.rfind(b"PK\x01\x02")
    first_again = bytearray(data)
    first_again[second + 42 : second + 46] = struct.pack("<L", 10)
    with pytest.raises(InvalidData) as refusal:
        zip_reader.members(io.BytesIO(bytes(first_again)))
    assert refusal.value.reason == "bomb"


@pytest.mark.parametrize("cut", [1, 30, 100, 130])
def test_zip_cut_off(cut: int) -> None:
    """An incomplete archive is refused with a word on what it may be."""
    data = archive({"a.fit": b"x" * 100, "b.fit": b"y" * 100})
    with pytest.raises(InvalidData) as refusal:
        zip_reader.members(io.BytesIO(data[:-cut]))
    assert refusal.value.reason == "bad_zip"


@given(st.binary(max_size=300), st.data())
def test_any_bytes_are_an_archive_or_invalid(noise: bytes, data: st.DataObject) -> None:
    """Noise, and archives with noise in them, raise nothing but InvalidData."""
    real = bytearray(archive({"a.fit": b"abc" * 50, "b": b""}, compression=zipfile.ZIP_DEFLATED))
    at = data.draw(st.integers(0, len(real)))
    real[at : at + len(noise) % 7] = noise[: len(noise) % 7]
    for content in (bytes(real), noise):
        containers.sniff(content)
        with contextlib.suppress(InvalidData):
            contents(content)
        with contextlib.suppress(InvalidData):
            containers.gunzip(content)
