"""Reading TCX: points, laps, sessions, courses, what is damaged."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.errors import InvalidData
from tracklake.formats import tcx, tcx_reader
from tracklake.formats.xml_stream import unix_seconds
from tracklake.model import POINT_COLUMNS, Device, Recording

NOON_S = unix_seconds("2024-05-01T12:00:00Z")


def decode(document: str) -> tuple[Recording, ...]:
    return tcx.decode(io.BytesIO(document.encode()))


def document(*activities: str) -> str:
    body = f"<Activities>{''.join(activities)}</Activities>"
    author = "<Author><Name>Connect</Name></Author>"
    return f"<TrainingCenterDatabase>{body}{author}</TrainingCenterDatabase>"


def activity(*children: str, sport: str = "Running") -> str:
    identity = "<Id>2024-05-01T12:00:00Z</Id>"
    return f'<Activity Sport="{sport}">{identity}{"".join(children)}</Activity>'


def time(second: int) -> str:
    return f"2024-05-01T{12 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}Z"


def lap(second: int, totals: str, *tracks: str) -> str:
    body = "".join(f"<Track>{points}</Track>" for points in tracks)
    return f'<Lap StartTime="{time(second)}">{totals}{body}</Lap>'


def trackpoint(second: int, inner: str = "") -> str:
    return f"<Trackpoint><Time>{time(second)}</Time>{inner}</Trackpoint>"


def only_point(inner: str) -> dict[str, float]:
    """Return the values of a single point with these children, without the empty ones."""
    (recording,) = decode(document(activity(lap(0, "", trackpoint(0, inner)))))
    row = {name: float(getattr(recording.points, name)[0]) for name in POINT_COLUMNS}
    return {name: value for name, value in row.items() if not np.isnan(value)}


@pytest.mark.parametrize(
    ("inner", "values"),
    [
        ("", {}),
        ("<AltitudeMeters>12.5</AltitudeMeters>", {"altitude_m": 12.5}),
        ("<DistanceMeters>7</DistanceMeters>", {"distance_m": 7}),
        ("<HeartRateBpm><Value>140</Value></HeartRateBpm>", {"heartrate_bpm": 140}),
        ("<HeartRateBpm>\n<Value>140</Value>\n</HeartRateBpm>", {"heartrate_bpm": 140}),
        ("<HeartRateBpm>141</HeartRateBpm>", {"heartrate_bpm": 141}),
        ("<Cadence>85</Cadence><SensorState>Present</SensorState>", {"cadence_rpm": 85}),
        (
            "<Position><LatitudeDegrees>1.5</LatitudeDegrees>"
            "<LongitudeDegrees>-2.5</LongitudeDegrees></Position>",
            {"lat": 1.5, "lng": -2.5},
        ),
        (
            "<Extensions><ns3:TPX><ns3:Speed>3.5</ns3:Speed><ns3:Watts>250</ns3:Watts>"
            "<ns3:RunCadence>88</ns3:RunCadence></ns3:TPX></Extensions>",
            {"velocity_mps": 3.5, "power_w": 250, "cadence_rpm": 88},
        ),
        (
            '<Extensions><TPX xmlns="x" CadenceSensor="Bike"><Speed>3.5</Speed></TPX></Extensions>',
            {"velocity_mps": 3.5},
        ),
        ("<Position><LatitudeDegrees>1.5</LatitudeDegrees></Position>", {}),
        ("<AltitudeMeters>--</AltitudeMeters>", {}),
    ],
)
def test_the_values_of_a_point(inner: str, values: dict[str, float]) -> None:
    """Own elements and ActivityExtension in any prefix; half a position is none."""
    assert only_point(inner) == {"timestamp_s": NOON_S} | values


TWO_LAPS = activity(
    lap(
        0,
        "<TotalTimeSeconds>60</TotalTimeSeconds><DistanceMeters>200</DistanceMeters>"
        "<MaximumSpeed>4</MaximumSpeed><Calories>10</Calories>"
        "<AverageHeartRateBpm><Value>120</Value></AverageHeartRateBpm>"
        "<MaximumHeartRateBpm><Value>150</Value></MaximumHeartRateBpm>"
        "<Intensity>Active</Intensity><TriggerMethod>Distance</TriggerMethod>",
        trackpoint(0) + trackpoint(30),
        trackpoint(70) + trackpoint(100),
    ),
    lap(
        100,
        "<TotalTimeSeconds>180</TotalTimeSeconds><DistanceMeters>600</DistanceMeters>"
        "<MaximumSpeed>5</MaximumSpeed><Calories>0</Calories>"
        "<AverageHeartRateBpm><Value>160</Value></AverageHeartRateBpm>"
        "<TriggerMethod>HeartRate</TriggerMethod>",
        trackpoint(105) + trackpoint(280),
    )[: -len("</Lap>")]
    + "<Extensions><x:LX><x:AvgSpeed>3.3</x:AvgSpeed><x:AvgRunCadence>85</x:AvgRunCadence>"
    "<x:AvgWatts>200</x:AvgWatts><x:MaxWatts>320</x:MaxWatts></x:LX></Extensions></Lap>",
    "<Notes>Windy</Notes><Creator><Name>Forerunner</Name><UnitId>3931533084</UnitId>"
    "<ProductID>2067</ProductID></Creator>",
)


def test_laps_with_their_totals() -> None:
    """Start, timer time, time in all (until the next lap or the last point), totals, trigger."""
    (recording,) = decode(document(TWO_LAPS))
    first, second = recording.laps
    assert (first.start_s, first.timer_time_s, first.elapsed_time_s) == (NOON_S, 60, 100)
    assert (first.distance_m, first.max_speed_mps, first.calories_kcal) == (200, 4, 10)
    assert (first.average_heartrate_bpm, first.max_heartrate_bpm) == (120, 150)
    assert (first.trigger, second.trigger) == ("distance", "heart_rate")
    assert (second.start_s, second.elapsed_time_s) == (NOON_S + 100, 180)
    assert (second.average_speed_mps, second.average_cadence_rpm) == (3.3, 85)
    assert (second.average_power_w, second.calories_kcal) == (200, None)


def test_a_session_sums_up_its_laps() -> None:
    """Sums, maxima and means weighted by time; zeros that the schema demands count for nothing."""
    (recording,) = decode(document(TWO_LAPS))
    (session,) = recording.sessions
    assert (session.sport, session.start_s) == ("Running", NOON_S)
    assert (session.timer_time_s, session.elapsed_time_s) == (240, 280)
    assert (session.distance_m, session.calories_kcal) == (800, 10)
    assert (session.max_speed_mps, session.max_heartrate_bpm) == (5, 150)
    assert session.average_heartrate_bpm == (120 * 60 + 160 * 180) / 240
    assert (session.average_power_w, session.max_power_w) == (200, 320)


def test_the_recording_around_them() -> None:
    """Creator, notes and Id are kept; the tracks of one lap are divided by a pause, laps not."""
    (recording,) = decode(document(TWO_LAPS))
    assert recording.kind == "activity"
    assert recording.description == "Windy"
    assert recording.created_s == NOON_S
    assert recording.device == Device(name="Forerunner", product="2067", serial_number=3931533084)
    assert recording.pauses == ((NOON_S + 30, NOON_S + 70),)
    assert (recording.points.timestamp_s - NOON_S).tolist() == [0, 30, 70, 100, 105, 280]
    assert recording.problems == ()


def test_an_activity_without_points_is_one_all_the_same() -> None:
    """A gym lap with a total alone is an activity; its distance of 0 is no distance."""
    totals = "<TotalTimeSeconds>1800</TotalTimeSeconds><DistanceMeters>0</DistanceMeters>"
    (recording,) = decode(document(activity(lap(0, totals), sport="Other")))
    assert (recording.kind, len(recording.points)) == ("activity", 0)
    assert recording.sessions[0].elapsed_time_s == 1800
    assert recording.sessions[0].distance_m is None


def test_each_activity_is_a_recording() -> None:
    """Two activities of one file are two recordings, each with its own points and problems."""
    broken = "<Trackpoint><Time>noon</Time></Trackpoint>"
    first, second = decode(
        document(
            activity(lap(0, "", trackpoint(0))),
            activity(lap(60, "", trackpoint(60) + broken), sport="Biking"),
        )
    )
    assert (first.sessions[0].sport, second.sessions[0].sport) == ("Running", "Biking")
    assert (len(first.points), len(second.points)) == (1, 2)
    assert first.problems == ()
    assert second.problems == ("points with a time that is not readable: 1",)


def test_a_multisport_session_is_one_recording() -> None:
    """Its activities and transitions are sessions of one recording, in their order."""
    transition = f'<Transition StartTime="{time(60)}"><Track>{trackpoint(60)}</Track></Transition>'
    session = (
        f"<MultiSportSession><Id>x</Id><FirstSport>{activity(lap(0, '', trackpoint(0)))}"
        f"</FirstSport><NextSport>{transition}"
        f"{activity(lap(90, '', trackpoint(90)), sport='Biking')}</NextSport></MultiSportSession>"
    )
    multisport, other = decode(document(session, activity(lap(7200, "", trackpoint(7200)))))
    assert [s.sport for s in multisport.sessions] == ["Running", "Transition", "Biking"]
    assert [s.start_s - NOON_S for s in multisport.sessions] == [0, 60, 90]
    assert (len(multisport.points), len(multisport.laps), len(other.points)) == (3, 3, 1)


def test_a_lap_without_a_time_takes_that_of_its_point_or_of_the_former() -> None:
    """No lap is lost for want of a StartTime, and a track without a lap gets one."""
    unreadable = f'<Lap StartTime="?"><Track>{trackpoint(40)}</Track></Lap>'
    (recording,) = decode(document(activity(lap(0, "", trackpoint(9)), unreadable, "<Lap/>")))
    assert [lap.start_s - NOON_S for lap in recording.laps] == [0, 40, 40]
    (bare,) = decode(document(activity(f"<Track>{trackpoint(5)}</Track>")))
    assert (bare.kind, bare.sessions[0].start_s) == ("activity", NOON_S + 5)


def test_points_outside_an_activity_are_a_course() -> None:
    """Nothing says that they were ever run, but they are not lost."""
    (recording,) = decode(f"<TrainingCenterDatabase>{trackpoint(0)}</TrainingCenterDatabase>")
    assert (recording.kind, len(recording.points)) == ("course", 1)


def test_an_activity_without_any_time_is_none() -> None:
    """Points whose times are all lost cannot be placed in a life; they are kept as a course."""
    untimed = "<Activity><Lap><Track><Trackpoint/></Track></Lap></Activity>"
    (recording,) = decode(document(untimed))
    assert (recording.kind, len(recording.points)) == ("course", 1)
    assert (recording.sessions, recording.laps) == ((), ())


def test_a_course_is_a_course() -> None:
    """What was planned has points and a name, and neither sessions nor laps."""
    (recording,) = decode(
        "<TrainingCenterDatabase><Folders/><Courses><Course><Name>Plan</Name><Lap>"
        "<TotalTimeSeconds>9</TotalTimeSeconds></Lap>"
        f"<Track>{trackpoint(0)}{trackpoint(9)}</Track><CoursePoint><Name>Hill</Name>"
        f"<Time>{time(3)}</Time></CoursePoint></Course></Courses></TrainingCenterDatabase>"
    )
    assert (recording.kind, recording.name) == ("course", "Plan")
    assert (len(recording.points), recording.sessions, recording.laps) == (2, (), ())


def test_a_file_without_activity_and_course_is_no_failure() -> None:
    """Workouts and empty files give one empty recording that is left alone."""
    (recording,) = decode("<TrainingCenterDatabase><Workouts/></TrainingCenterDatabase>")
    assert (recording.kind, len(recording.points)) == ("workout", 0)


def test_positions_off_the_earth_are_problems() -> None:
    """The position goes, the point with its heart rate stays."""
    position = (
        "<Position><LatitudeDegrees>91</LatitudeDegrees>"
        "<LongitudeDegrees>0</LongitudeDegrees></Position><HeartRateBpm><Value>99</Value>"
        "</HeartRateBpm>"
    )
    (recording,) = decode(document(activity(lap(0, "", trackpoint(0, position)))))
    assert recording.problems == ("positions left out that are not on earth: 1",)
    assert np.isnan(recording.points.lat).all()
    assert recording.points.heartrate_bpm.tolist() == [99]


def test_a_file_that_ends_too_early_is_salvaged() -> None:
    """Whatever the place of the cut, the points and laps before it are read, and it is told."""
    text = document(TWO_LAPS)
    seen = set()
    for length in range(text.index("<Track>"), len(text) - 1):
        (recording,) = decode(text[:length])
        assert recording.kind == "activity"
        assert len(recording.problems) == 1
        seen.add((len(recording.laps), len(recording.points)))
    assert {count for _, count in seen} == {0, 1, 2, 3, 4, 5, 6}
    assert {count for count, _ in seen} == {1, 2}


def test_spaces_before_the_declaration_are_forgiven() -> None:
    """The TCX files in Strava's exports begin with ten spaces."""
    text = '          <?xml version="1.0" encoding="UTF-8"?>' + document(TWO_LAPS)
    assert len(decode(text)[0].points) == 6


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_tcx"),
        ("<gpx/>", "not_tcx"),
        ("{}", "not_tcx"),
        ("<TrainingCenterDatabase>", "no_points"),
        ("<!DOCTYPE x><TrainingCenterDatabase/>", "xml_forbidden"),
        ("<TrainingCenterDatabase>" + "<a>" * 65, "xml_limits"),
    ],
)
def test_what_is_no_tcx_is_refused_with_a_reason(text: str, reason: str) -> None:
    """Each kind of refusal has its stable class."""
    with pytest.raises(InvalidData) as raised:
        decode(text)
    assert raised.value.reason == reason


