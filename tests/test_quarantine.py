"""What is set aside: how it looks, when it is tried again, and that nothing is fetched for that."""

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import orjson
import pytest
import zstandard
from typer.testing import CliRunner

import tracklake
from tests.enrichments.test_details import newest
from tests.enrichments.test_streams import Body
from tests.rows import FIRST_DAY, make_session
from tests.sources import garmin_place, intervals_place, smashrun_place
from tests.sources.contract import SourcePlace
from tests.sources.strava_place import Place, opened
from tracklake import cli, code_versions, error_classes, pages, quarantine
from tracklake.errors import (
    AuthError,
    BudgetSpent,
    InvalidData,
    SourceError,
    StorageError,
    Transient,
)
from tracklake.intake.service_decoding import activity_file
from tracklake.intervals.landings import item_id
from tracklake.quarantine import Item

PACKAGE = Path(tracklake.__file__).parent
OTHER_CODE = (
    "update quarantine set code_version = substr(code_version, 1, instr(code_version, ' ')) || '0'"
)


def item(name: str, **more: str) -> Item:
    """Return something to set aside."""
    said = {"reason": "bad_answer", "message": "it is bad", **more}
    return Item(item_id=name, source="strava", item=f"details of {name}", **said)


def test_one_rule_says_what_rests(tmp_path: Path) -> None:
    """Rests until its next try; the dead until they are asked for; other code wakes it."""
    session = make_session(tmp_path)
    quarantine.set_aside(session, item("waits"))
    for _ in range(6):
        quarantine.set_aside(session, item("dead"))
    quarantine.set_aside(session, item("unread", read_as="strava/gear"))
    assert quarantine.resting(session, "strava") == {"waits", "dead", "unread"}
    assert quarantine.resting(session, "garmin") == set()
    assert quarantine.resting(session, "strava", given_up=True) == {"waits", "unread"}
    session.state.execute(f"{OTHER_CODE} where item_id = 'unread'")
    assert quarantine.resting(session, "strava") == {"waits", "dead"}
    session.clock.sleep(86_400)
    assert quarantine.resting(session, "strava") == {"dead"}


def test_retry_revives_the_dead_and_other_code_counts_anew(tmp_path: Path) -> None:
    """Dead after six; by `retry` it is due, and has six tries again; so has it with other code."""
    session = make_session(tmp_path)
    for _ in range(6):
        quarantine.set_aside(session, item("a", read_as="strava/gear"))
    now = session.clock.now()
    assert [(one["state"], one["attempts"]) for one in quarantine.items(session.state, now)] == [
        ("dead", 6)
    ]
    quarantine.retry(session.state, ["a"], now)
    assert [one["state"] for one in quarantine.items(session.state, session.clock.now())] == ["due"]
    quarantine.set_aside(session, item("a", read_as="strava/gear"))
    [one] = quarantine.items(session.state, now)
    assert (one["state"], one["attempts"]) == ("waiting", 1)
    quarantine.set_aside(session, item("a", read_as="strava/gear"))
    session.state.execute(OTHER_CODE)
    assert [one["state"] for one in quarantine.items(session.state, now)] == ["due"]
    quarantine.set_aside(session, item("a", read_as="strava/gear"))
    assert [one["attempts"] for one in quarantine.items(session.state, now)] == [1]


