"""An account that lives while it is pulled, and pulls that fail, wait, lie and die, at random.

Each example is another athlete of a data folder that many share, because gold is made once for all
of them.
"""

import contextlib
import functools
import signal
from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.reliability import race_edits
from tests.reliability.race_truths import Races, repeated, versions
from tests.sources.strava_place import Place
from tests.upstream.calls import Call
from tests.upstream.clock import FIRST_MOMENT, MovableClock
from tests.upstream.faults import Fault
from tests.upstream.paging_faults import EmptyListing, HalfListing
from tests.upstream.quota import Limits
from tests.upstream.status_faults import Status
from tests.upstream.strava import StravaUpstream
from tracklake.errors import SourceError
from tracklake.stages import ListReport

PLENTY = Limits(10**6, 10**6, 10**6, 10**6)
LAKE = 25  # athletes
FEW = 5  # may be missing at once without a second look
CHANGE = st.tuples(st.sampled_from(race_edits.KINDS), st.integers(0, 199))
Amid = list[tuple[int, tuple[str, int]]]
AMID = st.lists(st.tuples(st.integers(1, 6), CHANGE), max_size=4)
LIES: tuple[Fault, ...] = (EmptyListing(), HalfListing())


class Histories(RuleBasedStateMachine):
    """One account's history; `due` holds what is to happen before which call of the next pull.

    touched: what was edited since the list was last read to its end; lied: the list was not true
    meanwhile.
    """

    races: ClassVar[Races]

    def __init__(self) -> None:
        super().__init__()
        races = Histories.races
        races.happened["examples"] += 1
        if races.happened["examples"] % LAKE == 0:
            races.compare()
        self.athlete = f"a{races.happened['examples']}"
        self.folder = races.root / f"lake{races.happened['examples'] // LAKE}"
        self.open = contextlib.ExitStack()
        self.due: list[tuple[int, Callable[[Call], None]]] = []
        self.touched: set[int] = set()
        self.lied = False

    @initialize(
        count=st.integers(0, 14),
        read_all=st.booleans(),
        order=st.sampled_from(("real", "real", "newest", "oldest")),
        inclusive=st.booleans(),
        filter_late=st.booleans(),
        per_page=st.integers(2, 6),
        gold_amid=st.integers(0, 39),
    )
    def begin(self, count: int, per_page: int, gold_amid: int, **options: Any) -> None:
        """Open an account with some activities of the last weeks."""
        reading = "activity:read_all" if options.pop("read_all") else "activity:read"
        upstream = StravaUpstream(
            clock=MovableClock(tick_s=0.001),
            points=3,
            scopes=("read", reading),
            limits=PLENTY,
            **options,
        )
        self.open.enter_context(upstream)
        upstream.account.fill(count, every_days=5.0)
        if options["filter_late"] and reading == "activity:read":
            per_page += 4  # two pages of private ones in a row, which nobody knows, are the end
        self.place = Place(self.folder, upstream, athlete=self.athlete, per_page=per_page)
        self.place.settings_given["sources"] = "strava"
        self.place.log_in(lives_for_ever=True)
        for table in ("budgets", "sessions"):  # of athletes who lived at other times
            self.place.state(f"delete from {table}")  # noqa: S608 our own names
        self.place.state("delete from facts where name glob 'budget*'")
        self.gold_amid = gold_amid == 0

    # ---- what happens

    @rule(change=CHANGE)
    def between_pulls(self, change: tuple[str, int]) -> None:
        """Something changes while nobody looks."""
        self.change(*change)

    def amid_the_next_pull(self, amid: Amid) -> None:
        """Let things change just before calls of the next pull are answered."""
        for number, change in amid:
            self.due.append((number, functools.partial(self.change_amid, change)))

    def change_amid(self, change: tuple[str, int], at: Call) -> None:
        """Change the account while a pull waits for an answer."""
        self.change(*change)
        if at.number > self.first + 1:
            self.happened(f"{change[0]} between two calls")

    @rule(call=st.integers(1, 7), count=st.sampled_from((1, 2, 3, 4, 4, 12)))
    def errors_amid_the_next_pull(self, call: int, count: int) -> None:
        """The service will answer 500 to some calls, so that the pull may fail."""

        def burst(at: Call) -> None:
            self.happened("bursts of 500")
            self.place.upstream.script.add(Status(500), at=range(at.number + 1, at.number + count))

        self.due.append((call, burst))

    @rule(call=st.integers(1, 7), read=st.booleans(), day=st.integers(0, 3))
    def quota_wall_amid_the_next_pull(self, call: int, read: bool, day: int) -> None:
        """Others will use up the quota: of a quarter of an hour, or of the day."""

        def wall(at: Call) -> None:
            quota, calls = self.place.upstream.quota, 10**6
            quota.consume_elsewhere(at.moment, calls, read=read)
            if day:  # only the quarter is full
                quota.overall.day -= calls
                quota.read.day -= calls if read else 0
            self.happened("quota walls of 15 min" if day else "quota walls of a day")

        self.due.append((call, wall))

    @rule(hours=st.integers(-30, 24 * 20))
    def time_passes(self, hours: int) -> None:
        """The clock moves on, or back."""
        self.place.advance(hours=hours)

    def change(self, kind: str, number: int) -> None:
        """Change the account."""
        self.touched |= race_edits.change(self.place.upstream.account, kind, number)
        self.happened("changes of an account")

    def happened(self, what: str) -> None:
        """Count something."""
        Histories.races.happened[what] += 1

    # ---- who pulls

    @rule(everything=st.booleans(), most_calls=st.sampled_from((None, None, None, 1, 3)), amid=AMID)
    def pull(self, everything: bool, most_calls: int | None, amid: Amid) -> None:
        """Pull, perhaps only with a few calls."""
        self.amid_the_next_pull(amid)
        with contextlib.suppress(SourceError):  # it met too many errors
            self.pulled(everything=everything, max_calls=most_calls)

    @rule(lie=st.sampled_from(LIES), everything=st.booleans(), amid=AMID)
    def pull_of_a_list_that_lies(self, lie: Fault, everything: bool, amid: Amid) -> None:
        """Pull while the list shows nothing, or every other activity."""
        self.lied = True
        self.place.upstream.script.add(lie)
        self.pull(everything=everything, most_calls=None, amid=amid)

    @rule(step=st.integers(1, 24), amid=AMID)
    def pull_that_is_killed_on_disk(self, step: int, amid: Amid) -> None:
        """SIGKILL before a rename, a new folder, a removal or a new file."""
        self.amid_the_next_pull(amid)
        self.killed(kill_at=step)

    @rule(call=st.integers(1, 7), stop=st.booleans(), amid=AMID)
    def pull_that_is_killed_at_a_call(self, call: int, stop: bool, amid: Amid) -> None:
        """SIGKILL, or SIGTERM, while an answer is waited for."""
        self.amid_the_next_pull(amid)
        number = signal.SIGTERM if stop else signal.SIGKILL
        goal = len(self.place.upstream.calls) + call
        self.due.append((0, lambda at: Histories.races.puller.strike(at, goal, number)))
        self.killed()

    def killed(self, kill_at: int | None = None) -> None:
        """Pull in another process that dies, unless it is through before."""
        later_s = (self.place.clock.now() - FIRST_MOMENT).total_seconds()
        options = {"per_page": self.place.per_page}
        order = {"given": self.place.given(), "kill_at": kill_at, "later_s": later_s}
        with self.watched():
            code = Histories.races.puller.do({**order, "options": options})
        self.place.advance(hours=1.1)  # its clock may have run ahead of ours
        self.happened(f"pulls in another process that ended with {code}")

    def pulled(self, **options: Any) -> ListReport:
        """Pull here."""
        with self.watched():
            report = self.place.pull(**options)
        self.happened("pulls that were parked" if report.parked else "pulls to the end")
        if report.parked is None:  # else the walk goes on: what is touched meanwhile may hide
            self.touched, self.lied = set(), False
        if self.gold_amid:
            self.place.compact()
            self.happened("compactions between pulls")
        return report

    @contextlib.contextmanager
    def watched(self) -> Any:
        """Let happen what is due; nothing that was there and left alone may be called gone."""
        upstream = self.place.upstream
        self.first = len(upstream.calls)
        due, self.due = self.due, []

        def look(call: Call) -> None:
            for number, happen in due:
                if number in (0, call.number - self.first):
                    happen(call)

        before, visible, doubted = self.known(), upstream.visible_set(), self.is_doubted()
        upstream.before = look
        try:
            yield
        finally:
            upstream.before = None
            upstream.script.clear()
            self.happened_often("calls", len(upstream.calls) - self.first)
            lost = before - self.known()
            untouched = set() if self.lied else visible - self.touched
            assert lost.isdisjoint(untouched), "called gone though it was there"
            assert len(lost) <= FEW or doubted, "many gone at once without a second look"

    def happened_often(self, what: str, count: int) -> None:
        """Count several of something."""
        Histories.races.happened[what] += count

    # ---- what is known

    def known(self) -> set[int]:
        """Return the ids that are known and not gone."""
        rows = self.place.state(
            "select source_id from upstream_records where athlete = ? and gone_at is null",
            self.athlete,
        )
        return {int(str(source_id)) for (source_id,) in rows}

    def is_doubted(self) -> bool:
        """Tell whether many were missing at once and wait for a second look."""
        name = f"strava_doubt:{self.athlete}"
        return bool(self.place.state("select 1 from facts where name = ?", name))

    def teardown(self) -> None:
        """One whole list undisturbed (more where many are missing), and all is as it should be."""
        with self.open:
            if hasattr(self, "place"):
                self.due = []
                self.place.advance(days=1.1)  # no quota is used up any more
                self.settle()

    def settle(self) -> None:
        """Read the whole list until nothing is doubted, and compare."""
        for _ in range(4):
            self.place.advance(hours=1.1)
            self.place.make_reconcile_due()
            if not self.pulled().doubted:
                break
        assert self.place.landed_differences() == []
        again = self.place.reconcile()
        assert (again.new, again.changed, again.gone) == (0, 0, 0)
        landed, tombstones = versions(self.place)
        visible = self.place.upstream.visible_set()
        assert repeated(landed, tombstones) == []
        who = self.folder, self.athlete
        account = self.place.upstream.account
        Histories.races.truths[who] = {one: account.truth(one) for one in visible}
        Histories.races.gone[who] = {one for one, _, _ in landed} - visible
