"""What stands beside the tiles: GeoJSON for everyone else, an index, a calendar.

The same rows give the same bytes.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import orjson

from tracklake.analysis import tracks
from tracklake.model import FloatArray
from tracklake.tiles.rows import Row

INDEX_FIELDS = ("name", "sport_type", "date", "distance_m", "moving_time_s", "day", "year")


def write_geojson(path: Path, rows: Iterable[tuple[Row, Sequence[FloatArray]]]) -> None:
    """Write GeoJSON lines (RFC 7946 Features, RFC 8142 without its separators), gzipped."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as packed,
    ):
        for row, parts in rows:
            packed.write(_feature(row, parts) + b"\n")


def write_index(path: Path, rows: Iterable[Row]) -> None:
    """Write what a map shows of an activity beyond its line, as JSON keyed by the id in the tiles.

    `date` is the local start, `day` its day since 1970, `year` the UTC year whose file has it.
    """
    activities = {str(row.activity_id): (*row.shown, row.day, row.year) for row in rows}
    path.write_bytes(orjson.dumps({"fields": INDEX_FIELDS, "activities": activities}))


def write_calendar(path: Path, rows: Iterable[Row]) -> None:
    """Write how many activities of which sport each local day has: enough to filter and to count.

    `days` are [days since 1970, index into `sports`, count], ascending.
    """
    counts = Counter((row.day, row.sport) for row in rows)
    sports = sorted({sport for _, sport in counts})
    days = [(day, sports.index(sport), count) for (day, sport), count in sorted(counts.items())]
    path.write_bytes(orjson.dumps({"sports": sports, "days": days}))


def _feature(row: Row, parts: Sequence[FloatArray]) -> bytes:
    name, sport_type, date, distance_m, moving_time_s = row.shown
    return tracks.feature(
        row.activity_id,
        parts,
        id=row.activity_id,
        name=name,
        sport_type=sport_type,
        date=date,
        distance_m=distance_m,
        moving_time_s=moving_time_s,
    )