def test_the_list_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cause, class, count, first and last time, next try, the command; for machines, too."""
    session = make_session(tmp_path)
    quarantine.set_aside(session, item("abcdef0123456789", reason="not_answered"))
    for name, value in (("DATA", "data"), ("LOGS", "logs"), ("SECRETS", "secrets")):
        monkeypatch.setenv(f"TRACKLAKE_{name}_DIR", str(tmp_path / value))
    run = CliRunner()
    shown = run.invoke(cli.app, ["quarantine", "list"]).output
    assert "1 set aside: 1× not_answered (temporary_api_error)" in shown
    assert "tried 1×, first 2026-05-01 06:00 UTC, last 2026-05-01 06:00 UTC" in shown
    assert "tracklake quarantine retry abcdef012345" in shown
    [told] = orjson.loads(run.invoke(cli.app, ["quarantine", "list", "--json"]).output)
    assert told["error_class"] == "temporary_api_error"
    assert run.invoke(cli.app, ["quarantine", "retry", "abc"]).exit_code == 0
    assert "due: the next flow tries it" in run.invoke(cli.app, ["quarantine", "list"]).output
    assert run.invoke(cli.app, ["quarantine", "drop", "all"]).exit_code == 0
    assert run.invoke(cli.app, ["quarantine", "list"]).output == "nothing is set aside\n"


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (Transient("x", error_class="network_error"), "network_error"),
        (Transient("x"), "temporary_api_error"),
        (BudgetSpent("x", until=FIRST_DAY, error_class="rate_limit"), "rate_limit"),
        (BudgetSpent("x", until=FIRST_DAY), "quota_exceeded"),
        (AuthError("x"), "authentication_error"),
        (AuthError("x", error_class="permission_denied"), "permission_denied"),
        (InvalidData("x", reason="no_start"), "invalid_data"),
        (InvalidData("x", reason="memory"), "memory_limit"),
        (InvalidData("x", reason="timeout"), "timeout"),
        (InvalidData("x", reason="unforeseen"), "unknown_error"),
        (InvalidData("x", reason="not_found"), "not_found"),
        (StorageError("x"), "storage_error"),
        (ValueError("x"), "unknown_error"),
    ],
)
def test_every_error_has_a_class(error: Exception, name: str) -> None:
    """FAULTS 1c: the class that policy, logs and the quarantine go by."""
    assert error_classes.of(error) == name


def test_a_failing_source_bears_the_class_of_its_cause() -> None:
    """A page that is no list, wrapped in words about its source, is invalid data."""
    wrapped = SourceError("a page of Strava's list")
    wrapped.__cause__ = InvalidData("it is no list")
    assert error_classes.of(wrapped) == "invalid_data"


# ---- signs of code


def signs(root: Path) -> dict[str, str]:
    """Return the sign of every kind by the package that lies in a folder."""
    code = "from tracklake import code_versions as c\nfor k in c.KINDS: print(c.of(k))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(root)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(line.split(" ") for line in done.stdout.splitlines())


def test_only_what_reads_a_thing_changes_its_sign(tmp_path: Path) -> None:
    """Another reader of Strava's details: those alone are tried again; another command: nothing."""
    for name in ("code_versions.py", "__init__.py"):
        (tmp_path / "tracklake").mkdir(exist_ok=True)
        shutil.copy(PACKAGE / name, tmp_path / "tracklake")
    for kind in code_versions.KINDS:
        for name in code_versions.reads(kind):
            (tmp_path / "tracklake" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PACKAGE / name, tmp_path / "tracklake" / name)
    before = signs(tmp_path)
    assert before == dict(code_versions.of(kind).split(" ") for kind in code_versions.KINDS)
    (tmp_path / "tracklake" / "cli.py").write_text("# new\n")
    assert signs(tmp_path) == before
    reader = tmp_path / "tracklake" / "strava" / "strict.py"
    reader.write_text(reader.read_text() + "\n# mended\n")
    after = signs(tmp_path)
    assert {kind for kind in before if before[kind] != after[kind]} == {"strava/activity_details"}


READERS = {
    "originals": "tracklake.intake.service_decoding",
    "strava/activities": "tracklake.strava.records",
    "strava/activity_details": "tracklake.strava.strict",
    "strava/activity_streams": "tracklake.strava.stream_sets",
    "garmin/activities": "tracklake.garmin.records",
    "intervals/activities": "tracklake.intervals.records",
    "intervals/activity_intervals": "tracklake.intervals.parts",
    "intervals/wellness": "tracklake.intervals.days",
    "smashrun/activities": "tracklake.smashrun.records",
    "smashrun/activity_streams": "tracklake.smashrun.recordings",
    "open_meteo/weather": "tracklake.weather.answers",
    "nominatim/places": "tracklake.places.nominatim",
}
# What reading stands on without reading anything itself: errors, ids, time, files on disk.
GROUND = {
    *("model", "clock", "errors", "identity", "redaction", "secret_files", "watching"),
    *("session", "session_states", "state", "config", "landing", "shards", "bronze", "streams"),
    *("lock", "logs", "setting_values", "thresholds", "stages", "service_shards"),
}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Return which module imports which."""
    return grimp.build_graph("tracklake", cache_dir=None)


@pytest.mark.parametrize("kind", READERS)
def test_all_that_a_reader_stands_on_is_in_its_sign(imports: grimp.ImportGraph, kind: str) -> None:
    """Every module of formats, analysis and the service's own that it imports, at any distance."""
    modules = {READERS[kind], *imports.find_upstream_modules(READERS[kind])}
    files = {name.removeprefix("tracklake.").replace(".", "/") for name in modules} - {"tracklake"}
    own = {
        name for name in files
        if name.split("/")[0] not in GROUND and (PACKAGE / f"{name}.py").exists()
        and not name.startswith(("intake/originals", "intake/rows", "intake/strava_export"))
        and not name.startswith("intake/export_dates")
    }  # fmt: skip
    assert own <= {name.removesuffix(".py") for name in code_versions.reads(kind)}


