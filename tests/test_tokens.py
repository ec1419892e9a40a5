"""Tokens: no login is lost, whoever refreshes at once and whoever is killed meanwhile."""
# ruff: noqa: S105, S106 the tokens here open nothing

import contextlib
import dataclasses
import datetime as dt
import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from tests.rows import StandingClock
from tests.token_server import TokenServer, ended, grant_of, serving, store_of
from tracklake.client import Client
from tracklake.clock import SystemClock
from tracklake.errors import AuthError, StorageError, Transient
from tracklake.strava.oauth import login_problem
from tracklake.tokens import Token, TokenStore, path_of
from tracklake.tokens.file import alone, read
from tracklake.tokens.job import Job
from tracklake.tokens.refresh import refresh

PROCESSES = 8
EXPIRIES = 5  # of each process
KILLS = 15  # of each kind
SLOW_S = 0.15


@pytest.fixture
def server() -> Iterator[TokenServer]:
    """Return a server that rotates strictly."""
    with serving(TokenServer()) as desk:
        yield desk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the token file is to be, in a folder that is not there yet."""
    return tmp_path / "secrets" / "strava_token.json"


@pytest.fixture
def client() -> Iterator[Client]:
    """Return a client that does not wait between tries."""
    with contextlib.closing(Client(StandingClock())) as one:
        yield one


def saved(path: Path, url: str, token: Token | None = None) -> TokenStore:
    """Return a store after a login whose access token has ended."""
    store = store_of(path, url)
    store.save(token or ended("refresh-0"))
    return store


def worker(path: Path, url: str, count: int = 1, manner: str = "rough") -> subprocess.Popen[str]:
    """Start a worker, the head of a group of its own, that waits for a line before it begins."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.token_server", str(path), url, str(count), manner],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )


def begin(process: subprocess.Popen[str]) -> None:
    """Wait until a worker is ready, and let it begin."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


def refreshed(path: Path, url: str, seed: str | None = None) -> Token:
    """Refresh in this process, whatever is saved: what the refresher does, without its start."""
    now_s = SystemClock().now().timestamp() + 365 * 86_400
    job = Job(path=str(path), grant=grant_of(url, seed), now_s=now_s)
    with (
        contextlib.closing(Client(StandingClock())) as client,
        pytest.raises(Transient, match="already ended"),  # a year from now, all have
    ):
        refresh(job, client)
    token = read(path)
    assert token is not None
    return token


def fields(path: Path) -> dict[str, object]:
    """Return what the file says."""
    found: dict[str, object] = json.loads(path.read_bytes())
    return found


def mode(path: Path) -> int:
    """Return who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


# What a refresh does.


def test_a_login_is_kept_whole_and_closed_to_others(server: TokenServer, path: Path) -> None:
    """The file has the fields that the design names, mode 0600, in a folder of mode 0700."""
    store = saved(path, server.url, dataclasses.replace(ended("refresh-0"), scope="read"))
    assert store.scope == "read"
    assert list(fields(path)) == [
        *("token_type", "access_token", "refresh_token", "expires_at", "scope", "seed")
    ]
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert {each.name for each in path.parent.iterdir()} == {path.name, ".strava_token.lock"}


def test_a_token_that_lives_long_enough_is_used_without_asking(
    server: TokenServer, path: Path
) -> None:
    """An access token is handed out until five minutes before its end, then refreshed."""
    now_s = int(SystemClock().now().timestamp())
    store = saved(path, server.url, ended("refresh-0", now_s + 330))
    assert store.access_token() == "access-0"
    assert server.log == []
    store.save(ended("refresh-0", now_s + 290))
    assert store.access_token() == "access-1"
    assert fields(path)["refresh_token"] == "refresh-1"
    assert store.access_token() == "access-1"
    assert server.log == ["token 200"]


def test_the_clock_that_counts_is_the_stores(server: TokenServer, path: Path) -> None:
    """The refresher judges by the time of whoever asked, not by its own."""
    clock = StandingClock(SystemClock().now() + dt.timedelta(hours=1))
    grant = grant_of(server.url)
    store = TokenStore(path, grant=grant, clock=clock, explain=login_problem)
    store.save(ended("refresh-0", int(clock.moment.timestamp()) - 1800))
    assert store.access_token() == "access-1"


def test_a_rejected_token_is_renewed_once_for_all(server: TokenServer, path: Path) -> None:
    """After a 401 the token is refreshed unless another process has done so already."""
    now_s = int(SystemClock().now().timestamp())
    store = saved(path, server.url, ended("refresh-0", now_s + 9000))
    assert store.renew("access-0") == "access-1"
    assert store.renew("access-0") == "access-1"
    assert server.refreshes == 1


