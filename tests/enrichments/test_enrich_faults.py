"""What fails while enriching: one item, the service, the login, the quota; and what comes of it."""

import pytest

from tests.enrichments import truth
from tests.enrichments.test_details import asked, newest
from tests.enrichments.test_streams import Body
from tests.sources.strava_place import DAY_S, Place
from tests.upstream.content_faults import HOSTILE_NAMES
from tests.upstream.faults import Fault
from tests.upstream.quota import Limits
from tests.upstream.status_faults import Html, Status, not_a_number
from tests.upstream.transport_faults import BadGzip, Chunked, HangUp, Refuse, Reset, ShortBody
from tracklake.errors import AuthError, BudgetSpent, SourceError
from tracklake.stages import EnrichReport


def calls_about(place: Place, path: str, since: int) -> int:
    """Return how often a path was asked for after a call."""
    return asked(place, since).count(path)


def aside(place: Place) -> dict[str, tuple[object, ...]]:
    """Return what is set aside: reason, attempts, whether it is tried again."""
    rows = place.state("select item, reason, attempts, next_try_at is not null from quarantine")
    return {str(item): tuple(rest) for item, *rest in rows}


def test_one_that_always_fails_is_set_aside_and_the_rest_is_fetched(pulled: Place) -> None:
    """Three tries, then all others; what failed is counted, the run ends well."""
    one = newest(pulled)
    pulled.upstream.script.add(Status(500, {}), path=rf"/activities/{one}$")
    before = len(pulled.upstream.calls)
    report = pulled.enrich()
    pulled.compact()
    assert calls_about(pulled, f"activities/{one}", before) == 3
    assert (report.quarantined, report.left, report.parked) == (1, 0, None)
    others = pulled.upstream.visible_set() - {one}
    assert truth.of_details(pulled, others) == []
    assert truth.of_streams(pulled, others | {one}) == []
    assert aside(pulled) == {f"details of strava {one}": ("not_answered", 1, 1)}


def test_it_is_tried_after_growing_gaps_and_given_up_after_six(pulled: Place) -> None:
    """Tried again after 1, 2, 4, 8 and 16 days, not sooner; then only when everything is."""
    one = newest(pulled)
    rule = pulled.upstream.script.add(Status(500, {}), path=rf"/activities/{one}$")
    pulled.enrich()
    for attempt, gap_days in enumerate((1, 2, 4, 8, 16), start=1):
        assert aside(pulled)[f"details of strava {one}"] == ("not_answered", attempt, 1)
        pulled.advance(days=gap_days - 0.1)
        assert pulled.enrich().calls == 0
        pulled.advance(days=0.2)
        assert pulled.enrich().calls == 3
    assert aside(pulled)[f"details of strava {one}"] == ("not_answered", 6, 0)
    pulled.advance(days=400)
    assert pulled.enrich().calls == 0
    assert pulled.enrich(everything=True).calls == 3
    pulled.upstream.script.rules.remove(rule)
    assert pulled.enrich().calls == 0
    assert pulled.enrich(everything=True).fetched == {"details": 1}
    assert aside(pulled) == {}


def test_five_failures_in_a_row_are_the_services(place: Place) -> None:
    """The run ends with a failure; what came before is kept, and the next run goes on there."""
    place.upstream.account.fill(8, manual=False, every_days=1 / 24)
    place.pull()
    needed = place.enrich(dry_run=True).left
    before = len(place.upstream.calls)
    place.upstream.script.add(Status(503, {}), at=range(before + 11, before + 500))
    with pytest.raises(SourceError, match="Strava fails"):
        place.enrich()
    assert len(place.upstream.calls) - before == 10 + 5 * 3
    place.upstream.script.clear()
    with pytest.raises(SourceError, match="next try"):
        place.enrich()
    place.advance(seconds=61)
    report = place.enrich()
    place.compact()
    assert report.calls == needed - 10, "what failed with the service is due at once"
    ids = place.upstream.visible_set()
    assert truth.of_details(place, ids) == []
    assert truth.of_streams(place, ids) == []
    assert aside(place) == {}


