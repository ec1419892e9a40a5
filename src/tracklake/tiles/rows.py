"""What the tiles are made of, as the warehouse has it."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import duckdb
import numpy as np
import orjson
import shapely

from tracklake.model import FloatArray
from tracklake.tiles.features import Drawn
from tracklake.warehouse import sql_files

# Part of every digest: raise it when the same rows are to be drawn differently.
SCHEME = 2

_AT_ONCE = 3000  # tracks read by one query: some 20 MB


@dataclass(frozen=True, slots=True)
class Row:
    """One activity with a place on the map; the order is that of sql/todo/tile_activities.sql."""

    activity_id: int
    year: int  # of the start, UTC
    sport: str
    day: int  # days since 1970 on the athlete's calendar
    start_date_local: dt.datetime
    name: str | None
    distance_m: float | None
    moving_time_s: float | None
    start_lng: float | None  # degrees; None where only the track knows it
    start_lat: float | None
    track_hash: str | None  # None: a start but no track

    @property
    def drawn(self) -> Drawn:
        """What the tiles say of it."""
        return Drawn(self.activity_id, self.sport, self.day)

    @property
    def shown(self) -> tuple[str | None, str, str, float | None, float | None]:
        """What a person reads of it: name, sport type, local start, metres, seconds."""
        start = self.start_date_local.isoformat(timespec="seconds")
        return self.name, self.sport, start, self.distance_m, self.moving_time_s


def fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """Say in a few signs what everything that is drawn comes from, without reading geometry.

    Equal for equal warehouses; differs, but for one chance in 2^64, when anything differs.
    """
    (facts,) = connection.execute(sql_files("todo")["tile_fingerprint"]).fetchall()
    return " ".join(map(str, (SCHEME, *facts)))


def activities(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return every activity that has a track or a start position, oldest first."""
    return [
        Row(*values)
        for values in connection.execute(sql_files("todo")["tile_activities"]).fetchall()
    ]


def tracks(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[Row]
) -> Iterator[tuple[Row, list[FloatArray]]]:
    """Yield the tracks of those rows that have one, in their order.

    A part is an array (n, 2) of lng, lat degrees.
    """
    tracked = [row for row in rows if row.track_hash is not None]
    query = sql_files("todo")["tile_tracks"]
    for first in range(0, len(tracked), _AT_ONCE):
        some = tracked[first : first + _AT_ONCE]
        ids = ", ".join(str(int(row.activity_id)) for row in some)
        found = dict(connection.execute(query.replace("$ids", ids)).fetchall())
        yield from zip(some, _parts([found[row.activity_id] for row in some]), strict=True)


def unplaced_starts(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[Row]
) -> Mapping[int, tuple[float, float]]:
    """Return the first position (lng, lat) of those tracks whose activity has no start position."""
    unplaced = [row for row in rows if row.start_lng is None or row.start_lat is None]
    firsts = ((row.activity_id, parts[0][0]) for row, parts in tracks(connection, unplaced))
    return {activity_id: (float(first[0]), float(first[1])) for activity_id, first in firsts}


def tiles_digest(rows: Iterable[Row]) -> str:
    """Digest what a year's tiles are drawn from: a new name alone does not redraw them."""
    return _digest((row.activity_id, row.sport, row.day, row.track_hash) for row in rows)


def geojson_digest(rows: Iterable[Row]) -> str:
    """Digest what a year's GeoJSON is written from."""
    return _digest((row.activity_id, row.shown, row.track_hash) for row in rows)


def starts_digest(rows: Iterable[Row]) -> str:
    """Digest what the start points are drawn from."""
    return _digest(
        (
            *(row.activity_id, row.sport, row.day, row.start_lng, row.start_lat),
            row.track_hash if row.start_lng is None else None,
        )
        for row in rows
    )


def overlay_digest(tracks: Iterable[Row], starts: Iterable[Row]) -> str:
    """Digest what the recent overlay is drawn from."""
    return tiles_digest(tracks) + starts_digest(starts)


def index_digest(rows: Iterable[Row]) -> str:
    """Digest what the index is written from."""
    return _digest((row.activity_id, row.year, row.day, row.shown) for row in rows)


def calendar_digest(rows: Iterable[Row]) -> str:
    """Digest what the calendar is written from."""
    return _digest((row.day, row.sport) for row in rows)


def _digest(facts: Iterable[object]) -> str:
    return hashlib.sha256(orjson.dumps([SCHEME, list(facts)])).hexdigest()


def _parts(wkb: Sequence[bytes]) -> Iterator[list[FloatArray]]:
    """Yield the parts of each geometry; all are read in one go."""
    parts, owners = shapely.get_parts(shapely.from_wkb(list(wkb)), return_index=True)
    positions, part_of = shapely.get_coordinates(parts, return_index=True)
    ends = np.searchsorted(part_of, np.arange(1, len(parts)))
    lines = np.split(positions, ends)
    firsts = np.searchsorted(owners, np.arange(len(wkb) + 1))
    for first, end in pairwise(firsts.tolist()):
        yield lines[first:end]
