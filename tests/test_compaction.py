"""Bronze to gold: the same rows whatever the order, nothing twice, nothing half."""

import datetime as dt
import random
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.rows import Row, StandingClock, export_row, file_row, land, make_session
from tracklake import compaction, warehouse
from tracklake.errors import CheckFailed
from tracklake.session import SyncSession


def query(session: SyncSession, sql: str) -> list[tuple[object, ...]]:
    """Ask the published snapshot."""
    with duckdb.connect(str(session.folders.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def gold(session: SyncSession) -> dict[str, tuple[int, int]]:
    """Return the digest of the published snapshot, without the ledger."""
    with duckdb.connect(str(session.folders.warehouse), read_only=True) as connection:
        digest = warehouse.digest(connection)
    del digest["shards"]
    return digest


def test_a_second_compaction_writes_and_publishes_nothing(tmp_path: Path) -> None:
    """Cost follows what is new: with nothing new, no row is written and no snapshot published."""
    session = make_session(tmp_path)
    land(session, *(file_row(n) for n in range(3)))
    first = compaction.compact(session)
    before = session.folders.warehouse.stat()
    second = compaction.compact(session)
    assert (first.shards, first.rows, first.published) == (1, 3, True)
    assert (second.shards, second.rows, second.published) == (0, 0, False)
    assert session.folders.warehouse.stat().st_mtime_ns == before.st_mtime_ns
    assert session.folders.warehouse.stat().st_ino == before.st_ino


def test_the_newest_version_of_a_record_wins_with_all_its_parts(tmp_path: Path) -> None:
    """A record that lands again replaces its row and all its parts, and keeps its id."""
    session = make_session(tmp_path)
    land(session, file_row(1), file_row(2))
    compaction.compact(session)
    [(before,)] = query(session, "select id from activities where distance = 5001")
    land(session, file_row(1, distance=4_000.0, laps=[], splits_metric=[]))
    compaction.compact(session)
    assert query(session, "select id, distance from activities order by 2") == [
        (before, 4000.0),
        query(session, "select id, distance from activities where distance = 5002")[0],
    ]
    assert query(session, "select count(*) from activity_laps") == [(2,)]
    assert query(session, "select count(*) from activity_splits_metric") == [(5,)]
    assert query(session, "select count(*) from activity_best_efforts") == [(4,)]


def test_an_older_shard_that_comes_late_does_not_undo_a_newer_one(tmp_path: Path) -> None:
    """Newest ingested_at wins even when the older version is applied afterwards."""
    early, late = StandingClock(), StandingClock()
    late.sleep(86_400)
    old, new = make_session(tmp_path, early), make_session(tmp_path, late)
    land(new, file_row(1, name="new"))
    compaction.compact(new)
    land(old, file_row(1, name="old"))
    report = compaction.compact(new)
    assert report.shards == 1
    assert query(new, "select name from activities") == [("new",)]


def test_a_strava_export_and_the_file_it_names_are_one_activity(tmp_path: Path) -> None:
    """The export's words and the file's measurements make one row under Strava's id."""
    session = make_session(tmp_path)
    land(session, export_row(1001, 1, commute=True), export_row(1002, None))
    land(session, file_row(1, gear_id=None))
    compaction.compact(session)
    assert query(
        session,
        "select id, name, distance, gear_id, commute, manual, timezone from activities order by id",
    ) == [
        (1001, "Morning run 1001", 5001.0, "g1", True, False, "Europe/Madrid"),
        (1002, "Morning run 1002", None, "g1", False, True, None),
    ]
    assert query(
        session, "select source_id, match_method from activity_sources where activity_id = 1001"
    ) == [("strava-export/1001", "export_filename"), (file_row(1)["source_id"], "own")]
    assert query(session, "select distinct activity_id from activity_laps") == [(1001,)]


def test_an_id_stays_when_the_export_joins_later(tmp_path: Path) -> None:
    """A file that was there first keeps its id; the export's name and Strava id join it."""
    session = make_session(tmp_path)
    land(session, file_row(1))
    compaction.compact(session)
    [(before,)] = query(session, "select id from activities")
    land(session, export_row(1001, 1))
    compaction.compact(session)
    land(session, export_row(1001, 1, name="Renamed"))
    compaction.compact(session)
    assert query(session, "select id, name from activities") == [(before, "Renamed")]
    assert query(session, "select count(*) from activity_laps") == [(2,)]


def reading(number: int, legs: int) -> tuple[Row, ...]:
    """Return all records of one multisport file: the whole and its legs."""
    whole = file_row(number, leg_count=legs)
    return whole, *(
        file_row(
            number,
            source_id=f"{whole['source_id']}/{n}",
            record_id=number * 100 + n,
            parent_record_id=whole["record_id"],
            leg_index=n,
        )
        for n in range(1, legs + 1)
    )


def landings() -> list[tuple[int, tuple[Row, ...]]]:
    """Return what landed together and on which day, of records that concern one another."""
    return [
        (1, (file_row(1),)),
        (2, (export_row(1001, 1),)),
        (3, (export_row(1001, 1, name="Renamed"),)),
        (4, (file_row(1, distance=4_900.0, laps=[]),)),
        (1, (export_row(1002, 2),)),
        (2, (file_row(2),)),
        (2, (export_row(1003, 3),)),
        (3, reading(3, legs=3)),
        (4, reading(3, legs=2)),
        (1, (export_row(1004, None),)),
        (5, (export_row(1004, None, name="Also renamed"),)),
        # Strava exports a cropped activity again with other bytes: the row names another file.
        (1, (file_row(5),)),
        (2, (export_row(1005, 5),)),
        (3, (file_row(6), export_row(1005, 6))),
        # An export's table came without its files: the row still names the one it named before.
        (4, (export_row(1005, None, manual=False, name="Cropped"),)),
        # Another athlete's export of the same account.
        (2, (export_row(1002, 2, athlete="eve"),)),
        (3, (file_row(2, athlete="eve"),)),
        (4, (export_row(1004, None, athlete="eve"),)),
    ]


def test_a_row_that_names_another_file_leaves_the_old_one_on_its_own(tmp_path: Path) -> None:
    """Strava's id goes with the export's row; the file it named before is an activity again."""
    session = make_session(tmp_path)
    land(session, export_row(1005, 5), file_row(5))
    compaction.compact(session)
    assert query(session, "select id from activities") == [(1005,)]
    land(session, export_row(1005, 6), file_row(6))
    compaction.compact(session)
    rows = query(session, "select id, distance from activities order by distance")
    assert [distance for _, distance in rows] == [5005.0, 5006.0]
    assert query(session, "select count(*) from activity_laps group by activity_id") == [(2,), (2,)]
    compaction.compact(session, rebuild=True, verify=True)


def test_a_table_without_its_files_does_not_unlink_them(tmp_path: Path) -> None:
    """Importing activities.csv alone renames what is there and makes nothing twice."""
    session = make_session(tmp_path)
    land(session, export_row(1001, 1), file_row(1))
    compaction.compact(session)
    land(session, export_row(1001, None, manual=False, name="Renamed"))
    compaction.compact(session)
    assert query(session, "select id, name, distance from activities") == [
        (1001, "Renamed", 5001.0)
    ]
    compaction.compact(session, rebuild=True, verify=True)


def test_two_athletes_may_have_exported_one_account(tmp_path: Path) -> None:
    """An id belongs to one activity: whoever had it first bears Strava's, the other one its own."""
    session = make_session(tmp_path)
    for athlete in ("me", "eve"):
        land(session, export_row(1001, 1, athlete=athlete), file_row(1, athlete=athlete))
    compaction.compact(session)
    rows = query(session, "select athlete, id from activities order by ingested_at")
    assert rows[0] == ("me", 1001)
    assert rows[1][0] == "eve"
    assert rows[1][1] != 1001
    assert query(session, "select count(*) from activity_laps group by activity_id") == [(2,), (2,)]
    compaction.compact(session, rebuild=True, verify=True)


def land_on_its_day(session: SyncSession, day: int, rows: tuple[Row, ...]) -> None:
    """Land rows as if on a day of May."""
    clock = StandingClock(dt.datetime(2026, 5, day, 6, tzinfo=dt.UTC))
    land(make_session(session.folders.data.parent, clock), *rows)


def test_a_new_reading_of_a_file_replaces_all_of_the_old_one(tmp_path: Path) -> None:
    """When a better decoder finds two legs instead of three, the third is gone with its parts."""
    session = make_session(tmp_path)
    land(session, *reading(1, legs=3))
    compaction.compact(session)
    assert query(session, "select count(*) from activities") == [(4,)]
    land(session, *reading(1, legs=2))
    compaction.compact(session)
    assert query(session, "select leg_count from activities order by 1") == [(0,), (0,), (2,)]
    assert query(session, "select count(distinct activity_id) from activity_laps") == [(3,)]
    compaction.compact(session, rebuild=True, verify=True)


def test_order_splitting_and_repetition_of_shards_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Gold is a function of bronze: landed in any order, in any pieces, twice: the same rows."""
    one = make_session(tmp_path_factory.mktemp("one"))
    for day, rows in landings():
        land_on_its_day(one, day, rows)
        compaction.compact(one)
    expected = gold(one)

    @settings(
        max_examples=8,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def same(chance: random.Random) -> None:
        order = landings() + chance.sample(landings(), 3)
        chance.shuffle(order)
        other = make_session(tmp_path_factory.mktemp("other"))
        for day, rows in order:
            land_on_its_day(other, day, rows)
            if chance.random() < 0.3:
                compaction.compact(other)
        compaction.compact(other, rebuild=True, verify=True)
        assert gold(other) == expected

    same()


def test_a_rebuild_is_proved_equal_and_a_difference_is_named(tmp_path: Path) -> None:
    """`--rebuild --verify` passes on sound gold and names the table that was tampered with."""
    session = make_session(tmp_path)
    land(session, file_row(1), file_row(2))
    compaction.compact(session)
    report = compaction.compact(session, rebuild=True, verify=True)
    assert report.verified["activities"] == 2
    assert report.verified["record_laps"] == 4
    writer = warehouse.connect(session.folders.state / "writer.duckdb", threads=1)
    writer.execute("update activities set distance = distance + 1")
    writer.close()
    with pytest.raises(CheckFailed, match="activities"):
        compaction.compact(session, rebuild=True, verify=True)
    compaction.compact(session, rebuild=True)
    assert compaction.compact(session, rebuild=True, verify=True).verified["activities"] == 2


def test_gold_that_contradicts_itself_is_not_published(tmp_path: Path) -> None:
    """A failed check leaves yesterday's snapshot and says which check and which row."""
    session = make_session(tmp_path)
    land(session, file_row(1))
    compaction.compact(session)
    writer = warehouse.connect(session.folders.state / "writer.duckdb", threads=1)
    writer.execute("insert into activities from activities")
    writer.close()
    land(session, file_row(2))
    with pytest.raises(CheckFailed, match="activities_unique"):
        compaction.compact(session)
    assert query(session, "select count(*) from activities") == [(1,)]


def test_an_unreadable_writer_file_is_kept_aside_and_made_anew(tmp_path: Path) -> None:
    """A corrupt warehouse repairs itself from bronze."""
    session = make_session(tmp_path)
    land(session, file_row(1))
    compaction.compact(session)
    writer = session.folders.state / "writer.duckdb"
    writer.write_bytes(b"rubbish" * 1000)
    report = compaction.compact(session)
    assert report.repaired is not None
    assert Path(report.repaired).read_bytes().startswith(b"rubbish")
    assert query(session, "select count(*) from activities") == [(1,)]


def test_a_snapshot_that_was_damaged_is_published_anew(tmp_path: Path) -> None:
    """A flipped byte in what readers open is mended by the next compaction, with nothing new."""
    session = make_session(tmp_path)
    land(session, file_row(1))
    compaction.compact(session)
    sound = session.folders.warehouse.read_bytes()
    damaged = bytearray(sound)
    damaged[len(damaged) // 2] ^= 1
    session.folders.warehouse.chmod(0o644)
    session.folders.warehouse.write_bytes(damaged)
    assert compaction.compact(session).published
    assert query(session, "select count(*) from activities") == [(1,)]
    assert not compaction.compact(session).published


def test_a_warehouse_of_other_sql_texts_is_made_anew(tmp_path: Path) -> None:
    """After an update of Tracklake gold is replayed from bronze, without network."""
    session = make_session(tmp_path)
    land(session, file_row(1))
    compaction.compact(session)
    writer = warehouse.connect(session.folders.state / "writer.duckdb", threads=1)
    writer.execute("update warehouse_version set version = 'older'")
    writer.close()
    assert compaction.compact(session).rebuilt
    assert query(session, "select count(*) from activities") == [(1,)]


def test_closed_years_are_rolled_up_and_gold_stays_the_same(tmp_path: Path) -> None:
    """Shards of a year that is over become one file, the old ones go, a rebuild gives the same."""
    clock = StandingClock(dt.datetime(2025, 12, 30, 6, tzinfo=dt.UTC))
    session = make_session(tmp_path, clock)
    for number in range(4):
        land(session, file_row(number))
        compaction.compact(session)
    before = gold(session)
    clock.sleep(5 * 86_400)
    compaction.compact(session)
    year = session.folders.bronze / "files" / "activities" / "athlete=me" / "2025"
    assert [path.name[:7] for path in year.glob("*.parquet")] == ["rollup-"]
    clock.sleep(400 * 86_400)
    compaction.compact(session)
    assert list(year.glob("*/shard.parquet")) == []
    assert gold(session) == before
    report = compaction.compact(session, rebuild=True, verify=True)
    assert report.verified["activities"] == 4


def test_open_readers_neither_block_nor_see_a_mixture(tmp_path: Path) -> None:
    """A reader keeps its snapshot while a new one is published, in this process and in another."""
    session = make_session(tmp_path)
    land(session, file_row(1))
    compaction.compact(session)
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print('open', flush=True); input()\n"
        "print(c.execute('select count(*) from activities').fetchall())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(session.folders.warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        land(session, file_row(2))
        assert compaction.compact(session).published
        output, _ = reader.communicate("\n")
    assert output == "[(1,)]\n"
    assert query(session, "select count(*) from activities") == [(2,)]


def test_a_stale_wal_beside_the_snapshot_is_moved_aside(tmp_path: Path) -> None:
    """What somebody wrote into the old snapshot is kept, and never replayed into the new one."""
    session = make_session(tmp_path)
    land(session, file_row(1))
    compaction.compact(session)
    stale = session.folders.warehouse.with_name("tracklake.duckdb.wal")
    stale.write_bytes(b"somebody's changes")
    land(session, file_row(2))
    compaction.compact(session)
    assert not stale.exists()
    [kept] = session.folders.warehouse.parent.glob("*.stale-*.wal")
    assert kept.read_bytes() == b"somebody's changes"
    assert query(session, "select count(*) from activities") == [(2,)]
