"""Tells an address that a scheduled flow ended: `python -m tracklake.scheduling.ping`.

A process of its own, so that a network that hangs never holds up the scheduler, and what HTTP
needs is in memory only meanwhile. It prints one line if that failed; the address is not in it.
"""

import sys
from urllib.parse import urlsplit, urlunsplit

import orjson

from tracklake.client import Ask, Client
from tracklake.clock import Clock, SystemClock
from tracklake.errors import Error

_TRIES = 3
_TRY_S = 10.0


def told(url: str, failure: str, clock: Clock) -> str:
    """Call the address, or its `/fail` with the failure as body; return what went wrong or ""."""
    ask = Ask(url=url, tries=_TRIES, deadline_s=_TRY_S, expects_json=False)
    if failure:
        parts = urlsplit(url)
        failing = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))
        form = {"failure": failure}
        ask = Ask(
            method="POST",
            url=failing,
            form=form,
            tries=_TRIES,
            deadline_s=_TRY_S,
            expects_json=False,
        )
    client = Client(clock)
    try:
        answer = client.send(ask)
    except Error as error:
        return str(error).partition(": ")[2] or type(error).__name__  # without the address
    finally:
        client.close()
    return "" if answer.status < 300 else f"it answered {answer.status}"


def main() -> None:
    """Read the address and the failure on standard input."""
    job = orjson.loads(sys.stdin.buffer.read())
    problem = told(job["url"], job["failure"], SystemClock())
    if problem:
        sys.stdout.write(f"TRACKLAKE_HEARTBEAT_URL could not be told: {problem}\n")


if __name__ == "__main__":
    main()
