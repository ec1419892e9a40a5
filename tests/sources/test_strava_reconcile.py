"""Random histories of an account, and lists that fail: what is gone, what stays, what returns."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.sources.strava_place import Place, compared, examples, opened
from tests.upstream.activities import Payload
from tests.upstream.calls import Call
from tests.upstream.clock import MovableClock
from tests.upstream.content_faults import missing
from tests.upstream.paging_faults import EmptyListing, HalfListing, HideRows, SamePage, WrapAfter
from tests.upstream.quota import Limits
from tests.upstream.status_faults import Html, Status
from tests.upstream.strava import StravaUpstream
from tracklake.errors import SourceError
from tracklake.stages import ListReport
from tracklake.upstream.reconciling import SECOND_LOOK, Doubt, verdict

PLENTY = Limits(10**6, 10**6, 10**6, 10**6)
LAKE = 25  # athletes
FEW = 5  # may be missing at once without a second look


EDITS: tuple[Callable[[int], Payload], ...] = (
    lambda n: {"name": f"Name {n}"},
    lambda n: {"distance": 1_000.0 + n},
    lambda n: {"gear_id": f"g{n}"},
    lambda n: {"commute": bool(n % 2), "trainer": bool(n % 3)},
    lambda n: {"achievement_count": n % 9, "total_elevation_gain": n / 10},
    lambda n: {"sport_type": ("Run", "Ride", "Walk")[n % 3]},
    lambda n: {"average_heartrate": None if n % 2 else 100.0 + n / 10},
)
KINDS = ("upload", "late", "delete", "privatise", "publicise", "kudos", "move", "edit", "reupload")
CHANGE = st.tuples(st.sampled_from(KINDS), st.integers(0, 199))


class Histories(RuleBasedStateMachine):
    """An account that lives while it is pulled: each example is another athlete of one lake."""

    root: ClassVar[Path]
    done: ClassVar[dict[tuple[Path, str], dict[int, Payload]]]  # what is true at each one's end
    count: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        Histories.count += 1
        self.athlete = f"a{Histories.count}"
        self.folder = Histories.root / f"lake{Histories.count // LAKE}"
        self.open = contextlib.ExitStack()
        self.due: list[tuple[int, tuple[str, int]]] = []
        self.touched: set[int] = set()
        self.doubted = False

    @initialize(
        count=st.integers(0, 12),
        read_all=st.booleans(),
        order=st.sampled_from(("real", "real", "newest", "oldest")),
        inclusive=st.booleans(),
        per_page=st.integers(2, 6),
    )
    def begin(self, count: int, read_all: bool, order: str, inclusive: bool, per_page: int) -> None:
        """Open an account with some activities of the last weeks."""
        reading = "activity:read_all" if read_all else "activity:read"
        upstream = StravaUpstream(
            clock=MovableClock(tick_s=0.001),
            activities=0,
            points=3,
            scopes=("read", reading),
            order=order,  # type: ignore[arg-type] # one of those it knows
            inclusive=inclusive,
            limits=PLENTY,
        )
        self.open.enter_context(upstream)
        upstream.account.fill(count, every_days=5.0)
        self.place = Place(self.folder, upstream, athlete=self.athlete, per_page=per_page)

    def change(self, kind: str, number: int) -> None:
        """Change the account."""
        account = self.place.upstream.account
        there = sorted(one for one, item in account.items.items() if not item.deleted)
        if kind in ("upload", "late"):
            days = 0.0 if kind == "upload" else number / 2
            self.touched.add(account.late_upload(days=days, private=number % 5 == 0))
        elif there:
            chosen = there[number % len(there)]
            self.touched.add(chosen)
            self.change_one(kind, chosen, number)

    def change_one(self, kind: str, chosen: int, number: int) -> None:
        """Change one activity."""
        account = self.place.upstream.account
        if kind == "move":
            moved_s = (number - 100) * 40_000
            start = account.items[chosen].start + dt.timedelta(seconds=moved_s)
            account.edit(chosen, start=min(start, self.place.clock.now()))
        elif kind == "edit":
            account.edit(chosen, **EDITS[number % len(EDITS)](number))
        elif kind == "reupload":
            self.touched.add(account.reupload(chosen))
        else:
            getattr(account, kind)(chosen)

    @rule(change=CHANGE)
    def between_pulls(self, change: tuple[str, int]) -> None:
        """Something changes while nobody looks."""
        self.change(*change)

    @rule(change=CHANGE, call=st.integers(1, 5))
    def amid_the_next_pull(self, change: tuple[str, int], call: int) -> None:
        """Something will change just before a call of the next pull is answered."""
        self.due.append((call, change))

    @rule(hours=st.integers(-30, 24 * 20))
    def time_passes(self, hours: int) -> None:
        """The clock moves on, or back."""
        self.place.advance(hours=hours)

    @rule(everything=st.booleans(), most_calls=st.sampled_from((None, None, None, 1, 3)))
    def pull(self, everything: bool, most_calls: int | None) -> None:
        """Pull, perhaps only with a few calls."""
        self.pulled(everything=everything, max_calls=most_calls)

    @precondition(lambda self: self.place.upstream.calls)
    @rule(call=st.integers(1, 4))
    def pull_that_fails(self, call: int) -> None:
        """Pull while the service fails for good at some call."""
        first = len(self.place.upstream.calls) + call
        self.place.upstream.script.add(Status(500), at=range(first, first + 4))
        with contextlib.suppress(SourceError):
            self.pulled()
        self.place.upstream.script.clear()

    def pulled(self, **options: Any) -> ListReport:
        """Pull; nothing that was there all along and left alone may be called gone."""
        first = len(self.place.upstream.calls)
        due, self.due = self.due, []

        def change_what_is_due(call: Call) -> None:
            for number, change in due:
                if call.number == first + number:
                    self.change(*change)

        before = self.known()
        visible = self.place.upstream.visible_set()
        self.place.upstream.before = change_what_is_due
        try:
            report = self.place.pull(**options)
        finally:
            self.place.upstream.before = None
            lost = before - self.known()
            assert lost.isdisjoint(visible - self.touched), "called gone though it was there"
            assert len(lost) <= FEW or self.doubted, "many gone at once without a second look"
        self.doubted = report.doubted > 0
        if report.parked is None:  # else the walk goes on: what is touched meanwhile may hide
            self.touched = set()
        return report

    def known(self) -> set[int]:
        """Return the ids that are known and not gone."""
        rows = self.place.state(
            "select source_id from upstream_records where athlete = ? and gone_at is null",
            self.athlete,
        )
        return {int(str(source_id)) for (source_id,) in rows}

    def teardown(self) -> None:
        """One whole list undisturbed (more where many are missing), and all is as it should be."""
        with self.open:
            if not hasattr(self, "place"):
                return
            for _ in range(4):
                self.place.advance(hours=1.1)
                self.due = []
                self.place.make_reconcile_due()
                report = self.pulled()
                if not report.doubted:
                    break
            assert self.place.landed_differences() == []
            again = self.place.reconcile()
            assert (again.new, again.changed, again.gone) == (0, 0, 0)
            account = self.place.upstream.account
            visible = self.place.upstream.visible_set()
            Histories.done[self.folder, self.athlete] = {one: account.truth(one) for one in visible}


def test_random_histories(tmp_path: Path) -> None:
    """Whatever happens between any two calls: after a quiet list gold is what the service shows.

    Many athletes share a lake, which equals its rebuild from bronze.
    """
    Histories.root, Histories.done = tmp_path, {}
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples(100),
            stateful_step_count=8,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    for lake in {folder for folder, _ in Histories.done}:
        with opened(lake) as place:
            place.compact()
            place.compact(verify=True)
            for (folder, athlete), truths in Histories.done.items():
                if folder == lake:
                    place.athlete = athlete
                    gold = place.gold()
                    assert gold.keys() == truths.keys()
                    assert [text for one in gold for text in compared(gold[one], truths[one])] == []


# ---- how many may vanish at once


NOW = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)


def ids(count: int, first: int = 0) -> frozenset[str]:
    """Return so many ids."""
    return frozenset(str(number) for number in range(first, first + count))


@pytest.mark.parametrize(
    ("missing", "present", "believed"),
    [
        (1, 1, True),
        (5, 5, True),
        (6, 300, True),
        (6, 299, False),
        (60, 3_000, True),
        (61, 3_000, False),
    ],
)
def test_few_are_believed_at_once(missing: int, present: int, believed: bool) -> None:
    """Up to 5, or up to 2 % of all, are gone at once; more wait for a second listing."""
    gone, doubt = verdict(ids(missing), present, None, NOW, sure=True)
    assert gone == (ids(missing) if believed else frozenset())
    assert doubt == (None if believed else Doubt(NOW, ids(missing)))


def test_an_unsure_listing_is_never_believed_at_once() -> None:
    """A listing that may have missed some deletes nothing without a second one."""
    gone, doubt = verdict(ids(1), 100, None, NOW, sure=False)
    assert (gone, doubt) == (frozenset(), Doubt(NOW, ids(1)))


def test_a_second_listing_counts_after_an_hour() -> None:
    """Before an hour has passed the doubt stays as it is; then what both missed is gone."""
    before = Doubt(NOW, ids(10))
    soon, later = NOW + SECOND_LOOK - dt.timedelta(seconds=1), NOW + SECOND_LOOK
    assert verdict(ids(10), 100, before, soon, sure=True) == (frozenset(), before)
    assert verdict(ids(10), 100, before, later, sure=True) == (ids(10), None)
    gone, left = verdict(ids(10, first=2), 100, before, later, sure=True)
    assert (gone, left) == (ids(8, first=2), Doubt(later, ids(2, first=10)))


def test_all_back_ends_the_doubt() -> None:
    """If the second listing shows everything again, nothing is gone and nothing doubted."""
    after = NOW + SECOND_LOOK
    assert verdict(frozenset(), 100, Doubt(NOW, ids(50)), after, sure=True) == (frozenset(), None)


def test_a_doubt_of_a_time_to_come_begins_now() -> None:
    """A doubt dated in the future (the clock was set back) neither waits for ever nor counts."""
    ahead = Doubt(NOW + dt.timedelta(days=400), ids(10))
    assert verdict(ids(10), 100, ahead, NOW, sure=True) == (frozenset(), Doubt(NOW, ids(10)))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Return a place that knows all of 60 activities."""
    with opened(tmp_path, activities=60, points=5, limits=PLENTY) as found:
        found.per_page = 20
        found.pull()
        yield found


