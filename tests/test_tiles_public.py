"""The public set: no coordinate of a zone is in any of its files, and the rest is all there."""

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path

import duckdb
import mapbox_vector_tile
import numpy as np
import pytest
from pmtiles.reader import Reader, all_tiles

from tests.test_tiles import SCHEMA, UTC_START, WALK, Parts, add, manifest, stems
from tracklake import config
from tracklake.errors import ConfigError
from tracklake.model import FloatArray
from tracklake.state import State
from tracklake.tiles import sets, stage
from tracklake.tiles.privacy import Privacy, Zone
from tracklake.tiles.stage import Options

HOME = Zone(48.1374, 11.5755, 500.0)
CLINIC = Zone(48.2001, 11.6002, 300.0)
EARTH_M = 6_371_008.8


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        yield connection


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(tmp_path / "state")
    yield opened
    opened.close()


def around(zone: Zone, bearing: float, *, from_m: float, to_m: float, points: int = 200) -> Parts:
    """Walk straight away from a zone's centre, or through it where from_m is negative."""
    metre = 1 / 111_195
    way = np.linspace(from_m, to_m, points)
    east = np.sin(bearing) * way * metre / math.cos(math.radians(zone.lat))
    north = np.cos(bearing) * way * metre
    return [[(zone.lng + x, zone.lat + y) for x, y in zip(east, north, strict=True)]]


