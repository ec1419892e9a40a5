"""How results look on a terminal."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from tracklake.config import Folders

if TYPE_CHECKING:  # the start of each command is felt: load nothing for a type
    from tracklake.backup.creating import BackupReport
    from tracklake.doctor import Finding
    from tracklake.flow import FlowReport
    from tracklake.reading import Answer
    from tracklake.stages import EnrichReport, WeatherReport
    from tracklake.taking_in import CompactReport
    from tracklake.tiles.stage import TilesReport

_DEMO_TOTALS = """
select count(*), sum(distance) / 1000, sum(moving_time) / 3600,
       min(start_date_local)::date, max(start_date_local)::date
from activities
where leg_count = 0
"""
_DEMO_QUERY = """
select sport_type, count(*) as activities, round(sum(distance) / 1000, 1) as km,
       round(sum(moving_time) / 3600, 1) as hours
from activities
where leg_count = 0
group by sport_type
order by hours desc
limit 8
"""


_NARROW = 6  # columns that a terminal can fold readably
_ENDLESS = 10_000  # nothing is folded in a pipe


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=_ENDLESS)


def plain(text: str) -> str:
    """Keep names from files from steering the terminal."""
    return "".join(sign if sign.isprintable() else "·" for sign in text)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; numbers stand to the right."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | None) for row in rows)
        shown.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*("" if value is None else plain(str(value)) for value in row))
    console = _console()
    widths = [max(len(str(row[i])) for row in (columns, *rows)) for i in range(len(columns))]
    if not rows:
        typer.echo("  ".join(columns))
    elif len(columns) > _NARROW and sum(widths) + 2 * len(widths) > console.width:
        _records(columns, rows)
    else:
        console.print(shown, markup=False)


def _records(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows that are too wide for the terminal as one value a line."""
    longest = max(len(column) for column in columns)
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            typer.echo(f"{column:>{longest}}  {'' if value is None else plain(str(value))}")
        typer.echo("")


def answer(found: Answer, *, as_csv: bool) -> None:
    """Print what a query gave."""
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(found.columns)
        writer.writerows(found.rows)
        return
    table(found.columns, found.rows)
    if found.more:
        typer.echo(f"(the first {len(found.rows)} rows; --rows N shows more, --csv all)", err=True)


def flow_report(report: FlowReport, folders: Folders) -> None:
    """Say what was set aside and what to do about it."""
    _pulled(report)
    if report.forgotten is not None:
        gone = report.forgotten
        typer.echo(
            f"removed: {gone.files:,} files, {gone.size_bytes / 1e6:,.1f} MB, and what gold and "
            "the map had of them"
        )
        for sentence in gone.remains:
            typer.echo(f"left: {plain(sentence)}")
    _fetched(report)
    for line in report.upload.lines() if report.upload else ():
        typer.echo(line)
    if report.compact is not None:
        _compacted(report.compact, folders)
    for what, tiles, folder in (
        ("map", report.tiles, folders.tiles),
        ("public map", report.public_tiles, folders.public_tiles),
    ):
        if tiles is not None and tiles.drawn:
            _drawn(what, tiles, folder)
    if report.backup is not None:
        _backed_up(report.backup)


def _backed_up(backup: BackupReport) -> None:
    """Say where the backup is, or why there is none and that the rest is done."""
    if backup.error is not None:
        typer.echo(f"NO BACKUP was made, all else is done: {backup.error}", err=True)
        return
    typer.echo(
        f"backup: {backup.files:,} files, {backup.new_bytes / 1e6:,.1f} MB of them new, in "
        f"{backup.where}"
    )
    for path in backup.rotten:
        typer.echo(
            f"  {path} is damaged on this disk; the backup kept the good one, "
            "`tracklake backup restore` brings it back"
        )
    for warning in backup.warnings:
        typer.echo(f"  {warning}")


def _drawn(what: str, tiles: TilesReport, folder: Path) -> None:
    """Say that there is something new to look at, and what is less fine than usual."""
    option = " --public" if what != "map" else ""
    typer.echo(
        f"{what}: {tiles.activities:,} activities in {folder}; `tracklake map{option}` shows it"
    )
    if tiles.reduced_tiles:
        typer.echo(
            f"  {tiles.reduced_tiles} of {tiles.tiles:,} tiles are on a coarser grid, so as not to "
            "be too large; nothing is left out"
        )
    if tiles.single is not None:
        typer.echo(f"  for sharing: {folder / tiles.single}")


