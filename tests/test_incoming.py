"""Batches of new shards: small whatever the shards' sizes, each row once, gold the same."""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.rows import Row, file_row, land, make_session
from tracklake import bronze, compaction, incoming, rollup, warehouse
from tracklake.incoming import Batch, Shard
from tracklake.session import SyncSession


def shards_of(session: SyncSession) -> list[Shard]:
    """Return every shard in bronze."""
    return [
        Shard(entity, path, path.stat().st_size)
        for entity in warehouse.ENTITIES
        for path in bronze.shard_paths(session.folders.bronze, entity)
    ]


def made(session: SyncSession, path: Path, most_rows: int) -> dict[str, tuple[int, int]]:
    """Make a warehouse of bronze in batches of so many rows, and return its digest."""
    warehouse.create(path)
    connection = warehouse.connect(path, threads=1)
    for batch in incoming.batches(connection, shards_of(session), most_rows=most_rows):
        warehouse.apply(connection, session.folders.bronze, batch)
    warehouse.check(connection)
    digest = warehouse.digest(connection)
    connection.close()
    return digest


def of_all_kinds(session: SyncSession) -> None:
    """Land large and small shards, records that come again, and an outing of three."""
    land(session, *(file_row(number) for number in range(11)))
    whole = file_row(20, leg_index=0, leg_count=2)
    legs: list[Row] = [
        file_row(20 + leg, leg_index=leg, parent_record_id=whole["record_id"]) for leg in (1, 2)
    ]
    land(session, whole, *legs)
    land(session, *(file_row(number, distance=1.0) for number in range(5, 9)))
    land(session, file_row(7, distance=2.0, laps=[]))


def test_a_large_shard_comes_in_pieces_and_small_ones_come_together(tmp_path: Path) -> None:
    """No batch is larger than it may be, and all rows of all shards come exactly once."""
    session = make_session(tmp_path)
    of_all_kinds(session)
    shards = shards_of(session)
    connection = duckdb.connect()
    batches = list(incoming.batches(connection, shards, most_rows=5))

    def rows_in(batch: Batch) -> int:
        return min(batch.end_row, sum(batch.row_counts)) - batch.first_row

    assert sum(map(rows_in, batches)) == sum(
        pq.read_metadata(shard.path).num_rows for shard in shards
    )
    assert max(map(rows_in, batches)) <= 5
    assert [len(batch.shards) for batch in batches] == [1, 1, 1, 1, 2]
    assert [batch.finishes for batch in batches] == [False, False, True, True, True]
    assert len(list(incoming.batches(connection, shards))) == 1


@pytest.mark.parametrize("most_rows", [1, 2, 5])
def test_the_size_of_batches_makes_no_difference(tmp_path: Path, most_rows: int) -> None:
    """Row by row or all at once, also when an outing is torn apart: gold and ledger are equal."""
    session = make_session(tmp_path)
    of_all_kinds(session)
    whole = made(session, tmp_path / "whole.duckdb", 1_000)
    assert made(session, tmp_path / "pieces.duckdb", most_rows) == whole
    assert whole["activities"][0] == 14


def test_a_kill_between_two_pieces_of_a_shard_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """A shard of which half is in gold is not in the ledger; the next compaction takes it whole."""
    session = make_session(tmp_path)
    of_all_kinds(session)
    writer = session.folders.state / "writer.duckdb"
    warehouse.create(writer)
    connection = warehouse.connect(writer, threads=1)
    first = next(incoming.batches(connection, shards_of(session), most_rows=5))
    assert warehouse.apply(connection, session.folders.bronze, first) == 0
    assert connection.execute("select count(*) from records").fetchall() == [(4,)]
    assert connection.execute("select count(*) from shards").fetchall() == [(0,)]
    connection.close()
    report = compaction.compact(session)
    assert (report.shards, report.rows) == (4, 19)
    assert compaction.compact(session, rebuild=True, verify=True).verified["activities"] == 14


def test_a_rollup_of_many_small_shards_has_few_groups_of_rows(tmp_path: Path) -> None:
    """What is read back together lies together, with all rows in the order they landed in."""
    session = make_session(tmp_path)
    for number in range(40):
        land(session, file_row(number))
    session.clock.sleep(400 * 86_400)
    compaction.compact(session)
    [path] = session.folders.bronze.rglob("rollup-*.parquet")
    with pq.ParquetFile(path) as file:
        assert (file.metadata.num_row_groups, file.metadata.num_rows) == (1, 40)
        distances = file.read(columns=["distance"])["distance"].to_pylist()
    assert distances == [5_000.0 + number for number in range(40)]


def test_the_last_batch_is_written_once_without_a_log(tmp_path: Path) -> None:
    """Batches before it go to DuckDB's log; with its commit, all rows are in the file itself."""
    session = make_session(tmp_path)
    of_all_kinds(session)
    writer = tmp_path / "writer.duckdb"
    log = tmp_path / "writer.duckdb.wal"
    warehouse.create(writer)
    connection = warehouse.connect(writer, threads=1)
    batches = list(incoming.batches(connection, shards_of(session), most_rows=5))
    assert [batch.is_last for batch in batches] == [False, False, False, False, True]
    for batch in batches[:-1]:
        warehouse.apply(connection, session.folders.bronze, batch)
        assert log.stat().st_size > 0
    warehouse.apply(connection, session.folders.bronze, batches[-1])
    assert not log.exists()
    connection.close()


def test_what_rollups_replace_is_left_out_however_often_it_is_asked(tmp_path: Path) -> None:
    """What is remembered of rollups says the same as reading them anew, at every age of a year."""
    session = make_session(tmp_path)
    for number in range(3):
        land(session, file_row(number))
    for _ in range(3):
        session.clock.sleep(400 * 86_400)
        compaction.compact(session)
        land(session, *(file_row(number, distance=2.0) for number in range(2)))
        land(session, file_row(2, distance=3.0))
        paths = bronze.shard_paths(session.folders.bronze, "activities")
        assert rollup.live(paths) == rollup.live(paths) == bronze.live(paths)
        assert len(bronze.live(paths)) < len(paths)


def test_a_second_empty_warehouse_is_as_the_first_was_when_new(tmp_path: Path) -> None:
    """What a process makes later has no rows of what it made before, and keeps apart its own."""
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    for path, kept_apart in ((first, ()), (second, ()), (other, ("strava",))):
        warehouse.create(path, kept_apart)
        connection = warehouse.connect(path, threads=1)
        assert warehouse.is_current(connection, kept_apart)
        assert connection.execute("select count(*) from shards").fetchall() == [(0,)]
        connection.execute("insert into shards (shard, entity) values ('a', 'gear')")
        connection.close()
    with duckdb.connect(str(other), read_only=True) as reader:
        assert reader.execute("select kept_apart from warehouse_version").fetchall() == [
            (["strava"],)
        ]
