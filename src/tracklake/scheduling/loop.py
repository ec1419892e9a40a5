"""The scheduler at work: looks at the clock, starts what is due, notes what came of it."""

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from tracklake.alerts.ledger import REPEAT_AFTER
from tracklake.alerts.rules import is_overdue
from tracklake.clock import Clock
from tracklake.scheduling import old_logs, rules, sign_of_life, state_file
from tracklake.scheduling.child import Child
from tracklake.scheduling.crontab_file import Crontab
from tracklake.scheduling.entries import Entry
from tracklake.scheduling.lines import Line
from tracklake.scheduling.log import Log
from tracklake.scheduling.plan import CRON_LOG, Plan
from tracklake.scheduling.sign_of_life import Sign
from tracklake.scheduling.waking import Waking, waking

TRACKLAKE = (sys.executable, "-P", "-u", "-m", "tracklake")
_PING = (sys.executable, "-P", "-m", "tracklake.scheduling.ping")

LOOK_S = 10.0  # the clock may be set, the machine may sleep: never trust a longer wait
_SETTLE_S = 1.0
PATIENCE_S = 6.5  # `docker stop` grants ten, and we promise eight
_NO_START = 126  # as shells have it


@dataclass(frozen=True, slots=True)
class _Run:
    """A line at work."""

    line: Line
    slot: dt.datetime
    began: dt.datetime
    child: Child


