"""One activity with the file it came from, its export's row and Strava's record: what gold says."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.rows import Row, export_row, file_row, land, stream_key
from tests.sources.strava_place import Place, opened
from tracklake import streams
from tracklake.analysis import shape
from tracklake.identity import record_id
from tracklake.model import Outline, Points

FILE_PARTS = {"activity_laps": 2, "activity_splits_metric": 5, "activity_splits_standard": 3}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return an empty account."""
    with opened(tmp_path, points=40) as found:
        yield found


def outing(place: Place, number: int, strava_id: int, **fields: object) -> int:
    """Upload what file `number` of tests/rows.py recorded."""
    start = dt.datetime.fromtimestamp(1_600_000_000 + number * 86_400, dt.UTC)
    fields = {"sport_type": "Run", "distance": 7_000.0, "moving_time": 2_000, "kudos": 3} | fields
    return place.upstream.account.upload(start, id=strava_id, **fields)  # type: ignore[arg-type]


def import_files(place: Place, *rows: Row) -> None:
    """Land files and rows of an export, as `tracklake import` does."""
    place.advance(seconds=60)
    with place.session() as session:
        land(session, *rows)
    place.compact()


def fetch(place: Place) -> int:
    """Pull, enrich, compact as a flow does; return the calls about single activities."""
    place.advance(seconds=60)
    place.reconcile()
    place.compact()
    report = place.enrich()
    place.compact()
    return report.calls


@pytest.mark.parametrize("first", ["file", "strava", "export"])
def test_file_export_and_api_are_one_activity_whichever_came_first(
    place: Place, first: str
) -> None:
    """One row whose id stays: measurements and parts of the file, words and kudos of the API."""
    one = outing(place, 1, 1001, name="As Strava has it now")
    ids = set()
    steps: dict[str, Callable[[], object]] = {
        "file": lambda: import_files(place, file_row(1)),
        "export": lambda: import_files(place, export_row(one, 1, name="As it was called then")),
        "strava": lambda: fetch(place),
    }
    for step in (first, *(name for name in steps if name != first)):
        steps[step]()
        rows = place.query("select id, name from activities")
        ids.add(rows[0]["id"]) if len(rows) == 1 else ids.clear()
    file_id = record_id("me", "files", str(file_row(1)["source_id"]))
    assert ids == {file_id if first == "file" else one}
    [row] = place.query("from activities")
    expected = {
        "name": "As Strava has it now",
        "distance": 5_001.0,
        "moving_time": 1_500.0,
        "kudos_count": 3,
        "gear_id": "g1001",
        "primary_source": "files",
        "sources": ["files", "strava"],
        "visibility": "everyone",
        "timezone": "Europe/Madrid",
    }
    assert {name: row[name] for name in expected} == expected
    for table, count in FILE_PARTS.items():
        assert place.query(f"select count(*) as n from {table}") == [{"n": count}], table  # noqa: S608
    efforts = place.query("select name, origin from activity_best_efforts order by name")
    assert [(e["name"], e["origin"]) for e in efforts] == [("1K", "computed"), ("5K", "computed")]
    [detail] = place.query("from activity_details")
    assert detail["activity_id"] in ids
    assert place.query("select count(*) as n from activity_sources") == [{"n": 3}]
    place.compact(rebuild=True, verify=True)
    assert {r["id"] for r in place.query("select id from activities")} == ids
    assert fetch(place) == 0


def recorded(number: int, points: int, *, located: bool, **changes: object) -> tuple[Row, Outline]:
    """Return a file's record with so many points, and these."""
    row = {**file_row(number), **changes}
    start_s = float(str(row["start_s"]))
    along = np.linspace(0.0, 0.05, points)
    columns = {"timestamp_s": start_s + np.arange(points) * 10.0, "heartrate_bpm": 100 + along}
    if located:
        columns |= {"lat": 41.4 + along, "lng": 2.2 + along}
    outline = shape.outline(Points.of(points, **columns), "Run", start_s)
    key = stream_key(row, "its file")
    changes = {"stream_key": key, "point_count": points, "has_track": bool(outline.track)}
    return {**row, **changes}, outline


class Case(NamedTuple):
    """Points of a file and of Strava (40, unless said otherwise), and whose are to be shown."""

    file_points: int
    located: bool
    shown: str
    gps: bool = True
    points: int = 40
    problems: tuple[str, ...] = ()


CASES = (
    Case(100, True, "files"),
    Case(40, True, "files"),
    Case(36, True, "files"),
    Case(35, True, "strava"),
    Case(10, True, "strava", problems=("cut off",)),
    Case(39, True, "files", problems=("a damaged record",)),
    Case(100, False, "strava"),
    Case(100, False, "files", gps=False),
    Case(20, True, "files", gps=False),
    Case(0, False, "strava"),
    Case(30, True, "files", points=0),
    Case(30, False, "files", points=0),
    Case(2, True, "strava"),
)


