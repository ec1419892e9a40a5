"""No secret leaves: canaries planted as every secret, then looked for in all that came to be.

One household lives through good days and bad ones by the real commands, in real processes; the
tests look at what it left.
"""

import contextlib
import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability import planting
from tests.reliability.planting import HOME, MARK, PERSONAL, Echo, Household, Watch, household
from tests.upstream.status_faults import Html, Status
from tracklake import redaction

_CRASH = """
import sys
from tracklake import cli, cli_run
@cli.app.command("crash")
def crash():
    def stage(session, report):
        secret = session.settings.strava_client_secret.get_secret_value()
        session.log.info("odd", client_secret="pw", heartbeat=session.settings.heartbeat_url
                         .get_secret_value(), nested={"headers": [f"Bearer {secret}"]})
        raise LookupError(f"https://example.test/?client_secret={secret} said {secret}")
    cli_run.run("crash", None, stage)
cli.main()
"""
_PATHS = (
    "/health",
    "/health/ready",
    "/health/live",
    "/map/",
    "/map/tiles/manifest.json",
    "/nothing",
    "/map/../../secrets/strava_token.json",
    "/map/%2e%2e/.env",
    "/.env",
    "/secrets/",
)


def good_days(place: Household) -> None:
    """Run every command that a person would, on a day on which all is well."""
    assert place.run("flow") == 0, place.said["flow"]
    quiet = (
        *("status --json", "doctor --deep", "quarantine list --json", "compact --rebuild"),
        *("upload --dry-run", "backup verify --all", "export --format csv", "scheduler next"),
        "sql --csv from\tsessions",
    )
    for words in quiet:
        place.run(*(word.replace("\t", " ") for word in words.split(" ")))
    place.run("backup", "restore", "--to", "restored")
    answer_for_garmin = f"{next(iter(place.garmin.keys))}\n2027-01-31\n"
    place.run("auth", "garmin", told=answer_for_garmin)
    for source in ("strava", "smashrun"):
        place.run(
            "auth", source, told=f"http://localhost:8721/?code={planting.canary('code')}&state=x\n"
        )


def bad_days(place: Household) -> None:
    """Let every service refuse in each way it can, once by saying back all it was sent."""
    for faults in (
        (Echo(400), Echo(400), Echo(403), Echo(400)),
        (Echo(401), Echo(401), Echo(401), Echo(401)),
        (Html(), Status(500, {}), Status(429, {}), Echo(302)),
    ):
        for service, fault in zip(place.services, faults, strict=True):
            service.script.add(fault)
        place.garmin.tokens.clear()
        place.strava.tokens.expire_access()
        place.strava.clock.advance(7 * 3600)
        place.run("flow", "--backfill", patience_s=9)
        for service in place.services:
            service.script.clear()


