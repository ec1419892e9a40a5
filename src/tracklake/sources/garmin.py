"""Garmin: the list through its Personal API, or the community client, then the original files.

What is new or changed lands page by page, from the newest back to where all is known. Once a week
the whole list is read (20 activities a call), which finds late uploads, edits and deletions.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracklake import config
from tracklake.config import Folders, Settings
from tracklake.errors import InvalidData, SourceError, Transient
from tracklake.garmin import files, key_warning, logins, records
from tracklake.garmin.checkpoints import Checkpoint, Checkpoints
from tracklake.garmin.walking import Walk
from tracklake.intake.service_files import ServiceFiles
from tracklake.intake.workers import Limits, Workers
from tracklake.session import SyncSession
from tracklake.stages import ListReport, PullOptions
from tracklake.upstream import landings, reconciling
from tracklake.upstream.breaker import Failures
from tracklake.upstream.calls import Calls
from tracklake.upstream.listed import ListPage, read_page
from tracklake.upstream.memory import number, within
from tracklake.upstream.pulling import carry_out
from tracklake.upstream.reconciling import Listing
from tracklake.upstream_index import UpstreamIndex

NAME = "garmin"

_LIST = "activitylist-service/activities/search/activities"
_DAY_S = 86_400
_RECONCILE = dt.timedelta(days=7)
_FRESH = dt.timedelta(hours=1)  # a list read so lately is not read again to go on with the files


def is_configured(folders: Folders, settings: Settings) -> bool:
    """Tell whether there is a key, or a login of the community client."""
    folder = logins.community_folder(folders, settings.athlete)
    return logins.key_of(settings) is not None or logins.community_tokens(folder).exists()


def pull(
    session: SyncSession,
    paths: Sequence[Path] | None = None,  # noqa: ARG001 every source is asked alike
    options: PullOptions = PullOptions(),  # noqa: B008 it cannot change
) -> ListReport:
    """Land what is new in the list, then the files; a spent quota parks it for the next pull.

    Raises AuthError, ConfigError, SourceError.
    """
    from tracklake.garmin import api  # the network's libraries: only who needs them

    report = ListReport()
    index = landings.index_of(session, NAME)
    index.sync()
    landing = landings.Landing(session, index, report, records.SERVICE)
    recovered = landing.recover()
    landing.read_again()
    checkpoints = Checkpoints(session, NAME)
    if not recovered:
        checkpoints.begin_anew()
    with session.phase(NAME) as phase, Workers(config.cores(), Limits()) as workers:
        originals = ServiceFiles(session, index, NAME, workers)
        originals.recover()
        originals.decode_again()
        if landings.has_lost_points(session, NAME):
            landing.restore_lost()
        warning = key_warning.warn(session)
        with api.connected(session, phase, most_calls=options.max_calls) as calls:
            pulling = _Pull(session, calls, index, landing, originals, options, checkpoints)
            pulling.run()
        report.quarantined += originals.refused
        phase.detail = "; ".join(filter(None, (report.summary(), pulling.trouble, warning)))
    return report


@dataclass(slots=True)
class _Pull:
    """One pull on its way. broken: walks that came to no end; trouble: what to say of it."""

    session: SyncSession
    calls: Calls
    index: UpstreamIndex
    landing: landings.Landing
    originals: ServiceFiles
    options: PullOptions
    checkpoints: Checkpoints
    broken: int = 0
    trouble: str = ""

    def run(self) -> None:
        """Read the list, then fetch the files that are missing; seal what landed.

        Where another run ended amid the files, this one goes on there.
        """
        report = self.landing.report
        try:
            carry_out(self._read, self._seal, report, self.calls)
        finally:
            self.calls.phase.advance(0, errors=report.quarantined + self.broken)

    def _read(self) -> None:
        if not self.checkpoints.was_within("files_left", _FRESH):
            self._read_list()
            self.checkpoints.write("files_left", self.session.now_text())
        self._fetch_files()
        self.checkpoints.write("files_left", None)

    def _seal(self) -> None:
        self.landing.seal()
        self.originals.seal()
        if self.originals.fetched:
            self.landing.report.also["with their file"] = self.originals.fetched

    def _read_list(self) -> None:
        """Walk the list: all of it the first time, when it is due, and when told to.

        A walk over all of it that goes on where another run ended is followed by one over what has
        come since, and by nothing more, though it is asked for everything until nothing is parked.
        """
        started = self.checkpoints.of("full")
        if started is not None:
            self._walk_all(started)
            self.checkpoints.write("all_but_new", self.session.now_text())
        is_all_but_new = self.checkpoints.was_lately("all_but_new")
        if started is None and not is_all_but_new and self._is_due():
            self._walk_all(Checkpoint())
            return
        back_s = self.options.lookback_days * _DAY_S
        self._walk_new(math.inf if is_all_but_new else (self._watermark_s() or 0.0) - back_s)
        self.checkpoints.write("all_but_new", None)

    def _walk_new(self, until_s: float) -> None:
        """Read from the newest on, until a page is known whole and lies before a moment.

        Whatever is dated in the future comes first, and hides nothing.
        """
        _, is_known_on = self._walk("new", self.checkpoints.of("new") or Checkpoint(), until_s)
        if is_known_on:
            self._set_watermark()
        self.checkpoints.write("walk:new", None)

    def _walk_all(self, started: Checkpoint) -> None:
        """Read the whole list, newest first; what it does not name any more is gone."""
        walk, _ = self._walk("full", started)
        if walk.complete:
            self._set_watermark()
        if walk.complete and started.proves:
            listing = Listing(seen=walk.seen, is_sure=walk.is_sure)
            reconciling.reconcile(self.index, self.checkpoints, self.landing.report, listing)
            self.checkpoints.write("reconciled", self.session.now_text())
        self.checkpoints.begin_anew()

    def _walk(
        self, mode: str, started: Checkpoint, until_s: float | None = None
    ) -> tuple[Walk, bool]:
        """Land what a walk meets; tell whether all from there on is known.

        until_s: a page that lies wholly before it, and has nothing new, is far enough.
        """
        walk = Walk(
            self._fetch,
            started.place,
            self.options.per_page,
            seen=set(started.seen),
            unsure=started.unsure,
        )
        is_far_enough = False
        for page in walk.pages():
            fresh = self._landed(page)
            self.checkpoints.keep(mode, walk)
            self.calls.phase.advance(len(page.items))
            is_far_enough = until_s is not None and not fresh and _newest_s(page) < until_s
            if is_far_enough:
                break
        if not (walk.complete or is_far_enough):
            self.session.log.warning("list_repeats_itself", mode=mode)
            self.broken += 1
            self.trouble = "the list repeats itself and was not read to its end"
        self.landing.seal()
        return walk, walk.complete or is_far_enough

    def _landed(self, page: ListPage) -> int:
        """Land a page; return how many activities in it are new, changed or set aside."""
        report = self.landing.report
        before = report.new + report.changed + report.quarantined
        self.landing.take(page)
        return report.new + report.changed + report.quarantined - before

    def _fetch(self, start: int, limit: int) -> ListPage:
        """Ask for a page; anything but a list is none, and not an empty one either."""
        try:
            answer = self.calls.get(_LIST, {"start": start, "limit": limit})
            if answer.status == 200:
                return read_page(answer.body)
        except InvalidData as error:
            raise SourceError(f"a page of Garmin's list: {error}") from error
        raise SourceError(f"Garmin answered {answer.status} and no list of activities")

    def _fetch_files(self) -> None:
        """Fetch what is missing; one that does not come is set aside, a failing service ends it."""
        failures = Failures(self.calls.breaker)
        for one in files.wanted(self.session, self.index):
            try:
                answer = files.fetch(self.calls, one)
            except (InvalidData, Transient) as error:
                self.landing.report.quarantined += 1
                failures.add(files.failed(one, error), error)
                continue
            failures.clear()
            if answer.status == 200:
                self.originals.take(one, answer.body)
            else:
                self.originals.none(one, answer.status, answer.body)
            self.calls.phase.advance()

    def _is_due(self) -> bool:
        """Tell whether the whole list is to be read: at first, on request, weekly, once more."""
        if self.options.everything or self._watermark_s() is None:
            return True
        now = self.session.clock.now()
        doubt = reconciling.doubt(self.checkpoints)
        if doubt is not None and not within(now, doubt.at, reconciling.SECOND_LOOK):
            return True
        return not self.checkpoints.was_within("reconciled", _RECONCILE)

    def _watermark_s(self) -> float | None:
        """Return when the newest activity began, of a list that was once read to its end."""
        return self.checkpoints.understood("watermark", number)

    def _set_watermark(self) -> None:
        """Remember how far the list is known; an activity dated in the future moves nothing."""
        newest_s = self.index.newest_start_s() or 0.0
        now_s = self.session.clock.now().timestamp()
        self.checkpoints.write("watermark", repr(min(newest_s, now_s)))


def _newest_s(page: ListPage) -> float:
    """Return when the newest activity of a page began; one that says nothing counts as oldest."""
    return max((records.start_s(item) or 0.0 for item in page.items), default=0.0)
