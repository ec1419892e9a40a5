"""A month of daily flows on a moved clock: scheduler's slots, a simulated Strava, somebody to tell.

One day is one slot of the schedule (05:00 in London), as the scheduler's own rules have it, and a
look at 08:30, which is when it notices that nothing ended well any more.
"""

import contextlib
import dataclasses
import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.sources import strava_place
from tests.sources.strava_place import Place
from tests.upstream.clock import MovableClock
from tests.upstream.faults import Rule
from tests.upstream.quota import Limits
from tests.upstream.status_faults import Status
from tracklake import flow
from tracklake.alerts import alerting
from tracklake.alerts.rules import is_overdue
from tracklake.errors import Error
from tracklake.scheduling import entries, lines, rules

ZONE = ZoneInfo("Europe/London")
DAILY = lines.parse("0 5 * * * tracklake flow\n", "x")
LIMITS = Limits(overall_quarter=400, overall_day=4000, read_quarter=30, read_day=40)
WINDOW = dt.timedelta(hours=20)


@dataclasses.dataclass
class Day:
    """What came of one day: alerts that fired in its run and at its look, what was told."""

    began: dt.datetime
    exit_code: int
    state: str
    in_run: dict[tuple[str, str], str]
    later: dict[tuple[str, str], str]
    told: list[str]

    @property
    def alarming(self) -> set[str]:
        """Return the codes that fired in the run or later and are not information."""
        both = {**self.in_run, **self.later}
        return {code for (code, _), severity in both.items() if severity != "info"}


@dataclasses.dataclass
class Month:
    """A place, its schedule and its receiver of messages."""

    place: Place
    messages: list[dict[str, str]]
    kept: dict[str, entries.Entry] = dataclasses.field(default_factory=dict)
    well_at: dt.datetime | None = None
    days: list[Day] = dataclasses.field(default_factory=list)

    @property
    def clock(self) -> MovableClock:
        """Return the clock of everybody."""
        return self.place.clock

    def day(self, *, asleep_until: dt.time | None = None) -> Day:
        """Run what the next slot brings, and look at 08:30."""
        now = self.clock.now()
        if not self.kept:
            self.kept = rules.noticed({}, DAILY, str(ZONE), now)
            self.well_at = now
        slot = rules.next_slot(self.kept, DAILY, ZONE, now)
        wakes = slot
        if asleep_until is not None:
            wakes = dt.datetime.combine(slot.astimezone(ZONE), asleep_until, tzinfo=ZONE)
        self.clock.move_to(wakes)
        before = len(self.messages)
        found = rules.due(self.kept, DAILY, ZONE, self.clock.now(), WINDOW)
        assert found is not None
        assert found.slot == slot
        entry = rules.begun(self.kept[found.line.key], slot, self.clock.now())
        code = self._run()
        entry = rules.ended(entry, self.clock.now(), code)
        self.kept[found.line.key] = entry
        assert rules.due(self.kept, DAILY, ZONE, self.clock.now(), WINDOW) is None
        if code == 0:
            self.well_at = self.clock.now()
        in_run = self.firing()
        self._look()
        [(state,)] = self.place.state("select state from sessions order by started_at desc limit 1")
        titles = [one["title"] for one in self.messages[before:]]
        day = Day(wakes, code, str(state), in_run, self.firing(), titles)
        self.days.append(day)
        return day

    def _run(self) -> int:
        report = flow.FlowReport()
        if self.place.renews and not self.place.token_path.exists():
            self.place.log_in(lives_for_ever=True)
        try:
            with flow.running("flow", *self.place.load(), report, clock=self.clock) as session:
                flow.whole(session, report)
        except Error as error:
            return error.exit_code
        return 0

    def _look(self) -> None:
        """Do what the scheduler does once nothing ended well for long."""
        local = self.clock.now().astimezone(ZONE)
        at = local.replace(hour=8, minute=30)
        if at > local:
            self.clock.move_to(at)
        now = self.clock.now()
        assert self.well_at is not None
        due = rules.first_slot_after(DAILY, ZONE, self.well_at)
        if is_overdue(self.well_at, now, due):
            alerting.check(*self.place.load(), self.clock, None)

    def firing(self) -> dict[tuple[str, str], str]:
        """Return what fires now by code and cause, with its severity."""
        rows = self.place.state(
            "select code, cause, severity from alerts where resolved_at is null order by 1, 2"
        )
        return {(str(code), str(cause)): str(severity) for code, cause, severity in rows}

    def down_until(self, moment: dt.datetime) -> None:
        """Have Strava answer nothing but 503 until a moment."""
        rule = self.place.upstream.script.add(Status(503, {}))
        self.place.upstream.before = lambda _: self._over(rule, moment)

    def _over(self, rule: Rule, moment: dt.datetime) -> None:
        script = self.place.upstream.script
        if rule in script.rules and self.clock.now() >= moment:
            script.rules.remove(rule)


@contextlib.contextmanager
def opened(folder: Path, first: dt.datetime, *, activities: int) -> Iterator[Month]:
    """Open a month that begins at a moment, with an account and nothing fetched yet."""
    messages: list[dict[str, str]] = []
    with (
        receiving(messages) as url,
        strava_place.opened(
            folder,
            clock=MovableClock(first, tick_s=0.001),
            activities=activities,
            points=12,
            limits=LIMITS,
        ) as place,
    ):
        place.settings_given |= {
            "notify_urls": url,
            "backup_url": str(folder / "store"),
            "inbox": str(folder / "inbox"),
        }
        for name in ("inbox", "store"):
            (folder / name).mkdir()
        yield Month(place, messages)


@contextlib.contextmanager
def receiving(messages: list[dict[str, str]]) -> Iterator[str]:
    """Take messages on this machine; yield the address as Apprise has it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            messages.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"json://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
