"""Tiles of a made-up warehouse: drawn by the real tippecanoe, read by an independent reader."""

import datetime as dt
import gzip
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pmtiles.reader import Reader, all_tiles

from tracklake.errors import CheckFailed, Interrupted
from tracklake.model import FloatArray
from tracklake.state import State
from tracklake.tiles import lines as tile_lines
from tracklake.tiles import listings, stage
from tracklake.tiles.features import Drawn
from tracklake.tiles.stage import Options
from tracklake.tiles.views import Everything

BIG_ID = 2**53 - 1
SCHEMA = """
create table activities (
    id bigint, athlete varchar, name varchar, sport_type varchar, start_date timestamptz,
    start_date_local timestamp, distance double, moving_time double, has_track boolean,
    leg_count integer, start_lat double, start_lng double
);
create table tracks_of_test (activity_id bigint, track_hash varchar, wkb blob);
create view activity_tracks as select activity_id, track_hash, wkb from tracks_of_test;
create view activity_points as
    select activity_id, hash(track_hash)::hugeint::varchar as track_key from tracks_of_test;
"""
Parts = Sequence[Sequence[tuple[float, float]]]
WALK = [[(11.5 + 0.001 * k, 48.1 + 0.0004 * math.sin(k)) for k in range(30)]]
UTC_START = dt.datetime(2024, 5, 4, 6, 30, tzinfo=dt.UTC)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        yield connection


def add(
    warehouse: duckdb.DuckDBPyConnection,
    activity_id: int,
    parts: Parts | None = None,
    *,
    start: tuple[float, float] | None = None,
    at: dt.datetime = UTC_START,
    name: str | None = "Morning Run",
    sport: str | None = "Run",
    legs: int = 0,
) -> None:
    """Add an activity; parts and start are lng, lat."""
    lng, lat = start or (parts[0][0] if parts else (None, None))
    local = (at + dt.timedelta(hours=2)).replace(tzinfo=None)
    row = (activity_id, "me", name, sport, at, local, 5000.5, 1800.0)
    warehouse.execute(
        "insert into activities values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [*row, parts is not None, legs, lat, lng],
    )
    if parts is not None:
        geometry = shapely.MultiLineString([list(part) for part in parts])
        wkb = shapely.to_wkb(geometry, byte_order=1, flavor="iso")
        digest = hashlib.sha256(wkb).hexdigest()
        warehouse.execute("insert into tracks_of_test values (?, ?, ?)", [activity_id, digest, wkb])


def build(
    warehouse: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    state: State | None = None,
    **options: Any,
) -> stage.TilesReport:
    """Draw the set that shows everything."""
    return stage.build(Everything(warehouse), folder, Options(**options), state=state)


Entry = dict[str, object]


def manifest(folder: Path) -> tuple[list[Entry], list[Entry], Entry]:
    """Return the manifest's tracks, geojson and index."""
    read = json.loads((folder / "manifest.json").read_text())
    return read["tracks"], read["geojson"], read["index"]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def seen(path: Path) -> dict[int, dict[int, dict[str, object]]]:
    """Return zoom -> id -> properties, as pmtiles and mapbox_vector_tile read them."""
    content = path.read_bytes()
    found: dict[int, dict[int, dict[str, object]]] = {}
    for (zoom, _, _), data in all_tiles(lambda at, length: content[at : at + length]):  # type: ignore[no-untyped-call] # the package annotates this not
        for layer in mapbox_vector_tile.decode(gzip.decompress(data)).values():
            for feature in layer["features"]:
                found.setdefault(zoom, {})[feature["id"]] = feature["properties"]
    return found


