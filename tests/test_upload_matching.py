"""What is one activity decides what goes to Strava: not that two begin at about the same time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.inbox import fit_bytes
from tests.sources.strava_place import Place
from tests.upload_place import (
    began,
    copied_place,
    fetch,
    posts,
    put,
    states,
    synced,
    upload,
    upload_place,
    wanted,
)
from tracklake import deciding
from tracklake.errors import ConfigError
from tracklake.uploads.candidates import MAY_BE_ANOTHER, MAY_BE_THERE

MINUTE = 1 / 1440  # of a day
POINTS = 1_800  # half an hour


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the file of a run of half an hour; nobody writes there."""
    folder = tmp_path_factory.mktemp("ready")
    with upload_place(folder, days=()) as place:
        put(place, "run.fit", fit_bytes(3, POINTS))
        fetch(place)
        return folder


@pytest.fixture
def place(ready: Path, tmp_path: Path) -> Iterator[Place]:
    """Return a place with the file of a run of half an hour that Strava lacks."""
    with copied_place(ready, tmp_path) as found:
        yield found


RIDE = {"sport_type": "Ride", "distance": 25_000.0, "elapsed_time": 3_600, "moving_time": 3_500}
OTHERS: dict[str, dict[str, Any]] = {
    "a ride that ends two minutes into the run": {**RIDE, "start": began(3 - 58 * MINUTE)},
    "a ride that ended ten minutes before the run": {**RIDE, "start": began(3 - 70 * MINUTE)},
    "a ride that begins with the run's last minute": {**RIDE, "start": began(3 + 29 * MINUTE)},
    "a short ride that began ten minutes before the run": {
        **RIDE,
        "start": began(3 - 10 * MINUTE),
        "elapsed_time": 590,
        "moving_time": 590,
    },
    "a run of the same evening, half as long": {
        "start": began(3 + 60 * MINUTE),
        "elapsed_time": 900,
        "moving_time": 899,
        "distance": 2_970.0,
    },
}
TWINS: dict[str, dict[str, Any]] = {
    "its own sync": {},
    "another device, 40 s later and 1 % longer": {
        "start": began(3 + 40 / 86_400),
        "distance": 5_996.0,
        "elapsed_time": 1_812,
        "moving_time": 1_790,
    },
    "a clock of another zone": {"start": began(3 + 120 * MINUTE)},
    "a hidden start": {"start": began(3).replace(hour=0, minute=0, second=1)},
}


DOUBTFUL: dict[str, Any] = {
    "start": began(3 + 8 * MINUTE),
    "elapsed_time": 2_000,
    "moving_time": 1_990,
    "distance": 6_600.0,
}


@pytest.mark.parametrize("pulled", [True, False], ids=["pulled", "came since"])
@pytest.mark.parametrize("what", sorted(OTHERS))
def test_another_activity_of_that_time_keeps_nothing_back(
    place: Place, what: str, pulled: bool
) -> None:
    """What overlaps a little, or begins ten minutes apart, is another activity: the run goes."""
    synced(place, 3, POINTS, **OTHERS[what])
    if pulled:
        fetch(place)
    assert upload(place).came == {"done": 1}
    assert {one.content for one in place.upstream.uploads.uploads.values()} == {
        fit_bytes(3, POINTS)
    }


@pytest.mark.parametrize("what", sorted(TWINS))
def test_the_same_activity_is_known_by_the_warehouse(place: Place, what: str) -> None:
    """Strava has it otherwise measured, in another zone or with a hidden start: no call at all."""
    there = synced(place, 3, POINTS, **TWINS[what])
    fetch(place)
    before = len(place.upstream.calls)
    assert upload(place).kept == {"on Strava": 1}
    assert len(place.upstream.calls) == before
    assert place.state("select state, activity_id from uploads") == [("there", str(there))]


@pytest.mark.parametrize("what", sorted(TWINS))
def test_the_same_activity_that_came_since_is_seen_by_looking(place: Place, what: str) -> None:
    """It came to Strava after the pull: nothing is sent, and the ledger names it."""
    there = synced(place, 3, POINTS, **TWINS[what])
    assert upload(place).came == {"there": 1}
    assert posts(place) == []
    assert place.state("select state, activity_id from uploads") == [("there", str(there))]


def test_what_may_be_on_strava_stays_until_that_is_known(place: Place) -> None:
    """A doubt keeps it here, before the pull and after it; that it is another one lets it go."""
    doubtful = synced(place, 3, POINTS, **DOUBTFUL)
    report = upload(place)
    assert (posts(place), report.kept, report.left) == ([], {MAY_BE_THERE: 1}, 0)
    assert MAY_BE_THERE in "\n".join(report.lines())
    fetch(place)
    report = upload(place, dry_run=True)
    assert report.kept == {MAY_BE_THERE: 1}
    assert any(MAY_BE_THERE in line and "2024-05-03" in line for line in report.lines())
    place.upstream.account.edit(doubtful, start=began(9))
    fetch(place)
    assert upload(place).came == {"done": 1}


