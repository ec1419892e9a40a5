"""SmashRun's login: a personal token that ends, an application's that is renewed at its half."""

import contextlib
import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.conftest import REPOSITORY
from tests.sources.smashrun_place import SmashrunPlace, opened
from tests.upstream.smashrun import LIFETIME_S
from tests.upstream.status_faults import Html, Status
from tracklake.client import Client
from tracklake.config import Folders, Settings
from tracklake.errors import AuthError, ConfigError, Transient
from tracklake.smashrun import oauth
from tracklake.tokens import Token, TokenStore
from tracklake.tokens.file import read

DAY_S = 86_400


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SmashrunPlace]:
    """Return a place with one run upstream."""
    with opened(tmp_path) as found:
        found.upload(hasDetails=0)
        yield found


def with_application(place: SmashrunPlace, **more: object) -> tuple[Settings, Folders]:
    """Have a place use an application's login in place of the personal token."""
    tokens = place.upstream.tokens
    place.more = {
        "smashrun_client_id": tokens.client_id,
        "smashrun_client_secret": tokens.client_secret,
        **more,
    }
    return place.load()


def store_of(place: SmashrunPlace) -> TokenStore:
    """Return the application's login of a place."""
    settings, folders = place.load()
    return oauth.token_store(settings, folders, "me", "me", place.clock)


def logged_in(place: SmashrunPlace) -> TokenStore:
    """Return a login made now."""
    with_application(place)
    pair = place.upstream.tokens.pair(place.clock.now())
    store = store_of(place)
    store.save(
        Token(
            access_token=pair["access_token"],
            refresh_token=pair["refresh_token"],
            expires_at=int(place.clock.now().timestamp()) + LIFETIME_S,
        )
    )
    return store


# ---- a personal token


def test_a_personal_token_that_has_ended_says_what_to_do(place: SmashrunPlace) -> None:
    """After 60 days a pull says to make a new token and where to put it; nothing is lost."""
    place.pull()
    place.advance(days=61)
    with pytest.raises(AuthError, match=r"api\.smashrun\.com/explorer.*SMASHRUN_ACCESS_TOKEN"):
        place.pull()
    assert len(place.rows()) == 1
    place.token = place.upstream.tokens.personal(place.clock.now())
    place.upload(hasDetails=0)
    place.pull()
    assert len(place.rows()) == 2


def test_a_token_is_sent_in_a_header_only(place: SmashrunPlace) -> None:
    """No address holds the token: addresses end up in logs."""
    place.pull()
    assert all(place.token not in call.line() for call in place.upstream.calls)
    assert {call.bearer for call in place.upstream.calls} == {place.token}


def test_without_any_login_it_says_so(place: SmashrunPlace) -> None:
    """Another athlete without a token, and an application without its secret, get a sentence."""
    other = SmashrunPlace(place.folder, place.upstream, "anna")
    other.token = ""
    with pytest.raises(ConfigError, match=r"no token for anna.*SMASHRUN_ACCESS_TOKEN"):
        other.pull()
    with_application(place, smashrun_client_secret="")
    with pytest.raises(ConfigError, match="SMASHRUN_CLIENT_SECRET are not both set"):
        place.pull()


# ---- an application's


def test_a_login_is_renewed_at_half_its_life(place: SmashrunPlace) -> None:
    """In the first six weeks nothing is asked; then it is renewed, and the new one is on disk."""
    store = logged_in(place)
    first = read(store.path)
    place.advance(seconds=LIFETIME_S / 2 - 60)
    place.pull()
    assert place.upstream.tokens.refreshes == 0
    place.advance(seconds=120)
    place.pull()
    assert place.upstream.tokens.refreshes == 1
    second = read(store.path)
    assert first is not None
    assert second is not None
    assert second.refresh_token in place.upstream.tokens.refresh
    assert second.renew_at > first.renew_at + LIFETIME_S / 2 - DAY_S
    for _ in range(6):  # a year, a pull every two months: it never ends
        place.advance(days=60)
        place.pull()
    assert place.upstream.tokens.refreshes == 7


def test_what_cannot_be_renewed_serves_on(place: SmashrunPlace) -> None:
    """Past the half, while SmashRun renews nothing, the old token is used; tried once a pull."""
    logged_in(place)
    place.advance(days=50)
    place.upstream.script.add(Status(400, {"error": "invalid_grant"}), path="/oauth2/token")
    assert place.pull().parked is None
    assert len(place.upstream.calls_to("/oauth2/token")) == 1
    store = store_of(place)
    store.access_token()
    assert "any more" in str(store.not_renewed)
    place.upstream.script.clear()
    place.pull()
    assert place.upstream.tokens.refreshes == 1


def test_a_login_that_has_ended_asks_for_another(place: SmashrunPlace) -> None:
    """After its whole life without a pull the refresh token has ended too: log in again."""
    logged_in(place)
    place.advance(days=90)
    with pytest.raises(AuthError, match="tracklake auth smashrun"):
        place.pull()


def test_a_rejected_token_is_renewed_at_once(place: SmashrunPlace) -> None:
    """A 401 before its time: one refresh, and the call is made again."""
    logged_in(place)
    place.upstream.tokens.access.clear()
    assert place.pull().new == 1
    assert place.upstream.tokens.refreshes == 1


