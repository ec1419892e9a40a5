"""Garmin through its Personal API: the key, the list, the files, the end of the key."""

import contextlib
import dataclasses
import datetime as dt
import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.sources.garmin_place import KEY, GarminPlace, opened
from tests.upstream.calls import Call
from tests.upstream.faults import Fault
from tests.upstream.garmin import DOWNLOAD, EXCHANGE, LIST, fit_of, kind, triathlon, zipped
from tests.upstream.status_faults import Html, Redirect, Status
from tests.upstream.transport_faults import Refuse, Reset, ShortBody
from tracklake import cli_status, doctor, status
from tracklake.errors import AuthError, SourceError
from tracklake.garmin import key_file
from tracklake.sources import garmin


@pytest.fixture
def place(tmp_path: Path) -> Iterator[GarminPlace]:
    """Return a place with nothing upstream yet."""
    with opened(tmp_path) as found:
        yield found


def fill(place: GarminPlace, count: int, every_days: float = 2.0) -> list[str]:
    """Let activities appear, the newest yesterday; return their ids, newest first."""
    now = place.clock.now()
    return [
        place.upload(now - dt.timedelta(days=1 + every_days * number)) for number in range(count)
    ]


# ---- the list and the files


def test_pages_of_twenty_and_a_call_a_second(place: GarminPlace) -> None:
    """The whole list comes by twenties, then each file, never two calls within a second."""
    ids = fill(place, 45)
    report = place.pull()
    assert (report.new, report.also, report.quarantined) == (45, {"with their file": 45}, 0)
    assert {call.query["limit"] for call in place.list_calls()} == {"20"}
    assert [call.query["start"] for call in place.list_calls()] == ["0", "19", "38", "45"]
    files = place.upstream.calls_to(DOWNLOAD)
    assert [call.path.removeprefix(DOWNLOAD) for call in files] == ids
    assert {call.headers["accept"] for call in files} == {"application/x-zip-compressed"}
    assert place.upstream.too_early == 0
    place.compact()
    found = place.query(
        "select count(*) as n, sum(point_count) as points, min(primary_source) as source, "
        "bool_and(has_track) as tracks from activities"
    )
    assert found == [{"n": 45, "points": 45 * 120, "source": "garmin", "tracks": True}]


def test_a_day_later_costs_two_pages(place: GarminPlace) -> None:
    """The daily look ends at a page that is known and lies before the days to look back."""
    fill(place, 100)
    place.pull()
    so_far = len(place.upstream.calls)
    place.advance(days=0.5)
    new = place.upload()
    report = place.pull()
    assert (report.new, report.changed) == (1, 0)
    assert [call.query["start"] for call in place.list_calls(so_far)] == ["0", "19"]
    assert [call.path for call in place.upstream.calls_to(DOWNLOAD, since=so_far)] == [
        f"{DOWNLOAD}{new}"
    ]


def test_an_activity_deleted_while_the_list_is_read(place: GarminPlace) -> None:
    """The page after the one from which something went steps back, so that none is missed."""
    ids = fill(place, 60)

    def delete(call: Call) -> None:
        if call.query.get("start") == "19":
            place.upstream.before = None
            place.delete(ids[3])

    place.upstream.before = delete
    place.pull()
    assert set(ids) - {ids[3]} <= set(place.rows())


def test_by_hand_and_without_a_file(place: GarminPlace) -> None:
    """What was entered by hand is not asked for; a 404 says so once; both are no mistakes."""
    now = place.clock.now()
    by_hand = place.upstream.enter_by_hand(now - dt.timedelta(days=3))
    lost = place.upload(now - dt.timedelta(days=2))
    place.upstream.originals[int(lost)] = None
    report = place.pull()
    assert (report.new, report.quarantined) == (2, 0)
    assert [call.path for call in place.upstream.calls_to(DOWNLOAD)] == [f"{DOWNLOAD}{lost}"]
    [row] = place.shard_rows("activity_streams")
    assert (row["source_id"], row["outcome"], row["point_count"]) == (lost, "none", 0)
    place.pull()
    assert len(place.upstream.calls_to(DOWNLOAD)) == 1
    assert place.rows()[str(by_hand)]["manual"] is True


