"""What a run of the tiles draws when something changed, and that nothing is lost by it."""

import datetime as dt
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_tiles import SCHEMA, UTC_START, WALK, add, build, manifest, seen, snapshot, stems
from tracklake.errors import CheckFailed
from tracklake.model import FloatArray
from tracklake.state import State
from tracklake.tiles import listings
from tracklake.tiles import manifest as tile_manifest
from tracklake.tiles.ahead import Ahead
from tracklake.tiles.planning import RECENT_MOST
from tracklake.tiles.rows import Row

DECK = "starts-2021-2022"
Shown = dict[int, set[tuple[int, str, int]]]


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        yield connection


def years(warehouse: duckdb.DuckDBPyConnection, *counts: int) -> int:
    """Add so many activities to 2021, 2022, …; return the last id."""
    activity_id = 0
    for year, count in enumerate(counts, 2021):
        for day in range(count):
            activity_id += 1
            add(warehouse, activity_id, WALK, at=UTC_START.replace(year=year) + dt.timedelta(day))
    return activity_id


def shown(folder: Path) -> Shown:
    """Return what all files of a set show together, by zoom; twice shown is an error."""
    found: Shown = {}
    for entry in manifest(folder)[0]:
        for zoom, features in seen(folder / str(entry["file"])).items():
            for activity_id, properties in features.items():
                one = (activity_id, str(properties["sport"]), int(str(properties["day"])))
                if zoom != 7:  # where both lines and starts are
                    assert one not in found.setdefault(zoom, set()), (zoom, one)
                found.setdefault(zoom, set()).add(one)
    return found


def kinds(folder: Path) -> list[tuple[object, object, object]]:
    return [(one["kind"], one["year"], one["count"]) for one in manifest(folder)[0]]


