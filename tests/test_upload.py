"""`tracklake upload`: what Strava lacks goes there once; what it has, had or refuses is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.inbox import START_S, fit_bytes
from tests.sources.strava_place import Place
from tests.upload_place import (
    DAYS,
    TurnedAway,
    copied_place,
    fetch,
    is_whole,
    posts,
    put,
    states,
    synced,
    turned_away,
    upload,
    upload_place,
    wanted,
)
from tests.upstream.calls import Call
from tests.upstream.quota import Limits
from tests.upstream.status_faults import Html, Observed, Redirect, Status
from tests.upstream.tokens import ALL_SCOPES
from tests.upstream.transport_faults import Refuse, Reset, ShortBody
from tracklake import forgetting
from tracklake.errors import AuthError, ConfigError, SourceError, Transient
from tracklake.identity import bytes_hash
from tracklake.strava import oauth
from tracklake.uploads.candidates import MAY_BE_THERE

POST = "/uploads$"
HOUR_S = 3_600


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which three files and Strava's list are known; nobody writes there."""
    folder = tmp_path_factory.mktemp("ready")
    with upload_place(folder):
        return folder


@pytest.fixture
def place(ready: Path, tmp_path: Path) -> Iterator[Place]:
    """Return a place with three files that Strava lacks, known to lack them."""
    with copied_place(ready, tmp_path) as found:
        yield found


# ---- all is well


def test_what_strava_lacks_goes_there_once(place: Place) -> None:
    """Three files become three activities under stable names; a second run makes no call."""
    report = upload(place)
    assert report.came == {"done": 3}
    assert is_whole(place) == []
    names = {one.fields["external_id"] for one in place.upstream.uploads.uploads.values()}
    assert names == {f"tracklake-{bytes_hash(fit_bytes(day))[:32]}" for day in DAYS}
    before = len(place.upstream.calls)
    again = upload(place)
    assert len(place.upstream.calls) == before
    assert again.kept == {"uploaded before": 3}
    fetch(place)
    assert upload(place).came == {}
    assert place.upstream.quota_violations == 0


def test_the_bytes_that_arrive_are_those_of_the_file(place: Place) -> None:
    """What Strava gets is the original to the byte, as FIT."""
    upload(place)
    arrived = {one.content for one in place.upstream.uploads.uploads.values()}
    assert arrived == {fit_bytes(day) for day in DAYS}
    assert {one.fields["data_type"] for one in place.upstream.uploads.uploads.values()} == {"fit"}


def test_a_dry_run_asks_nobody_and_says_what_and_why_not(place: Place) -> None:
    """It lists the files that would go, counts the others by reason, and enters nothing."""
    synced(place, 1)
    fetch(place)
    before = len(place.upstream.calls)
    report = upload(place, dry_run=True)
    assert len(place.upstream.calls) == before
    assert report.left == len(report.planned) == 2
    assert report.kept == {"on Strava": 1}
    lines = report.lines()
    assert lines[0] == "to upload: 2"
    assert lines[1].startswith("  2024-05-03 16:00 Run, 2 min, fit of files/")
    assert lines[3] == "not to go: 1 on Strava"
    assert states(place) == {}


@pytest.mark.parametrize(
    ("options", "days"),
    [
        ({"since_s": START_S + 4 * 86_400}, {5}),
        ({"sports": frozenset({"ride"})}, set()),
        ({"sports": frozenset({"run"})}, {1, 3, 5}),
    ],
)
def test_only_what_is_asked_for(place: Place, options: dict[str, object], days: set[int]) -> None:
    """--since and --sport narrow it down; the rest goes when they do not."""
    upload(place, **options)
    arrived = {one.content for one in place.upstream.uploads.uploads.values()}
    assert arrived == {fit_bytes(day) for day in days}
    upload(place)
    assert is_whole(place) == []


def test_the_name_follows_the_template(place: Place) -> None:
    """--name is filled in with local date and sport; a field that there is not is said first."""
    with pytest.raises(ConfigError, match=r"--name: .*\{date\}"):
        upload(place, name="{moon}")
    assert posts(place) == []
    upload(place, name="{date} {sport}")
    [first, *_] = place.upstream.uploads.uploads.values()
    assert first.fields["name"] == "2024-05-01 Run"


# ---- what Strava has, or had


def test_what_came_to_strava_since_the_pull_is_seen_before_sending(place: Place) -> None:
    """The watch's own sync was quicker: no file is sent, the ledger names Strava's activity."""
    ids = [synced(place, day) for day in DAYS]
    report = upload(place)
    assert posts(place) == []
    assert report.came == {"there": 3}
    rows = place.state("select activity_id from uploads order by start_s")
    assert [int(str(one)) for (one,) in rows] == ids