def test_the_number_of_laps_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nothing but laps is refused before memory is short."""
    monkeypatch.setattr(tcx_reader, "MAX_PARTS", 10)
    with pytest.raises(InvalidData) as raised:
        decode(document(activity("<Lap/>" * 10)))
    assert raised.value.reason == "too_many_laps"


def test_absurd_totals_stay_finite() -> None:
    """Sums and means that overflow are unknown, and a unit that is no 32-bit number is none."""
    huge = "<TotalTimeSeconds>1e308</TotalTimeSeconds><DistanceMeters>1.7e308</DistanceMeters>"
    creator = "<Creator><UnitId>-5</UnitId><ProductID>0</ProductID></Creator>"
    (recording,) = decode(document(activity(lap(0, huge), lap(1, huge), lap(2, huge), creator)))
    (session,) = recording.sessions
    assert (session.timer_time_s, session.distance_m) == (None, None)
    assert recording.device == Device()


@given(st.data())
def test_damage_anywhere_is_salvaged_or_refused(data: st.DataObject) -> None:
    """Bytes changed, cut out or doubled never raise anything but InvalidData."""
    whole = document(TWO_LAPS).encode()
    first = data.draw(st.integers(0, len(whole)))
    last = data.draw(st.integers(first, min(len(whole), first + 20)))
    damaged = whole[:first] + data.draw(st.binary(max_size=20)) + whole[last:]
    try:
        recordings = tcx.decode(io.BytesIO(damaged))
    except InvalidData:
        return
    assert all(len(recording.points) <= 6 for recording in recordings)
