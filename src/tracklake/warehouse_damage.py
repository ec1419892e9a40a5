"""What of DuckDB's errors means that a file is broken, and a reading that finds all that is."""

import duckdb

_BROKEN = (duckdb.SerializationException, duckdb.FatalException, duckdb.InternalException)
_CUT = "could not read enough bytes"
_ELSEWHERE = (
    *("no space left", "input/output error", "permission denied", "read-only file system"),
    *("out of memory", "too many open files", "cannot open file"),
)


def is_damage(error: duckdb.Error) -> bool:
    """Tell an error that means that the file itself is broken."""
    said = str(error).lower()
    if is_trouble_elsewhere(error):
        return False
    return (
        isinstance(error, _BROKEN)
        or any(word in said for word in ("corrupt", "not a valid duckdb"))
        or (_CUT in said and ".parquet" not in said)
    )


def is_trouble_elsewhere(error: duckdb.Error) -> bool:
    """Tell an error of the disk, of rights or of memory, which says nothing about the file."""
    said = str(error).lower()
    return any(word in said for word in _ELSEWHERE)


def read_whole(connection: duckdb.DuckDBPyConnection) -> None:
    """Read each column of each table: DuckDB looks at the sum of a block when it reads it."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where not temporary and not internal"
    ).fetchall()
    for schema, table in tables:
        connection.execute(f'select bit_xor(hash(t)) from "{schema}"."{table}" as t').fetchall()  # noqa: S608 our own names
