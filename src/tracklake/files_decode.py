"""What a worker does with files: read, land the original, unpack, decode, shape, write streams.

It returns small rows only; points never travel between processes. Nothing here depends on anything
but the files, so that a chunk can be done again by another worker.
"""

import contextlib
import hashlib
import io
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tracklake import containers, files_originals, files_rows, shape, streams
from tracklake.errors import InvalidData
from tracklake.files_originals import Job, Place
from tracklake.formats import fit, gpx, tcx
from tracklake.model import Format, Recording, Shaped

Outcome = Literal["activity", "not_activity", "quarantined", "known", "ignored", "gone"]
Streams = list[tuple[int, Shaped]]

DECODER_VERSION = "1"  # raise it when files should be looked at again


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some files for one worker.

    stamp: unlike any other chunk's. state: the state database. given_up: why not to decode but only
    to keep the originals.
    """

    jobs: tuple[Job, ...]
    place: Place
    stamp: str
    state: Path
    given_up: InvalidData | None = None


@dataclass(slots=True, kw_only=True)
class Looked:
    """What came of one file.

    sha256: of the bytes as they came; file_sha256: of the content, unpacked (both empty for what
    could not be read). rows: of the entity `activities`.
    """

    job: Job
    outcome: Outcome
    sha256: str = ""
    file_sha256: str = ""
    size_bytes: int = 0
    file_format: Format | None = None
    location: str | None = None
    reason: str | None = None
    message: str | None = None
    rows: list[dict[str, object]] = field(default_factory=list)

    def refused(self, error: InvalidData) -> "Looked":
        """Say why it is set aside."""
        self.outcome, self.reason, self.message = "quarantined", error.reason, str(error)
        return self


@dataclass(slots=True)
class _Known:
    """What was decoded before: in earlier runs (the state database) and in this chunk."""

    athlete: str
    state: sqlite3.Connection
    here: dict[str, str] = field(default_factory=dict)

    def content(self, job: Job, sha256: str) -> str | None:
        """Return the content hash of known bytes."""
        if sha256 in self.here or job.again:
            return self.here.get(sha256)
        row = self.state.execute(
            "select file_sha256 from decoded where athlete = ? and ? in (file_sha256, sha256)",
            (self.athlete, sha256),
        ).fetchone()
        return str(row[0]) if row else None


def look(chunk: Chunk) -> list[Looked]:
    """Look at each file of a chunk; land originals, and all points and tracks as one part.

    Raises StorageError when the disk is full or failing.
    """
    parts: Streams = []
    results = []
    uri = f"{chunk.state.resolve().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as state:
        known = _Known(chunk.place.athlete, state)
        for job in chunk.jobs:
            result, streams_of_file = _look_at(chunk, job, known)
            results.append(result)
            parts += streams_of_file
    folder, own = chunk.place.data, f"athlete={chunk.place.athlete}"
    with files_originals.disk_trouble_said():
        streams.write_part(folder / "streams" / own, folder / "tracks" / own, chunk.stamp, parts)
    return results


def _look_at(chunk: Chunk, job: Job, known: _Known) -> tuple[Looked, Streams]:
    result = Looked(job=job, outcome="gone")
    try:
        data = files_originals.read(job)
    except FileNotFoundError:
        return result, []
    except OSError as error:
        unreadable = InvalidData(f"it cannot be read: {error.strerror}", reason="unreadable")
        return result.refused(unreadable), []
    except InvalidData as error:
        return result.refused(error), []
    return (result, []) if data is None else _look_into(chunk, result, data, known)


def _look_into(chunk: Chunk, result: Looked, data: bytes, known: _Known) -> tuple[Looked, Streams]:
    job, content, problem, failure = result.job, data, None, chunk.given_up
    result.outcome, result.size_bytes = "known", len(data)
    result.sha256 = hashlib.sha256(data).hexdigest()
    result.file_sha256 = known.content(job, result.sha256) or ""
    if result.file_sha256:
        return result, []
    is_packed = containers.sniff(data[: containers.HEAD_BYTES]) == "gzip"
    if is_packed:
        try:
            content, problem = containers.gunzip(data)
        except InvalidData as error:
            failure = error
    result.file_sha256 = hashlib.sha256(content).hexdigest()
    if known.content(job, result.file_sha256):
        return result, []
    result.file_format = _format(job, content)
    if result.file_format is None and containers.claim(job.shown) is None:
        result.outcome = "ignored"
        return result, []
    suffix = f".{result.file_format or 'bin'}" + (".gz" if is_packed else "")
    result.location = files_originals.land(chunk.place, result.sha256, suffix, data)
    known.here[result.sha256] = known.here[result.file_sha256] = result.file_sha256
    if failure:
        return result.refused(failure), []
    return _decoded(chunk, result, content, problem)


def _format(job: Job, content: bytes) -> Format | None:
    """Tell a file's format by its content; by its name only where its first bytes are lost."""
    head = content[: containers.HEAD_BYTES]
    kind = containers.sniff(head)
    if kind in ("fit", "gpx", "tcx"):
        return kind
    lost = containers.claim(job.shown) == "fit" and kind == "unknown"
    return "fit" if lost and len(head) > 14 and not containers.is_text(head) else None


def _decoded(
    chunk: Chunk, result: Looked, content: bytes, problem: str | None
) -> tuple[Looked, Streams]:
    try:
        recordings = _recordings(result.file_format, content)
        found, problems = _shaped(recordings)
    except InvalidData as error:
        return result.refused(error), []
    if not found:
        result.outcome = "not_activity"
        result.message = "; ".join((*sorted({one.kind for one in recordings}), *problems))
        return result, []
    result.outcome = "activity"
    origin = files_rows.Origin(
        athlete=chunk.place.athlete,
        file_sha256=result.file_sha256,
        file_format=result.file_format or "",
        external_id=result.job.shown.replace("!", "/").rsplit("/", 1)[-1],
        stamp=chunk.stamp,
        problems=(*((problem,) if problem else ()), *problems),
    )
    parts: Streams = []
    for row, key, one in files_rows.rows(origin, found):
        result.rows.append(row)
        if key is not None:
            parts.append((key, one))
    said = (*origin.problems, *(text for recording, _ in found for text in recording.problems))
    result.message = "; ".join(dict.fromkeys(said)) or None
    return result, parts


def _recordings(fmt: Format | None, content: bytes) -> tuple[Recording, ...]:
    if fmt == "fit":
        return fit.decode(content)
    if fmt == "gpx":
        return gpx.decode(io.BytesIO(content))
    if fmt == "tcx":
        return tcx.decode(io.BytesIO(content))
    raise InvalidData(containers.describe(content[: containers.HEAD_BYTES]), reason="not_activity")


def _shaped(
    recordings: tuple[Recording, ...],
) -> tuple[list[tuple[Recording, tuple[Shaped, ...]]], list[str]]:
    """Shape a file's activities; one without any time is said, and costs only itself."""
    found = []
    problems = []
    for recording in recordings:
        if recording.kind != "activity":
            continue
        try:
            found.append((recording, shape.activities(recording)))
        except InvalidData as error:
            problems.append(str(error))
    return found, problems
