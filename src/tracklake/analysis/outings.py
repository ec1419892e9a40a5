"""Which activities a recording holds: one, or the legs of a multisport outing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tracklake.analysis.cleaning import is_time
from tracklake.errors import InvalidData
from tracklake.model import Lap, Points, Recording, Session

_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Part:
    """What belongs to one activity; points have ascending timestamps, start_s is plausible."""

    start_s: float
    session: Session
    points: Points
    laps: tuple[Lap, ...]


def parts(recording: Recording, points: Points) -> tuple[Part, ...]:
    """Return one part, or one for each leg of a multisport outing, in order.

    Sessions are legs if at least two sports differ (a transition is a sport in FIT); several of one
    sport (drills, lengths, a file that was chained) are one activity. A leg lasts until the next.
    InvalidData if nothing in the recording says when it began.
    """
    sessions = sorted(
        (session for session in recording.sessions if is_time(session.start_s)),
        key=lambda session: session.start_s,
    )
    laps = tuple(lap for lap in recording.laps if is_time(lap.start_s))
    if _is_multisport(sessions):
        return _legs(sessions, points, laps)
    described = merged(sessions or recording.sessions)
    start = _start_s(recording, described, points)
    return (Part(start, described, points, laps),)


def _is_multisport(sessions: Sequence[Session]) -> bool:
    sports = {session.sport for session in sessions if session.sport is not None}
    return len(sports) > 1


def _legs(sessions: Sequence[Session], points: Points, laps: tuple[Lap, ...]) -> tuple[Part, ...]:
    edges = [session.start_s for session in sessions[1:]]
    at = [0, *np.searchsorted(points.timestamp_s, edges).tolist(), len(points)]
    borders = [-np.inf, *edges, np.inf]
    return tuple(
        Part(
            min([session.start_s, *points.timestamp_s[at[leg] : at[leg + 1]][:1].tolist()]),
            session,
            points.take(slice(at[leg], at[leg + 1])),
            tuple(lap for lap in laps if borders[leg] <= lap.start_s < borders[leg + 1]),
        )
        for leg, session in enumerate(sessions)
    )


def _start_s(recording: Recording, session: Session, points: Points) -> float:
    """Return the session's start, unless the points began earlier or on another day."""
    if len(points):
        first = float(points.timestamp_s[0])
        told = is_time(session.start_s) and abs(session.start_s - first) < _DAY_S
        return min(session.start_s, first) if told else first
    told_s = [session.start_s, *(lap.start_s for lap in recording.laps), recording.created_s]
    for moment in told_s:
        if moment is not None and is_time(moment):
            return moment
    raise InvalidData("nothing in it says when it began", reason="no_start_time")


def merged(sessions: Sequence[Session]) -> Session:
    """Return one session with the totals of several of the same sport; NaN start without any.

    A sum is known only if every part is; a mean is weighted by the parts' durations.
    """
    if not sessions:
        return Session(start_s=np.nan)
    if len(sessions) == 1:
        return sessions[0]
    first, last = sessions[0], sessions[-1]
    # From the first start to the last end, so that what lies between the sessions counts.
    tail = known(last.elapsed_time_s)
    return dataclasses.replace(
        first,
        elapsed_time_s=None if tail is None else last.start_s - first.start_s + tail,
        timer_time_s=_sum(sessions, lambda part: part.timer_time_s),
        name=next((part.name for part in sessions if part.name), None),
        distance_m=_sum(sessions, lambda part: part.distance_m),
        total_ascent_m=_sum(sessions, lambda part: part.total_ascent_m),
        calories_kcal=_sum(sessions, lambda part: part.calories_kcal),
        average_speed_mps=None,
        max_speed_mps=_max(part.max_speed_mps for part in sessions),
        average_heartrate_bpm=_mean(sessions, lambda part: part.average_heartrate_bpm),
        max_heartrate_bpm=_max(part.max_heartrate_bpm for part in sessions),
        average_cadence_rpm=_mean(sessions, lambda part: part.average_cadence_rpm),
        average_power_w=_mean(sessions, lambda part: part.average_power_w),
        max_power_w=_max(part.max_power_w for part in sessions),
        average_temperature_c=_mean(sessions, lambda part: part.average_temperature_c),
    )


def known(value: float | None, most: float = 1e8, least: float = 0) -> float | None:
    """Return a total as the device gave it, None where it cannot be one (negative, NaN, absurd)."""
    return value if value is not None and least <= value <= most else None


def _sum(sessions: Sequence[Session], of: Callable[[Session], float | None]) -> float | None:
    values = [known(of(session)) for session in sessions]
    told = [value for value in values if value is not None]
    return sum(told) if len(told) == len(values) else None


def _max(values: Iterable[float | None]) -> float | None:
    return max((value for value in map(known, values) if value is not None), default=None)


def _mean(sessions: Sequence[Session], of: Callable[[Session], float | None]) -> float | None:
    told = [(of(part), known(part.timer_time_s) or known(part.elapsed_time_s)) for part in sessions]
    pairs = [(value, weight) for value, weight in told if value is not None and weight]
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else None
