"""Splits of runs: pace, its change, which half was faster."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gold.outings import Gold, Outing, Row, at, opened

MILE_M = 1_609.344


@pytest.fixture(scope="module")
def shared() -> Iterator[Gold]:
    """Give a warehouse whose rows each example replaces."""
    with opened() as found:
        yield found


def split_run(
    gold: Gold,
    *splits: tuple[float | None, float | None],
    sport: str = "Run",
    table: str = "metric",
) -> list[Row]:
    """Enter one run with these splits (m, s in motion), and return what gold says of them."""
    gold.clear()
    gold.add([Outing(1, at("2026-03-01T23:30"), sport, utc_offset_s=3600.0)])
    rows = [
        {"record_id": -1, "split_index": index, "distance_m": distance_m}
        | {"moving_time_seconds": moving_s}
        for index, (distance_m, moving_s) in enumerate(splits, start=1)
    ]
    gold.insert(f"record_splits_{table}", *rows)
    return gold.rows("from run_splits order by unit, split_index")


_SPLITS = st.lists(
    st.tuples(st.integers(1, 1_000).map(float), st.integers(1, 900).map(float)), min_size=2
)


@settings(max_examples=40)
@given(splits=_SPLITS)
def test_halves_are_what_walking_through_the_splits_gives(
    shared: Gold, splits: list[tuple[float, float]]
) -> None:
    """For any splits, the times of both halves are those of going half the way metre by metre."""
    rows = split_run(shared, *splits)
    left = sum(distance for distance, _ in splits) / 2
    first_s = 0.0
    for distance, seconds in splits:
        part = min(distance, left)
        first_s += seconds * part / distance
        left -= part
    both_s = sum(seconds for _, seconds in splits)
    assert len(rows) == len(splits)
    for row in rows:
        assert row["first_half_s"] == pytest.approx(first_s)
        assert row["second_half_s"] == pytest.approx(both_s - first_s)
        if abs(both_s - 2 * first_s) > 1e-6:
            assert row["is_negative_split"] == (both_s - first_s < first_s)
    assert rows[-1]["distance_so_far_m"] == sum(distance for distance, _ in splits)
    assert rows[-1]["moving_time_so_far_s"] == both_s


def test_a_run_that_gets_faster(shared: Gold) -> None:
    """6:00, 5:30, 5:00 and half a kilometre: halves meet within the second, 5:00 is fastest."""
    rows = split_run(shared, (1000.0, 360.0), (1000.0, 330.0), (1000.0, 300.0), (500.0, 120.0))
    assert [row["pace_s_per_km"] for row in rows] == [360.0, 330.0, 300.0, 240.0]
    assert rows[0]["pace_change_s_per_km"] is None
    changes = [row["pace_change_s_per_km"] for row in rows[1:]]
    assert changes == pytest.approx([-30.0, -30.0, -60.0])
    assert rows[0]["pace_s_per_mile"] == pytest.approx(360 * 1.609344)
    assert rows[1]["pace_change_s_per_mile"] == pytest.approx(-30 * 1.609344)
    assert [row["is_whole"] for row in rows] == [True, True, True, False]
    assert [row["is_fastest"] for row in rows] == [False, False, True, False]
    assert {(r["first_half_s"], r["second_half_s"]) for r in rows} == {(607.5, 502.5)}
    assert all(row["is_negative_split"] for row in rows)
    assert {row["day"].isoformat() for row in rows} == {"2026-03-02"}


def test_an_even_run_is_no_negative_split(shared: Gold) -> None:
    """The second half has to be faster, not as fast."""
    rows = split_run(shared, (1000.0, 300.0), (1000.0, 300.0))
    assert [row["is_negative_split"] for row in rows] == [False, False]
    assert [row["is_fastest"] for row in rows] == [True, True]


def test_miles_have_splits_of_their_own(shared: Gold) -> None:
    """Mile by mile the pace for a mile is the time of a whole one."""
    rows = split_run(shared, (MILE_M, 480.0), (MILE_M, 470.0), table="standard")
    assert {row["unit"] for row in rows} == {"miles"}
    assert [row["pace_s_per_mile"] for row in rows] == pytest.approx([480.0, 470.0])
    assert [row["is_whole"] for row in rows] == [True, True]


@pytest.mark.parametrize(
    "splits",
    [
        [(1000.0, 300.0)],
        [(1000.0, None), (1000.0, 300.0)],
        [(None, 300.0), (1000.0, 300.0)],
        [(0.0, 5.0), (1000.0, None)],
    ],
)
def test_what_cannot_be_known_is_not_said(
    shared: Gold, splits: list[tuple[float | None, float | None]]
) -> None:
    """With one split, or a time or distance missing, no half is faster than the other."""
    for row in split_run(shared, *splits):
        assert row["is_negative_split"] is None
        assert row["first_half_s"] is None


def test_a_split_without_length_is_no_error(shared: Gold) -> None:
    """Strava has splits of 0 m now and then: no pace, and the halves are those of the rest."""
    rows = split_run(shared, (1000.0, 310.0), (1000.0, 300.0), (0.0, 0.0))
    assert [row["pace_s_per_km"] for row in rows] == [310.0, 300.0, None]
    assert {row["is_negative_split"] for row in rows} == {True}


def test_rides_are_no_runs(shared: Gold) -> None:
    """Only runs, trails and treadmills are shown; a ride's splits stay where they are."""
    assert split_run(shared, (1000.0, 120.0), sport="Ride") == []
    assert len(split_run(shared, (1000.0, 320.0), sport="TrailRun")) == 1
