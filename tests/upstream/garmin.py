"""A simulated Garmin Connect: key and token, the list by offset, original files in ZIPs.

The activities are made up; their fields are those of recorded lists. The same paths serve the
Personal API and the community client, which differ in their tokens.
"""

import base64
import dataclasses
import datetime as dt
import io
import zipfile
from typing import Any

import numpy as np
import orjson

from tests.upstream.calls import NOTHING, Answer, Call
from tests.upstream.server import Upstream
from tracklake.formats import fit_writer
from tracklake.model import Points, Recording, Session

LIST = "/activitylist-service/activities/search/activities"
DOWNLOAD = "/download-service/files/activity/"
EXCHANGE = "/personalapitoken-service/personal-api/personal-api-key/token"
REFRESH = "/di-oauth2-service/oauth/token"
POINTS = 120
_MOST_ROWS = 45
_FIRST_ID = 21_000_000_000
_SPEED_MPS = 3.3

Item = dict[str, Any]


class GarminUpstream(Upstream):
    """Answers as Garmin does.

    items: the activities by id; originals: what is downloaded for them (None: 404). keys: personal
    keys that are accepted; tokens: bearers that are, with their end (UNIX s). token_life_s: of an
    exchanged one. calls_left: how many are answered before 429; None: all.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.items: dict[int, Item] = {}
        self.originals: dict[int, bytes | None] = {}
        self.keys = {"personal-key-of-a-test"}
        self.tokens: dict[str, float] = {}
        self.token_life_s = 86_400.0
        self.exchanges = 0
        self.refresh_tokens: set[str] = set()
        self.calls_left: int | None = None
        self.retry_after: str | None = None
        self.drifts = False
        self.too_early = 0  # calls that came less than a second after the one before
        self._last: dt.datetime | None = None
        self._next_id = _FIRST_ID

    # ---- what happens at Garmin

    def record(self, start: dt.datetime, **changes: object) -> int:
        """Let an activity appear, with its file; return its id."""
        self._next_id += 1
        number = self._next_id
        self.items[number] = {**item(number, start), **changes}
        self.originals[number] = zipped(f"{number}_ACTIVITY.fit", fit_of(start))
        return number

    def enter_by_hand(self, start: dt.datetime, **changes: object) -> int:
        """Let an activity appear that has no file."""
        number = self.record(start, manualActivity=True, **changes)
        self.originals[number] = None
        return number

    def delete(self, number: int) -> None:
        """Let an activity disappear."""
        del self.items[number]

    def community_login(self, *, life_s: float = 86_400.0) -> dict[str, str]:
        """Return tokens as the community client's login gets them."""
        self._next_id += 1
        refresh_token = f"refresh-{self._next_id}"
        self.refresh_tokens.add(refresh_token)
        return {
            "di_token": self._token(f"community {self._next_id}", life_s),
            "di_refresh_token": refresh_token,
            "di_client_id": "GARMIN_CONNECT_MOBILE_ANDROID_DI",
        }

    # ---- what it answers

    def answer(self, call: Call) -> Answer:
        """Say what Garmin says."""
        if self._last is not None and (call.moment - self._last).total_seconds() < 0.999:
            self.too_early += 1
        self._last = call.moment
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                return Answer(429, {}, self._waiting())
        if call.path in (EXCHANGE, REFRESH):
            return self._exchanged(call) if call.path == EXCHANGE else self._refreshed(call)
        if self.tokens.get(call.bearer or "", 0.0) <= call.moment.timestamp():
            return Answer(401, {"message": "Token is not active", "errorId": "e-1"})
        if call.path.startswith(DOWNLOAD):
            return self._downloaded(call)
        return self._listed(call) if call.path == LIST else Answer(404, {})

    def _waiting(self) -> dict[str, str]:
        return {"Retry-After": self.retry_after} if self.retry_after else {}

    def _exchanged(self, call: Call) -> Answer:
        kind, _, key = call.headers.get("authorization", "").partition(" ")
        if call.method != "POST" or kind != "ApiKey" or key not in self.keys:
            return Answer(401, NOTHING)
        self.exchanges += 1
        token = self._token(f"personal {self.exchanges}", self.token_life_s)
        return Answer(200, raw=token.encode(), content_type="text/plain;charset=UTF-8")

    def _refreshed(self, call: Call) -> Answer:
        """Rotate: a refresh token is good once."""
        old = call.form.get("refresh_token", "")
        if old not in self.refresh_tokens:
            return Answer(400, {"error": "invalid_grant"})
        self.refresh_tokens.discard(old)
        new = self.community_login()
        return Answer(
            payload={
                "access_token": new["di_token"],
                "refresh_token": new["di_refresh_token"],
                "expires_in": 86_400,
            }
        )

    def _token(self, subject: str, life_s: float) -> str:
        ends_s = self.moment().timestamp() + life_s
        parts = [{"alg": "RS256"}, {"sub": subject, "exp": int(ends_s)}, {"made": "up"}]
        token = ".".join(
            base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=") for part in parts
        )
        self.tokens[token] = int(ends_s)
        return token

    def _listed(self, call: Call) -> Answer:
        start, limit = int(call.query.get("start", 0)), int(call.query.get("limit", 99))
        if limit > _MOST_ROWS:
            body = {"error": "InternalServerError", "clientMessage": None, "errorId": "e-2"}
            return Answer(500, body)
        found = sorted(self.items.values(), key=_newest_first)[start : start + limit]
        return Answer(payload=[drifted(one) for one in found] if self.drifts else found)

    def _downloaded(self, call: Call) -> Answer:
        accept = call.headers.get("accept", "")
        if "application/x-zip-compressed" not in accept and "*/*" not in accept:
            return Answer(406, {})
        number = call.path.removeprefix(DOWNLOAD)
        data = self.originals.get(int(number)) if int(number) in self.items else None
        if data is None:
            return Answer(404, {"message": "HTTP 404 Not Found", "error": "NotFoundException"})
        named = {"Content-Disposition": f'attachment; filename="{number}.zip"'}
        return Answer(200, headers=named, raw=data, content_type="application/x-zip-compressed")