def test_other_files_than_fit(place: GarminPlace) -> None:
    """Older and imported activities hold GPX; one damaged file is set aside alone."""
    first, second, third = fill(place, 3)
    gpx = (
        '<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" '
        'creator="x"><trk><trkseg>'
        + "".join(
            f'<trkpt lat="45.9{i:02}" lon="14.5"><time>2026-11-18T06:00:{i:02}Z</time></trkpt>'
            for i in range(30)
        )
        + "</trkseg></trk></gpx>"
    ).encode()
    place.upstream.originals[int(second)] = zipped(f"{second}.gpx", gpx)
    place.upstream.originals[int(third)] = zipped("notes.txt", b"nothing of ours")
    report = place.pull()
    assert report.quarantined == 1
    assert report.also == {"with their file": 2}
    counts = {row["source_id"]: row["point_count"] for row in place.shard_rows("activity_streams")}
    assert counts == {first: 120, second: 30, third: 0}
    place.compact()


def test_a_page_in_place_of_a_file(place: GarminPlace) -> None:
    """One file that is a web page is set aside and comes a day later; three in a row end it."""
    ids = fill(place, 5)
    place.upstream.script.add(Html(status=200), path=f"{ids[1]}$", times=1)
    assert place.pull().quarantined == 1
    assert place.quarantined() == ["no_file"]
    so_far = len(place.upstream.calls)
    place.pull()
    assert place.upstream.calls_to(DOWNLOAD, since=so_far) == []
    place.advance(days=2)
    place.pull()
    assert place.quarantined() == []
    assert all(row["outcome"] == "done" for row in place.shard_rows("activity_streams"))
    fill(place, 4)
    place.upstream.script.add(Html(status=200), path=DOWNLOAD)
    with pytest.raises(SourceError, match="Garmin fails"):
        place.pull()
    assert len(place.rows()) == 9


def test_a_file_too_many_errors(place: GarminPlace) -> None:
    """A file that fails with 500 each time is set aside as unreachable; the others come."""
    ids = fill(place, 4)
    place.upstream.script.add(Status(500, {}), path=f"{ids[2]}$")
    report = place.pull()
    assert report.also == {"with their file": 3}
    assert place.quarantined() == ["unreachable"]


def test_a_list_that_fails(place: GarminPlace) -> None:
    """An error page in place of the list is a failure of the source, and no empty list."""
    ids = fill(place, 30)
    place.pull()
    place.advance(days=8)
    place.upstream.script.add(Status(403, {}), path=LIST)
    with pytest.raises(SourceError, match="403"):
        place.pull()
    place.upstream.script.clear()
    place.pull()
    assert set(place.rows()) == set(ids)


@pytest.mark.parametrize("where", [LIST, DOWNLOAD, EXCHANGE])
@pytest.mark.parametrize(
    "fault",
    [Reset(), Reset(None), ShortBody(), Refuse(), Status(500, {}), Status(503, {}), Redirect()],
    ids=lambda fault: f"{fault.name}-{getattr(fault, 'status', '')}",
)
def test_a_passing_fault_costs_nothing(place: GarminPlace, fault: Fault, where: str) -> None:
    """A connection that breaks, or an error that passes, is tried again, and all comes."""
    ids = fill(place, 3)
    place.upstream.script.add(fault, path=where, times=1)
    if isinstance(fault, Redirect):  # it may lead a key elsewhere
        with contextlib.suppress(SourceError):
            place.pull()
        place.advance(days=2)
    place.pull()
    assert set(place.rows()) == set(ids)
    assert place.upstream.too_early == 0
    counts = [row["point_count"] for row in place.shard_rows("activity_streams")]
    assert counts == [120] * 3


def test_a_triathlon_counts_once(place: GarminPlace) -> None:
    """The outing has all points; its legs, listed beside it, make no activities of their own."""
    found = triathlon(place.upstream, place.clock.now() - dt.timedelta(days=1))
    place.pull()
    rows = place.rows()
    assert {int(one) for one in rows} == {found.whole, *found.legs}
    assert [rows[str(leg)]["is_stub"] for leg in found.legs] == [True] * 4
    assert [call.path for call in place.upstream.calls_to(DOWNLOAD)] == [f"{DOWNLOAD}{found.whole}"]