def test_many_deleted_need_a_second_look(place: Place) -> None:
    """Six of 60 deleted: all stay until a whole list an hour later agrees; then they are gone."""
    deleted = sorted(place.upstream.visible_set())[10:16]
    for one in deleted:
        place.upstream.account.delete(one)
    report = place.reconcile()
    assert (report.gone, report.doubted) == (0, 6)
    place.advance(hours=0.9)
    assert place.pull().gone == 0
    place.compact()
    assert len(place.gold_ids()) == 60
    assert place.tombstones() == set()
    place.advance(hours=0.2)
    assert place.pull().gone == 6  # nobody asked for everything: the doubt did
    place.compact()
    assert place.tombstones() == set(deleted)
    assert place.differences() == []


@pytest.mark.parametrize("fault", [EmptyListing(), HalfListing(), HideRows(9)])
def test_a_list_that_shows_too_little_deletes_nothing(place: Place, fault: Any) -> None:
    """An empty or halved list is doubted; when it is whole again, nothing had happened."""
    place.upstream.script.add(fault)
    report = place.reconcile()
    assert report.gone == 0
    assert report.doubted > FEW
    place.upstream.script.clear()
    place.advance(hours=1.1)
    report = place.pull()
    assert (report.new, report.changed, report.gone, report.doubted) == (0, 0, 0, 0)
    place.compact()
    assert place.tombstones() == set()
    assert place.differences() == []


