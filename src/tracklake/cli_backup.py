"""The commands about backups."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from tracklake import cli_run, cli_show, config
from tracklake.clock import SystemClock
from tracklake.errors import ConfigError, Error, Interrupted, InvalidData, StorageError

if TYPE_CHECKING:  # the start of each command is felt
    from tracklake.backup.manifest import Manifest
    from tracklake.backup.restoring import Advance, Proof
    from tracklake.backup.stores import Store
    from tracklake.backup.verifying import Part
    from tracklake.config import Folders

_DAYS = 7  # in which a daily `verify` has read everything
_At = Annotated[
    str | None,
    typer.Option(help="A backup's name, or a day or moment (UTC): the last one until then."),
]
backup_app = typer.Typer(help="Backups: make, list, verify and restore them.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(backup_app, name="backup")


@backup_app.command("create")
def create(
    full: Annotated[
        bool,
        typer.Option(help="Read every file and every object again; mend what is damaged there."),
    ] = False,
) -> None:
    """Back up what is new in bronze, streams and tracks, the state and the warehouse."""
    from tracklake import flow

    cli_run.run("backup", None, lambda session, report: flow.back_up(session, report, full=full))


@backup_app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show which backups there are."""
    from tracklake.backup import catalogue

    store, _ = _opened()
    known = catalogue.names(store)
    latest = catalogue.latest(store, known)
    found = [_listed(store, name, is_latest=name == latest) for name in reversed(known)]
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    elif not found:
        typer.echo(f"no backup in {store.where} yet; `tracklake backup create` makes one")
    else:
        typer.echo(f"in {store.where}:")
        cli_show.table(list(found[0]), [list(one.values()) for one in found])


def _listed(store: "Store", name: str, *, is_latest: bool) -> dict[str, object]:
    from tracklake.backup import catalogue

    try:
        made = catalogue.read(store, name)
    except (InvalidData, StorageError) as error:
        nothing = {"made (UTC)": None, "files": None, "MB": None, "activities": None}
        return {"name": name, **nothing, "note": str(error)}
    return {
        "name": name,
        "made (UTC)": f"{made.created_at:%Y-%m-%d %H:%M}",
        "files": len(made.files),
        "MB": round(made.size_bytes / 1e6, 1),
        "activities": made.tables.get("activities", (None,))[0],
        "note": "latest" if is_latest else "",
    }


@backup_app.command("verify")
def verify(
    at: _At = None,
    full: Annotated[bool, typer.Option(help="Read every object, not only a part.")] = False,
    part: Annotated[
        str | None, typer.Option(help="Which part is read, such as 1/7 (default: by the day).")
    ] = None,
) -> None:
    """See whether all of the backups is there, and read a part of it (in 7 days all)."""
    from tracklake import running
    from tracklake.backup import catalogue, standing, verifying

    if full and part:
        raise ConfigError("--full reads all parts: say --full or --part, not both")
    store, folders = _opened()
    chosen_part = verifying.Part(1, 1) if full else _part(part)
    with (
        running.without_session(folders, alone=False) as received,
        _shown("verify", None, received) as advance,
    ):
        chosen = catalogue.chosen(store, at)
        names = [chosen] if at else catalogue.names(store)
        found = verifying.verify(store, names, chosen_part, advance)
    counts = {"objects": found.objects, "hashed": found.hashed, "damaged": len(found.damaged)}
    standing.note_verified(folders.state, {"at": f"{SystemClock().now():%FT%T+00:00}", **counts})
    for line in found.damaged:
        typer.echo(line)
    if found.damaged:
        raise StorageError(
            f"{len(found.damaged)} things are damaged in {store.where}; `tracklake backup create "
            "--full` stores again what is still sound in the data folder"
        )
    typer.echo(
        f"{found.backups:,} {'backup' if found.backups == 1 else 'backups'} in {store.where}: "
        f"{found.objects:,} objects are there, {found.hashed:,} were read and are sound"
    )


def _part(text: str | None) -> "Part":
    """Read 3/7; without it, take the part of the day."""
    from tracklake.backup.verifying import Part

    if text is None:
        return Part(SystemClock().now().toordinal() % _DAYS + 1, _DAYS)
    number, _, of = text.partition("/")
    if not (number.isdigit() and of.isdigit() and 0 < int(number) <= int(of) <= 10_000):
        raise ConfigError(f"--part {text}: say which of how many, such as 1/7")
    return Part(int(number), int(of))


