"""Which files a set of tiles consists of, and which of them have to be drawn.

A year's tracks are a file, a few years' starts are a file. What is new since they were drawn goes
into one small overlay, `recent`, until that has more than a month's worth; then it is folded into
the files it belongs to. What was edited or deleted has its file drawn again, and only that.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from tracklake.tiles import rows as tile_rows
from tracklake.tiles.manifest import Entry
from tracklake.tiles.rows import Row

RECENT_MOST = 32  # activities in the overlay: it is drawn whole by each run that adds to it
# All starts of a file lie in the one tile of zoom 0; about 80,000 would no longer fit.
STARTS_PER_FILE = 5000


class Shelf(Protocol):
    """The files that are there."""

    @property
    def entries(self) -> Sequence[Entry]:
        """What the manifest names."""

    def is_whole(self, entry: Entry) -> bool:
        """Say whether the file of an entry is there as it was written."""

    def ids(self, entry: Entry) -> frozenset[int] | None:
        """Return the activities that a file of tiles shows; None if it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One file of the set.

    kept: its entry where the file that is there will do. extended: the entry of a file that has the
    first of the rows and need only be gone on with. starts: of the overlay, which has both layers;
    `rows` are then its tracks.
    """

    kind: str
    year: int | None = None
    years: tuple[int, int] | None = None  # of starts: the first year and the last
    rows: Sequence[Row]
    starts: Sequence[Row] = ()
    digest: str
    kept: Entry | None = None
    extended: Entry | None = None

    @property
    def geometry(self) -> Sequence[Row]:
        """The activities whose geometry is needed to make the file."""
        if self.kept is not None or self.kind in ("index", "calendar"):
            return ()
        if self.kind == "starts":
            return [row for row in self.rows if row.start_lng is None or row.start_lat is None]
        return self.rows if self.extended is None else self.rows[self.extended["count"] :]

    @property
    def shown(self) -> Sequence[Row]:
        """Each activity that the file shows, once, whichever layer it is in."""
        return list({row.activity_id: row for row in (*self.rows, *self.starts)}.values())

    @property
    def label(self) -> str:
        """What a person reads while it is made."""
        return self.kind if self.year is None else f"{self.kind} {self.year}"


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows that belong into one file: those that it holds, and those left to the overlay.

    kept: its entry if it need not be drawn.
    """

    kind: str
    year: int  # the first
    rows: list[Row]
    digest: Callable[[Iterable[Row]], str]
    held: Sequence[Row]
    added: Sequence[Row] = ()
    kept: Entry | None = None

    def overlaps(self, entry: Entry) -> bool:
        """Say whether a file of this kind is about any of the same years."""
        year = entry["year"]
        years = entry.get("years") or ([] if year is None else [year])
        if entry["kind"] != self.kind or not years:
            return False
        return years[0] <= self.rows[-1].year and years[-1] >= self.year


def plan(rows: Sequence[Row], shelf: Shelf) -> list[Step]:
    """Return the files that show `rows` (oldest first), given those of before.

    The overlay is used from the second time on.
    """
    tracked = [row for row in rows if row.track_hash is not None]
    years = [
        _compared(_group("year", list(some), tile_rows.tiles_digest), shelf)
        for _, some in groupby(tracked, key=lambda row: row.year)
    ]
    decks = [
        _compared(_group("starts", some, tile_rows.starts_digest), shelf) for some in _decks(rows)
    ]
    is_first = not any(entry["kind"] in ("year", "starts") for entry in shelf.entries)
    if is_first or len(_ids([*_added(years), *_added(decks)])) > RECENT_MOST:
        years, decks = (list(map(_folded, groups)) for groups in (years, decks))
    return [
        *(step for group in years for step in _of_year(group, shelf)),
        *(_base(group) for group in decks if group.held),
        *_overlay(_added(years), _added(decks), shelf),
        _listing("index", rows, tile_rows.index_digest(rows), shelf),
        _listing("calendar", rows, tile_rows.calendar_digest(rows), shelf),
    ]


def _group(kind: str, rows: list[Row], digest: Callable[[Iterable[Row]], str]) -> _Group:
    return _Group(kind, rows[0].year, rows, digest, held=rows)


def _decks(rows: Sequence[Row]) -> list[list[Row]]:
    """Deal whole years into few files, from the oldest, so that a new activity changes the last."""
    decks: list[list[Row]] = []
    for _, group in groupby(rows, key=lambda row: row.year):
        of_year = list(group)
        if decks and len(decks[-1]) + len(of_year) <= STARTS_PER_FILE:
            decks[-1] += of_year
        else:
            decks.append(of_year)
    return decks


def _compared(group: _Group, shelf: Shelf) -> _Group:
    """Find the file of a group and what it lacks; where none will do, all is to be drawn."""
    entry = next((one for one in shelf.entries if _key(one) == (group.kind, group.year)), None)
    if entry is None:
        is_new = not any(map(group.overlaps, shelf.entries))
        return replace(group, held=(), added=group.rows) if is_new else group
    if not shelf.is_whole(entry):
        return group
    if entry["input"] == group.digest(group.rows):
        return replace(group, kept=entry)
    ids = shelf.ids(entry) or frozenset()
    held = [row for row in group.rows if row.activity_id in ids]
    if entry["input"] != group.digest(held):
        return group
    added = [row for row in group.rows if row.activity_id not in ids]
    return replace(group, kept=entry, held=held, added=added)


def _key(entry: Entry) -> tuple[str, int | None]:
    return entry["kind"], entry["years"][0] if "years" in entry else entry["year"]


def _folded(group: _Group) -> _Group:
    return replace(group, kept=None, held=group.rows, added=()) if group.added else group


def _added(groups: Iterable[_Group]) -> list[Row]:
    return [row for group in groups for row in group.added]


def _ids(rows: Iterable[Row]) -> frozenset[int]:
    return frozenset(row.activity_id for row in rows)


def _base(group: _Group) -> Step:
    is_year = group.kind == "year"
    return Step(
        kind=group.kind,
        year=group.year if is_year else None,
        years=None if is_year else (group.year, group.held[-1].year),
        rows=group.held,
        digest=group.digest(group.held),
        kept=group.kept,
    )


def _of_year(group: _Group, shelf: Shelf) -> list[Step]:
    """Return the files of a year one after the other: they need the same geometry."""
    return [*([_base(group)] if group.held else []), _geojson(group, shelf)]


def _geojson(group: _Group, shelf: Shelf) -> Step:
    step = _listing("geojson", group.rows, tile_rows.geojson_digest(group.rows), shelf, group.year)
    if step.kept is not None:
        return step
    for entry in shelf.entries:
        first = group.rows[: entry["count"]]
        if (
            _key(entry) == ("geojson", group.year)
            and entry["input"] == tile_rows.geojson_digest(first)
            and shelf.is_whole(entry)
        ):
            return replace(step, extended=entry)
    return step


def _overlay(tracks: list[Row], starts: list[Row], shelf: Shelf) -> list[Step]:
    if not tracks and not starts:
        return []
    digest = tile_rows.overlay_digest(tracks, starts)
    step = _listing("recent", tracks, digest, shelf)
    return [replace(step, starts=starts)]


def _listing(
    kind: str, rows: Sequence[Row], digest: str, shelf: Shelf, year: int | None = None
) -> Step:
    """Take the file made from the same input, if it is there, or have it made."""
    kept = (
        entry
        for entry in shelf.entries
        if (*_key(entry), entry["input"]) == (kind, year, digest) and shelf.is_whole(entry)
    )
    return Step(kind=kind, year=year, rows=rows, digest=digest, kept=next(kept, None))
