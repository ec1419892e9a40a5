"""The login for Strava: what is asked for, what came back, what each refusal says to do."""

import contextlib
import json
import os
import queue
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.conftest import CORPUS
from tests.rows import StandingClock
from tests.token_server import CLIENT, TokenServer, serving
from tracklake import config
from tracklake.client import Client
from tracklake.config import Folders, Settings
from tracklake.errors import AuthError, ConfigError, Transient
from tracklake.strava import oauth
from tracklake.tokens import redirect
from tracklake.tokens.file import read

OBSERVED = CORPUS.parent / "contracts" / "strava" / "errors_observed.json"


@pytest.fixture
def server() -> Iterator[TokenServer]:
    """Return Strava's token address."""
    with serving(TokenServer()) as desk:
        yield desk


def settings_of(
    place: Path, url: str = "http://127.0.0.1:9", port: int = 0, **more: object
) -> tuple[Settings, Folders]:
    """Return settings of an API application whose redirect goes to a port."""
    application: dict[str, object] = {
        "strava_client_id": CLIENT["client_id"],
        "strava_client_secret": SecretStr(CLIENT["client_secret"]),
        "strava_oauth_url": f"{url}/oauth",
        "strava_redirect_uri": f"http://localhost:{port}/callback" if port else "http://away.test/",
    }
    return config.load(secrets_dir=place / "secrets", **{**application, **more})


def free_port() -> int:
    """Return a port that nobody listens on."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return server.server_port


def get(port: int, path: str) -> tuple[int, bytes]:
    """Ask as a browser does, as soon as somebody listens."""
    for _ in range(500):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except ConnectionRefusedError:
            threading.Event().wait(0.01)
        finally:
            connection.close()
    raise AssertionError("nobody listens")


# The question.


def test_the_address_asks_for_what_is_needed(tmp_path: Path) -> None:
    """The address names the application, the scopes with commas, the redirect and the state."""
    settings, _ = settings_of(tmp_path, "https://strava.test", 8721)
    url = oauth.authorize_url(settings, "the-state")
    assert url.startswith("https://strava.test/oauth/authorize?client_id=4711&")
    assert "scope=read,activity:read_all,profile:read_all" in url
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["4711"],
        "redirect_uri": ["http://localhost:8721/callback"],
        "response_type": ["code"],
        "approval_prompt": ["auto"],
        "scope": ["read,activity:read_all,profile:read_all"],
        "state": ["the-state"],
    }


def test_without_an_application_it_says_how_to_make_one(tmp_path: Path) -> None:
    """No client id or secret: ConfigError that leads to Strava's page, and names the way around."""
    for missing in ("strava_client_id", "strava_client_secret"):
        without: dict[str, object] = {missing: ""}
        settings, folders = settings_of(tmp_path, "http://127.0.0.1:9", 0, **without)
        with pytest.raises(ConfigError, match=r"settings/api .*subscription.*localhost.*import"):
            oauth.token_store(settings, folders, "me", "me", StandingClock())


# The answer.


@pytest.mark.parametrize(
    ("text", "code", "scope"),
    [
        ("abc123\n", "abc123", None),
        (
            "http://localhost:8721/callback?state=s&code=abc&scope=read,activity:read_all",
            *("abc", "read,activity:read_all"),
        ),
        (
            "  <https://x.test/?code=abc&state=s&scope=read%2Cactivity%3Aread>\n",
            "abc",
            "read,activity:read",
        ),
        ("localhost:8721/callback?state=s&code=abc", "abc", None),
        ("?state=s&code=abc", "abc", None),
        ("code=abc&state=s", "abc", None),
    ],
)
def test_a_code_is_found_in_what_people_paste(text: str, code: str, scope: str | None) -> None:
    """A whole address, a part of it, or the bare code will do."""
    assert oauth.code_from(text, "s") == (code, scope)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://localhost/?state=s&error=access_denied", "did not let Tracklake"),
        ("http://localhost/?state=s&error=server_error", r"refused the login \(server_error\)"),
        ("http://localhost/?state=s", "no code"),
        ("", "no code"),
        ("http://localhost/?state=another&code=abc", "another login"),
        ("http://localhost/?code=abc", "another login"),
    ],
)
def test_what_is_no_answer_is_said(text: str, words: str) -> None:
    """A refusal, an address without a code, and another login's address each get a sentence."""
    with pytest.raises(AuthError, match=words):
        oauth.code_from(text, "s")