def test_what_was_deleted_on_strava_never_goes_there_again(place: Place) -> None:
    """A deletion there is the athlete's will: also of our own upload, also without the state."""
    there = synced(place, 1)
    fetch(place)
    upload(place)
    place.upstream.account.delete(there)
    ours, _ = place.upstream.uploads.created[0]
    fetch(place)
    place.upstream.account.delete(ours)
    fetch(place)
    place.forget_state()
    fetch(place)
    report = upload(place)
    assert len(posts(place)) == 2
    assert report.kept["deleted on Strava"] == 2


def test_deleted_and_then_forgotten_does_not_go(place: Place) -> None:
    """What Strava was seen to have is remembered, also when all its rows are removed here."""
    there = synced(place, 1)
    fetch(place)
    upload(place)
    place.upstream.account.delete(there)
    with place.session() as session:
        forgetting.forget(session, "strava")
    place.compact(rebuild=True)
    fetch(place)
    assert upload(place).kept["on Strava, or was"] == 1
    assert len(posts(place)) == 2


def test_without_a_whole_list_nothing_is_decided(tmp_path: Path) -> None:
    """Before Strava's list was read to its end, the command says what to run first."""
    with upload_place(tmp_path) as place:
        place.make_reconcile_due()
        with pytest.raises(ConfigError, match="make run-all"):
            upload(place)
        assert posts(place) == []


@pytest.mark.parametrize("words", ["id", "html"])
def test_a_duplicate_is_success_with_that_id(place: Place, words: str) -> None:
    """Strava has one that its list hides from us: its own answer names it, in both wordings."""
    place.upstream.uploads.words = words
    hidden = synced(place, 3, ghost=True)
    report = upload(place)
    assert report.came == {"done": 2, "duplicate": 1}
    [(found,)] = place.state("select activity_id from uploads where state = 'duplicate'")
    assert found == str(hidden)
    before = len(place.upstream.calls)
    upload(place)
    assert len(place.upstream.calls) == before


def test_two_files_of_one_outing_are_one_upload(tmp_path: Path) -> None:
    """A watch and a bike computer of the same time: one goes, and the other stays."""
    with upload_place(tmp_path, days=(1,)) as place:
        put(place, "again.fit", fit_bytes(1, 100))
        fetch(place)
        report = upload(place)
        assert report.came == {"done": 1}
        assert [one.content for one in place.upstream.uploads.uploads.values()] == [fit_bytes(1)]
        assert upload(place).kept == {"uploaded before": 1, MAY_BE_THERE: 1}


# ---- slowly, and with little quota


def test_a_slow_upload_is_left_and_asked_about_later(place: Place) -> None:
    """Half a minute of questions, further apart each time; the next run asks, and sends nothing."""
    place.upstream.uploads.processing_s = 1_000
    report = upload(place, max_calls=200)
    assert report.processing == 3
    assert place.clock.slept_s[:5] == [1.0, 2.0, 4.0, 8.0, 16.0]
    place.advance(seconds=1_000)
    report = upload(place)
    assert report.came == {"done": 3}
    assert is_whole(place) == []


@pytest.mark.parametrize("most", range(12))
def test_stopped_after_any_number_of_calls(place: Place, most: int) -> None:
    """--max-calls parks it anywhere; runs with so few calls come to the end all the same."""
    report = upload(place, max_calls=most)
    assert report.calls <= most
    assert report.parked is not None
    place.advance(seconds=60)
    for _ in range(8):
        upload(place, max_calls=max(most, 9))
        place.advance(seconds=60)
    assert is_whole(place) == []


def test_the_quota_is_kept_and_shared(tmp_path: Path) -> None:
    """With few calls a day, uploads spread over days; no call is refused, a reserve stays."""
    limits = Limits(read_quarter=30, read_day=40, overall_quarter=60, overall_day=80)
    with upload_place(tmp_path, days=tuple(range(1, 10)), limits=limits) as place:
        runs = 0
        while (runs := runs + 1) < 12 and upload(place).parked is not None:
            assert place.upstream.quota.read.day <= 36
            place.advance(days=1)
        assert 1 < runs < 12
        assert is_whole(place) == []
        assert place.upstream.quota_violations == 0


def test_sending_counts_as_no_reading(place: Place) -> None:
    """A POST is booked in the overall windows only, as Strava books it."""
    before = place.upstream.quota.read.day, place.upstream.quota.overall.day
    upload(place)
    read = place.upstream.quota.read.day - before[0]
    assert place.upstream.quota.overall.day - before[1] == read + 3
    rows: dict[object, int] = dict(
        place.state("select kind, used from budgets where window_s = 86400")  # type: ignore[arg-type] # pairs
    )
    assert rows["overall"] - rows["read"] >= 3


# ---- no


