"""GeoJSON and vector tiles of all tracks: one file a start year, made again only if it changed.

Nothing that readers see changes before everything is made and verified; then the manifest is
replaced by rename.
"""

import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import duckdb

from tracklake import landing
from tracklake.clock import Clock, SystemClock
from tracklake.errors import CheckFailed, Interrupted
from tracklake.tiles import drawing, geojson, manifest, verification
from tracklake.tiles import rows as tile_rows
from tracklake.tiles.lines import is_beyond_mercator, lines, start
from tracklake.tiles.manifest import Entry
from tracklake.tiles.rows import Row

Progress = Callable[[str, int, int], None]

# Oldest first, so that one more activity redraws the last file only. All 5,000 lie in the one tile
# of zoom 0; about 80,000 would no longer fit.
STARTS_PER_FILE = 5000

_WORKSHOP = ".landing-tiles"  # landing.sweep knows the mark


@dataclass(frozen=True, slots=True, kw_only=True)
class TilesReport:
    """What there is now and what this run made of it; files are relative to the tiles' folder."""

    activities: int  # on the map, by track or by start
    tracks: int
    tile_files: tuple[str, ...]
    geojson_files: tuple[str, ...]
    drawn: tuple[str, ...]  # made by this run
    tiles: int
    bytes: int  # of all current files
    largest_tile_bytes: int
    reduced_tiles: int  # on a coarser grid, to stay under the size limit
    too_short: int  # activities drawn as chords at zooms whose grid is too coarse for them
    beyond_mercator: int  # activities that reach beyond what the map can show


@dataclass(frozen=True, slots=True)
class _Step:
    kind: str
    year: int | None
    rows: Sequence[Row]
    digest: str

    @property
    def label(self) -> str:
        return self.kind if self.year is None else f"{self.kind} {self.year}"


@dataclass(frozen=True, slots=True)
class _Job:
    connection: duckdb.DuckDBPyConnection
    folder: Path
    workshop: Path
    should_stop: Callable[[], bool]


@dataclass(slots=True)
class _Notes:
    too_short: set[int] = field(default_factory=set)
    beyond_mercator: set[int] = field(default_factory=set)


def build(
    connection: duckdb.DuckDBPyConnection,
    tiles_dir: Path,
    *,
    rebuild: bool = False,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Clock | None = None,
) -> TilesReport:
    """Bring GeoJSON, tiles, index and manifest up to what the warehouse says.

    rebuild: make every file again, whatever is there. progress: called with a label, steps done
    and steps in all. Raises CheckFailed if a file did not pass its checks and Interrupted if
    `should_stop` said so; both leave the files and the manifest of before as they were.
    """
    landing.make_folder(tiles_dir)
    before = [] if rebuild else manifest.entries(manifest.read(tiles_dir))
    rows = tile_rows.activities(connection)
    steps = _plan(rows)
    made: list[Entry] = []
    drawn: list[str] = []
    with _workshop(tiles_dir) as workshop:
        job = _Job(connection, tiles_dir, workshop, should_stop)
        for done, step in enumerate(steps):
            if should_stop():
                raise Interrupted(signal.SIGTERM)
            if progress is not None:
                progress(step.label, done, len(steps))
            entry = manifest.reusable(before, step.kind, step.year, step.digest, tiles_dir)
            if entry is None:
                entry = _MAKERS[step.kind](job, step)
                drawn.append(entry["file"])
            made.append(entry)
    now = (clock or SystemClock()).now().isoformat(timespec="seconds")
    manifest.publish(tiles_dir, made, now)
    if progress is not None:
        progress("tiles", len(steps), len(steps))
    return _report(rows, made, drawn)


def _plan(rows: Sequence[Row]) -> list[_Step]:
    tracked = [row for row in rows if row.track_hash is not None]
    steps: list[_Step] = []
    for year, group in groupby(tracked, key=lambda row: row.year):
        of_year = list(group)
        steps.append(_Step("geojson", year, of_year, tile_rows.geojson_digest(of_year)))
        steps.append(_Step("year", year, of_year, tile_rows.tiles_digest(of_year)))
    for first in range(0, len(rows), STARTS_PER_FILE):
        some = rows[first : first + STARTS_PER_FILE]
        steps.append(_Step("starts", None, some, tile_rows.starts_digest(some)))
    steps.append(_Step("index", None, rows, tile_rows.index_digest(rows)))
    return steps


@contextmanager
def _workshop(tiles_dir: Path) -> Iterator[Path]:
    """Give a fresh folder for half-made files; what a killed run left is removed first."""
    folder = tiles_dir.absolute() / _WORKSHOP  # tippecanoe wants its folder so
    landing.sweep(tiles_dir)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _make_geojson(job: _Job, step: _Step) -> Entry:
    by_id = {row.activity_id: row for row in step.rows}
    path = job.workshop / "tracks.geojsonl.gz"
    tracks = tile_rows.tracks(job.connection, step.rows[0].year)
    geojson.write(path, ((by_id[activity_id], parts) for activity_id, parts in tracks))
    return _entry(job, step, path, f"tracks-{step.year}")


