"""Distances on the Earth, on whole columns at once."""

from __future__ import annotations

import numpy as np

from tracklake.model import FloatArray

EARTH_RADIUS_M = 6371008.8  # mean radius of the WGS 84 ellipsoid, (2a + b) / 3
METRES_PER_DEGREE = EARTH_RADIUS_M * np.pi / 180


def haversine_m(
    lat1: FloatArray, lng1: FloatArray, lat2: FloatArray, lng2: FloatArray
) -> FloatArray:
    """Return great-circle distances in metres between positions in degrees, NaN where one is.

    R. W. Sinnott, "Virtues of the Haversine", 1984; good to 0.5 % of the ellipsoid's distance.
    """
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    chord = (
        np.sin((phi2 - phi1) / 2) ** 2
        + np.cos(phi1) * np.cos(phi2) * np.sin(np.radians(lng2 - lng1) / 2) ** 2
    )
    distance: FloatArray = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))
    return distance


def steps_m(lat: FloatArray, lng: FloatArray) -> FloatArray:
    """Return the n - 1 distances in metres from each of n positions to the next."""
    return haversine_m(lat[:-1], lng[:-1], lat[1:], lng[1:])
