"""Reading GPX: the words of many programs, several tracks, what is damaged."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracklake.errors import InvalidData
from tracklake.formats import gpx, gpx_reader
from tracklake.formats.xml_stream import unix_seconds
from tracklake.model import POINT_COLUMNS, Recording

NOON_S = unix_seconds("2024-05-01T12:00:00Z")


def decode(document: str) -> tuple[Recording, ...]:
    return gpx.decode(io.BytesIO(document.encode()))


def document(*tracks: str, head: str = "", attributes: str = 'version="1.1" creator="Test"') -> str:
    return f"<?xml version='1.0'?><gpx {attributes}>{head}{''.join(tracks)}</gpx>"


def trackpoint(second: int, inner: str = "", lat: str = "41.5", lon: str = "2.25") -> str:
    hours, rest = divmod(12 * 3600 + second, 3600)
    time = f"2024-05-{1 + hours // 24:02}T{hours % 24:02}:{rest // 60:02}:{rest % 60:02}Z"
    return f'<trkpt lat="{lat}" lon="{lon}"><time>{time}</time>{inner}</trkpt>'


def track(*segments: str, head: str = "") -> str:
    return f"<trk>{head}{''.join(f'<trkseg>{segment}</trkseg>' for segment in segments)}</trk>"


def only_point(inner: str) -> dict[str, float]:
    """Return the values of a single point with these children, without the empty ones."""
    (recording,) = decode(document(track(trackpoint(0, inner))))
    row = {name: float(getattr(recording.points, name)[0]) for name in POINT_COLUMNS}
    return {name: value for name, value in row.items() if not np.isnan(value)}


POSITION = {"timestamp_s": NOON_S, "lat": 41.5, "lng": 2.25}


@pytest.mark.parametrize(
    ("inner", "values"),
    [
        ("", {}),
        ("<ele>12.5</ele>", {"altitude_m": 12.5}),
        ("<ele>12,5</ele>", {"altitude_m": 12.5}),
        ("<ele></ele>", {}),
        ("<ele>NaN</ele>", {}),
        ("<ele>1e999</ele>", {}),
        ("<ele>high</ele>", {}),
        ("<speed>2.5</speed><course>90</course>", {"velocity_mps": 2.5}),
        (
            "<extensions><gpxtpx:TrackPointExtension><gpxtpx:atemp>21</gpxtpx:atemp>"
            "<gpxtpx:hr>140</gpxtpx:hr><gpxtpx:cad>85</gpxtpx:cad><gpxtpx:speed>3.1</gpxtpx:speed>"
            "<gpxtpx:course>12</gpxtpx:course></gpxtpx:TrackPointExtension></extensions>",
            {
                "temperature_c": 21,
                "heartrate_bpm": 140,
                "cadence_rpm": 85,
                "velocity_mps": 3.1,
            },
        ),
        (
            "<extensions><ns3:TrackPointExtension><ns3:hr>99</ns3:hr></ns3:TrackPointExtension>"
            "</extensions>",
            {"heartrate_bpm": 99},
        ),
        ("<extensions><power>210</power></extensions>", {"power_w": 210}),
        (
            "<extensions><pwr:PowerInWatts>211</pwr:PowerInWatts></extensions>",
            {"power_w": 211},
        ),
        (
            "<extensions><gpxpx:PowerExtension><gpxpx:PowerInWatts>212</gpxpx:PowerInWatts>"
            "</gpxpx:PowerExtension></extensions>",
            {"power_w": 212},
        ),
        (
            "<extensions><gpxdata:hr>100</gpxdata:hr><gpxdata:cadence>80</gpxdata:cadence>"
            "<gpxdata:temp>19.5</gpxdata:temp><gpxdata:distance>300</gpxdata:distance></extensions>",
            {
                "heartrate_bpm": 100,
                "cadence_rpm": 80,
                "temperature_c": 19.5,
                "distance_m": 300,
            },
        ),
        (
            "<extensions><heartrate>101</heartrate><cadence>81</cadence></extensions>",
            {"heartrate_bpm": 101, "cadence_rpm": 81},
        ),
        ("<extensions><osmand:speed>1.5</osmand:speed></extensions>", {"velocity_mps": 1.5}),
        (
            "<extensions><opentracks:distance>3</opentracks:distance>"
            "<cluetrust:distance>900</cluetrust:distance></extensions>",
            {"distance_m": 900},
        ),
        ("<speed>1</speed><extensions><x:speed>9</x:speed></extensions>", {"velocity_mps": 1}),
        ("<extensions><x:hr>-</x:hr><y:hr>90</y:hr></extensions>", {"heartrate_bpm": 90}),
        ("<name>12</name><desc>hr</desc><link><text>7</text></link>", {}),
    ],
)
def test_the_words_of_many_programs(inner: str, values: dict[str, float]) -> None:
    """Garmin, Strava, ClueTrust, Wahoo, OsmAnd, OpenTracks: the first number of a kind counts."""
    assert only_point(inner) == POSITION | values


@pytest.mark.parametrize("prefix", ["", "g:"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_any_namespace_and_version(prefix: str, version: str) -> None:
    """GPX 1.0 and 1.1, a default namespace, a prefix or none at all read the same."""
    p = prefix
    text = (
        f'<{p}gpx version="{version}" creator="C"><{p}trk><{p}name>N</{p}name><{p}trkseg>'
        f'<{p}trkpt lat="1" lon="2"><{p}ele>3</{p}ele><{p}time>2024-05-01T12:00:00Z</{p}time>'
        f"</{p}trkpt></{p}trkseg></{p}trk></{p}gpx>"
    )
    (recording,) = decode(text)
    assert recording.name == "N"
    assert recording.points.altitude_m.tolist() == [3]
    assert recording.points.timestamp_s.tolist() == [NOON_S]


def test_what_the_file_says_of_itself() -> None:
    """Creator, name, description, type, time of creation and the track's own totals are kept."""
    (recording,) = decode(
        document(
            "<wpt lat='1' lon='2'><name>Not me</name><type>Not me</type></wpt>",
            track(
                trackpoint(0),
                head="<name>Morning</name><desc>Sunny</desc><type>running</type><extensions>"
                "<x:TrackStatsExtension><x:Distance>5000</x:Distance><x:TimerTime>1500</x:TimerTime>"
                "<x:MaxSpeed>5</x:MaxSpeed><x:Ascent>20</x:Ascent></x:TrackStatsExtension>"
                "</extensions>",
            ),
            head="<metadata><name>File</name><author><name>Me</name></author>"
            "<time>2024-05-01T12:00:00Z</time></metadata>",
        )
    )
    (session,) = recording.sessions
    assert (recording.kind, recording.name, recording.description) == (
        "activity",
        "Morning",
        "Sunny",
    )
    assert (recording.device.name, recording.created_s) == ("Test", NOON_S)
    assert (session.sport, session.start_s, session.name) == ("running", NOON_S, "Morning")
    assert (session.distance_m, session.timer_time_s) == (5000, 1500)
    assert (session.max_speed_mps, session.total_ascent_m) == (5, 20)


