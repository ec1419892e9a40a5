"""A service that fails is left alone for a while; FAULTS P14, T9, E1, E2, Q1 to Q3."""

import datetime as dt
import multiprocessing
from collections.abc import Iterator
from multiprocessing.queues import Queue
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.enrichments.test_details import newest
from tests.rows import FIRST_DAY, StandingClock, make_session
from tests.sources import garmin_place
from tests.sources.garmin_place import GarminPlace
from tests.sources.strava_place import Place, opened
from tests.upstream.status_faults import Html, Observed, Status
from tests.upstream.transport_faults import Reset
from tracklake.client import Answer, Ask
from tracklake.doctor import session_records
from tracklake.errors import SourceError, Transient
from tracklake.status import status
from tracklake.upstream import breaker, circuit
from tracklake.upstream.breaker import Breaker
from tracklake.upstream.circuit import Answered, Asked, Circuit, Failed, GivenBack

NOW = FIRST_DAY


def failed(*urls: str, is_page: bool = False) -> list[circuit.Event]:
    """Return failures at addresses."""
    return [Failed(url, "it answered 503", is_page) for url in urls]


def after(*events: circuit.Event, start: Circuit | None = None, passed_s: float = 0) -> Circuit:
    """Return what is known after events, all of them some time later."""
    found = start or Circuit()
    for event in events:
        found = circuit.after(found, event, NOW + dt.timedelta(seconds=passed_s))
    return found


@pytest.mark.parametrize(
    ("events", "position"),
    [
        ([], "closed"),
        (failed(*"abc"), "closed"),
        (failed(*"abca"), "closed"),
        (failed(*"abcab"), "open"),
        (failed(*"abcde"), "open"),
        (failed(*"aaaaaaaaaaaaaaaaaaaa"), "closed"),  # one thing that always fails
        (failed(*"ababababab"), "closed"),
        (failed(*"ababababc"), "open"),
        ([*failed(*"abcd"), Answered(), *failed(*"efgh")], "closed"),
        ([*failed(*"abcd"), GivenBack(), *failed("e")], "open"),  # a 429 says nothing
        (failed(*"ab", is_page=True), "closed"),
        (failed(*"abc", is_page=True), "open"),
        (failed(*"aaa", is_page=True), "closed"),
        ([*failed(*"ab", is_page=True), Answered(), *failed("c", is_page=True)], "closed"),
        ([*failed(*"ab", is_page=True), *failed("c"), *failed("d", is_page=True)], "closed"),
    ],
)
def test_what_opens_it(events: list[circuit.Event], position: str) -> None:
    """Five failures in a row at three addresses do, or three pages; less does not."""
    assert after(*events).position == position


def test_pauses_double_up_to_half_an_hour_and_an_answer_closes_it() -> None:
    """A minute, then twice as long after each trial that fails; then nothing is remembered."""
    found, at_s, pauses = after(*failed(*"abcde")), 0.0, []
    for _ in range(8):
        assert found.retry_at is not None
        pauses.append(found.pause_s)
        just_before = found.retry_at - dt.timedelta(seconds=1)
        assert not circuit.admits(found, just_before)
        assert circuit.admits(found, found.retry_at)
        at_s = (found.retry_at - NOW).total_seconds()
        trial = after(Asked(), start=found, passed_s=at_s)
        assert trial.position == "half_open"
        assert not circuit.admits(trial, found.retry_at)  # one trial only
        found = after(*failed("a"), start=trial, passed_s=at_s)
    assert pauses == [60, 120, 240, 480, 960, 1800, 1800, 1800]
    assert after(Asked(), Answered(), start=found, passed_s=at_s + 1800) == Circuit()


def test_a_trial_that_comes_to_nothing_is_given_back() -> None:
    """A used-up quota in the trial costs no pause; a trial that was killed bars nobody for long."""
    opened_ = after(*failed(*"abcde"))
    trial = after(Asked(), start=opened_, passed_s=60)
    back = after(GivenBack(), start=trial, passed_s=61)
    assert (back.position, back.pause_s) == ("open", 60)
    assert circuit.admits(back, NOW + dt.timedelta(seconds=61))
    assert not circuit.admits(trial, NOW + dt.timedelta(seconds=300))
    assert circuit.admits(trial, NOW + dt.timedelta(seconds=361))