def test_half_a_list_twice_is_believed_and_mended(place: Place) -> None:
    """A half that stays away for an hour is gone; when it is listed again, it is back."""
    place.upstream.script.add(HalfListing())
    half = sum(not HalfListing.shows(one) for one in place.upstream.visible_set())
    assert place.reconcile().doubted == half
    place.advance(hours=1.1)
    assert place.pull().gone == half
    place.compact()
    assert len(place.gold_ids()) == 60 - half
    place.upstream.script.clear()
    assert place.reconcile().new == half
    place.compact(verify=True)
    assert place.tombstones() == set()
    assert place.differences() == []


@pytest.mark.parametrize("fault", [Html(), Status(500), SamePage()])
def test_a_list_that_fails_deletes_nothing(place: Place, fault: Any) -> None:
    """HTML, errors and the same page for ever are no list; nothing is even doubted."""
    place.upstream.script.add(fault)
    with contextlib.suppress(SourceError):
        assert place.reconcile().calls <= 12
    assert place.state("select count(*) from facts where name like 'strava_doubt%'") == [(0,)]
    place.upstream.script.clear()
    report = place.pull()
    assert (report.new, report.changed, report.gone) == (0, 0, 0)


def test_page_one_again_after_the_last_page(place: Place) -> None:
    """A service that answers page 1 where a page is beyond the last is read to its end."""
    place.upstream.script.add(WrapAfter(1))
    place.upstream.account.delete(min(place.upstream.visible_set()))
    report = place.reconcile()
    assert (report.gone, report.new) == (1, 0)
    assert place.state("select count(*) from facts where name like 'strava_walk%'") == [(0,)]