def test_a_login_without_the_permission_is_asked_for_anew(tmp_path: Path) -> None:
    """Nothing is sent; the sentence names the setting and the command."""
    with (
        upload_place(tmp_path, scopes=ALL_SCOPES) as place,
        pytest.raises(AuthError, match=r"activity:write: set TRACKLAKE_UPLOAD=on, run `make auth`"),
    ):
        upload(place)
    assert posts(place) == []


def test_a_permission_taken_back_is_noticed_at_the_first_file(place: Place) -> None:
    """Strava says 401 missing: the same sentence, one call, and the file still to go."""
    place.log_in(lives_for_ever=True)
    place.upstream.tokens.reduce(ALL_SCOPES)
    with pytest.raises(AuthError, match="TRACKLAKE_UPLOAD=on"):
        upload(place)
    assert len(posts(place)) == 1
    assert set(states(place).values()) == {"pending"}
    place.upstream.tokens.reduce((*ALL_SCOPES, "activity:write"))
    upload(place)
    assert is_whole(place) == []


def test_the_permission_is_asked_for_only_when_switched_on(place: Place) -> None:
    """The login's address names activity:write with TRACKLAKE_UPLOAD=on, and not without."""
    settings, _ = place.load()
    assert "activity:write" not in oauth.authorize_url(settings, "x")
    place.settings_given["upload"] = "on"
    settings, _ = place.load()
    assert "activity:write" in oauth.authorize_url(settings, "x")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_file_that_strava_does_not_want_is_failed_and_said(place: Place, status: int) -> None:
    """One file is refused: the others go, it is not sent again unless that is asked for."""
    place.upstream.script.add(
        TurnedAway(status, {"message": "<b>Bad</b> file"}), path=POST, times=1
    )
    report = upload(place)
    assert report.came == {"failed": 1, "done": 2}
    assert f"Strava answered {status}: Bad file" in report.failures[0]
    assert upload(place).kept == {"refused by Strava before": 1, "uploaded before": 2}
    upload(place, again=True)
    assert is_whole(place) == []


def test_a_malformed_file_is_told_by_the_second_question(place: Place) -> None:
    """Taken with 201 and refused later: failed, with Strava's words; the others go."""
    place.upstream.before = _spoilt
    report = upload(place)
    assert report.came == {"failed": 1, "done": 2}
    assert "malformed" in report.failures[0]


def _spoilt(call: Call) -> None:
    if call.method == "POST" and fit_bytes(3) in call.body:
        call.body = call.body.replace(fit_bytes(3), b"no activity")


def test_an_expired_token_is_renewed_and_the_file_sent_once(place: Place) -> None:
    """401 at the POST itself: one refresh, and the file arrives once."""
    place.upstream.script.add(turned_away("expired"), path=POST, times=1)
    upload(place)
    assert is_whole(place) == []


def test_an_inactive_application_stops_it(place: Place) -> None:
    """403 of the application is a sentence about it, and every file still to go."""
    place.upstream.script.add(turned_away("inactive"), path=POST)
    with pytest.raises(AuthError, match="inactive"):
        upload(place)
    assert set(states(place).values()) == {"pending"}
    assert len(posts(place)) == 1


def test_403_without_a_reason_stops_it(place: Place) -> None:
    """Any other 403 is no verdict on a file: nothing is failed for good."""
    place.upstream.script.add(TurnedAway(403, {"message": "Forbidden"}), path=POST)
    with pytest.raises(SourceError, match="403"):
        upload(place)
    assert set(states(place).values()) == {"pending"}


def test_a_redirect_stops_it(place: Place) -> None:
    """A moved address is said; the file did not go and is not thought to have."""
    place.upstream.script.add(Redirect("https://elsewhere.invalid/"), path=POST)
    with pytest.raises(SourceError, match="redirects are not followed"):
        upload(place)
    assert set(states(place).values()) == {"pending"}


def test_429_at_a_post_waits_and_goes_on(place: Place) -> None:
    """A refused POST was not taken: it is sent again when the quota's window has passed."""
    place.upstream.script.add(turned_away("overall"), path=POST, times=1)
    upload(place)
    assert is_whole(place) == []
    assert len(posts(place)) == 4
    assert place.state("select distinct posts from uploads") == [(1,)]


# ---- no answer

LOST = {
    "nothing arrived": Refuse(),
    "answer lost": Refuse(processed=True),
    "reset after it arrived": Reset(None),
    "answer cut": ShortBody(20),
    "a page for people": Html(200),
    "500": Status(500, {"message": "no"}),
    "503": Status(503, {"message": "no"}),
}


@pytest.mark.parametrize("name", sorted(LOST))
def test_an_upload_without_an_answer_is_looked_for(place: Place, name: str) -> None:
    """Whether it came or not: never sent blindly, never lost, never twice."""
    place.upstream.script.add(LOST[name], path=POST, times=1)
    upload(place)
    if name == "nothing arrived":
        assert sorted(states(place).values()) == ["done", "done", "uploading"]
        upload(place)
        assert len(posts(place)) == 3  # too early to say that it never came
        place.advance(seconds=2 * HOUR_S)
        upload(place)
    assert is_whole(place) == []


