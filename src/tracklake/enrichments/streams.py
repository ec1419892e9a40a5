"""Streams: every point of an activity, in all channels that Strava has."""

import dataclasses

from tracklake import bronze
from tracklake.enrichments.fetched import Fetched, Request, absent
from tracklake.identity import bytes_hash, stable_id
from tracklake.json_text import parse
from tracklake.pages import Page
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions
from tracklake.strava import facts, stream_sets
from tracklake.upstream_index import UpstreamIndex, Wanted

NAME = "streams"
ENTITY = "activity_streams"
HASH = "track_hash"


def wanted(index: UpstreamIndex, options: EnrichOptions) -> list[Wanted]:
    """List activities whose points are missing, or were fetched before it was cropped.

    One whose file came with the archive has its points, unless everything is asked for.
    """
    return index.wanted(ENTITY, HASH, without_file=not options.everything)


def request(wanted: Wanted, options: EnrichOptions) -> Request:  # noqa: ARG001 all are asked alike
    """Ask for every channel; without names Strava sends only the distance."""
    keys = ",".join(stream_sets.KEYS.split())
    return Request(f"activities/{wanted.source_id}/streams", {"keys": keys, "key_by_type": "true"})


def read(session: SyncSession, page: Page, wanted: Wanted, options: EnrichOptions) -> Fetched:  # noqa: ARG001 all are asked alike
    """Read the answer; InvalidData if it is no set of streams."""
    none = {"start_s": wanted.start_s, "point_count": 0, "has_track": False}
    nothing = absent(session, page, wanted)
    if nothing is not None:
        return Fetched({**nothing.row, **none})
    found = stream_sets.decode(parse(page.body), wanted.start_s)
    row = facts.nothing(session.athlete, wanted.source_id, "done" if len(found.points) else "none")
    row |= {
        **none,
        "wanted_hash": wanted.wanted_hash,
        "content_hash": bytes_hash(page.body),
        "channels": list(found.channels),
    }
    if not len(found.points):
        return Fetched(row)
    outline = found.outline(wanted.sport_type, wanted.start_s)
    # A key of this reading: what a killed run left of another belongs to nothing.
    key = stable_id(str(row["record_id"]), bronze.stamp(session.clock.now()))
    row |= {
        "stream_key": key,
        "point_count": len(found.points),
        "has_track": bool(outline.track),
        "best_efforts": [dataclasses.asdict(effort) for effort in outline.best_efforts],
    }
    return Fetched(row, (key, outline))
