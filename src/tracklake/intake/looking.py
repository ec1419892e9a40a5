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

from tracklake import streams
from tracklake.analysis import shape
from tracklake.errors import InvalidData
from tracklake.formats import fit, gpx, tcx
from tracklake.intake import containers, strava_export
from tracklake.intake import originals as files_originals
from tracklake.intake import rows as files_rows
from tracklake.intake.originals import Job, Originals, Place
from tracklake.model import Format, Recording, Shaped

Outcome = Literal["activity", "not_activity", "quarantined", "known", "ignored", "gone"]

DECODER_VERSION = "1"  # raise it when files should be looked at again


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some files for one worker.

    stamp: unlike any other chunk's. state: the state database. thorough: originals of known content
    are read and compared with their hashes. given_up: why not to decode but only to keep the
    originals.
    """

    jobs: tuple[Job, ...]
    place: Place
    stamp: str
    state: Path
    thorough: bool = False
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


def look(chunk: Chunk) -> list[Looked]:
    """Look at each file of a chunk; land originals, then all points and tracks as one part.

    Raises StorageError when the disk is full or failing.
    """
    uri = f"{chunk.state.resolve().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as state:
        work = _Work(chunk, state, Originals(chunk.place))
        results = [work.look_at(job) for job in chunk.jobs]
    work.originals.land()
    folder, own = chunk.place.data, f"athlete={chunk.place.athlete}"
    with files_originals.disk_trouble_said():
        streams.write_part(
            folder / "streams" / own, folder / "tracks" / own, chunk.stamp, work.parts
        )
    return results


@dataclass(slots=True)
class _Work:
    """One chunk at work; here: hashes of its contents and of the bytes they came in."""

    chunk: Chunk
    state: sqlite3.Connection
    originals: Originals
    here: dict[str, str] = field(default_factory=dict)
    parts: list[tuple[int, Shaped]] = field(default_factory=list)

    def look_at(self, job: Job) -> Looked:
        result = Looked(job=job, outcome="gone")
        if job.again:
            result.file_sha256 = job.again.file_sha256
        try:
            data = files_originals.read(job)
        except FileNotFoundError:
            return result.refused(_damaged("missing")) if job.again else result
        except OSError as error:
            message = f"it cannot be read: {error.strerror}"
            return result.refused(InvalidData(message, reason="unreadable"))
        except InvalidData as error:
            return result.refused(error)
        return result if data is None else self._look_into(result, data)

    def _look_into(self, result: Looked, data: bytes) -> Looked:
        result.outcome, result.size_bytes = "known", len(data)
        result.sha256 = hashlib.sha256(data).hexdigest()
        again = result.job.again
        if again and not Path(again.location).name.startswith(result.sha256):
            return result.refused(_damaged("damaged"))
        if self._is_known(result, result.sha256):
            return result
        content, problem, failure = data, None, self.chunk.given_up
        is_packed = containers.sniff(data[: containers.HEAD_BYTES]) == "gzip"
        if is_packed:
            try:
                content, problem = containers.gunzip(data)
            except InvalidData as error:
                failure = error
        if self._is_known(result, hashlib.sha256(content).hexdigest()):
            return result
        result.file_format = format_of(result.job.shown, content)
        if result.file_format is None and containers.claim(result.job.shown) is None:
            result.outcome = "ignored"
            return result
        suffix = f".{result.file_format or 'bin'}" + (".gz" if is_packed else "")
        result.location = (
            again.location if again else self.originals.write(result.sha256, suffix, data)
        )
        self.here[result.sha256] = self.here[result.file_sha256] = result.file_sha256
        return result.refused(failure) if failure else self._decode(result, content, problem)

    def _is_known(self, result: Looked, sha256: str) -> bool:
        """Tell whether bytes were decoded before, in this chunk or in an earlier run.

        Content whose original is not in bronze as it came is not known: it lands once more.
        """
        result.file_sha256 = self.here.get(sha256, sha256)
        if sha256 in self.here or result.job.again:
            return sha256 in self.here
        rows = self.state.execute(
            "select file_sha256, location, sha256, size_bytes from decoded "
            "where athlete = ? and ? in (file_sha256, sha256)",
            (self.chunk.place.athlete, sha256),
        )
        data, thorough = self.chunk.place.data, self.chunk.thorough
        for file_sha256, location, as_it_came, size_bytes in rows:
            path = data / location
            if files_originals.is_kept(path, as_it_came, size_bytes, thorough=thorough):
                result.file_sha256 = str(file_sha256)
                return True
        return False

    def _decode(self, result: Looked, content: bytes, problem: str | None) -> Looked:
        try:
            decoded = recordings(result.file_format, content)
        except InvalidData as error:
            return result.refused(error)
        found, problems = shaped(decoded)
        problems = [problem, *problems] if problem else problems
        if not found:
            result.outcome = "not_activity"
            result.message = "; ".join((*sorted({one.kind for one in decoded}), *problems))
            return result
        result.outcome = "activity"
        origin = files_rows.Origin(
            athlete=self.chunk.place.athlete,
            file_sha256=result.file_sha256,
            file_format=result.file_format or "",
            external_id=strava_export.base_name(result.job.shown),
            stamp=self.chunk.stamp,
            problems=tuple(problems),
        )
        for row, key, one in files_rows.rows(origin, found):
            result.rows.append(row)
            if key is not None:
                self.parts.append((key, one))
        said = (*problems, *(text for recording, _ in found for text in recording.problems))
        result.message = "; ".join(dict.fromkeys(said)) or None
        return result


def _damaged(how: str) -> InvalidData:
    message = f"its original in bronze is {how}: import the file again, or restore it"
    return InvalidData(message, reason="damaged_original")


def format_of(shown: str, content: bytes) -> Format | None:
    """Tell a file's format by its content; by its name only where its first bytes are lost."""
    head = content[: containers.HEAD_BYTES]
    kind = containers.sniff(head)
    if kind in ("fit", "gpx", "tcx"):
        return kind
    lost = containers.claim(shown) == "fit" and kind == "unknown"
    return "fit" if lost and len(head) > 14 and not containers.is_text(head) else None


def recordings(fmt: Format | None, content: bytes) -> tuple[Recording, ...]:
    """Decode a file; InvalidData if it is none of the formats, or nothing of it can be read."""
    if fmt == "fit":
        return fit.decode(content)
    if fmt == "gpx":
        return gpx.decode(io.BytesIO(content))
    if fmt == "tcx":
        return tcx.decode(io.BytesIO(content))
    raise InvalidData(containers.describe(content[: containers.HEAD_BYTES]), reason="not_activity")


def shaped(
    decoded: tuple[Recording, ...],
) -> tuple[list[tuple[Recording, tuple[Shaped, ...]]], list[str]]:
    """Shape a file's activities; one without any time is said, and costs only itself."""
    found = []
    problems = []
    for recording in decoded:
        if recording.kind != "activity":
            continue
        try:
            found.append((recording, shape.activities(recording)))
        except InvalidData as error:
            problems.append(str(error))
    return found, problems
