"""The index of upstream records: a function of bronze's shards, however they come."""

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracklake import bronze, rollup
from tracklake.state import State
from tracklake.upstream_index import UpstreamIndex, Wanted

START = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)
Event = tuple[str, list[str], str]  # entity, ids, version


@pytest.fixture
def index(tmp_path: Path) -> Iterator[UpstreamIndex]:
    """Return an empty index over an empty bronze."""
    state = State(tmp_path / "state")
    yield UpstreamIndex(state, tmp_path / "bronze", "me", "strava")
    state.close()


def at(number: int) -> dt.datetime:
    """Return when event `number` lands."""
    return START + dt.timedelta(hours=number)


def land(
    root: Path, number: int, entity: str, ids: list[str], version: str = "a", **more: object
) -> Path:
    """Land one shard at hour `number`."""
    rows: list[dict[str, object]] = [
        {
            "source": "strava",
            "athlete": "me",
            "source_id": one,
            "record_id": int(one),
            "start_s": 1_000.0 * int(one),
            "sport_type": "Run",
            "gear_id": f"g{version}",
            "content_hash": f"content {version} {number}",
            "facts_hash": f"facts {version}",
            "track_hash": "" if one == "1" else f"track {version}",
            "reason": "not_listed",
            "wanted_hash": f"facts {version}",
            "outcome": "done",
            "point_count": 0,
            "has_track": False,
            **more,
        }
        for one in ids
    ]
    path = bronze.land_shard(root, entity, rows, ingested_at=at(number))
    assert path is not None
    return path


def said(index: UpstreamIndex) -> list[list[tuple[object, ...]]]:
    """Return everything the index holds, but for which shards it was made from."""
    return [
        index.state.execute(f"select * from {table} order by 1, 2, 3, 4")  # noqa: S608
        for table in ("upstream_records", "upstream_facts")
    ]


IDS = st.lists(st.sampled_from("12345"), min_size=1, max_size=4, unique=True)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(("activities", "activities", "activity_tombstones", "activity_details")),
        IDS,
        st.sampled_from("abc"),
    ),
    min_size=1,
    max_size=10,
)


def sane(events: list[Event]) -> list[Event]:
    """Leave out tombstones and details of records that never landed: nobody makes them."""
    known: set[str] = set()
    kept = []
    for entity, ids, version in events:
        if entity == "activities":
            known |= set(ids)
        ids = [one for one in ids if one in known]
        if ids:
            kept.append((entity, ids, version))
    return kept


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, seed=st.integers(0, 99))
def test_a_function_of_bronze(
    tmp_path_factory: pytest.TempPathFactory, events: list[Event], seed: int
) -> None:
    """Shard by shard, all at once, in any order, rolled up: the index says the same."""
    folder = tmp_path_factory.mktemp("index")
    root = folder / "bronze"
    state = State(folder / "state")
    try:
        index = UpstreamIndex(state, root, "me", "strava")
        paths = []
        for number, (entity, ids, version) in enumerate(sane(events)):
            paths.append((entity, land(root, number, entity, ids, version)))
            index.sync()
        step_by_step = said(index)
        assert step_by_step[0] == expected(sane(events))
        index.forget()
        assert said(index) == [[], []]
        index.sync()
        assert said(index) == step_by_step
        index.forget()
        random.Random(seed).shuffle(paths)  # noqa: S311 repeatable on purpose
        for entity, path in sorted(paths, key=lambda pair: pair[0] == "activity_tombstones"):
            index.take(entity, path)
        assert said(index) == step_by_step
        roll_up(root)
        index.sync()
        assert said(index) == step_by_step
    finally:
        state.close()


def expected(events: list[Event]) -> list[tuple[object, ...]]:
    """Say what upstream_records should hold: the newest landing, and a tombstone after it."""
    rows: dict[str, tuple[object, ...]] = {}
    for number, (entity, ids, version) in enumerate(events):
        stamp = bronze.stamp(at(number))
        for one in ids:
            if entity == "activities":
                track = "" if one == "1" else f"track {version}"
                hashes = (f"content {version} {number}", f"facts {version}", track, f"g{version}")
                rows[one] = ("me", "strava", one, 1_000.0 * int(one), "Run", *hashes, stamp, None)
            elif entity == "activity_tombstones":
                rows[one] = (*rows[one][:-1], stamp)
    return [rows[one] for one in sorted(rows)]


def roll_up(root: Path) -> None:
    """Put the shards of the year together, as compaction does when it is over."""
    for entity in ("activities", "activity_tombstones", "activity_details"):
        found = bronze.shard_paths(root, entity)
        for folder, shards in rollup.closed_shards(found, 2026).items():
            rollup.roll_up_shards(folder, shards)


