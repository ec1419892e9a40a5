"""The commands about what is one activity: what is doubtful, and the athlete's own word."""

from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from tracklake import cli_run, cli_show, config

if TYPE_CHECKING:  # the start of each command is felt
    from tracklake.running import FlowReport
    from tracklake.session import SyncSession

_Name = Annotated[str, typer.Argument(help="An activity's id, or a record as source/source_id.")]
_PAIRS = """
select
  strftime(first_start_date, '%Y-%m-%d %H:%M') as first_start,
  strftime(second_start_date, '%Y-%m-%d %H:%M') as second_start,
  first_source || '/' || first_source_id as first,
  second_source || '/' || second_source_id as second,
  round(first_distance / 1000, 2) as first_km,
  round(second_distance / 1000, 2) as second_km,
  first_activity_id, second_activity_id, method, confidence
from duplicate_candidates
where athlete = {athlete}
order by first_start_date desc, first_activity_id, second_activity_id
"""


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("duplicates")(duplicates)
    app.command("merge")(merge)
    app.command("split")(split)


def duplicates(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    athlete: cli_run.Athlete = None,
) -> None:
    """List pairs that look alike, but not enough to be one activity."""
    from tracklake import reading
    from tracklake.incoming import literal

    settings, folders = config.load(athlete=athlete)
    with reading.snapshot(folders) as connection:
        cursor = connection.execute(_PAIRS.format(athlete=literal(settings.athlete)))
        columns = [column[0] for column in cursor.description or []]
        rows = cursor.fetchall()
    if as_json:
        found = [dict(zip(columns, row, strict=True)) for row in rows]
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        _show(dict(zip(columns, row, strict=True)))
    typer.echo(
        f"{len(rows)} doubtful pairs; `tracklake merge FIRST SECOND` makes two one activity"
        if rows
        else "no doubtful pairs"
    )


def _show(pair: dict[str, object]) -> None:
    """Print a pair: both sides, and why it looks like one."""
    for side in ("first", "second"):
        km = "" if pair[f"{side}_km"] is None else f", {pair[f'{side}_km']} km"
        record = cli_show.plain(str(pair[side]))
        typer.echo(
            f"{pair[f'{side}_activity_id']:>17}  {pair[f'{side}_start'] or 'no start'} UTC{km}  "
            f"{record}"
        )
    typer.echo(f"{'':>17}  alike by {pair['method']}, {pair['confidence']}\n")


def merge(first: _Name, second: _Name, athlete: cli_run.Athlete = None) -> None:
    """Say that two are one activity; remembered, also when the warehouse is made anew."""

    def stage(session: "SyncSession", report: "FlowReport") -> None:
        from tracklake import deciding, flow

        whole = deciding.merge(session, first, second)
        flow.compact(session, report)
        typer.echo(f"{', '.join(whole)}: activity {deciding.activity_of(session, whole[0])}")

    cli_run.run("merge", athlete, stage)


def split(name: _Name, athlete: cli_run.Athlete = None) -> None:
    """Say that a record is an activity by itself; remembered as `merge` is."""

    def stage(session: "SyncSession", report: "FlowReport") -> None:
        from tracklake import deciding, flow

        parted = deciding.split(session, name)
        flow.compact(session, report)
        for one in parted:
            number = deciding.activity_of(session, one)
            typer.echo(f"{one}: {f'activity {number}' if number else 'no activity by itself'}")

    cli_run.run("split", athlete, stage)