class Scheduler:
    """Runs the lines of a crontab until it is asked to stop.

    `command` is what a line's words are appended to.
    """

    def __init__(self, plan: Plan, clock: Clock, command: Sequence[str] = TRACKLAKE) -> None:
        """Read the crontab; raise ConfigError if it is bad."""
        self._plan = plan
        self._clock = clock
        self._command = tuple(command)
        self._zone = plan.time_zone
        self._crontab = Crontab(Path(plan.crontab))
        self._log = Log(Path(plan.logs) / CRON_LOG, clock, self._zone)
        self._lines = self._crontab.lines  # an edit counts once nothing is at work
        self._edited: dt.datetime | None = None  # when there was one that does not count yet
        self._entries: dict[str, Entry] = {}
        self._run: _Run | None = None
        self._pings: list[Child] = []  # that tell others
        self._well_at = clock.now()  # a run ended well, or the scheduler began
        self._watched_at: dt.datetime | None = None
        self._said = ""  # the problem that was said last
        self._state_problem = self._sign_problem = ""

    def work(self) -> None:
        """Run until SIGTERM, SIGINT or SIGHUP; raise Busy if another scheduler is at work."""
        state = self._plan.state_folder
        with state_file.alone(state), waking() as wake:
            self._entries, damage = state_file.load(state)
            self._well_at = rules.last_success(self._entries) or self._well_at
            self._begin(damage)
            try:
                while wake.stopped_by is None:
                    longest_s = self._look()
                    wake.wait(self._outputs(), longest_s)
            except BaseException:  # a defect of ours: nobody else would end the flow
                if self._run is not None:
                    self._run.child.kill()
                raise
            self._stop(wake)

    def _begin(self, damage: str) -> None:
        if damage:
            self._log.say(damage)
        self._log.say(f"started, {self._plan.zone}")
        for entry in self._entries.values():
            if entry.open and entry.open.not_before is None:
                self._log.say(f"the run for {self._at(entry.open.slot)} was broken off")
        self._take_lines(self._clock.now())

    def _take_lines(self, since: dt.datetime) -> None:
        """Go by the crontab as it is now; what is new in it counts from a moment."""
        self._lines = self._crontab.lines
        new = rules.noticed(self._entries, self._lines, self._plan.zone, since)
        if new != self._entries:
            self._entries = new
            self._save()
        coming = rules.next_slot(self._entries, self._lines, self._zone, self._clock.now())
        self._log.say("; ".join(line.key for line in self._lines) + f"; next: {self._at(coming)}")

    def _look(self) -> float:
        """Do what there is to do now; return how long to wait at most, in s."""
        if self._crontab.look():
            self._log.say("the crontab was changed")
            self._edited = self._clock.now()
        self._listen()
        if self._run is None:
            self._take_changes()
            self._let_go()
            self._start_due()
            self._watch()
        now = self._clock.now()
        coming = rules.next_slot(self._entries, self._lines, self._zone, now)
        self._show(now, coming)
        longest_s = _SETTLE_S if self._crontab.is_settling else LOOK_S
        return max(0.0, min(longest_s, (coming - now).total_seconds()))

    def _take_changes(self) -> None:
        """Take what changed meanwhile: the crontab, or the clock by a great leap backwards."""
        now = self._clock.now()
        if any(entry.settled - now > rules.FAR_AHEAD for entry in self._entries.values()):
            self._log.say("the clock was set back by more than a day; it counts from now")
            self._edited = now
        if self._edited is not None:
            self._take_lines(self._edited)
            self._edited = None

    def _listen(self) -> None:
        for ping in list(self._pings):
            has_ended = ping.exit_code() is not None
            for text in ping.last_lines() if has_ended else ping.lines():
                self._log.say(text)
            if has_ended:
                self._pings.remove(ping)
        run = self._run
        if run is None:
            return
        code = run.child.exit_code()
        for text in run.child.lines() if code is None else run.child.last_lines():
            self._log.say(text, run.line.words[0])
        if code is not None:
            self._ended(run, code)

    def _let_go(self) -> None:
        """Settle what is too old to be run, aloud."""
        now = self._clock.now()
        for line in self._lines:
            before = self._entries[line.key]
            entry, said = rules.given_up(line, before, self._zone, now, self._plan.window)
            if said:
                self._log.say(f"`{line.command}` {said}")
            if entry != before:
                self._entries[line.key] = entry
                self._save()
            if said and entry.last != before.last:
                self._ping(f"{line.command}: {said}")

    def _start_due(self) -> None:
        now = self._clock.now()
        found = rules.due(self._entries, self._lines, self._zone, now, self._plan.window)
        if found is None:
            return
        line, slot = found.line, found.slot
        self._entries[line.key] = rules.begun(self._entries[line.key], slot, now)
        self._save()  # on disk before it begins: a kill leaves it open, not forgotten
        late = ", caught up" if now - slot > rules.GRACE else ""
        self._log.say(f"`{line.command}` begins, for {self._at(slot)}{late}")
        try:
            child = Child([*self._command, *line.words])
        except OSError as error:
            self._log.say(f"`{line.command}` could not be started: {error.strerror}")
            self._settle(line, _NO_START, f"could not be started: {error.strerror}")
            return
        self._run = _Run(line, slot, now, child)

    def _watch(self) -> None:
        """Have it looked at that nothing succeeds any more: a run that does not come cannot tell.

        Seldom, and only then: it would wake disks.
        """
        now = self._clock.now()
        due = rules.first_slot_after(self._lines, self._zone, self._well_at)
        is_long_ago = self._watched_at is None or abs(now - self._watched_at) >= REPEAT_AFTER
        if self._run is None and is_long_ago and is_overdue(self._well_at, now, due):
            self._watched_at = now
            self._have_told([*self._command, "alerts", "--check"])

    def _ended(self, run: _Run, code: int) -> None:
        self._run = None
        took_s = (self._clock.now() - run.began).total_seconds()
        said = rules.in_words(code)
        self._log.say(f"`{run.line.command}` ended after {took_s:.0f} s, exit code {code}: {said}")
        self._settle(run.line, code, said)
        count = old_logs.remove(Path(self._plan.logs), self._clock.now())
        if count:
            self._log.say(f"{count} old logs of flows removed")

    def _settle(self, line: Line, code: int, said: str) -> None:
        entry = rules.ended(self._entries[line.key], self._clock.now(), code, said)
        self._entries[line.key] = entry
        self._save()
        if code == 0:
            self._well_at, self._watched_at = self._clock.now(), None
        if entry.open and entry.open.not_before:
            self._log.say(f"tried again at {self._at(entry.open.not_before)}")
        else:
            self._ping("" if code == 0 else f"{line.command}: {said} (exit code {code})")

    def _ping(self, failure: str) -> None:
        if self._plan.heartbeat_url is None:
            return
        job = {"url": self._plan.heartbeat_url, "failure": failure}
        self._have_told(_PING, orjson.dumps(job))

    def _have_told(self, command: Sequence[str], job: bytes = b"") -> None:
        try:
            self._pings.append(Child(command, job))
        except OSError as error:
            self._log.say(f"nobody could be told: {error.strerror}")

    def _save(self) -> None:
        try:
            state_file.save(self._plan.state_folder, self._entries)
            self._state_problem = ""
        except OSError as error:  # it goes on from memory; a restart might run a slot again
            path = state_file.path_of(self._plan.state_folder)
            self._state_problem = f"{path} cannot be written: {error.strerror}"

    def _show(self, now: dt.datetime, coming: dt.datetime) -> None:
        problem = (
            self._crontab.problem or self._state_problem or self._log.problem or self._sign_problem
        )
        if problem and problem != self._said:
            self._log.say(f"PROBLEM: {problem}; going on as before")
        elif self._said and not problem:
            self._log.say("the problem is gone")
        self._said = problem
        sign = Sign(
            at=now,
            problem=problem,
            next=coming,
            owed=rules.owed(self._entries, self._lines, self._zone, now),
            running=self._run.line.command if self._run else None,
            since=self._run.began if self._run else None,
        )
        try:
            sign_of_life.show(Path(self._plan.data), sign)
            self._sign_problem = ""
        except OSError as error:  # then `alive` says that it is dead; the log says why
            self._sign_problem = f"{error.filename} cannot be written: {error.strerror}"

    def _outputs(self) -> list[int]:
        children = [self._run.child, *self._pings] if self._run else self._pings
        return [child.output for child in children if child.output is not None]

    def _stop(self, wake: Waking) -> None:
        by = wake.stopped_by.name if wake.stopped_by else ""
        self._log.say(f"{by}: stopping")
        for ping in self._pings:
            for text in ping.stop(0):
                self._log.say(text)
        run = self._run
        if run is not None:
            for text in run.child.stop(PATIENCE_S):
                self._log.say(text, run.line.words[0])
            code = run.child.exit_code()
            entry = self._entries[run.line.key]
            if code is None or code < 0 or code in (130, 143):
                self._entries[run.line.key] = rules.stopped(entry)
                self._log.say(f"`{run.line.command}` was stopped; the next start catches it up")
            else:
                now = self._clock.now()
                self._entries[run.line.key] = rules.ended(entry, now, code)
            self._save()
        sign_of_life.withdraw(Path(self._plan.data))
        self._log.say("ended")

    def _at(self, moment: dt.datetime) -> str:
        return f"{moment.astimezone(self._zone):%a %Y-%m-%d %H:%M %Z}"