@pytest.mark.parametrize(
    ("plan", "kept"),
    [
        ({"refresh_token": None}, "refresh-0"),
        ({"refresh_token": "refresh-0"}, "refresh-0"),
        ({"expires_at": None}, "refresh-1"),
        ({"scope": "read"}, "refresh-1"),
    ],
)
def test_what_an_answer_does_not_say_stays(
    server: TokenServer, client: Client, path: Path, plan: dict[str, object], kept: str
) -> None:
    """Without a refresh token the old one is kept; without `expires_at`, `expires_in` counts."""
    saved(path, server.url)
    server.plan = [plan]
    job = Job(path=str(path), grant=grant_of(server.url), now_s=SystemClock().now().timestamp())
    token = refresh(job, client)
    assert isinstance(token, Token)
    assert token == read(path)
    assert token.refresh_token == kept
    assert token.expires_at > job.now_s + 20_000


@pytest.mark.parametrize("plan", [{"expires_at": 1000}, {"access_token": None}])
def test_a_useless_answer_is_an_error_but_its_refresh_token_is_kept(
    server: TokenServer, path: Path, plan: dict[str, object]
) -> None:
    """A token that has already ended, or none, is Transient; what was rotated is not lost."""
    store = saved(path, server.url)
    server.plan = [plan]
    with pytest.raises(Transient, match="already ended"):
        store.access_token()
    assert fields(path)["refresh_token"] == "refresh-1"
    assert refreshed(path, server.url).refresh_token == "refresh-2"
    assert server.invalid_grants == 0


@pytest.mark.parametrize(
    ("plan", "life_s"),
    [
        ({"expires_at": None, "expires_in": "7257600"}, 7_257_600),
        ({"expires_at": None, "expires_in": None}, 3600),
    ],
)
def test_an_answer_that_says_its_life_as_text_or_not_at_all(
    server: TokenServer, client: Client, path: Path, plan: dict[str, object], life_s: float
) -> None:
    """Seconds may come as text; a token that says nothing of its end is used for an hour."""
    saved(path, server.url)
    server.plan = [plan]
    job = Job(path=str(path), grant=grant_of(server.url), now_s=SystemClock().now().timestamp())
    token = refresh(job, client)
    assert isinstance(token, Token)
    assert token.expires_at == pytest.approx(job.now_s + life_s, abs=2)


@pytest.mark.parametrize("failure", ["500", "html"])
def test_a_failing_server_is_asked_again(
    server: TokenServer, client: Client, path: Path, failure: str
) -> None:
    """A 500, or a page instead of JSON, is tried again a few times before it is Transient."""
    saved(path, server.url)
    server.rotates = failure == "500"  # a page after a rotation is a lost answer
    server.plan = [failure, failure]
    assert refreshed(path, server.url).access_token.startswith("access-")
    server.plan = [failure] * 3
    job = Job(path=str(path), grant=grant_of(server.url), now_s=2e9)
    with pytest.raises(Transient):
        refresh(job, client)
    assert server.plan == []
    assert refreshed(path, server.url).access_token.startswith("access-")
    assert server.invalid_grants == 0


def test_an_answer_lost_after_the_rotation_is_asked_for_again(
    server: TokenServer, path: Path
) -> None:
    """A server that still takes the old token gives the login back; from a strict one it is dead,
    and the sentence says what to do.
    """
    store = saved(path, server.url)
    server.rotates = False
    server.plan = ["lost"]
    assert refreshed(path, server.url).access_token == "access-2"
    server.rotates = True
    server.plan = ["lost"]
    store.save(ended("refresh-0"))
    with pytest.raises(AuthError, match=r"any more .*run `make auth` \(tracklake auth strava\)"):
        store.access_token()
    assert server.invalid_grants == 1
    assert fields(path)["refresh_token"] == "refresh-0"


def test_refusals_are_explained(server: TokenServer, path: Path) -> None:
    """A lapsed subscription, and an application that is not known, each get their sentence."""
    store = saved(path, server.url)
    server.plan = ["inactive"]
    with pytest.raises(AuthError, match="subscription"):
        store.access_token()
    wrong = dataclasses.replace(grant_of(server.url), client_id="1")
    other = TokenStore(path, grant=wrong, clock=SystemClock(), explain=login_problem)
    with pytest.raises(AuthError, match="STRAVA_CLIENT_ID"):
        other.access_token()
    assert store.access_token() == "access-1"


# What it starts from.


def test_without_a_login_the_sentence_tells_how_to_get_one(server: TokenServer, path: Path) -> None:
    """No file and no seed: AuthError that names the command, without a request."""
    store = store_of(path, server.url)
    with pytest.raises(AuthError, match=r"no Strava login yet .*strava_token.json.*`make auth`"):
        store.access_token()
    assert store.scope is None
    assert server.log == []