def test_a_recording_replaced_comes_again(place: GarminPlace) -> None:
    """Another name fetches no file; another start does, for then it is another recording."""
    [one] = fill(place, 1)
    place.pull()
    place.edit(one, "Renamed")
    place.pull()
    assert len(place.upstream.calls_to(DOWNLOAD)) == 1
    start = place.clock.now().replace(microsecond=0) - dt.timedelta(days=1, hours=2)
    place.upstream.items[int(one)] |= {"startTimeGMT": f"{start:%Y-%m-%d %H:%M:%S}"}
    place.upstream.originals[int(one)] = zipped("x.fit", fit_of(start))
    place.pull()
    assert len(place.upstream.calls_to(DOWNLOAD)) == 2
    place.compact()
    assert place.query("select count(*) as n from activities") == [{"n": 1}]


def test_many_at_once_are_not_believed_gone(place: GarminPlace) -> None:
    """A list that lacks many is believed only after a second look, an hour later."""
    ids = fill(place, 60)
    place.pull()
    place.advance(days=8)
    for one in ids[:20]:
        place.delete(one)
    report = place.pull()
    assert (report.gone, report.doubted) == (0, 20)
    place.advance(hours=2)
    assert place.pull().gone == 20
    assert set(place.rows()) == set(ids[20:])


def test_sports_reach_gold(place: GarminPlace) -> None:
    """A type key of Garmin's is a sport type of Strava's in gold."""
    place.upstream.record(
        place.clock.now() - dt.timedelta(days=1), activityType=kind("trail_running")
    )
    place.pull()
    place.compact()
    assert place.query("select sport_type from activities") == [{"sport_type": "TrailRun"}]


# ---- the quota


def test_a_wait_that_garmin_names_is_sat_out(place: GarminPlace) -> None:
    """A 429 with Retry-After is waited for, no call is made meanwhile, and all comes."""
    fill(place, 3)
    place.upstream.calls_left, place.upstream.retry_after = 3, "60"

    def refill(call: Call) -> None:
        if any(one.status == 429 for one in place.upstream.calls[:-1]):
            place.upstream.calls_left = None
            refused = next(one for one in place.upstream.calls if one.status == 429)
            assert (call.moment - refused.moment).total_seconds() >= 59

    place.upstream.before = refill
    assert place.pull().parked is None
    assert len(place.rows()) == 3


def test_a_wait_until_tomorrow_is_said_with_its_day(place: GarminPlace) -> None:
    """A Retry-After of a day parks the pull, and what is said names the day."""
    place.upstream.calls_left, place.upstream.retry_after = 1, "80000"  # one for the token
    parked = place.pull().parked
    assert parked is not None
    assert f"left alone until {parked.until:%Y-%m-%d %H:%M} UTC" in str(parked)
    assert (parked.until - place.clock.now()).total_seconds() > 79_000


def test_athletes_have_budgets_of_their_own(tmp_path: Path) -> None:
    """Who is refused waits; another athlete, with another key, does not."""
    with opened(tmp_path) as place:
        place.pull()
        other = GarminPlace(tmp_path, place.upstream, athlete="anna")
        place.upstream.keys.add("another-key")
        other.key = None
        own = place.folders.secrets / "anna" / "GARMIN_PERSONAL_API_KEY"
        own.parent.mkdir()
        own.write_text("another-key", "utf-8")
        own.chmod(0o600)
        other.pull()
        names = place.state("select distinct source from budgets order by 1")
        assert names == [("garmin:anna",), ("garmin:me",)]
        assert other.token_path == place.folders.secrets / "anna" / "garmin_personal_token.json"


# ---- the key and its token


def test_a_token_is_kept_for_its_day(place: GarminPlace) -> None:
    """One exchange serves a day's pulls; the next day there is another; nobody else can read it."""
    place.pull()
    place.advance(hours=20)
    place.pull()
    assert place.upstream.exchanges == 1
    place.advance(hours=4)
    place.pull()
    assert place.upstream.exchanges == 2
    assert stat.S_IMODE(place.token_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.token_path.parent.stat().st_mode) == 0o700
    assert KEY not in place.token_path.read_text("utf-8")


