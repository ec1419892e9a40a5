"""A place to try the source intervals.icu in: its simulator and a data folder."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sources.contract import SourcePlace
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock
from tests.upstream.intervals import IntervalsUpstream, Quota
from tracklake.sources import intervals


class IntervalsPlace(SourcePlace):
    """One athlete at one simulator of intervals.icu."""

    source = intervals
    upstream: IntervalsUpstream

    def settings_given(self) -> dict[str, object]:
        url: dict[str, object] = {"intervals_api_url": self.upstream.api_url}
        if self.athlete == "me":
            return {**url, "intervals_api_key": self.upstream.key}
        own = self.folder / "secrets" / self.athlete / "INTERVALS_API_KEY"
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(self.upstream.key)
        own.chmod(0o600)
        return url

    def upload(self, start: dt.datetime | None = None, name: str = "") -> str:
        return self.upstream.upload(start, name=name or "Cycling")

    def edit(self, source_id: str, name: str) -> None:
        self.upstream.edit(source_id, name=name)

    def delete(self, source_id: str) -> None:
        del self.upstream.items[source_id]

    def spoil(self) -> str:
        one = self.upstream.upload()
        self.upstream.edit(one, start_date="soon", start_date_local="soon")
        return one

    def mend(self, source_id: str) -> None:
        now = self.clock.now().replace(microsecond=0)
        self.upstream.edit(
            source_id,
            start_date=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            start_date_local=(now + dt.timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S"),
        )

    def drift(self) -> None:
        self.upstream.drifted = True

    def exhaust_quota(self) -> float:
        self.upstream.quota = Quota({3600: 50})
        self.upstream.quota.refusal_s(self.clock.now().timestamp(), calls=50)
        return 3600.0

    def is_original(self, call: Call) -> bool:
        return "/activity/" in call.path


@contextlib.contextmanager
def opened(folder: Path, **options: Any) -> Iterator[IntervalsPlace]:
    """Start a simulator with its own clock and give it a place; `options` are the simulator's."""
    options.setdefault("clock", MovableClock(tick_s=0.001))
    with IntervalsUpstream(**options) as upstream:
        yield IntervalsPlace(folder, upstream)
