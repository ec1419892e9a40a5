"""One PMTiles file of several, read with the pmtiles package and mapbox_vector_tile."""

import gzip
import io
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles import reader as pmtiles_reader
from pmtiles.tile import Compression, TileType, deserialize_header, zxy_to_tileid
from pmtiles.writer import Writer

from tracklake.errors import CheckFailed, Interrupted
from tracklake.tiles import drawing, merging, protobuf

METADATA: dict[str, object] = {"name": "all of it", "vector_layers": []}
SPORTS = ("Run", "Ride", "Hike")
TRACK_FLAGS = ("-Z7", "-z14", "-d11", "-D11", "-S2")
PMTILES: Any = pmtiles_reader  # it has few annotations
Tile = tuple[int, int, int]
Content = dict[str, dict[str, Any]]


def feature(activity_id: int, layer: str, kind: str, coordinates: object) -> str:
    zooms = {"minzoom": 0, "maxzoom": 7} if kind == "Point" else {"minzoom": 7, "maxzoom": 14}
    properties = {"id": activity_id, "sport": SPORTS[activity_id % 3], "day": 15_000 + activity_id}
    return json.dumps(
        {
            "type": "Feature",
            "tippecanoe": {"layer": layer, **zooms},
            "properties": properties,
            "geometry": {"type": kind, "coordinates": coordinates},
        }
    )


def walk(activity_id: int, at: tuple[float, float]) -> list[list[float]]:
    chance = random.Random(activity_id)  # noqa: S311 made-up tracks
    lng, lat = at[0] + chance.uniform(-0.02, 0.02), at[1] + chance.uniform(-0.02, 0.02)
    line = []
    for _ in range(60):
        lng, lat = lng + chance.uniform(-1e-3, 1e-3), lat + chance.uniform(-1e-3, 1e-3)
        line.append([lng, lat])
    return line


def track(activity_id: int, at: tuple[float, float] = (11.58, 48.14)) -> str:
    return feature(activity_id, "tracks", "LineString", walk(activity_id, at))


def begin(activity_id: int, at: tuple[float, float] = (11.58, 48.14)) -> str:
    return feature(activity_id, "starts", "Point", walk(activity_id, at)[0])


def drawn(path: Path, features: Sequence[str], flags: Sequence[str] = TRACK_FLAGS) -> Path:
    """Draw with the real tippecanoe, as the project does."""
    lines = path.with_suffix(".geojsonl")
    lines.write_text("\n".join(features))
    common = ["-q", "-f", "-r1", "-pf", "--no-tile-stats", "--use-attribute-for-id=id"]
    command = [str(drawing.tippecanoe()), *common, "--preserve-input-order", *flags]
    subprocess.run([*command, "-o", str(path), str(lines)], check=True)
    lines.unlink()
    return path


def raw(path: Path) -> dict[Tile, bytes]:
    with path.open("rb") as file:
        return dict(PMTILES.all_tiles(PMTILES.MmapSource(file)))


def decode(tile: bytes) -> Content:
    content: Content = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})
    return content


def read(path: Path) -> dict[Tile, Content]:
    return {place: decode(gzip.decompress(data)) for place, data in raw(path).items()}


def union(sources: Sequence[Content]) -> Content:
    """Put the features of several tiles of one place together, by layer."""
    together: Content = {}
    for source in sources:
        for name, layer in source.items():
            into = together.setdefault(name, {**layer, "features": []})
            assert into["extent"] == layer["extent"]
            into["features"] = into["features"] + layer["features"]
    return together


def united(paths: Sequence[Path]) -> dict[Tile, Content]:
    files = [read(path) for path in paths]
    places = set().union(*files)
    return {place: union([file[place] for file in files if place in file]) for place in places}


