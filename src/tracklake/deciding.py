"""What the athlete says of records: that they are one activity, or are not.

It lands in bronze as any source's word, so that rebuilds know it. Records are named by
source/source_id, because ids of activities may change with what is decided.
"""

from collections.abc import Sequence
from typing import Literal

import duckdb

from tracklake import bronze, reading
from tracklake.errors import ConfigError
from tracklake.incoming import list_literal, literal
from tracklake.session import SyncSession

SOURCE = "athlete"
_WHERE = '`tracklake duplicates` shows ids, `tracklake sql "from activity_sources"` all of them'


def merge(session: SyncSession, first: str, second: str) -> list[str]:
    """Land that two are one activity; return the records that will be one.

    first, second: the id of an activity, or source/source_id of a record. ConfigError: there is no
    such, they are one already, or both are of multisport outings.
    """
    with reading.snapshot(session.folders) as connection:
        mine, theirs = (_records(connection, session.athlete, one) for one in (first, second))
        whole = [*mine, *theirs]
        parts = _multisport(connection, session.athlete, whole)
    if set(mine) & set(theirs):
        raise ConfigError(f"{first} and {second} are one activity already")
    if len(parts) > 1:
        raise ConfigError(f"{' and '.join(parts)} are parts of multisport outings; they stay apart")
    _land(session, "merge", [(whole[0], other) for other in whole[1:]])
    return whole


def split(session: SyncSession, name: str) -> list[str]:
    """Land that a record is an activity by itself; return it and those that it was one with.

    name: source/source_id of a record; or the id of an activity that has two. ConfigError: there is
    no such, or it is by itself already, or it is not clear which.
    """
    with reading.snapshot(session.folders) as connection:
        whole = _records(connection, session.athlete, name)
    if len(whole) < 2:
        raise ConfigError(f"{name} is one record by itself; there is nothing to split")
    chosen = name if name in whole else whole[0]
    if chosen != name and len(whole) > 2:
        raise ConfigError(
            f"{name} has {len(whole)} records: {', '.join(whole)}; name the one that is another "
            f"activity: `tracklake split {whole[-1]}`"
        )
    others = [one for one in whole if one != chosen]
    _land(session, "split", [(chosen, other) for other in others])
    return [chosen, *others]


def activity_of(session: SyncSession, record: str) -> int | None:
    """Return the id of the activity that a record belongs to, as the last snapshot has it."""
    with reading.snapshot(session.folders) as connection:
        rows = connection.execute(
            "select activity_id from activity_sources "  # noqa: S608 quoted
            f"where athlete = {literal(session.athlete)} "
            f"and source || '/' || source_id = {literal(record)}"
        ).fetchall()
    return int(rows[0][0]) if rows else None


def _records(connection: duckdb.DuckDBPyConnection, athlete: str, name: str) -> list[str]:
    """Return the names of all records of one activity."""
    number = int(name) if name.isdecimal() and len(name) < 19 else -1
    rows = connection.execute(
        "with own as ("  # noqa: S608 quoted
        "  select activity_id, source || '/' || source_id as record, match_confidence, record_id"
        f" from activity_sources where athlete = {literal(athlete)}"
        ") select record from own where activity_id in ("
        f"  select activity_id from own where record = {literal(name)} or activity_id = {number}"
        ") order by match_confidence desc, record_id"
    ).fetchall()
    if not rows:
        raise ConfigError(f"{athlete} has no activity or record {name}; {_WHERE}")
    return [found for (found,) in rows]


def _multisport(
    connection: duckdb.DuckDBPyConnection, athlete: str, names: Sequence[str]
) -> list[str]:
    """Return those records that are a leg of a multisport outing, or its whole."""
    rows = connection.execute(
        "select source || '/' || source_id as record from activity_sources "  # noqa: S608 quoted
        f"where athlete = {literal(athlete)} and (leg_index > 0 or leg_count > 0) "
        f"and list_contains({list_literal(names)}, record) order by record"
    ).fetchall()
    return [found for (found,) in rows]


def _land(
    session: SyncSession, kind: Literal["merge", "split"], pairs: Sequence[tuple[str, str]]
) -> None:
    now = session.clock.now()
    rows: list[dict[str, object]] = [
        {
            "source": SOURCE,
            "athlete": session.athlete,
            "source_id": f"{kind} {first} {second} {bronze.stamp(now)}",
            "kind": kind,
            "first_record": first,
            "second_record": second,
            "decided_at": now,
        }
        for first, second in pairs
    ]
    bronze.land_shard(session.folders.bronze, "match_decisions", rows, ingested_at=now)
    session.log.info("match_decided", kind=kind, records=[pairs[0][0], *(b for _, b in pairs)])
