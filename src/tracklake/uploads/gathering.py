"""What bronze knows: the files that are here, and when Strava has, or had, something.

It is read from bronze and not from the warehouse, so that uploading needs no compaction first.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tracklake import bronze
from tracklake.config import Folders
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash
from tracklake.intake import containers
from tracklake.strava.records import SOURCE as STRAVA
from tracklake.uploads.candidates import FEWEST_BYTES, MOST_BYTES, File, Span

Row = Mapping[str, Any]
_FORMATS = ("fit", "tcx", "gpx")
_MOST_PACKED = 8  # XML packs better than this
_COLUMNS = [
    *("source", "source_id", "ingested_at", "file_sha256", "strava_id", "external_id"),
    *("start_hidden", "start_s", "elapsed_time", "utc_offset_s", "distance", "sport_type"),
    *("leg_index", "leg_count", "trainer", "name", "file_format", "point_count"),
]


def gathered(folders: Folders, athlete: str) -> tuple[list[File], list[Span]]:
    """Return an athlete's files and the times that Strava has to do with."""
    records = _newest(_rows(folders.bronze, athlete, "activities", _COLUMNS))
    gone = _gone(folders.bronze, athlete)
    spans = [_span(row, gone) for row in records if _is_stravas(row)]
    by_file: dict[str, list[Row]] = defaultdict(list)
    for row in records:
        if row["source"] != STRAVA and row["file_sha256"]:
            by_file[row["file_sha256"]].append(row)
    originals = {
        row["file_sha256"]: row
        for row in _newest(_rows(folders.bronze, athlete, "original_files", _OF_ORIGINALS))
        if row["outcome"] == "activity"
    }
    files = [
        _file(rows, originals.get(sha256))
        for sha256, rows in by_file.items()
        if any(_is_decoded(row) for row in rows)
    ]
    return files, [span for span in spans if span is not None]


_OF_ORIGINALS = [
    *("source", "source_id", "ingested_at", "file_sha256", "size_bytes", "location", "outcome"),
]


def _rows(root: Path, athlete: str, entity: str, columns: Sequence[str]) -> Iterator[Row]:
    own = f"athlete={athlete}"
    for path in bronze.live(bronze.shard_paths(root, entity)):
        if path.relative_to(root).parts[2] == own:
            yield from pq.read_table(path, columns=list(columns), partitioning=None).to_pylist()


def _newest(rows: Iterator[Row]) -> list[Row]:
    """Keep the version of each record that landed last."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = row["source"], row["source_id"]
        if key not in found or found[key]["ingested_at"] <= row["ingested_at"]:
            found[key] = row
    return list(found.values())


def _gone(root: Path, athlete: str) -> dict[str, Any]:
    """Return when Strava's records were found deleted, by id."""
    columns = ["source", "source_id", "ingested_at"]
    rows = _newest(_rows(root, athlete, "activity_tombstones", columns))
    return {row["source_id"]: row["ingested_at"] for row in rows if row["source"] == STRAVA}


def _is_stravas(row: Row) -> bool:
    """Tell whether Strava has, or had, it: by its API, or by the archive that it gave."""
    return row["source"] == STRAVA or row["strava_id"] is not None


def _is_decoded(row: Row) -> bool:
    return row["strava_id"] is None and row["leg_index"] == 0


def _span(row: Row, gone: Mapping[str, Any]) -> Span | None:
    if row["start_s"] is None:
        return None
    strava_id = str(row["strava_id"] or row["source_id"])
    deleted = strava_id in gone and row["ingested_at"] < gone[strava_id]
    return Span(
        start_s=row["start_s"],
        elapsed_s=max(row["elapsed_time"] or 0.0, 0.0),
        distance_m=row["distance"],
        start_hidden=bool(row["start_hidden"]),
        what="deleted on Strava" if deleted else "on Strava",
        activity_id=strava_id,
    )


def _file(rows: Sequence[Row], original: Row | None) -> File:
    """Make one file of what was decoded from it, with why it is not to go."""
    outings = [row for row in rows if _is_decoded(row)]
    first = min(outings, key=lambda row: (row["start_s"], row["source_id"]))
    end_s = max(row["start_s"] + (row["elapsed_time"] or 0.0) for row in outings)
    return File(
        file_sha256=first["file_sha256"],
        source=first["source"],
        source_id=first["source_id"],
        location=original["location"] if original else "",
        file_format=first["file_format"] or "",
        sport_type=first["sport_type"] or "",
        start_s=first["start_s"],
        elapsed_s=end_s - first["start_s"],
        utc_offset_s=first["utc_offset_s"] or 0.0,
        distance_m=first["distance"],
        name=first["name"],
        trainer=bool(first["trainer"]),
        points=sum(row["point_count"] or 0 for row in outings),
        size_bytes=original["size_bytes"] if original else 0,
        problem=_problem(rows, outings, original),
    )


def _problem(rows: Sequence[Row], outings: Sequence[Row], original: Row | None) -> str | None:
    if any(row["strava_id"] is not None for row in rows):
        return "from Strava's own archive"
    if len(outings) > 1 or outings[0]["leg_count"]:
        return "with several activities in one file"
    if original is None:
        return "without an original"
    if outings[0]["file_format"] not in _FORMATS:
        return "of a kind that Strava does not take"
    if not FEWEST_BYTES <= original["size_bytes"] <= _MOST_PACKED * MOST_BYTES:
        return "too large for Strava"
    return None


def content(folders: Folders, file: File) -> bytes:
    """Return the bytes that Strava is to get, unpacked; InvalidData if they are not those."""
    path = folders.data / file.location
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidData(f"{path}: {error.strerror}", reason="unreadable") from None
    if data.startswith(b"\x1f\x8b\x08"):
        data = containers.gunzip(data)[0]
    if bytes_hash(data) != file.file_sha256:
        message = f"{path} is not what it was (`tracklake doctor --deep` says more)"
        raise InvalidData(message, reason="damaged")
    return data
