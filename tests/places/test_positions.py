"""Where positions are: borders, coasts, the antimeridian, quarters and villages."""

import time

import numpy as np
import pytest

from tracklake.places import borders, dataset
from tracklake.places.dataset import Place

BORDERS = [
    (31.7390, -106.4870, "Ciudad Juárez", "MX"),
    (31.7450, -106.4850, "Ciudad Juárez", "MX"),
    (31.7520, -106.4870, "El Paso", "US"),
    (31.7587, -106.4869, "El Paso", "US"),
    (32.5343, -117.0382, "Tijuana", "MX"),
    (47.6603, 9.1758, "Konstanz", "DE"),
    (47.6459, 9.1783, "Kreuzlingen", "CH"),
    (47.5596, 7.5886, "Basel", "CH"),
    (47.5930, 7.6207, "Weil am Rhein", "DE"),
    (48.5734, 7.7521, "Strasbourg", "FR"),
    (48.5733, 7.8150, "Kehl", "DE"),
    (46.1934, 6.2342, "Annemasse", "FR"),
    (46.2044, 6.1432, "Genève", "CH"),
    (36.1408, -5.3536, "Gibraltar", "GI"),
    (36.1611, -5.3490, "La Línea de la Concepción", "ES"),
    (42.3314, -83.0458, "Detroit", "US"),
    (42.3149, -83.0364, "Windsor", "CA"),
    (43.7384, 7.4246, "Monaco", "MC"),
    (41.9029, 12.4534, "Vatican City", "VA"),
    (1.4655, 103.7578, "Johor Bahru", "MY"),
    (1.2900, 103.8500, "Singapore", "SG"),
    (42.6629, 21.1655, "Pristina", "XK"),
    (21.0285, 105.8542, "Hanoi", "VN"),
    (22.5431, 114.0579, "Shenzhen", "CN"),
    (47.5900, 7.5610, "Saint-Louis", "FR"),  # three countries meet at Basel
    (51.1530, 14.9850, "Görlitz", "DE"),
    (51.1500, 15.0050, "Zgorzelec", "PL"),
    (43.0895, -79.0655, "Niagara Falls", "US"),  # both ends of the Rainbow Bridge
    (43.0905, -79.0710, "Niagara Falls", "CA"),
    (51.4470, 4.9260, "Baarle-Nassau", "NL"),
    (51.4410, 4.9330, "Baarle-Hertog", "BE"),  # one of the pieces of Belgium within it
    (47.6970, 8.6900, "Büsingen", "DE"),  # exclaves
    (45.9690, 8.9710, "Campione", "IT"),
    (42.4640, 1.9810, "Llívia", "ES"),
    (65.8480, 24.1470, "Tornio", "FI"),
    (65.8350, 24.1360, "Haparanda", "SE"),
    (-25.5980, -54.5700, "Puerto Iguazú", "AR"),
    (-25.5130, -54.6150, "Ciudad del Este", "PY"),
    (66.3200, -179.1200, "Egvekinot", "RU"),  # Asia, in the western hemisphere
    (-43.9530, -176.5600, "Waitangi", "NZ"),
    (-13.8330, -171.7660, "Apia", "WS"),
]
NOWHERE = [
    (0.0, 0.0),
    (40.0, -30.0),  # the Atlantic
    (41.30, 2.35),  # 15 km off Barcelona
    (41.20, 2.50),
    (50.5, -0.5),  # the Channel
    (51.0, 1.5),  # the strait of Dover
    (43.3, 34.0),  # the Black Sea
    (24.0, 10.0),  # the Sahara
    (72.0, -40.0),  # Greenland's ice
    (-77.85, 166.67),  # Antarctica
    (90.0, 0.0),
    (-90.0, 0.0),
    (0.0, 180.0),
    (0.0, -180.0),
    (10.0, 179.999),
    (-16.85, 180.0),  # Taveuni: land, but nobody within 50 km whom the table knows
    (-16.85, -179.97),
]
SETTLEMENTS = [
    (41.4024, 2.1564, "Barcelona"),  # Gràcia, a quarter
    (41.4500, 2.2474, "Badalona"),  # a town of its own beside it
    (41.3600, 2.2500, "Barcelona"),  # 5 km off its beach
    (51.5560, -0.1650, "London"),  # Hampstead Heath
    (51.6565, -0.3903, "Watford"),
    (40.7800, -73.9660, "New York City"),  # Central Park
    (40.6500, -73.9500, "New York City"),  # Brooklyn
    (40.7357, -74.1724, "Newark"),  # another state
    (48.8049, 2.1204, "Versailles"),
    (45.9237, 6.8694, "Chamonix-Mont-Blanc"),
    (46.0569, 14.4886, "Ljubljana"),
    (4.1755, 73.5093, "Male"),  # islands that are on no map of the world
    (78.2200, 15.6500, "Longyearbyen"),
    (-54.8000, -68.3000, "Ushuaia"),
]


