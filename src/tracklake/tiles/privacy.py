"""Privacy zones: what of a track may be shown, and nothing else.

Zones are circles on the ground. Distances are straight ones through a sphere (three dimensions), so
neither poles nor the antimeridian are special. A zone is taken 0.6 % wider than asked for: the
sphere's distances and the ellipsoid's differ by up to that much, and hidden must be hidden to both.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import orjson

from tracklake.analysis.geodesy import EARTH_RADIUS_M, METRES_PER_DEGREE, steps_m
from tracklake.model import FloatArray

RADIUS_M = (1.0, 50_000.0)
# More than what a start point moves at zoom 0, where the coarsest grid has units of 157 km.
_FARTHEST_M = 250_000.0
MAX_LATITUDE = 85.05  # of the map; what lies beyond is drawn on that edge
_ELLIPSOID = 1.006
_ROUNDING_M = 0.15  # positions are written to 1e-6 degrees; curves are taken in straight pieces
_STEP_M = (1.0, 1000.0)
_BEND_M2 = 1e6  # a piece of l metres at latitude b bends by l² tan(b) / 8R: here by 2 cm
_MOST_PIECES = 200_000  # of one step, which would have to come from the equator to a pole
_SLIVER = 1e-9  # of a step between two positions; what is shorter is rounding, not track

Plane = Callable[[FloatArray], FloatArray]  # from the plane in which lines are straight to degrees
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Zone:
    """A circle that nothing public may show: centre in degrees, radius in metres."""

    lat: float
    lng: float
    radius_m: float

    def widened(self, by_m: float) -> "Zone":
        """Return the zone with a larger radius."""
        return replace(self, radius_m=self.radius_m + by_m)


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is hidden: circles, and the first and last `cut_m` metres of every track."""

    zones: tuple[Zone, ...] = ()
    cut_m: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is hidden."""
        return not self.zones and self.cut_m <= 0


def parse_zones(text: str) -> tuple[Zone, ...]:
    """Read "lat,lng,radius_m" entries, apart by ; or line ends, or a GeoJSON FeatureCollection.

    After an entry, `#` begins a name or remark; a line that begins with # is one. GeoJSON has
    Points with the property radius_m. Raises ValueError that names the entry that makes no sense.
    """
    if text.lstrip().startswith("{"):
        return tuple(_features(text))
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    entries = (entry.split("#")[0].strip() for line in lines for entry in line.split(";"))
    return tuple(_entry(entry) for entry in entries if entry)


def visible(parts: Sequence[FloatArray], privacy: Privacy) -> list[FloatArray]:
    """Return what may be shown of a track: arrays (n, 2) of lng, lat degrees, n >= 2.

    First the ends are cut off, measured along all parts (gaps between them count as nothing), then
    what lies in a zone, exactly at its edge. Lines between positions are straight in degrees.
    """
    return outside(_without_ends(parts, privacy.cut_m), privacy.zones)


def hides(lng: float, lat: float, privacy: Privacy) -> bool:
    """Say whether a position (degrees) lies in a zone."""
    return not is_outside(np.array([[lng, lat]]), privacy.zones)[0]


def touching(bounds: Bounds, zones: Sequence[Zone]) -> tuple[Zone, ...]:
    """Return the zones that may change how something within these bounds is drawn at any zoom.

    bounds: west, south, east, north in degrees; west > east crosses the antimeridian. Zones near
    enough to one of these that both could matter belong to them.
    """
    west, south, east, north = bounds
    bounds = west, min(south, MAX_LATITUDE), east, max(north, -MAX_LATITUDE)
    near = {zone for zone in zones if _gap_m(bounds, zone) < _FARTHEST_M}
    fresh = near
    while fresh:
        boxes = [((one.lng, one.lat, one.lng, one.lat), one.radius_m) for one in fresh]
        fresh = {
            zone
            for zone in zones
            if zone not in near
            and any(_gap_m(box, zone) < _FARTHEST_M + radius_m for box, radius_m in boxes)
        }
        near = near | fresh
    return tuple(zone for zone in zones if zone in near)


def bounds_of(parts: Sequence[FloatArray]) -> Bounds:
    """Return west, south, east, north of positions lng, lat."""
    west, south = np.min([part.min(axis=0) for part in parts], axis=0)
    east, north = np.max([part.max(axis=0) for part in parts], axis=0)
    return float(west), float(south), float(east), float(north)


def is_outside(positions: FloatArray, zones: Sequence[Zone]) -> npt.NDArray[np.bool_]:
    """Say of each position (lng, lat degrees) whether it lies outside every zone."""
    at = _vectors(positions)
    free = np.ones(len(at), dtype=np.bool_)
    for zone in zones:
        free &= ((at - _centre(zone)) ** 2).sum(axis=1) >= _reach(zone) ** 2
    return free


def _same(positions: FloatArray) -> FloatArray:
    return positions


def outside(
    parts: Sequence[FloatArray], zones: Sequence[Zone], degrees: Plane = _same
) -> list[FloatArray]:
    """Return what of the parts lies outside every zone; a part that is, as the very same array.

    degrees: turns the parts' coordinates into lng, lat degrees; lines are straight before that.
    """
    seen: list[FloatArray] = []
    for part in parts:
        bounds = bounds_of([degrees(part)])
        near = [zone for zone in zones if _gap_m(bounds, zone) < 1.0 + 0.01 * zone.radius_m]
        seen.extend(_outside(part, near, degrees) if near else [part])
    return seen


def _outside(part: FloatArray, zones: Sequence[Zone], degrees: Plane) -> list[FloatArray]:
    place = _steps(degrees(part))  # 1.25 is a quarter of the way from position 1 to position 2
    at = _vectors(degrees(_at(part, place)))
    hidden = np.concatenate([_within(at, place, zone) for zone in zones])
    if not len(hidden):
        return [part]
    hidden = hidden[np.argsort(hidden[:, 0], kind="stable")]
    first = np.concatenate(([0.0], np.maximum.accumulate(hidden[:, 1])))
    last = np.concatenate((hidden[:, 0], [len(part) - 1.0]))
    worth = last - first > _SLIVER
    pieces = (_piece(part, *ends) for ends in zip(first[worth], last[worth], strict=True))
    return [piece for piece in pieces if np.any(piece[0] != piece[1:])]


def _within(at: FloatArray, place: FloatArray, zone: Zone) -> FloatArray:
    """Return the stretches (first, last place) of straight pieces that lie within a zone."""
    start, way = at[:-1] - _centre(zone), np.diff(at, axis=0)
    a, b = (way**2).sum(axis=1), (start * way).sum(axis=1)
    c = (start**2).sum(axis=1) - _reach(zone) ** 2
    rest = b**2 - a * c
    crossing = (rest > 0) & (a > 0)
    root, a = np.sqrt(np.where(crossing, rest, 0.0)), np.where(crossing, a, 1.0)
    enter, leave = np.clip((-b - root) / a, 0, 1), np.clip((-b + root) / a, 0, 1)
    enter, leave = np.where(crossing, enter, 0.0), np.where(crossing, leave, c < 0)
    first, length = place[:-1], np.diff(place)
    ends = np.where(leave < 1, first + leave * length, place[1:])  # no gap to the next piece
    hidden: FloatArray = np.column_stack((first + enter * length, ends))[enter < leave]
    return hidden


def _steps(line: FloatArray) -> FloatArray:
    """Return places along a line, near enough to one another to be straight on the ground."""
    lat = np.abs(line[:, 1])
    away = np.abs(np.diff(line, axis=0)) * METRES_PER_DEGREE
    far = away[:, 1] + away[:, 0] * np.cos(np.radians(np.minimum(lat[:-1], lat[1:])))
    steepest = np.tan(np.radians(np.clip(np.maximum(lat[:-1], lat[1:]), 45.0, 89.9999)))
    count = np.ceil(far / np.clip(np.sqrt(_BEND_M2 / steepest), *_STEP_M))
    count = count.clip(1, _MOST_PIECES).astype(np.intp)
    before = np.cumsum(count) - count
    inner = (np.arange(count.sum()) - np.repeat(before, count)) / np.repeat(count, count)
    return np.append(np.repeat(np.arange(len(count)), count) + inner, len(line) - 1.0)


def _at(part: FloatArray, place: FloatArray) -> FloatArray:
    """Return the positions at these places; at a whole number the very position of the part."""
    below = np.floor(place).astype(np.intp)
    share = (place - below)[:, None]
    above = np.minimum(below + 1, len(part) - 1)
    return np.where(share > 0, part[below] * (1 - share) + part[above] * share, part[below])


def _piece(part: FloatArray, first: float, last: float) -> FloatArray:
    whole = np.arange(math.floor(first) + 1, math.ceil(last), dtype=np.float64)
    return _at(part, np.concatenate(([first], whole, [last])))


def _without_ends(parts: Sequence[FloatArray], cut_m: float) -> list[FloatArray]:
    if cut_m <= 0:
        return list(parts)
    steps = [steps_m(part[:, 1], part[:, 0]) for part in parts]
    total_m = sum(float(step.sum()) for step in steps)
    kept: list[FloatArray] = []
    begun_m = 0.0
    for part, step in zip(parts, steps, strict=True):
        along = begun_m + np.concatenate(([0.0], np.cumsum(step)))
        begun_m = float(along[-1])
        first_m, last_m = max(cut_m, along[0]), min(total_m - cut_m, along[-1])
        if first_m < last_m:
            first, last = np.interp((first_m, last_m), along, np.arange(len(part)))
            kept.append(_piece(part, float(first), float(last)))
    return kept


def _vectors(positions: FloatArray) -> FloatArray:
    """Return positions lng, lat degrees as unit vectors."""
    lng, lat = np.radians(positions[:, 0]), np.radians(positions[:, 1])
    return np.column_stack((np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat)))


def _centre(zone: Zone) -> FloatArray:
    centre: FloatArray = _vectors(np.array([[zone.lng, zone.lat]]))[0]
    return centre


def _angle(zone: Zone) -> float:
    return (zone.radius_m * _ELLIPSOID + _ROUNDING_M) / EARTH_RADIUS_M


def _reach(zone: Zone) -> float:
    """Return the straight distance from the centre to the edge; the sphere's radius is 1."""
    return 2 * math.sin(_angle(zone) / 2)


