"""From recordings to activities, whole."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formulas import START_S, steady_run
from tracklake.analysis import shape
from tracklake.errors import InvalidData
from tracklake.model import POINT_COLUMNS, Device, Lap, Points, Recording, Session, Shaped


def _one(recording: Recording) -> Shaped:
    (shaped,) = shape.activities(recording)
    return shaped


def _with(recording: Recording, **totals: float | str) -> Recording:
    session = dataclasses.replace(recording.sessions[0], **totals)  # type: ignore[arg-type] # mixed
    return dataclasses.replace(recording, sessions=(session,))


def test_a_steady_run_has_the_numbers_one_expects() -> None:
    """An hour at 3 m/s is 10.8 km, with its splits, efforts, place, zone and line."""
    shaped = _one(steady_run(3600))
    activity = shaped.activity
    assert activity.sport_type == "Run"
    assert activity.distance == pytest.approx(10800, rel=1e-6)
    assert (activity.moving_time, activity.elapsed_time) == (3600, 3600)
    assert activity.average_speed == pytest.approx(3.0)
    assert activity.max_speed == pytest.approx(3.0)
    assert (activity.average_heartrate, activity.max_heartrate) == (150, 150)
    assert (activity.timezone, activity.utc_offset_s) == ("Europe/Madrid", 3600)
    assert (activity.start_lat, activity.start_lng) == (41.4, 2.16)
    assert activity.end_lat == pytest.approx(41.4 + 10800 / 111195.08)
    assert [split.distance_m for split in activity.splits_metric[:-1]] == [1000] * 10
    assert len(activity.splits_standard) == 7
    assert [effort.name for effort in activity.best_efforts] == [
        "400m", "1/2 mile", "1K", "1 mile", "2 mile", "5K", "10K",
    ]  # fmt: skip
    assert activity.has_track
    assert [len(segment) for segment in shaped.track] == [2]
    assert shaped.moving.all()
    assert activity.point_count == len(shaped.points) == 3601


def test_what_is_neither_told_nor_computable_is_unknown() -> None:
    """A run without altitude, power, cadence, temperature and calories has none of them."""
    shaped = _one(steady_run(60))
    activity = shaped.activity
    for name in (
        "total_elevation_gain", "elev_high", "elev_low", "average_watts", "max_watts",
        "average_cadence", "average_temp", "calories", "device_name", "name",
    ):  # fmt: skip
        assert getattr(activity, name) is None, name
    assert np.isnan(shaped.grade_pct).all()


def test_the_devices_totals_win_where_they_are_plausible() -> None:
    """Calories and ascent are the device's, distance too if the points agree within 5 %."""
    run = steady_run(1000)
    told = _one(_with(run, distance_m=3100.0, calories_kcal=210.0, total_ascent_m=12.0)).activity
    assert (told.distance, told.calories, told.total_elevation_gain) == (3100, 210, 12)
    absurd = _one(_with(run, distance_m=9e9, calories_kcal=-1.0, total_ascent_m=np.nan)).activity
    assert absurd.distance == pytest.approx(3000)
    assert (absurd.calories, absurd.total_elevation_gain) == (None, None)
    far = _one(_with(run, distance_m=3200.0)).activity
    assert far.distance == pytest.approx(3000)


def test_elapsed_time_covers_the_points_and_moving_time_stays_within_it() -> None:
    """A device's elapsed time may be longer than its points, not shorter, and not by a year."""
    run = steady_run(600)
    assert _one(_with(run, elapsed_time_s=650.0)).activity.elapsed_time == 650
    assert _one(_with(run, elapsed_time_s=10.0)).activity.elapsed_time == 600
    assert _one(_with(run, elapsed_time_s=9e7)).activity.elapsed_time == 600
    assert _one(_with(run, timer_time_s=500.0)).activity.moving_time == 500


