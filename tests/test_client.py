"""The HTTP client against a server that misbehaves in every way on the list."""

import dataclasses
import datetime as dt
import gzip
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import fault_server as fault
from tests.fault_server import JSON, FaultServer, answer, message, raw
from tests.rows import StandingClock
from tracklake import client as http
from tracklake.client import Answer, Ask, Client
from tracklake.errors import BudgetSpent, Interrupted, InvalidData, SourceError, Transient

SECRET = "s3cr3t-canary"  # noqa: S105 a made-up one
IN_TIME = r"(before the deadline|in time) \(1 try\)$"  # watchdog, or the socket's own timeout
HTML = b"<!doctype html><title>Maintenance</title>"
PACKED = gzip.compress(JSON * 100)


class WatchedClock(StandingClock):
    """Stands still and remembers what was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_s: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits_s.append(seconds)
        super().sleep(seconds)


class Highest(random.Random):
    """Draws the upper bound."""

    def uniform(self, a: float, b: float) -> float:
        del a
        return b


@pytest.fixture
def clock() -> WatchedClock:
    return WatchedClock()


@pytest.fixture
def client(clock: WatchedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Return a client; no thread may outlive a test, and no proxy may stand in between."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    before = set(threading.enumerate())
    made = Client(clock)
    yield made
    made.close()
    left = [t for t in threading.enumerate() if t not in before and t.name != "fault server"]
    assert not left


def _ask(server: FaultServer, **changes: Any) -> Ask:
    ask = Ask(
        url=f"{server.url}/api/list",
        params={"page": 2, "key": SECRET},
        headers={"Authorization": f"Bearer {SECRET}"},
    )
    return dataclasses.replace(ask, **changes)


def _packed(body: bytes) -> bytes:
    return message(body, "Content-Encoding: gzip")


def test_an_answer_comes_whole(client: Client) -> None:
    """Status, lower-case headers and unpacked body arrive; 64-bit ids stay exact."""
    packed = gzip.compress(JSON[:9]) + gzip.compress(JSON[9:])  # of two members, which is legal
    with FaultServer(answer(packed, "Content-Encoding: gzip", "X-Usage: 1,2")) as server:
        got = client.send(_ask(server))
    assert (got.status, got.headers["x-usage"], got.body) == (200, "1,2", JSON)
    assert got.json() == {"id": 2**53 + 1}


def test_a_request_says_who_asks_and_what(client: Client) -> None:
    """User agent, query, headers and form are sent; only gzip is accepted; no cookie returns."""
    with FaultServer(answer(JSON, "Set-Cookie: a=b; Path=/")) as server:
        client.send(_ask(server, headers={"user-agent": "other", "X-Mine": "yes"}))
        client.send(_ask(server, method="POST", form={"grant": "a b"}))
    first, second = (request.decode() for request in server.requests)
    assert first.startswith(f"GET /api/list?page=2&key={SECRET} HTTP/1.1\r\n")
    assert f"User-Agent: {http.USER_AGENT}\r\n" in first
    assert "other" not in first
    assert "X-Mine: yes\r\n" in first
    assert "Accept-Encoding: gzip\r\n" in first
    assert second.endswith("\r\n\r\ngrant=a+b")
    assert "cookie" not in second.lower()


FAULTS: dict[str, tuple[fault.Act, str]] = {
    "reset at once": (fault.reset(), "closed or reset"),
    "reset in the body": (fault.reset(message(bytes(68_890))[:3000]), "closed or reset"),
    "closed without a word": (raw(b""), "closed or reset"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "BadStatusLine"),
    "cut status line": (raw(b"HTTP/1.1 2"), "BadStatusLine"),
    "cut headers": (raw(b"HTTP/1.1 200 OK\r\nContent-Ty"), "without JSON"),
    "short body": (raw(message(JSON)[:-5]), "IncompleteRead"),
    "cut between chunks": (raw(fault.chunked(JSON[:9], end=b"")), "broke off"),
    "cut in a chunk": (raw(fault.chunked(JSON)[:-12]), "IncompleteRead"),
    "cut without a length": (raw(b"HTTP/1.1 200 OK\r\n\r\n" + JSON[:9]), "without JSON"),
    "gzip cut": (raw(_packed(PACKED[:-20])), "does not unpack"),
    "gzip flipped": (raw(_packed(PACKED[:12] + b"\xff" + PACKED[13:])), "does not unpack"),
    "gzip with a wrong checksum": (raw(_packed(PACKED[:-8] + bytes(8))), "does not unpack"),
    "gzip that is none": (raw(_packed(JSON)), "does not unpack"),
    "another encoding": (answer(JSON, "Content-Encoding: br"), "encoding"),
    "HTML": (answer(HTML, "Content-Type: text/html; charset=utf-8"), "(text/html, 41 bytes)"),
    "empty": (answer(b""), "without JSON"),
    "204": (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), "answered 204"),
    "Latin-1": (answer('"Zürich"'.encode("latin-1")), "without JSON"),
    "cut JSON": (answer(JSON[:-1]), "without JSON"),
    "nested too deep": (answer(b"[" * 100_000 + b"]" * 100_000), "without JSON"),
    "500": (answer(b"{}", status=500), "answered 500"),
    "502 with HTML": (answer(HTML, status=502), "answered 502"),
    "a status that is none": (answer(JSON, status=700), "answered 700"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_failed_try_is_tried_again(name: str, client: Client, clock: WatchedClock) -> None:
    """Whatever broke a try, the next one is made after at most a second, and its answer counts."""
    with FaultServer(FAULTS[name][0], answer()) as server:
        assert client.send(_ask(server)).body == JSON
    assert len(server.requests) == 2
    assert [0 <= wait_s <= 1 for wait_s in clock.waits_s] == [True]


@pytest.mark.parametrize("name", FAULTS)
def test_a_lasting_fault_is_told_in_a_sentence(name: str, client: Client) -> None:
    """After the last try Transient says what was asked, what happened and how often; no secret."""
    act, words = FAULTS[name]
    with FaultServer(act) as server, pytest.raises(Transient) as caught:
        client.send(_ask(server, tries=3))
    text = str(caught.value)
    assert text.startswith(f"GET {server.place}/api/list: ")
    assert text.endswith("(3 tries)")
    assert words in text
    assert len(server.requests) == 3
    _assert_no_secret(caught.value)


def _assert_no_secret(error: BaseException) -> None:
    assert SECRET not in f"{error} {error!r}"
    assert error.__cause__ is None
    assert error.__context__ is None


def test_reprs_keep_secrets() -> None:
    """Neither an ask's nor an answer's repr shows what may be secret."""
    ask = Ask(
        url=f"http://a/?k={SECRET}", params={"k": SECRET}, headers={"A": SECRET}, form={"s": SECRET}
    )
    assert SECRET not in f"{ask!r} {Answer(200, {'set-cookie': SECRET}, SECRET.encode())!r}"


def test_a_refused_connection_is_tried_again(client: Client, clock: WatchedClock) -> None:
    """Nobody listens: four tries, three waits, then Transient."""
    with FaultServer(answer()) as server:
        ask = _ask(server)
    with pytest.raises(Transient, match=r"refused \(4 tries\)") as caught:
        client.send(ask)
    assert len(clock.waits_s) == 3
    _assert_no_secret(caught.value)


def test_waits_grow_to_a_minute(clock: WatchedClock) -> None:
    """The bounds of the random waits double from 1 s and stop at 60 s; draws lie below them."""
    with FaultServer(answer(b"", status=500)) as server:
        for rng in (Highest(), random.Random(1)):  # noqa: S311 no cryptography
            client = Client(clock, rng=rng)
            with pytest.raises(Transient):
                client.send(_ask(server, tries=9))
            client.close()
    bounds = [1, 2, 4, 8, 16, 32, 60, 60]
    assert clock.waits_s[:8] == bounds
    assert all(
        0 <= wait_s <= bound for wait_s, bound in zip(clock.waits_s[8:], bounds, strict=True)
    )
    assert len(set(clock.waits_s[8:])) == 8


HEAD = b"HTTP/1.1 200 OK\r\n"
GZIP = b"Content-Encoding: gzip\r\n\r\n"
LOITERERS: dict[str, fault.Act] = {
    "says nothing": fault.hang,
    "drips the status line": fault.drip(b"HTTP/1.1 200 ", b"O"),
    "drips a header": fault.drip(HEAD + b"X-A: ", b"a"),
    "drips headers": fault.drip(HEAD, b"X-A: a\r\n", 0.05),
    "stops in the headers": fault.drip(HEAD + b"X-A: a\r\n", b"", 60),
    "stops before the body": fault.drip(message(JSON)[: -len(JSON)], b"", 60),
    "drips the body": fault.drip(HEAD + b"Content-Length: 100000\r\n\r\n", b"1"),
    "drips a body without a length": fault.drip(HEAD + b"\r\n", b"1"),
    "drips chunks": fault.drip(fault.chunked(b"[", end=b""), b"1\r\n1\r\n"),
    "drips a chunk's size": fault.drip(fault.chunked(b"[", end=b""), b"0"),
    "drips gzip": fault.drip(HEAD + GZIP + PACKED[:10], b"\0\0\0\xff\xff"),
    "floods with interim answers": fault.drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99, 0),
    "floods with empty gzip members": fault.drip(HEAD + GZIP, gzip.compress(b"") * 999, 0),
}  # fmt: skip


@pytest.mark.parametrize("expects_json", [True, False])
@pytest.mark.parametrize("name", LOITERERS)
def test_no_try_outlives_its_deadline(name: str, expects_json: bool, client: Client) -> None:
    """However a server drips, a try ends at its deadline, and what was cut is no answer."""
    heard: list[Answer] = []
    with FaultServer(LOITERERS[name]) as server:
        ask = _ask(server, tries=1, deadline_s=0.15, expects_json=expects_json)
        started = time.monotonic()
        with pytest.raises(Transient, match=IN_TIME):
            client.send(ask, heed=heard.append)
        assert time.monotonic() - started < 0.15 + 1
    assert not heard


def test_a_tls_handshake_has_the_same_deadline(client: Client) -> None:
    """A server that never answers the TLS greeting is left at the deadline."""
    with FaultServer(fault.hang) as server:
        url = server.url.replace("http:", "https:")
        started = time.monotonic()
        with pytest.raises(Transient, match=IN_TIME):
            client.send(_ask(server, url=url, tries=1, deadline_s=0.15))
        assert time.monotonic() - started < 0.15 + 1


def test_a_server_without_tls_is_tried_again(client: Client) -> None:
    """A TLS failure that is no distrust may pass: it is tried again."""
    with FaultServer(answer(), greeting=message(HTML)) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(Transient, match=r"broke off \(SSLError\) \(2 tries\)"):
            client.send(_ask(server, url=url, tries=2))


def test_a_connection_that_nobody_accepts_has_the_same_deadline(client: Client) -> None:
    """Where greetings are swallowed, connecting ends at the deadline."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        place = listener.getsockname()
        ask = Ask(url=f"http://127.0.0.1:{place[1]}/", tries=1, deadline_s=0.15)
        started = time.monotonic()
        with socket.create_connection(place), pytest.raises(Transient, match=IN_TIME):
            client.send(ask)
        assert time.monotonic() - started < 0.15 + 1


