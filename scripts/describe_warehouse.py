"""Write the generated part of docs/warehouse.md, or with --check say whether it is up to date.

Tables, columns and their comments come from an empty warehouse, so they cannot differ from it.
"""

import re
import sys
import tempfile
from pathlib import Path

import duckdb

from tracklake import streams, warehouse

PAGE = Path(__file__).resolve().parent.parent / "docs" / "warehouse.md"
BEGIN = "<!-- from here on written by `make docs` -->\n"

_RELATIONS = """
select table_name, comment, 'table' as kind from duckdb_tables()
where not temporary and not internal and table_name <> 'warehouse_version'
union all
select view_name, comment, 'view' from duckdb_views() where not internal and not temporary
order by 1
"""
_COLUMNS = """
select column_name, data_type, comment from duckdb_columns() where table_name = ?
order by column_index
"""


def describe() -> str:
    """Return Markdown: a section for each table and view, a row for each column."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stream_folder, track_folder = folder / "streams", folder / "tracks"
        streams.ensure_readable(stream_folder, track_folder)
        warehouse.create(folder / "empty.duckdb")
        connection = warehouse.connect(folder / "empty.duckdb", threads=1)
        warehouse.define_views(
            connection,
            [str(path) for path in stream_folder.iterdir()],
            [str(path) for path in track_folder.iterdir()],
        )
        sections = [
            _section(connection, name, comment, kind)
            for name, comment, kind in connection.execute(_RELATIONS).fetchall()
        ]
        connection.close()
    return "\n".join(sections)


def _section(connection: duckdb.DuckDBPyConnection, name: str, comment: str, kind: str) -> str:
    lines = [
        f"## {name}" if kind == "table" else f"## {name} (view)",
        "",
        f"{comment}.",
        "",
        "| Column | Type | What |",
        "| --- | --- | --- |",
    ]
    for column, data_type, meaning in connection.execute(_COLUMNS, [name]).fetchall():
        lines.append(f"| `{column}` | {_short(data_type)} | {(meaning or '').replace('|', '/')} |")
    return "\n".join([*lines, ""])


def _short(data_type: str) -> str:
    """Say a type in the same words whatever the version: what counts as a keyword differs."""
    return re.sub(r'"(\w+)"', r"\1", data_type).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")


def main() -> int:
    """Write the page, or compare."""
    text = PAGE.read_text(encoding="utf-8")
    kept, marker, written = text.partition(BEGIN)
    if not marker:
        sys.exit(f"{PAGE.name} has lost its line {BEGIN!r}")
    wanted = "\n" + describe()
    if "--check" in sys.argv[1:]:
        if written != wanted:
            sys.exit("docs/warehouse.md is not what the warehouse says: make docs")
        return 0
    PAGE.write_text(kept + marker + wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
