"""What intervals.icu says of days and of the parts of activities, on its way to bronze: pages
first, then one shard a run.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tracklake import code_versions, pages, quarantine
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash
from tracklake.intervals import days, parts
from tracklake.intervals.records import SOURCE, TITLE
from tracklake.session import SyncSession
from tracklake.upstream.listed import ListPage, content_hash_of, read_page
from tracklake.upstream_index import UpstreamIndex, Wanted

_MOST_ROWS = 2000


def _begun(session: SyncSession, index: UpstreamIndex, entity: str) -> pages.Run:
    began_at = index.moment_after(session.clock.now())
    return pages.Run.begin(session.folders.bronze, SOURCE, entity, session.athlete, began_at)


def item_id(entity: str, name: str) -> str:
    """Name what is fetched of the service for the quarantine."""
    return bytes_hash(f"{SOURCE} {entity} {name}".encode())


def _day_item_id(item: dict[str, Any]) -> str:
    own = item.get("id")
    return item_id(days.ENTITY, str(own)) if own else content_hash_of(item)


def _set_aside(session: SyncSession, item: quarantine.Item, entity: str, folder: Path) -> None:
    """Enter what came and could not be read; other code than this reads it where it lies."""
    kept = replace(
        item,
        location=folder.relative_to(session.folders.data).as_posix(),
        read_as=code_versions.kind_of(SOURCE, entity),
    )
    quarantine.set_aside(session, kept)


@dataclass(slots=True)
class DayLanding:
    """Days on their way: those that changed land. landed: how many; refused: set aside."""

    session: SyncSession
    index: UpstreamIndex
    landed: int = 0
    refused: int = 0
    _run: pages.Run | None = None
    _waiting: dict[str, dict[str, object]] = field(default_factory=dict)
    _known: dict[str, str] | None = None

    def take(self, page: ListPage) -> None:
        """Land a page if a day in it is new, or one that cannot be read."""
        found, unread = self._read(page.items)
        rows, resting = self._changed(found), quarantine.resting(self.session, SOURCE)
        fresh = {key: error for key, error in unread.items() if key not in resting}
        if not rows and not fresh:
            return
        self._run = self._run or _begun(self.session, self.index, days.ENTITY)
        self._run.add(pages.Page("", 200, page.body))
        for key, error in fresh.items():
            self._set_aside(key, error, self._run.folder)
        self._wait(rows)
        self.landed += len(rows)
        self._release({_day_item_id(item) for item in page.items} - unread.keys())
        if len(self._waiting) >= _MOST_ROWS:
            self.seal()

    def _release(self, item_ids: set[str]) -> None:
        for key in item_ids & quarantine.entered(self.session, SOURCE).keys():
            quarantine.release(self.session.state, key, self.session.athlete)

    def _read(
        self, items: list[dict[str, Any]]
    ) -> tuple[list[dict[str, object]], dict[str, InvalidData]]:
        """Return the rows of days that say something, and what cannot be read by its item id."""
        rows, unread = [], {}
        for item in items:
            try:
                row = days.day(item, self.session.athlete)
            except InvalidData as error:
                unread[_day_item_id(item)] = error
                continue
            if str(row["source_id"]) in self.known or not days.is_blank(item):
                rows.append(row)
        return rows, unread

    def _set_aside(self, key: str, error: InvalidData, folder: Path) -> None:
        self.refused += 1
        item = quarantine.Item(
            item_id=key,
            source=SOURCE,
            item=f"a day of {TITLE}",
            reason=error.reason,
            message=str(error),
        )
        _set_aside(self.session, item, days.ENTITY, folder)

    def read_again(self) -> None:
        """Read once more, without a call, the days that other code than now could not read."""
        due = quarantine.unread(self.session, SOURCE, days.ENTITY)
        ids = {one.item_id for one in due}
        understood: set[str] = set()
        for location in dict.fromkeys(one.location for one in due):
            folder = self.session.folders.data / location
            items = [
                item
                for page in pages.of_run(folder)
                for item in read_page(page.body).items
                if _day_item_id(item) in ids
            ]
            rows, unread = self._read(items)
            understood |= {_day_item_id(item) for item in items} - unread.keys()
            for key, error in unread.items():
                self._set_aside(key, error, folder)
            fresh = [row for row in rows if str(row["source_id"]) not in self.known]
            if fresh:
                self._run = self._run or _begun(self.session, self.index, days.ENTITY)
                self._wait(fresh)
        self.seal()
        self._release(understood)  # landed by now

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
                rows, unread = self._read(read_page(page.body).items)
                self._wait(self._changed(rows))
                for key, error in unread.items():
                    self._set_aside(key, error, found.run.folder)
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

    def take(self, wanted: Wanted, status: int, body: bytes) -> bool:
        """Land an answer; any but 200 says that there are none. False: it is set aside."""
        self._run = self._run or _begun(self.session, self.index, parts.ENTITY)
        page = pages.Page(wanted.source_id, status, body)
        self._run.add(page)
        is_read = self._read(wanted, page, self._run.folder)
        if len(self._waiting) >= _MOST_ROWS:
            self.seal()
        return is_read

    def _read(self, wanted: Wanted, page: pages.Page, folder: Path) -> bool:
        """Read an answer, or set it aside."""
        try:
            row = parts.row(self.session.athlete, wanted.source_id, page.status, page.body)
        except InvalidData as error:
            item = quarantine.Item(
                item_id=item_id(parts.ENTITY, wanted.source_id),
                source=SOURCE,
                item=f"the intervals of {TITLE}'s activity {wanted.source_id}",
                reason=error.reason,
                message=str(error),
                subject=wanted.source_id,
            )
            _set_aside(self.session, item, parts.ENTITY, folder)
            return False
        self._waiting.append({**row, "wanted_hash": wanted.wanted_hash})
        self.landed += bool(row["intervals"])
        return True

    def read_again(self) -> None:
        """Read once more, without a call, the answers that other code than now could not read."""
        understood = []
        for one in quarantine.unread(self.session, SOURCE, parts.ENTITY):
            folder = self.session.folders.data / one.location
            came = [page for page in pages.of_run(folder) if page.subject == one.subject]
            if came and self._read(self._version(one.subject, folder), came[-1], folder):
                understood.append(one.item_id)
        if understood:
            self._run = _begun(self.session, self.index, parts.ENTITY)
            self.seal()
        for key in understood:  # landed by now
            quarantine.release(self.session.state, key, self.session.athlete)

    def _version(self, source_id: str, folder: Path) -> Wanted:
        """Return a record in the version of which a run fetched something."""
        return self.index.version(source_id, "facts_hash", pages.began_at(folder))

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
                folder = found.run.folder
                self._read(self._version(page.subject, folder), page, folder)
            self._run = found.run
            self.seal()
