"""A list with bad content, bad transport, refusals: what lands, what is set aside, what is said."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.sources.inbox import fit_bytes
from tests.sources.strava_place import LISTING, Place, moment, opened
from tests.upstream import content_faults, status_faults, transport_faults
from tests.upstream.content_faults import ABSURD, HOSTILE_NAMES
from tests.upstream.faults import Fault
from tests.upstream.quota import Limits
from tests.upstream.status_faults import Observed, Status
from tracklake import flow, pages
from tracklake.errors import AuthError, Error, SourceError, Transient
from tracklake.stages import ListReport, PullOptions

PLENTY = Limits(10**6, 10**6, 10**6, 10**6)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place with 30 activities upstream."""
    with opened(tmp_path, activities=30, points=5, limits=PLENTY) as found:
        yield found


def quarantine(place: Place) -> list[tuple[object, ...]]:
    """Return reason and location of what is set aside."""
    return place.state("select reason, location from quarantine order by item_id")


def light_flow(place: Place) -> flow.FlowReport:
    """Run a flow of pull and compact, from every source; raise what stopped a source at its end."""
    if place.renews and not place.token_path.exists():
        place.log_in()
    report = flow.FlowReport()
    with flow.running("flow", *place.load(), report, clock=place.clock) as session:
        flow.pull(session, report)
        flow.compact(session, report)
        flow.raise_source_failures(report)
    return report


def heal(place: Place) -> None:
    """Let the service answer well again, and prove that all then comes out right."""
    place.upstream.script.clear()
    place.reconcile()
    assert place.landed_differences() == []
    assert quarantine(place) == []


def each_its_own(place: Place, faults: Sequence[Fault]) -> Iterator[ListReport]:
    """Pull once with each fault, for an athlete each: one warehouse is enough for all of them."""
    for number, fault in enumerate(faults):
        place.athlete = f"a{number}"
        place.upstream.script.clear()
        place.upstream.script.add(fault, path=LISTING)
        yield place.pull()
    place.compact(verify=True)


def heal_each(place: Place, faults: Sequence[Fault]) -> None:
    """Let everything be well, and prove that of each athlete."""
    for number in range(len(faults)):
        place.athlete = f"a{number}"
        heal(place)


# ---- content


def test_bad_records_are_set_aside_one_by_one(place: Place) -> None:
    """Two activities without a start are set aside, their page is kept, the other 28 land."""
    bad = sorted(place.upstream.visible_set())[5:7]
    place.upstream.script.add(content_faults.missing("start_date", ids=bad))
    report = place.pull()
    assert (report.new, report.quarantined) == (28, 2)
    assert place.landed().keys() == place.upstream.visible_set() - set(bad)
    for reason, location in quarantine(place):
        assert reason == "no_start"
        page = pages.read(place.folders.data / f"{location}" / "page-0001.json.zst")
        assert str(bad[0]).encode() in page.body
    before = place.bronze_files()
    again = place.pull(everything=True)
    assert (again.quarantined, again.new) == (0, 0)
    assert place.bronze_files() == before
    heal(place)


@pytest.mark.parametrize("value", [None, "", "soon", [], {}, True, "2026-13-45T00:00:00Z", 1e300])
@pytest.mark.parametrize("name", ["id", "start_date"])
def test_an_id_or_a_start_that_is_none(place: Place, name: str, value: Any) -> None:
    """Whatever stands where id or start should be, only that activity is set aside."""
    one = max(place.upstream.visible_set())
    place.upstream.script.add(content_faults.replaced({name: value}, ids={one}))
    report = place.pull()
    assert report.new == 29 + (name == "id" and value is True)  # to JSON readers true is a 1
    assert report.quarantined == 30 - report.new


EVERYWHERE: list[Fault] = [
    content_faults.nulls(),
    content_faults.missing(),
    content_faults.numbers_as_text(),
    content_faults.whole_as_float(),
    content_faults.unknown_fields(),
    content_faults.unknown_sport(),
    content_faults.absurd_values(),
    content_faults.hostile_names(),
    status_faults.Bom(),
    status_faults.ContentType(None),
    status_faults.ContentType("text/plain"),
    status_faults.not_a_number(),
    status_faults.not_a_number("average_speed", b"-Infinity"),
    status_faults.duplicate_key(),
]