def life(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Add runs from home, rides through it, one that never leaves it, one far away, one start."""
    for number in range(12):
        parts = around(HOME, number * 0.55, from_m=0, to_m=900 + 700 * number)
        add(warehouse, number + 1, parts, name=f"From home {number}")
    add(warehouse, 20, around(HOME, 0.3, from_m=-3000, to_m=4000))
    add(warehouse, 21, around(HOME, 1.0, from_m=0, to_m=400), name="Round the block")
    add(warehouse, 22, around(CLINIC, 2.0, from_m=-2000, to_m=2000))
    add(warehouse, 23, [[(8.0 + k / 1000, 47.0) for k in range(50)]], name="Far away")
    add(warehouse, 24, start=(HOME.lng, HOME.lat), name="At home")
    add(warehouse, 25, start=(8.1, 47.1), name="Elsewhere")
    add(warehouse, 26, WALK, at=UTC_START.replace(year=2020))


def build(
    warehouse: duckdb.DuckDBPyConnection, folder: Path, state: State, hidden: Privacy
) -> stage.TilesReport:
    return sets.draw_public(warehouse, folder, state, hidden, Options())


def positions(folder: Path) -> tuple[FloatArray, dict[int, set[int]]]:
    """Return every position of every file of a set (lng, lat degrees) and the ids by zoom."""
    found: list[tuple[float, float]] = []
    ids: dict[int, set[int]] = {}
    for path in folder.glob("*.pmtiles"):
        content = path.read_bytes()
        reader = Reader(lambda at, length, content=content: content[at : at + length])  # type: ignore[no-untyped-call] # the package annotates this not
        header = reader.header()  # type: ignore[no-untyped-call] # as above
        found += [
            (header[f"{which}_lon_e7"] / 1e7, header[f"{which}_lat_e7"] / 1e7)
            for which in ("min", "max", "center")
        ]
        for (zoom, x, y), data in all_tiles(reader.get_bytes):  # type: ignore[no-untyped-call] # as above
            for layer in mapbox_vector_tile.decode(
                gzip.decompress(data), default_options={"y_coord_down": True}
            ).values():
                size = layer["extent"]
                for feature in layer["features"]:
                    ids.setdefault(zoom, set()).add(feature["id"])
                    found += [
                        on_earth(zoom, x + column / size, y + row / size)
                        for column, row in flat(feature["geometry"]["coordinates"])
                    ]
    for path in folder.glob("*.geojsonl.gz"):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            feature = json.loads(line)
            box = feature["bbox"]
            found += [*flat(feature["geometry"]["coordinates"]), (box[0], box[1]), (box[2], box[3])]
    return np.array(found), ids


def flat(coordinates: object) -> list[tuple[float, float]]:
    assert isinstance(coordinates, list | tuple)
    if coordinates and isinstance(coordinates[0], int | float):
        return [(float(coordinates[0]), float(coordinates[1]))]
    return [position for part in coordinates for position in flat(part)]


def on_earth(zoom: int, x: float, y: float) -> tuple[float, float]:
    lat = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / 2**zoom))))
    return x / 2**zoom * 360 - 180, lat


def nearest_m(found: FloatArray, zone: Zone) -> float:
    """Return how near any position comes to a zone's centre, on the sphere."""
    lng, lat = np.radians(found).T
    at = math.radians(zone.lat)
    half = np.sin((lat - at) / 2) ** 2
    half += np.cos(lat) * math.cos(at) * np.sin((lng - math.radians(zone.lng)) / 2) ** 2
    return float((2 * EARTH_M * np.arcsin(np.sqrt(half))).min())


def texts(folder: Path) -> str:
    """Return all that can be read in a set: listings and manifest, without the tiles."""
    plain = [path.read_text() for path in folder.glob("*.json")]
    packed = [gzip.decompress(path.read_bytes()).decode() for path in folder.glob("*.geojsonl.gz")]
    return "\n".join((*plain, *packed))


def test_no_coordinate_of_a_zone_is_in_any_public_file(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, state: State
) -> None:
    """Tiles of all zooms, starts, boxes, GeoJSON: nothing lies in a zone; the visible is there."""
    life(warehouse)
    folder = tmp_path / "public"
    report = build(warehouse, folder, state, Privacy((HOME, CLINIC)))
    found, ids = positions(folder)
    assert len(found) > 3000
    assert nearest_m(found, HOME) > HOME.radius_m
    assert nearest_m(found, CLINIC) > CLINIC.radius_m
    visible = {*range(1, 13), 20, 22, 23, 25, 26}
    assert report.activities == len(visible)
    assert all(ids[zoom] == visible - {25} for zoom in range(8, 14))
    assert all(ids[zoom] == visible for zoom in range(7))
    said = texts(folder)
    assert "Far away" in said
    assert "Round the block" not in said
    assert "At home" not in said


def test_what_is_new_keeps_the_promise_too(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, state: State
) -> None:
    """The overlay, drawn by a later run, and the single file hide what the years hide."""
    life(warehouse)
    folder, hidden = tmp_path / "public", Privacy((HOME,))
    build(warehouse, folder, state, hidden)
    assert build(warehouse, folder, state, hidden).drawn == ()
    add(warehouse, 30, around(HOME, 4.0, from_m=0, to_m=5000))
    drawn = sets.draw_public(warehouse, folder, state, hidden, Options(single=True)).drawn
    assert {*stems(drawn)} >= {"recent", "all.pmtiles"}
    found, ids = positions(folder)
    assert nearest_m(found, HOME) > HOME.radius_m
    assert all(30 in ids[zoom] for zoom in range(14))


def test_cut_ends_hide_where_things_begin(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, state: State
) -> None:
    """With 400 m cut off both ends no start is near home, and a mere start is not shown."""
    life(warehouse)
    folder = tmp_path / "public"
    build(warehouse, folder, state, Privacy((), cut_m=400.0))
    said = texts(folder)
    assert "At home" not in said
    assert "Elsewhere" not in said
    assert "Round the block" not in said
    for line in gzip.decompress(next(folder.glob("tracks-2024*.gz")).read_bytes()).splitlines():
        feature = json.loads(line)
        if feature["properties"]["name"].startswith("From home"):
            first = np.array(flat(feature["geometry"]["coordinates"])[:1])
            assert 399 < nearest_m(first, HOME) < 402


def test_a_changed_zone_draws_what_it_touches(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, state: State
) -> None:
    """A new zone draws the years that it touches again, not a year that is a continent away."""
    life(warehouse)
    add(
        warehouse,
        40,
        [[(-70 + k / 1000, -33.0) for k in range(50)]],
        at=UTC_START.replace(year=2019),
    )
    folder = tmp_path / "public"
    build(warehouse, folder, state, Privacy((HOME,)))
    drawn = stems(build(warehouse, folder, state, Privacy((HOME, CLINIC))).drawn)
    assert "tracks-2024" in drawn
    assert "tracks-2019" not in drawn
    # and yesterday's files are gone
    assert nearest_m(positions(folder)[0], CLINIC) > CLINIC.radius_m


def test_nothing_told_of_zones_is_in_the_set(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, state: State
) -> None:
    """Neither the zones nor a plain digest of them can be read out of the manifest."""
    life(warehouse)
    folder = tmp_path / "public"
    build(warehouse, folder, state, Privacy((HOME,)))
    first = [one["input"] for one in manifest(folder)[0]]
    said = (folder / "manifest.json").read_text()
    assert "48.137" not in said
    assert "11.575" not in said
    other = State(tmp_path / "other")
    warehouse.execute("update tracks_of_test set track_hash = track_hash || 'x'")
    build(warehouse, folder, other, Privacy((HOME,)))
    other.close()
    years = [one for one in manifest(folder)[0] if one["kind"] == "year"]
    assert not {one["input"] for one in years} & set(first)


def settings(zones: str | None = None, cut_m: float = 0) -> config.Settings:
    given = config.load()[0]
    return given.model_copy(update={"privacy_zones": zones, "privacy_cut_m": cut_m})


def test_zones_are_read_from_the_setting_or_from_a_file(tmp_path: Path) -> None:
    """Both ways of naming zones give the same, with names and remarks."""
    path = tmp_path / "zones.txt"
    path.write_text("# where I live\n48.1374, 11.5755, 500  # home\n")
    named = sets.privacy(settings(str(path), 50))
    assert named == Privacy((HOME,), 50.0)
    assert sets.privacy(settings("48.1374,11.5755,500")) == Privacy((HOME,))
    assert sets.privacy(settings()).is_empty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("48.1,11.5", "48.1,11.5"),
        ("nowhere.txt", "cannot be read"),
        ("91,0,100", "91,0,100"),
    ],
)
def test_a_mistake_in_the_zones_stops_with_a_sentence(text: str, said: str) -> None:
    """To hide less than was meant is worse than to stop: the entry is named."""
    with pytest.raises(ConfigError, match=said) as raised:
        sets.privacy(settings(text))
    assert "TRACKLAKE_PRIVACY_ZONES" in str(raised.value)


def test_an_empty_file_of_zones_is_a_mistake(tmp_path: Path) -> None:
    """A file that was emptied by accident does not make everything public."""
    (tmp_path / "zones.txt").write_text("\n")
    with pytest.raises(ConfigError, match="no zone"):
        sets.privacy(settings(str(tmp_path / "zones.txt")))


def test_both_sets_stand_side_by_side(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, state: State
) -> None:
    """The public set is a folder of its own; building it leaves one's own as it is."""
    life(warehouse)
    from tests.test_tiles import build as build_own

    build_own(warehouse, tmp_path / "tiles", state=state)
    own = snapshot_of_files(tmp_path / "tiles")
    build(warehouse, tmp_path / "tiles" / "public", state, Privacy((HOME,)))
    assert snapshot_of_files(tmp_path / "tiles") == own
    assert build_own(warehouse, tmp_path / "tiles", state=state).drawn == ()
    assert nearest_m(positions(tmp_path / "tiles")[0], HOME) < 50


def snapshot_of_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
