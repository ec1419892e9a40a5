"""Backups in a folder: files that land as everything here does, flushed before they have a name."""

import contextlib
import datetime as dt
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tracklake import landing
from tracklake.backup.stores import LATEST, Item, moved
from tracklake.clock import from_unix

_HALF = ".landing-"


class FolderStore:
    """A folder; an object's name is its path in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.where = str(root)

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Keep objects; all bytes are flushed before the first gets its name."""
        pairs: list[tuple[Path, Path]] = []
        try:
            with self._named():
                for name, data in objects.items():
                    path = self.root / name
                    landing.make_folder(path.parent)
                    pairs.append((landing.temporary_beside(path), path))
                    pairs[-1][0].write_bytes(data)
                landing.adopt_all(pairs)
        finally:
            for temporary, _ in pairs:
                temporary.unlink(missing_ok=True)

    def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Return objects in the order of their names, None for what is not there."""
        return [self._read(self.root / name) for name in names]

    def _read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def items(self, prefix: str) -> Iterator[Item]:
        """List what is there below a folder of the store."""
        for parent, _, files in os.walk(self.root / prefix):
            for file in files:
                if not file.startswith(_HALF):
                    path = Path(parent) / file
                    status = path.stat()
                    yield Item(
                        path.relative_to(self.root).as_posix(),
                        status.st_size,
                        from_unix(status.st_mtime).astimezone(dt.UTC),
                    )

    def delete(self, names: Sequence[str]) -> None:
        """Remove files, and folders that are empty then."""
        paths = [self.root / name for name in names]
        for path in paths:
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in paths if path.parent.is_dir()}:
            landing.fsync_folder(folder)
            if folder.parent != self.root and not any(folder.iterdir()):
                folder.rmdir()

    def point(self, name: str, data: bytes, before: bytes | None) -> None:
        """Replace a small file, if it is still the one that was there.

        The flow's lock keeps others away who use the same data folder, this the rest.
        """
        if self._read(self.root / name) != before:
            raise moved(self.where)
        with self._named():
            landing.write(self.root / name, data)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Have an error of the disk name the place: one of a flush names nothing."""
        try:
            yield
        except OSError as error:
            error.filename = error.filename or self.where
            raise

    def sweep(self) -> int:
        """Remove temporary files of a killed writer, only where we write: others may live here."""
        own = ("objects", "manifests", "retired")
        halves = [path for path in self.root.glob(f"{_HALF}*-{LATEST}") if path.is_file()]
        for path in halves:
            path.unlink()
        return len(halves) + sum(landing.sweep(self.root / name) for name in own)
