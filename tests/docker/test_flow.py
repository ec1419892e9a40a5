"""The whole flow in containers, against the simulated Strava and files, as one person does it."""

import json
import re
import socket
import stat
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
import requests

from tests.docker import checks, engine
from tests.docker.conftest import MakePlace
from tests.docker.engine import Done
from tests.docker.place import Place
from tests.docker.waiting import wait_for

_UPSTREAM = 6
_FILES = 3


@pytest.fixture(scope="module")
def first(make_place: MakePlace) -> tuple[Place, Done]:
    """Return a place after its first `make flow`, and what that said."""
    place = make_place()
    place.put_activities(range(_FILES))
    place.override({"strava": place.simulator(_UPSTREAM)})
    place.start_simulator()
    return place, place.make("flow")


@pytest.fixture
def place(first: tuple[Place, Done]) -> Place:
    """Return the place; every test leaves its warehouse in order."""
    found, done = first
    assert done.returncode == 0, done.stdout + done.stderr
    return found


def test_a_flow_in_one_container_brings_all_of_it(place: Place) -> None:
    """Every activity of Strava and of the inbox is in the published snapshot, with its map."""
    visible = place.control("visible")
    assert place.activities() >= len(visible) + _FILES
    manifest = json.loads((place.folder / "data/tiles/manifest.json").read_text(encoding="utf-8"))
    assert sum(one["count"] for one in manifest["tracks"] if one["kind"] in ("year", "recent")) > 0
    assert (place.folder / "logs/flow/latest.log").resolve(strict=True).stat().st_size > 0


def test_everything_belongs_to_the_person(place: Place) -> None:
    """No file or folder that a container wrote belongs to root or to the image's user."""
    assert checks.owned_by_the_person(place) == []


def test_the_login_is_for_the_persons_eyes_only(place: Place) -> None:
    """The rotated token lies in the mounted folder, mode 0600, and took no other file's place."""
    token = place.folder / "secrets" / "strava_token.json"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(token.parent.stat().st_mode) & 0o077 == 0


def test_each_stage_is_a_job_of_its_own(place: Place) -> None:
    """`pull`, `compact`, `enrich` and `tiles` run one after another, each in its container."""
    for target in ("pull", "compact", "enrich", "tiles"):
        done = place.make(target)
        assert done.returncode == 0, f"{target}: {done.stdout}{done.stderr}"


def test_a_query_is_answered(place: Place) -> None:
    """`make sql` asks the snapshot in a container, and nothing in the query is run by a shell."""
    query = "select 'a''b; $(touch PWNED)' as said, count(*) > 0 as some from activities"
    done = place.make("sql", f"Q={query}")
    assert done.returncode == 0, done.stderr
    assert "$(touch PWNED)" in done.stdout
    assert not (place.folder / "PWNED").exists()


def test_a_file_that_lies_elsewhere_is_imported(place: Place, home: Path) -> None:
    """`make import P=…` reads a path outside the project's folders, and changes nothing there."""
    before = place.activities()
    place.put_activities(range(90, 91))
    elsewhere = home / "else where"
    elsewhere.mkdir(mode=0o755)
    (place.folder / "data/inbox/90.fit").rename(elsewhere / "a ride.fit")
    done = place.make("import", f"P={elsewhere / 'a ride.fit'}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.activities() == before + 1
    assert [path.name for path in elsewhere.iterdir()] == ["a ride.fit"]


def test_an_open_shell_on_the_host_and_a_flow_do_not_disturb_each_other(place: Place) -> None:
    """A reader keeps its snapshot while a container publishes another; a new reader sees that."""
    path = str(place.folder / "data/warehouse/tracklake.duckdb")
    with duckdb.connect(path, read_only=True) as reader:
        query = "select count(*) from activities"
        [(before,)] = reader.execute(query).fetchall()
        place.put_activities(range(60, 62))
        done = place.make("flow")
        assert done.returncode == 0, done.stdout + done.stderr
        [(still,)] = reader.execute(query).fetchall()
    assert still == before
    assert place.activities() == before + 2


def test_a_backup_is_made_and_verified(place: Place) -> None:
    """`make backup` writes one below data/backups; `backup verify` finds it whole."""
    done = place.make("backup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert any((place.folder / "data" / "backups").rglob("*"))
    verified = place.job("backup", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_api_answers_on_loopback_only(place: Place) -> None:
    """`make api-up` serves health, map and tiles on 127.0.0.1; `make api-down` ends it in time."""
    port = _free_port()
    bind = {"TRACKLAKE_API_BIND": f"127.0.0.1:{port}"}
    done = place.make("api-up", **bind)
    assert done.returncode == 0, done.stdout + done.stderr

    def answered(path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)

    def is_up() -> bool:
        try:
            return answered("/health/live") == 200
        except OSError:
            return False

    wait_for(is_up, "the API")
    assert answered("/health") == 200
    assert answered("/tiles/manifest.json") == 200
    bound = place.inspected("api", "{{json .NetworkSettings.Ports}}")
    hosts = [one["HostIp"] for found in json.loads(bound).values() for one in found or []]
    assert set(hosts) == {"127.0.0.1"}
    down = place.make("api-down", **bind)
    assert down.returncode == 0, down.stderr


def test_a_login_comes_back_through_the_published_port(place: Place) -> None:
    """`make auth` hears the browser of the host, on 127.0.0.1 only, and keeps the login."""
    token = place.folder / "secrets" / "strava_token.json"
    before = token.read_text(encoding="utf-8")
    port = _free_port()
    redirect = {"STRAVA_REDIRECT_URI": f"http://localhost:{port}/callback"}
    settings = (place.folder / ".env").read_text(encoding="utf-8")
    place.put(".env", settings + f"STRAVA_REDIRECT_URI={redirect['STRAVA_REDIRECT_URI']}\n")
    with ThreadPoolExecutor(1) as pool:
        login = pool.submit(place.make, "auth")
        shown = wait_for(lambda: _shown_address(place), "the address at which to log in")
        bound = place.control_address()
        answer = requests.get(
            re.sub(r"^https?://[^/]+", bound, shown), allow_redirects=False, timeout=20
        )
        wait_for(lambda: _is_back(answer.headers["Location"]), "the browser's way back")
        done = login.result(timeout=60)
    place.put(".env", settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert token.read_text(encoding="utf-8") != before


def _shown_address(place: Place) -> str:
    """Return what a login at work has written of where to go; "" before it has."""
    filters = ("--filter", f"label=com.docker.compose.project={place.project}")
    found = engine.docker("ps", "-q", *filters, "--filter", "label=com.docker.compose.service=auth")
    said = engine.docker("logs", found.stdout.strip()) if found.stdout.strip() else found
    address = re.search(r"https?://\S+/authorize\?\S+", said.stdout + said.stderr)
    return address[0] if address else ""


def _is_back(address: str) -> bool:
    try:
        return requests.get(address, timeout=10).ok
    except requests.ConnectionError:
        return False
