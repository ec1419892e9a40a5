"""Faults in statuses, forms, pages and content; and when the script lets them happen."""

import json
import urllib.parse
from collections.abc import Iterator

import pytest
import requests

from tests.upstream import content_faults, paging_faults, status_faults
from tests.upstream.asking import LISTING, ask, split
from tests.upstream.content_faults import ABSURD, HOSTILE_NAMES
from tests.upstream.faults import Fault, Script
from tests.upstream.strava import StravaUpstream


@pytest.fixture
def upstream() -> Iterator[StravaUpstream]:
    with StravaUpstream(activities=40) as running:
        yield running


def get(upstream: StravaUpstream, path: str = LISTING, **query: int) -> requests.Response:
    headers = {"Authorization": f"Bearer {upstream.access_token()}"}
    address = f"{upstream.url}{path}?{urllib.parse.urlencode(query)}"
    return requests.get(address, headers=headers, timeout=10, allow_redirects=False)


def broken(upstream: StravaUpstream, fault: Fault, **query: int) -> requests.Response:
    upstream.script.add(fault, times=1)
    return get(upstream, LISTING, **query)


def test_status(upstream: StravaUpstream) -> None:
    """Status answers with any status, body and headers, with or without those of the quota."""
    fault = status_faults.Status(503, {"message": "busy"}, {"Retry-After": "86400"})
    answer = broken(upstream, fault)
    assert (answer.status_code, answer.json()) == (503, {"message": "busy"})
    assert answer.headers["Retry-After"] == "86400"
    assert "X-RateLimit-Usage" in answer.headers
    bare = broken(upstream, status_faults.Status(429, quota=False))
    assert bare.content == b""
    assert not [name for name in bare.headers if "limit" in name.lower()]


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("inactive", 403, "Inactive"),
        ("athlete_limit", 403, "connected athletes"),
        ("overall", 429, "overall rate limit"),
        ("read", 429, "read rate limit"),
        ("string_429", 429, "Rate Limit Exceeded"),
        ("scope", 401, "missing"),
        ("absent", 404, "not found"),
        ("server_error", 500, "Internal"),
    ],
)
def test_observed(upstream: StravaUpstream, name: str, status: int, word: str) -> None:
    """Observed answers with the status and the body that were seen of the real service."""
    answer = broken(upstream, status_faults.Observed(name))
    assert answer.status_code == status
    assert word in answer.text


def test_redirects(upstream: StravaUpstream) -> None:
    """Redirect leads elsewhere, or to the same address for ever."""
    answer = broken(upstream, status_faults.Redirect("http://169.254.169.254/latest"))
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "http://169.254.169.254/latest",
    )
    upstream.script.add(status_faults.Redirect())
    with pytest.raises(requests.TooManyRedirects):
        requests.get(upstream.url + LISTING, timeout=10)


def test_pages_for_people_and_nothing_at_all(upstream: StravaUpstream) -> None:
    """Html is HTML under 200; Empty is no byte under 200, or 204."""
    answer = broken(upstream, status_faults.Html())
    assert (answer.status_code, answer.text[:9]) == (200, "<!DOCTYPE")
    assert answer.headers["Content-Type"].startswith("text/html")
    answer = broken(upstream, status_faults.Empty())
    assert (answer.status_code, answer.content) == (200, b"")
    answer = broken(upstream, status_faults.Empty(204))
    assert (answer.status_code, answer.content) == (204, b"")


def test_content_type(upstream: StravaUpstream) -> None:
    """ContentType is another one, or none at all."""
    assert broken(upstream, status_faults.ContentType("text/plain")).headers["Content-Type"] == (
        "text/plain"
    )
    upstream.script.add(status_faults.ContentType(None))
    assert "content-type" not in split(ask(upstream, LISTING))[1]


def test_bytes_that_are_no_json(upstream: StravaUpstream) -> None:
    """BOM, Latin-1, NaN and doubled keys arrive as such."""
    assert broken(upstream, status_faults.Bom()).content.startswith(b"\xef\xbb\xbf[")
    with pytest.raises(UnicodeDecodeError):
        broken(upstream, status_faults.latin_1()).content.decode("utf-8")
    assert b'"average_speed":NaN,' in broken(upstream, status_faults.not_a_number()).content
    doubled = broken(upstream, status_faults.duplicate_key("distance")).content
    assert doubled.count(b'"distance":') == 2 * 30


def test_pages_that_repeat(upstream: StravaUpstream) -> None:
    """SamePage gives page 1 whatever is asked; WrapAfter gives it after the last page."""
    first = get(upstream, per_page=20).json()
    assert broken(upstream, paging_faults.SamePage(), per_page=20, page=2).json() == first
    upstream.script.add(paging_faults.WrapAfter(2))
    assert get(upstream, per_page=20, page=2).json() != first
    assert get(upstream, per_page=20, page=3).json() == first


