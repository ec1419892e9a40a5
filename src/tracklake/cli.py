"""The command line: parses arguments, prints, sets the exit code; decides nothing else.

Each command loads what it needs when it is called, because the start of a command is felt.
"""

import functools
import io
import sys
import traceback
from collections.abc import Callable
from typing import Annotated

import orjson
import typer

import tracklake
from tracklake import (
    cli_alerts,
    cli_api,
    cli_backup,
    cli_export,
    cli_map,
    cli_matching,
    cli_quarantine,
    cli_run,
    cli_schedule,
    cli_show,
    cli_sources,
    cli_status,
    cli_upload,
    config,
    quarantine,
    redaction,
)
from tracklake.clock import SystemClock
from tracklake.errors import ConfigError, Error
from tracklake.state import State

app = typer.Typer(
    help="A person's whole sporting life, in a warehouse that they own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
quarantine_app = typer.Typer(
    help="What was set aside, and what is to become of it.", no_args_is_help=True
)
app.add_typer(quarantine_app, name="quarantine")

cli_sources.add_to(app)
cli_map.add_to(app)
cli_schedule.add_to(app)
cli_backup.add_to(app)
cli_upload.add_to(app)
cli_api.add_to(app)
cli_export.add_to(app)
cli_matching.add_to(app)
cli_alerts.add_to(app)


def main() -> None:
    """Run a command; what is wrong is said in a sentence on standard error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot show is no error
    try:
        app(standalone_mode=True)
    except Error as error:
        typer.echo(f"tracklake: {redaction.text(str(error))}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has enough of it
        sys.exit(0)
    except OSError as error:
        typer.echo(f"tracklake: {error.filename}: {error.strerror}", err=True)
        sys.exit(1)
    except Exception:  # noqa: BLE001 a defect of ours: all of it is said, but for what is secret
        typer.echo(redaction.text(traceback.format_exc()), err=True, nl=False)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tracklake {tracklake.__version__}")
        raise typer.Exit


@app.callback()
def _tracklake(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """A person's whole sporting life, in a warehouse that they own."""


@app.command()
def compact(
    rebuild: Annotated[bool, typer.Option(help="Make gold anew from bronze, aside.")] = False,
    verify: Annotated[
        bool, typer.Option(help="Prove gold equal to a rebuild, table by table; needs --rebuild.")
    ] = False,
) -> None:
    """Take new shards of bronze into the warehouse, check it, publish it."""
    from tracklake import flow

    if verify and not rebuild:
        raise ConfigError("--verify compares gold with a rebuild: say --rebuild --verify")
    cli_run.run(
        "compact",
        None,
        lambda session, report: flow.compact(session, report, rebuild=rebuild, verify=verify),
    )


@app.command()
def tiles(
    rebuild: Annotated[bool, typer.Option(help="Draw everything again.")] = False,
    single: Annotated[
        bool, typer.Option(help="Also make all.pmtiles, one file of everything, for sharing.")
    ] = False,
    athlete: cli_run.Athlete = None,
) -> None:
    """Bring GeoJSON and PMTiles up to date with the warehouse."""
    from tracklake import flow

    cli_run.run(
        "tiles",
        athlete,
        lambda session, report: flow.draw_tiles(session, report, rebuild=rebuild, single=single),
    )


@app.command("flow")
def flow_(
    backfill: Annotated[
        bool,
        typer.Option(help="Read every list to its first day, and try again what was given up."),
    ] = False,
    athlete: cli_run.Athlete = None,
    all_athletes: Annotated[
        bool, typer.Option("--all-athletes", help="One flow for each athlete that is known here.")
    ] = False,
) -> None:
    """Run all stages in order: pull, compact, enrich, compact, tiles."""
    from tracklake import flow

    whole = functools.partial(flow.whole, backfill=backfill)
    if not all_athletes:
        cli_run.run("flow", athlete, whole)
    elif athlete is not None:
        raise ConfigError("say --athlete or --all-athletes, not both")
    else:
        cli_run.run_for_all("flow", whole)


@app.command("status")
def status_(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    athlete: cli_run.Athlete = None,
) -> None:
    """Show what there is, what is running and what ran last."""
    from tracklake import status

    settings, folders = config.load(athlete=athlete)
    found = status.status(folders, settings.athlete, weather_is_on=settings.weather)
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        cli_status.status(found)


@app.command("doctor")
def doctor_(
    deep: Annotated[bool, typer.Option(help="Read every file and check its hash.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Look for what is wrong and say what to do; exit code 1 if anything is."""
    from tracklake import doctor

    findings = list(doctor.everything(deep=deep))
    if as_json:
        typer.echo(orjson.dumps(findings, option=orjson.OPT_INDENT_2).decode())
    else:
        cli_show.findings(findings)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT in DuckDB's SQL.")],
    limit_s: Annotated[float, typer.Option(help="Stop a query after so many seconds.")] = 60.0,
    rows: Annotated[int, typer.Option(help="Show at most so many rows.")] = 100,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, all rows.")] = False,
    athlete: Annotated[
        str | None, typer.Option(help="Only what is this athlete's (default: everybody's).")
    ] = None,
) -> None:
    """Ask the published snapshot; read-only, and nothing but the snapshot and its streams."""
    from tracklake import reading
    from tracklake.narrowing import Part

    _, folders = config.load(athlete=athlete)
    with reading.snapshot(folders, part=Part(athlete=athlete)) as connection:
        most_rows = 100_000_000 if as_csv else rows
        answer = reading.ask(connection, query, limit_s=limit_s, most_rows=most_rows)
    cli_show.answer(answer, as_csv=as_csv)


@app.command("demo")
def demo_() -> None:
    """Run the whole flow on a made-up athlete, under data/demo; your own data is not touched."""
    from tracklake import demo, flow

    settings, folders = demo.place()
    demo.write_inbox(folders, SystemClock())
    report = flow.FlowReport()
    with flow.running("demo", settings, folders, report, cli_run.bars()) as session:
        flow.whole(session, report)
    cli_show.demo(report, folders)


@quarantine_app.command("list")
def quarantine_list(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show what was set aside and why."""

    now = SystemClock().now()
    _with_state(lambda state: cli_quarantine.show(quarantine.items(state, now), as_json=as_json))


@quarantine_app.command("retry")
def quarantine_retry(
    item: Annotated[str, typer.Argument(help="The beginning of an id, or all.")],
) -> None:
    """Have an item tried again by the next flow, also one that was given up."""

    def retry(state: State) -> None:
        found = _found(state, item)
        quarantine.retry(state, found, SystemClock().now())
        typer.echo(f"{len(found)} to be tried again by the next flow (`tracklake flow`)")

    _with_state(retry)


@quarantine_app.command("drop")
def quarantine_drop(
    item: Annotated[str, typer.Argument(help="The beginning of an id, or all.")],
) -> None:
    """Forget an item; what is kept of it stays in bronze, what never came is asked for again."""

    def drop(state: State) -> None:
        found = _found(state, item)
        for item_id in found:
            quarantine.release(state, item_id)
        typer.echo(f"{len(found)} dropped")

    _with_state(drop)


def _found(state: State, prefix: str) -> list[str]:
    found = quarantine.find(state, prefix)
    if not found:
        raise ConfigError(f"nothing is set aside under {prefix}; `tracklake quarantine list`")
    return found


def _with_state(act: Callable[[State], None]) -> None:
    _, folders = config.load()
    state = State(folders.state)
    try:
        act(state)
    finally:
        state.close()