def test_looking_a_name_up_ends_in_time() -> None:
    """A resolver that hangs is left after the given time; what it raises comes through."""
    hanging = threading.Event()

    def slow(*_: object, **__: object) -> Any:
        hanging.wait(10)
        return []

    def fails(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(TimeoutError):
        http.look_up("a.test", 80, 0.05, slow)
    hanging.set()
    with pytest.raises(socket.gaierror):
        http.look_up("a.test", 80, 1, fails)


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 410, 422, 429])
def test_answers_that_are_the_callers_business_come_at_once(
    status: int, client: Client, clock: WatchedClock
) -> None:
    """2xx and 4xx are returned after one request; 429 is never insisted on."""
    with FaultServer(answer(JSON, "Retry-After: 5", status=status)) as server:
        assert client.send(_ask(server)).status == status
    assert len(server.requests) == 1
    assert clock.waits_s == []


def test_a_4xx_need_not_be_json(client: Client) -> None:
    """An error page in HTML is returned as it is; only asking it for JSON fails."""
    with FaultServer(answer(HTML, status=404)) as server:
        got = client.send(_ask(server))
    assert got.body == HTML
    with pytest.raises(Transient, match="404 without JSON"):
        got.json()


def test_a_file_need_not_be_json(client: Client) -> None:
    """Where no JSON is expected any complete body will do, also none with 204."""
    nothing = raw(b"HTTP/1.1 204 No Content\r\n\r\n")
    with FaultServer(answer(b"\x0e\x10FIT"), nothing) as server:
        assert client.send(_ask(server, expects_json=False)).body == b"\x0e\x10FIT"
        assert client.send(_ask(server, expects_json=False)).status == 204


