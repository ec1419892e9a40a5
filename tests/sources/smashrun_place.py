"""A place to try the SmashRun source in."""

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sources.contract import SourcePlace
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock
from tests.upstream.smashrun import SmashrunUpstream
from tracklake.sources import smashrun

_OF_ONE = re.compile(r"/my/activities/\d+")


class SmashrunPlace(SourcePlace):
    """One data folder at a simulated SmashRun, with a personal token unless `more` says else."""

    source = smashrun
    name_column = "description"  # runs have notes, and no names
    upstream: SmashrunUpstream

    def __init__(self, folder: Path, upstream: SmashrunUpstream, athlete: str = "me") -> None:
        super().__init__(folder, upstream, athlete)
        self.token = upstream.tokens.personal(upstream.clock.now())
        self.more: dict[str, object] = {}

    def settings_given(self) -> dict[str, object]:
        """Return the settings that lead to the simulator; another athlete's token is a file."""
        own: dict[str, object] = {}
        if self.athlete == "me":
            own["smashrun_access_token"] = self.token
        elif self.token:
            path = self.folder / "secrets" / self.athlete / "SMASHRUN_ACCESS_TOKEN"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(self.token)
        return {
            **own,
            "smashrun_api_url": self.upstream.api_url,
            "smashrun_oauth_url": self.upstream.oauth_url,
            **self.more,
        }

    def upload(self, start: dt.datetime | None = None, name: str = "", **fields: Any) -> str:
        """Let a run appear."""
        return str(self.upstream.upload(start, notes=name, **fields))

    def edit(self, source_id: str, name: str) -> None:
        """Give a run other notes."""
        self.upstream.edit(int(source_id), notes=name)

    def delete(self, source_id: str) -> None:
        """Let a run disappear."""
        self.upstream.delete(int(source_id))

    def spoil(self) -> str:
        """Let a run appear that says not when it began."""
        return str(self.upstream.upload(startDateTimeLocal=None))

    def mend(self, source_id: str) -> None:
        """Let it say when."""
        self.upstream.edit(int(source_id), startDateTimeLocal="2026-11-19T07:12:33+01:00")

    def drift(self) -> None:
        """Let runs have fields nobody knows, lack optional ones, and say numbers as text."""

        def drifted(run: dict[str, Any]) -> dict[str, Any]:
            kept = {k: v for k, v in run.items() if k not in ("calories", "terrain", "isRace")}
            return {**kept, "distance": str(run["distance"]), "vibes": {"good": [1, 2]}}

        self.upstream.change = drifted

    def exhaust_quota(self) -> float:
        """Have another program use up this hour's calls."""
        self.upstream.consume_elsewhere(self.upstream.hourly)
        return 3600.0

    def is_original(self, call: Call) -> bool:
        """Tell a call that asks for details or splits."""
        return _OF_ONE.search(call.path) is not None

    def list_calls(self, since: int = 0) -> list[Call]:
        """Return the calls for pages of the list that came after call `since`."""
        return self.upstream.calls_to("/my/activities/search/extended", since=since)

    def detail_calls(self, since: int = 0) -> list[Call]:
        """Return the calls for details and splits that came after call `since`."""
        return [c for c in self.upstream.calls if c.number > since and self.is_original(c)]

    def shown(self) -> set[str]:
        """Return the ids that a correct client ends with."""
        return {str(number) for number in self.upstream.runs}


@contextlib.contextmanager
def opened(folder: Path, **options: Any) -> Iterator[SmashrunPlace]:
    """Start a simulator with its own clock and give it a place."""
    options.setdefault("clock", MovableClock(tick_s=0.001))
    with SmashrunUpstream(**options) as upstream:
        yield SmashrunPlace(folder, upstream)
