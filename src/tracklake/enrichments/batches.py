"""Answers on their way to bronze: each is a page on disk at once; up to 500 become one shard."""

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from types import ModuleType

from tracklake import bronze, code_versions, pages, quarantine, streams
from tracklake.enrichments.fetched import Fetched
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash
from tracklake.model import Outline
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions
from tracklake.strava.records import SOURCE
from tracklake.upstream.landings import part_folders
from tracklake.upstream_index import UpstreamIndex, Wanted

_MOST_ROWS = 500  # each shard costs gold 5 ms whatever it holds, each row memory
_MOST_POINTS = 300_000  # about 30 MB


@dataclass(slots=True)
class Batch:
    """What one enrichment fetched and has no shard yet."""

    session: SyncSession
    index: UpstreamIndex
    enrichment: ModuleType
    options: EnrichOptions
    _run: pages.Run | None = None
    _rows: list[dict[str, object]] = field(default_factory=list)
    _outlines: list[tuple[int, Outline]] = field(default_factory=list)

    def take(self, page: pages.Page, wanted: Wanted) -> Fetched | None:
        """Land an answer and read it; one that cannot be read is set aside, then None."""
        if self._run is None:
            self._run = self._begin()
        self._run.add(page)
        fetched = self._read(page, wanted)
        self._seal_if_much()
        return fetched

    def _read(
        self, page: pages.Page, wanted: Wanted, options: EnrichOptions | None = None
    ) -> Fetched | None:
        asked = options or self.options
        try:
            fetched: Fetched = self.enrichment.read(self.session, page, wanted, asked)
        except InvalidData as error:
            self.set_aside(wanted, error.reason, str(error), is_kept=True)
            return None
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            # A page that no reader foresaw: it is on disk, and must not stop this and every later
            # run, which would read it again.
            said = f"{type(error).__name__}: {error}"
            self.session.log.exception("page_unreadable", item=wanted.source_id)
            self.set_aside(wanted, "unforeseen", said, is_kept=True)
            return None
        self._rows.append(fetched.row)
        if fetched.outline:
            self._outlines.append(fetched.outline)
        return fetched

    def reread(self, page: pages.Page, wanted: Wanted) -> None:
        """Read a page that was landed by another run, as if it came now."""
        if self._run is None:
            self._run = self._begin()
        self._read(page, wanted)
        self._seal_if_much()

    def _begin(self) -> pages.Run:
        root, athlete = self.session.folders.bronze, self.session.athlete
        began_at = self.index.moment_after(self.session.clock.now())
        return pages.Run.begin(root, SOURCE, self.enrichment.ENTITY, athlete, began_at)

    def _seal_if_much(self) -> None:
        points = sum(len(outline.points) for _, outline in self._outlines)
        if len(self._rows) >= _MOST_ROWS or points >= _MOST_POINTS:
            self.seal()

    def set_aside(
        self, wanted: Wanted, reason: str, message: str, *, is_kept: bool = False
    ) -> None:
        """Enter what could not be read; it is tried again after a growing gap."""
        quarantine.set_aside(self.session, self.item(wanted, reason, message, is_kept=is_kept))

    def item(
        self, wanted: Wanted, reason: str, message: str, *, is_kept: bool = False
    ) -> quarantine.Item:
        """Say what is set aside. is_kept: it is our code that failed, on a page of this run."""
        folder = self._run.folder if self._run and is_kept else None
        return quarantine.Item(
            item_id=item_id(self.enrichment.ENTITY, wanted.source_id),
            source=SOURCE,
            item=f"{self.enrichment.NAME} of {SOURCE} {wanted.source_id}",
            reason=reason,
            message=message,
            location=str(folder.relative_to(self.session.folders.data)) if folder else None,
            subject=wanted.source_id,
            read_as=code_versions.kind_of(SOURCE, self.enrichment.ENTITY) if is_kept else None,
        )

    def seal(self) -> None:
        """Make the shard of what was fetched so far, and remember it."""
        run, self._run = self._run, None
        rows, self._rows = self._rows, []
        outlines, self._outlines = self._outlines, []
        if run is None:
            return
        name = bronze.stamp(self.session.clock.now())
        streams.write_part(*part_folders(self.session, SOURCE), name, outlines)
        self.index.take(self.enrichment.ENTITY, run.seal(rows))

    def version(self, source_id: str, began_at: dt.datetime) -> Wanted:
        """Return a record in the version of which a run of then fetched something."""
        column = self.enrichment.HASH
        if column is None:
            return Wanted(source_id, 0.0, "", "")
        return self.index.version(source_id, column, began_at)

    def recover(self) -> None:
        """Give shards to the runs that died before they had one."""
        root, athlete = self.session.folders.bronze, self.session.athlete
        unknown = dataclasses.replace(self.options, include_efforts=False)  # what it had asked for
        for found in pages.unsealed(root, SOURCE, self.enrichment.ENTITY, athlete):
            self._run = found.run
            for page in found.pages():
                self._read(page, self.version(page.subject, found.run.began_at), unknown)
            for path in found.damaged:
                self.session.log.error("page_damaged", path=str(path))
            self.seal()
            self.session.log.info("run_recovered", folder=str(found.run.folder))


def item_id(entity: str, source_id: str) -> str:
    """Name what is fetched about one activity for the quarantine."""
    return bytes_hash(f"{SOURCE} {entity} {source_id}".encode())
