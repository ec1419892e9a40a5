"""What a full listing says of deletions: records that it no longer names become tombstones.

A service that fails may list too little, so when many are missing at once nothing is believed
before a second full listing, an hour later, misses them too.
"""

import datetime as dt
from dataclasses import dataclass

import orjson

from tracklake import bronze
from tracklake.stages import ListReport
from tracklake.upstream.listed import identified
from tracklake.upstream.memory import Memory, moment
from tracklake.upstream_index import UpstreamIndex

_FACT = "doubt"
_FEW = 5
_SHARE = 0.02
SECOND_LOOK = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a whole listing met: the ids, and whether it had no sign of having missed any.

    since_s, until_s: UNIX seconds, where it was of those that begin within them only.
    """

    seen: frozenset[str] | set[str]
    is_sure: bool
    since_s: float | None = None
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Records that a full listing missed, and when it did."""

    at: dt.datetime
    source_ids: frozenset[str]


def doubt(memory: Memory) -> Doubt | None:
    """Return the doubt that waits for a second listing."""
    return memory.understood(_FACT, _doubt)


def _doubt(text: str) -> Doubt:
    told = orjson.loads(text)
    return Doubt(moment(told["at"]), frozenset(told["source_ids"]))


def _keep(memory: Memory, found: Doubt | None) -> None:
    told = found and {"at": found.at.isoformat(), "source_ids": sorted(found.source_ids)}
    memory.write(_FACT, orjson.dumps(told).decode() if told else None)


def verdict(
    missing: frozenset[str], present: int, before: Doubt | None, now: dt.datetime, *, sure: bool
) -> tuple[frozenset[str], Doubt | None]:
    """Return which of the missing are gone, and the doubt that stays. Pure.

    present: how many records are known; sure: the listing had no sign of having missed any. A doubt
    of a time to come (the clock was set back) counts from now.
    """
    if sure and len(missing) <= max(_FEW, _SHARE * present):
        return missing, None
    if before is None or before.at > now:
        return frozenset(), Doubt(now, missing)
    if now - before.at < SECOND_LOOK:
        return frozenset(), before
    agreed = missing & before.source_ids
    rest = missing - agreed
    if not rest:
        return agreed, None
    return agreed, Doubt(now, rest)


def reconcile(index: UpstreamIndex, memory: Memory, report: ListReport, listing: Listing) -> None:
    """Turn records that a listing did not meet into tombstones."""
    session = memory.session
    present = index.present(listing.since_s, listing.until_s)
    missing = frozenset(present - listing.seen)
    now = session.clock.now()
    sure = listing.is_sure or not missing
    gone, left = verdict(missing, len(present), doubt(memory), now, sure=sure)
    _keep(memory, left)
    report.doubted = len(left.source_ids) if left else 0
    if left:
        session.log.warning("many_missing", count=len(left.source_ids), present=len(present))
    rows = [
        {**identified(index.source, session.athlete, source_id), "reason": "not_listed"}
        for source_id in sorted(gone)
    ]
    path = bronze.land_shard(
        session.folders.bronze, "activity_tombstones", rows, ingested_at=index.moment_after(now)
    )
    if path is not None:
        index.take("activity_tombstones", path)
    report.gone = len(gone)