def test_cut_headers_are_no_empty_file(client: Client) -> None:
    """A connection that ended in the headers of a 200 does not look like an empty file."""
    with FaultServer(raw(HEAD + b"X-A: a\r\n"), answer(b"file")) as server:
        assert client.send(_ask(server, expects_json=False)).body == b"file"


def test_the_gate_is_asked_before_every_try(client: Client) -> None:
    """`admit` runs once a try and `heed` sees every complete answer, failed ones too."""
    calls: list[str] = []
    acts = (answer(b"", status=500), raw(b""), answer(HTML), answer())
    with FaultServer(*acts) as server:
        client.send(
            _ask(server),
            admit=lambda: calls.append("admit"),
            heed=lambda got: calls.append(f"{got.status} {len(got.body)}"),
        )
    # The connection that was kept after the 500 is closed: that try is repeated, not counted.
    assert calls == ["admit", "500 0", "admit", "admit", "200 41", "admit", f"200 {len(JSON)}"]


def test_a_closed_gate_sends_nothing(client: Client) -> None:
    """What `admit` raises comes through, and no request leaves."""

    def admit() -> None:
        raise BudgetSpent("spent", until=dt.datetime(2026, 5, 2, tzinfo=dt.UTC))

    with FaultServer(answer()) as server:
        with pytest.raises(BudgetSpent):
            client.send(_ask(server), admit=admit)
        assert (server.requests, server.connections) == ([], 0)


