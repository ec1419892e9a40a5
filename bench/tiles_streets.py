"""Made-up tracks that follow streets, for measuring maps: the same number, the same track.

Walks on jittered, warped street graphs (blocks of 125 m, 14 % of the streets missing) in 30 cities,
with correlated noise of 3 m a coordinate, 5 decimals, 1,500 to 4,000 points. Half of them at home,
15 % in a second city; 30 % repeat one of a city's 20 favourite routes; 5 % have several parts;
seven sports; 2012 to 2026.
"""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracklake.model import BoolArray, FloatArray

Corners = npt.NDArray[np.int64]  # rows and columns of street corners

NEW = 1_000_000  # from this number on an activity is newer than all others
FIRST_START_S = 1_325_408_400  # 2012-01-01 09:00 UTC
LAST_START_S = 1_793_530_800  # 2026-11-01 11:00 UTC
_GOLDEN = (5**0.5 - 1) / 2  # its multiples spread evenly: no two activities at the same time
_METRES_PER_DEGREE = 111_195.0

_CITIES = (
    *((48.14, 11.58), (47.37, 8.54), (52.52, 13.40), (48.86, 2.35), (51.51, -0.13), (40.42, -3.70)),
    *(
        (41.90, 12.50),
        (59.33, 18.07),
        (60.17, 24.94),
        (55.68, 12.57),
        (38.72, -9.14),
        (50.08, 14.4),
    ),
    *((40.71, -74.01), (37.77, -122.42), (49.28, -123.12), (19.43, -99.13), (-33.45, -70.67)),
    *((-34.60, -58.38), (-23.55, -46.63), (-33.93, 18.42), (-1.29, 36.82), (30.04, 31.24)),
    *((25.20, 55.27), (28.61, 77.21), (1.35, 103.82), (22.32, 114.17), (35.68, 139.69)),
    *((-33.87, 151.21), (-36.85, 174.76), (64.15, -21.94)),
)
_HOME_SHARE, _SECOND_SHARE = 0.5, 0.15
_FAVOURITES, _FAVOURITE_SHARE, _PARTS_SHARE = 20, 0.3, 0.05
# FIT sport, sub-sport, mean speed (m/s), share
SPORTS = (
    ("running", None, 3.0, 0.40),
    ("cycling", "road", 6.5, 0.22),
    ("walking", None, 1.5, 0.12),
    ("running", "trail", 2.6, 0.10),
    ("hiking", None, 1.3, 0.08),
    ("cycling", "gravel_cycling", 5.5, 0.05),
    ("cycling", "mountain", 4.5, 0.03),
)
_BLOCK_M, _BLOCKS = 125.0, 96  # 12 by 12 km
_NOISE_M, _NOISE_POINTS = 3.0, 30


@dataclass(frozen=True, slots=True)
class Walked:
    """An activity: its columns as `model.Points` names them, and what was not recorded of it.

    sport: index in SPORTS. gaps: stretches of points (first, end).
    """

    columns: dict[str, FloatArray]
    sport: int
    gaps: list[tuple[int, int]]

    @property
    def is_recorded(self) -> BoolArray:
        """For each point, whether it was recorded."""
        recorded = np.ones(len(self.columns["lat"]), dtype=np.bool_)
        for first, end in self.gaps:
            recorded[first:end] = False
        return recorded

    @property
    def parts(self) -> list[FloatArray]:
        """Arrays (n, 2) of lng, lat degrees."""
        line = np.column_stack((self.columns["lng"], self.columns["lat"]))
        edges = [0, *(edge for gap in self.gaps for edge in gap), len(line)]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return [np.ascontiguousarray(line[first:end]) for first, end in pairs]


def start_s(number: int) -> float:
    """Return when an activity began, UNIX seconds."""
    if number >= NEW:
        return LAST_START_S + (number - NEW + 1) * 21_600.0
    return FIRST_START_S + (number * _GOLDEN % 1) * (LAST_START_S - FIRST_START_S)


def walked(number: int) -> Walked:
    """Return activity `number`, of any day up to 2026; from NEW on one of the days after."""
    random = np.random.default_rng((20_261_101, number))
    city = _city(random)
    favourite = random.random() < _FAVOURITE_SHARE
    route = (1, city, int(random.integers(_FAVOURITES))) if favourite else (2, city, number)
    sport, wanted, nodes = _route(route)
    metres = _along(_street_corners(city)[nodes[:, 0], nodes[:, 1]], wanted, SPORTS[sport][2])
    count = len(metres)
    metres = metres + np.column_stack([_wander(random, count) for _ in range(2)]) * _NOISE_M
    gaps = _gaps(random, count)
    time_s = np.arange(count, dtype=np.float64)
    for first, _ in gaps:
        time_s[first:] += 900
    lat0, lng0 = _CITIES[city]
    east_m_per_degree = _METRES_PER_DEGREE * np.cos(np.radians(lat0))
    columns = {
        "timestamp_s": start_s(number) + time_s,
        "lat": np.round(lat0 + metres[:, 1] / _METRES_PER_DEGREE, 5),
        "lng": np.round(lng0 + metres[:, 0] / east_m_per_degree, 5),
        "altitude_m": np.round(400 + 40 * np.cumsum(_wander(random, count)) / 60, 1),
        "heartrate_bpm": np.round(140 + 15 * _wander(random, count)),
    }
    return Walked(columns, sport, gaps)


