"""intervals.icu, simulated: its lists, files and intervals, its quota, what it does not show."""

import base64
import datetime as dt
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.upstream.calls import Answer, Call
from tests.upstream.clock import SettableClock
from tests.upstream.intervals_payloads import ATHLETE_ID, Payload, fit, parts, ride
from tests.upstream.server import Upstream

API = "/api/v1"
KEY = "a-key-of-a-person"
NOT_OVER_THE_API = {"status": 422, "error": "Cannot read Strava activities via the API"}
ABSENT = {"status": 404, "error": "Not found"}
DENIED = {"status": 403, "error": "Access denied"}


@dataclass
class Quota:
    """Calls in windows that begin with the first call in them; a refused one does not count."""

    most: dict[int, int]  # by the length of the window in seconds
    used: dict[int, int] = field(default_factory=dict)
    began_s: dict[int, float] = field(default_factory=dict)
    refused: int = 0

    def refusal_s(self, now_s: float, calls: int = 1) -> float | None:
        """Count calls, or return how long nothing is answered."""
        for window_s in self.most:
            if now_s - self.began_s.get(window_s, -1e12) >= window_s:
                self.began_s[window_s], self.used[window_s] = now_s, 0
        full = [w for w, most in self.most.items() if self.used[w] + 1 > most]
        if full:
            self.refused += 1
            return max(self.began_s[window_s] + window_s - now_s for window_s in full)
        for window_s in self.most:
            self.used[window_s] += calls
        return None


@dataclass
class Item:
    """An activity: what the list says, its file (None: there is none), its intervals."""

    shown: Payload
    file: bytes | None = None
    parts: list[Payload] = field(default_factory=list)


class IntervalsUpstream(Upstream):
    """The service with one athlete: `items` and `days` are edited by tests.

    ends: whether `newest`, a date, includes its day. packed: whether files come gzipped. drifted:
    see `drift`. quota: None for none.
    """

    def __init__(
        self,
        *,
        clock: SettableClock | None = None,
        ends: bool = True,
        packed: bool = True,
        quota: dict[int, int] | None = None,
    ) -> None:
        super().__init__(clock=clock)
        self.items: dict[str, Item] = {}
        self.days: dict[str, Payload] = {}
        self.ends = ends
        self.packed = packed
        self.quota = Quota(quota) if quota else None
        self.drifted = False
        self.key = KEY
        self.most_rows_bytes = 1 << 40  # an answer over it is cut by a gateway: 502
        self._last_id = 170_000_000

    @property
    def api_url(self) -> str:
        """Return what INTERVALS_API_URL is set to."""
        return f"{self.url}{API}"

    # ---- what tests do

    def next_id(self) -> str:
        """Return the id of the next activity."""
        self._last_id += 1
        return f"i{self._last_id}"

    def upload(self, start: dt.datetime | None = None, *, file: bool = True, **told: Any) -> str:
        """Let a ride of ten minutes appear, recorded by a device; None: it starts now."""
        now = self.moment()
        start = (start or now - dt.timedelta(minutes=10)).replace(microsecond=0)
        one = self.next_id()
        shown = ride(one, start, now) | told
        self.items[one] = Item(shown, fit(start) if file else None, parts())
        return one

    def enter(self, start: dt.datetime, **told: Any) -> str:
        """Let the athlete enter an activity by hand."""
        one = self.upload(start, file=False, source="MANUAL", analyzed=None, file_type=None, **told)
        self.items[one].parts = []
        return one

    def stub(self, start_local: dt.datetime, strava_id: int) -> str:
        """Let an activity come from Strava: five keys."""
        one = str(strava_id)
        self.items[one] = Item(
            {
                "id": one,
                "icu_athlete_id": ATHLETE_ID,
                "start_date_local": start_local.strftime("%Y-%m-%dT%H:%M:%S"),
                "source": "STRAVA",
                "_note": "STRAVA activities are not available via the API",
            }
        )
        return one

    def edit(self, one: str, **told: Any) -> None:
        """Change what the list says."""
        self.items[one].shown |= told

    def analyse(self, one: str) -> None:
        """Let the service analyse it again, and find one interval more."""
        self.items[one].shown |= {"analyzed": self.moment().isoformat(), "icu_lap_count": 3}
        self.items[one].parts.append({**self.items[one].parts[-1], "start_time": 500})

    def live(self, date: dt.date, **told: Any) -> None:
        """Say something of a day."""
        day = self.days.setdefault(
            date.isoformat(), {"id": date.isoformat(), "ctl": 40.5, "atl": 50.25, "sportInfo": []}
        )
        day |= {"updated": self.moment().isoformat()} | told

    # ---- what it answers

    def answer(self, call: Call) -> Answer:
        """Answer as the service would, were there no faults."""
        refused = self._unknown(call)
        if refused is not None:
            return refused
        if self.quota is not None:
            wait_s = self.quota.refusal_s(call.moment.timestamp())
            if wait_s is not None:
                return Answer(429, {"status": 429}, {"Retry-After": str(int(wait_s) + 1)})
        for pattern, route in ROUTES:
            match = pattern.fullmatch(call.path.removeprefix(API))
            if match:
                return route(self, call, match[1])
        return Answer(404, ABSENT)

    def _unknown(self, call: Call) -> Answer | None:
        kind, _, value = call.headers.get("authorization", "").partition(" ")
        if kind == "Bearer":
            return Answer(403, DENIED)
        wanted = base64.b64encode(f"API_KEY:{self.key}".encode()).decode()
        if kind != "Basic" or value != wanted:
            return Answer(401, {"status": 401, "error": "Unauthorized"})
        return None

    def as_shown(self, shown: Payload) -> Payload:
        """Return an item as the list has it, after the schema drifted."""
        if not self.drifted:
            return shown
        kept = {name: value for name, value in shown.items() if name not in ("trainer", "icu_ftp")}
        distance = {"distance": str(shown["distance"])} if "distance" in shown else {}
        return {**kept, **distance, "icu_unheard_of": {"a": [1, None]}}


