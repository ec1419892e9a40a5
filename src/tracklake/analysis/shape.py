"""From what a file says to what gold stores: cleaned, measured, split, drawn. Pure.

docs/formulas.md states every rule and has worked examples, which the tests hold the code to.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from tracklake import sports
from tracklake.analysis import (
    cleaning,
    efforts,
    elevation,
    laps,
    local_time,
    motion,
    outings,
    speeds,
    splits,
    totals,
    tracks,
)
from tracklake.model import (
    Activity,
    BestEffort,
    FloatArray,
    Outline,
    Points,
    Recording,
    Session,
    Shaped,
)


def activities(recording: Recording) -> tuple[Shaped, ...]:
    """Return the activity of a recording; of a multisport outing the whole, then its legs.

    The whole has no points of its own. InvalidData if nothing says when it began.
    """
    points = cleaning.in_time_order(recording.points)
    parts = outings.parts(recording, points)
    shaped = tuple(_shaped(recording, part) for part in parts)
    if len(shaped) == 1:
        return shaped
    legs = tuple(
        dataclasses.replace(leg, activity=dataclasses.replace(leg.activity, leg_index=index))
        for index, leg in enumerate(shaped, start=1)
    )
    return (_whole(recording, tuple(leg.activity for leg in legs)), *legs)


def outline(points: Points, sport_type: str, start_s: float) -> Outline:
    """Return what points of strictly ascending time give: motion, slope, geometry, best efforts.

    The points stay as they are; what cannot be true is left out of what is computed only.
    """
    session = Session(start_s=start_s, sport=sport_type)
    family = sports.family(sport_type)
    cleaned, moved = _measured(Recording(format="gpx"), session, points, family)
    smooth = elevation.smoothed(cleaned.timestamp_s, cleaned.altitude_m)
    return Outline(
        start_s=start_s,
        points=points,
        moving=moved.moving,
        grade_pct=elevation.grade_pct(cleaned.distance_m, cleaned.altitude_m, smooth),
        track=tracks.cut_antimeridian(_thinned(cleaned, session)),
        best_efforts=_best_efforts(cleaned, start_s, sport_type, family),
    )


def _thinned(points: Points, session: Session) -> tuple[FloatArray, ...]:
    cap = speeds.teleport_cap(session.sport)
    return tracks.simplify(
        tracks.split_at_gaps(points.timestamp_s, points.lat, points.lng, teleport_mps=cap)
    )


def _measured(
    recording: Recording, session: Session, points: Points, family: str
) -> tuple[Points, motion.Motion]:
    """Return the points with every column filled or NaN, and when the athlete moved."""
    cap = speeds.teleport_cap(session.sport)
    points = cleaning.plausible(points, cap)
    located = bool(np.any(~np.isnan(points.lat)))
    pool = family == "swim" and not located
    timed_only = pool or not (located or np.any(~np.isnan(points.velocity_mps)))
    points = dataclasses.replace(
        points,
        distance_m=motion.cumulative_distance_m(
            points, recording.pauses, teleport_mps=cap, lengths=pool
        ),
    )
    velocity = motion.velocity_mps(points, points.distance_m, teleport_mps=cap)
    points = dataclasses.replace(points, velocity_mps=velocity)
    threshold = None if timed_only else speeds.moving_threshold(family)
    return points, motion.motion(points, recording.pauses, threshold)


def _shaped(recording: Recording, part: outings.Part) -> Shaped:
    session = part.session
    sport = sports.sport_type(recording.format, session.sport, session.sub_sport)
    family = sports.family(sport)
    points, moved = _measured(recording, session, part.points, family)
    smooth = elevation.smoothed(points.timestamp_s, points.altitude_m)
    thinned = _thinned(points, session)
    track = tracks.cut_antimeridian(thinned)
    activity = dataclasses.replace(
        _activity(recording, part, points, moved, sport),
        total_elevation_gain=totals.ascent_m(session, elevation.gain_m(smooth)),
        summary_polyline=tracks.summary_polyline(thinned) if track else None,
        has_track=bool(track),
        splits_metric=splits.splits(points, moved, smooth, splits.KILOMETRE_M),
        splits_standard=splits.splits(points, moved, smooth, splits.MILE_M),
        best_efforts=_best_efforts(points, part.start_s, sport, family),
    )
    return Shaped(
        activity=activity,
        points=points,
        moving=moved.moving,
        grade_pct=elevation.grade_pct(points.distance_m, points.altitude_m, smooth),
        track=track,
    )


def _best_efforts(
    points: Points, start_s: float, sport: str, family: str
) -> tuple[BestEffort, ...]:
    if sport == "Transition":
        return ()
    # Without positions the distance is a sensor's: it may come in lumps, but it does not jump.
    located = bool(np.any(~np.isnan(points.lat)))
    step_cap = speeds.effort_cap(family) if located else math.inf
    return (
        *efforts.distance_efforts(points, start_s, step_cap, speeds.fastest_possible(family)),
        *efforts.power_efforts(points, start_s),
    )


def _activity(
    recording: Recording, part: outings.Part, points: Points, moved: motion.Motion, sport: str
) -> Activity:
    session = part.session
    elapsed = totals.elapsed_s(session, part.start_s, points)
    moving = totals.moving_s(session, points, moved, elapsed)
    distance = totals.distance_m(session, points)
    start, end = _ends(points)
    zone, offset = local_time.zone_at(
        part.start_s, start, recording.utc_offset_s, is_virtual=sport.startswith("Virtual")
    )
    return Activity(
        sport_type=sport,
        name=session.name or recording.name,
        description=recording.description,
        start_s=part.start_s,
        utc_offset_s=offset,
        timezone=zone,
        distance=distance,
        moving_time=round(moving, 3),
        elapsed_time=round(elapsed, 3),
        total_elevation_gain=None,
        elev_high=totals.highest(points.altitude_m),
        elev_low=totals.lowest(points.altitude_m),
        average_speed=totals.average_speed(distance, moving, session.average_speed_mps),
        trainer=sports.is_indoor(session.sport, session.sub_sport),
        device_name=_device_name(recording),
        start_lat=start and start[0],
        start_lng=start and start[1],
        end_lat=end and end[0],
        end_lng=end and end[1],
        summary_polyline=None,
        has_track=False,
        point_count=len(points),
        laps=laps.laps(part.laps, points, moved, part.start_s, part.start_s + elapsed),
        **totals.sensors(session, points, moved),
    )


def _ends(points: Points) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Return the first and the last position as lat, lng."""
    located = np.flatnonzero(~np.isnan(points.lat))
    if len(located) == 0:
        return None, None
    first, last = located[0], located[-1]
    return (
        (float(points.lat[first]), float(points.lng[first])),
        (float(points.lat[last]), float(points.lng[last])),
    )


