"""The calls of an upload: look, send, ask what became of it."""

import contextlib
import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tracklake.budget import STRAVA, Budget, patiently
from tracklake.client import Answer, Ask, Client
from tracklake.errors import AuthError, BudgetSpent, InvalidData, SourceError, Transient
from tracklake.json_text import parse
from tracklake.matching import REACH_S, Record, links
from tracklake.strava import oauth, records
from tracklake.uploads import replies
from tracklake.uploads.looking import Seen
from tracklake.uploads.replies import Reply
from tracklake.upstream.calls import Calls
from tracklake.upstream.listed import read_page

_QUARTER = dt.timedelta(minutes=15)
_DEADLINE_S = 180.0  # 25 MB over a slow line
_TRIES_AFTER_REFUSAL = 3
_MOST_PAGES = 20  # of a few days
_OF_THE_FILE = (400, 413, 415, 422)  # says something of what was sent, not of us


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What is written down around a call that sends: before it, and if it surely had no effect."""

    before: Callable[[], None]
    undone: Callable[[], None]


@dataclass(slots=True)
class UploadCalls:
    """Calls about uploads, on a connection to Strava; they count in its quota."""

    api: Calls
    _budget: Budget = field(init=False)

    def __post_init__(self) -> None:
        """Sending counts in the overall limits only; reading in all of them."""
        session = self.api.session
        overall = [limit for limit in STRAVA if limit.kind == "overall"]
        self._budget = Budget(session.state, "strava", overall, session.clock)

    def around(self, start_s: float) -> list[Seen]:
        """List what Strava has of the days around a time; raise SourceError if it does not say.

        Up to the empty page: a page may be short and not the last.
        """
        bounds = {"after": int(start_s - REACH_S) - 1, "before": int(start_s + REACH_S) + 2}
        found: list[Seen] = []
        for page in range(1, _MOST_PAGES + 1):
            answer = self.api.get("athlete/activities", {**bounds, "page": page, "per_page": 200})
            if answer.status != 200:
                raise SourceError(f"Strava answered {answer.status} and no list of activities")
            items = read_page(answer.body).items
            if not items:
                return found
            found += [seen(item, self.api.session.athlete) for item in items]
        raise InvalidData("Strava's list of a few days does not end", reason="no_list")

    def ask(self, upload_id: str) -> Reply | None:
        """Ask what became of an upload; None where Strava does not know it."""
        answer = self.api.get(f"uploads/{upload_id}")
        return replies.reply(answer.json()) if answer.status == 200 else None

    def send(self, body: bytes, content_type: str, guard: Guard) -> Reply | None:
        """Send a file once; None where it is not known whether it came.

        Raises BudgetSpent, AuthError, SourceError; then it did not come.
        """
        refused, renewed = 0, False
        while True:
            headers = self.api.login.headers()
            self._admit()
            guard.before()
            answer = self._posted(body, {**headers, "Content-Type": content_type}, guard)
            if answer is None:
                return None
            if 200 <= answer.status < 300:
                return replies.reply(answer.json())
            if answer.status in _OF_THE_FILE and oauth.auth_problem(*_said(answer)) is None:
                return replies.refusal(answer.status, _fields(answer.body))
            guard.undone()
            if answer.status == 429 and (refused := refused + 1) < _TRIES_AFTER_REFUSAL:
                continue  # the budget knows: the next try waits, or does not come
            if answer.status == 401 and not renewed:
                _raise_if_it_is_about_us(answer)
                if renewed := self.api.login.renew():
                    continue
            raise self._problem(answer)

    def _admit(self) -> None:
        api = self.api
        if api.most_calls is not None and api.calls >= api.most_calls:
            now = api.session.clock.now()
            raise BudgetSpent(f"stopped after {api.calls} calls (--max-calls)", until=now)
        patiently(self._budget, api.session.clock, waiting=self._waiting)()
        api.calls += 1
        api.phase.calls += 1

    def _waiting(self, until: dt.datetime) -> None:
        self.api.phase.note(f"waiting for Strava's quota until {until:%H:%M:%S} UTC")

    def _posted(self, body: bytes, headers: Mapping[str, str], guard: Guard) -> Answer | None:
        """Send once, on a connection of its own: a kept one that was closed is tried again."""
        session = self.api.session
        ask = Ask(
            method="POST",
            url=f"{session.settings.strava_api_url}/uploads",
            headers=headers,
            body=body,
            deadline_s=_DEADLINE_S,
            tries=1,
        )
        with contextlib.closing(Client(session.clock)) as client:
            try:
                return self.api.breaker.send(
                    ask, lambda asked: client.send(asked, heed=self._budget.heed)
                )
            except (Transient, InvalidData) as error:
                session.log.warning("upload_without_answer", error=str(error))
                return None
            except SourceError:  # a redirect, a certificate: nothing was taken
                guard.undone()
                raise

    def _problem(self, answer: Answer) -> Exception:
        if answer.status == 429:
            until = self.api.session.clock.now() + _QUARTER
            return BudgetSpent("others use up Strava's quota before us", until=until)
        problem = oauth.auth_problem(answer.status, answer.body)
        if problem is None and answer.status == 401:
            problem = AuthError(f"Strava does not accept the login any more: {oauth.ADVICE}")
        return problem or SourceError(f"Strava answered {answer.status} to an upload")


def seen(item: dict[str, object], athlete: str) -> Seen:
    """Read an item of Strava's list as matching sees it."""
    row = records.listed(item, athlete).row
    source_id = str(row["source_id"])
    external_id = None if row["external_id"] is None else str(row["external_id"])
    lng, lat = _number(row["start_lng"]), _number(row["start_lat"])
    offset_s = _number(row["utc_offset_s"])
    record = Record(
        record_id=int(str(row["record_id"])),
        source=records.SOURCE,
        source_id=source_id,
        first_ingested_s=math.inf,  # it did not land yet
        links=links(source=records.SOURCE, source_id=source_id, external_id=external_id),
        start_s=_number(row["start_s"]),
        elapsed_s=_number(row["elapsed_time"]),
        moving_s=_number(row["moving_time"]),
        distance_m=_number(row["distance"]),
        sport_type=str(row["sport_type"]) if row["sport_type"] else None,
        start_hidden=bool(row["start_hidden"]),
        utc_offset_s=offset_s,
        start=None if lng is None or lat is None else (lng, lat),
    )
    return Seen(record, external_id)


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _said(answer: Answer) -> tuple[int, bytes]:
    return answer.status, answer.body


def _raise_if_it_is_about_us(answer: Answer) -> None:
    problem = oauth.auth_problem(answer.status, answer.body)
    if problem is not None:
        raise problem


def _fields(body: bytes) -> object:
    try:
        return parse(body)
    except ValueError:
        return None