def test_a_token_that_ends_early_is_exchanged_once(place: GarminPlace) -> None:
    """A 401 gets one more exchange; if that does not help, a new key is asked for."""
    fill(place, 2)
    place.pull()
    place.upstream.tokens.clear()
    place.pull()
    assert place.upstream.exchanges == 2
    place.upstream.script.add(Status(401, {}), path=LIST)
    with pytest.raises(AuthError, match=r"make a new key at https://connect\.garmin\.com/app/"):
        place.pull()
    assert place.upstream.exchanges == 3


@pytest.mark.parametrize("refusal", [401, 403])
def test_a_key_that_is_rejected(place: GarminPlace, refusal: int) -> None:
    """A key that ended is said to be so, with where to make another; nothing is lost."""
    ids = fill(place, 2)
    place.pull()
    place.advance(days=2)
    place.upstream.script.add(Status(refusal, {}), path=EXCHANGE)
    with pytest.raises(AuthError, match="make a new key at"):
        place.pull()
    assert set(place.rows()) == set(ids)


def test_a_new_key_gets_a_new_token(place: GarminPlace) -> None:
    """A token of another key is not used, and the old key's end says nothing of the new one."""
    place.pull()
    keep_end(place, 5)
    place.upstream.keys = {"another-key"}
    place.key = "another-key"
    place.pull()
    assert place.upstream.exchanges == 2
    kept = key_file.read(place.token_path)
    assert kept is not None
    assert kept.ends_on is None


@pytest.mark.parametrize("ahead_s", [-7200.0, 7200.0])
def test_clocks_that_differ(tmp_path: Path, ahead_s: float) -> None:
    """A token's end is taken by Garmin's clock: with ours off by hours it is still used once."""
    with opened(tmp_path, ahead_s=ahead_s) as place:
        fill(place, 3)
        place.pull()
        place.advance(hours=20)
        place.pull()
        assert place.upstream.exchanges == 1


def test_something_that_is_no_token(place: GarminPlace) -> None:
    """A web page in place of a token is a passing failure, and is not kept."""
    place.upstream.script.add(Html(status=200), path=EXCHANGE)
    with pytest.raises(SourceError, match="no token"):
        place.pull()
    assert not place.token_path.exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"fingerprint": 1, "use_until": "x"}'])
def test_a_damaged_token_file(place: GarminPlace, damage: bytes) -> None:
    """Whatever is in the file, the key is exchanged again."""
    path = place.token_path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damage)
    path.chmod(0o600)
    place.pull()
    assert place.upstream.exchanges == 1
    assert key_file.read(path) is not None


def exchange_in_a_process() -> None:
    """Ask for a token, as standard input says where; for the test of several processes."""
    from tracklake.client import Client
    from tracklake.clock import SystemClock
    from tracklake.garmin.personal import PersonalLogin

    told = json.load(sys.stdin)
    clock = SystemClock()
    login = PersonalLogin(
        key=told["key"],
        path=Path(told["path"]),
        url=told["url"],
        client=Client(clock),
        clock=clock,
    )
    print(login.headers()["Authorization"])  # noqa: T201 that is how it answers


def test_processes_share_one_exchange(place: GarminPlace) -> None:
    """Four processes that need a token at once make one exchange, and all have the same."""
    told = {"key": KEY, "path": str(place.token_path), "url": place.upstream.url}
    program = "from tests.sources.test_garmin import exchange_in_a_process as e; e()"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
            text=True,
        )
        for _ in range(4)
    ]
    for one in started:
        assert one.stdin is not None
        one.stdin.write(json.dumps(told))
        one.stdin.close()
    said = set()
    for one in started:
        assert one.stdout is not None
        said.add(one.stdout.read())
        one.stdout.close()
        assert one.wait(60) == 0
    assert len(said) == 1
    assert place.upstream.exchanges == 1


# ---- the end of the key


