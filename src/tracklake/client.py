"""The one way to the network: a layer above `requests` that bounds time, size and tries.

urllib3's own retries are off: they see neither a cut body nor HTML where JSON was due, and sleep
as long as a server likes. Here a try is everything from connecting to a body that parses.
Messages name method, host and path; never a query, a header, a form or a body.
"""

import contextlib
import datetime as dt
import os
import random
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from tracklake import __version__
from tracklake.clock import UTC, Clock
from tracklake.errors import Error, InvalidData, SourceError, Transient

USER_AGENT = f"Tracklake/{__version__} (a person's own archive of activities)"
_CONNECT_S = 10.0  # to one address; a name may have several, the first of them dead
_SLACK_S = 0.5  # the watchdog comes first; a timeout is the second line
_LONGEST_WAIT_S = 60.0
_PIECE_BYTES = 1 << 16
_CA_HINT = "behind a company's proxy, let REQUESTS_CA_BUNDLE name the file with the company's CA"
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its name could not be looked up"),
    (ConnectionRefusedError, "the connection was refused"),
    (TimeoutError, "no connection in time"),
    (ConnectionError, "the connection was closed or reset"),
    (zlib.error, "the body does not unpack"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: header names in lower case, the body unpacked."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401 JSON is anything
        """Return the parsed body: strict UTF-8, no BOM, no NaN; raise Transient if it is not."""
        with contextlib.suppress(orjson.JSONDecodeError):
            return orjson.loads(self.body)
        kind = re.sub(r"[^\w/+.-].*", "", self.headers.get("content-type", ""))[:60] or "no type"
        raise Transient(f"it answered {self.status} without JSON ({kind}, {len(self.body)} bytes)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, however often it is tried; what may hold secrets is not in its repr."""

    method: str = "GET"
    url: str = field(repr=False)
    params: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    deadline_s: float = 60.0  # of one try, from connecting to the last byte
    most_bytes: int = 16 << 20  # unpacked
    tries: int = 4
    expects_json: bool = True  # a 2xx answer without JSON is a failed try


@dataclass(eq=False)
class _Failed(Exception):
    what: str
    final: type[Error] | None = None  # no other try
    wait_s: float | None = None  # as the server asked
    stale: bool = False  # a kept-alive connection that had been closed meanwhile


def _judged(ask: Ask, answer: Answer, now: dt.datetime) -> Answer | _Failed:
    """Return the answer if its status and body are what was asked for."""
    status, headers = answer.status, answer.headers
    if 300 <= status < 400:
        target = re.sub(r"^([^/?#]*:)?//([^/?#]*@)?|[/?#].*", "", headers.get("location", ""))
        where = re.sub(r"[^\w.:-]", "", target)[:80] or "another path"
        return _Failed(f"it answered {status}, to {where}; redirects are not followed", SourceError)
    if not 200 <= status < 500:
        wait_s = retry_after_s(headers, now) if status == 503 else None
        if wait_s is not None and wait_s > _LONGEST_WAIT_S:
            return _Failed(f"it answered {status} and asks to wait {wait_s:.0f} s", Transient)
        return _Failed(f"it answered {status}", wait_s=wait_s)
    if status < 300 and ask.expects_json:
        try:
            answer.json()
        except Transient as error:
            return _Failed(str(error))
    framed = "content-length" in headers or "transfer-encoding" in headers
    if status in (200, 206) and not framed and not answer.body:
        return _Failed("the answer broke off after its headers, or amid them")
    return answer


def retry_after_s(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Return how long a server asks to be left alone; None if it does not, or says nonsense.

    A date counts from the server's own `Date`, where it tells one: clocks differ.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        wait_s = float(text)
    else:
        try:
            until = parsedate_to_datetime(text)
            since = parsedate_to_datetime(headers["date"]) if "date" in headers else now
            wait_s = (until.replace(tzinfo=UTC) - since.replace(tzinfo=UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return wait_s if wait_s >= 1 else None


def _error(ask: Ask, failure: _Failed, failed: int) -> Error:
    place = re.sub(r"^[^:/]*://([^/]*@)?", "", re.split(r"[?#]", ask.url)[0])
    text = f"{ask.method} {place}: {failure.what} ({failed} {'try' if failed == 1 else 'tries'})"
    if failure.final is InvalidData:
        return InvalidData(text, reason="too_large")
    return (failure.final or Transient)(text)


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo gzip in parts of bounded size; raise zlib.error if it is damaged or cut."""
    member = None
    for packed in pieces:
        piece, part = packed, b""
        while piece or len(part) == _PIECE_BYTES:  # a full part: zlib may hold more back
            member = member or zlib.decompressobj(wbits=31)
            part = member.decompress(piece, _PIECE_BYTES)
            yield part
            piece = member.unconsumed_tail
            if member.eof:
                piece, part, member = member.unused_data, b"", None
    if member is not None:
        raise zlib.error


def _explained(error: Exception, watchdog: "_Watchdog") -> _Failed:
    """Say what happened in words of our own: the libraries' words quote addresses and headers."""
    if watchdog.bit:
        return _Failed("no complete answer before the deadline")
    links = _chain(error)
    for link in links:
        if reason := getattr(link, "verify_message", ""):
            return _Failed(f"its certificate is not trusted ({reason}); {_CA_HINT}", SourceError)
    if type(error) is OSError:  # requests, of the file that REQUESTS_CA_BUNDLE names
        return _Failed("REQUESTS_CA_BUNDLE names a file that is not there", SourceError)
    if isinstance(error, ValueError):
        return _Failed(f"it cannot be sent ({type(error).__name__})", SourceError)
    closed = watchdog.kept_alive and not watchdog.answered
    for kind, words in _WORDS:
        if any(isinstance(link, kind) for link in links):
            return _Failed(words, stale=closed and issubclass(kind, ConnectionError))
    return _Failed(f"the answer broke off ({type(links[-1]).__name__})")


def _chain(error: BaseException) -> list[BaseException]:
    inner = error.__cause__ or error.__context__
    return [error, *_chain(inner)] if inner else [error]


class _Watchdog:
    """Shuts the connection of one try down at its deadline, whatever the server drips.

    It holds a duplicate of the descriptor, which stays valid when TLS wraps the socket and when
    urllib3 hands it from the connection to the response.
    """

    def __init__(self, deadline_s: float) -> None:
        self.bit = self.answered = False  # answered: status and headers came
        self.kept_alive = False  # the connection had carried an earlier request
        self.socket: socket.socket | None = None
        self._ends_s = time.monotonic() + deadline_s
        self._lock = threading.Lock()
        self._timer = threading.Timer(deadline_s, self._bite)
        self._timer.daemon = True

    def __enter__(self) -> "_Watchdog":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        if self.socket is not None:
            self.socket.close()

    def left_s(self) -> float:
        return max(self._ends_s - time.monotonic(), 0.001)

    def guard(self, descriptor: int) -> None:
        with self._lock:
            self.socket = socket.socket(fileno=os.dup(descriptor))
        if self.bit:
            self._bite()

    def _bite(self) -> None:
        with self._lock, contextlib.suppress(OSError):  # it may be closed already
            self.bit = True
            if self.socket is not None:
                self.socket.shutdown(socket.SHUT_RDWR)


_WATCHDOG: ContextVar[_Watchdog] = ContextVar("watchdog")  # of the try that this thread is at


def look_up(
    host: str, port: int, within_s: float, resolver: Callable[..., Any] = socket.getaddrinfo
) -> list[tuple[Any, ...]]:
    """Return addresses as getaddrinfo does; raise TimeoutError when it takes over `within_s`.

    The resolver hears neither deadlines nor signals, so it has a thread, which ends when it does.
    """
    found: Future[list[tuple[Any, ...]]] = Future()

    def ask() -> None:
        try:
            found.set_result(resolver(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.set_exception(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(within_s)
    return found.result(0)


class _Connection(HTTPConnection):
    """Shows its socket to the watchdog before anything is read from it."""

    def _new_conn(self) -> socket.socket:
        watchdog = _WATCHDOG.get()
        failure: OSError = TimeoutError()
        for *_, address in look_up(self._dns_host, self.port, watchdog.left_s()):
            try:
                within_s = min(_CONNECT_S, watchdog.left_s())
                connected = socket.create_connection(address[:2], within_s)
            except OSError as error:
                failure = error
                continue
            for option in self.socket_options or ():
                connected.setsockopt(*option)
            connected.settimeout(watchdog.left_s() + _SLACK_S)  # for the whole TLS handshake
            watchdog.guard(connected.fileno())
            return connected
        raise failure

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 has it
        watchdog = _WATCHDOG.get()
        if watchdog.socket is None and self.sock is not None:
            watchdog.kept_alive = True
            watchdog.guard(self.sock.fileno())
        response = super().getresponse()
        watchdog.answered = True
        return response


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Adapter(HTTPAdapter):
    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 theirs
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        ours = _TlsConnection if pool.scheme == "https" else _Connection
        if issubclass(ours, pool.ConnectionCls):  # else SOCKS, which connects in its own way
            pool.ConnectionCls = ours
        return pool


def _read(
    pieces: Iterable[bytes], headers: Mapping[str, str], most_bytes: int, watchdog: _Watchdog
) -> bytes:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "x-gzip", "identity", ""):
        raise _Failed("it answered in an encoding that was not asked for")
    body = bytearray()
    for part in _unpacked(pieces) if "gzip" in encoding else pieces:
        body += part
        if len(body) > most_bytes:
            raise _Failed(f"the body is larger than {most_bytes:,} bytes", InvalidData)
        if watchdog.bit:
            break
    if watchdog.bit:  # what was cut can look complete, even the headers
        raise TimeoutError
    return bytes(body)


class Client:
    """Sends requests, also from several threads; keeps connections alive until it is closed."""

    def __init__(self, clock: Clock, *, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 spreads waits, guards nothing
        self._environment = requests.Session()  # only asked for proxies and the CA bundle
        self._adapter = _Adapter(max_retries=0)

    def send(
        self,
        ask: Ask,
        *,
        admit: Callable[[], None] | None = None,
        heed: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """Return the answer, if its status is 2xx or 4xx.

        `admit` is called before every try and may raise: then nothing is sent. `heed` gets every
        complete answer. Raises Transient when all tries failed, SourceError for a redirect or a
        certificate that is not trusted, InvalidData("too_large") for a body over its cap.
        """
        failed = spared = 0
        while True:
            if admit is not None:
                admit()
            outcome = self._try(ask)
            if isinstance(outcome, Answer):
                if heed is not None:
                    heed(outcome)
                outcome = _judged(ask, outcome, self._clock.now())
            if isinstance(outcome, Answer):
                return outcome
            if outcome.stale and not spared:  # closed between two calls: nobody's fault
                spared = 1
                continue
            failed += 1
            if outcome.final is not None or failed >= ask.tries:
                raise _error(ask, outcome, failed)
            backoff_s = self._rng.uniform(0, min(_LONGEST_WAIT_S, 2.0 ** (failed - 1)))
            self._clock.sleep(backoff_s if outcome.wait_s is None else outcome.wait_s)

    def _try(self, ask: Ask) -> Answer | _Failed:
        with _Watchdog(ask.deadline_s) as watchdog:
            mark = _WATCHDOG.set(watchdog)
            try:
                return self._exchange(ask, watchdog)
            except _Failed as failure:
                return failure
            except (OSError, HTTPError, zlib.error, ValueError) as error:
                return _explained(error, watchdog)
            finally:
                _WATCHDOG.reset(mark)

    def _exchange(self, ask: Ask, watchdog: _Watchdog) -> Answer:
        # Not through Session.send: it adds cookies and .netrc's logins and reads redirects' bodies.
        ours = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"}
        request = requests.Request(
            ask.method,
            ask.url,
            headers={**ask.headers, **ours},
            params=dict(ask.params),
            data=ask.form,
            auth=lambda prepared: prepared,  # nor the login in an address
        ).prepare()
        settings: Any = self._environment.merge_environment_settings(
            request.url, {}, True, None, None
        )
        response = self._adapter.send(request, timeout=ask.deadline_s, **settings)
        with contextlib.closing(response):
            headers = {name.lower(): value for name, value in response.headers.items()}
            pieces = response.raw.stream(_PIECE_BYTES, decode_content=False)
            body = _read(pieces, headers, ask.most_bytes, watchdog)
        return Answer(response.status_code, headers, body)

    def close(self) -> None:
        """Close the connections that are kept alive."""
        self._adapter.close()
