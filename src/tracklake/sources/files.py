"""Activity files: what lies in the inbox, or what `tracklake import` names.

Each file is looked at once: it is known by its path, size and time, then by the hash of its
content. Everything that reads what is inside a file runs in workers.
"""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracklake import config, landing
from tracklake.bronze import stamp
from tracklake.config import Folders, Settings
from tracklake.errors import InvalidData
from tracklake.intake import containers, finding, folder_exports, index, strava_export
from tracklake.intake.expansion import Expansion, expand
from tracklake.intake.finding import Candidate
from tracklake.intake.landings import Landing, PullReport
from tracklake.intake.looking import Chunk, Looked, look
from tracklake.intake.originals import KEEP_FREE_BYTES, Job, Place
from tracklake.intake.strava_export import Export
from tracklake.intake.workers import Limits, Task, Workers, verdict
from tracklake.session import Phase, SyncSession
from tracklake.stages import PullOptions
from tracklake.upstream import landings

NAME = "files"

_CHUNK_FILES = 48
_CHUNK_BYTES = 8 << 20
_SETTLED_S = 2.0  # a file younger than this may still be being copied


def is_configured(folders: Folders, settings: Settings) -> bool:  # noqa: ARG001 every source is asked alike
    """Tell whether there is anything in the inbox, or in bronze to be decoded again."""
    landed = (folders.bronze / NAME / "original_files").glob("athlete=*/objects/*/*")
    found = itertools.chain(finding.candidates(folders.inbox, None), landed)
    return next(found, None) is not None


def pull(
    session: SyncSession,
    paths: Sequence[Path] | None = None,
    options: PullOptions = PullOptions(),  # noqa: B008 it cannot change
    *,
    limits: Limits | None = None,
    keep_free_bytes: int = KEEP_FREE_BYTES,
) -> PullReport:
    """Land what is new in the inbox, or in the files, folders and archives given.

    options.everything: decode every original that bronze holds again, so that points, tracks and
    records are made anew; open also files whose size and time say that they did not change, what
    is known by its hash is not decoded twice. Like the paths given, those are held against their
    originals: one that is missing or damaged lands again.
    Raises ConfigError for a path that does not exist, StorageError where the disk fails or has no
    more than `keep_free_bytes` left.
    """
    place = Place(
        data=session.folders.data, athlete=session.athlete, keep_free_bytes=keep_free_bytes
    )
    listed = list(finding.candidates(session.folders.inbox, paths))
    place.make_folders()
    landing.sweep(place.spool)
    index.ensure(session)
    report = PullReport()
    with (
        session.phase("pull") as phase,
        Workers(config.cores(), limits or Limits()) as workers,
    ):
        everything = options.everything
        thorough = everything or paths is not None
        run = _Run(session, phase, place, workers, Landing(session, report), thorough)
        try:
            again = everything or _has_lost_points(session)
            jobs = index.originals(session) if again else index.due(session)
            run.over(_settled(session, run.new(listed), wait=paths is None), listed, jobs)
        finally:
            landing.sweep(place.spool)
            phase.detail = report.summary()
    return report


def _has_lost_points(session: SyncSession) -> bool:
    """Tell whether points or geometry of files are gone, or were set aside: then all are made anew.

    Gold cannot be checked without them, so nothing new would be published.
    """
    own, folders = f"athlete={session.athlete}", session.folders
    if not landings.has_lost(session, (folders.streams / own, folders.tracks / own)):
        return False
    session.log.warning("points_lost", source=NAME, action="decoded again from bronze")
    return True


def _settled(
    session: SyncSession, candidates: Iterable[Candidate], *, wait: bool
) -> Iterator[Candidate]:
    """Yield the files that nobody is writing: the youngest of an inbox are looked at twice."""
    young = []
    for candidate in candidates:
        age_s = session.clock.now().timestamp() - candidate.modified_ns / 1e9
        if wait and 0 <= age_s < _SETTLED_S:
            young.append(candidate)
        else:
            yield candidate
    if young:
        session.clock.sleep(_SETTLED_S)
        yield from (candidate for candidate in young if finding.is_unchanged(candidate))


