"""Tiles: a full build beside Ridelines' flags, one more activity, what is missing, how large.

python -m bench.tiles [N [LARGE]]
"""

import shutil
import sys
from collections.abc import Mapping

from bench import measure, tiles_runs
from bench.measure import Cost
from bench.tiles_runs import ADDITIONS, Build, Growth

SIZE, LARGE = 10_000, 50_000
MOST_BYTES = 500_000
TIMES_FULL, TIMES_ONE = 8, 500
_LOW, _HIGH = range(7), range(7, 15)


def main() -> None:
    """Print the section for docs/benchmarks.md."""
    size, large = [*map(int, sys.argv[1:]), *(SIZE, LARGE)[len(sys.argv) - 1 :]]
    theirs = tiles_runs.ridelines(size)
    ours = tiles_runs.ours(size)
    kinds = tiles_runs.by_kind()
    grown = tiles_runs.growth()
    absent_after = sum(tiles_runs.absent_now().values())
    simplified_s = tiles_runs.simplifying_s(size)
    larger = tiles_runs.ours(large)
    parts = [
        _introduction(),
        _ratios(theirs, ours, grown, simplified_s),
        _kinds(theirs, kinds),
        _promises(size, large, ours, larger, absent_after),
        _builds({f"Ridelines' flags, {size:,}": theirs, f"ours, {size:,}": ours}, large, larger),
        _growth(grown, theirs.cost, ours.cost),
        _missing(theirs, ours, larger, size, large),
    ]
    print("\n\n".join(parts))
    shutil.rmtree(tiles_runs.WORK, ignore_errors=True)


def _introduction() -> str:
    return (
        "## Tiles\n\n`python -m bench.tiles`: walks on made-up streets in 30 cities, half of them "
        "at home, 1,500 to 4,000 points, 2012 to 2026 (`bench/tiles_streets.py`). Ridelines' flags "
        "(`tippecanoe --preserve-input-order -fl activities`) draw the tracks in full from "
        "GeoJSON, tippecanoe alone counted; ours is the whole command `tracklake tiles`, which "
        "draws what was simplified when it came, writes GeoJSON and the index, and reads every "
        "tile back. CPU seconds are those of the process and its children; memory is that of the "
        "largest process. What is in the tiles was read with `pmtiles` and protobuf, not with our "
        "own reader."
    )


def _ratios(theirs: Build, ours: Build, grown: Growth, simplified_s: float) -> str:
    full = theirs.cost.cpu_s / ours.cost.cpu_s
    with_ingest = theirs.cost.cpu_s / (ours.cost.cpu_s + simplified_s)
    ones = (grown.alone_s, grown.one.cpu_s)
    alone, command = (theirs.cost.cpu_s / one for one in ones)
    own_alone, own_command = (ours.cost.cpu_s / one for one in ones)
    return "\n".join(
        [
            f"- A full build costs Ridelines' flags **{full:.1f} times** the CPU of ours (at least "
            f"{TIMES_FULL} is wanted); with simplifying the tracks as they came, which is done "
            f"once in their life ({simplified_s:.1f} s), {with_ingest:.1f} times.",
            f"- One new activity costs **1/{alone:.0f}** of that full build, drawn in a flow that "
            f"runs (at most 1/{TIMES_ONE} is wanted); as a command of its own, start of Python "
            f"included, 1/{command:.0f}. Of our own full build it is 1/{own_alone:.0f} and "
            f"1/{own_command:.0f}.",
        ]
    )


def _kinds(theirs: Build, kinds: Mapping[str, float]) -> str:
    tiles_s = sum(kinds[kind] for kind in ("year", "starts"))
    tippecanoe, tiles = (theirs.cost.cpu_s / cpu_s for cpu_s in (kinds["tippecanoe"], tiles_s))
    parts = ", ".join(f"{kind} {cpu_s:.1f}" for kind, cpu_s in kinds.items())
    return (
        f"- Tippecanoe beside tippecanoe it is **{tippecanoe:.1f} times**; for the tiles without "
        f"GeoJSON and listings, which Ridelines' flags do not make, {tiles:.1f} times: reading the "
        "tracks, drawing, and reading back what was drawn. By kind of file and for tippecanoe, in "
        f"CPU s: {parts}; the rest is the start of Python and the plan."
    )


