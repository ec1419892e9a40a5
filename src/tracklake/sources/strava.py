"""Strava's API: the list of activities, read from where the last pull ended, with a look back.

What is new or changed lands page by page. Once a week the whole list is read (200 activities a
call), which finds late uploads, edits of old activities and deletions.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tracklake.config import Folders, Settings
from tracklake.errors import BudgetSpent, Interrupted, InvalidData, SourceError
from tracklake.session import SyncSession
from tracklake.stages import ListReport, PullOptions
from tracklake.strava import landings, listing, reconciling
from tracklake.strava.listing import ListPage, Walk, Window
from tracklake.upstream_index import UpstreamIndex

if TYPE_CHECKING:
    from tracklake.strava import api

NAME = "strava"

_DAY_S = 86_400
_STALE = dt.timedelta(hours=6)  # a look back that was broken off is begun anew after this
_LATELY = dt.timedelta(days=2)  # a quota that was used up is there again tomorrow


def is_configured(folders: Folders, settings: Settings) -> bool:  # noqa: ARG001 every source is asked alike
    """Tell whether an API application is named; whether there is a login shows when it is used."""
    return bool(settings.strava_client_id or settings.strava_client_secret)


def pull(
    session: SyncSession,
    paths: Sequence[Path] | None = None,  # noqa: ARG001 every source is asked alike
    options: PullOptions = PullOptions(),  # noqa: B008 it cannot change
) -> ListReport:
    """Land what is new in the list; a spent quota parks it, and the next pull goes on there.

    Raises AuthError, SourceError.
    """
    from tracklake.strava import api  # the network's libraries: only who needs them waits for them

    report = ListReport()
    index = landings.index_of(session)
    index.sync()
    landing = landings.Landing(session, index, report)
    recovered = landing.recover()
    with (
        session.phase(NAME) as phase,
        api.connected(session, phase, most_calls=options.max_calls) as strava,
    ):
        pulling = _Pull(session, strava, index, landing, options)
        if not recovered:
            pulling.forget_walks()
        try:
            pulling.run()
        except BudgetSpent as parked:
            report.parked = parked
        except Interrupted:
            raise  # within seconds: the pages stay, the next pull makes their shard
        except BaseException:  # raised on; what was landed is made use of
            landing.seal()
            raise
        finally:
            report.calls = strava.calls
            phase.advance(0, errors=report.quarantined + pulling.broken)
        landing.seal()
        phase.detail = report.summary()
        if pulling.broken:
            phase.detail += "; the list repeats itself and was not read to its end"
    return report


@dataclass(slots=True)
class _Pull:
    """One pull on its way. broken: walks that came to no end."""

    session: SyncSession
    strava: "api.StravaApi"
    index: UpstreamIndex
    landing: landings.Landing
    options: PullOptions
    broken: int = 0

    def run(self) -> None:
        """Walk the list: all of it the first time, when it is due, and when told to.

        A walk over all of it that goes on where another run ended is followed by one over what has
        come since, and by nothing more, though it is asked for everything until nothing is parked.
        """
        started = self._checkpoint("full")
        if started is not None:
            self._walk_all(started)
            self._set_fact("all_but_new", self.session.now_text())
        elif not self._lacks_new() and (
            self.options.everything or self._watermark_s() is None or self._is_due()
        ):
            self._walk_all(None)
            return
        self._walk_new()
        self._set_fact("all_but_new", None)

    def _lacks_new(self) -> bool:
        """Tell whether a whole walk ended lately, but the one over what came since did not."""
        told = self._fact("all_but_new")
        now = self.session.clock.now()
        return told is not None and _within(now, dt.datetime.fromisoformat(told), _LATELY)

    def _walk_new(self) -> None:
        """Read what began after the newest known activity, and behind it the days to look back."""
        watermark_s = self._watermark_s() or 0.0
        after = int(watermark_s - self.options.lookback_days * _DAY_S) - 1
        window = self._checkpoint("new") or Window(after=max(after, 0))
        if self._walk("new", window).complete:
            self._set_watermark()
        self._set_fact("walk:new", None)

    def _walk_all(self, started: Window | None) -> None:
        """Read the whole list, newest first; what it does not name any more is gone.

        A walk that goes on where another run ended did not see all of it, and proves nothing; but
        if it is the first ever, nothing was known that could be gone.
        """
        if started is None:
            is_first = self._watermark_s() is None and self.index.newest_start_s() is None
            self._set_fact("first_walk", self.session.now_text() if is_first else None)
        walk = self._walk("full", started or Window())
        if walk.complete:
            self._set_watermark()
            if started is None:
                reconciling.reconcile(self.session, self.index, walk, self.landing.report)
            if started is None or (self._fact("first_walk") and not walk.by_number):
                self._set_fact("reconciled", self.session.now_text())
        self.forget_walks()  # the other walk too: it would go on behind what was changed since

    def _walk(self, mode: str, window: Window) -> Walk:
        walk = Walk(self._fetch, window, self.options.per_page)
        for page in walk.pages():
            self.landing.take(page)
            self._set_checkpoint(mode, walk.window)
            self.strava.phase.advance(len(page.items))
        if not walk.complete:
            self.session.log.warning("list_repeats_itself", mode=mode)
            self.broken += 1
        self.landing.seal()
        return walk

    def _fetch(self, parameters: dict[str, int]) -> ListPage:
        """Ask for a page; anything but a list is none, and not an empty one either."""
        try:
            answer = self.strava.get("athlete/activities", parameters)
            if answer.status == 200:
                return listing.read_page(answer.body)
        except InvalidData as error:
            raise SourceError(f"a page of Strava's list: {error}") from error
        raise SourceError(f"Strava answered {answer.status} and no list of activities")

    def _is_due(self) -> bool:
        """Tell whether the whole list is to be read: weekly, or for a second look."""
        now = self.session.clock.now()
        doubt = reconciling.doubt(self.session)
        if doubt is not None and not _within(now, doubt.at, reconciling.SECOND_LOOK):
            return True
        last = self._fact("reconciled")
        days = dt.timedelta(days=self.session.settings.strava_reconcile_days)
        return last is None or not _within(now, dt.datetime.fromisoformat(last), days)

    def _watermark_s(self) -> float | None:
        """Return when the newest activity began, of a list that was once read to its end."""
        told = self._fact("watermark")
        return None if told is None else float(told)

    def _set_watermark(self) -> None:
        """Remember how far the list is known; an activity dated in the future moves nothing."""
        newest_s = self.index.newest_start_s() or 0.0
        self._set_fact("watermark", repr(min(newest_s, self.session.clock.now().timestamp())))

    def forget_walks(self) -> None:
        """Begin every walk anew."""
        for fact in ("walk:full", "walk:new", "first_walk"):
            self._set_fact(fact, None)

    def _checkpoint(self, mode: str) -> Window | None:
        """Return where a walk was broken off."""
        told = self._fact(f"walk:{mode}")
        if told is None:
            return None
        fields = orjson.loads(told)
        at = dt.datetime.fromisoformat(fields.pop("at"))
        if mode == "new" and not _within(self.session.clock.now(), at, _STALE):
            return None
        return Window(**fields)

    def _set_checkpoint(self, mode: str, window: Window) -> None:
        fields = {"after": window.after, "before": window.before, "page": window.page}
        told = orjson.dumps({**fields, "at": self.session.now_text()}).decode()
        self._set_fact(f"walk:{mode}", told)

    def _name(self, fact: str) -> str:
        return f"strava_{fact}:{self.session.athlete}"

    def _fact(self, fact: str) -> str | None:
        rows = self.session.state.execute(
            "select value from facts where name = ?", (self._name(fact),)
        )
        return str(rows[0][0]) if rows else None

    def _set_fact(self, fact: str, value: str | None) -> None:
        if value is None:
            self.session.state.execute("delete from facts where name = ?", (self._name(fact),))
        else:
            self.session.state.execute(
                "insert or replace into facts values (?, ?)", (self._name(fact), value)
            )


def _within(now: dt.datetime, since: dt.datetime, span: dt.timedelta) -> bool:
    """Tell whether less than a span has passed; a clock that was set back tells nothing."""
    return dt.timedelta(0) <= now - since < span