def _newest_first(one: Item) -> tuple[str, int]:
    told = str(one.get("startTimeGMT") or "")
    return "".join(chr(255 - ord(letter)) for letter in told), -int(one.get("activityId") or 0)


def drifted(one: Item) -> Item:
    """Return an item as another version of the service might send it."""
    kept = {name: value for name, value in one.items() if name not in ("averageHR", "privacy")}
    return {**kept, "distance": str(one["distance"]), "auraPoints": {"level": [1, None]}}


def gmt(moment: dt.datetime) -> str:
    """Write a moment as Garmin does: without a zone."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"


def item(number: int, start: dt.datetime) -> Item:
    """Return a run of two minutes, an hour ahead of GMT, with the fields of a recorded list."""
    local = start + dt.timedelta(hours=1)
    ends = start + dt.timedelta(seconds=POINTS - 1)
    seconds = float(POINTS - 1)
    return {
        "activityId": number,
        "activityName": f"Run {number}",
        "startTimeLocal": f"{local:%Y-%m-%d %H:%M:%S}",
        "startTimeGMT": gmt(start),
        "activityType": _kind(1, "running", parentTypeId=17),
        "eventType": {"typeId": 9, "typeKey": "uncategorized", "sortOrder": 10},
        "distance": _SPEED_MPS * seconds,
        "duration": seconds,
        "elapsedDuration": seconds,
        "movingDuration": seconds - 1,
        "elevationGain": 4.0,
        "elevationLoss": 3.0,
        "averageSpeed": _SPEED_MPS,
        "maxSpeed": 4.1,
        "startLatitude": 45.9,
        "startLongitude": 14.5,
        "hasPolyline": True,
        "hasImages": False,
        "ownerId": 1000001,
        "ownerDisplayName": "Example",
        "ownerFullName": "Example",
        "ownerProfileImageUrlSmall": "https://example.invalid/img.jpg",
        "calories": 12.0,
        "bmrCalories": 2.0,
        "averageHR": 140.0,
        "maxHR": 151.0,
        "averageRunningCadenceInStepsPerMinute": 170.0,
        "maxRunningCadenceInStepsPerMinute": 182.0,
        "steps": 340,
        "userRoles": ["ROLE_CONNECTUSER", "SCOPE_CONNECT_READ"],
        "privacy": {"typeId": 2, "typeKey": "private"},
        "userPro": False,
        "hasVideo": False,
        "timeZoneId": 124,
        "beginTimestamp": int(start.timestamp() * 1000),
        "sportTypeId": 1,
        "avgPower": 240.0,
        "maxPower": 310.0,
        "aerobicTrainingEffect": 1.1,
        "anaerobicTrainingEffect": 0.0,
        "normPower": 244.0,
        "avgVerticalOscillation": 8.1,
        "avgGroundContactTime": 250.0,
        "avgStrideLength": 110.0,
        "vO2MaxValue": 50.0,
        "avgVerticalRatio": 7.5,
        "workoutId": None,
        "deviceId": 3400000001,
        "minTemperature": 17.0,
        "maxTemperature": 19.0,
        "minElevation": 299.8,
        "maxElevation": 303.4,
        "maxDoubleCadence": 182.0,
        "summarizedDiveInfo": {"summarizedDiveGases": []},
        "maxVerticalSpeed": 0.4,
        "manufacturer": "GARMIN",
        "locationName": "Ljubljana",
        "lapCount": 1,
        "endLatitude": 45.903,
        "endLongitude": 14.5,
        "waterEstimated": 20.0,
        "trainingEffectLabel": "RECOVERY",
        "activityTrainingLoad": 3.1,
        "minActivityLapDuration": seconds,
        "aerobicTrainingEffectMessage": "MINOR_AEROBIC_BENEFIT_15",
        "anaerobicTrainingEffectMessage": "NO_ANAEROBIC_BENEFIT_0",
        "splitSummaries": [{"noOfSplits": 1, "duration": seconds, "splitType": "INTERVAL_ACTIVE"}],
        "hasSplits": True,
        "moderateIntensityMinutes": 2,
        "vigorousIntensityMinutes": 0,
        "avgGradeAdjustedSpeed": 3.3,
        "differenceBodyBattery": -1,
        "hasHeatMap": False,
        **{f"hrTimeInZone_{zone}": 20.0 for zone in range(1, 6)},
        **{f"powerTimeInZone_{zone}": 20.0 for zone in range(1, 6)},
        "endTimeGMT": gmt(ends),
        "qualifyingDive": False,
        "autoCalcCalories": False,
        "favorite": False,
        "decoDive": False,
        "elevationCorrected": False,
        "atpActivity": False,
        "purposeful": False,
        "manualActivity": False,
        "pr": False,
        "parent": False,
    }


def _kind(number: int, key: str, **more: object) -> Item:
    return {"typeId": number, "typeKey": key, "isHidden": False, "restricted": False, **more}


def kind(key: str) -> Item:
    """Return an `activityType` of another key."""
    return _kind(0, key)


def fit_of(start: dt.datetime, points: int = POINTS) -> bytes:
    """Write the run as a FIT file."""
    seconds = int(start.timestamp()) + np.arange(float(points))
    columns = Points.of(
        points,
        timestamp_s=seconds,
        lat=45.9 + 3e-5 * np.arange(points),
        lng=np.full(points, 14.5),
        distance_m=_SPEED_MPS * np.arange(points),
        heartrate_bpm=np.full(points, 140.0),
    )
    session = Session(start_s=float(seconds[0]), sport="running", elapsed_time_s=points - 1.0)
    return fit_writer.encode(Recording(format="fit", points=columns, sessions=(session,)))


def zipped(name: str, content: bytes) -> bytes:
    """Put a file into a ZIP, always the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return stream.getvalue()


@dataclasses.dataclass(frozen=True)
class Triathlon:
    """The ids of an outing and of its legs."""

    whole: int
    legs: tuple[int, ...]


def triathlon(upstream: GarminUpstream, start: dt.datetime) -> Triathlon:
    """Let a multisport outing appear: a container, and its legs, which name it."""
    whole = upstream.record(start, parent=True, activityType=kind("multi_sport"))
    keys = ("open_water_swimming", "swim_to_bike_transition_v2", "road_biking", "running")
    legs = tuple(
        upstream.record(
            start + dt.timedelta(seconds=30 * place), parentId=whole, activityType=kind(key)
        )
        for place, key in enumerate(keys)
    )
    return Triathlon(whole, legs)
