"""From Garmin to Strava: the file is fetched, unpacked and sent, of what Strava lacks."""

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.garmin_place import KEY
from tests.sources.strava_place import Place, opened
from tests.upload_place import WRITE_SCOPES, posts, states
from tests.upstream.garmin import POINTS, GarminUpstream, triathlon
from tracklake.identity import bytes_hash
from tracklake.uploads.candidates import STILL_TO_COME

STARTS = dt.datetime(2026, 11, 10, 7, 0, 41, tzinfo=dt.UTC)
TOLD: dict[str, Any] = {"sport_type": "Run", "gps": False, "distance": 3.3 * (POINTS - 1)}
TOLD |= {"elapsed_time": POINTS - 1, "moving_time": POINTS - 2}


@pytest.fixture
def garmin() -> Iterator[GarminUpstream]:
    """Return Garmin, where nothing is recorded yet."""
    with GarminUpstream() as upstream:
        yield upstream


@pytest.fixture
def place(tmp_path: Path, garmin: GarminUpstream) -> Iterator[Place]:
    """Return a place of somebody who has Garmin and Strava, and nothing there yet."""
    with opened(tmp_path, activities=0, points=5, scopes=WRITE_SCOPES) as found:
        garmin.clock = found.clock
        found.settings_given |= {"garmin_personal_api_key": KEY, "upload": "on"}
        found.settings_given |= {"garmin_personal_api_base_url": garmin.url}
        found.settings_given |= {"backup": "off", "weather": "off"}
        yield found


def on_day(number: int) -> dt.datetime:
    """Return the start of a day's run."""
    return STARTS + dt.timedelta(days=number)


def unzipped(garmin: GarminUpstream, number: int) -> bytes:
    """Return the FIT file that Garmin has of an activity."""
    with zipfile.ZipFile(io.BytesIO(garmin.originals[number] or b"")) as archive:
        [name] = archive.namelist()
        return archive.read(name)


def sent(place: Place) -> dict[str, bytes]:
    """Return what came to Strava, by the name that it was given."""
    uploads = place.upstream.uploads.uploads.values()
    return {one.fields["external_id"]: one.content for one in uploads}


def test_garmins_files_go_to_strava_as_fit(place: Place, garmin: GarminUpstream) -> None:
    """Two runs of Garmin's become two activities of Strava's, and one each here, whose ids stay.

    The next flows send nothing.
    """
    files = [unzipped(garmin, garmin.record(on_day(number))) for number in range(2)]
    report = place.flow()
    assert report.upload is not None
    assert report.upload.came == {"done": 2}
    assert sent(place) == {f"tracklake-{bytes_hash(one)[:32]}": one for one in files}
    ids = place.gold_ids()
    place.make_reconcile_due()
    place.flow()
    rows = place.query("select id, sources from activities order by id")
    assert {row["id"] for row in rows} == ids
    assert [row["sources"] for row in rows] == [["garmin", "strava"]] * 2
    place.flow()
    assert len(posts(place)) == 2
    assert place.upstream.quota_violations == 0


def test_only_what_strava_lacks_goes(place: Place, garmin: GarminUpstream) -> None:
    """Of four runs one goes: the others are there by name, by what they are, or have no file."""
    numbers = [garmin.record(on_day(number)) for number in range(3)]
    garmin.enter_by_hand(on_day(3))
    named = {**TOLD, "external_id": f"garmin_push_{numbers[0]}"}
    place.upstream.account.upload(on_day(0) + dt.timedelta(hours=3, minutes=7), **named)
    place.upstream.account.upload(on_day(1) + dt.timedelta(seconds=40), **TOLD)
    report = place.flow()
    assert report.upload is not None
    assert report.upload.came == {"done": 1}
    assert report.upload.kept == {"on Strava": 2, "entered by hand": 1}
    assert list(sent(place).values()) == [unzipped(garmin, numbers[2])]


def test_a_file_that_is_still_to_come_is_waited_for(place: Place, garmin: GarminUpstream) -> None:
    """Garmin has a run and not yet its file: it is said, and goes when a pull has brought it."""
    number = garmin.record(on_day(0))
    whole = garmin.originals[number]
    garmin.originals[number] = b""
    report = place.flow()
    assert report.upload is not None
    assert report.upload.kept == {STILL_TO_COME: 1}
    assert STILL_TO_COME in report.upload.lines()[1]
    garmin.originals[number] = whole
    for _ in range(3):
        place.advance(days=1)
        place.flow()
    assert list(sent(place).values()) == [unzipped(garmin, number)]
    assert set(states(place).values()) == {"done"}


def test_an_outing_of_several_sports_is_left_to_a_person(
    place: Place, garmin: GarminUpstream
) -> None:
    """Garmin lists a whole and its legs, one file: nothing goes, and it says why."""
    triathlon(garmin, on_day(0))
    report = place.flow()
    assert report.upload is not None
    assert report.upload.kept == {"with several activities in one file": 1}
    assert posts(place) == []
