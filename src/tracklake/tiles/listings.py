"""What stands beside the tiles: GeoJSON for everyone else, an index, a calendar.

The same rows give the same bytes.
"""

import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import orjson

from tracklake.analysis import tracks
from tracklake.errors import CheckFailed
from tracklake.model import FloatArray
from tracklake.tiles.rows import Row

_GZIP_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"  # no name, no time, no system
_LAST_BLOCK = b"\x03\x00"  # an empty one (RFC 1951), which says that no other follows
_LEVEL = 5  # 6, the usual one, takes 1.4 times as long to save 0.6 %
_END_BYTES = len(_LAST_BLOCK) + 8

INDEX_FIELDS = ("name", "sport_type", "date", "distance_m", "moving_time_s", "day", "year")


def write_geojson(
    path: Path, rows: Iterable[tuple[Row, Sequence[FloatArray]]], *, after: Path | None = None
) -> None:
    """Write GeoJSON lines (RFC 7946 Features, RFC 8142 without its separators), gzipped.

    after: a file that this function wrote, whose lines come first. Each line is packed by itself
    into one common gzip member, so that adding some does not mean packing all again, and gives the
    same bytes. Raises CheckFailed if `after` is no such file.
    """
    packed, crc, size = (b"", 0, 0) if after is None else _opened(after)
    with path.open("wb") as file:
        file.write(_GZIP_HEADER + packed)
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        for row, parts in rows:
            line = _feature(row, parts) + b"\n"
            file.write(packer.compress(line) + packer.flush(zlib.Z_FULL_FLUSH))
            crc, size = zlib.crc32(line, crc), size + len(line)
        file.write(_LAST_BLOCK + struct.pack("<II", crc, size % 2**32))


def _opened(path: Path) -> tuple[bytes, int, int]:
    """Return the packed lines of a file, their checksum and their length (RFC 1952)."""
    content = path.read_bytes()
    packed, trailer = content[len(_GZIP_HEADER) : -_END_BYTES], content[-_END_BYTES:]
    is_ours = content.startswith(_GZIP_HEADER) and trailer.startswith(_LAST_BLOCK)
    if not is_ours or len(content) < len(_GZIP_HEADER) + _END_BYTES:
        raise CheckFailed(f"{path} is not a file of GeoJSON lines of ours")
    crc, size = struct.unpack("<II", trailer[len(_LAST_BLOCK) :])
    return packed, crc, size


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
