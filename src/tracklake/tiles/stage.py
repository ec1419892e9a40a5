"""GeoJSON and vector tiles of all tracks, of which only what changed is drawn.

Nothing that readers see changes before everything is made and verified; then the manifest is
replaced by rename. planning.py says what consists of what.
"""

import hashlib
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracklake import landing
from tracklake.clock import Clock, SystemClock
from tracklake.errors import Interrupted
from tracklake.state import State
from tracklake.tiles import making, manifest
from tracklake.tiles.ahead import Ahead
from tracklake.tiles.making import Job
from tracklake.tiles.manifest import Entry, Shelf
from tracklake.tiles.planning import Step, plan
from tracklake.tiles.views import View

Progress = Callable[[str, int, int], None]

_WORKSHOP = ".landing-tiles"  # landing.sweep knows the mark


@dataclass(frozen=True, slots=True, kw_only=True)
class TilesReport:
    """What there is now and what this run made of it; files are relative to the tiles' folder."""

    activities: int  # on the map, by track or by start
    tile_files: tuple[str, ...]
    geojson_files: tuple[str, ...]
    drawn: tuple[str, ...]  # made by this run
    single: str | None  # the one file of everything, if it is up to date
    tiles: int
    bytes: int  # of all current files
    largest_tile_bytes: int
    reduced_tiles: int  # on a coarser grid, to stay under the size limit
    too_short: int  # activities drawn as chords at zooms whose grid is too coarse for them
    beyond_mercator: int  # activities that reach beyond what the map can show


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to build.

    rebuild: draw every file again, whatever is there. single: also one file of all tiles. progress:
    called with a label, steps done and steps in all. should_stop: asked while programs run.
    """

    rebuild: bool = False
    single: bool = False
    progress: Progress = lambda _label, _done, _total: None
    should_stop: Callable[[], bool] = lambda: False


def build(
    view: View,
    tiles_dir: Path,
    options: Options = Options(),
    *,
    state: State | None = None,
    clock: Clock | None = None,
) -> TilesReport:
    """Bring GeoJSON, tiles, listings and manifest up to what the warehouse says.

    state: remembers what was drawn, so that a run with nothing new reads next to nothing. Raises
    CheckFailed if a file did not pass its checks and Interrupted if `should_stop` said so; both
    leave the files and the manifest of before as they were.
    """
    landing.make_folder(tiles_dir)
    shelf = Shelf(tiles_dir, empty=options.rebuild)
    fingerprint = view.fingerprint()
    fact = f"tiles drawn: {tiles_dir}"
    as_before = state is not None and _fact(state, fact) == fingerprint
    if as_before and shelf.entries and all(map(shelf.is_whole, shelf.entries)):
        made, drawn = list(shelf.entries), list[str]()
    else:
        made, drawn = _make_all(view, tiles_dir, shelf, options)
    made, more = _with_single(made, tiles_dir, options)
    now = (clock or SystemClock()).now().isoformat(timespec="seconds")
    manifest.publish(tiles_dir, made, now)
    if state is not None and not as_before:
        state.execute("insert or replace into facts values (?, ?)", (fact, fingerprint))
    options.progress("tiles", len(made), len(made))
    return _report(made, [*drawn, *more])


def _fact(state: State, name: str) -> str | None:
    rows = state.execute("select value from facts where name = ?", (name,))
    return str(rows[0][0]) if rows else None


def _make_all(
    view: View, tiles_dir: Path, shelf: Shelf, options: Options
) -> tuple[list[Entry], list[str]]:
    steps: Sequence[Step] = plan(view.rows(), shelf)
    made: list[Entry] = []
    drawn: list[str] = []
    with _workshop(tiles_dir) as workshop:
        geometry = Ahead(view.tracks, [step.geometry for step in steps])
        job = Job(geometry, view.zones, tiles_dir, workshop, options.should_stop)
        for done, step in enumerate(steps):
            if options.should_stop():
                raise Interrupted(signal.SIGTERM)
            options.progress(step.label, done, len(steps))
            entry = step.kept
            if entry is None:
                entry = making.make(job, step)
                drawn.append(entry["file"])
            made.append(entry)
    return made, drawn


def _with_single(
    made: Sequence[Entry], tiles_dir: Path, options: Options
) -> tuple[list[Entry], list[str]]:
    """Keep the one file of all tiles while it says the same as they; make it anew if asked to."""
    parts = [entry for entry in made if entry["kind"] != "single"]
    tiles = [entry for entry in parts if entry["kind"] in manifest.TILES]
    digest = hashlib.sha256("".join(entry["sha256"] for entry in tiles).encode()).hexdigest()
    shelf = Shelf(tiles_dir)
    for entry in shelf.entries:
        if (entry["kind"], entry["input"]) == ("single", digest) and shelf.is_whole(entry):
            return [*parts, entry], []
    if not options.single or not tiles:
        return parts, []
    with _workshop(tiles_dir) as workshop:
        single = making.make_single(tiles, tiles_dir, workshop, digest, options.should_stop)
    return [*parts, single], [single["file"]]


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


def _report(made: Sequence[Entry], drawn: Sequence[str]) -> TilesReport:
    tiled = [entry for entry in made if entry["kind"] in ("year", "recent", "starts")]
    return TilesReport(
        activities=next(entry["count"] for entry in made if entry["kind"] == "index"),
        tile_files=tuple(entry["file"] for entry in tiled),
        geojson_files=tuple(entry["file"] for entry in made if entry["kind"] == "geojson"),
        drawn=tuple(drawn),
        single=next((entry["file"] for entry in made if entry["kind"] == "single"), None),
        tiles=sum(entry.get("tiles", 0) for entry in tiled),
        bytes=sum(entry["bytes"] for entry in made),
        largest_tile_bytes=max((entry.get("largest_tile_bytes", 0) for entry in tiled), default=0),
        reduced_tiles=sum(entry.get("reduced_tiles", 0) for entry in tiled),
        too_short=sum(entry.get("too_short", 0) for entry in tiled),
        beyond_mercator=sum(entry.get("beyond_mercator", 0) for entry in tiled),
    )
