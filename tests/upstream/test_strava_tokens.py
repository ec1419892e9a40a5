"""The simulated Strava's OAuth: login, refresh tokens that rotate, access tokens that age."""

import urllib.parse
from collections.abc import Iterator

import pytest
import requests

from tests.upstream.strava import StravaUpstream

LISTING = "/athlete/activities"


@pytest.fixture
def upstream() -> Iterator[StravaUpstream]:
    with StravaUpstream(activities=3) as running:
        yield running


def refresh(upstream: StravaUpstream, token: str | None = None) -> requests.Response:
    form = {
        "client_id": upstream.tokens.client_id,
        "client_secret": upstream.tokens.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": token or upstream.tokens.refresh_token,
    }
    return requests.post(f"{upstream.oauth_url}/token", data=form, timeout=10)


def test_refresh_rotates_and_spends(upstream: StravaUpstream) -> None:
    """Each refresh gives a new refresh token, the old one is dead; the access token stays."""
    old = upstream.tokens.refresh_token
    first = refresh(upstream, old).json()
    second = refresh(upstream, first["refresh_token"]).json()
    assert len({old, first["refresh_token"], second["refresh_token"]}) == 3
    assert second["access_token"] == first["access_token"]  # more than an hour left
    spent = refresh(upstream, old)
    assert spent.status_code == 400
    assert spent.json()["errors"][0]["resource"] == "RefreshToken"
    assert refresh(upstream, second["refresh_token"]).status_code == 200  # not revoked by that
    assert (upstream.tokens.refreshes, upstream.tokens.invalid_grants) == (3, 1)


def test_access_tokens_age(upstream: StravaUpstream) -> None:
    """After five hours and a bit a refresh gives a new one; after six the old one is 401."""
    first = refresh(upstream).json()
    upstream.clock.advance(5 * 3600 + 1)
    second = refresh(upstream).json()
    assert second["access_token"] != first["access_token"]
    headers = {"Authorization": f"Bearer {first['access_token']}"}
    assert requests.get(upstream.api_url + LISTING, headers=headers, timeout=10).ok
    upstream.clock.advance(3600)
    old = requests.get(upstream.api_url + LISTING, headers=headers, timeout=10)
    assert old.status_code == 401
    assert old.json()["errors"][0]["field"] == "access_token"


def test_a_family_dies_together() -> None:
    """A family-revoking service kills every token once a spent one is used."""
    with StravaUpstream(revoke_family=True) as upstream:
        old = upstream.tokens.refresh_token
        newest = refresh(upstream, old).json()
        assert refresh(upstream, old).status_code == 400
        assert refresh(upstream, newest["refresh_token"]).status_code == 400
        headers = {"Authorization": f"Bearer {newest['access_token']}"}
        assert (
            requests.get(upstream.api_url + LISTING, headers=headers, timeout=10).status_code == 401
        )


def test_login_and_goodbye(upstream: StravaUpstream) -> None:
    """Authorize sends back with a code and the ticked scopes; deauthorize kills every token."""
    upstream.tokens.consent = frozenset({"read", "activity:read"})
    query = {
        "client_id": upstream.tokens.client_id,
        "redirect_uri": "http://localhost:8721/callback",
        "response_type": "code",
        "scope": "read,activity:read_all,activity:read",
        "state": "s1",
    }
    page = f"{upstream.oauth_url}/authorize"
    back = requests.get(page, params=query, timeout=10, allow_redirects=False)
    assert back.status_code == 302
    given = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back.headers["Location"]).query))
    assert (given["state"], given["scope"]) == ("s1", "activity:read,read")
    form = {
        "client_id": upstream.tokens.client_id,
        "client_secret": upstream.tokens.client_secret,
        "grant_type": "authorization_code",
        "code": given["code"],
    }
    pair = requests.post(f"{upstream.oauth_url}/token", data=form, timeout=10).json()
    assert pair["athlete"]["id"] == 4007
    assert requests.post(f"{upstream.oauth_url}/token", data=form, timeout=10).status_code == 400
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert requests.post(f"{upstream.oauth_url}/deauthorize", headers=headers, timeout=10).ok
    assert refresh(upstream, pair["refresh_token"]).status_code == 400
    upstream.tokens.consent = frozenset()
    back = requests.get(page, params=query, timeout=10, allow_redirects=False)
    assert "error=access_denied" in back.headers["Location"]


def test_tokens_without_a_pardon(upstream: StravaUpstream) -> None:
    """Once the athlete removed the app, or with a wrong secret, a refresh is 400, and says why."""
    upstream.tokens.authorised = False
    assert refresh(upstream).json()["errors"][0]["resource"] == "RefreshToken"
    upstream.tokens.authorised = True
    assert refresh(upstream).ok
    upstream.tokens.client_secret = "another"  # noqa: S105 of no service
    form = {"client_id": upstream.tokens.client_id, "client_secret": "x", "grant_type": "y"}
    answer = requests.post(f"{upstream.oauth_url}/token", data=form, timeout=10)
    assert answer.json()["errors"][0]["resource"] == "Application"


def test_without_rotation_the_refresh_token_stays() -> None:
    """A service that does not rotate gives the same refresh token again."""
    with StravaUpstream(rotate=False) as upstream:
        old = upstream.tokens.refresh_token
        assert refresh(upstream).json()["refresh_token"] == old
        assert refresh(upstream).ok