@backup_app.command("restore")
def restore(
    at: _At = None,
    to: Annotated[
        Path | None, typer.Option(help="Into this empty or new folder, instead of the data folder.")
    ] = None,
    drill: Annotated[
        bool, typer.Option(help="Only try it: in a temporary place, with counts, then removed.")
    ] = False,
) -> None:
    """Bring a backup back; what was there is moved aside, never deleted."""
    from tracklake import running
    from tracklake.backup import catalogue

    if drill and to:
        raise ConfigError("--drill puts nothing anywhere: say --drill or --to, not both")
    if to and to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(f"--to {to}: it is there and not empty; name a new folder")
    store, folders = _opened()
    with running.without_session(folders, alone=to is None) as received:
        name = catalogue.chosen(store, at)
        made = catalogue.read(store, name)
        with _shown("restore", len(made.files), received) as advance:
            if to:
                _restored_to(store, made, to, advance)
                _remember(store, made, name, to / "state")
            elif drill:
                _tried(store, made, name, folders, advance)
            else:
                _restored(store, made, folders, advance)
                _enter(folders, name)
                _remember(store, made, name, folders.state)


def _remember(store: "Store", made: "Manifest", name: str, state: Path) -> None:
    """Have the restored state know which backup is the latest: the next one goes on from it."""
    from tracklake.backup import catalogue, standing

    known = catalogue.names(store)
    latest = catalogue.latest(store, known) or name
    standing.note_restored(state, standing.told(latest, made, store.where, len(known)))


def _tried(
    store: "Store", made: "Manifest", name: str, folders: "Folders", advance: "Advance"
) -> None:
    """Try to restore, and have `status` tell how it went."""
    from tracklake.backup import standing

    clock = SystemClock()
    began = clock.now()

    def note(error: str) -> None:
        seconds = round((clock.now() - began).total_seconds(), 1)
        found = {"at": f"{began:%FT%T+00:00}", "name": name, "seconds": seconds, "error": error}
        standing.note_drilled(folders.state, found)

    try:
        _drilled(store, made, folders, advance)
    except Error as error:
        if not isinstance(error, Interrupted):
            note(str(error))
        raise
    note("")


def _restored_to(store: "Store", made: "Manifest", to: Path, advance: "Advance") -> None:
    from tracklake.backup import restoring

    _say(made, restoring.into_folder(store, made, to, advance))
    typer.echo(
        f"restored into {to}; with TRACKLAKE_DATA_DIR={to}, `tracklake compact` makes its "
        "warehouse look there for points"
    )


def _drilled(store: "Store", made: "Manifest", folders: "Folders", advance: "Advance") -> None:
    from tracklake import landing
    from tracklake.backup import restoring

    landing.sweep(folders.data)  # what a killed restore or drill left
    with restoring.fetched(store, made, folders.data, advance) as (_, proof):
        _say(made, proof)
    typer.echo("it was only tried; nothing was changed")


def _restored(store: "Store", made: "Manifest", folders: "Folders", advance: "Advance") -> None:
    from tracklake import bronze, landing
    from tracklake.backup import restoring

    landing.sweep(folders.data)
    stamp = bronze.stamp(SystemClock().now())
    placed = restoring.into_place(store, made, folders.data, stamp, advance)
    _say(made, placed.proof)
    typer.echo(f"restored into {folders.data}; what was there lies in {placed.aside}")
    if placed.newer:
        parts = " ".join(str(placed.aside / part) for part in ("bronze", "streams", "tracks"))
        typer.echo(
            f"{placed.newer:,} files of bronze are newer than the backup and are in there only. To "
            f"have them back:\n  cp -rn {parts} {folders.data}/ && tracklake compact"
        )
    typer.echo("the map follows with `tracklake tiles`, or the next flow")


def _enter(folders: "Folders", name: str) -> None:
    """Have the restored history of sessions tell of this."""
    from tracklake import logs
    from tracklake.session import SyncSession, new_session_id
    from tracklake.state import State

    settings, _ = config.load()
    clock = SystemClock()
    session_id = new_session_id(clock)
    with (
        logs.writing(folders.logs, session_id, clock),
        contextlib.closing(State(folders.state)) as state,
    ):
        session = SyncSession(
            flow="restore",
            athlete=settings.athlete,
            settings=settings,
            folders=folders,
            clock=clock,
            state=state,
            session_id=session_id,
        )
        session.begin()
        session.finish("completed", f"restored backup {name}")


def _say(made: "Manifest", proof: "Proof") -> None:
    rows = ", ".join(f"{count:,} {table}" for table, count in sorted(proof.tables.items()) if count)
    typer.echo(
        f"backup of {made.created_at:%Y-%m-%d %H:%M} UTC: {proof.files:,} files, "
        f"{proof.size_bytes / 1e6:,.1f} MB, every hash is right; the warehouse passes its checks "
        f"and answers {proof.answers} questions as it did: {rows or 'there is none'}"
    )


def _opened() -> tuple["Store", "Folders"]:
    from tracklake.backup import stores

    settings, folders = config.load()
    return stores.opened(settings, folders), folders


@contextlib.contextmanager
def _shown(name: str, total: int | None, received: Sequence[int]) -> Iterator["Advance"]:
    """Show progress where there is no session; yield what counts and answers signals."""
    bars = cli_run.bars()
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        if received:
            raise Interrupted(received[0])
        done += count
        bars.advance(name, done, total)

    bars.begin(name, total)
    try:
        yield advance
    finally:
        bars.end(name, "")
