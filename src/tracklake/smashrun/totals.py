"""What SmashRun says of all runs together (`/my/stats`): one page a pull that brought anything."""

from dataclasses import dataclass
from typing import Any

from tracklake import pages
from tracklake.errors import InvalidData, Transient
from tracklake.identity import bytes_hash
from tracklake.json_reader import Reader, sound
from tracklake.json_text import parse
from tracklake.session import SyncSession
from tracklake.smashrun.records import SOURCE
from tracklake.upstream.calls import Calls
from tracklake.upstream.memory import Memory

_ENTITY = "stats"
_DUE = "stats_due"

# Our column, SmashRun's word, and what its value is multiplied with to be in our unit.
_NUMBERS = {
    "run_count": ("runCount", 1.0),
    "total_distance_m": ("totalDistance", 1000.0),
    "average_speed": ("averageSpeed", 1 / 3.6),
    "longest_run_m": ("longestRun", 1000.0),
    "average_run_m": ("averageRunLength", 1000.0),
    "longest_streak_days": ("longestStreak", 1.0),
    "longest_break_days": ("longestBreakBetweenRuns", 1.0),
    "average_days_run_a_week": ("averageDaysRunPerWeek", 1.0),
    "days_run_am": ("daysRunAM", 1.0),
    "days_run_pm": ("daysRunPM", 1.0),
    "days_run_both": ("daysRunBoth", 1.0),
}
_TEXTS = {
    "longest_run_on": "longestRunWhen",
    "longest_streak_on": "longestStreakDate",
    "longest_break_on": "longestBreakBetweenRunsDate",
    "most_often_run_on_day": "mostOftenRunOnDay",
    "least_often_run_on_day": "leastOftenRunOnDay",
}


def stats_row(body: bytes, athlete: str) -> dict[str, object] | None:
    """Read an answer as a row of the entity `stats`; None if it is no object. Pure."""
    try:
        found: Any = parse(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    reader = Reader(sound(found))
    numbers = {name: (reader.number(word), factor) for name, (word, factor) in _NUMBERS.items()}
    return {
        "source": SOURCE,
        "athlete": athlete,
        "source_id": _ENTITY,
        "content_hash": bytes_hash(body),
        **{name: n if n is None else n * factor for name, (n, factor) in numbers.items()},
        **{name: reader.text(word) for name, word in _TEXTS.items()},
    }


@dataclass(frozen=True, slots=True)
class Totals:
    """The totals of one athlete, on their way to bronze."""

    session: SyncSession
    calls: Calls

    @property
    def _memory(self) -> Memory:
        return Memory(self.session, SOURCE)

    def expect(self) -> None:
        """Remember that they have changed."""
        self._memory.write(_DUE, self.session.now_text())

    def fetch_if_due(self) -> None:
        """Land them if they have changed; no answer is no harm.

        A quota that is spent comes through (BudgetSpent); then the next pull asks.
        """
        if self._memory.read(_DUE) is None:
            return
        try:
            answer = self.calls.get("my/stats", tries=2)
        except (InvalidData, Transient) as error:
            self.session.log.warning("stats_left_out", source=SOURCE, error=str(error))
        else:
            if answer.status == 200:
                self._land(answer.body)
        self._memory.write(_DUE, None)

    def _land(self, body: bytes) -> None:
        root, athlete = self.session.folders.bronze, self.session.athlete
        run = pages.Run.begin(root, SOURCE, _ENTITY, athlete, self.session.clock.now())
        run.add(pages.Page("", 200, body))
        self._seal(run, body)

    def _seal(self, run: pages.Run, body: bytes) -> None:
        row = stats_row(body, self.session.athlete)
        run.seal([row] if row else [])

    def recover(self) -> None:
        """Give shards to pages of pulls that died before they had one."""
        root, athlete = self.session.folders.bronze, self.session.athlete
        for found in pages.unsealed(root, SOURCE, _ENTITY, athlete):
            bodies = [page.body for page in found.pages()]
            self._seal(found.run, bodies[-1] if bodies else b"")
