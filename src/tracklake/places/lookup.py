"""Which settlement a position belongs to; pure.

A settlement reaches as far as its people need at 5,000 a square kilometre, at most 22 km. Of those
within 50 km, in the same country as the position and the same state as the nearest of them, it is
the one whose reach ends nearest, or covers the position deepest: distance minus reach is least. So
a quarter is its city, a suburb is itself, and a village 8 km away is not swallowed by a metropolis
30 km away.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FARTHEST_KM = 50.0
NEAR_LAND_KM = 10.0  # beyond, a position is at sea
_EARTH_KM = 6371.0088
_PEOPLE_A_KM2 = 5_000.0
_LONGEST_REACH_KM = 22.0
_BANDS_A_DEGREE = 2
_BANDS = 180 * _BANDS_A_DEGREE
_MARGIN_DEG = 0.001  # positions are rounded, and so is arithmetic

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def band_of(lat: float) -> int:
    """Number the band of half a degree of latitude, from the south pole."""
    return min(max(math.floor((lat + 90) * _BANDS_A_DEGREE), 0), _BANDS - 1)


def reach_km(population: npt.ArrayLike) -> Floats:
    """Return how far settlements of so many people reach, in km."""
    people = np.asarray(population, dtype=np.float64)
    return np.minimum(np.sqrt(people / (np.pi * _PEOPLE_A_KM2)), _LONGEST_REACH_KM)


class Found(NamedTuple):
    """A settlement's row in the gazetteer, and how far its centre is."""

    row: int
    distance_km: float


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Settlements in order of band, then longitude. country, state: numbers; equal ones are one.

    band_starts: the first row of each band, and the count of rows.
    """

    lat: Floats
    lng: Floats
    reach_km: Floats
    country: Integers
    state: Integers
    band_starts: Integers

    @classmethod
    def of(
        cls,
        lat: Floats,
        lng: Floats,
        population: npt.ArrayLike,
        country: Integers,
        state: Integers,
    ) -> "Gazetteer":
        """Make one of rows that are in order; positions in degrees."""
        bands = np.clip(np.floor((lat + 90) * _BANDS_A_DEGREE), 0, _BANDS - 1)
        starts = np.searchsorted(bands, np.arange(_BANDS + 1))
        return cls(lat, lng, reach_km(population), country, state, starts)

    def settlement(self, lat: float, lng: float, countries: Collection[int] | None) -> Found | None:
        """Return the settlement that a position belongs to; None if there is none within 50 km.

        countries: those that the position may be in; None: any.
        """
        rows, distances = self.within(lat, lng, FARTHEST_KM)
        if countries is not None:
            there = self.country[rows]
            inside = np.zeros(len(rows), dtype=bool)
            for country in countries:
                inside |= there == country
            rows, distances = rows[inside], distances[inside]
        if not len(rows):
            return None
        nearest = rows[np.argmin(distances)]
        alike = (self.country[rows] == self.country[nearest]) & (
            self.state[rows] == self.state[nearest]
        )
        left_km = np.where(alike, distances - self.reach_km[rows], np.inf)
        best = int(np.argmin(left_km))
        return Found(int(rows[best]), float(distances[best]))

    def within(self, lat: float, lng: float, most_km: float) -> tuple[Integers, Floats]:
        """Return the rows of all settlements so near, and their distances in km."""
        angle = most_km / _EARTH_KM
        dlat = math.degrees(angle) + _MARGIN_DEG
        widest = math.cos(math.radians(lat))
        dlng = 180.0
        if math.sin(angle) < widest:
            dlng = math.degrees(math.asin(math.sin(angle) / widest)) + _MARGIN_DEG
        parts = [
            np.arange(begin, end)
            for band in range(band_of(lat - dlat), band_of(lat + dlat) + 1)
            for begin, end in self._spans(band, lng, dlng)
        ]
        rows = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
        distances = distance_km(lat, lng, self.lat[rows], self.lng[rows])
        near = distances <= most_km
        return rows[near], distances[near]

    def _spans(self, band: int, lng: float, dlng: float) -> list[tuple[int, int]]:
        """Return the ranges of a band's rows between two meridians, across the antimeridian too."""
        first, last = int(self.band_starts[band]), int(self.band_starts[band + 1])
        if first == last:
            return []
        if dlng >= 180:
            return [(first, last)]
        west, east = lng - dlng, lng + dlng
        ranges = [(west, east)]
        if west < -180:
            ranges = [(-180.0, east), (west + 360, 180.0)]
        elif east > 180:
            ranges = [(west, 180.0), (-180.0, east - 360)]
        lngs = self.lng[first:last]
        return [
            (
                first + int(np.searchsorted(lngs, low, "left")),
                first + int(np.searchsorted(lngs, high, "right")),
            )
            for low, high in ranges
        ]


def distance_km(lat: float, lng: float, lats: Floats, lngs: Floats) -> Floats:
    """Return great-circle distances in km, of positions in degrees."""
    lat_a, lat_b = np.radians(lat), np.radians(lats)
    half = (
        np.sin((lat_b - lat_a) / 2) ** 2
        + np.cos(lat_a) * np.cos(lat_b) * np.sin(np.radians(lngs - lng) / 2) ** 2
    )
    result: Floats = 2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return result
