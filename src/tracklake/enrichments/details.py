"""DetailedActivity: description, calories, laps, both splits, best efforts, segment efforts."""

from tracklake.enrichments.fetched import Fetched, Request, absent, expect
from tracklake.errors import InvalidData
from tracklake.identity import bytes_hash
from tracklake.json_text import parse
from tracklake.pages import Page
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions
from tracklake.strava import facts, strict
from tracklake.upstream_index import UpstreamIndex, Wanted

NAME = "details"
ENTITY = "activity_details"
HASH = "facts_hash"


def wanted(index: UpstreamIndex, options: EnrichOptions) -> list[Wanted]:
    """List activities whose details are missing or older than what the list says now."""
    return index.wanted(ENTITY, HASH, all_efforts=options.include_efforts)


def request(wanted: Wanted, options: EnrichOptions) -> Request:
    """Ask for one activity."""
    efforts: dict[str, str | int] = {"include_all_efforts": "true"}
    return Request(f"activities/{wanted.source_id}", efforts if _all(wanted, options) else {})


def _all(wanted: Wanted, options: EnrichOptions) -> bool:
    """Tell whether to ask for all efforts: now, or once before, so that none is lost."""
    return options.include_efforts or wanted.all_efforts


def read(session: SyncSession, page: Page, wanted: Wanted, options: EnrichOptions) -> Fetched:
    """Read the answer; InvalidData if it is another's or none."""
    nothing = absent(session, page, wanted)
    if nothing is not None:
        return Fetched({**nothing.row, "all_efforts": False})
    row = strict.detail(page.body, session.athlete, all_efforts=_all(wanted, options))
    if row is None:
        found = parse(page.body)
        expect(found, dict, f"activity {wanted.source_id}")
        row = facts.detail(found, session.athlete, all_efforts=_all(wanted, options))
    if row["source_id"] != wanted.source_id:
        raise InvalidData(f"an answer about another than {wanted.source_id}", reason="other_id")
    digest = bytes_hash(page.body)
    return Fetched({**row, "content_hash": digest, "wanted_hash": wanted.wanted_hash})