def merged(sources: Sequence[Path], target: Path) -> Path:
    merging.merge(sources, target, METADATA)
    return target


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two years and the recent ones, of which all were at home and some elsewhere; starts."""
    folder = tmp_path_factory.mktemp("sources")
    elsewhere = (-70.66, -33.45)
    first = [track(number) for number in range(1, 30)]
    second = [track(number) for number in range(30, 50)]
    second += [track(number, elsewhere) for number in range(50, 60)]
    recent = [*(track(number) for number in (60, 61)), *(begin(number) for number in (60, 61))]
    starts = [begin(number) for number in range(1, 50)]
    starts += [begin(number, elsewhere) for number in range(50, 60)]
    return [
        drawn(folder / "2019.pmtiles", first),
        drawn(folder / "2020.pmtiles", second),
        drawn(folder / "recent.pmtiles", recent, ("-Z0", "-z14", *TRACK_FLAGS[2:])),
        drawn(folder / "starts.pmtiles", starts, ("-Z0", "-z7", *TRACK_FLAGS[2:])),
    ]


@pytest.mark.parametrize("count", [2, 3, 4])
def test_what_is_merged_is_the_union(files: list[Path], count: int, tmp_path: Path) -> None:
    """Each tile has the features of all sources, in their order, with ids, tags and geometry."""
    target = merged(files[:count], tmp_path / "all.pmtiles")
    assert read(target) == united(files[:count])


def test_layers_stay_apart(files: list[Path], tmp_path: Path) -> None:
    """Where tracks and starts meet, at zoom 7, both layers are there, once each, with all ids."""
    found = read(merged(files, tmp_path / "all.pmtiles"))
    ids: dict[str, set[int]] = {}
    for (zoom, _, _), content in found.items():
        assert content.keys() <= {"tracks", "starts"}
        if zoom == 7:
            for name, layer in content.items():
                ids.setdefault(name, set()).update(one["id"] for one in layer["features"])
    assert ids == {"tracks": set(range(1, 62)), "starts": set(range(1, 62))}


def test_a_tile_of_one_source_is_copied_as_it_is(files: list[Path], tmp_path: Path) -> None:
    """Tiles that only one source has keep every byte, and there are such tiles."""
    found = raw(merged(files, tmp_path / "all.pmtiles"))
    sources = [raw(path) for path in files]
    alone = 0
    for place, data in found.items():
        holders = [source[place] for source in sources if place in source]
        if len(holders) == 1:
            alone += 1
            assert data == holders[0]
    assert 0 < alone < len(found)


def test_header_and_metadata(files: list[Path], tmp_path: Path) -> None:
    """Zooms and bounds are those of all sources, counts are true, metadata what was asked for."""
    target = merged(files, tmp_path / "all.pmtiles")
    with target.open("rb") as file:
        reader = PMTILES.Reader(PMTILES.MmapSource(file))
        header, metadata = reader.header(), reader.metadata()
    headers = [deserialize_header(path.read_bytes()[:127]) for path in files]
    assert metadata == METADATA
    assert (header["min_zoom"], header["max_zoom"]) == (0, 14)
    assert header["min_lon_e7"] == min(one["min_lon_e7"] for one in headers)
    assert header["min_lat_e7"] == min(one["min_lat_e7"] for one in headers)
    assert header["max_lon_e7"] == max(one["max_lon_e7"] for one in headers)
    assert header["max_lat_e7"] == max(one["max_lat_e7"] for one in headers)
    assert header["clustered"]
    assert header["addressed_tiles_count"] == len(raw(target))
    end = header["tile_data_offset"] + header["tile_data_length"]
    assert end == target.stat().st_size


def test_merged_tiles_are_packed_as_well_as_tippecanoes(files: list[Path], tmp_path: Path) -> None:
    """The merged file is smaller than its sources together: tags of all are written once."""
    target = merged(files[:2], tmp_path / "all.pmtiles")
    assert target.stat().st_size < sum(path.stat().st_size for path in files[:2])


def test_same_sources_same_bytes(files: list[Path], tmp_path: Path) -> None:
    """The file depends on the sources' content and order, not on their place or on the time."""
    copies = []
    for index, path in enumerate(files):
        copies.append(tmp_path / f"copy-{index}.pmtiles")
        copies[-1].write_bytes(path.read_bytes())
    once = merged(files, tmp_path / "once.pmtiles").read_bytes()
    assert merged(copies, tmp_path / "again.pmtiles").read_bytes() == once