def test_a_session_is_believed_where_its_points_break_off() -> None:
    """Of a damaged file with points of the first ten minutes, the session knows the whole run."""
    run = steady_run(600)
    told = {"elapsed_time_s": 3600.0, "timer_time_s": 3500.0, "distance_m": 10000.0}
    activity = _one(_with(run, **told)).activity
    assert (activity.distance, activity.moving_time) == (10000, 3500)
    assert [split.distance_m for split in activity.splits_metric] == pytest.approx([1000, 800])
    less = _one(_with(run, elapsed_time_s=3600.0, timer_time_s=3500.0, distance_m=100.0)).activity
    assert less.distance == pytest.approx(1800)


def test_a_pause_is_elapsed_but_not_moving() -> None:
    """Two minutes with the timer stopped count for the clock only."""
    run = dataclasses.replace(steady_run(600), pauses=((START_S + 100, START_S + 220),))
    activity = _one(run).activity
    assert (activity.elapsed_time, activity.moving_time) == (600, 480)


def test_an_indoor_ride_is_whole_without_positions() -> None:
    """A trainer ride has distance, splits, power efforts and totals, but no track and no place."""
    count = 1801
    recording = Recording(
        format="fit",
        points=Points.of(
            count,
            timestamp_s=START_S + np.arange(count),
            distance_m=8.0 * np.arange(count),
            velocity_mps=np.full(count, 8.0),
            power_w=np.full(count, 200.0),
            cadence_rpm=np.where(np.arange(count) % 2, 90.0, 0.0),
        ),
        sessions=(Session(start_s=START_S, sport="cycling", sub_sport="indoor_cycling"),),
        utc_offset_s=7200.0,
        device=Device(manufacturer="garmin", product="edge_530"),
    )
    shaped = _one(recording)
    activity = shaped.activity
    assert activity.trainer
    assert not activity.has_track
    assert shaped.track == ()
    assert (activity.summary_polyline, activity.start_lat) == (None, None)
    assert activity.distance == 14400
    assert activity.moving_time == 1800
    assert activity.average_watts == 200
    assert activity.average_cadence == 90
    assert activity.device_name == "Garmin Edge 530"
    assert (activity.timezone, activity.utc_offset_s) == ("Etc/GMT-2", 7200)
    assert {effort.name for effort in activity.best_efforts if effort.kind == "power"} == {
        "5s", "15s", "30s", "1min", "2min", "5min", "10min", "20min", "30min",
    }  # fmt: skip


def test_weights_without_points_are_an_activity() -> None:
    """A recording of nothing but a session keeps the session's totals."""
    recording = Recording(
        format="fit",
        sessions=(
            Session(
                start_s=START_S, sport="training", elapsed_time_s=1800.0, timer_time_s=1500.0,
                average_heartrate_bpm=101.0, max_heartrate_bpm=0.0, calories_kcal=250.0,
            ),
        ),
    )  # fmt: skip
    activity = _one(recording).activity
    assert (activity.elapsed_time, activity.moving_time) == (1800, 1500)
    assert (activity.average_heartrate, activity.max_heartrate) == (101, None)
    assert (activity.distance, activity.calories) == (None, 250)
    assert (activity.timezone, activity.utc_offset_s) == (None, 0)
    assert activity.point_count == 0


def test_yoga_with_a_heart_rate_is_all_moving() -> None:
    """Where there is no speed, time with the timer running is moving time."""
    points = Points.of(601, timestamp_s=START_S + np.arange(601), heartrate_bpm=np.full(601, 90.0))
    session = Session(start_s=START_S, sport="training", sub_sport="yoga")
    activity = _one(Recording(format="fit", points=points, sessions=(session,))).activity
    assert (activity.moving_time, activity.average_heartrate) == (600, 90)
    assert (activity.distance, activity.average_speed, activity.max_speed) == (None, None, None)


