"""What years of pulls leave behind, made up: an athlete's list in bronze, run by run; details."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
from tests.upstream.activities import TEMPLATES
from tests.upstream.details import BEST_EFFORTS_M
from tests.upstream.strava import StravaUpstream

from tracklake import bronze, streams
from tracklake.analysis import tracks
from tracklake.clock import SystemClock
from tracklake.enrichments import details
from tracklake.identity import record_id, stable_id
from tracklake.model import Outline, Points
from tracklake.strava import facts, records
from tracklake.upstream.listed import Listed

ATHLETE = "me"
RUNS_A_YEAR = 730  # two a day
DETAILS_A_SHARD = 500  # enrich's most rows
SEGMENT_EFFORTS = 25
BEST_EFFORTS = 12
FIRST_ID = 14_000_000_000
_KINDS = 500  # as many differ; the others are like one of them, with another id and start
_DETAILED_M = 9_600.0  # ten splits of a kilometre, six of a mile
_FIRST_START_S = 1_300_000_000.0
_STEP_S = 4_000  # 100,000 take 13 years


class Athlete:
    """Summaries without end: number 0 is the oldest, each has its own id and start."""

    def __init__(self) -> None:
        upstream = StravaUpstream(clock=_Standing())
        upstream.account.fill(_KINDS, manual=False, gps=True, kudos=3)
        self._items = [upstream.account.truth(one) for one in upstream.account.items]
        self._listed = [records.listed(item, ATHLETE) for item in self._items]
        self._tracks = [tracks.decode_polyline(one.polyline or "") for one in self._listed]
        detailed = upstream.account.upload(sport_type="Run", distance=_DETAILED_M)
        self._detail = upstream.account.detail(detailed, all_efforts=True)
        self._like: dict[str, Any] = facts.detail(self.detail(0), ATHLETE, all_efforts=False)

    def summary(self, number: int) -> dict[str, Any]:
        """Return an activity as the service lists it."""
        start = dt.datetime.fromtimestamp(_start_s(number), dt.UTC)
        return self._items[number % _KINDS] | {
            "id": FIRST_ID + number,
            "start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "start_date_local": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        }

    def detail(self, number: int) -> dict[str, Any]:
        """Return its details: 10 and 6 splits, 25 segment efforts, 12 best efforts."""
        first = (FIRST_ID + number) * 100
        segment, effort = self._detail["segment_efforts"][0], self._detail["best_efforts"][0]
        return (
            self._detail
            | {name: value for name, value in self.summary(number).items() if name != "map"}
            | {
                "segment_efforts": [
                    segment
                    | {
                        "id": first + index,
                        "segment": TEMPLATES["segment_effort"]["segment"] | {"id": index},
                    }
                    for index in range(SEGMENT_EFFORTS)
                ],
                "best_efforts": [
                    effort | {"id": first + 50 + index, "name": name}
                    for index, name in enumerate(list(BEST_EFFORTS_M)[:BEST_EFFORTS])
                ],
            }
        )

    def land(self, data: Path, numbers: range, at: dt.datetime) -> None:
        """Land summaries and their geometry as one run of a pull does."""
        stamp = bronze.stamp(at)
        landed = [self._row(number, stamp) for number in numbers]
        bronze.land_shard(data / "bronze", "activities", [row for row, _ in landed], ingested_at=at)
        own = Path(f"source={records.SOURCE}", f"athlete={ATHLETE}")
        outlines = [(int(str(row["stream_key"])), outline) for row, outline in landed]
        streams.write_part(data / "streams" / own, data / "tracks" / own, stamp, outlines)

    def land_details(self, data: Path, numbers: range, at: dt.datetime) -> None:
        """Land their details as enrich does: so many a shard, one shard after the other."""
        for first in range(numbers.start, numbers.stop, DETAILS_A_SHARD):
            some = range(first, min(first + DETAILS_A_SHARD, numbers.stop))
            landed = [self._detail_row(number) for number in some]
            bronze.land_shard(data / "bronze", details.ENTITY, landed, ingested_at=at)
            at += dt.timedelta(milliseconds=1)

    def _detail_row(self, number: int) -> dict[str, object]:
        source_id = str(FIRST_ID + number)
        efforts = [
            effort | {"effort_id": int(source_id) * 100 + index}
            for index, effort in enumerate(self._like["segment_efforts"])
        ]
        return self._like | {
            "source_id": source_id,
            "record_id": record_id(ATHLETE, records.SOURCE, source_id),
            "content_hash": f"{number:064}",
            "wanted_hash": self._hash(number),
            "segment_efforts": efforts,
        }

    def _hash(self, number: int) -> str:
        return f"{self._listed[number % _KINDS].content_hash[:40]}{number:024}"

    def _row(self, number: int, stamp: str) -> tuple[dict[str, object], Outline]:
        like: Listed = self._listed[number % _KINDS]
        source_id = str(FIRST_ID + number)
        own_id = record_id(ATHLETE, records.SOURCE, source_id)
        row = like.row | {
            "source_id": source_id,
            "record_id": own_id,
            "strava_id": int(source_id),
            "start_s": _start_s(number),
            "content_hash": self._hash(number),
            "facts_hash": self._hash(number),
            "stream_key": stable_id(str(own_id), stamp),
            "has_track": True,
        }
        line = self._tracks[number % _KINDS]
        outline = Outline(
            start_s=_start_s(number),
            points=Points.empty(),
            moving=np.empty(0, dtype=np.bool_),
            grade_pct=np.empty(0),
            track=tracks.cut_antimeridian((line,)),
        )
        return row, outline


def _start_s(number: int) -> float:
    return _FIRST_START_S + number * _STEP_S


class _Standing(SystemClock):
    """The machine's clock; a name of its own, because the simulator asks for one to be moved."""

    def advance(self, seconds: float) -> None:
        """Nobody moves it."""


def write(athlete: Athlete, data: Path, activities: int, years: int) -> None:
    """Land so many activities in so many years of runs.

    Closed years in two runs each, which compaction makes one file of, as it does of 730; the year
    that is not over in 730.
    """
    this_year = SystemClock().now().year
    bounds = np.linspace(0, activities, years + 1).astype(int)
    for index in range(years):
        year = this_year - years + 1 + index
        runs = RUNS_A_YEAR if year == this_year else 2
        _write_year(athlete, data, range(bounds[index], bounds[index + 1]), year, runs)


def _write_year(athlete: Athlete, data: Path, numbers: range, year: int, runs: int) -> None:
    first = dt.datetime(year, 1, 1, tzinfo=dt.UTC)
    last = min(dt.datetime(year + 1, 1, 1, tzinfo=dt.UTC), SystemClock().now())
    bounds = np.linspace(numbers.start, numbers.stop, runs + 1).astype(int)
    for run in range(runs):
        part = range(bounds[run], bounds[run + 1])
        if part:
            athlete.land(data, part, first + (last - first) * run / runs)