def _device_name(recording: Recording) -> str | None:
    device = recording.device
    if device.name:
        return device.name
    words = " ".join(filter(None, (device.manufacturer, device.product))).replace("_", " ")
    return " ".join(word[:1].upper() + word[1:] for word in words.split()) or None


def _whole(recording: Recording, legs: tuple[Activity, ...]) -> Shaped:
    """Return the multisport outing that the legs make up, transitions included."""
    starts = [leg for leg in legs if leg.start_lat is not None]
    begin, finish = (starts[0], starts[-1]) if starts else (legs[0], legs[-1])
    elapsed = max(leg.start_s + leg.elapsed_time for leg in legs) - legs[0].start_s
    moving = min(sum(leg.moving_time for leg in legs), elapsed)
    distance = totals.total(leg.distance for leg in legs)
    activity = dataclasses.replace(
        begin,
        leg_index=0,
        leg_count=len(legs),
        sport_type="Multisport",
        name=recording.name,
        start_s=legs[0].start_s,
        distance=distance,
        moving_time=round(moving, 3),
        elapsed_time=round(elapsed, 3),
        total_elevation_gain=totals.total(leg.total_elevation_gain for leg in legs),
        elev_high=totals.greatest(leg.elev_high for leg in legs),
        elev_low=totals.least(leg.elev_low for leg in legs),
        average_speed=totals.average_speed(distance, moving),
        trainer=all(leg.trainer for leg in legs),
        end_lat=finish.end_lat,
        end_lng=finish.end_lng,
        summary_polyline=None,
        has_track=False,
        point_count=0,
        laps=(),
        splits_metric=(),
        splits_standard=(),
        best_efforts=(),
        **totals.sensors_of_legs(legs),
    )
    nothing = np.empty(0)
    return Shaped(
        activity=activity,
        points=Points.empty(),
        moving=nothing.astype(np.bool_),
        grade_pct=nothing,
        track=(),
    )
