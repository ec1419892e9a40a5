"""The simulated intervals.icu behaves as its document and its users' reports say."""

import base64
import datetime as dt
import json
from collections.abc import Iterator

import pytest

from tests.upstream.intervals import KEY, IntervalsUpstream, Quota
from tracklake.client import Answer, Ask, Client

NOON = dt.datetime(2026, 11, 10, 12, tzinfo=dt.UTC)
BASIC = {"Authorization": "Basic " + base64.b64encode(f"API_KEY:{KEY}".encode()).decode()}


@pytest.fixture
def upstream() -> Iterator[IntervalsUpstream]:
    """Return a simulator with two rides and a stub."""
    with IntervalsUpstream() as found:
        found.upload(NOON)
        found.upload(NOON - dt.timedelta(days=1))
        found.stub(NOON.replace(hour=20, tzinfo=None), 18_700_000_001)
        yield found


def get(upstream: IntervalsUpstream, path: str, **headers: str) -> Answer:
    """Ask once, with the key unless other headers are given."""
    client = Client(upstream.clock)
    ask = Ask(url=upstream.api_url + path, headers=headers or BASIC, tries=1, expects_json=False)
    try:
        return client.send(ask)
    finally:
        client.close()


def test_who_may_ask(upstream: IntervalsUpstream) -> None:
    """The key goes by Basic auth; as a Bearer token it is denied, and another key is unknown."""
    path = "/athlete/0/activities?oldest=2026-01-01"
    assert get(upstream, path).status == 200
    assert get(upstream, path, Authorization=f"Bearer {KEY}").status == 403
    assert get(upstream, path, Authorization="Basic eDp5").status == 401
    assert get(upstream, path.replace("/0/", "/i5/")).status == 404
    assert get(upstream, "/athlete/0/activities").status == 400


def test_the_list(upstream: IntervalsUpstream) -> None:
    """Newest first, by local date, and five keys of what came from Strava."""
    rows = json.loads(get(upstream, "/athlete/0/activities?oldest=2026-11-10").body)
    assert [row["start_date_local"][11:13] for row in rows] == ["20", "14"]
    assert rows[0].keys() == {"id", "icu_athlete_id", "start_date_local", "source", "_note"}
    path = "/athlete/0/activities?oldest=2026-11-01&newest=2026-11-09"
    assert len(json.loads(get(upstream, path).body)) == 1
    upstream.ends = False
    assert json.loads(get(upstream, path).body) == []


@pytest.mark.parametrize("what", ["file", "intervals"])
def test_of_strava_nothing_is_given(upstream: IntervalsUpstream, what: str) -> None:
    """422 for a stub, 404 for what is not there."""
    answer = get(upstream, f"/activity/18700000001/{what}")
    assert answer.status == 422
    assert json.loads(answer.body)["error"] == "Cannot read Strava activities via the API"
    assert get(upstream, f"/activity/i1/{what}").status == 404


def test_files_are_packed_or_not(upstream: IntervalsUpstream) -> None:
    """The original comes gzipped without saying so in a header, or as it is."""
    one = next(key for key in upstream.items if key.startswith("i"))
    path = f"/activity/{one}/file"
    assert get(upstream, path).body.startswith(b"\x1f\x8b")
    assert "content-encoding" not in get(upstream, path).headers
    upstream.packed = False
    assert get(upstream, path).body[8:12] == b".FIT"


def test_a_quota(upstream: IntervalsUpstream) -> None:
    """So many calls in a window from its first call on; then 429 with the time that is left."""
    upstream.quota = Quota({10: 2})
    path = "/athlete/0/wellness?oldest=2026-11-01"
    assert [get(upstream, path).status for _ in range(3)] == [200, 200, 429]
    assert get(upstream, path).headers["retry-after"] == "11"
    upstream.clock.advance(11)
    assert get(upstream, path).status == 200
