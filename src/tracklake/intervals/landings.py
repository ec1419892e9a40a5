"""What intervals.icu says of days and of the parts of activities, on its way to bronze: pages
first, then one shard a run.
"""

import contextlib
from dataclasses import dataclass, field
from typing import Any

from tracklake import pages
from tracklake.errors import InvalidData
from tracklake.intervals import days, parts
from tracklake.intervals.records import SOURCE
from tracklake.session import SyncSession
from tracklake.upstream.listed import ListPage, read_page
from tracklake.upstream_index import UpstreamIndex, Wanted

_MOST_ROWS = 2000


def _begun(session: SyncSession, index: UpstreamIndex, entity: str) -> pages.Run:
    began_at = index.moment_after(session.clock.now())
    return pages.Run.begin(session.folders.bronze, SOURCE, entity, session.athlete, began_at)


@dataclass(slots=True)
class DayLanding:
    """Days on their way: those that changed land. landed: how many; refused: without a date."""

    session: SyncSession
    index: UpstreamIndex
    landed: int = 0
    refused: int = 0
    _run: pages.Run | None = None
    _waiting: dict[str, dict[str, object]] = field(default_factory=dict)
    _known: dict[str, str] | None = None

    def take(self, page: ListPage) -> None:
        """Land a page if a day in it is new."""
        rows = self._changed(self._rows(page.items))
        if not rows:
            return
        self._run = self._run or _begun(self.session, self.index, days.ENTITY)
        self._run.add(pages.Page("", 200, page.body))
        self._wait(rows)
        self.landed += len(rows)
        if len(self._waiting) >= _MOST_ROWS:
            self.seal()

    def _rows(self, items: list[dict[str, Any]]) -> list[dict[str, object]]:
        rows = []
        for item in items:
            try:
                row = days.day(item, self.session.athlete)
            except InvalidData as error:
                self.refused += 1
                self.session.log.warning("day_left_out", reason=error.reason, message=str(error))
                continue
            if str(row["source_id"]) in self.known or not days.is_blank(item):
                rows.append(row)
        return rows

    def _changed(self, rows: list[dict[str, object]]) -> list[dict[str, object]]:
        return [row for row in rows if self.known.get(str(row["source_id"])) != row["content_hash"]]

    def _wait(self, rows: list[dict[str, object]]) -> None:
        for row in rows:
            self._waiting[str(row["source_id"])] = row
            self.known[str(row["source_id"])] = str(row["content_hash"])

    @property
    def known(self) -> dict[str, str]:
        """Return the content hash of each day as it landed last."""
        if self._known is None:
            found = self.session.state.execute(
                "select source_id, facts_hash from upstream_facts "
                "where athlete = ? and source = ? and entity = ?",
                (self.session.athlete, SOURCE, days.ENTITY),
            )
            self._known = {str(day): str(content_hash) for day, content_hash in found}
        return self._known

    def seal(self) -> None:
        """Make the run's shard."""
        run, self._run = self._run, None
        rows, self._waiting = list(self._waiting.values()), {}
        if run is not None:
            self.index.take(days.ENTITY, run.seal(rows))

    def recover(self) -> bool:
        """Give shards to the runs that died before they had one; tell whether all were whole."""
        whole = True
        root, athlete = self.session.folders.bronze, self.session.athlete
        for found in pages.unsealed(root, SOURCE, days.ENTITY, athlete):
            for page in found.pages():
                self._wait(self._changed(self._rows(read_page(page.body).items)))
            whole = whole and not found.damaged
            self._run = found.run
            self.seal()
        return whole


@dataclass(slots=True)
class PartLanding:
    """Intervals of activities on their way. landed: of how many there were any."""

    session: SyncSession
    index: UpstreamIndex
    landed: int = 0
    _run: pages.Run | None = None
    _waiting: list[dict[str, object]] = field(default_factory=list)

    def take(self, wanted: Wanted, status: int, body: bytes) -> None:
        """Land an answer; any but 200 says that there are none. InvalidData if it is none."""
        self._run = self._run or _begun(self.session, self.index, parts.ENTITY)
        self._run.add(pages.Page(wanted.source_id, status, body))
        self.landed += self._read(wanted, status, body)
        if len(self._waiting) >= _MOST_ROWS:
            self.seal()

    def _read(self, wanted: Wanted, status: int, body: bytes) -> bool:
        """Read an answer; tell whether there are any."""
        row = parts.row(self.session.athlete, wanted.source_id, status, body)
        self._waiting.append({**row, "wanted_hash": wanted.wanted_hash})
        return bool(row["intervals"])

    def seal(self) -> None:
        """Make the run's shard."""
        run, self._run = self._run, None
        rows, self._waiting = self._waiting, []
        if run is not None:
            self.index.take(parts.ENTITY, run.seal(rows))

    def recover(self) -> None:
        """Give shards to the runs that died before they had one; what is damaged is asked again."""
        root, athlete = self.session.folders.bronze, self.session.athlete
        for found in pages.unsealed(root, SOURCE, parts.ENTITY, athlete):
            for page in found.pages():
                wanted = self.index.version(page.subject, "facts_hash", found.run.began_at)
                with contextlib.suppress(InvalidData):  # it is set aside, or asked for again
                    self._read(wanted, page.status, page.body)
            self._run = found.run
            self.seal()