def test_content_that_nobody_expects(place: Place) -> None:
    """Whatever all fields but id and start are, and JSON that is not quite: nothing is lost.

    Gold passes its checks, and when the service is well again all is as it should be.
    """
    for report in each_its_own(place, EVERYWHERE):
        assert (report.new, report.quarantined) == (30, 0)
    for number in range(len(EVERYWHERE)):
        place.athlete = f"a{number}"
        assert place.gold().keys() == place.upstream.visible_set()
    heal_each(place, EVERYWHERE)


def test_absurd_values_stay(place: Place) -> None:
    """What is measured absurdly is kept as it is said, but for positions that are not on Earth."""
    absurd = dict(zip(sorted(place.upstream.visible_set()), ABSURD, strict=False))
    for one, values in absurd.items():
        place.upstream.account.edit(one, **values)
    place.pull()
    place.compact()
    gold = place.gold()
    for one, values in absurd.items():
        for name, value in values.items():
            if name.endswith("latlng"):
                assert gold[one][f"{name.split('_')[0]}_lat"] is None
            else:
                assert gold[one][name] == value


def test_hostile_names_stay(place: Place) -> None:
    """Names are kept to the letter; what text cannot hold (NUL, lone surrogates) is replaced."""
    names = dict(zip(sorted(place.upstream.visible_set()), HOSTILE_NAMES, strict=False))
    for one, name in names.items():
        place.upstream.account.edit(one, name=name)
    assert place.pull().new == 30
    place.compact()
    gold = place.gold()
    for one, name in names.items():
        sound = name.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
        assert gold[one]["name"] == (sound or None)


def test_numbers_as_text_are_numbers(place: Place) -> None:
    """Numbers and booleans sent as text arrive as what they are."""
    place.upstream.script.add(
        content_faults.numbers_as_text("id", "distance", "moving_time", "commute", "kudos_count")
    )
    place.pull()
    assert place.landed_differences() == []


def test_large_ids_stay_exact(place: Place) -> None:
    """Ids above 2^53, which floats cannot hold, are kept exactly."""
    large = (2**53 + 1, 2**62 + 12_345, 2**63 - 1)
    for one in large:
        place.upstream.account.upload(id=one, name=f"Far up {one}")
    place.pull()
    place.compact()
    gold = place.gold()
    assert [gold[one]["name"] for one in large] == [f"Far up {one}" for one in large]


STRANGE: list[dict[str, object]] = [
    {"utc_offset": 1e300, "start_date_local": None},
    {"start_date_local": "0001-01-01T00:00:00Z"},
    {"start_date_local": "9999-12-31T23:59:59Z", "utc_offset": "later"},
    {"timezone": "(GMT+99:00) Mars/Olympus_Mons"},
    {"timezone": 7, "map": [], "athlete": None, "name": {"a": 1}},
    {"map": {"summary_polyline": "\u0000\ud800!~~~~"}},
    {"start_latlng": ["a", None], "end_latlng": [1, 2, 3]},
    {"deep": orjson.loads(b"[" * 900 + b"]" * 900)},
    {"n": 10**400, "distance": 10**400},
    {"kudos_count": 2**70, "upload_id": -(2**63), "workout_type": 1.5},
]


def test_strange_values_cost_their_field_only(place: Place) -> None:
    """A field that cannot be understood is left out; the activity and gold's checks are sound."""
    one = max(place.upstream.visible_set())
    truth = place.upstream.account.truth(one)
    faults = [content_faults.replaced(values, ids={one}) for values in STRANGE]
    for report in each_its_own(place, faults):
        assert (report.new, report.quarantined) == (30, 0)
    for number in range(len(faults)):
        place.athlete = f"a{number}"
        row = place.gold()[one]
        assert row["start_date"] == moment(truth["start_date"])
        assert row["moving_time"] == truth["moving_time"]


STRANGE_STARTS = {
    "2016-12-31T23:59:60Z": dt.datetime(2017, 1, 1, tzinfo=dt.UTC),
    "1970-01-01T00:00:00Z": dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
    "1889-12-31T00:00:00Z": dt.datetime(1889, 12, 31, tzinfo=dt.UTC),
    "2026-11-19T10:00:00.250+02:00": dt.datetime(2026, 11, 19, 8, 0, 0, 250_000, dt.UTC),
}