def odd_tracks() -> dict[int, Parts]:
    """Return tracks that tilers lose: points, strolls, loops, poles, crumbs, there and back."""
    circle = [(7 + 2e-4 * math.cos(t / 9), 50 + 2e-4 * math.sin(t / 9)) for t in range(58)]
    crumbs = [[(9 + k / 50, 47.0), (9 + k / 50, 47.00001)] for k in range(40)]
    long_ride = [[(-9 + k / 100, 40 + math.sin(k / 30)) for k in range(2000)]]
    there_and_back = [[(8 + k * 1e-5, 46.0) for k in (*range(20), *range(20, -1, -1))]]
    return {
        1: [[(10.0, 50.0), (10.0, 50.0)]],
        2: [[(10.0, 50.0), (10.00004, 50.0)]],
        3: [circle],
        4: crumbs,
        5: [[(10.0, 86.0), (11.0, 89.9)]],
        6: [[(10.0, 84.9), (10.0, 85.5)]],
        7: [[(-60.0, -85.2), (-60.1, -86.0)]],
        8: [[(179.9, -17.0), (180.0, -17.02)], [(-180.0, -17.02), (-179.9, -17.1)]],
        9: [[(180.0, 10.0), (180.0, 10.000001)]],
        10: [[(-180.0, 10.0), (-180.0, 10.000001)]],
        11: long_ride,
        12: there_and_back,
        13: [[(0.0, 0.0), (0.0, 0.00001)]],
        14: [
            [(179.9999957, -78.7769293), (180.0, -78.7769251)],
            [(-180.0, -78.7769251), (-179.9999957, -78.7769293)],
        ],
        15: [[(10.0, 50.0), (10.00002, 50.0)], [(10.00002, 50.0), (10.0, 50.0)]],
        BIG_ID: WALK,
    }


def test_no_activity_disappears_at_any_zoom(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Odd tracks are all there at z7 to z13 and their starts at z0 to z7, sport and day typed."""
    odd = odd_tracks()
    for activity_id, parts in odd.items():
        add(warehouse, activity_id, parts)
    report = build(warehouse, tmp_path)
    lines, starts = (seen(tmp_path / name) for name in report.tile_files)
    assert sorted(lines) == list(range(7, 14))
    assert sorted(starts) == list(range(8))
    day = (UTC_START.date() - dt.date(1970, 1, 1)).days
    everyone = {activity_id: {"sport": "Run", "day": day} for activity_id in odd}
    assert all(found == everyone for found in (*lines.values(), *starts.values()))
    assert report.beyond_mercator == 3
    assert report.too_short == 10
    assert (report.activities, report.reduced_tiles) == (16, 0)


def test_a_track_that_vanishes_all_the_same_is_drawn_as_a_chord(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the rule about short tracks fails, the check finds it and a second try mends it."""
    add(warehouse, 1, [[(10.0, 50.0), (10.00004, 50.0)]])
    monkeypatch.setattr(tile_lines, "LEGIBLE_UNITS", 0.0)
    report = build(warehouse, tmp_path)
    found = seen(tmp_path / report.tile_files[0])
    assert all(1 in found[zoom] for zoom in range(7, 14))


@given(
    st.lists(
        st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=2, max_size=6),
        min_size=1,
        max_size=4,
    ),
    st.floats(1e-9, 1),
)
def test_every_line_zoom_is_drawn_once(parts: Parts, scale: float) -> None:
    """Whatever the size, the features of a track cover z7 to z13 without overlap, on the map."""
    shrunk = [np.array(part) * [scale, scale] for part in parts]
    text, chords = tile_lines.lines(Drawn(5, "Run", 3), shrunk)
    features = [json.loads(line) for line in text.splitlines()]
    zooms = [
        zoom
        for feature in features
        for zoom in range(feature["tippecanoe"]["minzoom"], feature["tippecanoe"]["maxzoom"] + 1)
    ]
    assert sorted(zooms) == list(range(7, 14))
    assert 0 <= chords <= 8
    for feature in features:
        assert feature["properties"] == {"id": 5, "sport": "Run", "day": 3}
        for part in feature["geometry"]["coordinates"]:
            assert len(part) >= 2
            assert all(-180 <= lng <= 180 and abs(lat) <= 85.06 for lng, lat in part)