@pytest.mark.parametrize("where", ["<metadata>{}</metadata>", "{}"])
def test_a_file_of_one_track_may_name_it_in_its_head(where: str) -> None:
    """The name and description of the file (1.1, 1.0) fill in for those of its only track."""
    head = where.format("<name>File</name><desc>About</desc>")
    (recording,) = decode(document(track(trackpoint(0)), head=head))
    assert (recording.name, recording.description) == ("File", "About")


def test_gaps_between_segments_are_pauses() -> None:
    """A pause lasts from a segment's last time to the next one's first; empty segments none."""
    (recording,) = decode(
        document(
            track(
                trackpoint(0) + trackpoint(10),
                "",
                trackpoint(70) + '<trkpt lat="1" lon="2"/>',
                trackpoint(70),
                trackpoint(100),
            )
        )
    )
    assert recording.pauses == ((NOON_S + 10, NOON_S + 70), (NOON_S + 70, NOON_S + 100))
    assert len(recording.points) == 6
    assert recording.problems == ()


def test_a_track_soon_after_another_of_its_type_continues_it() -> None:
    """Within four hours and of one type: one recording; else separate ones, sorted by time."""
    ride = "<type>Ride</type>"
    recordings = decode(
        document(
            track(trackpoint(18_000), head=ride),
            track(trackpoint(60), trackpoint(90), head="<type>Run</type>"),
            track(trackpoint(0) + trackpoint(20), head=ride),
            track(trackpoint(3_601), head="<type>Run</type><name>On</name>"),
        )
    )
    starts = [r.points.timestamp_s.tolist() for r in recordings]
    assert starts == [
        [NOON_S, NOON_S + 20],
        [NOON_S + 60, NOON_S + 90, NOON_S + 3_601],
        [NOON_S + 18_000],
    ]
    assert recordings[1].pauses == (
        (NOON_S + 60, NOON_S + 90),
        (NOON_S + 90, NOON_S + 3_601),
    )
    assert [r.sessions[0].sport for r in recordings] == ["Ride", "Run", "Ride"]


@pytest.mark.parametrize(
    "body",
    [
        '<rte><name>Plan</name><rtept lat="1" lon="2"/><rtept lat="1" lon="3"/></rte>',
        '<trk><name>Plan</name><trkseg><trkpt lat="1" lon="2"/><trkpt lat="1" lon="3"/></trkseg>'
        "</trk>",
        '<rte><name>Plan</name><rtept lat="1" lon="2"><time>2024-05-01T12:00:00Z</time></rtept>'
        '<rtept lat="1" lon="3"/></rte>',
    ],
)
def test_what_was_planned_is_a_course(body: str) -> None:
    """Routes, and tracks in which no point has a time, are no activities."""
    (recording,) = decode(document(body))
    assert (recording.kind, recording.name, recording.sessions) == ("course", "Plan", ())
    assert recording.points.lng.tolist() == [2, 3]


