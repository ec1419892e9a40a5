"""What speeds are possible, by sport: every threshold in one place, in metres a second."""

from __future__ import annotations

from collections.abc import Mapping

# Slower than this is standing still; about half of a slow walk, ride or swim, above GPS noise.
_MOVING = {"foot": 0.4, "ride": 1.0, "swim": 0.2, "winter": 0.5, "water": 0.3}
_MOVING_OTHER = 0.3

# Faster than this over a step is no effort of the athlete; a little above the world's best.
_EFFORT = {"foot": 12.0, "ride": 35.0, "swim": 4.0, "winter": 45.0, "water": 25.0}
_EFFORT_OTHER = 60.0

# Nobody has run these distances faster: 43.03 s (W. van Niekerk, 2016), 2:11.96 (N. Ngeny, 1999),
# 12:35.36 (J. Cheptegei, 2020). On wheels, skis and water a descent or a current can do more.
_FASTEST_S = {"foot": {400.0: 43.03, 1000.0: 131.96, 5000.0: 755.36}}

# Faster than this is an error of the receiver, unless the sport is one of these.
TELEPORT_MPS = 60.0
_TELEPORT = {
    "flying": 350.0,
    "sky_diving": 150.0,
    "wingsuit_flying": 150.0,
    "hang_gliding": 100.0,
    "driving": 100.0,
    "motorcycling": 100.0,
    "motorsports": 120.0,
    "auto_racing": 120.0,
    "alpine_skiing": 80.0,
    "snowboarding": 80.0,
}


def moving_threshold(family: str) -> float:
    """Return the speed from which an athlete of this family of sports counts as moving."""
    return _MOVING.get(family, _MOVING_OTHER)


def effort_cap(family: str) -> float:
    """Return the speed above which a step cannot be part of a best effort."""
    return _EFFORT.get(family, _EFFORT_OTHER)


def fastest_possible(family: str) -> Mapping[float, float]:
    """Return distances in metres and the seconds below which nobody covers them."""
    return _FASTEST_S.get(family, {})


def teleport_cap(sport: str | None) -> float:
    """Return the speed above which a step is a jump of the receiver; `sport` is the file's word."""
    return _TELEPORT.get(sport or "", TELEPORT_MPS)