def test_a_refresh_token_of_the_settings_starts_a_login(place: SmashrunPlace) -> None:
    """SMASHRUN_REFRESH_TOKEN alone is enough; the login is then kept in its file."""
    pair = place.upstream.tokens.pair(place.clock.now())
    with_application(place, smashrun_refresh_token=pair["refresh_token"])
    assert place.pull().new == 1
    assert read(place.folders.secrets / "smashrun_token.json") is not None


def test_the_half_is_of_what_a_login_has_left() -> None:
    """A share of 1 means its end; a login that has ended is renewed whatever the share."""
    token = Token(access_token="a", refresh_token="r", expires_at=1000)  # noqa: S106 it opens nothing
    assert token.renewed_after(0.5, 600).renew_at == 800
    assert token.renewed_after(1.0, 600).renew_at == 0
    assert token.renewed_after(0.5, 1200).renew_at == 0


# ---- logging in


class Person:
    """Reads what is said, and pastes what the browser was sent to."""

    def __init__(self, code: str = "", **answer: str) -> None:
        self.said: list[str] = []
        self.answer = {"code": code, **answer} if code else answer

    def say(self, sentence: str) -> None:
        """Hear."""
        self.said.append(sentence)

    def paste(self) -> str:
        """Answer."""
        [url] = [one for one in self.said if "/authenticate?" in one]
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert (asked["scope"], asked["response_type"]) == ("read_activity", "code")
        return f"{asked['redirect_uri']}?{urlencode({'state': asked['state'], **self.answer})}"


def log_in(place: SmashrunPlace, person: Person) -> None:
    """Log in, pasting."""
    settings, folders = with_application(place, strava_redirect_uri="http://away.test/callback")
    oauth.login(settings, folders, "me", default_athlete="me", say=person.say, ask=person.paste)


def test_a_login_by_pasting_is_kept(place: SmashrunPlace) -> None:
    """The code is exchanged; the login is kept, with the moment at which it is to be renewed."""
    person = Person(place.upstream.tokens.issue_code())
    log_in(place, person)
    token = read(place.folders.secrets / "smashrun_token.json")
    assert token is not None
    assert token.access_token in place.upstream.tokens.access
    assert abs(token.expires_at - token.renew_at - LIFETIME_S / 2) < 120
    assert "Logged in to SmashRun" in person.said[-1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"error": "access_denied"}, "did not let Tracklake read your SmashRun"),
        ({"code": "spent"}, "does not accept this code"),
        ({}, "no code"),
    ],
)
def test_a_login_that_fails_says_why(
    place: SmashrunPlace, answer: dict[str, str], words: str
) -> None:
    """A no, a spent code and an address without one each get a sentence, and keep nothing."""
    with pytest.raises(AuthError, match=words):
        log_in(place, Person(**answer))
    assert not (place.folders.secrets / "smashrun_token.json").exists()


def test_what_the_token_address_says(place: SmashrunPlace) -> None:
    """A wrong secret, too many requests and a page for people are told apart."""
    settings, _ = with_application(place)
    wrong, _ = with_application(place, smashrun_client_secret="wrong")  # noqa: S106 it opens nothing
    with contextlib.closing(Client(place.clock)) as client:
        with pytest.raises(AuthError, match="SMASHRUN_CLIENT_SECRET"):
            oauth.exchange(wrong, "code", client, 0.0)
        for fault, kind in (
            (Status(429, {}), Transient),
            (Html(), Transient),
            (Status(401), AuthError),
            (Status(200, {"access_token": "a"}), Transient),
        ):
            place.upstream.script.clear()
            place.upstream.script.add(fault)
            with pytest.raises(kind):
                oauth.exchange(settings, "code", client, 0.0)


def test_the_command(place: SmashrunPlace) -> None:
    """`tracklake auth smashrun` logs in; a source without a login is named with those that have."""
    tokens = place.upstream.tokens
    environment = {
        "PATH": "/usr/bin:/bin",
        "TRACKLAKE_SECRETS_DIR": str(place.folder / "s"),
        "TRACKLAKE_DATA_DIR": str(place.folder / "data"),
        "SMASHRUN_OAUTH_URL": place.upstream.oauth_url,
        "SMASHRUN_CLIENT_ID": tokens.client_id,
        "SMASHRUN_CLIENT_SECRET": tokens.client_secret,
        "STRAVA_REDIRECT_URI": "http://away.test/callback",
    }

    def auth(source: str, pasted: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "tracklake", "auth", source],
            input=pasted,
            env=environment,
            cwd=place.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    done = auth("smashrun", tokens.issue_code() + "\n")
    assert done.returncode == 0, done.stderr
    assert json.loads((place.folder / "s" / "smashrun_token.json").read_bytes())["renew_at"]
    refused = auth("files", "")
    assert refused.returncode == 2
    assert "strava, smashrun" in refused.stdout + refused.stderr
    assert REPOSITORY.is_dir()


def test_a_token_is_never_shown() -> None:
    """No repr of what holds tokens has them."""
    token = Token(access_token="hidden-a", refresh_token="hidden-r", expires_at=1)  # noqa: S106 it opens nothing
    assert "hidden" not in repr(dataclasses.replace(token, renew_at=5))