def test_strange_starts(place: Place) -> None:
    """Leap seconds, the epoch, times before it and other offsets are moments all the same.

    They stand where the list does not sort them to; that hides no other activity.
    """
    one = sorted(place.upstream.visible_set())[15]
    place.per_page = 7
    faults = [content_faults.replaced({"start_date": at}, ids={one}) for at in STRANGE_STARTS]
    for report in each_its_own(place, faults):
        assert report.new == 30
    for number, said in enumerate(STRANGE_STARTS.values()):
        place.athlete = f"a{number}"
        assert place.gold()[one]["start_date"] == said


# ---- transport and status


@pytest.mark.parametrize(
    "fault",
    [
        transport_faults.Refuse(),
        transport_faults.Reset(),
        transport_faults.Reset(3_000),
        transport_faults.ShortBody(),
        transport_faults.Chunked(cut_bytes=40),
        transport_faults.NoLength(cut_bytes=40),
        transport_faults.Gzip(kept=0.6),
        transport_faults.BadGzip(),
        transport_faults.HangUp(),
        status_faults.Html(),
        status_faults.Html(503),
        status_faults.Empty(200),
        status_faults.Empty(204),
        status_faults.latin_1(),
        Status(500, {"message": "error"}),
        Status(503, headers={"Retry-After": "5"}),
        Observed("server_error"),
    ],
)
def test_a_failure_is_tried_again(place: Place, fault: Fault) -> None:
    """What fails three times is had at the fourth try, and nothing half arrived is kept."""
    place.upstream.script.add(fault, path=LISTING, times=3)
    assert place.pull().new == 30
    assert place.landed_differences() == []
    for path in place.folders.bronze.rglob("page-*"):
        assert len(orjson.loads(pages.read(path).body)) == 30


@pytest.mark.parametrize(
    ("fault", "kind", "most_calls"),
    [
        (transport_faults.Reset(100), Transient, 4),
        (status_faults.Html(), Transient, 4),
        (status_faults.Empty(200), Transient, 4),
        (Status(502), Transient, 4),
        (Status(503, headers={"Retry-After": "86400"}), Transient, 1),
        (status_faults.Redirect("http://169.254.169.254/latest"), SourceError, 1),
        (status_faults.Redirect(), SourceError, 1),
        (transport_faults.GzipBomb(40), SourceError, 1),
        (Status(200, {"message": "fine"}), SourceError, 1),
        (Status(404, {"message": "Record Not Found"}), SourceError, 1),
        (Status(400, {"message": "Bad Request"}), SourceError, 1),
        (Status(418), SourceError, 1),
    ],
)
def test_a_failure_that_lasts_is_one_sentence(
    place: Place, fault: Fault, kind: type[Error], most_calls: int
) -> None:
    """It is tried as often as makes sense, said in one line, and nothing is called gone."""
    place.pull()
    place.advance(days=8)
    place.upstream.script.add(fault, path=LISTING)
    before = len(place.upstream.calls)
    with pytest.raises(kind) as caught:
        place.pull()
    assert len(place.upstream.calls) - before <= most_calls
    assert "\n" not in str(caught.value)
    assert place.upstream.access_token() not in str(caught.value)
    heal(place)
    assert place.shard_rows("activity_tombstones") == []


# ---- who we are


def test_an_expired_login_is_renewed_once(tmp_path: Path) -> None:
    """An access token that ended amid the pages is renewed, and the same page is asked again."""
    with opened(tmp_path, activities=30, points=5) as place:
        place.per_page = 10
        place.upstream.before = lambda call: (
            place.upstream.tokens.expire_access() if call.number == 3 else None
        )
        place.log_in()
        place.renews = False
        assert place.pull().new == 30
        assert place.upstream.tokens.refreshes == 1
        statuses = [call.status for call in place.list_calls()]
        assert statuses.count(401) == 1
        assert place.list_calls()[3].query == place.list_calls()[2].query
        assert place.landed_differences() == []


@pytest.mark.parametrize("error", ["expired", "scope", "inactive", "athlete_limit", "no_token"])
def test_a_login_that_does_not_help(tmp_path: Path, error: str) -> None:
    """The person is told what to do, with exit code 3; the inbox is read and published before."""
    with opened(tmp_path, activities=30, points=5) as place:
        place.folders.inbox.mkdir(parents=True)
        (place.folders.inbox / "1.fit").write_bytes(fit_bytes(1))
        place.upstream.script.add(Observed(error), path=LISTING)
        with pytest.raises(AuthError) as caught:
            light_flow(place)
        assert caught.value.exit_code == 3
        assert "\n" not in str(caught.value)
        assert len(place.list_calls()) <= 2
        [inbox] = place.gold_ids()
        assert place.state("select state from sessions") == [("needs_auth",)]
        place.upstream.script.clear()
        light_flow(place)
        assert place.gold_ids() == {inbox} | place.upstream.visible_set()


