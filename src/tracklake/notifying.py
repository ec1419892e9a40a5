"""Telling somebody: a message to the addresses of TRACKLAKE_NOTIFY_URLS, by Apprise.

Apprise runs in a process of its own, `python -m tracklake.notifying`: it takes long to load, and a
service that hangs is cut off at a deadline. Addresses hold secrets: they are passed on standard
input, and what comes back names them by number and kind only.
"""

import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence

import orjson

SETTING = "TRACKLAKE_NOTIFY_URLS"
DEADLINE_S = 15.0
_COMMAND = (sys.executable, "-P", "-m", "tracklake.notifying")


def send(urls: Sequence[str], title: str, text: str, *, deadline_s: float = DEADLINE_S) -> str:
    """Send a message to every address; return what went wrong or ""."""
    return _asked({"urls": list(urls), "title": title, "text": text}, deadline_s)


def misunderstood(urls: Sequence[str], *, deadline_s: float = DEADLINE_S) -> str:
    """Return which addresses nobody understands, or ""; nothing is sent."""
    return _asked({"urls": list(urls)}, deadline_s)


def _asked(job: dict[str, object], deadline_s: float) -> str:
    child = subprocess.Popen(  # noqa: S603 our own command
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what libraries say there may hold an address
        start_new_session=True,
    )
    try:
        said, _ = child.communicate(orjson.dumps(job), timeout=deadline_s)
    except subprocess.TimeoutExpired:
        _kill(child)
        return f"{SETTING}: no answer within {deadline_s:g} s"
    except BaseException:  # a signal: nobody else would end the child
        _kill(child)
        raise
    if child.returncode != 0:
        return f"{SETTING}: the process that sends it ended with code {child.returncode}"
    return said.decode(errors="replace").strip()


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End it and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def main() -> None:
    """Do a job that is read on standard input; print what went wrong, in one line."""
    job = orjson.loads(sys.stdin.buffer.read())
    sys.stdout.write("; ".join(_problems(job)))


def _problems(job: dict[str, object]) -> list[str]:
    from apprise import Apprise, AppriseAsset, NotifyFormat, PersistentStoreMode

    # In memory only: Apprise would keep what it knows of a service in the home folder.
    asset = AppriseAsset(app_id="Tracklake", storage_mode=PersistentStoreMode.MEMORY)
    urls = job["urls"]
    assert isinstance(urls, list)  # noqa: S101 our own job
    found = []
    for number, url in enumerate(urls, start=1):
        service = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
        where = f"{SETTING}: address {number} ({_kind(url)})"
        if service is None:
            found.append(f"{where} is none that Apprise understands")
            continue
        if "title" not in job:
            continue
        one = Apprise(asset=asset)
        one.add(service)
        problem = _delivered(one, str(job["title"]), str(job["text"]), NotifyFormat.TEXT)
        if problem:
            found.append(f"{where} {problem}")
    return found


def _delivered(one: object, title: str, text: str, body_format: object) -> str:
    from apprise.logger import LogCapture

    with LogCapture(level=logging.WARNING) as log:  # type: ignore[no-untyped-call] # theirs
        is_delivered = one.notify(body=text, title=title, body_format=body_format)  # type: ignore[attr-defined] # of Apprise
        said = log.getvalue()
    if is_delivered:
        return ""
    code = re.search(r"error=(\d{3})\b", said)  # all else in it may be secret
    return f"answered {code[1]}" if code else "could not be reached"


def _kind(url: str) -> str:
    return re.split(r"[^a-z0-9+.-]", url.lower(), maxsplit=1)[0][:12] if "://" in url else "?"


if __name__ == "__main__":
    main()
