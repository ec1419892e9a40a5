"""Several sources, one activity: what gold makes of records that tell of the same outing."""

import datetime as dt
from pathlib import Path

import pytest

from tests.rows import Row, StandingClock, export_row, file_row, land, make_session, stream_key
from tests.service_rows import name_of, service_id, service_row, stub_row
from tests.test_compaction import query
from tracklake import compaction, warehouse
from tracklake.session import SyncSession

SERVICES = ("strava", "garmin", "intervals", "smashrun")
# Columns that say something of the activity itself, or are false where nobody says anything.
NOT_TOLD = {"id", "athlete", "primary_source", "sources", "field_sources", "ingested_at"}
NOT_TOLD |= {"has_track", "point_count", "stream_source", "file_status", "start_hidden"}
NOT_TOLD |= {"parent_id", "leg_index", "leg_count", "commute", "trainer", "manual"}


def day(session: SyncSession, number: int) -> SyncSession:
    """Return the session as it is on a day of May."""
    clock = StandingClock(dt.datetime(2026, 5, number, 6, tzinfo=dt.UTC))
    return make_session(session.folders.data.parent, clock)


def decision(kind: str, first: Row, second: Row, *, on: int, athlete: str = "me") -> Row:
    """Return what the athlete decided on a day of May."""
    names = sorted((name_of(first), name_of(second)))
    at = dt.datetime(2026, 5, on, 12, tzinfo=dt.UTC)
    return {
        "source": "athlete",
        "athlete": athlete,
        "source_id": f"{kind} {' '.join(names)} {at:%d}",
        "kind": kind,
        "first_record": names[0],
        "second_record": names[1],
        "decided_at": at,
    }


def ids(session: SyncSession) -> list[object]:
    """Return the ids of all activities."""
    return [number for (number,) in query(session, "select id from activities order by id")]


@pytest.mark.parametrize("first", ["files", *SERVICES])
def test_five_sources_are_one_activity_whose_id_stays(tmp_path: Path, first: str) -> None:
    """Whoever comes first gives the id; it stays while the others join, and a rebuild gives it."""
    session = make_session(tmp_path)
    rows = {"files": file_row(1)} | {source: service_row(source, 1) for source in SERVICES}
    found = set()
    for number, source in enumerate((first, *(name for name in rows if name != first)), start=1):
        land(day(session, number), rows[source])
        compaction.compact(session)
        [one] = ids(session)
        found.add(one)
    expected = {rows[first]["record_id"] if first != "strava" else service_id("strava", 1)}
    assert found == expected
    told = query(session, "select source, match_method, match_confidence from activity_sources")
    assert len(told) == 5
    assert {row[0] for row in told if row[1] == "own"} == {first}
    assert all(0.8 <= float(str(row[2])) <= 1 for row in told)
    assert query(session, "select sources from activities") == [(sorted(rows),)]
    compaction.compact(session, rebuild=True, verify=True)
    assert set(ids(session)) == expected


def test_at_the_same_time_strava_is_first(tmp_path: Path) -> None:
    """Records that land at once bear Strava's id, whichever the order of their shards."""
    session = make_session(tmp_path)
    for source in ("smashrun", "garmin", "strava"):
        land(day(session, 1), service_row(source, 1))
    compaction.compact(session)
    assert ids(session) == [service_id("strava", 1)]


def test_each_field_comes_from_the_best_source_and_says_so(tmp_path: Path) -> None:
    """Measurements from the device, words from Strava, each with its source; speeds fit."""
    session = make_session(tmp_path)
    land(session, service_row("strava", 1, distance=5_100.0, average_heartrate=149.0))
    garmin: Row = {"distance": 5_040.0, "moving_time": 1_510.0, "average_speed": 5_040 / 1_510}
    garmin |= {"average_heartrate": None, "calories": None}
    land(session, service_row("garmin", 1) | garmin)
    land(session, service_row("smashrun", 1, average_cadence=80.0))
    land(session, service_row("intervals", 1, weighted_average_watts=240.0, elev_high=99.0))
    compaction.compact(session)
    [row] = query(
        session,
        "select name, distance, average_speed - distance / moving_time, average_heartrate, "
        "kudos_count, weighted_average_watts, average_cadence, elev_high, field_sources "
        "from activities",
    )
    *values, sources = row
    assert values == ["strava 1", 5_040.0, 0.0, 149.0, 3, 240.0, 84.0, 60.0]
    assert isinstance(sources, dict)
    assert {name: sources[name] for name in ("name", "gear_id", "visibility", "kudos_count")} == (
        dict.fromkeys(("name", "gear_id", "visibility", "kudos_count"), "strava")
    )
    assert sources["distance"] == sources["average_speed"] == sources["start_date"] == "garmin"
    assert sources["calories"] == sources["average_heartrate"] == "strava"
    assert sources["weighted_average_watts"] == "intervals"
    assert "average_watts" not in sources


