"""The reader that verifies tiles, against an independent one, and the runner of tippecanoe."""

import gzip
import io
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import mapbox_vector_tile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles.tile import Compression, TileType, deserialize_header, zxy_to_tileid
from pmtiles.writer import Writer

from tracklake.errors import CheckFailed, ConfigError, Interrupted
from tracklake.tiles import drawing, verification
from tracklake.tiles.lines import START_ZOOMS

IDS = st.integers(1, 2**53)
TEXT = st.text(max_size=12)
FEATURES = st.lists(
    st.fixed_dictionaries(
        {
            "id": IDS,
            "geometry": st.just("LINESTRING (1 1, 40 2, 7 9)"),
            "properties": st.dictionaries(
                st.sampled_from(["sport", "day", "name", "fast"]),
                st.one_of(TEXT, st.integers(-(2**40), 2**40), st.booleans(), st.floats(0.5, 9.5)),
            ),
        }
    ),
    max_size=6,
)


def encode(name: str, features: list[dict[str, object]], extent: int = 4096) -> bytes:
    tile: bytes = mapbox_vector_tile.encode(
        [{"name": name, "features": features}], default_options={"extents": extent}
    )
    return tile


def kind(value: object) -> str:
    return {str: "String", int: "Number", float: "Fraction", bool: "Boolean"}[type(value)]


@given(TEXT.filter(bool), FEATURES, st.sampled_from([256, 2048, 4096]))
def test_layers_agree_with_the_independent_reader(
    name: str, features: list[dict[str, object]], extent: int
) -> None:
    """Names, extents, ids and the kinds of attributes are those that mapbox_vector_tile sees."""
    tile = encode(name, features, extent)
    theirs = mapbox_vector_tile.decode(tile)
    ours = {layer.name: layer for layer in verification.layers(tile)}
    assert set(ours) == set(theirs)
    for layer_name, layer in theirs.items():
        found = [one["properties"] for one in layer["features"]]
        present = {(key, kind(value)) for one in found for key, value in one.items()}
        keys = {key for key, _ in present}
        partial = {(key, "missing in some") for key in keys if any(key not in p for p in found)}
        assert ours[layer_name].extent == layer["extent"]
        assert ours[layer_name].ids == [one["id"] for one in layer["features"]]
        assert ours[layer_name].kinds == present | partial


def a_start(activity_id: int, **properties: object) -> dict[str, object]:
    return {
        "id": activity_id,
        "geometry": "POINT (3 4)",
        "properties": {"sport": "Run", "day": 20000, **properties},
    }


EXPECTED = drawing.expected(starts=frozenset({1, 2}))
GOOD_TILE = encode("starts", [a_start(1), a_start(2)], 2048)


def pmtiles(
    tile: bytes = GOOD_TILE,
    zooms: range = START_ZOOMS,
    metadata: dict[str, object] = EXPECTED.metadata,
) -> bytes:
    """Make a file that has the tile at 0/0 of each zoom, with the package's own writer."""
    out = io.BytesIO()
    writer = Writer(out)  # type: ignore[no-untyped-call] # the package annotates its reader only
    for zoom in zooms:
        writer.write_tile(zxy_to_tileid(zoom, 0, 0), gzip.compress(tile, mtime=0))  # type: ignore[no-untyped-call] # as above
    header = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP}
    writer.finalize(header, metadata)  # type: ignore[no-untyped-call] # as above
    return out.getvalue()


def read(path: Path, content: bytes) -> verification.Facts:
    path.write_bytes(content)
    return verification.read(path, EXPECTED)


def test_a_good_file_has_no_problem(tmp_path: Path) -> None:
    """A file with all ids at all zooms and nothing else passes, and its sizes are told."""
    facts = read(tmp_path / "a.pmtiles", pmtiles())
    assert facts.problems == []
    assert verification.missing(facts, EXPECTED, "starts") == {}
    assert (facts.tiles, facts.reduced_tiles) == (8, 0)
    assert facts.largest_tile_bytes == len(gzip.compress(GOOD_TILE, mtime=0))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pmtiles(zooms=range(7)), "zooms are 0 to 6"),
        (pmtiles(metadata={**EXPECTED.metadata, "generator_options": "/home/me"}), "metadata"),
        (pmtiles(encode("tracks", [a_start(1), a_start(2)])), "there is a layer tracks at zoom 0"),
        (pmtiles(encode("starts", [a_start(1), a_start(3)])), "1 features have an id"),
        (pmtiles(encode("starts", [a_start(1, day="20000"), a_start(2)])), "attributes at zoom"),
        (pmtiles(encode("starts", [a_start(1, name="Home"), a_start(2)])), "attributes at zoom"),
        (
            pmtiles(encode("starts", [a_start(1), {**a_start(2), "properties": {"day": 1}}])),
            "missing in some",
        ),
        (pmtiles(encode("starts", [a_start(1, sport=os.urandom(600_000).hex())])), "largest tile"),
    ],
)
def test_each_contradiction_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    """Whatever is in a file against the order is a problem with a sentence of its own."""
    problems = read(tmp_path / "a.pmtiles", content).problems
    assert any(said in problem for problem in problems), problems


def test_missing_activities_are_told_by_zoom(tmp_path: Path) -> None:
    """An id that is nowhere is missing at each zoom that was asked for."""
    facts = read(tmp_path / "a.pmtiles", pmtiles(encode("starts", [a_start(2)])))
    assert verification.missing(facts, EXPECTED, "starts") == {1: set(range(8))}


