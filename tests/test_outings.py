"""Which activities a recording holds."""

import numpy as np
import pytest

from tests.formulas import START_S
from tracklake.analysis import outings
from tracklake.errors import InvalidData
from tracklake.model import Lap, Points, Recording, Session


def _points(seconds: int, start_s: float = START_S) -> Points:
    return Points.of(seconds, timestamp_s=start_s + np.arange(seconds))


def _session(minute: int, sport: str) -> Session:
    return Session(start_s=START_S + 60 * minute, sport=sport)


def test_sports_that_differ_are_legs_with_their_own_points_and_laps() -> None:
    """Each leg has the points and laps from its start to the next leg's start, none is lost."""
    sports = ["swimming", "transition", "cycling", "transition", "running"]
    points = _points(301)
    recording = Recording(
        format="fit",
        points=points,
        sessions=tuple(_session(minute, sport) for minute, sport in enumerate(sports))[::-1],
        laps=tuple(Lap(start_s=START_S + 30 * lap) for lap in range(10)),
    )
    legs = outings.parts(recording, points)
    assert [leg.session.sport for leg in legs] == sports
    assert [len(leg.points) for leg in legs] == [60, 60, 60, 60, 61]
    assert [leg.start_s - START_S for leg in legs] == [0, 60, 120, 180, 240]
    assert [len(leg.laps) for leg in legs] == [2, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("sports", "count"),
    [
        (["swimming", "swimming", "swimming"], 1),
        (["running"], 1),
        ([], 1),
        (["running", "cycling"], 2),
        (["running", "transition", "running"], 3),
        (["transition"], 1),
    ],
)
def test_several_sessions_of_one_sport_are_one_activity(sports: list[str], count: int) -> None:
    """Drills of one sport continue, a change of sport or a transition makes legs."""
    points = _points(200)
    recording = Recording(
        format="fit",
        points=points,
        sessions=tuple(_session(minute, sport) for minute, sport in enumerate(sports)),
    )
    assert len(outings.parts(recording, points)) == count


def test_totals_of_several_sessions_are_joined() -> None:
    """Sums are summed, means weighted, and a total that one session lacks is not known."""
    joined = outings.merged(
        [
            Session(start_s=START_S, elapsed_time_s=50, timer_time_s=40, distance_m=100,
                    average_heartrate_bpm=120, max_heartrate_bpm=130, calories_kcal=10),
            Session(start_s=START_S + 120, elapsed_time_s=60, timer_time_s=60, distance_m=200,
                    average_heartrate_bpm=140, max_heartrate_bpm=150),
        ]
    )  # fmt: skip
    assert joined.start_s == START_S
    assert joined.elapsed_time_s == 180
    assert joined.timer_time_s == 100
    assert joined.distance_m == 300
    assert joined.average_heartrate_bpm == pytest.approx(132)
    assert joined.max_heartrate_bpm == 150
    assert joined.calories_kcal is None


@pytest.mark.parametrize(
    ("session_s", "expected_s"),
    [
        (START_S - 30, START_S - 30),
        (START_S + 5, START_S),
        (631065600.0, START_S),
        (np.nan, START_S),
    ],
)
def test_the_start_is_the_sessions_unless_the_points_say_otherwise(
    session_s: float, expected_s: float
) -> None:
    """A session that starts before its points is right, one in 1989 or after them is not."""
    recording = Recording(format="fit", points=_points(9), sessions=(Session(start_s=session_s),))
    (part,) = outings.parts(recording, recording.points)
    assert part.start_s == expected_s


def test_a_start_is_found_wherever_one_is_told() -> None:
    """Without points: the session's, else the first lap's, else when the file was made."""
    session = Recording(format="fit", sessions=(Session(start_s=START_S),), created_s=5.0)
    lap = Recording(format="fit", laps=(Lap(start_s=START_S),), created_s=5.0)
    created = Recording(format="fit", created_s=START_S)
    for recording in (session, lap, created):
        (part,) = outings.parts(recording, Points.empty())
        assert part.start_s == START_S


def test_no_start_at_all_is_set_aside() -> None:
    """A recording without any time is an item for quarantine, with a reason to group by."""
    recording = Recording(format="gpx", sessions=(Session(start_s=float("inf")),), created_s=None)
    with pytest.raises(InvalidData) as raised:
        outings.parts(recording, Points.empty())
    assert raised.value.reason == "no_start_time"


@pytest.mark.parametrize("value", [None, -1.0, np.nan, np.inf, 1e9])
def test_a_total_that_cannot_be_is_not_known(value: float | None) -> None:
    """Negative, absurd and missing totals are all the same: unknown."""
    assert outings.known(value) is None
