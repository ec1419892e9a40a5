"""What made-up athletes did, for the benchmark of matching.

What is hard on purpose: commutes of one length there and back, routes that come again and again,
intervals saved one by one, warm-up, race and cool-down without a break, a run to the gym and home,
treadmills and pools without a place.
"""

import math
import random
from dataclasses import dataclass
from itertools import pairwise

_DAY_S = 86_400.0
_FIRST_S = 1_420_070_400.0  # 2015
Line = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Outing:
    """What truly happened."""

    number: int
    sport: str
    start_s: float
    elapsed_s: float
    moving_s: float
    distance_m: float | None
    line: Line = ()


class Athlete:
    """Some years of one person, drawn from a seed."""

    def __init__(self, seed: int, years: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 not for secrets
        self.seed = seed
        self.outings: list[Outing] = []
        self.home = (self.draw.uniform(-9, 20), self.draw.uniform(38, 58))
        self.routes = [self._loop(self.draw.uniform(4_000, 16_000)) for _ in range(10)]
        self.rides = [self._loop(self.draw.uniform(25_000, 90_000)) for _ in range(6)]
        self.work = self._way(self.draw.uniform(5_000, 14_000))
        self.commutes = self.draw.random() < 0.6
        self.offset_s = self.draw.choice((0.0, 3_600.0, -18_000.0, 34_200.0))
        for day in range(years * 365):
            self._day(_FIRST_S + day * _DAY_S)

    # ---- what happened ----

    def _day(self, day_s: float) -> None:
        draw, kind = self.draw, self.draw.random()
        if self.commutes and day_s // _DAY_S % 7 < 5 and draw.random() < 0.5:
            self._ride(day_s + draw.gauss(8, 0.2) * 3_600, self.work)
            self._ride(day_s + draw.gauss(17, 0.3) * 3_600, self.work[::-1])
        if kind < 0.4:
            self._run(day_s + draw.choice((7, 12, 18)) * 3_600 + draw.gauss(0, 900))
        elif kind < 0.5:  # morning and evening, the same way
            route = draw.choice(self.routes)
            self._run(day_s + 6.5 * 3_600 + draw.gauss(0, 600), route)
            self._run(day_s + 18 * 3_600 + draw.gauss(0, 600), route)
        elif kind < 0.6:
            self._ride(day_s + draw.uniform(9, 14) * 3_600, draw.choice(self.rides))
        elif kind < 0.8:
            self._indoors(day_s)
        elif kind < 0.86:
            self._row(day_s + 18 * 3_600 + draw.gauss(0, 1_800))

    def _indoors(self, day_s: float) -> None:
        draw = self.draw
        at_s = day_s + draw.choice((6.5, 12.5, 19)) * 3_600 + draw.gauss(0, 1_200)
        sport = draw.choice(("VirtualRide", "WeightTraining", "Run", "Swim", "Yoga"))
        minutes = draw.choice((30, 45, 60)) + draw.gauss(0, 1)
        metres = {"VirtualRide": 520.0, "Run": 190.0, "Swim": 38.0}.get(sport)
        length_m = metres and round(metres * minutes / 50) * 50 * draw.gauss(1, 0.01)
        self._add(sport, at_s, minutes * 60, length_m)

    def _row(self, at_s: float) -> None:
        """Several in a row, each saved by itself."""
        draw, kind = self.draw, self.draw.random()
        if kind < 0.4:  # intervals
            for _ in range(draw.randint(3, 6)):
                lasts_s = draw.gauss(240, 4)
                self._add("Run", at_s, lasts_s, draw.gauss(1_000, 6), self.routes[0][:4])
                at_s += lasts_s + draw.gauss(120, 15)
        elif kind < 0.7:  # warm-up, race, cool-down
            for length_m in (2_500, 10_000, 2_500):
                at_s = self._run(at_s, self._loop(length_m)) + draw.uniform(5, 400)
        elif kind < 0.9:  # to the gym and home
            way = self._way(2_000)
            at_s = self._run(at_s, way) + draw.uniform(20, 300)
            at_s = self._add("WeightTraining", at_s, draw.gauss(3_000, 300), None)
            self._run(at_s + draw.uniform(20, 300), way[::-1])
        else:  # a triathlon, leg by leg
            at_s = self._add("Swim", at_s, draw.gauss(1_700, 200), 1_500.0) + 120
            at_s = self._ride(at_s, self._loop(40_000)) + 90
            self._run(at_s, self._loop(10_000))

    def _run(self, at_s: float, route: Line = ()) -> float:
        line = route or self.draw.choice(self.routes)
        return self._outdoors("Run", at_s, line, 1_000 / self.draw.gauss(330, 12))

    def _ride(self, at_s: float, line: Line) -> float:
        return self._outdoors("Ride", at_s, line, self.draw.gauss(7.2, 0.35))

    def _outdoors(self, sport: str, at_s: float, line: Line, speed: float) -> float:
        length_m = _length_m(line) * self.draw.gauss(1, 0.004)
        return self._add(sport, at_s, length_m / speed, length_m, line)

    def _add(
        self,
        sport: str,
        at_s: float,
        moving_s: float,
        length_m: float | None,
        line: Line = (),
    ) -> float:
        moving_s = max(moving_s, 60.0)
        pause_s = self.draw.choice((0.0, self.draw.uniform(0, 0.05), self.draw.uniform(0, 0.3)))
        elapsed_s = moving_s * (1 + (pause_s if moving_s > 600 else 0.0))
        number = len(self.outings)
        self.outings.append(
            Outing(number, sport, at_s - self.offset_s, elapsed_s, moving_s, length_m, line)
        )
        return at_s + elapsed_s

    def _loop(self, length_m: float) -> Line:
        turn, radius = self.draw.uniform(0, 6.28), length_m / 6.6 / 111_195
        east = 1 / math.cos(math.radians(self.home[1]))
        bends = [self.draw.uniform(0.75, 1.25) for _ in range(15)]
        bends = [*bends, bends[0]]
        points = []
        for at, bend in enumerate(bends):
            angle = turn + at * math.tau / 15
            x = radius * (bend * math.cos(angle) - bends[0] * math.cos(turn))
            y = radius * (bend * math.sin(angle) - bends[0] * math.sin(turn))
            points.append((self.home[0] + x * east, self.home[1] + y))
        return tuple(points)

    def _way(self, length_m: float) -> Line:
        turn, step = self.draw.uniform(0, 6.28), length_m / 9 / 111_195
        lng, lat = self.home
        points = [self.home]
        for _ in range(8):
            angle = turn + self.draw.uniform(-0.6, 0.6)
            lng += step * math.cos(angle) / math.cos(math.radians(lat))
            lat += step * math.sin(angle)
            points.append((lng, lat))
        return tuple(points)


def _length_m(line: Line) -> float:
    scale = math.cos(math.radians(line[0][1]))
    return 111_195 * sum(math.hypot((b[0] - a[0]) * scale, b[1] - a[1]) for a, b in pairwise(line))
