"""The simulated Strava against the specification and the recordings of the real one."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.upstream.activities import TEMPLATES
from tests.upstream.specification import Specification
from tests.upstream.strava import StravaUpstream

CONTRACTS = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "strava"
ALWAYS = {
    "resource_state", "athlete", "name", "distance", "moving_time", "elapsed_time",
    "total_elevation_gain", "type", "sport_type", "id", "start_date", "start_date_local",
    "timezone", "utc_offset", "location_city", "location_state", "location_country",
    "achievement_count", "kudos_count", "comment_count", "athlete_count", "photo_count", "map",
    "trainer", "commute", "manual", "private", "visibility", "flagged", "gear_id", "start_latlng",
    "end_latlng", "average_speed", "max_speed", "has_heartrate", "heartrate_opt_out",
    "display_hide_heartrate_option", "elev_high", "elev_low", "upload_id", "upload_id_str",
    "external_id", "from_accepted_tag", "pr_count", "total_photo_count", "has_kudoed",
}  # fmt: skip
ALL_KEYS = (
    "time,distance,latlng,altitude,velocity_smooth,heartrate,cadence,watts,temp,moving,grade_smooth"
)
# path, definition, a list of it?, recordings of the same answer
ANSWERS = [
    ("/athlete", "DetailedAthlete", False, ["athlete"]),
    ("/athlete/activities", "SummaryActivity", True,
     ["athlete_activities", "all_athlete_activities"]),
    ("/activities/{id}", "DetailedActivity", False,
     ["activity", "activity_ride", "create_activity"]),
    ("/activities/{id}/laps", "Lap", True, ["activity_laps"]),
    ("/activities/{id}/zones", "ActivityZone", True, ["activity_zones"]),
    ("/activities/{id}/kudos", "SummaryAthlete", True, ["activity_kudos"]),
    ("/gear/g1001", "DetailedGear", False, ["gear"]),
    ("/gear/b2001", "DetailedGear", False, ["gear"]),
    ("/athletes/4007/stats", "ActivityStats", False, ["athlete_stats"]),
    (f"/activities/{{id}}/streams?key_by_type=true&keys={ALL_KEYS}", "StreamSet", False,
     ["activity_streams", "segment_streams_keys"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def contracts() -> Path:
    """Return the folder of recordings; without it CI fails and others are told."""
    if not CONTRACTS.is_dir():
        message = f"the recordings of the services are not at {CONTRACTS}"
        if os.environ.get("CI"):  # noqa: TID251 tests may ask whether they run in CI
            pytest.fail(message)
        pytest.skip(f"NOT HELD AGAINST THE RECORDINGS: {message}")
    return CONTRACTS


@pytest.fixture
def upstream() -> Iterator[StravaUpstream]:
    with StravaUpstream(activities=30) as running:
        yield running


def bodies(contracts: Path, name: str) -> list[Any]:
    text = (contracts / "recorded" / f"{name}.json").read_text("utf-8")
    return [exchange["response"]["body"] for exchange in json.loads(text)["interactions"]]


def recorded(contracts: Path, name: str) -> Any:
    return bodies(contracts, name)[0]


def ask(upstream: StravaUpstream, path: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {upstream.access_token()}"}
    return requests.get(upstream.api_url + path, headers=headers, timeout=10)


@pytest.mark.parametrize(("path", "definition", "many", "names"), ANSWERS)
def test_breaks_the_specification_only_where_the_real_service_does(
    upstream: StravaUpstream,
    contracts: Path,
    path: str,
    definition: str,
    many: bool,
    names: list[str],
) -> None:
    """Every answer has the types of the specification, but for what recordings break as well."""
    spec = Specification(contracts / "spec" / "strava-swagger-bundled.fixed.json")
    real: set[str] = set()
    for name in names:
        for body in bodies(contracts, name):
            real |= spec.mistakes(body, definition, many=many)
    for activity_id in upstream.account.items if "{id}" in path else [0]:
        answer = ask(upstream, path.format(id=activity_id))
        if upstream.account.items and answer.status_code == 404:
            assert "streams" in path  # a manual entry
            continue
        assert spec.mistakes(answer.json(), definition, many=many) <= real


def test_the_checker_sees_wrong_types(contracts: Path) -> None:
    """The checker finds a wrong type in a nested part, in a list, and a word not in a list."""
    spec = Specification(contracts / "spec" / "strava-swagger-bundled.fixed.json")
    wrong = {"id": "1", "distance": True, "sport_type": "Polo", "laps": [{"distance": "far"}]}
    assert spec.mistakes(wrong, "DetailedActivity") == {
        "DetailedActivity.id: str is no integer",
        "DetailedActivity.distance: bool is no number",
        "DetailedActivity.sport_type: 'Polo' is not in the list",
        "DetailedActivity.laps[].distance: str is no number",
    }


def test_summaries_have_the_recorded_fields(upstream: StravaUpstream, contracts: Path) -> None:
    """A listed activity has every field that was always there, and none that was never seen."""
    seen = {name for row in recorded(contracts, "athlete_activities") for name in row}
    seen |= set(json.loads((contracts / "models" / "detailed_activities_ride.json").read_text()))
    for row in ask(upstream, "/athlete/activities").json():
        assert set(row) >= ALWAYS
        assert set(row) <= seen | {"device_name"}


def test_details_have_the_recorded_fields(upstream: StravaUpstream, contracts: Path) -> None:
    """A run's detail, laps, splits, efforts and map have exactly the fields of the recorded one."""
    real = recorded(contracts, "activity")
    activity_id = upstream.account.upload(sport_type="Run", distance=12_000.0)
    upstream.account.items[activity_id].seed = 3  # three segment efforts
    shown = ask(upstream, f"/activities/{activity_id}?include_all_efforts=true").json()
    assert set(shown) == set(real) | {"average_cadence", "average_temp"}
    assert set(shown["map"]) == set(real["map"])
    for part in ("laps", "splits_metric", "splits_standard", "best_efforts", "segment_efforts"):
        assert {name for row in shown[part] for name in row} == set(real[part][0]), part


