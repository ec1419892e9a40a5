"""The cookbook's queries about places and weather can be asked of any warehouse."""

import re
from pathlib import Path

import duckdb

from tests.rows import file_row, land, make_session
from tests.test_docs import REPOSITORY
from tracklake import compaction, reading

COOKBOOK = REPOSITORY / "docs" / "cookbook.md"
BLOCK = re.compile(r"^```(sql[^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_queries_over_places_and_weather_run(tmp_path: Path) -> None:
    """They name what exists; that they find something is tested where those views are."""
    session = make_session(tmp_path)
    land(session, file_row(1))
    compaction.compact(session)
    text = COOKBOOK.read_text(encoding="utf-8")
    queries = [query for marker, query in BLOCK.findall(text) if "places and weather" in marker]
    assert len(queries) >= 5
    with reading.snapshot(session.folders) as connection:
        for query in queries:
            assert reading.ask(connection, query, limit_s=60, most_rows=10).columns


def test_there_are_thirty_questions() -> None:
    """Each heading of the cookbook is a question, with a query that DuckDB can read."""
    text = COOKBOOK.read_text(encoding="utf-8")
    assert len(re.findall(r"^### .*[?]$", text, re.MULTILINE)) >= 30
    with duckdb.connect() as connection:
        for _, query in BLOCK.findall(text):
            assert len(connection.extract_statements(query)) == 1