@given(st.text())
def test_nothing_pasted_can_crash_it(text: str) -> None:
    """Any text gives a code or an AuthError."""
    with contextlib.suppress(AuthError):
        assert oauth.code_from(text, "s")[0]


def test_missing_scopes_are_said_with_what_will_be_absent() -> None:
    """Each permission that was unticked gets its sentence; without activities it ends."""
    assert oauth.missing_scopes("read,activity:read_all,profile:read_all") == []
    assert oauth.missing_scopes(None) == []
    private, profile = oauth.missing_scopes("read activity:read")
    assert "only you can see" in private
    assert "privacy zones" in private
    assert "bikes, shoes" in profile
    assert oauth.missing_scopes("read,activity:read_all") == [profile]
    for scope in ("", "read,profile:read_all"):
        with pytest.raises(AuthError, match="nothing can be read"):
            oauth.missing_scopes(scope)


# What refusals mean.

MEANINGS = {
    "token exchange, wrong client id": "STRAVA_CLIENT_ID",
    "token refresh with a revoked or rotated-out refresh token": "any more .*make auth",
    "scope missing for reading": "activity:read is missing",
    "scope missing for writing": "activity:write is missing",
    "application inactive (subscription of the app owner lapsed, 2026)": "June 2026.*import",
    "athlete limit reached (single-player app)": "connected athletes.*import",
}


def test_every_refusal_ever_seen_is_understood() -> None:
    """Of all bodies ever seen, those about the login get a sentence, and no others."""
    if not OBSERVED.is_file():
        if os.environ.get("CI"):  # noqa: TID251 tests may ask whether they run in CI
            pytest.fail(f"the recorded errors are not at {OBSERVED}")
        pytest.skip(f"NOT TESTED ON REAL ANSWERS: {OBSERVED} is not there")
    found = {}
    for item in json.loads(OBSERVED.read_bytes())["items"]:
        body = b"" if item["body"] is None else json.dumps(item["body"]).encode()
        if problem := oauth.auth_problem(item["status"], body):
            found[item["when"]] = str(problem)
    assert found.keys() == MEANINGS.keys()
    for when, words in MEANINGS.items():
        with pytest.raises(AuthError, match=words):
            raise AuthError(found[when])


@given(
    st.sampled_from([400, 401, 403, 404, 429]),
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["errors", "resource", "field", "code", "message"]), inner
            )
        ),
    ),
)
def test_no_body_can_crash_it(status: int, body: object) -> None:
    """Whatever the shape of a Fault is, there is a problem or none; at a login there is one."""
    data = json.dumps(body).encode()
    assert isinstance(oauth.auth_problem(status, data), AuthError | None)
    assert isinstance(oauth.login_problem(status, data), AuthError)
    assert oauth.auth_problem(status, b"<html>") is None


# The listener.


def test_the_browsers_answer_is_heard() -> None:
    """The listener answers the redirect with a page and returns it; anything else gets a 404."""
    port = free_port()
    heard: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    uri = f"http://localhost:{port}/callback"
    thread = threading.Thread(target=lambda: heard.put(redirect.listen(uri, 30)))
    thread.start()
    assert get(port, "/favicon.ico")[0] == 404
    assert get(port, "/callback")[0] == 404
    status, page = get(port, "/callback?state=s&code=abc&scope=read")
    assert status == 200
    assert b"You can close this window" in page
    assert heard.get(timeout=10) == f"{uri}?state=s&code=abc&scope=read"
    thread.join()


def test_where_nobody_can_listen_there_is_pasting() -> None:
    """Another machine's address, a port in use, and nobody coming all give None."""
    assert redirect.listen("https://example.org/callback", 30) is None
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as taken:
        assert redirect.listen(f"http://127.0.0.1:{taken.server_port}/callback", 30) is None
    assert redirect.listen(f"http://127.0.0.1:{free_port()}/callback", 0.01) is None


# The whole.


class Person:
    """Reads what is said and pastes an answer to the address that was shown."""

    def __init__(self, **answer: str) -> None:
        self.said: list[str] = []
        self.answer = answer
        self.url: queue.SimpleQueue[str] = queue.SimpleQueue()

    def say(self, sentence: str) -> None:
        """Hear."""
        self.said.append(sentence)
        if "/authorize?" in sentence:
            self.url.put(sentence)

    def redirected(self) -> str:
        """Return the address that the browser is sent to."""
        asked = parse_qs(urlsplit(self.url.get(timeout=10)).query)
        answer = {"state": asked["state"][0], **self.answer}
        return f"{asked['redirect_uri'][0]}?{urlencode(answer)}"