@pytest.mark.parametrize(
    ("asked", "waits_s"),
    [("1", [1, 1]), ("60", [60, 60]), ("61", []), ("3600", []), ("86400", []),
     ("Fri, 01 May 2026 06:00:30 GMT", [30, 30]), ("Sat, 02 May 2026 06:00:00 GMT", [])],
)  # fmt: skip
def test_a_server_may_ask_for_a_wait(
    asked: str, waits_s: list[float], client: Client, clock: WatchedClock
) -> None:
    """Up to a minute of a 503's Retry-After is waited; for a longer one the caller is told."""
    headers = (f"Retry-After: {asked}", "Date: Fri, 01 May 2026 06:00:00 GMT")
    with FaultServer(answer(b"", *headers, status=503)) as server, pytest.raises(Transient):
        client.send(_ask(server, tries=3))
    assert clock.waits_s == waits_s
    assert len(server.requests) == len(waits_s) + 1


@pytest.mark.parametrize(
    "text", ["", "0", "-5", "1.5", "soon", "Fri, 01 May 2020 06:00:00 GMT", "9" * 5000, "Fri, 99"]
)
def test_nonsense_in_retry_after_is_ignored(text: str) -> None:
    """Zero, negative numbers, the past and garbage count as no wish at all."""
    assert http.retry_after_s({"retry-after": text}, WatchedClock().now()) is None


def test_retry_after_without_the_servers_date_uses_our_clock() -> None:
    """A date counts from the server's time where it tells one, else from our clock."""
    until = {"retry-after": "Fri, 01 May 2026 07:00:00 GMT"}
    now = dt.datetime(2026, 5, 1, 6, 59, tzinfo=dt.UTC)
    assert http.retry_after_s(until, now) == 60
    assert http.retry_after_s(until | {"date": "Fri, 01 May 2026 06:59:50 GMT"}, now) == 10


