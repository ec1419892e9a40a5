"""Strava's OAuth pages: token, authorize, deauthorize."""

import urllib.parse

from tests.upstream.activities import ATHLETE_ID, TEMPLATES
from tests.upstream.calls import Answer, Call
from tests.upstream.observed import error
from tests.upstream.quota import Quota
from tests.upstream.tokens import Refused, TokenDesk


def answer(call: Call, tokens: TokenDesk, quota: Quota) -> Answer:
    """Answer a call to any of them."""
    if call.path.endswith("/oauth/token") and call.method == "POST":
        return _token(call, tokens)
    if call.path == "/oauth/authorize" and call.method == "GET":
        return _authorize(call, tokens)
    if call.path == "/oauth/deauthorize" and call.method == "POST":
        return _deauthorize(call, tokens, quota)
    return error("unknown_path")


def _token(call: Call, tokens: TokenDesk) -> Answer:
    try:
        pair = tokens.exchange(call.form, call.moment)
    except Refused as refusal:
        return error(refusal.reason)
    if call.form["grant_type"] == "authorization_code":
        pair["athlete"] = TEMPLATES["athlete_of_token"] | {"id": ATHLETE_ID}
    return Answer(payload=pair)


def _authorize(call: Call, tokens: TokenDesk) -> Answer:
    query = call.query
    if query.get("client_id") != tokens.client_id or "redirect_uri" not in query:
        return error("client")
    asked = frozenset(filter(None, query.get("scope", "read").split(",")))
    granted = asked if tokens.consent is None else asked & tokens.consent
    back = {"state": query.get("state", "")}
    if granted:
        back |= {"code": tokens.issue_code(granted), "scope": ",".join(sorted(granted))}
    else:
        back |= {"error": "access_denied"}
    place = f"{query['redirect_uri']}?{urllib.parse.urlencode(back)}"
    return Answer(302, headers={"Location": place}, content_type="text/html")


def _deauthorize(call: Call, tokens: TokenDesk, quota: Quota) -> Answer:
    token = call.bearer or call.form.get("access_token") or call.query.get("access_token")
    if tokens.valid(token, call.moment) is None:
        return error("expired")
    exceeded = quota.spend(call.moment, read=False)
    if exceeded is not None:
        refusal = error(exceeded)
        refusal.headers |= quota.headers(call.moment)
        return refusal
    tokens.deauthorise()
    return Answer(payload={"access_token": token}, headers=quota.headers(call.moment))
