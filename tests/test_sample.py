"""The sample athlete: the same every time, complete as promised, and plausible."""

import csv
import datetime as dt
import gzip
import hashlib
import io
import itertools
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from tracklake.analysis import shape
from tracklake.errors import InvalidData
from tracklake.formats import fit, gpx, tcx
from tracklake.model import Activity, FloatArray, Recording
from tracklake.sample import export
from tracklake.sample import inbox as sample
from tracklake.sample.kinds import RECIPES, Outing
from tracklake.sample.places import TERRAINS
from tracklake.sample.plan import plan
from tracklake.sample.recordings import record, start_of
from tracklake.sample.triathlon import record_triathlon

UNTIL = dt.date(2026, 11, 22)
EXPORT = "strava_export.zip"
DATES = st.dates(min_value=dt.date(2012, 1, 1), max_value=dt.date(2060, 12, 31))


@dataclass(frozen=True)
class Inbox:
    folder: Path
    summary: sample.SampleSummary

    def files(self) -> dict[str, bytes]:
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in paths}


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Inbox:
    """Return the inbox as the demo has it, written once for this module."""
    folder = tmp_path_factory.mktemp("inbox")
    return Inbox(folder, sample.write_inbox(folder, until=UNTIL))


def _members(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the activity files in a file of the inbox, unpacked."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                if not member.endswith(".csv"):
                    yield from _members(f"{name}!{member}", archive.read(member))
    elif name.endswith(".gz"):
        yield name.removesuffix(".gz"), gzip.decompress(content)
    else:
        yield name, content


def _decoded(name: str, content: bytes) -> tuple[Recording, ...]:
    if name.endswith(".fit"):
        return fit.decode(content)
    if name.endswith(".gpx"):
        return gpx.decode(io.BytesIO(content))
    return tcx.decode(io.BytesIO(content))


@pytest.fixture(scope="module")
def recordings(inbox: Inbox) -> dict[str, Recording]:
    """Return what our own decoders make of every file, by name; the unreadable one left out."""
    members = (m for name, content in inbox.files().items() for m in _members(name, content))
    read = {n: _decoded(n, c) for n, c in members if not n.endswith("rescued.fit")}
    assert all(len(found) == 1 for found in read.values())
    return {name: found[0] for name, found in read.items()}


@pytest.fixture(scope="module")
def activities(recordings: dict[str, Recording]) -> dict[str, tuple[Activity, ...]]:
    """Return the whole and the legs of every file, as gold will store them."""
    return {
        name: tuple(shaped.activity for shaped in shape.activities(recording))
        for name, recording in recordings.items()
    }


def _of_kind(kind: str, seed: int = 1) -> list[tuple[Outing, Recording]]:
    outings = [outing for outing in plan(UNTIL, seed) if outing.kind == kind]
    return [(outing, record(outing, seed)) for outing in outings]


def test_the_same_call_writes_the_same_bytes(inbox: Inbox, tmp_path: Path) -> None:
    """A second run, on another day and elsewhere, gives the same names, bytes and summary."""
    again = Inbox(tmp_path, sample.write_inbox(tmp_path, until=UNTIL))
    assert again.summary == inbox.summary
    assert again.files() == inbox.files()


def test_another_seed_is_another_life() -> None:
    """The seed decides: another one plans other outings."""
    outings = plan(UNTIL, 2)
    assert outings != plan(UNTIL, 1)
    assert len(outings) > 150


def test_the_summary_counts_what_is_there(
    inbox: Inbox, recordings: dict[str, Recording], activities: dict[str, tuple[Activity, ...]]
) -> None:
    """Files, bytes, activities, sports and days of the summary are those on the disk."""
    files, summary = inbox.files(), inbox.summary
    assert summary.files == len(files)
    assert summary.size_bytes == sum(len(content) for content in files.values()) < 15_000_000
    assert summary.activities == len(recordings) - summary.duplicates + summary.manual >= 150
    assert sum(summary.sports.values()) == summary.activities
    assert (UNTIL - summary.first_day).days > 3 * 360
    assert summary.first_day <= summary.last_day < UNTIL
    found = Counter(wholes[0].sport_type for wholes in activities.values())
    for sport, count in summary.sports.items() - {("Multisport", 3), ("Tennis", 1)}:
        # One run is there twice, and one trail run lost its name with its end.
        assert abs(found[sport] - count) <= 1, sport


def test_many_formats_lie_about(inbox: Inbox) -> None:
    """FIT leads; GPX, TCX, gzipped ones, nested folders and two ZIPs are there too."""
    names = list(inbox.files())
    endings = Counter(name.split("/")[-1].split(".", 1)[1] for name in names)
    assert set(endings) == {"fit", "fit.gz", "gpx", "gpx.gz", "tcx", "tcx.gz", "zip"}
    assert endings["fit"] + endings["fit.gz"] > 0.9 * len(names)
    assert endings["zip"] == 2
    assert max(name.count("/") for name in names) == 2


def test_one_file_is_there_twice(inbox: Inbox) -> None:
    """Two names have the same bytes, and no other two."""
    hashes = Counter(hashlib.sha256(content).hexdigest() for content in inbox.files().values())
    assert sorted(hashes.values())[-2:] == [1, 2]
    assert inbox.summary.duplicates == 1


def test_one_file_is_cut_off_and_one_is_noise(
    inbox: Inbox, recordings: dict[str, Recording]
) -> None:
    """One FIT file is salvaged with its first points; one cannot be read at all."""
    damaged = [recording for recording in recordings.values() if recording.problems]
    assert len(damaged) == inbox.summary.salvaged == 1
    assert len(damaged[0].points) > 300
    assert inbox.summary.broken == 1
    noise = inbox.files()["watch/rescued.fit"]
    with pytest.raises(InvalidData):
        fit.decode(noise)


def test_a_triathlon_is_one_file_with_five_sessions(recordings: dict[str, Recording]) -> None:
    """Swim, transition, ride, transition, run follow one another without a gap in distance."""
    multisport = [r for r in recordings.values() if len(r.sessions) > 1]
    assert len(multisport) == 3
    for recording in multisport:
        assert [session.sport for session in recording.sessions] == [
            "swimming", "transition", "cycling", "transition", "running",
        ]  # fmt: skip
        assert np.all(np.diff(recording.points.distance_m) >= 0)
        assert recording.points.distance_m[-1] == pytest.approx(51_600, abs=500)


def test_indoors_there_is_no_position_but_a_heart(recordings: dict[str, Recording]) -> None:
    """Pool, treadmill, trainer, weights and yoga are there: beats, no position."""
    indoors = [r for r in recordings.values() if np.isnan(r.points.lat).all()]
    kinds = Counter((r.sessions[0].sport, r.sessions[0].sub_sport) for r in indoors)
    assert {
        ("swimming", "lap_swimming"), ("cycling", "indoor_cycling"), ("running", "treadmill"),
        ("training", "strength_training"), ("training", "yoga"),
    } <= set(kinds)  # fmt: skip
    for recording in indoors:
        assert np.isfinite(recording.points.heartrate_bpm).all()
        assert 60 < recording.points.heartrate_bpm.mean() < 175


def test_a_tunnel_hides_the_sky() -> None:
    """Some rides have minutes without a position in which the distance goes on."""
    tunnels = [r for outing, r in _of_kind("ride") if outing.tunnel]
    assert tunnels
    for recording in tunnels:
        points = recording.points
        hidden = points.take(np.isnan(points.lat))
        assert hidden.timestamp_s[-1] - hidden.timestamp_s[0] > 200
        assert hidden.distance_m[-1] - hidden.distance_m[0] > 500


def test_the_timer_stops_now_and_then(recordings: dict[str, Recording]) -> None:
    """Pauses are there, short at lights and long over a coffee, and no point lies inside one."""
    pauses = [(r, pause) for r in recordings.values() for pause in r.pauses]
    lengths = [end - start for _, (start, end) in pauses]
    assert min(lengths) < 30
    assert max(lengths) > 600
    for recording, (start, end) in pauses:
        time = recording.points.timestamp_s
        assert not np.any((time > start) & (time < end))


def test_intervals_have_a_lap_each() -> None:
    """An interval session has fast laps of the named length between slow ones."""
    outing, recording = _of_kind("intervals")[0]
    count, metres = outing.repeats
    assert len(recording.laps) == 1 + 2 * count + 1
    for fast, slow in zip(recording.laps[1:-1:2], recording.laps[2:-1:2], strict=True):
        assert fast.distance_m == pytest.approx(metres, rel=0.04)
        assert (fast.average_speed_mps or 0.0) > 1.2 * (slow.average_speed_mps or 0.0)
        assert fast.trigger == slow.trigger == "manual"


def test_weeks_without_training() -> None:
    """Holidays and an injury leave gaps; a month after the injury nobody runs."""
    days = sorted({outing.day for outing in plan(UNTIL, 1)})
    assert max(b - a for a, b in itertools.pairwise(days)) >= dt.timedelta(days=8)
    hurt = [o for o in plan(UNTIL, 1) if 0 <= (o.day - dt.date(2025, 11, 8)).days < 28]
    assert {outing.kind for outing in hurt} <= {"strength", "yoga"}


def test_the_export_is_like_the_real_one(inbox: Inbox) -> None:
    """Header, doubled columns, files, names, gear, commutes and one entry without a file."""
    with zipfile.ZipFile(io.BytesIO(inbox.files()[EXPORT])) as archive:
        names = set(archive.namelist())
        table = list(csv.reader(io.StringIO(archive.read("activities.csv").decode("utf-8"))))
    header, rows = table[0], table[1:]
    assert header.count("Elapsed Time") == header.count("Distance") == header.count("Commute") == 2
    assert {"activities.csv", "bikes.csv", "shoes.csv"} < names
    assert all(len(row) == len(header) for row in rows)
    linked = {row[12] for row in rows if row[12]}
    assert linked == {name for name in names if name.startswith("activities/")}
    assert len(linked) == len(rows) - 1
    assert len({row[0] for row in rows}) == len(rows) > 40
    assert {row[9] for row in rows} == {"true", "false"}
    assert {"Run", "Ride", "Tennis"} <= {row[3] for row in rows}
    assert any(row[11] for row in rows)
    assert any("\n" in row[4] for row in rows)


def test_dates_of_the_export_are_american_utc() -> None:
    """Midnight and noon are 12 o'clock, AM and PM, in UTC."""
    moment = dt.datetime(2024, 3, 5, 0, 2, 3, tzinfo=dt.UTC)
    assert export.english_date(moment) == "Mar 5, 2024, 12:02:03 AM"
    assert export.english_date(moment.replace(hour=12)) == "Mar 5, 2024, 12:02:03 PM"
    assert export.english_date(moment.replace(hour=18)) == "Mar 5, 2024, 6:02:03 PM"


@settings(max_examples=25, deadline=None)
@given(until=DATES, seed=st.integers(min_value=0, max_value=9))
def test_any_three_years_have_it_all(until: dt.date, seed: int) -> None:
    """Whatever the last day: order, range, races, holidays abroad and indoor days are there."""
    outings = plan(until, seed)
    starts = [(outing.day, outing.hour) for outing in outings]
    assert starts == sorted(set(starts))
    assert outings[-1].day < until
    assert all(0.0 <= outing.form <= 1.0 and outing.amount > 0 for outing in outings)
    kinds = {outing.kind for outing in outings}
    assert {"marathon", "half", "triathlon", "brevet", "hike", "walk", "treadmill"} <= kinds
    assert {"tenerife", "new_york", "montserrat"} <= {outing.place for outing in outings}
    assert len(outings) > 150


def test_the_clocks_change_on_the_road() -> None:
    """Each night ride starts in summer time and ends in winter time."""
    zone = pytz.timezone("Europe/Madrid")
    for _, recording in _of_kind("brevet"):
        first, last = (
            dt.datetime.fromtimestamp(recording.points.timestamp_s[index], zone).utcoffset()
            for index in (0, -1)
        )
        assert first == dt.timedelta(hours=2)
        assert last == dt.timedelta(hours=1)


def test_holidays_keep_the_local_hour() -> None:
    """A morning in New York is a morning there, 4 hours behind UTC in May."""
    away = [outing for outing in plan(UNTIL, 1) if outing.place == "new_york"]
    assert away
    assert all(start_of(outing)[1] == -4 * 3600 for outing in away)
    assert all(start_of(outing)[0] % 86_400 == pytest.approx(11.4 * 3600) for outing in away)


def _everything() -> Iterator[tuple[Outing, Recording]]:
    for outing in plan(UNTIL, 1):
        if outing.kind == "triathlon":
            yield outing, record_triathlon(outing, 1)
        elif outing.kind != "manual":
            yield outing, record(outing, 1)


@pytest.fixture(scope="module")
def everything() -> list[tuple[Outing, Recording]]:
    """Return every outing with the recording before any file format touched it."""
    return list(_everything())


def test_tracks_stay_in_the_named_places(everything: list[tuple[Outing, Recording]]) -> None:
    """Every position lies in the box of the place that the outing names."""
    for outing, recording in everything:
        south, west, north, east = TERRAINS[outing.place].box
        points = recording.points
        seen = points.take(np.isfinite(points.lat))
        assert len(seen) > 50 or RECIPES[outing.kind].indoor
        assert np.all((seen.lat > south) & (seen.lat < north)), outing
        assert np.all((seen.lng > west) & (seen.lng < east)), outing


# Fastest sustained and slowest mean speed that one believes of an amateur, m/s.
_BELIEVABLE = {
    "running": (5.2, 2.0), "cycling": (17.0, 3.0), "swimming": (1.3, 0.6), "hiking": (2.2, 0.6),
    "walking": (2.2, 1.0), "multisport": (17.0, 3.0),
}  # fmt: skip


def _step_speeds(recording: Recording) -> FloatArray:
    """Return m/s between neighbouring positions, on a sphere."""
    points = recording.points.take(np.isfinite(recording.points.lat))
    lat, lng = np.radians(points.lat), np.radians(points.lng)
    east, north = np.diff(lng) * np.cos(lat[1:]), np.diff(lat)
    speeds: FloatArray = np.hypot(east, north) * 6_371_000.0 / np.diff(points.timestamp_s)
    return speeds


def test_speeds_are_believable(everything: list[tuple[Outing, Recording]]) -> None:
    """Neither the recorded speeds nor those between positions are beyond an amateur."""
    for outing, recording in everything:
        if np.isnan(recording.points.distance_m).all():
            continue
        fastest, slowest = _BELIEVABLE[RECIPES[outing.kind].sport]
        session = recording.sessions[2 if outing.kind == "triathlon" else 0]
        assert slowest < (session.average_speed_mps or 0.0) < fastest, outing
        assert np.nanmax(recording.points.velocity_mps) < fastest, outing
        between = _step_speeds(recording)
        assert len(between) == 0 or between.max() < fastest + 4.5, outing  # the noise of GPS


def test_positions_and_distance_agree(everything: list[tuple[Outing, Recording]]) -> None:
    """The way drawn on the map is as long as the distance recorded, but for noise and corners."""
    for outing, recording in everything:
        points = recording.points
        if np.isnan(points.lat).any() or outing.kind == "triathlon":
            continue
        drawn = float(np.sum(_step_speeds(recording) * np.diff(points.timestamp_s)))
        assert drawn == pytest.approx(points.distance_m[-1], rel=0.04), outing


def test_hearts_and_hills_are_believable(everything: list[tuple[Outing, Recording]]) -> None:
    """Heart rates, cadences, altitudes and temperatures stay in the range of people and places."""
    for outing, recording in everything:
        points = recording.points
        assert 45 <= points.heartrate_bpm.min() <= points.heartrate_bpm.max() <= 190, outing
        assert 75 < points.heartrate_bpm.mean() < 180, outing
        known = points.altitude_m[np.isfinite(points.altitude_m)]
        assert np.all((known > -5) & (known < 1800)), outing
        assert -5 <= points.temperature_c.min() <= points.temperature_c.max() <= 36, outing


def test_best_efforts_are_sensible(activities: dict[str, tuple[Activity, ...]]) -> None:
    """The bests over the classic distances are an amateur's, and consistent with one another."""
    bests: dict[str, float] = {}
    for whole, *_ in activities.values():
        for effort in whole.best_efforts if whole.sport_type == "Run" else ():
            known = bests.get(effort.name, effort.elapsed_time_s)
            bests[effort.name] = min(known, effort.elapsed_time_s)
    assert 19 * 60 < bests["5K"] < 23 * 60
    assert 40 * 60 < bests["10K"] < 48 * 60
    assert 92 * 60 < bests["Half-Marathon"] < 110 * 60
    assert 205 * 60 < bests["Marathon"] < 240 * 60
    assert bests["5K"] / 5 < bests["10K"] / 10 < bests["Half-Marathon"] / 21.1
    assert bests["Half-Marathon"] / 21.1 < bests["Marathon"] / 42.2


def test_the_athlete_gets_faster() -> None:
    """Three years of training show in the time over 5 km."""
    times = [recording.sessions[0].elapsed_time_s or 0.0 for _, recording in _of_kind("five")]
    third = len(times) // 3
    assert sum(times[-third:]) / third < 0.97 * sum(times[:third]) / third
