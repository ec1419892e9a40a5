"""Makes one file of a set, whatever its kind, in a workshop, and gives it its lasting name."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tracklake.errors import CheckFailed
from tracklake.tiles import drawing, listings, manifest, merging, verification
from tracklake.tiles.ahead import Ahead
from tracklake.tiles.drawing import LAYERS
from tracklake.tiles.lines import is_beyond_mercator, lines, start
from tracklake.tiles.manifest import Entry
from tracklake.tiles.planning import Step
from tracklake.tiles.privacy import Zone
from tracklake.tiles.rows import Row

_TRIES = 4


@dataclass(frozen=True, slots=True)
class Job:
    """Where files are made and where they go; `should_stop` is asked while programs run."""

    geometry: Ahead
    zones: tuple[Zone, ...]
    folder: Path
    workshop: Path
    should_stop: Callable[[], bool]


@dataclass(slots=True)
class _Notes:
    too_short: set[int] = field(default_factory=set)
    beyond_mercator: set[int] = field(default_factory=set)


def make(job: Job, step: Step) -> Entry:
    """Make the file of a step; its entry says what is in it.

    Raises CheckFailed if it did not pass its checks, Interrupted if `should_stop` said so.
    """
    if step.kind in _LISTINGS:
        return _LISTINGS[step.kind](job, step)
    return _make_tiles(job, step)


def _make_geojson(job: Job, step: Step) -> Entry:
    path, before = job.workshop / "tracks.geojsonl.gz", step.extended
    after = None if before is None else job.folder / before["file"]
    listings.write_geojson(path, job.geometry.tracks(step.geometry), after=after)
    return _entry(job, step, path, f"tracks-{step.year}-{{}}.geojsonl.gz")


def _make_index(job: Job, step: Step) -> Entry:
    path = job.workshop / "activities.json"
    listings.write_index(path, step.rows)
    return _entry(job, step, path, "activities-{}.json")


def _make_calendar(job: Job, step: Step) -> Entry:
    path = job.workshop / "calendar.json"
    listings.write_calendar(path, step.rows)
    return _entry(job, step, path, "calendar-{}.json")


_LISTINGS: Mapping[str, Callable[[Job, Step], Entry]] = {
    "geojson": _make_geojson,
    "index": _make_index,
    "calendar": _make_calendar,
}


def _make_tiles(job: Job, step: Step) -> Entry:
    """Draw tiles; once more with chords where a track vanished all the same.

    Where something is hidden, also once more for the grid that tiles got to stay under the size
    limit: on a coarser one than was reckoned with, a vertex could be rounded into a zone.
    """
    tracks, starts = _layers(step)
    asked = drawing.expected(_ids(tracks), _ids(starts))
    features, path = job.workshop / "features.geojsonl", job.workshop / "tiles.pmtiles"
    absent: dict[int, set[int]] = {}
    extent = asked.extent
    for _ in range(_TRIES):
        notes = _write_features(job, features, step, absent, extent)
        facts = drawing.draw(features, path, asked, job.should_stop)
        if starts and (lost := verification.missing(facts, asked, "starts")):
            raise CheckFailed(f"{len(lost)} starts are not in the tiles: {lost}")
        absent = verification.missing(facts, asked, "tracks") if tracks else {}
        is_hidden = not job.zones or facts.smallest_extent >= extent
        if not absent and is_hidden:
            return _tiles_entry(job, step, path, asked, facts, notes)
        extent = min(extent, facts.smallest_extent) if job.zones else extent
    raise CheckFailed(
        f"{len(absent)} tracks of {step.label} are not in the tiles: {absent}"
        if absent
        else f"the tiles of {step.label} are too dense for its privacy zones"
    )


def _layers(step: Step) -> tuple[Sequence[Row], Sequence[Row]]:
    """Return whose tracks and whose starts a file has."""
    if step.kind == "starts":
        return (), step.rows
    return step.rows, step.starts


def _ids(rows: Sequence[Row]) -> frozenset[int]:
    return frozenset(row.activity_id for row in rows)


def _write_features(
    job: Job, path: Path, step: Step, forced: Mapping[int, set[int]], extent: int
) -> _Notes:
    notes, zones = _Notes(), job.zones
    tracks, starts = _layers(step)
    with path.open("wb") as file:
        for row, parts in job.geometry.tracks(tracks):
            forced_zooms = forced.get(row.activity_id, ())
            text, chord_zooms = lines(
                row.drawn, parts, forced_zooms, zones, layer="tracks", extent=extent
            )
            file.write(text)
            if chord_zooms:
                notes.too_short.add(row.activity_id)
            if is_beyond_mercator(parts):
                notes.beyond_mercator.add(row.activity_id)
        unplaced = [row for row in starts if row.start_lng is None or row.start_lat is None]
        firsts = {row.activity_id: parts[0][0] for row, parts in job.geometry.tracks(unplaced)}
        for row in starts:
            lng, lat = firsts.get(row.activity_id, (row.start_lng, row.start_lat))
            position = (float(lng), float(lat))
            file.write(start(row.drawn, *position, zones, layer="starts", extent=extent))
    return notes


def make_single(
    parts: Sequence[Entry],
    folder: Path,
    workshop: Path,
    digest: str,
    should_stop: Callable[[], bool],
) -> Entry:
    """Make one file of all tiles, for sharing, that has what the parts have at every zoom.

    Its largest tile may be over the limit that the parts keep: nothing is left out for it.
    """
    held: dict[str, set[int]] = {layer: set() for layer in LAYERS}
    sports: Counter[str] = Counter()
    for entry in parts:
        if "starts" in entry["layers"]:  # every activity has one, in one file
            sports.update(entry["sports"])
        for layer in entry["layers"]:
            held[layer] |= verification.ids_at(folder / entry["file"], layer, LAYERS[layer][0])
    asked = drawing.expected(*map(frozenset, held.values()), most_tile_bytes=None)
    path = workshop / manifest.SINGLE
    merging.merge([folder / one["file"] for one in parts], path, asked.metadata, should_stop)
    facts = verification.read(path, asked)
    lost = [layer for layer in asked.layers if verification.missing(facts, asked, layer)]
    if facts.problems or lost:
        raise CheckFailed(f"{manifest.SINGLE} is not as asked: {facts.problems}, lost: {lost}")
    name, size, sha256 = manifest.adopt(path, folder, manifest.SINGLE)
    single: Entry = {
        "file": name,
        "bytes": size,
        "sha256": sha256,
        "kind": "single",
        "year": None,
        "count": len(held["tracks"] | held["starts"]),
        "days": _span([day for entry in parts for day in entry["days"]]),
        "input": digest,
    }
    _describe(single, asked, facts, sports)
    return single


def _entry(job: Job, step: Step, finished: Path, name: str) -> Entry:
    file, size, sha256 = manifest.adopt(finished, job.folder, name)
    return {
        "file": file,
        "bytes": size,
        "sha256": sha256,
        "kind": step.kind,
        "year": step.year,
        "count": len(step.shown),
        "days": _span([row.day for row in step.shown]),
        "input": step.digest,
    }


def _tiles_entry(
    job: Job,
    step: Step,
    finished: Path,
    asked: verification.Expected,
    facts: verification.Facts,
    notes: _Notes,
) -> Entry:
    stem = step.kind if step.year is None else f"tracks-{step.year}"
    if step.years is not None:
        stem = f"starts-{step.years[0]}-{step.years[1]}"
    entry = _entry(job, step, finished, f"{stem}-{{}}.pmtiles")
    if step.years is not None:
        entry["years"] = list(step.years)
    _describe(entry, asked, facts, Counter(row.sport for row in step.shown))
    entry["too_short"] = len(notes.too_short)
    entry["beyond_mercator"] = len(notes.beyond_mercator)
    return entry


def _describe(
    entry: Entry,
    asked: verification.Expected,
    facts: verification.Facts,
    sports: Mapping[str, int],
) -> None:
    entry["layers"] = list(asked.layers)
    entry["sports"] = dict(sorted(sports.items()))
    entry["bounds"] = list(facts.bounds)
    entry["min_zoom"], entry["max_zoom"] = facts.min_zoom, facts.max_zoom
    entry["tiles"] = facts.tiles
    entry["largest_tile_bytes"] = facts.largest_tile_bytes
    entry["reduced_tiles"] = facts.reduced_tiles


def _span(days: Sequence[int]) -> list[int]:
    return [min(days), max(days)] if days else []
