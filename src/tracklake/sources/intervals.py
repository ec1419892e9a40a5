"""intervals.icu: its lists of activities and of days, then the original file and the intervals of
each activity.

Each pull reads the last days again; once a week everything is read, which finds late uploads, edits
of old activities and deletions.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tracklake import config
from tracklake.config import Folders, Settings
from tracklake.errors import BudgetSpent, Error, Interrupted, InvalidData, SourceError
from tracklake.intake.service_files import ServiceFiles
from tracklake.intake.workers import Limits, Workers
from tracklake.intervals import parts, records
from tracklake.intervals.landings import DayLanding, PartLanding
from tracklake.session import SyncSession
from tracklake.stages import ListReport, PullOptions
from tracklake.upstream import landings
from tracklake.upstream.landings import Landing
from tracklake.upstream.memory import Memory, moment, within
from tracklake.upstream_index import UpstreamIndex, Wanted

if TYPE_CHECKING:
    from tracklake.client import Answer
    from tracklake.intervals.fetching import Fetching, Kind
    from tracklake.intervals.listing import Activities, Days
    from tracklake.upstream.calls import Calls

NAME = records.SOURCE

_ROUND = dt.timedelta(hours=1)


def is_configured(folders: Folders, settings: Settings) -> bool:  # noqa: ARG001 every source is asked alike
    """Tell whether there is a key."""
    return bool(settings.intervals_api_key)


def pull(
    session: SyncSession,
    paths: Sequence[Path] | None = None,  # noqa: ARG001 every source is asked alike
    options: PullOptions = PullOptions(),  # noqa: B008 it cannot change
) -> ListReport:
    """Land what is new; a spent quota parks it, and the next pull goes on there.

    Raises AuthError, ConfigError, SourceError.
    """
    from tracklake.intervals import api  # the network's libraries: only who needs them waits

    report = ListReport()
    index = landings.index_of(session, NAME)
    index.sync()
    with (
        session.phase(NAME) as phase,
        Workers(config.cores(), Limits()) as workers,
        api.connected(session, phase, most_calls=options.max_calls) as calls,
    ):
        shelves = _Shelves(
            Landing(session, index, report, records.SERVICE),
            DayLanding(session, index),
            ServiceFiles(session, index, NAME, workers),
            PartLanding(session, index),
        )
        shelves.recover(Memory(session, NAME))
        pulling = _Pull.of(calls, index, shelves, options, report)
        try:
            pulling.run()
        except BudgetSpent as parked:
            report.parked = parked
        except Interrupted:
            raise  # within seconds: the pages stay, the next pull makes their shards
        except Error as error:  # what was landed is made use of
            shelves.seal()
            if isinstance(error, InvalidData):  # of a list: no other item goes on without it
                raise SourceError(f"{records.TITLE}: {error}") from error
            raise
        finally:
            report.calls = calls.calls
        shelves.seal()
        shelves.count(report)
        report.quarantined += pulling.fetching.refused
        phase.advance(0, errors=report.quarantined)
        phase.detail = report.summary()
    return report


@dataclass(slots=True)
class _Shelves:
    """Where each kind of thing waits for its shard."""

    activities: Landing
    days: DayLanding
    files: ServiceFiles
    parts: PartLanding

    def recover(self, memory: Memory) -> None:
        """Make use of what runs left that were killed; read again what is damaged."""
        anew = [] if self.activities.recover() else ["walk", "reconciled", "round"]
        anew += [] if self.days.recover() else ["days_walk", "days_read", "round"]
        self.parts.recover()
        for fact in anew:
            memory.write(fact, None)
        for shelf in (self.activities, self.days, self.parts):
            shelf.read_again()
        self.files.recover()
        self.files.decode_again()
        if landings.has_lost_points(memory.session, NAME):
            self.activities.restore_lost()

    def seal(self) -> None:
        """Make the shards of what waits."""
        for shelf in (self.activities, self.days, self.files, self.parts):
            shelf.seal()

    def count(self, report: ListReport) -> None:
        """Say what came beside activities."""
        report.also |= {
            "files": self.files.fetched,
            "without a file": self.files.absent,
            "with intervals": self.parts.landed,
            "days": self.days.landed,
        }
        report.quarantined += self.files.refused + self.days.refused


@dataclass(slots=True)
class _Pull:
    """One pull on its way.

    A round is what one pull does where nothing stops it. Within an hour the next pull goes on in
    the round that was stopped, and then looks once more for what has come since.
    """

    memory: Memory
    activities: "Activities"
    days: "Days"
    fetching: "Fetching"
    shelves: _Shelves

    @classmethod
    def of(
        cls,
        calls: "Calls",
        index: UpstreamIndex,
        shelves: _Shelves,
        options: PullOptions,
        report: ListReport,
    ) -> "_Pull":
        """Put together what it needs."""
        from tracklake.intervals.fetching import Fetching
        from tracklake.intervals.listing import Activities, Days
        from tracklake.intervals.walking import Lists

        session = calls.session
        memory = Memory(session, NAME)
        lists = Lists(calls, session.settings.intervals_athlete_id)
        activities = Activities(lists, index, shelves.activities, memory, report, options)
        days = Days(lists, shelves.days, memory, options)
        fetching = Fetching(session, calls, index)
        return cls(memory, activities, days, fetching, shelves)

    def run(self) -> None:
        """Do the steps of a round that are left."""
        done = self._done()
        was_stopped = bool(done)
        steps = {
            "all": self.activities.read_all,
            "list": self.activities.read_recent,
            "days": self.days.read,
            "files": self._files,
            "parts": self._parts,
        }
        for name, step in steps.items():
            if name not in done:
                step()
                done.append(name)
                told = {"at": self.memory.session.now_text(), "done": done}
                self.memory.write("round", orjson.dumps(told).decode())
        self.memory.write("round", None)
        if was_stopped:
            self._look_again()

    def _done(self) -> list[str]:
        """Return the steps that a round has behind it that was stopped not long ago."""
        return self.memory.understood("round", self._steps) or []

    def _steps(self, text: str) -> list[str]:
        told = orjson.loads(text)
        is_recent = within(self.memory.session.clock.now(), moment(told["at"]), _ROUND)
        return list(told["done"]) if is_recent else []

    def _look_again(self) -> None:
        """Look for what has come since the round began; that it cannot is no reason to park."""
        try:
            self.activities.read_recent()
            self.days.read_recent()
        except BudgetSpent as parked:
            self.memory.session.log.info("not_looked_again", reason=str(parked))
            return
        self._files()
        self._parts()

    def _files(self) -> None:
        """Fetch the original files that are missing."""
        from tracklake.intervals.fetching import Kind, expect_file

        def take(wanted: Wanted, answer: "Answer") -> bool:
            if answer.status == 200 and answer.body:
                expect_file(answer.body)
                self.shelves.files.take(wanted, answer.body)
            else:
                self.shelves.files.none(wanted, answer.status, answer.body)
            return True

        self._get(Kind("activity_streams", "track_hash", "file", "the file", take, "*/*"))
        self.shelves.files.seal()

    def _parts(self) -> None:
        """Fetch the intervals of what was analysed, or analysed again."""
        from tracklake.intervals.fetching import Kind

        def take(wanted: Wanted, answer: "Answer") -> bool:
            return self.shelves.parts.take(wanted, answer.status, answer.body)

        self._get(Kind(parts.ENTITY, "facts_hash", "intervals", "the intervals", take))
        self.shelves.parts.seal()

    def _get(self, kind: "Kind") -> None:
        """Fetch what is missing; when one thing is forbidden, make sure that the key is not."""
        self.fetching.get(kind, self._prove)

    def _prove(self) -> None:
        if not self.activities.is_read:
            self.activities.read_recent()
