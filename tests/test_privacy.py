"""Privacy zones on tracks: what stays, where exactly it ends, and how zones are written."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.analysis.geodesy import METRES_PER_DEGREE, haversine_m, steps_m
from tracklake.analysis.tracks import cut_antimeridian
from tracklake.model import FloatArray
from tracklake.tiles.privacy import Privacy, Zone, hides, parse_zones, touching, visible

HOME = Zone(48.137, 11.575, 400.0)
WIDER = 1.006  # for what the ellipsoid's distances differ from the sphere's
PLACES = st.tuples(
    st.sampled_from([0.0, 48.1, -33.9, 70.0, 84.9, 89.0]),
    st.sampled_from([11.5, 0.0, 179.999, -179.9995, 180.0]),
)


def around(zone: Zone, *metres: tuple[float, float]) -> FloatArray:
    """Return positions (lng, lat) so many metres east and north of a zone's centre."""
    east, north = np.array(metres).T / METRES_PER_DEGREE
    lng = zone.lng + east / math.cos(math.radians(zone.lat))
    return np.column_stack(((lng + 180) % 360 - 180, np.clip(zone.lat + north, -90, 90)))


def away_m(positions: FloatArray, zone: Zone) -> FloatArray:
    """Return distances from a zone's centre on the sphere."""
    same = np.ones(len(positions))
    return haversine_m(positions[:, 1], positions[:, 0], same * zone.lat, same * zone.lng)


def ellipsoid_away_m(positions: FloatArray, zone: Zone) -> FloatArray:
    """Return distances from a zone's centre on WGS 84, through the ground, so a little short."""

    def cartesian(lng: FloatArray, lat: FloatArray) -> FloatArray:
        phi, lam, e2 = np.radians(lat), np.radians(lng), 0.00669437999014
        normal = 6378137.0 / np.sqrt(1 - e2 * np.sin(phi) ** 2)
        flat = normal * np.cos(phi)
        return np.column_stack(
            (flat * np.cos(lam), flat * np.sin(lam), normal * (1 - e2) * np.sin(phi))
        )

    centre = cartesian(np.array([zone.lng]), np.array([zone.lat]))
    at = cartesian(positions[:, 0], positions[:, 1])
    distance: FloatArray = np.linalg.norm(at - centre, axis=1)
    return distance


def inside_lines(parts: list[FloatArray]) -> FloatArray:
    """Return many positions along the parts, straight in degrees."""
    share = np.linspace(0, 1, 41)[:, None, None]
    return np.concatenate(
        [(part[:-1] * (1 - share) + part[1:] * share).reshape(-1, 2) for part in parts]
    )


def test_a_track_through_a_zone_ends_at_its_edge() -> None:
    """A line across home becomes two that end at the circle, and its other points stay."""
    track = around(HOME, (-2000, 0), (-1000, 10), (0, 0), (900, 0), (2000, 0))
    before, after = visible([track], Privacy((HOME,)))
    assert before[:2].tolist() == track[:2].tolist()
    assert after[1:].tolist() == track[3:].tolist()
    ends = away_m(np.vstack((before[-1], after[0])), HOME)
    assert ends == pytest.approx([400 * WIDER] * 2, abs=0.3)
    assert (ends > 400).all()


def test_a_segment_is_cut_where_no_point_lies_in_the_zone() -> None:
    """Two far points whose line crosses home become two lines; one that passes by stays whole."""
    crossing, passing = (around(HOME, (-3000, y), (3000, y)) for y in (300.0, 404.0))
    assert [len(part) for part in visible([crossing], Privacy((HOME,)))] == [2, 2]
    (whole,) = visible([passing], Privacy((HOME,)))
    assert whole is passing