def test_scopes_that_the_athlete_reduced(tmp_path: Path) -> None:
    """Without a permission to read, the pull says which is missing, and calls nothing gone."""
    with opened(tmp_path, activities=30, points=5) as place:
        place.pull()
        place.upstream.tokens.reduce({"read"})
        with pytest.raises(AuthError, match="activity:read"):
            place.pull(everything=True)
        assert len(place.landed()) == 30


# ---- quota


@pytest.mark.parametrize("error", ["overall", "read", "older_429", "string_429"])
@pytest.mark.parametrize("quota", [True, False])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "86400"}, {"Retry-After": "nonsense"}])
def test_a_429_is_waited_for(
    place: Place, error: str, quota: bool, headers: dict[str, str]
) -> None:
    """A refusal, with or without any header, is not insisted on: one 429, a wait, and the rest."""
    place.upstream.script.add(Observed(error, headers, quota), path=LISTING, times=1)
    report = place.pull()
    if report.parked is not None:  # until when is said; then it goes on
        place.clock.move_to(report.parked.until + dt.timedelta(minutes=1))
        report = place.pull()
    assert report.parked is None
    assert [call.status for call in place.list_calls()].count(429) == 1
    assert place.landed_differences() == []


def test_who_is_turned_away_after_a_429_need_not_log_in(place: Place) -> None:
    """A 401 behind a refusal is that service's patience, not a lost login; a later run is well."""
    refused = Status(429, {"message": "Rate Limit Exceeded"}, headers={"Retry-After": "5"})
    place.upstream.script.add(Status(401, {"message": "Authorization Error"}), path=LISTING)
    place.upstream.script.add(refused, path=LISTING, times=1)
    with pytest.raises(SourceError, match="turns us away"):
        place.pull()
    assert place.list_calls()[0].status == 429
    heal(place)


@pytest.mark.parametrize("quota", [True, False])
def test_at_most_one_429_a_window(tmp_path: Path, quota: bool) -> None:
    """Refused for ever, a pull asks at most once in 15 minutes, parks, and the flow ends with 0."""
    with opened(tmp_path, activities=30, points=5) as place:
        place.upstream.script.add(Observed("older_429", quota=quota), path=LISTING)
        for _ in range(4):
            report = light_flow(place)
            [pulled] = report.pulls.values() if report.pulls else [None]
            place.advance(hours=3)
        windows = [
            int(call.moment.timestamp()) // 900
            for call in place.upstream.calls
            if call.status == 429
        ]
        assert len(windows) == len(set(windows))
        assert pulled is not None
        states = {state for (state,) in place.state("select state from sessions")}
        assert states == {"waiting_quota"}
        place.upstream.script.clear()
        place.clock.move_to(place.clock.now() + dt.timedelta(days=1))
        light_flow(place)
        assert place.differences() == []


def test_quota_that_others_use_up(tmp_path: Path) -> None:
    """When another app has used the day's quota, one call at most is refused, and none after it."""
    with opened(tmp_path, activities=60, points=5) as place:
        place.per_page = 10
        place.upstream.before = lambda call: (
            place.upstream.consume_elsewhere(1_000) if call.number == 3 else None
        )
        report = place.pull()
        assert report.parked is not None
        assert place.upstream.quota_violations <= 1
        calls = len(place.upstream.calls)
        place.pull()
        assert len(place.upstream.calls) == calls
        place.upstream.before = None
        place.advance(days=1)
        assert place.pull().parked is None
        assert place.landed_differences() == []


def test_only_the_files_are_asked_for(tmp_path: Path) -> None:
    """A flow for files alone makes no call to Strava."""
    with opened(tmp_path, activities=3, points=5) as place:
        place.settings_given = {"sources": ("files",)}
        place.folders.inbox.mkdir(parents=True)
        report = flow.FlowReport()
        place.log_in()
        with flow.running("pull", *place.load(), report, clock=place.clock) as session:
            flow.pull(session, report, options=PullOptions())
        assert place.upstream.calls == []
