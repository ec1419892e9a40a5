"""Which of a service's originals in bronze are to be decoded once more; nothing is fetched."""

from pathlib import Path

import orjson

from tracklake import bronze, pages, quarantine
from tracklake.session import SyncSession
from tracklake.upstream import landings
from tracklake.upstream_index import UpstreamIndex, Wanted

_ENTITY = "activity_streams"


def due(session: SyncSession, index: UpstreamIndex, source: str) -> list[tuple[Wanted, Path]]:
    """List originals by record: those set aside and due, and all where points of them are lost."""
    found = _set_aside(session, source)
    if landings.has_lost_points(session, source):
        session.log.warning("points_lost", source=source, action="decoded again from bronze")
        found |= _received(session, source)
    return [
        (landings.as_fetched(index, _ENTITY, source_id), path)
        for source_id, path in found.items()
        if path.is_file()
    ]


def _set_aside(session: SyncSession, source: str) -> dict[str, Path]:
    return {
        one.subject: session.folders.data / one.location
        for one in quarantine.kept(session, source)
        if one.subject and "/original_files/" in one.location
    }


def _received(session: SyncSession, source: str) -> dict[str, Path]:
    """Return the newest original of each record that has one."""
    landed = pages.landed(session.folders.bronze, source, _ENTITY, session.athlete)
    newest = {pages.subject(path): path for path in landed}
    found = {}
    for source_id, name in newest.items():
        for page in pages.sound([name]):
            path = original(session, source, page)
            if path is not None:
                found[source_id] = path
    return found


def original(session: SyncSession, source: str, page: pages.Page) -> Path | None:
    """Return the original that a receipt names, if it is there."""
    if not is_receipt(page):
        return None
    name = str(orjson.loads(page.body)["file"])
    path = bronze.object_path(session.folders.bronze, source, session.athlete, name[:64], name[64:])
    return path if path.exists() else None


def is_receipt(page: pages.Page) -> bool:
    """Tell a page that names an original from an answer that there is none: 404, or nothing."""
    return page.status == 200 and bool(page.body)
