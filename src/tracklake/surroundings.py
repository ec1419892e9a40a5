"""Facts about where and when activities were, which no service of activities has to be asked for.

What is missing is a question to the snapshot, which is closed before anything is fetched: nobody
waits for a network with the warehouse open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import duckdb

from tracklake import reading
from tracklake.incoming import list_literal, literal
from tracklake.session import SyncSession
from tracklake.stages import EnrichOptions
from tracklake.warehouse import sql_files

if TYPE_CHECKING:  # the start of each command is felt: a stage is loaded when it is its turn
    from tracklake.running import FlowReport
    from tracklake.weather.bundles import CellDay

NAMES = ("places", "weather")


def wanted(session: SyncSession, options: EnrichOptions) -> tuple[str, ...]:
    """Return which of these facts are to be fetched: those named, else what every flow fetches.

    Single activities are enriched with them only where that is said.
    """
    if options.only:
        return tuple(name for name in NAMES if name in options.only)
    if options.ids:
        return ()
    return NAMES if session.settings.weather else ("places",)


def enrich(session: SyncSession, report: FlowReport, options: EnrichOptions) -> bool:
    """Fetch what is missing; tell whether anything landed. Never fatal: the report says why not."""
    names = wanted(session, options)
    landed = _enrich_places(session, report, options) if "places" in names else False
    if "weather" not in names:
        return landed
    from tracklake.enrichments import weather

    shards = _shards(session, weather.SOURCE)
    report.weather = weather.enrich(session, options, _missing_weather(session, options))
    return _shards(session, weather.SOURCE) != shards or landed


def _enrich_places(session: SyncSession, report: FlowReport, options: EnrichOptions) -> bool:
    from tracklake.enrichments import places
    from tracklake.stages import PlacesReport

    asked = session.settings.nominatim_url is not None
    found = {
        method: _missing_places(session, options, method, version)
        for method, version in (
            (places.OFFLINE, places.dataset_version()),
            *([(places.ONLINE, places.ONLINE_VERSION)] if asked else []),
        )
    }
    cells = {method: [places.Cell(*row) for row in rows] for method, rows in found.items() if rows}
    done = PlacesReport(is_plan=options.dry_run)
    report.places = done if cells else None
    if options.dry_run:
        done.looked_up = len(cells.get(places.OFFLINE, []))
        done.left = len(cells.get(places.ONLINE, []))
        return False
    if places.OFFLINE in cells:
        places.look_up(session, cells[places.OFFLINE], done)
    recovered = places.ask(session, options, cells.get(places.ONLINE, []), done)
    return bool(done.looked_up or done.asked or recovered)


def _missing_places(
    session: SyncSession, options: EnrichOptions, method: str, version: str
) -> list[Any]:
    conditions = _conditions(options, session.clock.now())
    said = {"$method": literal(method), "$version": literal(version), "$conditions": conditions}
    return _missing(session, "places", said)


def _missing(session: SyncSession, name: str, said: Mapping[str, str]) -> list[Any]:
    """Ask the snapshot; without one there are no activities yet."""
    if not session.folders.warehouse.exists():
        return []
    text = sql_files("todo")[name].replace("$athlete", literal(session.athlete))
    for placeholder, value in said.items():
        text = text.replace(placeholder, value)
    with reading.snapshot(session.folders) as connection:
        try:
            return connection.execute(text).fetchall()
        except duckdb.CatalogException:  # another version published it; the next compact renews it
            session.log.warning(
                "todo_unknown", name=name, reason="the snapshot is of another version"
            )
            return []


def _shards(session: SyncSession, source: str) -> int:
    return sum(1 for _ in (session.folders.bronze / source).glob("*/*/*/*/shard.parquet"))


def _missing_weather(session: SyncSession, options: EnrichOptions) -> list[CellDay]:
    """List days of weather that activities need and that are not here."""
    from tracklake.weather.bundles import CellDay

    now = session.clock.now()
    said = {
        "$now": f"timestamptz {literal(now.isoformat())}",
        "$conditions": _conditions(options, now),
    }
    return [CellDay(*row) for row in _missing(session, "weather_hours", said)]


def _conditions(options: EnrichOptions, now: dt.datetime) -> str:
    said = ["true"]
    if options.ids:
        said.append(f"activity_id::varchar in {list_literal(options.ids)}")
    if options.since_days is not None:
        since = now - dt.timedelta(days=options.since_days)
        said.append(f"starts_at >= timestamptz {literal(since.isoformat())}")
    return " and ".join(said)