def _promises(size: int, large: int, ours: Build, larger: Build, absent_after: int) -> str:
    absent, absent_large = (sum(one.absent.values()) for one in (ours, larger))
    sizes = [one.held.largest_tile_bytes for one in (ours, larger)]
    return "\n".join(
        [
            f"- Activities missing at any zoom: **{absent}** of {size:,}, **{absent_large}** of "
            f"{large:,}, {absent_after} after all that is measured below.",
            f"- The largest tile has **{sizes[0]:,} bytes** at {size:,} and **{sizes[1]:,}** at "
            f"{large:,} (less than {MOST_BYTES:,} is wanted); {ours.held.reduced_tiles} and "
            f"{larger.held.reduced_tiles} tiles are on a coarser grid than asked for.",
        ]
    )


def _builds(builds: Mapping[str, Build], large: int, larger: Build) -> str:
    rows = [
        (
            name,
            f"{one.cost.cpu_s:.1f}",
            f"{one.cost.wall_s:.1f}",
            f"{one.cost.peak_mb:.0f}",
            f"{one.held.bytes / 1e6:.1f}",
            f"{one.held.tiles:,}",
            f"{one.held.largest_tile_bytes / 1e3:.0f}",
            _reduced(one),
        )
        for name, one in {**builds, f"ours, {large:,}": larger}.items()
    ]
    header = ("full build", "CPU s", "wall s", "peak MB", "tiles, MB", "tiles", "largest, kB")
    return measure.table((*header, "on a coarser grid"), rows)


def _reduced(build: Build) -> str:
    if not build.held.reduced_tiles:
        return "0"
    coarsest = f"down to {build.held.coarsest_extent} of {build.held.full_extent} units"
    return f"{build.held.reduced_tiles}, {coarsest}"


def _growth(grown: Growth, theirs: Cost, full: Cost) -> str:
    steps = {
        "nothing new": (grown.again, "again"),
        f"one new activity (median of {ADDITIONS})": (grown.one, "one"),
        "one new on an overlay that is full": (grown.one_on_full, "one_on_full"),
        "one more: the overlay is folded into its year": (grown.fold, "fold"),
        "an edit in an old year": (grown.edit, "edit"),
        "`--single`: one file of all": (grown.single, "single"),
    }
    rows = [
        (
            name,
            f"{cost.cpu_s:.2f}",
            f"{cost.peak_mb:.0f}",
            f"{grown.drew[key]}",
            f"{theirs.cpu_s / cost.cpu_s:.0f}",
            f"{full.cpu_s / cost.cpu_s:.0f}",
        )
        for name, (cost, key) in steps.items()
    ]
    alone = f"{grown.alone_s:.3f}"
    ratios = (f"{theirs.cpu_s / grown.alone_s:.0f}", f"{full.cpu_s / grown.alone_s:.0f}")
    rows.insert(
        2, (f"the same in a flow that runs (median of {ADDITIONS})", alone, "", "", *ratios)
    )
    header = ("the whole command", "CPU s", "peak MB", "files of tiles drawn")
    single = grown.single_held
    return "\n\n".join(
        [
            measure.table((*header, "Ridelines' full build is × this", "ours is × this"), rows),
            f"The one file has {single.bytes / 1e6:.1f} MB in {single.tiles:,} tiles, the largest "
            f"of {single.largest_tile_bytes / 1e3:.0f} kB: nothing is coarsened for it.",
        ]
    )


def _missing(theirs: Build, ours: Build, larger: Build, size: int, large: int) -> str:
    header = ("activities missing at zoom", *map(str, _LOW), f"{_HIGH[0]} to {_HIGH[-1]}")
    rows = [
        (
            name,
            *(f"{one.absent[zoom]:,}" for zoom in _LOW),
            f"{sum(one.absent.get(zoom, 0) for zoom in _HIGH):,}",
        )
        for name, one in (
            (f"Ridelines' flags, {size:,}", theirs),
            (f"ours, {size:,}", ours),
            (f"ours, {large:,}", larger),
        )
    ]
    return measure.table(header, rows)


if __name__ == "__main__":
    main()
