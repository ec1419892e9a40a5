"""Gold of several sources is a function of what they said, not of the order in which it came."""

import datetime as dt
import random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.rows import Row, StandingClock, export_row, file_row, land, make_session, stream_key
from tests.service_rows import name_of, service_id, service_row, stub_row
from tests.test_compaction import gold, query
from tracklake import compaction
from tracklake.session import SyncSession


class Landing(NamedTuple):
    """Rows of one entity that came together, on a day of May."""

    day: int
    entity: str
    rows: tuple[Row, ...]


def _of(row: Row, **more: object) -> Row:
    keys = ("source", "athlete", "source_id", "record_id")
    return {**{key: row[key] for key in keys}, **more}


def gone(day: int, row: Row) -> Landing:
    """Return word that a record is gone."""
    return Landing(day, "activity_tombstones", (_of(row, reason="not_listed"),))


def original(day: int, row: Row, file: Row) -> Landing:
    """Return word that a service's record came from a file."""
    told = _of(row, wanted_hash="x", outcome="done", start_s=0.0, best_efforts=[])
    told |= {"point_count": 0, "has_track": False, "stream_key": stream_key(row, f"{day}")}
    return Landing(day, "activity_streams", ({**told, "file_sha256": file["file_sha256"]},))


def decided(day: int, kind: str, first: Row, second: Row) -> Landing:
    """Return what the athlete said of two records."""
    names = sorted((name_of(first), name_of(second)))
    row: Row = {"source": "athlete", "athlete": "me", "source_id": f"{kind} {day} {names}"}
    row |= {"kind": kind, "first_record": names[0], "second_record": names[1]}
    row |= {"decided_at": dt.datetime(2026, 5, day, 12, tzinfo=dt.UTC)}
    return Landing(day, "match_decisions", (row,))


def listed(day: int, *rows: Row) -> Landing:
    """Return rows of a list."""
    return Landing(day, "activities", rows)


def story() -> list[Landing]:
    """Return what four services, files, an archive and the athlete said, in the order of days."""
    strava = {n: service_row("strava", n) for n in range(1, 9)}
    garmin = {n: service_row("garmin", n, distance=5_020.0 + n) for n in range(1, 9)}
    far = service_row("intervals", 6, start_s=1_650_000_000.0, sport_type="Swim")
    start_s = float(str(strava[4]["start_s"]))
    second_watch = service_row("garmin", 40, start_s=start_s + 20, distance=5_090.0)
    again = service_row("strava", 2, name="Again", external_id="garmin_ping_18000000002")
    again |= {"source_id": "14900000000", "record_id": 4_900_000_000_000_001}
    again |= {"strava_id": 14_900_000_000}
    moved = service_row("garmin", 7, start_s=float(str(garmin[7]["start_s"])) + 90_000.0)
    return [
        listed(1, strava[1], strava[2], strava[3], strava[4]),
        listed(1, garmin[1], garmin[3], garmin[5]),
        listed(2, garmin[2], garmin[4], second_watch),
        listed(2, stub_row(3), stub_row(9)),
        listed(2, file_row(1), file_row(6), export_row(service_id("strava", 2), None)),
        listed(3, *(service_row("intervals", n) for n in (1, 4, 5)), far),
        listed(3, export_row(service_id("strava", 5), 5, start_s=strava[5]["start_s"])),
        listed(3, *(service_row("smashrun", n, start_hidden=n == 1) for n in (1, 2, 3, 5))),
        listed(4, strava[5], strava[6], strava[7], strava[8]),
        listed(4, garmin[7], service_row("smashrun", 7), garmin[8]),
        original(4, far, file_row(6)),
        gone(5, strava[2]),
        listed(5, again),
        decided(5, "split", garmin[3], strava[3]),
        decided(5, "merge", garmin[4], second_watch),
        listed(6, moved, service_row("smashrun", 8, start_s=float(str(moved["start_s"])) - 30)),
        original(6, far, file_row(1)),
        decided(6, "split", file_row(1), garmin[1]),
        listed(7, *(service_row(source, 1, "eve") for source in ("strava", "garmin"))),
        decided(7, "merge", garmin[3], strava[3]),
        gone(7, garmin[8]),
        listed(8, service_row("strava", 1, name="Renamed", distance=4_800.0), garmin[8]),
    ]


def land_landing(session: SyncSession, landing: Landing, chance: random.Random | None) -> None:
    """Land what came on its day, now and then piece by piece, and all of it again."""
    pieces = [landing.rows]
    if chance is not None and chance.random() < 0.5:
        pieces = [(row,) for row in chance.sample(landing.rows, len(landing.rows))]
        pieces += [landing.rows] * (chance.random() < 0.5)
    for rows in pieces:
        clock = StandingClock(dt.datetime(2026, 5, landing.day, 6, tzinfo=dt.UTC))
        land(make_session(session.folders.data.parent, clock), *rows, entity=landing.entity)


def test_order_pieces_and_repetition_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Four services, files and decisions in any order, in any pieces, twice: the same gold."""
    one = make_session(tmp_path_factory.mktemp("one"))
    for landing in story():
        land_landing(one, landing, None)
        compaction.compact(one)
    expected = gold(one)
    found = query(one, "select len(sources) from activities where athlete = 'me' order by id")
    assert sorted(found) == [(n,) for n in (2, 2, 2, 2, 2, 3, 3, 4, 4, 5)]

    @settings(
        max_examples=3,  # of 60 in earnest, by hand
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(st.randoms(use_true_random=False))
    def same(chance: random.Random) -> None:
        other = make_session(tmp_path_factory.mktemp("other"))
        for landing in chance.sample(story(), len(story())) + chance.sample(story(), 3):
            land_landing(other, landing, chance)
            if chance.random() < 0.25:
                compaction.compact(other)
        compaction.compact(other)
        assert gold(other) == expected

    same()
    compaction.compact(one, rebuild=True, verify=True)
