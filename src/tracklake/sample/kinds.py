"""What the sample athlete does: the kinds of outing, with speeds that grow with form."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from tracklake.sample.effort import Mode
from tracklake.sample.places import Place

Kind = Literal[
    "easy", "intervals", "long", "five", "ten", "half", "marathon", "trail", "treadmill",
    "commute", "ride", "gravel", "mountain", "brevet", "trainer",
    "open_water", "pool", "hike", "walk", "strength", "yoga", "triathlon", "manual",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a kind of outing is recorded: FIT's words for the sport, speeds, sampling, laps.

    speeds_mps: on the flat, without and with full form. lap_m: the watch's automatic lap.
    """

    sport: str
    sub_sport: str = "generic"
    mode: Mode = "foot"
    speeds_mps: tuple[float, float] = (0.0, 0.0)
    step_s: int = 2
    lap_m: float | None = 1000.0
    power: bool = False
    indoor: bool = False


RECIPES: dict[Kind, Recipe] = {
    "easy": Recipe(sport="running", speeds_mps=(2.75, 3.05), step_s=3),
    "intervals": Recipe(sport="running", speeds_mps=(3.75, 4.25), lap_m=None),
    "long": Recipe(sport="running", speeds_mps=(2.7, 2.95), step_s=5),
    "five": Recipe(sport="running", speeds_mps=(3.6, 4.1)),
    "ten": Recipe(sport="running", speeds_mps=(3.45, 3.85), step_s=1),
    "half": Recipe(sport="running", speeds_mps=(3.2, 3.6)),
    "marathon": Recipe(sport="running", speeds_mps=(2.95, 3.25), step_s=3),
    "trail": Recipe(sport="running", sub_sport="trail", speeds_mps=(2.35, 2.65), step_s=4),
    "treadmill": Recipe(
        sport="running", sub_sport="treadmill", speeds_mps=(2.7, 3.1), step_s=4, indoor=True
    ),
    "commute": Recipe(
        sport="cycling", sub_sport="commuting", mode="ride", speeds_mps=(5.2, 5.6), step_s=3,
        lap_m=None,
    ),
    "ride": Recipe(
        sport="cycling", sub_sport="road", mode="ride", speeds_mps=(7.4, 8.3), step_s=5,
        lap_m=5000.0, power=True,
    ),
    "gravel": Recipe(
        sport="cycling", sub_sport="gravel_cycling", mode="ride", speeds_mps=(5.6, 6.2), step_s=5,
        lap_m=5000.0,
    ),
    "mountain": Recipe(
        sport="cycling", sub_sport="mountain", mode="ride", speeds_mps=(4.4, 4.9), step_s=3,
        lap_m=None,
    ),
    "brevet": Recipe(
        sport="cycling", sub_sport="road", mode="ride", speeds_mps=(6.9, 7.3), step_s=8,
        lap_m=10_000.0, power=True,
    ),
    "trainer": Recipe(
        sport="cycling", sub_sport="indoor_cycling", mode="ride", speeds_mps=(8.0, 9.0), step_s=4,
        lap_m=None, power=True, indoor=True,
    ),
    "open_water": Recipe(
        sport="swimming", sub_sport="open_water", mode="swim", speeds_mps=(0.82, 0.95), step_s=4,
        lap_m=None,
    ),
    "pool": Recipe(
        sport="swimming", sub_sport="lap_swimming", mode="swim", speeds_mps=(0.85, 1.0), step_s=5,
        lap_m=100.0, indoor=True,
    ),
    "hike": Recipe(sport="hiking", mode="hike", speeds_mps=(1.15, 1.2), step_s=6, lap_m=None),
    "walk": Recipe(sport="walking", mode="hike", speeds_mps=(1.3, 1.35), step_s=5, lap_m=None),
    "strength": Recipe(
        sport="training", sub_sport="strength_training", step_s=10, lap_m=None, indoor=True
    ),
    "yoga": Recipe(sport="training", sub_sport="yoga", step_s=10, lap_m=None, indoor=True),
    "triathlon": Recipe(sport="multisport", lap_m=None),
    "manual": Recipe(sport="tennis", lap_m=None, indoor=True),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outing:
    """One entry of the calendar.

    hour: local, with fraction. route: of `ways.ROUTES`, "grid", "to_office" or "home";
    None without a position. amount: metres, or seconds where there is no distance. form: 0 to 1.
    """

    day: dt.date
    hour: float
    kind: Kind
    name: str
    place: Place = "barcelona"
    route: str | None = None
    amount: float
    form: float
    repeats: tuple[int, float] = (0, 0.0)  # intervals: how many, how long in m
    tunnel: bool = False

    @property
    def speed_mps(self) -> float:
        """The speed on the flat at this form."""
        slow, fast = RECIPES[self.kind].speeds_mps
        return slow + (fast - slow) * self.form
