"""Runs that bench.tiles measures: Ridelines' flags on the tracks in full, and our own command."""

import json
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bench import measure, tiles_athlete, tiles_reading
from bench import tiles_streets as streets
from bench.measure import Cost
from bench.tiles_reading import Held
from tracklake.analysis import tracks
from tracklake.tiles import drawing
from tracklake.tiles.planning import RECENT_MOST

ADDITIONS = 5
WORK = measure.SCRATCH / "tiles" / "work"
_OLD = 17  # an activity of 2019
_SIMPLIFIED = 300  # tracks
_THEIR_EXTENT, _OUR_EXTENT, _OUR_FINE_ZOOM = 4096, 2048, 13
_THEIR_ZOOMS, _START_ZOOMS, _TRACK_ZOOMS = range(15), range(8), range(7, 14)


@dataclass(frozen=True)
class Build:
    """One build of everything. absent: how many activities are missing, by zoom."""

    cost: Cost
    held: Held
    absent: Mapping[int, int]


@dataclass(frozen=True)
class Growth:
    """What comes after a build; the whole command each time, `alone_s` the stage's CPU in a process
    that runs already. drew: how many files of tiles each made.
    """

    again: Cost
    one: Cost
    alone_s: float
    one_on_full: Cost
    fold: Cost
    edit: Cost
    single: Cost
    drew: Mapping[str, int]
    single_held: Held


def ridelines(size: int) -> Build:
    """Draw all tracks in full with Ridelines' exact flags."""
    place = measure.SCRATCH / "tiles" / "ridelines"
    place.mkdir(parents=True, exist_ok=True)
    features, target = place / f"{size}.geojson", place / f"{size}.pmtiles"
    if not features.exists():
        measure.say(f"writing {size:,} tracks in full")
        tiles_athlete.write_geojson(features, size)
    target.unlink(missing_ok=True)
    measure.say(f"Ridelines' flags on {size:,} tracks")
    names = [f"{target}", f"{features}"]
    command = [f"{drawing.tippecanoe()}", "--preserve-input-order", "-fl", "activities", "-o"]
    cost = measure.run([*command, *names], place, {"TMPDIR": f"{place}"})
    found = tiles_reading.held([target], _THEIR_EXTENT)
    return Build(cost, found, found.absent({_THEIR_ZOOMS: range(size)}))


def simplifying_s(size: int) -> float:
    """Return what it cost, once, to simplify so many tracks as they came, in CPU seconds."""
    walks = [streets.walked(number).parts for number in range(_SIMPLIFIED)]
    before = time.process_time()
    for parts in walks:
        tracks.simplify(parts)
    return (time.process_time() - before) / _SIMPLIFIED * size


def ours(size: int) -> Build:
    """Copy a data folder to where we work and draw all of it."""
    data = tiles_athlete.ensure(size)
    tiles_athlete.copy(data, WORK / "data")
    measure.say(f"tracklake tiles --rebuild on {size:,} tracks")
    cost = _tiles("--rebuild")
    found = tiles_reading.held(_files("year", "recent", "starts"), _OUR_EXTENT, _OUR_FINE_ZOOM)
    return Build(
        cost, found, found.absent({zooms: _ids() for zooms in (_START_ZOOMS, _TRACK_ZOOMS)})
    )


def growth() -> Growth:
    """Add to what was drawn, and change it."""
    measure.say("adding and editing")
    drew: dict[str, int] = {}
    again = _drawing(drew, "again")
    first = streets.NEW
    ones = [_one_more(drew, "one", number) for number in range(first, first + ADDITIONS)]
    alone_s = _alone(first + ADDITIONS)
    last = first + RECENT_MOST
    _land(range(first + 2 * ADDITIONS, last - 1))
    _tiles()
    return Growth(
        again=again,
        one=measure.median(ones),
        alone_s=alone_s,
        one_on_full=_one_more(drew, "one_on_full", last - 1),
        fold=_one_more(drew, "fold", last),
        edit=_edit(drew),
        single=_drawing(drew, "single", "--single"),
        drew=drew,
        single_held=tiles_reading.held(_files("single"), _OUR_EXTENT, _OUR_FINE_ZOOM),
    )


def absent_now() -> Mapping[int, int]:
    """Return how many of all activities, the added ones too, are missing, by zoom."""
    found = tiles_reading.held(_files("year", "recent", "starts"), _OUR_EXTENT, _OUR_FINE_ZOOM)
    return found.absent({zooms: _ids() for zooms in (_START_ZOOMS, _TRACK_ZOOMS)})


def _one_more(drew: dict[str, int], what: str, number: int) -> Cost:
    _land(range(number, number + 1))
    return _drawing(drew, what)


def _edit(drew: dict[str, int]) -> Cost:
    tiles_athlete.land(WORK / "data", range(_OLD, _OLD + 1), edition=1, skew=0.001)
    tiles_athlete.tracklake(WORK / "data", "compact")
    return _drawing(drew, "edit")


def by_kind() -> Mapping[str, float]:
    """Draw all again in a process that runs already; return each kind of file's CPU seconds."""
    measure.say("drawing all again, by kind")
    costs: dict[str, float] = _job("kinds")
    return costs


def _alone(first: int) -> float:
    return float(statistics.median(_job(f"{first}", f"{ADDITIONS}")))


def _job(*what: str) -> Any:  # noqa: ANN401 JSON
    told = WORK / "told.json"
    environment = {
        "TRACKLAKE_DATA_DIR": "data",
        "TRACKLAKE_LOGS_DIR": "logs",
        "PYTHONPATH": f"{measure.REPOSITORY}",
    }
    job = [sys.executable, "-m", "bench.tiles_job", *what, f"{told}"]
    measure.run(job, WORK, environment)
    return json.loads(told.read_text())


def _land(numbers: range) -> None:
    tiles_athlete.land(WORK / "data", numbers)
    tiles_athlete.tracklake(WORK / "data", "compact")


def _drawing(drew: dict[str, int], what: str, *options: str) -> Cost:
    """Draw; note how many files of tiles were made."""
    before = set(_files())
    cost = _tiles(*options)
    drew[what] = len(set(_files()) - before)
    return cost


def _tiles(*options: str) -> Cost:
    return tiles_athlete.tracklake(WORK / "data", "tiles", *options)


def _files(*kinds: str) -> list[Path]:
    """Return the current files of tiles, of some kinds or of all."""
    folder = WORK / "data" / "tiles"
    entries = json.loads((folder / "manifest.json").read_bytes())["tracks"]
    return [folder / one["file"] for one in entries if not kinds or one["kind"] in kinds]


def _ids() -> list[int]:
    warehouse = WORK / "data" / "warehouse" / "tracklake.duckdb"
    with duckdb.connect(f"{warehouse}", read_only=True) as connection:
        return [one for (one,) in connection.execute("select id from activities").fetchall()]