def test_a_coarser_grid_becomes_the_finer_one(tmp_path: Path) -> None:
    """Where a source's tile has half the grid, its coordinates double; the other's stay."""
    fine = drawn(tmp_path / "fine.pmtiles", [track(1), track(2)])
    coarse = drawn(
        tmp_path / "coarse.pmtiles", [track(3), track(4)], ("-Z7", "-z14", "-d10", "-D10", "-S2")
    )
    for sources in ([fine, coarse], [coarse, fine]):
        found = read(merged(sources, tmp_path / "all.pmtiles"))
        fines, coarses = read(fine), read(coarse)
        for place in fines.keys() & coarses.keys():
            layer = found[place]["tracks"]
            assert layer["extent"] == 2048
            by_id = {one["id"]: one["geometry"]["coordinates"] for one in layer["features"]}
            expected = {
                one["id"]: scaled(one["geometry"]["coordinates"], factor)
                for content, factor in ((fines, 1), (coarses, 2))
                for one in content[place]["tracks"]["features"]
            }
            assert by_id == expected


def scaled(coordinates: Any, factor: int) -> Any:
    if isinstance(coordinates, int):
        return coordinates * factor
    return [scaled(one, factor) for one in coordinates]


VALUES = st.one_of(
    st.text(max_size=5), st.integers(-(2**40), 2**40), st.booleans(), st.floats(0.5, 9.5)
)
POINTS = st.lists(
    st.tuples(st.integers(0, 250), st.integers(0, 250)), min_size=2, max_size=6, unique=True
)
FEATURES = st.lists(
    st.builds(
        lambda number, points, properties: {
            "id": number,
            "geometry": "LINESTRING (" + ", ".join(f"{x} {y}" for x, y in points) + ")",
            "properties": properties,
        },
        st.integers(1, 2**53),
        POINTS,
        st.dictionaries(st.sampled_from(["sport", "day", "name"]), VALUES),
    ),
    max_size=5,
)
LAYERS = st.dictionaries(st.sampled_from(["tracks", "starts", "ä"]), FEATURES, max_size=3)


def encode(layers: dict[str, list[dict[str, object]]], extent: int = 2048) -> bytes:
    tile: bytes = mapbox_vector_tile.encode(
        [{"name": name, "features": features} for name, features in layers.items()],
        default_options={"extents": extent, "y_coord_down": True},
    )
    return tile


def together(tiles: Sequence[bytes]) -> bytes:
    merge = merging.Merged()
    for tile in tiles:
        merge.add(tile)
    return merge.encoded()


@settings(max_examples=60, deadline=None)
@given(st.lists(LAYERS, min_size=1, max_size=4))
def test_any_tiles_merge(several: list[dict[str, list[dict[str, object]]]]) -> None:
    """Whatever the layers and the kinds of values: the independent reader sees the union."""
    tiles = [encode(layers) for layers in several]
    assert decode(together(tiles)) == union([decode(tile) for tile in tiles])


@settings(max_examples=60, deadline=None)
@given(FEATURES.filter(bool), st.sampled_from([(256, 2048), (1024, 4096), (300, 1000), (7, 11)]))
def test_rescaled_points_are_the_nearest_of_the_larger_grid(
    features: list[dict[str, object]], extents: tuple[int, int]
) -> None:
    """On a larger grid each point is within half a unit of where it was; distinct ones stay so."""
    small, large = extents
    before = decode(encode({"tracks": features}, small))["tracks"]["features"]
    for ours, theirs in zip(scaled_up(features, small, large), before, strict=True):
        coordinates = theirs["geometry"]["coordinates"]
        for (x, y), (before_x, before_y) in zip(ours, coordinates, strict=True):
            assert abs(x - before_x * large / small) <= 0.5
            assert abs(y - before_y * large / small) <= 0.5
        assert all(one != following for one, following in pairwise(ours))


