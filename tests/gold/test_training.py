"""Load, fitness and zones: worked examples, and a slow model of each beside them."""

import datetime as dt
import random
from collections.abc import Iterator

import pytest

from tests.gold.training import HOURLY, Lake, Row, opened, slow_load, slow_training, slow_trimp

NOON = dt.datetime.fromisoformat("2026-03-01T12:00")
OWN: Row = {
    "athlete": "me",
    "max_heartrate_bpm": 190.0,
    "resting_heartrate_bpm": 50.0,
    "ftp_w": 250.0,
    "sex": None,
}


@pytest.fixture
def lake() -> Iterator[Lake]:
    """Give an empty lake on a day in March 2026."""
    with opened() as found:
        found.let_today_be(dt.date(2026, 3, 10))
        yield found


def load_of(lake: Lake, number: int) -> Row:
    """Return the row of activity_load."""
    [row] = lake.rows("from activity_load where activity_id = ?", number)
    return row


def test_an_hour_at_threshold_is_a_hundred_points(lake: Lake) -> None:
    """By power at FTP, and by heart rate at 85 % of the reserve; that is what 100 means."""
    lake.insert("athlete_settings", OWN)
    lake.activity(1, NOON, sport_type="Ride", moving_time=3600, weighted_average_watts=250)
    lake.activity(2, NOON, moving_time=3600, average_heartrate=50 + 0.85 * 140)
    ride, run = load_of(lake, 1), load_of(lake, 2)
    assert (ride["load_method"], run["load_method"]) == ("power", "heartrate")
    assert ride["load"] == ride["tss"] == pytest.approx(100)
    assert run["load"] == pytest.approx(100)
    # 60 × 0.85 × 0.64 × e^(1.92 × 0.85), by hand.
    assert run["trimp"] == pytest.approx(166.92, abs=0.01)


def test_without_thresholds_relative_effort_counts_and_else_time(lake: Lake) -> None:
    """A run of half an hour is 30 points, a swim of one 55, unless Strava says how hard it was."""
    lake.activity(1, NOON, moving_time=1800, average_heartrate=150)
    lake.activity(2, NOON, sport_type="Swim", moving_time=3600)
    lake.activity(3, NOON, moving_time=1800, suffer_score=47)
    lake.activity(4, NOON, sport_type="Fencing", moving_time=3600)
    lake.activity(5, NOON, moving_time=None, elapsed_time=None)
    assert [load_of(lake, n)["load"] for n in range(1, 6)] == [30, 55, 47, 30, 0]


def test_estimated_power_and_power_on_foot_do_not_count(lake: Lake) -> None:
    """FTP is that of a bike with a power meter."""
    lake.insert("athlete_settings", {"athlete": "me", "ftp_w": 250.0})
    power = {"moving_time": 3600, "weighted_average_watts": 250}
    lake.activity(1, NOON, sport_type="Ride", device_watts=False, **power)
    lake.activity(2, NOON, sport_type="Run", **power)
    assert [load_of(lake, n)["load_method"] for n in (1, 2)] == ["time", "time"]
    assert load_of(lake, 1)["tss"] is None


def test_a_triathlon_counts_its_legs(lake: Lake) -> None:
    """The whole has no load of its own, so nothing counts twice."""
    lake.activity(1, NOON, sport_type="Multisport", moving_time=7200, leg_count=2)
    lake.activity(2, NOON, sport_type="Swim", moving_time=3600, leg_index=1)
    lake.activity(3, NOON, sport_type="Run", moving_time=3600, leg_index=2)
    [day] = lake.rows("from training_load where day = date '2026-03-01'")
    assert (day["load"], day["activity_count"]) == (115, 2)


def test_midnight_of_the_athletes_own_clock_divides_the_days(lake: Lake) -> None:
    """A run at 23:30 in Auckland belongs to that day, though it was still noon in UTC."""
    late = dt.datetime.fromisoformat("2026-03-08T23:30")
    lake.activity(1, late, moving_time=3600)
    lake.connection.execute(
        "update activities set start_date = timestamptz '2026-03-08 10:30:00+00'"
    )
    assert load_of(lake, 1)["day"] == dt.date(2026, 3, 8)
    days = lake.rows("from training_load order by day")
    assert [row["day"].day for row in days] == [8, 9, 10]
    assert [row["load"] for row in days] == [60, 0, 0]


def test_one_workout_fades_as_the_formulas_say(lake: Lake) -> None:
    """100 points make 2.353 of fitness and 13.31 of fatigue; form follows a day later."""
    lake.activity(1, NOON, moving_time=6000)
    first, second, *_ = lake.rows("from training_load order by day")
    assert (first["ctl"], first["atl"], first["tsb"]) == pytest.approx(
        (2.35283, 13.31221, 0), abs=1e-5
    )
    assert second["ctl"] == pytest.approx(2.35283 * 0.976472, abs=1e-4)
    assert second["tsb"] == pytest.approx(first["ctl"] - first["atl"])


