"""Puts gold's records into groups, one for each activity: between DuckDB and pure matching.

Only records that changed in what decides it are looked at, with all that these are connected with,
so that a day's rows cost what is near them. What comes of it is the same as if all were looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from tracklake import canonical_rows, matching
from tracklake.canonical_rows import Gone, Near, batched, texts
from tracklake.incoming import literal
from tracklake.matching import Decision, Match, Record

_AT_ONCE = 1_000
_ROWS_AT_ONCE = 1_000
_Placed = tuple[int, str, float]  # founder, method, confidence


@dataclass(slots=True)
class _Found:
    """What was found of all records that were looked at, by id."""

    placed: dict[int, _Placed] = field(default_factory=dict)
    doubtful: dict[tuple[int, int], Match] = field(default_factory=dict)
    looked_at: set[int] = field(default_factory=set)  # and those that are gone from gold


def regroup(connection: duckdb.DuckDBPyConnection) -> None:
    """Put the records that `unsettled` names into groups, and those that `ghosts` were near.

    Makes the temporary table `regrouped` of those whose founder, method or confidence changed, and
    brings record_links and record_doubts up to date.
    """
    found = _Found()
    athletes = connection.execute(
        "select distinct athlete from ("
        "  select athlete from records where record_id in (select record_id from unsettled)"
        "  union all select athlete from ghosts"
        ") order by athlete"
    ).fetchall()
    if athletes:
        _link(connection)
    for (athlete,) in athletes:
        decisions = canonical_rows.decisions(connection, athlete)
        if not decisions and _has_one_service(connection, athlete):
            _set_aside(connection, athlete, found)
        _regroup(connection, athlete, decisions, found)
    _keep(connection, found)


def _regroup(
    connection: duckdb.DuckDBPyConnection,
    athlete: str,
    decisions: Sequence[Decision],
    found: _Found,
) -> None:
    """Put one athlete's records into groups."""
    for changed in _in_time(connection, athlete):
        near = Near(connection, athlete)
        ghosts = [number for number, is_ghost in changed if is_ghost]
        fresh = [
            number for number, is_ghost in changed if not is_ghost and number not in found.looked_at
        ]
        if not ghosts and not fresh:
            continue
        former = canonical_rows.former(connection, athlete, ghosts) if ghosts else []
        closed = matching.neighbourhood(near.fetch(fresh), near, decisions, former)
        grouping = matching.grouped(closed, decisions)
        known = {record.record_id: record for record in closed}
        found.looked_at |= known.keys()
        found.looked_at.update(ghosts)
        found.placed |= _placed(grouping, known)
        found.doubtful |= _doubtful(grouping, known)


def _placed(grouping: matching.Grouping, known: Mapping[int, Record]) -> dict[int, _Placed]:
    """Say how each record came to its founder.

    Of a row of an archive and the file that it names, the file stands by itself.
    """
    groups: dict[int, list[Record]] = defaultdict(list)
    for number, assignment in grouping.assignments.items():
        groups[assignment.founder].append(known[number])
    placed: dict[int, _Placed] = {}
    for founder, group in groups.items():
        named = _named_by_archive(group)
        for record in group:
            assigned = grouping.assignments[record.record_id]
            method: str = assigned.method
            if named and record.source == "files" and record.links & named:
                method = "export_filename" if _is_of_archive(record) else _own_if_file(method)
            placed[record.record_id] = (founder, method, assigned.confidence)
    return placed


def _own_if_file(method: str) -> str:
    return "own" if method == "file" else method


def _named_by_archive(group: Sequence[Record]) -> frozenset[str]:
    """Return the files of a group that a row of Strava's archive names."""
    rows = [record.links for record in group if _is_of_archive(record)]
    files = [
        record.links for record in group if record.source == "files" and not _is_of_archive(record)
    ]
    return frozenset().union(*rows) & frozenset().union(*files)


def _is_of_archive(record: Record) -> bool:
    return record.source == "files" and record.source_id != record.service_id


def _doubtful(
    grouping: matching.Grouping, known: Mapping[int, Record]
) -> dict[tuple[int, int], Match]:
    """Return the pairs to ask the athlete about; of what is deleted nobody needs to know."""
    return {
        (match.first, match.second): match
        for match in grouping.doubtful
        if not any(isinstance(known[one], Gone) for one in (match.first, match.second))
    }


