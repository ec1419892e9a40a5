"""A line to a server on this machine that breaks, or does something else, at a chosen byte."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self


class Line:
    """A line to the server that does something at a chosen byte of what is sent, or comes back."""

    def __init__(self, port: int, *, sent: bool, at: int, then: Callable[["Line"], None]) -> None:
        self._port, self._sent, self._at, self._then = port, sent, at, then
        self.lock = threading.Lock()
        self.count = 0
        self.is_dead = False
        self.has_struck = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Reset every connection that there is."""
        with self.lock:
            found, self._open = self._open, []
        for one in found:
            _end(one)

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            with self.lock:  # who was accepted before the cut is not to outlive it
                dead = self.is_dead
                if not dead:
                    self._open += [near, far]
            if dead:
                _end(near)
                _end(far)
                continue
            for one, other, sent in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pass, args=(one, other, sent), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, sent: bool) -> None:
        try:
            while data := one.recv(16_384):
                left = self._counted(len(data)) if sent == self._sent else len(data)
                other.sendall(data[:left])
                if left < len(data):
                    self._then(self)
                    return
        except OSError:
            pass
        finally:
            _end(one)
            _end(other)

    def _counted(self, size: int) -> int:
        """Return how much of what came may pass; less than all: it is the chosen byte's turn."""
        with self.lock:
            before, self.count = self.count, self.count + size
            if self.has_struck or self._at < 0 or self.count <= self._at:
                return size
            self.has_struck = True
            return max(0, self._at - before)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def cut_once(line: Line) -> None:
    """Reset all connections; new ones are served."""
    line.cut()


def cut_for_good(line: Line) -> None:
    """Reset all connections, and serve none any more."""
    with line.lock:
        line.is_dead = True
    line.cut()
