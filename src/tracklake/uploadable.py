"""Which activities Strava may lack: a question to the snapshot, which is closed before Strava is.

The snapshot tells which records are one activity (matching), which pairs are in doubt, and where
the files are. It may be older than the newest pull; each look at Strava's list before a file is
sent makes that harmless.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb

from tracklake import bronze, reading
from tracklake.errors import ConfigError
from tracklake.incoming import literal
from tracklake.matching import Record, links
from tracklake.session import SyncSession
from tracklake.strava.checkpoints import Checkpoints
from tracklake.strava.records import SOURCE as STRAVA
from tracklake.uploads import stage
from tracklake.uploads.candidates import (
    FEWEST_BYTES,
    MOST_BYTES,
    STILL_TO_COME,
    Basis,
    File,
    Outing,
    There,
)
from tracklake.uploads.report import UploadOptions, UploadReport
from tracklake.warehouse import sql_files

Row = Mapping[str, Any]
_ENTITIES = (
    *("activities", "activity_streams", "activity_tombstones", "original_files"),
    "match_decisions",
)
_FORMATS = ("fit", "tcx", "gpx")
_MOST_PACKED = 8  # XML packs better than this
_COMPACT_FIRST = "run `make recompact` (tracklake compact) first"


def obstacle(session: SyncSession) -> str | None:
    """Say why nothing can be decided yet; None where it can."""
    if (why := stage.obstacle(session)) is not None:
        return why
    if not session.folders.warehouse.exists():
        return f"which activities Strava lacks is known only from a warehouse: {_COMPACT_FIRST}"
    with reading.snapshot(session.folders) as connection:
        unknown = _unknown(session, connection)
    read_at = Checkpoints(session, STRAVA).read("reconciled") or ""
    if any(entity == "activities" and _is_of_list(path, read_at) for entity, path in unknown):
        return f"what was read of Strava's list is not in the warehouse yet: {_COMPACT_FIRST}"
    return None


def upload(session: SyncSession, options: UploadOptions, report: UploadReport) -> None:
    """Upload what Strava lacks; see uploads/stage.py."""
    if (why := obstacle(session)) is not None:
        raise ConfigError(why)
    stage.upload(session, basis(session), options, report)


def basis(session: SyncSession) -> Basis:
    """Ask the snapshot for all that is to be known; ConfigError where another version made it."""
    try:
        with reading.snapshot(session.folders) as connection:
            rows = _rows(session, connection, "uploads")
            doubts = _rows(session, connection, "upload_doubts")
            there = _rows(session, connection, "upload_there")
            is_behind = bool(_unknown(session, connection))
    except (duckdb.CatalogException, duckdb.BinderException):
        raise ConfigError(
            f"another version of Tracklake made the warehouse: {_COMPACT_FIRST}"
        ) from None
    kept_here = frozenset(session.settings.not_exported)
    return Basis(
        outings=[
            _outing(list(of_one), kept_here)
            for _, of_one in groupby(rows, key=itemgetter("activity_id"))
        ],
        doubts=_both_ways(doubts),
        there={row["source_id"]: _there(row) for row in there},
        deleted=[_record(row) for row in there if row["is_lost"]],
        is_behind=is_behind,
    )


def _rows(session: SyncSession, connection: duckdb.DuckDBPyConnection, name: str) -> list[Row]:
    text = sql_files("todo")[name].replace("$athlete", literal(session.athlete))
    cursor = connection.execute(text)
    columns = [column[0] for column in cursor.description or []]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


# ---- what the snapshot does not know


def _unknown(session: SyncSession, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, Path]]:
    """List the athlete's shards that matter and that the snapshot does not have yet."""
    known = {name for (name,) in connection.execute("select shard from shards").fetchall()}
    root = session.folders.bronze
    start = len(f"{root}/")
    own = f"/athlete={session.athlete}/"
    return [
        (entity, path)
        for entity in _ENTITIES
        for path in bronze.live(
            path for path in bronze.shard_paths(root, entity) if own in str(path)[start:]
        )
        if str(path)[start:] not in known and not _is_known_in_parts(path, start, known)
    ]


def _is_known_in_parts(path: Path, start: int, known: set[str]) -> bool:
    return bronze.is_rollup(path) and all(
        str(part)[start:] in known for part in bronze.replaces(path)
    )


