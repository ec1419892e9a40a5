"""data/tiles/manifest.json: which files are the current ones, and what they were made from.

Files are named by their content and never change; the manifest is replaced last, by rename. A
reader with yesterday's manifest still finds yesterday's files: they go one generation later.
"""

import hashlib
import re
from pathlib import Path
from typing import NotRequired, TypedDict, cast

import orjson

from tracklake import landing

NAME = "manifest.json"
_VERSION = 1
_OURS = re.compile(r"(tracks--?\d+|starts|activities)-[0-9a-f]{12}\.(pmtiles|geojsonl\.gz|json)")


class Entry(TypedDict):
    """One file. `input` is the digest of the rows it was made from; bounds are in degrees."""

    file: str
    kind: str  # "year" or "starts" (tiles), "geojson", "index"; later "recent" and "single"
    year: int | None  # start year, UTC
    count: int  # activities
    days: list[int]  # first and last local day, as days since 1970; empty if there is none
    bytes: int
    sha256: str
    input: str
    # Tiles only:
    layer: NotRequired[str]
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
    tracks: list[Entry]
    geojson: list[Entry]
    index: Entry


def read(folder: Path) -> Manifest | None:
    """Return the manifest, or None if there is none that can be read: then all is made anew."""
    try:
        manifest = orjson.loads((folder / NAME).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    if not isinstance(manifest, dict) or manifest.get("version") != _VERSION:
        return None
    return cast(Manifest, manifest)


def entries(manifest: Manifest | None) -> list[Entry]:
    """Return all entries of a manifest; of none, none."""
    if manifest is None:
        return []
    return [*manifest["tracks"], *manifest["geojson"], manifest["index"]]


def publish(folder: Path, made: list[Entry], generated_at: str) -> None:
    """Replace the manifest, then remove what neither it nor its predecessor names.

    The same entries as before leave everything as it is.
    """
    before = entries(read(folder))
    manifest: Manifest = {
        "version": _VERSION,
        "generated_at": generated_at,
        "tracks": [entry for entry in made if entry["kind"] in ("year", "starts")],
        "geojson": [entry for entry in made if entry["kind"] == "geojson"],
        "index": next(entry for entry in made if entry["kind"] == "index"),
    }
    if entries(manifest) == before:
        return
    landing.write(folder / NAME, orjson.dumps(manifest, option=orjson.OPT_INDENT_2) + b"\n")
    _keep_only(folder, [*before, *made])


def forget_old(folder: Path) -> None:
    """Remove what the manifest does not name, also its predecessor's files."""
    _keep_only(folder, entries(read(folder)))


def _keep_only(folder: Path, kept: list[Entry]) -> None:
    named = {entry["file"] for entry in kept}
    for path in folder.iterdir():
        if path.name not in named and _OURS.fullmatch(path.name):
            path.unlink()


def reusable(
    before: list[Entry], kind: str, year: int | None, digest: str, folder: Path
) -> Entry | None:
    """Return the entry of a file that was made from the same input and is still there, whole."""
    for entry in before:
        if (entry["kind"], entry["year"], entry["input"]) != (kind, year, digest):
            continue
        path = folder / entry["file"]
        if path.is_file() and path.stat().st_size == entry["bytes"]:
            return entry
    return None


def adopt(finished: Path, folder: Path, stem: str, suffix: str) -> tuple[str, int, str]:
    """Move a finished file to its content name in the folder; return name, bytes and SHA-256."""
    with finished.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = finished.stat().st_size
    name = f"{stem}-{digest[:12]}{suffix}"
    landing.adopt(finished, folder / name)
    return name, size, digest
