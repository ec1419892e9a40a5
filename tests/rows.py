"""Rows of bronze made up for tests, landed the way sources land them."""

import dataclasses
import datetime as dt
from pathlib import Path

from tracklake import bronze, config
from tracklake.clock import Clock
from tracklake.identity import bytes_hash, record_id, stable_id
from tracklake.model import Activity, ActivityLap, BestEffort, Split
from tracklake.session import SyncSession
from tracklake.state import State

Row = dict[str, object]
OPENED: list[State] = []  # closed after each test
FIRST_DAY = dt.datetime(2026, 5, 1, 6, tzinfo=dt.UTC)


class StandingClock:
    """A clock that moves only when told to."""

    def __init__(self, moment: dt.datetime = FIRST_DAY) -> None:
        self.moment = moment

    def now(self) -> dt.datetime:
        """Return the moment, a millisecond later each time, as real clocks do."""
        self.moment += dt.timedelta(milliseconds=1)
        return self.moment

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.moment += dt.timedelta(seconds=seconds)


def make_session(folder: Path, clock: Clock | None = None, athlete: str = "me") -> SyncSession:
    """Return a session of its own folder."""
    settings, folders = config.load(
        data_dir=folder / "data", logs_dir=folder / "logs", secrets_dir=folder / "secrets"
    )
    state = State(folders.state)
    OPENED.append(state)
    return SyncSession(
        flow="test",
        athlete=athlete,
        settings=settings,
        folders=folders,
        clock=clock or StandingClock(),
        state=state,
    )


def file_row(number: int, athlete: str = "me", **changes: object) -> Row:
    """Return a decoded file's record: activity `number`, a run of 5 km and a bit, no points."""
    sha256 = bytes_hash(f"{number}".encode())
    activity = Activity(
        sport_type="Run",
        name=None,
        start_s=1_600_000_000.0 + number * 86_400,
        utc_offset_s=7200.0,
        timezone="Europe/Madrid",
        distance=5_000.0 + number,
        moving_time=1_500.0,
        elapsed_time=1_600.0,
        total_elevation_gain=20.0,
        elev_high=60.0,
        elev_low=40.0,
        average_speed=3.3,
        max_speed=4.5,
        average_heartrate=150.0,
        max_heartrate=175.0,
        average_watts=None,
        max_watts=None,
        average_cadence=84.0,
        average_temp=None,
        calories=300.0,
        trainer=False,
        device_name="Test",
        start_lat=41.4,
        start_lng=2.17,
        end_lat=41.41,
        end_lng=2.18,
        summary_polyline="",
        has_track=False,
        point_count=0,
        laps=(lap(1), lap(2)),
        splits_metric=tuple(split(i) for i in range(1, 6)),
        splits_standard=tuple(split(i) for i in range(1, 4)),
        best_efforts=(effort("1K", 1000.0), effort("5K", 5000.0)),
    )
    row: Row = {
        "source": "files",
        "athlete": athlete,
        "source_id": sha256,
        "record_id": record_id(athlete, "files", sha256),
        "file_sha256": sha256,
        "file_format": "fit",
        "problems": [],
        **dataclasses.asdict(activity),
    }
    return {**row, **changes}


def export_row(strava_id: int, number: int | None, athlete: str = "me", **changes: object) -> Row:
    """Return a row of a Strava export that names file `number`, or none (a manual entry)."""
    source_id = f"strava-export/{strava_id}"
    row: Row = {
        "source": "files",
        "athlete": athlete,
        "source_id": source_id,
        "record_id": record_id(athlete, "files", source_id),
        "file_sha256": None if number is None else bytes_hash(f"{number}".encode()),
        "strava_id": strava_id,
        "name": f"Morning run {strava_id}",
        "sport_type": "Run",
        "start_s": 1_600_000_000.0 + (number or 0) * 86_400,
        "manual": number is None,
        "commute": False,
        "gear_id": "g1",
    }
    return {**row, **changes}


def lap(index: int) -> ActivityLap:
    """Return a lap."""
    return ActivityLap(
        lap_index=index,
        start_offset_s=(index - 1) * 800.0,
        distance=2_500.0,
        elapsed_time=800.0,
        moving_time=750.0,
        average_speed=3.3,
        max_speed=4.0,
        total_elevation_gain=10.0,
        average_heartrate=150.0,
        max_heartrate=160.0,
        average_cadence=84.0,
        average_watts=None,
        calories=150.0,
        lap_trigger="manual",
    )


def split(index: int) -> Split:
    """Return a split."""
    return Split(
        split_index=index,
        distance_m=1000.0,
        elapsed_time_seconds=320.0,
        moving_time_seconds=300.0,
        average_speed=3.3,
        elevation_difference=1.0,
        average_heartrate=150.0,
    )


def effort(name: str, distance_m: float) -> BestEffort:
    """Return a best effort over a distance."""
    return BestEffort(
        kind="distance",
        name=name,
        distance_m=distance_m,
        duration_s=None,
        elapsed_time_s=distance_m / 3.5,
        average_watts=None,
        start_offset_s=10.0,
        start_index=10,
        end_index=300,
    )


def land(session: SyncSession, *rows: Row, entity: str = "activities") -> Path:
    """Land rows as one shard, stamped with the session's clock."""
    path = bronze.land_shard(
        session.folders.bronze, entity, list(rows), ingested_at=session.clock.now()
    )
    assert path is not None
    return path


def stream_key(row: Row, stamp: str) -> int:
    """Return the key that ties a record to its points."""
    return stable_id(str(row["record_id"]), stamp)
