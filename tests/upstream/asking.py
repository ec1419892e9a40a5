"""A client as bare as can be: one request over a socket, and every byte that came back."""

import socket
import urllib.parse

from tests.upstream.server import Upstream

LISTING = "/api/v3/athlete/activities"


def ask(upstream: Upstream, path: str, token: str = "", *, wait_s: float = 5.0) -> bytes:
    """Return all that is sent until the other side closes or says nothing for `wait_s`.

    Raises ConnectionResetError where the connection is reset.
    """
    address = urllib.parse.urlsplit(upstream.url)
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=wait_s) as client:
        client.sendall(request.encode())
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Return everything up to the end or to a pause as long as the socket's timeout."""
    parts: list[bytes] = []
    while True:
        try:
            part = client.recv(1 << 16)
        except TimeoutError:
            return b"".join(parts)
        if not part:
            return b"".join(parts)
        parts.append(part)


def read_answer(client: socket.socket) -> bytes:
    """Return one answer that says its length, and leave the connection open."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(1)
    wanted = len(received) + int(split(received)[1]["content-length"])
    while len(received) < wanted:
        received += client.recv(wanted - len(received))
    return received


def split(received: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return the status line, the headers (names in lower case) and the body as sent."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return first, {name.lower(): value for name, _, value in pairs}, body
