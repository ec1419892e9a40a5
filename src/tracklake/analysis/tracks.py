"""From positions to a line on a map: split where nothing was recorded, thinned, never wrong.

A track is a list of segments, each an (n, 2) array of lng, lat in degrees with n >= 2.
docs/formulas.md states the gap rule and the measurements behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
import shapely

from tracklake.analysis.geodesy import METRES_PER_DEGREE, steps_m
from tracklake.analysis.speeds import TELEPORT_MPS
from tracklake.model import FloatArray

GAP_M = 100.0
GAP_S = 300.0
TOLERANCE_M = 2.0
SUMMARY_TOLERANCE_M = 20.0
_SPARSE = 3.0  # a step is no gap below this times the median step, likewise in time
_HURRY = 2.0  # ... nor below the way made at this times the usual high speed
_HURRY_S = (30.0, 120.0)  # ... for at most this long, or 20 times the median time between
_HURRY_STEPS = 20.0
_WIDE_DEG = 90.0
_DECIMALS = 6  # of a degree: 0.11 m
_POLYLINE_CHUNKS = 6  # of 5 bits: enough for 360 degrees at 5 decimals

Track = tuple[FloatArray, ...]


def split_at_gaps(
    timestamp_s: FloatArray,
    lat: FloatArray,
    lng: FloatArray,
    *,
    gap_m: float = GAP_M,
    gap_s: float = GAP_S,
    teleport_mps: float = TELEPORT_MPS,
) -> Track:
    """Return the segments between gaps; timestamps ascend, missing positions are NaN.

    Two neighbours (of those with a position) belong together if their step is at most
    `step_limit_m` and at most teleport_mps, and their time apart at most gap_s (or three times the
    median). Segments without extent are left out.
    """
    located = np.flatnonzero(~(np.isnan(lat) | np.isnan(lng)))
    if len(located) < 2:
        return ()
    line = np.column_stack((lng[located], lat[located]))
    step, step_s = steps_m(line[:, 1], line[:, 0]), np.diff(timestamp_s[located])
    gap = step > step_limit_m(step, step_s, gap_m)
    gap |= step > teleport_mps * step_s
    gap |= step_s > max(gap_s, _SPARSE * float(np.median(step_s)))
    starts = np.concatenate(([0], np.flatnonzero(gap) + 1))
    ends = np.concatenate((starts[1:], [len(line)]))
    extent = np.concatenate(([0.0], np.cumsum(np.where(gap, 0.0, step))))
    worth = extent[ends - 1] > extent[starts]
    return tuple(line[start:end] for start, end in zip(starts[worth], ends[worth], strict=True))


def step_limit_m(step_m: FloatArray, step_s: FloatArray, gap_m: float = GAP_M) -> FloatArray:
    """Return how long each step may be: sparse or fast recordings have long steps without a gap.

    The longest of gap_m, three times the median step, and twice the speed that one step in ten
    exceeds times the step's duration. The last holds for steps of at most 30 s, in recordings that
    leave out points on purpose (median duration over 1.5 s) for 20 times the median, at most 120 s.
    """
    speed = step_m / np.maximum(step_s, 1e-3)
    rank = (9 * len(speed)) // 10
    usual = np.partition(speed, rank)[rank] if len(speed) > 9 else 0.0
    fixed = max(gap_m, _SPARSE * float(np.median(step_m)))
    short = step_s <= np.clip(_HURRY_STEPS * np.median(step_s), *_HURRY_S)
    return np.maximum(fixed, np.where(short, _HURRY * usual * step_s, 0.0))


def simplify(segments: Sequence[FloatArray], tolerance_m: float = TOLERANCE_M) -> Track:
    """Return the segments with fewer points; none left out was farther than tolerance_m away.

    Douglas and Peucker in metres around each segment. East-west metres are taken at the segment's
    latitude nearest to the equator, where they are longest, so the error is never more than said.
    Ends stay; segments that shrink to one place are dropped.
    """
    thinned = (_simplified(_unwrapped(segment), tolerance_m) for segment in segments)
    return tuple(_wrapped(line) for line in thinned if np.any(line[0] != line[1:]))


def _simplified(line: FloatArray, tolerance_m: float) -> FloatArray:
    if len(line) < 3 or np.ptp(line[:, 0]) > _WIDE_DEG:
        return line  # over a quarter of the globe a straight line of degrees means little
    east = METRES_PER_DEGREE * np.cos(np.radians(np.min(np.abs(line[:, 1]))))
    # To the millimetre: GEOS divides by squares, which vanish for subnormal distances.
    metres = np.round((line - line[0]) * (east, METRES_PER_DEGREE), 3)
    numbered = np.column_stack((metres, np.arange(len(line))))
    kept = shapely.simplify(shapely.linestrings(numbered), tolerance_m, preserve_topology=False)
    index = shapely.get_coordinates(kept, include_z=True)[:, 2].astype(np.intp)
    thinned: FloatArray = line[index]
    return thinned


def _unwrapped(line: FloatArray) -> FloatArray:
    """Return the line with longitudes that go on beyond ±180 instead of jumping."""
    if np.ptp(line[:, 0]) <= 180:
        return line
    return np.column_stack((np.unwrap(line[:, 0], period=360), line[:, 1]))


def _wrapped(line: FloatArray) -> FloatArray:
    if np.max(np.abs(line[:, 0])) <= 180:
        return line
    return np.column_stack(((line[:, 0] + 180) % 360 - 180, line[:, 1]))


def cut_antimeridian(segments: Sequence[FloatArray]) -> Track:
    """Return the segments cut where they cross ±180°, closed there at the interpolated latitude.

    RFC 7946 section 3.1.9. No step of the result spans more than 180 degrees of longitude.
    """
    return tuple(piece for segment in segments for piece in _cut(segment))


def _cut(segment: FloatArray) -> list[FloatArray]:
    jump = np.diff(segment[:, 0])
    crossings = np.flatnonzero(np.abs(jump) > 180)
    if len(crossings) == 0:
        return [segment]
    pieces, begin = [], segment[:1]
    start = 1
    for index in crossings.tolist():
        side = np.copysign(180.0, segment[index, 0])
        (lng, lat), (next_lng, next_lat) = segment[index], segment[index + 1]
        way = next_lng - lng + 2 * side
        share = (side - lng) / way if way else 0.5
        edge_lat = lat + share * (next_lat - lat)
        pieces.append(np.vstack((begin, segment[start : index + 1], [[side, edge_lat]])))
        begin = np.array([[-side, edge_lat]])
        start = index + 1
    pieces.append(np.vstack((begin, segment[start:])))
    return [piece for piece in pieces if np.any(piece[0] != piece[1:])]


def bounds(segments: Sequence[FloatArray]) -> tuple[float, float, float, float]:
    """Return west, south, east, north in degrees; west > east where the track crosses ±180°.

    RFC 7946 section 5.2. The widest stretch of longitude without track stays outside.
    """
    everything = np.vstack(segments)
    south, north = everything[:, 1].min(), everything[:, 1].max()
    west, east = everything[:, 0].min(), everything[:, 0].max()
    if west == -180 and east == 180:
        ranges = sorted((line[:, 0].min(), line[:, 0].max()) for line in segments)
        lows = np.array([low for low, _ in ranges])
        reach = np.maximum.accumulate([high for _, high in ranges])
        free = lows[1:] - reach[:-1]
        if len(free) and free.max() > 0:
            west, east = lows[1:][free.argmax()], reach[:-1][free.argmax()]
    return float(west), float(south), float(east), float(north)


def feature(activity_id: int, segments: Sequence[FloatArray], **properties: object) -> bytes:
    """Return one RFC 7946 Feature as one line of JSON, without the line's end.

    Coordinates have 6 decimals; `id` is the activity's; bbox as `bounds` gives it. At least one
    segment is expected.
    """
    lines = [np.round(segment, _DECIMALS) for segment in segments]
    single = len(lines) == 1
    return orjson.dumps(
        {
            "type": "Feature",
            "id": activity_id,
            "bbox": [round(edge, _DECIMALS) for edge in bounds(lines)],
            "geometry": {
                "type": "LineString" if single else "MultiLineString",
                "coordinates": np.ascontiguousarray(lines[0])
                if single
                else [np.ascontiguousarray(line) for line in lines],
            },
            "properties": properties,
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def summary_polyline(segments: Sequence[FloatArray]) -> str | None:
    """Return a small line for lists and previews, simplified to 20 m; None without a track."""
    coarse = simplify(segments, SUMMARY_TOLERANCE_M) or tuple(segments)
    return encode_polyline(coarse) if coarse else None


def encode_polyline(segments: Sequence[FloatArray]) -> str:
    """Return the segments (at least one) as one line in Google's encoding: lat, lng, 5 decimals.

    https://developers.google.com/maps/documentation/utilities/polylinealgorithm
    """
    fixed = np.round(np.vstack(segments)[:, ::-1] * 1e5).astype(np.int64)
    delta = np.diff(fixed, axis=0, prepend=0).ravel()
    value = np.where(delta < 0, ~(delta << 1), delta << 1)
    shifts = 5 * np.arange(_POLYLINE_CHUNKS)
    rest = value[:, None] >> shifts
    more = (rest >> 5) > 0
    used = np.column_stack((np.ones(len(value), dtype=np.bool_), more[:, :-1]))
    chunks = (rest & 31) + np.where(more, 32, 0) + 63
    text: bytes = chunks[used].astype(np.uint8).tobytes()
    return text.decode("ascii")


def decode_polyline(text: str) -> FloatArray:
    """Return the line that `encode_polyline` wrote, lng, lat in degrees; ValueError if damaged."""
    code = np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8).astype(np.int64) - 63
    ends = np.flatnonzero(code < 32)
    if len(ends) == 0 or len(ends) % 2 or ends[-1] != len(code) - 1 or code.min() < 0:
        raise ValueError("not an encoded polyline")
    starts = np.concatenate(([0], ends[:-1] + 1))
    place = np.arange(len(code)) - np.repeat(starts, ends - starts + 1)
    if place.max() > _POLYLINE_CHUNKS or code.max() > 63:
        raise ValueError("not an encoded polyline")
    value = np.add.reduceat((code & 31) << (5 * place), starts)
    delta = np.where(value & 1, ~(value >> 1), value >> 1)
    line: FloatArray = np.cumsum(delta.reshape(-1, 2), axis=0)[:, ::-1] / 1e5
    if np.any(np.abs(line[:, 0]) > 180) or np.any(np.abs(line[:, 1]) > 90):
        raise ValueError("not on Earth")
    return line
