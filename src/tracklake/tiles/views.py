"""What a set of tiles shows: everything, or what privacy leaves of it."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import duckdb

from tracklake.analysis import tracks as lines
from tracklake.model import FloatArray
from tracklake.state import State
from tracklake.tiles import privacy
from tracklake.tiles import rows as tile_rows
from tracklake.tiles.privacy import Privacy, Zone
from tracklake.tiles.rows import Row

Tracked = tuple[Row, list[FloatArray]]


class View(Protocol):
    """The activities of a set and their geometry."""

    @property
    def zones(self) -> tuple[Zone, ...]:
        """Where nothing may be drawn."""

    def fingerprint(self) -> str:
        """Say in a few signs what all of it comes from; without reading geometry."""

    def rows(self) -> list[Row]:
        """Return what is shown, oldest first."""

    def tracks(self, rows: Sequence[Row]) -> Iterator[Tracked]:
        """Yield the geometry of those of the rows that have one, in their order."""


class Everything:
    """The set for oneself."""

    zones: tuple[Zone, ...] = ()

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def fingerprint(self) -> str:
        """See View."""
        return tile_rows.fingerprint(self._connection)

    def rows(self) -> list[Row]:
        """See View."""
        return tile_rows.activities(self._connection)

    def tracks(self, rows: Sequence[Row]) -> Iterator[Tracked]:
        """See View."""
        return tile_rows.tracks(self._connection, rows)


@dataclass(frozen=True, slots=True)
class _Outline:
    """A whole track: its box (west, south, east, north) and its first point, in degrees."""

    bounds: tuple[float, float, float, float]
    start: tuple[float, float]


class Public:
    """The set for others: without what lies in a zone, and without the ends of each track.

    An activity of which nothing is left is not in it, nor one that has a start in a zone and no
    track. What was found out about a track is kept (by the hash of its geometry and the zones it
    touches), so that a run reads the geometry of what is new.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, state: State, hidden: Privacy
    ) -> None:
        self._connection = connection
        self._state = state
        self._hidden = hidden
        self._row_of: dict[int, Row] = {}  # as the warehouse has them

    @property
    def zones(self) -> tuple[Zone, ...]:
        """See View."""
        return self._hidden.zones

    def fingerprint(self) -> str:
        """See View."""
        return f"{tile_rows.fingerprint(self._connection)} {sign_of(self._hidden)}"

    def rows(self) -> list[Row]:
        """See View."""
        found = tile_rows.activities(self._connection)
        self._row_of = {row.activity_id: row for row in found}
        outlines = self._outlines(found)
        signs = {
            row.track_hash: self._sign_of(outlines[row.track_hash])
            for row in found
            if row.track_hash is not None
        }
        starts = self._visible_starts(found, outlines, signs)
        shown = []
        for row in found:
            if row.track_hash is None:
                if self._shows_start(row):
                    shown.append(row)
                continue
            sign = signs[row.track_hash]
            start = starts[row.track_hash, sign]
            if start is not None:
                known = _sign(row.track_hash + sign) if sign else row.track_hash
                lng, lat = start
                shown.append(replace(row, track_hash=known, start_lng=lng, start_lat=lat))
        return shown

    def tracks(self, rows: Sequence[Row]) -> Iterator[Tracked]:
        """See View; `rows` are such as `rows()` gave."""
        wanted = {row.activity_id: row for row in rows}
        whole = [self._row_of[row.activity_id] for row in rows]
        for row, parts in tile_rows.tracks(self._connection, whole):
            yield wanted[row.activity_id], privacy.visible(parts, self._hidden)

    def _shows_start(self, row: Row) -> bool:
        """Say whether the start of an activity without a track may be shown; a cut end may not."""
        if self._hidden.cut_m > 0 or row.start_lng is None or row.start_lat is None:
            return False
        return not privacy.hides(row.start_lng, row.start_lat, self._hidden)

    def _sign_of(self, outline: _Outline) -> str:
        """Return a sign of what privacy takes from a track; empty if nothing."""
        touching = privacy.touching(outline.bounds, self._hidden.zones)
        if not touching and self._hidden.cut_m == 0:
            return ""
        return sign_of(replace(self._hidden, zones=touching))

    def _outlines(self, rows: Sequence[Row]) -> Mapping[str, _Outline]:
        known = {
            str(found[0]): _Outline(_bounds(found[1:5]), _position(found[5:7]))
            for found in self._state.execute("select * from track_outlines")
        }
        unknown = [row for row in rows if row.track_hash and row.track_hash not in known]
        fresh = {
            str(row.track_hash): _Outline(lines.bounds(parts), _position(parts[0][0].tolist()))
            for row, parts in tile_rows.tracks(self._connection, unknown)
        }
        with self._state.transaction():
            for track_hash, outline in fresh.items():
                self._state.execute(
                    "insert or replace into track_outlines values (?, ?, ?, ?, ?, ?, ?)",
                    (track_hash, *outline.bounds, *outline.start),
                )
        return known | fresh

    def _visible_starts(
        self, rows: Sequence[Row], outlines: Mapping[str, _Outline], signs: Mapping[str, str]
    ) -> Mapping[tuple[str, str], tuple[float, float] | None]:
        """Return where what is left of each track begins, None if nothing is left of it."""
        known: dict[tuple[str, str], tuple[float, float] | None] = {
            (track_hash, ""): outlines[track_hash].start
            for track_hash, sign in signs.items()
            if not sign
        }
        for track_hash, sign, lng, lat in self._state.execute("select * from visible_starts"):
            known[str(track_hash), str(sign)] = None if lng is None else _position((lng, lat))
        unknown = [
            row
            for row in rows
            if row.track_hash and (row.track_hash, signs[row.track_hash]) not in known
        ]
        with self._state.transaction():
            for row, parts in tile_rows.tracks(self._connection, unknown):
                key = (str(row.track_hash), signs[str(row.track_hash)])
                left = privacy.visible(parts, self._hidden)
                known[key] = start = _position(left[0][0].tolist()) if left else None
                self._state.execute(
                    "insert or replace into visible_starts values (?, ?, ?, ?)",
                    (*key, *(start or (None, None))),
                )
        return known


def sign_of(hidden: Privacy) -> str:
    """Return a few signs that differ where something else is hidden; not for others to see."""
    return _sign(repr(hidden))


def _sign(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _position(values: Sequence[object]) -> tuple[float, float]:
    lng, lat = (float(str(value)) for value in values)
    return lng, lat


def _bounds(values: Sequence[object]) -> tuple[float, float, float, float]:
    west, south, east, north = (float(str(value)) for value in values)
    return west, south, east, north