def scaled_up(features: list[dict[str, object]], small: int, large: int) -> list[Any]:
    """Merge with a tile of a larger grid and return what became of the features' coordinates."""
    last: dict[str, object] = {"id": 1, "geometry": "LINESTRING (0 0, 1 1)", "properties": {}}
    tile = together([encode({"tracks": features}, small), encode({"tracks": [last]}, large)])
    layer = decode(tile)["tracks"]
    assert layer["extent"] == large
    return [one["geometry"]["coordinates"] for one in layer["features"][:-1]]


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_numbers_survive_writing(numbers: list[int]) -> None:
    """What is written as varints is read as the same numbers."""
    assert list(protobuf.varints(b"".join(map(protobuf.number, numbers)))) == numbers


def synthetic(
    path: Path, tiles: dict[int, bytes], compression: Compression = Compression.GZIP
) -> Path:
    """Write a file with the package's own writer."""
    out = io.BytesIO()
    writer = Writer(out)  # type: ignore[no-untyped-call] # the package annotates its reader only
    for tile_id, data in sorted(tiles.items()):
        writer.write_tile(tile_id, data)  # type: ignore[no-untyped-call] # as above
    header = {"tile_type": TileType.MVT, "tile_compression": compression}
    writer.finalize(header, {})  # type: ignore[no-untyped-call] # as above
    path.write_bytes(out.getvalue())
    return path


def test_many_tiles_have_leaf_directories(tmp_path: Path) -> None:
    """30,000 tiles: the root directory fits the first 16,384 bytes, and every tile is found."""
    chance = random.Random(4)  # noqa: S311 made-up tiles
    ids = sorted(chance.sample(range(zxy_to_tileid(12, 0, 0), zxy_to_tileid(13, 0, 0)), 30_000))
    tiles = {tile_id: chance.randbytes(chance.randrange(20, 200)) for tile_id in ids}
    odd = synthetic(tmp_path / "odd.pmtiles", dict(list(tiles.items())[::2]))
    even = synthetic(tmp_path / "even.pmtiles", dict(list(tiles.items())[1::2]))
    target = merged([odd, even], tmp_path / "all.pmtiles")
    header = deserialize_header(target.read_bytes()[:127])
    assert header["root_offset"] + header["root_length"] <= 16_384
    assert header["leaf_directory_length"] > 0
    assert list(raw(target).values()) == list(tiles.values())
    with target.open("rb") as file:
        reader = PMTILES.Reader(PMTILES.MmapSource(file))
        place = next(iter(raw(target)))
        assert reader.get(*place) == tiles[ids[0]]


def test_nothing_merges_to_a_file_without_tiles(files: list[Path], tmp_path: Path) -> None:
    """No source gives an empty file that readers accept; merged with another it changes nothing."""
    empty = merged([], tmp_path / "empty.pmtiles")
    assert raw(empty) == {}
    assert raw(merged([files[0]], tmp_path / "one.pmtiles")) == raw(files[0])
    header = deserialize_header(empty.read_bytes()[:127])
    assert header["addressed_tiles_count"] == 0


def test_an_empty_tile_or_layer_does_no_harm(tmp_path: Path) -> None:
    """A tile without layers and a layer without features merge with one that has some."""
    full = encode({"tracks": [{"id": 1, "geometry": "POINT (1 1)", "properties": {"day": 1}}]})
    sources = [
        synthetic(tmp_path / f"{index}.pmtiles", {0: gzip.compress(tile)})
        for index, tile in enumerate((b"", full, encode({"tracks": []})))
    ]
    assert read(merged(sources, tmp_path / "all.pmtiles")) == {(0, 0, 0): decode(full)}


def no_tags(layer: bytes) -> bytes:
    return gzip.compress(b"\x1a" + bytes([len(layer)]) + layer)


GOOD = gzip.compress(
    encode({"tracks": [{"id": 1, "geometry": "POINT (1 1)", "properties": {"day": 1}}]})
)
FEATURE = b"\x12\x09\x12\x02\x00\x00\x18\x01\x22\x01\x09"


