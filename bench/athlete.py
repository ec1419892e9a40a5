"""A made-up athlete of any size: FIT files of about 3,000 points, no two alike, made quickly."""

import concurrent.futures
import functools
import multiprocessing
import os
from pathlib import Path

import numpy as np

from tracklake.formats import fit_writer
from tracklake.model import Device, FloatArray, Lap, Points, Recording, Session

POINTS_PER_ACTIVITY = 3_000
FIRST_START_S = 1_325_408_400  # 2012-01-01 09:00 UTC
YEARS = 14
_METRES_PER_DEGREE = 111_195.0

# FIT sport, sub-sport, mean speed (m/s), share of the activities, with a track
_SPORTS = (
    ("running", None, 3.0, 0.45, True),
    ("cycling", "road", 7.5, 0.30, True),
    ("hiking", None, 1.3, 0.08, True),
    ("running", "trail", 2.4, 0.07, True),
    ("cycling", "indoor_cycling", 8.5, 0.06, False),
    ("running", "treadmill", 2.9, 0.04, False),
)
# Towns in which it happens, lat and lng: most of it at home, as in life.
_TOWNS = ((48.14, 11.58), (48.14, 11.58), (48.14, 11.58), (47.37, 8.54), (-33.87, 151.2))


def write(folder: Path, first: int, count: int) -> None:
    """Write the activities number `first` and following as FIT files, one folder a year."""
    chunks = [
        (range(start, min(start + 100, first + count)))
        for start in range(first, first + count, 100)
    ]
    if len(chunks) == 1:
        _write_chunk(folder, chunks[0])
        return
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        list(pool.map(functools.partial(_write_chunk, folder), chunks))


def _write_chunk(folder: Path, numbers: range) -> None:
    for number in numbers:
        recording = make(number)
        year = 2012 + int((recording.sessions[0].start_s - FIRST_START_S) // (365.25 * 86_400))
        path = folder / f"{year}" / f"{number:06}.fit"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(fit_writer.encode(recording))


def make(number: int) -> Recording:
    """Make activity `number`: the same number gives the same activity."""
    random = np.random.default_rng(number)
    shares = np.array([share for *_, share, _ in _SPORTS])
    sport, sub_sport, speed, _, outdoors = _SPORTS[random.choice(len(_SPORTS), p=shares)]
    start_s = FIRST_START_S + float(random.integers(0, int(YEARS * 365.25 * 86_400)))
    points = _points(random, start_s, speed, outdoors=outdoors)
    elapsed_s = float(points.timestamp_s[-1] - start_s)
    distance_m = float(points.distance_m[-1])
    return Recording(
        format="fit",
        points=points,
        sessions=(
            Session(
                start_s=start_s,
                sport=sport,
                sub_sport=sub_sport,
                elapsed_time_s=elapsed_s,
                timer_time_s=elapsed_s,
                distance_m=distance_m,
            ),
        ),
        laps=(Lap(start_s=start_s, elapsed_time_s=elapsed_s, timer_time_s=elapsed_s),),
        device=Device(manufacturer="garmin", product="edge_530", serial_number=number + 1),
        created_s=start_s,
        utc_offset_s=3_600.0,
    )


def _points(random: np.random.Generator, start_s: float, speed: float, *, outdoors: bool) -> Points:
    count = POINTS_PER_ACTIVITY + int(random.integers(-300, 300))
    time_s = np.arange(count, dtype=np.float64)
    velocity = np.clip(speed * (1 + 0.25 * _wander(random, count, 60)), 0.0, None)
    distance = np.cumsum(velocity) - velocity[0]
    effort = _wander(random, count, 120)
    columns = {
        "timestamp_s": start_s + time_s,
        "altitude_m": 500 + 60 * _wander(random, count, 600),
        "distance_m": distance,
        "velocity_mps": velocity,
        "heartrate_bpm": np.round(140 + 15 * effort),
        "cadence_rpm": np.round(85 + 3 * effort),
        "temperature_c": np.full(count, 18.0),
    }
    if speed > 5:
        columns["power_w"] = np.round(np.clip(180 + 60 * effort, 0, None))
    if outdoors:
        columns |= _walk(random, velocity)
    return Points.of(count, **columns)


def _walk(random: np.random.Generator, velocity: FloatArray) -> dict[str, FloatArray]:
    """Integrate a wandering heading into a track with a metre or two of noise."""
    heading = np.cumsum(random.normal(0, 0.03, len(velocity)))
    heading += np.pi / 2 * np.cumsum(random.random(len(velocity)) < 1 / 120)  # street corners
    noise = 1.5 * _wander(random, len(velocity), 20)
    lat0, lng0 = _TOWNS[random.integers(len(_TOWNS))]
    north = np.cumsum(velocity * np.cos(heading)) + noise
    east = np.cumsum(velocity * np.sin(heading)) - noise
    return {
        "lat": lat0 + north / _METRES_PER_DEGREE,
        "lng": lng0 + east / (_METRES_PER_DEGREE * np.cos(np.radians(lat0))),
    }


def _wander(random: np.random.Generator, count: int, width: int) -> FloatArray:
    """Return noise of standard deviation 1 that changes over about `width` samples."""
    noise = np.cumsum(random.normal(size=count + width))
    smooth = noise[width:] - noise[:-width]
    return np.asarray(smooth / np.sqrt(width))
