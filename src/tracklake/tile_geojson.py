"""GeoJSON for everyone else: one Feature a line, gzipped, the same bytes for the same rows."""

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import orjson

from tracklake.model import FloatArray
from tracklake.tile_rows import Row

INDEX_FIELDS = ("name", "sport_type", "date", "distance_m", "moving_time_s", "day", "year")


def write(path: Path, rows: Iterable[tuple[Row, Sequence[FloatArray]]]) -> None:
    """Write GeoJSON lines (RFC 7946 Features, RFC 8142 without its separators), gzipped."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as packed,
    ):
        for row, parts in rows:
            packed.write(feature(row, parts))


def write_index(path: Path, rows: Iterable[Row]) -> None:
    """Write what a map shows of an activity beyond its line, as JSON keyed by the id in the tiles.

    `date` is the local start, `day` its day since 1970, `year` the UTC year whose file has it.
    """
    activities = {str(row.activity_id): (*row.shown, row.day, row.year) for row in rows}
    path.write_bytes(orjson.dumps({"fields": INDEX_FIELDS, "activities": activities}))


def feature(row: Row, parts: Sequence[FloatArray]) -> bytes:
    """Return one GeoJSON line; parts are arrays (n, 2) of lng, lat degrees."""
    name, sport, date, distance_m, moving_time_s = row.shown
    rounded = [np.round(part, 6) for part in parts]
    lines = [part.tolist() for part in rounded]
    single = len(lines) == 1
    return orjson.dumps(
        {
            "type": "Feature",
            "id": row.activity_id,
            "bbox": bbox(rounded),
            "geometry": {
                "type": "LineString" if single else "MultiLineString",
                "coordinates": lines[0] if single else lines,
            },
            "properties": {
                "id": row.activity_id,
                "name": name,
                "sport_type": sport,
                "date": date,
                "distance_m": distance_m,
                "moving_time_s": moving_time_s,
            },
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def bbox(parts: Sequence[FloatArray]) -> list[float]:
    """Return west, south, east, north: the narrowest box; west > east across the antimeridian.

    RFC 7946 section 5.2. Of parts that are cut at the antimeridian the widest gap between their
    longitude intervals is what the box leaves out.
    """
    spans = sorted((float(part[:, 0].min()), float(part[:, 0].max())) for part in parts)
    south = min(float(part[:, 1].min()) for part in parts)
    north = max(float(part[:, 1].max()) for part in parts)
    west, east = spans[0][0], max(span[1] for span in spans)
    widest, reached = west + 360 - east, spans[0][1]
    for low, high in spans[1:]:
        if low - reached > widest:
            widest, west, east = low - reached, low, reached
        reached = max(reached, high)
    return [west, south, east, north]
