"""Removing old backups: the manifest first, a day later what no manifest names any more.

Whoever reads a backup while it is thinned out still finds all its objects for that day.
"""

import datetime as dt
import re

from tracklake.backup import catalogue, manifest, retention
from tracklake.backup.stores import Item, Store
from tracklake.errors import InvalidData

GRACE = dt.timedelta(days=1)
SWEEP_EVERY = dt.timedelta(days=7)  # it reads every manifest, so not each day
_RETIRED = re.compile(r"retired/(\d{8}T\d{6}Z)/(.+)\.json\.zst")


def thin(store: Store, now: dt.datetime) -> tuple[int, list[str]]:
    """Retire backups that are not to be kept; return how many, and what could not be done."""
    known = catalogue.names(store)
    gone = sorted(set(known) - retention.kept(known, now) - {catalogue.latest(store, known)})
    for name in gone:
        (data,) = store.get([catalogue.file_name(name)])
        if data is not None:
            store.put({f"retired/{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}/{name}.json.zst": data})
        store.delete([catalogue.file_name(name)])
    retired = [item.name for item in store.items("retired")]
    if not any(_age(name, now) >= SWEEP_EVERY for name in retired):
        return len(gone), []
    try:
        _sweep(store, retired, now)
    except InvalidData as error:
        return len(gone), [f"nothing that is old was removed from {store.where}: {error}"]
    return len(gone), []


def _sweep(store: Store, retired: list[str], now: dt.datetime) -> None:
    """Remove what no manifest names; raise InvalidData, and remove nothing, if one is damaged."""
    expired = [name for name in retired if _age(name, now) >= GRACE]
    named: set[str] = set()
    for name in catalogue.names(store):
        named |= _objects(catalogue.read(store, name))
    for path in set(retired) - set(expired):
        named |= _objects(_retired(store, path))
    store.delete(expired)
    store.delete([item.name for item in store.items("objects") if _is_old(item, named, now)])


def _objects(made: manifest.Manifest) -> set[str]:
    return {piece.object_name for _, piece in made.pieces()}


def _is_old(item: Item, named: set[str], now: dt.datetime) -> bool:
    return item.name not in named and now - item.modified_at >= GRACE


def _retired(store: Store, path: str) -> manifest.Manifest:
    (data,) = store.get([path])
    found = _RETIRED.fullmatch(path)
    if data is None or found is None:
        raise InvalidData(f"{path} is gone", reason="damaged_backup")
    return manifest.read(found[2], data)


def _age(path: str, now: dt.datetime) -> dt.timedelta:
    """Return how long ago a manifest was retired; what is not one of ours is as old as can be."""
    found = _RETIRED.fullmatch(path)
    if found is None:
        return dt.timedelta.max
    return now - dt.datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
