"""What one call about one activity brought."""

from typing import NamedTuple

from tracklake.errors import InvalidData
from tracklake.model import Outline
from tracklake.pages import Page
from tracklake.session import SyncSession
from tracklake.strava import facts
from tracklake.upstream_index import Wanted


class Request(NamedTuple):
    """A path below the service's address, and parameters."""

    path: str
    params: dict[str, str | int]


class Fetched(NamedTuple):
    """A row of the enrichment's entity; its points, if it has any, by their stream key."""

    row: dict[str, object]
    outline: tuple[int, Outline] | None = None


def absent(session: SyncSession, page: Page, wanted: Wanted) -> Fetched | None:
    """Return what to remember when the service has nothing: 404, 403, 402; None if it has."""
    if page.status == 200:
        return None
    outcome = "gone" if page.status == 410 else "none"
    row = facts.nothing(session.athlete, wanted.source_id, outcome)
    return Fetched({**row, "wanted_hash": wanted.wanted_hash})


def expect(found: object, shape: type, subject: str) -> None:
    """Raise InvalidData where an answer is not of the shape it should be."""
    if not isinstance(found, shape):
        raise InvalidData(f"an answer about {subject} of another shape", reason="bad_answer")
