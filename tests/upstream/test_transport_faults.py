"""Transport faults, seen from a bare socket: each does on the wire what it says."""

import contextlib
import gzip
import json
import socket
import urllib.parse
import zlib
from collections.abc import Iterator

import pytest

from tests.upstream import transport_faults
from tests.upstream.asking import LISTING, ask, read_answer, split
from tests.upstream.faults import Fault
from tests.upstream.strava import StravaUpstream


@pytest.fixture
def upstream() -> Iterator[StravaUpstream]:
    with StravaUpstream(activities=30) as running:
        yield running


def broken(upstream: StravaUpstream, fault: Fault, *, wait_s: float = 5.0) -> bytes:
    """Return what comes of the listing under a fault."""
    upstream.script.add(fault, times=1)
    return ask(upstream, LISTING, upstream.access_token(), wait_s=wait_s)


def whole(upstream: StravaUpstream) -> bytes:
    """Return the body that the listing has when all is well."""
    return split(ask(upstream, LISTING, upstream.access_token()))[2]


def until_reset(client: socket.socket) -> bytes:
    """Return what came before the reset; fail if it ended in an orderly way."""
    received = b""
    try:
        while part := client.recv(1_000):
            received += part
    except ConnectionResetError:
        return received
    pytest.fail("it ended in an orderly way")


def test_no_fault_is_whole(upstream: StravaUpstream) -> None:
    """Without a fault the body has the promised length and is the listing."""
    first, headers, body = split(ask(upstream, LISTING, upstream.access_token()))
    assert first == "HTTP/1.1 200 OK"
    assert int(headers["content-length"]) == len(body)
    assert len(json.loads(body)) == 30


def test_refuse(upstream: StravaUpstream) -> None:
    """Refuse closes without a byte and costs no quota; processed, it costs quota."""
    assert broken(upstream, transport_faults.Refuse()) == b""
    assert upstream.quota.read.day == 0
    assert broken(upstream, transport_faults.Refuse(processed=True)) == b""
    assert upstream.quota.read.day == 1
    assert [call.faults for call in upstream.calls] == [("Refuse",), ("Refuse",)]


def test_down_refuses_connections(upstream: StravaUpstream) -> None:
    """While the service is down nothing listens, and afterwards the same port answers."""
    with upstream.down(), pytest.raises(ConnectionRefusedError):
        ask(upstream, LISTING)
    assert whole(upstream)


def test_reset_before_anything(upstream: StravaUpstream) -> None:
    """Reset(None) is an RST before the first byte."""
    with pytest.raises(ConnectionResetError):
        broken(upstream, transport_faults.Reset(after_bytes=None))


def test_reset_within_the_body(upstream: StravaUpstream) -> None:
    """Reset is an RST after so many bytes of a body that was promised whole."""
    address = urllib.parse.urlsplit(upstream.url)
    upstream.script.add(transport_faults.Reset(after_bytes=3_000))
    with socket.create_connection((address.hostname, address.port), timeout=5) as client:
        request = f"GET {LISTING} HTTP/1.1\r\nAuthorization: Bearer {upstream.access_token()}\r\n"
        client.sendall(f"{request}\r\n".encode())
        _, headers, body = split(until_reset(client))
    assert len(body) <= 3_000 < int(headers["content-length"])


def test_short_body(upstream: StravaUpstream) -> None:
    """ShortBody sends fewer bytes than it promises and closes."""
    _, headers, body = split(broken(upstream, transport_faults.ShortBody(missing_bytes=7)))
    assert int(headers["content-length"]) == len(body) + 7


def test_chunks(upstream: StravaUpstream) -> None:
    """Chunked ends with an empty chunk; cut, it ends within one."""
    _, headers, body = split(broken(upstream, transport_faults.Chunked()))
    assert headers["transfer-encoding"] == "chunked"
    assert "content-length" not in headers
    assert body.startswith(b"3e8\r\n")
    assert body.endswith(b"\r\n0\r\n\r\n")
    _, _, cut = split(broken(upstream, transport_faults.Chunked(cut_bytes=5)))
    assert body.startswith(cut)
    assert len(body) - len(cut) == len(b"\r\n0\r\n\r\n") + 5