def _make_index(job: _Job, step: _Step) -> Entry:
    path = job.workshop / "activities.json"
    geojson.write_index(path, step.rows)
    return _entry(job, step, path, "activities")


def _make_year(job: _Job, step: _Step) -> Entry:
    """Draw a year; should a track vanish all the same, once more with chords where it did."""
    expected = drawing.lines_expected(frozenset(row.activity_id for row in step.rows))
    features, path = job.workshop / "tracks.geojsonl", job.workshop / "tracks.pmtiles"
    absent: dict[int, set[int]] = {}
    for _ in range(2):
        notes = _write_lines(job, step, features, absent)
        facts = drawing.draw(features, path, expected, job.should_stop)
        absent = verification.missing(facts, expected)
        if not absent:
            return _tiles_entry(job, step, path, facts, notes)
    raise CheckFailed(f"{len(absent)} tracks of {step.year} are not in the tiles: {absent}")


def _write_lines(job: _Job, step: _Step, path: Path, forced: dict[int, set[int]]) -> _Notes:
    by_id = {row.activity_id: row for row in step.rows}
    notes = _Notes()
    with path.open("wb") as file:
        for activity_id, parts in tile_rows.tracks(job.connection, step.rows[0].year):
            drawn = by_id[activity_id].drawn
            text, chord_zooms = lines(drawn, parts, forced.get(activity_id, ()))
            file.write(text)
            if chord_zooms:
                notes.too_short.add(activity_id)
            if is_beyond_mercator(parts):
                notes.beyond_mercator.add(activity_id)
    return notes


def _make_starts(job: _Job, step: _Step) -> Entry:
    expected = drawing.starts_expected(frozenset(row.activity_id for row in step.rows))
    features, path = job.workshop / "starts.geojsonl", job.workshop / "starts.pmtiles"
    placed = {
        row.activity_id: (row.start_lng, row.start_lat)
        for row in step.rows
        if row.start_lng is not None and row.start_lat is not None
    }
    if len(placed) < len(step.rows):
        placed |= tile_rows.unplaced_starts(job.connection)
    with features.open("wb") as file:
        for row in step.rows:
            file.write(start(row.drawn, *placed[row.activity_id]))
    facts = drawing.draw(features, path, expected, job.should_stop)
    if absent := verification.missing(facts, expected):
        raise CheckFailed(f"{len(absent)} starts are not in the tiles: {absent}")
    return _tiles_entry(job, step, path, facts, _Notes())


_MAKERS: dict[str, Callable[[_Job, _Step], Entry]] = {
    "geojson": _make_geojson,
    "year": _make_year,
    "starts": _make_starts,
    "index": _make_index,
}


def _entry(job: _Job, step: _Step, finished: Path, stem: str) -> Entry:
    suffix = finished.name[finished.name.index(".") :]
    name, size, sha256 = manifest.adopt(finished, job.folder, stem, suffix)
    days = [row.day for row in step.rows]
    return {
        "file": name,
        "kind": step.kind,
        "year": step.year,
        "count": len(step.rows),
        "days": [min(days), max(days)] if days else [],
        "bytes": size,
        "sha256": sha256,
        "input": step.digest,
    }


def _tiles_entry(
    job: _Job, step: _Step, finished: Path, facts: verification.Facts, notes: _Notes
) -> Entry:
    layer = "starts" if step.kind == "starts" else "tracks"
    entry = _entry(job, step, finished, layer if step.year is None else f"{layer}-{step.year}")
    entry.update(
        {
            "layer": layer,
            "bounds": list(facts.bounds),
            "min_zoom": facts.min_zoom,
            "max_zoom": facts.max_zoom,
            "tiles": facts.tiles,
            "largest_tile_bytes": facts.largest_tile_bytes,
            "reduced_tiles": facts.reduced_tiles,
            "too_short": len(notes.too_short),
            "beyond_mercator": len(notes.beyond_mercator),
        }
    )
    return entry


def _report(rows: Sequence[Row], made: Sequence[Entry], drawn: Sequence[str]) -> TilesReport:
    tiled = [entry for entry in made if "tiles" in entry]
    return TilesReport(
        activities=len(rows),
        tracks=sum(row.track_hash is not None for row in rows),
        tile_files=tuple(entry["file"] for entry in tiled),
        geojson_files=tuple(entry["file"] for entry in made if entry["kind"] == "geojson"),
        drawn=tuple(drawn),
        tiles=sum(entry.get("tiles", 0) for entry in tiled),
        bytes=sum(entry["bytes"] for entry in made),
        largest_tile_bytes=max((entry.get("largest_tile_bytes", 0) for entry in tiled), default=0),
        reduced_tiles=sum(entry.get("reduced_tiles", 0) for entry in tiled),
        too_short=sum(entry.get("too_short", 0) for entry in tiled),
        beyond_mercator=sum(entry.get("beyond_mercator", 0) for entry in tiled),
    )
