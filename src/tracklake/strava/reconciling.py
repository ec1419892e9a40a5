"""What a full listing says of deletions: records that it no longer names become tombstones.

A service that fails may list too little, so when many are missing at once nothing is believed
before a second full listing, an hour later, misses them too.
"""

import datetime as dt
from dataclasses import dataclass

import orjson

from tracklake import bronze
from tracklake.identity import record_id
from tracklake.session import SyncSession
from tracklake.stages import ListReport
from tracklake.strava.listing import Walk
from tracklake.strava.records import SOURCE
from tracklake.upstream_index import UpstreamIndex

_FEW = 5
_SHARE = 0.02
SECOND_LOOK = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Records that a full listing missed, and when it did."""

    at: dt.datetime
    source_ids: frozenset[str]


def doubt(session: SyncSession) -> Doubt | None:
    """Return the doubt that waits for a second listing."""
    rows = session.state.execute("select value from facts where name = ?", (_fact(session),))
    if not rows:
        return None
    told = orjson.loads(str(rows[0][0]))
    return Doubt(dt.datetime.fromisoformat(told["at"]), frozenset(told["source_ids"]))


def _fact(session: SyncSession) -> str:
    return f"strava_doubt:{session.athlete}"


def _keep(session: SyncSession, found: Doubt | None) -> None:
    if found is None:
        session.state.execute("delete from facts where name = ?", (_fact(session),))
        return
    told = orjson.dumps({"at": found.at.isoformat(), "source_ids": sorted(found.source_ids)})
    session.state.execute(
        "insert or replace into facts values (?, ?)", (_fact(session), told.decode())
    )


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


def reconcile(session: SyncSession, index: UpstreamIndex, walk: Walk, report: ListReport) -> None:
    """Turn records that a whole walk over the list did not meet into tombstones."""
    present = index.present()
    missing = frozenset(present - walk.seen)
    now = session.clock.now()
    sure = walk.is_sure or not missing
    gone, left = verdict(missing, len(present), doubt(session), now, sure=sure)
    _keep(session, left)
    report.doubted = len(left.source_ids) if left else 0
    if left:
        session.log.warning("many_missing", count=len(left.source_ids), present=len(present))
    rows: list[dict[str, object]] = [
        {
            "source": SOURCE,
            "athlete": session.athlete,
            "source_id": source_id,
            "record_id": record_id(session.athlete, SOURCE, source_id),
            "reason": "not_listed",
        }
        for source_id in sorted(gone)
    ]
    path = bronze.land_shard(
        session.folders.bronze, "activity_tombstones", rows, ingested_at=index.moment_after(now)
    )
    if path is not None:
        index.take("activity_tombstones", path)
    report.gone = len(gone)
