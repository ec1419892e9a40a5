"""Where the sample athlete moves: the ground of five places, and two street grids.

The athlete is invented; the places are real, so that the demo's map has streets to lie on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import Literal

Place = Literal["barcelona", "montserrat", "montseny", "tenerife", "new_york"]
LatLng = tuple[float, float]

METRES_PER_DEGREE = 111_195.0  # of latitude, on a sphere of 6,371 km
BLOCK_M = 133.3  # the Eixample's distance between street axes


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """The ground of a place as a smooth function: a floor, a tilt and bell-shaped hills.

    origin: WGS 84 degrees, also the origin of the place's local metres. slope: rise over run of the
    tilt, towards uphill_bearing_deg, from a line that lies shore_m downhill of the origin. hills:
    latitude, longitude, height in m above the tilt, radius in m. box: south, west, north, east in
    degrees, around all that happens there. warmth_c: the year's mean temperature.
    """

    timezone: str
    origin: LatLng
    floor_m: float
    slope: float
    uphill_bearing_deg: float
    shore_m: float
    hills: tuple[tuple[float, float, float, float], ...]
    box: tuple[float, float, float, float]
    warmth_c: float


TERRAINS: dict[Place, Terrain] = {
    "barcelona": Terrain(
        timezone="Europe/Madrid",
        origin=(41.3890, 2.1675),
        floor_m=4.0,
        slope=0.012,
        uphill_bearing_deg=-45.0,
        shore_m=2200.0,
        hills=(
            (41.4225, 2.1187, 330.0, 2600.0),  # Tibidabo
            (41.4150, 2.0990, 140.0, 1500.0),  # Vallvidrera
            (41.3943, 2.0980, 210.0, 1500.0),  # Sant Pere Màrtir
            (41.3645, 2.1590, 150.0, 800.0),  # Montjuïc
            (41.4185, 2.1600, 150.0, 1100.0),  # Turó de la Rovira
            (41.2400, 1.8300, -118.0, 6500.0),  # the tilt would lift Sitges out of the sea
        ),
        box=(41.22, 1.79, 41.64, 2.68),
        warmth_c=17.5,
    ),
    "montserrat": Terrain(
        timezone="Europe/Madrid",
        origin=(41.5933, 1.8376),
        floor_m=560.0,
        slope=0.0,
        uphill_bearing_deg=0.0,
        shore_m=0.0,
        hills=((41.6053, 1.8118, 660.0, 2200.0),),
        box=(41.57, 1.78, 41.63, 1.86),
        warmth_c=12.5,
    ),
    "montseny": Terrain(
        timezone="Europe/Madrid",
        origin=(41.7715, 2.4620),
        floor_m=1060.0,
        slope=0.0,
        uphill_bearing_deg=0.0,
        shore_m=0.0,
        hills=((41.7757, 2.4372, 640.0, 1500.0),),
        box=(41.75, 2.40, 41.80, 2.49),
        warmth_c=9.5,
    ),
    "tenerife": Terrain(
        timezone="Atlantic/Canary",
        origin=(28.0515, -16.7160),
        floor_m=6.0,
        slope=0.045,
        uphill_bearing_deg=40.0,
        shore_m=250.0,
        hills=((28.2000, -16.6300, 1250.0, 6500.0),),
        box=(28.02, -16.77, 28.20, -16.60),
        warmth_c=21.5,
    ),
    "new_york": Terrain(
        timezone="America/New_York",
        origin=(40.7570, -73.9862),
        floor_m=16.0,
        slope=0.0,
        uphill_bearing_deg=0.0,
        shore_m=0.0,
        hills=((40.7960, -73.9560, 14.0, 350.0), (40.7800, -73.9690, 12.0, 500.0)),
        box=(40.69, -74.03, 40.83, -73.93),
        warmth_c=13.5,
    ),
}


def eixample(across: float, up: float) -> LatLng:
    """Return a crossing of Barcelona's grid, counted from Gran Via and Passeig de Gràcia.

    across: blocks north-east along Gran Via; up: blocks north-west, towards the mountain. The
    grid's axes lie at 45 degrees (Plaça d'Espanya to Glòries: 3,169 m north, 3,161 m east).
    """
    return _crossing((41.3890, 2.1675), 45.0, across * BLOCK_M, up * BLOCK_M)


def manhattan(avenues: float, streets: float) -> LatLng:
    """Return a crossing of Manhattan's grid, counted from Broadway and 44th Street.

    avenues: long blocks of 274 m towards the south-east; streets: short blocks of 80.5 m uptown,
    29 degrees east of north.
    """
    return _crossing((40.7570, -73.9862), 119.0, avenues * 274.0, streets * 80.5)


def _crossing(origin: LatLng, bearing_deg: float, ahead_m: float, left_m: float) -> LatLng:
    east, north = sin(radians(bearing_deg)), cos(radians(bearing_deg))
    return (
        origin[0] + (ahead_m * north + left_m * east) / METRES_PER_DEGREE,
        origin[1] + (ahead_m * east - left_m * north) / METRES_PER_DEGREE / cos(radians(origin[0])),
    )
