"""What training needs of an activity's points: time at each heart rate and power, normalised power.

docs/models.md has the rules. Who changes what comes out raises the version in
sql/schema/16_stream_facts.sql, so that every warehouse is made anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracklake.analysis.efforts import POWER_HOLD_S, most, work_curve
from tracklake.model import FloatArray

HEARTRATE_HOLD_S = 30.0  # a heart rate stands for at most this long
_SUSTAINED_S = 30.0
_SMOOTHED_S = 30
_LONG_S = (7200.0, 10_800.0, 14_400.0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Seconds at each value that occurred, ascending."""

    values: list[int]
    seconds: list[float]


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """Of one activity's points; None and empty where they have no such channel."""

    heartrate: Histogram
    sustained_heartrate_bpm: int | None
    power: Histogram
    power_recorded_s: float | None
    normalized_power_w: float | None
    long_powers_w: tuple[float | None, ...]  # over 2, 3 and 4 h


def stream_facts(time_s: FloatArray, heartrate_bpm: FloatArray, power_w: FloatArray) -> StreamFacts:
    """Return the facts of points; time ascends, NaN is a value that was not recorded."""
    heartrate = histogram(time_s, heartrate_bpm, HEARTRATE_HOLD_S)
    known = ~np.isnan(power_w)
    stamp, power = time_s[known], power_w[known]
    recorded, normalized = normalized_power(stamp, power)
    return StreamFacts(
        heartrate=heartrate,
        sustained_heartrate_bpm=sustained(heartrate),
        power=histogram(stamp, power, POWER_HOLD_S),
        power_recorded_s=recorded,
        normalized_power_w=normalized,
        long_powers_w=_long_powers(stamp, power),
    )


def histogram(time_s: FloatArray, values: FloatArray, hold_s: float) -> Histogram:
    """Return the seconds at each rounded value: it stands until the next one, at most hold_s."""
    known = ~np.isnan(values)
    if np.count_nonzero(known) < 2:
        return Histogram([], [])
    stamp, rounded = time_s[known], np.floor(values[known] + 0.5).astype(np.int64)
    held = np.minimum(np.diff(stamp), hold_s)
    lowest = int(rounded.min())
    seconds = np.bincount(rounded[:-1] - lowest, weights=held)
    occurred = np.flatnonzero(seconds > 0)
    return Histogram((occurred + lowest).tolist(), np.round(seconds[occurred], 3).tolist())


def sustained(heartrate: Histogram) -> int | None:
    """Return the highest value that was reached or exceeded for 30 s in all."""
    above = np.cumsum(heartrate.seconds[::-1])
    enough = np.flatnonzero(above >= _SUSTAINED_S)
    return heartrate.values[::-1][int(enough[0])] if len(enough) else None


def normalized_power(
    time_s: FloatArray, power_w: FloatArray
) -> tuple[float, float] | tuple[None, None]:
    """Return the seconds recorded, and the normalised power over them in W.

    A value stands until the next one, at most POWER_HOLD_S; what lies between (pauses, gaps) is cut
    out. Of what remains, the mean over each 30 s is taken, second by second; normalised power is
    the fourth root of the mean of its fourth powers. None for less than 30 s.
    """
    if len(time_s) < 2:
        return None, None
    held = np.minimum(np.diff(time_s), POWER_HOLD_S)
    until = np.concatenate(([0.0], np.cumsum(held)))
    done = np.concatenate(([0.0], np.cumsum(power_w[:-1] * held)))
    if until[-1] < _SMOOTHED_S:
        return None, None
    ends = np.arange(_SMOOTHED_S, np.floor(until[-1]) + 1)
    rise = np.interp(ends, until, done) - np.interp(ends - _SMOOTHED_S, until, done)
    means = rise / _SMOOTHED_S
    return round(float(until[-1]), 3), round(float(np.mean(means**4) ** 0.25), 3)


def _long_powers(time_s: FloatArray, power_w: FloatArray) -> tuple[float | None, ...]:
    if len(time_s) < 2 or time_s[-1] - time_s[0] + POWER_HOLD_S < _LONG_S[0]:
        return (None,) * len(_LONG_S)
    edges, work = work_curve(time_s, power_w)
    return tuple(
        round(most(edges, work, duration).length / duration, 3)
        if edges[0] + duration <= edges[-1]
        else None
        for duration in _LONG_S
    )
