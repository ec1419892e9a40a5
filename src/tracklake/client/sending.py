"""The one way to the network: a layer above `requests` that bounds time, size and tries.

urllib3's own retries are off: they see neither a cut body nor HTML where JSON was due, and sleep
as long as a server likes. Here a try is everything from connecting to a body that parses.
Messages name method, host and path; never a query, a header, a form or a body.
"""

import contextlib
import random
import socket
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from tracklake import __version__
from tracklake.client.answers import LONGEST_WAIT_S, Answer, Ask, Failed, error, judged
from tracklake.client.connection import SLACK_S, WATCHDOG, Adapter, Watchdog
from tracklake.clock import Clock
from tracklake.errors import InvalidData, SourceError

USER_AGENT = f"Tracklake/{__version__} (a person's own archive of activities)"
_PIECE_BYTES = 1 << 16
_CA_HINT = "behind a company's proxy, let REQUESTS_CA_BUNDLE name the file with the company's CA"
_WORDS: tuple[tuple[type[BaseException], str, str], ...] = (
    (socket.gaierror, "its name could not be looked up", "network_error"),
    (ConnectionRefusedError, "the connection was refused", "network_error"),
    (TimeoutError, "no answer in time", "timeout"),
    (ConnectionError, "the connection was closed or reset", "network_error"),
    (zlib.error, "the body does not unpack", "temporary_api_error"),
)


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo gzip in parts of bounded size; raise zlib.error if it is damaged or cut."""
    member = None
    for packed in pieces:
        piece = packed
        while piece:
            member = member or zlib.decompressobj(wbits=31)
            yield member.decompress(piece, _PIECE_BYTES)
            piece = member.unconsumed_tail  # the trailer at least, as long as output is held back
            if member.eof:
                piece, member = member.unused_data, None
    if member is not None:
        raise zlib.error


def _explained(error: Exception, watchdog: "Watchdog") -> Failed:
    """Say what happened in words of our own: the libraries' words quote addresses and headers."""
    if watchdog.bit:
        return Failed("no complete answer before the deadline", error_class="timeout")
    links = _chain(error)
    for link in links:
        if reason := getattr(link, "verify_message", ""):
            said = f"its certificate is not trusted ({reason}); {_CA_HINT}"
            return Failed(said, SourceError, error_class="network_error")
    if type(error) is OSError:  # requests, of the file that REQUESTS_CA_BUNDLE names
        return Failed("REQUESTS_CA_BUNDLE names a file that is not there", SourceError)
    if isinstance(error, ValueError):
        return Failed(f"it cannot be sent ({type(error).__name__})", SourceError)
    closed = watchdog.kept_alive and not watchdog.answered
    for kind, words, error_class in _WORDS:
        if any(isinstance(link, kind) for link in links):
            stale = closed and issubclass(kind, ConnectionError)
            return Failed(words, stale=stale, error_class=error_class)
    return Failed(f"the answer broke off ({type(links[-1]).__name__})")


def _chain(error: BaseException) -> list[BaseException]:
    inner = error.__cause__ or error.__context__
    return [error, *_chain(inner)] if inner else [error]


def _read(
    pieces: Iterable[bytes], headers: Mapping[str, str], most_bytes: int, watchdog: Watchdog
) -> bytes:
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "x-gzip", "identity", ""):
        raise Failed("it answered in an encoding that was not asked for")
    body = bytearray()
    for part in _unpacked(pieces) if "gzip" in encoding else pieces:
        body += part
        if len(body) > most_bytes:
            raise Failed(f"the body is larger than {most_bytes:,} bytes", InvalidData)
        if watchdog.bit:
            break
    if watchdog.bit:  # what was cut can look complete, even the headers
        raise TimeoutError
    return bytes(body)


class Client:
    """Sends requests, also from several threads; keeps connections alive until it is closed."""

    def __init__(self, clock: Clock, *, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 spreads waits, guards nothing
        self._environment = requests.Session()  # only asked for proxies and the CA bundle
        self._adapter = Adapter(max_retries=0)

    def send(
        self,
        ask: Ask,
        *,
        admit: Callable[[], None] | None = None,
        heed: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """Return the answer, if its status is 2xx or 4xx.

        `admit` is called before every try and may raise: then nothing is sent. `heed` gets every
        complete answer. Raises Transient when all tries failed, SourceError for a redirect or a
        certificate that is not trusted, InvalidData("too_large") for a body over its cap.
        """
        failed = spared = 0
        while True:
            if admit is not None:
                admit()
            outcome = self._try(ask)
            if isinstance(outcome, Answer):
                if heed is not None:
                    heed(outcome)
                outcome = judged(ask, outcome, self._clock.now())
            if isinstance(outcome, Answer):
                return outcome
            if outcome.stale and not spared:  # closed between two calls: nobody's fault
                spared = 1
                continue
            failed += 1
            if outcome.final is not None or failed >= ask.tries:
                raise error(ask, outcome, failed)
            backoff_s = self._rng.uniform(0, min(LONGEST_WAIT_S, 2.0 ** (failed - 1)))
            self._clock.sleep(backoff_s if outcome.wait_s is None else outcome.wait_s)

    def _try(self, ask: Ask) -> Answer | Failed:
        with Watchdog(ask.deadline_s) as watchdog:
            mark = WATCHDOG.set(watchdog)
            try:
                return self._exchange(ask, watchdog)
            except Failed as failure:
                return failure
            except (OSError, HTTPError, zlib.error, ValueError) as problem:
                return _explained(problem, watchdog)
            finally:
                WATCHDOG.reset(mark)

    def _exchange(self, ask: Ask, watchdog: Watchdog) -> Answer:
        # Not through Session.send: it adds cookies and .netrc's logins and reads redirects' bodies.
        ours = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"}
        request = requests.Request(
            ask.method,
            ask.url,
            headers={**ask.headers, **ours},
            params=dict(ask.params),
            data=ask.form if ask.body is None else ask.body,
            auth=lambda prepared: prepared,  # nor the login in an address
        ).prepare()
        settings: Any = self._environment.merge_environment_settings(
            request.url, {}, True, None, None
        )
        timeout_s = ask.deadline_s + SLACK_S
        response = self._adapter.send(request, timeout=timeout_s, **settings)
        with contextlib.closing(response):
            headers = {name.lower(): value for name, value in response.headers.items()}
            pieces = response.raw.stream(_PIECE_BYTES, decode_content=False)
            body = _read(pieces, headers, ask.most_bytes, watchdog)
        return Answer(response.status_code, headers, body)

    def close(self) -> None:
        """Close the connections that are kept alive."""
        self._adapter.close()
