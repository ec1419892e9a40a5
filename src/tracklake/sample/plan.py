"""The sample athlete's calendar: three years of weeks, races, holidays and an injury."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from math import cos, pi

import numpy as np

from tracklake.sample.kinds import Kind, Outing
from tracklake.sample.places import Place
from tracklake.sample.ways import ROUTES

YEARS_DAYS = 3 * 365
HEALING_DAYS = 28
DAY = dt.timedelta(days=1)
SATURDAY, SUNDAY = 5, 6

Entry = tuple[float, Kind, str, str | None, float]  # local hour, kind, name, route, amount


def plan(until: dt.date, seed: int) -> tuple[Outing, ...]:
    """Return what is done in the three years before `until` (that day left out), in order."""
    first = until - YEARS_DAYS * DAY
    days = [first + number * DAY for number in range(YEARS_DAYS)]
    outings = [outing for day in days for outing in _day(day, until, seed)]
    outings.append(_manual(first + 47 * DAY))
    return tuple(sorted(outings, key=lambda outing: (outing.day, outing.hour)))


def _day(day: dt.date, until: dt.date, seed: int) -> Iterator[Outing]:
    rng = np.random.default_rng([seed, day.toordinal()])
    form = _form(day, until)
    special = _specials(day.year).get(day)
    if special is not None:
        yield _outing(day, form, special)
    elif _resting(day, until):
        return
    elif day.month == 1 and 9 <= day.day <= 16 and day.year % 2 == 0:
        yield from _away(day, "tenerife", form)
    elif day.month == 5 and 2 <= day.day <= 9 and day.year % 2 == 1:
        yield from _away(day, "new_york", form)
    elif 0 <= _injured_days(day, until) < HEALING_DAYS:
        yield from _gym(day, rng, form)
    else:
        yield from _WEEK[day.weekday()](day, rng, form)


def _form(day: dt.date, until: dt.date) -> float:
    """Return 0 to 1: it grows over the years, peaks in spring, and an injury costs some."""
    grown = 0.12 + 0.72 * (1.0 - (until - day).days / YEARS_DAYS)
    season = 0.1 * cos(2 * pi * (day.timetuple().tm_yday - 80) / 365)
    weeks_after = (_injured_days(day, until) - HEALING_DAYS) / 7
    lost = 0.2 * max(0.0, 1 - weeks_after / 12) if weeks_after >= 0 else 0.0
    return float(np.clip(grown + season - lost, 0.0, 1.0))


def _injured_days(day: dt.date, until: dt.date) -> int:
    """Return how many days ago the injury of the year before was."""
    return (day - dt.date(until.year - 1, 11, 8)).days


def _resting(day: dt.date, until: dt.date) -> bool:
    summer = day.month == 8 and 3 <= day.day <= 19
    christmas = (day.month, day.day) >= (12, 23)
    return summer or christmas or 0 <= _injured_days(day, until) < 9


def nth_weekday(year: int, month: int, weekday: int, number: int) -> dt.date:
    """Return the number-th (from 1) such weekday of a month; weekday counts from Monday, 0."""
    first = dt.date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (number - 1)) * DAY


def _specials(year: int) -> dict[dt.date, Entry]:
    """Return what stands in the calendar in ink."""
    last_october = nth_weekday(year, 11, SUNDAY, 1) - 7 * DAY
    return {
        dt.date(year, 1, 4): (18.0, "treadmill", "Treadmill, hail outside", None, 2400.0),
        nth_weekday(year, 2, SUNDAY, 3): (8.75, "half", "Half marathon", "city", 21_330.0),
        nth_weekday(year, 3, SUNDAY, 2): (8.5, "marathon", "Marathon", "city", 42_600.0),
        nth_weekday(year, 4, SATURDAY, 4): (9.0, "hike", "Up to Sant Jeroni", "sant_jeroni", 8e3),
        nth_weekday(year, 5, SUNDAY, 3): (9.5, "ten", "City 10 km", "city", 10_090.0),
        nth_weekday(year, 6, SUNDAY, 2): (8.0, "triathlon", "Triathlon", "bay", 51_500.0),
        dt.date(year, 8, 6): (9.5, "hike", "Turó de l'Home from Santa Fe", "turo", 5600.0),
        dt.date(year, 8, 14): (19.5, "walk", "Evening stroll", "five", 4200.0),
        # The clocks go back while this one is on the road.
        last_october - DAY: (22.6, "brevet", "Night brevet", "maresme", 118_000.0),
        nth_weekday(year, 10, SUNDAY, 2): (9.2, "hike", "Montserrat loop", "sant_jeroni", 8e3),
        dt.date(year, 12, 26): (11.5, "walk", "Walk after the feast", "montjuic", 9e3),
    }


def _outing(day: dt.date, form: float, entry: Entry) -> Outing:
    hour, kind, name, route, amount = entry
    place: Place = ROUTES[route].place if route in ROUTES else "barcelona"
    return Outing(
        day=day, hour=hour, kind=kind, name=name, place=place, route=route, amount=amount, form=form
    )


def _away(day: dt.date, place: Place, form: float) -> Iterator[Outing]:
    """Yield a holiday's outings: every other day, by turns."""
    turn = day.day // 2
    if day.day % 2:
        return
    if place == "tenerife" and turn % 2:
        yield _outing(day, form, (10.1, "ride", "Climb to Vilaflor", "vilaflor", 39_000.0))
    elif place == "tenerife":
        yield _outing(day, form, (8.2, "easy", "Along Costa Adeje", "adeje", 9000.0))
    else:
        name, route, metres, kind = _NEW_YORK[turn % 4]
        yield _outing(day, form, (7.4, kind, name, route, metres))


