"""What the simulated intervals.icu says of a ride: its row, its intervals, its file."""

import datetime as dt
from typing import Any

import numpy as np

from tracklake.formats import fit_writer
from tracklake.model import Points, Recording, Session

ATHLETE_ID = "i100001"

Payload = dict[str, Any]


def ride(one: str, start: dt.datetime, now: dt.datetime) -> Payload:
    """Return some of the 173 fields of an activity, two hours ahead of UTC."""
    local = start.astimezone(dt.timezone(dt.timedelta(hours=2)))
    return {
        "id": one,
        "icu_athlete_id": ATHLETE_ID,
        "start_date": start.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "start_date_local": local.strftime("%Y-%m-%dT%H:%M:%S"),
        "timezone": "Africa/Johannesburg",
        "type": "Ride",
        "name": "Cycling",
        "distance": 3000.5,
        "moving_time": 600,
        "elapsed_time": 610,
        "total_elevation_gain": 12.0,
        "average_speed": 5.0,
        "max_speed": 7.5,
        "average_heartrate": 131,
        "max_heartrate": 150,
        "average_cadence": 82.5,
        "icu_average_watts": 160,
        "icu_weighted_avg_watts": 171,
        "icu_joules": 96_000,
        "calories": 110,
        "trainer": False,
        "commute": None,
        "race": False,
        "sub_type": "NONE",
        "gear": {"id": "b1", "name": "Blue"},
        "device_name": "Garmin Edge 540",
        "external_id": f"garmin-{one}",
        "strava_id": None,
        "file_type": "fit",
        "file_sport_index": None,
        "source": "GARMIN_CONNECT",
        "created": now.isoformat(),
        "icu_sync_date": now.isoformat(),
        "analyzed": now.isoformat(),
        "icu_lap_count": 2,
        "icu_ftp": 250,
        "icu_ctl": 40.0,
        "max_altitude": 120.0,
        "min_altitude": 108.0,
    }


def parts() -> list[Payload]:
    """Return the intervals of a ride: one of recovery, one of work."""
    common = {"average_watts": 150, "distance": 1500.0, "elapsed_time": 300, "moving_time": 300}
    return [
        {**common, "id": 1, "type": "RECOVERY", "label": None, "start_time": 0, "end_time": 300},
        {**common, "id": 2, "type": "WORK", "label": "Effort", "start_time": 300, "end_time": 600},
    ]


def fit(start: dt.datetime, *, points: int = 120) -> bytes:
    """Return the file of a ride that lasts ten minutes, northwards along a meridian."""
    at = np.arange(points) * 5.0
    columns = {
        "timestamp_s": start.timestamp() + at,
        "lat": -26.2 + at * 4.5e-5,
        "lng": np.full(points, 28.04),
        "altitude_m": np.full(points, 1700.0),
        "distance_m": at * 5.0,
        "velocity_mps": np.full(points, 5.0),
        "heartrate_bpm": np.full(points, 131.0),
    }
    session = Session(start_s=start.timestamp(), elapsed_time_s=600.0, sport="cycling")
    recording = Recording(format="fit", points=Points.of(points, **columns), sessions=(session,))
    return fit_writer.encode(recording)
