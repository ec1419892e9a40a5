"""Answers of another status or another form than JSON: FAULTS T6, T7, T9, T10, Q1 to Q4, E1, E2."""

# ruff: noqa: ARG002 - not every fault needs all that it is given

import dataclasses
import random

from tests.upstream.calls import NOTHING, Answer, Call
from tests.upstream.faults import Fault
from tests.upstream.observed import error

HTML = b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>Soon.</body></html>\n"


def _quota_of(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if "limit" in name.lower()}


@dataclasses.dataclass
class Status(Fault):
    """A status with a JSON body and headers; `quota`: keep the headers of the quota."""

    status: int
    body: object = NOTHING
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    quota: bool = True

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        kept = _quota_of(answer) if self.quota else {}
        return Answer(self.status, self.body, kept | self.headers)


@dataclasses.dataclass
class Observed(Fault):
    """An error as it was observed, by its name in the templates.

    expired, no_token, scope (401), inactive, athlete_limit (403), absent, unknown_path (404),
    overall, read, older_429, string_429 (429), server_error (500), client, code, refresh (400).
    """

    error: str
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    quota: bool = True

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        spoilt = error(self.error)
        spoilt.headers = (_quota_of(answer) if self.quota else {}) | self.headers
        return spoilt


@dataclasses.dataclass
class Redirect(Fault):
    """Send elsewhere; None: to the same address, for ever."""

    to: str | None = None
    status: int = 302

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        place = self.to or f"http://{call.headers.get('host', '')}{call.path}"
        return Answer(self.status, headers={"Location": place}, content_type="text/html")


@dataclasses.dataclass
class Html(Fault):
    """A page for people, as of a proxy or a maintenance, with a status that may well be 200."""

    status: int = 200

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        return Answer(self.status, raw=HTML, content_type="text/html; charset=utf-8")


@dataclasses.dataclass
class Empty(Fault):
    """No body at all, with 200 or 204."""

    status: int = 200

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        return dataclasses.replace(answer, status=self.status, payload=NOTHING, raw=b"")


@dataclasses.dataclass
class ContentType(Fault):
    """The right body under a wrong Content-Type, or under none (None)."""

    value: str | None = None

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        return dataclasses.replace(answer, content_type=self.value)


@dataclasses.dataclass
class Bom(Fault):
    """A byte order mark before the JSON."""

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        return dataclasses.replace(answer, raw=b"\xef\xbb\xbf" + answer.body())


@dataclasses.dataclass
class Bytes(Fault):
    """The body with one byte string put for another, wherever it is found.

    Bytes(b'"distance":', b'"distance":NaN,"distance":') doubles a key and says NaN.
    """

    old: bytes
    new: bytes

    def spoil_answer(self, answer: Answer, call: Call, dice: random.Random) -> Answer:
        return dataclasses.replace(answer, raw=answer.body().replace(self.old, self.new))


def latin_1() -> Bytes:
    """Return names with an é in Latin-1, which is not UTF-8."""
    return Bytes(b'"name":"', b'"name":"Caf\xe9 ')


def not_a_number(name: str = "average_speed", word: bytes = b"NaN") -> Bytes:
    """Return a field that says NaN (or Infinity), which JSON does not know."""
    key = f'"{name}":'.encode()
    return Bytes(key, key + word + b',"was":')


def duplicate_key(name: str = "distance") -> Bytes:
    """Return an object that names a field twice, with different values."""
    key = f'"{name}":'.encode()
    return Bytes(key, key + b"1.0," + key)
