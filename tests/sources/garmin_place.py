"""A place to try the Garmin source in; see contract.py."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sources.contract import SourcePlace
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock
from tests.upstream.garmin import DOWNLOAD, LIST, GarminUpstream, gmt
from tracklake.garmin import logins
from tracklake.sources import garmin

KEY = "personal-key-of-a-test"


class GarminPlace(SourcePlace):
    """One athlete with a key of the Personal API; `key` may be taken away or changed."""

    source = garmin
    upstream: GarminUpstream

    def __init__(self, folder: Path, upstream: GarminUpstream, athlete: str = "me") -> None:
        super().__init__(folder, upstream, athlete)
        self.key: str | None = KEY

    def settings_given(self) -> dict[str, object]:
        key = {"garmin_personal_api_key": self.key} if self.key else {}
        return {"garmin_personal_api_base_url": self.upstream.url, **key}

    def upload(self, start: dt.datetime | None = None, name: str = "") -> str:
        at = (start or self.clock.now()).replace(microsecond=0)
        named = {"activityName": name} if name else {}
        return str(self.upstream.record(at, **named))

    def edit(self, source_id: str, name: str) -> None:
        self.upstream.items[int(source_id)]["activityName"] = name

    def delete(self, source_id: str) -> None:
        self.upstream.delete(int(source_id))

    def spoil(self) -> str:
        number = self.upstream.record(self.clock.now() - dt.timedelta(days=5))
        self.upstream.items[number] |= {"startTimeGMT": None, "beginTimestamp": "soon"}
        return str(number)

    def mend(self, source_id: str) -> None:
        self.upstream.items[int(source_id)]["startTimeGMT"] = gmt(
            self.clock.now() - dt.timedelta(days=5)
        )

    def drift(self) -> None:
        self.upstream.drifts = True

    def exhaust_quota(self) -> float:
        self.upstream.calls_left = 0
        done = 900.0
        self.upstream.before = self._refill(self.clock.now() + dt.timedelta(seconds=done))
        return done

    def _refill(self, at: dt.datetime) -> Any:
        def look(call: Call) -> None:
            if call.moment >= at:
                self.upstream.calls_left = None

        return look

    def is_original(self, call: Call) -> bool:
        return call.path.startswith(DOWNLOAD)

    # ---- of Garmin only

    def list_calls(self, since: int = 0) -> list[Call]:
        """Return the calls for pages of the list."""
        return self.upstream.calls_to(LIST, since=since)

    @property
    def token_path(self) -> Path:
        """Return where the token is kept."""
        return logins.key_path(self.folders, self.athlete)


@contextlib.contextmanager
def opened(folder: Path, **options: Any) -> Iterator[GarminPlace]:
    """Start a simulator with its own clock and give it a place."""
    options.setdefault("clock", MovableClock(tick_s=0.001))
    with GarminUpstream(**options) as upstream:
        yield GarminPlace(folder, upstream)
