"""Strava's source under the contract of all sources; see contract.py."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.sources import strava_place
from tests.sources.contract import SourcePlace
from tests.upstream.clock import MovableClock
from tests.upstream.content_faults import missing, numbers_as_text, unknown_fields
from tests.upstream.strava import StravaUpstream
from tracklake.session import SyncSession
from tracklake.sources import strava
from tracklake.stages import ListReport


class StravaContractPlace(SourcePlace):
    """One athlete at a simulated Strava, with a login that never ends; files come by `enrich`."""

    source = strava
    upstream: StravaUpstream

    def settings_given(self) -> dict[str, object]:
        tokens = self.upstream.tokens
        return {
            "strava_api_url": self.upstream.api_url,
            "strava_oauth_url": self.upstream.oauth_url,
            "strava_client_id": tokens.client_id,
            "strava_client_secret": tokens.client_secret,
        }

    @contextlib.contextmanager
    def session(self) -> Iterator[SyncSession]:
        login = strava_place.Place(self.folder, self.upstream, self.athlete)
        if not login.token_path.exists():
            login.log_in(lives_for_ever=True)
        with super().session() as session:
            yield session

    def pull(self, **options: Any) -> ListReport:
        return super().pull(**({"per_page": 2} | options))

    def upload(self, start: dt.datetime | None = None, name: str = "") -> str:
        at = start or self.clock.now()
        return str(self.upstream.account.upload(at, sport_type="Run", name=name or "Morning Run"))

    def edit(self, source_id: str, name: str) -> None:
        self.upstream.account.edit(int(source_id), name=name)

    def delete(self, source_id: str) -> None:
        self.upstream.account.delete(int(source_id))

    def spoil(self) -> str:
        one = self.upload(self.clock.now() - dt.timedelta(days=5))
        self.upstream.script.add(missing("start_date", ids={int(one)}))
        return one

    def mend(self, source_id: str) -> None:  # noqa: ARG002 nothing else is spoilt
        self.upstream.script.clear()

    def drift(self) -> None:
        for fault in (unknown_fields(), missing("kudos_count"), numbers_as_text("distance")):
            self.upstream.script.add(fault)

    def exhaust_quota(self) -> float:
        self.upstream.consume_elsewhere(1_000)
        return 86_400.0

    def is_original(self, call: Any) -> bool:
        return "/activities/" in call.path


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[StravaContractPlace]:
    """Start a simulator with its own clock and give it a place."""
    clock = MovableClock(tick_s=0.001)
    with StravaUpstream(activities=0, points=5, clock=clock) as upstream:
        yield StravaContractPlace(folder, upstream)