def test_failures_among_successes_are_not_the_services(place: Place) -> None:
    """Every second item may fail, however many: the run goes on to the end."""
    place.upstream.account.fill(10, manual=False, every_days=1 / 24)
    place.pull()
    place.upstream.script.add(Status(500, {}), path="/streams$")
    report = place.enrich(only=("details", "streams"))
    assert report.fetched == {"details": 16}
    assert report.quarantined == 16


def test_five_that_never_come_do_not_bar_the_way(place: Place) -> None:
    """Five bad ones in a row look like a failing service: a few runs later all others are there."""
    place.upstream.account.fill(8, manual=False, every_days=1 / 24)
    place.pull()
    rows = place.state("select source_id from upstream_records order by start_s desc")
    ids = [int(str(source_id)) for (source_id,) in rows]
    place.upstream.script.add(Status(500, {}), path="/activities/", ids=set(ids[:6]))
    for _ in range(5):
        try:
            place.enrich(only=("details",))
        except SourceError:
            place.advance(hours=1)
            place.pull()  # as the next flow does: the list is answered, so the service works
            continue
        break
    else:
        pytest.fail("the bad ones bar the way for ever")
    place.compact()
    assert truth.of_details(place, ids[6:]) == []


@pytest.mark.parametrize(
    "fault",
    [
        *(Reset(after_bytes=200), ShortBody(), Chunked(cut_bytes=5), BadGzip(), Html(), HangUp()),
        *(Refuse(), Status(502, {}), Body(b""), Body(b'{"id":')),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_broken_answer_is_asked_for_again(place: Place, fault: Fault) -> None:
    """A cut, empty or foreign answer costs another try and leaves nothing behind."""
    ids = sorted(place.upstream.visible_set())
    place.pull()
    place.upstream.script.add(fault, path=r"/activities/\d+", ids=ids[-2:], times=2)
    report = place.enrich(only=("details", "streams"))
    assert report.fetched == {"details": 6, "streams": 6}
    assert report.quarantined == 0
    assert report.calls <= 12 + 2


def test_details_that_are_none_are_set_aside_with_their_page(place: Place) -> None:
    """Another activity, a list, nothing, no id: none is taken for what was asked for."""
    ids = sorted(place.upstream.visible_set())
    bodies = (b"[]", b"null", b"{}", b'{"id": 5}', b'{"id": "x"}', b'"text"')
    for one, body in zip(ids, bodies, strict=True):
        place.upstream.script.add(Body(body), path=r"/activities/\d+$", ids={one})
    place.upstream.account.late_upload(days=2.5, name="Sound")
    place.pull()
    report = place.enrich(only=("details",))
    place.compact()
    assert (report.fetched, report.quarantined, report.left) == ({"details": 1}, 6, 0)
    assert [row["calories"] is not None for row in place.query("from activity_details")] == [True]
    kept = [row["location"] for row in place.query("from quarantine")]
    assert all(list((place.folders.data / one).glob("page-*.json.zst")) for one in kept)


def test_wrong_types_within_details_are_left_out_and_the_rest_is_there(place: Place) -> None:
    """NaN, words for numbers, nested rubbish, hostile names: gold is sound and has the others."""
    ids = sorted(place.upstream.visible_set())
    edit = place.upstream.account.edit
    edit(ids[0], laps="none", splits_metric={"a": 1}, best_efforts=[1, None, {"name": None}])
    edit(ids[1], laps=[{"lap_index": "x", "distance": "far", "start_date": "0001-01-01T00:00:00Z"}])
    edit(ids[2], segment_efforts=[{"id": 2**70}, {"id": None}, {"id": 7, "segment": 5}])
    edit(ids[3], splits_standard=[{"split": 2**40, "distance": 1e308}, {"split": 1}, {"split": 1}])
    edit(ids[4], description="\x00 \ud800 ".join(HOSTILE_NAMES[:4]), calories="many")
    edit(ids[5], private_note=[["deep"]], available_zones=5, device_name={"a": 1})
    place.upstream.script.add(not_a_number("calories"), path=r"/activities/\d+$", ids={ids[5]})
    place.pull()
    report = place.enrich(only=("details",))
    place.compact()
    assert (report.fetched, report.quarantined) == ({"details": 6}, 0)
    place.compact(rebuild=True, verify=True)
    [count] = place.query("select count(*) as n from activity_details")
    assert count == {"n": 6}
    efforts = place.query("from activity_segment_efforts where activity_id = ?", ids[2])
    assert [row["effort_id"] for row in efforts] == [7]


def test_a_login_that_ends_halfway_keeps_what_came(pulled: Place) -> None:
    """Deauthorised in the middle: AuthError, and the next run, with a login, asks for the rest."""
    needed = pulled.enrich(dry_run=True).left
    before = len(pulled.upstream.calls)

    def leave(_call: object) -> None:
        if len(pulled.upstream.calls) >= before + 6:
            pulled.upstream.tokens.deauthorise()

    pulled.upstream.before = leave
    with pytest.raises(AuthError):
        pulled.enrich()
    pulled.upstream.before = lambda _call: None
    pulled.upstream.tokens.authorised = True
    pulled.log_in(lives_for_ever=True)
    answered = [call for call in pulled.upstream.calls[before:] if call.status == 200]
    report = pulled.enrich()
    pulled.compact()
    assert report.calls == needed - len(answered)
    assert truth.of_details(pulled, pulled.upstream.visible_set()) == []


def test_an_access_token_that_ends_halfway_is_renewed(pulled: Place) -> None:
    """A 401 in the middle costs one refresh and that call again."""
    needed = pulled.enrich(dry_run=True).left
    before = len(pulled.upstream.calls)
    pulled.upstream.before = lambda call: (
        pulled.upstream.tokens.expire_access() if call.number == before + 5 else None
    )
    report = pulled.enrich()
    assert (report.left, report.quarantined) == (0, 0)
    statuses = [call.status for call in pulled.upstream.calls[before:]]
    assert statuses.count(401) == 1
    assert pulled.upstream.tokens.refreshes == 1
    assert len(pulled.upstream.calls_to("/activities/", since=before)) <= needed + 1


def enrich_to_the_end(place: Place) -> list[EnrichReport]:
    """Enrich until nothing is left; when parked, wait until it may go on."""
    reports = []
    for _ in range(30):
        reports.append(place.enrich())
        parked = reports[-1].parked
        if parked is None:
            return reports
        assert parked.until > place.clock.now()
        place.clock.move_to(parked.until)
    raise AssertionError("it never ends")


def test_another_app_on_the_same_quota_costs_at_most_one_refusal_a_window(place: Place) -> None:
    """Calls that others make are seen in the headers; a 429 shuts the window, nothing insists."""
    place.upstream.account.fill(40, manual=False, every_days=0.5)
    place.upstream.quota.limits = Limits(read_quarter=20, read_day=60, overall_quarter=40)
    place.pull()
    place.upstream.before = lambda call: (
        place.upstream.consume_elsewhere(7) if call.number % 9 == 0 else None
    )
    reports = enrich_to_the_end(place)
    place.compact()
    assert reports[-1].left == 0
    assert max(place.upstream.quota.refused.values(), default=0) <= 1
    assert truth.of_details(place, place.upstream.visible_set()) == []
    assert place.clock.now().timestamp() > DAY_S


def test_a_refusal_without_a_word_parks_in_the_end(pulled: Place) -> None:
    """429 for ever and no headers: waits a window, then parks until the day is over."""
    pulled.upstream.script.add(Status(429, {}, quota=False), path="/activities/|/gear/")
    before = len(pulled.upstream.calls)
    report = pulled.enrich()
    assert isinstance(report.parked, BudgetSpent)
    assert len(pulled.upstream.calls) - before <= 3
    assert pulled.enrich().calls == 0
