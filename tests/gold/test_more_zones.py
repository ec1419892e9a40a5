"""Zones of generated points, by an athlete's own bounds and observed ones; a slow model beside."""

import datetime as dt
import random
from fractions import Fraction

import numpy as np
import pytest

from tests.gold import slow_more
from tests.gold.outings import same
from tests.gold.training import Lake, Row, opened
from tracklake.analysis.stream_facts import stream_facts

NOON = dt.datetime.fromisoformat("2026-03-01T12:00")
RIDES = ("Ride", "GravelRide", "VirtualRide", "EBikeRide")
OWN: dict[str, Row] = {
    "me": {"heartrate_zones": [120.0, 140.0, 160.5], "power_zones": [100.0, 200.0]},
    "anna": {"max_heartrate_bpm": 187.5, "ftp_w": 240.0},
    "bo": {},  # nothing set: what was observed counts
}


def recorded(chance: random.Random) -> tuple[slow_more.Points, slow_more.Points]:
    """Return points with heart rate and points with power, some without, with gaps and pauses."""
    time_s, heartrate, power = 0.0, [], []
    for _ in range(chance.choice([1, 2, 30, 60, 60])):
        bpm = chance.choice([120, 140, 160.5, 112.5, 131.25, chance.randrange(90, 190)])
        watts = chance.choice([0, 100, 132, 199.75, 200, chance.randrange(400)])
        heartrate.append((time_s, None if chance.random() < 0.2 else float(bpm)))
        power.append((time_s, None if chance.random() < 0.2 else float(watts)))
        time_s += chance.choice([0.5, 1, 1, 4, 5, 6, 29, 31, 600])
    nothing = [(moment, None) for moment, _ in heartrate]
    return (
        heartrate if chance.random() < 0.9 else nothing,
        power if chance.random() < 0.9 else nothing,
    )


def distilled(heartrate: slow_more.Points, power: slow_more.Points) -> Row:
    """Return what a warehouse keeps of such points."""
    stamp = np.array([moment for moment, _ in heartrate])
    channels = [np.array([value for _, value in one], dtype=float) for one in (heartrate, power)]
    facts = stream_facts(stamp, *channels)
    return {
        "heartrate_bpm": facts.heartrate.values,
        "heartrate_time_s": facts.heartrate.seconds,
        "sustained_heartrate_bpm": facts.sustained_heartrate_bpm,
        "power_w": facts.power.values,
        "power_time_s": facts.power.seconds,
    }


def bounds(own: Row, kind: str, whole: float | Fraction | None) -> list[Fraction] | None:
    """Return the bounds that are set, else those that are a part of the whole."""
    if own.get(kind):
        return [Fraction(bound) for bound in own[kind]]
    is_power = kind == "power_zones"
    percents = slow_more.POWER_PERCENT if is_power else slow_more.HEARTRATE_PERCENT
    return slow_more.parts(whole, percents)


def enter(lake: Lake, chance: random.Random, number: int) -> Row:
    """Enter an activity with points, and 20 minutes of power unless it is on an e-bike."""
    one: Row = {"athlete": chance.choice(list(OWN))}
    one |= {"sport_type": chance.choice([*RIDES, "Run", "Newsport", None])}
    one |= {"device_watts": chance.choice([True, True, None, False])}
    days = chance.choice([0, 0, 100, 360, 370])
    lake.activity(number, NOON - dt.timedelta(days=days), **one)
    heartrate, power = recorded(chance)
    lake.insert("stream_facts", {"stream_key": 10 * number} | distilled(heartrate, power))
    watts = chance.randrange(200, 260)
    if one["sport_type"] != "EBikeRide":
        lake.effort(number, name="20min", duration_s=1200, average_watts=watts)
    one |= {"id": number, "heartrate": heartrate, "power": power}
    one["has_power"] = one["sport_type"] in RIDES and one["device_watts"] is not False
    says_much = one["has_power"] and one["sport_type"] != "EBikeRide" and days < 365
    return one | {"best_w": watts if says_much else None}


def expected(athlete: str, its: list[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows of an athlete's zones of heart rate and of power."""
    own = OWN[athlete]
    held = [bpm for one in its if (bpm := slow_more.highest_held(one["heartrate"])) is not None]
    watts = [one["best_w"] for one in its if one["best_w"] is not None]
    observed_w = Fraction(95, 100) * max(watts) if watts else None
    of_heart = bounds(own, "heartrate_zones", own.get("max_heartrate_bpm", max(held, default=None)))
    of_power = bounds(own, "power_zones", own.get("ftp_w", observed_w))
    hearts, powers = [], []
    for one in its:
        number = {"activity_id": one["id"]}
        if of_heart is not None:
            hearts += [row | number for row in slow_more.in_zones(one["heartrate"], 30, of_heart)]
        if of_power is not None and one["has_power"]:
            powers += [row | number for row in slow_more.in_zones(one["power"], 5, of_power)]
    return hearts, powers


@pytest.mark.parametrize("seed", range(4))
def test_zones_are_what_counting_point_by_point_gives(seed: int) -> None:
    """From points to zones: values on bounds, gaps, own zones, own thresholds, observed ones."""
    chance = random.Random(seed)  # noqa: S311
    with opened() as lake:
        for athlete, own in OWN.items():
            lake.insert("athlete_settings", {"athlete": athlete} | own)
        activities = [enter(lake, chance, number) for number in range(1, 60)]
        for number, athlete in enumerate(OWN, start=100):  # the year leads up to these
            lake.activity(number, NOON, athlete=athlete)
        hearts, powers = lake.rows("from heartrate_zones"), lake.rows("from power_zones")
    of_each = [
        expected(athlete, [one for one in activities if one["athlete"] == athlete])
        for athlete in OWN
    ]
    key = ("activity_id", "zone_index")
    same([renamed(row, "bpm") for row in hearts], [row for its, _ in of_each for row in its], *key)
    same([renamed(row, "w") for row in powers], [row for _, its in of_each for row in its], *key)
    assert {row["athlete"] for row in hearts} == {row["athlete"] for row in powers} == set(OWN)


def renamed(row: Row, unit: str) -> Row:
    """Return the row with bounds that are called the same for beats and watts."""
    return row | {"from": row[f"from_{unit}"], "below": row[f"below_{unit}"]}


def test_points_become_zones_by_hand() -> None:
    """A gap counts 30 s of heart rate and 5 s of power; 139.5 is 140 and so in the zone of 140."""
    with opened() as lake:
        lake.insert("athlete_settings", {"athlete": "me"} | OWN["me"])
        lake.activity(1, NOON, sport_type="Ride")
        heartrate = [(0.0, 119.4), (10.0, 139.5), (100.0, 165.0), (101.0, 165.0)]
        power = [(0.0, 99.4), (3.0, None), (10.0, 200.0), (100.0, 99.5), (101.0, 300.0)]
        stamp = [0.0, 3.0, 10.0, 100.0, 101.0]
        aligned = [(moment, dict(heartrate).get(moment)) for moment in stamp]
        lake.insert("stream_facts", {"stream_key": 10} | distilled(aligned, power))
        hearts = lake.rows("from heartrate_zones order by zone_index")
        powers = lake.rows("from power_zones order by zone_index")
    assert [(row["zone_index"], row["time_s"]) for row in hearts] == [(1, 10), (3, 30), (4, 1)]
    assert [(row["zone_index"], row["time_s"]) for row in powers] == [(1, 5), (2, 1), (3, 5)]