def test_a_file_of_waypoints_is_none_either() -> None:
    """A document without track and route gives one recording without points."""
    (recording,) = decode(document('<wpt lat="1" lon="2"/>', "<trk><name>x</name></trk>"))
    assert (recording.kind, len(recording.points), recording.problems) == ("waypoints", 0, ())


@pytest.mark.parametrize("around", ["{}", "<trkseg>{}</trkseg>"])
def test_points_outside_a_track_are_one_all_the_same(around: str) -> None:
    """A document that forgets <trk>, or <trkseg> too, is no reason to lose its points."""
    (recording,) = decode(document(around.format(trackpoint(0) + trackpoint(1))))
    assert (recording.kind, len(recording.points)) == ("activity", 2)


def test_pause_markers_of_opentracks_divide_the_track() -> None:
    """Points at latitude 100 and 200 are the signs of old programs, no damage."""
    middle = trackpoint(5, lat="100", lon="0") + trackpoint(60, lat="200", lon="0")
    (recording,) = decode(document(track(trackpoint(0) + middle + trackpoint(61))))
    assert recording.pauses == ((NOON_S, NOON_S + 61),)
    assert recording.problems == ()


def test_points_off_the_earth_and_unreadable_times_are_problems() -> None:
    """The former are left out, the latter stay without a time; both are counted."""
    bad = "".join(
        f'<trkpt lat="{lat}" lon="{lon}"><ele>1</ele></trkpt>'
        for lat, lon in (("91", "0"), ("0", "-181"), ("x", "0"), ("nan", "0"))
    )
    broken_time = '<trkpt lat="1" lon="2"><time>noon</time></trkpt>'
    (recording,) = decode(document(track(trackpoint(0) + bad + '<trkpt lon="3"/>' + broken_time)))
    assert recording.problems == (
        "points left out without a position on earth: 5",
        "points with a time that is not readable: 1",
    )
    assert recording.points.lat.tolist() == [41.5, 1]
    assert np.isnan(recording.points.altitude_m).all()


def test_a_file_that_ends_too_early_is_salvaged() -> None:
    """What was complete before the end is read, whatever the place of the cut; the rest told."""
    text = document(track("".join(trackpoint(second, "<ele>1</ele>") for second in range(4))))
    seen = set()
    for length in range(text.index("</trkpt>") + len("</trkpt>"), len(text) - 1):
        (recording,) = decode(text[:length])
        assert recording.kind == "activity"
        assert len(recording.problems) == 1
        seen.add(len(recording.points))
    assert seen == {1, 2, 3, 4}


def test_only_the_track_that_broke_is_told_to_be_broken() -> None:
    """An earlier, complete track of the same file has no problem."""
    first, second = decode(document(track(trackpoint(0)), track(trackpoint(80_000)))[:-12])
    assert first.problems == ()
    assert len(second.problems) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_gpx"),
        ("\0", "not_gpx"),
        ("not XML", "not_gpx"),
        ("<TrainingCenterDatabase/>", "not_gpx"),
        ("<html><body>Login</body></html>", "not_gpx"),
        ("<gpx>", "no_points"),
        ("<gpx><trk><trkseg><trkpt lat='1'", "no_points"),
        ("<gpx><trk><trkseg><trkpt lat='x' lon='y'/></trkseg></trk></gpx>", "no_points"),
        ("<!DOCTYPE gpx [<!ENTITY a 'b'>]><gpx/>", "xml_forbidden"),
        ("<gpx>" + "<a>" * 65, "xml_limits"),
    ],
)
def test_what_is_no_gpx_is_refused_with_a_reason(text: str, reason: str) -> None:
    """Each kind of refusal has its stable class."""
    with pytest.raises(InvalidData) as raised:
        decode(text)
    assert raised.value.reason == reason


def test_numbers_of_tracks_and_points_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nothing but tracks, or of endless points, is refused before memory is short."""
    monkeypatch.setattr(gpx_reader, "MAX_TRACKS", 3)
    monkeypatch.setattr("tracklake.formats.point_columns.MAX_POINTS", 5)
    with pytest.raises(InvalidData) as tracks:
        decode(document(*[track(trackpoint(0))] * 4))
    with pytest.raises(InvalidData) as points:
        decode(document(track(trackpoint(0) * 6)))
    assert tracks.value.reason == "too_many_tracks"
    assert points.value.reason == "too_many_points"
    assert len(decode(document(*["<trk/>"] * 50, track(trackpoint(0) * 5)))[0].points) == 5


@given(st.data())
def test_damage_anywhere_is_salvaged_or_refused(data: st.DataObject) -> None:
    """Bytes changed, cut out or doubled never raise anything but InvalidData."""
    whole = document(track(trackpoint(0, "<ele>1</ele>") * 3, trackpoint(9))).encode()
    first = data.draw(st.integers(0, len(whole)))
    last = data.draw(st.integers(first, min(len(whole), first + 20)))
    damaged = whole[:first] + data.draw(st.binary(max_size=20)) + whole[last:]
    try:
        recordings = gpx.decode(io.BytesIO(damaged))
    except InvalidData:
        return
    assert all(len(recording.points) <= 8 for recording in recordings)
