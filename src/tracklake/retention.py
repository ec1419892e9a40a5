"""How long a source's data stays, and what is left of it, and where, after it was forgotten."""

from collections.abc import Iterator

from tracklake import forgetting
from tracklake.backup import catalogue, stores
from tracklake.backup.retention import stamped
from tracklake.errors import Error
from tracklake.session import SyncSession
from tracklake.tokens import path_of


def forget_expired(session: SyncSession) -> bool:
    """Remove what was fetched longer ago than TRACKLAKE_KEEP_DAYS says; tell whether any was."""
    expired = [
        forgetting.forget(session, source, older_than_days=days).files
        for source, days in session.settings.keep_days.items()
    ]
    return any(expired)


def remaining(session: SyncSession, source: str) -> list[str]:
    """Say it in sentences, with what removes each; asks the place where backups are."""
    return [*_backups(session), *_elsewhere(session, source)]


def _backups(session: SyncSession) -> Iterator[str]:
    try:
        store = stores.opened(session.settings, session.folders)
        names = catalogue.names(store)
    except (Error, OSError) as error:
        yield f"backups: not known, the place does not answer ({error})"
        return
    if names:
        noun = "backup of before holds" if len(names) == 1 else "backups of before hold"
        yield (
            f"{len(names):,} {noun} it: {store.where}, newest {stamped(names[-1]):%Y-%m-%d}; "
            "later ones do not; those go when they are thinned out, or when you remove the place"
        )


def _elsewhere(session: SyncSession, source: str) -> Iterator[str]:
    folders, athlete = session.folders, session.athlete
    if (folders.data / "exports").is_dir() and any((folders.data / "exports").iterdir()):
        yield f"exports: {folders.data / 'exports'} is yours to remove"
    if any(folders.logs.rglob("*.jsonl")):
        yield f"logs: {folders.logs} names activities by their ids; they go after 30 days at most"
    own = path_of(folders.secrets, source, athlete, folders.default_athlete).parent
    logins = sorted(path for path in own.glob("*") if path.name.lower().startswith(f"{source}_"))
    if logins:
        named = ", ".join(map(str, logins))
        yield f"the login: {named}, and what is set for {source}: the next flow fetches anew"
    if source == "files" and folders.inbox.is_dir():
        yield f"your own files: {folders.inbox}, from which the next flow reads"
    kept = [
        str(entity)
        for name in ("places", "weather")
        for entity in sorted(folders.bronze.glob(f"*/{name}/athlete={athlete}"))
    ]
    if kept:
        yield (
            f"weather by hours and names of places, which were looked up: {', '.join(kept)}; they "
            "name no activity, but tell where some were"
        )
    if source == "strava":
        yield "what was uploaded to Strava is remembered, so that it does not go there again"
