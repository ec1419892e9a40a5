"""Models where data are awkward: wrong clocks, sums that round, wholes that have points."""

import datetime as dt
from functools import reduce
from typing import Any

from tests.gold.outings import Outing, at
from tests.gold.outings import opened as opened_days
from tests.gold.training import Lake, opened

NOON = dt.datetime.fromisoformat("2026-03-08T12:00")


def test_a_clock_that_is_years_ahead_makes_no_years_of_training_load() -> None:
    """Days end with today, or with tomorrow if something is there; what is later is not shown."""
    with opened() as lake:
        lake.activity(1, NOON, moving_time=3600)
        lake.activity(2, NOON + dt.timedelta(days=1), moving_time=1800)
        lake.activity(3, NOON + dt.timedelta(days=20_000), moving_time=1800)
        lake.activity(4, NOON + dt.timedelta(days=90), athlete="ahead", moving_time=1800)
        lake.let_today_be(NOON.date())
        found = lake.rows("select athlete, day, load from training_load order by all")
    assert [(row["athlete"], row["day"].day, row["load"]) for row in found] == [
        ("me", 8, 60),
        ("me", 9, 30),
    ]


def test_the_points_of_a_whole_do_not_count_beside_those_of_its_legs() -> None:
    """A service may give points to the whole outing too: zones, curves and tiles take the legs."""
    with opened() as lake:
        enter_with_points(lake, 1, sport_type="Ride", leg_count=1)
        enter_with_points(lake, 2, sport_type="Ride", leg_index=1, parent_id=1)
        lake.let_today_be(NOON.date())
        assert ids(lake, "heartrate_zones") == ids(lake, "power_zones") == [2]
        assert ids(lake, "power_curve") == [2] * 2
        [tile] = lake.rows("from explorer_tiles")
    assert (tile["activity_count"], tile["first_activity_id"]) == (1, 2)


def enter_with_points(lake: Lake, number: int, **fields: object) -> None:
    """Enter an outing whose points say all that models read."""
    lake.activity(number, NOON, max_heartrate=180, **fields)
    facts: dict[str, Any] = {"heartrate_bpm": [150], "heartrate_time_s": [60.0]}
    facts |= {"power_w": [200], "power_time_s": [60.0], "best_2h_w": 150.0}
    lake.insert("stream_facts", {"stream_key": number * 10} | facts)
    lake.insert("track_tiles", {"track_key": number * 10 + 1, "tile_x": 1, "tile_y": 1})
    lake.effort(number, name="20min", duration_s=1200, average_watts=200 + 1 / number)


def ids(lake: Lake, view: str) -> list[int]:
    """Return which activities a view names."""
    return [row["activity_id"] for row in lake.rows(f"from {view}")]


def test_two_weeks_of_the_same_distances_in_another_order_are_one_record() -> None:
    """0.1 + 0.2 + 0.3 is another number than 0.3 + 0.2 + 0.1, but not another distance."""
    one = [100.1, 200.2, 300.3]
    other = one[::-1]
    assert reduce(float.__add__, one) != reduce(float.__add__, other)  # sum() of 3.12 corrects it
    weeks = (at("2026-03-02"), at("2026-03-09"))
    with opened_days() as gold:
        for athlete, order in (("me", (one, other)), ("you", (other, one))):
            gold.add(
                [
                    Outing(
                        len(athlete) * 100 + week.day * 10 + n,
                        week,
                        athlete=athlete,
                        distance=metres,
                    )
                    for week, distances in zip(weeks, order, strict=True)
                    for n, metres in enumerate(distances)
                ]
            )
        gold.let_today_be(dt.date(2026, 3, 20))
        found = gold.rows(
            "select athlete, day, value from personal_record_history "
            "where record = 'biggest_week' and sport_family = 'run' order by athlete"
        )
    assert found == [
        {"athlete": athlete, "day": dt.date(2026, 3, 2), "value": 600.6}
        for athlete in ("me", "you")
    ]


def test_an_even_run_is_no_negative_split() -> None:
    """The same pace all along, in splits whose halves do not add up exactly."""
    pace_s_per_m = 0.3
    lengths_m = [1000.1, 1000.2, 1000.3, 333.7]
    with opened_days() as gold:
        gold.add([Outing(1, at("2026-03-02"))])
        splits = [
            {
                "record_id": -1,
                "split_index": index,
                "distance_m": metres,
                "moving_time_seconds": metres * pace_s_per_m * (1 - 1e-15 * index),
            }
            for index, metres in enumerate(lengths_m, start=1)
        ]
        gold.insert("record_splits_metric", *splits)
        found = gold.rows("select distinct is_negative_split from run_splits")
        assert found == [{"is_negative_split": False}]
        gold.connection.execute(
            "update record_splits_metric set moving_time_seconds = moving_time_seconds - 1 "
            "where split_index = 4"
        )
        found = gold.rows("select distinct is_negative_split from run_splits")
    assert found == [{"is_negative_split": True}]