def test_deleted_then_there_again(place: Place) -> None:
    """A deleted activity leaves `activities` for the tombstones, and comes back when it returns."""
    account, one = place.upstream.account, min(place.upstream.visible_set())
    account.delete(one)
    assert place.reconcile().gone == 1
    place.compact()
    [tomb] = place.query("select * from activity_tombstones")
    assert (tomb["source_id"], tomb["name"] is not None) == (str(one), True)
    assert tomb["gone_at"] is not None
    assert place.differences() == []
    account.items[one].deleted = False
    account.edit(one, name="Back again")
    assert place.reconcile().new == 1
    place.compact()
    assert place.tombstones() == set()
    assert place.differences() == []
    assert place.gold()[one]["name"] == "Back again"


def test_privatised_then_public_again(tmp_path: Path) -> None:
    """Without activity:read_all a private activity is gone, and public again it is there again."""
    with opened(tmp_path, activities=20, points=5, scopes=("read", "activity:read")) as place:
        place.pull()
        one = sorted(place.upstream.visible_set())[3]
        place.upstream.account.privatise(one)
        assert place.reconcile().gone == 1
        place.compact()
        assert one not in place.gold_ids()
        place.upstream.account.publicise(one)
        report = place.reconcile()
        assert (report.new, report.gone) == (1, 0)
        place.compact(verify=True)
        assert place.differences() == []


def test_late_uploads_edits_and_deletions_within_a_week(place: Place) -> None:
    """What happened far behind the look back is found by the next weekly list, and not before."""
    account = place.upstream.account
    oldest = sorted(place.upstream.visible_set())
    late = account.late_upload(days=400)
    account.edit(oldest[0], name="Renamed", distance=7_654.0)
    account.delete(oldest[1])
    for _ in range(6):
        place.advance(days=1)
        report = place.pull()
        assert (report.new, report.changed, report.gone) == (0, 0, 0)
    place.advance(days=1.1)
    before = len(place.upstream.calls)
    report = place.pull()
    assert (report.new, report.changed, report.gone) == (1, 1, 1)
    assert len(place.upstream.calls) - before <= 60 // 20 + 2
    place.compact()
    assert late in place.gold_ids()
    assert place.differences() == []


def test_a_row_without_an_id_is_no_deletion(place: Place) -> None:
    """When a known activity is listed without its id, it is doubted, not taken for deleted."""
    one = max(place.upstream.visible_set())
    place.upstream.script.add(missing("id", ids={one}))
    report = place.reconcile()
    assert (report.gone, report.quarantined, report.doubted) == (0, 1, 1)
    place.upstream.script.clear()
    place.advance(hours=1.1)
    report = place.pull()
    assert (report.gone, report.doubted) == (0, 0)


