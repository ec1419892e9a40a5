"""What is asked of a server, and whether what came back is an answer; pure."""

import contextlib
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from tracklake.clock import UTC
from tracklake.errors import Error, InvalidData, SourceError, Transient
from tracklake.json_text import parse

LONGEST_WAIT_S = 60.0
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*(<!doctype\s+html|<html)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: header names in lower case, the body unpacked."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401 JSON is anything
        """Return the parsed body, read as json_text.py does; raise Transient if it is none."""
        with contextlib.suppress(ValueError):
            return parse(self.body)
        kind = re.sub(r"[^\w/+.-].*", "", self.headers.get("content-type", ""))[:60] or "no type"
        raise Transient(f"it answered {self.status} without JSON ({kind}, {len(self.body)} bytes)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, however often it is tried; what may hold secrets is not in its repr."""

    method: str = "GET"
    url: str = field(repr=False)
    params: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)  # in place of a form, with its type
    deadline_s: float = 60.0  # of one try, from connecting to the last byte
    most_bytes: int = 16 << 20  # unpacked
    tries: int = 4
    expects_json: bool = True  # a 2xx answer without JSON is a failed try


@dataclass(eq=False)
class Failed(Exception):
    """A try that gave no answer, and whether another may."""

    what: str
    final: type[Error] | None = None  # no other try
    wait_s: float | None = None  # as the server asked
    stale: bool = False  # a kept-alive connection that had been closed meanwhile
    error_class: str = "temporary_api_error"
    is_page: bool = False  # for people, with 200


def judged(ask: Ask, answer: Answer, now: dt.datetime) -> Answer | Failed:
    """Return the answer if its status and body are what was asked for."""
    status, headers = answer.status, answer.headers
    if 300 <= status < 400:
        target = re.sub(r"^([^/?#]*:)?//([^/?#]*@)?|[/?#].*", "", headers.get("location", ""))
        where = re.sub(r"[^\w.:-]", "", target)[:80] or "another path"
        return Failed(f"it answered {status}, to {where}; redirects are not followed", SourceError)
    if not 200 <= status < 500:
        wait_s = retry_after_s(headers, now) if status == 503 else None
        if wait_s is not None and wait_s > LONGEST_WAIT_S:
            return Failed(f"it answered {status} and asks to wait {wait_s:.0f} s", Transient)
        return Failed(f"it answered {status}", wait_s=wait_s)
    if status < 300 and ask.expects_json:
        try:
            answer.json()
        except Transient as error:
            return Failed(str(error), is_page=is_page(answer.body))
    framed = "content-length" in headers or "transfer-encoding" in headers
    if status in (200, 206) and not framed and not answer.body:
        return Failed("the answer broke off after its headers, or amid them")
    return answer


def retry_after_s(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Return how long a server asks to be left alone; None if it does not, or says nonsense.

    A date counts from the server's own `Date`, where it tells one: clocks differ.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        wait_s = float(text)
    else:
        try:
            until = parsedate_to_datetime(text)
            since = parsedate_to_datetime(headers["date"]) if "date" in headers else now
            wait_s = (until.replace(tzinfo=UTC) - since.replace(tzinfo=UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return wait_s if wait_s >= 1 else None


def error(ask: Ask, failure: Failed, failed: int) -> Error:
    """Return what to raise after so many failed tries; nothing secret is in it."""
    place = re.sub(r"^[^:/]*://([^/]*@)?", "", re.split(r"[?#]", ask.url)[0])
    text = f"{ask.method} {place}: {failure.what} ({failed} {'try' if failed == 1 else 'tries'})"
    if failure.final is InvalidData:
        return InvalidData(text, reason="too_large")
    if failure.final is SourceError:
        return SourceError(text, error_class=failure.error_class)
    found = Transient(text, error_class=failure.error_class)
    found.is_page = failure.is_page
    return found


def is_page(body: bytes) -> bool:
    """Tell a page for people (a maintenance, a captive portal) from what was asked for."""
    return _PAGE.match(body) is not None
