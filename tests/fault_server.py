"""A server on loopback that does to a client what real servers and networks do.

Raw sockets, because HTTP libraries refuse to send cut bodies, dripped headers or resets. Every
request gets the next act of the script; the last act repeats.
"""

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable
from typing import Self

Act = Callable[["Wire"], bool]  # answers one request; whether the connection lives on
JSON = b'{"id": 9007199254740993}'


class Wire:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, stopped: threading.Event) -> None:
        self.request = b""  # the one to answer
        self._socket = sock
        self._stopped = stopped

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def pause(self, seconds: float) -> bool:
        """Wait; tell whether the server goes on."""
        return not self._stopped.wait(seconds)

    def reset(self) -> None:
        """Let the close that follows send RST instead of FIN."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def read_request(self) -> bytes:
        """Return head and body of the next request; nothing at the end of the connection."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self._socket.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length:
            body += self._socket.recv(65536)
        return head + b"\r\n\r\n" + body


class FaultServer:
    """Serves a script of acts, every connection in a thread of its own; use it with `with`."""

    def __init__(
        self, *acts: Act, tls: ssl.SSLContext | None = None, greeting: bytes = b""
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._acts = acts
        self._tls = tls
        self._greeting = greeting  # sent before any request came
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.place}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for sock in [self._listener, *self._open]:
            with contextlib.suppress(OSError):  # closed by its own thread
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="fault server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with sock:
                wire = Wire(sock, self._stopped)
                wire.send(self._greeting)
                while request := wire.read_request():
                    wire.request = request
                    act = self._acts[min(len(self.requests), len(self._acts) - 1)]
                    self.requests.append(request)
                    if not act(wire):
                        return
        except OSError:
            pass  # the client went away, which is what many tests are about
        finally:
            sock.close()


def message(body: bytes, *headers: str, status: int = 200) -> bytes:
    """Return a whole answer with its length."""
    lines = [f"HTTP/1.1 {status} Words", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(body: bytes = JSON, *headers: str, status: int = 200) -> Act:
    """A whole answer; the connection stays open."""

    def act(wire: Wire) -> bool:
        wire.send(message(body, *headers, status=status))
        return True

    return act


def raw(data: bytes) -> Act:
    """Bytes, then the end of the connection."""

    def act(wire: Wire) -> bool:
        wire.send(data)
        return False

    return act


def reset(after: bytes = b"") -> Act:
    """Bytes, then a reset."""

    def act(wire: Wire) -> bool:
        wire.send(after)
        wire.pause(0.02)  # what is sent arrives before the reset discards it
        wire.reset()
        return False

    return act


def hang(wire: Wire) -> bool:
    """Say nothing for as long as the server lives."""
    while wire.pause(60):
        pass
    return False


def drip(start: bytes, drop: bytes, every_s: float = 0.02) -> Act:
    """Bytes, then a drop at a time without an end; without a pause if `every_s` is 0."""

    def act(wire: Wire) -> bool:
        wire.send(start)
        while wire.pause(every_s):
            wire.send(drop)
        return False

    return act


def chunked(*chunks: bytes, headers: str = "", end: bytes = b"0\r\n\r\n") -> bytes:
    """Return an answer in chunks; without `end` it is cut."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{headers}\r\n".encode() + body + end


def gzip_bomb(unpacked_mb: int) -> bytes:
    """Return one gzip member of so many million zeros, about a thousandth of that in size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + block * unpacked_mb