def test_nothing_local_is_in_the_files(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Neither paths nor activity names are in a tile file's metadata or anywhere else in it."""
    add(warehouse, 1, WALK, name="Home to the clinic")
    report = build(warehouse, tmp_path)
    for name in report.tile_files:
        content = (tmp_path / name).read_bytes()
        reader = Reader(lambda at, length, content=content: content[at : at + length])  # type: ignore[no-untyped-call] # the package annotates this not
        metadata = json.dumps(reader.metadata())  # type: ignore[no-untyped-call] # as above
        assert str(tmp_path) not in metadata
        assert "/" not in metadata
        tiled = b"".join(gzip.decompress(data) for _, data in all_tiles(reader.get_bytes))  # type: ignore[no-untyped-call] # as above
        assert b"clinic" not in tiled
        assert "clinic" not in metadata
        assert b"clinic" not in content


def test_geojson_is_one_feature_a_line(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """GeoJSON has the id, the properties people need, and a box that crosses the antimeridian."""
    add(warehouse, BIG_ID, odd_tracks()[8], at=UTC_START + dt.timedelta(1), name='A "quoted" 名')
    add(warehouse, 7, WALK, name=None)
    report = build(warehouse, tmp_path)
    (name,) = report.geojson_files
    first, second = map(json.loads, gzip.decompress((tmp_path / name).read_bytes()).splitlines())
    assert (first["id"], second["id"]) == (7, BIG_ID)
    assert second["properties"] == {
        "id": BIG_ID,
        "name": 'A "quoted" 名',
        "sport_type": "Run",
        "date": "2024-05-05T08:30:00",
        "distance_m": 5000.5,
        "moving_time_s": 1800.0,
    }
    assert second["bbox"] == [179.9, -17.1, -179.9, -17.0]
    assert second["geometry"]["type"] == "MultiLineString"
    assert first["geometry"]["coordinates"][0] == [11.5, 48.1]


def test_the_manifest_tells_what_is_there(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Each file is named with its kind, year, count, size and the hash that its name bears."""
    add(warehouse, 1, WALK, at=dt.datetime(2023, 12, 31, 23, 30, tzinfo=dt.UTC))
    add(warehouse, 2, WALK)
    add(warehouse, 3, start=(8.0, 47.0), sport=None)
    build(warehouse, tmp_path)
    tracks, geojson, index = manifest(tmp_path)
    kinds = [(one["kind"], one["year"], one["count"]) for one in tracks]
    assert kinds == [("year", 2023, 1), ("year", 2024, 1), ("starts", None, 3)]
    assert [one["year"] for one in geojson] == [2023, 2024]
    for one in (*tracks, *geojson, index):
        content = (tmp_path / str(one["file"])).read_bytes()
        assert one["sha256"] == hashlib.sha256(content).hexdigest()
        assert str(one["sha256"])[:12] in str(one["file"])
        assert one["bytes"] == len(content)
    assert tracks[0]["days"] == [19723, 19723]  # 2024-01-01 on the athlete's calendar
    listed = json.loads((tmp_path / str(index["file"])).read_text())
    assert listed["fields"] == list(listings.INDEX_FIELDS)
    assert listed["activities"]["3"][1] == "Workout"
    assert set(listed["activities"]) == {"1", "2", "3"}


def test_the_year_is_that_of_utc_wherever_the_session_is(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A session in another time zone files the same activities under the same years."""
    add(warehouse, 1, WALK, at=dt.datetime(2023, 12, 31, 23, 30, tzinfo=dt.UTC))
    warehouse.execute("set TimeZone = 'Asia/Tokyo'")
    build(warehouse, tmp_path)
    assert [one["year"] for one in manifest(tmp_path)[1]] == [2023]


def test_an_unchanged_year_is_not_drawn_again(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """One more activity goes into the overlay; with nothing new, nothing is drawn."""
    add(warehouse, 1, WALK, at=UTC_START.replace(year=2022))
    add(warehouse, 2, WALK)
    build(warehouse, tmp_path)
    before = snapshot(tmp_path)
    assert build(warehouse, tmp_path).drawn == ()
    assert snapshot(tmp_path) == before
    add(warehouse, 3, WALK)
    assert stems(build(warehouse, tmp_path).drawn) == [
        *("tracks-2024", "recent", "activities", "calendar")
    ]


def stems(drawn: Sequence[str]) -> list[str]:
    return [name.rsplit("-", 1)[0] for name in drawn]


def test_a_new_name_redraws_no_tile(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A rename is a matter of the GeoJSON and the index; tiles do not know names."""
    add(warehouse, 1, WALK)
    build(warehouse, tmp_path)
    warehouse.execute("update activities set name = 'Evening Run'")
    drawn = build(warehouse, tmp_path).drawn
    assert [name.split(".", 1)[1] for name in drawn] == ["geojsonl.gz", "json"]


def test_a_deleted_activity_leaves_the_tiles(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Deleting one equals never having had it, byte for byte."""
    add(warehouse, 1, WALK)
    build(warehouse, tmp_path / "never")
    add(warehouse, 2, WALK, at=UTC_START.replace(year=2021))
    add(warehouse, 3, WALK)
    build(warehouse, tmp_path / "had")
    warehouse.execute("delete from activities where id > 1")
    warehouse.execute("delete from tracks_of_test where activity_id > 1")
    had = build(warehouse, tmp_path / "had")
    never = build(warehouse, tmp_path / "never")
    assert (had.tile_files, had.geojson_files) == (never.tile_files, never.geojson_files)
    assert set(snapshot(tmp_path / "never")) < set(snapshot(tmp_path / "had"))


def test_rebuild_gives_the_same_files(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A rebuild draws everything, ends with the same bytes, and leaves the manifest alone."""
    add(warehouse, 1, WALK)
    build(warehouse, tmp_path)
    before = snapshot(tmp_path)
    assert len(build(warehouse, tmp_path, rebuild=True).drawn) == 5
    assert snapshot(tmp_path) == before


def test_a_file_that_is_gone_or_cut_is_made_again(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """The manifest is not believed about files that are not there whole."""
    add(warehouse, 1, WALK)
    whole = build(warehouse, tmp_path)
    before = snapshot(tmp_path)
    (tmp_path / whole.tile_files[0]).unlink()
    (tmp_path / whole.geojson_files[0]).write_bytes(b"")
    assert set(build(warehouse, tmp_path).drawn) == {
        *whole.tile_files[:1],
        *whole.geojson_files,
    }
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 0}', b"\xff"])
def test_a_manifest_that_makes_no_sense_is_made_anew(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, content: bytes
) -> None:
    """A broken or foreign manifest costs a rebuild, nothing more."""
    add(warehouse, 1, WALK)
    (tmp_path / "manifest.json").write_bytes(content)
    assert len(build(warehouse, tmp_path).drawn) == 5
    assert build(warehouse, tmp_path).drawn == ()


def test_a_manifest_of_a_newer_version_is_made_anew(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """What another version says of its files is not believed: all is drawn again, as it was."""
    add(warehouse, 1, WALK)
    build(warehouse, tmp_path)
    told = json.loads((tmp_path / "manifest.json").read_text())
    newer = {name: value for name, value in told.items() if name != "sha256"} | {"version": 2040}
    (tmp_path / "manifest.json").write_text(json.dumps(newer))
    assert len(build(warehouse, tmp_path).drawn) == 5
    again = json.loads((tmp_path / "manifest.json").read_text())
    assert {**again, "generated_at": ""} == {**told, "generated_at": ""} | {
        "sha256": again["sha256"]
    }


def test_old_files_stay_for_one_generation(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Yesterday's files are still there, the day before's are gone, files of others stay."""
    (tmp_path / "mine.pmtiles").write_bytes(b"not ours")
    generations = []
    add(warehouse, 1, WALK)
    for sport in ("Run", "Walk", "Hike"):
        warehouse.execute("update activities set sport_type = ?", [sport])
        report = build(warehouse, tmp_path)
        generations.append({*report.tile_files, *report.geojson_files})
    there = {path.name for path in tmp_path.iterdir()}
    assert generations[2] <= there
    assert generations[1] <= there
    assert not generations[0] & there
    assert "mine.pmtiles" in there


def test_without_activities_the_manifest_is_empty_and_valid(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """No track at all is no failure: readers find a manifest that names no tiles."""
    add(warehouse, 1)
    report = build(warehouse, tmp_path / "new" / "tiles")
    assert report.tile_files == report.geojson_files == ()
    assert manifest(tmp_path / "new" / "tiles")[:2] == ([], [])
    assert build(warehouse, tmp_path / "new" / "tiles").drawn == ()


def test_a_multisport_outing_starts_with_its_first_leg_only(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """The whole of a multisport outing is on the map as its legs, not once more."""
    add(warehouse, 1, start=(8.0, 47.0), legs=1)
    add(warehouse, 2, WALK)
    assert build(warehouse, tmp_path).activities == 1


@pytest.mark.parametrize("start", [(math.nan, 0.0), (200.0, 0.0), (0.0, math.inf)])
def test_a_start_that_is_nowhere_is_taken_from_the_track(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, start: tuple[float, float]
) -> None:
    """An impossible start position neither stops the build nor loses the activity."""
    add(warehouse, 1, WALK, start=start)
    add(warehouse, 2, start=start)
    add(warehouse, 3, WALK)
    report = build(warehouse, tmp_path)
    assert report.activities == 2
    assert all(set(found) == {1, 3} for found in seen(tmp_path / report.tile_files[-1]).values())


def test_a_build_that_fails_its_check_changes_nothing(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """An id that tiles cannot hold fails the check; manifest and files are those of before."""
    add(warehouse, 1, WALK)
    build(warehouse, tmp_path)
    before = snapshot(tmp_path)
    add(warehouse, 0, WALK, at=UTC_START.replace(year=2020))
    with pytest.raises(CheckFailed):
        build(warehouse, tmp_path)
    after = snapshot(tmp_path)
    assert before.items() <= after.items()
    assert not [name for name in after if name.startswith(".")]
    warehouse.execute("delete from activities where id = 0")
    warehouse.execute("delete from tracks_of_test where activity_id = 0")
    assert build(warehouse, tmp_path).drawn == ()


def after(calls: int) -> Callable[[], bool]:
    """Return a question that is answered yes from the given call on."""
    left = [calls]

    def should_stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    return should_stop


@pytest.mark.parametrize("calls", [0, 1, 2, 3, 4])
def test_an_interrupted_build_changes_nothing_and_the_next_one_finishes(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, calls: int
) -> None:
    """Stopped anywhere, readers see the files of before; what a kill left is swept away."""
    add(warehouse, 1, WALK)
    build(warehouse, tmp_path)
    before = (tmp_path / "manifest.json").read_bytes()
    add(warehouse, 2, WALK)
    killed = tmp_path / ".landing-tiles"
    killed.mkdir()
    (killed / "tracks.raw.pmtiles-journal").write_bytes(b"half")
    with pytest.raises(Interrupted):
        build(warehouse, tmp_path, should_stop=after(calls))
    assert (tmp_path / "manifest.json").read_bytes() == before
    assert not killed.exists()
    assert build(warehouse, tmp_path).activities == 2


def test_progress_counts_to_the_end(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A progress bar starts at nothing and ends with all steps done."""
    add(warehouse, 1, WALK)
    told: list[tuple[str, int, int]] = []
    build(warehouse, tmp_path, progress=lambda *what: told.append(what))
    assert [done for _, done, _ in told] == [0, 1, 2, 3, 4, 5]
    assert {total for _, _, total in told} == {5}


def world(part: Sequence[Sequence[float]]) -> FloatArray:
    """Project to the unit square of Web Mercator, y upwards."""
    lng, lat = np.array(part).T
    return np.column_stack((lng / 360, np.arcsinh(np.tan(np.radians(lat))) / (2 * math.pi)))


def test_drawn_lines_lie_on_the_track(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """At z13 no drawn vertex is farther from the track than two grid units."""
    add(warehouse, 1, WALK)
    report = build(warehouse, tmp_path)
    truth = shapely.LineString(world(WALK[0]))
    content = (tmp_path / report.tile_files[0]).read_bytes()
    checked = 0
    for (zoom, x, y), data in all_tiles(lambda at, length: content[at : at + length]):  # type: ignore[no-untyped-call] # the package annotates this not
        if zoom != 13:
            continue
        layer = mapbox_vector_tile.decode(gzip.decompress(data))["tracks"]
        for feature in layer["features"]:
            units = shapely.get_coordinates(shapely.geometry.shape(feature["geometry"])) / 4096
            place = np.column_stack((x + units[:, 0], 2**13 - 1 - y + units[:, 1])) / 2**13 - 0.5
            distance = shapely.distance(truth, shapely.points(place)).max() * 4096 * 2**13
            assert distance <= 2.0
            checked += len(units)
    assert checked > len(WALK[0]) / 2