def test_what_never_comes_is_given_up_in_words(tmp_path: Path) -> None:
    """Three posts, hours apart, that vanish: failed with a reason, and sent again when asked."""
    with upload_place(tmp_path, days=(1,)) as place:
        rule = place.upstream.script.add(Refuse(), path=POST)
        for _ in range(5):
            upload(place)
            place.advance(seconds=2 * HOUR_S)
        assert len(posts(place)) == 3
        [(message,)] = place.state("select message from uploads where state = 'failed'")
        assert "sent 3 times" in str(message)
        place.upstream.script.rules.remove(rule)
        upload(place, again=True)
        assert is_whole(place) == []


def test_an_hour_of_processing_without_an_answer_is_a_duplicate_at_worst(tmp_path: Path) -> None:
    """Answer lost and Strava slower than we wait: sent again, and there is still one activity."""
    with upload_place(tmp_path, days=(1,)) as place:
        place.upstream.uploads.processing_s = 2 * HOUR_S
        place.upstream.script.add(Refuse(processed=True), path=POST, times=1)
        upload(place)
        place.advance(seconds=1.5 * HOUR_S)
        upload(place)
        place.advance(seconds=3 * HOUR_S)
        report = upload(place)
        assert report.came == {"duplicate": 1}
        assert len(place.upstream.uploads.created) == 1


def test_strava_down_stops_it_and_sends_nothing(place: Place) -> None:
    """No connection at all: the look before the first file fails, nothing is in doubt."""
    with place.upstream.down(), pytest.raises(Transient):
        upload(place)
    assert set(states(place).values()) == {"pending"}
    upload(place)
    assert is_whole(place) == []


def test_one_upload_that_is_always_500_does_not_stop_the_others(place: Place) -> None:
    """Questions about one upload fail for ever: the others end, it stays in processing."""

    def spoil(call: Call) -> None:
        if call.method == "POST" and not place.upstream.script.rules:
            place.upstream.script.add(Status(500, {}), path=r"/uploads/16000000000$")

    place.upstream.before = spoil
    report = upload(place)
    assert report.errors == 1
    assert sorted(states(place).values()) == ["done", "done", "processing"]
    place.upstream.before = None
    place.upstream.script.clear()
    upload(place)
    assert is_whole(place) == []


def test_an_upload_that_strava_does_not_know_any_more_is_looked_for(place: Place) -> None:
    """404 for an upload's id: the list tells that it is there."""
    place.upstream.uploads.processing_s = 100
    upload(place)
    place.advance(seconds=200)
    place.upstream.script.add(Observed("absent"), path=r"/uploads/\d+$")
    upload(place)
    assert is_whole(place) == []


def test_a_damaged_original_is_not_sent(place: Place) -> None:
    """Bytes that are not what was decoded stay here; the others go."""
    [first, *_] = sorted((place.folders.bronze / "files").rglob("objects/*/*.fit"))
    first.write_bytes(first.read_bytes()[:-1] + b"\x00")
    report = upload(place)
    assert (report.errors, report.came) == (1, {"done": 2})
    assert sorted(states(place).values()) == ["done", "done", "pending"]


def test_a_lost_state_database_uploads_nothing_twice(place: Place) -> None:
    """Without the ledger, what Strava has is found by its list: no POST."""
    upload(place)
    place.forget_state()
    fetch(place)
    report = upload(place)
    assert len(posts(place)) == 3
    assert report.kept == {"on Strava": 3}
    assert wanted(place)


def test_another_athlete_knows_nothing_of_it(place: Place) -> None:
    """The ledger and the files are one athlete's."""
    upload(place)
    other = Place(place.folder, place.upstream, athlete="anna")
    assert states(other) == {}
    assert wanted(other) == set()


# ---- as a step of a flow


def test_a_flow_uploads_only_when_switched_on(place: Place) -> None:
    """Off: no file goes. On: the flow sends them, and the next one fetches them as activities."""
    place.flow()
    assert posts(place) == []
    place.settings_given["upload"] = "on"
    report = place.flow()
    assert report.upload is not None
    assert report.upload.came == {"done": 3}
    place.reconcile()
    place.compact()
    assert len(place.gold()) == 7


def test_a_login_that_may_not_write_fails_the_step_and_not_the_flow(tmp_path: Path) -> None:
    """Everything else is done; then the need for a login is raised."""
    with upload_place(tmp_path, scopes=ALL_SCOPES) as place:
        place.settings_given["upload"] = "on"
        with pytest.raises(AuthError, match="activity:write"):
            place.flow()
        assert place.query("from activity_details") != []
