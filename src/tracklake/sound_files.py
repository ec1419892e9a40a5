"""Is a file of bronze, of points or of geometry still what was written?

A hash in its name says it, or a seal within. What bears neither (older files) is read whole.
"""

import hashlib
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tracklake import bronze, parquet_seal

_ROWS_AT_ONCE = 500
_HASH_AT_THE_END = re.compile(r"Z(?:-\d+)?-([0-9a-f]{12})$")  # a stamp, perhaps a part, the hash


def sha256_of(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damage(path: Path) -> str | None:
    """Say in a few words what is wrong with a Parquet file; None if it is sound.

    Raises OSError if the disk does not give it.
    """
    named = _HASH_AT_THE_END.search(path.parent.name if path.name == bronze.SHARD else path.stem)
    if named:
        return None if sha256_of(path).startswith(named[1]) else "it is not what its name says"
    sealed = parquet_seal.holds(path)
    if sealed is not None:
        return None if sealed else "it is not what was sealed"
    return unreadable(path)


def unreadable(path: Path) -> str | None:
    """Read every row of every group; say what stops it."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for _ in file.iter_batches(_ROWS_AT_ONCE, use_threads=False):
                pass
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        return f"it cannot be read ({str(error).splitlines()[0]})"
    return None