def test_a_clock_that_was_set_back_shuts_nobody_out() -> None:
    """A next try further off than any pause is none."""
    assert circuit.admits(after(*failed(*"abcde")), NOW - dt.timedelta(days=300))


EVENTS = st.one_of(
    st.just(Answered()), st.just(GivenBack()), st.just(Asked()),
    st.builds(Failed, st.sampled_from("abcdef"), st.just("x"), st.booleans()),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=40), st.lists(st.integers(0, 4000), min_size=40, max_size=40))
def test_what_always_holds(events: list[circuit.Event], gaps_s: list[int]) -> None:
    """Closed right after an answer; only a failure opens it; a pause is 1 to 30 minutes."""
    found, now = Circuit(), NOW
    for event, gap_s in zip(events, gaps_s, strict=False):
        now += dt.timedelta(seconds=gap_s)
        if isinstance(event, Asked) and not circuit.admits(found, now):
            continue
        before, found = found, circuit.after(found, event, now)
        if isinstance(event, Answered):
            assert found == Circuit()
        if before.position == "closed" and found.position != "closed":
            assert isinstance(event, Failed)
            assert len(found.pages) >= 3 or (found.failures >= 5 and len(found.urls) >= 3)
        if found.position == "open":
            assert 60 <= found.pause_s <= 1800
            assert circuit.admits(found, now + dt.timedelta(seconds=1800))


STATUSES = st.sampled_from([400, 401, 402, 403, 404, 410, 418, 422, 429, 451, 499])


@settings(max_examples=50, deadline=None)
@given(st.lists(STATUSES, min_size=5, max_size=60))
def test_no_row_of_4xx_opens_it(statuses: list[int]) -> None:
    """Whatever the service refuses, at however many addresses: it works."""
    found = Circuit()
    for number, code in enumerate(statuses):
        event = breaker.meaning(Ask(url=f"http://x/{number}"), Answer(code, {}, b"<html>"))
        found = circuit.after(found, event, NOW)
    assert found == Circuit()


def fail(_asked: Ask) -> Answer:
    """Fail as a service does that is down."""
    raise Transient("it answered 503 (1 try)")


def open_it(one: Breaker) -> None:
    """Let five calls fail."""
    for number in range(5):
        with pytest.raises(Transient):
            one.send(Ask(url=f"http://x/{number}"), fail)


def test_it_survives_restarts_and_says_what_it_is(tmp_path: Path) -> None:
    """Another session finds it open: nothing is sent; status and doctor name it; others go on."""
    session = make_session(tmp_path)
    open_it(Breaker(session, "strava", "Strava"))
    later = make_session(tmp_path, StandingClock(NOW + dt.timedelta(seconds=30)))
    said = r"Strava fails: 5 times in a row since 2026-05-01 06:00 UTC, last: it answered 503 "
    with pytest.raises(SourceError, match=said) as raised:
        Breaker(later, "strava", "Strava").send(Ask(url="http://x/9"), ok)
    assert not isinstance(raised.value, Transient)
    assert Breaker(later, "garmin", "Garmin").send(Ask(url="http://y"), ok).status == 200
    [known] = status(session.folders)["breakers"]
    assert (known["source"], known["state"], known["failures"]) == ("strava", "open", 5)
    found = {one.subject: one.is_well for one in session_records.examine(session.folders, NOW)}
    assert found["strava"] is False


def ok(_asked: Ask) -> Answer:
    """Answer as a service does that works."""
    return Answer(200, {}, b"{}")


def test_a_trial_is_one_try_and_an_answer_closes_it(tmp_path: Path) -> None:
    """After a minute one call goes out, with one try; then all do, with their own tries."""
    session = make_session(tmp_path)
    one = Breaker(session, "strava", "Strava")
    open_it(one)
    tries: list[int] = []
    later = make_session(tmp_path, StandingClock(NOW + dt.timedelta(seconds=62)))
    again = Breaker(later, "strava", "Strava")

    def counted(ask: Ask) -> Answer:
        tries.append(ask.tries)
        return ok(ask)

    for _ in range(2):
        again.send(Ask(url="http://x/1", tries=4), counted)
    assert tries == [1, 4]
    assert status(session.folders)["breakers"] == []


def test_addresses_are_not_written_down(tmp_path: Path) -> None:
    """A position in an address is somebody's home: only marks of addresses are kept."""
    session = make_session(tmp_path)
    ask = Ask(url="http://x/forecast", params={"latitude": "41.3851"})
    with pytest.raises(Transient):
        Breaker(session, "open_meteo", "Open-Meteo").send(ask, fail)
    kept = str(session.state.execute("select * from breakers"))
    assert "41.38" not in kept
    assert "forecast" not in kept


