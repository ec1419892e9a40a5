"""What the `files` source remembers: files seen, contents decoded, export records landed.

It lives in the state database; what it says of contents and records is made anew from bronze when
that database is new, so that nothing is decoded twice.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from tracklake import bronze, code_versions, quarantine, sound_files
from tracklake.intake.finding import Candidate
from tracklake.intake.looking import DECODER_VERSION, Looked
from tracklake.intake.originals import Job, Landed, is_kept
from tracklake.intake.rows import SOURCE
from tracklake.session import SyncSession
from tracklake.state import State


class Seen(NamedTuple):
    """A file as it was when it was last dealt with."""

    size_bytes: int
    modified_ns: int
    decoder_version: str
    file_sha256: str | None

    def is_now(self, candidate: Candidate) -> bool:
        """Tell whether the file is still that one, and was dealt with by this version."""
        now = (candidate.size_bytes, candidate.modified_ns, DECODER_VERSION)
        return self[:3] == now


def ensure(session: SyncSession) -> None:
    """Fill a new state database from bronze."""
    fact = f"files_index:{session.athlete}"
    if session.state.execute("select 1 from facts where name = ?", (fact,)):
        return
    with session.state.transaction():
        for row in _newest(session, "original_files"):
            _recall(session, row)
        for entity, prefix in (("activities", "strava-export/"), ("gear", "")):
            rows = _newest(session, entity)
            known = ((str(row["source_id"]), str(row["content_hash"])) for row in rows)
            remember_landed(session, entity, (pair for pair in known if pair[0].startswith(prefix)))
        session.state.execute("insert into facts values (?, ?)", (fact, session.now_text()))


def _newest(session: SyncSession, entity: str) -> Iterable[dict[str, object]]:
    """Read the newest landed row of each source id."""
    newest: dict[object, dict[str, object]] = {}
    columns = ["source_id", "ingested_at", "content_hash"]
    if entity == "original_files":
        columns += ["file_sha256", "outcome", "decoder_version", "location", "seen_as", "message"]
        columns += ["size_bytes"]
    own = f"athlete={session.athlete}"
    for path in bronze.shard_paths(session.folders.bronze, entity):
        is_own = own in path.parts and SOURCE in path.parts
        if is_own and sound_files.damage(path) is None:  # compaction sets what is damaged aside
            for row in pq.read_table(path, columns=columns).to_pylist():
                kept = newest.get(row["source_id"])
                if kept is None or kept["ingested_at"] <= row["ingested_at"]:
                    newest[row["source_id"]] = row
    return newest.values()


def _recall(session: SyncSession, row: dict[str, object]) -> None:
    outcome = row["outcome"]
    if outcome == "activity" and row["message"]:
        outcome = "salvaged"
    session.state.execute(
        "insert or replace into decoded values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(session.athlete, row["file_sha256"], row["source_id"], outcome),
            *(row["decoder_version"], row["location"], row["seen_as"], row["size_bytes"]),
        ),
    )
    if outcome == "quarantined":
        item = quarantine.Item(
            item_id=str(row["file_sha256"]),
            source=SOURCE,
            item=str(row["seen_as"]),
            reason="recalled",
            message=str(row["message"]),
            location=str(row["location"]),
            read_as=code_versions.FILES,
        )
        quarantine.set_aside(session, item)


def seen(state: State, athlete: str) -> dict[bytes, Seen]:
    """Return every file that was dealt with, by its key."""
    rows = state.execute(
        "select path, size_bytes, modified_ns, decoder_version, file_sha256 from seen_files "
        "where athlete = ?",
        (athlete,),
    )
    return {bytes(path): Seen(*rest) for path, *rest in rows}  # type: ignore[arg-type, call-overload] # the table's types


def remember_seen(session: SyncSession, candidate: Candidate, file_sha256: str | None) -> None:
    """Note that a file was dealt with."""
    session.state.execute(
        "insert or replace into seen_files values (?, ?, ?, ?, ?, ?)",
        (
            *(session.athlete, candidate.key, candidate.size_bytes, candidate.modified_ns),
            *(DECODER_VERSION, file_sha256),
        ),
    )


def remember_decoded(session: SyncSession, looked: Looked) -> None:
    """Note what came of a content."""
    salvaged = looked.outcome == "activity" and looked.message is not None
    session.state.execute(
        "insert or replace into decoded values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(session.athlete, looked.file_sha256, looked.sha256),
            "salvaged" if salvaged else looked.outcome,
            *(DECODER_VERSION, looked.location, looked.job.shown, looked.size_bytes),
        ),
    )


def is_understood(session: SyncSession, file_sha256: str) -> bool:
    """Tell whether a content was decoded before, and not in vain."""
    return bool(
        session.state.execute(
            "select 1 from decoded where athlete = ? and file_sha256 = ? "
            "and outcome <> 'quarantined'",
            (session.athlete, file_sha256),
        )
    )


def lost(session: SyncSession) -> set[str]:
    """Return the contents whose originals are not in bronze, as far as their sizes tell."""
    rows = session.state.execute(
        "select file_sha256, location, sha256, size_bytes from decoded where athlete = ?",
        (session.athlete,),
    )
    return {
        str(file_sha256)
        for file_sha256, location, sha256, size_bytes in rows
        if not is_kept(
            Path(f"{session.folders.data}/{location}"),
            str(sha256),
            int(str(size_bytes)),
            thorough=False,
        )
    }


def due_where_they_lie(session: SyncSession) -> set[str]:
    """Name the files to look at again although they did not change: archives, tables and what could
    not be read are not kept in bronze when they are set aside; their next try is where they lie.
    """
    due = quarantine.due_elsewhere(session, SOURCE)
    return {name for item in due for name in _holders(item)}


def _holders(item: str) -> Iterator[str]:
    """Yield what a thing may be: a file, a member of one, a line of one."""
    yield item
    yield from (item[:at] for at, character in enumerate(item) if character == "!")
    table, line, _ = item.rpartition(" line ")
    if line:
        yield table


def landed(state: State, athlete: str, entity: str) -> dict[str, str]:
    """Return the content hash of each record's newest landing, by source id."""
    rows = state.execute(
        "select source_id, content_hash from landed_records where athlete = ? and entity = ?",
        (athlete, entity),
    )
    return {str(source_id): str(content_hash) for source_id, content_hash in rows}


