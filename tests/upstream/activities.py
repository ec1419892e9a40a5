"""An activity of the simulated account and the summary that the service shows of it."""

import dataclasses
import datetime as dt
import json
import math
import random
import zoneinfo
from pathlib import Path
from typing import Any

from tests.upstream import tracks
from tests.upstream.tracks import Course

Payload = dict[str, Any]
TEMPLATES: dict[str, Any] = json.loads(
    Path(__file__).with_name("strava_templates.json").read_text("utf-8")
)
ZONE = zoneinfo.ZoneInfo("Europe/Madrid")
ATHLETE_ID = 4007


@dataclasses.dataclass(frozen=True)
class Kind:
    """What is usual in a sport."""

    word: str  # in made-up names
    type: str  # the older, coarser name
    metres_per_second: tuple[float, float]
    distance_m: tuple[float, float]
    gear_id: str | None = None
    power: bool = False


KINDS = {
    "Run": Kind("Run", "Run", (2.6, 4.2), (4_000, 22_000), "g1001"),
    "TrailRun": Kind("Trail Run", "Run", (1.8, 3.0), (8_000, 30_000), "g1002"),
    "Ride": Kind("Ride", "Ride", (6.0, 9.5), (15_000, 120_000), "b2001", power=True),
    "Swim": Kind("Swim", "Swim", (0.7, 1.3), (800, 3_500)),
    "Hike": Kind("Hike", "Hike", (0.9, 1.5), (5_000, 18_000)),
    "Workout": Kind("Workout", "Workout", (0.5, 1.0), (300, 1_000)),
}
DETAIL_ONLY = frozenset(TEMPLATES["detail"]) - {"device_name"}  # an edit of these is not listed
GEAR = ("g1001", "g1002", "b2001")


@dataclasses.dataclass
class Item:
    """One activity; `fields` hold what it says in the names of the service, and win over all."""

    id: int
    start: dt.datetime
    sport_type: str
    points: int
    fields: Payload
    gps: bool = True
    manual: bool = False
    private: bool = False
    ghost: bool = False  # takes a row on a page, is shown to nobody (filtered by the server)
    deleted: bool = False
    kudos: int = 0
    seed: int = 0

    @property
    def kind(self) -> Kind:
        """Return what is usual in its sport."""
        return KINDS.get(self.sport_type, KINDS["Workout"])

    def visible(self, *, read_all: bool) -> bool:
        """Say whether the service shows it to a token that may, or may not, see private ones."""
        return not self.deleted and not self.ghost and (read_all or not self.private)

    def course(self) -> Course:
        """Return what its points follow from."""
        return Course(
            seed=self.seed,
            distance_m=_number(self.fields["distance"]),
            elapsed_s=int(_number(self.fields["elapsed_time"])),
            moving_s=int(_number(self.fields["moving_time"])),
            points=self.points,
            gps=self.gps,
            power=self.kind.power,
        )


def _number(value: object) -> float:
    """Return a field as a number; what tests put there for the client's sake counts as 0."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def planned(item: Item) -> None:
    """Fill in name, distance and times that the item does not say itself, from its seed."""
    dice = random.Random(item.seed)  # noqa: S311 repeatable on purpose
    distance_m = round(dice.uniform(*item.kind.distance_m), 1)
    pace = dice.uniform(*item.kind.metres_per_second)
    pause_s = dice.choice((0, 0, 25, 140, 900))
    fields = item.fields
    fields.setdefault("distance", distance_m)
    fields.setdefault("moving_time", int(_number(fields["distance"]) / pace))
    fields.setdefault("elapsed_time", int(_number(fields["moving_time"])) + pause_s)
    hour = item.start.astimezone(ZONE).hour
    part = "Morning" if hour < 12 else "Afternoon" if hour < 18 else "Evening"
    fields.setdefault("name", f"{part} {item.kind.word}")
    fields.setdefault("gear_id", item.kind.gear_id)


def stamp(moment: dt.datetime) -> str:
    """Return a moment as the service writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def local_stamp(moment: dt.datetime) -> str:
    """Return local wall time with the service's misleading Z."""
    return stamp(moment.astimezone(ZONE))


def summary(item: Item) -> Payload:
    """Return the item as a row of the listing."""
    course = item.course()
    shown: Payload = dict(TEMPLATES["summary"])
    shown |= _times(item) | _identity(item) | _speeds(item, course) | _place(item, course)
    shown |= {"device_name": None if item.manual else "Garmin Forerunner 945"}
    if item.kind.power and not item.manual:
        shown |= TEMPLATES["power"]
    return shown | {name: value for name, value in item.fields.items() if name not in DETAIL_ONLY}


def mean_speed(course: Course) -> float:
    """Return metres a second of moving time."""
    return round(course.distance_m / course.moving_s, 3) if course.moving_s else 0.0


def _times(item: Item) -> Payload:
    local = item.start.astimezone(ZONE)
    offset = local.utcoffset() or dt.timedelta(0)
    return {
        "start_date": stamp(item.start),
        "start_date_local": local_stamp(item.start),
        "timezone": "(GMT+01:00) Europe/Madrid",
        "utc_offset": offset.total_seconds(),
    }


def _identity(item: Item) -> Payload:
    dice = random.Random(item.seed)  # noqa: S311 repeatable on purpose
    upload_id = None if item.manual else item.id + 1_083_786
    return {
        "id": item.id,
        "athlete": {"id": ATHLETE_ID, "resource_state": 1},
        "type": item.kind.type,
        "sport_type": item.sport_type,
        "manual": item.manual,
        "private": item.private,
        "visibility": "only_me" if item.private else "everyone",
        "kudos_count": item.kudos,
        "athlete_count": dice.choice((1, 1, 1, 2, 5)),
        "achievement_count": 0,
        "pr_count": 0,
        "total_photo_count": 0,
        "upload_id": upload_id,
        "upload_id_str": None if upload_id is None else str(upload_id),
        "external_id": None if item.manual else f"garmin_ping_{item.id * 31 % 10**12}",
    }


def _speeds(item: Item, course: Course) -> Payload:
    mean = mean_speed(course)
    altitudes = tracks.altitudes_m(course, 64)
    rises = (altitudes[1:] - altitudes[:-1]).clip(min=0)
    gain_m = 0 if item.manual else round(float(rises.sum()), 1)
    return {
        "average_speed": mean,
        "max_speed": 0.0 if item.manual else round(mean * 1.4, 1),
        "total_elevation_gain": gain_m,
        "has_heartrate": not item.manual,
        "average_heartrate": None if item.manual else round(125 + item.seed % 400 / 10, 1),
        "max_heartrate": None if item.manual else 170.0,
        "suffer_score": None if item.manual else float(item.seed % 200),
        "elev_high": None if item.manual else float(altitudes.max()),
        "elev_low": None if item.manual else float(altitudes.min()),
    }


def _place(item: Item, course: Course) -> Payload:
    shown_map = {"id": f"a{item.id}", "summary_polyline": "", "resource_state": 2}
    if item.manual or not item.gps:
        return {"map": shown_map, "start_latlng": [], "end_latlng": []}
    line = tracks.positions(course, 24)
    shown_map["summary_polyline"] = tracks.polyline(line)
    ends = line[[0, -1]].tolist()
    return {"map": shown_map, "start_latlng": ends[0], "end_latlng": ends[1]}
