"""Sources that disagree: what a person would call one thing is one activity, counted once."""

import datetime as dt
from pathlib import Path

import pytest

from tests.rows import Row, export_row, file_row, land, make_session
from tests.service_rows import service_id, service_row, stub_row
from tests.test_canonical import day, ids
from tests.test_canonical_order import gone, listed
from tests.test_compaction import query
from tracklake import compaction
from tracklake.identity import record_id
from tracklake.session import SyncSession

HOUR_S, DAY_S = 3_600.0, 86_400.0


def began(number: int) -> float:
    """Return when the outing of a number begins, as those see it who are right."""
    return float(str(file_row(number)["start_s"]))


def of(source: str, number: int, **told: object) -> Row:
    """Return what a service tells of an outing, with a speed that fits."""
    row = service_row(source, number, "me", **told)
    distance, moving_s = row["distance"], row["moving_time"]
    if isinstance(distance, float) and isinstance(moving_s, float):
        row["average_speed"] = distance / moving_s
    return row


def named(row: Row, source_id: str, **told: object) -> Row:
    """Return a row as another record of its source."""
    own_id = int(source_id) if row["source"] == "strava" else None
    number = record_id("me", str(row["source"]), source_id)
    return {**row, "source_id": source_id, "record_id": number, "strava_id": own_id, **told}


def lengths(seconds: float, metres: float | None) -> Row:
    """Return what says how long and how far."""
    return {"elapsed_time": seconds, "moving_time": seconds - 20, "distance": metres}


def commutes(source: str, number: int, first_id: int) -> list[Row]:
    """Return three rides of one day, of about one length."""
    return [
        named(
            of(source, number, sport_type="Ride", **lengths(1_200.0 + 11 * at, 6_000.0 + 7 * at)),
            str(first_id + at),
            start_s=began(number) - HOUR_S * (6 - hour) + 13 * at,
        )
        for at, hour in enumerate((0.0, 8.0, 9.5))
    ]


