"""The gazetteer against a slow one that looks at every settlement."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracklake.places.lookup import Gazetteer, band_of, reach_km

# lat, lng, population, country, state
Town = tuple[float, float, int, int, int]


def gazetteer(towns: list[Town]) -> tuple[Gazetteer, list[Town]]:
    """Return a gazetteer, and its towns in its order."""
    towns = sorted(towns, key=lambda town: (band_of(town[0]), town[1]))
    lat, lng, population, country, state = (np.array(column) for column in zip(*towns, strict=True))
    made = Gazetteer.of(lat.astype(float), lng.astype(float), population, country, state)
    return made, towns


def km_between(lat_a: float, lng_a: float, lat_b: float, lng_b: float) -> float:
    """Return a great-circle distance by vectors, another way than the gazetteer's."""

    def vector(lat: float, lng: float) -> tuple[float, float, float]:
        phi, lam = math.radians(lat), math.radians(lng)
        return math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)

    chord = math.dist(vector(lat_a, lng_a), vector(lat_b, lng_b))
    return 2 * 6371.0088 * math.asin(min(chord / 2, 1.0))


def slow(towns: list[Town], lat: float, lng: float, countries: set[int] | None) -> set[int]:
    """Return the towns that may be the answer (several only if they are equal)."""
    near = {
        row: km_between(lat, lng, town[0], town[1])
        for row, town in enumerate(towns)
        if countries is None or town[3] in countries
    }
    near = {row: km for row, km in near.items() if km <= 50}
    if not near:
        return set()
    answers = set()
    for nearest, km in near.items():
        if km > min(near.values()) + 1e-6:
            continue
        alike = [row for row in near if towns[row][3:] == towns[nearest][3:]]
        left = {row: near[row] - float(reach_km(towns[row][2])) for row in alike}
        answers |= {row for row in alike if left[row] <= min(left.values()) + 1e-6}
    return answers


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Town], float, float, set[int] | None]:
    """Draw towns around a position, anywhere on earth."""
    lat = draw(st.sampled_from([0.0, 41.4, 69.9, -89.8, 89.9, -16.75]) | st.floats(-90, 90))
    lng = draw(st.sampled_from([-180.0, 179.95, -179.9, 0.0, 2.17]) | st.floats(-180, 179.99))
    offset = st.floats(-0.8, 0.8)
    towns = []
    for _ in range(draw(st.integers(1, 12))):
        town_lat = min(max(lat + draw(offset), -90.0), 90.0)
        wide = 1 / max(math.cos(math.radians(town_lat)), 0.01)
        town_lng = (lng + draw(offset) * wide + 180) % 360 - 180
        people = draw(st.sampled_from([0, 800, 20_000, 1_600_000, 20_000_000]))
        towns.append((town_lat, town_lng, people, draw(st.integers(0, 2)), draw(st.integers(0, 1))))
    countries = draw(st.none() | st.sets(st.integers(0, 2)))
    return towns, lat, lng, countries


@given(worlds())
@settings(max_examples=150)
def test_as_the_slow_one_says(world: tuple[list[Town], float, float, set[int] | None]) -> None:
    """Bands and ranges lose no settlement, at poles and across the antimeridian too."""
    towns, lat, lng, countries = world
    made, ordered = gazetteer(towns)
    found = made.settlement(lat, lng, countries)
    expected = slow(ordered, lat, lng, countries)
    if found is None:
        assert all(  # nothing, or something at 50 km to the millimetre
            km_between(lat, lng, ordered[row][0], ordered[row][1]) > 50 - 1e-6 for row in expected
        )
        return
    assert found.row in expected or found.distance_km > 50 - 1e-6
    town = ordered[found.row]
    assert found.distance_km == pytest.approx(km_between(lat, lng, town[0], town[1]), abs=1e-5)


def test_across_the_antimeridian() -> None:
    """A town on the other side of 180 degrees is as near as it is."""
    made, _ = gazetteer([(-16.8, 179.95, 900, 0, 0), (-16.8, 179.3, 5_000, 0, 0)])
    found = made.settlement(-16.8, -179.95, None)
    assert found is not None
    assert found.distance_km == pytest.approx(10.64, abs=0.05)
    again = made.settlement(-16.8, 179.99, None)
    assert again is not None
    assert again.row == found.row


def test_a_village_beside_a_metropolis() -> None:
    """A village 8 km away is not swallowed by a metropolis 30 km away, however large."""
    degree_km = 111.195
    made, towns = gazetteer(
        [(0.0, 8 / degree_km, 1_000, 0, 0), (0.0, -30 / degree_km, 20_000_000, 0, 0)]
    )
    found = made.settlement(0.0, 0.0, None)
    assert found is not None
    assert towns[found.row][2] == 1_000


def test_a_quarter_is_not_a_hamlet() -> None:
    """Two kilometres from the middle of a city it is the city, though a hamlet is nearer."""
    made, towns = gazetteer([(0.0, 0.018, 1_600_000, 0, 0), (0.0, 0.003, 150, 0, 0)])
    found = made.settlement(0.0, 0.0, None)
    assert found is not None
    assert towns[found.row][2] == 1_600_000


def test_not_beyond_fifty_kilometres() -> None:
    """49.9 km is near enough, 50.1 km is not."""
    made, _ = gazetteer([(0.0, 0.0, 10_000_000, 0, 0)])
    assert made.settlement(49.9 / 111.195, 0.0, None) is not None
    assert made.settlement(50.1 / 111.195, 0.0, None) is None
