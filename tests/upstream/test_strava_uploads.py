"""The simulated Strava takes files as the recordings and the specification of the real one say."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sources.inbox import fit_bytes
from tests.upstream import uploads
from tests.upstream.specification import Specification
from tests.upstream.strava import StravaUpstream
from tests.upstream.tokens import ALL_SCOPES

CONTRACTS = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "strava"


@pytest.fixture
def upstream() -> Iterator[StravaUpstream]:
    with StravaUpstream(scopes=(*ALL_SCOPES, "activity:write")) as running:
        yield running


@pytest.fixture(scope="module")
def contracts() -> Path:
    """Return the folder of recordings; without it CI fails and others are told."""
    if not CONTRACTS.is_dir():
        message = f"the recordings of the services are not at {CONTRACTS}"
        if os.environ.get("CI"):  # noqa: TID251 tests may ask whether they run in CI
            pytest.fail(message)
        pytest.skip(f"NOT HELD AGAINST THE RECORDINGS: {message}")
    return CONTRACTS


def post(upstream: StravaUpstream, content: bytes, **fields: str) -> requests.Response:
    """Send a file the way a browser does."""
    return requests.post(
        f"{upstream.api_url}/uploads",
        headers={"Authorization": f"Bearer {upstream.access_token()}"},
        data={"data_type": "fit", "external_id": "abc"} | fields,
        files={"file": ("x.fit", content)},
        timeout=10,
    )


def ask(upstream: StravaUpstream, number: int) -> dict[str, Any]:
    """Ask what became of an upload."""
    headers = {"Authorization": f"Bearer {upstream.access_token()}"}
    answer = requests.get(f"{upstream.api_url}/uploads/{number}", headers=headers, timeout=10)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def recorded(contracts: Path, name: str) -> list[dict[str, Any]]:
    """Return the bodies of a recording."""
    text = (contracts / "recorded" / f"{name}.json").read_text("utf-8")
    return [exchange["response"]["body"] for exchange in json.loads(text)["interactions"]]


def test_an_upload_ends_as_recorded(upstream: StravaUpstream, contracts: Path) -> None:
    """201 and processing, then an activity under the file's name: the recorded bodies' shape."""
    began, waiting, ready = recorded(contracts, "create_upload")
    taken = post(upstream, fit_bytes(1))
    assert taken.status_code == 201
    spec = Specification(contracts / "spec" / "strava-swagger-bundled.fixed.json")
    first, second = taken.json(), ask(upstream, taken.json()["id"])
    upstream.clock.advance(8)
    last = ask(upstream, first["id"])
    for mine, real in ((first, began), (second, waiting), (last, ready)):
        assert spec.mistakes(mine, "Upload") == set()
        assert mine.keys() == real.keys()
        assert mine["status"] == real["status"]
        assert {k: type(v) for k, v in mine.items()} == {k: type(v) for k, v in real.items()}
    assert last["external_id"] == "abc.fit"
    assert upstream.account.truth(last["activity_id"])["external_id"] == "abc.fit"


@pytest.mark.parametrize("words", ["id", "html"])
def test_a_second_one_is_a_duplicate(upstream: StravaUpstream, contracts: Path, words: str) -> None:
    """The same time again: 200 with the recorded status and an error that names the first."""
    upstream.uploads.words = words
    upstream.uploads.processing_s = 0
    first = ask(upstream, post(upstream, fit_bytes(1)).json()["id"])
    told = ask(upstream, post(upstream, fit_bytes(1), external_id="other").json()["id"])
    real = recorded(contracts, "create_upload_file_with_error")[-1]
    assert told["status"] == real["status"]
    assert told["activity_id"] is None
    assert "duplicate of " in told["error"]
    assert str(first["activity_id"]) in told["error"]
    assert ("<a href" in told["error"]) == (words == "html")
    assert len(upstream.account.items) == 1


def test_deleted_since(upstream: StravaUpstream) -> None:
    """An upload whose activity was deleted says so."""
    upstream.uploads.processing_s = 0
    found = ask(upstream, post(upstream, fit_bytes(1)).json()["id"])
    upstream.account.delete(found["activity_id"])
    assert ask(upstream, found["id"])["status"] == uploads.DELETED


def test_what_is_not_taken(upstream: StravaUpstream) -> None:
    """Empty, of no kind, too large, without the permission: refused before a number is given."""
    assert post(upstream, b"").status_code == 400
    assert post(upstream, b"x", data_type="kml").status_code == 400
    assert post(upstream, b"x" * (uploads.MOST_BYTES + 1)).status_code == 413
    upstream.tokens.reduce(ALL_SCOPES)
    refused = post(upstream, fit_bytes(1))
    assert (refused.status_code, refused.json()) == (401, uploads.WRITE_MISSING)
    assert upstream.uploads.uploads == {}


def test_no_activity_in_it(upstream: StravaUpstream) -> None:
    """What cannot be read is told by the second question."""
    upstream.uploads.processing_s = 0
    found = ask(upstream, post(upstream, b"no activity").json()["id"])
    assert (found["status"], found["activity_id"]) == (uploads.WRONG, None)
    assert "malformed" in found["error"]


def test_the_missing_permission_is_as_observed(contracts: Path) -> None:
    """The 401 for uploads without activity:write is the observed one."""
    known = json.loads((contracts / "errors_observed.json").read_text("utf-8"))["items"]
    assert (401, uploads.WRITE_MISSING) in [(item["status"], item["body"]) for item in known]


def test_sending_costs_no_read(upstream: StravaUpstream) -> None:
    """A POST counts overall, a question in both."""
    number = post(upstream, fit_bytes(1)).json()["id"]
    assert (upstream.quota.overall.day, upstream.quota.read.day) == (1, 0)
    ask(upstream, number)
    assert (upstream.quota.overall.day, upstream.quota.read.day) == (2, 1)
