"""What `status` and `doctor` say of Strava."""

from pathlib import Path

from tests.sources import strava_place
from tests.upstream.quota import Limits
from tracklake import config, doctor, status
from tracklake.doctor import Finding


def test_status_tells_what_is_left_and_when_it_will_be_there(tmp_path: Path) -> None:
    """Details and points still to fetch, the day they will be there, and each quota window."""
    limits = Limits(read_quarter=20, read_day=30)
    with strava_place.opened(tmp_path, activities=30, points=20, limits=limits) as place:
        report = place.flow()
        assert report.enrich is not None
        assert report.enrich.parked is not None
        found = status.status(place.folders, "me", place.clock)
        strava = found["strava"]
        assert strava["activities"] == 30
        left = sum(strava["to_fetch"].values())
        assert left == strava["calls_left_to_make"] == report.enrich.left > 0
        read_day = next(
            window
            for window in strava["quota"]
            if (window["kind"], window["window_s"]) == ("read", 86_400)
        )
        assert (read_day["used"], read_day["limit"]) == (27, 30)
        assert strava["fetched_about"] > place.clock.now().isoformat()
        [session] = found["sessions"]
        assert session["state"] == "waiting_quota"
        assert "a day" in session["error"]


def test_status_of_somebody_without_strava_says_nothing_of_it(tmp_path: Path) -> None:
    """Who only has files is not told about quotas."""
    with strava_place.opened(tmp_path, activities=0) as place:
        place.pull()
        assert status.status(place.folders, "me", place.clock)["strava"] is None


def findings(place: strava_place.Place) -> list[Finding]:
    """Return what the doctor says of Strava."""
    settings, folders = place.load()
    return [one for one in doctor.examine(folders, settings) if one.subject == "strava"]


def test_the_doctor_looks_at_the_login(tmp_path: Path) -> None:
    """No application: nothing; no login: how to get one; a login: what it may not read."""
    with strava_place.opened(tmp_path, activities=1) as place:
        settings, folders = config.load(data_dir=tmp_path / "none", secrets_dir=tmp_path / "s")
        assert [one for one in doctor.examine(folders, settings) if one.subject == "strava"] == []
        [missing] = findings(place)
        assert not missing.is_well
        assert "make auth" in missing.advice
        place.log_in()
        assert [one.is_well for one in findings(place)] == [True]


def test_the_doctor_names_a_missing_permission(tmp_path: Path) -> None:
    """A login without the private activities says so."""
    with strava_place.opened(tmp_path, activities=1, scopes=("read", "activity:read")) as place:
        place.log_in()
        [found] = findings(place)
        assert not found.is_well
        assert "activity:read_all" in found.advice


def test_the_doctor_names_a_login_without_its_application(tmp_path: Path) -> None:
    """A token file alone cannot be refreshed."""
    with strava_place.opened(tmp_path, activities=1) as place:
        place.log_in()
        place.settings_given = {"strava_client_id": "", "strava_client_secret": ""}
        [found] = findings(place)
        assert "STRAVA_CLIENT_ID" in found.advice