def test_every_pass_and_every_zone_counts() -> None:
    """A track that crosses two overlapping zones four times leaves its five visible stretches."""
    second = Zone(HOME.lat, HOME.lng + 0.004, 300.0)
    rows = [(x, 40.0 * k) for k in range(4) for x in ((-2000, 2000)[:: 1 - 2 * (k % 2)])]
    seen = visible([around(HOME, *rows)], Privacy((HOME, second)))
    assert len(seen) == 5
    for zone in (HOME, second):
        assert (away_m(inside_lines(seen), zone) > zone.radius_m).all()


def test_what_lies_in_zones_altogether_is_gone() -> None:
    """A walk around the house leaves nothing, nor does one that two zones hide between them."""
    stroll = around(HOME, (-390, 0), (0, 100), (390, 0))
    assert visible([stroll], Privacy((HOME,))) == []
    second = Zone(HOME.lat, HOME.lng + 0.005, 400.0)
    assert visible([around(HOME, (0, 0), (600, 0))], Privacy((HOME, second))) == []


@given(
    PLACES,
    st.lists(st.tuples(st.floats(-4, 4), st.floats(-4, 4)), min_size=2, max_size=12),
    st.lists(
        st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.01, 3)), min_size=1, max_size=3
    ),
    st.sampled_from([3.0, 400.0, 15_000.0]),
)
def test_nothing_visible_lies_in_a_zone(
    place: tuple[float, float],
    steps: list[tuple[float, float]],
    circles: list[tuple[float, float, float]],
    scale_m: float,
) -> None:
    """Anywhere on Earth no visible position or line is in a zone, by sphere and ellipsoid."""
    origin = Zone(*place, 1.0)
    track = around(origin, *((x * scale_m, y * scale_m) for x, y in steps))
    zones = tuple(
        Zone(float(at[1]), float(at[0]), max(1.0, radius * scale_m))
        for x, y, radius in circles
        for at in around(origin, (x * scale_m, y * scale_m))
    )
    seen = visible(cut_antimeridian([track]), Privacy(zones))
    assert all(len(part) >= 2 for part in seen)
    for zone in zones if seen else ():
        along = inside_lines(seen)
        assert (away_m(along, zone) >= zone.radius_m).all()
        assert (ellipsoid_away_m(along, zone) >= zone.radius_m * 0.99999).all()


@given(PLACES, st.lists(st.tuples(st.floats(-4, 4), st.floats(-4, 4)), min_size=2, max_size=12))
def test_what_is_far_from_zones_stays(
    place: tuple[float, float], steps: list[tuple[float, float]]
) -> None:
    """Every position outside by 2 m and 2 % is still there, and lengths add up."""
    origin = Zone(*place, 300.0)
    parts = cut_antimeridian([around(origin, *((x * 300, y * 300) for x, y in steps))])
    seen = visible(parts, Privacy((origin,)))
    kept = {tuple(row) for part in seen for row in part.tolist()}
    for part in parts:
        for row in part[away_m(part, origin) > 310].tolist():
            if np.any(part != row):
                assert tuple(row) in kept


@pytest.mark.parametrize("cut_m", [50.0, 1000.0, 1999.0])
def test_the_ends_are_cut_along_the_whole_track(cut_m: float) -> None:
    """What is cut off is measured across parts, to the metre, at both ends."""
    one = around(HOME, (0, 0), (700, 0), (700, 500))
    two = around(HOME, (5000, 0), (5000, 900), (5000, 2500), (5300, 2500))
    seen = visible([one, two], Privacy((), cut_m))
    total = sum(float(steps_m(part[:, 1], part[:, 0]).sum()) for part in (one, two))
    left = sum(float(steps_m(part[:, 1], part[:, 0]).sum()) for part in seen)
    assert left == pytest.approx(total - 2 * cut_m, abs=0.5)
    whole = {tuple(row) for part in (one, two) for row in part.tolist()}
    assert tuple(seen[0][0]) not in whole
    assert tuple(seen[-1][-1]) not in whole


def test_a_track_shorter_than_both_cuts_is_gone() -> None:
    """Nothing is left where the cuts meet."""
    assert visible([around(HOME, (0, 0), (1000, 0))], Privacy((), 500.5)) == []