def _pulled(report: FlowReport) -> None:
    if report.mended is not None:
        typer.echo(report.mended)
    for name, pulled in (report.pulls or {}).items():
        if pulled.quarantined:
            typer.echo(
                f"set aside from {name}: {pulled.quarantined}, the rest is in; "
                "`tracklake quarantine list` says which and why"
            )
        parked = getattr(pulled, "parked", None)
        if parked is not None:
            typer.echo(f"{name}: {parked}; what came is kept, the next run goes on there")
    for name, error in list((report.failed_sources or {}).items())[1:]:  # the first is raised
        typer.echo(f"{name}: {error}", err=True)


def _compacted(report: CompactReport, folders: Folders) -> None:
    if report.repaired:
        typer.echo(f"the warehouse was unreadable and was made anew; kept: {report.repaired}")
    if report.republished:
        typer.echo(
            "the published warehouse was not what had been published and was replaced; kept: "
            f"{report.republished}"
        )
    for name in report.damaged:
        typer.echo(f"damaged, and set aside: {name}; `tracklake quarantine list` says more")
    if report.verified:
        table(("table", "rows proved equal"), list(report.verified.items()))
    if report.published:
        typer.echo(f"warehouse: {folders.warehouse}")


def _fetched(report: FlowReport) -> None:
    """Say what was learnt about known activities."""
    if report.enrich is not None:
        _enriched(report.enrich)
    if report.weather is not None:
        _weather(report.weather)
    if report.places is not None:
        typer.echo(f"places: {report.places.summary()}. GeoNames, © OpenStreetMap contributors")


def _enriched(report: EnrichReport) -> None:
    """Say what is left to fetch, and when it will be there."""
    if report.quarantined:
        typer.echo(
            f"set aside while enriching: {report.quarantined}; `tracklake quarantine list` says "
            "which and why"
        )
    if report.parked is not None:
        typer.echo(f"enrich: {report.parked}; what came is kept, the next run goes on there")
    if report.is_plan:
        planned = ", ".join(f"{count:,} {name}" for name, count in report.plan.items())
        typer.echo(f"to fetch: {planned or 'nothing'} ({report.left:,} calls)")
    if report.left:
        typer.echo(f"left to fetch: {report.left:,} calls, {report.finished_at}")


def _weather(report: WeatherReport) -> None:
    """Say what came of asking for weather; whose it is stands beside it."""
    if report.is_plan:
        typer.echo(f"weather to fetch: {report.wanted:,} days ({report.calls_planned:,} calls)")
    elif report.calls or report.failed or report.parked:
        typer.echo(f"weather: {report.summary()}. Weather data by Open-Meteo.com")


def demo(report: FlowReport, folders: Folders) -> None:
    """Show what the demo made and where it lies."""
    from tracklake import reading

    with reading.snapshot(folders) as connection:
        ((count, km, hours, first, last),) = connection.execute(_DEMO_TOTALS).fetchall()
        found = reading.ask(connection, _DEMO_QUERY, limit_s=60, most_rows=20)
    typer.echo(f"\n{count} activities, {km:,.0f} km, {hours:,.0f} hours, {first} to {last}")
    typer.echo(f"\n{_DEMO_QUERY.strip()}\n")
    answer(found, as_csv=False)
    typer.echo("")
    flow_report(report, folders)
    if not (report.compact and report.compact.published):
        typer.echo(f"warehouse: {folders.warehouse}")
    if report.tiles:
        for label, names in (
            ("GeoJSON", report.tiles.geojson_files),
            ("PMTiles", report.tiles.tile_files),
        ):
            for name in names:
                typer.echo(f"{label}: {folders.tiles / name}")
    command = f"TRACKLAKE_DATA_DIR={folders.data} .venv/bin/tracklake"
    typer.echo(f'\nask it more, and look at the map:\n  {command} sql "from gear"\n  {command} map')


def findings(found: Sequence[Finding]) -> None:
    """Print a doctor's findings, the bad ones with what to do."""
    for finding in found:
        mark = "ok  " if finding.is_well else "BAD "
        typer.echo(f"{mark} {finding.subject}: {plain(finding.said)}")
        if finding.advice:
            typer.echo(f"       -> {finding.advice}")