def _is_of_list(path: Path, read_at: str) -> bool:
    """Tell whether a shard of Strava's is of the list as it was read to its end, or older."""
    is_strava = path.parts[-6 if path.name == bronze.SHARD else -5] == STRAVA
    if not is_strava or bronze.is_rollup(path):
        return is_strava
    stamp = path.parent.name.partition("-")[0]
    return stamp <= bronze.stamp(dt.datetime.fromisoformat(read_at))


# ---- one activity


def _both_ways(pairs: Iterable[Row]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for row in pairs:
        first, second = row["first_activity_id"], row["second_activity_id"]
        found[first].add(second)
        found[second].add(first)
    return {one: frozenset(others) for one, others in found.items()}


def _there(row: Row) -> There:
    return There(row["activity_id"], row["start_s"], row["elapsed_s"], row["distance_m"])


def _outing(rows: Sequence[Row], kept_here: frozenset[str]) -> Outing:
    """Make an activity of its records; of one file that several have, that counts which may go."""
    first = min(rows, key=lambda row: (row["start_s"], row["record_id"]))
    files: dict[str, File] = {}
    for row in rows:
        if row["file_sha256"]:
            file = _file(row, kept_here)
            if file.file_sha256 not in files or file.problem is None:
                files[file.file_sha256] = file
    why = _why_it_stays(rows, first)
    return Outing(
        activity_id=first["activity_id"],
        start_s=first["start_s"],
        utc_offset_s=first["utc_offset_s"] or 0.0,
        sport_type=first["sport_type"] or "",
        name=first["name"],
        records=() if first["strava_id"] else tuple(map(_record, rows)),
        files=tuple(files.values()),
        why=why or (None if files else _why_no_file(rows)),
        strava_id=first["strava_id"],
    )


def _why_it_stays(rows: Sequence[Row], first: Row) -> str | None:
    reasons = {
        "on Strava": first["is_there"],
        "deleted on Strava": first["was_there"],
        "from Strava's own archive": first["in_archive"],
        "on Strava, or was": first["strava_id"] is not None,
        "with several activities in one file": any(row["has_legs"] for row in rows),
    }
    return next((why for why, holds in reasons.items() if holds), None)


def _why_no_file(rows: Sequence[Row]) -> str:
    if any(row["still_to_come"] and not row["manual"] for row in rows):
        return STILL_TO_COME
    return "entered by hand" if all(row["manual"] for row in rows) else "without a file"


def _file(row: Row, kept_here: frozenset[str]) -> File:
    return File(
        activity_id=row["activity_id"],
        file_sha256=row["file_sha256"],
        source=row["source"],
        source_id=row["source_id"],
        location=row["location"] or "",
        file_format=row["file_format"] or "",
        sport_type=row["sport_type"] or "",
        start_s=row["start_s"],
        elapsed_s=max(row["elapsed_s"] or 0.0, 0.0),
        utc_offset_s=row["utc_offset_s"] or 0.0,
        name=row["name"],
        trainer=row["trainer"],
        points=row["points"],
        problem=_problem(row, kept_here),
    )


def _problem(row: Row, kept_here: frozenset[str]) -> str | None:
    if row["sharing"] > 1:
        return "with several activities in one file"
    if row["source"] in kept_here:
        return "of a source that TRACKLAKE_NOT_EXPORTED names"
    if row["location"] is None:
        return "without an original"
    if row["file_format"] not in _FORMATS:
        return "of a kind that Strava does not take"
    if not FEWEST_BYTES <= row["size_bytes"] <= _MOST_PACKED * MOST_BYTES:
        return "too large for Strava"
    return None


def _record(row: Row) -> Record:
    lng, lat = row["start_lng"], row["start_lat"]
    return Record(
        record_id=row["record_id"],
        source=row["source"],
        source_id=row["source_id"],
        first_ingested_s=row["first_ingested_s"],
        links=links(
            source=row["source"],
            source_id=row["source_id"],
            external_id=row["external_id"],
            strava_id=row["named_strava_id"],
            file_sha256=row["file_sha256"],
        ),
        start_s=row["start_s"],
        elapsed_s=row["elapsed_s"],
        moving_s=row["moving_s"],
        distance_m=row["distance_m"],
        sport_type=row["record_sport_type"],
        start_hidden=row["start_hidden"],
        utc_offset_s=row["utc_offset_s"],
        has_legs=row["has_legs"],
        start=None if lng is None or lat is None else (lng, lat),
    )