def _city(random: np.random.Generator) -> int:
    others = (1 - _HOME_SHARE - _SECOND_SHARE) / (len(_CITIES) - 2)
    shares = [_HOME_SHARE, _SECOND_SHARE, *[others] * (len(_CITIES) - 2)]
    return int(random.choice(len(_CITIES), p=shares))


def _gaps(random: np.random.Generator, count: int) -> list[tuple[int, int]]:
    if random.random() >= _PARTS_SHARE:
        return []
    middle = int(random.integers(count // 3, count // 2))
    return [(middle, middle + count // 8)]


@functools.lru_cache(maxsize=len(_CITIES) * _FAVOURITES)
def _route(seed: tuple[int, ...]) -> tuple[int, int, Corners]:
    """Return a route's sport, number of points and street corners, as rows and columns."""
    random = np.random.default_rng((20_261_102, *seed))
    sport = int(random.choice(len(SPORTS), p=[share for *_, share in SPORTS]))
    count = int(random.integers(1_500, 4_001))
    blocks = int(count * SPORTS[sport][2] / _BLOCK_M * 1.15) + 3
    return sport, count, _walk(random, _missing(seed[1]), blocks)


def _walk(random: np.random.Generator, missing: BoolArray, blocks: int) -> Corners:
    """Walk over streets: straight on more often than not, back only where nothing else is left."""
    row, column = np.clip(random.normal(_BLOCKS / 2, _BLOCKS / 6, 2).astype(int), 1, _BLOCKS - 2)
    heading = int(random.integers(4))
    turns = random.choice([0, 1, 3], size=blocks, p=[0.6, 0.2, 0.2]).tolist()
    way = [(row, column)]
    for turn in turns:
        for more in (0, 1, 3, 2):
            heading_now = (heading + turn + more) % 4
            if not missing[heading_now, row, column]:
                break
        heading = heading_now
        row += (0, 1, 0, -1)[heading]
        column += (1, 0, -1, 0)[heading]
        way.append((row, column))
    return np.array(way)


@functools.lru_cache(maxsize=len(_CITIES))
def _missing(city: int) -> BoolArray:
    """Return whether the street from a corner to the east, north, west and south is missing."""
    random = np.random.default_rng((20_261_103, city))
    east, north = random.random((2, _BLOCKS, _BLOCKS)) < 0.14
    east[:, -1] = north[-1, :] = True
    west = np.ones_like(east)
    west[:, 1:] = east[:, :-1]
    south = np.ones_like(north)
    south[1:, :] = north[:-1, :]
    return np.stack((east, north, west, south))


@functools.lru_cache(maxsize=len(_CITIES))
def _street_corners(city: int) -> FloatArray:
    """Return the corners' places in metres east and north of the city's centre."""
    random = np.random.default_rng((20_261_104, city))
    at = (np.arange(_BLOCKS) - _BLOCKS / 2) * _BLOCK_M
    north, east = np.meshgrid(at, at, indexing="ij")
    phase, angle = random.uniform(0, 2 * np.pi, 4), random.uniform(0, np.pi / 2)
    warped_east = east + 250 * np.sin(north / 2_100 + phase[0]) + 90 * np.sin(east / 900 + phase[1])
    warped_north = (
        north + 250 * np.sin(east / 2_400 + phase[2]) + 90 * np.sin(north / 800 + phase[3])
    )
    x = warped_east * np.cos(angle) - warped_north * np.sin(angle)
    y = warped_east * np.sin(angle) + warped_north * np.cos(angle)
    jitter = random.normal(0, 18, (_BLOCKS, _BLOCKS, 2))
    return np.asarray(np.stack((x, y), axis=-1) + jitter)


def _along(corners: FloatArray, count: int, speed: float) -> FloatArray:
    """Return a point a second along the way, as many as asked for or as there is way for."""
    passed = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))))
    wanted = np.arange(count) * speed
    wanted = wanted[wanted < passed[-1]]
    return np.column_stack([np.interp(wanted, passed, corners[:, axis]) for axis in range(2)])


def _wander(random: np.random.Generator, count: int) -> FloatArray:
    """Return noise of standard deviation 1 that changes over some points."""
    noise = np.cumsum(random.normal(size=count + _NOISE_POINTS))
    return np.asarray((noise[_NOISE_POINTS:] - noise[:-_NOISE_POINTS]) / np.sqrt(_NOISE_POINTS))