def test_a_doubt_about_what_is_gone_keeps_it_here(place: Place) -> None:
    """What may be the activity that the athlete deleted on Strava does not go there again."""
    doubtful = synced(place, 3, POINTS, **DOUBTFUL)
    fetch(place)
    place.upstream.account.delete(doubtful)
    fetch(place)
    assert upload(place).kept == {"may be what was deleted on Strava": 1}
    assert posts(place) == []


def test_what_came_since_is_the_one_that_it_fits_best(place: Place) -> None:
    """The way home is as long as the way to work, and Strava just got one of them.

    The other one is left for the next pull to say, and then goes.
    """
    put(place, "home.fit", fit_bytes(3 + 480 * MINUTE, POINTS))
    fetch(place)
    home = synced(place, 3 + 480 * MINUTE, POINTS)
    report = upload(place)
    assert (report.came, report.kept) == ({"there": 1}, {MAY_BE_THERE: 1})
    assert place.state("select activity_id from uploads where state = 'there'") == [(str(home),)]
    fetch(place)
    assert upload(place).came == {"done": 1}
    assert [one.content for one in place.upstream.uploads.uploads.values()] == [
        fit_bytes(3, POINTS)
    ]


def test_an_upload_of_ours_is_nobody_elses(place: Place) -> None:
    """Two runs alike but for their hour go both, although Strava lists the first at the second."""
    put(place, "home.fit", fit_bytes(3 + 480 * MINUTE, POINTS))
    fetch(place)
    assert upload(place).came == {"done": 2}
    assert set(states(place)) == wanted(place)


def test_what_looked_the_same_and_turns_out_to_be_another_goes(place: Place) -> None:
    """Strava's, seen before a pull brought it, was moved to its true day: the ledger is not law."""
    wrong = synced(place, 3, POINTS)
    assert upload(place).came == {"there": 1}
    place.upstream.account.edit(wrong, start=began(9))
    fetch(place)
    assert upload(place).came == {"done": 1}


def test_what_the_athlete_parts_goes(place: Place) -> None:
    """Said to be one with what Strava has, and to be another after all: it goes, look or not."""
    there = synced(place, 3, POINTS, **TWINS["a clock of another zone"])
    fetch(place)
    assert upload(place).kept == {"on Strava": 1}
    with place.session() as session:
        deciding.split(session, f"strava/{there}")
    place.compact()
    assert upload(place).came == {"done": 1}
    fetch(place)
    assert upload(place).kept == {"uploaded before": 1}


def test_what_the_athlete_puts_together_is_one_upload(place: Place) -> None:
    """Watch and bike computer are in doubt; once they are one, the file that says more goes."""
    put(place, "watch.fit", fit_bytes(3, POINTS - 200))
    fetch(place)
    assert upload(place, dry_run=True).kept == {MAY_BE_ANOTHER: 1}
    [pair] = place.query("from duplicate_candidates")
    with place.session() as session:
        deciding.merge(session, str(pair["first_activity_id"]), str(pair["second_activity_id"]))
    place.compact()
    report = upload(place)
    assert (report.came, report.kept) == ({"done": 1}, {})
    assert [one.content for one in place.upstream.uploads.uploads.values()] == [
        fit_bytes(3, POINTS)
    ]


def test_an_old_warehouse_says_so(place: Place) -> None:
    """Pulled and not compacted: it decides by what it knows, looks before sending, and says so."""
    synced(place, 3, POINTS)
    place.upstream.account.upload()
    place.pull()
    report = upload(place)
    assert report.came == {"there": 1}
    assert "tracklake compact" in report.lines()[-1]


@pytest.mark.parametrize("known", [True, False], ids=["old warehouse", "none"])
def test_strava_s_list_has_to_be_in_the_warehouse(tmp_path: Path, known: bool) -> None:
    """Read to its end and not compacted: a sentence names what to run, and nothing is asked."""
    with upload_place(tmp_path, days=(1,)) as place:
        synced(place, 1)
        place.reconcile()
        if not known:
            place.folders.warehouse.unlink()
        before = len(place.upstream.calls)
        with pytest.raises(ConfigError, match="make recompact"):
            upload(place)
        assert len(place.upstream.calls) == before


def test_a_closed_year_in_one_file_is_known(place: Place) -> None:
    """Shards that were rolled up, and their rollup, are in the warehouse: nothing is behind."""
    synced(place, 3, POINTS)
    fetch(place)
    for _ in range(6):
        synced(place, 300)
        fetch(place)
    place.advance(days=400)
    place.compact()
    assert list(place.folders.bronze.rglob("rollup-*.parquet"))
    report = upload(place)
    assert report.kept == {"on Strava": 1}
    assert not report.is_behind


def test_a_source_that_is_not_exported_is_not_uploaded(place: Place) -> None:
    """TRACKLAKE_NOT_EXPORTED holds for Strava too."""
    place.settings_given["not_exported"] = "files"
    assert upload(place).kept == {"of a source that TRACKLAKE_NOT_EXPORTED names": 1}
    assert posts(place) == []
