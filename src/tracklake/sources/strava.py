"""Strava's API: the list of activities, read from where the last pull ended, with a look back.

What is new or changed lands page by page. Once a week the whole list is read (200 activities a
call), which finds late uploads, edits of old activities and deletions. A login that may not see
private activities may be shown a list with holes: what it lacks is then looked for where it was.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracklake.config import Folders, Settings
from tracklake.errors import InvalidData, SourceError
from tracklake.session import SyncSession
from tracklake.stages import ListReport, PullOptions
from tracklake.strava import records
from tracklake.strava.checkpoints import Checkpoint, Checkpoints
from tracklake.strava.listing import Walk, Window, windows_around
from tracklake.upstream import landings, reconciling
from tracklake.upstream.calls import Calls
from tracklake.upstream.listed import ListPage, read_page
from tracklake.upstream.memory import moment, number, within
from tracklake.upstream.pulling import carry_out
from tracklake.upstream.reconciling import Listing
from tracklake.upstream_index import UpstreamIndex

if TYPE_CHECKING:
    pass

NAME = "strava"

_DAY_S = 86_400


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
    from tracklake.strava import api, oauth  # the network's libraries: only who needs them waits

    report = ListReport()
    index = landings.index_of(session, NAME)
    index.sync()
    landing = landings.Landing(session, index, report, records.SERVICE)
    recovered = landing.recover()
    with (
        session.phase(NAME) as phase,
        api.connected(session, phase, most_calls=options.max_calls) as strava,
    ):
        checkpoints = Checkpoints(session, NAME)
        if not recovered:
            checkpoints.begin_anew()
        hides = oauth.hides(api.tokens_of(session).scope)
        pulling = _Pull(session, strava, index, landing, options, checkpoints, hides)
        try:
            carry_out(pulling.run, landing.seal, report, strava)
        finally:
            phase.advance(0, errors=report.quarantined + pulling.broken)
        phase.detail = report.summary()
        if pulling.broken:
            phase.detail += "; the list repeats itself and was not read to its end"
    return report


@dataclass(slots=True)
class _Pull:
    """One pull on its way.

    hides: whether the login may not see everything; None: not known. broken: walks that came to no
    end.
    """

    session: SyncSession
    strava: Calls
    index: UpstreamIndex
    landing: landings.Landing
    options: PullOptions
    checkpoints: Checkpoints
    hides: bool | None
    broken: int = 0

    def run(self) -> None:
        """Walk the list: all of it the first time, when it is due, and when told to.

        A walk over all of it that goes on where another run ended is followed by one over what has
        come since, and by nothing more, though it is asked for everything until nothing is parked.
        """
        started = self.checkpoints.of("full")
        if started is not None:
            self._walk_all(started)
            self.checkpoints.write("all_but_new", self.session.now_text())
        elif not self.checkpoints.was_lately("all_but_new") and self._is_due():
            self._walk_all(Checkpoint())
            return
        self._walk_new()
        self.checkpoints.write("all_but_new", None)

    def _walk_new(self) -> None:
        """Read what began after the newest known activity, and behind it the days to look back."""
        after = int((self._watermark_s() or 0.0) - self.options.lookback_days * _DAY_S) - 1
        began = Checkpoint(window=Window(after=max(after, 0)))
        if self._walk("new", self.checkpoints.of("new") or began).complete:
            self._set_watermark()
        self.checkpoints.write("walk:new", None)

    def _walk_all(self, started: Checkpoint) -> None:
        """Read the whole list, newest first; what it does not name any more is gone."""
        walk = self._walk("full", started)
        if self.hides is not False and walk.complete and started.proves:
            walk = self._mended(walk)
        if walk.complete:
            self._set_watermark()
        if walk.complete and started.proves:
            listing = Listing(seen=walk.seen, is_sure=walk.is_sure)
            reconciling.reconcile(self.index, self.checkpoints, self.landing.report, listing)
            self.checkpoints.write("reconciled", self.session.now_text())
        # The other walk too: it goes on behind what was changed since.
        self.checkpoints.begin_anew()

    def _mended(self, walk: Walk) -> Walk:
        """Look for what the list did not name where it was, and go on from there if it is shown.

        Some hundred private activities in a row look like the list's end; nothing behind them may
        be called gone for that.
        """
        looked: set[str] = set()
        while walk.complete and (window := self._hole(walk, looked)) is not None:
            ascending = walk.window.after is not None
            rest = Window(after=window.after) if ascending else Window(before=window.before)
            is_sure = not (walk.by_number or walk.unnamed)
            began = Checkpoint(window=rest, seen=frozenset(walk.seen), is_sure=is_sure)
            walk = self._walk("full", began)
        self.landing.seal()
        return walk

    def _hole(self, walk: Walk, looked: set[str]) -> Window | None:
        """Return where a walk missed what is shown; what is `looked` for in vain is not again."""
        known, settled = self.index.by_start(), walk.seen | looked
        times = [(start_s, key not in settled) for key, start_s in known]
        for window in windows_around(times, max(self.options.per_page // 2, 1)):
            part = Walk(self._fetch, window, self.options.per_page, may_hide=True)
            for page in part.pages():
                self.landing.take(page)
            is_hole = not part.seen <= walk.seen
            walk.seen |= part.seen
            walk.by_number |= part.by_number or not part.complete
            walk.unnamed |= part.unnamed
            if is_hole:
                return window
            looked |= {key for key, start_s in known if window.holds(start_s)}
        return None

    def _walk(self, mode: str, started: Checkpoint) -> Walk:
        walk = Walk(
            self._fetch,
            started.window,
            self.options.per_page,
            by_number=not started.is_sure,
            seen=set(started.seen),
            may_hide=self.hides is True and mode == "full",
        )
        for page in walk.pages():
            self.landing.take(page)
            self.checkpoints.keep(mode, walk)
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
                return read_page(answer.body)
        except InvalidData as error:
            raise SourceError(f"a page of Strava's list: {error}") from error
        raise SourceError(f"Strava answered {answer.status} and no list of activities")

    def _is_due(self) -> bool:
        """Tell whether the whole list is to be read: at first, on request, weekly, once more."""
        if self.options.everything or self._watermark_s() is None:
            return True
        now = self.session.clock.now()
        doubt = reconciling.doubt(self.checkpoints)
        if doubt is not None and not within(now, doubt.at, reconciling.SECOND_LOOK):
            return True
        last = self.checkpoints.understood("reconciled", moment)
        days = dt.timedelta(days=self.session.settings.strava_reconcile_days)
        return last is None or not within(now, last, days)

    def _watermark_s(self) -> float | None:
        """Return when the newest activity began, of a list that was once read to its end."""
        return self.checkpoints.understood("watermark", number)

    def _set_watermark(self) -> None:
        """Remember how far the list is known; an activity dated in the future moves nothing."""
        newest_s = self.index.newest_start_s() or 0.0
        now_s = self.session.clock.now().timestamp()
        self.checkpoints.write("watermark", repr(min(newest_s, now_s)))