Route = Callable[[IntervalsUpstream, Call, str], Answer]


def _within(upstream: IntervalsUpstream, call: Call, local: str) -> bool:
    """Tell whether a local date or time lies in the window that is asked for."""
    newest = call.query.get("newest", upstream.moment().isoformat())[:19]
    if len(newest) == 10 and upstream.ends:
        newest += "T24"
    return call.query["oldest"][:19] <= local <= newest


def _activities(upstream: IntervalsUpstream, call: Call, athlete_id: str) -> Answer:
    if athlete_id not in ("0", ATHLETE_ID):
        return Answer(404, ABSENT)
    if "oldest" not in call.query:
        return Answer(400, {"status": 400, "error": "Required parameter 'oldest' is not present."})
    found = [
        item.shown
        for item in upstream.items.values()
        if _within(upstream, call, item.shown.get("start_date_local", "2026-01-01"))
        or not item.shown.get("start_date_local", "x")[0].isdigit()
    ]
    found.sort(key=lambda shown: str(shown.get("start_date_local")), reverse=True)
    answer = Answer(payload=[upstream.as_shown(shown) for shown in found])
    return answer if len(answer.body()) <= upstream.most_rows_bytes else Answer(502)


def _wellness(upstream: IntervalsUpstream, call: Call, athlete_id: str) -> Answer:
    if athlete_id not in ("0", ATHLETE_ID):
        return Answer(404, ABSENT)
    days = sorted(day for day in upstream.days if _within(upstream, call, day))
    return Answer(payload=[upstream.days[day] for day in days])


def _of_one(upstream: IntervalsUpstream, one: str) -> Item | Answer:
    item = upstream.items.get(one)
    if item is None:
        return Answer(404, ABSENT)
    return Answer(422, NOT_OVER_THE_API) if item.shown.get("source") == "STRAVA" else item


def _file(upstream: IntervalsUpstream, call: Call, one: str) -> Answer:  # noqa: ARG001 all alike
    item = _of_one(upstream, one)
    if isinstance(item, Answer):
        return item
    if item.file is None:
        return Answer(404, ABSENT)
    data = gzip.compress(item.file, mtime=0) if upstream.packed and item.file else item.file
    return Answer(raw=data, content_type="application/octet-stream")


def _intervals(upstream: IntervalsUpstream, call: Call, one: str) -> Answer:  # noqa: ARG001 all alike
    item = _of_one(upstream, one)
    if isinstance(item, Answer):
        return item
    told: Payload = {"id": one, "analyzed": item.shown.get("analyzed"), "icu_groups": []}
    return Answer(payload={**told, "icu_intervals": item.parts})


ROUTES: list[tuple[re.Pattern[str], Route]] = [
    (re.compile(r"/athlete/(\w+)/activities"), _activities),
    (re.compile(r"/athlete/(\w+)/wellness"), _wellness),
    (re.compile(r"/activity/([\w:-]+)/file"), _file),
    (re.compile(r"/activity/([\w:-]+)/intervals"), _intervals),
]
