"""Which original files are still to be fetched, and what an answer to that is."""

from tracklake import quarantine
from tracklake.client import Answer
from tracklake.errors import Error, InvalidData
from tracklake.garmin import records
from tracklake.identity import bytes_hash
from tracklake.session import SyncSession
from tracklake.upstream.calls import Calls
from tracklake.upstream_index import UpstreamIndex, Wanted

ENTITY = "activity_streams"
_ACCEPT = "application/x-zip-compressed"  # application/octet-stream alone gets a 406
_MOST_BYTES = 64 << 20
_TRIES = 3  # of one file in one run
_TEXT = ("text/", "application/json", "application/xhtml")


def wanted(session: SyncSession, index: UpstreamIndex) -> list[Wanted]:
    """List the activities whose file is missing, newest first, without those set aside for now.

    Those that failed before come last: they must not bar the way where it is they that fail.
    """
    aside = quarantine.resting(session, records.SOURCE)
    suspicion = quarantine.suspicion(session, records.SOURCE)
    found = [one for one in index.wanted(ENTITY, "track_hash") if _item_id(one) not in aside]
    return sorted(found, key=lambda one: suspicion(_item_id(one)))


def fetch(calls: Calls, one: Wanted) -> Answer:
    """Ask for a file: a ZIP with a FIT, GPX or TCX, or 404 where there is none.

    Raises what Calls.get does; InvalidData also for a page of text in place of a file.
    """
    path = f"download-service/files/activity/{one.source_id}"
    accept = {"Accept": _ACCEPT}
    answer = calls.get(path, headers=accept, most_bytes=_MOST_BYTES, tries=_TRIES)
    kind = answer.headers.get("content-type", "")
    if answer.status == 200 and (kind.startswith(_TEXT) or not answer.body):
        said = f"Garmin answered with {kind[:40] or 'nothing'} in place of a file"
        raise InvalidData(said, reason="no_file")
    return answer


def failed(one: Wanted, error: Error) -> quarantine.Item:
    """Say what is set aside where a file could not be fetched."""
    return quarantine.Item(
        item_id=_item_id(one),
        source=records.SOURCE,
        item=f"file of {records.SOURCE} {one.source_id}",
        reason=error.reason if isinstance(error, InvalidData) else "unreachable",
        message=str(error),
        subject=one.source_id,
    )


def _item_id(one: Wanted) -> str:
    """Name it as ServiceFiles does, which forgets it once there is a sound file."""
    return bytes_hash(f"{records.SOURCE} {ENTITY} {one.source_id}".encode())
