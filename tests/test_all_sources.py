"""One athlete at four services and with an inbox: one flow, one activity for each thing done."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources import strava_place
from tests.sources.strava_place import Place
from tests.upload_place import WRITE_SCOPES
from tests.upstream.clock import MovableClock
from tests.upstream.garmin import GarminUpstream, fit_of, zipped
from tests.upstream.intervals import IntervalsUpstream
from tests.upstream.smashrun import SmashrunUpstream

_FIRST = dt.datetime(2026, 10, 5, 5, 30, tzinfo=dt.UTC)
_SECONDS, _METRES = 3_600, 3.3 * 3_599
_NOT_ON_STRAVA = (3, 7)
_DAYS = 12


class Household(Place):
    """A place at all services, and what is true: the services that have each thing done."""

    garmin: GarminUpstream
    intervals: IntervalsUpstream
    smashrun: SmashrunUpstream
    truth: dict[dt.datetime, set[str]]


def began(day: float) -> dt.datetime:
    """Return when the run of a day began."""
    return _FIRST + dt.timedelta(days=day)


def on_garmin(place: Household, start: dt.datetime) -> int:
    """Let the watch bring an hour's run to Garmin."""
    number = place.garmin.record(
        start,
        distance=_METRES,
        duration=float(_SECONDS - 1),
        elapsedDuration=float(_SECONDS - 1),
        movingDuration=float(_SECONDS - 1),
        activityName="Ljubljana Running",
    )
    content = fit_of(start, _SECONDS)
    place.garmin.originals[number] = zipped(f"{number}_ACTIVITY.fit", content)
    place.truth.setdefault(start, set()).add("garmin")
    return number


def on_strava(place: Household, start: dt.datetime, garmin_id: int | None, **told: Any) -> int:
    """Let it come to Strava, which measures a little otherwise; the athlete gives it a name."""
    place.truth.setdefault(start, set()).add("strava")
    linked = {"external_id": f"garmin_ping_{garmin_id}"} if garmin_id else {"external_id": None}
    usual: dict[str, Any] = {
        "sport_type": "Run",
        "gps": False,
        "start": start + dt.timedelta(seconds=0 if garmin_id else 20),
        "elapsed_time": _SECONDS - 1,
        "moving_time": _SECONDS - 40,
        "distance": _METRES * (1 if garmin_id else 1.01),
        "name": f"My run of {start:%d.%m. %H:%M}",
        "kudos": 3,
    }
    return place.upstream.account.upload(**(usual | linked | told))


def on_intervals(place: Household, start: dt.datetime, garmin_id: int | None) -> str:
    """Let it come to intervals.icu, with the very file or without knowing whose it is."""
    place.truth.setdefault(start, set()).add("intervals")
    one = place.intervals.upload(
        start,
        type="Run",
        distance=_METRES,
        moving_time=_SECONDS - 2,
        elapsed_time=_SECONDS - 1,
        external_id=str(garmin_id) if garmin_id else None,
    )
    place.intervals.items[one].file = fit_of(start, _SECONDS)
    return one


def on_smashrun(place: Household, start: dt.datetime, **told: Any) -> int:
    """Let it come to SmashRun."""
    place.truth.setdefault(start, set()).add("smashrun")
    usual: dict[str, Any] = {"distance_km": _METRES / 1000, "gps": False}
    usual["duration_s"] = float(_SECONDS - 2)
    return place.smashrun.upload(start, **(usual | told))


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Household]:
    """Open all services on one clock, with a login at each."""
    clock = MovableClock(tick_s=0.001)
    with (
        strava_place.opened(
            folder, activities=0, points=20, scopes=WRITE_SCOPES, clock=clock
        ) as plain,
        GarminUpstream(clock=clock) as garmin,
        IntervalsUpstream(clock=clock) as intervals,
        SmashrunUpstream(clock=clock) as smashrun,
    ):
        clock.move_to(began(_DAYS + 2))
        place = Household(folder, plain.upstream)
        place.garmin, place.intervals, place.smashrun = garmin, intervals, smashrun
        place.truth = {}
        place.settings_given = {
            "garmin_personal_api_key": "personal-key-of-a-test",
            "garmin_personal_api_base_url": garmin.url,
            "intervals_api_key": intervals.key,
            "intervals_api_url": intervals.api_url,
            "smashrun_access_token": smashrun.tokens.personal(clock.now()),
            "smashrun_api_url": smashrun.api_url,
            "smashrun_oauth_url": smashrun.oauth_url,
        }
        yield place