@pytest.mark.parametrize(("lat", "lng", "city", "code"), BORDERS)
def test_both_sides_of_a_border(lat: float, lng: float, city: str, code: str) -> None:
    """A position by a border is in the country it is in, not in that of the nearest town."""
    found = dataset.shipped().at(lat, lng)
    assert (found.city, found.country_code) == (city, code)


@pytest.mark.parametrize(("lat", "lng"), NOWHERE)
def test_at_sea_and_far_from_everybody(lat: float, lng: float) -> None:
    """At sea, and farther than 50 km from any settlement, only the time zone is known."""
    found = dataset.shipped().at(lat, lng)
    assert found == Place(time_zone=found.time_zone)
    assert found.time_zone


@pytest.mark.parametrize(("lat", "lng", "city"), SETTLEMENTS)
def test_which_settlement(lat: float, lng: float, city: str) -> None:
    """A quarter is its city; a suburb, and an island, is itself."""
    assert dataset.shipped().at(lat, lng).city == city


def test_all_that_is_said_of_a_place() -> None:
    """City, state, country, code, distance and time zone come together."""
    found = dataset.shipped().at(41.3851, 2.1734)
    expected = ("Barcelona", "Catalonia", "Spain", "ES")
    assert (found.city, found.state, found.country, found.country_code) == expected
    assert found.distance_km == pytest.approx(1.27, abs=0.01)
    assert found.time_zone == "Europe/Madrid"


def test_a_meridian_has_two_numbers() -> None:
    """A longitude and that of a turn more are the same place."""
    places = dataset.shipped()
    assert places.at(-17.7, 177.5) == places.at(-17.7, 177.5 - 360)
    assert places.at(-17.7, 177.5).city == "Lautoka"


def test_zones_tell_countries() -> None:
    """Of the shipped settlements, 99.9 % lie in the country that their zone says."""
    places = dataset.shipped()
    codes = places.names["country_code"].to_pylist()
    rows = range(0, len(codes), 5)
    wrong = 0
    for row in rows:
        lat, lng = float(places.gazetteer.lat[row]), float(places.gazetteer.lng[row])
        said = borders.countries_at(borders.zone_at(lat, lng), places.of_zones)
        wrong += said is None or codes[row] not in said
    assert wrong < 0.001 * len(rows)


def test_ten_thousand_in_seconds() -> None:
    """Loading and 10,000 positions near settlements take less than 5 s of a processor."""
    dice = np.random.default_rng(1)
    began_s = time.process_time()
    dataset.shipped.cache_clear()
    places = dataset.shipped()
    rows = dice.integers(0, len(places.gazetteer.lat), 10_000)
    offsets = dice.normal(0, 0.05, (10_000, 2))
    found = [
        places.at(float(places.gazetteer.lat[row] + dy), float(places.gazetteer.lng[row] + dx))
        for row, (dy, dx) in zip(rows, offsets, strict=True)
    ]
    assert time.process_time() - began_s < 5
    assert sum(place.city is not None for place in found) > 9_000