def test_a_walk_in_two_parts_is_one_walk(place: Place) -> None:
    """What neither of two runs met that share a reading of the list is gone; nothing else is."""
    ids = sorted(place.upstream.visible_set())
    for one in (ids[0], ids[-1], ids[30]):
        place.upstream.account.delete(one)
    place.make_reconcile_due()
    assert place.pull(max_calls=2).parked is not None
    place.advance(days=1)
    assert place.pull().gone == 3
    assert place.landed_differences() == []
    assert place.pull().calls <= 3


def test_a_walk_in_two_parts_of_another_week_proves_nothing(place: Place) -> None:
    """Days after its first half a list is too old to say what is gone; the next one does."""
    place.upstream.account.delete(min(place.upstream.visible_set()))
    place.make_reconcile_due()
    assert place.pull(max_calls=2).parked is not None
    place.advance(days=3)
    assert place.pull().gone == 0
    assert place.pull().gone == 1
    assert place.landed_differences() == []


# ---- lists with holes: a login that may not see everything


PUBLIC_ONLY = {"scopes": ("read", "activity:read"), "filter_late": True, "points": 5}


def hide(place: Place, first: int, count: int) -> None:
    """Make activities in a row private, counted from the oldest."""
    for one in sorted(place.upstream.account.items)[first : first + count]:
        place.upstream.account.privatise(one)


@pytest.mark.parametrize("order", ["real", "newest", "oldest"])
@pytest.mark.parametrize("hidden", [9, 10, 12, 19])
def test_a_page_of_private_ones_is_not_the_end(tmp_path: Path, order: str, hidden: int) -> None:
    """A first pull meets what lies behind a page of which everything is hidden from the login."""
    with opened(tmp_path, activities=60, order=order, **PUBLIC_ONLY) as place:
        place.per_page = 10
        hide(place, 20, hidden)
        place.pull()
        assert place.landed_differences() == []


@pytest.mark.parametrize("hidden", [12, 25, 45])
def test_nothing_behind_private_ones_is_called_gone(tmp_path: Path, hidden: int) -> None:
    """However many in a row turn private: they are gone, what lies behind them is not."""
    with opened(tmp_path, activities=90, **PUBLIC_ONLY) as place:
        place.per_page = 10
        place.pull()
        hide(place, 30, hidden)
        old = sorted(place.upstream.account.items)[2]
        place.upstream.account.edit(old, name="Renamed")
        for _ in range(2):
            place.advance(hours=1.1)
            report = place.reconcile()
        assert (report.doubted, report.gone) == (0, hidden)
        assert place.landed_differences() == []


def test_new_ones_in_front_of_and_behind_a_hole(tmp_path: Path) -> None:
    """Hidden ones are uploaded in the middle of what is known: the list is read on behind them."""
    with opened(tmp_path, activities=40, **PUBLIC_ONLY) as place:
        place.per_page = 10
        place.pull()
        account = place.upstream.account
        middle = account.items[sorted(account.items)[20]].start
        for minute in range(35):
            account.upload(middle + dt.timedelta(minutes=minute + 1), private=True)
        account.upload(middle - dt.timedelta(days=200), name="Long ago")
        report = place.reconcile()
        assert (report.new, report.gone) == (1, 0)
        assert place.landed_differences() == []


def test_what_a_whole_list_costs(tmp_path: Path) -> None:
    """One call more where the login may not see everything, and none where it may."""
    for scopes, calls in ((("read", "activity:read"), 6), (("read", "activity:read_all"), 5)):
        with opened(tmp_path / scopes[1], activities=35, points=5, scopes=scopes) as place:
            place.per_page = 10
            assert place.pull().calls == calls
            place.per_page = 200
            assert place.pull().calls == 2


def test_all_that_was_public_turns_private(tmp_path: Path) -> None:
    """A list that shows nothing any more is believed when an hour later it does so again."""
    with opened(tmp_path, activities=50, **PUBLIC_ONLY) as place:
        place.per_page = 10
        place.pull()
        hide(place, 0, 50)
        assert place.reconcile().doubted == 50
        place.advance(hours=1.1)
        assert place.reconcile().gone == 50
        assert place.landed_differences() == []