def test_nothing_hidden_changes_nothing() -> None:
    """Without zones and cuts the very same arrays come back, also where zones are elsewhere."""
    track = around(HOME, (0, 0), (1000, 0))
    assert Privacy().is_empty
    assert not Privacy(cut_m=1.0).is_empty
    for privacy in (Privacy(), Privacy((Zone(40.0, 2.0, 50_000.0),))):
        (same,) = visible([track], privacy)
        assert same is track


def test_a_position_is_hidden_or_not() -> None:
    """Positions in the circle are hidden, those beyond it are not."""
    near, far = around(HOME, (300, 250), (300, 290)).tolist()
    assert hides(near[0], near[1], Privacy((HOME,)))
    assert not hides(far[0], far[1], Privacy((HOME,)))


def test_zones_near_bounds_are_found() -> None:
    """Across the antimeridian and at the poles too; and those that only touch such a zone."""
    fiji, alaska, pole = Zone(-17, 179.9, 500), Zone(60, -170, 500), Zone(89.9, 20, 50_000)
    chain = (Zone(48, 11, 500), Zone(48, 14, 500), Zone(48, 17, 500), Zone(48, 30, 500))
    zones = (fiji, alaska, pole, *chain)
    assert touching((179.5, -18, -179.5, -16), zones) == (fiji,)
    assert touching((-179.99, -17, -179.98, -17), zones) == (fiji,)
    assert touching((-120, 88.5, -119, 89), zones) == (pole,)
    assert touching((10.9, 48, 11, 48), zones) == chain[:3]
    assert touching((100, 0, 101, 1), zones) == ()


def test_zones_are_read_from_text() -> None:
    """Semicolons or lines, names and remarks after #, in any spacing."""
    text = "# mine; not yours\n48.137, 11.575,400 # home; -33.9,151.2,1000\n\n 0,-180,1 # x, y\n;"
    expected = (HOME, Zone(-33.9, 151.2, 1000.0), Zone(0.0, -180.0, 1.0))
    assert parse_zones(text) == expected
    assert parse_zones(" \n") == ()


def test_zones_are_read_from_geojson() -> None:
    """A FeatureCollection of Points, as drawing tools save it."""
    text = """ {"type": "FeatureCollection", "features": [{"type": "Feature",
        "properties": {"name": "home", "radius_m": 400},
        "geometry": {"type": "Point", "coordinates": [11.575, 48.137, 520]}}]}"""
    assert parse_zones(text) == (HOME,)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("48.1,11.5", '"48.1,11.5" should be lat,lng,radius_m'),
        ("0,0,5; home,1,2", '"home,1,2" should be'),
        ("91,0,100", '"91,0,100": the latitude'),
        ("0,181,100", "the longitude"),
        ("0,0,0.5", "1 to 50,000 metres"),
        ("0,0,50001", "1 to 50,000 metres"),
        ("nan,0,100", "the latitude"),
        ("0,0,inf", "1 to 50,000 metres"),
        ("{", "GeoJSON FeatureCollection"),
        ('{"features": 3}', "GeoJSON FeatureCollection"),
        ('{"features": [{"geometry": null}]}', "privacy zone 1 should be a GeoJSON Point"),
        (
            '{"features": [{"properties": {}, "geometry":'
            ' {"type": "Point", "coordinates": [1, 2]}}]}',
            "property radius_m",
        ),
        (
            '{"features": [{"properties": {"radius_m": 9}, "geometry":'
            ' {"type": "LineString", "coordinates": [1, 2]}}]}',
            "should be a GeoJSON Point",
        ),
    ],
)
def test_a_zone_that_makes_no_sense_is_named(text: str, named: str) -> None:
    """The message has the entry and what was expected."""
    with pytest.raises(ValueError, match="privacy zone") as caught:
        parse_zones(text)
    assert named in str(caught.value)