def test_no_length(upstream: StravaUpstream) -> None:
    """NoLength gives no way to tell that the body was cut, but for the JSON."""
    _, headers, body = split(broken(upstream, transport_faults.NoLength(cut_bytes=9)))
    assert not {"content-length", "transfer-encoding"} & set(headers)
    assert body == whole(upstream)[:-9]


@pytest.mark.parametrize(
    ("fault", "with_head"),
    [
        (transport_faults.SlowBody(interval_s=0.01), True),
        (transport_faults.SlowHeaders(interval_s=0.01), False),
    ],
)
def test_slow_loris(upstream: StravaUpstream, fault: Fault, with_head: bool) -> None:
    """The slow ones send a byte at a time: never a pause that a timeout would notice."""
    address = urllib.parse.urlsplit(upstream.url)
    upstream.script.add(fault)
    with socket.create_connection((address.hostname, address.port), timeout=5) as client:
        request = f"GET {LISTING} HTTP/1.1\r\nAuthorization: Bearer {upstream.access_token()}\r\n"
        client.sendall(f"{request}\r\n".encode())
        if with_head:
            received = b""
            while b"\r\n\r\n" not in received:
                received += client.recv(1)
        pieces = [client.recv(1_000) for _ in range(20)]
    assert max(len(piece) for piece in pieces) < 100  # a busy machine may bundle a few


def test_stopping_ends_a_slow_answer() -> None:
    """A service that is stopped lets go of a client that it was dripping to."""
    upstream = StravaUpstream(activities=1).start()
    address = urllib.parse.urlsplit(upstream.url)
    upstream.script.add(transport_faults.SlowHeaders(interval_s=60))
    with socket.create_connection((address.hostname, address.port), timeout=5) as client:
        client.sendall(f"GET {LISTING} HTTP/1.1\r\n\r\n".encode())
        assert client.recv(10) == b"H"
        upstream.stop()
        with contextlib.suppress(ConnectionError):
            assert client.recv(10) == b""


def test_gzip(upstream: StravaUpstream) -> None:
    """Gzip unpacks to the listing; truncated it lacks its end; bad, it is no gzip at all."""
    _, headers, body = split(broken(upstream, transport_faults.Gzip()))
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == whole(upstream)
    _, _, cut = split(broken(upstream, transport_faults.Gzip(kept=0.5)))
    with pytest.raises(EOFError):
        gzip.decompress(cut)
    _, headers, bad = split(broken(upstream, transport_faults.BadGzip()))
    assert headers["content-encoding"] == "gzip"
    assert bad == whole(upstream)


def test_gzip_bomb(upstream: StravaUpstream) -> None:
    """GzipBomb is less than a MiB on the wire, and hundreds of MiB of valid JSON unpacked."""
    _, headers, body = split(broken(upstream, transport_faults.GzipBomb(mebibytes=300)))
    assert len(body) == int(headers["content-length"]) < 1 << 20
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    length_bytes, rest = 0, body
    while not unpacker.eof:
        length_bytes += len(unpacker.decompress(rest, 1 << 24))
        rest = unpacker.unconsumed_tail
    assert length_bytes == (300 << 20) + 2  # the checksum held, or zlib had raised
    small = split(broken(upstream, transport_faults.GzipBomb(mebibytes=1)))[2]
    assert json.loads(gzip.decompress(small)) == []


def test_hang_up_and_keep_alive(upstream: StravaUpstream) -> None:
    """A connection is kept for the next request; HangUp closes it after a whole answer."""
    address = urllib.parse.urlsplit(upstream.url)
    upstream.script.add(transport_faults.HangUp(), at=2)
    request = f"GET {LISTING} HTTP/1.1\r\nAuthorization: Bearer {upstream.access_token()}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=5) as client:
        client.sendall(request.encode())
        first = read_answer(client)
        client.sendall(request.encode())
        second = read_answer(client)
        assert client.recv(1) == b""  # closed
    assert split(first)[2] == split(second)[2] == whole(upstream)


def test_late(upstream: StravaUpstream) -> None:
    """Late says nothing for a while."""
    assert broken(upstream, transport_faults.Late(seconds=30.0), wait_s=0.1) == b""