def test_every_column_that_has_a_value_has_its_source(tmp_path: Path) -> None:
    """field_sources names each column of measurements and words that is not NULL, and no other."""
    session = make_session(tmp_path)
    land(session, service_row("strava", 1), service_row("strava", 2, name=None, distance=None))
    land(session, service_row("garmin", 1, description="Rain"))
    compaction.compact(session)
    known = query(session, "select distinct unnest(map_keys(field_sources)) from activities")
    columns = {str(name) for (name, *_) in query(session, "describe activities")}
    assert {str(name) for (name,) in known} <= columns
    for name in sorted(columns - NOT_TOLD):
        wrong = query(
            session,
            f"select id from activities where ({name} is not null) "  # noqa: S608 our own names
            f"<> (field_sources['{name}'] is not null)",
        )
        assert wrong == [], name


def test_a_hidden_start_never_beats_a_known_one(tmp_path: Path) -> None:
    """The start comes from whoever shows it, the rest still from the better source."""
    session = make_session(tmp_path)
    known_s = float(str(service_row("strava", 1)["start_s"]))
    midnight_s = known_s // 86_400 * 86_400
    land(session, service_row("garmin", 1, start_s=midnight_s, start_hidden=True))
    land(session, service_row("strava", 1, distance=5_010.0))
    compaction.compact(session)
    assert query(session, "select epoch(start_date), start_hidden, distance from activities") == [
        (known_s, False, 5_001.0)
    ]


def test_a_stub_links_and_is_no_activity(tmp_path: Path) -> None:
    """intervals.icu's stub makes nothing by itself, and counts as a source of what it names."""
    session = make_session(tmp_path)
    land(day(session, 1), stub_row(1), stub_row(2))
    compaction.compact(session)
    assert ids(session) == []
    assert query(session, "select * from activity_sources") == []
    land(day(session, 2), service_row("strava", 1))
    compaction.compact(session)
    assert ids(session) == [service_id("strava", 1)]
    assert query(session, "select source, match_method from activity_sources order by 1") == [
        ("intervals", "strava_id"),
        ("strava", "own"),
    ]
    gone: Row = {key: service_row("strava", 1)[key] for key in ("source", "athlete", "source_id")}
    gone |= {"record_id": service_row("strava", 1)["record_id"], "reason": "not_listed"}
    land(day(session, 3), gone, entity="activity_tombstones")
    compaction.compact(session)
    assert ids(session) == []
    assert query(session, "select * from activity_sources") == []
    compaction.compact(session, rebuild=True, verify=True)


def test_what_was_deleted_makes_room_for_what_was_uploaded_anew(tmp_path: Path) -> None:
    """Deleted at Strava and uploaded again, it is one activity with Garmin's record, id and all."""
    session = make_session(tmp_path)
    old, new = service_row("strava", 1), service_row("strava", 1, name="Again")
    new |= {"source_id": "14900000000", "record_id": 77, "strava_id": 14_900_000_000}
    land(day(session, 1), old, export_row(service_id("strava", 1), None, start_s=old["start_s"]))
    land(day(session, 2), service_row("garmin", 1))
    compaction.compact(session)
    before = ids(session)
    gone = {key: old[key] for key in ("source", "athlete", "source_id", "record_id")}
    land(day(session, 3), {**gone, "reason": "not_listed"}, entity="activity_tombstones")
    land(day(session, 3), new)
    compaction.compact(session)
    assert ids(session) == before
    assert query(session, "select name, sources from activities") == [
        ("Again", ["garmin", "strava"])
    ]
    assert query(session, "select * from duplicate_candidates") == []
    compaction.compact(session, rebuild=True, verify=True)


def test_the_athlete_decides_and_it_is_remembered(tmp_path: Path) -> None:
    """split parts, merge joins, the later word counts, whatever landed first; rebuilds know it."""
    session = make_session(tmp_path)
    strava, garmin = service_row("strava", 1), service_row("garmin", 1)
    other = service_row("smashrun", 30, sport_type="Swim", distance=900.0)
    land(day(session, 1), decision("merge", strava, other, on=1), entity="match_decisions")
    land(day(session, 1), strava)
    land(day(session, 2), garmin, entity="activities")
    land(day(session, 2), other)
    compaction.compact(session)
    assert len(ids(session)) == 1
    land(day(session, 3), decision("split", strava, garmin, on=3), entity="match_decisions")
    compaction.compact(session)
    assert len(ids(session)) == 2
    land(day(session, 4), decision("split", strava, other, on=4), entity="match_decisions")
    compaction.compact(session, rebuild=True, verify=True)
    assert len(ids(session)) == 3
    land(day(session, 5), decision("merge", strava, garmin, on=5), entity="match_decisions")
    compaction.compact(session)
    assert len(ids(session)) == 2
    methods = query(session, "select match_method from activity_sources where source = 'garmin'")
    assert methods == [("decision",)]
    compaction.compact(session, rebuild=True, verify=True)


