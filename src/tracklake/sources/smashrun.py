"""SmashRun: what changed since the last pull, by the time at which it was sent or edited.

Once a week the whole list is read (100 runs a call), which finds deletions. Details (points, laps,
splits) take three calls a run, newest first, as far as the hour's quota allows.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracklake.config import Folders, Settings
from tracklake.errors import InvalidData, SourceError, Transient
from tracklake.session import SyncSession
from tracklake.smashrun import records
from tracklake.smashrun.details import Details
from tracklake.smashrun.listing import MOST_A_PAGE, Checkpoints, Walk, ids_of
from tracklake.smashrun.totals import Totals
from tracklake.stages import ListReport, PullOptions
from tracklake.upstream import landings, reconciling
from tracklake.upstream.calls import Calls
from tracklake.upstream.listed import ListPage, read_page
from tracklake.upstream.memory import within
from tracklake.upstream.pulling import carry_out
from tracklake.upstream.reconciling import Listing
from tracklake.upstream_index import UpstreamIndex

NAME = "smashrun"

_DAY_S = 86_400
_LEAST_OVERLAP_S = 3600  # what was sent while the last list was read
_LATELY = dt.timedelta(days=2)
_JUST_NOW = dt.timedelta(minutes=30)
_RECONCILE = dt.timedelta(days=7)
_LIST = "my/activities/search/extended"
_IDS = "my/activities/search/ids"


def is_configured(folders: Folders, settings: Settings) -> bool:  # noqa: ARG001 every source is asked alike
    """Tell whether there is a login."""
    return bool(settings.smashrun_access_token or settings.smashrun_client_id)


def pull(
    session: SyncSession,
    paths: Sequence[Path] | None = None,  # noqa: ARG001 every source is asked alike
    options: PullOptions = PullOptions(),  # noqa: B008 it cannot change
) -> ListReport:
    """Land what is new; a spent quota parks it, and the next pull goes on there.

    Raises AuthError, ConfigError, SourceError.
    """
    from tracklake.smashrun import api  # the network's libraries: only who needs them waits

    report = ListReport()
    index = landings.index_of(session, NAME)
    index.sync()
    landing = landings.Landing(session, index, report, records.SERVICE)
    checkpoints = Checkpoints(session, NAME)
    if not landing.recover():
        checkpoints.forget()
    landing.read_again()
    with (
        session.phase(NAME) as phase,
        api.connected(session, phase, most_calls=options.max_calls) as calls,
    ):
        details = Details(session, index, calls, report)
        pulling = _Pull(session, calls, index, landing, details, options, checkpoints)
        try:
            carry_out(pulling.run, pulling.seal, report, calls)
        finally:
            phase.advance(0, errors=report.quarantined + pulling.broken)
        phase.detail = report.summary()
        if pulling.broken:
            phase.detail += "; the list repeats itself and was not read to its end"
    return report


@dataclass(slots=True)
class _Pull:
    """The list on its way. broken: walks that came to no end."""

    session: SyncSession
    calls: Calls
    index: UpstreamIndex
    landing: landings.Landing
    details: Details
    options: PullOptions
    checkpoints: Checkpoints
    broken: int = 0

    def run(self) -> None:
        """Read the list, and fetch what it shows to be missing."""
        totals, report = Totals(self.session, self.calls), self.landing.report
        totals.recover()
        self.details.recover()
        is_lost = landings.has_lost_points(self.session, NAME)
        self.details.read_again()
        if is_lost:
            self.landing.restore_lost()
        try:
            self._read_list_unless_just_read()
        finally:
            if report.new or report.changed or report.gone:
                totals.expect()
        totals.fetch_if_due()
        self.details.fetch()
        for fact in ("list_read", "all_read"):
            self.checkpoints.write(fact, None)

    def _read_list_unless_just_read(self) -> None:
        """Go on behind the list where a pull was stopped there: else few calls led nowhere."""
        if self.checkpoints.was_within(
            "all_read" if self.options.everything else "list_read", _JUST_NOW
        ):
            return
        is_all = self._read_list()
        for fact in ("list_read", "all_read") if is_all else ("list_read",):
            self.checkpoints.write(fact, self.session.now_text())

    def seal(self) -> None:
        """Make the shards of what came."""
        self.landing.seal()
        self.details.seal()

    def _read_list(self) -> bool:
        """Walk the list: all of it the first time, when it is due, and when told to; say if so.

        A walk over all of it that goes on where another pull ended is followed by one over what has
        changed since, and by nothing more, though it is asked for everything until nothing is
        parked.
        """
        started = self.checkpoints.of("full")
        if started is not None:
            self._walk_all(started)
            self.checkpoints.write("all_but_new", self.session.now_text())
        is_all = self.checkpoints.was_within("all_but_new", _LATELY)
        if not is_all and self._is_due():
            self._walk_all(Walk(self._now_s()))
            return True
        if self.checkpoints.watermark_s() is not None:
            self._walk_new()
        self.checkpoints.write("all_but_new", None)
        return is_all

    def _now_s(self) -> float:
        return self.session.clock.now().timestamp()

    def _walk_new(self) -> None:
        """Read what was sent or edited since the newest change that is known, and before it the
        days to look back.
        """
        overlap_s = max(self.options.lookback_days * _DAY_S, _LEAST_OVERLAP_S)
        since_s = int((self.checkpoints.watermark_s() or 0.0) - overlap_s)
        began = Walk(self._now_s(), since_s=max(since_s, 0))
        self._walk("new", self.checkpoints.of("new") or began)
        self.checkpoints.write("walk:new", None)

    def _walk_all(self, walk: Walk) -> None:
        """Read the whole list; what it does not name any more is gone."""
        self._walk("full", walk)
        if walk.complete:
            self.checkpoints.keep("full", walk)
            self._reconcile(walk)
        self.checkpoints.forget()

    def _walk(self, mode: str, walk: Walk) -> None:
        for page in walk.pages(self._fetch, self.options.per_page):
            self.landing.take(page)
            self.checkpoints.keep(mode, walk)
            self.calls.phase.advance(len(page.items))
        self.landing.seal()
        if not walk.complete:
            self.session.log.warning("list_repeats_itself", mode=mode)
            self.broken += 1
        elif mode == "new":
            self.checkpoints.set_watermark(walk)

    def _reconcile(self, walk: Walk) -> None:
        """Hold the list against what is known; where they differ, the bare ids are looked at too.

        A run that was deleted while the list was read may have hidden another one.
        """
        is_sure = True
        if walk.is_resumed or self.index.present() - walk.seen:
            shown = self._ids()
            is_sure = shown is not None
            if shown and not shown <= walk.seen:
                return  # the list has what the walk did not meet: it is read once more next time
            walk.seen |= shown or set()
        listing = Listing(seen=walk.seen, is_sure=is_sure)
        reconciling.reconcile(self.index, self.checkpoints, self.landing.report, listing)
        self.checkpoints.set_watermark(walk)
        self.checkpoints.write("reconciled", self.session.now_text())

    def _ids(self) -> set[str] | None:
        """Return the ids of all runs; None where they cannot be had."""
        walk = self.checkpoints.of("ids") or Walk(self._now_s())
        while walk.page < 10 + len(self.index.present()) // 10:
            try:
                answer = self.calls.get(_IDS, {"page": walk.page, "count": MOST_A_PAGE})
                ids = ids_of(answer.body) if answer.status == 200 else None
            except (InvalidData, Transient):  # the list itself was read: everything else goes on
                ids = None
            if not ids:
                return None if ids is None else walk.seen
            walk.seen |= ids
            walk.page += 1
            self.checkpoints.keep("ids", walk)
        return None  # it has no end

    def _fetch(self, parameters: dict[str, str | int]) -> ListPage:
        """Ask for a page; anything but a list is none, and not an empty one either."""
        try:
            answer = self.calls.get(_LIST, parameters)
            if answer.status == 200:
                return read_page(answer.body)
        except InvalidData as error:
            raise SourceError(f"a page of SmashRun's list: {error}") from error
        raise SourceError(f"SmashRun answered {answer.status} and no list of runs")

    def _is_due(self) -> bool:
        """Tell whether the whole list is to be read: at first, on request, weekly, once more."""
        if self.options.everything or self.checkpoints.watermark_s() is None:
            return True
        now = self.session.clock.now()
        doubt = reconciling.doubt(self.checkpoints)
        if doubt is not None and not within(now, doubt.at, reconciling.SECOND_LOOK):
            return True
        return not self.checkpoints.was_within("reconciled", _RECONCILE)