def test_pages_that_lack_rows(upstream: StravaUpstream) -> None:
    """HideRows shortens a page, EmptyListing empties it, HalfListing keeps the same half."""
    assert len(broken(upstream, paging_faults.HideRows(3), per_page=20).json()) == 17
    assert broken(upstream, paging_faults.EmptyListing()).json() == []
    upstream.script.add(paging_faults.HalfListing())
    shown = [row["id"] for page in (1, 2) for row in get(upstream, per_page=20, page=page).json()]
    half = {number for number in upstream.visible_set() if number % 2 == 0}
    assert set(shown) == half
    assert 0 < len(half) < 40


def test_nulls_and_missing_fields(upstream: StravaUpstream) -> None:
    """Fields become null or vanish, in some activities or in all; id and start stay."""
    chosen = max(upstream.visible_set())
    rows = broken(upstream, content_faults.nulls("distance", ids={chosen})).json()
    assert [row["id"] for row in rows if row["distance"] is None] == [chosen]
    rows = broken(upstream, content_faults.missing("map", "start_latlng")).json()
    assert not any("map" in row or "start_latlng" in row for row in rows)
    rows = broken(upstream, content_faults.missing()).json()
    assert all("id" in row and "start_date" in row for row in rows)
    assert min(len(row) for row in rows) < 45


def test_other_types_and_words(upstream: StravaUpstream) -> None:
    """Numbers come as text or as floats; sports and fields come that nobody has heard of."""
    row = broken(upstream, content_faults.numbers_as_text("distance", "commute")).json()[0]
    assert isinstance(row["distance"], str)
    assert row["commute"] == "false"
    row = broken(upstream, content_faults.whole_as_float("moving_time")).json()[0]
    assert isinstance(row["moving_time"], float)
    row = broken(upstream, content_faults.unknown_sport()).json()[0]
    assert row["sport_type"] == "HoverboardPolo"
    row = broken(upstream, content_faults.unknown_fields()).json()[0]
    assert row["n"] == 2**63
    assert "id" in row


def test_hostile_names_and_absurd_values(upstream: StravaUpstream) -> None:
    """Every hostile name, the lone surrogate too, and every absurd value can be met."""
    upstream.account.fill(160)
    answer = broken(upstream, content_faults.hostile_names(), per_page=200)
    assert {row["name"] for row in answer.json()} == set(HOSTILE_NAMES)
    assert rb"\ud800" in answer.content
    rows = broken(upstream, content_faults.absurd_values(), per_page=200).json()
    for values in ABSURD:
        assert any(values.items() <= row.items() for row in rows), values


def test_faults_reach_details_but_not_errors_and_streams(upstream: StravaUpstream) -> None:
    """A detail is edited like a row of the listing; errors and streams stay as they are."""
    upstream.script.add(content_faults.replaced({"distance": -1.0}))
    number = upstream.account.upload(sport_type="Run")
    assert get(upstream, f"/api/v3/activities/{number}").json()["distance"] == -1.0
    streams = get(upstream, f"/api/v3/activities/{number}/streams", key_by_type=1).json()
    assert set(streams) == {"distance"}
    assert set(get(upstream, "/api/v3/activities/1").json()) == {"message", "errors"}


def test_the_script_chooses_calls(upstream: StravaUpstream) -> None:
    """A fault happens at the numbered calls, the path, the ids and as often as it was told."""
    number = upstream.account.upload()
    fault = status_faults.Html()
    upstream.script.add(fault, at=range(2, 4))
    upstream.script.add(fault, ids={number}, times=1)
    upstream.script.add(fault, path="/gear/", times=2)
    detail, gear = f"/api/v3/activities/{number}", "/api/v3/gear/g1001"
    for path in [*[LISTING] * 4, detail, detail, gear, gear, gear]:
        get(upstream, path)
    met = [call.number for call in upstream.calls if call.faults == ("Html",)]
    assert met == [2, 3, 5, 7, 8]
    upstream.script.clear()
    assert json.loads(get(upstream).content)


def test_chance_is_seeded(upstream: StravaUpstream) -> None:
    """A fault with a probability happens about so often, and at the same calls with one seed."""
    runs = []
    for _ in range(2):
        upstream.script = Script(seed=5)
        upstream.script.add(status_faults.Html(), p=0.5)
        start = len(upstream.calls)
        for _ in range(30):
            get(upstream, "/api/v3/gear/g1001")
        runs.append([bool(call.faults) for call in upstream.calls[start:]])
    assert runs[0] == runs[1]
    assert 5 < sum(runs[0]) < 25
