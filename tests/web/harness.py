"""A `tracklake map` process and a browser that looks at it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    ViewportSize,
)

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"

# WebGL in software; nothing that a browser asks of its makers; no name leads anywhere.
_FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_READY = "['ready', 'empty', 'error'].includes(document.documentElement.dataset.state)"
_MOST_MS = 60_000  # software rendering on a busy machine
_UNTIL = """async () => {
  const end = performance.now() + %(most_ms)d;
  while (!(%(expression)s)) {
    if (performance.now() > end) throw new Error("waited in vain");
    await new Promise((done) => setTimeout(done, 50));
  }
}"""


def chromium() -> str | None:
    """Return the system's Chromium, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


def launch(playwright: Playwright, executable: str) -> Browser:
    """Start the browser."""
    return playwright.chromium.launch(executable_path=executable, args=list(_FLAGS))


def environment(**settings: str) -> dict[str, str]:
    """Return an environment for a command, whose data is in `data` where it stands."""
    return {
        **os.environ,  # noqa: TID251 a child needs PATH and the like
        "TRACKLAKE_DATA_DIR": "data",
        "TRACKLAKE_LOGS_DIR": "logs",
        "TRACKLAKE_SECRETS_DIR": "secrets",
        **settings,
    }


class MapServer:
    """A `tracklake map` process that stands at a place; `url` is where it answers."""

    def __init__(self, place: Path, *arguments: str, **settings: str) -> None:
        self.place = place
        self.data = place / "data"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tracklake", "map", "--port", "0", *arguments],
            env=environment(**settings),
            cwd=place,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        found = re.search(r"(http://\S+)/map/", said)
        assert found, f"tracklake map did not start: {said!r}"
        self.url = found[1]

    def stop(self) -> None:
        """End it as a person does."""
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(timeout=20) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


@dataclass
class Visit:
    """One look at the page in a browser of its own, and all that it asked for.

    problems: errors in the console and in scripts, failed requests. A test that provokes some
    clears the list.
    """

    page: Page
    server: str
    name: str  # of the screenshot at the end
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _finished: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfinished", lambda request: self._finished.append(request))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on("console", self._said)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the map no longer wants a tile
            self.problems.append(f"failed: {request.url} ({request.failure})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")

    def goto(self, fragment: str = "") -> None:
        """Open the page and wait until its first view is drawn."""
        self.page.goto(f"{self.server}/map/{fragment}")
        self.settled()

    def settled(self) -> None:
        """Wait until the page says that its first view is drawn (`<html data-state=…>`)."""
        self.until(_READY)

    def until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true.

        Playwright's own wait_for_function needs eval, which the page's policy forbids.
        """
        self.page.evaluate(_UNTIL % {"expression": expression, "most_ms": _MOST_MS})

    @property
    def asked(self) -> list[str]:
        """What was asked for over the network, in order: addresses."""
        return [url for url in self.requests if urlsplit(url).scheme not in ("blob", "data")]

    @property
    def foreign(self) -> list[str]:
        """What was asked of anybody but the map's server."""
        return [url for url in self.asked if not url.startswith(f"{self.server}/")]

    @property
    def transferred_bytes(self) -> int:
        """Bytes of all answers as they came over the wire, heads included."""
        total = 0
        for request in self._finished:
            if urlsplit(request.url).scheme in ("http", "https"):
                sizes = request.sizes()
                total += sizes["responseBodySize"] + sizes["responseHeadersSize"]
        return total

    def shot(self, name: str) -> Path:
        """Keep a picture under build/screenshots."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path


def open_visit(
    browser: Browser, server: str, name: str, size: tuple[int, int], *, dark: bool, touch: bool
) -> Visit:
    """Open an empty tab that watches what will be asked for."""
    context = browser.new_context(
        viewport=cast(ViewportSize, {"width": size[0], "height": size[1]}),
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        has_touch=touch,
        is_mobile=touch,
        accept_downloads=True,
        service_workers="block",
        locale="en-GB",
        timezone_id="Europe/Madrid",
    )
    return Visit(context.new_page(), server, name)
