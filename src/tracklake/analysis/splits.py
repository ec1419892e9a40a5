"""Kilometres and miles: each a fixed distance, the last one as long as is left."""

from __future__ import annotations

import numpy as np

from tracklake.analysis.motion import Motion
from tracklake.model import FloatArray, Points, Split

KILOMETRE_M = 1000.0
MILE_M = 1609.344
_SHORTEST_M = 10.0  # a shorter remainder is no split
_LONGEST_M = 10_000_000.0  # beyond, the distance is an error of the device


def splits(
    points: Points, motion: Motion, smooth_altitude_m: FloatArray, length_m: float
) -> tuple[Split, ...]:
    """Cut cleaned points every length_m of cumulative distance, interpolating linearly in time.

    A boundary is passed when its distance is first reached, so a pause on it belongs to the next
    split. A remainder of at most 10 m is left out.
    """
    if len(points) < 2 or np.isnan(points.distance_m[0]):
        return ()
    way = points.distance_m - points.distance_m[0]
    if not _SHORTEST_M < way[-1] <= _LONGEST_M:
        return ()
    edges = _edges(way[-1], length_m)
    moments = moments_at(points.timestamp_s, way, edges)
    return _between(edges, moments, points, motion, smooth_altitude_m)


def _edges(total_m: float, length_m: float) -> FloatArray:
    whole = int(total_m // length_m)
    edges: FloatArray = length_m * np.arange(whole + 1, dtype=np.float64)
    if total_m - edges[-1] > _SHORTEST_M:
        edges = np.append(edges, total_m)
    return edges


def moments_at(
    timestamp_s: FloatArray, distance_m: FloatArray, targets_m: FloatArray
) -> FloatArray:
    """Return when each distance was first reached; distance_m does not descend."""
    # Reversed and negated, a plateau yields its first moment instead of its last.
    return np.interp(-targets_m, -distance_m[::-1], timestamp_s[::-1])


def _between(
    edges: FloatArray,
    moments: FloatArray,
    points: Points,
    motion: Motion,
    smooth_altitude_m: FloatArray,
) -> tuple[Split, ...]:
    # The end of the recording belongs to the last split, if that is the remainder.
    if edges[-1] == points.distance_m[-1] - points.distance_m[0]:
        moments[-1] = points.timestamp_s[-1]
    stamp = points.timestamp_s
    distance, elapsed = np.diff(edges), np.diff(moments)
    moving = np.diff(np.interp(moments, stamp, motion.moving_s))
    rise = np.diff(np.interp(moments, stamp, smooth_altitude_m))
    heartrate = means_between(moments, stamp, points.heartrate_bpm, motion)
    speed = distance / np.where(moving > 0, moving, np.nan)
    columns = (distance, elapsed, moving, speed, rise, heartrate)
    return tuple(
        Split(
            split_index=index,
            distance_m=row[0],
            elapsed_time_seconds=row[1],
            moving_time_seconds=row[2],
            average_speed=_known(row[3]),
            elevation_difference=_known(row[4]),
            average_heartrate=_known(row[5]),
        )
        for index, row in enumerate(np.column_stack(columns).tolist(), start=1)
    )


def means_between(
    moments: FloatArray, timestamp_s: FloatArray, values: FloatArray, motion: Motion
) -> FloatArray:
    """Return the time-weighted means between n moments (n - 1 of them), NaN where none is known.

    Each value counts for the running time on either side of its point; pauses and gaps do not.
    """
    sums, weights = motion.mean_terms(values)
    duration = np.diff(np.interp(moments, timestamp_s, np.cumsum(weights)))
    total = np.diff(np.interp(moments, timestamp_s, np.cumsum(sums)))
    means: FloatArray = total / np.where(duration > 0, duration, np.nan)
    return means


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
