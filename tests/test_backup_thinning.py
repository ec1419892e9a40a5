"""Old backups: which stay, and that nothing that one of them needs is ever removed."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_backup import LATER, Lake, grown
from tracklake.backup import catalogue, retention, thinning
from tracklake.errors import InvalidData

DAY = dt.timedelta(days=1)


def name(moment: dt.datetime) -> str:
    """Return the name of a backup made then."""
    return f"{moment:%Y%m%dT%H%M%S.%fZ}-{'0' * 12}"


def test_daily_backups_of_four_years() -> None:
    """30 days, then a week each for a year, then a month each until three years ago."""
    made = [name(LATER - number * DAY) for number in range(4 * 365)]
    kept = sorted(retention.kept(made, LATER), reverse=True)
    assert kept[:30] == made[:30]
    ages = [(LATER - retention.stamped(one)) // DAY for one in kept]
    weekly = [age for age in ages if 30 < age <= retention.WEEKLY_DAYS]
    monthly = [age for age in ages if age > retention.WEEKLY_DAYS]
    assert 47 <= len(weekly) <= 49
    assert 23 <= len(monthly) <= 26
    assert max(b - a for a, b in itertools.pairwise(ages)) <= 31
    assert ages[-1] <= retention.MONTHLY_DAYS


@given(
    st.lists(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2029, 12, 31)), max_size=80),  # noqa: DTZ001 made aware below
    st.integers(0, 400),
)
def test_thinning_again_changes_nothing(moments: list[dt.datetime], later_days: int) -> None:
    """What is kept stays kept if it is asked again; the newest 30 and the newest are always kept.

    Thinned step by step, a period never loses its only backup.
    """
    made = sorted({name(moment.replace(tzinfo=dt.UTC)) for moment in moments})
    kept = retention.kept(made, LATER)
    assert retention.kept(kept, LATER) == kept
    assert set(made[-30:]) <= kept
    afterwards = LATER + later_days * DAY
    assert retention.kept(kept, afterwards) <= kept


def test_a_year_of_backups(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Over 100 days every kept backup is whole all the time, and what none names is removed."""
    lake = grown(tmp_path_factory.mktemp("year"), 1)
    for day in range(100):
        lake.put(lake.folders.bronze / "changing.bin", f"{day}".encode())
        assert lake.create().warnings == []
        if day % 9 == 0:
            assert lake.damage(full=False) == []
        lake.clock.moment += DAY
    assert lake.damage() == []
    named = {
        piece.object_name
        for one in lake.names()
        for _, piece in catalogue.read(lake.store, one).pieces()
    }
    left = {item.name for item in lake.store.items("objects")} - named
    assert len(lake.names()) < 45
    assert len(left) < 8 * 4  # of the last week: the changing file, the state
    assert len(list(lake.store.items("retired"))) <= 8


def test_who_reads_a_thinned_backup_still_finds_it(lake_of_40: Lake) -> None:
    """For a day after it was retired all objects of a backup are there."""
    lake = lake_of_40
    victim = lake.names()[1]
    reading = catalogue.read(lake.store, victim)
    lake.clock.moment += 30 * DAY
    lake.create()
    assert victim not in lake.names()
    lake.clock.moment += dt.timedelta(hours=23)
    lake.create()
    there = {item.name for item in lake.store.items("objects")}
    assert {piece.object_name for _, piece in reading.pieces()} <= there
    lake.clock.moment += 8 * DAY
    lake.create()
    there = {item.name for item in lake.store.items("objects")}
    assert not {piece.object_name for _, piece in reading.pieces()} <= there


def test_with_a_damaged_manifest_nothing_is_removed(lake_of_40: Lake) -> None:
    """What a damaged manifest names is not known, so no object is removed; that is said."""
    lake = lake_of_40
    victim = lake.names()[-2]
    lake.store.put({catalogue.file_name(victim): b"damaged"})
    lake.clock.moment += 30 * DAY
    lake.create()
    before = {item.name for item in lake.store.items("objects")}
    lake.clock.moment += 8 * DAY
    [said] = lake.create().warnings
    assert victim in said
    assert before <= {item.name for item in lake.store.items("objects")}
    with pytest.raises(InvalidData, match=victim):
        catalogue.read(lake.store, victim)


def test_a_leftover_of_a_killed_backup_is_removed(lake_of_40: Lake) -> None:
    """An object that no manifest names goes with the next weekly sweep, a young one does not."""
    lake = lake_of_40
    litter = f"objects/00/{'0' * 64}"
    lake.store.put({litter: b"litter"})
    lake.clock.moment += 30 * DAY
    lake.create()
    lake.clock.moment += 8 * DAY
    lake.create()
    assert lake.store.get([litter]) == [None]
    assert thinning.thin(lake.store, lake.clock.now()) == (0, [])


@pytest.fixture
def lake_of_40(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return a place with 40 daily backups."""
    lake = Lake(tmp_path_factory.mktemp("forty"))
    for day in range(40):
        lake.put(lake.folders.bronze / "changing.bin", f"{day}".encode())
        lake.create()
        lake.clock.moment += DAY
    return lake