def _try_it(folder: Path, seconds: float, answers: "Queue[str]") -> None:
    session = make_session(folder, StandingClock(NOW + dt.timedelta(seconds=seconds)))
    try:
        Breaker(session, "strava", "Strava").send(Ask(url="http://x/1"), fail)
    except Transient:
        answers.put("sent")
    except SourceError:
        answers.put("refused")
    session.state.close()


def test_processes_share_it(tmp_path: Path) -> None:
    """Eight processes come at once when a trial is due: one sends, seven are refused."""
    session = make_session(tmp_path)
    open_it(Breaker(session, "strava", "Strava"))
    context = multiprocessing.get_context("fork")
    answers: Queue[str] = context.Queue()
    workers = [context.Process(target=_try_it, args=(tmp_path, 65, answers)) for _ in range(8)]
    for worker in workers:
        worker.start()
    said = sorted(answers.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    assert said == ["refused"] * 7 + ["sent"]


# ---- over HTTP


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place with twelve activities listed at Strava, and nothing else fetched."""
    with opened(tmp_path, points=20) as found:
        found.upstream.account.fill(12, manual=False, every_days=1 / 24)
        found.pull()
        yield found


def fetched(place: Place) -> int:
    """Enrich with details; return how many came, or -1 if the service failed."""
    try:
        return place.enrich(only=("details",)).fetched.get("details", 0)
    except SourceError:
        return -1


@pytest.mark.parametrize("fault", [Status(500, {}), Status(503, {}), Reset(), Html(502), Html(200)])
def test_an_outage_costs_few_calls_and_nothing_is_lost(place: Place, fault: object) -> None:
    """E2: six hours of failures, a flow every half hour: a call each; then everything comes."""
    place.upstream.script.add(fault)  # type: ignore[arg-type]
    assert fetched(place) == -1
    first = len(place.upstream.calls)
    assert fetched(place) == -1  # at once: nothing is sent
    assert len(place.upstream.calls) == first
    for _ in range(12):
        place.advance(hours=0.51)
        assert fetched(place) == -1
    assert len(place.upstream.calls) - first == 12
    place.upstream.script.clear()
    place.advance(hours=0.51)
    assert fetched(place) == 12
    assert place.state("select count(*) from quarantine") == [(0,)]


@pytest.mark.parametrize(
    "fault",
    [Status(404, {}), Status(403, {}), Status(410, {}), Status(400, {}), Status(422, {}),
     Status(429, {}, quota=False), Observed("read")],
    ids=lambda one: str(getattr(one, "status", "observed")),
)  # fmt: skip
def test_refusals_do_not_open_it(place: Place, fault: object) -> None:
    """Q1, Q2, E3: 4xx to everything, a used-up quota too: Strava is not taken for broken."""
    place.upstream.script.add(fault)  # type: ignore[arg-type]
    fetched(place)
    assert status(place.folders)["breakers"] == []


def test_one_that_always_fails_does_not_open_it(place: Place) -> None:
    """E1: 500 for one id amid others, in six runs: eleven come, and the breaker stays closed."""
    bad = newest(place)
    place.upstream.script.add(Status(500, {}), path=rf"/activities/{bad}$")
    assert fetched(place) == 11
    for _ in range(6):
        assert status(place.folders)["breakers"] == []
        place.advance(days=17)
        assert fetched(place) == 0
    rows = place.state("select attempts, next_try_at, error_class from quarantine")
    assert rows == [(6, None, "temporary_api_error")]


def test_three_pages_for_files_open_it(tmp_path: Path) -> None:
    """T9: a maintenance page with 200 in place of files: three are asked for, and no more."""
    with garmin_place.opened(tmp_path) as place:
        for days in range(1, 9):
            place.upload(place.clock.now() - dt.timedelta(days=days))
        place.upstream.script.add(Html(200), path="download-service")
        with pytest.raises(SourceError, match="Garmin fails"):
            place.pull()
        assert len(place.upstream.calls_to("download-service")) == 3
        _all_come_later(place)


def _all_come_later(place: GarminPlace) -> None:
    place.upstream.script.clear()
    place.advance(seconds=61)
    assert place.pull().also == {"with their file": 8}
    assert place.quarantined() == []