def test_a_refresh_token_of_the_settings_starts_a_login_once(
    server: TokenServer, path: Path
) -> None:
    """The seed is used where there is no file, and not again when the file has gone on."""
    store = store_of(path, server.url, seed="refresh-0")
    first = store.access_token()
    assert fields(path)["refresh_token"] == "refresh-1"
    assert "refresh-0" not in path.read_text()
    assert store.renew(first) != first
    assert server.invalid_grants == 0
    assert server.refreshes == 2


def test_a_new_refresh_token_in_the_settings_is_used(server: TokenServer, path: Path) -> None:
    """A token pasted after the file was written replaces it, even where the old one still works;
    a login after that is not undone by the setting.
    """
    store_of(path, server.url, seed="refresh-0").access_token()
    server.valid.add("pasted")
    store = store_of(path, server.url, seed="pasted")
    assert store.access_token() == "access-2"
    assert store.access_token() == "access-2"
    store.save(Token(access_token="x", refresh_token="y", expires_at=2**33))
    assert store.access_token() == "x"


def test_a_dead_token_in_the_settings_does_not_hide_a_login_that_works(
    server: TokenServer, path: Path
) -> None:
    """A pasted token that is refused is tried once; the file's goes on."""
    saved(path, server.url)
    store = store_of(path, server.url, seed="dead")
    assert store.access_token() == "access-1"
    assert store.access_token() == "access-1"
    assert (server.refreshes, server.invalid_grants) == (1, 1)


@pytest.mark.parametrize(
    "content", [b"", b'{"access_token": "a", "refr', b"\0" * 300, b"[]", b'{"expires_at": 1}']
)
def test_a_damaged_file_is_named_and_can_be_replaced(
    server: TokenServer, path: Path, content: bytes
) -> None:
    """A torn, empty or foreign file is named with what to do; a seed, if set, replaces it."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(AuthError, match=r"strava_token.json is damaged: run `make auth`"):
        store_of(path, server.url).access_token()
    assert refreshed(path, server.url, seed="refresh-0").refresh_token == "refresh-1"


def test_a_file_open_to_others_is_closed(server: TokenServer, path: Path) -> None:
    """A file or folder that group or world can read is mended without a word."""
    saved(path, server.url)
    path.chmod(0o644)
    path.parent.chmod(0o755)
    store_of(path, server.url).access_token()
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700


def test_a_disk_that_cannot_keep_a_token_is_found_before_one_is_asked_for(
    server: TokenServer, path: Path
) -> None:
    """Where the new token could not be written nothing is rotated, and the error says so."""
    store = saved(path, server.url)
    path.with_name(f".{path.name}.new").mkdir()  # as good as a full disk: root ignores modes
    with pytest.raises(StorageError, match=r"strava_token.json cannot be kept"):
        store.access_token()
    assert server.log == []


def test_each_athlete_has_a_file(tmp_path: Path) -> None:
    """The default athlete's lies in the secrets folder, others' in a folder of their own."""
    assert path_of(tmp_path, "strava", "me", "me") == tmp_path / "strava_token.json"
    assert path_of(tmp_path, "strava", "anna", "me") == tmp_path / "anna" / "strava_token.json"


def test_secrets_show_neither_in_texts_nor_in_the_process_list(
    server: TokenServer, path: Path
) -> None:
    """Tokens and secrets are in no repr, and not in the refresher's arguments or environment."""
    grant = dataclasses.replace(grant_of(server.url), seed="seed-secret")
    job = Job(path=str(path), grant=grant, now_s=0.0, rejected="access-secret")
    assert "-secret" not in f"{job} {ended('refresh-secret')}"
    seen: list[bytes] = []
    server.at_token = lambda: seen.extend(
        (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        for folder in refreshers()
    )
    saved(path, server.url).access_token()
    assert len(seen) == 1
    assert b"client-secret" not in seen[0]
    assert b"refresh-0" not in seen[0]


def refreshers() -> list[Path]:
    """Return what the system says of the refreshers that this process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
            is_one = b"tracklake.tokens" in (folder / "cmdline").read_bytes()
            if is_one and int(parent) == os.getpid():
                found.append(folder)
    return found


# Many at once.


def test_many_processes_refresh_at_once_and_none_is_refused(path: Path) -> None:
    """Eight processes, each token expired at once: every refresh token is used exactly once."""
    with serving(TokenServer(lifetime_s=200)) as server:
        saved(path, server.url)
        workers = [worker(path, server.url, EXPIRIES) for _ in range(PROCESSES)]
        for each in workers:
            begin(each)
        said = [each.communicate(timeout=120)[0] for each in workers]
        assert said == ["200\n" * EXPIRIES] * PROCESSES
        assert server.invalid_grants == 0
        assert server.refreshes == PROCESSES * EXPIRIES


def test_many_processes_that_need_one_token_ask_once(path: Path) -> None:
    """Processes that find the same ended token wait for one refresh and use what it brought."""
    with serving(TokenServer(delay_s=SLOW_S)) as server:
        saved(path, server.url)
        workers = [worker(path, server.url) for _ in range(4)]
        for each in workers:
            begin(each)
        assert [each.communicate(timeout=60)[0] for each in workers] == ["200\n"] * 4
        assert server.refreshes == 1


# Stopped and killed.


def watch(folder: Path, done: threading.Event, wrong: list[str]) -> None:
    """Look at every file until done: each is closed to others, the token's is whole."""
    while not done.wait(0.003):
        for each in folder.iterdir():
            try:
                if mode(each) & 0o077:
                    wrong.append(f"{each.name} is open to others")
                if each.name == "strava_token.json":
                    orjson.loads(each.read_bytes())
            except FileNotFoundError:  # a temporary name
                pass
            except orjson.JSONDecodeError:
                wrong.append("the file is torn")


def kill(place: Path, number: int, with_signal: signal.Signals) -> bool:
    """Kill a worker's group at a random instant of its refresh; tell whether the server was at it.

    Every other time the instant is after the server has rotated the token and before it answers.
    """
    path, dice = place / str(number) / "strava_token.json", random.Random(number)  # noqa: S311
    done, wrong = threading.Event(), list[str]()
    with serving(TokenServer(delay_s=SLOW_S)) as server:
        saved(path, server.url)
        watcher = threading.Thread(target=watch, args=(path.parent, done, wrong))
        watcher.start()
        with worker(path, server.url) as process:
            begin(process)
            if number % 2:
                server.arrived.wait(30)
            server.pause.wait(dice.uniform(0, SLOW_S / 2 if number % 2 else 0.7))
            was_at_it = server.in_flight > 0
            os.killpg(process.pid, with_signal)
        kept = refreshed(path, server.url)  # waits for the lock, should the orphan be at work
        with alone(path):
            assert read(path) is not None
            assert {fields(path)["refresh_token"]} == server.valid, kept
        assert server.invalid_grants == 0
        done.set()
        watcher.join()
    assert wrong == []
    return was_at_it


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGKILL])
def test_killing_the_worker_loses_no_token(tmp_path: Path, with_signal: signal.Signals) -> None:
    """Whenever the worker is killed, the file is whole and closed, and the token in it works."""
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(kill, tmp_path, number, with_signal) for number in range(KILLS)]
        at_it = sum(run.result() for run in runs)
    assert at_it >= KILLS // 4, "too few kills hit a refresh: this run proves little"