def log_in(settings: Settings, folders: Folders, person: Person, athlete: str = "me") -> None:
    """Log in, pasting."""
    oauth.login(
        settings, folders, athlete, default_athlete="me", say=person.say, ask=person.redirected
    )


def test_a_login_by_pasting_is_kept(tmp_path: Path, server: TokenServer) -> None:
    """The pasted address is exchanged, what will be missing is said, and the login is kept."""
    settings, folders = settings_of(tmp_path, server.url)
    person = Person(code="code-0", scope="read,activity:read_all")
    log_in(settings, folders, person)
    token = read(tmp_path / "secrets" / "strava_token.json")
    assert token is not None
    assert (token.access_token, token.refresh_token) == ("access-1", "refresh-of-login")
    assert token.scope == "read,activity:read_all"
    assert any("bikes, shoes" in sentence for sentence in person.said)
    store = oauth.token_store(settings, folders, "me", "me", StandingClock())
    assert store.access_token() == "access-1"
    with pytest.raises(AuthError, match="used before"):
        log_in(settings, folders, Person(code="code-0", scope="read,activity:read_all"))
    assert store.access_token() == "access-1"


def test_a_login_by_the_browser_is_kept(tmp_path: Path, server: TokenServer) -> None:
    """The listener brings the answer while nobody pastes anything."""
    port = free_port()
    settings, folders = settings_of(tmp_path, server.url, port)
    person, never = Person(code="code-0", scope="read,activity:read_all"), threading.Event()

    def browse() -> None:
        target = urlsplit(person.redirected())
        get(port, f"{target.path}?{target.query}")

    def ask() -> str:
        never.wait(60)
        return ""

    browser = threading.Thread(target=browse)
    browser.start()
    oauth.login(settings, folders, "anna", default_athlete="me", say=person.say, ask=ask)
    never.set()
    browser.join()
    assert read(tmp_path / "secrets" / "anna" / "strava_token.json") is not None
    assert not (tmp_path / "secrets" / "strava_token.json").exists()


def test_a_login_that_grants_nothing_changes_nothing(tmp_path: Path, server: TokenServer) -> None:
    """Without the permission to read activities the code is not spent and no login replaced."""
    settings, folders = settings_of(tmp_path, server.url)
    with pytest.raises(AuthError, match="nothing can be read"):
        log_in(settings, folders, Person(code="code-0", scope="read"))
    with pytest.raises(AuthError, match="did not let Tracklake"):
        log_in(settings, folders, Person(error="access_denied"))
    assert server.log == []
    assert not (tmp_path / "secrets").exists()


def test_nobody_there_to_answer_ends_it(tmp_path: Path) -> None:
    """With no terminal and no listener the login ends with a sentence."""
    settings, folders = settings_of(tmp_path)

    def nobody() -> str:
        raise EOFError

    with pytest.raises(AuthError, match="no answer came"):
        oauth.login(settings, folders, "me", default_athlete="me", say=print, ask=nobody)


def test_the_refresh_token_of_the_settings_is_the_default_athletes(
    tmp_path: Path, server: TokenServer
) -> None:
    """STRAVA_REFRESH_TOKEN starts the default athlete's login and never somebody else's."""
    settings, folders = settings_of(
        tmp_path, server.url, strava_refresh_token=SecretStr("refresh-0")
    )
    with pytest.raises(AuthError, match="no Strava login yet"):
        oauth.token_store(settings, folders, "anna", "me", StandingClock()).access_token()
    mine = oauth.token_store(settings, folders, "me", "me", StandingClock())
    assert mine.access_token() == "access-1"


def test_an_exchange_that_fails_says_what_to_do(tmp_path: Path, server: TokenServer) -> None:
    """A spent code, a wrong secret and a server that is down are told apart."""
    settings, _ = settings_of(tmp_path, server.url)
    wrong, _ = settings_of(tmp_path, server.url, strava_client_secret=SecretStr("wrong"))
    gone, _ = settings_of(tmp_path, f"http://127.0.0.1:{free_port()}")
    with contextlib.closing(Client(StandingClock())) as client:
        with pytest.raises(AuthError, match="used before"):
            oauth.exchange(settings, "spent", None, client)
        with pytest.raises(AuthError, match="STRAVA_CLIENT_SECRET"):
            oauth.exchange(wrong, "code-0", None, client)
        with pytest.raises(Transient):
            oauth.exchange(gone, "code-0", None, client)
