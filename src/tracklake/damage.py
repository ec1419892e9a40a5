"""What is damaged on disk is set aside, never deleted: moved away, entered in the quarantine."""

import shutil
from pathlib import Path

from tracklake import bronze, landing, quarantine
from tracklake.config import Folders
from tracklake.identity import bytes_hash
from tracklake.session import SyncSession

SOURCE = "bronze"  # whose item it is: the lake's own, so that no source takes it for a file of its
SHARD = "damaged_shard"
POINTS = "damaged_points"
FOLDER = "corrupt"  # below the data folder; not in backups


def aside(path: Path, stamp: str) -> Path:
    """Name what a damaged file is called when it is kept beside its successor."""
    return path.with_name(f"{path.name}.corrupt-{stamp}")


def item_id(folders: Folders, path: Path) -> str:
    """Return the quarantine's id of a damaged file: from its place."""
    return bytes_hash(f"damaged\x1f{path.relative_to(folders.data).as_posix()}".encode())


def set_aside(session: SyncSession, path: Path, said: str, reason: str) -> Path:
    """Move a damaged file out of the way and enter it; return where it is kept."""
    folders = session.folders
    name = path.relative_to(folders.data)
    kept = aside(folders.data / FOLDER / name, bronze.stamp(session.clock.now()))
    landing.make_folder(kept.parent)
    shutil.move(path, kept)
    landing.fsync_folder(kept.parent)
    landing.fsync_folder(path.parent)
    quarantine.set_aside(
        session,
        quarantine.Item(
            item_id=item_id(folders, path),
            source=SOURCE,
            item=name.as_posix(),
            reason=reason,
            message=f"{said}; kept: {kept}. Put a sound copy back to {path} (`tracklake backup "
            "restore --to FOLDER` gives the newest backup's) and run `tracklake flow`",
        ),
    )
    session.log.error("damaged_file", path=str(path), moved_to=str(kept), reason=said)
    return kept


def known(session: SyncSession) -> set[str]:
    """Return the places of what is set aside as damaged, below the data folder."""
    rows = session.state.execute("select item from quarantine where source = ?", (SOURCE,))
    return {str(item) for (item,) in rows}


def release(session: SyncSession, path: Path) -> None:
    """Forget that a file was damaged: a sound one is in its place."""
    quarantine.release(session.state, item_id(session.folders, path))
