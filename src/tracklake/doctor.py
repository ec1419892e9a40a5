"""Doctor: looks for what is wrong, says it in one sentence each, and what to do."""

import functools
import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tracklake import bronze, lock, pages, reading, tokens, warehouse
from tracklake.config import Folders, Settings
from tracklake.errors import Error, InvalidData
from tracklake.state import State
from tracklake.strava import oauth
from tracklake.tiles import drawing, manifest

_LOW_DISK_BYTES = 1 << 30
_NAMED_SHARDS = "select shard from shards order by shard"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` is empty where all is well."""

    subject: str
    is_well: bool
    said: str
    advice: str = ""


def examine(
    folders: Folders, settings: Settings | None = None, *, deep: bool = False
) -> Iterator[Finding]:
    """Look at everything, cheap things first; `deep` reads every file and checks its hash."""
    checks: list[Callable[[Folders], Iterator[Finding]]] = [
        _versions,
        _folders,
        _inbox,
        functools.partial(_strava, settings=settings),
        _disk,
        _state,
        _lock,
        _tippecanoe,
        _snapshot,
    ]
    for check in checks + ([_deep_gold, _deep_bronze, _deep_tiles] if deep else []):
        try:
            yield from check(folders)
        except (Error, OSError, duckdb.Error, pa.ArrowException) as error:
            subject = getattr(check, "func", check).__name__.strip("_")
            yield Finding(subject, False, str(error).splitlines()[0])


def _versions(_folders: Folders) -> Iterator[Finding]:
    yield Finding("versions", True, f"Python {sys.version.split()[0]}, DuckDB {duckdb.__version__}")


def _folders(folders: Folders) -> Iterator[Finding]:
    for name, path in (
        ("data", folders.data),
        ("logs", folders.logs),
        ("secrets", folders.secrets),
    ):
        place = next(p for p in (path, *path.resolve().parents) if p.exists())
        if os.access(place, os.W_OK):
            yield Finding(f"{name} folder", True, f"{path} can be written")
            continue
        owner = place.stat().st_uid
        yield Finding(
            f"{name} folder",
            False,
            f"{place} cannot be written: it belongs to user id {owner}, you are {os.getuid()}",
            f"sudo chown -R {os.getuid()}:{os.getgid()} {place}",
        )
    for secret in folders.secrets.glob("*") if folders.secrets.is_dir() else ():
        if secret.name != ".gitkeep" and secret.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding("secrets", False, f"others may read {secret}", f"chmod 600 {secret}")


def _inbox(folders: Folders) -> Iterator[Finding]:
    if folders.inbox.is_dir():
        yield Finding("inbox", True, str(folders.inbox))
    elif folders.inbox == folders.data / "inbox":
        yield Finding("inbox", True, f"{folders.inbox} is not there yet: make it, put files in")
    else:
        yield Finding("inbox", False, f"there is no folder {folders.inbox}", "see TRACKLAKE_INBOX")


def _strava(folders: Folders, settings: Settings | None) -> Iterator[Finding]:
    """Look at the login, without asking Strava."""
    if settings is None:
        return
    application = settings.strava_client_id and settings.strava_client_secret
    login = tokens.path_of(folders.secrets, "strava", settings.athlete, folders.default_athlete)
    if not application:
        if settings.strava_client_id or settings.strava_client_secret or login.exists():
            yield Finding(
                "strava",
                False,
                "the application's id or secret is missing",
                "set STRAVA_CLIENT_ID and STRAVA_CLIENT_SECRET (README, Strava)",
            )
        return
    saved = tokens.read(login)
    if saved is None:
        advice = "" if settings.strava_refresh_token else "make auth (tracklake auth strava)"
        yield Finding("strava", not advice, "no login yet", advice)
        return
    missing = oauth.missing_scopes(saved.scope) if saved.scope else []
    yield Finding("strava", not missing, f"login in {login}", " ".join(missing))


def _disk(folders: Folders) -> Iterator[Finding]:
    place = next(p for p in (folders.data, *folders.data.resolve().parents) if p.exists())
    free = shutil.disk_usage(place).free
    size = folders.warehouse.stat().st_size if folders.warehouse.exists() else 0
    need = max(_LOW_DISK_BYTES, 3 * size)
    said = f"{free / 1e9:.1f} GB free where {folders.data} lies"
    yield Finding(
        "disk", free > need, said, "" if free > need else f"keep {need / 1e9:.1f} GB free"
    )


def _state(folders: Folders) -> Iterator[Finding]:
    if not folders.state.exists():
        yield Finding("state", True, "nothing has run yet")
        return
    state = State(folders.state)
    try:
        ((count,),) = state.execute("select count(*) from quarantine")
        last = state.execute(
            "select flow, state, started_at, error from sessions order by started_at desc limit 1"
        )
    finally:
        state.close()
    if last:
        flow, outcome, started_at, error = last[0]
        well = outcome in ("completed", "completed_with_errors", "waiting_quota", "running")
        yield Finding("last session", well, f"{flow} of {started_at}: {outcome}", str(error or ""))
    yield Finding(
        "quarantine",
        True,
        f"{count} items set aside",
        "" if count == 0 else "tracklake quarantine list",
    )


def _lock(folders: Folders) -> Iterator[Finding]:
    at_work = lock.is_held(folders.state)
    yield Finding("lock", True, "a flow is at work" if at_work else "no flow is at work")


def _tippecanoe(_folders: Folders) -> Iterator[Finding]:
    yield Finding("tippecanoe", True, str(drawing.tippecanoe()))


def _snapshot(folders: Folders) -> Iterator[Finding]:
    if not folders.warehouse.exists():
        yield Finding("warehouse", True, "none yet; `tracklake flow` makes it")
        return
    with reading.snapshot(folders) as connection:
        ((count,),) = connection.execute("select count(*) from activities").fetchall()
        warehouse.check(connection)
        missing = connection.execute(_NAMED_SHARDS).fetchall()
    yield Finding("warehouse", True, f"{count} rows in activities, all checks pass")
    gone = [name for (name,) in missing if not (folders.bronze / name).exists()]
    if gone:
        said = f"{len(gone)} shards that gold was made from are gone from bronze, {gone[0]} first"
        yield Finding("bronze", False, said, "restore them from a backup")
    stale = folders.warehouse.with_name(folders.warehouse.name + ".wal")
    if stale.exists():
        yield Finding(
            "warehouse",
            False,
            f"somebody opened {folders.warehouse} for writing; their changes are in {stale.name}",
            "keep tables of your own in a database of yours; the next flow moves the file aside",
        )


def _deep_gold(folders: Folders) -> Iterator[Finding]:
    if folders.warehouse.exists():
        with reading.snapshot(folders) as connection:
            warehouse.check(connection, deep=True)
        yield Finding("streams", True, "every activity has the points and the geometry it should")


def _deep_bronze(folders: Folders) -> Iterator[Finding]:
    """Hash every original file and every shard against its name."""
    count = 0
    for path in sorted(folders.bronze.glob("*/original_files/athlete=*/objects/*/*")):
        count += 1
        if path.name.split(".")[0] != _sha256(path):
            yield _damaged(path, "import the file again")
    for entity in warehouse.ENTITIES:
        for path in bronze.shard_paths(folders.bronze, entity):
            count += 1
            if not _is_sound_shard(path):
                yield _damaged(path, "restore it from a backup")
    for path in sorted(folders.bronze.glob("*/*/athlete=*/*/*-run*/page-*.json.zst")):
        count += 1
        try:
            pages.read(path)
        except InvalidData:
            yield _damaged(path, "restore it from a backup")
    yield Finding("bronze", True, f"{count} files hashed")


def _deep_tiles(folders: Folders) -> Iterator[Finding]:
    """Hash every file of tiles that a manifest names."""
    for folder in (folders.tiles, folders.public_tiles):
        entries = manifest.entries(manifest.read(folder))
        for entry in entries:
            path = folder / entry["file"]
            if not path.is_file() or _sha256(path) != entry["sha256"]:
                said = f"{path} is gone or not what the manifest says"
                yield Finding("tiles", False, said, "tracklake tiles --rebuild draws it again")
        if entries:
            yield Finding("tiles", True, f"{len(entries)} files in {folder} hashed")


def _is_sound_shard(path: Path) -> bool:
    if bronze.is_rollup(path) or pages.is_run(path.parent):
        return _is_readable(path)
    return _sha256(path).startswith(path.parent.name.rsplit("-", 1)[1])


def _is_readable(path: Path) -> bool:
    try:
        pq.read_table(path, partitioning=None, page_checksum_verification=True)
    except (OSError, ValueError):
        return False
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(path: Path, advice: str) -> Finding:
    return Finding("bronze", False, f"{path} is not what its name says it should be", advice)