# ---- nothing is fetched again


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place with four activities listed at Strava."""
    with opened(tmp_path, points=20) as found:
        found.upstream.account.fill(4, manual=False, every_days=1)
        found.pull()
        yield found


def test_details_that_are_readable_now_are_read_from_bronze(place: Place) -> None:
    """Unreadable: set aside with its page. Other code: read from there, landed, without a call."""
    one = newest(place)
    rule = place.upstream.script.add(Body(b"[]"), path=rf"/activities/{one}$")
    assert place.enrich(only=("details",)).quarantined == 1
    [location] = place.state("select location from quarantine")
    folder = place.folders.data / str(location[0])
    [page] = folder.glob(f"page-*-{one}.json.zst")
    place.upstream.script.rules.remove(rule)
    calls = len(place.upstream.calls)
    assert place.enrich(only=("details",)).calls == 0  # it rests
    place.state(OTHER_CODE)
    place.enrich(only=("details",))
    assert len(place.upstream.calls) == calls, "other code that fails, too, asks nobody"
    assert place.state("select attempts from quarantine") == [(1,)]
    # As if a mended reader read this page: what lies there can be read.
    [again] = place.state("select location from quarantine")
    [page] = (place.folders.data / str(again[0])).glob(f"page-*-{one}.json.zst")
    good = next(path for path in folder.glob("page-*.json.zst") if f"-{one}." not in path.name)
    body = orjson.dumps({**orjson.loads(pages.read(good).body), "id": one})
    page.write_bytes(zstandard.compress(body))
    place.state(OTHER_CODE)
    place.enrich(only=("details",))
    assert len(place.upstream.calls) == calls
    assert place.state("select count(*) from quarantine") == [(0,)]
    place.compact()
    assert place.query("select count(*) as n from activity_details") == [{"n": 4}]


def spoilt_original(place: SourcePlace, source_id: str) -> bytes:
    """Have the next answer for a file be damaged; return what it was."""
    upstream = place.upstream
    if hasattr(upstream, "originals"):
        whole = upstream.originals[int(source_id)]
        upstream.originals[int(source_id)] = b"this is no activity"
        return bytes(whole)
    whole = upstream.items[source_id].file  # type: ignore[attr-defined]
    upstream.items[source_id].file = b"this is no activity"  # type: ignore[attr-defined]
    return bytes(whole)


@pytest.mark.parametrize("service", [garmin_place, intervals_place], ids=["garmin", "intervals"])
def test_originals_are_decoded_again_from_bronze(tmp_path: Path, service: object) -> None:
    """One that no decoder understood is tried when it is due, and at once with other code; both
    without a call for it. Understood, it has its points and leaves the list.
    """
    with service.opened(tmp_path) as place:  # type: ignore[attr-defined]
        start = place.clock.now() - dt.timedelta(days=2)
        one = place.upload(start)
        whole = spoilt_original(place, one)
        assert place.pull().quarantined == 1
        [(location,)] = place.state("select location from quarantine")
        place.state(OTHER_CODE)
        before = len(place.upstream.calls)
        place.pull()
        assert place.state("select attempts from quarantine") == [(1,)]  # by this code: the first
        place.advance(days=1.1)
        place.pull()
        assert place.state("select attempts from quarantine") == [(2,)]
        # As if a mended decoder read these bytes: what lies there can be read.
        kept = place.folders.data / str(location)
        kept.write_bytes(activity_file(whole))
        place.state(OTHER_CODE)
        place.pull()
        assert place.quarantined() == []
        assert not any(place.is_original(call) for call in place.upstream.calls[before:])
        rows = sorted(place.shard_rows("activity_streams"), key=lambda row: row["ingested_at"])
        assert rows[-1]["point_count"] > 0
        calls = len([call for call in place.upstream.calls if place.is_original(call)])
        place.pull()
        assert len([call for call in place.upstream.calls if place.is_original(call)]) == calls


def rewritten(folder: Path, name: str, body: bytes) -> None:
    """Write what lies in a page anew, as if a mended reader could read it."""
    [page] = folder.glob(name)
    page.write_bytes(zstandard.compress(body))


def test_intervals_that_are_readable_now_are_read_from_bronze(tmp_path: Path) -> None:
    """An answer of intervals.icu that is no object: kept, and read by other code without a call."""
    with intervals_place.opened(tmp_path) as place:
        one = place.upload(place.clock.now() - dt.timedelta(days=2))
        place.upstream.script.add(Body(b"[1]"), path=rf"/activity/{one}/intervals$", times=1)
        assert place.pull().quarantined == 1
        [(location, reason)] = place.state("select location, reason from quarantine")
        assert reason == "no_intervals"
        calls = len([call for call in place.upstream.calls if "/intervals" in call.path])
        place.state(OTHER_CODE)
        place.pull()
        assert place.state("select attempts from quarantine") == [(1,)]  # it fails, and asks nobody
        body = orjson.dumps({"id": one, "icu_intervals": [{"type": "WORK", "distance": 500.0}]})
        rewritten(place.folders.data / str(location), "page-*.json.zst", body)
        place.state(OTHER_CODE)
        place.pull()
        assert place.quarantined() == []
        assert len([call for call in place.upstream.calls if "/intervals" in call.path]) == calls
        [row] = place.shard_rows("activity_intervals")
        assert [part["distance"] for part in row["intervals"]] == [500.0]
        place.pull()
        assert len([call for call in place.upstream.calls if "/intervals" in call.path]) == calls


def test_days_that_are_readable_now_are_read_from_bronze(tmp_path: Path) -> None:
    """A day of intervals.icu without a date: set aside once, kept, and read by other code."""
    with intervals_place.opened(tmp_path) as place:
        today = place.clock.now().date()
        place.upstream.live(today, weight=70.0)
        day = today - dt.timedelta(days=1)
        place.upstream.live(day, weight=71.0)
        place.upstream.days[day.isoformat()]["id"] = "yesterday"
        assert place.pull().quarantined == 1
        assert place.pull().quarantined == 0  # it rests
        [(location, reason)] = place.state("select location, reason from quarantine")
        assert reason == "no_date"
        folder = place.folders.data / str(location)
        [page] = folder.glob("page-*.json.zst")
        place.state(OTHER_CODE)
        place.pull()
        assert place.state("select attempts from quarantine") == [(1,)]
        del place.upstream.days[day.isoformat()]  # the service has it no more
        told = orjson.loads(pages.read(page).body)
        mended = [{**one, "id": str(one["id"]).replace("yesterday", day.isoformat())}
                  for one in told]  # fmt: skip
        place.state("update quarantine set item_id = ?", item_id("wellness", day.isoformat()))
        rewritten(folder, page.name, orjson.dumps(mended))
        place.state(OTHER_CODE)
        place.pull()
        assert place.quarantined() == []
        weights = {row["source_id"]: row["weight_kg"] for row in place.shard_rows("wellness")}
        assert weights == {today.isoformat(): 70.0, day.isoformat(): 71.0}


@pytest.mark.parametrize(
    "service", [garmin_place, intervals_place, smashrun_place],
    ids=["garmin", "intervals", "smashrun"],
)  # fmt: skip
def test_lost_points_are_made_anew_without_a_download(tmp_path: Path, service: object) -> None:
    """Somebody deletes the points: the next pull has them again from bronze, equal, without calls
    for them.
    """
    with service.opened(tmp_path) as place:  # type: ignore[attr-defined]
        for days in (3, 2, 1):
            place.upload(place.clock.now() - dt.timedelta(days=days))
        place.pull_all()
        place.compact()
        count = (
            "select activity_id, count(*) as n, sum(lat) as lat from activity_streams group by 1"
        )
        points = sorted(place.query(count), key=str)
        assert len(points) == 3
        for path in place.folders.streams.rglob("*.parquet"):
            path.unlink()
        calls = len(place.upstream.calls)
        place.pull_all()
        assert not any(place.is_original(call) for call in place.upstream.calls[calls:])
        place.compact()
        assert sorted(place.query(count), key=str) == points
        assert place.query("select count(*) as n from activities") == [{"n": 3}]
