"""Where backups are kept: what a folder and a bucket have in common, and which one is meant."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tracklake.config import Folders, Settings
from tracklake.errors import Busy, ConfigError

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Item:
    """Something kept, and when it was put there (UTC)."""

    name: str
    size_bytes: int
    modified_at: dt.datetime


class Store(Protocol):
    """Objects by name; each is there whole and lasting, or not at all."""

    where: str

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Keep objects; what bears one of the names is replaced."""

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return objects in the order of their names, None for what is not there."""

    def items(self, prefix: str) -> Iterator[Item]:
        """List what is there below a prefix."""

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects; what is not there is no error."""

    def point(self, name: str, data: bytes, before: bytes | None) -> None:
        """Replace a small object; raise Busy if it is not `before` (None: not there) any more."""

    def sweep(self) -> int:
        """Remove what a killed writer left half done; only while nobody writes."""


def moved(where: str) -> Busy:
    """Say that somebody else made a backup to the same place meanwhile."""
    return Busy(
        f"another backup to {where} was made meanwhile, by another machine or data folder; "
        "`latest` stays with that one. Run the same command again"
    )


def opened(settings: Settings, folders: Folders) -> Store:
    """Return the store that is set; raise ConfigError saying what is wrong with the setting."""
    url = settings.backup_url
    if url is not None and url.startswith("s3://"):
        from tracklake.backup.bucket import BucketStore

        return BucketStore.of(url)
    if url is not None and "://" in url.removeprefix("file://"):
        raise ConfigError(f"TRACKLAKE_BACKUP_URL: {url} is neither a folder nor s3://bucket/prefix")
    from tracklake.backup.folder import FolderStore

    return FolderStore(_folder(url, folders))


def _folder(url: str | None, folders: Folders) -> Path:
    """Return the folder; one that was chosen has to exist, or it may be a disk not mounted."""
    if url is None:
        return folders.data / "backups"
    folder = Path(url.removeprefix("file://"))
    if not folder.is_dir():
        raise ConfigError(
            f"TRACKLAKE_BACKUP_URL: there is no folder {folder}; make it, or mount its disk"
        )
    ours = [folders.data / name for name in ("bronze", "streams", "tracks", "state", "warehouse")]
    place = folder.resolve()
    if any(place.is_relative_to(one.resolve()) for one in ours) or place == folders.data.resolve():
        raise ConfigError(f"TRACKLAKE_BACKUP_URL: {folder} belongs to what is to be backed up")
    return folder
