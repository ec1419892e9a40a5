"""Stands in for the library `garminconnect` 0.3: the part of it that is used, over real HTTP.

The library itself only speaks to Garmin's own hosts. Names, calls and errors are the library's;
`URL` says where the simulator is, `LOGIN` what a login with a password brings.
"""

import http.client
import json
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

URL = ""
LOGIN: Callable[[str, str, Callable[[], str]], dict[str, str]] | None = None


class GarminConnectConnectionError(Exception):
    """Something went wrong; `response` is the answer, if there was one."""

    response: Any = None


class GarminConnectNotFoundError(GarminConnectConnectionError):
    """404."""


class GarminConnectTooManyRequestsError(Exception):
    """429."""


class GarminConnectAuthenticationError(Exception):
    """401."""


class Response:
    """An answer, as `requests` has it."""

    def __init__(self, status_code: int, headers: dict[str, str], content: bytes) -> None:
        self.status_code = status_code
        self.headers = headers
        self.content = content


def _send(method: str, path: str, headers: dict[str, str], form: str = "") -> Response:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(URL).netloc, timeout=15)
    try:
        connection.request(method, path, form or None, headers)
        answer = connection.getresponse()
        return Response(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


class Client:
    """Tokens, and calls with them: a 401 refreshes them and is asked again once."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}

    def dumps(self) -> str:
        """Return the tokens as text."""
        return json.dumps(self.tokens)

    def load(self, path: str) -> None:
        """Read the tokens."""
        try:
            self.tokens = json.loads(Path(path).read_text("utf-8"))
        except ValueError as error:
            raise GarminConnectConnectionError("Token path not loading cleanly") from error

    def call(self, path: str, accept: str, params: dict[str, object] | None) -> Response:
        """Ask for something."""
        target = path + (f"?{urllib.parse.urlencode(params)}" if params else "")
        answer = _send("GET", target, self._headers(accept))
        if answer.status_code == 401:
            self._refresh()
            answer = _send("GET", target, self._headers(accept))
        return answer

    def _headers(self, accept: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['di_token']}", "Accept": accept}

    def _refresh(self) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self.tokens["di_refresh_token"]}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        path = "/di-oauth2-service/oauth/token"
        answer = _send("POST", path, kind, urllib.parse.urlencode(form))
        if answer.status_code == 200:
            told = json.loads(answer.content)
            self.tokens["di_token"] = told["access_token"]
            self.tokens["di_refresh_token"] = told["refresh_token"]


class Garmin:
    """The library's front."""

    def __init__(
        self,
        email: str | None = None,
        password: str | None = None,
        *,
        prompt_mfa: Callable[[], str] | None = None,
        retry_attempts: int = 3,
    ) -> None:
        self.email, self.password, self.prompt_mfa = email, password, prompt_mfa
        self.retry_attempts = retry_attempts
        self.client = Client()

    def login(self) -> tuple[None, None]:
        """Log in with the password."""
        if not (self.email and self.password and LOGIN and self.prompt_mfa):
            raise GarminConnectAuthenticationError("Username and password are required")
        self.client.tokens = LOGIN(self.email, self.password, self.prompt_mfa)
        return None, None

    def connectapi(self, path: str, params: dict[str, object] | None = None) -> Any:
        """Return what a path says, parsed."""
        return json.loads(self._well(self.client.call(path, "application/json", params)).content)

    def download(self, path: str) -> bytes:
        """Return what a path holds."""
        return self._well(self.client.call(path, "*/*", None)).content

    def _well(self, answer: Response) -> Response:
        if answer.status_code < 400:
            return answer
        error = GarminConnectConnectionError(f"API Error {answer.status_code}")
        error.response = answer
        if answer.status_code == 401:
            raise GarminConnectAuthenticationError("Authentication failed") from error
        if answer.status_code == 429:
            raise GarminConnectTooManyRequestsError("Rate limit exceeded") from error
        if answer.status_code == 404:
            missing = GarminConnectNotFoundError("not found")
            missing.response = answer
            raise missing from error
        raise error
