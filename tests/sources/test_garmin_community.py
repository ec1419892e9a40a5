"""Garmin through the community client: the same records, and never a login by itself.

The library speaks to Garmin's hosts only; a module with its names and errors stands in for it,
which sends real requests to the simulator (community_stand_in/garminconnect.py).
"""

import datetime as dt
import importlib
import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sources.garmin_place import KEY, GarminPlace, opened
from tests.sources.test_garmin_login import Person, log_in
from tests.upstream.garmin import LIST, REFRESH, triathlon
from tests.upstream.status_faults import Status
from tracklake.errors import AuthError, ConfigError, SourceError
from tracklake.garmin import community

STAND_IN = Path(__file__).parent / "community_stand_in"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[GarminPlace]:
    """Return a place without a key."""
    with opened(tmp_path) as found:
        found.key = None
        yield found


@pytest.fixture
def library(place: GarminPlace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the stand-in, as if it were installed, which speaks to the simulator."""
    monkeypatch.syspath_prepend(str(STAND_IN))
    found: Any = importlib.import_module("garminconnect")
    found.URL = place.upstream.url
    yield found
    del sys.modules["garminconnect"]


def tokens_path(place: GarminPlace) -> Path:
    """Return where the client's tokens lie."""
    return place.folders.secrets / "garmin_tokens" / "garmin_tokens.json"


def keep_login(place: GarminPlace, **options: Any) -> dict[str, str]:
    """Keep tokens as a login does."""
    tokens: dict[str, str] = place.upstream.community_login(**options)
    path = tokens_path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tokens), "utf-8")
    path.chmod(0o600)
    return tokens


def fill(place: GarminPlace) -> None:
    """Let something of everything appear."""
    now = place.clock.now().replace(microsecond=0)
    for days in range(1, 50, 2):
        place.upload(now - dt.timedelta(days=days))
    place.upstream.enter_by_hand(now - dt.timedelta(days=60))
    triathlon(place.upstream, now - dt.timedelta(days=70))
    place.upstream.originals[int(place.upload(now - dt.timedelta(days=80)))] = None


@pytest.mark.usefixtures("library")
def test_both_ways_give_the_same_records(place: GarminPlace, tmp_path: Path) -> None:
    """What the community client lands equals, hash by hash, what the Personal API does."""
    fill(place)
    keep_login(place)
    report = place.pull()
    other = GarminPlace(tmp_path / "other", place.upstream)
    other.key = KEY
    place.advance(seconds=2)
    same = other.pull()
    assert (report.new, report.also) == (same.new, same.also) == (32, {"with their file": 26})
    assert place.contents() == other.contents()
    assert place.upstream.too_early == 0


@pytest.mark.usefixtures("library")
def test_rotated_tokens_are_kept(place: GarminPlace) -> None:
    """A token that ends is refreshed by the client, and the new pair is on disk at once."""
    old = keep_login(place, life_s=1.0)
    place.advance(hours=1)
    place.upload()
    place.pull()
    assert len(place.upstream.calls_to(REFRESH)) == 1
    new = json.loads(tokens_path(place).read_text("utf-8"))
    assert new["di_refresh_token"] != old["di_refresh_token"]
    assert stat.S_IMODE(tokens_path(place).stat().st_mode) == 0o600
    assert stat.S_IMODE(tokens_path(place).parent.stat().st_mode) == 0o700
    place.advance(hours=1)
    place.pull()
    assert len(place.upstream.calls_to(REFRESH)) == 1


@pytest.mark.usefixtures("library")
def test_a_rotated_token_outlives_a_failure(place: GarminPlace) -> None:
    """The new pair is kept though the call that brought it about fails."""
    keep_login(place, life_s=1.0)
    place.advance(hours=1)
    place.upstream.script.add(Status(403, {}), path=LIST, at=3)
    with pytest.raises(SourceError, match="403"):
        place.pull()
    kept = json.loads(tokens_path(place).read_text("utf-8"))
    assert kept["di_refresh_token"] in place.upstream.refresh_tokens


@pytest.mark.usefixtures("library")
def test_a_login_that_is_over(place: GarminPlace) -> None:
    """Tokens that are worthless ask for a new login; no password is tried, and nothing repeated."""
    keep_login(place, life_s=1.0)
    place.upstream.refresh_tokens.clear()
    place.advance(hours=1)
    with pytest.raises(AuthError, match="tracklake auth garmin"):
        place.pull()
    assert [call.path for call in place.upstream.calls] == [LIST, REFRESH, LIST]


@pytest.mark.usefixtures("library")
def test_a_damaged_login(place: GarminPlace) -> None:
    """A token file that is cut asks for a new login, without a call."""
    keep_login(place)
    tokens_path(place).write_text('{"di_token"', "utf-8")
    tokens_path(place).chmod(0o600)
    with pytest.raises(AuthError, match="damaged"):
        place.pull()
    assert place.upstream.calls == []


