"""`python -m tests.reliability.checkpoint_abort FILE WHERE`: writes a warehouse, and dies with it.

The rows are what they were before, written anew; DuckDB breaks its checkpoint off at WHERE.
"""

import os
import sys
from pathlib import Path

import duckdb

from tracklake import warehouse

DIED = 7
PLACES = ("before_truncate", "before_header", "after_free_list_write", "before_wal_finish")


def main() -> None:
    """Write, let the checkpoint be broken off, and end without closing anything."""
    path, where = sys.argv[1:]
    connection = warehouse.connect(Path(path), threads=1)
    connection.execute("set wal_autocheckpoint = '1GB'")
    connection.execute("begin")
    connection.execute("create temp table kept as from records")
    connection.execute("delete from records")
    connection.execute("insert into records from kept")
    connection.execute("commit")
    connection.execute(f"pragma debug_checkpoint_abort = '{where}'")
    try:
        connection.execute("checkpoint gold")
    except duckdb.Error as error:
        sys.stderr.write(f"{error}\n")
        os._exit(DIED)
    os._exit(0)


if __name__ == "__main__":
    main()