@contextlib.contextmanager
def api(place: Household) -> Iterator[int]:
    """Serve the API as the command does; yield its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tracklake", "api", "--bind", "127.0.0.1:0"],
        cwd=place.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"127\.0\.0\.1:(\d+)", line)
    assert found, line
    try:
        yield int(found[1])
    finally:
        process.terminate()
        place.said["api"] = line + process.communicate(timeout=20)[0]


def asked(place: Household) -> None:
    """Ask the API for what there is, what there is not, and what it must not show."""
    with api(place) as port:
        for path in _PATHS:
            for host in (f"127.0.0.1:{port}", "evil.example"):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request("GET", path, headers={"Host": host})
                answer = connection.getresponse()
                said = f"{answer.status} {answer.getheaders()} " + answer.read().decode("latin-1")
                place.said[f"GET {path} at {host[:4]}"] = said
                connection.close()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Household, Watch]]:
    """Return a household after all of it, and what was seen of its processes."""
    watch = Watch()
    with household(tmp_path_factory.mktemp("canaries")) as place:
        place.plant_in_files()
        watch.start()
        good_days(place)
        bad_days(place)
        place.run("crash", program=("-c", _CRASH))
        asked(place)
        watch.end()
        yield place, watch


def test_every_secret_setting_is_planted(lived: tuple[Household, Watch]) -> None:
    """The settings of today that are secrets all carry the mark, and those used were accepted."""
    place, _ = lived
    secrets = place.secrets
    assert len(secrets) >= 7
    assert all(MARK in value for value in secrets.values())
    for service in place.services:
        assert any(call.status == 200 and "authorization" in call.headers for call in service.calls)
    token = (place.folder / "secrets" / "strava_token.json").read_bytes()
    assert planting.hits(token)


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """A secret in plain text, in a URL, in Basic authorization or in a compressed file is found."""
    import base64
    import gzip

    for before in range(4):
        packed = base64.b64encode(b"x" * before + f"user:{planting.canary('any')}".encode())
        assert planting.hits(packed)
    (tmp_path / "a.gz").write_bytes(gzip.compress(planting.canary("packed").encode()))
    assert any(planting.hits(data) for data in planting.content(tmp_path / "a.gz"))
    assert not planting.hits(b"nothing of the kind")


def test_no_command_says_a_secret(lived: tuple[Household, Watch]) -> None:
    """Standard output, standard error and answers of the API: 0 hits, in good days and bad."""
    place, _ = lived
    assert len(place.said) > 25
    found = {name: planting.hits(said.encode()) for name, said in place.said.items()}
    assert {name: where for name, where in found.items() if where} == {}


def test_no_file_holds_a_secret_but_those_meant_to(lived: tuple[Household, Watch]) -> None:
    """Logs, state, bronze, gold, map, exports, backups, what was restored: 0 hits, unpacked too."""
    place, _ = lived
    files = planting.files_below(place.folder, place.folder / "secrets", place.folder / ".env")
    kinds = {path.suffix for path in files}
    assert {".log", ".jsonl", ".parquet", ".duckdb", ".sqlite", ".zst", ".csv", ".pmtiles"} <= kinds
    assert len(files) > 60
    found = {
        str(path.relative_to(place.folder)): where
        for path in files
        for data in planting.content(path)
        if (where := planting.hits(data) + planting.hits(str(path).encode()))
    }
    assert found == {}


def test_no_process_shows_a_secret(lived: tuple[Household, Watch]) -> None:
    """Arguments and environment of all processes: 0 hits where secrets are set in files."""
    _, watch = lived
    assert watch.seen > 20
    assert (watch.arguments, watch.environments) == (set(), set())


def test_logs_say_nothing_personal(lived: tuple[Household, Watch]) -> None:
    """Names and notes of activities, and the privacy zone, are in no log and in no answer."""
    place, _ = lived
    logs = b"".join(path.read_bytes() for path in planting.files_below(place.folder / "logs"))
    shows = ("sql", "upload", "duplicates")  # to who asks for just that
    said = "\n".join(
        text for name, text in place.said.items() if not name.startswith(shows)
    ).encode()
    assert logs
    for mark in (PERSONAL, *HOME, HOME[0][:-2]):
        assert planting.hits(logs + said, mark) == []


def test_what_crashes_says_all_but_the_secret(lived: tuple[Household, Watch]) -> None:
    """A defect's traceback is whole on standard error and in the log, with the secret taken out."""
    place, _ = lived
    said = place.said["crash"]
    assert "Traceback" in said
    assert f"client_secret={redaction.REMOVED}" in said
    lines = [
        json.loads(line)
        for path in sorted((place.folder / "logs").rglob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    [odd] = [line for line in lines if line["event"] == "odd"]
    assert odd["client_secret"] == odd["heartbeat"] == redaction.REMOVED
    assert odd["nested"] == {"headers": [f"Bearer {redaction.REMOVED}"]}
    assert any(redaction.REMOVED in str(line.get("exception")) for line in lines)


def test_secrets_in_the_environment_stay_there(tmp_path: Path) -> None:
    """With every secret in the environment neither files, output nor arguments have one."""
    watch = Watch()
    with household(tmp_path) as place:
        environment = place.addresses() | place.secrets
        watch.start()
        assert place.run("flow", environment=environment) == 0
        place.strava.script.add(Echo(401))
        place.run("flow", environment=environment)
        watch.end()
        files = planting.files_below(place.folder, place.folder / "secrets")
    assert all(planting.hits(said.encode()) == [] for said in place.said.values())
    assert [path for path in files for data in planting.content(path) if planting.hits(data)] == []
    assert watch.arguments == set()
