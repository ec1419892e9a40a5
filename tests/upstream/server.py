"""The part that every simulated service shares: a server on loopback, a call log, a script."""

import abc
import contextlib
import datetime as dt
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.upstream.calls import Answer, Call
from tests.upstream.clock import MovableClock, SettableClock
from tests.upstream.faults import Fault, Script, send_well
from tests.upstream.wire import Wire

POLL_S = 0.02
GRACE_S = 5.0
_BUGS = (  # whatever a mistake in the simulator, or in a test's hook, may raise
    *(ArithmeticError, AssertionError, AttributeError, LookupError, NameError),
    *(OSError, RuntimeError, TypeError, ValueError),
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60.0
    server: "_Server"

    def _any(self) -> None:
        length_bytes = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length_bytes) if length_bytes else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        wire = Wire(self.connection, self.server.upstream.stopping)
        try:
            self.server.upstream.exchange(self.command, self.path, headers, body, wire)
        except OSError:  # the client has gone
            wire.close()
        if wire.ended or headers.get("connection", "").lower() == "close":
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any  # noqa: N815 names of the library

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 the library's name
        """Say nothing; the calls are in the log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], upstream: "Upstream") -> None:
        self.upstream = upstream
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._open.discard(request)
                self._changed.notify_all()

    def shutdown_request(self, request: Any) -> None:
        """Close at once; a shutdown before it would turn a reset into an orderly end."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that reset or vanish are what simulators are for."""

    def hang_up(self) -> None:
        """End every open connection and wait until their threads are through."""
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, GRACE_S)


class Upstream(abc.ABC):
    """A service on 127.0.0.1 that can be watched, edited and broken while it answers.

    A subclass gives `answer`. `before`, if set, is called with each call before it is answered,
    under the lock: there a test may edit the account between any two calls. A bug in the
    simulator itself is answered with 599 and raised by `stop`.
    """

    def __init__(
        self,
        *,
        clock: SettableClock | None = None,
        seed: int = 0,
        ahead_s: float = 0.0,
        port: int = 0,
    ) -> None:
        self.clock: SettableClock = clock or MovableClock()
        self.seed = seed
        self.ahead_s = ahead_s  # how far the service's clock is ahead of the client's
        self.script = Script(seed)
        self.calls: list[Call] = []
        self.before: Callable[[Call], None] | None = None
        self.bugs: list[Exception] = []
        self.stopping = threading.Event()
        self.lock = threading.RLock()
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @abc.abstractmethod
    def answer(self, call: Call) -> Answer:
        """Return what the service says. Runs under the lock."""

    def start(self) -> Self:
        """Listen; the same port again after a `stop`."""
        self.stopping.clear()
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_S,), daemon=True, name="upstream"
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Hang up and refuse connections; raise the first bug that the simulator ran into."""
        server, self._server = self._server, None
        if server is not None and self._thread is not None:
            self.stopping.set()
            server.shutdown()
            server.hang_up()
            server.server_close()
            self._thread.join(GRACE_S)
        if self.bugs:
            raise self.bugs.pop(0)

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections for a while; the port stays the same."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Return the address without a path, as http://127.0.0.1:PORT."""
        return f"http://127.0.0.1:{self._port}"

    def calls_to(self, path: str, *, since: int = 0) -> list[Call]:
        """Return the calls after number `since` whose path contains `path`."""
        return [call for call in self.calls if call.number > since and path in call.path]

    def exchange(
        self, method: str, target: str, headers: dict[str, str], body: bytes, wire: Wire
    ) -> None:
        """Answer one request on the wire, as the script has it."""
        with self.lock:
            call = self._note(method, target, headers, body)
            faults = self.script.due(call)
            call.faults = tuple(fault.name for fault in faults)
            answer = self._decide(call, faults)
            call.status = answer.status
        if not any(fault.send(wire, answer, call) for fault in faults):
            send_well(wire, answer, call)

    def _note(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Call:
        parts = urllib.parse.urlsplit(target)
        form = "urlencoded" in headers.get("content-type", "")
        call = Call(
            number=len(self.calls) + 1,
            method=method,
            path=urllib.parse.unquote(parts.path),
            query=dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
            form=dict(urllib.parse.parse_qsl(body.decode())) if form else {},
            headers=headers,
            moment=self.moment(),
            body=body,
        )
        self.calls.append(call)
        return call

    def _decide(self, call: Call, faults: list[Fault]) -> Answer:
        try:
            if self.before is not None:
                self.before(call)
            if not all(fault.processed for fault in faults):
                return Answer(status=0)
            for fault in faults:
                fault.spoil_call(call)
            answer = self.answer(call)
            for fault in faults:
                answer = fault.spoil_answer(answer, call, self.script.dice)
        except _BUGS as bug:  # kept, and raised by stop
            self.bugs.append(bug)
            return Answer(599, {"message": f"the simulator is wrong: {bug!r}"})
        return answer

    def moment(self) -> dt.datetime:
        """Return the present moment as the service sees it."""
        return self.clock.now() + dt.timedelta(seconds=self.ahead_s)
