"""The one request a browser makes after a login: waited for on this machine."""

import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_HERE = ("localhost", "127.0.0.1")
_IDLE_S = 5.0
_PAGE = (
    b"<!doctype html><meta charset=utf-8><title>Tracklake</title>"
    b"<p>Tracklake has its answer. You can close this window."
)


def listen(redirect_uri: str, timeout: float, host: str = "127.0.0.1") -> str | None:
    """Wait for the browser to come back and return the whole address it asked for.

    None if nobody came within `timeout` seconds, or nothing can listen there: an address that is
    not this machine's, or a port in use. Requests for anything else are answered with 404. host:
    where to listen; in a container more than itself.
    """
    wanted = urlsplit(redirect_uri)
    if wanted.hostname not in _HERE:
        return None
    came: queue.SimpleQueue[str] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        timeout = _IDLE_S  # browsers open connections ahead of need

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            is_answer = bool({"code", "error"} & parse_qs(asked.query).keys())
            if asked.path.rstrip("/") != wanted.path.rstrip("/") or not is_answer:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(_PAGE)))
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(_PAGE)
            came.put(f"{wanted.scheme}://{wanted.netloc}{self.path}")

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 its name there
            """Say nothing: the address holds the code."""

    try:
        server = ThreadingHTTPServer((host, wanted.port or 80), Handler)
    except OSError:
        return None
    return _served(server, came, timeout)


def _served(
    server: ThreadingHTTPServer, came: "queue.SimpleQueue[str]", timeout: float
) -> str | None:
    """Serve until an address came or time is up."""
    with server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        try:
            return came.get(timeout=timeout)
        except queue.Empty:
            return None
        finally:
            server.shutdown()
            serving.join()
