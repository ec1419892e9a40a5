"""The services that a swept flow asks: Strava and Open-Meteo, the same at each point.

All starts lie in 2025: weather comes from the archive, and the day of the test changes nothing.
"""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.upstream.account import Account
from tests.upstream.calls import Call
from tests.upstream.clock import ShiftedClock
from tests.upstream.open_meteo import OpenMeteoUpstream
from tests.upstream.quota import Limits, Quota
from tests.upstream.strava import StravaUpstream
from tests.upstream.tokens import TokenDesk

PLENTY = Limits(10**6, 10**6, 10**6, 10**6)
FIRST_START = dt.datetime(2025, 3, 3, 7, tzinfo=dt.UTC)
POINTS = 40
KNOWN, NEW = 5, 3  # activities of the lake that exists, and those that came after it


@dataclass
class World:
    """One Strava and one Open-Meteo; `refresh_token` is what a lake may log in with.

    processor: which one flows here run on; two worlds have one each.
    """

    strava: StravaUpstream
    meteo: OpenMeteoUpstream
    processor: int = 0
    refresh_token: str = ""

    def forget(self) -> None:
        """Be as at the start: nobody called, one login that can be renewed, all quota left."""
        with self.strava.lock, self.meteo.lock:
            self.strava.calls.clear()
            self.meteo.calls.clear()
            self.meteo.used.clear()
            self.strava.tokens = TokenDesk()
            self.strava.quota = Quota(PLENTY)
            self.refresh_token = self.strava.tokens.refresh_token

    def environment(self) -> dict[str, str]:
        """Return what has a flow ask here."""
        return {
            "STRAVA_API_URL": self.strava.api_url,
            "STRAVA_OAUTH_URL": self.strava.oauth_url,
            "STRAVA_CLIENT_ID": self.strava.tokens.client_id,
            "STRAVA_CLIENT_SECRET": self.strava.tokens.client_secret,
            "TRACKLAKE_WEATHER": "on",
            "OPEN_METEO_ARCHIVE_URL": f"{self.meteo.url}/archive",
            "OPEN_METEO_FORECAST_URL": f"{self.meteo.url}/forecast",
            "OPEN_METEO_HISTORICAL_FORECAST_URL": f"{self.meteo.url}/historical-forecast",
        }

    def asked(self) -> Counter[str]:
        """Return how often each thing was asked for; a page of the list begins with `list`."""
        with self.strava.lock, self.meteo.lock:
            calls = [*self.strava.calls, *self.meteo.calls]
        return Counter(_thing(call) for call in calls if call.method == "GET")

    def grow(self) -> None:
        """Let something happen after the first flow: new activities, and an edit."""
        _upload(self.strava.account, KNOWN, NEW)
        newest_known = sorted(self.strava.account.items)[KNOWN - 1]
        self.strava.account.edit(newest_known, name="Renamed")


def _thing(call: Call) -> str:
    query = " ".join(f"{name}={value}" for name, value in sorted(call.query.items()))
    return f"{'list' if call.path.endswith('/athlete/activities') else call.path} {query}"


def _upload(account: Account, first: int, count: int) -> None:
    for number in range(first, first + count):
        account.upload(
            FIRST_START + dt.timedelta(days=number),
            sport_type=("Run", "Ride")[number % 2],
            gps=number != 2,
            points=POINTS,
        )


@contextlib.contextmanager
def opened(processor: int = 0) -> Iterator[World]:
    """Start the services as they are before the first flow."""
    clock = ShiftedClock()
    with StravaUpstream(clock=clock, limits=PLENTY) as strava, OpenMeteoUpstream() as meteo:
        meteo.clock = clock
        _upload(strava.account, 0, KNOWN)
        world = World(strava, meteo, processor)
        world.forget()
        yield world