def test_what_is_new_goes_into_the_overlay(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """One more run leaves all files of before; the overlay has its track and its start."""
    last = years(warehouse, 3, 2)
    build(warehouse, tmp_path)
    before = {name for name in snapshot(tmp_path) if name.endswith(".pmtiles")}
    add(warehouse, last + 1, WALK, at=UTC_START.replace(year=2022, month=8))
    drawn = build(warehouse, tmp_path).drawn
    assert stems(drawn) == ["tracks-2022", "recent", "activities", "calendar"]
    assert before < set(snapshot(tmp_path))
    assert kinds(tmp_path)[-1] == ("recent", None, 1)
    recent = manifest(tmp_path)[0][-1]
    assert recent["layers"] == ["tracks", "starts"]
    assert (recent["min_zoom"], recent["max_zoom"]) == (0, 13)
    assert recent["sports"] == {"Run": 1}
    assert {zoom: len(found) for zoom, found in shown(tmp_path).items()} == dict.fromkeys(
        range(14), last + 1
    )


def test_the_first_activities_of_a_new_year_and_late_uploads_go_there_too(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Neither January nor an old file that turns up draws a year again."""
    last = years(warehouse, 2, 2)
    build(warehouse, tmp_path)
    add(warehouse, last + 1, WALK, at=UTC_START.replace(year=2023, month=1))
    add(warehouse, last + 2, WALK, at=UTC_START.replace(year=2012))
    drawn = build(warehouse, tmp_path).drawn
    assert [stem for stem in stems(drawn) if "20" not in stem] == [
        *("recent", "activities", "calendar")
    ]
    assert ("recent", None, 2) in kinds(tmp_path)
    assert len(shown(tmp_path)[10]) == last + 2


def test_a_full_overlay_is_folded_into_the_years(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """With more than a month's worth the year is drawn whole; older years stay as they are."""
    last = years(warehouse, 3, 2)
    build(warehouse, tmp_path)
    old = manifest(tmp_path)[0][0]
    for more in range(1, RECENT_MOST + 1):
        add(warehouse, last + more, WALK, at=UTC_START.replace(year=2022, month=8))
    build(warehouse, tmp_path)
    assert ("recent", None, RECENT_MOST) in kinds(tmp_path)
    add(warehouse, last + RECENT_MOST + 1, WALK, at=UTC_START.replace(year=2022, month=9))
    drawn = build(warehouse, tmp_path).drawn
    assert "recent" not in stems(drawn)
    assert kinds(tmp_path) == [
        *(("year", 2021, 3), ("year", 2022, RECENT_MOST + 3), ("starts", None, RECENT_MOST + 6)),
    ]
    assert manifest(tmp_path)[0][0] == old


@pytest.mark.parametrize(
    ("change", "drawn"),
    [
        ("update activities set sport_type = 'Hike' where id = 1", ["tracks-2021", DECK]),
        ("delete from activities where id = 1; delete from tracks_of_test where activity_id = 1",
         ["tracks-2021", DECK]),
        ("update tracks_of_test set track_hash = 'moved' where activity_id = 1", ["tracks-2021"]),
        ("update activities set start_lat = 47 where id = 1", [DECK]),
        ("update activities set name = 'New' where id = 1", []),
    ],
)  # fmt: skip
def test_a_change_in_an_old_year_draws_that_year_only(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, change: str, drawn: list[str]
) -> None:
    """Edits and deletions draw the files that show what changed; the overlay stays."""
    last = years(warehouse, 3, 2)
    build(warehouse, tmp_path)
    add(warehouse, last + 1, WALK, at=UTC_START.replace(year=2022, month=8))
    build(warehouse, tmp_path)
    warehouse.execute(change)
    made = [name for name in build(warehouse, tmp_path).drawn if name.endswith(".pmtiles")]
    assert [stem for stem in stems(made) if stem != "recent"] == drawn
    folded = DECK in drawn  # a file that is drawn again takes what the overlay had
    recent = [one for one in manifest(tmp_path)[0] if one["kind"] == "recent"]
    assert [one["layers"] for one in recent] == [["tracks"] if folded else ["tracks", "starts"]]


def test_edits_and_deletions_of_what_the_overlay_has_touch_it_alone(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A change of a new activity draws the overlay; its last one gone, the overlay is gone."""
    last = years(warehouse, 3, 2)
    build(warehouse, tmp_path)
    before = manifest(tmp_path)[0]
    add(warehouse, last + 1, WALK, at=UTC_START.replace(year=2022, month=8))
    build(warehouse, tmp_path)
    warehouse.execute("update activities set sport_type = 'Walk' where id = ?", [last + 1])
    assert [n for n in stems(build(warehouse, tmp_path).drawn) if "tracks" not in n] == [
        *("recent", "activities", "calendar")
    ]
    warehouse.execute("delete from activities where id = ?", [last + 1])
    warehouse.execute("delete from tracks_of_test where activity_id = ?", [last + 1])
    build(warehouse, tmp_path)
    assert manifest(tmp_path)[0] == before


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "old", "delete", "sport", "move"]),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=6,
)


def change_one(warehouse: duckdb.DuckDBPyConnection, what: str, number: int) -> None:
    (last,) = warehouse.execute("select coalesce(max(id), 0) + 1 from activities").fetchone() or (
        1,
    )
    if what in ("add", "old"):
        year = 2023 if what == "add" else 2010 + number
        add(warehouse, last, WALK, at=UTC_START.replace(year=year), start=(11.5, 48.1))
    elif what == "delete":
        for table, column in (("activities", "id"), ("tracks_of_test", "activity_id")):
            warehouse.execute(f"delete from {table} where {column} = ?", [number])  # noqa: S608 names of ours
    elif what == "sport":
        warehouse.execute("update activities set sport_type = 'Hike' where id = ?", [number])
    else:
        at = UTC_START.replace(year=2019)
        warehouse.execute("update activities set start_date = ? where id = ?", [at, number])


@settings(max_examples=5, deadline=None)
@given(rounds=st.lists(CHANGES, min_size=1, max_size=4))
def test_any_history_of_changes_shows_what_a_rebuild_shows(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[tuple[str, int]]]
) -> None:
    """Whatever was added, edited and deleted between runs: the files show gold, each once."""
    folder = tmp_path_factory.mktemp("tiles")
    with duckdb.connect() as warehouse:
        warehouse.execute(SCHEMA)
        years(warehouse, 3, 2, 4)
        build(warehouse, folder)
        for changes in rounds:
            for what, number in changes:
                change_one(warehouse, what, number)
            build(warehouse, folder)
        step_by_step = shown(folder)
        build(warehouse, folder, rebuild=True)
        assert step_by_step == shown(folder)
        gold = "select id, sport_type, start_date_local::date - date '1970-01-01' from activities"
        everyone = set(warehouse.execute(gold).fetchall())
        assert all(found == everyone for found in step_by_step.values())


def test_with_nothing_new_not_even_a_track_is_read(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """What was drawn is remembered: the geometry may be out of reach as long as nothing changed."""
    years(warehouse, 2)
    state = State(tmp_path / "state")
    build(warehouse, tmp_path / "tiles", state=state)
    before = snapshot(tmp_path / "tiles")
    warehouse.execute(
        "create or replace view activity_tracks as select error('read') as activity_id"
    )
    assert build(warehouse, tmp_path / "tiles", state=state).drawn == ()
    assert snapshot(tmp_path / "tiles") == before
    warehouse.execute("update activities set name = 'New' where id = 1")
    with pytest.raises(duckdb.Error):
        build(warehouse, tmp_path / "tiles", state=state)
    state.close()


def test_a_lost_file_is_made_again_although_nothing_changed(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """What is remembered is not believed about files that are not there."""
    years(warehouse, 2)
    state = State(tmp_path / "state")
    lost = build(warehouse, tmp_path / "tiles", state=state).tile_files[0]
    (tmp_path / "tiles" / lost).unlink()
    assert build(warehouse, tmp_path / "tiles", state=state).drawn == (lost,)
    state.close()


def test_the_single_file_has_everything_once(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """all.pmtiles has what years and overlay have; it goes when it is out of date."""
    last = years(warehouse, 3, 2)
    build(warehouse, tmp_path)
    add(warehouse, last + 1, WALK, at=UTC_START.replace(year=2022, month=8))
    assert "all.pmtiles" in build(warehouse, tmp_path, single=True).drawn
    whole = seen(tmp_path / "all.pmtiles")
    assert {zoom: len(found) for zoom, found in whole.items()} == dict.fromkeys(range(14), last + 1)
    single = manifest(tmp_path)[0][-1]
    assert (single["kind"], single["count"], single["sports"]) == ("single", 6, {"Run": 6})
    assert build(warehouse, tmp_path).drawn == ()
    assert build(warehouse, tmp_path, single=True).drawn == ()
    for more in (2, 3):
        add(warehouse, last + more, WALK)
        build(warehouse, tmp_path)
    assert not (tmp_path / "all.pmtiles").exists()
    assert "single" not in [one["kind"] for one in manifest(tmp_path)[0]]


def test_a_damaged_year_is_no_reason_to_stop(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A file of the right size with wrong bytes is found when it is read, and made again."""
    last = years(warehouse, 3)
    name = build(warehouse, tmp_path).tile_files[0]
    path = tmp_path / name
    path.write_bytes(bytes(path.stat().st_size))
    add(warehouse, last + 1, WALK, at=UTC_START.replace(year=2021))
    build(warehouse, tmp_path)
    assert name not in [str(one["file"]) for one in manifest(tmp_path)[0]]
    assert len(shown(tmp_path)[9]) == last + 1


def test_a_failed_build_leaves_the_overlay_of_yesterday(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """An activity that cannot be drawn fails the run; the manifest and its files stay."""
    last = years(warehouse, 3)
    build(warehouse, tmp_path)
    add(warehouse, last + 1, WALK)
    build(warehouse, tmp_path)
    before = snapshot(tmp_path)
    add(warehouse, 0, WALK)
    with pytest.raises(CheckFailed):
        build(warehouse, tmp_path)
    assert before.items() <= snapshot(tmp_path).items()


def test_the_calendar_counts_activities_by_day_and_sport(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Filters and live counts need one small file: local days, sports, how many."""
    years(warehouse, 2)
    add(warehouse, 7, WALK, at=UTC_START.replace(year=2021), sport="Hike")
    add(warehouse, 8, WALK, at=UTC_START.replace(year=2021))
    build(warehouse, tmp_path)
    read = json.loads((tmp_path / "manifest.json").read_text())
    calendar = json.loads((tmp_path / read["calendar"]["file"]).read_text())
    day = (dt.date(2021, 5, 4) - dt.date(1970, 1, 1)).days
    assert calendar == {
        "sports": ["Hike", "Run"],
        "days": [[day, 0, 1], [day, 1, 2], [day + 1, 1, 1]],
    }


def test_a_set_can_be_removed_whole(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Removing takes the manifest and our files, and nothing else."""
    years(warehouse, 2)
    build(warehouse, tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    assert tile_manifest.remove(tmp_path)
    assert list(snapshot(tmp_path)) == ["mine.txt"]
    assert not tile_manifest.remove(tmp_path)


def test_geojson_that_is_gone_on_with_has_the_bytes_of_one_written_whole(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A new activity is packed behind the others, an old one among them, as by a rebuild."""
    last = years(warehouse, 3)
    build(warehouse, tmp_path)
    for more, month in ((1, 8), (2, 9), (3, 2)):
        add(warehouse, last + more, WALK, at=UTC_START.replace(year=2021, month=month))
        report = build(warehouse, tmp_path)
        step_by_step = snapshot(tmp_path)[report.geojson_files[0]]
        rebuilt = build(warehouse, tmp_path, rebuild=True).geojson_files[0]
        assert snapshot(tmp_path)[rebuilt] == step_by_step
        lines = gzip.decompress(step_by_step).splitlines()
        assert len({json.loads(line)["id"] for line in lines}) == len(lines) == last + more


def test_a_damaged_geojson_file_is_not_gone_on_with(tmp_path: Path) -> None:
    """What is not a file of ours is an error of ours, not something to append to."""
    (tmp_path / "other.gz").write_bytes(gzip.compress(b"{}"))
    with pytest.raises(CheckFailed, match="not a file of GeoJSON"):
        listings.write_geojson(tmp_path / "new.gz", [], after=tmp_path / "other.gz")


def rows_of(*ids: int) -> list[Row]:
    at = dt.datetime(2024, 5, 4)  # noqa: DTZ001 local time of the athlete
    return [Row(one, 2024, "Run", 1, at, None, None, None, None, None, "hash") for one in ids]


def test_geometry_is_read_for_several_files_at_once() -> None:
    """Files that need the same or the next tracks are served by one query, within the limit."""
    asked: list[list[int]] = []

    def read(rows: Sequence[Row]) -> list[tuple[Row, list[FloatArray]]]:
        asked.append([row.activity_id for row in rows])
        return [(row, [np.full((2, 2), row.activity_id)]) for row in rows]

    files = [rows_of(1, 2), rows_of(1, 2), rows_of(3), rows_of(4, 5), rows_of(*range(6, 12))]
    ahead = Ahead(read, files, most=4)
    for rows in files:
        found = list(ahead.tracks(rows))
        assert [row for row, _ in found] == rows
        assert all(parts[0][0, 0] == row.activity_id for row, parts in found)
    assert asked == [[1, 2, 3], [4, 5], [6, 7, 8, 9, 10, 11]]
