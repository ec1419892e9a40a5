"""The published snapshot, as the server may open it: for one question, and one at a time."""

import contextlib
import threading
from collections.abc import Iterator

import duckdb

from tracklake import reading
from tracklake.config import Folders

# Each question has an instance of DuckDB to itself, which takes memory and threads as if it were
# alone; so one waits for the other, whoever asks.
_ONE_AT_A_TIME = threading.Lock()


@contextlib.contextmanager
def opened(folders: Folders) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the snapshot that is the published one now, and close it: it is never held.

    Raises ConfigError if there is no warehouse, Error if it cannot be opened.
    """
    with _ONE_AT_A_TIME, reading.snapshot(folders) as connection:
        yield connection
