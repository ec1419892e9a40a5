"""The simulator as a process of its own, controlled over HTTP."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.upstream.control import KINDS, ControlledStrava

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def upstream() -> Iterator[ControlledStrava]:
    with ControlledStrava(activities=5) as running:
        yield running


def control(url: str, action: str, **given: object) -> dict[str, object]:
    answer = requests.post(f"{url}/control/{action}", json=given, timeout=10)
    assert answer.ok, answer.text
    found: dict[str, object] = answer.json()
    return found


def listing(upstream: ControlledStrava) -> requests.Response:
    headers = {"Authorization": f"Bearer {upstream.access_token()}"}
    return requests.get(f"{upstream.api_url}/athlete/activities", headers=headers, timeout=10)


def test_the_account_changes_on_demand(upstream: ControlledStrava) -> None:
    """Uploads, edits, kudos and deletions by control are what the service shows; none is logged."""
    number = control(upstream.url, "upload", sport_type="Ride", name="Remote")["id"]
    control(upstream.url, "edit", id=number, name="Renamed")
    control(upstream.url, "kudos", id=number, more=2)
    row = listing(upstream).json()[0]
    assert (row["id"], row["name"], row["kudos_count"]) == (number, "Renamed", 2)
    control(upstream.url, "delete", id=number)
    visible = requests.get(f"{upstream.url}/control/visible", timeout=10).json()
    assert number not in visible
    assert len(visible) == 5
    calls = requests.get(f"{upstream.url}/control/calls", timeout=10).json()
    assert [call["line"] for call in calls] == ["1 GET /api/v3/athlete/activities 200"]


def test_faults_and_time_on_demand(upstream: ControlledStrava) -> None:
    """A fault planned by control happens as planned, and the clock moves as told."""
    control(upstream.url, "fault", kind="Observed", arguments={"error": "overall"}, times=1)
    control(upstream.url, "fault", kind="nulls", path="activities$")
    before = upstream.clock.now()
    control(upstream.url, "advance", seconds=90)
    assert (upstream.clock.now() - before).total_seconds() == 90
    assert [listing(upstream).status_code for _ in range(2)] == [429, 200]
    control(upstream.url, "clear")
    assert None not in [row["distance"] for row in listing(upstream).json()]


def test_nonsense_is_refused(upstream: ControlledStrava) -> None:
    """An unknown action, id or fault is answered 400 and breaks nothing."""
    for action, given in (("fly", {}), ("delete", {"id": 1}), ("fault", {"kind": "Rain"})):
        answer = requests.post(f"{upstream.url}/control/{action}", json=given, timeout=10)
        assert answer.status_code == 400
    assert listing(upstream).ok
    assert {"Refuse", "GzipBomb", "Html", "SamePage", "nulls"} <= set(KINDS)


def test_by_hand() -> None:
    """`python -m tests.upstream` prints the settings of a client, and with them it answers."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.upstream", "--activities", "3", "--seed", "1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        pairs = (line.removeprefix("export ").strip().split("=", 1) for line in lines[:5])
        settings = dict(pairs)
        form = {
            "client_id": settings["STRAVA_CLIENT_ID"],
            "client_secret": settings["STRAVA_CLIENT_SECRET"],
            "refresh_token": settings["STRAVA_REFRESH_TOKEN"],
            "grant_type": "refresh_token",
        }
        pair = requests.post(f"{settings['STRAVA_OAUTH_URL']}/token", data=form, timeout=10).json()
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        page = f"{settings['STRAVA_API_URL']}/athlete/activities"
        rows = requests.get(page, headers=headers, timeout=10).json()
        process.terminate()
    assert len(rows) == 3