@pytest.mark.parametrize("seed", range(5))
def test_training_load_is_what_going_day_by_day_gives(seed: int) -> None:
    """Twenty years, with gaps of years, two athletes and settings of one: equal to 1e-9 of it."""
    chance = random.Random(seed)  # noqa: S311
    with opened() as lake:
        owns = {"me": OWN | {"sex": chance.choice(["f", "m", None])}, "anna": {}}
        lake.insert("athlete_settings", owns["me"])
        loads: dict[str, list[tuple[dt.date, float]]] = {"me": [], "anna": []}
        expected: dict[int, tuple[float, str]] = {}
        for number in range(1, 200):
            athlete = chance.choice(["me", "anna"])
            activity, facts = made_up(chance, number, athlete)
            lake.activity(number, **activity)
            if facts is not None:
                lake.insert("stream_facts", facts)
            expected[number] = slow_load(activity, facts, owns[athlete])
            loads[athlete].append((activity["local"].date(), expected[number][0]))
        for row in lake.rows("from activity_load"):
            load, method = expected.pop(row["activity_id"])
            assert (row["load"], row["load_method"]) == (pytest.approx(load), method)
        assert expected == {}
        today = dt.date(2026, 3, 1)
        lake.let_today_be(today)
        for athlete, its in loads.items():
            found = lake.rows("from training_load where athlete = ? order by day", athlete)
            expected_days = slow_training(its, today)
            assert [row["day"] for row in found] == [day for day, *_ in expected_days]
            for row, (_, *numbers) in zip(found, expected_days, strict=True):
                told = [row["load"], row["ctl"], row["atl"], row["tsb"]]
                assert told == pytest.approx(numbers, rel=1e-9, abs=1e-9)


def made_up(chance: random.Random, number: int, athlete: str) -> tuple[Row, Row | None]:
    """Return an activity of the last twenty years and, of some, what its points say."""

    def perhaps(value: float) -> float | None:
        return value if chance.random() < 0.6 else None

    days = chance.choice([chance.randrange(300), 3000 + chance.randrange(300), 7200])
    moving = float(chance.randrange(600, 14_000))
    activity: Row = {
        "local": dt.datetime.fromisoformat("2006-01-01T06:00") + dt.timedelta(days=days),
        "athlete": athlete,
        "sport_type": chance.choice(sorted(HOURLY)),
        "moving_time": moving,
        "elapsed_time": moving + 60,
        "device_watts": chance.choice([True, False, None]),
        "weighted_average_watts": perhaps(chance.uniform(100, 300)),
        "average_heartrate": perhaps(chance.uniform(40, 200)),
        "suffer_score": perhaps(float(chance.randrange(200))),
    }
    if chance.random() < 0.4:
        return activity, None
    bpms = sorted(chance.sample(range(40, 210), 5))
    has_power = chance.random() < 0.5
    facts: Row = {
        "stream_key": number * 10,
        "heartrate_bpm": bpms if chance.random() < 0.7 else [],
        "power_recorded_s": chance.uniform(0.3, 1.1) * moving if has_power else None,
        "normalized_power_w": chance.uniform(100, 300) if has_power else None,
    }
    share = chance.choice([0.1, 1.0]) * moving / 5
    facts["heartrate_time_s"] = [share] * len(facts["heartrate_bpm"])
    return activity, facts


def test_women_have_banisters_other_weights(lake: Lake) -> None:
    """0.86 and 1.67 in place of 0.64 and 1.92."""
    lake.insert("athlete_settings", OWN | {"sex": "f"})
    lake.activity(1, NOON, moving_time=3600, average_heartrate=120)
    assert load_of(lake, 1)["trimp"] == pytest.approx(slow_trimp({120: 60}, 50, 190, "f"))
    assert load_of(lake, 1)["trimp"] == pytest.approx(60 * 0.5 * 0.86 * 2.30482, abs=0.01)


def test_zones_of_heart_rate(lake: Lake) -> None:
    """A value on a bound belongs to the zone that begins there; shares sum to one."""
    lake.insert("athlete_settings", {"athlete": "me", "heartrate_zones": [120.0, 140.0, 160.0]})
    lake.activity(1, NOON)
    facts: Row = {
        "heartrate_bpm": [90, 119, 120, 139, 170],
        "heartrate_time_s": [10, 20, 30, 40, 100],
    }
    lake.insert("stream_facts", {"stream_key": 10} | facts)
    rows = lake.rows("from heartrate_zones order by zone_index")
    keys = ("zone_index", "from_bpm", "below_bpm", "time_s", "time_share")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        (1, None, 120, 30, 0.15),
        (2, 120, 140, 70, 0.35),
        (4, 160, None, 100, 0.5),
    ]


def test_zones_without_settings_come_from_what_was_observed(lake: Lake) -> None:
    """60 to 90 % of the highest heart rate that was held; of 95 % of the best 20 minutes."""
    lake.activity(1, NOON, sport_type="Ride", max_heartrate=230)
    facts: Row = {"heartrate_bpm": [150], "heartrate_time_s": [60.0]}
    facts["sustained_heartrate_bpm"] = 180
    power: Row = {"power_w": [100, 300], "power_time_s": [60.0, 30.0]}
    lake.insert("stream_facts", {"stream_key": 10} | facts | power)
    lake.effort(1, name="20min", duration_s=1200, average_watts=200)
    [own] = lake.rows("from athlete_thresholds")
    assert (own["max_heartrate_bpm"], own["max_heartrate_from"]) == (180, "observed")
    assert (own["ftp_w"], own["ftp_from"]) == (190, "observed")
    assert own["heartrate_zones"] == pytest.approx([108, 126, 144, 162])
    [zone] = lake.rows("from heartrate_zones")
    assert zone["zone_index"] == 4
    assert [(z["zone_index"], z["time_s"]) for z in lake.rows("from power_zones order by 5")] == [
        (1, 60),
        (7, 30),
    ]
    assert load_of(lake, 1)["load_method"] == "time"  # an observed threshold makes no load


def test_an_athlete_without_anything_has_no_zones(lake: Lake) -> None:
    """Nothing is invented: without heart rate and power there is a row of NULLs and no zone."""
    lake.activity(1, NOON)
    [own] = lake.rows("from athlete_thresholds")
    assert {value for key, value in own.items() if key != "athlete"} == {None}
    assert lake.rows("from heartrate_zones") == lake.rows("from power_zones") == []
