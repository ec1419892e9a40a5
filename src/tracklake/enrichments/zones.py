"""Time in zones of heart rate, pace and power; for subscribers, and only when asked for."""

from tracklake.enrichments.fetched import Fetched, Request, absent, expect
from tracklake.json_text import parse
from tracklake.pages import Page
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions
from tracklake.strava import facts
from tracklake.upstream_index import UpstreamIndex, Wanted

NAME = "zones"
ENTITY = "activity_zones"
HASH = "track_hash"


def wanted(index: UpstreamIndex, options: EnrichOptions) -> list[Wanted]:  # noqa: ARG001 all are asked alike
    """List activities whose zones are missing."""
    return index.wanted(ENTITY, HASH)


def request(wanted: Wanted, options: EnrichOptions) -> Request:  # noqa: ARG001 all are asked alike
    """Ask for one activity's zones."""
    return Request(f"activities/{wanted.source_id}/zones", {})


def read(session: SyncSession, page: Page, wanted: Wanted, options: EnrichOptions) -> Fetched:  # noqa: ARG001 all are asked alike
    """Read the answer; without a subscription there is none."""
    nothing = absent(session, page, wanted)
    if nothing is not None:
        return nothing
    found = parse(page.body)
    expect(found, list, f"the zones of activity {wanted.source_id}")
    row = facts.zones(found, session.athlete, wanted.source_id)
    return Fetched({**row, "wanted_hash": wanted.wanted_hash})