_NEW_YORK: tuple[tuple[str, str, float, Kind], ...] = (
    ("Down to Midtown on foot", "midtown", 8000.0, "walk"),
    ("Jet-lagged in Central Park", "central_park", 12_600.0, "easy"),
    ("Up the Hudson", "hudson", 14_000.0, "long"),
    ("Central Park again", "central_park", 12_600.0, "easy"),
)


def _gym(day: dt.date, rng: np.random.Generator, form: float) -> Iterator[Outing]:
    if day.weekday() in (0, 3):
        kind: Kind = "strength" if day.weekday() == 0 else "yoga"
        yield _outing(day, form, (18.6, kind, kind.title(), None, 60.0 * rng.integers(35, 60)))


def _monday(day: dt.date, rng: np.random.Generator, form: float) -> Iterator[Outing]:
    if rng.random() < (0.3 if day.month in (11, 12, 1, 2) else 0.1):
        yield from _gym(day, rng, form)


def _tuesday(day: dt.date, rng: np.random.Generator, form: float) -> Iterator[Outing]:
    if rng.random() > 0.42:
        return
    repeats, metres = [(10, 400.0), (6, 1000.0), (4, 1600.0), (8, 600.0)][int(rng.integers(4))]
    amount = 3500.0 + repeats * (metres + 300.0)
    route = ("seafront", "diagonal", "forum")[int(rng.integers(3))]
    yield Outing(
        day=day, hour=19.0 + rng.random() / 2, kind="intervals", route=route, amount=amount,
        name=f"{repeats} × {metres:.0f} m", form=form, repeats=(repeats, metres),
    )  # fmt: skip


def _wednesday(day: dt.date, rng: np.random.Generator, form: float) -> Iterator[Outing]:
    chance = rng.random()
    if chance < 0.2:
        morning, evening = 7.9 + rng.random() / 4, 18.0 + rng.random() / 2
        yield _outing(day, form, (morning, "commute", "Commute to work", "to_office", 6e3))
        yield _outing(day, form, (evening, "commute", "Commute home", "to_home", 6e3))
    elif chance < 0.45 and day.month in (6, 7, 8, 9):
        metres = 200.0 * rng.integers(5, 10)
        yield _outing(day, form, (19.2, "open_water", "Swim off Bogatell", "bay", metres))
    elif chance < 0.38:
        metres = 100.0 * rng.integers(12, 26)
        yield _outing(day, form, (20.1, "pool", f"{metres:.0f} m in the pool", None, metres))


def _thursday(day: dt.date, rng: np.random.Generator, form: float) -> Iterator[Outing]:
    chance = rng.random()
    if chance < 0.15 and day.month in (12, 1, 2):
        seconds = 60.0 * rng.integers(35, 55)
        yield _outing(day, form, (19.3, "treadmill", "Treadmill, it rains", None, seconds))
    elif chance < 0.55:
        route, name = [
            ("grid", "Through the Eixample"), ("grid", "Evening blocks"),
            ("barceloneta", "Easy to Barceloneta"), ("montjuic", "Easy over Montjuïc"),
        ][int(rng.integers(4))]  # fmt: skip
        metres = float(rng.integers(60, 105)) * 100
        yield _outing(day, form, (7.0 + rng.random() / 2, "easy", name, route, metres))


def _friday(day: dt.date, rng: np.random.Generator, form: float) -> Iterator[Outing]:
    if day.month in (11, 12, 1, 2) and rng.random() < 0.25:
        seconds = 60.0 * rng.integers(40, 75)
        yield _outing(day, form, (19.0, "trainer", "Sweet spot on the trainer", None, seconds))


def _saturday(day: dt.date, rng: np.random.Generator, form: float) -> Iterator[Outing]:
    chance = rng.random()
    if day.day <= 7:
        yield _outing(day, form, (9.0, "five", "Saturday 5 km", "five", 5040.0))
    elif chance < 0.22:
        outing = _outing(day, form, (9.4, "ride", "Over Arrabassada", "arrabassada", 3e4))
        yield dataclasses.replace(outing, tunnel=day.month % 2 == 0)
    elif chance < 0.4:
        route = ("aigues", "aigues_west", "collserola")[int(rng.integers(3))]
        metres = float(rng.integers(80, 120)) * 100
        name = f"Trail run, {ROUTES[route].title}"
        yield _outing(day, form, (8.6, "trail", name, route, metres))
    elif chance < 0.5:
        yield _outing(day, form, (9.8, "gravel", "Gravel in Collserola", "gravel", 3e4))
    elif chance < 0.57:
        yield _outing(day, form, (10.0, "mountain", "Collserola singletrack", "collserola", 2e4))


def _sunday(day: dt.date, rng: np.random.Generator, form: float) -> Iterator[Outing]:
    chance = rng.random()
    if 4 <= day.month <= 9 and chance < 0.4:
        metres = 1000.0 * rng.integers(50, 88)
        route = ("maresme", "garraf")[int(rng.integers(2))]
        name = f"Out along {ROUTES[route].title}"
        yield _outing(day, form, (8.3, "ride", name, route, metres))
    elif chance < 0.75:
        metres = 100.0 * rng.integers(140, 200) + (6000.0 if day.month in (1, 2) else 0.0)
        route = ("seafront", "barceloneta", "forum", "city")[int(rng.integers(4))]
        name = f"Long run, {ROUTES[route].title}"
        yield _outing(day, form, (8.5, "long", name, route, metres))


def _manual(day: dt.date) -> Outing:
    return _outing(day, 0.0, (18.0, "manual", "Tennis with Marta", None, 4500.0))


_WEEK = (_monday, _tuesday, _wednesday, _thursday, _friday, _saturday, _sunday)