def test_a_coarser_grid_is_counted(tmp_path: Path) -> None:
    """Tiles that tippecanoe made coarser to fit its limit never go unreported."""
    facts = read(
        tmp_path / "a.pmtiles", pmtiles(encode("starts", [a_start(1), a_start(2)], extent=1024))
    )
    assert facts.reduced_tiles == 8
    assert facts.problems == []


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Cut or altered anywhere, a file is read or refused with CheckFailed, nothing else."""
    content = bytearray(pmtiles())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    path = tmp_path_factory.getbasetemp() / "damaged.pmtiles"
    try:
        facts = read(path, bytes(content[:cut]))
    except CheckFailed:
        return
    assert {zoom for _, zoom in facts.ids} <= set(range(32))


def test_a_directory_with_leaves_is_read(tmp_path: Path) -> None:
    """A file too large for one directory is read through its leaves, tile by tile."""
    chance = random.Random(1)  # noqa: S311 sizes and gaps that do not compress
    places = sorted(chance.sample(range(zxy_to_tileid(7, 0, 0), zxy_to_tileid(8, 0, 0)), 12_000))
    out = io.BytesIO()
    writer = Writer(out)  # type: ignore[no-untyped-call] # the package annotates its reader only
    for place in places:
        packed = io.BytesIO()
        name = chance.randbytes(chance.randrange(200)).hex()
        with gzip.GzipFile(name, "wb", 1, packed, 0) as file:
            file.write(GOOD_TILE)
        writer.write_tile(place, packed.getvalue())  # type: ignore[no-untyped-call] # as above
    header = {"tile_type": TileType.MVT, "tile_compression": Compression.GZIP}
    writer.finalize(header, EXPECTED.metadata)  # type: ignore[no-untyped-call] # as above
    assert deserialize_header(out.getvalue())["leaf_directory_length"] > 0
    facts = read(tmp_path / "a.pmtiles", out.getvalue())
    assert (facts.tiles, facts.ids) == (12_000, {("starts", 7): {1, 2}})
    drawing.replace_metadata(
        tmp_path / "a.pmtiles", tmp_path / "b.pmtiles", {**EXPECTED.metadata, "name": "longer" * 99}
    )
    moved = verification.read(tmp_path / "b.pmtiles", EXPECTED)
    assert (moved.tiles, moved.ids) == (12_000, {("starts", 7): {1, 2}})


def test_metadata_are_replaced_and_nothing_else(tmp_path: Path) -> None:
    """The copy has our metadata and the very same tiles; the same input gives the same bytes."""
    leaky: dict[str, object] = {
        "generator_options": "tippecanoe /home/me/tracks.json",
        "name": "My home run",
    }
    source, target = tmp_path / "raw.pmtiles", tmp_path / "clean.pmtiles"
    source.write_bytes(pmtiles(metadata=leaky))
    drawing.replace_metadata(source, target, EXPECTED.metadata)
    first = target.read_bytes()
    assert read(target, first).problems == []
    assert b"home" not in first
    drawing.replace_metadata(source, target, EXPECTED.metadata)
    assert target.read_bytes() == first


def test_a_file_that_ends_too_early_is_not_copied(tmp_path: Path) -> None:
    """A truncated file of tippecanoe's is noticed while its metadata are replaced."""
    source = tmp_path / "raw.pmtiles"
    source.write_bytes(pmtiles()[:-1])
    with pytest.raises(CheckFailed, match="ends too early"):
        drawing.replace_metadata(source, tmp_path / "clean.pmtiles", EXPECTED.metadata)


@pytest.mark.parametrize(("code", "said"), [(100, "deepest zooms"), (3, "code 3")])
def test_any_exit_code_but_0_is_a_failure(tmp_path: Path, code: int, said: str) -> None:
    """Code 100 means a file with zooms left out: an error like any other, with what was said."""
    command = ["/bin/sh", "-c", f"echo too dense >&2; exit {code}"]
    with pytest.raises(CheckFailed, match=f"{said}.*too dense"):
        drawing.run(command, tmp_path, lambda: False)


def test_a_child_is_ended_when_asked_to_stop(tmp_path: Path) -> None:
    """On a stop the child ends by its own id and the caller hears of it."""
    half, ready = tmp_path / "half", tmp_path / "pid"
    command = ["/bin/sh", "-c", f"echo $$ > {half}; mv {half} {ready}; exec sleep 600"]
    with pytest.raises(Interrupted) as raised:
        drawing.run(command, tmp_path, ready.exists)
    assert raised.value.exit_code == 128 + signal.SIGTERM
    pid = int(ready.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_stubborn_child_is_killed(tmp_path: Path) -> None:
    """A child that ignores SIGTERM is killed after a while, not waited for."""
    ready = tmp_path / "ready"
    command = ["/bin/sh", "-c", f"trap '' TERM; touch {ready}; while :; do sleep 0.1; done"]
    with pytest.raises(Interrupted):
        drawing.run(command, tmp_path, ready.exists)


def test_a_child_that_the_signal_reached_first_is_an_interruption(tmp_path: Path) -> None:
    """A child that a signal ended while we are stopping has not failed."""
    with pytest.raises(Interrupted):
        drawing.run(["/bin/sh", "-c", "kill -TERM $$"], tmp_path, lambda: True)


def test_tippecanoe_of_the_system_does_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the package the program on the PATH is taken; without either a sentence says so."""
    monkeypatch.setitem(sys.modules, "tippecanoe", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="tippecanoe is missing"):
        drawing.tippecanoe()
    program = tmp_path / "tippecanoe"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert drawing.tippecanoe() == program


def test_tippecanoe_is_found() -> None:
    """The program of the package (not its Python shim) is there and runs."""
    said = subprocess.run(
        [drawing.tippecanoe(), "--version"], capture_output=True, text=True, check=True
    )
    assert said.stderr.startswith("tippecanoe v")
