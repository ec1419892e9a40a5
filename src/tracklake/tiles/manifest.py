"""data/tiles/manifest.json: which files are the current ones, and what they were made from.

Files are named by their content and never change; the manifest is replaced last, by rename. A
reader with yesterday's manifest still finds yesterday's files: they go one generation later.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NotRequired, TypedDict, cast

import orjson

from tracklake import landing
from tracklake.errors import CheckFailed
from tracklake.tiles import verification

NAME = "manifest.json"
TILES = ("year", "recent", "starts", "single")  # kinds of entries
SINGLE = "all.pmtiles"  # the one file that is named for people, to send it to somebody
_VERSION = 3  # of its layout, and of what the files show at which zoom
_KEYS = {"version", "generated_at", "tracks", "geojson", "index", "calendar"}
_OURS = re.compile(
    r"((tracks|starts)-[\d-]+|starts|recent|activities|calendar)-[0-9a-f]{12}\.(pmtiles|geojsonl\.gz|json)"
    r"|all\.pmtiles"
)


class Entry(TypedDict):
    """One file. `input` is the digest of the rows it was made from; bounds are in degrees."""

    file: str
    bytes: int
    sha256: str
    kind: str  # tiles: "year", "recent", "starts", "single"; else "geojson", "index", "calendar"
    year: int | None  # start year, UTC, where a file is about one
    count: int  # activities
    days: list[int]  # first and last local day, as days since 1970; empty if there is none
    input: str
    years: NotRequired[list[int]]  # of starts: the first and the last
    # Tiles only:
    layers: NotRequired[list[str]]  # "tracks", "starts"
    sports: NotRequired[dict[str, int]]  # activities of each
    bounds: NotRequired[list[float]]  # west, south, east, north
    min_zoom: NotRequired[int]
    max_zoom: NotRequired[int]
    tiles: NotRequired[int]
    largest_tile_bytes: NotRequired[int]
    reduced_tiles: NotRequired[int]  # on a coarser grid, to stay under the size limit
    too_short: NotRequired[int]  # activities drawn as chords at some zooms
    beyond_mercator: NotRequired[int]  # activities that reach beyond 85.05 degrees, drawn there


class Manifest(TypedDict):
    """The file as a whole; `version` is that of this layout."""

    version: int
    generated_at: str
    sha256: NotRequired[str]  # of all the rest, as `_sign` writes it
    tracks: list[Entry]
    geojson: list[Entry]
    index: Entry
    calendar: Entry


def read(folder: Path) -> Manifest | None:
    """Return the manifest, or None if there is none that can be read: then all is made anew."""
    try:
        manifest = orjson.loads((folder / NAME).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    if not isinstance(manifest, dict) or manifest.get("version") != _VERSION:
        return None
    told = manifest.get("sha256")
    if manifest.keys() - {"sha256"} != _KEYS or (told and told != _sign(manifest)):
        return None
    return cast(Manifest, manifest)


def is_damaged(folder: Path) -> bool:
    """Tell whether there is a manifest that cannot be read: damaged, or of another version."""
    return (folder / NAME).exists() and read(folder) is None


def _sign(manifest: Mapping[str, object]) -> str:
    """Return a hash of all that a manifest says but the hash itself."""
    told = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def entries(manifest: Manifest | None) -> list[Entry]:
    """Return all entries of a manifest; of none, none."""
    if manifest is None:
        return []
    return [*manifest["tracks"], *manifest["geojson"], manifest["index"], manifest["calendar"]]


def publish(folder: Path, made: list[Entry], generated_at: str) -> None:
    """Replace the manifest, then remove what neither it nor its predecessor names.

    The same entries as before leave everything as it is.
    """
    before = entries(read(folder))
    manifest: Manifest = {
        "version": _VERSION,
        "generated_at": generated_at,
        "tracks": [entry for entry in made if entry["kind"] in TILES],
        "geojson": [entry for entry in made if entry["kind"] == "geojson"],
        "index": next(entry for entry in made if entry["kind"] == "index"),
        "calendar": next(entry for entry in made if entry["kind"] == "calendar"),
    }
    if entries(manifest) == before:
        return
    manifest["sha256"] = _sign(manifest)
    landing.write(folder / NAME, orjson.dumps(manifest, option=orjson.OPT_INDENT_2) + b"\n")
    _keep_only(folder, [*before, *made])


def forget_old(folder: Path) -> None:
    """Remove what the manifest does not name, also its predecessor's files; if there is a set."""
    if folder.is_dir():
        _keep_only(folder, entries(read(folder)))


def _keep_only(folder: Path, kept: list[Entry]) -> None:
    named = {entry["file"] for entry in kept}
    for path in folder.iterdir():
        if path.name not in named and _OURS.fullmatch(path.name):
            path.unlink()


def remove(folder: Path) -> bool:
    """Remove a set: its manifest, then its files; tell whether there was one."""
    if not (folder / NAME).exists():
        return False
    (folder / NAME).unlink()
    _keep_only(folder, [])
    return True


class Shelf:
    """The files of a set that are there, as its manifest names them."""

    def __init__(self, folder: Path, *, empty: bool = False) -> None:
        self._folder = folder
        self.entries = [] if empty else entries(read(folder))

    def is_whole(self, entry: Entry) -> bool:
        """Say whether the file of an entry is there as it was written.

        A file is named before the manifest and never changes: one that is younger, or another
        size, is looked at. What rots without a trace, `doctor --deep` finds.
        """
        path = self._folder / entry["file"]
        if not path.is_file() or path.stat().st_size != entry["bytes"]:
            return False
        if path.stat().st_mtime_ns <= (self._folder / NAME).stat().st_mtime_ns:
            return True
        return file_hash(path) == entry["sha256"]

    def ids(self, entry: Entry) -> frozenset[int] | None:
        """Return what a file of tiles shows, read at its first zoom; None if it is unreadable."""
        try:
            return verification.ids_at(
                self._folder / entry["file"], entry["layers"][0], entry["min_zoom"]
            )
        except CheckFailed:
            return None


def file_hash(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def adopt(finished: Path, folder: Path, name: str) -> tuple[str, int, str]:
    """Move a finished file to its name in the folder; return the name, bytes and SHA-256.

    `{}` in the name becomes the first signs of the hash.
    """
    digest = file_hash(finished)
    size = finished.stat().st_size
    name = name.format(digest[:12])
    landing.adopt(finished, folder / name)
    return name, size, digest
