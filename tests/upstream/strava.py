"""Strava, simulated: its listing, details, streams, quota, tokens and error bodies."""

import dataclasses
import re
from collections.abc import Callable, Collection

from tests.upstream import details, strava_oauth
from tests.upstream.account import Account
from tests.upstream.activities import ATHLETE_ID, GEAR, TEMPLATES, Item, Payload
from tests.upstream.calls import Answer, Call
from tests.upstream.clock import SettableClock
from tests.upstream.observed import error
from tests.upstream.quota import Limits, Quota
from tests.upstream.server import Upstream
from tests.upstream.strava_listing import Listing, Order, page_of
from tests.upstream.tokens import ALL_SCOPES, Access, TokenDesk
from tests.upstream.uploads import WRITE_MISSING, UploadDesk

API = "/api/v3"
READING = frozenset({"activity:read", "activity:read_all"})


@dataclasses.dataclass(frozen=True)
class Asked:
    """A call that may be answered: with its token, and the part of the path that varies."""

    upstream: "StravaUpstream"
    call: Call
    access: Access
    text: str

    @property
    def read_all(self) -> bool:
        """Say whether the token may see private activities."""
        return "activity:read_all" in self.access.scopes

    def flag(self, name: str) -> bool:
        """Say whether a parameter is set."""
        return self.call.query.get(name, "").lower() in ("true", "1")

    def item(self) -> Item | None:
        """Return the activity of the path if the token may see it."""
        item = self.upstream.account.items.get(int(self.text))
        return item if item is not None and item.visible(read_all=self.read_all) else None


class StravaUpstream(Upstream):
    """The service with one athlete; `account` is edited, `tokens` and `quota` are set by tests.

    `order`: "real" is newest first, but oldest first with `after` alone. `inclusive`: whether
    `before` and `after` include the second itself. `filter_late`: rows that the token may not
    see are taken out after the page was cut, so that pages are short. `stream_headers`: whether
    stream answers carry the quota (those recorded did not).
    """

    def __init__(
        self,
        *,
        clock: SettableClock | None = None,
        seed: int = 0,
        activities: int = 0,
        points: int = 300,
        scopes: Collection[str] = ALL_SCOPES,
        rotate: bool = True,
        revoke_family: bool = False,
        limits: Limits | None = None,
        order: Order = "real",
        inclusive: bool = False,
        filter_late: bool = False,
        stream_headers: bool = False,
        ahead_s: float = 0.0,
        port: int = 0,
    ) -> None:
        super().__init__(clock=clock, seed=seed, ahead_s=ahead_s, port=port)
        self.account = Account(self.clock, seed=seed, points=points, lock=self.lock)
        self.tokens = TokenDesk(
            seed=seed, scopes=scopes, rotate=rotate, revoke_family=revoke_family
        )
        self.quota = Quota(limits)
        self.listing = Listing(order=order, inclusive=inclusive, filter_late=filter_late)
        self.stream_headers = stream_headers
        self.uploads = UploadDesk(self.account)
        self.account.fill(activities)

    @property
    def api_url(self) -> str:
        """Return what STRAVA_API_URL is set to."""
        return f"{self.url}{API}"

    @property
    def oauth_url(self) -> str:
        """Return what STRAVA_OAUTH_URL is set to."""
        return f"{self.url}/oauth"

    @property
    def read_all(self) -> bool:
        """Say whether the app may see private activities."""
        return "activity:read_all" in self.tokens.scopes

    def environment(self) -> dict[str, str]:
        """Return the settings of a client that is to use this service."""
        return {
            "STRAVA_API_URL": self.api_url,
            "STRAVA_OAUTH_URL": self.oauth_url,
            "STRAVA_CLIENT_ID": self.tokens.client_id,
            "STRAVA_CLIENT_SECRET": self.tokens.client_secret,
            "STRAVA_REFRESH_TOKEN": self.tokens.refresh_token,
        }

    def access_token(self) -> str:
        """Return a valid access token, without OAuth."""
        with self.lock:
            return self.tokens.issue_access(self.moment()).token

    def visible_set(self) -> set[int]:
        """Return the ids that a correct client with this app's scopes ends with."""
        return self.account.visible_set(read_all=self.read_all)

    @property
    def quota_violations(self) -> int:
        """Return how many calls were refused for quota, over all windows."""
        return self.quota.refused.total()

    def consume_elsewhere(self, calls: int, *, read: bool = True) -> None:
        """Let another app of the same owner use up quota."""
        with self.lock:
            self.quota.consume_elsewhere(self.moment(), calls, read=read)

    # ---- what it answers

    def answer(self, call: Call) -> Answer:
        """Answer as the service would, were there no faults."""
        if call.path.startswith("/oauth/") or call.path == f"{API}/oauth/token":
            return strava_oauth.answer(call, self.tokens, self.quota)
        if not call.path.startswith(f"{API}/"):
            return error("unknown_path")
        self.uploads.work(call.moment)
        found = self._route(call)
        if found is None:
            return error("unknown_path")
        if call.bearer is None:
            return error("no_token")
        access = self.tokens.valid(call.bearer, call.moment)
        if access is None:
            return error("expired")
        return self._metered(Asked(self, call, access, found[1]), found[0])

    def _route(self, call: Call) -> "tuple[Route, str] | None":
        if call.method == "POST" and call.path == f"{API}/uploads":
            return _post_upload, ""
        if call.method not in ("GET", "HEAD"):
            return None
        for pattern, route in ROUTES:
            match = pattern.fullmatch(call.path.removeprefix(API))
            if match:
                return route, "".join(match.groups())
        return None

    def _metered(self, asked: Asked, route: "Route") -> Answer:
        exceeded = self.quota.spend(asked.call.moment, read=route is not _post_upload)
        if exceeded is not None:
            answer = error(exceeded)
        elif route is _post_upload and "activity:write" not in asked.access.scopes:
            answer = Answer(401, WRITE_MISSING)
        elif route not in (_athlete, _gear, _stats) and not asked.access.scopes & READING:
            answer = error("scope")
        else:
            answer = route(asked)
        if answer.status != 401 and (route is not _streams or self.stream_headers):
            answer.headers |= self.quota.headers(asked.call.moment)
        return answer