# ---- DuckDB ----


def _in_time(
    connection: duckdb.DuckDBPyConnection, athlete: str
) -> Iterator[tuple[tuple[int, bool], ...]]:
    """Yield the ids of what changed, some at a time, in the order of their starts.

    With each: whether it is as it was before.
    """
    rows = connection.execute(
        "select record_id, is_ghost from ("  # noqa: S608 quoted
        "  select athlete, record_id, start_date, false as is_ghost from records"
        "  where record_id in (select record_id from unsettled)"
        "  union all"
        "  select athlete, record_id, make_timestamptz((start_s * 1e6)::bigint), true from ghosts"
        f") where athlete = {literal(athlete)} order by start_date nulls last, record_id, is_ghost"
    ).fetchall()
    yield from batched(rows, _AT_ONCE)


def _has_one_service(connection: duckdb.DuckDBPyConnection, athlete: str) -> bool:
    rows = connection.execute(
        "select count(distinct source), bool_or(starts_with(source_id, 'strava-export/')) "  # noqa: S608 quoted
        f"from records where athlete = {literal(athlete)}"
    ).fetchall()
    return rows == [(1, False)]


def _set_aside(connection: duckdb.DuckDBPyConnection, athlete: str, found: _Found) -> None:
    """Settle those that cannot be like any other: no key in common, and nothing starts near them.

    Saves most of the work where there is one service.
    """
    rows = connection.execute(
        "select record_id from ("  # noqa: S608 quoted
        "  select record_id, is_ghost, "
        "    epoch(start_date - lag(start_date) over in_time) as since_s,"
        "    epoch(lead(start_date) over in_time - start_date) as until_s"
        "  from ("
        "    select record_id, start_date, false as is_ghost from records"
        f"   where athlete = {literal(athlete)} and start_date is not null"
        "    union all"
        "    select record_id, make_timestamptz((start_s * 1e6)::bigint), true from ghosts"
        f"   where athlete = {literal(athlete)} and start_s is not null"
        "  ) window in_time as (order by start_date)"
        f") where coalesce(since_s > {matching.SAME_SERVICE_S}, true)"
        f"  and coalesce(until_s > {matching.SAME_SERVICE_S}, true)"
        "  and not is_ghost and record_id in (select record_id from unsettled)"
        "  and record_id not in ("
        "    select record_id from record_links where link in ("
        "      select link from record_links group by link having count(*) > 1"
        "    )"
        "  )"
    ).fetchall()
    for (number,) in rows:
        found.placed[number] = (number, "own", 1.0)
        found.looked_at.add(number)


def _link(connection: duckdb.DuckDBPyConnection) -> None:
    """Write down the keys of the records that changed, in place of those they had."""
    keys = canonical_rows.keys(connection)
    connection.execute(
        "delete from record_links where record_id in ("
        "  select record_id from unsettled union all select record_id from ghosts"
        ")"
    )
    connection.execute(
        f"insert into record_links select unnest({texts(number for number, _ in keys)})::bigint, "
        f"unnest({texts(link for _, link in keys)})"
    )


def _keep(connection: duckdb.DuckDBPyConnection, found: _Found) -> None:
    """Hand over what changed, and write down which pairs are doubtful."""
    founders, methods, confidences = (
        texts(place[part] for place in found.placed.values()) for part in range(3)
    )
    connection.execute(
        "create or replace temp table regrouped as "
        f"select unnest({texts(found.placed)})::bigint as record_id, "
        f"unnest({founders})::bigint as founder_id, unnest({methods}) as method, "
        f"unnest({confidences})::double as confidence"
    )
    connection.execute(
        "delete from regrouped using records as r where r.record_id = regrouped.record_id and "
        "(r.founder_id, r.match_method, r.match_confidence) "
        "= (regrouped.founder_id, regrouped.method, regrouped.confidence)"
    )
    looked_at = f"(select unnest({texts(found.looked_at)})::bigint)"
    connection.execute(
        f"delete from record_doubts where record_id in {looked_at} "  # noqa: S608 numbers
        f"or other_record_id in {looked_at}"
    )
    for some in batched(found.doubtful.values(), _ROWS_AT_ONCE):
        rows = ", ".join(f"({m.first}, {m.second}, '{m.method}', {m.confidence})" for m in some)
        connection.execute(f"insert into record_doubts values {rows}")  # noqa: S608 numbers
