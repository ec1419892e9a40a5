"""Bikes and shoes that activities name: one call each, once."""

from tracklake.enrichments.fetched import Fetched, Request, expect
from tracklake.json_text import parse
from tracklake.pages import Page
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions
from tracklake.strava import records
from tracklake.upstream_index import UpstreamIndex, Wanted

NAME = "gear"
ENTITY = "gear"
HASH = None

_FIRST = float("inf")  # before every activity: it is little, and many of them name it


def wanted(index: UpstreamIndex, options: EnrichOptions) -> list[Wanted]:  # noqa: ARG001 all are asked alike
    """List the gear that nobody asked about."""
    return [Wanted(gear_id, _FIRST, "", "") for gear_id in index.wanted_gear()]


def request(wanted: Wanted, options: EnrichOptions) -> Request:  # noqa: ARG001 all are asked alike
    """Ask for one bike or pair of shoes."""
    return Request(f"gear/{wanted.source_id}", {})


def read(session: SyncSession, page: Page, wanted: Wanted, options: EnrichOptions) -> Fetched:  # noqa: ARG001 all are asked alike
    """Read the answer; gear that is not there any more keeps its id for a name."""
    found = parse(page.body) if page.status == 200 else {"id": wanted.source_id}
    expect(found, dict, f"gear {wanted.source_id}")
    return Fetched(records.gear({**found, "id": wanted.source_id}, session.athlete))