@pytest.mark.parametrize(
    ("location", "where"),
    [
        (f"http://169.254.169.254/latest?k={SECRET}", "169.254.169.254"),
        (f"https://u:{SECRET}@x.test:8/p", "x.test:8"),
        ("//y.test/p?q", "y.test"),
        (f"/login?next={SECRET}", "another path"),
        ("http://[::1", "::1"),
        ("", "another path"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(location: str, where: str, status: int, client: Client) -> None:
    """A redirect is an error that names the host it leads to, nothing more; it is not retried."""
    words = f"answered {status}, to {where}; "
    with (
        FaultServer(answer(b"", f"Location: {location}", status=status)) as server,
        pytest.raises(SourceError, match=words) as caught,
    ):
        client.send(_ask(server))
    assert not isinstance(caught.value, Transient)
    assert len(server.requests) == 1
    _assert_no_secret(caught.value)


@pytest.mark.parametrize(
    "act",
    [
        answer(b"1" * 1001),
        raw(fault.chunked(b"1" * 500, b"1" * 501)),
        raw(HEAD + b"\r\n" + b"1" * 1001),
        answer(gzip.compress(b"1" * 1001), "Content-Encoding: gzip"),
        answer(gzip.compress(b"1" * 400) * 3, "Content-Encoding: gzip"),
        answer(gzip.compress(b"1" * 1001), "Content-Encoding: gzip", "Location: /", status=302),
        answer(b"1" * 1001, status=500),
    ],
)
def test_a_body_over_the_cap_is_set_aside(act: fault.Act, client: Client) -> None:
    """Bytes are counted unpacked while they come; one too many is InvalidData, not tried again."""
    with FaultServer(act) as server, pytest.raises(InvalidData) as caught:
        client.send(_ask(server, most_bytes=1000))
    assert caught.value.reason == "too_large"
    assert len(server.requests) == 1
    _assert_no_secret(caught.value)


@pytest.mark.parametrize("size", [1000, 65_535, 65_536, 65_537, 200_000, 4_000_000])
def test_a_body_of_just_the_cap_is_fine(size: int, client: Client) -> None:
    """As many bytes as allowed are an answer, packed or not, whatever the buffers' sizes."""
    body = random.Random(size).randbytes(size // 2) + bytes(size - size // 2)  # noqa: S311 data
    acts = (answer(body), answer(gzip.compress(body), "Content-Encoding: gzip"))
    with FaultServer(*acts) as server:
        for _ in acts:
            ask = _ask(server, most_bytes=size, expects_json=False)
            assert client.send(ask).body == body


def test_connections_are_kept_alive(client: Client) -> None:
    """Five requests use one connection, whatever the bodies' framing."""
    empty = answer(b"", status=404)
    packed = answer(gzip.compress(JSON), "Content-Encoding: gzip")
    with FaultServer(answer(), empty, packed, empty, answer()) as server:
        for _ in range(5):
            client.send(_ask(server))
        assert len(server.requests) == 5
        assert server.connections == 1


@pytest.mark.parametrize("closing", [raw(b""), fault.reset()])
def test_a_kept_connection_that_was_closed_is_nobodys_fault(
    closing: fault.Act, client: Client, clock: WatchedClock
) -> None:
    """Closed before a byte of the answer: repeated at once, not counted, but the gate is asked."""
    admitted: list[int] = []
    with FaultServer(answer(), closing, answer()) as server:
        client.send(_ask(server))
        got = client.send(_ask(server, tries=1), admit=lambda: admitted.append(1))
    assert got.body == JSON
    assert (len(admitted), clock.waits_s) == (2, [])


def test_only_a_kept_connection_is_repeated_for_free(client: Client, clock: WatchedClock) -> None:
    """A new connection that is closed at once is a failed try, and so is half an answer."""
    acts = (answer(), raw(b""), raw(b""), answer(), raw(b"HTTP/1.1 2"), answer())
    with FaultServer(*acts) as server:
        client.send(_ask(server))
        client.send(_ask(server))
        assert len(clock.waits_s) == 1
        client.send(_ask(server))
    assert len(clock.waits_s) == 2


def test_only_one_repetition_is_free(client: Client, clock: WatchedClock) -> None:
    """The second kept connection that is closed within one call is a failed try."""
    acts = (answer(), raw(b""), answer(b"", status=500), raw(b""), answer())
    with FaultServer(*acts) as server:
        client.send(_ask(server))
        client.send(_ask(server, tries=3))
    assert len(clock.waits_s) == 2  # after the 500, and after the second closed one


def test_a_connection_closed_while_idle_is_replaced(client: Client, clock: WatchedClock) -> None:
    """A server that hung up between two calls costs a new connection, nothing else."""
    ended = threading.Event()

    def last(wire: fault.Wire) -> bool:
        wire.send(message(JSON))
        ended.set()
        return False

    with FaultServer(last, answer()) as server:
        client.send(_ask(server))
        ended.wait(1)
        assert client.send(_ask(server)).body == JSON
    assert clock.waits_s == []


@pytest.mark.parametrize(
    "act", [fault.hang, LOITERERS["drips the body"], LOITERERS["drips headers"]]
)
@pytest.mark.parametrize("interruption", [Interrupted(15), KeyboardInterrupt()])
def test_a_signal_ends_it_at_once(
    act: fault.Act, interruption: BaseException, client: Client
) -> None:
    """What a signal handler raises comes through at once, is not retried, and leaves no thread."""

    def handler(*_: object) -> None:
        raise interruption

    before = set(threading.enumerate())
    old = signal.signal(signal.SIGALRM, handler)
    try:
        with FaultServer(act) as server:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            started = time.monotonic()
            with pytest.raises(type(interruption)):
                client.send(_ask(server, deadline_s=30))
            assert time.monotonic() - started < 5
            left = set(threading.enumerate()) - before
            assert {thread.name for thread in left} <= {"fault server"}
            assert len(server.requests) == 1
    finally:
        signal.signal(signal.SIGALRM, old)


@pytest.mark.parametrize(
    "changes",
    [{"headers": {"Authorization": f"Bearer {SECRET}\n"}}, {"headers": {"X-A": f"{SECRET}…"}},
     {"url": f"ftp://127.0.0.1/?k={SECRET}"}, {"url": f"127.0.0.1/?k={SECRET}"}, {"url": f"http://[/?k={SECRET}"},
     {"url": f"http://{'a' * 64}.test/?k={SECRET}"}],
)  # fmt: skip
def test_what_cannot_be_sent_is_not_tried_again(
    changes: dict[str, Any], client: Client, clock: WatchedClock
) -> None:
    """A header or an address that is none is a SourceError without the header or the query."""
    with FaultServer(answer()) as server, pytest.raises(SourceError, match=r"\(1 try\)") as caught:
        client.send(_ask(server, **changes))
    assert not isinstance(caught.value, Transient)
    assert (server.requests, clock.waits_s) == ([], [])
    _assert_no_secret(caught.value)


def test_several_threads_may_share_a_client(client: Client) -> None:
    """Eight threads get their own answers, while one of them runs into its deadline."""

    hanging = threading.Event()

    def echo(wire: fault.Wire) -> bool:
        name = wire.request.split(b" ")[1]
        if name == b"/slow":
            hanging.set()
            return fault.hang(wire)
        return answer(b'"%b"' % name)(wire)

    with FaultServer(echo) as server, ThreadPoolExecutor(8) as pool:
        slow = pool.submit(client.send, Ask(url=f"{server.url}/slow", tries=1, deadline_s=0.2))
        assert hanging.wait(5)
        fast = [pool.submit(client.send, Ask(url=f"{server.url}/{i}")) for i in range(50)]
        assert [got.result().json() for got in fast] == [f"/{i}" for i in range(50)]
        assert isinstance(slow.exception(), Transient)


CHILD = """
import sys
from tracklake.client import Ask, Client
from tracklake.clock import SystemClock
from tracklake.errors import Error
def grown_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
client = Client(SystemClock())
for url in sys.argv[2:]:
    before = grown_kb()
    try:
        client.send(Ask(url=url, tries=1, deadline_s=float(sys.argv[1])))
        print("ok", grown_kb() - before)
    except Error as error:
        print(type(error).__name__, grown_kb() - before, error)
"""


def _child(*urls: str, deadline_s: float = 5.0, **environment: str) -> list[str]:
    """Ask in a process of its own, whose environment may differ; return a line each."""
    names = [name for name in os.environ if name.lower().endswith(("_proxy", "_ca_bundle"))]  # noqa: TID251 passed on
    kept = {name: value for name, value in os.environ.items() if name not in names}  # noqa: TID251 passed on
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(deadline_s), *urls],
        env=kept | environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_a_gzip_bomb_stays_small() -> None:
    """A megabyte that unpacks to a gigabyte costs less than 30 MB of memory, redirect or not."""
    bomb = fault.gzip_bomb(1000)
    assert len(bomb) < 1_500_000
    redirect = answer(bomb, "Content-Encoding: gzip", "Location: /", status=302)
    with FaultServer(answer(), answer(bomb, "Content-Encoding: gzip"), redirect) as server:
        first, *bombs = _child(*[server.url] * 3)
    assert first.startswith("ok ")
    for line in bombs:
        name, grown_kb, _ = line.split(" ", 2)
        assert name == "InvalidData"
        assert int(grown_kb) < 30_000


def test_netrc_adds_no_login(tmp_path: Path) -> None:
    """Neither a .netrc nor the address's own login puts credentials on a request."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {SECRET}\n", encoding="utf-8")
    netrc.chmod(0o600)
    with FaultServer(answer()) as server:
        url = server.url.replace("//", f"//me:{SECRET}@")
        lines = _child(server.url, url, NETRC=str(netrc), HOME=str(tmp_path))
    assert [line[:3] for line in lines] == ["ok "] * 2
    assert not any(b"uthorization" in request for request in server.requests)


def test_a_proxy_is_used_and_watched() -> None:
    """Proxies of the environment are heeded; one that hangs does not outlive the deadline."""
    with FaultServer(answer(), raw(b"HTTP/1.1 403 No\r\n\r\n"), fault.hang) as proxy:
        lines = _child(
            *("http://a.test/x", "https://a.test/x", "https://a.test/y"),
            deadline_s=0.5,
            http_proxy=f"http://me:{SECRET}@{proxy.place}",
            https_proxy=proxy.url,
        )
    assert proxy.requests[0].startswith(b"GET http://a.test/x HTTP/1.1\r\n")
    assert proxy.requests[1].startswith(b"CONNECT a.test:443 HTTP/1.")
    assert [line.split(" ")[0] for line in lines] == ["ok", "Transient", "Transient"]
    assert re.search(IN_TIME, lines[2])
    assert SECRET not in "".join(lines)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a company's CA (ca.pem) and a certificate of it for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("NOT TESTED: certificates of a company's CA; there is no openssl command")
    folder = tmp_path_factory.mktemp("ca")
    (folder / "none.cnf").write_text("[req]\ndistinguished_name=d\n[d]\n", encoding="utf-8")
    new = f"{openssl} req -x509 -config none.cnf -nodes -days 2 -subj /CN=Company -newkey ec"
    new += " -pkeyopt ec_paramgen_curve:prime256v1"
    ca = "-keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE"
    ca += " -addext keyUsage=critical,keyCertSign"
    leaf = "-CA ca.pem -CAkey ca.key -addext basicConstraints=CA:FALSE"
    server = "-keyout server.key -out server.pem -addext subjectAltName=IP:127.0.0.1"
    other = "-keyout other.key -out other.pem -addext subjectAltName=DNS:other.test"
    for words in (ca, f"{leaf} {server}", f"{leaf} {other}"):
        command = f"{new} {words}".split()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def _tls(folder: Path, name: str = "server") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def test_a_companys_ca_needs_to_be_named(certificates: Path) -> None:
    """Without REQUESTS_CA_BUNDLE the error says what to set, after one try; with it, it works."""
    with FaultServer(answer(), tls=_tls(certificates)) as server:
        (refused,) = _child(server.url)
        (missing,) = _child(server.url, REQUESTS_CA_BUNDLE=str(certificates / "no.pem"))
        assert server.requests == []
        trusted = _child(server.url, server.url, REQUESTS_CA_BUNDLE=str(certificates / "ca.pem"))
    assert refused.startswith("SourceError ")
    assert "certificate is not trusted" in refused
    assert "let REQUESTS_CA_BUNDLE name the file" in refused
    assert missing.startswith("SourceError ")
    assert "REQUESTS_CA_BUNDLE names a file that is not there" in missing
    assert [line[:3] for line in trusted] == ["ok "] * 2
    assert server.connections == 2  # one was refused, the trusted one is kept alive


def test_a_certificate_of_another_host_is_not_trusted(certificates: Path) -> None:
    """A certificate for another name is refused for good, also with the right CA."""
    with FaultServer(answer(), tls=_tls(certificates, "other")) as server:
        (line,) = _child(server.url, REQUESTS_CA_BUNDLE=str(certificates / "ca.pem"))
    assert line.startswith("SourceError ")
    assert "mismatch" in line


def test_the_deadline_holds_under_tls(certificates: Path) -> None:
    """A drip through TLS ends at the deadline, and a closed kept-alive connection is repeated."""
    acts = (answer(), raw(b""), answer(), LOITERERS["drips headers"])
    with FaultServer(*acts, tls=_tls(certificates)) as server:
        started = time.monotonic()
        bundle = str(certificates / "ca.pem")
        lines = _child(*[server.url] * 3, deadline_s=0.5, REQUESTS_CA_BUNDLE=bundle)
        assert time.monotonic() - started < 5
    assert [line.split(" ")[0] for line in lines] == ["ok", "ok", "Transient"]
    assert re.search(IN_TIME, lines[2])