HOUR = lengths(3_600.0, 10_000.0)
CROPPED = lengths(3_000.0, 8_600.0)
TYPED: Row = {"manual": True, **dict.fromkeys(("start_lat", "start_lng", "end_lat", "end_lng"))}
# Outings with what is told of each, and the sources of the activities that a person sees there.
STORIES: dict[str, tuple[int, list[Row], list[str]]] = {
    "each has its word for a sport": (
        10,
        [
            of("garmin", 10),
            of("strava", 10, sport_type="TrailRun"),
            of("intervals", 10, sport_type="Workout"),
        ],
        ["garmin intervals strava"],
    ),
    "distances are eight percent apart": (
        20,
        [
            of("garmin", 20),
            of("strava", 20, distance=5_420.0),
            of("smashrun", 20, distance=4_900.0),
        ],
        ["garmin smashrun strava"],
    ),
    "one tells moving time only, one a long pause": (
        30,
        [
            of("garmin", 30),
            of("strava", 30, elapsed_time=1_900.0),
            of("smashrun", 30, elapsed_time=1_500.0),
        ],
        ["garmin smashrun strava"],
    ),
    "the end is cropped at Strava": (
        40,
        [of("garmin", 40, **HOUR), of("strava", 40, **CROPPED)],
        ["garmin strava"],
    ),
    "Strava hides the start: midnight": (
        50,
        [
            of("garmin", 50),
            of("strava", 50, start_s=began(50) // DAY_S * DAY_S, start_hidden=True),
        ],
        ["garmin strava"],
    ),
    "SmashRun knows no zone": (
        60,
        [
            of("garmin", 60),
            of("strava", 60),
            of("smashrun", 60, start_s=began(60) + 7_200, utc_offset_s=None, timezone=None),
        ],
        ["garmin smashrun strava"],
    ),
    "file, archive, interface and watch": (
        70,
        [
            of("garmin", 70),
            of("strava", 70, external_id=f"garmin_ping_{service_id('garmin', 70)}"),
            export_row(service_id("strava", 70), 70),
            file_row(70),
        ],
        ["files garmin strava"],
    ),
    "a gym session during a ride": (
        80,
        [
            of("strava", 80, sport_type="Ride", **lengths(3_600.0, 30_000.0)),
            of("garmin", 80, sport_type="Ride", **lengths(3_600.0, 30_000.0)),
            named(
                of("strava", 80, sport_type="WeightTraining", **lengths(1_800.0, None)),
                "14500000080",
                start_s=began(80) + 900,
            ),
        ],
        ["garmin strava", "strava"],
    ),
    "three commutes, one of which SmashRun has": (
        90,
        [
            *commutes("garmin", 90, 18_500_000_090),
            *commutes("strava", 90, 14_500_000_090),
            named(commutes("smashrun", 90, 1)[1], "60500090"),
        ],
        ["garmin strava", "garmin smashrun strava", "garmin strava"],
    ),
    "a treadmill that is corrected by hand": (
        100,
        [
            of("garmin", 100, **lengths(3_600.0, 8_000.0)),
            of("strava", 100, **HOUR),
            of("smashrun", 100, **HOUR),
        ],
        ["garmin smashrun strava"],
    ),
    "typed in for the evening with the same numbers": (
        110,
        [
            of("garmin", 110),
            of("strava", 110, start_s=began(110) // 300 * 300 + 5 * HOUR_S, **TYPED),
        ],
        ["garmin strava"],
    ),
    "typed in for the evening, another run": (
        120,
        [
            of("garmin", 120),
            of(
                "strava",
                120,
                start_s=began(120) // 300 * 300 + 5 * HOUR_S,
                **TYPED | lengths(2_700.0, 8_000.0),
            ),
        ],
        ["garmin", "strava"],
    ),
    "a stub, and what it names": (130, [of("strava", 130), stub_row(130)], ["intervals strava"]),
}


@pytest.fixture(scope="module")
def disagreeing(tmp_path_factory: pytest.TempPathFactory) -> SyncSession:
    """Return gold of all stories, each told days apart from the others."""
    session = make_session(tmp_path_factory.mktemp("disagreeing"))
    land(session, *(row for _, rows, _ in STORIES.values() for row in rows))
    compaction.compact(session)
    return session


@pytest.mark.parametrize("story", STORIES)
def test_each_thing_is_one_activity(disagreeing: SyncSession, story: str) -> None:
    """Words, lengths, crops, clocks, zones and hand-typed entries differ; a person sees these."""
    number, _, expected = STORIES[story]
    found = query(
        disagreeing,
        "select array_to_string(sources, ' ') from activities "  # noqa: S608 a number
        f"where abs(epoch(start_date) - {began(number)}) < 86400 order by start_date",
    )
    assert [sources for (sources,) in found] == expected


def test_what_belongs_together_fits(disagreeing: SyncSession) -> None:
    """Speed is distance over moving time of one record; start, zone and local time agree."""
    rows = query(
        disagreeing,
        "select average_speed - distance / moving_time, "
        "epoch(start_date_local::timestamptz) - epoch(start_date) - utc_offset_s, start_hidden, "
        "field_sources['distance'] = field_sources['moving_time'], "
        "moving_time <= elapsed_time from activities where not list_contains(sources, 'files')",
    )
    assert len(rows) > len(STORIES)
    for speed_apart, local_apart, is_hidden, of_one, fits in rows:
        assert abs(float(str(speed_apart or 0.0))) < 1e-9
        assert (local_apart, is_hidden, of_one, fits) in (
            (0, False, True, True),
            (0, False, None, True),
        )


def test_sums_count_each_thing_once(disagreeing: SyncSession) -> None:
    """As many activities in the weeks as a person sees, and doubts of none that is certain."""
    [(counted,)] = query(
        disagreeing, "select sum(activity_count) from weekly_totals where sport_type = 'All'"
    )
    assert counted == sum(len(expected) for _, _, expected in STORIES.values())
    doubts = query(
        disagreeing, "select first_sport_type, second_sport_type from duplicate_candidates"
    )
    assert [set(pair) for pair in doubts] == [{"Ride", "WeightTraining"}]
    compaction.compact(day(disagreeing, 20), rebuild=True, verify=True)


def test_a_speed_never_comes_from_another_record(tmp_path: Path) -> None:
    """Where the moving time is another record's, or the first knows no speed, nobody names one."""
    session = make_session(tmp_path)
    land(
        session,
        {**of("garmin", 1), "moving_time": None, "average_speed": 3.0},
        of("strava", 1, distance=0.0),
        {**of("garmin", 9), "average_speed": None},
        of("strava", 9),
        {**of("garmin", 19), "moving_time": None, "average_speed": 3.0},
    )
    compaction.compact(session)
    assert query(
        session,
        "select moving_time, average_speed, field_sources['average_speed'] from activities "
        "order by start_date",
    ) == [(1_500.0, None, None), (1_500.0, None, None), (None, 3.0, "garmin")]


def test_an_edit_leaves_a_group_and_comes_back(tmp_path: Path) -> None:
    """Moved by hours at Strava it is by itself; moved back it is one again, under the same id."""
    session = make_session(tmp_path)
    land(day(session, 1), of("garmin", 1), of("intervals", 1))
    land(day(session, 2), of("strava", 1))
    compaction.compact(session)
    before = ids(session)
    for on, (moved_s, count) in enumerate(((5.2 * HOUR_S, 2), (0.0, 1)), start=3):
        land(day(session, on), of("strava", 1, start_s=began(1) + moved_s))
        compaction.compact(session)
        assert len(ids(session)) == count
        assert set(before) <= set(ids(session))
        compaction.compact(session, rebuild=True, verify=True)
    assert ids(session) == before


def test_deleted_uploaded_anew_and_back_again(tmp_path: Path) -> None:
    """A new upload takes the place of a deleted one; if that comes back, the new one is a doubt."""
    session = make_session(tmp_path)
    old = of("strava", 1, external_id=f"garmin_ping_{service_id('garmin', 1)}")
    new = named(of("strava", 1), "14900000001")
    landings = ((1, old, None), (2, of("garmin", 1), None), (3, new, old), (4, old, None))
    found = []
    for on, row, removed in landings:
        if removed:
            land(day(session, on), *gone(on, removed).rows, entity="activity_tombstones")
        land(day(session, on), *listed(on, row).rows)
        compaction.compact(session)
        found.append((ids(session), query(session, "select count(*) from duplicate_candidates")))
    first = service_id("strava", 1)
    assert found == [([first], [(0,)])] * 3 + [([first, 14_900_000_001], [(1,)])]
    compaction.compact(session, rebuild=True, verify=True)


def triathlon() -> tuple[list[Row], list[Row]]:
    """Return a watch's file with its legs, and the three activities that Strava makes of it."""
    sha = str(file_row(1)["file_sha256"])
    whole = file_row(1, "me", sport_type="Workout", leg_count=3, **lengths(9_000.0, 51_500.0))
    file, alone = [whole], []
    at_s = began(1)
    parts = (("Swim", 1_800.0, 1_500.0), ("Ride", 4_300.0, 40_000.0), ("Run", 2_700.0, 10_000.0))
    for index, (sport, seconds, metres) in enumerate(parts, start=1):
        told: Row = {"sport_type": sport, "start_s": at_s, **lengths(seconds, metres)}
        leg = file_row(1, "me", leg_index=index, **told)
        leg |= {"source_id": f"{sha}/{index}", "parent_record_id": whole["record_id"]}
        file.append(leg | {"record_id": record_id("me", "files", f"{sha}/{index}")})
        alone.append(named(of("strava", 1, **told), f"{14_500_000_000 + index}"))
        at_s += seconds + 100
    return file, alone


@pytest.mark.parametrize("apart", ["", "strava", "files"])
def test_legs_that_strava_has_one_by_one_are_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart: str
) -> None:
    """A triathlon is one outing and three legs, whichever source may not be combined."""
    monkeypatch.setenv("TRACKLAKE_KEPT_APART", apart)
    session = make_session(tmp_path)
    file, alone = triathlon()
    land(day(session, 1), *file)
    land(day(session, 2), *alone)
    compaction.compact(session)
    assert query(
        session,
        "select sport_type, activity_count, distance from weekly_totals order by sport_type",
    ) == [("All", 1, 51_500.0), ("Ride", 1, 40_000.0), ("Run", 1, 10_000.0), ("Swim", 1, 1_500.0)]
    named_by = query(session, "select distinct name from activities where leg_index > 0")
    assert named_by == ([(None,)] if apart == "strava" else [("strava 1",)])
    assert query(session, "select * from duplicate_candidates") == []
    compaction.compact(session, rebuild=True, verify=True)


def test_intervals_of_a_source_that_is_kept_apart_stay_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are shown where no other source has the activity, and nowhere else."""
    monkeypatch.setenv("TRACKLAKE_KEPT_APART", "intervals")
    session = make_session(tmp_path)
    shared, own = of("intervals", 1), of("intervals", 9)
    land(session, of("garmin", 1), shared, own)
    told = [
        {key: row[key] for key in ("source", "athlete", "source_id", "record_id")}
        | {"wanted_hash": "x", "outcome": "done", "intervals": [{"interval_index": 1}]}
        for row in (shared, own)
    ]
    land(session, *told, entity="activity_intervals")
    compaction.compact(session)
    assert query(session, "select activity_id from activity_intervals") == [(own["record_id"],)]
    monkeypatch.setenv("TRACKLAKE_KEPT_APART", "")
    together = make_session(tmp_path)
    compaction.compact(together)
    assert query(together, "select count(*) from activity_intervals") == [(2,)]


def test_a_clock_that_stands_still_is_no_outing_in_common(tmp_path: Path) -> None:
    """Of a device that begins all in one minute each is by itself, until they are few again."""
    session = make_session(tmp_path)
    midnight_s = dt.datetime(2000, 1, 1, tzinfo=dt.UTC).timestamp()
    rows = [
        named(of("garmin", 1, start_s=midnight_s + at % 9), f"{18_700_000_000 + at}")
        for at in range(31)
    ]
    strava = of("strava", 1, start_s=midnight_s + 3)
    land(day(session, 1), *rows[:30], strava)
    compaction.compact(session)
    assert len(ids(session)) == 30
    land(day(session, 2), rows[30])
    compaction.compact(session)
    assert len(ids(session)) == 32
    assert query(session, "select * from duplicate_candidates") == []
    land(day(session, 3), {**rows[30], "start_s": midnight_s + 30 * DAY_S})
    compaction.compact(session)
    assert len(ids(session)) == 31
    compaction.compact(session, rebuild=True, verify=True)
