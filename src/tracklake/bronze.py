"""Bronze: what was received, written once, named by content, never changed.

Below bronze/<source>/<entity>/athlete=<athlete>/:

<yyyy>/<stamp>-<hash>/shard.parquet   one run's typed rows
<yyyy>/rollup-<hash>.parquet          a closed year's shards in one
objects/<hh>/<sha256><suffix>         files as they came (entity original_files)
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tracklake import landing, shards

SHARD = "shard.parquet"
ROLLUP_PREFIX = "rollup-"
REPLACES_KEY = b"tracklake.replaces"  # in a rollup's metadata: the names of what it stands for


def stamp(moment: dt.datetime) -> str:
    """Write a moment the way folder names do, to the microsecond: they sort by time."""
    return moment.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def land_shard(
    bronze: Path, entity: str, rows: list[dict[str, object]], *, ingested_at: dt.datetime
) -> Path | None:
    """Land rows (all of one source and athlete) as one shard; nothing for no rows."""
    if not rows:
        return None
    source, athlete = rows[0]["source"], rows[0]["athlete"]
    year = bronze / f"{source}" / entity / f"athlete={athlete}" / f"{ingested_at.year:04}"
    sink = pa.BufferOutputStream()
    pq.write_table(shards.table(entity, rows, ingested_at), sink, compression="zstd")
    data = sink.getvalue().to_pybytes()
    name = f"{stamp(ingested_at)}-{hashlib.sha256(data).hexdigest()[:12]}"
    path: Path = year / name / SHARD
    landing.write(path, data)
    return path


def shard_paths(bronze: Path, entity: str, *, before: int | None = None) -> list[Path]:
    """List every shard and rollup of an entity, of all sources and athletes, by name.

    before: only those of the years before this one.
    """
    folders = list(bronze.glob(f"*/{entity}/athlete=*/[0-9][0-9][0-9][0-9]"))
    found = [
        path
        for folder in folders
        if before is None or int(folder.name) < before
        for path in (*folder.glob(f"*/{SHARD}"), *folder.glob("rollup-*.parquet"))
    ]
    return sorted(found)


def object_path(bronze: Path, source: str, athlete: str, sha256: str, suffix: str) -> Path:
    """Name an original file: by the hash of its bytes."""
    folder = bronze / source / "original_files" / f"athlete={athlete}" / "objects" / sha256[:2]
    return folder / f"{sha256}{suffix}"


def is_rollup(path: Path) -> bool:
    """Tell a rollup by its name."""
    return path.name.startswith(ROLLUP_PREFIX)


def replaces(rollup: Path) -> list[Path]:
    """Return the files a rollup stands for; of one that is damaged, none: whoever reads it says."""
    try:
        names: list[str] = json.loads((pq.read_metadata(rollup).metadata or {})[REPLACES_KEY])
    except (pa.ArrowException, KeyError, ValueError):
        return []
    return [rollup.parent / name for name in names]


def live(paths: Iterable[Path]) -> list[Path]:
    """Leave out the files that a rollup among them replaces."""
    found = list(paths)
    gone = {old for path in found if is_rollup(path) for old in replaces(path)}
    return sorted(path for path in found if path not in gone)
