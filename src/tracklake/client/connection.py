"""Connections that a watchdog can shut at a deadline, whatever the server drips."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

_CONNECT_S = 10.0  # to one address; a name may have several, the first of them dead
SLACK_S = 0.5  # the watchdog comes first; a timeout is the second line


class Watchdog:
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

    def __enter__(self) -> "Watchdog":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        if self.socket is not None:
            self.socket.close()

    def left_s(self) -> float:
        """Return how long this try may still take."""
        return max(self._ends_s - time.monotonic(), 0.001)

    def guard(self, descriptor: int) -> None:
        """Watch a connection from now on."""
        with self._lock:
            self.socket = socket.socket(fileno=os.dup(descriptor))
        if self.bit:
            self._bite()

    def _bite(self) -> None:
        with self._lock, contextlib.suppress(OSError):  # it may be closed already
            self.bit = True
            if self.socket is not None:
                self.socket.shutdown(socket.SHUT_RDWR)


WATCHDOG: ContextVar[Watchdog] = ContextVar("watchdog")  # of the try that this thread is at


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
        watchdog = WATCHDOG.get()
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
            connected.settimeout(watchdog.left_s() + SLACK_S)  # for the whole TLS handshake
            watchdog.guard(connected.fileno())
            return connected
        raise failure

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 has it
        watchdog = WATCHDOG.get()
        if watchdog.socket is None and self.sock is not None:
            watchdog.kept_alive = True
            watchdog.guard(self.sock.fileno())
        response = super().getresponse()
        watchdog.answered = True
        return response


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class Adapter(HTTPAdapter):
    """Has urllib3 make connections that a watchdog can shut."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 theirs
        """Return urllib3's pool, with our kind of connection."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        ours = _TlsConnection if pool.scheme == "https" else _Connection
        if issubclass(ours, pool.ConnectionCls):  # else SOCKS, which connects in its own way
            pool.ConnectionCls = ours
        return pool