def test_a_worker_told_to_stop_waits_for_its_refresh(path: Path) -> None:
    """After SIGTERM a flow ends only when the token is on disk: a container ends with it."""
    with serving(TokenServer(delay_s=0.3)) as server:
        saved(path, server.url)
        with worker(path, server.url, manner="tidy") as process:
            begin(process)
            assert server.arrived.wait(30)
            os.killpg(process.pid, signal.SIGTERM)
        assert process.returncode == 128 + signal.SIGTERM
        assert fields(path)["refresh_token"] == "refresh-1"


def test_the_refresher_ignores_requests_to_stop(path: Path) -> None:
    """SIGTERM, SIGINT and SIGHUP to the refresher itself lose nothing."""
    with serving(TokenServer(delay_s=0.3)) as server:
        saved(path, server.url)

        def pester() -> None:
            for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                os.kill(int(refreshers()[0].name), each)

        server.at_token = pester
        assert store_of(path, server.url).access_token() == "access-1"


def test_a_worker_killed_before_it_said_what_to_do_changes_nothing() -> None:
    """A refresher whose job is cut off ends without a word."""
    for job in (b"", b'{"path": "/nowhere", "gra'):
        done = subprocess.run(
            [sys.executable, "-m", "tracklake.tokens"], input=job, capture_output=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")


def test_the_token_is_on_disk_before_it_is_used(server: TokenServer, path: Path) -> None:
    """At the first API call with a new access token the file already holds its refresh token."""
    seen: list[object] = []
    server.at_api = lambda: seen.append((fields(path)["refresh_token"], mode(path)))
    saved(path, server.url)
    with worker(path, server.url) as process:
        begin(process)
    assert seen == [("refresh-1", 0o600)]
    assert server.log == ["token 200", "api 200"]