def test_templates_are_the_recorded_answers(contracts: Path) -> None:
    """What the simulator answers from has the fields and the error bodies of the recordings."""
    assert set(TEMPLATES["summary"]) == set(recorded(contracts, "athlete_activities")[0])
    assert set(TEMPLATES["token"]) == set(recorded(contracts, "token_refresh_token"))
    known = json.loads((contracts / "errors_observed.json").read_text("utf-8"))["items"]
    bodies = [(item["status"], item["body"]) for item in known]
    for name, found in TEMPLATES["errors"].items():
        assert (found["status"], found["body"]) in bodies, name


def test_tokens_have_the_recorded_fields(upstream: StravaUpstream, contracts: Path) -> None:
    """A refresh answers with the recorded fields, an exchanged code with the athlete as well."""
    form = {
        "client_id": upstream.tokens.client_id,
        "client_secret": upstream.tokens.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": upstream.tokens.refresh_token,
    }
    real = recorded(contracts, "token_refresh_token")
    answer = requests.post(f"{upstream.oauth_url}/token", data=form, timeout=10).json()
    assert {name: type(value) for name, value in answer.items()} == {
        name: type(value) for name, value in real.items()
    }
    code = upstream.tokens.issue_code({"read"})
    form |= {"grant_type": "authorization_code", "code": code}
    answer = requests.post(f"{upstream.oauth_url}/token", data=form, timeout=10).json()
    real = recorded(contracts, "token_authorization_code")
    assert set(answer) == set(real)
    assert set(answer["athlete"]) == set(real["athlete"])


def test_quota_headers_are_where_the_recordings_have_them(
    upstream: StravaUpstream, contracts: Path
) -> None:
    """The four headers are spelt as recorded and are absent from streams, as recorded."""
    text = (contracts / "recorded" / "activity.json").read_text("utf-8")
    real = json.loads(text)["interactions"][0]["response"]["headers"]
    names = {name for name in real if "limit" in name.lower()}
    activity_id = upstream.account.upload(sport_type="Run")
    shown = ask(upstream, f"/activities/{activity_id}").headers
    assert {name for name in shown if "limit" in name.lower()} == names
    streams = ask(upstream, f"/activities/{activity_id}/streams").headers
    assert not [name for name in streams if "limit" in name.lower()]