@pytest.mark.usefixtures("library")
def test_a_used_up_quota_parks(place: GarminPlace) -> None:
    """A 429 is no failure: it waits, three times at most, and the next pull goes on."""
    fill(place)
    keep_login(place)
    refill_s = place.exhaust_quota()
    report = place.pull()
    assert sum(call.status == 429 for call in place.upstream.calls) <= 3
    if report.parked is not None:
        place.advance(seconds=refill_s)
        place.pull_all()
    assert len(place.rows()) == 32


@pytest.mark.usefixtures("library")
def test_passing_failures_are_tried_again(place: GarminPlace) -> None:
    """A 500 is tried again as our own client would, counted and paced."""
    fill(place)
    keep_login(place)
    place.upstream.script.add(Status(500, {}), path=LIST, times=2)
    assert place.pull().new == 32
    assert place.upstream.too_early == 0


def test_without_the_library(place: GarminPlace) -> None:
    """A login of the client without the client says how to install it."""
    keep_login(place)
    with pytest.raises(ConfigError, match=r"pip install 'tracklake\[garmin\]'"):
        place.pull()


def test_without_any_login(place: GarminPlace) -> None:
    """Who asks for Garmin without key or login is told to make a key, not to install a package."""
    with pytest.raises(AuthError, match=r"no Garmin login yet.*personalApiToken.*auth garmin"):
        place.pull()


# ---- the login


def granting(place: GarminPlace, codes: list[str]) -> Callable[..., dict[str, str]]:
    """Return a login that takes one password, and asks for a code."""

    def grant(email: str, password: str, prompt_mfa: Callable[[], str]) -> dict[str, str]:
        assert (email, password) == ("me@example.invalid", "a password")
        codes.append(prompt_mfa())
        login: dict[str, str] = place.upstream.community_login()
        return login

    return grant


def test_a_login_with_a_code(place: GarminPlace, library: Any) -> None:
    """E-mail, password and the code that Garmin sends; the tokens are kept, the password is not."""
    codes: list[str] = []
    library.LOGIN = granting(place, codes)
    said = log_in(place, Person("", "me@example.invalid", "a password", "123456"))
    assert codes == ["123456"]
    assert "terms do not allow" in said
    kept = [path for path in place.folders.secrets.rglob("*") if path.is_file()]
    assert tokens_path(place) in kept
    assert not any(b"a password" in path.read_bytes() for path in kept)
    place.upload()
    place.pull()
    assert len(place.rows()) == 1


def test_a_blocked_login_is_not_tried_again(place: GarminPlace, library: Any) -> None:
    """After a 429 of the login no other is tried for hours, however often a person asks."""
    tries = []

    def block(*_: object) -> dict[str, str]:
        tries.append(1)
        raise library.GarminConnectTooManyRequestsError("429")

    library.LOGIN = block
    lines = ("", "me@example.invalid", "a password")
    for _ in range(3):
        with pytest.raises(AuthError, match="none is tried before 2026-11-20 18:02 UTC"):
            log_in(place, Person(*lines))
    assert len(tries) == 1
    place.advance(hours=13)
    library.LOGIN = granting(place, [])
    log_in(place, Person(*lines, "1"))
    assert tokens_path(place).exists()


@pytest.mark.parametrize("status", [427, 429])
def test_a_login_blocked_with_a_status(place: GarminPlace, library: Any, status: int) -> None:
    """427 and 429 within another error mean the same."""

    def block(*_: object) -> dict[str, str]:
        error = library.GarminConnectConnectionError("blocked")
        error.response = library.Response(status, {}, b"")
        raise error

    library.LOGIN = block
    with pytest.raises(AuthError, match="none is tried before"):
        log_in(place, Person("", "me@example.invalid", "a password"))
    assert community.Blocked.of(tokens_path(place).parent).until(place.clock.now()) is not None


def test_a_wrong_password(place: GarminPlace, library: Any) -> None:
    """A no of Garmin's is said once, and not tried again by itself."""

    def refuse(*_: object) -> dict[str, str]:
        raise library.GarminConnectAuthenticationError("401")

    library.LOGIN = refuse
    with pytest.raises(AuthError, match="did not accept"):
        log_in(place, Person("", "me@example.invalid", "a password"))
    assert not tokens_path(place).exists()


@pytest.mark.usefixtures("library")
def test_a_key_comes_first(place: GarminPlace) -> None:
    """With both a key and a login of the client, the Personal API is asked."""
    keep_login(place)
    place.key = KEY
    place.pull()
    assert place.upstream.exchanges == 1
