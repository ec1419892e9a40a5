"""The words of the domain as plain data; no behaviour beyond slicing columns.

Two steps, two shapes: a `Recording` is what a file says (the decoders make it, the writers take
it); an `Activity` is what gold stores of it (`analysis/shape.py` makes it). Column and field names
that Strava has bear Strava's names and SI units; every other number carries its unit.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

Format = Literal["fit", "gpx", "tcx"]

POINT_COLUMNS = (
    "timestamp_s",
    "lat",
    "lng",
    "altitude_m",
    "distance_m",
    "velocity_mps",
    "heartrate_bpm",
    "cadence_rpm",
    "power_w",
    "temperature_c",
)


@dataclass(frozen=True, slots=True)
class Points:
    """Columns of one recording: float64, all of one length, NaN where nothing was recorded.

    timestamp_s: UNIX seconds, UTC. lat, lng: WGS 84 degrees. altitude_m: above sea level.
    distance_m: cumulative since the start. velocity_mps, heartrate_bpm, power_w, temperature_c: as
    named. cadence_rpm: revolutions a minute of one leg or crank (a runner's steps a minute / 2).
    """

    timestamp_s: FloatArray
    lat: FloatArray
    lng: FloatArray
    altitude_m: FloatArray
    distance_m: FloatArray
    velocity_mps: FloatArray
    heartrate_bpm: FloatArray
    cadence_rpm: FloatArray
    power_w: FloatArray
    temperature_c: FloatArray

    def __len__(self) -> int:
        return len(self.timestamp_s)

    def take(self, selection: slice | npt.NDArray[np.intp] | BoolArray) -> Self:
        """Return the points of a slice, of indices or of a mask."""
        return type(self)(*(getattr(self, name)[selection] for name in POINT_COLUMNS))

    @classmethod
    def of(cls, length: int, **columns: npt.ArrayLike) -> Self:
        """Make points from the columns given; the others are all NaN."""
        unknown = columns.keys() - set(POINT_COLUMNS)
        if unknown:
            raise TypeError(f"no such column: {sorted(unknown)}")
        missing = np.full(length, np.nan)
        return cls(
            *(
                np.asarray(columns[name], dtype=np.float64) if name in columns else missing
                for name in POINT_COLUMNS
            )
        )

    @classmethod
    def empty(cls) -> Self:
        """Return no points."""
        return cls.of(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What recorded it: names as text ("garmin", "edge_530"), numbers where no name is known."""

    manufacturer: str | None = None
    product: str | None = None
    serial_number: int | None = None
    name: str | None = None  # as a person would say it; GPX creator, TCX Creator/Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sport within a recording, with the device's own totals (None where it gives none)."""

    start_s: float  # UNIX seconds
    elapsed_time_s: float | None = None
    timer_time_s: float | None = None  # without the pauses made with the button
    sport: str | None = None  # the format's own word: FIT "running", TCX "Biking", GPX <type>
    sub_sport: str | None = None  # FIT only: "trail", "treadmill", "indoor_cycling", …
    name: str | None = None
    distance_m: float | None = None
    total_ascent_m: float | None = None
    calories_kcal: float | None = None
    average_speed_mps: float | None = None
    max_speed_mps: float | None = None
    average_heartrate_bpm: float | None = None
    max_heartrate_bpm: float | None = None
    average_cadence_rpm: float | None = None
    average_power_w: float | None = None
    max_power_w: float | None = None
    average_temperature_c: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """A part marked by device or athlete, with the device's own totals."""

    start_s: float  # UNIX seconds
    elapsed_time_s: float | None = None
    timer_time_s: float | None = None
    distance_m: float | None = None
    total_ascent_m: float | None = None
    calories_kcal: float | None = None
    average_speed_mps: float | None = None
    max_speed_mps: float | None = None
    average_heartrate_bpm: float | None = None
    max_heartrate_bpm: float | None = None
    average_cadence_rpm: float | None = None
    average_power_w: float | None = None
    trigger: str | None = None  # "manual", "distance", "session_end", …


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one file says of one outing (a multisport outing has several sessions).

    kind: "activity", or what else the file is ("course", "workout", "monitoring", …), which is not
    an activity and is left alone. problems: sentences about what was damaged and left out; not
    empty means salvaged. pauses: UNIX seconds (stopped, started again), ascending, disjoint.
    utc_offset_s: local time minus UTC where the file itself says so (FIT `activity` message).
    """

    format: Format
    kind: str = "activity"
    problems: tuple[str, ...] = ()
    points: Points = dataclasses.field(default_factory=Points.empty)
    sessions: tuple[Session, ...] = ()
    laps: tuple[Lap, ...] = ()
    pauses: tuple[tuple[float, float], ...] = ()
    device: Device = Device()
    created_s: float | None = None  # FIT file_id.time_created, UNIX seconds
    utc_offset_s: float | None = None
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A fixed distance: kilometre or mile number `split_index` (from 1); the last may be short."""

    split_index: int
    distance_m: float
    elapsed_time_seconds: float
    moving_time_seconds: float
    average_speed: float | None  # m/s over the moving time
    elevation_difference: float | None  # m, end minus start
    average_heartrate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BestEffort:
    """The fastest over a distance (kind "distance") or the best mean over a duration ("power")."""

    kind: Literal["distance", "power"]
    name: str  # "400m", "1/2 mile", "1K", …, "5s", …, "1h"
    distance_m: float | None  # the distance of a "distance" effort
    duration_s: float | None  # the duration of a "power" effort
    elapsed_time_s: float  # how long it took, to a hundredth (interpolated), wall clock
    average_watts: float | None
    start_offset_s: float  # since the activity's start
    start_index: int  # index of the first and the last point it touches
    end_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityLap:
    """A lap as gold stores it: Strava's names and units."""

    lap_index: int  # from 1
    start_offset_s: float
    distance: float | None  # m
    elapsed_time: float | None  # s
    moving_time: float | None  # s
    average_speed: float | None  # m/s
    max_speed: float | None
    total_elevation_gain: float | None  # m
    average_heartrate: float | None
    max_heartrate: float | None
    average_cadence: float | None
    average_watts: float | None
    calories: float | None
    lap_trigger: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One activity, or one leg of a multisport one, as gold stores it.

    leg_index: 0 for the whole, 1.. for the legs of a multisport outing; leg_count: on the whole of
    a multisport outing, how many legs follow, else 0. Only rows with leg_count 0 own points.
    timezone: IANA, from the position, else Etc/GMT±h from the file's own offset, else None (then
    local time is UTC). Points carry two columns more here: moving (0/1) and grade_pct.
    """

    leg_index: int = 0
    leg_count: int = 0
    sport_type: str  # Strava's vocabulary: "Run", "TrailRun", "Ride", "Swim", …
    name: str | None
    description: str | None = None
    start_s: float  # UNIX seconds
    utc_offset_s: float
    timezone: str | None
    distance: float | None  # m
    moving_time: float  # s
    elapsed_time: float  # s
    total_elevation_gain: float | None
    elev_high: float | None
    elev_low: float | None
    average_speed: float | None
    max_speed: float | None
    average_heartrate: float | None
    max_heartrate: float | None
    average_watts: float | None
    max_watts: float | None
    average_cadence: float | None
    average_temp: float | None
    calories: float | None
    trainer: bool
    device_name: str | None
    start_lat: float | None
    start_lng: float | None
    end_lat: float | None
    end_lng: float | None
    summary_polyline: str | None  # Google's encoding, 5 decimals, simplified to about 20 m
    has_track: bool
    point_count: int
    laps: tuple[ActivityLap, ...] = ()
    splits_metric: tuple[Split, ...] = ()
    splits_standard: tuple[Split, ...] = ()
    best_efforts: tuple[BestEffort, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """An activity with the columns and the geometry that are stored outside the warehouse file.

    points.timestamp_s ascends and lies within the activity. track: simplified to 2 m, split at gaps
    and at the antimeridian, a list of (n, 2) arrays of lng, lat degrees with n >= 2.
    """

    activity: Activity
    points: Points
    moving: BoolArray
    grade_pct: FloatArray
    track: tuple[FloatArray, ...]

    @property
    def start_s(self) -> float:
        """Return when it began, UNIX seconds."""
        return self.activity.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Points that a service sent, as they are stored, with what is computed from them.

    start_s: UNIX seconds; the other fields are those of `Shaped`.
    """

    start_s: float
    points: Points
    moving: BoolArray
    grade_pct: FloatArray
    track: tuple[FloatArray, ...] = ()
    best_efforts: tuple[BestEffort, ...] = ()