def keep_end(place: GarminPlace, days: int) -> None:
    """Say that the key ends in so many days."""
    kept = key_file.read(place.token_path)
    assert kept is not None
    ends = place.clock.now().date() + dt.timedelta(days=days)
    key_file.write(place.token_path, dataclasses.replace(kept, key_ends_on=ends.isoformat()))


def details(place: GarminPlace) -> list[str]:
    """Return what each pull said at its end."""
    rows = place.state("select detail from phases where phase = 'garmin' order by started_at")
    return [str(detail) for (detail,) in rows]


def test_each_warning_comes_once(place: GarminPlace) -> None:
    """14, 7 and 1 days before its end a pull warns of the key, once each."""
    place.pull()
    keep_end(place, 20)
    warned = []
    for day in range(21):
        place.advance(days=1)
        place.pull()
        place.pull()
        said = [one for one in details(place)[-2:] if "ends" in one]
        warned += [(20 - day - 1, one.rpartition("; ")[2]) for one in said]
    assert [left for left, _ in warned] == [14, 7, 1]
    assert warned[0][1].startswith("the key of Garmin's Personal API ends in 14 days, on 2026-")


def test_a_pull_after_a_long_pause_warns_once(place: GarminPlace) -> None:
    """Who pulls again when only three days are left is warned once, not for each day passed."""
    place.pull()
    keep_end(place, 30)
    place.advance(days=27)
    place.pull()
    place.pull()
    assert ["ends in 3 days" in one for one in details(place)] == [False, True, False]


def test_status_counts_the_days(place: GarminPlace, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing without a login; then that the end is not known; the days; the warning."""

    def shown() -> dict[str, object] | None:
        found = status.status(place.folders, "me", place.clock)
        cli_status.status(found)
        return found["garmin"]  # type: ignore[no-any-return] # ready for JSON

    assert shown() is None
    place.pull()
    assert (shown() or {})["key_ends_on"] is None
    assert "not known" in capsys.readouterr().out
    keep_end(place, 60)
    assert (shown() or {})["days_left"] == 60
    assert "60 days left" in capsys.readouterr().out
    keep_end(place, 6)
    assert (shown() or {})["warning"] is not None
    assert "ends in 6 days" in capsys.readouterr().out
    keep_end(place, -2)
    assert (shown() or {})["days_left"] == -2
    assert "has ended on" in capsys.readouterr().out
    json.dumps(status.status(place.folders, "me", place.clock))


def test_the_doctor_looks_at_the_key(place: GarminPlace) -> None:
    """A key whose end is near is a finding that says where to make another."""

    def finding() -> doctor.Finding:
        settings, folders = place.load()
        found = doctor.examine(folders, settings, clock=place.clock)
        return next(one for one in found if one.subject == "garmin")

    place.pull()
    assert finding().is_well
    keep_end(place, 40)
    assert finding().is_well
    keep_end(place, 3)
    assert not finding().is_well
    assert key_file.KEY_PAGE in finding().advice


def test_is_configured_by_a_key_or_a_login(place: GarminPlace) -> None:
    """A key is enough; so is a login of the community client; nothing is not."""
    settings, folders = place.load()
    assert garmin.is_configured(folders, settings)
    place.key = None
    settings, folders = place.load()
    assert not garmin.is_configured(folders, settings)
    tokens = folders.secrets / "garmin_tokens" / "garmin_tokens.json"
    tokens.parent.mkdir(parents=True)
    tokens.write_text("{}", "utf-8")
    assert garmin.is_configured(folders, settings)


def test_no_secret_is_shown(place: GarminPlace, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the key nor a token is in what is logged, printed, kept in bronze or in the state."""
    fill(place, 3)
    place.pull()
    place.upstream.script.add(Status(401, {}), path=LIST)
    with pytest.raises(AuthError) as raised:
        place.pull()
    said = capsys.readouterr()
    text = said.out + said.err + str(raised.value) + repr(raised.value)
    secrets = [KEY, *place.upstream.tokens]
    kept = [path for path in place.folders.data.rglob("*") if path.is_file()]
    for secret in secrets:
        assert secret not in text
        assert not any(secret.encode() in path.read_bytes() for path in kept)
