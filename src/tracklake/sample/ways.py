"""The ways and routes of the sample athlete: hand-drawn waypoints of public streets, as data.

A way is a polyline drawn by eye, good to some tens of metres, which is all that a demo needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tracklake.sample.places import LatLng, Place, eixample, manhattan


@dataclass(frozen=True, slots=True)
class Way:
    """A street or path: its waypoints, and how far (m) and how often (m) it winds around them."""

    points: tuple[LatLng, ...]
    winding_m: float = 0.0
    wave_m: float = 500.0


HOME = eixample(-5, 3)
ARC_DE_TRIOMF = (41.3911, 2.1806)
PORT = (41.3872, 2.1965)
FORUM = (41.4095, 2.2215)
GLORIES = (41.4036, 2.1870)
MACIA = (41.3928, 2.1434)
SANT_CUGAT = (41.4720, 2.0870)
BEACH = (41.3948, 2.2063)  # Bogatell, the triathlon's transition area

WAYS: dict[str, Way] = {
    "to_arc": Way((HOME, eixample(-5, 1), eixample(7, 1), eixample(7, -3), ARC_DE_TRIOMF)),
    "park": Way(
        (ARC_DE_TRIOMF, (41.3887, 2.1838), (41.3876, 2.1868), (41.3886, 2.1903), PORT), 6.0, 220.0
    ),
    "seafront_north": Way(
        (PORT, (41.3893, 2.2001), (41.3912, 2.2022), (41.3945, 2.2060), (41.3985, 2.2105),
         (41.4025, 2.2150), (41.4065, 2.2190), FORUM), 5.0, 400.0,
    ),
    "seafront_south": Way(
        (PORT, (41.3850, 2.1952), (41.3825, 2.1938), (41.3795, 2.1913), (41.3765, 2.1896),
         (41.3735, 2.1884), (41.3702, 2.1881), (41.3690, 2.1891)), 4.0, 300.0,
    ),
    "to_diagonal": Way((HOME, eixample(-5, 11.2))),
    "diagonal_west": Way(
        (eixample(-5, 11.2), MACIA, (41.3857, 2.1175), (41.3843, 2.1120), (41.3822, 2.1035))
    ),
    "diagonal_east": Way((HOME, eixample(0, 3), eixample(0, 8.67), GLORIES, FORUM)),
    "montjuic": Way(
        (eixample(-15, 0), (41.3751, 2.1491), (41.3722, 2.1514), (41.3698, 2.1490),
         (41.3668, 2.1490), (41.3637, 2.1525), (41.3630, 2.1600), (41.3645, 2.1655),
         (41.3680, 2.1698), (41.3712, 2.1695), (41.3735, 2.1668), (41.3748, 2.1655)), 14.0, 330.0,
    ),
    "to_montjuic": Way((HOME, eixample(-5, 0), eixample(-15, 0))),
    "from_montjuic": Way(((41.3748, 2.1655), (41.3778, 2.1640), eixample(-5, 0), HOME)),
    "to_tibidabo": Way(
        (HOME, eixample(-5, 11.2), (41.4010, 2.1405), (41.4060, 2.1380), (41.4130, 2.1365))
    ),
    "arrabassada": Way(
        ((41.4130, 2.1365), (41.4190, 2.1370), (41.4235, 2.1330), (41.4290, 2.1290),
         (41.4330, 2.1200), (41.4330, 2.1120), (41.4420, 2.1060), (41.4560, 2.1000), SANT_CUGAT),
        55.0, 620.0,
    ),
    "vallvidrera": Way(
        (SANT_CUGAT, (41.4580, 2.0760), (41.4445, 2.0720), (41.4290, 2.0890), (41.4200, 2.0975),
         (41.4150, 2.1040), (41.4085, 2.1075), (41.4040, 2.1190)), 45.0, 560.0,
    ),
    "from_sarria": Way(((41.4040, 2.1190), (41.3995, 2.1215), MACIA, eixample(-5, 11.2), HOME)),
    "aigues": Way(
        ((41.4085, 2.1110), (41.4105, 2.1125), (41.4135, 2.1195), (41.4165, 2.1255),
         (41.4210, 2.1300), (41.4260, 2.1340)), 45.0, 420.0,
    ),
    "aigues_west": Way(
        ((41.4085, 2.1110), (41.4075, 2.1085), (41.4045, 2.1035), (41.3990, 2.1010),
         (41.3935, 2.0985), (41.3893, 2.0935), (41.3880, 2.0860)), 45.0, 380.0,
    ),
    "collserola": Way(
        ((41.4085, 2.1110), (41.4150, 2.1040), (41.4225, 2.1030), (41.4330, 2.1000),
         (41.4440, 2.0990), (41.4540, 2.1010), (41.4570, 2.1090), (41.4470, 2.1180),
         (41.4370, 2.1190), (41.4280, 2.1150), (41.4170, 2.1130), (41.4085, 2.1110)), 40.0, 300.0,
    ),
    "to_aigues": Way((HOME, eixample(-5, 11.2), MACIA, (41.3995, 2.1215), (41.4085, 2.1110))),
    "maresme": Way(
        (FORUM, (41.4180, 2.2215), (41.4300, 2.2240), (41.4410, 2.2370), (41.4530, 2.2530),
         (41.4685, 2.2785), (41.4815, 2.3180), (41.4910, 2.3570), (41.5040, 2.3920),
         (41.5345, 2.4420), (41.5560, 2.4880), (41.5735, 2.5260), (41.5810, 2.5490),
         (41.5912, 2.5810), (41.6040, 2.6230), (41.6145, 2.6560)), 22.0, 900.0,
    ),
    "garraf": Way(
        ((41.3751, 2.1491), (41.3635, 2.1190), (41.3560, 2.0770), (41.3440, 2.0390),
         (41.3150, 2.0150), (41.3050, 2.0020), (41.2840, 1.9780), (41.2655, 1.9460),
         (41.2610, 1.9260), (41.2562, 1.9040), (41.2475, 1.8800), (41.2420, 1.8550),
         (41.2395, 1.8300), (41.2385, 1.8120)), 28.0, 800.0,
    ),
    "swim_bay": Way(
        ((41.3944, 2.2078), (41.3937, 2.2098), (41.3962, 2.2138), (41.4002, 2.2178)), 5.0, 260.0
    ),
    "racks": Way((BEACH, (41.3952, 2.2068), (41.3950, 2.2071), (41.3946, 2.2065), BEACH)),
    "to_racks": Way(((41.3944, 2.2078), (41.3947, 2.2072), (41.3951, 2.2069), BEACH)),
    "from_beach": Way((BEACH, (41.3985, 2.2105), (41.4025, 2.2150), (41.4065, 2.2190), FORUM)),
    "sant_jeroni": Way(
        ((41.5933, 1.8376), (41.5960, 1.8330), (41.6000, 1.8270), (41.6035, 1.8190),
         (41.6053, 1.8118), (41.6010, 1.8165), (41.5965, 1.8230), (41.5915, 1.8275),
         (41.5905, 1.8345), (41.5933, 1.8376)), 24.0, 190.0,
    ),
    "turo_de_l_home": Way(
        ((41.7715, 2.4620), (41.7740, 2.4570), (41.7775, 2.4520), (41.7765, 2.4440),
         (41.7757, 2.4372)), 28.0, 210.0,
    ),
    "adeje": Way(
        ((28.0515, -16.7160), (28.0545, -16.7210), (28.0582, -16.7270), (28.0655, -16.7310),
         (28.0750, -16.7330), (28.0830, -16.7345), (28.0915, -16.7385)), 8.0, 260.0,
    ),
    "vilaflor": Way(
        ((28.0515, -16.7160), (28.0600, -16.7050), (28.0760, -16.6960), (28.0996, -16.6810),
         (28.1150, -16.6640), (28.1330, -16.6480), (28.1560, -16.6370)), 60.0, 700.0,
    ),
    "seventh_avenue": Way((manhattan(0, 0), manhattan(0, 14.6), (40.7690, -73.9778))),
    "central_park": Way(
        ((40.7690, -73.9778), (40.7672, -73.9745), (40.7708, -73.9710), (40.7756, -73.9672),
         (40.7800, -73.9642), (40.7858, -73.9585), (40.7915, -73.9545), (40.7968, -73.9520),
         (40.7983, -73.9548), (40.7962, -73.9590), (40.7905, -73.9632), (40.7850, -73.9680),
         (40.7795, -73.9718), (40.7740, -73.9752), (40.7690, -73.9778)), 10.0, 330.0,
    ),
    "to_hudson": Way((manhattan(0, 0), manhattan(0, 2), manhattan(-5.3, 2))),
    "hudson": Way(
        (manhattan(-5.3, 2), (40.7715, -73.9935), (40.7855, -73.9845), (40.8005, -73.9722),
         (40.8150, -73.9612)), 6.0, 500.0,
    ),
    "midtown": Way(
        (manhattan(0, 0), manhattan(0, 6), manhattan(2, 6), manhattan(2, -12), manhattan(1, -12),
         manhattan(1, -21), manhattan(-1, -21), manhattan(-1, -3), manhattan(0, -3),
         manhattan(0, 0)),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """Ways joined (a leading "-" turns one round) and how they fill a distance.

    shape: "back" goes out and comes back on the same ways; "loop" goes round whole, as often as the
    distance asks for; "along" follows round and round and ends where the distance ends.
    """

    title: str
    place: Place
    ways: tuple[str, ...]
    shape: Literal["back", "loop", "along"]


RACE = ("diagonal_east", "-seafront_north", "-park", "-to_arc", "to_montjuic", "montjuic",
        "from_montjuic")  # fmt: skip

ROUTES: dict[str, Route] = {
    "seafront": Route("the sea front", "barcelona", ("to_arc", "park", "seafront_north"), "back"),
    "barceloneta": Route("Barceloneta", "barcelona", ("to_arc", "park", "seafront_south"), "back"),
    "five": Route("the sea front", "barcelona", ("seafront_north",), "back"),
    "diagonal": Route("Diagonal", "barcelona", ("to_diagonal", "diagonal_west"), "back"),
    "forum": Route("Diagonal to the Fòrum", "barcelona", ("diagonal_east",), "back"),
    "montjuic": Route(
        "Montjuïc", "barcelona", ("to_montjuic", "montjuic", "from_montjuic"), "loop"
    ),
    "city": Route("the city", "barcelona", RACE, "along"),
    "aigues": Route("Carretera de les Aigües", "barcelona", ("aigues",), "back"),
    "aigues_west": Route("Sant Pere Màrtir", "barcelona", ("aigues_west",), "back"),
    "collserola": Route("Collserola", "barcelona", ("collserola",), "loop"),
    "gravel": Route(
        "Collserola", "barcelona", ("to_aigues", "collserola", "aigues", "-aigues", "-to_aigues"),
        "loop",
    ),
    "arrabassada": Route(
        "Arrabassada and Vallvidrera", "barcelona",
        ("to_tibidabo", "arrabassada", "vallvidrera", "from_sarria"), "loop",
    ),
    "maresme": Route("the Maresme coast", "barcelona", ("diagonal_east", "maresme"), "back"),
    "garraf": Route("the Garraf", "barcelona", ("to_montjuic", "garraf"), "back"),
    "bay": Route("Bogatell", "barcelona", ("swim_bay",), "back"),
    "race_first": Route("the racks", "barcelona", ("to_racks",), "loop"),
    "race_second": Route("the racks", "barcelona", ("racks",), "loop"),
    "race_ride": Route("the Maresme coast", "barcelona", ("from_beach", "maresme"), "back"),
    "race_run": Route("the sea front", "barcelona", ("from_beach",), "back"),
    "sant_jeroni": Route("Sant Jeroni", "montserrat", ("sant_jeroni",), "loop"),
    "turo": Route("Turó de l'Home", "montseny", ("turo_de_l_home",), "back"),
    "adeje": Route("Costa Adeje", "tenerife", ("adeje",), "back"),
    "vilaflor": Route("Vilaflor", "tenerife", ("vilaflor",), "back"),
    "central_park": Route(
        "Central Park", "new_york", ("seventh_avenue", "central_park", "-seventh_avenue"), "loop"
    ),
    "hudson": Route("the Hudson", "new_york", ("to_hudson", "hudson"), "back"),
    "midtown": Route("Midtown", "new_york", ("midtown",), "loop"),
}  # fmt: skip