@pytest.mark.parametrize("files_first", [True, False])
def test_the_better_points_are_shown_and_both_stay(place: Place, files_first: bool) -> None:
    """Positions first, then completeness (nine tenths), then the file; none of them is lost."""
    rows: list[Row] = []
    outlines = []
    for number, case in enumerate(CASES, start=1):
        row, outline = recorded(
            number, case.file_points, located=case.located, problems=list(case.problems)
        )
        outlines.append((int(str(row["stream_key"])), outline))
        rows += [row, export_row(1000 + number, number)]
        outing(place, number, 1000 + number, gps=case.gps, points=case.points)
    own = place.folders.streams / "athlete=me", place.folders.tracks / "athlete=me"
    streams.write_part(*own, "20260501T000000.000000Z", outlines)
    if files_first:
        import_files(place, *rows)
    fetch(place)
    if not files_first:
        import_files(place, *rows)
    shown = place.query(
        "select s.strava_id - 1000 as number, a.stream_source, a.point_count, a.has_track, "
        "a.file_status, "
        "(select count(*) from activity_streams as p where p.activity_id = a.id) as points, "
        "(select count(*) from activity_tracks as t where t.activity_id = a.id) as tracks "
        "from activities as a inner join activity_sources as s on s.activity_id = a.id "
        "where s.source = 'strava' order by 1"
    )
    for row, case in zip(shown, CASES, strict=True):
        points = case.file_points if case.shown == "files" else case.points
        assert (row["stream_source"], row["points"]) == (case.shown, points), case
        assert row["point_count"] == row["points"], case
        assert row["has_track"] == (row["tracks"] == 1), case
        located = case.located if case.shown == "files" else case.gps
        assert row["has_track"] == located or case.points == 0, case
        assert row["file_status"] == ("salvaged" if case.problems else "clean"), case
    kept = sum(case.file_points + case.points for case in CASES)
    assert points_in_bronze(place) == kept
    place.compact(rebuild=True, verify=True)


def points_in_bronze(place: Place) -> int:
    """Count the points in data/streams, whoever they belong to."""
    files = [str(path) for path in streams.parts(place.folders.streams)]
    [row] = place.query_private(f"select count(*) as n from read_parquet({files})")  # noqa: S608
    return int(row["n"])


def test_what_is_deleted_at_strava_leaves_the_file_and_may_return(place: Place) -> None:
    """The file stays an activity under the same id; back at Strava all is there without a call."""
    one = outing(place, 1, 1001, name="Mine")
    manual = outing(place, 2, 1002, manual=True, name="By hand")
    other = outing(place, 3, 1003, name="Stays")
    import_files(place, file_row(1), export_row(one, 1), export_row(manual, None))
    fetch(place)
    before = place.query("from activities order by id")
    for strava_id in (one, manual):
        place.upstream.account.delete(strava_id)
    assert fetch(place) == 0
    [row] = place.query("from activities where id <> ?", other)
    assert row["id"] in {old["id"] for old in before}
    assert (row["sources"], row["name"], row["kudos_count"]) == (["files"], None, None)
    assert [row["activity_id"] for row in place.query("from activity_details")] == [other]
    laps = place.query("select count(*) as n from activity_laps where activity_id <> ?", other)
    assert laps == [{"n": 2}]
    gone = place.query("select source, source_id from activity_tombstones order by all")
    assert [(row["source"], row["source_id"]) for row in gone] == [
        ("files", "strava-export/1001"),
        ("files", "strava-export/1002"),
        ("strava", "1001"),
        ("strava", "1002"),
    ]
    place.compact(rebuild=True, verify=True)
    for strava_id in (one, manual):
        place.upstream.account.items[strava_id].deleted = False
    place.upstream.account.version += 1
    assert fetch(place) == 0
    after = place.query("from activities order by id")
    for old, new in zip(before, after, strict=True):
        assert {k: v for k, v in new.items() if k != "ingested_at"} == {
            k: v for k, v in old.items() if k != "ingested_at"
        }
    assert len(place.query("from activity_details")) == 3
    assert place.query("from activity_tombstones") == []
    place.compact(rebuild=True, verify=True)


def test_an_activity_of_strava_alone_leaves_gold_with_all_its_parts(place: Place) -> None:
    """Deleted upstream it is in no view but the tombstones; bronze still has it."""
    ids = place.upstream.account.fill(7, manual=False)
    fetch(place)
    place.upstream.account.delete(ids[3])
    fetch(place)
    assert place.gold_ids() == set(ids) - {ids[3]}
    assert place.tombstones() == {ids[3]}
    for view in ("details", "laps", "splits_metric", "segment_efforts", "streams", "tracks"):
        rows = place.query(f"select * from activity_{view} where activity_id = ?", ids[3])  # noqa: S608
        assert rows == [], view
    assert points_in_bronze(place) == 7 * 40
    place.compact(rebuild=True, verify=True)