def test_what_is_known(index: UpstreamIndex) -> None:
    """A record that is gone counts as unknown, so that its return is landed again."""
    land(index.root, 0, "activities", ["1", "2", "3"])
    land(index.root, 1, "activity_tombstones", ["2"])
    index.sync()
    assert index.known(["1", "2", "3", "4"]) == {"1": "content a 0", "3": "content a 0"}
    assert index.present() == {"1", "3"}
    assert index.newest_start_s() == 3_000.0
    land(index.root, 2, "activities", ["2"], "b")
    index.sync()
    assert index.known(["2"]) == {"2": "content b 2"}


def test_thousands_at_once(index: UpstreamIndex) -> None:
    """More ids than one query takes are asked for in parts."""
    ids = [f"{number}" for number in range(1, 1_702)]
    land(index.root, 0, "activities", ids)
    index.sync()
    assert index.known(ids).keys() == set(ids)
    assert index.known([]) == {}


def test_other_athletes_and_sources_are_apart(index: UpstreamIndex) -> None:
    """An index holds one athlete's records of one source, and forgets only these."""
    land(index.root, 0, "activities", ["1"])
    land(index.root, 1, "activities", ["2"], athlete="ana")
    land(index.root, 2, "activities", ["3"], source="files")
    hers = UpstreamIndex(index.state, index.root, "ana", "strava")
    for one in (index, hers):
        one.sync()
    assert (index.present(), hers.present()) == ({"1"}, {"2"})
    index.forget()
    assert (index.present(), hers.present()) == (set(), {"2"})


def test_what_is_wanted(index: UpstreamIndex) -> None:
    """What was never fetched, or for another version, is wanted, newest first, and no more."""
    land(index.root, 0, "activities", ["1", "2", "3", "4"])
    land(index.root, 1, "activity_details", ["2", "3"], "a")
    land(index.root, 2, "activities", ["3"], "b")
    land(index.root, 3, "activity_tombstones", ["4"])
    index.sync()
    wanted = index.wanted("activity_details", "facts_hash")
    assert wanted == [
        Wanted("3", 3_000.0, "Run", "facts b"),
        Wanted("1", 1_000.0, "Run", "facts a"),
    ]
    again = index.wanted("activity_details", "facts_hash", all_efforts=True)
    assert [one.source_id for one in again] == ["3", "2", "1"]
    tracks = index.wanted("activity_streams", "track_hash")
    assert [one.source_id for one in tracks] == ["3", "2"]  # 1 was entered by hand


def test_an_older_fetch_that_is_read_later_changes_nothing(index: UpstreamIndex) -> None:
    """Of two fetches about one record the later one counts, whichever shard is read first."""
    land(index.root, 0, "activities", ["1"], "b")
    newer = land(index.root, 2, "activity_details", ["1"], "b")
    older = land(index.root, 1, "activity_details", ["1"], "a")
    index.sync()
    for path in (newer, older):
        index.take("activity_details", path)
    assert index.wanted("activity_details", "facts_hash") == []


def test_wanted_gear(index: UpstreamIndex) -> None:
    """Gear that a record names and nobody asked about is wanted once, however many name it."""
    land(index.root, 0, "activities", ["1", "2"], "a")
    land(index.root, 1, "activities", ["3"], "b")
    index.sync()
    assert index.wanted_gear() == ["ga", "gb"]


def test_versions(index: UpstreamIndex) -> None:
    """An unknown record has no version, nor one that changed since a fetch for it began."""
    land(index.root, 4, "activities", ["1"])
    index.sync()
    assert index.version("9", "facts_hash") == Wanted("9", 0.0, "", "")
    assert index.version("1", "facts_hash").wanted_hash == "facts a"
    assert index.version("1", "facts_hash", at(5)).wanted_hash == "facts a"
    assert index.version("1", "facts_hash", at(3)).wanted_hash == ""


def test_moments_only_go_forward(index: UpstreamIndex) -> None:
    """Whatever the clock says, what lands next is stamped after all that landed."""
    assert index.moment_after(at(0)) == at(0)
    land(index.root, 5, "activities", ["1"])
    land(index.root, 7, "activity_tombstones", ["1"])
    index.sync()
    microsecond = dt.timedelta(microseconds=1)
    assert index.moment_after(at(8)) == at(8)
    assert index.moment_after(at(7)) == at(7) + microsecond
    assert index.moment_after(at(-9_000)) == at(7) + microsecond
