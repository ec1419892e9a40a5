"""From points in Parquet to what gold keeps of them: new ones only, the same after a rebuild."""

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np

from tests.rows import StandingClock, file_row, land, make_session, stream_key
from tracklake import bronze, compaction, streams
from tracklake.model import POINT_COLUMNS, Outline, Points
from tracklake.session import SyncSession

FACTS = "from stream_facts order by stream_key"


def query(session: SyncSession, sql: str) -> list[tuple[object, ...]]:
    """Ask the published snapshot."""
    with duckdb.connect(str(session.folders.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def outline(number: int, seconds: int = 120) -> Outline:
    """Return a minute or two of points, one a second, heading east from where `number` says."""
    unknown = np.full(seconds, np.nan)
    columns = dict.fromkeys(POINT_COLUMNS, unknown)
    columns["timestamp_s"] = 1_600_000_000.0 + number * 86_400 + np.arange(seconds)
    columns["heartrate_bpm"] = np.full(seconds, 100.0 + number)
    columns["power_w"] = np.full(seconds, 200.0 + number)
    line = np.array([(2.0 + number, 41.0), (2.05 + number, 41.0)])
    return Outline(
        points=Points(**columns),
        start_s=float(columns["timestamp_s"][0]),
        moving=np.full(seconds, True),
        grade_pct=unknown,
        track=(line,),
    )


def land_with_points(session: SyncSession, *numbers: int) -> None:
    """Land files' records with their points and geometry, as an import does."""
    stamp = bronze.stamp(session.clock.now())
    rows, shapes = [], []
    for number in numbers:
        row = file_row(number)
        key = stream_key(row, stamp)
        rows.append(row | {"stream_key": key, "point_count": 120, "has_track": True})
        shapes.append((key, outline(number)))
    folders = session.folders
    name = f"athlete={session.athlete}"
    streams.write_part(folders.streams / name, folders.tracks / name, stamp, shapes)
    land(session, *rows)


def test_what_points_say_is_kept_once(tmp_path: Path) -> None:
    """A second activity adds its facts and leaves the row of the first as it is."""
    session = make_session(tmp_path)
    land_with_points(session, 1)
    compaction.compact(session)
    [first] = query(session, FACTS)
    assert first[1:8] == ([101], [119.0], 101, [201], [119.0], 119.0, 201.0)
    # The file that it came from is not needed any more: it is not read again.
    for path in session.folders.streams.rglob("athlete=*/*.parquet"):
        path.write_bytes(b"")
        path.unlink()
    land_with_points(session, 2)
    session.state.execute("delete from facts where name = 'view_files'")
    compaction.compact(session)
    assert first in query(session, FACTS)
    assert query(session, "select normalized_power_w from stream_facts order by 1") == [
        (201.0,),
        (202.0,),
    ]


def test_facts_of_a_record_that_lands_anew_are_made_anew(tmp_path: Path) -> None:
    """A record with new points has the facts of those, and the old ones are gone."""
    session = make_session(tmp_path)
    land_with_points(session, 1, 2)
    compaction.compact(session)
    before = query(session, FACTS)
    land_with_points(session, 1)
    compaction.compact(session)
    after = query(session, FACTS)
    assert len(after) == 2
    assert len(set(map(str, before)) & set(map(str, after))) == 1


def test_a_rebuild_has_the_same_facts(tmp_path: Path) -> None:
    """What is made of points step by step equals what a rebuild makes of all of them at once."""
    session = make_session(tmp_path, StandingClock(dt.datetime(2025, 12, 1, tzinfo=dt.UTC)))
    for number in range(1, 5):
        land_with_points(session, number, number + 10)
        compaction.compact(session)
    session.clock.sleep(86_400 * 60)  # the year is over: its files become one
    land_with_points(session, 30)
    compaction.compact(session)
    report = compaction.compact(session, rebuild=True, verify=True)
    assert report.verified["stream_facts"] == 9
    assert report.verified["track_tiles"] == len(
        query(session, "select track_key, tile_x, tile_y from track_tiles")
    )
    assert query(session, "select count(*), sum(activity_count) from explorer_tiles") == query(
        session, "select tile_count, tile_count from explorer_summary"
    )


def test_a_track_to_the_east_touches_the_tiles_between(tmp_path: Path) -> None:
    """0.05° along a parallel is 2.3 tiles of 360°/16,384: three or four of one row."""
    session = make_session(tmp_path)
    land_with_points(session, 1)
    compaction.compact(session)
    tiles = query(session, "select tile_x, tile_y from explorer_tiles order by all")
    first, last = int((3.0 + 180) / 360 * 16384), int((3.05 + 180) / 360 * 16384)
    assert [x for x, _ in tiles] == list(range(first, last + 1))
    assert len({y for _, y in tiles}) == 1
    assert query(session, "select square_side, cluster_size from explorer_summary") == [(1, 0)]


def test_settings_of_an_athlete_come_into_gold_and_change(tmp_path: Path) -> None:
    """A changed setting is in the next snapshot, though nothing else is new."""
    session = make_session(tmp_path)
    land(session, file_row(1))
    compaction.compact(session)
    assert query(session, "from athlete_settings") == []
    changed = session.settings.model_copy(
        update={"ftp_w": {"": 250.0, "anna": 200.0}, "heartrate_zones": {"": (120.0, 150.0)}}
    )
    session.settings = changed
    assert compaction.compact(session).published
    assert query(session, "from athlete_settings order by athlete") == [
        ("anna", None, None, None, 200.0, None, None),
        ("me", None, None, None, 250.0, [120.0, 150.0], None),
    ]
    assert not compaction.compact(session).published
