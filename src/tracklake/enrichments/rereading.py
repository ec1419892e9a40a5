"""Points and geometry that were lost, made anew from the pages in bronze, without a call."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tracklake import pages, quarantine
from tracklake.enrichments import streams
from tracklake.enrichments.batches import Batch
from tracklake.errors import InvalidData
from tracklake.pages import Page
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions, ListReport
from tracklake.strava.records import SERVICE, SOURCE
from tracklake.upstream.landings import Landing, has_lost_points, index_of


def mend_lost_points(session: SyncSession) -> bool:
    """Read every page again if a file that the last snapshot read points from is gone."""
    if not has_lost_points(session, SOURCE):
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


def read_set_aside(session: SyncSession, batches: Iterable[Batch]) -> None:
    """Read again, without a call, the pages that other code than now could not read."""
    for batch in batches:
        entity = batch.enrichment.ENTITY
        for one in quarantine.unread(session, SOURCE, entity):
            source_id = one.subject or one.item.rpartition(" ")[2]
            folder = session.folders.data / one.location
            came = [page for page in pages.of_run(folder) if page.subject == source_id]
            if came and batch.take(came[-1], batch.version(source_id, pages.began_at(folder))):
                quarantine.release(session.state, one.item_id, session.athlete)
        batch.seal()


def _paths(session: SyncSession, entity: str) -> Iterator[Path]:
    return pages.landed(session.folders.bronze, SOURCE, entity, session.athlete)


def _whole(session: SyncSession, paths: Iterable[Path]) -> Iterator[Page]:
    """Read pages; one that is damaged is named in the log and left out."""
    for path in paths:
        try:
            yield pages.read(path)
        except InvalidData:
            session.log.exception("page_damaged", path=str(path))
