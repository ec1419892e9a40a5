"""The backups of a store: which there are, which one is meant, what it says."""

import datetime as dt
from collections.abc import Sequence

from tracklake.backup import manifest, retention
from tracklake.backup.manifest import Manifest
from tracklake.backup.stores import LATEST, Store
from tracklake.errors import ConfigError, InvalidData, StorageError

_FOLDER = "manifests"
_SUFFIX = ".json.zst"


def file_name(name: str) -> str:
    """Return what a backup's manifest is kept as."""
    return f"{_FOLDER}/{name}{_SUFFIX}"


def names(store: Store) -> list[str]:
    """Return every backup's name, the oldest first."""
    found = [
        item.name.removeprefix(f"{_FOLDER}/").removesuffix(_SUFFIX) for item in store.items(_FOLDER)
    ]
    return sorted(name for name in found if manifest.NAME.fullmatch(name))


def read(store: Store, name: str) -> Manifest:
    """Read a backup's manifest; raise InvalidData if it is damaged or gone."""
    (data,) = store.get([file_name(name)])
    if data is None:
        raise InvalidData(f"the manifest of backup {name} is gone", reason="damaged_backup")
    return manifest.read(name, data)


def named(store: Store) -> bytes | None:
    """Return what `latest` says now, for `publish`."""
    (data,) = store.get([LATEST])
    return data


def publish(store: Store, name: str, data: bytes, before: bytes | None) -> None:
    """Keep a manifest, read it back, and only then call it the latest.

    before: what `latest` said when the backup was begun; raises Busy if it says something else.
    """
    store.put({file_name(name): data})
    if store.get([file_name(name)]) != [data]:
        raise StorageError(f"{store.where} gives back another manifest than it was given")
    store.point(LATEST, name.encode(), before)


def latest(store: Store, known: Sequence[str]) -> str | None:
    """Return the name of the newest proved backup; None if that is not to be known."""
    name = (named(store) or b"").decode("ascii", errors="replace")
    return name if name in known else None


def newest_sound(store: Store, known: Sequence[str]) -> tuple[Manifest | None, list[str]]:
    """Return the newest manifest that can be read, and what is wrong with newer ones.

    Newest is the latest: by their names, what a wrong clock once dated ahead would be it for years.
    """
    last = latest(store, known)
    wrong: list[str] = []
    others = [name for name in reversed(known) if name != last]
    for name in [last, *others] if last else others:
        try:
            return read(store, name), wrong
        except InvalidData as error:
            wrong.append(str(error))
    return None, wrong


def chosen(store: Store, at: str | None) -> str:
    """Return the backup that a person means; raise ConfigError if there is none.

    at: a backup's name or the beginning of one, or a day or moment (UTC): the last one until then.
    None: the latest.
    """
    known = names(store)
    if not known:
        raise ConfigError(f"there is no backup in {store.where}; `tracklake backup create`")
    if at is None:
        return latest(store, known) or known[-1]
    named = [name for name in known if name.startswith(at)]
    if len(named) == 1 or (named and "T" in at):
        return named[-1]
    until = _moment(at)
    before = [name for name in known if retention.stamped(name) <= until]
    if not before:
        raise ConfigError(f"the first backup in {store.where} is {known[0]}, after {at}")
    return before[-1]


def _moment(text: str) -> dt.datetime:
    """Read a moment; a day means its end."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--at {text}: say a backup's name (`tracklake backup list`), a day such as "
            "2026-11-20, or a moment such as 2026-11-20T06:00"
        ) from None
    if len(text) <= len("2026-11-20"):
        moment += dt.timedelta(days=1, microseconds=-1)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
