"""Gold is a function of what Strava and files said, not of the order in which it came."""

import datetime as dt
import random
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.rows import Row, StandingClock, export_row, file_row, land, make_session, stream_key
from tests.test_compaction import gold, query
from tests.upstream.account import Account
from tests.upstream.clock import MovableClock
from tracklake import compaction, streams
from tracklake.model import Outline
from tracklake.session import SyncSession
from tracklake.strava import facts, records, stream_sets


class Landing(NamedTuple):
    """Rows of one entity that came together, on a day of May."""

    day: int
    entity: str
    rows: tuple[Row, ...]


class Told:
    """Rows as the source makes them of what the simulator's account says at the time."""

    def __init__(self) -> None:
        self.account = Account(MovableClock(dt.datetime(2026, 4, 30, 6, tzinfo=dt.UTC)), points=40)
        self.ids = self.account.fill(5, manual=False, gps=True)
        self.outlines: list[tuple[int, Outline]] = []

    def listed(self, *numbers: int, athlete: str = "me") -> tuple[Row, ...]:
        """Return rows of the list."""
        truths = [self.account.truth(self.ids[number]) for number in numbers]
        return tuple(records.listed(truth, athlete).row for truth in truths)

    def detailed(self, *numbers: int, athlete: str = "me") -> tuple[Row, ...]:
        """Return rows of details."""
        told = [self.account.detail(self.ids[number], all_efforts=True) for number in numbers]
        rows = [facts.detail(one, athlete, all_efforts=True) for one in told]
        return tuple({**row, "wanted_hash": "x"} for row in rows)

    def recorded(self, *numbers: int, day: int) -> tuple[Row, ...]:
        """Return rows of streams; their points are in `outlines`."""
        rows = []
        for number in numbers:
            one = self.ids[number]
            row: Row = {**facts.nothing("me", str(one), "done"), "wanted_hash": "x"}
            start_s = self.account.items[one].start.timestamp()
            outline = stream_sets.decode(self.account.streams(one), start_s).outline("Run", start_s)
            key = stream_key(row, f"day {day}")
            self.outlines.append((key, outline))
            row |= {"stream_key": key, "start_s": start_s, "has_track": bool(outline.track)}
            row |= {"point_count": len(outline.points), "content_hash": f"{day}"}
            rows.append(row)
        return tuple(rows)

    def without(self, outcome: str, *numbers: int) -> tuple[Row, ...]:
        """Return what is known when the service has nothing of a kind."""
        rows = [facts.nothing("me", str(self.ids[number]), outcome) for number in numbers]
        none = {"wanted_hash": "x", "start_s": 0.0, "point_count": 0, "has_track": False}
        return tuple({**row, **none} for row in rows)

    def gone(self, *numbers: int) -> tuple[Row, ...]:
        """Return tombstones."""
        rows = [facts.nothing("me", str(self.ids[number]), "gone") for number in numbers]
        return tuple({**row, "reason": "not_listed"} for row in rows)


def story() -> tuple[list[Landing], list[tuple[int, Outline]]]:
    """Return what landed about five activities, in the order of the days, and the points."""
    told = Told()
    edit, ids = told.account.edit, told.ids
    came = [
        Landing(1, "activities", told.listed(0, 1, 2, 3, 4)),
        Landing(2, "activity_details", told.detailed(0, 1, 2)),
        Landing(2, "activity_streams", told.recorded(0, 1, 2, day=2)),
        Landing(2, "activities", (export_row(ids[3], 3), export_row(ids[4], None))),
        Landing(3, "activities", (file_row(3),)),
        Landing(3, "activity_details", told.detailed(3, 4)),
        Landing(3, "activity_streams", told.recorded(3, day=3)),
        Landing(3, "activity_tombstones", told.gone(1, 3, 4)),
        Landing(3, "gear", (facts.gear({"id": "b1", "name": "Old"}, "me"),)),
    ]
    edit(ids[0], name="Renamed", kudos=9)
    edit(ids[1], name="Back again")
    edit(ids[2], distance=2_300.0, moving_time=700, elapsed_time=720, points=20)
    came += [
        Landing(4, "activities", told.listed(0, 1, 2)),
        Landing(4, "gear", (facts.gear({"id": "b1", "name": "New"}, "me"),)),
        Landing(5, "activity_details", told.detailed(0, 2)),
        Landing(5, "activity_streams", told.recorded(2, day=5)),
        Landing(6, "activity_details", told.without("none", 0)),
        Landing(6, "activity_streams", told.without("none", 1)),
        Landing(6, "activity_tombstones", told.gone(0)),
    ]
    edit(ids[0], name="Returned", laps=[])
    edit(ids[3], name="Returned with its file")
    came += [
        Landing(7, "activities", told.listed(0, 3)),
        Landing(7, "activities", told.listed(2, athlete="eve")),
        Landing(8, "activity_details", told.detailed(0)),
        Landing(8, "activity_details", told.detailed(2, athlete="eve")),
        Landing(8, "activities", (file_row(3, distance=4_400.0, laps=[]),)),
    ]
    return came, told.outlines


def land_landing(session: SyncSession, landing: Landing, chance: random.Random | None) -> None:
    """Land what came on its day, now and then piece by piece, and all of it again."""
    clock = StandingClock(dt.datetime(2026, 5, landing.day, 6, tzinfo=dt.UTC))
    place = make_session(session.folders.data.parent, clock)
    moment = clock.moment
    pieces = [landing.rows]
    if chance is not None and chance.random() < 0.5:
        pieces = [(row,) for row in chance.sample(landing.rows, len(landing.rows))]
        pieces += [landing.rows] * (chance.random() < 0.5)
    for rows in pieces:
        clock.moment = moment  # they are of one run, whichever shards they lie in
        land(place, *rows, entity=landing.entity)


def test_order_pieces_and_repetition_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Lists, details, points, tombstones, files in any order, in any pieces, twice: the same."""
    one = make_session(tmp_path_factory.mktemp("one"))
    came, outlines = story()
    streams.write_part(one.folders.streams, one.folders.tracks, "20260501", outlines)
    for number, landing in enumerate(came):
        land_landing(one, landing, None)
        if number % 5 == 0 or number == len(came) - 1:
            compaction.compact(one)
    expected = gold(one)
    rows = query(one, "select name, sources from activities where athlete = 'me' order by name")
    assert [(name, sources) for name, sources in rows][:1] == [("Back again", ["strava"])]
    assert ("Returned with its file", ["files", "strava"]) in rows
    assert len(rows) == 4

    @settings(
        max_examples=2,  # of 40 in earnest, by hand
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def same(chance: random.Random) -> None:
        other = make_session(tmp_path_factory.mktemp("other"))
        streams.write_part(other.folders.streams, other.folders.tracks, "20260501", outlines)
        for landing in chance.sample(came, len(came)) + chance.sample(came, 3):
            land_landing(other, landing, chance)
            if chance.random() < 0.15:
                compaction.compact(other)
        compaction.compact(other, rebuild=True, verify=True)
        assert gold(other) == expected

    same()