def _gap_m(bounds: Bounds, zone: Zone) -> float:
    """Return a distance by which the zone's edge is at least away from the bounds."""
    west, south, east, north = bounds
    away_deg = max(south - zone.lat, zone.lat - north, 0.0)
    if not _spans(west, east, zone.lng):
        turn = min((west - zone.lng) % 360, (zone.lng - east) % 360, 90.0)
        across = math.cos(math.radians(zone.lat)) * math.sin(math.radians(turn))
        away_deg = max(away_deg, math.degrees(math.asin(min(across, 1.0))))
    return (math.radians(away_deg) - _angle(zone)) * EARTH_RADIUS_M


def _spans(west: float, east: float, lng: float) -> bool:
    return west <= lng <= east if west <= east else lng >= west or lng <= east


def _entry(entry: str) -> Zone:
    expected = f'privacy zone "{entry}" should be lat,lng,radius_m, such as 48.137,11.575,400'
    try:
        lat, lng, radius_m = (float(number) for number in entry.split(","))
    except ValueError as error:
        raise ValueError(expected) from error
    return _checked(Zone(lat, lng, radius_m), f'privacy zone "{entry}"')


def _features(text: str) -> Iterator[Zone]:
    expected = "should be a GeoJSON Point with the property radius_m"
    try:
        features = orjson.loads(text)["features"]
        numbered = list(enumerate(features, 1))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("privacy zones should be a GeoJSON FeatureCollection") from error
    for number, feature in numbered:
        try:
            kind, place = feature["geometry"]["type"], feature["geometry"]["coordinates"]
            lng, lat = (float(one) for one in place[:2])
            zone = Zone(lat, lng, float(feature["properties"]["radius_m"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"privacy zone {number} {expected}") from error
        if kind != "Point":
            raise ValueError(f"privacy zone {number} {expected}")
        yield _checked(zone, f"privacy zone {number}")


def _checked(zone: Zone, named: str) -> Zone:
    if not -90 <= zone.lat <= 90:
        raise ValueError(f"{named}: the latitude should be -90 to 90, it comes first")
    if not -180 <= zone.lng <= 180:
        raise ValueError(f"{named}: the longitude should be -180 to 180, it comes second")
    if not RADIUS_M[0] <= zone.radius_m <= RADIUS_M[1]:
        raise ValueError(f"{named}: the radius should be 1 to 50,000 metres, it comes third")
    return zone