def test_a_multisport_outing_is_a_whole_and_its_legs() -> None:
    """The whole has the sums and no points; each leg has its own, and a distance from 0."""
    run = steady_run(1200)
    points = dataclasses.replace(run.points, distance_m=np.linspace(0, 3600, 1201))
    sports = [("cycling", 0), ("transition", 600), ("running", 800)]
    recording = dataclasses.replace(
        run,
        points=points,
        name="Duathlon",
        sessions=tuple(Session(start_s=START_S + at, sport=sport) for sport, at in sports),
        laps=(Lap(start_s=START_S), Lap(start_s=START_S + 800, distance_m=1500.0)),
    )
    whole, *legs = shape.activities(recording)
    assert (whole.activity.leg_index, whole.activity.leg_count) == (0, 3)
    assert [leg.activity.leg_index for leg in legs] == [1, 2, 3]
    assert [leg.activity.leg_count for leg in legs] == [0, 0, 0]
    assert len(whole.points) == len(whole.moving) == len(whole.grade_pct) == 0
    assert (whole.track, whole.activity.has_track) == ((), False)
    assert [len(leg.points) for leg in legs] == [600, 200, 401]
    assert [leg.points.distance_m[0] for leg in legs] == [0, 0, 0]
    distances = [leg.activity.distance for leg in legs]
    assert distances == pytest.approx([1797, 597, 1200])
    assert whole.activity.distance == pytest.approx(1797 + 597 + 1200)
    assert whole.activity.elapsed_time == 1200
    assert whole.activity.average_heartrate == 150
    assert whole.activity.start_lat == 41.4
    assert whole.activity.end_lat == legs[2].activity.end_lat
    assert [len(leg.activity.laps) for leg in legs] == [1, 0, 1]
    assert legs[1].activity.best_efforts == ()
    assert legs[2].activity.sport_type == "Run"
    assert legs[2].activity.start_s == START_S + 800


def test_an_outing_that_was_indoors_in_part_is_no_trainer() -> None:
    """Only if every leg was indoors is the whole."""
    legs = (
        Session(start_s=START_S, sport="cycling", sub_sport="indoor_cycling"),
        Session(start_s=START_S + 300, sport="running"),
    )
    shaped = shape.activities(dataclasses.replace(steady_run(600), sessions=legs))
    assert [one.activity.trainer for one in shaped] == [False, True, False]


def test_a_receivers_jump_makes_no_best_effort() -> None:
    """Fifty metres in a second pass for a position, not for running."""
    run = steady_run(600)
    lat = run.points.lat + np.where(np.arange(601) >= 300, 50 / 111195.08, 0)
    jumped = dataclasses.replace(run, points=dataclasses.replace(run.points, lat=lat))
    best = _one(jumped).activity.best_efforts[0]
    assert best.elapsed_time_s == pytest.approx(1 + 388 / 3, abs=0.02)


