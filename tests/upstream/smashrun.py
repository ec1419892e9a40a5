"""SmashRun, simulated: its listings, details, splits, totals, quota and tokens.

There is no specification and no recorded answer; field names and types are those that public
clients agree on. All runs are made up.
"""

import copy
import dataclasses
import datetime as dt
import hashlib
import math
import re
import urllib.parse
from collections.abc import Callable
from typing import Any, Literal

from tests.upstream.calls import Answer, Call
from tests.upstream.server import Upstream
from tracklake.clock import UTC

API = "/v1"
OAUTH = "/oauth2"
FIRST_ID = 901_000_000
LIFETIME_S = 84 * 86_400
PERSONAL_S = 60 * 86_400
MILE_KM = 1.609344
PAGE_MOST = 100
LJUBLJANA = (46.05, 14.5)
_STEP_S = 5
_EXTENDED = (
    *("speedVariability", "elevationGain", "elevationLoss", "elevationMin", "elevationMax"),
    *("countryCode", "country", "city", "state", "moonPhase"),
)

Payload = dict[str, Any]


def utc_text(moment: dt.datetime) -> str:
    """Write a moment as SmashRun does in its fields in UTC: without saying so."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclasses.dataclass
class Run:
    """One run: what the list says (extended), what its details add, what its splits are."""

    start: dt.datetime
    listed: Payload
    recording: dict[str, list[Any]]
    updated: dt.datetime

    @property
    def id(self) -> int:
        """Return its id."""
        return int(self.listed["activityId"])

    def brief(self) -> Payload:
        """Return what the plain list says."""
        return {name: value for name, value in self.listed.items() if name not in _EXTENDED}

    def detail(self) -> Payload:
        """Return its details."""
        keys = list(self.recording)
        half = {"lapType": "general", "endTime": self._duration / 2, "endDistance": self._km / 2}
        whole = {"lapType": "general", "endTime": self._duration, "endDistance": self._km}
        return {
            **self.brief(),
            "recordingKeys": keys,
            "recordingValues": [self.recording[key] for key in keys],
            "laps": [half, whole],
            "heartRateRecovery": None,
        }

    @property
    def _km(self) -> float:
        return float(self.listed.get("distance") or 0.0)

    @property
    def _duration(self) -> float:
        return float(self.listed.get("duration") or 0.0)

    def splits(self, step_km: float, unit_km: float) -> list[Payload]:
        """Return splits that count from the start, at an even pace; the last is partial."""
        if not self.listed.get("hasDetails"):
            return []
        marks = [step_km * n for n in range(1, math.floor(self._km / step_km) + 1)]
        marks += [self._km] if self._km - (marks[-1] if marks else 0.0) > 1e-6 else []
        return [
            {
                "distance": round(km / unit_km, 4),
                "seconds": round(self._duration * km / self._km, 1),
                "speed": round(self._km / self._duration * 3600, 2),
                "heartRate": None if number == 0 else 148 + number,
                "elevationGain": 7.5,
                "elevationLoss": 6.0,
            }
            for number, km in enumerate(marks)
        ]


class SmashrunTokens:
    """Tokens of one athlete: personal ones, and an application's, whose refresh tokens rotate.

    A refresh token lives as long as its access token, and each is good once.
    """

    def __init__(self, seed: int = 0) -> None:
        self.client_id = "tracklake"
        self.client_secret = f"secret-{seed}"
        self.lifetime_s = LIFETIME_S
        self.access: dict[str, dt.datetime] = {}
        self.refresh: dict[str, dt.datetime] = {}
        self.codes: set[str] = set()
        self.refreshes = 0
        self._seed = seed
        self._count = 0

    def _word(self, kind: str) -> str:
        self._count += 1
        return hashlib.sha256(f"{self._seed} {kind} {self._count}".encode()).hexdigest()[:32]

    def personal(self, moment: dt.datetime) -> str:
        """Return a personal token, good for 60 days."""
        token = self._word("personal")
        self.access[token] = moment + dt.timedelta(seconds=PERSONAL_S)
        return token

    def pair(self, moment: dt.datetime) -> Payload:
        """Return an access token and what renews it."""
        access, refresh = self._word("access"), self._word("refresh")
        ends = moment + dt.timedelta(seconds=self.lifetime_s)
        self.access[access] = self.refresh[refresh] = ends
        return {
            "access_token": access,
            "expires_in": self.lifetime_s,
            "token_type": "Bearer",
            "refresh_token": refresh,
            "state": "xyz",
        }

    def issue_code(self) -> str:
        """Return a code that can be exchanged once."""
        code = self._word("code")
        self.codes.add(code)
        return code

    def exchange(self, form: dict[str, str], moment: dt.datetime) -> Answer:
        """Answer POST /oauth2/token."""
        if (form.get("client_id"), form.get("client_secret")) != (
            self.client_id,
            self.client_secret,
        ):
            return Answer(400, {"error": "invalid_client", "error_description": "..."})
        if form.get("grant_type") == "authorization_code" and form.get("code") in self.codes:
            self.codes.discard(form["code"])
            return Answer(payload=self.pair(moment))
        ends = self.refresh.pop(form.get("refresh_token", ""), None)
        if ends is None or ends <= moment:
            return Answer(400, {"error": "invalid_grant", "error_description": "..."})
        self.refreshes += 1
        return Answer(payload=self.pair(moment))

    def is_valid(self, token: str | None, moment: dt.datetime) -> bool:
        """Tell whether an access token is known and has not ended."""
        ends = self.access.get(token or "")
        return ends is not None and ends > moment


class SmashrunUpstream(Upstream):
    """The service with one athlete.

    hourly: calls an hour that a token may make; refused: how many were, for that. mile_unit: in
    which `/splits/mi` counts distances. change: applied to each run as it is listed (drift).
    """

    def __init__(
        self, *, hourly: int = 250, mile_unit: Literal["km", "mi"] = "km", **options: Any
    ) -> None:
        super().__init__(**options)
        self.tokens = SmashrunTokens(self.seed)
        self.runs: dict[int, Run] = {}
        self.hourly = hourly
        self.refused = 0
        self.mile_unit = mile_unit
        self.change: Callable[[Payload], Payload] = copy.copy
        self.stats: object = None  # instead of what is counted
        self._used: dict[tuple[str, int], int] = {}
        self._count = 0

    # ---- the account

    def upload(
        self,
        start: dt.datetime | None = None,
        *,
        offset_h: float | None = 1.0,
        gps: bool = True,
        distance_km: float = 3.3,
        duration_s: float = 1080.0,
        **fields: Any,
    ) -> int:
        """Add a run that begins at `start` (now) and is sent now; return its id.

        offset_h: that its local time says; None: it says none. `fields` are shown as they are.
        """
        with self.lock:
            self._count += 1
            number = FIRST_ID + 7 * self._count
            now = self.moment()
            begin = (start or now).astimezone(UTC).replace(microsecond=0)
            run = Run(begin, {}, _recording(distance_km, duration_s, gps=gps), now)
            run.listed = {
                "activityId": number,
                "externalId": 20_000_000_000 + number,
                "activityType": "running",
                "startDateTimeLocal": _local_text(begin, offset_h),
                "distance": distance_km,
                "duration": duration_s,
                **_USUAL,
                "hasDetailsGPS": int(gps),
                **(dict(zip(_PLACE, LJUBLJANA, strict=True)) if gps else {}),
                **fields,
            }
            self._touch(run)
            self.runs[number] = run
            return number

    def edit(self, number: int, **fields: Any) -> None:
        """Change what the list says of a run."""
        with self.lock:
            self.runs[number].listed |= fields
            self._touch(self.runs[number])

    def _touch(self, run: Run) -> None:
        run.updated = self.moment()
        for name in ("syncDateTimeUTC", "dateCreatedUTC"):
            run.listed.setdefault(name, utc_text(run.updated))
        run.listed["dateUpdatedUTC"] = utc_text(run.updated)

    def delete(self, number: int) -> None:
        """Delete a run: absent from lists, 404 by id."""
        with self.lock:
            del self.runs[number]

    def consume_elsewhere(self, calls: int) -> None:
        """Let another program use up calls of every token in this hour."""
        with self.lock:
            for token in self.tokens.access:
                self._spend(token, calls)

    @property
    def api_url(self) -> str:
        """Return what SMASHRUN_API_URL is set to."""
        return f"{self.url}{API}"

    @property
    def oauth_url(self) -> str:
        """Return what SMASHRUN_OAUTH_URL is set to."""
        return f"{self.url}{OAUTH}"

    # ---- what it answers

    def answer(self, call: Call) -> Answer:
        """Answer as the service would, were there no faults."""
        if call.path == f"{OAUTH}/token" and call.method == "POST":
            return self.tokens.exchange(call.form, call.moment)
        if call.path == f"{OAUTH}/authenticate":
            return self._consent(call)
        if not self.tokens.is_valid(call.bearer, call.moment):
            return Answer(401, raw=b"<html>Unauthorized</html>", content_type="text/html")
        if self._spend(call.bearer or "", 1) > self.hourly:
            self.refused += 1
            return Answer(429, {"error": "too many requests"})
        for pattern, route in _ROUTES:
            match = pattern.fullmatch(call.path.removeprefix(API))
            if match:
                return route(self, call, *match.groups())
        return Answer(404, raw=b"<html>Not Found</html>", content_type="text/html")

    def _spend(self, token: str, calls: int) -> int:
        key = token, int(self.moment().timestamp()) // 3600
        self._used[key] = self._used.get(key, 0) + calls
        return self._used[key]

    def _consent(self, call: Call) -> Answer:
        back = {"code": self.tokens.issue_code(), "state": call.query.get("state", "")}
        place = f"{call.query['redirect_uri']}?{urllib.parse.urlencode(back)}"
        return Answer(302, headers={"Location": place}, content_type="text/html")

    def page(self, call: Call) -> list[Run]:
        """Return a page of the runs that changed since the moment that is asked for."""
        since = float(call.query.get("fromDateUTC", "0"))
        found = [run for run in self.runs.values() if run.updated.timestamp() >= since]
        found.sort(key=lambda run: (run.start, run.id), reverse=True)
        count = min(int(call.query.get("count", "10")), PAGE_MOST)
        first = int(call.query.get("page", "0")) * count
        return found[first : first + count]


def _list(upstream: SmashrunUpstream, call: Call, kind: str | None) -> Answer:
    runs = upstream.page(call)
    if kind == "/ids":
        return Answer(payload=[run.id for run in runs])
    shown = [run.listed if kind == "/extended" else run.brief() for run in runs]
    return Answer(payload=[upstream.change(one) for one in shown])


def _detail(upstream: SmashrunUpstream, _call: Call, number: str) -> Answer:
    run = upstream.runs.get(int(number))
    if run is None:
        return Answer(404, raw=b"", content_type=None)
    return Answer(payload=upstream.change(run.detail()))


def _splits(upstream: SmashrunUpstream, _call: Call, number: str, unit: str) -> Answer:
    run = upstream.runs.get(int(number))
    if run is None:
        return Answer(404, raw=b"", content_type=None)
    if unit == "km":
        return Answer(payload=run.splits(1.0, 1.0))
    return Answer(payload=run.splits(MILE_KM, MILE_KM if upstream.mile_unit == "mi" else 1.0))


def _stats(upstream: SmashrunUpstream, _call: Call) -> Answer:
    if upstream.stats is not None:
        return Answer(payload=upstream.stats)
    total_km = sum(float(run.listed.get("distance") or 0) for run in upstream.runs.values())
    return Answer(payload={"runCount": len(upstream.runs), "totalDistance": total_km})


_ROUTES: list[tuple[re.Pattern[str], Callable[..., Answer]]] = [
    (re.compile(r"/my/activities/search(/extended|/ids|/briefs)?"), _list),
    (re.compile(r"/my/activities/(\d+)"), _detail),
    (re.compile(r"/my/activities/(\d+)/splits/(km|mi)"), _splits),
    (re.compile(r"/my/stats"), _stats),
]

_PLACE = ("startLatitude", "startLongitude")
_USUAL: Payload = {
    "calories": None,
    "notes": "",
    "howFelt": "none",
    "terrain": "road",
    "isRace": 0,
    "isTreadmill": 0,
    "isBadHR": 0,
    "isBadElevation": 0,
    "cadenceAverage": 83,
    "heartRateAverage": 151,
    "heartRateMax": 174,
    "temperature": 14.4,
    "humidity": 62,
    "weatherType": "partlycloudy",
    "source": "garminhealth",
    "deviceType": "Garmin",
    "hasDetails": 1,
    "elevationGain": 74.2,
    "elevationLoss": 71.0,
    "elevationMin": 18.4,
    "elevationMax": 61.7,
    "city": "Ljubljana",
    "moonPhase": 0.71,
}


def _local_text(begin: dt.datetime, offset_h: float | None) -> str:
    if offset_h is None:
        return begin.replace(tzinfo=None).isoformat()
    return begin.astimezone(dt.timezone(dt.timedelta(hours=offset_h))).isoformat()


def _recording(distance_km: float, duration_s: float, *, gps: bool) -> dict[str, list[Any]]:
    """Make the columns of a run due north at an even pace."""
    clock = list(range(0, int(duration_s) + 1, _STEP_S))
    km = [distance_km * second / duration_s for second in clock]
    columns: dict[str, list[Any]] = {
        "clock": clock,
        "distance": [round(one, 5) for one in km],
        "elevation": [round(300 + 5 * math.sin(one), 1) for one in km],
        "heartRate": [140 + index % 9 for index in range(len(clock))],
        "cadence": [84] * len(clock),
    }
    if gps:
        columns["latitude"] = [round(LJUBLJANA[0] + one / 111.2, 6) for one in km]
        columns["longitude"] = [LJUBLJANA[1]] * len(clock)
    return columns
