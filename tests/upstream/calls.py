"""What is asked of a simulator and what it answers, before either meets a socket."""

import dataclasses
import datetime as dt
import json
import urllib.parse
from email.utils import format_datetime
from http import HTTPStatus

import orjson

NOTHING = object()  # an answer without a body; None is the JSON value null


@dataclasses.dataclass
class Call:
    """One request, numbered from 1; `status` is 0 while (or because) nothing was answered."""

    number: int
    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]  # names in lower case
    moment: dt.datetime
    status: int = 0
    faults: tuple[str, ...] = ()  # names of the faults that were played
    body: bytes = dataclasses.field(default=b"", repr=False)

    @property
    def authorized(self) -> bool:
        """Say whether an Authorization header came along (valid or not)."""
        return "authorization" in self.headers

    @property
    def bearer(self) -> str | None:
        """Return the token of the Authorization header."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind == "Bearer" and token else None

    def line(self) -> str:
        """Return the call as one line, without tokens."""
        query = f"?{urllib.parse.urlencode(self.query)}" if self.query else ""
        return f"{self.number} {self.method} {self.path}{query} {self.status}"


@dataclasses.dataclass
class Answer:
    """A status, headers, and either a payload (sent as JSON) or raw bytes."""

    status: int = 200
    payload: object = NOTHING
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    raw: bytes | None = None  # instead of the payload
    content_type: str | None = "application/json; charset=utf-8"

    def body(self) -> bytes:
        """Return the bytes to send."""
        if self.raw is not None:
            return self.raw
        if self.payload is NOTHING:
            return b""
        try:
            return orjson.dumps(self.payload)
        except TypeError:  # lone surrogates, integers above 64 bits: what only escapes can say
            return json.dumps(self.payload).encode()


def head(
    answer: Answer, moment: dt.datetime, length_bytes: int | None, **extra: str | None
) -> bytes:
    """Return status line and headers; no Content-Length for None; `extra` adds or removes."""
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unknown"
    fields: dict[str, str | None] = {
        "Date": format_datetime(moment, usegmt=True),
        "Server": "simulator",
        "Content-Type": answer.content_type,
        "Content-Length": None if length_bytes is None else str(length_bytes),
        **answer.headers,
        **{name.replace("_", "-"): value for name, value in extra.items()},
    }
    lines = [f"HTTP/1.1 {answer.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
