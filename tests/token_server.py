"""A small token server on loopback, strict about rotation; run as a program, a worker that uses it.

The server refuses a refresh token that has been used, as Strava does, and answers slowly if told
to. The worker asks a TokenStore for access tokens and calls the server's API with them.
"""

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from urllib.parse import parse_qs

from tracklake.client import Ask, Client
from tracklake.clock import SystemClock
from tracklake.errors import Interrupted
from tracklake.strava.oauth import login_problem
from tracklake.tokens import Grant, Token, TokenStore

CLIENT = {"client_id": "4711", "client_secret": "client-secret"}


def fault(resource: str, field: str, code: str, message: str = "Bad Request") -> dict[str, object]:
    """Return a Fault of Strava."""
    errors = [{"resource": resource, "field": field, "code": code}]
    return {"message": message, "errors": errors}


DEAD = fault("RefreshToken", "refresh_token", "invalid")
INACTIVE = fault("Application", "Status", "Inactive", "Forbidden")


class TokenServer:
    """One athlete's tokens: `valid` refresh tokens, each good for one use.

    `plan` holds what to do with the next refreshes instead of answering well: "lost" (rotate, then
    hang up), "500", "html", "inactive", or changes of the answer as a dict (None removes a field).
    """

    def __init__(self, *, delay_s: float = 0.0, lifetime_s: int = 21_600) -> None:
        self.delay_s = delay_s
        self.lifetime_s = lifetime_s
        self.valid = {"refresh-0"}
        self.codes = {"code-0"}
        self.access: set[str] = set()
        self.rotates = True
        self.plan: list[str | dict[str, object]] = []
        self.log: list[str] = []
        self.refreshes = 0
        self.invalid_grants = 0
        self.in_flight = 0
        self.arrived = threading.Event()  # a refresh has begun
        self.at_token: Callable[[], None] = lambda: None  # called before a refresh is answered
        self.at_api: Callable[[], None] = lambda: None
        self.pause = threading.Event()  # never set: waiting for it takes time
        self.lock = threading.Lock()
        self.url = ""

    def token(self, form: dict[str, str]) -> tuple[int, object]:
        """Answer POST /oauth/token with a status and a body."""
        if {name: form.get(name) for name in CLIENT} != CLIENT:
            return 401, fault("Application", "", "invalid", "Authorization Error")
        if form["grant_type"] == "authorization_code":
            if form["code"] not in self.codes:
                return 400, fault("RequestToken", "code", "invalid")
            self.codes.remove(form["code"])
            return 200, {**self._pair("refresh-of-login"), "athlete": {"id": 1}}
        return self._refresh(form["refresh_token"])

    def _refresh(self, given: str) -> tuple[int, object]:
        planned = self.plan.pop(0) if self.plan else {}
        if planned == "500":
            return 500, {"message": "Internal Server Error"}
        if planned == "inactive":
            return 403, INACTIVE
        if given not in self.valid:
            self.invalid_grants += 1
            return 400, DEAD
        self.refreshes += 1
        new = given
        if self.rotates:
            self.valid.remove(given)
            new = f"refresh-{self.refreshes}"
        answer = self._pair(new)
        if isinstance(planned, str):
            return 200, planned
        changed = {**answer, **planned}
        return 200, {name: value for name, value in changed.items() if value is not None}

    def _pair(self, refresh_token: str) -> dict[str, object]:
        access = f"access-{len(self.access) + 1}"
        self.valid.add(refresh_token)
        self.access.add(access)
        return {
            "token_type": "Bearer",
            "access_token": access,
            "expires_at": int(SystemClock().now().timestamp()) + self.lifetime_s,
            "expires_in": self.lifetime_s,
            "refresh_token": refresh_token,
        }


class _Handler(BaseHTTPRequestHandler):
    desk: TokenServer

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        with self.desk.lock:
            self.desk.in_flight += 1
            status, body = self.desk.token(form)
            self.desk.log.append(f"token {status}")
        self.desk.arrived.set()
        self.desk.at_token()
        self.desk.pause.wait(self.desk.delay_s)
        with self.desk.lock:
            self.desk.in_flight -= 1
        if body == "lost":
            self.close_connection = True
            return
        self._answer(status, b"<html>" if body == "html" else json.dumps(body).encode())

    def do_GET(self) -> None:
        known = self.headers["Authorization"].removeprefix("Bearer ") in self.desk.access
        self.desk.at_api()
        self.desk.log.append(f"api {200 if known else 401}")
        self._answer(200 if known else 401, b"{}")

    def _answer(self, status: int, body: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # the worker may have been killed
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 its name there
        """Say nothing."""


@contextlib.contextmanager
def serving(desk: TokenServer) -> Iterator[TokenServer]:
    """Let the server listen on a free port of loopback."""
    handler = type("Handler", (_Handler,), {"desk": desk})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        desk.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield desk
        server.shutdown()
        thread.join()


def grant_of(url: str, seed: str | None = None) -> Grant:
    """Return what a store needs to know of the server."""
    return Grant(
        source="Strava",
        token_url=f"{url}/oauth/token",
        seed=seed,
        advice="run `make auth`",
        client_id=CLIENT["client_id"],
        client_secret=CLIENT["client_secret"],
    )


def store_of(path: Path, url: str, seed: str | None = None) -> TokenStore:
    """Return a store of the real clock."""
    grant = grant_of(url, seed)
    return TokenStore(path, grant=grant, clock=SystemClock(), explain=login_problem)


def ended(refresh_token: str, expires_at: int = 1) -> Token:
    """Return a login whose access token, "access-0", has ended long ago."""
    access = "access-0"
    return Token(access_token=access, refresh_token=refresh_token, expires_at=expires_at)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


def main(path: str, url: str, count: str, manner: str) -> int:
    """Be a worker: say "ready", wait for a line, then call the API `count` times.

    Its `manner` is "rough" (signals do what they do) or "tidy" (SIGTERM raises, as in a flow).
    """
    if manner == "tidy":
        signal.signal(signal.SIGTERM, _stop)
    store = store_of(Path(path), url)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        with contextlib.closing(Client(SystemClock())) as client:
            for _ in range(int(count)):
                headers = {"Authorization": f"Bearer {store.access_token()}"}
                answer = client.send(Ask(url=f"{url}/api", headers=headers, tries=1))
                sys.stdout.write(f"{answer.status}\n")
    except Interrupted as interruption:
        return interruption.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
