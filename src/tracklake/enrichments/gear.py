"""Bikes and shoes that activities name: one call each, once."""

import re

from tracklake.enrichments.fetched import Fetched, Request, expect
from tracklake.errors import InvalidData
from tracklake.json_text import parse
from tracklake.pages import Page
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions
from tracklake.strava import facts
from tracklake.upstream_index import UpstreamIndex, Wanted

NAME = "gear"
ENTITY = "gear"
HASH = None

_FIRST = float("inf")  # before every activity: it is little, and many of them name it


def wanted(index: UpstreamIndex, options: EnrichOptions) -> list[Wanted]:  # noqa: ARG001 all are asked alike
    """List the gear that nobody asked about; an id becomes part of an address and of a name."""
    ids = [one for one in index.wanted_gear() if re.fullmatch(r"[A-Za-z]?[0-9]{1,19}", one)]
    return [Wanted(gear_id, _FIRST, "", "") for gear_id in ids]


def request(wanted: Wanted, options: EnrichOptions) -> Request:  # noqa: ARG001 all are asked alike
    """Ask for one bike or pair of shoes."""
    return Request(f"gear/{wanted.source_id}", {})


def read(session: SyncSession, page: Page, wanted: Wanted, options: EnrichOptions) -> Fetched:  # noqa: ARG001 all are asked alike
    """Read the answer; gear that is not there any more keeps its id for a name."""
    nothing = {"id": wanted.source_id}
    found = parse(page.body) if page.status == 200 else nothing
    expect(found, dict, f"gear {wanted.source_id}")
    if found.get("id") != wanted.source_id:
        raise InvalidData(f"an answer about other gear than {wanted.source_id}", reason="other_id")
    return Fetched(facts.gear(found, session.athlete))
