"""The simulated Strava: pages, quota, and an account that changes while it is read."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.upstream.calls import Answer, Call
from tests.upstream.clock import MovableClock
from tests.upstream.quota import Limits
from tests.upstream.server import Upstream
from tests.upstream.strava import StravaUpstream

LISTING = "/athlete/activities"
PLENTY = Limits(10**6, 10**6, 10**6, 10**6)


@pytest.fixture
def upstream() -> Iterator[StravaUpstream]:
    with StravaUpstream(activities=45, limits=PLENTY) as running:
        yield running


def get(upstream: StravaUpstream, path: str = LISTING, **query: Any) -> requests.Response:
    """Ask with a valid token."""
    token = next(iter(upstream.tokens.access), None) or upstream.access_token()
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(upstream.api_url + path, params=query, headers=headers, timeout=10)


def starts(answer: requests.Response) -> list[str]:
    return [row["start_date"] for row in answer.json()]


def all_ids(upstream: StravaUpstream, **query: Any) -> list[int]:
    """Page until the empty page."""
    ids: list[int] = []
    for page in range(1, 100):
        rows = get(upstream, page=page, **query).json()
        if not rows:
            return ids
        ids += [row["id"] for row in rows]
    pytest.fail("no empty page")


# ---- pages


def test_pages_end_with_an_empty_one(upstream: StravaUpstream) -> None:
    """Pages of 30 by default and of 200 at most hold every activity once; then one is empty."""
    assert [len(get(upstream, page=page).json()) for page in (1, 2, 3)] == [30, 15, 0]
    assert sorted(all_ids(upstream, per_page=7)) == sorted(upstream.visible_set())
    upstream.account.fill(200)
    assert len(get(upstream, per_page=999).json()) == 200


def test_orders(upstream: StravaUpstream) -> None:
    """Newest first, with `before` and with both too; oldest first with `after` alone."""
    before_s, after_s = int(upstream.clock.now().timestamp()), 1
    queries: tuple[dict[str, int], ...] = (
        {},
        {"before": before_s},
        {"before": before_s, "after": after_s},
    )
    for query in queries:
        shown = starts(get(upstream, LISTING, **query))
        assert shown == sorted(shown, reverse=True)
    ascending = starts(get(upstream, after=after_s))
    assert ascending == sorted(ascending)
    upstream.listing.order = "oldest"
    assert starts(get(upstream)) == ascending
    upstream.listing.order = "random"
    assert starts(get(upstream)) not in (ascending, sorted(ascending))
    assert set(all_ids(upstream)) == upstream.visible_set()


def test_bounds_leave_out_their_own_second(upstream: StravaUpstream) -> None:
    """`before` and `after` are exclusive, or inclusive if so set; words are refused with 400."""
    number = upstream.account.upload(upstream.clock.now() - dt.timedelta(days=9000))
    edge_s = int(upstream.account.items[number].start.timestamp())
    assert get(upstream, before=edge_s).json() == []
    assert number not in all_ids(upstream, after=edge_s)
    upstream.listing.inclusive = True
    assert [row["id"] for row in get(upstream, before=edge_s).json()] == [number]
    assert number in all_ids(upstream, after=edge_s)
    assert get(upstream, before="yesterday").status_code == 400


def test_short_pages_that_are_not_the_last() -> None:
    """Filtered late, pages are short or even empty of rows in the middle, and nothing is lost."""
    with StravaUpstream(limits=PLENTY, filter_late=True) as upstream:
        shown = upstream.account.fill(40)
        upstream.account.add_ghosts(20, every_days=2)
        lengths = [len(get(upstream, page=page, per_page=20).json()) for page in (1, 2, 3, 4)]
        assert sum(lengths) == 40
        assert 0 < lengths[0] < 20
        assert lengths[3] == 0
        assert upstream.visible_set() == set(shown)


# ---- an account that changes


def test_edits_between_two_calls(upstream: StravaUpstream) -> None:
    """What a test changes before a call is what that call sees, and the truth agrees."""
    victim, edited, *_ = sorted(upstream.visible_set())

    def before(call: Call) -> None:
        if call.number == 2:
            upstream.account.delete(victim)
            upstream.account.edit(edited, name="Renamed", distance=1234.5)
            upstream.account.kudos(edited, 3)

    upstream.before = before
    first, second = get(upstream, after=1).json(), get(upstream, after=1).json()
    assert victim in {row["id"] for row in first}
    assert victim not in {row["id"] for row in second}
    row = next(row for row in second if row["id"] == edited)
    old = next(row for row in first if row["id"] == edited)
    assert (row["name"], row["distance"]) == ("Renamed", 1234.5)
    assert row["kudos_count"] == old["kudos_count"] + 3
    assert row == upstream.account.truth(edited)
    upstream.account.edit(edited, description="Seen in the detail only")
    assert row == upstream.account.truth(edited)
    assert get(upstream, f"/activities/{edited}").json()["description"].startswith("Seen")
    assert get(upstream, f"/activities/{victim}").status_code == 404


def test_uploads(upstream: StravaUpstream) -> None:
    """A late upload has an old start and the highest id; a new upload of the same has another."""
    late = upstream.account.late_upload(days=30, name="Late")
    assert late == max(upstream.visible_set())
    assert get(upstream).json()[0]["id"] != late
    again = upstream.account.reupload(late)
    assert again > late
    row = get(upstream, f"/activities/{again}").json()
    assert row["name"] == "Late"
    assert late not in upstream.visible_set()


def test_parts_of_an_activity(upstream: StravaUpstream) -> None:
    """Laps, zones, kudos, all streams of one length; 404 for a manual entry's and unknown ids."""
    number = upstream.account.upload(sport_type="Ride", distance=21_000.0, kudos=3, points=77)
    path = f"/activities/{number}"
    assert sum(lap["distance"] for lap in get(upstream, f"{path}/laps").json()) == 21_000.0
    assert len(get(upstream, f"{path}/kudos", per_page=2).json()) == 2
    assert get(upstream, f"{path}/zones").json()
    streams = get(upstream, f"{path}/streams", keys="time,latlng,watts,polo", key_by_type="true")
    assert {name: len(part["data"]) for name, part in streams.json().items()} == {
        "time": 77, "latlng": 77, "watts": 77
    }  # fmt: skip
    listed = get(upstream, f"{path}/streams").json()
    assert [part["type"] for part in listed] == ["distance"]
    indoors = upstream.account.upload(gps=False)
    assert "latlng" not in (upstream.account.streams(indoors) or {"latlng": {}})
    manual = upstream.account.upload(manual=True)
    assert get(upstream, f"/activities/{manual}/streams").status_code == 404
    assert get(upstream, "/activities/1").status_code == 404