def remember_landed(session: SyncSession, entity: str, records: Iterable[tuple[str, str]]) -> None:
    """Note the content hashes of records that come again with every export."""
    for source_id, content_hash in records:
        session.state.execute(
            "insert or replace into landed_records values (?, ?, ?, ?)",
            (session.athlete, entity, source_id, content_hash),
        )


def due(session: SyncSession) -> list[Job]:
    """List originals to decode again: set aside and due, or damaged and our decoders newer."""
    salvaged = session.state.execute(
        "select location, file_sha256, seen_as from decoded where athlete = ? "
        "and outcome = 'salvaged' and decoder_version <> ?",
        (session.athlete, DECODER_VERSION),
    )
    aside = [(one.location, one.item_id, one.item) for one in quarantine.kept(session, SOURCE)]
    return _again(session, sorted([*aside, *salvaged], key=lambda row: str(row[0])))


def originals(session: SyncSession) -> list[Job]:
    """List every original that bronze holds, to decode all of them again."""
    rows = session.state.execute(
        "select location, file_sha256, seen_as from decoded where athlete = ? order by 1",
        (session.athlete,),
    )
    return _again(session, rows)


def _again(session: SyncSession, rows: Iterable[tuple[object, ...]]) -> list[Job]:
    jobs = []
    for location, file_sha256, shown in rows:
        path = session.folders.data / str(location)
        unpacks_to = 4 if path.suffix == ".gz" else 1
        jobs.append(
            Job(
                path=str(path),
                shown=str(shown),
                size_bytes=path.stat().st_size * unpacks_to if path.is_file() else 0,
                again=Landed(str(location), str(file_sha256)),
            )
        )
    return jobs
