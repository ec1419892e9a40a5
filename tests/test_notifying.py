"""Telling somebody: by real HTTP to a receiver on this machine, in a process that may be killed."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.rows import make_session
from tracklake import doctor, notifying
from tracklake.config import load
from tracklake.errors import ConfigError


class Receiver:
    """What came in; it answers by the path."""

    def __init__(self) -> None:
        self.came: list[dict[str, Any]] = []
        self.stopping = threading.Event()
        self.dripping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                outer.came.append(json.loads(self.rfile.read(length)))
                if "hangs" in self.path:
                    self._drip()
                    return
                self.send_response(500 if "broken" in self.path else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def _drip(self) -> None:
                outer.dripping.set()
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not outer.stopping.wait(0.1):
                    try:
                        self.wfile.write(b"X-More: more\r\n")
                    except OSError:
                        return

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def url(self, path: str = "") -> str:
        """Return its address as Apprise has it."""
        return f"json://127.0.0.1:{self.server.server_port}/{path}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that listens."""
    found = Receiver()
    found.thread.start()
    yield found
    found.stopping.set()
    found.server.shutdown()
    found.thread.join()
    found.server.server_close()


def test_each_address_gets_the_message(receiver: Receiver) -> None:
    """Title and text arrive as they are, whatever signs are in them, at both addresses."""
    text = "- Strava needs a new login.\n  What to do: `make auth` <b>&amp; *so*."
    assert notifying.send([receiver.url(), receiver.url("two")], "Tracklake: ✓", text) == ""
    assert [(one["title"], one["message"]) for one in receiver.came] == [("Tracklake: ✓", text)] * 2


def test_what_fails_is_named_without_its_secrets(receiver: Receiver) -> None:
    """A 500, a closed port and an unknown kind: each by number and kind, the rest was told."""
    urls = [
        receiver.url("broken/hunter2hunter2"),
        "json://user:hunter2hunter2@127.0.0.1:9/",
        "nosuch://hunter2hunter2",
        receiver.url(),
    ]
    said = notifying.send(urls, "title", "text")
    assert "address 1 (json) answered 500" in said
    assert "address 2 (json) could not be reached" in said
    assert "address 3 (nosuch) is none that Apprise understands" in said
    assert "address 4" not in said
    assert "hunter2" not in said
    assert len(receiver.came) == 2


def test_a_receiver_that_hangs_is_cut_off(receiver: Receiver) -> None:
    """One that drips for ever is left at the deadline, and its process is gone."""
    began_s = time.monotonic()
    said = notifying.send([receiver.url("hangs")], "title", "text", deadline_s=2.5)
    assert said == "TRACKLAKE_NOTIFY_URLS: no answer within 2.5 s"
    assert time.monotonic() - began_s < 6
    assert receiver.dripping.is_set()


def test_no_address_is_in_the_list_of_processes(receiver: Receiver) -> None:
    """While it sends, no command line and no environment of a child has the address."""
    url = receiver.url("hangs/hunter2hunter2")
    thread = threading.Thread(
        target=notifying.send, args=([url], "title", "text"), kwargs={"deadline_s": 3.0}
    )
    thread.start()
    assert receiver.dripping.wait(10)
    seen = [_said(path) for path in Path("/proc").glob("[0-9]*")]
    thread.join()
    assert any(b"tracklake.notifying" in one for one in seen)
    assert not any(b"hunter2hunter2" in one for one in seen)


def _said(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    except OSError:
        return b""


def test_a_setting_that_is_no_address_is_not_said_back(tmp_path: Path) -> None:
    """The sentence names the setting and the place, and nothing of what may be a secret."""
    given = "ntfys://ntfy.sh/topic hunter2hunter2"
    with pytest.raises(ConfigError) as raised:
        load(data_dir=tmp_path, notify_urls=given)
    assert "word 2 is no address" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("urls", "is_well", "words"),
    [
        (None, True, "is not set"),
        ("json://127.0.0.1:9/x ntfys://ntfy.sh/topic", True, "2 addresses understood"),
        ("json://127.0.0.1:9/x nosuch://x", False, "address 2 (nosuch)"),
    ],
)
def test_the_doctor_says_whether_they_are_understood(
    tmp_path: Path, urls: str | None, is_well: bool, words: str
) -> None:
    """None, two good ones, and one that nobody understands; nothing is sent."""
    make_session(tmp_path)
    settings, folders = load(
        data_dir=tmp_path / "data", secrets_dir=tmp_path / "secrets", notify_urls=urls
    )
    [found] = [one for one in doctor.examine(folders, settings) if one.subject == "notifications"]
    assert found.is_well == is_well
    assert words in found.said


def test_the_command_sends_a_test_message(receiver: Receiver, tmp_path: Path) -> None:
    """`tracklake alerts --test` reaches the receiver; without addresses it says what to set."""
    done = _alerts(tmp_path, "--test", TRACKLAKE_NOTIFY_URLS=receiver.url())
    assert (done.returncode, done.stdout) == (0, "sent to 1 address\n")
    assert [one["title"] for one in receiver.came] == ["Tracklake: a test"]
    done = _alerts(tmp_path, "--test")
    assert done.returncode == 2
    assert "TRACKLAKE_NOTIFY_URLS is not set" in done.stderr
    done = _alerts(tmp_path)
    assert (done.returncode, done.stdout) == (0, "nothing needs you\n")


def _alerts(place: Path, *options: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "tracklake", "alerts", *options],
        cwd=place,
        env={**os.environ, **settings},  # noqa: TID251 what a child needs
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