def test_privacy_and_scopes(upstream: StravaUpstream) -> None:
    """Private activities need activity:read_all; without any activity scope it is 401."""
    hidden = min(upstream.visible_set())
    upstream.account.privatise(hidden)
    assert get(upstream, f"/activities/{hidden}").json()["visibility"] == "only_me"
    upstream.tokens.reduce({"read", "activity:read"})
    assert (
        set(all_ids(upstream)) == upstream.visible_set() == set(upstream.account.items) - {hidden}
    )
    assert get(upstream, f"/activities/{hidden}").status_code == 404
    upstream.account.publicise(hidden)
    assert get(upstream, f"/activities/{hidden}").status_code == 200
    upstream.tokens.reduce({"read"})
    answer = get(upstream)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["code"] == "missing"


def test_the_same_seed_is_the_same_account() -> None:
    """Two services with one seed show the same, another seed shows something else."""
    one, same, other = (StravaUpstream(seed=seed, activities=20).account for seed in (1, 1, 2))
    number = max(one.items)
    assert one.detail(number) == same.detail(number) != other.detail(number)
    assert one.streams(number) == same.streams(number)


# ---- quota


def test_quota_headers_and_windows() -> None:
    """Usage counts up, is refused at the limit, and is fresh at the quarter and at midnight UTC."""
    clock = MovableClock(dt.datetime(2026, 11, 20, 23, 29, 59, tzinfo=dt.UTC))
    with StravaUpstream(activities=1, clock=clock, limits=Limits(9, 99, 2, 7)) as upstream:
        usage = [get(upstream).headers["X-ReadRateLimit-Usage"] for _ in range(2)]
        assert usage == ["1,1", "2,2"]
        refused = get(upstream)
        assert refused.status_code == 429
        assert refused.json()["errors"][0]["field"] == "read rate limit"
        assert refused.headers["X-ReadRateLimit-Usage"] == "2,3"  # it counts toward the day
        assert refused.headers["X-RateLimit-Limit"] == "9,99"
        assert "Retry-After" not in refused.headers
        clock.advance(1)
        assert get(upstream).headers["X-ReadRateLimit-Usage"] == "1,4"
        clock.advance(15 * 60)
        upstream.consume_elsewhere(3)
        assert get(upstream).status_code == 429
        clock.advance(15 * 60)
        assert get(upstream).headers["X-ReadRateLimit-Usage"] == "1,1"
        assert upstream.quota_violations == 2
        windows = [name for name, _ in upstream.quota.refused]
        assert windows == ["read quarter", "read day"]


def test_overall_quota_is_named() -> None:
    """The overall limit is refused under its own name."""
    with StravaUpstream(limits=Limits(overall_quarter=1)) as upstream:
        get(upstream)
        assert get(upstream).json()["errors"][0]["field"] == "overall rate limit"


def test_what_costs_no_quota(upstream: StravaUpstream) -> None:
    """Refused tokens and unknown paths cost nothing and say nothing of the quota."""
    for answer in (
        requests.get(upstream.api_url + LISTING, timeout=10),
        requests.get(upstream.api_url + LISTING, headers={"Authorization": "Bearer x"}, timeout=10),
        get(upstream, "/nonsense"),
    ):
        assert answer.status_code in (401, 404)
        assert not [name for name in answer.headers if "limit" in name.lower()]
    assert upstream.quota.overall.day == 0


# ---- the server itself


def test_the_log_and_the_clock() -> None:
    """Calls are numbered and dated by the service's clock, which may be ahead of the client's."""
    clock = MovableClock()
    with StravaUpstream(clock=clock, ahead_s=3600) as upstream:
        date = get(upstream, page=3).headers["Date"]
        clock.sleep(60)
        get(upstream, "/athlete")
        first, second = upstream.calls
    assert date == "Fri, 20 Nov 2026 07:02:00 GMT"
    assert (first.number, first.line()) == (1, "1 GET /api/v3/athlete/activities?page=3 200")
    assert second.moment - first.moment == dt.timedelta(minutes=1)
    assert first.authorized
    assert clock.slept_s == [60]
    assert upstream.calls_to("/athlete", since=1) == [second]


class Broken(Upstream):
    """A service that was programmed badly."""

    def answer(self, call: Call) -> Answer:
        """Make a mistake."""
        raise KeyError("no such account", call.path)


def test_a_bug_of_the_simulator_is_not_kept_secret() -> None:
    """What the simulator itself does wrong is raised when it stops, not taken for a fault."""
    upstream = Broken().start()
    assert requests.get(upstream.url, timeout=10).status_code == 599
    with pytest.raises(KeyError, match="no such account"):
        upstream.stop()