def test_doubtful_pairs_are_listed_until_they_are_decided(tmp_path: Path) -> None:
    """Two recordings of one service at the same time are a question, not one activity."""
    session = make_session(tmp_path)
    watch = service_row("garmin", 1)
    bike = service_row("garmin", 2, start_s=watch["start_s"], distance=5_030.0)
    land(session, watch, bike)
    compaction.compact(session)
    assert len(ids(session)) == 2
    [pair] = query(
        session, "select first_source_id, second_source_id, method from duplicate_candidates"
    )
    assert {pair[0], pair[1]} == {watch["source_id"], bike["source_id"]}
    land(day(session, 9), decision("merge", watch, bike, on=9), entity="match_decisions")
    compaction.compact(session)
    assert len(ids(session)) == 1
    assert query(session, "select * from duplicate_candidates") == []
    compaction.compact(session, rebuild=True, verify=True)


def test_a_source_that_is_kept_apart_gives_nothing_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is matched and gives nothing; alone it gives all; changing that makes gold anew."""
    session = make_session(tmp_path)
    land(session, service_row("strava", 1, calories=None), service_row("strava", 2))
    land(session, service_row("garmin", 1, distance=4_990.0), service_row("garmin", 3))
    compaction.compact(session)
    assert query(session, "select distance from activities order by start_date")[0] == (4_990.0,)
    monkeypatch.setenv("TRACKLAKE_KEPT_APART", "garmin")
    apart = make_session(tmp_path)
    assert compaction.compact(apart).rebuilt
    rows = query(
        apart, "select distance, calories, name, sources from activities order by start_date"
    )
    assert rows == [
        (5_001.0, None, "strava 1", ["garmin", "strava"]),
        (5_002.0, 300.0, "strava 2", ["strava"]),
        (5_003.0, 300.0, "garmin 3", ["garmin"]),
    ]
    compaction.compact(apart, rebuild=True, verify=True)
    assert not compaction.compact(apart).published


def test_one_file_at_two_services_is_one_activity(tmp_path: Path) -> None:
    """An original whose bytes are those of a file of one's own ties them, though clocks differ."""
    session = make_session(tmp_path)
    far = service_row("intervals", 1, start_s=1_700_000_000.0, sport_type="Swim")
    land(session, file_row(1), far)
    compaction.compact(session)
    assert len(ids(session)) == 2
    streams: Row = {key: far[key] for key in ("source", "athlete", "source_id", "record_id")}
    streams |= {"wanted_hash": "x", "outcome": "done", "point_count": 0, "has_track": False}
    streams |= {"start_s": 0.0, "stream_key": stream_key(far, "x")}
    streams |= {"file_sha256": file_row(1)["file_sha256"], "best_efforts": []}
    land(session, streams, entity="activity_streams")
    land(session, {**far, "elapsed_time": 1_601.0, "distance": 5_001.0})
    compaction.compact(session)
    assert len(ids(session)) == 1
    compaction.compact(session, rebuild=True, verify=True)


def test_athletes_share_nothing(tmp_path: Path) -> None:
    """The same outing of two athletes is two activities, with or without common keys."""
    session = make_session(tmp_path)
    for athlete, source in (("me", "strava"), ("eve", "garmin"), ("eve", "strava")):
        key = {"external_id": "18000000001"} if source == "strava" else {}
        land(session, service_row(source, 1, athlete, **key))
    compaction.compact(session)
    rows = query(session, "select athlete, sources from activities order by athlete")
    assert rows == [("eve", ["garmin", "strava"]), ("me", ["strava"])]
    compaction.compact(session, rebuild=True, verify=True)


def test_details_and_points_do_not_decide_anew(tmp_path: Path) -> None:
    """What says nothing of when and where an outing was leaves the groups as they are."""
    session = make_session(tmp_path)
    rows = [service_row("strava", 1), service_row("garmin", 1)]
    land(session, *rows[:1])
    land(session, *rows[1:])
    compaction.compact(session)
    writer = warehouse.connect(session.folders.state / "writer.duckdb", threads=1)
    writer.execute("update records set match_method = 'touched by nobody' where source = 'garmin'")
    writer.close()
    streams: Row = {key: rows[1][key] for key in ("source", "athlete", "source_id", "record_id")}
    streams |= {"wanted_hash": "x", "outcome": "done", "point_count": 0, "has_track": False}
    land(session, {**streams, "start_s": 0.0, "best_efforts": []}, entity="activity_streams")
    land(session, {**rows[1], "name": "Renamed"})
    compaction.compact(session)
    methods = query(session, "select match_method from activity_sources where source = 'garmin'")
    assert methods == [("touched by nobody",)]
    assert query(session, "select count(*) from activities") == [(1,)]