def test_a_sensors_lumps_make_a_best_effort() -> None:
    """Without positions a distance that comes 150 m at a time is still somebody's running."""
    seconds = np.arange(601)
    points = Points.of(601, timestamp_s=START_S + seconds, distance_m=seconds // 50 * 150.0)
    run = dataclasses.replace(steady_run(600), points=points)
    assert [effort.name for effort in _one(run).activity.best_efforts][:3] == [
        "400m", "1/2 mile", "1K",
    ]  # fmt: skip


def test_a_drive_recorded_as_a_run_has_no_best_efforts() -> None:
    """Twenty minutes at 11 m/s are no world records over six distances."""
    assert _one(steady_run(1200, 11.0)).activity.best_efforts == ()


def test_laps_have_the_devices_values_and_the_points_where_it_gives_none() -> None:
    """A lap ends where the next begins; its distance and heart rate come from the points."""
    run = dataclasses.replace(
        steady_run(600),
        pauses=((START_S + 100, START_S + 150),),
        laps=(
            Lap(start_s=START_S + 400, distance_m=650.0, elapsed_time_s=200.0, trigger="manual"),
            Lap(start_s=START_S),
        ),
    )
    first, second = _one(run).activity.laps
    assert (first.lap_index, first.start_offset_s, first.elapsed_time) == (1, 0, 400)
    assert first.distance == pytest.approx(1200)
    assert (first.moving_time, first.average_heartrate) == (350, 150)
    assert (second.distance, second.elapsed_time, second.lap_trigger) == (650, 200, "manual")
    assert second.average_speed == pytest.approx(3.25)


def test_a_recording_without_any_time_is_set_aside() -> None:
    """Points without a timestamp are a line on a map, not an activity."""
    points = Points.of(3, lat=[41, 41.1, 41.2], lng=[2, 2, 2])
    with pytest.raises(InvalidData):
        shape.activities(Recording(format="gpx", points=points))


def test_input_is_left_alone() -> None:
    """Shaping does not write into the arrays it was given."""
    run = steady_run(50)
    before = {name: getattr(run.points, name).copy() for name in POINT_COLUMNS}
    shape.activities(run)
    for name, column in before.items():
        assert np.array_equal(getattr(run.points, name), column, equal_nan=True), name


WILD = st.one_of(
    st.floats(),
    st.floats(-200, 200),
    st.sampled_from([0.0, 180.0, -180.0, 90.0, 255.0, 65535.0, 1e9, START_S, np.nan, np.inf]),
)
TIMES = st.one_of(WILD, st.integers(0, 400).map(lambda second: START_S + second), st.floats(0, 5e9))
TOTALS = st.one_of(st.none(), WILD)


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    count = draw(st.integers(0, 15))
    columns = {
        name: draw(
            st.lists(TIMES if name == "timestamp_s" else WILD, min_size=count, max_size=count)
        )
        for name in draw(st.sets(st.sampled_from(POINT_COLUMNS)))
    }
    session = st.builds(
        Session,
        start_s=TIMES,
        sport=st.sampled_from([None, "running", "cycling", "swimming", "transition", "☃"]),
        **{
            field.name: TOTALS
            for field in dataclasses.fields(Session)
            if field.name not in ("start_s", "sport", "sub_sport", "name")
        },
    )
    lap = st.builds(
        Lap,
        start_s=TIMES,
        elapsed_time_s=TOTALS,
        timer_time_s=TOTALS,
        distance_m=TOTALS,
        average_heartrate_bpm=TOTALS,
        total_ascent_m=TOTALS,
    )
    return Recording(
        format=draw(st.sampled_from(["fit", "gpx", "tcx"])),
        points=Points.of(count, **columns),
        sessions=tuple(draw(st.lists(session, max_size=3))),
        laps=tuple(draw(st.lists(lap, max_size=3))),
        pauses=tuple(draw(st.lists(st.tuples(TIMES, TIMES), max_size=2))),
        created_s=draw(st.one_of(st.none(), TIMES)),
        utc_offset_s=draw(TOTALS),
    )


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _numbers(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _numbers(getattr(value, field.name))


@settings(max_examples=200, deadline=None)
@given(recordings())
def test_whatever_comes_in_what_goes_out_is_finite_and_consistent(recording: Recording) -> None:
    """No input crashes it, every stored number is finite, times and sizes fit together."""
    try:
        shaped = shape.activities(recording)
    except InvalidData:
        return
    for one in shaped:
        activity = one.activity
        assert all(math.isfinite(number) for number in _numbers(activity))
        assert 0 <= activity.moving_time <= activity.elapsed_time + 1e-3
        assert len(one.points) == len(one.moving) == len(one.grade_pct) == activity.point_count
        assert np.all(np.diff(one.points.timestamp_s) > 0)
        if len(one.points):
            assert one.points.timestamp_s[0] >= activity.start_s
            end_s = activity.start_s + activity.elapsed_time
            assert one.points.timestamp_s[-1] <= end_s + 1e-3
        for name in POINT_COLUMNS:
            assert not np.isinf(getattr(one.points, name)).any(), name
        way = one.points.distance_m
        assert np.isnan(way).all() or np.all(np.diff(way) >= 0)
        assert activity.has_track == bool(one.track)
        for segment in one.track:
            assert len(segment) >= 2
            assert np.isfinite(segment).all()
