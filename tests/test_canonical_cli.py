"""`duplicates`, `merge` and `split` as a person meets them: real processes."""

import json
from pathlib import Path

import pytest

from tests.rows import land, make_session
from tests.service_rows import name_of, service_id, service_row
from tests.test_canonical import day, ids
from tests.test_cli import run
from tests.test_compaction import query, reading
from tracklake import compaction
from tracklake.session import SyncSession

WATCH = service_row("garmin", 1)
BIKE = service_row("garmin", 2, start_s=WATCH["start_s"], distance=5_030.0)


@pytest.fixture
def session(tmp_path: Path) -> SyncSession:
    """Return a place where a watch and a bike computer recorded one outing, and Strava another."""
    made = make_session(tmp_path)
    land(made, WATCH, BIKE)
    land(day(made, 2), service_row("strava", 7))
    land(day(made, 3), service_row("smashrun", 7))
    compaction.compact(made)
    return made


def test_a_doubtful_pair_is_listed_merged_and_remembered(
    tmp_path: Path, session: SyncSession
) -> None:
    """The list names both sides; merge by id makes one of them, which a rebuild knows."""
    found = json.loads(run(tmp_path, "duplicates", "--json").stdout)
    assert [{one["first"], one["second"]} for one in found] == [{name_of(WATCH), name_of(BIKE)}]
    shown = run(tmp_path, "duplicates").stdout
    assert name_of(WATCH) in shown
    assert "5.03 km" in shown
    assert "1 doubtful pairs" in shown
    pair = (str(found[0]["first_activity_id"]), str(found[0]["second_activity_id"]))
    merged = run(tmp_path, "merge", *pair)
    assert merged.returncode == 0, merged.stderr
    assert len(ids(session)) == 2
    assert run(tmp_path, "duplicates").stdout == "no doubtful pairs\n"
    again = run(tmp_path, "merge", *map(name_of, (WATCH, BIKE)))
    assert (again.returncode, "one activity already" in again.stderr) == (2, True)
    assert run(tmp_path, "compact", "--rebuild", "--verify").returncode == 0
    assert len(ids(session)) == 2


def test_what_was_matched_wrongly_is_split_for_good(tmp_path: Path, session: SyncSession) -> None:
    """An activity of two records is split by its id; merging them again is the later word."""
    done = run(tmp_path, "split", str(service_id("strava", 7)))
    assert done.returncode == 0, done.stderr
    assert len(ids(session)) == 4
    land(day(session, 9), service_row("smashrun", 7, distance=5_007.5))
    assert run(tmp_path, "compact").returncode == 0
    assert len(ids(session)) == 4
    pair = (name_of(service_row("strava", 7)), name_of(service_row("smashrun", 7)))
    assert run(tmp_path, "merge", *pair).returncode == 0
    assert len(ids(session)) == 3
    sources = query(session, f"select sources from activities where id = {service_id('strava', 7)}")  # noqa: S608
    assert sources == [(["smashrun", "strava"],)]


def test_legs_stay_apart(tmp_path: Path, session: SyncSession) -> None:
    """Legs of one outing are not merged, but a leg and what a service has of it are."""
    legs = reading(20, legs=2)
    alone = service_row("strava", 20, sport_type="Ride", distance=900.0)
    land(day(session, 9), *legs, alone)
    compaction.compact(session)
    before = ids(session)
    refused = run(tmp_path, "merge", *map(name_of, legs[1:]))
    assert (refused.returncode, "they stay apart" in refused.stderr) == (2, True)
    done = run(tmp_path, "merge", name_of(legs[1]), name_of(alone))
    assert done.returncode == 0, done.stderr
    assert len(ids(session)) == len(before) - 1


def test_mistakes_are_said_plainly(tmp_path: Path, session: SyncSession) -> None:
    """Unknown names, single records and activities of three are explained, and change nothing."""
    land(day(session, 9), service_row("intervals", 7))
    compaction.compact(session)
    before = ids(session)
    whole = str(service_id("strava", 7))
    for arguments, words in (
        (("split", "12345"), "me has no activity or record 12345"),
        (("merge", whole, "garmin/nothing"), "no activity or record garmin/nothing"),
        (("split", name_of(WATCH)), "nothing to split"),
        (("split", whole), "name the one that is another activity"),
        (("merge", whole, name_of(WATCH), "--athlete", "eve"), "eve has no activity"),
    ):
        done = run(tmp_path, *arguments)
        assert (done.returncode, words in done.stderr) == (2, True), (arguments, done.stderr)
    assert ids(session) == before
    assert run(tmp_path, "split", "intervals/i95000007").returncode == 0
    assert len(ids(session)) == len(before) + 1