@pytest.mark.parametrize(
    "tile",
    [
        b"no gzip",
        GOOD[:-9],
        gzip.compress(gzip.decompress(GOOD)[:-3]),
        no_tags(b"\x0a\x06tracks" + FEATURE),  # tags without a table of keys and values
        no_tags(b"\x0a\x06tracks\x1a\x01k\x22\x00\x12\x03\x12\x01\x00"),  # a key without value
        no_tags(b"\x0a\x06tracks\x12\x02\x10\x00"),  # tags that are not packed
        no_tags(b"\x0a\x06tracks\x28\x00"),  # extent 0
        no_tags(b"\x1a\x01k"),  # no name
    ],
    ids=[
        "plain",
        "cut",
        "cut inside",
        "strange tags",
        "odd tags",
        "unpacked",
        "no grid",
        "no name",
    ],
)
def test_a_damaged_tile_names_its_file(tile: bytes, tmp_path: Path) -> None:
    """A tile that cannot be merged is CheckFailed with the source's name; nothing is written."""
    sound = synthetic(tmp_path / "sound.pmtiles", {0: GOOD})
    bad = synthetic(tmp_path / "bad.pmtiles", {0: tile})
    for sources in ([sound, bad], [bad, sound]):
        with pytest.raises(CheckFailed, match=r"bad\.pmtiles is not a readable"):
            merging.merge(sources, tmp_path / "all.pmtiles", METADATA)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.pmtiles", "sound.pmtiles"]


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def without_directory(data: bytes) -> bytes:
    return data[:140] + bytes(len(data) - 140)


@pytest.mark.parametrize(
    "damage",
    [cut, without_directory, lambda data: data[:50], lambda data: b"SQLite format 3" + data[15:]],
    ids=["cut", "no directory", "no header", "another file"],
)
def test_a_damaged_source_is_named(
    files: list[Path], damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """A file that is cut short, overwritten or no PMTiles at all is CheckFailed with its name."""
    bad = tmp_path / "bad.pmtiles"
    bad.write_bytes(damage(files[1].read_bytes()))
    with pytest.raises(CheckFailed, match=r"bad\.pmtiles is not a readable PMTiles file"):
        merging.merge([files[0], bad, files[2]], tmp_path / "all.pmtiles", METADATA)
    assert list(tmp_path.iterdir()) == [bad]


def test_tiles_that_are_not_gzipped_are_refused(tmp_path: Path) -> None:
    """Another compression would need a mixed file, which PMTiles has not."""
    plain = synthetic(tmp_path / "plain.pmtiles", {0: b""}, Compression.NONE)
    with pytest.raises(CheckFailed, match=r"plain\.pmtiles.*not gzipped"):
        merging.merge([plain], tmp_path / "all.pmtiles", METADATA)


def test_it_stops_when_asked(files: list[Path], tmp_path: Path) -> None:
    """Asked to stop in the middle, it raises Interrupted and leaves nothing behind."""
    answers: Iterator[bool] = iter([False] * 5 + [True])
    with pytest.raises(Interrupted):
        merging.merge(files, tmp_path / "all.pmtiles", METADATA, lambda: next(answers))
    assert list(tmp_path.iterdir()) == []


# VmHWM, because ru_maxrss counts what the parent had.
_MERGE = """
import re, sys
from pathlib import Path
from tracklake.tiles import merging
merging.merge([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]), {})
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def test_memory_does_not_grow_with_the_sources(tmp_path: Path) -> None:
    """Merging 120 MB takes less than 100 MB (as Linux tells it)."""
    chance = random.Random(5)  # noqa: S311 made-up tiles
    sources = [
        synthetic(
            tmp_path / f"{number}.pmtiles",
            {0: GOOD, **{2 * tile + number + 1: chance.randbytes(300_000) for tile in range(200)}},
        )
        for number in range(2)
    ]
    done = subprocess.run(
        [sys.executable, "-c", _MERGE, str(tmp_path / "all.pmtiles"), *map(str, sources)],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert (tmp_path / "all.pmtiles").stat().st_size > 120e6
    assert int(done.stdout) < 100_000
