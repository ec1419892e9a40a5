"""Points and geometry that were lost, made anew from the pages in bronze, without a call."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from tracklake import pages
from tracklake.enrichments import streams
from tracklake.enrichments.batches import Batch
from tracklake.errors import InvalidData
from tracklake.pages import Page
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions, ListReport
from tracklake.strava.records import SERVICE, SOURCE
from tracklake.upstream.landings import Landing, index_of, part_folders


def mend_lost_points(session: SyncSession) -> bool:
    """Read every page again if a file that the last snapshot read points from is gone."""
    if not _are_lost(session):
        return False
    session.log.warning("points_lost", source=SOURCE, action="read from the pages again")
    index = index_of(session, SOURCE)
    index.sync()
    batch = Batch(session, index, streams, EnrichOptions())
    newest = {pages.subject(path): path for path in _paths(session, streams.ENTITY)}
    for path in newest.values():
        for page in _whole(session, [path]):
            began_at = pages.began_at(path.parent)
            batch.reread(page, index.version(page.subject, streams.HASH, began_at))
    batch.seal()
    # The lists after it: what they say counts as said now, and points as fetched for it before.
    landing = Landing(session, index, ListReport(), SERVICE)
    for page in _whole(session, _paths(session, "activities")):
        landing.restore(SERVICE.read_page(page.body))
    landing.seal()
    return True


def _are_lost(session: SyncSession) -> bool:
    rows = session.state.execute("select value from facts where name = 'view_files'")
    named = [Path(name) for name in orjson.loads(str(rows[0][0]))] if rows else []
    folders = part_folders(session, SOURCE)
    return any(path.parent in folders and not path.exists() for path in named)


def _paths(session: SyncSession, entity: str) -> Iterator[Path]:
    return pages.landed(session.folders.bronze, SOURCE, entity, session.athlete)


def _whole(session: SyncSession, paths: Iterable[Path]) -> Iterator[Page]:
    """Read pages; one that is damaged is named in the log and left out."""
    for path in paths:
        try:
            yield pages.read(path)
        except InvalidData:
            session.log.exception("page_damaged", path=str(path))
