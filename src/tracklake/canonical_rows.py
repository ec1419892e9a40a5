"""What matching wants to know of gold's records, fetched from DuckDB."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar, cast, overload

import duckdb

from tracklake import matching
from tracklake.analysis import tracks
from tracklake.incoming import literal
from tracklake.matching import Decision, Record, Wanted
from tracklake.matching.records import Position

T = TypeVar("T")
_LINE_POINTS = 60  # enough to tell ways apart
_COLUMNS = (
    "record_id, source, source_id, external_id, strava_id, file_sha256, first_ingested_us, "
    "start_s, elapsed_time, moving_time, distance, sport_type, start_hidden, utc_offset_s, "
    "zone_known, has_legs, leg_index, polyline, start_lat, start_lng, is_stub, is_gone"
)
_KEY_COLUMNS = 6  # the first ones: who it is, and what it names


class Gone(Record):
    """A record that was deleted at its source: it stays in its group and takes nobody's place.

    So an activity keeps its id, and what was uploaded anew in place of a record joins it.
    """

    __slots__ = ()

    @property
    def service(self) -> str:
        """Another one than that of the records that are there."""
        return f"{'strava' if self.source_id != self.service_id else self.source}, deleted"


class Near:
    """Fetches records of one athlete, each once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, athlete: str) -> None:
        self._connection = connection
        self._athlete = athlete
        self._fetched: dict[int, Record] = {}

    def __call__(self, wanted: Wanted) -> list[Record]:
        """Return what is wanted, and perhaps more."""
        parts = []
        if wanted.links:
            parts.append(
                "select record_id from record_links "  # noqa: S608 quoted
                f"where link in (select unnest({texts(wanted.links)}))"
            )
        if wanted.spans:
            parts.append(self._within(wanted.spans))
        if wanted.names:
            parts.append(
                "select record_id from records "  # noqa: S608 quoted
                f"where source || '/' || source_id in (select unnest({texts(wanted.names)}))"
            )
        if not parts:
            return []
        rows = self._connection.execute(" union ".join(parts)).fetchall()
        return self.fetch(number for (number,) in rows)

    def _within(self, spans: Sequence[tuple[float, float]]) -> str:
        firsts, lasts = (
            texts(round(moment_s * 1e6) for moment_s in moments)
            for moments in zip(*spans, strict=True)
        )
        return (
            "select r.record_id from records as r inner join ("  # noqa: S608 numbers, quoted
            f"  select unnest({firsts})::bigint as first_us, unnest({lasts})::bigint as last_us"
            ") as s on epoch_us(r.start_date) between s.first_us and s.last_us "
            f"where epoch_us(r.start_date) between {round(spans[0][0] * 1e6)} "
            f"and {round(spans[-1][1] * 1e6)} and r.athlete = {literal(self._athlete)}"
        )

    def fetch(self, numbers: Iterable[int]) -> list[Record]:
        """Return the athlete's records of these ids."""
        wanted = list(numbers)
        unknown = [number for number in wanted if number not in self._fetched]
        if unknown:
            self._connection.execute(
                "create or replace temp table wanted as "
                f"select unnest({texts(unknown)})::bigint as record_id"
            )
            rows = self._connection.execute(
                f"select {_COLUMNS} from matching_inputs where athlete = {literal(self._athlete)}"  # noqa: S608 our own names, quoted
            ).fetchall()
            self._fetched |= {row[0]: _record(row) for row in rows}
        return [self._fetched[number] for number in wanted if number in self._fetched]


def former(
    connection: duckdb.DuckDBPyConnection, athlete: str, numbers: Iterable[int]
) -> list[Record]:
    """Return an athlete's records of these ids as they were before this batch."""
    rows = connection.execute(
        f"select {_COLUMNS} from ghosts where athlete = {literal(athlete)} "  # noqa: S608 quoted
        f"and record_id in (select unnest({texts(numbers)})::bigint)"
    ).fetchall()
    return [_record(row) for row in rows]


def keys(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    """Return the keys of the records that `unsettled` names, but those that nobody else tells."""
    columns = ", ".join(_COLUMNS.split(", ")[:_KEY_COLUMNS])
    connection.execute("create or replace temp table wanted as from unsettled")
    rows = connection.execute(f"select {columns} from matching_inputs").fetchall()  # noqa: S608 our own names
    return [
        (row[0], link)
        for row in rows
        for link in sorted(_links(row))
        if row[1] in ("strava", "garmin") or link != f"{row[1]}:{row[2]}"
    ]


def decisions(connection: duckdb.DuckDBPyConnection, athlete: str) -> list[Decision]:
    """Return what an athlete decided."""
    rows = connection.execute(
        "select kind, first_record, second_record, epoch_us(decided_at) / 1e6 "  # noqa: S608 quoted
        f"from match_decisions where athlete = {literal(athlete)}"
    ).fetchall()
    return [Decision(kind, first, second, at_s) for kind, first, second, at_s in rows]


def _record(row: Sequence[Any]) -> Record:
    """Make what matching wants of a row of `_COLUMNS`."""
    latitude, longitude = row[18:20]
    has_place = latitude is not None and longitude is not None
    is_gone, is_strava = row[21], row[1] == "strava"
    return (Gone if is_gone else Record)(
        record_id=row[0],
        source=row[1],
        source_id=row[2],
        # Among those that landed at once the order of sources counts, which `Gone` has no part in.
        first_ingested_s=row[6] - (1 + is_strava if is_gone else 0),
        links=_links(row),
        start_s=row[7],
        elapsed_s=row[8],
        moving_s=row[9],
        distance_m=row[10],
        sport_type=row[11],
        start_hidden=row[12],
        utc_offset_s=row[13],
        zone_known=row[14],
        has_legs=row[15],
        leg_index=row[16],
        line=cast("tuple[Position, ...]", _Line(row[17])) if row[17] else (),
        start=(longitude, latitude) if has_place else None,
        is_stub=row[20],
    )


def _links(row: Sequence[Any]) -> frozenset[str]:
    return matching.links(
        source=row[1],
        source_id=row[2],
        external_id=row[3],
        strava_id=row[4],
        file_sha256=row[5],
    )


class _Line(Sequence[Position]):
    """A polyline, decoded when somebody looks at it, which is rare; a damaged one is empty."""

    def __init__(self, text: str) -> None:
        self._text = text

    @functools.cached_property
    def _points(self) -> list[Position]:
        try:
            line = tracks.decode_polyline(self._text)
        except ValueError:
            return []
        step = max(1, len(line) // _LINE_POINTS)
        thinned = [*line[::step].tolist(), line[-1].tolist()]
        return [(lng, lat) for lng, lat in thinned]

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._points)

    @overload
    def __getitem__(self, index: int) -> Position: ...
    @overload
    def __getitem__(self, index: slice) -> list[Position]: ...
    def __getitem__(self, index: int | slice) -> Position | list[Position]:
        return self._points[index]


def texts(values: Iterable[object]) -> str:
    """Write a list in SQL as one literal, which costs DuckDB far less than one each."""
    text = "\n".join(map(str, values))
    return f"string_split({literal(text)}, chr(10))" if text else "[]::varchar[]"


def batched(values: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Yield some at a time."""
    rest = iter(values)
    while some := tuple(islice(rest, size)):
        yield some
