"""The newest backup, read whole where it lies in a folder; a bucket is left to `backup verify`."""

from collections.abc import Iterator

from tracklake.backup import catalogue, stores, verifying
from tracklake.backup.folder import FolderStore
from tracklake.backup.verifying import Part
from tracklake.config import Folders, Settings
from tracklake.doctor.finding import Finding

_SUBJECT = "backup"
_MENDS = "`tracklake backup create --full` makes one anew and mends what is damaged there"


def newest(folders: Folders, settings: Settings | None) -> Iterator[Finding]:
    """Is its manifest readable, is every object there and what its name says?"""
    if settings is None:
        return
    store = stores.opened(settings, folders)
    if not isinstance(store, FolderStore):
        said = f"{store.where} is asked over the network: not looked at"
        yield Finding(_SUBJECT, True, said, "`tracklake backup verify --full` reads it")
        return
    known = catalogue.names(store)
    if not known and not any(True for _ in store.items("objects")):
        return  # nobody has made one
    last = catalogue.latest(store, known) or (known[-1] if known else None)
    report = verifying.verify(store, [last] if last else [], Part(1, 1), lambda _: None)
    for said in report.damaged:
        yield Finding(_SUBJECT, False, f"{store.where}: {said}", _MENDS)
    if not report.damaged:
        yield Finding(_SUBJECT, True, f"{report.hashed} objects of the newest backup hashed")