@dataclass(slots=True)
class _Run:
    """One pull on its way. thorough: every file is opened and held against its original."""

    session: SyncSession
    phase: Phase
    place: Place
    workers: Workers
    landing: Landing
    thorough: bool
    part: int = 0

    def new(self, listed: list[Candidate]) -> Iterator[Candidate]:
        """Yield the files that were not dealt with before as they are now, and those due again."""
        seen = {} if self.thorough else index.seen(self.session.state, self.session.athlete)
        lost = index.lost(self.session) if seen else set()
        due = index.due_where_they_lie(self.session)
        self.landing.aside.readable(one.shown for one in listed if one.problem is None)
        report = self.landing.report
        for candidate in listed:
            before = seen.get(candidate.key)
            if candidate.problem is not None:
                self._refuse(candidate.shown, InvalidData(candidate.problem, reason="unreadable"))
            elif before is None or candidate.shown in due or before.file_sha256 in lost:
                yield candidate
            elif before.is_now(candidate):
                report.found += 1
                report.unchanged += 1
                if before.file_sha256:
                    self.landing.contents[candidate.shown] = before.file_sha256
            else:
                yield candidate

    def over(
        self, candidates: Iterable[Candidate], listed: list[Candidate], jobs: list[Job]
    ) -> None:
        """Look at originals again, at files, and into archives; land everything."""
        archives, tables = [], []
        for candidate in candidates:
            if strava_export.is_table(candidate.shown):
                tables.append(candidate)
            elif _is_archive(candidate):
                archives.append(candidate)
            else:
                self.landing.listed[candidate.path] = candidate
                jobs.append(_job(candidate))
        if not archives:
            self.workers.start_at_most(sum(1 for _ in _chunks(jobs)))
        exports = self._read_exports(listed, [*tables, *self.landing.listed.values()])
        opened = self._opened(archives)
        jobs += [job for expansion in opened for job in expansion.jobs]
        exports += [export for expansion in opened for export in expansion.exports]
        self._look_at_all(jobs, exports)
        with self.session.state.transaction():
            for candidate in (*archives, *tables):
                index.remember_seen(self.session, candidate, None)

    def _look_at_all(self, jobs: list[Job], exports: list[Export]) -> None:
        for export in exports:
            self.landing.expect(export)
            for shown, error in export.refused:
                self._refuse(shown, error)
        # An export's files first: a copy elsewhere must not become a record before its row does.
        prefixes = tuple(export.prefix for export in exports)
        jobs.sort(key=lambda job: not job.shown.startswith(prefixes))
        self.landing.report.found += len(jobs)
        self.phase.expect(self.phase.processed + len(jobs))
        for results in self._looked(jobs):
            self.landing.take(results)
            failed = sum(1 for looked in results if looked.outcome == "quarantined")
            self.phase.advance(len(results), errors=failed)
        self.landing.finish(exports)

    def _read_exports(self, listed: list[Candidate], new: list[Candidate]) -> list[Export]:
        """Read the tables of unpacked exports in which anything is new."""
        folders = folder_exports.wanted(listed, new, self.landing.aside.is_set_aside)
        tables = folder_exports.read(self.workers, folders, listed, self.session.athlete)
        bad = {shown for export in tables.exports for shown, _ in export.refused}
        for shown in tables.read:
            self.landing.aside.forgive(shown, bad)
        for shown, error in tables.refused:
            self._refuse(shown, error)
        return tables.exports

    def _opened(self, archives: list[Candidate]) -> list[Expansion]:
        """List what is in archives; one that cannot be read is set aside whole."""
        tasks = [
            Task(expand, (archive.path, archive.shown, self.place), archive.size_bytes)
            for archive in archives
        ]
        opened = []
        for archive, (_, future) in zip(archives, self.workers.all_done(tasks), strict=True):
            error = future.exception()
            expansion = Expansion() if error else future.result()
            if error:
                self._refuse(archive.shown, verdict(error))
            else:
                self._refuse_within(archive.shown, expansion)
            self.landing.report.ignored += expansion.ignored
            opened.append(expansion)
        return opened

    def _refuse_within(self, archive: str, found: Expansion) -> None:
        lines = (item for export in found.exports for item in export.refused)
        bad = {shown for shown, _ in (*found.refused, *lines)}
        self.landing.aside.forgive(archive, bad.union(job.shown for job in found.jobs))
        for shown, error in found.refused:
            self._refuse(shown, error)

    def _refuse(self, shown: str, error: InvalidData) -> None:
        self.landing.aside.set_aside(shown, error)
        self.landing.report.found += 1
        self.landing.report.quarantined += 1
        self.phase.advance(errors=1)

    def _looked(self, jobs: list[Job]) -> Iterator[list[Looked]]:
        """Have the files looked at, in order; whoever's worker dies is found and set aside."""
        tasks = (self._task(chunk) for chunk in _chunks(jobs))
        for task, future in self.workers.all_done(tasks):
            error = future.exception()
            if error is None:
                yield future.result()
                continue
            reason = verdict(error)
            (chunk,) = task.arguments
            assert isinstance(chunk, Chunk)  # noqa: S101 _task made it
            for job in chunk.jobs:
                yield self._alone(job, reason if len(chunk.jobs) == 1 else None)

    def _alone(self, job: Job, error: InvalidData | None) -> list[Looked]:
        """Look at one file of a chunk that failed; at last only keep it."""
        if error is None:
            future = self.workers.done(self._task([job]))
            failure = future.exception()
            if failure is None:
                return future.result()
            error = verdict(failure)
        kept = self.workers.done(self._task([job], error))
        if kept.exception() is None:
            return kept.result()
        known_as = job.again.file_sha256 if job.again else ""
        return [Looked(job=job, outcome="quarantined", file_sha256=known_as).refused(error)]

    def _task(self, jobs: list[Job], given_up: InvalidData | None = None) -> Task[list[Looked]]:
        self.part += 1
        chunk = Chunk(
            jobs=tuple(jobs),
            place=self.place,
            stamp=f"{stamp(self.session.clock.now())}-{self.part:05}",
            state=self.session.state.path,
            thorough=self.thorough,
            given_up=given_up,
        )
        return Task(look, (chunk,), sum(job.size_bytes for job in jobs))


def _is_archive(candidate: Candidate) -> bool:
    with contextlib.suppress(OSError), Path(candidate.path).open("rb") as stream:
        return containers.sniff(stream.read(containers.HEAD_BYTES)) == "zip"
    return False


def _job(candidate: Candidate) -> Job:
    unpacks_to = 4 if candidate.shown.lower().endswith(".gz") else 1
    return Job(
        path=candidate.path,
        shown=candidate.shown,
        size_bytes=candidate.size_bytes * unpacks_to,
        modified_ns=candidate.modified_ns,
    )


def _chunks(jobs: list[Job]) -> Iterator[list[Job]]:
    """Group files in their order, so that the same files are always grouped alike."""
    chunk: list[Job] = []
    size_bytes = 0
    for job in jobs:
        full = len(chunk) == _CHUNK_FILES or size_bytes + job.size_bytes > _CHUNK_BYTES
        if chunk and full:
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(job)
        size_bytes += job.size_bytes
    if chunk:
        yield chunk