def lived(place: Household) -> None:
    """Do what an athlete does in twelve days, whose services know of one another only at times."""
    for day in range(_DAYS):
        start = began(day)
        number = on_garmin(place, start)
        linked = number if day % 2 else None
        if day not in _NOT_ON_STRAVA:
            strava_id = on_strava(place, start, linked)
        if day % 3 == 0:
            on_intervals(place, start, linked)
        elif day not in _NOT_ON_STRAVA:
            place.intervals.stub(start + dt.timedelta(hours=2), strava_id)
            place.truth[start].add("intervals")
        if day % 4 != 2:
            on_smashrun(place, start, externalId=number if day % 2 else None)
    evening = began(5.5)  # a second run of the same length on that day
    on_strava(place, evening, on_garmin(place, evening))
    typed = began(8.4)
    on_strava(place, typed, None, manual=True, sport_type="Yoga", distance=0.0)


def found(place: Household) -> dict[dt.datetime, set[str]]:
    """Return what gold says: the sources of each activity by its start to the minute."""
    rows = place.query("select start_date, sources from activities")
    assert len(rows) == len({row["start_date"] for row in rows})
    return {row["start_date"].replace(second=0, microsecond=0): set(row["sources"]) for row in rows}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """Return a household after its first flow."""
    with opened(tmp_path_factory.mktemp("household")) as place:
        lived(place)
        place.flow()
        yield place


def test_each_thing_done_is_one_activity(place: Household) -> None:
    """Fourteen things were done; each has exactly the sources that know of it."""
    assert found(place) == place.truth
    assert len(place.truth) == _DAYS + 2


def test_each_field_comes_from_the_best_and_says_so(place: Household) -> None:
    """The name is the athlete's on Strava, the distance the device's; both say where from."""
    for row in place.query("from activities where list_contains(sources, 'garmin')"):
        on_strava = "strava" in row["sources"]
        assert row["distance"] == pytest.approx(_METRES, rel=1e-6)
        assert row["name"].startswith("My run") == on_strava
        assert row["kudos_count"] == (3 if on_strava else None)
        told = row["field_sources"]
        assert told["distance"] == "garmin"
        assert told["name"] == ("strava" if on_strava else "garmin")
        assert row["point_count"] == _SECONDS


def test_nothing_is_fetched_or_landed_twice(place: Household) -> None:
    """Another flow reads the lists, fetches no file, no detail, and gold stays as it is."""
    place.advance(hours=2)
    before, files = found(place), place.bronze_files().keys()
    services = (place.upstream, place.garmin, place.intervals, place.smashrun)
    counts = [len(one.calls) for one in services]
    place.flow()
    more = [len(one.calls) - count for one, count in zip(services, counts, strict=True)]
    assert max(more) <= 4, more
    assert found(place) == before
    assert place.bronze_files().keys() == files


def test_a_rebuild_says_the_same(place: Household) -> None:
    """Matching from bronze alone gives the same activities, ids and doubts."""
    report = place.compact(rebuild=True, verify=True)
    assert report.verified["activities"] == _DAYS + 2


def test_strava_gets_what_it_lacks_and_nothing_else(tmp_path: Path) -> None:
    """Of all runs two are not on Strava: those go, as Garmin's FIT; a later flow sends nothing."""
    with opened(tmp_path) as place:
        lived(place)
        place.settings_given["upload"] = True
        before = place.upstream.visible_set()
        place.flow()
        place.advance(hours=3)
        place.flow()
        sent = place.upstream.uploads.taken()
        assert sent == {fit_of(began(day), _SECONDS): 1 for day in _NOT_ON_STRAVA}
        new = place.upstream.visible_set() - before
        assert len(new) == len(_NOT_ON_STRAVA)
        for day in _NOT_ON_STRAVA:
            place.truth[began(day)].add("strava")
        assert found(place) == place.truth
        place.advance(days=1)
        place.flow()
        assert place.upstream.uploads.taken() == sent


def test_ids_stay_when_services_join_one_after_the_other(tmp_path: Path) -> None:
    """SmashRun first, then Garmin, intervals.icu, Strava: what was there keeps its id."""
    with opened(tmp_path) as place:
        lived(place)
        ids: dict[dt.datetime, int] = {}
        for source in ("smashrun", "garmin", "intervals", "strava"):
            given = dict(place.settings_given)
            place.settings_given |= {"sources": (source,)}
            place.flow()
            place.settings_given = given
            place.advance(hours=1)
            rows = place.query("select id, start_date from activities")
            now = {row["start_date"].replace(second=0): row["id"] for row in rows}
            assert {at: now[at] for at in ids} == ids, source
            ids = now
        assert found(place) == place.truth


def test_a_service_that_is_forgotten_takes_only_its_own(tmp_path: Path) -> None:
    """Without Garmin the others' records stay, and what only Garmin had is gone."""
    with opened(tmp_path) as place:
        lived(place)
        place.flow()
        from tests.test_forgetting import run_forget

        run_forget(place, "garmin")
        left = {at: known - {"garmin"} for at, known in place.truth.items()}
        assert found(place) == {at: known for at, known in left.items() if known}
