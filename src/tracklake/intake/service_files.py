"""Original files that services hand out for their records: kept as they came, decoded, landed.

An original is on disk before anything depends on it, then a page that names it (the receipt), so
that a run that died fetches nothing twice. Rows come as the entities `original_files`,
`activity_details` (laps, splits) and `activity_streams` (points, best efforts).
"""

import dataclasses
import hashlib
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from tracklake import bronze, code_versions, landing, pages, quarantine, streams
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash, stable_id
from tracklake.intake import containers, decoding_again, looking
from tracklake.intake.originals import disk_trouble_said
from tracklake.intake.service_decoding import Decoded, activity_file, decode
from tracklake.intake.workers import Task, Workers, verdict
from tracklake.model import POINT_COLUMNS, Outline
from tracklake.session import SyncSession
from tracklake.upstream.landings import part_folders
from tracklake.upstream.listed import identified
from tracklake.upstream_index import UpstreamIndex, Wanted

_ENTITY = "activity_streams"
_MOST_FILES = 64  # of one shard: so many points are in memory at once
_MOST_BYTES = 8 << 20


@dataclass(slots=True)
class ServiceFiles:
    """Files of one source's records on their way; up to 64 become one shard.

    calls of `take` and `none` come from one thread. fetched, absent: how many; refused: how many
    were set aside.
    """

    session: SyncSession
    index: UpstreamIndex
    source: str
    workers: Workers
    fetched: int = 0
    absent: int = 0
    refused: int = 0
    _run: pages.Run | None = None
    _waiting: list[tuple[Wanted, Path | None]] = field(default_factory=list)
    _size_bytes: int = 0

    def take(self, wanted: Wanted, data: bytes) -> None:
        """Land an answer that is a file, or a ZIP with one; what cannot be decoded is set aside."""
        try:
            content = activity_file(data)
        except InvalidData:
            content = data  # kept as it came, whatever it is
        self._take_landed(wanted, self._land(content), len(content))

    def _take_landed(self, wanted: Wanted, path: Path, size_bytes: int) -> None:
        receipt = orjson.dumps({"sha256": path.name[:64], "file": path.name})
        self._receive(wanted, 200, receipt, path)
        self._size_bytes += size_bytes
        self._seal_if_much()

    def decode_again(self) -> None:
        """Decode originals that are in bronze once more: what could not be decoded and is due,
        and, where points of this source are lost, all. Nothing is fetched.
        """
        for wanted, path in decoding_again.due(self.session, self.index, self.source):
            self._take_landed(wanted, path, path.stat().st_size)
        self.seal()

    def none(self, wanted: Wanted, status: int, body: bytes) -> None:
        """Land an answer that says that there is no file, so that it is not asked again."""
        self._receive(wanted, status, body, None)
        self._seal_if_much()

    def _seal_if_much(self) -> None:
        if len(self._waiting) >= _MOST_FILES or self._size_bytes >= _MOST_BYTES:
            self.seal()

    def _land(self, content: bytes) -> Path:
        """Keep a file under the hash of its bytes, durably."""
        head = content[: containers.HEAD_BYTES]
        kind = containers.sniff(head)
        suffix = {"gzip": ".gz", "unknown": ".bin"}.get(kind, f".{kind}")
        folders, sha256 = self.session.folders, hashlib.sha256(content).hexdigest()
        path = bronze.object_path(folders.bronze, self.source, self.session.athlete, sha256, suffix)
        if not path.exists():
            with disk_trouble_said():
                landing.write(path, content)
        return path

    def _receive(self, wanted: Wanted, status: int, body: bytes, path: Path | None) -> None:
        if self._run is None:
            began_at = self.index.moment_after(self.session.clock.now())
            self._run = pages.Run.begin(
                self.session.folders.bronze, self.source, _ENTITY, self.session.athlete, began_at
            )
        self._run.add(pages.Page(wanted.source_id, status, body))
        self._waiting.append((wanted, path))

    def seal(self) -> None:
        """Decode what came, and make the shards of it; nothing where nothing came."""
        run, self._run = self._run, None
        waiting, self._waiting, self._size_bytes = self._waiting, [], 0
        if run is None:
            return
        rows, details, originals = [], [], []
        outlines: list[tuple[int, Outline]] = []
        for (wanted, path), decoded in zip(waiting, self._decoded(waiting), strict=True):
            row = self._row(wanted, "none" if path is None else "done")
            if isinstance(decoded, InvalidData):
                assert path is not None  # noqa: S101 nothing was decoded else
                self._set_aside(wanted, decoded, path)
                row["outcome"] = "none"
            elif decoded is not None and path is not None:
                key = stable_id(str(row["record_id"]), bronze.stamp(run.began_at))
                row |= _facts(decoded, key)
                details.append({**self._row(wanted, "done"), **decoded.details})
                outlines.append((key, decoded.outline))
                self._release(wanted)
                self.fetched += 1
            else:
                self.absent += 1
            rows.append(row)
            if path is not None:
                originals.append(self._original(wanted, path, decoded))
        self._land_all(run, rows, details, originals, outlines)

    def _land_all(
        self,
        run: pages.Run,
        rows: list[dict[str, object]],
        details: list[dict[str, object]],
        originals: list[dict[str, object]],
        outlines: list[tuple[int, Outline]],
    ) -> None:
        """Points first, the run's own shard last: one that died before it is done again."""
        root = self.session.folders.bronze
        folders = part_folders(self.session, self.source)
        with disk_trouble_said():
            streams.write_part(*folders, bronze.stamp(run.began_at), outlines)
        bronze.land_shard(root, "original_files", originals, ingested_at=run.began_at)
        path = bronze.land_shard(root, "activity_details", details, ingested_at=run.began_at)
        if path is not None:
            self.index.take("activity_details", path)
        self.index.take(_ENTITY, run.seal(rows))

    def _decoded(
        self, waiting: list[tuple[Wanted, Path | None]]
    ) -> Iterator[Decoded | InvalidData | None]:
        """Decode in workers, in order."""
        tasks = [
            Task(decode, (str(path),), path.stat().st_size * (4 if path.suffix == ".gz" else 1))
            for _, path in waiting
            if path is not None
        ]
        self.workers.start_at_most(len(tasks))
        done = self.workers.all_done(tasks)
        for _, path in waiting:
            yield _outcome(next(done)[1]) if path is not None else None

    def _row(self, wanted: Wanted, outcome: str) -> dict[str, object]:
        return {
            **identified(self.source, self.session.athlete, wanted.source_id),
            "wanted_hash": wanted.wanted_hash,
            "outcome": outcome,
            "start_s": wanted.start_s,
            "point_count": 0,
            "has_track": False,
        }

    def _original(
        self, wanted: Wanted, path: Path, decoded: Decoded | InvalidData | None
    ) -> dict[str, object]:
        sha256 = path.name[:64]
        row: dict[str, object] = {
            "source": self.source,
            "athlete": self.session.athlete,
            "source_id": sha256,
            "file_sha256": sha256,
            "size_bytes": path.stat().st_size,
            "location": path.relative_to(self.session.folders.data).as_posix(),
            "seen_as": f"{self.source} {wanted.source_id}",
            "decoder_version": looking.DECODER_VERSION,
        }
        if not isinstance(decoded, Decoded):
            return {**row, "outcome": "quarantined", "message": str(decoded)}
        said = "; ".join(dict.fromkeys(decoded.problems)) or None
        return {
            **row,
            "file_sha256": decoded.file_sha256,
            "file_format": decoded.file_format,
            "outcome": "activity",
            "message": said,
        }

    def _item_id(self, wanted: Wanted) -> str:
        return bytes_hash(f"{self.source} {_ENTITY} {wanted.source_id}".encode())

    def _set_aside(self, wanted: Wanted, error: InvalidData, path: Path) -> None:
        self.refused += 1
        quarantine.set_aside(
            self.session,
            quarantine.Item(
                item_id=self._item_id(wanted),
                source=self.source,
                item=f"file of {self.source} {wanted.source_id}",
                reason=error.reason,
                message=str(error),
                location=path.relative_to(self.session.folders.data).as_posix(),
                subject=wanted.source_id,
                read_as=code_versions.ORIGINALS,
            ),
        )

    def _release(self, wanted: Wanted) -> None:
        quarantine.release(self.session.state, self._item_id(wanted), self.session.athlete)

    def recover(self) -> None:
        """Give shards to the runs that died before they had one; nothing is fetched again."""
        root, athlete = self.session.folders.bronze, self.session.athlete
        for found in pages.unsealed(root, self.source, _ENTITY, athlete):
            for page in found.pages():
                wanted = self.index.version(page.subject, "track_hash", found.run.began_at)
                path = decoding_again.original(self.session, self.source, page)
                if path is not None or not decoding_again.is_receipt(page):
                    self._waiting.append((wanted, path))
            for path in found.damaged:
                self.session.log.error("page_damaged", path=str(path))
            self._run = found.run
            self.seal()
            self.session.log.info("run_recovered", folder=str(found.run.folder))


def _facts(decoded: Decoded, key: int) -> dict[str, object]:
    points = decoded.outline.points
    channels = [name for name in POINT_COLUMNS if not np.isnan(getattr(points, name)).all()]
    return {
        "stream_key": key if len(points) else None,
        "start_s": decoded.outline.start_s,
        "point_count": len(points),
        "has_track": bool(decoded.outline.track),
        "file_sha256": decoded.file_sha256,
        **decoded.place,
        "channels": channels if len(points) else [],
        "best_efforts": [dataclasses.asdict(one) for one in decoded.outline.best_efforts],
    }


def _outcome(future: "Future[Decoded]") -> Decoded | InvalidData:
    error = future.exception()
    return future.result() if error is None else verdict(error)