Route = Callable[[Asked], Answer]


def _athlete(asked: Asked) -> Answer:
    if "profile:read_all" not in asked.access.scopes:
        return Answer(payload=TEMPLATES["athlete_of_token"] | {"id": ATHLETE_ID})
    shown: Payload = TEMPLATES["athlete"] | {"id": ATHLETE_ID}
    shown["bikes"] = [details.gear_summary(name) for name in GEAR if name.startswith("b")]
    shown["shoes"] = [details.gear_summary(name) for name in GEAR if name.startswith("g")]
    return Answer(payload=shown)


def _activities(asked: Asked) -> Answer:
    upstream = asked.upstream
    return upstream.listing.answer(upstream.account, asked.call, read_all=asked.read_all)


def _activity(asked: Asked) -> Answer:
    item = asked.item()
    if item is None:
        return error("absent")
    return Answer(payload=details.detail(item, all_efforts=asked.flag("include_all_efforts")))


def _streams(asked: Asked) -> Answer:
    item = asked.item()
    found = None if item is None else details.streams(item)
    if found is None:
        return error("absent")
    keys = asked.call.query.get("keys", "distance").split(",")
    chosen = {name: stream for name, stream in found.items() if name in keys}
    if asked.flag("key_by_type"):
        return Answer(payload=chosen)
    return Answer(payload=[{"type": name, **stream} for name, stream in chosen.items()])


def _laps(asked: Asked) -> Answer:
    item = asked.item()
    return error("absent") if item is None else Answer(payload=details.laps(item))


def _zones(asked: Asked) -> Answer:
    item = asked.item()
    return error("absent") if item is None else Answer(payload=details.zones(item))


def _kudos(asked: Asked) -> Answer:
    item = asked.item()
    return error("absent") if item is None else page_of(details.kudoers(item), asked.call)


def _gear(asked: Asked) -> Answer:
    return Answer(payload=details.gear(asked.text)) if asked.text in GEAR else error("absent")


def _stats(asked: Asked) -> Answer:
    if int(asked.text) != ATHLETE_ID:
        return Answer(403, {"message": "Forbidden", "errors": []})
    items = asked.upstream.account.items.values()
    return Answer(payload=details.stats([item for item in items if item.visible(read_all=False)]))


def _post_upload(asked: Asked) -> Answer:
    return asked.upstream.uploads.post(asked.call)


def _upload(asked: Asked) -> Answer:
    return asked.upstream.uploads.get(int(asked.text))


ROUTES: list[tuple[re.Pattern[str], Route]] = [
    (re.compile(r"/athlete"), _athlete),
    (re.compile(r"/athlete/activities"), _activities),
    (re.compile(r"/activities/(\d+)"), _activity),
    (re.compile(r"/activities/(\d+)/streams"), _streams),
    (re.compile(r"/activities/(\d+)/laps"), _laps),
    (re.compile(r"/activities/(\d+)/zones"), _zones),
    (re.compile(r"/activities/(\d+)/kudos"), _kudos),
    (re.compile(r"/gear/(\w+)"), _gear),
    (re.compile(r"/athletes/(\d+)/stats"), _stats),
    (re.compile(r"/uploads/(\d+)"), _upload),
]
