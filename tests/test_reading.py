"""Asking the snapshot: what reads is answered, what writes or looks elsewhere is not."""

from pathlib import Path

import pytest

from tracklake import reading
from tracklake.config import Folders
from tracklake.errors import ConfigError, Error


def ask(folders: Folders, query: str, limit_s: float = 30.0) -> reading.Answer:
    """Ask as the command does."""
    with reading.snapshot(folders) as connection:
        return reading.ask(connection, query, limit_s=limit_s, most_rows=1000)


def test_tables_views_and_streams_answer(sample_lake: Folders) -> None:
    """Gold's tables and the views over Parquet are readable with external access closed."""
    assert ask(sample_lake, "select count(*) from activities").rows[0][0] > 150
    rows = ask(sample_lake, "select count(*), count(distinct activity_id) from activity_streams")
    assert rows.rows[0][0] > 100_000
    assert ask(sample_lake, "explain select 1").columns
    assert ask(sample_lake, "describe activities").rows
    assert ask(sample_lake, "show tables").rows


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_text('/etc/passwd')",
        "select * from glob('/etc/*')",
        "attach '/tmp/other.duckdb'",
        "copy activities to '{streams}/evil.csv'",
        "explain analyze copy (select 1) to '{streams}/evil.parquet'",
        "/* explain x */ explain analyze copy (select 1) to '{streams}/evil.parquet'",
        "select 'explain '; explain analyze copy (select 1) to '{streams}/evil.parquet'",
        "select 1; copy (select 1) to '{streams}/evil.parquet'",
        "create table t as select 1",
        "delete from activities",
        "install httpfs",
        "load spatial",
        "set enable_external_access = true",
        "pragma enable_external_access",
        "export database '/tmp/evil'",
        "select * from read_csv('http://127.0.0.1:9/')",
        "selec",
        "",
        ";",
    ],
)
def test_what_writes_or_reaches_out_is_refused(sample_lake: Folders, query: str) -> None:
    """Each refusal is a sentence for the person, and no file comes to be."""
    before = sorted(sample_lake.data.rglob("*"))
    with pytest.raises(ConfigError, match=r"\w"):
        ask(sample_lake, query.format(streams=sample_lake.streams))
    assert sorted(sample_lake.data.rglob("*")) == before


def test_a_runaway_query_is_stopped(sample_lake: Folders) -> None:
    """The time limit interrupts a query that would never end."""
    with pytest.raises(Error, match="stopped after 1 s"):
        ask(sample_lake, "select count(*) from range(1000000000) a, range(1000000000) b", 1.0)


def test_no_warehouse_is_said_with_what_to_do(tmp_path: Path) -> None:
    """Before the first flow the answer says how to make one."""
    folders = Folders(data=tmp_path, secrets=tmp_path, logs=tmp_path, inbox=tmp_path / "inbox")
    with pytest.raises(ConfigError, match="tracklake flow"):
        ask(folders, "select 1")
